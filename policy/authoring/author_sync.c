/* Syncs of catalogs as the rest of the site sees them: when the schedule wants one, how it went, and that it brought something. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/authoring/noun.h"
#include "policy/authoring/rollout.h"
#include "policy/document/schedule.h"

enum err catalog_went(struct author *a, const char *catalog, const char *text, struct error *e)
{
    enum err code = ledger_begin(a->ledger, e);

    code = code ? code : rows_run(a->ledger, LEDGER_CATALOG_FAILED, e, "sis", catalog, text ? a->now : 0, text ? text : "");
    if (!code)
        code = text ? alert_raise(a, "sync-failed", catalog, ALERT_WARNING, "", text, e) : alert_close(a, "sync-failed", catalog, "", e);
    return ledger_end(a->ledger, code, e);
}

enum err author_set_sync(struct author *a, const char *text, struct error *e)
{
    struct schedule schedule;
    bool            none = !strcmp(text, "none");
    char            now[32];
    enum err        code = none ? OK : schedule_parse(text, &schedule, e);

    snprintf(now, sizeof now, "%lld", (long long)a->now);
    code = code ? code : ledger_set(a->ledger, "sync", none ? "" : text, e);
    return code ? code : ledger_set(a->ledger, "sync.nominal", now, e);    /* times before this moment do not count */
}

/* Times the site was off are caught up on, once. One that lies ahead was noted by a clock that has been set back since. */
static bool wanted(const struct schedule *schedule, const struct zone *zone, int64_t seen, int64_t now, int64_t *nominal)
{
    *nominal = schedule_last(schedule, zone, now);
    return *nominal && (*nominal > seen || seen > now);
}

enum err sync_due(struct author *a, bool *out, struct error *e)
{
    char           *text = ledger_setting(a->ledger, "sync"), *last = ledger_setting(a->ledger, "sync.nominal"), number[32];
    struct zone    *zone = NULL;
    struct schedule schedule;
    int64_t         nominal;
    enum err        code = text && *text ? schedule_parse(text, &schedule, e) : OK;

    *out = false;
    code = code ? code : site_zone(a, &zone, e);
    if (!code && text && *text && wanted(&schedule, zone, last ? strtoll(last, NULL, 10) : 0, a->now, &nominal)) {
        snprintf(number, sizeof number, "%lld", (long long)nominal);
        code = ledger_set(a->ledger, "sync.nominal", number, e);
        *out = !code;
    }
    zone_close(zone);
    free(text);
    free(last);
    return code;
}

enum err rules_synced(struct author *a, struct error *e)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)a->now);
    return ledger_set(a->ledger, "sync.news", text, e);
}

