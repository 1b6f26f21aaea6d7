#include "node/site/jobs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define KEPT 100

struct job_work {
    char             id[24], what[80], step[200], unit[16];
    int64_t          done, total;
    const char      *state;
    json_t          *lines, *result;
    struct error     error;
    struct job_work *next;
};
struct jobs {
    struct job_work *first;
    uint64_t         count;
};

struct jobs *jobs_new(void)
{
    return must_alloc(sizeof(struct jobs));
}

static void job_free(struct job_work *j)
{
    json_decref(j->lines);
    json_decref(j->result);
    free(j);
}

void jobs_free(struct jobs *all)
{
    while (all && all->first) {
        struct job_work *next = all->first->next;
        job_free(all->first);
        all->first = next;
    }
    free(all);
}

/* The oldest that have ended go. */
static void sweep(struct jobs *all)
{
    int n = 0;

    for (struct job_work **at = &all->first; *at;) {
        struct job_work *j = *at;
        if (++n > KEPT && strcmp(j->state, "running")) {
            *at = j->next;
            job_free(j);
        } else {
            at = &j->next;
        }
    }
}

struct job_work *job_new(struct jobs *all, const char *what)
{
    struct job_work *j = must_alloc(sizeof *j);

    snprintf(j->id, sizeof j->id, "j%llu", (unsigned long long)++all->count);
    snprintf(j->what, sizeof j->what, "%s", what);
    snprintf(j->unit, sizeof j->unit, "items");
    j->state = "running";
    j->lines = json_array();
    j->next = all->first;
    all->first = j;
    sweep(all);
    return j;
}

const char *job_id(const struct job_work *j)
{
    return j->id;
}

void job_says(struct job_work *j, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(j->step, sizeof j->step, format, args);
    va_end(args);
}

void job_total(struct job_work *j, int64_t total, const char *unit)
{
    j->total = total;
    j->done = 0;
    snprintf(j->unit, sizeof j->unit, "%s", unit);
}

void job_more(struct job_work *j, int64_t more)
{
    j->done += more;
}

void job_line(struct job_work *j, const char *format, ...)
{
    char    text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(j->lines, json_string(text));
}

void job_finish(struct job_work *j, json_t *result)
{
    j->state = "done";
    j->result = result;
}

void job_failed(struct job_work *j, const struct error *e)
{
    j->state = "failed";
    j->error = *e;
}

json_t *job_json(struct jobs *all, const char *id)
{
    struct job_work *j = all->first;
    json_t          *o;

    while (j && strcmp(j->id, id))
        j = j->next;
    if (!j)
        return NULL;
    o = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:O}", "id", j->id, "what", j->what, "state", j->state, "step", j->step, "done",
                  (json_int_t)j->done, "total", (json_int_t)j->total, "unit", j->unit, "lines", j->lines);
    if (j->result)
        json_object_set(o, "result", j->result);
    if (!strcmp(j->state, "failed"))
        json_object_set_new(o, "error", json_pack("{s:s,s:s}", "code", err_name(j->error.code), "text", j->error.text));
    return o;
}
