/* Who carries which piece: highest random weight over (content, piece, member). Everybody who knows the same members answers the same;
 * a member that leaves moves only its own pieces. Pure; no state. Members are named by their swarm address ("127.1.0.2:6881"). */
#ifndef FERRY_DHT_RENDEZVOUS_H
#define FERRY_DHT_RENDEZVOUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/* Index of the member that carries the piece; count ≥ 1. */
size_t   rendezvous_owner(const struct sha256 *content, uint32_t piece, const char *const *members, size_t count);
/* This member's own walking order over n pieces: a permutation keyed by (content, member). order has n entries. */
void     rendezvous_walk(const struct sha256 *content, const char *member, uint32_t n, uint32_t *order);

#endif
