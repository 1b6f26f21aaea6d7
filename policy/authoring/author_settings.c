/* What holds for the members of a collection whatever is deployed: client settings, and taking turns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"

#define PRIORITY       100                      /* unless one is given: room above and below */
#define MEMBER_S       7200
#define TURNS_MEMBERS  1000                     /* configmgr-semantics.md 1.9 */

static const char *stored_name(const struct member *m, char out[80])
{
    snprintf(out, 80, "%s%s", m->name, m->type == MEMBER_DURATION ? "_s" : "");
    return out;
}

/* One member in the documents' form, although it may be what holds by default: somebody said so. */
static void print_said(const struct member *m, const void *in, json_t *o)
{
    struct member always = *m;

    always.standard = INT64_MIN;
    members_print(&always, 1, in, o, false);
}

/* Members of args over the layer. */
static enum err layer_take(const json_t *args, json_t *layer, size_t *taken, struct error *e)
{
    struct settings s;
    enum err        code;

    members_default(settings_table, settings_count, &s);
    code = members_take(settings_table, settings_count, args, &s, e);
    for (size_t i = 0; i < settings_count && !code; i++)
        if (json_object_get(args, settings_table[i].name)) {
            print_said(&settings_table[i], &s, layer);
            ++*taken;
        }
    return code ? code : as_usage(settings_check(layer, "settings", e), e);
}

static enum err priority_take(const json_t *args, json_t *settings, size_t *taken, struct error *e)
{
    int64_t priority = arg_number(args, "priority", arg_number(settings, "priority", PRIORITY));

    if (priority < 1 || priority > SETTINGS_PRIORITY_MOST)
        return fail(e, ERR_USAGE, "--priority is a number from 1, the strongest, to %d", SETTINGS_PRIORITY_MOST);
    *taken += json_object_get(args, "priority") != NULL;
    json_object_set_new(settings, "priority", json_integer(priority));
    return OK;
}

static json_t *settings_of(json_t *stored)
{
    json_t *settings = json_object_get(stored, "settings");

    if (!settings) {
        settings = json_pack("{s:{}}", "values");
        json_object_set_new(stored, "settings", settings);
    }
    return settings;
}

/* "grace 24h, poll 15m" */
static char *said(const json_t *layer)
{
    struct settings s;
    struct text     out = {0};
    json_t         *words;
    char            name[80];

    settings_merge(&layer, (int64_t[]){1}, 1, &s);
    words = members_show(settings_table, settings_count, &s);
    for (size_t i = 0; i < settings_count; i++)
        if (json_object_get(layer, stored_name(&settings_table[i], name)))
            text_add(&out, "%s%s %s", out.length ? ", " : "", settings_table[i].name,
                     json_string_value(json_object_get(words, settings_table[i].name)));
    json_decref(words);
    return text_take(&out);
}

enum err settings_set(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name;
    json_t     *stored = NULL, *settings;
    int64_t     members = 0;
    size_t      taken = 0;
    char       *words;
    enum err    code = collection_stored(a, args, "collection", &name, &stored, e);

    if (code)
        return code;
    settings = settings_of(stored);
    code = priority_take(args, settings, &taken, e);
    code = code ? code : layer_take(args, json_object_get(settings, "values"), &taken, e);
    if (!code && !taken)
        code = fail(e, ERR_USAGE, "nothing to set; `ferry settings set --help` lists the settings");
    code = code ? code : collection_store(a, name, stored, &members, e);
    if (!code) {
        words = said(json_object_get(settings, "values"));
        *out = message("collection %s (%lld nodes), priority %lld: %s", name, (long long)members,
                       (long long)arg_number(settings, "priority", 0), words);
        json_object_set_new(*out, "nodes", json_integer(members));
        free(words);
    }
    json_decref(stored);
    return code;
}

/* By its name or its flag's; the nearest when there is none. */
static enum err setting_named(const char *name, const struct member **out, struct error *e)
{
    const char **names = must_alloc(settings_count * sizeof *names), *near;
    char        *wanted = must_copy(name);
    enum err     code = OK;

    for (char *c = wanted; *c; c++)
        *c = *c == '-' ? '_' : *c;
    *out = NULL;
    for (size_t i = 0; i < settings_count; i++) {
        names[i] = settings_table[i].name;
        if (!strcmp(names[i], wanted))
            *out = &settings_table[i];
    }
    near = nearest(wanted, names, settings_count);
    if (!*out)
        code = fail(e, ERR_USAGE, "\"%.40s\" is no setting%s%s%s; `ferry settings set --help` lists them", name,
                    near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    free(names);
    free(wanted);
    return code;
}

/* All of them, or those named. */
static enum err forget(json_t *stored, const json_t *names, struct error *e)
{
    json_t *values = json_object_get(json_object_get(stored, "settings"), "values"), *item;
    size_t  i;

    json_array_foreach(names, i, item) {
        const struct member *m = NULL;
        char                 name[80];
        if (setting_named(json_string_value(item) ? json_string_value(item) : "", &m, e))
            return ERR_USAGE;
        json_object_del(values, stored_name(m, name));
    }
    if (!json_array_size(names) || !json_object_size(values))
        json_object_del(stored, "settings");
    return OK;
}

enum err settings_clear(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name;
    json_t     *stored = NULL;
    int64_t     members = 0;
    enum err    code = collection_stored(a, args, "collection", &name, &stored, e);

    if (!code && !json_object_get(stored, "settings"))
        code = fail(e, ERR_CONDITION, "collection %s has no settings", name);
    code = code ? code : forget(stored, json_object_get(args, "settings"), e);
    code = code ? code : collection_store(a, name, stored, &members, e);
    if (!code)
        *out = message("collection %s %s; %lld nodes", name,
                       json_object_get(stored, "settings") ? "has fewer settings" : "has no settings any more", (long long)members);
    json_decref(stored);
    return code;
}

/* Which layer a member comes from, as settings_merge chooses; the count: from none. */
static size_t source_of(const struct holds *h, const char *name)
{
    size_t best = h->count;

    for (size_t i = 0; i < h->count; i++)
        if (json_object_get(h->collections[i]->settings, name) &&
            (best == h->count || h->collections[i]->settings_priority < h->collections[best]->settings_priority))
            best = i;
    return best;
}

enum err settings_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    char        *id = NULL;
    json_t      *node, *words, *list = json_array();
    struct holds h = {0};
    enum err     code = node_resolve(a->ledger, arg_text(args, "node") ? arg_text(args, "node") : "", &id, e);

    node = code ? NULL : rows_one(a->ledger, LEDGER_NODE_ONE, "s", id);
    code = code ? code : holds_open(a, node, &h, e);
    words = members_show(settings_table, settings_count, &h.rules.settings);
    for (size_t i = 0; i < settings_count && !code; i++) {
        char   name[80];
        size_t at = source_of(&h, stored_name(&settings_table[i], name));
        json_t *item = json_pack("{s:s,s:O,s:s,s:s}", "name", settings_table[i].name, "value", json_object_get(words, settings_table[i].name),
                                 "collection", at < h.count ? h.collections[at]->name : "", "meaning", settings_table[i].meaning);
        if (at < h.count)
            json_object_set_new(item, "priority", json_integer(h.collections[at]->settings_priority));
        json_array_append_new(list, item);
    }
    if (!code) {
        *out = listing(json_incref(list));
        json_object_set(*out, "node", json_object_get(node, "hostname"));
        json_object_set_new(*out, "timezone", json_string(zone_name(h.zone)));
        json_object_set_new(*out, "windows", json_integer((json_int_t)h.rules.window_count));
    }
    holds_end(&h);
    json_decref(words);
    json_decref(list);
    json_decref(node);
    free(id);
    return code;
}

/* --- turns --- */

static enum err turns_asked(const json_t *args, const char **turns, int64_t *limit, struct error *e)
{
    int64_t count = arg_number(args, "count", 0), percent = arg_number(args, "percent", 0);
    size_t  sequence = json_array_size(json_object_get(args, "sequence"));

    if ((json_object_get(args, "count") != NULL) + (json_object_get(args, "percent") != NULL) + (sequence > 0) != 1)
        return fail(e, ERR_USAGE, "one of --count N, --percent N and --sequence NODE,NODE… is needed: how many members at once");
    if (json_object_get(args, "count") && (count < 1 || count > TURNS_MEMBERS))
        return fail(e, ERR_USAGE, "--count is a number from 1 to %d", TURNS_MEMBERS);
    if (json_object_get(args, "percent") && (percent < 1 || percent > 100))
        return fail(e, ERR_USAGE, "--percent is a number from 1 to 100");
    *turns = sequence ? "sequence" : count ? "count" : "percent";
    *limit = sequence ? 1 : count ? count : percent;
    return OK;
}

/* The order is that of the direct members: each of them once. */
static enum err sequence_take(struct author *a, const json_t *names, const char *collection, json_t *stored, struct error *e)
{
    json_t  *nodes = json_object_get(stored, "nodes"), *order = json_array(), *seen = json_object(), *item;
    size_t   i;
    enum err code = OK;

    json_array_foreach(names, i, item) {
        char  *id = NULL;
        bool   member = false;
        json_t *node;
        size_t k;
        code = code ? code : node_resolve(a->ledger, json_string_value(item) ? json_string_value(item) : "", &id, e);
        if (code)
            break;
        json_array_foreach(nodes, k, node)
            member = member || !strcmp(json_string_value(node), id);
        if (!member || json_object_get(seen, id))
            code = fail(e, ERR_CONDITION, member ? "--sequence names %s twice" : "%s is no direct member of the collection; `ferry collection "
                        "change NAME --node …` makes it one", json_string_value(item));
        json_object_set_new(seen, id, json_true());
        json_array_append_new(order, json_string(id));
        free(id);
    }
    if (!code && json_array_size(order) != json_array_size(nodes))
        code = fail(e, ERR_CONDITION, "--sequence names %zu of the %zu direct members of %s; it has to name all, and a sequence has no others",
                    json_array_size(order), json_array_size(nodes), collection);
    if (!code)
        json_object_set(stored, "nodes", order);
    json_decref(seen);
    json_decref(order);
    return code;
}

enum err orchestration_set(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name, *turns = NULL;
    json_t     *stored = NULL;
    int64_t     members = 0, limit = 0, seconds = MEMBER_S;
    enum err    code = collection_stored(a, args, "collection", &name, &stored, e);

    code = code ? code : turns_asked(args, &turns, &limit, e);
    if (!code && arg_text(args, "member_timeout"))
        code = duration_read(arg_text(args, "member_timeout"), &seconds, e);
    if (!code && !strcmp(turns, "sequence"))
        code = sequence_take(a, json_object_get(args, "sequence"), name, stored, e);
    if (!code)
        json_object_set_new(stored, "orchestration", json_pack("{s:s,s:I,s:I}", "turns", turns, "limit", (json_int_t)limit, "member_s",
                                                               (json_int_t)seconds));
    code = code ? code : collection_store(a, name, stored, &members, e);
    if (!code && members > TURNS_MEMBERS)
        code = fail(e, ERR_CONDITION, "collection %s has %lld members; at most %d take turns", name, (long long)members, TURNS_MEMBERS);
    if (!code) {
        *out = message("collection %s: of its %lld members %lld%s at once%s", name, (long long)members, (long long)limit,
                       !strcmp(turns, "percent") ? " %" : "", !strcmp(turns, "sequence") ? ", in the order given" : "");
        json_object_set_new(*out, "nodes", json_integer(members));
    }
    json_decref(stored);
    return code;
}

enum err orchestration_clear(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name;
    json_t     *stored = NULL;
    int64_t     members = 0;
    enum err    code = collection_stored(a, args, "collection", &name, &stored, e);

    if (!code && !json_object_get(stored, "orchestration"))
        code = fail(e, ERR_CONDITION, "the members of collection %s take no turns", name);
    if (!code)
        json_object_del(stored, "orchestration");
    code = code ? code : collection_store(a, name, stored, &members, e);
    if (!code)
        *out = message("the %lld members of collection %s take no turns any more", (long long)members, name);
    json_decref(stored);
    return code;
}
