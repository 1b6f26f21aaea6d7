/* A worklist: packages that have to travel, each with the inventories that take it. For every taker every dependency is looked at as it
 * will be after the installation: what the closure brings there replaces what is installed. Inventories that are equal count once. */
#include "policy/catalog/closure.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/catalog/relation.h"
#include "policy/catalog/version.h"

#define BUCKETS 1024

struct travel {
    const struct package     *package;
    const struct package_set *set;
    uint64_t                 *takers;           /* bit i: inventory i */
    size_t                    next;             /* of the same bucket, plus one; 0: none */
    bool                      waiting;          /* its dependencies are to be looked at (again) */
};
struct solver {
    const struct package_set *const *sets;
    size_t                    set_count;
    const struct inventory  **inventories;
    size_t                    inventory_count;
    const char               *arch;
    bool                      blind;            /* nobody's inventory is known: one empty taker, only "=" is followed */
    struct travel            *travels;
    size_t                    count, room;
    size_t                    buckets[BUCKETS]; /* by name: index plus one */
    struct text               missing;          /* NUL-separated */
    size_t                    missing_count;
};
struct candidate {
    const struct package     *package;
    const struct package_set *set;
};

static size_t bucket_of(const char *name)
{
    size_t h = 5381;

    while (*name)
        h = h * 33 + (unsigned char)*name++;
    return h % BUCKETS;
}

static bool takes(const struct travel *t, size_t i)
{
    return t->takers[i / 64] >> (i % 64) & 1;
}

static void miss(struct solver *s, const char *text)
{
    for (size_t at = 0; at < s->missing.length; at += strlen(s->missing.data + at) + 1)
        if (strcmp(s->missing.data + at, text) == 0)
            return;
    text_put(&s->missing, text, strlen(text) + 1);
    s->missing_count++;
}

static bool fits(const char *have, const char *want)
{
    return strcmp(have, want) == 0 || strcmp(have, "all") == 0 || strcmp(want, "any") == 0;
}

static const char *wanted_arch(const struct solver *s, const struct package *p, const struct relation *r)
{
    if (*r->arch)
        return strcmp(r->arch, "native") == 0 ? s->arch : r->arch;
    return strcmp(p->arch, "all") == 0 ? s->arch : p->arch;
}

/* What inventory i will have under that name: the highest version that travels there, else what is installed. NULL: nothing. */
static const char *version_after(const struct solver *s, size_t i, const char *name, const char *arch)
{
    const char             *best = NULL;
    const struct installed *p;

    for (size_t n = s->buckets[bucket_of(name)]; n; n = s->travels[n - 1].next) {
        const struct travel *t = &s->travels[n - 1];

        if (strcmp(t->package->name, name) == 0 && fits(t->package->arch, arch) && takes(t, i) &&
            (!best || version_compare(t->package->version, best) > 0))
            best = t->package->version;
    }
    if (best || s->blind)
        return best;
    p = inventory_find(s->inventories[i], name, arch);
    return p && !installed_absent(p) ? p->version : NULL;
}

static bool provided_after(const struct solver *s, size_t i, const struct relation *r)
{
    const struct inventory *inv = s->blind ? NULL : s->inventories[i];

    for (size_t n = 0; n < s->count; n++)
        if (takes(&s->travels[n], i) && relation_provided(s->travels[n].package->provides, r))
            return true;
    for (size_t k = 0; inv && k < inv->count; k++) {
        const struct installed *p = &inv->items[k];

        if (*p->provides && !installed_absent(p) && relation_provided(p->provides, r))
            return true;
    }
    return false;
}

static bool met(const struct solver *s, size_t i, const struct package *p, struct clause clause)
{
    struct relation r;

    while (relation_next(&clause, &r)) {
        const char *have = version_after(s, i, r.name, wanted_arch(s, p, &r));

        if (have && (!*r.relation || version_satisfies(have, r.relation, r.version)))
            return true;
        if (provided_after(s, i, &r))
            return true;
    }
    return false;
}

/* The highest version over all sets that meets the relation (or, for `breaks`, does not) and is no downgrade from `installed`. */
static struct candidate best_of(const struct solver *s, const struct relation *r, const char *arch, const char *installed, bool breaks)
{
    struct candidate best = {0};

    for (size_t k = 0; k < s->set_count; k++) {
        size_t first, n = package_set_find(s->sets[k], r->name, &first);

        for (size_t m = first; m < first + n; m++) {
            const struct package *p = &s->sets[k]->packages[m];
            bool                  is = !*r->relation || version_satisfies(p->version, r->relation, r->version);

            if (!fits(p->arch, arch) || is == breaks || (installed && version_compare(p->version, installed) <= 0))
                continue;
            if (!best.package || version_compare(p->version, best.package->version) > 0)
                best = (struct candidate){p, s->sets[k]};
            break;
        }
    }
    return best;
}

static struct candidate provider_of(const struct solver *s, const struct relation *r, const char *arch)
{
    for (size_t k = 0; k < s->set_count; k++)
        for (size_t m = 0; m < s->sets[k]->count; m++) {
            const struct package *p = &s->sets[k]->packages[m];

            if (p->provides && fits(p->arch, arch) && relation_provided(p->provides, r))
                return (struct candidate){p, s->sets[k]};
        }
    return (struct candidate){0};
}

/* As apt chooses: an alternative that is installed is upgraded; else the first that can be had; else the first that provides one. */
static struct candidate choose(const struct solver *s, size_t i, const struct package *p, struct clause clause)
{
    for (int pass = 0; pass < 3; pass++) {
        struct clause   rest = clause;
        struct relation r;

        while (relation_next(&rest, &r)) {
            const char      *arch = wanted_arch(s, p, &r), *have = version_after(s, i, r.name, arch);
            struct candidate c = {0};

            if (pass == 2)
                c = provider_of(s, &r, arch);
            else if (pass == 1 || have)
                c = best_of(s, &r, arch, have, false);
            if (c.package)
                return c;
        }
    }
    return (struct candidate){0};
}

static struct travel *travel_of(struct solver *s, struct candidate c)
{
    size_t        *bucket = &s->buckets[bucket_of(c.package->name)];
    size_t         words = (s->inventory_count + 63) / 64;
    struct travel *t;

    for (size_t n = *bucket; n; n = s->travels[n - 1].next) {
        const struct package *p = s->travels[n - 1].package;

        if (p == c.package || (sha256_same(&p->sha256, &c.package->sha256) && strcmp(p->name, c.package->name) == 0))
            return &s->travels[n - 1];
    }
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 64;
        s->travels = must_grow(s->travels, s->room, sizeof(*s->travels));
    }
    t = &s->travels[s->count++];
    *t = (struct travel){c.package, c.set, must_alloc(words * sizeof(uint64_t)), *bucket, false};
    *bucket = s->count;
    return t;
}

static bool bring(struct solver *s, struct candidate c, size_t i)
{
    struct travel *t = travel_of(s, c);

    if (takes(t, i))
        return false;
    t->takers[i / 64] |= (uint64_t)1 << (i % 64);
    t->waiting = true;
    return true;
}

/* What a source builds is mostly tied together by "= this version": whatever else of the same source the inventory has comes along. */
static void bring_siblings(struct solver *s, struct candidate c, size_t i)
{
    const struct inventory *inv = s->inventories[i];

    for (size_t k = 0; k < inv->count; k++) {
        const struct installed *have = &inv->items[k];
        size_t                  first, n;

        if (strcmp(have->source, c.package->source) != 0 || installed_absent(have))
            continue;
        n = package_set_find(c.set, have->package, &first);
        for (size_t m = first; m < first + n; m++) {
            const struct package *p = &c.set->packages[m];

            if (strcmp(p->source_version, c.package->source_version) == 0 && fits(p->arch, have->arch) &&
                version_compare(have->version, p->version) < 0)
                bring(s, (struct candidate){p, c.set}, i);
        }
    }
}

static bool pinned(struct clause clause)
{
    struct relation r;

    while (relation_next(&clause, &r))
        if (strcmp(r.relation, "=") == 0)
            return true;
    return false;
}

static void need(struct solver *s, size_t i, const struct package *p, struct clause clause)
{
    struct candidate c;
    char            *text;

    if ((s->blind && !pinned(clause)) || met(s, i, p, clause))
        return;
    c = choose(s, i, p, clause);
    if (c.package) {
        if (bring(s, c, i) && !s->blind)
            bring_siblings(s, c, i);
        return;
    }
    text = must_print("%s %s needs %.*s", p->name, p->version, (int)clause.length, clause.text);
    miss(s, text);
    free(text);
}

static void avoid(struct solver *s, size_t i, const struct package *p, struct clause clause)
{
    struct relation  r;
    struct candidate c;

    while (!s->blind && relation_next(&clause, &r)) {
        const char *have = version_after(s, i, r.name, *r.arch ? r.arch : "any");
        char       *text;

        if (!have || !*r.relation || strcmp(r.name, p->name) == 0 || !version_satisfies(have, r.relation, r.version))
            continue;
        c = best_of(s, &r, s->arch, have, true);
        if (c.package) {
            if (bring(s, c, i))
                bring_siblings(s, c, i);
            continue;
        }
        text = must_print("%s %s breaks %s (%s %s), and no catalog carries another", p->name, p->version, r.name, r.relation, r.version);
        miss(s, text);
        free(text);
    }
}

/* The travels may move while it runs: nothing is kept across bring(). */
static void look(struct solver *s, size_t n, size_t i)
{
    const struct package *p = s->travels[n].package;
    const char           *depends[] = {p->pre_depends, p->depends}, *breaks = p->breaks;
    struct clause         clause;

    for (size_t k = 0; k < COUNT(depends); k++)
        while (clause_next(&depends[k], &clause))
            need(s, i, p, clause);
    while (clause_next(&breaks, &clause))
        avoid(s, i, p, clause);
}

static void settle(struct solver *s)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t n = 0; n < s->count; n++) {
            if (!s->travels[n].waiting)
                continue;
            s->travels[n].waiting = false;
            again = true;
            for (size_t i = 0; i < s->inventory_count; i++)
                if (takes(&s->travels[n], i))
                    look(s, n, i);
        }
    }
}

static struct candidate file_package(const struct solver *s, const struct update *u, const struct update_file *f)
{
    struct candidate found = {0};

    for (size_t k = 0; k < s->set_count; k++) {
        size_t first, n = package_set_find(s->sets[k], f->package, &first);

        for (size_t m = first; m < first + n; m++)
            if (sha256_same(&s->sets[k]->packages[m].sha256, &f->sha256) &&
                (!found.package || (s->sets[k]->catalog && strcmp(s->sets[k]->catalog, u->catalog) == 0)))
                found = (struct candidate){&s->sets[k]->packages[m], s->sets[k]};
    }
    return found;
}

static void begin_file(struct solver *s, const struct update *u, const struct update_file *f, size_t i)
{
    struct candidate c = file_package(s, u, f);
    char            *text;

    if (c.package) {
        bring(s, c, i);
        return;
    }
    text = must_print("%s: no catalog carries %s %s any more", u->id, f->package, f->version);
    miss(s, text);
    free(text);
}

static void begin_update(struct solver *s, const struct update *u)
{
    size_t *needed = must_alloc(u->file_count * sizeof(*needed));

    for (size_t i = 0; i < s->inventory_count && !s->blind; i++)
        for (size_t n = apt_needed(u, s->inventories[i], needed, u->file_count), k = 0; k < n; k++)
            begin_file(s, u, &u->files[needed[k]], i);
    for (size_t k = 0; k < u->file_count && s->blind; k++)
        if (fits(u->files[k].arch, s->arch))
            begin_file(s, u, &u->files[k], 0);
    free(needed);
}

static struct sha256 print_of(const struct inventory *inv)
{
    struct text   t = {0};
    struct sha256 h;

    for (size_t i = 0; i < inv->count; i++) {
        const struct installed *p = &inv->items[i];

        text_add(&t, "%c%c\t%s\t%s\t%s\t%s\t%s\n", p->want, p->status, p->package, p->arch, p->version, p->source, p->provides);
    }
    h = hash_bytes(t.data ? t.data : "", t.length);
    text_end(&t);
    return h;
}

/* Keeps one of each kind of those that need any of the updates. */
static void keep_inventories(struct solver *s, const struct update *const *updates, size_t update_count, const struct inventory *const *all,
                             size_t count)
{
    struct sha256 *prints = must_alloc(count * sizeof(*prints));

    s->inventories = must_alloc(count * sizeof(*s->inventories));
    for (size_t i = 0; i < count; i++) {
        bool needs = false, known = false;

        for (size_t u = 0; u < update_count && !needs; u++)
            needs = apt_needed(updates[u], all[i], (size_t[1]){0}, 1) > 0;
        if (!needs)
            continue;
        prints[s->inventory_count] = print_of(all[i]);
        for (size_t k = 0; k < s->inventory_count && !known; k++)
            known = sha256_same(&prints[k], &prints[s->inventory_count]);
        if (!known)
            s->inventories[s->inventory_count++] = all[i];
    }
    free(prints);
}

static int by_catalog(const void *a, const void *b)
{
    const struct package *x = ((const struct closure_item *)a)->package, *y = ((const struct closure_item *)b)->package;
    int                   order = strcmp(x->catalog ? x->catalog : "", y->catalog ? y->catalog : "");

    if (!order)
        order = strcmp(x->name, y->name);
    if (!order)
        order = strcmp(x->arch, y->arch);
    return order ? order : version_compare(x->version, y->version);
}

static void take_result(struct solver *s, struct closure *out)
{
    size_t at = 0;

    *out = (struct closure){.items = must_alloc(s->count * sizeof(*out->items)), .count = s->count};
    for (size_t n = 0; n < s->count; n++)
        out->items[n] = (struct closure_item){s->travels[n].package, s->travels[n].set};
    qsort(out->items, out->count, sizeof(*out->items), by_catalog);
    if (!s->missing_count)
        return;
    out->missing = must_alloc((s->missing_count + 1) * sizeof(*out->missing));
    for (size_t n = 0; n < s->missing_count; n++, at += strlen(s->missing.data + at) + 1)
        out->missing[n] = must_copy(s->missing.data + at);
}

enum err closure_solve(const struct update *const *updates, size_t update_count, const struct package_set *const *sets, size_t set_count,
                       const struct inventory *const *inventories, size_t inventory_count, const char *arch, struct closure *out,
                       struct error *e)
{
    struct solver *s;

    for (size_t u = 0; u < update_count; u++)
        if (updates[u]->install.type != INSTALL_APT)
            return fail(e, ERR_USAGE, "%s is no update of a Debian archive: only those have dependencies to solve", updates[u]->id);
    s = must_alloc(sizeof(*s));
    s->sets = sets;
    s->set_count = set_count;
    s->arch = arch;
    s->blind = inventory_count == 0;
    if (s->blind)
        s->inventory_count = 1;
    else
        keep_inventories(s, updates, update_count, inventories, inventory_count);
    for (size_t u = 0; u < update_count; u++)
        begin_update(s, updates[u]);
    settle(s);
    take_result(s, out);
    for (size_t n = 0; n < s->count; n++)
        free(s->travels[n].takers);
    free(s->travels);
    free(s->inventories);
    text_end(&s->missing);
    free(s);
    return OK;
}

void closure_end(struct closure *c)
{
    free(c->items);
    words_free(c->missing);
    memset(c, 0, sizeof(*c));
}
