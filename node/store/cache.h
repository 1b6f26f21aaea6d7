/* Content on disk, by name (its SHA-256). DIR/content/HEX whole and verified once; DIR/partial/HEX what is still coming. Whole content is
 * trusted while its size, mtime, ctime and inode are what they were when it was verified. Sizes in bytes. Loop thread only. */
#ifndef FERRY_NODE_STORE_CACHE_H
#define FERRY_NODE_STORE_CACHE_H

#include "node/store/store.h"

struct cache;

enum err cache_open(const char *dir, struct store *, struct cache **out, struct error *);
void     cache_close(struct cache *);
struct store *cache_store(const struct cache *);
const char *cache_partial_dir(const struct cache *);
const char *cache_content_dir(const struct cache *);
void     cache_path(const struct cache *, const struct sha256 *, char *out, size_t size);       /* DIR/content/HEX */
/* Whole, verified, untouched since. */
bool     cache_has(struct cache *, const struct sha256 *, uint64_t size);
/* DIR/content/HEX has just been verified and moved there: remember its print. */
enum err cache_keep(struct cache *, const struct sha256 *, struct error *);
void     cache_forget(struct cache *, const struct sha256 *);               /* and removes the file */
void     cache_touch(struct cache *, const struct sha256 *, int64_t now);   /* a reference, for eviction */
/* Makes room for `bytes`: oldest reference first, never younger than 24 h, never what needed() says is needed. */
enum err cache_room(struct cache *, uint64_t bytes, int64_t now, bool (*needed)(void *ctx, const struct sha256 *), void *ctx,
                    struct error *);
/* Keeps what is not needed within `most` bytes in the same order and with the same exceptions: updates ignore the limit while they are needed. */
void     cache_trim(struct cache *, uint64_t most, int64_t now, bool (*needed)(void *ctx, const struct sha256 *), void *ctx);
/* Called for whatever cache_room and cache_trim take away, before its file goes. */
void     cache_on_evicted(struct cache *, void (*evicted)(void *ctx, const struct sha256 *), void *ctx);
uint64_t cache_used(struct cache *, size_t *count);
void     cache_each(struct cache *, void (*each)(void *ctx, const struct sha256 *, uint64_t size, int64_t referenced), void *ctx);

#endif
