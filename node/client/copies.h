/* Content copied out of the cache under names that programs want, and checked where it lies afterwards: what is checked is what is used. */
#ifndef FERRY_NODE_CLIENT_COPIES_H
#define FERRY_NODE_CLIENT_COPIES_H

#include <sys/types.h>

#include "node/store/cache.h"
#include "policy/document/update.h"

struct copy {
    char         *from, *to;
    struct sha256 sha256;
    uint64_t      size;
    mode_t        mode;
};
struct copies {
    struct copy *items;
    size_t       count;
};

/* Loop thread. `to` is taken. ERR_NOT_FOUND when the cache has not got it whole. */
enum err copies_add(struct copies *, struct cache *, const struct sha256 *, uint64_t size, char *to, mode_t mode, struct error *);
/* All files of an update below dir, by their base names; the one called `program` gets mode 0700. */
enum err copies_add_files(struct copies *, struct cache *, const struct update *, const char *dir, const char *program, struct error *);
/* Any thread. Makes directories (0700), copies, hashes the copy: ERR_VERIFY when it is not what it should be. */
enum err copies_make(const struct copies *, struct error *);
void     copies_end(struct copies *);

#endif
