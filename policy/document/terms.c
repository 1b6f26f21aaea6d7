#include "policy/document/terms.h"

#include "base/text.h"

static const char *const purposes[] = {"required", "available", NULL};
static const char *const notices[] = {"all", "restart", "none", NULL};
static const char *const verbosities[] = {"all", "outcome", "error", NULL};

#define DAY      86400
#define AT(name) offsetof(struct terms, name)
#define BOOL(name, standard, meaning) {#name, MEMBER_BOOL, AT(name), standard, 0, 1, NULL, false, meaning}
#define TIME(name, standard, high, inside, meaning) {#name, MEMBER_DURATION, AT(name##_s), standard, 0, high, NULL, inside, meaning}

/* The defaults are Configuration Manager's, but for design.md 8.2 (randomization). Documents older than a member behave as its default says. */
const struct member terms_table[] = {
    {"purpose", MEMBER_WORD, AT(purpose), PURPOSE_REQUIRED, 0, 0, purposes, false, "required: at the deadline; available: when the user wants"},
    BOOL(local_time, false, "available and deadline are each node's own wall clock"),
    TIME(randomize, 7200, DAY, false, "each node adds its own share of this to the deadline"),
    TIME(gradual, 0, 30 * DAY, false, "each node adds its own share of this to both times"),
    BOOL(soft_deadline, false, "after the deadline the user's free hours are waited for, at most the grace"),
    {"notify", MEMBER_WORD, AT(notify), NOTIFY_ALL, 0, 0, notices, false, "what the user is told: all, restart only, or none"},
    BOOL(install_outside, false, "after the deadline installed outside maintenance windows too"),
    BOOL(restart_outside, false, "after the deadline restarted outside maintenance windows too"),
    BOOL(suppress_restart_servers, false, "servers are not restarted"),
    BOOL(suppress_restart_workstations, false, "workstations are not restarted"),
    BOOL(reevaluate_after_restart, false, "after a restart what has become applicable is installed in the same window"),
    BOOL(predownload, false, "available: fetched before it is offered"),
    BOOL(neighbour_fallback, true, "from distribution points of neighbour groups"),
    BOOL(default_group_fallback, true, "from distribution points of the site's default group"),
    BOOL(origin_fallback, false, "from the vendor as the last resort"),
    BOOL(metered, false, "after the deadline a metered line may be used"),
    {"verbosity", MEMBER_WORD, AT(verbosity), VERBOSITY_ALL, 0, 0, verbosities, false, "what nodes report: all, outcome or error"},
    {"alert_below", MEMBER_NUMBER, AT(alert_below), 0, 0, 100, NULL, true, "alert when compliance is below this percentage; 0: never"},
    TIME(alert_after, 7 * DAY, 365 * DAY, true, "… so long after the deadline"),
};
const size_t terms_count = COUNT(terms_table);
