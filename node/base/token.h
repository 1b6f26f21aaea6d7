/* What `ferry node token` printed: "ferry-" and base64url of id (8), secret (16) and SHA-256 of the site's first root (32). Whoever has the token
 * knows by it which root to believe. */
#ifndef FERRY_NODE_BASE_TOKEN_H
#define FERRY_NODE_BASE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_SIZE   56
#define TOKEN_SECRET 8                          /* where each begins */
#define TOKEN_ROOT   24

bool token_read(const char *text /* may be NULL */, uint8_t out[TOKEN_SIZE]);

#endif
