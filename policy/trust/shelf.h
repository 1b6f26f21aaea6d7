/* The site's signed files on disk, as any HTTP server serves them: DIR/policy/metadata/V.ROLE.json and
 * DIR/policy/targets/policy/ROLE/HASH.NAME.json. Every file is whole or not there. Only repository.c, edition.c and
 * ceremony.c use this. */
#ifndef FERRY_POLICY_TRUST_SHELF_H
#define FERRY_POLICY_TRUST_SHELF_H

#include <jansson.h>

#include "base/error.h"
#include "policy/trust/key.h"

/* The head of every signed body, and what it says; 0 for NULL. */
json_t  *body_head(const char *type, int64_t version, int64_t expires);
int64_t  body_version(const json_t *);
int64_t  body_expires(const json_t *);
/* Signs body with all keys and writes it as file; what a node would refuse as too large is refused here (ERR_CONDITION).
 * announce: {"version", "length", "hashes"} for the file that names this one; caller json_decref's; may be NULL. */
enum err shelf_put(const char *dir, const char *file, const char *role, const json_t *body, const struct key *keys, size_t count,
                   json_t **announce, struct error *e);
enum err shelf_get(const char *dir, const char *file, json_t **body, struct error *e);
/* Every one of these keys has signed it. */
bool     shelf_signed(const char *dir, const char *file, const struct key *keys, size_t count);
/* Writes body, canonical, unless it is there. line: {"length", "hashes", "custom": {"seq", "audience"}} for its role. */
enum err shelf_put_target(const char *dir, const char *name, const json_t *body, char role[65], json_t **line, struct error *e);
/* Removes what the last three snapshots do not need, and what a crash left. Roots stay for ever. Best effort. */
void     shelf_sweep(const char *dir, const json_t *snapshot);

#endif
