/* Time zones: wall clock ⇄ seconds since 1970 UTC, by IANA name ("Europe/Berlin"), through GLib's GTimeZone. A zone never changes: any
 * thread. NULL is UTC everywhere. */
#ifndef FERRY_POLICY_DOCUMENT_ZONE_H
#define FERRY_POLICY_DOCUMENT_ZONE_H

#include <stdint.h>

#include "base/error.h"

struct zone;

/* ERR_NOT_FOUND; "" and "UTC" give NULL. Takes some milliseconds: open it once. */
enum err    zone_open(const char *name, struct zone **out, struct error *);
void        zone_close(struct zone *);
const char *zone_name(const struct zone *);

struct civil {
    int year, month /* 1 … 12 */, day /* 1 … 31 */, hour, minute, second;
    int weekday;                                /* 0 sunday; out only */
};
struct civil zone_civil(const struct zone *, int64_t t);
/* Members out of range carry over (day 32, hour 25). A wall clock that does not exist (clocks jump forward) is moved forward by the jump; of
 * two that are the same, the first. */
int64_t      zone_time(const struct zone *, struct civil);
/* A time written "as if UTC" (terms.local_time) as the moment this zone's wall clock shows it; and the wall clock of a moment, so written. */
int64_t      zone_of_wall(const struct zone *, int64_t as_if_utc);
int64_t      zone_wall(const struct zone *, int64_t t);

#endif
