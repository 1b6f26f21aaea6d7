/* What the verifier's files share: the walk (verifier.c), what must hold of each file (verifier_check.c), what comes of it
 * (verifier_outcome.c). */
#ifndef FERRY_POLICY_TRUST_VERIFIER_INSIDE_H
#define FERRY_POLICY_TRUST_VERIFIER_INSIDE_H

#include "policy/trust/trust_root.h"
#include "policy/trust/search.h"
#include "policy/trust/target.h"

/* In the order of the specification, 5.3 to 5.6. The last three are entered by profile: Ferry's goes through DELEGATED, the general one from
 * END through SEARCH as often as a target is wanted. */
enum step { STEP_ROOT, STEP_TIMESTAMP, STEP_SNAPSHOT, STEP_TARGETS, STEP_DELEGATED, STEP_SEARCH, STEP_END, STEP_FAILED };

/* A delegated role that was verified: for the key of Ferry's delegation number i, or in the order of the search. */
struct loaded {
    char        name[ROLE_NAME + 1];
    struct role role;
};

struct verifier {
    enum profile            profile;
    struct verifier_store   store;
    int64_t                 now, stale;         /* stale: timestamps up to it have expired */
    bool                    expired;            /* what was looked at last has */
    int64_t                 expired_timestamp;
    enum step               step;
    int                     root_steps;
    bool                    same_timestamp;     /* as the stored one */
    bool                    asked;              /* for anything behind the timestamp */
    struct role             root, timestamp, snapshot, targets;
    struct delegation      *delegations;        /* Ferry's profile: those of targets.json */
    size_t                  delegation_count, at;
    struct loaded          *delegated;
    size_t                  delegated_count;
    struct verifier_target *list;
    size_t                  count;
    struct search          *search;
    struct error            error;
};

/* A snapshot, targets or delegated role that is to come: announced by the file before it. */
struct awaited {
    char               name[ROLE_NAME + 1];
    const char        *type;
    const struct role *announcer;
    struct signer      signer;
    int64_t            version;
};

/* verifier_check.c */
enum err check_fresh(struct verifier *, const struct role *, const char *name, struct error *);           /* 5.3.10, 5.4.4, 5.5.6, 5.6.5 */
enum err check_targets(const struct verifier *, const struct role *, struct error *);
enum err check_awaited(struct verifier *, const struct awaited *, const char *bytes, size_t length, struct role *out, struct error *);
enum err stored_bytes(const struct verifier *, const char *name, char **bytes, size_t *length, struct error *);
/* A role out of the store, verified again with who may sign it now. ERR_NOT_FOUND when absent. */
enum err stored_role(const struct verifier *, const char *name, const char *type, const struct signer *, struct role *out, struct error *);
enum err stored_top(const struct verifier *, const char *name, struct role *out, struct error *);

/* verifier.c */
struct role *add_delegated(struct verifier *, const char *name, const struct role *);
void         accept_targets(struct verifier *, const struct role *);

/* verifier_outcome.c */
enum err list_targets(struct verifier *, struct error *);

#endif
