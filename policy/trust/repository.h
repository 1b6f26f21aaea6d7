/* The site's half of TUF: keys, signing, publishing static files atomically.
 *   DIR/keys/timestamp.key snapshot.key targets.key delegate-ROLE.key   online, 0600; ROLE.next.key waits for the root that names it
 *   OFFLINE/root-1.key root-2.key root-3.key                            to be carried away; threshold 2
 *   DIR/policy/metadata/{N.root,timestamp,V.snapshot,V.targets,V.ROLE}.json   DIR/policy/targets/policy/COLLECTION/HASH.NAME.json
 * Everything is written under its versioned name first; timestamp.json is replaced last: a crash anywhere leaves the old policy whole. */
#ifndef FERRY_POLICY_TRUST_REPOSITORY_H
#define FERRY_POLICY_TRUST_REPOSITORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

struct repository;

/* Makes keys, the first root (3 keys, threshold 2, one year) and empty roles. ERR_EXISTS when dir holds one. */
enum err repository_create(const char *dir, const char *offline, const char *site_id, int64_t now, struct error *);
enum err repository_open(const char *dir, struct repository **out, struct error *);
/* The same with whatever online keys are left: enough to prepare and accept the root that replaces the lost ones (ceremony.h). */
enum err repository_open_lost(const char *dir, struct repository **out, struct error *);
void     repository_close(struct repository *);

/* One target to publish: the body's JSON (with seq and audience inside). name: "policy/tills/october.json"; role = second part. */
struct publication {
    const char   *name;
    const json_t *body;
};
/* The whole policy as it shall be from now: roles that are new get a key and a delegation, roles that vanished keep an empty file (rollback
 * protection), unchanged roles keep their version. Nothing is written when nothing changed and no role expires within half its life.
 * changed may be NULL. */
enum err repository_publish(struct repository *, const struct publication *, size_t count, int64_t now, bool *changed, struct error *);
/* Signs the timestamp (and what else expires soon) again; for the running site. next: when to call again. */
enum err repository_refresh(struct repository *, int64_t now, int64_t *next, struct error *);
/* SHA-256 of the bytes of 1.root.json: what an enrolment token pins. */
enum err repository_root_hash(struct repository *, struct sha256 *out, struct error *);

#endif
