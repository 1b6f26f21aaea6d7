/* SHA-256 (OpenSSL's libcrypto: the fastest here) and the name it gives to content. Any thread. */
#ifndef FERRY_BASE_HASH_H
#define FERRY_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SHA256_SIZE 32
#define SHA256_HEX  65                          /* 64 digits and the NUL */

struct sha256 {
    uint8_t b[SHA256_SIZE];
};

struct hash;                                    /* one running computation */
struct hash  *hash_new(void);
void          hash_add(struct hash *, const void *bytes, size_t size);
struct sha256 hash_free(struct hash *);         /* the digest; NULL gives zeros */

struct sha256 hash_bytes(const void *bytes, size_t size);
/* Reads the file to its end. size may be NULL. */
enum err      hash_file(const char *path, struct sha256 *out, uint64_t *size, struct error *);

bool  sha256_same(const struct sha256 *, const struct sha256 *);
bool  sha256_is_zero(const struct sha256 *);
char *sha256_hex(const struct sha256 *, char out[SHA256_HEX]);  /* returns out */
bool  sha256_read(const char *hex, struct sha256 *out);         /* exactly 64 lower-case digits */

#endif
