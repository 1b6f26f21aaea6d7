/* When the machine restarts after installations (configmgr-semantics.md 1.10 "Restart"). Pure. The countdown runs by the wall clock, so sleep
 * does not stop it; the node remembers when it began. Times: seconds since 1970 UTC. */
#ifndef FERRY_POLICY_DECIDE_RESTART_H
#define FERRY_POLICY_DECIDE_RESTART_H

#include "policy/decide/node.h"

#define RESTART_LIST(X) \
    X(NONE,       "none",       "no restart is pending")                                                  \
    X(SUPPRESSED, "suppressed", "a restart is pending; the deployment leaves it to the administrator")    \
    X(HELD,       "held",       "a restart is pending; it is held until the deadline")                    \
    X(WINDOW,     "window",     "a restart is pending; it waits for a maintenance window")                \
    X(REMINDING,  "reminding",  "a restart is pending; the user is reminded")                             \
    X(COUNTDOWN,  "countdown",  "the machine restarts when the countdown ends")                           \
    X(FINAL,      "final",      "the machine restarts in a moment")                                       \
    X(NOW,        "now",        "the machine restarts")

enum restart_state {
#define X(name, word, text) RESTART_##name,
    RESTART_LIST(X)
#undef X
    RESTART_COUNT
};
const char *restart_word(enum restart_state);
const char *restart_text(enum restart_state);

/* One update that wants a restart. */
struct restart_cause {
    const struct deployment *deployment;        /* its leading deployment; NULL: no longer deployed, which counts as past its deadline */
};
struct restart_situation {
    const struct restart_cause *causes;         /* none: nothing is pending */
    size_t                      cause_count;
    bool                        user_asked;     /* `ferry restart`: now */
    bool                        installing;     /* never in the middle of an installation */
    int64_t                     countdown_begun;/* 0: not yet */
};
struct restart_decision {
    enum restart_state state;
    int64_t            at;                      /* when the machine will restart; 0: unknown */
    int64_t            wake;                    /* ask again then; 0: when a fact changes */
    bool               begin_countdown;         /* remember now as its beginning */
};
/* The most permissive cause decides: one past its deadline is enough; one that allows restarts outside windows is enough; suppression holds
 * only when every cause suppresses it on this kind of machine. What only users asked for has no deadline: they are reminded. Outside windows
 * counts once that cause is past its deadline. "Deadline" is times.due: the grace of a soft deadline holds for the restart as well. */
struct restart_decision decide_restart(const struct restart_situation *, const struct node_rules *, int64_t now);

#endif
