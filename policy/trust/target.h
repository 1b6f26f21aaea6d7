/* The targets the delegated roles speak for, and their bytes. Struct and names: verifier.h. */
#ifndef FERRY_POLICY_TRUST_TARGET_H
#define FERRY_POLICY_TRUST_TARGET_H

#include "policy/trust/delegation.h"

#define TARGETS_MOST 20000                      /* in one policy */

/* The targets of role number at, out of its body. What a role before it owns, or nobody gave it, is not seen: the search of TUF 5.6.7 would
 * end elsewhere. What is its own and malformed refuses the role. out may be NULL (to check only), else it has room for all members of
 * "targets". */
enum err targets_read(const struct delegation *all, size_t at, const json_t *body, struct verifier_target *out, size_t *count,
                      struct error *e);
/* All of them, in order of name. roles[i] belongs to all[i]; an empty role has none. Caller frees *out, which is set only on OK. */
enum err targets_list(const struct delegation *all, const struct role *roles, size_t role_count, struct verifier_target **out,
                      size_t *count, struct error *e);

#endif
