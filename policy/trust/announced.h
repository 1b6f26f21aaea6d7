/* What a timestamp or a snapshot announces of other files: {"version", "length", "hashes"}. TUF 4.4, 4.6, 5.4-5.6. */
#ifndef FERRY_POLICY_TRUST_ANNOUNCED_H
#define FERRY_POLICY_TRUST_ANNOUNCED_H

#include "policy/trust/role.h"

/* Every line has a version from 1 up; in Ferry's profile length and sha256 as well. A timestamp announces the snapshot and nothing else. */
enum err announced_read(enum profile, const struct role *, bool timestamp, struct error *e);
int64_t  announced_version(const struct role *, const char *role);        /* 0: nowhere announced */
/* What to fetch of it at most: the announced length, or the role's limit. */
size_t   announced_limit(enum profile, const struct role *, const char *role);
enum err announced_check(const struct role *, const char *role, const char *bytes, size_t length, struct error *e);
/* No file of old has vanished from next or is announced there with a lower version: 5.4.3, 5.5.5. */
enum err announced_after(const struct role *next, const struct role *old, struct error *e);

#endif
