/* The door of a distribution point: a listener that speaks TLS with the node's own key, opened when the site has signed a certificate for it,
 * and who is let in: content goes to holders of a certificate of this site's CA that holds now and is not revoked, /healthz to everybody.
 * Inside node/dp. Loop thread only. */
#ifndef FERRY_NODE_DP_DOOR_H
#define FERRY_NODE_DP_DOOR_H

#include <uv.h>

#include "node/io/server.h"
#include "policy/document/fleet.h"

struct door;

struct door *door_new(uv_loop_t *, const char *listen, const char *content);        /* both borrowed; shut at first */
/* PEM, copied; certificate NULL: none yet. Opens the door, or shows the new certificate to whoever comes from now on. */
void         door_identity(struct door *, const char *key, const char *certificate, const char *ca);
void         door_fleet(struct door *, const struct fleet *);                       /* who is revoked; copied */
void         door_step(struct door *);          /* once a second: a door that could not be opened is tried again */
const char  *door_problem(const struct door *); /* why it is shut; "" when it is open */
/* Frees it; closed may be called from within. */
void         door_close(struct door *, void (*closed)(void *ctx), void *ctx);

/* What server.h calls admit; ctx is the door. */
enum err     door_admit(void *door, const struct route *, const uint8_t *der, size_t size, char identity[SERVER_IDENTITY], struct error *);

#endif
