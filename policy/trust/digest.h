/* Hashes as signed files state them: {"sha256": hex, "sha512": hex, …}. */
#ifndef FERRY_POLICY_TRUST_DIGEST_H
#define FERRY_POLICY_TRUST_DIGEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Every hash of a kind we know is right, and there is one. Others' are no evidence either way. */
bool        digest_matches(const json_t *hashes, const void *bytes, size_t length);
/* The hash that names a file of a consistent snapshot; NULL when none is of a kind we know. */
const char *digest_name(const json_t *hashes);

#endif
