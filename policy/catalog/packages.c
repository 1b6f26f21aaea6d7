/* Packages: an archive's list of binary packages, unpacked and read as a stream; what is kept lies in one text pool. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/catalog/apt.h"
#include "policy/catalog/deb822.h"
#include "policy/catalog/pool.h"
#include "policy/catalog/unpack.h"
#include "policy/catalog/version.h"

#define UNPACKED_LIMIT (512u << 20)
#define STANZA_LIMIT   (256u << 10)
#define STANZAS        400000
#define FIRST_ROOM     64

struct adding {
    struct package_set *set;
    size_t              stanzas;
};

/* What is kept of a stanza. WORD: few different values, stored once. FREE: text for people or lists, made fit for JSON. */
enum kind { WORD, FREE };
static const struct {
    const char *field;
    size_t      at, limit;
    enum kind   kind;
    bool        required;
} kept[] = {
#define AT(member) offsetof(struct package, member)
    {"Package", AT(name), 128, WORD, true},
    {"Version", AT(version), 128, WORD, true},
    {"Architecture", AT(arch), 32, WORD, true},
    {"Filename", AT(filename), 1024, FREE, true},
    {"Depends", AT(depends), STANZA_LIMIT, FREE, false},
    {"Pre-Depends", AT(pre_depends), STANZA_LIMIT, FREE, false},
    {"Provides", AT(provides), STANZA_LIMIT, FREE, false},
    {"Breaks", AT(breaks), STANZA_LIMIT, FREE, false},
    {"Priority", AT(priority), 64, WORD, false},
    {"Section", AT(section), 64, WORD, false},
    {"Description", AT(description), 4096, FREE, false},
    {"Urgency", AT(urgency), 32, WORD, false},
    {"X-CVE", AT(cves), 4096, FREE, false},
    {"CVE", AT(cves), 4096, FREE, false},
#undef AT
};

/* What dpkg accepts in names and versions, so that they fit on its command line and in our ids. A name begins with a letter or digit. */
static bool only(const char *text, const char *more)
{
    if (!isalnum((unsigned char)*text))
        return false;
    for (; *text; text++)
        if ((unsigned char)*text > 126 || (!isalnum((unsigned char)*text) && !strchr(more, *text)))
            return false;
    return true;
}

static enum err keep_fields(struct text_pool *pool, struct package *p, const struct deb822_stanza *s, struct error *e)
{
    for (size_t i = 0; i < COUNT(kept); i++) {
        const char *value = deb822_get(s, kept[i].field);
        size_t      length = value ? strlen(value) : 0;
        const char *copy;

        if (kept[i].required && !length)
            return fail(e, ERR_VERIFY, "the stanza in line %zu has no %s", s->line, kept[i].field);
        if (kept[i].required && length > kept[i].limit)
            return fail(e, ERR_VERIFY, "the stanza in line %zu has a %s over %zu bytes", s->line, kept[i].field, kept[i].limit);
        if (!length || (kept[i].kind == WORD && !kept[i].required && !only(value, "+-._/")))
            continue;
        length = length > kept[i].limit ? kept[i].limit : length;
        copy = kept[i].kind == WORD ? pool_word(pool, value, length) : pool_clean(pool, value, length);
        memcpy((char *)p + kept[i].at, &copy, sizeof(copy));
    }
    return OK;
}

/* "Source: name" or "Source: name (version)"; without the field, the package's own name; without a version, the package's own. */
static enum err keep_source(struct text_pool *pool, struct package *p, const struct deb822_stanza *s, struct error *e)
{
    const char *value = deb822_get(s, "Source");
    size_t      name = value ? strcspn(value, " \t(") : 0, skip, version;

    p->source = p->name;
    p->source_version = p->version;
    if (!name)
        return OK;
    skip = name + strspn(value + name, " \t");
    version = value[skip] == '(' ? strcspn(value + skip + 1, ") \t") : 0;
    if (name > 128 || version > 128)
        return fail(e, ERR_VERIFY, "the stanza in line %zu has a Source over 128 bytes", s->line);
    p->source = pool_word(pool, value, name);
    if (version)
        p->source_version = pool_word(pool, value + skip + 1, version);
    if (!only(p->source, "+-._") || !only(p->source_version, "+-.~:_"))
        return fail(e, ERR_VERIFY, "the stanza in line %zu has a Source that is no name and version", s->line);
    return OK;
}

static enum err check(struct package *p, const struct deb822_stanza *s, struct error *e)
{
    const char *size = deb822_get(s, "Size"), *sum = deb822_get(s, "SHA256");
    char       *end = NULL;

    if (!only(p->name, "+-._") || !only(p->version, "+-.~:_") || !only(p->arch, "-"))
        return fail(e, ERR_VERIFY, "the stanza in line %zu: \"%s\" \"%s\" \"%s\" is no package name, version and architecture", s->line,
                    p->name, p->version, p->arch);
    if (!apt_path_ok(p->filename))
        return fail(e, ERR_VERIFY, "%s %s: Filename \"%.200s\" is no path below the archive", p->name, p->version, p->filename);
    p->size = size ? strtoull(size, &end, 10) : 0;
    if (!size || !isdigit((unsigned char)*size) || *end || p->size > INT64_MAX)
        return fail(e, ERR_VERIFY, "%s %s has no Size", p->name, p->version);
    if (!sum || !sha256_read(sum, &p->sha256))
        return fail(e, ERR_VERIFY, "%s %s has no SHA256; older sums are not accepted", p->name, p->version);
    return OK;
}

static bool kept_out(const struct package_set *set, const struct deb822_stanza *s)
{
    const char *name = set->keep ? deb822_get(s, "Package") : NULL;

    return name && !set->keep(set->keep_ctx, name);
}

static enum err on_stanza(void *ctx, const struct deb822_stanza *s, struct error *e)
{
    struct adding      *a = ctx;
    struct package_set *set = a->set;
    struct package      p = {.catalog = set->catalog};
    enum err            r;

    if (++a->stanzas > STANZAS || set->count >= STANZAS)
        return fail(e, ERR_VERIFY, "over %d packages", STANZAS);
    if (kept_out(set, s))
        return OK;
    if ((r = keep_fields(set->pool, &p, s, e)) != OK || (r = check(&p, s, e)) != OK || (r = keep_source(set->pool, &p, s, e)) != OK)
        return r;
    if (set->count == 0 || (set->count >= FIRST_ROOM && (set->count & (set->count - 1)) == 0))
        set->packages = must_grow(set->packages, set->count ? set->count * 2 : FIRST_ROOM, sizeof(p));
    set->packages[set->count++] = p;
    return OK;
}

static enum err feed(void *ctx, const char *bytes, size_t length, struct error *e)
{
    return deb822_feed(ctx, bytes, length, e);
}

/* What an earlier file added stays when this one is refused. */
enum err package_set_add(struct package_set *set, const char *bytes, size_t length, struct error *e)
{
    struct adding  a = {.set = set};
    struct deb822 *d = deb822_new(STANZA_LIMIT, on_stanza, &a);
    size_t         before = set->count;
    enum err       r;

    if (!set->pool)
        set->pool = pool_new();
    r = unpack(bytes, length, UNPACKED_LIMIT, feed, d, e);
    if (r == OK)
        r = deb822_finish(d, e);
    if (r != OK)
        set->count = before;
    deb822_free(d);
    return r;
}

static int by_name(const void *a, const void *b)
{
    const struct package *x = a, *y = b;
    int                   order = strcmp(x->name, y->name);

    if (!order)
        order = version_compare(y->version, x->version);
    if (!order)
        order = strcmp(x->arch, y->arch);
    return order ? order : memcmp(&x->sha256, &y->sha256, sizeof(x->sha256));
}

/* One package may be listed by several components; the same name, version and architecture stays once. */
void package_set_sort(struct package_set *set)
{
    size_t n = 0;

    if (!set->count)
        return;
    qsort(set->packages, set->count, sizeof(*set->packages), by_name);
    for (size_t i = 0; i < set->count; i++) {
        struct package *p = &set->packages[i], *last = n ? &set->packages[n - 1] : NULL;

        p->catalog = set->catalog;
        if (!last || strcmp(last->name, p->name) != 0 || strcmp(last->version, p->version) != 0 || strcmp(last->arch, p->arch) != 0)
            set->packages[n++] = *p;
    }
    set->count = n;
}

void package_set_end(struct package_set *set)
{
    pool_free(set->pool);
    free(set->packages);
    free(set->catalog);
    free(set->origin);
    free(set->label);
    free(set->codename);
    free(set->uri);
    memset(set, 0, sizeof(*set));
}

size_t package_set_find(const struct package_set *set, const char *name, size_t *first)
{
    size_t low = 0, high = set->count, n = 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(set->packages[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + n < set->count && strcmp(set->packages[low + n].name, name) == 0)
        n++;
    *first = low;
    return n;
}
