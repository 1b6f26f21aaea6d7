/* Collections of nodes, stored as {"rule", "include": [names], "exclude": [names], "nodes": [ids], "limit": name} and what holds for their
 * members: {"windows", "settings", "orchestration"} as documents carry them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/making.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"
#include "policy/trust/delegation.h"
#include "policy/trust/role.h"

static enum err whole(struct ledger *l, const char *name, int depth, struct collection **out, struct error *e);

static enum err whole_list(struct ledger *l, const json_t *names, int depth, struct collection ***out, size_t *count, struct error *e)
{
    enum err code = OK;

    *out = must_alloc((json_array_size(names) + 1) * sizeof **out);
    for (size_t i = 0; i < json_array_size(names) && !code; i++) {
        code = whole(l, json_string_value(json_array_get(names, i)), depth + 1, &(*out)[i], e);
        *count = i + !code;
    }
    return code;
}

/* What holds for the members is stored as documents carry it, so it is read as nodes read it. */
static enum err holds_read(const char *name, const json_t *stored, struct collection *c, struct error *e)
{
    static const char *const names[] = {"nodes", "windows", "settings", "orchestration"};
    json_t                  *json = json_pack("{s:s,s:i,s:s,s:s}", "type", "collection", "seq", 1, "audience", "site", "name", name);
    struct collection       *read = NULL;
    enum err                 code;

    for (size_t i = 0; i < COUNT(names); i++)
        if (json_object_get(stored, names[i]) && (i || json_array_size(json_object_get(stored, names[i]))))
            json_object_set(json, names[i], json_object_get(stored, names[i]));
    code = as_usage(collection_from_json(json, &read, e), e);
    json_decref(json);
    if (code)
        return code;
    c->windows = read->windows;
    c->window_count = read->window_count;
    c->settings = json_incref(read->settings);
    c->settings_priority = read->settings_priority;
    c->orchestration = read->orchestration;
    read->windows = NULL;
    read->window_count = 0;
    collection_free(read);
    return OK;
}

static enum err from_stored(struct ledger *l, const char *name, const json_t *stored, int depth, struct collection **out, struct error *e)
{
    struct collection *c = must_alloc(sizeof *c);
    const json_t      *nodes = json_object_get(stored, "nodes");
    enum err code = depth > COLLECTION_DEPTH
                        ? fail(e, ERR_CONDITION, "collections include each other deeper than %d, or in a circle", COLLECTION_DEPTH)
                        : OK;

    c->name = must_copy(name);
    c->rule = must_copy(arg_text(stored, "rule"));
    if (json_array_size(nodes)) {
        c->nodes = must_alloc((json_array_size(nodes) + 1) * sizeof *c->nodes);
        for (size_t i = 0; i < json_array_size(nodes); i++)
            c->nodes[i] = must_copy(json_string_value(json_array_get(nodes, i)));
    }
    if (!code && c->rule)
        code = expression_parse(c->rule, &fact_vocabulary, &c->parsed, e);
    code = code ? code : whole_list(l, json_object_get(stored, "include"), depth, &c->include, &c->include_count, e);
    code = code ? code : whole_list(l, json_object_get(stored, "exclude"), depth, &c->exclude, &c->exclude_count, e);
    if (!code && arg_text(stored, "limit"))
        code = whole(l, arg_text(stored, "limit"), depth + 1, &c->limit, e);
    if (!code && !depth)
        code = holds_read(name, stored, c, e);
    if (code)
        collection_free(c);
    else
        *out = c;
    return code;
}

static enum err whole(struct ledger *l, const char *name, int depth, struct collection **out, struct error *e)
{
    json_t  *row = name ? rows_one(l, LEDGER_COLLECTION, "s", name) : NULL;
    enum err code;

    if (!row)
        return no_such(l, LEDGER_COLLECTION_NAMES, "collection", name ? name : "", e);
    code = from_stored(l, name, json_object_get(row, "json"), depth, out, e);
    json_decref(row);
    return code;
}

enum err collection_whole(struct ledger *l, const char *name, struct collection **out, struct error *e)
{
    return whole(l, name, 0, out, e);
}

enum err collection_members(struct author *a, const struct collection *c, json_t **out, struct error *e)
{
    json_t  *nodes = NULL, *node, *list;
    size_t   i;
    char     why[200];
    enum err code = rows_all(a->ledger, LEDGER_NODE_FACTS, &nodes, e, "");

    if (code)
        return code;
    list = json_array();
    json_array_foreach(nodes, i, node) if (collection_has(c, arg_text(node, "id"), json_object_get(node, "facts"), a->now, why))
        json_array_append_new(list, json_pack("{s:O,s:O,s:s,s:O,s:O}", "id", json_object_get(node, "id"), "hostname",
                                              json_object_get(node, "hostname"), "why", why, "last_contact_s",
                                              json_object_get(node, "last_contact"), "scanned", json_object_get(node, "scanned")));
    json_decref(nodes);
    *out = list;
    return OK;
}

static enum err put_names(json_t *o, const json_t *args, const char *member, struct error *e)
{
    json_t *names = json_object_get(args, member), *item;
    size_t  i;

    if (json_is_false(names))
        json_object_del(o, member);
    if (!names || json_is_false(names))
        return OK;
    if (!json_is_array(names))
        return fail(e, ERR_USAGE, "%s has to be a list of collections", member);
    json_array_foreach(names, i, item)
        if (!json_is_string(item))
            return fail(e, ERR_USAGE, "%s has to be a list of collections' names", member);
    json_object_set(o, member, names);
    return OK;
}

static void put_or_drop(json_t *o, const json_t *args, const char *member)
{
    if (json_is_false(json_object_get(args, member)))
        json_object_del(o, member);
    put_text(o, member, arg_text(args, member));
}

static enum err put_nodes(struct author *a, json_t *o, const json_t *args, struct error *e)
{
    json_t  *given = json_object_get(args, "nodes"), *nodes = json_array(), *item;
    char    *id;
    size_t   i;
    enum err code = OK;

    json_array_foreach(given, i, item)
        if (!code && !(code = node_resolve(a->ledger, json_string_value(item) ? json_string_value(item) : "", &id, e))) {
            json_array_append_new(nodes, json_string(id));
            free(id);
        }
    if (given)
        json_object_set(o, "nodes", nodes);
    json_decref(nodes);
    return code;
}

/* The arguments over what is stored (NULL: nothing), node names made ids. What is not given stays; false takes it away. */
static enum err to_stored(struct author *a, const json_t *before, const json_t *args, json_t **out, struct error *e)
{
    json_t  *o = before ? json_deep_copy(before) : json_object();
    enum err code;

    put_or_drop(o, args, "rule");
    put_or_drop(o, args, "limit");
    code = put_names(o, args, "include", e);
    code = code ? code : put_names(o, args, "exclude", e);
    code = code ? code : put_nodes(a, o, args, e);
    *out = o;
    return code;
}

/* Nodes have to accept it: it is read as they read it. */
static enum err readable(struct collection *c, struct error *e)
{
    struct collection *back = NULL;
    json_t            *json;
    enum err           code;

    c->seq = 1;
    c->audience = c->audience ? c->audience : must_copy("site");
    json = collection_to_json(c);
    code = collection_from_json(json, &back, e);
    collection_free(back);
    json_decref(json);
    return as_usage(code, e);
}

/* After a change of one: every collection still stands. */
static enum err all_stand(struct author *a, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    char     text[sizeof e->text] = "";
    enum err code = rows_all(a->ledger, LEDGER_COLLECTION_NAMES, &rows, e, "");

    json_array_foreach(rows, i, row) {
        struct collection *c = NULL;
        struct error       why;
        if (code || !collection_whole(a->ledger, arg_text(row, "name"), &c, &why)) {
            collection_free(c);
            continue;
        }
        snprintf(text, sizeof text, "%.600s", why.text);
        code = fail(e, ERR_CONDITION, "collection %s would not hold any more: %s", arg_text(row, "name"), text);
    }
    json_decref(rows);
    return code;
}

static enum err checked(struct author *a, const char *name, const json_t *stored, int64_t *members, struct error *e)
{
    struct collection *c = NULL;
    json_t            *list = NULL;
    enum err           code = from_stored(a->ledger, name, stored, 0, &c, e);

    code = code ? code : readable(c, e);
    code = code ? code : collection_members(a, c, &list, e);
    *members = (int64_t)json_array_size(list);
    json_decref(list);
    collection_free(c);
    return code;
}

enum err collection_store(struct author *a, const char *name, const json_t *stored, int64_t *members, struct error *e)
{
    char    *text = json_dumps(stored, JSON_COMPACT);
    enum err code = rows_run(a->ledger, LEDGER_COLLECTION_CHANGE, e, "ss", name, text);

    free(text);
    code = code ? code : checked(a, name, stored, members, e);
    code = code ? code : all_stand(a, e);
    return code ? code : collections_fit(a, name, e);
}

static enum err store(struct author *a, const char *name, const json_t *before, const json_t *args, json_t **out, struct error *e)
{
    json_t  *stored = NULL;
    int64_t  members = 0, nodes = rows_number(a->ledger, LEDGER_NODE_COUNT, "");
    enum err code = to_stored(a, before, args, &stored, e);

    code = code ? code : collection_store(a, name, stored, &members, e);
    if (!code)
        *out = message("collection %s has %lld of the %lld enrolled nodes now", name, (long long)members, (long long)nodes);
    if (!code)
        json_object_set_new(*out, "members", json_integer(members));
    json_decref(stored);
    return code;
}

enum err collection_create(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = NULL;
    enum err    code = arg_name(args, "name", "collection", &name, e);

    if (!code && (!role_name_ok(name) || !strcmp(name, "fleet")))
        code = fail(e, ERR_USAGE, "\"%s\" is reserved or has a dot; letters, digits and \"-\" are accepted for collections", name);
    if (!code && rows_number(a->ledger, LEDGER_COLLECTION_HAS, "s", name))
        code = fail(e, ERR_EXISTS, "collection %s exists already", name);
    code = code ? code : rows_run(a->ledger, LEDGER_COLLECTION_PUT, e, "ss", name, "{}");
    return code ? code : store(a, name, NULL, args, out, e);
}

enum err collection_stored(struct author *a, const json_t *args, const char *member, const char **name, json_t **stored, struct error *e)
{
    json_t *row;

    *name = arg_text(args, member);
    row = *name ? rows_one(a->ledger, LEDGER_COLLECTION, "s", *name) : NULL;
    if (!row)
        return no_such(a->ledger, LEDGER_COLLECTION_NAMES, "collection", *name ? *name : "", e);
    *stored = json_incref(json_object_get(row, "json"));
    json_decref(row);
    return OK;
}

enum err collection_change(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name;
    json_t     *stored = NULL;
    enum err    code = collection_stored(a, args, "name", &name, &stored, e);

    if (!code && !strcmp(name, "all"))
        code = fail(e, ERR_CONDITION, "collection all is every node, always");
    code = code ? code : store(a, name, stored, args, out, e);
    json_decref(stored);
    return code;
}

static enum err collection_there(struct author *a, const json_t *args, const char **name, struct error *e)
{
    json_t  *stored = NULL;
    enum err code = collection_stored(a, args, "name", name, &stored, e);

    json_decref(stored);
    return code;
}

enum err collection_delete(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name;
    enum err    code = collection_there(a, args, &name, e);

    if (!code && (!strcmp(name, "all") || rows_number(a->ledger, LEDGER_COLLECTION_USED, "s", name)))
        code = fail(e, ERR_CONDITION,
                    "collection %s is built in, or has deployments (one that is withdrawn counts until every node has heard)", name);
    code = code ? code : making_collection_unused(a, name, e);
    code = code ? code : rows_run(a->ledger, LEDGER_COLLECTION_DROP, e, "s", name);
    code = code ? code : all_stand(a, e);
    if (!code)
        *out = message("collection %s is gone", name);
    return code;
}

/* --- what is published --- */

bool collection_holds(const json_t *stored)
{
    return json_array_size(json_object_get(stored, "windows")) || json_object_get(stored, "settings") ||
           json_object_get(stored, "orchestration");
}

/* Each is a delegated role of the policy, like the fleet's own, and nodes read at most DELEGATIONS of them. */
enum err collections_fit(struct author *a, const char *collection, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i, count = 1;
    enum err code = rows_all(a->ledger, LEDGER_COLLECTIONS_USED, &rows, e, "");

    json_array_foreach(rows, i, row)
        count += arg_number(row, "used", 0) || collection_holds(json_object_get(row, "json"));
    json_decref(rows);
    if (!code && count > DELEGATIONS)
        code = fail(e, ERR_CONDITION,
                    "the policy has room for %d collections with deployments, windows, settings or orchestration; %s would be one more. "
                    "Withdraw old deployments, or let one collection include several",
                    DELEGATIONS - 1, collection);
    return code;
}

enum err collection_preview(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t            *stored = NULL, *list = NULL;
    struct collection *c = NULL;
    int64_t            nodes = rows_number(a->ledger, LEDGER_NODE_COUNT, "");
    enum err           code = to_stored(a, NULL, args, &stored, e);

    code = code ? code : from_stored(a->ledger, "preview", stored, 0, &c, e);
    code = code ? code : collection_members(a, c, &list, e);
    if (!code) {
        *out = listing(list);
        json_object_set_new(*out, "nodes", json_integer(nodes));
        json_object_set_new(*out, "message",
                            json_sprintf("%zu of the %lld enrolled nodes", json_array_size(list), (long long)nodes));
    }
    collection_free(c);
    json_decref(stored);
    return code;
}

enum err collection_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char        *name;
    struct collection *c = NULL;
    json_t            *list = NULL, *row;
    enum err           code = collection_there(a, args, &name, e);

    code = code ? code : collection_whole(a->ledger, name, &c, e);
    code = code ? code : collection_members(a, c, &list, e);
    collection_free(c);
    if (code)
        return code;
    row = rows_one(a->ledger, LEDGER_COLLECTION, "s", name);
    *out = json_pack("{s:s,s:O,s:o}", "name", name, "definition", json_object_get(row, "json"), "members", list);
    json_decref(row);
    return OK;
}

static const char *turns_word(const json_t *stored)
{
    const char *word = arg_text(json_object_get(stored, "orchestration"), "turns");

    return word ? word : "";
}

enum err collection_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_COLLECTIONS, &rows, e, "");

    (void)args;
    json_array_foreach(rows, i, row) {
        int64_t members = 0;
        json_t *stored = json_object_get(row, "json");
        checked(a, arg_text(row, "name"), stored, &members, NULL);
        json_object_set_new(row, "members", json_integer(members));
        json_object_set(row, "rule", json_object_get(stored, "rule"));
        json_object_set_new(row, "windows", json_integer((json_int_t)json_array_size(json_object_get(stored, "windows"))));
        json_object_set_new(row, "settings", json_boolean(json_object_get(stored, "settings") != NULL));
        json_object_set_new(row, "orchestration", json_string(turns_word(stored)));
        json_object_del(row, "json");
    }
    if (!code)
        *out = listing(rows);
    return code;
}
