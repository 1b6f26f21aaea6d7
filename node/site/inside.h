/* What the files of the site role share. Inside node/site only. Loop thread. */
#ifndef FERRY_NODE_SITE_INSIDE_H
#define FERRY_NODE_SITE_INSIDE_H

#include <uv.h>

#include "node/config.h"
#include "node/io/server.h"
#include "node/io/web.h"
#include "node/site/jobs.h"
#include "node/site/site.h"
#include "policy/authoring/author.h"

/* A request over the network that closing the site ends. */
struct asking {
    struct asking      *next, **self;
    struct web_request *request;
};

struct site {
    uv_loop_t           *loop;
    const struct config *config;
    struct web          *web;
    struct server       *public;
    struct ledger       *ledger;
    struct repository   *repository;
    char                *dir, *content_dir, *policy_dir, *id, *name;
    uint8_t              seal_public[32], seal_secret[32];
    int                  lock;
    uv_timer_t           clock;                 /* clockwork.c */
    int64_t              refresh_at;
    bool                 downloading;           /* the clockwork's own download runs */
    int64_t              download_after;        /* not again before; monotonic ms */
    bool                 check_content;         /* inventories or groups changed */
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
/* sync.c, library.c: start the work, which tells the job how it goes. */
void sync_start(struct site *, struct job_work *, const json_t *names);
/* done may be NULL. group NULL: every deployed group. */
void download_start(struct site *, struct job_work *, const char *group, void (*done)(struct site *, enum err));
/* clockwork.c */
void clockwork_start(struct site *);

#endif
