/* Content on disk: the row in the store says that it was verified, and which file it was then. */
#include "node/store/cache.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"
#include "node/store/sql.h"

#define YOUNG 86400                             /* never evicted before: the reference page's minimum duration */

struct cache {
    struct store *store;
    char         *content, *partial;
    void        (*evicted)(void *ctx, const struct sha256 *);
    void         *evicted_ctx;
};

enum err cache_open(const char *dir, struct store *store, struct cache **out, struct error *e)
{
    struct cache *c = must_alloc(sizeof *c);
    enum err      code;

    c->store = store;
    c->content = must_print("%s/content", dir);
    c->partial = must_print("%s/partial", dir);
    code = file_make_dirs(c->content, 0755, e);
    code = code ? code : file_make_dirs(c->partial, 0700, e);
    if (code)
        cache_close(c);
    else
        *out = c;
    return code;
}

void cache_close(struct cache *c)
{
    if (!c)
        return;
    free(c->content);
    free(c->partial);
    free(c);
}

struct store *cache_store(const struct cache *c)
{
    return c->store;
}

const char *cache_partial_dir(const struct cache *c)
{
    return c->partial;
}

const char *cache_content_dir(const struct cache *c)
{
    return c->content;
}

void cache_path(const struct cache *c, const struct sha256 *name, char *out, size_t size)
{
    char hex[SHA256_HEX];

    snprintf(out, size, "%s/%s", c->content, sha256_hex(name, hex));
}

bool cache_has(struct cache *c, const struct sha256 *name, uint64_t size)
{
    sqlite3_stmt     *q = store_sql(c->store, SQL_CONTENT);
    struct file_print then = {0}, now;
    char              path[4096];
    bool              known;

    sqlite3_bind_blob(q, 1, name->b, SHA256_SIZE, SQLITE_STATIC);
    known = sqlite3_step(q) == SQLITE_ROW;
    if (known) {
        then.size = (uint64_t)sqlite3_column_int64(q, 0);
        then.inode = (uint64_t)sqlite3_column_int64(q, 1);
        then.mtime_ns = sqlite3_column_int64(q, 2);
        then.ctime_ns = sqlite3_column_int64(q, 3);
    }
    sqlite3_reset(q);
    cache_path(c, name, path, sizeof path);
    return known && then.size == size && !file_print_of(path, &now, NULL) && file_print_same(&then, &now);
}

enum err cache_keep(struct cache *c, const struct sha256 *name, struct error *e)
{
    sqlite3_stmt     *q = store_sql(c->store, SQL_CONTENT_PUT);
    struct file_print print;
    char              path[4096];
    enum err          code;

    cache_path(c, name, path, sizeof path);
    code = file_print_of(path, &print, e);
    if (code)
        return code;
    sqlite3_bind_blob(q, 1, name->b, SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)print.size);
    sqlite3_bind_int64(q, 3, (sqlite3_int64)print.inode);
    sqlite3_bind_int64(q, 4, print.mtime_ns);
    sqlite3_bind_int64(q, 5, print.ctime_ns);
    sqlite3_bind_int64(q, 6, clock_now());
    return store_run(c->store, q, e);
}

void cache_forget(struct cache *c, const struct sha256 *name)
{
    sqlite3_stmt *q = store_sql(c->store, SQL_CONTENT_DROP);
    char          path[4096];

    sqlite3_bind_blob(q, 1, name->b, SHA256_SIZE, SQLITE_STATIC);
    store_run(c->store, q, NULL);
    cache_path(c, name, path, sizeof path);
    unlink(path);
}

void cache_touch(struct cache *c, const struct sha256 *name, int64_t now)
{
    sqlite3_stmt *q = store_sql(c->store, SQL_CONTENT_TOUCH);

    sqlite3_bind_blob(q, 1, name->b, SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, now);
    store_run(c->store, q, NULL);
}

void cache_each(struct cache *c, void (*each)(void *ctx, const struct sha256 *, uint64_t size, int64_t referenced), void *ctx)
{
    sqlite3_stmt *q = store_sql(c->store, SQL_CONTENT_ALL);
    struct sha256 name;

    while (sqlite3_step(q) == SQLITE_ROW) {
        if (sqlite3_column_bytes(q, 0) != SHA256_SIZE)
            continue;
        memcpy(name.b, sqlite3_column_blob(q, 0), SHA256_SIZE);
        each(ctx, &name, (uint64_t)sqlite3_column_int64(q, 1), sqlite3_column_int64(q, 2));
    }
    sqlite3_reset(q);
}

uint64_t cache_used(struct cache *c, size_t *count)
{
    sqlite3_stmt *q = store_sql(c->store, SQL_CONTENT_USED);
    uint64_t      used = 0;

    if (sqlite3_step(q) == SQLITE_ROW) {
        used = (uint64_t)sqlite3_column_int64(q, 0);
        if (count)
            *count = (size_t)sqlite3_column_int64(q, 1);
    }
    sqlite3_reset(q);
    return used;
}

void cache_on_evicted(struct cache *c, void (*evicted)(void *ctx, const struct sha256 *), void *ctx)
{
    c->evicted = evicted;
    c->evicted_ctx = ctx;
}

struct eviction {
    struct sha256 *names;
    size_t         count;
    uint64_t       freed, wanted;
    int64_t        now;
    uint64_t       idle;                        /* bytes nobody needs */
    bool         (*needed)(void *ctx, const struct sha256 *);
    void          *ctx;
};

static bool is_needed(const struct eviction *v, const struct sha256 *name)
{
    return v->needed && v->needed(v->ctx, name);
}

/* Also what lies less than that ahead of a clock that was corrected. What lies further ahead was dated by a wrong one: it would be young for
 * years. */
static bool is_young(const struct eviction *v, int64_t referenced)
{
    return v->now - referenced < YOUNG && referenced - v->now < YOUNG;
}

static void consider(void *ctx, const struct sha256 *name, uint64_t size, int64_t referenced)
{
    struct eviction *v = ctx;

    if (v->freed >= v->wanted || is_young(v, referenced) || is_needed(v, name))
        return;
    v->names = must_grow(v->names, v->count + 1, sizeof *v->names);
    v->names[v->count++] = *name;
    v->freed += size;
}

static void evict(struct cache *c, struct eviction *v)
{
    cache_each(c, consider, v);
    for (size_t i = 0; i < v->count; i++) {
        if (c->evicted)
            c->evicted(c->evicted_ctx, &v->names[i]);
        cache_forget(c, &v->names[i]);
    }
    free(v->names);
}

enum err cache_room(struct cache *c, uint64_t bytes, int64_t now, bool (*needed)(void *ctx, const struct sha256 *), void *ctx,
                    struct error *e)
{
    uint64_t        room = file_room(c->partial), wanted = bytes + (64u << 20);
    struct eviction v = {.now = now, .needed = needed, .ctx = ctx};

    if (room >= wanted)
        return OK;
    v.wanted = wanted - room;
    evict(c, &v);
    if (file_room(c->partial) < bytes)
        return fail(e, ERR_FULL, "no room for %" PRIu64 " bytes: %" PRIu64 " are free and nothing more may be evicted", bytes,
                    file_room(c->partial));
    return OK;
}

static void weigh(void *ctx, const struct sha256 *name, uint64_t size, int64_t referenced)
{
    struct eviction *v = ctx;

    (void)referenced;
    v->idle += is_needed(v, name) ? 0 : size;
}

void cache_trim(struct cache *c, uint64_t most, int64_t now, bool (*needed)(void *ctx, const struct sha256 *), void *ctx)
{
    struct eviction v = {.now = now, .needed = needed, .ctx = ctx};

    cache_each(c, weigh, &v);
    if (v.idle <= most)
        return;
    v.wanted = v.idle - most;
    evict(c, &v);
}
