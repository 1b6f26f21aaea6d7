/* The root: who may sign the four top-level roles. TUF 4.3, 5.3. */
#ifndef FERRY_POLICY_TRUST_TRUST_ROOT_H
#define FERRY_POLICY_TRUST_TRUST_ROOT_H

#include "policy/trust/role.h"

/* A root that says who signs the four roles, and its own quorum's signatures. Ferry's profile: consistent snapshots, and no role whose
 * threshold its known keys cannot reach. */
enum err root_read(enum profile, const char *bytes, size_t length, struct role *out, struct error *e);
enum err root_signer(enum profile, const struct role *root, const char *role, struct signer *out, struct error *e);
enum err root_check(enum profile, const struct role *, const struct role *root, const char *role, struct error *e);  /* signed as root wants */
/* 5.3.4, 5.3.5: now's quorum signed next as well (next's own did: root_read), and it is one more. */
enum err root_follows(enum profile, const struct role *now, const struct role *next, struct error *e);
/* Other keys for this role than before: 5.3.11. A changed threshold alone is no rotation. */
bool     root_rotates(enum profile, const struct role *now, const struct role *next, const char *role);
bool     root_consistent(const struct role *);

#endif
