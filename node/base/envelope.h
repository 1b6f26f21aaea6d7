/* Status on its way up: messages packed as JSON, compressed (zstd), signed once with the node's ed25519 key, sealed once for the site
 * (crypto_box_seal). A relay can carry it, neither read nor forge it. design.md section 5.
 *   sealed( public key 32 | signature 64 over (audience | 0 | packed) | packed )          112 bytes are paid per envelope (64 + 48), plus
 * the key. */
#ifndef FERRY_NODE_BASE_ENVELOPE_H
#define FERRY_NODE_BASE_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "policy/trust/key.h"

#define ENVELOPE_LIMIT  (4u << 20)              /* sealed */
#define ENVELOPE_UNPACKED (16u << 20)

/* Caller frees *out. */
enum err envelope_seal(const struct key *node, const uint8_t seal_key[32], const char *audience, const char *json, size_t length,
                       uint8_t **out, size_t *out_length, struct error *);
/* seal_public/seal_secret: the site's X25519 pair. On OK: *json malloc'd, NUL-terminated; node: who signed. ERR_VERIFY otherwise. */
enum err envelope_open(const uint8_t seal_public[32], const uint8_t seal_secret[32], const char *audience, const uint8_t *bytes,
                       size_t size, uint8_t node[32], char **json, size_t *length, struct error *);

#endif
