/* The distribution-point role: pulls what the site assigned to this DP, verifies it, serves it over HTTP with ranges.
 * DIR/content/HEX[.torrent]: the same tree a stock nginx serves. Loop thread only. */
#ifndef FERRY_NODE_DP_DP_H
#define FERRY_NODE_DP_DP_H

#include <jansson.h>
#include <uv.h>

#include "node/config.h"
#include "node/io/web.h"
#include "policy/document/fleet.h"

struct dp_role;
enum err dp_open(uv_loop_t *, const struct config *, struct web *, void (*tell)(void *ctx, json_t *message), void *ctx,
                 struct dp_role **out, struct error *);
void     dp_close(struct dp_role *, void (*closed)(void *ctx), void *ctx);
/* What it has to hold from now: missing content is pulled (resumed by range after a stop), what is no longer named is removed after 24 h.
 * Copied. */
void     dp_holding(struct dp_role *, const struct fleet *, const struct holding *);
json_t  *dp_status(struct dp_role *);

#endif
