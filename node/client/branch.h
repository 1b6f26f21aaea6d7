/* The branch as this node sees it: the swarm's session on the loop, and the configured neighbours. libtorrent's thread rings an uv_async_t,
 * no more; at most 64 events are handled a turn, so that the loop stays everybody's. Loop thread only. */
#ifndef FERRY_NODE_CLIENT_BRANCH_H
#define FERRY_NODE_CLIENT_BRANCH_H

#include <uv.h>

#include "dht/swarm.h"
#include "node/config.h"

struct branch;

struct branch_options {
    uv_loop_t           *loop;
    const struct config *config;
    bool                 ssl;                   /* a branch of certificates: branch_identify has to be called */
    void               (*on_event)(void *ctx, const struct swarm_event *);
    void                *ctx;
};
enum err branch_open(const struct branch_options *, struct branch **out, struct error *);
/* Blocks at most 2 s for libtorrent; closed comes later from the loop. */
void     branch_close(struct branch *, void (*closed)(void *ctx), void *ctx);

void          branch_identify(struct branch *, const char *key_pem, const char *certificate_pem);    /* swarm.h; at every renewal */
void          branch_block(struct branch *, const char *const *addresses);                          /* swarm.h; cheap to repeat */
struct swarm *branch_swarm(struct branch *);
const char   *branch_self(const struct branch *);                   /* this node's swarm address: its name in rendezvous */
void          branch_wire(struct branch *, const struct sha256 *);  /* every configured neighbour, for this content; cheap to repeat */
void          branch_hurry(struct branch *, bool hurry);            /* cheap to repeat */
void          branch_ring(struct branch *);                         /* look at the events in the next turn of the loop */

#endif
