/* Packages → updates: one per source package and version; its files are the binary packages (catalogs.md 0.3). */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/catalog/apt.h"
#include "policy/catalog/changelog.h"

#define ID_LIMIT   255
#define MAX_RUN_S  3600                         /* Configuration Manager's for cumulative updates */

/* Packages [first, first + count) of the order are one update. */
struct bunch {
    const struct package **members;
    size_t                 count;
    char                  *id;
};

static int by_source(const void *a, const void *b)
{
    const struct package *x = *(const struct package *const *)a, *y = *(const struct package *const *)b;
    int                   order = strcmp(x->source, y->source);

    if (!order)
        order = strcmp(x->source_version, y->source_version);
    if (!order)
        order = strcmp(x->name, y->name);
    return order ? order : (x > y) - (x < y);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct bunch *)a)->id, ((const struct bunch *)b)->id);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* A security archive says so: Label "…-Security" (Debian's is "Debian-Security"; a private archive may call itself "Acme-Security"), or a
 * codename that ends in "-security". The suite's name says nothing: it became "oldstable-security" when the next release came. */
static enum update_class class_of(const struct package_set *set)
{
    bool security = (set->label && ends_with(set->label, "-Security")) || (set->codename && ends_with(set->codename, "-security"));

    return security ? CLASS_SECURITY : CLASS_UPDATE;
}

/* "bookworm" out of "bookworm-security": the product is the release, whichever archive serves it. */
static char *product_of(const struct package_set *set)
{
    const char *codename = set->codename ? set->codename : "";
    size_t      n = strlen(codename);
    static const char *const tails[] = {"-security", "-updates"};

    for (size_t i = 0; i < COUNT(tails); i++)
        if (ends_with(codename, tails[i]))
            n -= strlen(tails[i]);
    return must_print("%s%s%.*s", set->origin ? set->origin : "", n ? " " : "", (int)n, codename);
}

/* The binary that bears the source's name speaks for it, else the first. */
static const struct package *speaker(const struct bunch *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->members[i]->name, b->members[i]->source) == 0)
            return b->members[i];
    return b->members[0];
}

/* "short line\n long line\n .\n more" → "long line\n\nmore" (Policy 5.6.13). */
static char *long_description(const char *text)
{
    struct text t = {0};

    for (const char *line = text ? strchr(text, '\n') : NULL; line; line = strchr(line, '\n')) {
        size_t n;

        line++;
        line += *line == ' ';
        n = strcspn(line, "\n");
        text_add(&t, "%s%.*s", t.length ? "\n" : "", n == 1 && *line == '.' ? 0 : (int)n, line);
    }
    return text_take(&t);
}

static void describe(struct update *u, const struct bunch *b)
{
    const struct package *p = speaker(b);
    const char           *about = p->description ? p->description : "";

    u->title = must_print("%s %s%s%.*s", p->source, p->source_version, *about ? ": " : "", (int)strcspn(about, "\n"), about);
    u->description = long_description(about);
    for (size_t i = 0; i < b->count; i++) {
        const struct package *m = b->members[i];

        if (!u->urgency && m->urgency)
            u->urgency = must_copy(m->urgency);
        if (m->cves)
            cves_collect(m->cves, strlen(m->cves), &u->cves);
        if (m->description)
            cves_collect(m->description, strlen(m->description), &u->cves);
    }
    if (!u->urgency)
        u->urgency = must_copy("");
}

static void add_files(struct update *u, const struct bunch *b, const struct package_set *set)
{
    const char *uri = set->uri ? set->uri : "";
    size_t      n = strlen(uri);

    u->files = must_alloc(b->count * sizeof(*u->files));
    u->file_count = b->count;
    for (size_t i = 0; i < b->count; i++) {
        const struct package *p = b->members[i];

        u->files[i] = (struct update_file){
            .sha256 = p->sha256,
            .size = p->size,
            .name = must_copy(p->filename),
            .origin = n ? must_print("%s%s%s", uri, uri[n - 1] == '/' ? "" : "/", p->filename) : NULL,
            .package = must_copy(p->name),
            .version = must_copy(p->version),
            .arch = must_copy(p->arch),
        };
    }
}

static enum err give(const struct package_set *set, const struct bunch *b, apt_update_fn fn, void *ctx, struct error *e)
{
    struct update *u = must_alloc(sizeof(*u));
    enum err       r;

    u->id = must_copy(b->id);
    u->catalog = must_copy(set->catalog ? set->catalog : "");
    u->name = must_copy(b->members[0]->source);
    u->version = must_copy(b->members[0]->source_version);
    u->classification = class_of(set);
    u->product = product_of(set);
    u->vendor = must_copy(set->origin ? set->origin : "");
    describe(u, b);
    add_files(u, b, set);
    u->detect.type = DETECT_DPKG;
    u->install.type = INSTALL_APT;
    u->install.max_run_s = MAX_RUN_S;
    r = fn(ctx, u, e);
    update_free(u);
    return r;
}

static bool together(const struct package *a, const struct package *b)
{
    return strcmp(a->source, b->source) == 0 && strcmp(a->source_version, b->source_version) == 0;
}

/* Cuts the order into bunches; an id that would have to be cut is refused, because two could become one. */
static enum err make_bunches(const struct package_set *set, const struct package **order, struct bunch *out, size_t *count, struct error *e)
{
    for (size_t i = 0, n; i < set->count; i += n) {
        struct bunch *b = &out[*count];

        for (n = 1; i + n < set->count && together(order[i], order[i + n]);)
            n++;
        *b = (struct bunch){order + i, n,
                            must_print("apt:%s:%s:%s", set->catalog ? set->catalog : "", order[i]->source, order[i]->source_version)};
        ++*count;
        if (strlen(b->id) > ID_LIMIT)
            return fail(e, ERR_VERIFY, "update id \"%.60s…\" has over %d bytes: a shorter catalog name helps", b->id, ID_LIMIT);
    }
    return OK;
}

enum err apt_updates(const struct package_set *set, apt_update_fn fn, void *ctx, struct error *e)
{
    const struct package **order = must_alloc(set->count * sizeof(struct package *));
    struct bunch          *bunches = must_alloc(set->count * sizeof(*bunches));
    size_t                 count = 0;
    enum err               r;

    for (size_t i = 0; i < set->count; i++)
        order[i] = &set->packages[i];
    qsort(order, set->count, sizeof(*order), by_source);
    r = make_bunches(set, order, bunches, &count, e);
    if (r == OK)
        qsort(bunches, count, sizeof(*bunches), by_id);
    for (size_t i = 0; i < count && r == OK; i++)
        r = give(set, &bunches[i], fn, ctx, e);
    for (size_t i = 0; i < count; i++)
        free(bunches[i].id);
    free(bunches);
    free(order);
    return r;
}
