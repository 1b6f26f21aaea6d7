/* Keys and signatures (libsodium). TUF 1.0 section 4.2: keytype "ed25519", scheme "ed25519", keyid = sha256 of the canonical key object. */
#ifndef FERRY_POLICY_TRUST_KEY_H
#define FERRY_POLICY_TRUST_KEY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

#define KEY_SIGNATURE 64

struct key {                                    /* the private half */
    uint8_t seed[32];
    uint8_t public[32];
};

enum err key_generate(struct key *);
/* Private key files: PEM PKCS#8 ed25519, 0600, made with O_EXCL; refused when others may read them. */
enum err key_save(const char *path, const struct key *, struct error *);
enum err key_load(const char *path, struct key *, struct error *);
enum err key_from_pem(const char *text, struct key *, struct error *);      /* what such a file holds */
char    *key_to_pem(const struct key *);        /* … the caller wipes it, then frees it */
void     key_end(struct key *);                 /* wipes */
void     key_sign(const struct key *, const void *bytes, size_t size, uint8_t out[KEY_SIGNATURE]);
bool     key_verify(const uint8_t public[32], const void *bytes, size_t size, const uint8_t signature[KEY_SIGNATURE]);
json_t  *key_to_json(const uint8_t public[32]); /* {"keytype","keyval":{"public":hex},"scheme"} */
void     key_id(const uint8_t public[32], char out[SHA256_HEX]);
/* Node id: "n" + the first 24 hex digits of sha256(public key). */
#define NODE_ID_SIZE 26
void     key_node_id(const uint8_t public[32], char out[NODE_ID_SIZE]);

#endif
