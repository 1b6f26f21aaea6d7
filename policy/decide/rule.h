/* What an automatic deployment rule selects, and why not the rest; and the times of what it makes. Pure. configmgr-semantics.md 1.7. */
#ifndef FERRY_POLICY_DECIDE_RULE_H
#define FERRY_POLICY_DECIDE_RULE_H

#include "policy/document/expression.h"
#include "policy/document/schedule.h"

#define RULE_UPDATES 1000                       /* more: the run fails, and nothing changes */

enum rule_verdict { RULE_SELECTED, RULE_EXPIRED, RULE_NOT_MATCHED };

/* One candidate; lookup as for expression_true. Expired updates are never selected. why: one clause for what is not: "expired",
 * "required > 50 (it is 3)". */
enum rule_verdict rule_judge(const struct expression *filter, bool expired, expression_lookup, void *ctx, int64_t now, char why[200]);

enum rule_trigger { RULE_BY_HAND, RULE_AFTER_SYNC, RULE_ON_SCHEDULE, RULE_RETRY };

struct rule_clock {                             /* what the site remembers of a rule */
    bool            enabled, after_sync;
    const struct schedule *schedule;            /* NULL: none */
    int64_t         since;                      /* made or enabled then: occurrences before do not count */
    int64_t         last_nominal;               /* rule_due.nominal of the last run that was begun, whatever began it; 0: none */
    int64_t         last_sync, last_sync_run;   /* when a sync last brought something; the sync the last run answered */
    int             failures;                   /* in a row */
    int64_t         last_failed;
};
struct rule_due {
    bool              run;
    enum rule_trigger trigger;
    int64_t           nominal;                  /* the base of relative times: the scheduled start, or now */
    int64_t           wake;                     /* ask again then; 0: when something happens */
};
/* A failed run is tried again after 5 min, doubling to 4 h, until it succeeds or the next occurrence supersedes it. Missed occurrences (the
 * site was off) are one run. */
struct rule_due rule_due(const struct rule_clock *, const struct zone *, int64_t now);

#endif
