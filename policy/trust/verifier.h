/* The client's half of TUF as consume/produce code (specification 5.0-5.7). No sockets, no clock, no files:
 *     verifier_new(profile, store callbacks, …)     loads what is trusted; the pinned root is the store's "root" (put there at enrolment)
 *     while (verifier_next(v, &want) == VERIFIER_WANT)
 *         fetch want.path (at most want.limit bytes) and say verifier_give(v, bytes, n) or verifier_absent(v)   (404)
 *     VERIFIER_DONE → the targets; VERIFIER_FAILED → the error tells
 * Order of files: (N+1).root.json until absent, timestamp.json, V.snapshot.json, V.targets.json. Ferry's profile (trust.md section 1) goes on
 * with V.ROLE.json of every delegated role and lists their targets; the general one stops there, and then searches the delegations for one
 * target at a time: verifier_find, and the same loop again. Each role is stored the moment it is verified, never before. */
#ifndef FERRY_POLICY_TRUST_VERIFIER_H
#define FERRY_POLICY_TRUST_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "policy/trust/profile.h"

#define VERIFIER_ROLE 64
#define VERIFIER_PATH 280

/* Durable per-role storage, by role name ("root", "timestamp", …; names of others' delegated roles may hold anything, slashes too). get:
 * *out is malloc'd, NULL when absent. put: durable on return, and the roles that drop names (ended by NULL; NULL: none) are gone in the same
 * transaction. */
struct verifier_store {
    void    *ctx;
    enum err (*get)(void *ctx, const char *role, char **out, size_t *length, struct error *);
    enum err (*put)(void *ctx, const char *role, const char *bytes, size_t length, const char *const *drop, struct error *);
};

enum verifier_verdict {
    VERIFIER_WANT,                              /* fetch it, then give or absent                                 */
    VERIFIER_DONE,                              /* everything is fresh and verified                              */
    VERIFIER_UNCHANGED,                         /* the timestamp is the one we had: nothing else was asked for   */
    VERIFIER_FAILED                             /* the error says why; what was stored before stays in force     */
};

struct verifier_want {
    char   path[VERIFIER_PATH];                 /* relative to the metadata URL: "2.root.json" */
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
/* now: seconds since 1970, never behind what the caller has been vouched for. Fails when the store's root is absent or bad. */
enum err verifier_new(enum profile, const struct verifier_store *, int64_t now, struct verifier **out, struct error *);
void     verifier_free(struct verifier *);
enum verifier_verdict verifier_next(struct verifier *, struct verifier_want *out);
void     verifier_give(struct verifier *, const char *bytes, size_t length);
void     verifier_absent(struct verifier *);
const struct error *verifier_error(const struct verifier *);     /* after FAILED */
/* Timestamps up to this version were found to have expired once, and stay so whatever now is. */
void     verifier_stale(struct verifier *, int64_t version);
/* After FAILED: something well signed had expired. timestamp: the version of the timestamp that had, 0: another role. */
bool     verifier_expired(const struct verifier *, int64_t *timestamp);
/* Ferry's profile, after DONE (or loaded from the store by verifier_recall, for a restart without network). Index 0 … count-1, in order of name. */
enum err verifier_recall(struct verifier *, struct error *);     /* only from the store; expiry is reported in expired, not an error */
size_t   verifier_target_count(const struct verifier *);
const struct verifier_target *verifier_target(const struct verifier *, size_t index);
/* Target bytes against what was announced: length and SHA-256; then JSON members seq and audience. ERR_VERIFY. */
enum err verifier_check_target(const struct verifier_target *, const char *audience, const char *bytes, size_t length, struct error *);
int64_t  verifier_timestamp_version(const struct verifier *);
int64_t  verifier_expires(const struct verifier *);              /* of the timestamp in force */
/* General profile, after DONE or UNCHANGED: searches the delegations for one target; go on with verifier_next until it says so again. */
void     verifier_find(struct verifier *, const char *target);
/* Where the target that was searched for lies below the targets URL, and its length; caller frees path. ERR_NOT_FOUND: nobody who may speaks
 * for it. Then its bytes against length and hashes. */
enum err verifier_found(const struct verifier *, char **path, uint64_t *length, struct error *);
enum err verifier_check_found(const struct verifier *, const char *bytes, size_t length, struct error *);

#endif
