/* One archive snapshot as it lies in the cache: which file is which index. Taken on the loop thread (the cache's), read on any. */
#ifndef FERRY_NODE_CLIENT_SNAPSHOT_H
#define FERRY_NODE_CLIENT_SNAPSHOT_H

#include "node/store/cache.h"
#include "policy/catalog/apt.h"

struct snapshot_index {
    char         *path;                         /* below dists/SUITE/ */
    char         *file;                         /* on this disk */
    struct sha256 sha256;
    uint64_t      size;
};
struct snapshot {
    char  *name, *uri, *suite, *arch, **components;
    struct snapshot_index *indexes;             /* InRelease first */
    size_t count;
};

/* ERR_NOT_FOUND when an index is not whole in the cache; the error names it. */
enum err snapshot_take(struct cache *, const struct archive *, struct snapshot *out, struct error *);
void     snapshot_end(struct snapshot *);
/* Reads InRelease and the Packages of every component, each checked against its hash and against InRelease; sorted. keep as in struct
 * package_set. */
enum err snapshot_packages(const struct snapshot *, bool (*keep)(void *ctx, const char *name), void *ctx, struct package_set *out,
                           struct error *);

#endif
