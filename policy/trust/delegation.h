/* Who may sign which path: the delegations of targets.json within Ferry's profile (trust.md section 1): depth 1, terminating, one delegator per role,
 * paths exact or "prefix/" and a star. And the targets a delegated role really speaks for. */
#ifndef FERRY_POLICY_TRUST_DELEGATION_H
#define FERRY_POLICY_TRUST_DELEGATION_H

#include "policy/trust/role.h"
#include "policy/trust/verifier.h"

#define DELEGATIONS 64

struct delegation {
    char          name[VERIFIER_ROLE + 1];
    struct signer signer;
    const json_t *paths;                        /* borrowed from the targets role */
};

/* From the body of targets.json. out has room for DELEGATIONS. */
enum err delegations_read(const json_t *targets, struct delegation *out, size_t *count, struct error *e);
bool     delegation_allows(const struct delegation *, const char *target);

/* The targets of role number at, out of its body. What another role before it owns, or nobody gave it, is not seen: the search of TUF 5.6.7 would
 * end elsewhere. What is its own and malformed refuses the role. out may be NULL (to check only), else it has room for all members of "targets". */
enum err delegation_targets(const struct delegation *all, size_t at, const json_t *body, struct verifier_target *out, size_t *count, struct error *e);

#endif
