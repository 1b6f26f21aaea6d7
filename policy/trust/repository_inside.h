/* What the files of the site's half share: the repository itself (repository.c), publishing (edition.c), its keys and roots (ceremony.c). */
#ifndef FERRY_POLICY_TRUST_REPOSITORY_INSIDE_H
#define FERRY_POLICY_TRUST_REPOSITORY_INSIDE_H

#include "policy/trust/key.h"
#include "policy/trust/repository.h"
#include "policy/trust/trust_root.h"

#define HOUR           3600
#define DAY            86400
#define LIFE_ROOT      (365 * DAY)
#define LIFE_TIMESTAMP (2 * DAY)
#define LIFE_SNAPSHOT  (7 * DAY)
#define LIFE_TARGETS   (90 * DAY)
#define TIMESTAMP_AGE  (6 * HOUR)               /* then it is signed again */

/* The keys that are online from the first day; each collection has one of its own besides. */
enum online { TIMESTAMP, SNAPSHOT, TARGETS, ONLINE };
extern const char *const online_names[ONLINE];

/* A key and the one that is to replace it: both sign from the moment the new root is accepted until it is published. */
struct online_key {
    struct key key, next;
    bool       here, waits;
};

struct repository {
    char             *dir;
    struct online_key keys[ONLINE];
    bool              switching;                /* the new root is accepted: keys that wait sign as well */
    struct role       root;                     /* the newest */
    json_t           *timestamp, *snapshot, *targets;       /* bodies in force; NULL before the first publish */
    bool              unsigned_by[ONLINE];      /* what is in force lacks a signature that is due */
    json_t           *roles;                    /* {"tills": body of V.tills.json}, as the snapshot in force names them */
};

/* repository.c */
char    *key_path(const struct repository *, const char *name);     /* DIR/keys/NAME.key; caller frees */
enum err key_make(const char *path, struct key *out, struct error *);
enum err load_root(struct repository *, struct error *);
/* Reads the keys; one that waited and is the root's by now takes its place. lost: those that are missing are no error. */
enum err load_keys(struct repository *, bool lost, struct error *);
/* What timestamp.json names is in force; whatever else lies there was never announced. */
enum err load_in_force(struct repository *, struct error *);
size_t   signing_keys(const struct repository *, enum online, struct key out[2]);
void     add_role(json_t *root, const char *role, const struct key *keys, size_t count, int64_t threshold);
const json_t *root_keyids(const struct role *root, const char *role);

/* edition.c */
/* The documents as they are, with every signature that is due. */
enum err publish_again(struct repository *, int64_t now, struct error *);

#endif
