/* The node's half of TUF as consume/produce code (specification 5.0-5.7, profile: trust.md section 1). No sockets, no clock, no files:
 *
 *     verifier_new(store callbacks, …)          loads what is trusted; the pinned root is the store's "root.json" (put there at enrolment)
 *     while (verifier_next(v, &want) == VERIFIER_WANT)
 *         fetch want.path (at most want.limit bytes) and say verifier_give(v, bytes, n) or verifier_absent(v)   (404)
 *     VERIFIER_DONE → verifier_targets…; VERIFIER_FAILED → the error tells
 *
 * Order of files: (N+1).root.json until absent, timestamp.json, V.snapshot.json, V.targets.json, then V.ROLE.json for every delegated role,
 * then the wanted targets. Each role is stored the moment it is verified, never before. */
#ifndef FERRY_POLICY_TRUST_VERIFIER_H
#define FERRY_POLICY_TRUST_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

#define VERIFIER_ROLE 64

/* Durable per-role storage, by role name ("root", "timestamp", …). get: *out is malloc'd, NULL when absent. put: durable on return. */
struct verifier_store {
    void    *ctx;
    enum err (*get)(void *ctx, const char *role, char **out, size_t *length, struct error *);
    enum err (*put)(void *ctx, const char *role, const char *bytes, size_t length, struct error *);
    enum err (*drop)(void *ctx, const char *role, struct error *);
};

enum verifier_verdict {
    VERIFIER_WANT,                              /* fetch it, then give or absent                                 */
    VERIFIER_DONE,                              /* everything is fresh and verified                              */
    VERIFIER_UNCHANGED,                         /* the timestamp is the one we had: nothing else was asked for   */
    VERIFIER_FAILED                             /* the error says why; what was stored before stays in force     */
};

struct verifier_want {
    char   path[256];                           /* relative to the metadata URL: "2.root.json" */
    size_t limit;                               /* bytes; more is refused (ERR_VERIFY) by the fetcher */
};

struct verifier_target {                        /* one target of one delegated role, verified */
    char          name[200];                    /* "policy/tills/october.json" */
    char          role[VERIFIER_ROLE + 1];
    struct sha256 sha256;
    uint64_t      length;
    int64_t       seq;                          /* custom.seq */
    char          url_path[300];                /* "policy/tills/HASH.october.json", relative to the targets URL */
};

struct verifier;
/* now: seconds since 1970, already max(clock, highest ever trusted). Fails when the store's root is absent or bad. */
enum err verifier_new(const struct verifier_store *, int64_t now, struct verifier **out, struct error *);
void     verifier_free(struct verifier *);
enum verifier_verdict verifier_next(struct verifier *, struct verifier_want *out);
void     verifier_give(struct verifier *, const char *bytes, size_t length);
void     verifier_absent(struct verifier *);
const struct error *verifier_error(const struct verifier *);     /* after FAILED */

/* After DONE (or loaded from the store by verifier_recall, for a restart without network). Index 0 … count-1, in order of name. */
enum err verifier_recall(struct verifier *, struct error *);     /* only from the store; expiry is reported in expired, not an error */
size_t   verifier_target_count(const struct verifier *);
const struct verifier_target *verifier_target(const struct verifier *, size_t index);
/* Target bytes against what was announced: length and SHA-256; then JSON members seq and audience. ERR_VERIFY. */
enum err verifier_check_target(const struct verifier_target *, const char *audience, const char *bytes, size_t length, struct error *);
int64_t  verifier_timestamp_version(const struct verifier *);
int64_t  verifier_expires(const struct verifier *);              /* of the timestamp in force */

#endif
