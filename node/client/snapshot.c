#include "node/client/snapshot.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define INDEX_LIMIT (512u << 20)

enum err snapshot_take(struct cache *cache, const struct archive *a, struct snapshot *out, struct error *e)
{
    struct snapshot s = {.name = must_copy(a->name), .uri = must_copy(a->uri), .suite = must_copy(a->suite), .arch = must_copy(a->arch),
                         .components = words_copy(a->components), .indexes = must_alloc(a->index_count * sizeof(*s.indexes))};
    enum err        r = a->index_count ? OK : fail(e, ERR_NOT_FOUND, "archive %s has no index files", a->name);

    for (size_t i = 0; i < a->index_count && r == OK; i++) {
        const struct archive_index *from = &a->indexes[i];
        char                        file[PATH_MAX], hex[SHA256_HEX];

        if (!cache_has(cache, &from->sha256, from->size))
            r = fail(e, ERR_NOT_FOUND, "archive %s: its index %s (%s) is not in the cache", a->name, from->path,
                     sha256_hex(&from->sha256, hex));
        else if (!apt_path_ok(from->path))
            r = fail(e, ERR_VERIFY, "archive %s: \"%s\" is no path below the archive", a->name, from->path);
        if (r != OK)
            break;
        cache_path(cache, &from->sha256, file, sizeof(file));
        s.indexes[s.count++] = (struct snapshot_index){must_copy(from->path), must_copy(file), from->sha256, from->size};
    }
    if (r == OK)
        *out = s;
    else
        snapshot_end(&s);
    return r;
}

void snapshot_end(struct snapshot *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->indexes[i].path);
        free(s->indexes[i].file);
    }
    free(s->indexes);
    free(s->name);
    free(s->uri);
    free(s->suite);
    free(s->arch);
    words_free(s->components);
    memset(s, 0, sizeof(*s));
}

static enum err read_index(const struct snapshot *s, const struct snapshot_index *x, char **bytes, size_t *length, struct error *e)
{
    enum err      r = file_read(x->file, INDEX_LIMIT, bytes, length, e);
    struct sha256 h;

    if (r != OK)
        return r;
    h = hash_bytes(*bytes, *length);
    if (sha256_same(&h, &x->sha256))
        return OK;
    free(*bytes);
    return fail(e, ERR_VERIFY, "archive %s: %s in the cache is not what its name says", s->name, x->path);
}

/* The best form of the component's Packages among the indexes that came along. */
static const struct snapshot_index *packages_of(const struct snapshot *s, const char *component)
{
    static const char *const kinds[] = {".xz", ".gz", ""};

    if (strncmp(component, "updates/", 8) == 0)     /* as Debian's security archive calls them; its paths do not */
        component += 8;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        char *AUTO(text_free) path = must_print("%s/binary-%s/Packages%s", component, s->arch, kinds[k]);

        for (size_t i = 0; i < s->count; i++)
            if (strcmp(s->indexes[i].path, path) == 0)
                return &s->indexes[i];
    }
    return NULL;
}

static enum err add_component(const struct snapshot *s, const struct release *release, const char *component, struct package_set *set,
                              struct error *e)
{
    const struct snapshot_index *x = packages_of(s, component);
    const struct release_entry  *entry = x ? release_find(release, x->path) : NULL;
    char                        *bytes;
    size_t                       length;
    enum err                     r;

    if (!x)
        return fail(e, ERR_VERIFY, "archive %s carries no Packages of component %s for %s", s->name, component, s->arch);
    if (!entry || !sha256_same(&entry->sha256, &x->sha256))
        return fail(e, ERR_VERIFY, "archive %s: InRelease does not name this %s", s->name, x->path);
    r = read_index(s, x, &bytes, &length, e);
    if (r != OK)
        return r;
    r = package_set_add(set, bytes, length, e);
    free(bytes);
    return r;
}

enum err snapshot_packages(const struct snapshot *s, bool (*keep)(void *ctx, const char *name), void *ctx, struct package_set *out,
                           struct error *e)
{
    struct package_set set = {.keep = keep, .keep_ctx = ctx};
    struct release     release = {0};
    char              *bytes;
    size_t             length;
    enum err           r = read_index(s, &s->indexes[0], &bytes, &length, e);

    if (r != OK)
        return r;
    r = release_read(bytes, length, &release, e);
    free(bytes);
    if (r != OK)
        return r;
    set.catalog = must_copy(s->name);
    set.uri = must_copy(s->uri);
    set.origin = must_copy(release.origin);
    set.label = must_copy(release.label);
    set.codename = must_copy(release.codename);
    set.date = release.date;
    for (size_t i = 0; s->components && s->components[i] && r == OK; i++)
        r = add_component(s, &release, s->components[i], &set, e);
    release_end(&release);
    if (r == OK) {
        package_set_sort(&set);
        *out = set;
    } else {
        package_set_end(&set);
    }
    return r;
}
