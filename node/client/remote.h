/* The privileged installer at the other end of a Unix socket (node/install/order.h tells what is said): asked for one thing, lent what it wants
 * (policy and content, by descriptor), listened to until its verdict. What it refuses and why is its own business. Loop thread only. */
#ifndef FERRY_NODE_CLIENT_REMOTE_H
#define FERRY_NODE_CLIENT_REMOTE_H

#include <jansson.h>

#include "node/client/install.h"

struct remote;

struct remote_call {
    const char   *socket;
    json_t       *request;                      /* taken */
    struct cache *cache;                        /* what is lent from: its content, its store's policy */
    int64_t       silence_s;                    /* after which it is given up: INSTALL_RETRY */
    void        (*on_step)(void *ctx, const char *step);       /* may be NULL */
    /* Once, later, when nothing of it is open any more. wanted: what the installer lacked, and is to be fetched. */
    void        (*on_done)(void *ctx, const struct install_result *);
    void         *ctx;
};
/* RETRY: busy, or killed in the middle; ask again. FAILED without touched: it cannot be reached, or cannot begin. */
struct remote *remote_start(uv_loop_t *, const struct remote_call *);
void           remote_stop(struct remote *);    /* on_done comes with RETRY; what has begun to change the root goes on without us */

/* Every root by its version, as it comes: the installer walks them one by one. Part of the caller's transaction. */
enum err remote_keep_root(struct store *, const char *bytes, size_t length, struct error *);

#endif
