/* How a deployment behaves: everything of configmgr-semantics.md 1.6 that is not what, to whom, and when. One table; deployments, templates,
 * deployments of rules and phases all carry these. */
#ifndef FERRY_POLICY_DOCUMENT_TERMS_H
#define FERRY_POLICY_DOCUMENT_TERMS_H

#include "policy/document/member.h"

enum purpose { PURPOSE_REQUIRED, PURPOSE_AVAILABLE };
enum notify { NOTIFY_ALL, NOTIFY_RESTART, NOTIFY_NONE };
enum verbosity { VERBOSITY_ALL, VERBOSITY_OUTCOME /* success and error */, VERBOSITY_ERROR };

struct terms {
    int64_t purpose;                            /* enum purpose */
    bool    local_time;                         /* available and deadline are wall clock of each node, written as if UTC */
    int64_t randomize_s;                        /* 0 … 86400: each node adds its own share of this to the deadline */
    int64_t gradual_s;                          /* 0 … 30 d: each node adds its own share to both available and deadline */
    bool    soft_deadline;                      /* after the deadline the user's free hours are waited for, at most the grace */
    int64_t notify;                             /* enum notify */
    bool    install_outside, restart_outside;   /* of maintenance windows, once the deadline has passed */
    bool    suppress_restart_servers, suppress_restart_workstations;
    bool    reevaluate_after_restart;
    bool    predownload;                        /* available: fetched before it is shown */
    bool    neighbour_fallback, default_group_fallback, origin_fallback;
    bool    metered;                            /* after the deadline a metered line may be used */
    int64_t verbosity;                          /* enum verbosity */
    /* the site's own */
    int64_t alert_below;                        /* percent; 0: no alert */
    int64_t alert_after_s;                      /* behind the deadline */
};

extern const struct member terms_table[];
extern const size_t        terms_count;

#endif
