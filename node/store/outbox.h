/* Status messages that wait for the site's acknowledgement. A message is durable before anybody is told. Serial numbers rise by one,
 * without gaps, for the life of the store. Idempotent at the site by (node, serial). A fresh store begins at (seconds since 1970) << 20, so
 * that numbers still rise when a store was lost; the site takes a node's oldest waiting message as its beginning. design.md section 5. */
#ifndef FERRY_NODE_STORE_OUTBOX_H
#define FERRY_NODE_STORE_OUTBOX_H

#include <jansson.h>

#include "node/store/store.h"

/* body: members beyond serial and time ("topic", "subject", "state", "code", "detail" …), taken. */
enum err outbox_put(struct store *, int64_t now, json_t *body, int64_t *serial, struct error *);
/* Oldest first: a JSON array of at most `most` messages and about `bytes` of text; NULL when empty. first/last: serials. */
json_t  *outbox_batch(struct store *, size_t most, size_t bytes, int64_t *first, int64_t *last);
/* The site holds everything up to and including serial. */
enum err outbox_acknowledged(struct store *, int64_t serial, struct error *);
int64_t  outbox_waiting(struct store *);
int64_t  outbox_last(struct store *);            /* the highest serial number ever given */

#endif
