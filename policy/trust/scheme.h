/* Public keys as signed files name them (TUF 1.0 section 4.2) and the signatures made with them. Ferry's profile knows ed25519 only; the
 * general one also ecdsa on P-256 (DER signatures; PEM, or the bare point that early go-tuf wrote) and RSA, through libcrypto. */
#ifndef FERRY_POLICY_TRUST_SCHEME_H
#define FERRY_POLICY_TRUST_SCHEME_H

#include <jansson.h>
#include <stddef.h>

#include "base/hash.h"
#include "policy/trust/profile.h"

enum public_verdict {
    PUBLIC_GOOD,
    PUBLIC_UNKNOWN,                             /* a key type or scheme this profile does not know: normal during a rotation */
    PUBLIC_BROKEN                               /* a known type, but no key of it */
};

struct scheme;
struct public_key {
    const struct scheme *scheme;
    const json_t        *json;                  /* borrowed */
    struct sha256        print;                 /* the same for the same key, whatever it is called and however its PEM is laid out */
};

enum public_verdict public_read(enum profile, const json_t *key, struct public_key *out);
bool                public_verify(const struct public_key *, const void *bytes, size_t size, const char *hex_signature);

#endif
