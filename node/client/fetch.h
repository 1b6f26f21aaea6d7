/* Content brought here from wherever it may come: one crossing of the WAN per branch. One fetch per content; several deployments may want
 * it. Pieces come from the branch's swarm; those this node carries (rendezvous over the connected neighbours) come over HTTP ranges and are
 * injected. A carrier that does not deliver is replaced by progress, not by a fixed timer; a node without neighbours fetches everything at
 * once. Loop thread only. Progress and sources are in the byte ledger (store.h) at every moment: size = http + peers + cache + origin when
 * complete. */
#ifndef FERRY_NODE_CLIENT_FETCH_H
#define FERRY_NODE_CLIENT_FETCH_H

#include <jansson.h>
#include <uv.h>

#include "node/config.h"
#include "node/io/web.h"
#include "node/store/cache.h"
#include "policy/decide/source.h"

struct branch;
struct fetcher;

struct fetcher_options {
    uv_loop_t           *loop;
    const struct config *config;
    struct web          *web;
    struct store        *store;
    struct cache        *cache;
    bool                 ssl;                   /* neighbours have certificates: branch_identify (fetcher_branch) says ours */
    /* Every event a person should know of: becomes a status message of topic "content" (design.md: PLAN of messages in report.h). Taken. */
    void               (*tell)(void *ctx, json_t *message);
    /* Something changed for this content (here, no source, failed): ask the decisions again. */
    void               (*changed)(void *ctx, const struct sha256 *);
    void                *ctx;
};
enum err fetcher_open(const struct fetcher_options *, struct fetcher **out, struct error *);
void     fetcher_close(struct fetcher *, void (*closed)(void *ctx), void *ctx);
struct branch *fetcher_branch(struct fetcher *);    /* to say who we are and who is retired; borrowed, until fetcher_close */

/* New policy: sources are ordered anew. Borrowed until the next call; fleet may be NULL (nothing known yet). */
void     fetcher_policy(struct fetcher *, const struct fleet *, const char *address);

/* Wants it; due orders several contents (earliest first), allowed is what source.h says, and FETCH_METERED: also while config says that the line
 * is metered. Repeating changes both. The content is copied. */
#define FETCH_METERED 0x100u
enum err fetcher_want(struct fetcher *, const struct content *, int64_t due, unsigned allowed, struct error *);
/* Nobody wants it any more: stops fetching; whole content goes on being served to neighbours. */
void     fetcher_unwant(struct fetcher *, const struct sha256 *);
/* Keeps what nobody wants within config's cache-max. */
void     fetcher_trim(struct fetcher *);
/* Serves whole content of the cache to neighbours (at start, for everything policy still names). */
void     fetcher_seed(struct fetcher *, const struct content *);

enum fetch_state {
    FETCH_NONE,
    FETCH_CHECKING,
    FETCH_RUNNING,
    FETCH_NO_SOURCE,
    FETCH_VERIFYING,
    FETCH_HERE,
    FETCH_FAILED /* disk full …; tried again */
};
struct fetch_progress {
    enum fetch_state state;
    uint64_t         size, have, from[BYTES_KINDS], waste, rate;
    int              peers;
    char             source[120];               /* of the last range, "" none */
    char             why[200];                  /* why no source, why failed */
};
enum fetch_state fetcher_state(struct fetcher *, const struct sha256 *, struct fetch_progress *out /* may be NULL */);

#endif
