/* What the files of the client role share. Inside node/client only. Loop thread. */
#ifndef FERRY_NODE_CLIENT_CORE_H
#define FERRY_NODE_CLIENT_CORE_H

#include "node/client/client.h"
#include "node/client/fetch.h"
#include "node/client/install.h"
#include "node/client/inventory.h"
#include "node/store/outbox.h"
#include "policy/decide/node.h"
#include "policy/trust/verifier.h"

/* One update on this machine: job.c's state machine. */
#define JOB_LIST(X) \
    X(WANTED,     "waiting")          /* decided: not now, or not here yet        */ \
    X(FETCHING,   "downloading")      /* its content comes                         */ \
    X(STUCK,      "download-failed")  /* it cannot be kept or fetched; again later */ \
    X(VERIFIED,   "downloaded")       /* every byte is here and verified           */ \
    X(WAITING,    "waiting-deadline") /* its time has not come                     */ \
    X(INSTALLING, "installing")       /* the installer runs                        */ \
    X(DETECTING,  "detecting")        /* it has ended; the scan decides            */ \
    X(INSTALLED,  "installed")        \
    X(UNNEEDED,   "not-required")     \
    X(FAILED,     "failed")           /* an attempt failed; tried again later      */

enum job_state {
#define X(name, word) JOB_##name,
    JOB_LIST(X)
#undef X
    JOB_COUNT
};

struct job {
    struct job          *next;
    const struct update *update;                /* of the leading deployment, borrowed; NULL when nothing deploys it any more */
    const struct deployment *deployment;
    struct job_row       row;                   /* as it is in the store */
    enum job_state       state;
    struct decision      decision;
    bool                 member, content_here, source_missing, fetch_failed, running;
    struct sha256       *planned;               /* contents the last plan asked for */
    size_t               planned_count;
    bool                 planned_once;
    char                 step[40], fetch_why[200];
    struct client       *client;
    int64_t              retry_at;              /* monotonic ms: the installer was busy */
};

struct client {
    struct client_options options;
    struct store         *store;
    struct cache         *cache;
    struct fetcher       *fetcher;
    struct scanner       *scanner;
    struct key            key;
    char                  node_id[NODE_ID_SIZE];
    char                 *dir, *site_id, *site_name, *site_url, *hostname, *address;
    uint8_t               seal_key[32];
    bool                  enrolled, closing;
    int                   lock;
    /* documents in force */
    struct verifier      *verifier;             /* what is signed now */
    struct fleet         *fleet;
    struct scan          *scan;
    struct holding       *holding;
    struct collection   **collections;
    size_t                collection_count;
    struct deployment   **deployments;
    size_t                deployment_count;
    json_t               *facts, *acknowledged; /* acknowledged: {"target": seq} of what was loaded */
    struct scan_result   *result;               /* of the last scan, NULL before */
    struct job           *jobs;
    struct install_run   *install;
    struct job           *installing;
    bool                  scanning, scan_again, repair;
    int64_t               scanned_at;
    /* refresh */
    bool                  polling;
    int64_t               last_poll, next_poll, poll_wait_ms;
    int64_t               poll_deadline_ms;     /* of the refresh that runs; monotonic */
    char                  poll_error[300];
    size_t                target_at;
    int                   target_pass;
    bool                  target_changed;
    /* report */
    bool                  posting;
    int64_t               post_at, post_wait_ms;
    uv_timer_t            timer;
    int64_t               schedule_at;          /* monotonic ms: decide again then */
    char                  status[200];
    int                   open;
    void                (*closed)(void *);
    void                 *closed_ctx;
};

int64_t client_now(struct client *);            /* wall seconds, never behind the highest ever seen */
void    client_hold(struct client *);
void    client_release(struct client *);

/* enrol_self.c */
enum err enrol_recall(struct client *, struct error *);            /* from the store; enrolled tells */
void     enrol_begin(struct client *);
/* refresh.c */
void     refresh_begin(struct client *);
void     refresh_recall(struct client *);       /* the policy in force out of the store, at start */
void     documents_end(struct client *);
/* schedule.c */
void     schedule_soon(struct client *);        /* decide again at the next turn */
void     schedule_run(struct client *);
void     scan_begin(struct client *);
struct node_rules client_rules(const struct client *);             /* what holds whatever the update */
/* job.c */
struct job *job_find(struct client *, const char *update);
void     job_step(struct client *, struct job *);                   /* the state machine, one step */
void     job_free(struct job *);
const char *job_word(enum job_state);
/* report.c: topic messages; each only when it says something new. */
void     report_put(struct client *, json_t *message /* taken */);
void     report_job(struct client *, struct job *);
void     report_change(struct client *, const char *topic, json_t *body /* taken */);   /* compared with the last of that topic */
void     report_post(struct client *);

#endif
