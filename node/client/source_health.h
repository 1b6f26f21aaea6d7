/* How the HTTP sources behave, per host (scheme, name and port of the URL): a failure waits 1 s, doubling to 60 s, and lets one request
 * probe; altered bytes ban the host for 15 min for everything. Time comes in; milliseconds of a monotonic clock. */
#ifndef FERRY_NODE_CLIENT_SOURCE_HEALTH_H
#define FERRY_NODE_CLIENT_SOURCE_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source_health {
    char    host[300], name[100];               /* "http://127.1.9.1:8081"; the DP's name or "origin" */
    int     failures;                           /* in a row */
    int     in_flight;                          /* kept by the carrier */
    int64_t not_before, banned_until;
    char    why[200];                           /* of the last failure or the ban */
};
struct health {
    struct source_health **rows;
    size_t                 count;
};

struct source_health *health_of(struct health *, const char *url, const char *name);    /* made when new; lives as long as health */
bool health_usable(const struct source_health *, int64_t now_ms);   /* now, for one more request */
bool health_down(const struct source_health *, int64_t now_ms);     /* failed at least twice in a row, or banned */
void health_good(struct source_health *);
void health_failed(struct source_health *, int64_t now_ms, const char *why);
void health_ban(struct source_health *, int64_t now_ms, const char *why);
void health_end(struct health *);

#endif
