/* Many short texts that live and die together: tens of thousands of packages cost one allocation per 256 KiB. Not thread-safe. */
#ifndef FERRY_POLICY_CATALOG_POOL_H
#define FERRY_POLICY_CATALOG_POOL_H

#include <stddef.h>

struct text_pool;
struct text_pool *pool_new(void);
void              pool_free(struct text_pool *);                                /* NULL is fine */
const char       *pool_copy(struct text_pool *, const char *bytes, size_t length);
/* Equal texts are stored once: for architectures, sections, sources, versions. */
const char       *pool_word(struct text_pool *, const char *bytes, size_t length);
/* NUL-terminated, at most `length` bytes, fit for JSON: control characters and what is not UTF-8 become '?'. Line ends stay. */
const char       *pool_clean(struct text_pool *, const char *bytes, size_t length);

#endif
