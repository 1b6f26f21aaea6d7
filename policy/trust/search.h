/* The search for one target through the delegations, TUF 5.6.7: pre-order, depth first; a role is looked into once, so cycles end; a
 * terminating delegation that matches is the last of what would still have been tried. Consume/produce: the verifier brings the roles.
 *
 *     search_new(target, body of targets.json)
 *     while (!search_next(s, &delegator, …) && delegator) verify and load that role, then search_into(s, its body)
 *     search_line(s): what was found, NULL when nothing was */
#ifndef FERRY_POLICY_TRUST_SEARCH_H
#define FERRY_POLICY_TRUST_SEARCH_H

#include "policy/trust/delegation.h"

#define SEARCH_ROLES 64                         /* looked into for one target */

struct search;

/* Bodies are borrowed until the search is freed. */
struct search *search_new(const char *target, const json_t *targets);
void           search_free(struct search *);
/* The next role to look into: its line among the delegations of *delegator, which is NULL when the search has ended. Both are good until
 * search_into. ERR_VERIFY when it would be one more than SEARCH_ROLES. */
enum err       search_next(struct search *, const json_t **delegator, const json_t **role, struct error *e);
void           search_into(struct search *, const char *role, const json_t *body);

/* {"length", "hashes", …} of the target, and what it is called. */
const json_t  *search_line(const struct search *);
const char    *search_target(const struct search *);
/* Below the targets URL, percent-encoded: "dir/HASH.name", "dir/name" without consistent snapshots. ERR_VERIFY when the line lacks a hash of
 * a kind we know, or its length. Caller frees. */
enum err       search_path(const struct search *, bool consistent, char **out, uint64_t *length, struct error *e);

#endif
