/* The client role: polls and verifies policy, decides, fetches, installs, reports. Loop thread only. Read job.c first. */
#ifndef FERRY_NODE_CLIENT_CLIENT_H
#define FERRY_NODE_CLIENT_CLIENT_H

#include <jansson.h>
#include <uv.h>

#include "node/config.h"
#include "node/io/server.h"
#include "node/io/web.h"
#include "node/store/cache.h"
#include "policy/document/fleet.h"
#include "policy/trust/key.h"

struct client;

struct client_options {
    uv_loop_t           *loop;
    const struct config *config;
    struct web          *web;
    /* The DP role of the same process is told of the fleet and its holding, NULL when it has none, after each policy. Borrowed during the call. */
    void               (*on_holding)(void *ctx, const struct fleet *, const struct holding *);
    /* … and of who it is to others, whenever that changes. PEM; NULL: not known yet. Borrowed during the call. */
    void               (*on_identity)(void *ctx, const char *key, const char *certificate, const char *ca, const char *site_pin);
    void                *ctx;
    bool                 install;               /* false for a node that is only a DP: no scan, no deployments, but policy and status */
};
/* Opens the store, the key (made on first start) and the cache; enrols when it is not enrolled yet (config's token), else starts at once.
 */
enum err client_open(const struct client_options *, struct client **out, struct error *);
void     client_close(struct client *, void (*closed)(void *ctx), void *ctx);
void     client_reload(struct client *);        /* SIGHUP: poll now */
/* A status message from another role of this process (the DP's). Taken. */
void     client_tell(struct client *, json_t *message);
/* The node's part of the control API; ctx of the handlers is the client. */
extern const struct route client_routes[];
extern const size_t       client_route_count;
const char *client_status_line(struct client *);   /* for sd_notify STATUS= */

#endif
