/* Who may sign which path: the delegations of a targets role. TUF 4.5, 5.6.7. Ferry's profile (trust.md section 1): terminating, paths
 * exact or "prefix/" and a star, one role once. */
#ifndef FERRY_POLICY_TRUST_DELEGATION_H
#define FERRY_POLICY_TRUST_DELEGATION_H

#include "policy/trust/role.h"
#include "policy/trust/verifier.h"

#define DELEGATIONS 128                         /* collections of one site; the node asks for each */

struct delegation {
    const char   *name;                         /* all borrowed from the role that delegates */
    const json_t *role;
    struct signer signer;
};

/* From the body of a targets role, whole or not at all. out has room for DELEGATIONS; NULL checks only. */
enum err delegations_read(enum profile, const json_t *targets, struct delegation *out, size_t *count, struct error *e);
/* One of its lines alone, for roles that delegate to thousands; checked by delegations_read before. */
enum err delegation_read(enum profile, const json_t *targets, const json_t *role, struct delegation *out, struct error *e);
/* Succinct hash bins (TAP 15), which python-tuf writes in the place of "roles": the line of the bin this target belongs to. NULL when there
 * are none; caller decrefs. */
json_t  *delegation_bin(const json_t *targets, const char *target);
/* The line of a delegation (as in "roles") lets its role speak for this target. */
bool     delegation_allows(const json_t *role, const char *target);
/* Shell patterns: * and ? stand for anything but a slash; everything else for itself. */
bool     pattern_matches(const char *pattern, const char *path);

#endif
