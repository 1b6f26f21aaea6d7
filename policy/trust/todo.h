/* The next root while it is on its way between the holders of the root keys: files alone, on machines without a site.
 *     {"type": "ferry-root", "previous": the root in force, "next": the new one with the signatures it has so far} */
#ifndef FERRY_POLICY_TRUST_TODO_H
#define FERRY_POLICY_TRUST_TODO_H

#include "policy/trust/key.h"
#include "policy/trust/trust_root.h"

#define TODO_MOST (256u << 10)

/* How far it is: both quorums have to sign, the one of the root in force and the new one's own. */
struct todo_state {
    int64_t version;
    int64_t old_have, old_need, new_have, new_need;
    bool    ready;
};

json_t  *todo_make(const json_t *previous, const json_t *next_body);
/* Adds (or renews) this key's signature. ERR_DENIED: it is neither the old root's nor the new one's. */
enum err todo_sign(json_t *todo, const struct key *, struct todo_state *out, struct error *);
/* What it holds. next: whether or not it is ready; role_end it. */
enum err todo_read(const json_t *todo, struct role *previous, struct role *next, struct todo_state *out, struct error *);
/* For the holder, before he signs: one line for every role whose keys or threshold differ, and until when the new root is good. */
char    *todo_changes(const struct role *previous, const struct role *next);

#endif
