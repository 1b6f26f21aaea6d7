/* One signed TUF role file: parsed with limits, verified against keys and a threshold. TUF 4.1-4.7, 5.2-5.6. Keys are counted, not
 * signatures. */
#ifndef FERRY_POLICY_TRUST_ROLE_H
#define FERRY_POLICY_TRUST_ROLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

#define SIGNER_KEYS 16

/* Who may sign a role: distinct keys and how many of them have to. */
struct signer {
    char    ids[SIGNER_KEYS][SHA256_HEX];
    uint8_t keys[SIGNER_KEYS][32];
    size_t  count;
    int64_t threshold;
};

struct role {
    json_t *envelope;                           /* the whole file */
    json_t *body;                               /* "signed"; borrowed from envelope */
    int64_t version, expires;
};

/* keys: {"keyid": key}; role: {"keyids": [...], "threshold": n}. Unknown key types are skipped, a keyid that is not its key's hash is
 * refused, thresholds below 1 or above the keys are refused. */
enum err signer_read(const json_t *keys, const json_t *role, const char *name, struct signer *out, struct error *e);
/* type: "root", "timestamp", "snapshot", "targets" (delegated roles are "targets" too). Checks limit, JSON, _type, spec_version 1.x,
 * version ≥ 1, expires. */
enum err role_read(const char *bytes, size_t length, size_t limit, const char *type, struct role *out, struct error *e);
enum err role_verify(const struct role *, const struct signer *, const char *name, struct error *e);
void     role_end(struct role *);
/* Names of delegated roles: [a-z0-9-]{1,64}, none of the four. */
bool     role_name_ok(const char *name);
/* Bytes a file of this role may have: root 64 KiB, timestamp 4 KiB, snapshot 256 KiB, targets and delegated roles 512 KiB. */
size_t   role_limit(const char *name);

/* A root: consistent snapshots, four roles that can be fulfilled, and its own quorum's signatures. */
enum err root_read(const char *bytes, size_t length, struct role *out, struct error *e);
enum err root_signer(const struct role *root, const char *role, struct signer *out, struct error *e);
enum err root_check(const struct role *, const struct role *root, const char *role, struct error *e);   /* signed as this root wants it */

/* What a timestamp or snapshot announces of another file: {"version", "length", "hashes": {"sha256"}}. Version 0: nothing. */
int64_t  announced_version(const struct role *, const char *role);
enum err announced_check(const struct role *, const char *role, const char *bytes, size_t length, struct error *e);

#endif
