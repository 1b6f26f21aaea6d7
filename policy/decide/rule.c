#include "policy/decide/rule.h"

#include <stdio.h>

#define RETRY_FIRST 300
#define RETRY_MOST  14400

enum rule_verdict rule_judge(const struct expression *filter, bool expired, expression_lookup lookup, void *ctx, int64_t now, char why[200])
{
    if (expired) {
        snprintf(why, 200, "expired");
        return RULE_EXPIRED;
    }
    return expression_why(filter, lookup, ctx, now, why) ? RULE_SELECTED : RULE_NOT_MATCHED;
}

/* 0: the last run did not fail. */
static int64_t retry_at(const struct rule_clock *c)
{
    int64_t wait = RETRY_FIRST;

    for (int i = 1; i < c->failures && wait < RETRY_MOST; i++)
        wait *= 2;
    return c->failures > 0 ? c->last_failed + (wait < RETRY_MOST ? wait : RETRY_MOST) : 0;
}

static struct rule_due run(enum rule_trigger trigger, int64_t nominal)
{
    return (struct rule_due){.run = true, .trigger = trigger, .nominal = nominal};
}

/* What happens anew supersedes the failure of what happened before: the schedule, then a sync, then the retry. */
struct rule_due rule_due(const struct rule_clock *c, const struct zone *zone, int64_t now)
{
    int64_t last = c->enabled && c->schedule ? schedule_last(c->schedule, zone, now) : 0;
    int64_t next = c->enabled && c->schedule ? schedule_next(c->schedule, zone, now) : 0;
    int64_t retry = retry_at(c);

    if (!c->enabled)
        return (struct rule_due){0};
    if (last && last >= c->since && last > c->last_nominal)
        return run(RULE_ON_SCHEDULE, last);
    if (c->after_sync && c->last_sync >= c->since && c->last_sync > c->last_sync_run)
        return run(RULE_AFTER_SYNC, now);
    if (retry && now >= retry)
        return run(RULE_RETRY, c->last_nominal ? c->last_nominal : now);
    if (retry && (!next || retry < next))
        next = retry;
    return (struct rule_due){.wake = next};
}
