/* One signed TUF role file: parsed with limits, verified against keys and a threshold. TUF 4.1-4.7, 5.2-5.6. Keys are counted, not
 * signatures. */
#ifndef FERRY_POLICY_TRUST_ROLE_H
#define FERRY_POLICY_TRUST_ROLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "policy/trust/profile.h"
#include "policy/trust/scheme.h"

#define SIGNER_KEYS   32
#define ROLE_NAME     80                        /* percent-encoded it has to be a file name */
#define ROLE_FILE     (3 * ROLE_NAME + 32)      /* "9223372036854775806.NAME.json" */

/* Who may sign a role and how many of them have to. Borrows from the file that says so: valid as long as that lives. */
struct signer {
    struct {
        const char       *id;
        struct public_key key;
    } keys[SIGNER_KEYS];
    size_t  count, distinct;                    /* one key may bear several ids (general profile): it counts once */
    int64_t threshold;
};

struct role {
    json_t *envelope;                           /* the whole file */
    json_t *body;                               /* "signed"; borrowed from envelope */
    int64_t version, expires;
};

/* keys: {"keyid": key}; role: {"keyids": [...], "threshold": n}. Unknown key types are skipped, thresholds below 1 are refused. Ferry's
 * profile refuses besides: a keyid that is not its key's hash, a key named twice, a threshold above the keys. */
enum err signer_read(enum profile, const json_t *keys, const json_t *role, const char *name, struct signer *out, struct error *e);
/* type: "root", "timestamp", "snapshot", "targets" (delegated roles are "targets" too). Checks limit, JSON, _type, spec_version 1.x,
 * version ≥ 1, expires. */
enum err role_read(const char *bytes, size_t length, size_t limit, const char *type, struct role *out, struct error *e);
enum err role_verify(const struct role *, const struct signer *, const char *name, struct error *e);
enum err role_count(const struct role *, const struct signer *, const char *name, int64_t *good, struct error *e);    /* distinct keys */
void     role_end(struct role *);
/* Names of delegated roles, none of the four. Ferry's: [a-z0-9-]{1,64}; in the general profile anything of 1 to ROLE_NAME bytes. */
bool     role_name_ok(const char *name);
bool     role_name_fits(enum profile, const char *name);
/* Bytes a file of this role may have. Ferry's: root 64 KiB, timestamp 4 KiB, snapshot 256 KiB, targets and delegated roles 512 KiB. */
size_t   role_limit(enum profile, const char *name);
/* "12.tills.json", or "tills.json" for version 0. Names are percent-encoded: what they say is never a path. */
void     role_file(const char *name, int64_t version, char out[ROLE_FILE]);
/* text with everything but letters, digits and -._~ (and / when slashes) as %XX. Caller frees. */
char    *percent_encode(const char *text, bool slashes);

#endif
