/* Who may sign which path: the delegations of targets.json within Ferry's profile (trust.md section 1): depth 1, terminating, one delegator
 * per role, paths exact or "prefix/" and a star. */
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

#endif
