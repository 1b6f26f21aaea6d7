/* What the files of the site role share. Inside node/site only. Loop thread. */
#ifndef FERRY_NODE_SITE_INSIDE_H
#define FERRY_NODE_SITE_INSIDE_H

#include <uv.h>

#include "node/config.h"
#include "node/io/server.h"
#include "node/io/web.h"
#include "node/site/jobs.h"
#include "node/site/site.h"
#include "node/site/site_identity.h"
#include "policy/authoring/rollout.h"

/* A request over the network that closing the site ends. */
struct asking {
    struct asking      *next, **self;
    struct web_request *request;
};

/* What happens by itself (clockwork.c). Moments are wall seconds, compared at each tick: the clock may jump, the machine may sleep. */
struct clockwork {
    uv_timer_t timer;
    int64_t    refresh_at, download_at, publish_at, rules_at, phases_at, alerts_at, sync_at, sync_retry, tidy_at;
    int64_t    rested;                          /* phases are not judged again before; monotonic ms, of itself only */
    bool       downloading, running;            /* its own download; its own run of a rule */
    bool       sync_started;                    /* the sync that runs was begun by the schedule */
};

struct run;
struct child;
struct site {
    uv_loop_t           *loop;
    const struct config *config;
    struct web          *web;
    struct server       *public;
    struct ledger       *ledger;
    struct repository   *repository;
    char                *dir, *content_dir, *policy_dir, *id, *name;
    uint8_t              seal_public[32], seal_secret[32];
    struct site_identity identity;
    int                  lock;
    struct clockwork     clockwork;
    bool                 check_content;         /* inventories or groups changed */
    bool                 news;                  /* status came in, or a command changed something: phases are to be judged */
    bool                 unpublished;           /* the ledger is ahead of the policy: publishing failed */
    int                  syncing;
    struct run          *runs;                  /* assemble.c */
    struct child        *teller;                /* the program that is being told of an alert */
    struct jobs         *jobs;
    struct route        *routes;
    size_t               route_count;
    char                 status[160];
    bool                 closing;
    struct asking       *asking;
    uint64_t             temporary;             /* numbers private files: two works never share one */
    int                  open;                  /* handles and works that still have to end */
    void               (*closed)(void *ctx);
    void                *closed_ctx;
};

struct author site_author(struct site *, const char *who);
enum err      site_publish(struct site *, struct error *);
/* For a worker thread: a connection of its own, ledger_close()d by the caller. */
enum err      site_author_apart(const struct site *, struct author *out, struct error *);
void          site_ask(struct site *, struct asking *, const struct web_call *);
void          site_answered(struct asking *);
char         *site_temporary(struct site *);    /* a path in the content directory nobody else has; caller frees */
void          site_hold(struct site *);         /* one more thing that has to end before closed */
void          site_release(struct site *);

/* api.c, public.c */
void site_make_routes(struct site *);
extern const struct route public_routes[];
extern const size_t       public_route_count;
/* What an enrolled node has signed and sealed for this site, in the body. */
enum err site_open_sealed(struct site *, struct exchange *, size_t limit, uint8_t public[32], char node_id[NODE_ID_SIZE], json_t **out,
                          struct error *);
/* admit.c: the one gate of the public listener. ctx: the site. */
enum err site_admit(void *ctx, const struct route *, const uint8_t *der, size_t size, char identity[SERVER_IDENTITY], struct error *);
/* enrol.c */
void enrol_on_ask(void *ctx, struct exchange *);
void enrol_on_certificate(void *ctx, struct exchange *);
/* sync.c, library.c: start the work, which tells the job how it goes. */
void sync_start(struct site *, struct job_work *, const json_t *names);
/* done may be NULL. group NULL: every deployed group. */
void download_start(struct site *, struct job_work *, const char *group, void (*done)(struct site *, enum err));
/* The same as a part of something larger: the job goes on, nothing is published; then always comes, later. */
void download_part(struct site *, struct job_work *, const char *group, void (*then)(void *ctx, enum err, const struct error *), void *ctx);
/* assemble.c: a run of a rule; `ferry deploy`. done may be NULL. who: for the audit log, copied. */
void assemble_rule(struct site *, struct job_work *, const char *rule, const struct rule_due *, const char *who,
                   void (*done)(struct site *, enum err));
void assemble_deploy(struct site *, struct job_work *, const json_t *args, const char *who);
/* tell.c: the next alert that the administrator's program has not been told of, one at a time. */
void tell_alerts(struct site *);
/* clockwork.c */
void clockwork_start(struct site *);
void clockwork_synced(struct site *, enum err, bool news);         /* a sync has ended; news: it brought something new */

#endif
