#include "node/client/copies.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

enum err copies_add(struct copies *c, struct cache *cache, const struct sha256 *sha256, uint64_t size, char *to, mode_t mode,
                    struct error *e)
{
    char from[PATH_MAX], hex[SHA256_HEX];

    if (!cache_has(cache, sha256, size)) {
        free(to);
        return fail(e, ERR_NOT_FOUND, "content %s is not in the cache", sha256_hex(sha256, hex));
    }
    cache_path(cache, sha256, from, sizeof(from));
    c->items = must_grow(c->items, c->count + 1, sizeof(*c->items));
    c->items[c->count++] = (struct copy){must_copy(from), to, *sha256, size, mode};
    return OK;
}

enum err copies_add_files(struct copies *c, struct cache *cache, const struct update *u, const char *dir, const char *program,
                          struct error *e)
{
    enum err r = OK;

    for (size_t i = 0; i < u->file_count && r == OK; i++) {
        const struct update_file *f = &u->files[i];
        bool                      runs = program && strcmp(program, f->name) == 0;

        if (!*f->name || strchr(f->name, '/') || strcmp(f->name, ".") == 0 || strcmp(f->name, "..") == 0)
            return fail(e, ERR_VERIFY, "%s: \"%s\" is no name of a file in a directory", u->id, f->name);
        r = copies_add(c, cache, &f->sha256, f->size, must_print("%s/%s", dir, f->name), runs ? 0700 : 0600, e);
    }
    return r;
}

static enum err make(const struct copy *c, struct error *e)
{
    char *AUTO(text_free) dir = must_copy(c->to);
    struct sha256 got;
    uint64_t      size;
    enum err      r;

    *strrchr(dir, '/') = '\0';
    if ((r = file_make_dirs(dir, 0700, e)) != OK || (r = file_copy(c->from, c->to, c->mode, e)) != OK ||
        (r = hash_file(c->to, &got, &size, e)) != OK)
        return r;
    if (size != c->size || !sha256_same(&got, &c->sha256)) {
        char hex[SHA256_HEX];

        return fail(e, ERR_VERIFY, "%s is not content %s: it was altered in the cache", strrchr(c->to, '/') + 1,
                    sha256_hex(&c->sha256, hex));
    }
    return OK;
}

enum err copies_make(const struct copies *c, struct error *e)
{
    enum err r = OK;

    for (size_t i = 0; i < c->count && r == OK; i++)
        r = make(&c->items[i], e);
    return r;
}

void copies_end(struct copies *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->items[i].from);
        free(c->items[i].to);
    }
    free(c->items);
    memset(c, 0, sizeof(*c));
}
