/* policy/document: json_read and every document; what is read prints, and what is printed reads to the same print. */
#include <stdint.h>
#include <stdlib.h>

#include "policy/document/collection.h"
#include "policy/document/fleet.h"
#include "policy/document/parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SAME(type)                                                                                                                         \
    static void same_##type(const json_t *in)                                                                                              \
    {                                                                                                                                      \
        struct type *one, *two;                                                                                                            \
        struct error e;                                                                                                                    \
        json_t *first, *second;                                                                                                            \
                                                                                                                                           \
        if (type##_from_json(in, &one, &e))                                                                                                \
            return;                                                                                                                        \
        first = type##_to_json(one);                                                                                                       \
        if (!first || type##_from_json(first, &two, &e))                                                                                   \
            abort();                                                                                                                       \
        second = type##_to_json(two);                                                                                                      \
        if (!json_equal(first, second))                                                                                                    \
            abort();                                                                                                                       \
        use_##type(one);                                                                                                                   \
        type##_free(one);                                                                                                                  \
        type##_free(two);                                                                                                                  \
        json_decref(first);                                                                                                                \
        json_decref(second);                                                                                                               \
    }

static enum err any_from_json(const json_t *in, struct update **out, struct error *e)
{
    return update_from_json(in, "update", out, e);
}

static void use_update(const struct update *u)
{
    update_size(u);
}

static void found(const struct content *contents, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!content_find(contents, count, &contents[i].sha256))
            abort();
}

static void use_deployment(const struct deployment *d)
{
    json_decref(members_show(terms_table, terms_count, &d->terms));
    found(d->contents, d->content_count);
}

static void use_fleet(const struct fleet *f)
{
    fleet_group_of(f, "10.1.2.3");
    fleet_group_of(f, "2001:db8::1");
}

static void use_scan(const struct scan *s)
{
    found(s->contents, s->content_count);
}

static void use_holding(const struct holding *h)
{
    found(h->contents, h->content_count);
}

/* What is found is open for as long as was asked. */
static void search_windows(const struct collection *c)
{
    const struct window *list[WINDOWS_MOST];
    struct opening o;

    for (size_t i = 0; i < c->window_count; i++)
        list[i] = &c->windows[i];
    for (int64_t need = 300; need < 200000; need *= 8)
        if (windows_next(list, c->window_count, need & 512, NULL, 1795467600, need, &o) &&
            (o.end - o.begin < need || o.end - 1795467600 < need))
            abort();
}

static void use_collection(const struct collection *c)
{
    const json_t *layers[] = {c->settings, c->settings};
    int64_t priorities[] = {c->settings_priority, 1};
    struct settings s;
    json_t *facts = json_pack("{s:s,s:i,s:b,s:[s]}", "hostname", "till-1", "memory.mib", 2048, "os.id", 1, "role", "client");
    char why[200];

    collection_has(c, "n", facts, 1795467600, why);
    search_windows(c);
    settings_merge(layers, priorities, c->settings ? 2 : 0, &s);
    json_decref(facts);
}

/* SAME wants every reader to look alike; this one has a path besides. */
#define update_from_json(in, out, e) any_from_json(in, out, e)
SAME(update)
SAME(deployment)
SAME(fleet)
SAME(scan)
SAME(holding)
SAME(collection)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error e;
    json_t *in;

    if (json_read((const char *)data, size, 1u << 20, &in, &e))
        return 0;
    same_update(in);
    same_deployment(in);
    same_fleet(in);
    same_scan(in);
    same_holding(in);
    same_collection(in);
    json_decref(in);
    return 0;
}
