/* The site's keys and its next root. A collection's key is replaced at once, by targets.json. The keys of the four top-level roles are
 * replaced by a new root, which is prepared here, signed elsewhere (todo.h), and accepted here:
 *     repository_rotate → ROLE.next.key waits, the todo goes to the holders → repository_accept
 * Accepting signs everything the new root demands with the old and the new keys, then publishes the root, then lets go of the old keys; a
 * crash anywhere leaves either the old root and its keys, or the new one, and the next opening finishes it. */
#ifndef FERRY_POLICY_TRUST_CEREMONY_H
#define FERRY_POLICY_TRUST_CEREMONY_H

#include "policy/trust/repository.h"
#include "policy/trust/todo.h"

/* [{"role", "keyid", "where", "expires", "waiting"}]; where: the file of the private half, or "offline". */
enum err repository_keys(struct repository *, json_t **out, struct error *);
/* role: "timestamp", "snapshot", "targets"; "online": all three and every collection's; "delegate-NAME". key NULL: a new one is made; else
 * that one is taken. todo: the next root, or NULL when it is done without one; caller decrefs. */
enum err repository_rotate(struct repository *, const char *role, const struct key *, int64_t now, json_t **todo, struct error *);
/* A root key: old (its id, or the beginning of it; NULL: none leaves) is replaced by public (NULL: none comes). Both NULL: the same root for
 * another year. The threshold stays. */
enum err repository_renew(struct repository *, const char *old, const uint8_t *public, int64_t now, json_t **todo, struct error *);
/* ERR_CONDITION when signatures are missing, ERR_VERIFY when it is not the successor of the root in force. */
enum err repository_accept(struct repository *, const json_t *todo, int64_t now, struct error *);
int64_t  repository_root_expires(const struct repository *);

#endif
