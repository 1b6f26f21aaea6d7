/* What this node does now about one update of one deployment. Pure: documents, facts and time in; a decision with its reason out.
 * The same function runs on the node (to act) and at the site (to explain: `ferry why`). Times: seconds since 1970 UTC. */
#ifndef FERRY_POLICY_DECIDE_NODE_H
#define FERRY_POLICY_DECIDE_NODE_H

#include "policy/document/collection.h"
#include "policy/document/deployment.h"

/* Reason codes: stable words in JSON, one plain sentence each. In story order. */
#define REASON_LIST(X) \
    X(NOT_DEPLOYED,     "not-deployed",     "no deployment of this node's collections has it")                \
    X(NOT_MEMBER,       "not-member",       "the node is not in the deployment's collection")                 \
    X(DISABLED,         "disabled",         "the deployment is disabled or withdrawn")                        \
    X(STATE_UNKNOWN,    "state-unknown",    "the node could not tell whether it needs the update")            \
    X(NOT_REQUIRED,     "not-required",     "the node does not need it")                                      \
    X(INSTALLED,        "installed",        "it is installed")                                                \
    X(HELD,             "held",             "the package is held on the node")                                \
    X(NOT_YET,          "not-yet-available","its available time has not come")                                \
    X(OFFERED,          "offered",          "it is available; the user decides")                              \
    X(CONTENT_MISSING,  "content-missing",  "the deployment does not carry a file this node needs")           \
    X(DOWNLOADING,      "downloading",      "its content is being fetched")                                   \
    X(NO_SOURCE,        "no-source",        "no source has its content now; sources are asked again")         \
    X(DOWNLOAD_FAILED,  "download-failed",  "its content cannot be kept here; it is tried again")              \
    X(DEADLINE_AHEAD,   "deadline-ahead",   "downloaded; its deadline has not come")                          \
    X(BUSY,             "busy",             "another installation is running")                                \
    X(INSTALL_NOW,      "install-now",      "it is due")                                                      \
    X(INSTALLING,       "installing",       "it is being installed")                                          \
    X(RETRY_LATER,      "retry-later",      "an attempt failed; it is tried again later")                     \
    X(GAVE_UP,          "gave-up",          "ten attempts failed; the next re-evaluation tries again")        \
    X(CLOSURE,          "closure-missing",  "a dependency is not in the deployment's content")                \
    X(RESTART_PENDING,  "restart-pending",  "installed; a restart completes it")

enum reason {
#define X(name, word, text) REASON_##name,
    REASON_LIST(X)
#undef X
    REASON_COUNT
};
const char *reason_word(enum reason);
const char *reason_text(enum reason);
bool        reason_by_word(const char *, enum reason *out);

enum action { ACTION_NONE, ACTION_FETCH, ACTION_INSTALL };

/* What the node knows of (deployment, update). */
struct situation {
    const struct deployment *deployment;        /* NULL: nothing deploys it */
    const struct update     *update;
    bool                     member;            /* collection_has() */
    enum update_state        state;
    bool                     held;
    bool                     content_complete;  /* every file this node needs is in the deployment's contents */
    bool                     content_here;      /* … and verified in the cache */
    bool                     source_missing;    /* the fetcher has nobody to ask at the moment */
    bool                     download_failed;   /* the disk is full …; detail tells */
    bool                     user_asked;        /* `ferry install` */
    bool                     installing, busy, restart_pending;
    int                      attempts;          /* failed so far since the last re-evaluation */
    bool                     closure_missing;   /* the last plan needed a package that is not in the content */
    int64_t                  last_attempt;
};

struct decision {
    enum action action;
    enum reason reason;                         /* the first that holds */
    int64_t     wake;                           /* ask again then; 0: only when a fact changes */
    int64_t     clock;                          /* the clock value that decided (deadline, available, retry time); 0: none */
    char        document[200];                  /* the target's name that decided, "" when none */
};

struct decision decide_update(const struct situation *, const char *node_id, int64_t now);
/* Deadline + this node's randomization: deadline + hash(node, deployment) mod (randomize_s + 1). */
int64_t decide_deadline(const struct deployment *, const char *node_id);
/* 5 min doubling to 4 h: seconds to wait after the n-th failure (n ≥ 1); -1 after the tenth. design.md 8.6. */
int64_t decide_retry(int attempts);
/* Which of two deployments of one update leads: the earliest deadline, then available, then id. design.md 8.9. < 0: a. */
int     decide_order(const struct deployment *a, const struct deployment *b);

#endif
