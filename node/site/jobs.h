/* Long work of the site and how far it has come: what GET /api/v1/jobs/ID answers. Loop thread. */
#ifndef FERRY_NODE_SITE_JOBS_H
#define FERRY_NODE_SITE_JOBS_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

struct jobs;
struct job_work;

struct jobs *jobs_new(void);
void         jobs_free(struct jobs *);
struct job_work *job_new(struct jobs *, const char *what);          /* keeps the last 100 */
const char  *job_id(const struct job_work *);
void         job_says(struct job_work *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void         job_total(struct job_work *, int64_t total, const char *unit);
void         job_more(struct job_work *, int64_t more);
void         job_line(struct job_work *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void         job_finish(struct job_work *, json_t *result /* taken */);
void         job_failed(struct job_work *, const struct error *);
json_t      *job_json(struct jobs *, const char *id);               /* NULL when unknown */

#endif
