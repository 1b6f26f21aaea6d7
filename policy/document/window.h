/* Maintenance windows: when a machine may be changed (configmgr-semantics.md 1.10; design.md 8.4: overlapping windows are one). And a user's
 * business hours. Times in seconds since 1970 UTC. Pure; any thread. */
#ifndef FERRY_POLICY_DOCUMENT_WINDOW_H
#define FERRY_POLICY_DOCUMENT_WINDOW_H

#include "policy/document/json.h"
#include "policy/document/schedule.h"

#define WINDOWS_MOST    100                     /* of one collection */
#define WINDOW_SHORTEST 300
#define WINDOW_LONGEST  86400
#define WINDOW_RESTART  300                     /* kept free behind an installation for the restart */

/* JSON: {"name": "Sunday night", "when": "sunday 01:00", "duration_s": 10800, "utc": true, "updates_only": true}; the last two are false when
 * they are absent. */
struct window {
    char           *name;                       /* ≤ 64; unique in its collection */
    struct schedule when;
    bool            utc;                        /* else the node's own zone */
    bool            updates_only;
    int64_t         duration_s;
};
void     window_end(struct window *);
enum err window_from_json(const json_t *, const char *path, struct window *out, struct error *);
json_t  *window_to_json(const struct window *);

struct opening {
    int64_t begin, end;                         /* end: the first second outside */
};
/* The windows that count for updates: when there are some for updates only, those alone, unless both (settings.windows_union). Of these, merged,
 * the opening that holds now, or the next one, in which at least need seconds are left from max(now, begin) on. False: none within 400 days
 * (fewer, when the windows begin 150,000 times before that). An opening that holds is followed back eight days.
 * With no windows at all there is no restriction: do not ask. */
bool     windows_next(const struct window *const *list, size_t count, bool both, const struct zone *, int64_t now, int64_t need,
                      struct opening *out);

/* A user's business hours: "mon-fri 05:00-22:00", "mon,wed,fri 08:00-12:00"; "" is none. At least four hours of each day stay free. */
struct business {
    unsigned weekdays;                          /* bit 0 sunday; 0: no business hours */
    int      begin, end;                        /* minutes since midnight, begin < end */
};
enum err business_parse(const char *text, struct business *out, struct error *);
char    *business_print(const struct business *);                  /* caller frees */
/* The first moment at or after t outside business hours. */
int64_t  business_free(const struct business *, const struct zone *, int64_t t);

#endif
