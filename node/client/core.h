/* What the files of the client role share. Inside node/client only. Loop thread. */
#ifndef FERRY_NODE_CLIENT_CORE_H
#define FERRY_NODE_CLIENT_CORE_H

#include "node/client/client.h"
#include "node/client/fetch.h"
#include "node/client/identity.h"
#include "node/client/install.h"
#include "node/client/inventory.h"
#include "node/client/notify_user.h"
#include "node/client/reboot.h"
#include "node/client/turn.h"
#include "node/client/vouched.h"
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
    X(WINDOW,     "waiting-window")   /* it is due, but the machine may not be changed now */ \
    X(TURN,       "waiting-turn")     /* … or others of its orchestration group are changed now */ \
    X(INSTALLING, "installing")       /* the installer runs                        */ \
    X(DETECTING,  "detecting")        /* it has ended; the scan decides            */ \
    X(RESTART,    "restart-pending")  /* a restart completes it                    */ \
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
    const struct deployment *deployment;        /* the leading one, or led below */
    struct deployment    led;                   /* a shallow copy of it with predownload, when another deployment has that */
    char                 led_id[80];            /* of the deployment the plan below was made for, and its seq */
    int64_t              led_seq;
    struct job_row       row;                   /* as it is in the store */
    enum job_state       state;
    enum update_state    found;                 /* by the last scan, and whether the package is held */
    bool                 held, interrupted;
    struct decision      decision;
    bool                 content_here, source_missing, fetch_failed, running, closure_missing;
    struct sha256       *planned;               /* contents the last plan asked for */
    size_t               planned_count;
    bool                 planned_once;
    struct sha256       *needed;                /* contents that are wanted of the fetcher for it */
    size_t               needed_count;
    unsigned             allowed;               /* as fetcher_want takes it */
    char                 step[40], fetch_why[200];
    struct client       *client;
    int64_t              retry_at;              /* monotonic ms: the installer was busy */
};

enum ask { ASK_IDLE, ASK_RUNNING /* the poll before an installation */, ASK_UNANSWERED /* … failed: the next decision goes by what is here */ };

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
    struct identity       identity;
    bool                  enrolled, closing;
    char                  pending[200];         /* the site's words while an administrator has to approve; "" */
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
    struct node_rules     rules;                /* rules.c */
    struct zone          *zone;
    struct scan_result   *result;               /* of the last scan, NULL before */
    struct job           *jobs;
    struct install_run   *install;
    struct remote        *told;                 /* the privileged installer looks at the new policy; NULL: it does not */
    struct job           *installing;
    bool                  scanning, scan_again, repair;
    int64_t               scanned_at, evaluated_at;     /* evaluated_at: durable; 0: not known yet */
    struct turn           turn;
    struct reboot         reboot;
    struct notifier       notifier;
    /* refresh */
    bool                  polling, poll_again;  /* poll_again: asked for while one was running */
    struct web_request   *poll_request;         /* what it waits for, NULL between */
    int64_t               last_poll, next_poll, poll_wait_ms;
    int64_t               poll_good_ms;         /* monotonic: when the last good one ended; 0: none yet */
    int64_t               poll_deadline_ms;     /* of the refresh that runs; monotonic */
    char                  poll_error[300];
    size_t                target_at;
    int                   target_pass;
    bool                  target_changed;
    enum ask              ask;
    int64_t               ask_until;            /* monotonic ms */
    /* report */
    bool                  posting;
    int64_t               post_at, post_wait_ms;
    uv_timer_t            timer;
    int64_t               schedule_at;          /* monotonic ms: decide again then */
    int64_t               wake_at;              /* … and when the wall clock shows this; INT64_MAX: no such moment */
    struct vouched        vouched;
    int64_t               drift, trimmed_at;    /* wall clock against the monotonic one, ms; when the cache was last trimmed, ms */
    char                  status[200];
    int                   open;
    void                (*closed)(void *);
    void                 *closed_ctx;
};

int64_t client_now(struct client *);            /* wall seconds, never behind what the site has vouched for (vouched.h) */
void    client_hold(struct client *);
void    client_release(struct client *);

/* enrol_self.c */
enum err enrol_recall(struct client *, struct error *);            /* from the store; enrolled tells */
void     enrol_begin(struct client *);
/* refresh.c */
void     refresh_begin(struct client *);
void     refresh_recall(struct client *);       /* the policy in force out of the store, at start */
void     documents_end(struct client *);
bool     refresh_fresh(struct client *);        /* the last good poll is less than a minute old */
void     refresh_stop(struct client *);         /* what runs ends now, as failed */
/* installer.c: what the privileged installer is asked besides installations; nothing where there is none */
void     installer_tell(struct client *);       /* the policy is new */
struct remote *installer_restart(struct client *, void (*on_done)(void *ctx, const struct install_result *));
/* rules.c: what holds for this node, whatever the update */
void     rules_open(struct client *);           /* zone, business hours; before there are documents */
void     rules_make(struct client *);           /* documents or facts have changed */
void     rules_end(struct client *);
enum err rules_hours(struct client *, const char *text, struct error *);   /* the user's business hours; durable */
/* schedule.c */
void     schedule_soon(struct client *);        /* decide again at the next turn */
void     schedule_run(struct client *);
void     schedule_wake(struct client *, int64_t at);                /* … and at this moment of the wall clock; 0: never mind */
void     scan_begin(struct client *);
/* situation.c: what the decisions look at */
void     situation_gather(struct client *);     /* which deployment leads each update */
void     situation_batch(struct client *);      /* what is installed early because a deadline has come */
struct situation situation_of(struct client *, struct job *);
/* content_need.c */
bool     need_here(struct client *, struct job *, bool *plan);      /* all of it is here; plan: only a plan tells what is missing */
void     need_drop(struct client *, struct job *);                  /* nobody fetches it for this job any more */
/* job.c */
struct job *job_find(struct client *, const char *update);
void     job_step(struct client *, struct job *);                   /* the state machine, one step; an installation is only decided */
void     job_install(struct client *, struct job *);                /* … and begun */
void     job_keep(struct client *, struct job *);                   /* its row, durable */
void     job_restarted(struct client *, struct job *);              /* the restart it waited for has happened */
void     job_free(struct job *);
const char *job_word(enum job_state);
/* report.c: topic messages; each only when it says something new. */
void     report_put(struct client *, json_t *message /* taken */);
void     report_job(struct client *, struct job *);
void     report_change(struct client *, const char *topic, json_t *body /* taken */);   /* compared with the last of that topic */
void     report_post(struct client *);
/* client_api.c, client_user.c: the control API */
struct job *client_find(struct client *, const char *name, struct error *);    /* by id or name; ERR_NOT_FOUND */
void     client_on_install(void *client, struct exchange *);
void     client_on_postpone(void *client, struct exchange *);
void     client_on_hours(void *client, struct exchange *);
void     client_on_hours_set(void *client, struct exchange *);
void     client_on_restart(void *client, struct exchange *);
/* sentence.c: for people, in the node's own time. Callers free. */
char    *sentence_time(struct client *, int64_t t);                 /* "fri 27 nov 22:00 CET" */
char    *sentence_window(const struct client *, int64_t t);         /* the windows that are open then, by name; NULL none */
char    *sentence_job(struct client *, struct job *);               /* what will happen, when, and why not now */
char    *sentence_decision(struct client *, struct job *, const struct decision *);     /* one gate */
char    *sentence_restart(struct client *);
int64_t  sentence_moment(struct client *, struct job *);            /* when it will be installed, as far as is known; 0 */

#endif
