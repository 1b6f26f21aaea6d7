/* The distribution-point role: pulls what the site assigned to this DP, verifies it, serves it with ranges to this site's nodes, over TLS with
 * the node's own key (door.h). DIR/content/HEX[.torrent]: the same tree a stock nginx serves. Loop thread only. */
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
/* Who this node is (client.h, on_identity): before there is a certificate nothing is served. Copied. */
void     dp_identity(struct dp_role *, const char *key, const char *certificate, const char *ca, const char *site_pin);
/* What it has to hold from now: missing content is pulled (resumed by range after a stop), what is no longer named is removed after 24 h. Of
 * the fleet: where the site is, and who is revoked. Either may be NULL: that stays as it is. Copied. */
void     dp_holding(struct dp_role *, const struct fleet *, const struct holding *);
json_t  *dp_status(struct dp_role *);
const char *dp_status_line(struct dp_role *);   /* why nothing is served; NULL when all is well */

#endif
