/* What this node does now about one update. Pure: documents, facts and time in; a decision with its reasons out. The same functions run on
 * the node (to act) and at the site (to explain: `ferry why`). Times: seconds since 1970 UTC. Semantics: configmgr-semantics.md 1.6 and 1.10;
 * design.md section 8. */
#ifndef FERRY_POLICY_DECIDE_NODE_H
#define FERRY_POLICY_DECIDE_NODE_H

#include "policy/document/collection.h"
#include "policy/document/deployment.h"

/* Reason codes: stable words in JSON, one plain sentence each. In story order: the gates an update passes on its way. */
#define REASON_LIST(X) \
    X(INSTALLING,       "installing",       "it is being installed")                                          \
    X(RESTART_PENDING,  "restart-pending",  "installed; a restart completes it")                              \
    X(INSTALLED,        "installed",        "it is installed")                                                \
    X(NOT_REQUIRED,     "not-required",     "the node does not need it")                                      \
    X(NOT_DEPLOYED,     "not-deployed",     "no deployment of this node's collections has it")                \
    X(NOT_MEMBER,       "not-member",       "the node is not in the deployment's collection")                 \
    X(DISABLED,         "disabled",         "the deployment is disabled or withdrawn")                        \
    X(HALTED,           "halted",           "the deployment is halted")                                       \
    X(SWITCHED_OFF,     "switched-off",     "client settings let Ferry install nothing here")                 \
    X(STATE_UNKNOWN,    "state-unknown",    "the node could not tell whether it needs the update")            \
    X(HELD,             "held",             "the package is held on the node")                                \
    X(NOT_YET,          "not-yet-available","its available time has not come")                                \
    X(CONTENT_MISSING,  "content-missing",  "the deployment does not carry a file this node needs")           \
    X(METERED,          "metered",          "the line is metered; its content waits")                         \
    X(PREDOWNLOADING,   "predownloading",   "it is fetched before it is offered")                             \
    X(OFFERED,          "offered",          "it is available; the user decides")                              \
    X(DOWNLOADING,      "downloading",      "its content is being fetched")                                   \
    X(NO_SOURCE,        "no-source",        "no source has its content now; sources are asked again")         \
    X(DOWNLOAD_FAILED,  "download-failed",  "its content cannot be kept here; it is tried again")             \
    X(SCHEDULED,        "scheduled",        "the user has chosen a time for it")                              \
    X(DEADLINE_AHEAD,   "deadline-ahead",   "its deadline has not come")                                      \
    X(GRACE,            "grace",            "its deadline has passed; the user's free hours are waited for")  \
    X(POSTPONED,        "postponed",        "the user has postponed it")                                      \
    X(CLOSURE,          "closure-missing",  "a dependency is not in the deployment's content")                \
    X(RETRY_LATER,      "retry-later",      "an attempt failed; it is tried again later")                     \
    X(GAVE_UP,          "gave-up",          "ten attempts failed; the next re-evaluation tries again")        \
    X(WAIT_WINDOW,      "waiting-window",   "outside the maintenance windows")                                \
    X(NO_WINDOW,        "no-window",        "no maintenance window is long enough for it")                    \
    X(RESTART_FIRST,    "restart-first",    "a restart that is pending has to come first")                    \
    X(WAIT_TURN,        "waiting-turn",     "other members of its orchestration group have their turn")       \
    X(BUSY,             "busy",             "another installation is running")                                \
    X(ASK_FIRST,        "asking-first",     "the site is asked whether the deployment still stands")          \
    X(INSTALL_NOW,      "install-now",      "it is due")

enum reason {
#define X(name, word, text) REASON_##name,
    REASON_LIST(X)
#undef X
    REASON_COUNT
};
const char *reason_word(enum reason);
const char *reason_text(enum reason);
bool        reason_by_word(const char *, enum reason *out);

enum action {
    ACTION_NONE,
    ACTION_FETCH,
    ACTION_ASK,                                 /* refresh the policy, then decide again */
    ACTION_TURN,                                /* ask for the orchestration lock, then decide again */
    ACTION_INSTALL
};

/* What holds for the node, whatever the update. */
struct node_rules {
    const char                 *node_id;
    const struct zone          *zone;           /* NULL: UTC */
    struct settings             settings;       /* merged */
    const struct window *const *windows;        /* of all its collections */
    size_t                      window_count;
    struct business             business;       /* the user's */
    bool                        server;         /* else a workstation: restart suppression */
    bool                        orchestrated;   /* some collection of it takes turns */
};

/* What the node knows of (deployment, update). */
struct situation {
    const struct deployment *deployment;        /* the leading one; NULL: nothing deploys it */
    const struct update     *update;
    bool                     member;            /* collection_has() */
    enum update_state        state;
    bool                     held;
    bool                     interrupted;       /* STATE_UNKNOWN, and an installation is what would mend it */
    bool                     content_complete;  /* every file this node needs is in the deployment's contents */
    bool                     content_here;      /* … and verified in the cache */
    bool                     source_missing;    /* the fetcher has nobody to ask at the moment */
    bool                     download_failed;   /* the disk is full …; detail tells */
    bool                     metered;           /* the line is, now */
    bool                     user_asked;        /* `ferry install`: ignores deadline, windows and turns */
    int64_t                  user_at;           /* … not before this; 0: at once */
    int64_t                  postponed_until;   /* `ferry postpone`; 0: no */
    bool                     batched;           /* another update's deadline has come and settings.batch_s reaches this one's */
    bool                     installing, busy, restart_pending;
    bool                     restart_first;     /* another update's restart is pending, and this one or that one is exclusive */
    bool                     turn_held;         /* the orchestration lock is this node's now */
    bool                     asked;             /* the site was asked a moment ago, or could not be reached: go on with what is here */
    int                      attempts;          /* failed so far since the last re-evaluation */
    bool                     closure_missing;   /* the last plan needed a package that is not in the content */
    int64_t                  last_attempt;
};

/* A deployment's times for one node: spread, in its zone. */
struct times {
    int64_t available;
    int64_t deadline;                           /* 0: none */
    int64_t due;                                /* deadline, or the end of the grace's waiting; 0: none */
};
struct times decide_times(const struct deployment *, const struct node_rules *);

struct decision {
    enum action action;
    enum reason reason;                         /* the first gate that is shut */
    int64_t     wake;                           /* ask again then; 0: only when a fact changes */
    int64_t     clock;                          /* the clock value that decided (deadline, available, retry time, window); 0: none */
    char        document[200];                  /* the target's name that decided, "" when none */
};
struct decision decide_update(const struct situation *, const struct node_rules *, int64_t now);
/* Every gate that is shut on the way, in order: the first is decide_update's (INSTALL_NOW when none is), those behind it are what will be
 * waited for next, judged for the moment the gate before them opens. Gates that cannot be judged before that are left out. Returns how many. */
#define DECISIONS_MOST 12
size_t   decide_all(const struct situation *, const struct node_rules *, int64_t now, struct decision out[DECISIONS_MOST]);

/* Negative: a leads b for the same update (design.md 8.9): one in force before one that is halted, that before one that is disabled or
 * withdrawn; then the earlier deadline. */
int      decide_order(const struct deployment *a, const struct deployment *b, const struct node_rules *);
/* Which of two updates that may both install now begins: shortest maximum run time first; what is exclusive comes last. */
int      decide_turn(const struct update *a, const struct update *b);
/* When a failed installation is tried again: 5 min, doubling to 4 h, 10 times; -1 gave up (design.md 8.6). */
int64_t  decide_retry(int attempts);
/* The latest moment the user may postpone to; 0: may not. */
int64_t  decide_postpone(const struct deployment *, const struct node_rules *, int64_t now);

#endif
