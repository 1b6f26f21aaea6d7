#include "policy/document/collection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"
#include "policy/document/update.h"

#define NODES    100000
#define INCLUDES 64
#define MEMBER_LONGEST (7 * 86400)              /* seconds one member may hold the lock */

static const char *const turns_words[] = {"none", "count", "percent", "sequence"};

static const struct property facts[] = {
    {"hostname", PROPERTY_TEXT, NULL, "the machine's name", NULL},
    {"node.id", PROPERTY_TEXT, NULL, "its id, made from its key", NULL},
    {"node.version", PROPERTY_TEXT, NULL, "Ferry's version there", NULL},
    {"os.id", PROPERTY_TEXT, NULL, "debian", NULL},
    {"os.version", PROPERTY_TEXT, NULL, "12", NULL},
    {"os.codename", PROPERTY_TEXT, NULL, "bookworm", NULL},
    {"arch", PROPERTY_TEXT, NULL, "amd64", NULL},
    {"kernel", PROPERTY_TEXT, NULL, "the running kernel's release", NULL},
    {"memory.mib", PROPERTY_NUMBER, NULL, "memory in MiB", NULL},
    {"address", PROPERTY_TEXT, NULL, "the address it is reached at in its branch", NULL},
    {"boundary.group", PROPERTY_TEXT, NULL, "its branch", NULL},
    {"role", PROPERTY_LIST, NULL, "client, distribution-point, site", NULL},
    {"timezone", PROPERTY_TEXT, NULL, "its time zone's IANA name: Europe/Berlin", NULL},
    {"machine.kind", PROPERTY_TEXT, NULL, "server or workstation", NULL},
};
const struct vocabulary fact_vocabulary = {facts, COUNT(facts), true};

static void list_free(struct collection **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        collection_free(list[i]);
    free(list);
}

void collection_free(struct collection *c)
{
    if (!c)
        return;
    list_free(c->include, c->include_count);
    list_free(c->exclude, c->exclude_count);
    collection_free(c->limit);
    for (size_t i = 0; i < c->window_count; i++)
        window_end(&c->windows[i]);
    free(c->windows);
    json_decref(c->settings);
    expression_free(c->parsed);
    words_free(c->nodes);
    free(c->audience);
    free(c->name);
    free(c->rule);
    free(c);
}

static enum err definition_read(const json_t *, const char *path, int depth, struct collection **out, struct error *);

static void list_read(struct reader *r, const char *name, int depth, struct collection ***out, size_t *count)
{
    const json_t *list = reader_array_or(r, name, INCLUDES);
    char          path[READER_PATH];

    *out = must_alloc((json_array_size(list) + 1) * sizeof **out);
    for (size_t i = 0; i < json_array_size(list) && !r->verdict; i++) {
        r->verdict = definition_read(json_array_get(list, i), reader_path(r, name, i, path), depth + 1, &(*out)[i], r->error);
        *count = i + !r->verdict;
    }
}

static void definition_members(struct reader *r, int depth, struct collection *c)
{
    struct error why;

    if (depth > COLLECTION_DEPTH)
        reader_fail(r, "", "included deeper than %d", COLLECTION_DEPTH);
    c->name = reader_copy(r, "name", 64);
    c->rule = reader_copy_or_null(r, "rule", 4096);
    c->nodes = reader_words(r, "nodes", NODES, 64);
    if (!r->verdict && !name_ok(c->name))
        reader_fail(r, "name", "\"%.64s\" is not a name", c->name);
    if (!r->verdict && c->rule && expression_parse(c->rule, &fact_vocabulary, &c->parsed, &why))
        reader_fail(r, "rule", "%.300s", why.text);
    list_read(r, "include", depth, &c->include, &c->include_count);
    list_read(r, "exclude", depth, &c->exclude, &c->exclude_count);
    if (reader_has(r, "limit")) {
        char          path[READER_PATH];
        const json_t *limit = reader_object(r, "limit");
        snprintf(path, sizeof path, "%.100s.limit", r->path);
        if (!r->verdict)
            r->verdict = definition_read(limit, path, depth + 1, &c->limit, r->error);
    }
}

static void windows_read(struct reader *r, struct collection *c)
{
    const json_t *list = reader_array_or(r, "windows", WINDOWS_MOST);
    char          path[READER_PATH];

    if (!json_array_size(list))
        return;
    c->windows = must_alloc(json_array_size(list) * sizeof *c->windows);
    for (size_t i = 0; i < json_array_size(list) && !r->verdict; i++) {
        r->verdict = window_from_json(json_array_get(list, i), reader_path(r, "windows", i, path), &c->windows[i], r->error);
        c->window_count = i + !r->verdict;
        for (size_t k = 0; k < i && !r->verdict; k++)
            if (!strcmp(c->windows[k].name, c->windows[i].name))
                reader_fail(r, "windows", "the name \"%.64s\" twice", c->windows[i].name);
    }
}

static void settings_read(struct reader *parent, struct collection *c)
{
    const json_t *values;
    struct reader r;
    char          path[READER_PATH + 8];

    if (!reader_has(parent, "settings"))
        return;
    reader_sub(&r, parent, "settings");
    c->settings_priority = reader_number(&r, "priority", 1, SETTINGS_PRIORITY_MOST);
    values = reader_object(&r, "values");
    snprintf(path, sizeof path, "%s.values", r.path);
    if (!r.verdict)
        r.verdict = settings_check(values, path, r.error);
    if (!r.verdict)
        c->settings = json_deep_copy(values);
    parent->verdict = reader_done(&r);
}

static enum turns turns_read(struct reader *r)
{
    const char *word = reader_text(r, "turns", 16);

    for (int i = TURNS_COUNT; i <= TURNS_SEQUENCE; i++)
        if (!strcmp(word, turns_words[i]))
            return (enum turns)i;
    reader_fail(r, "turns", "count, percent or sequence was expected");
    return TURNS_NONE;
}

static void orchestration_read(struct reader *parent, struct collection *c)
{
    struct orchestration *o = &c->orchestration;
    struct reader         r;

    if (!reader_has(parent, "orchestration"))
        return;
    reader_sub(&r, parent, "orchestration");
    o->turns = turns_read(&r);
    o->limit = o->turns == TURNS_SEQUENCE ? reader_number_or(&r, "limit", 1, 1, 1)
                                          : reader_number(&r, "limit", 1, o->turns == TURNS_PERCENT ? 100 : NODES);
    o->member_s = reader_number(&r, "member_s", 1, MEMBER_LONGEST);
    if (o->turns == TURNS_SEQUENCE && !c->nodes)
        reader_fail(&r, "turns", "a sequence is that of the collection's direct members, and it has none");
    parent->verdict = reader_done(&r);
}

/* What holds for the members is said once, by the collection that is deployed to; one that is only included decides who. */
static void rules_read(struct reader *r, int depth, struct collection *c)
{
    static const char *const names[] = {"windows", "settings", "orchestration"};

    for (size_t i = 0; i < COUNT(names) && depth; i++)
        if (reader_has(r, names[i]))
            reader_fail(r, names[i], "belongs to the outermost collection alone");
    if (depth)
        return;
    windows_read(r, c);
    settings_read(r, c);
    orchestration_read(r, c);
}

static enum err definition_read(const json_t *value, const char *path, int depth, struct collection **out, struct error *e)
{
    struct collection *c = must_alloc(sizeof *c);
    struct reader      r;

    reader_init(&r, value, path, e);
    if (depth == 0) {
        if (strcmp(reader_text(&r, "type", 32), "collection"))
            reader_fail(&r, "type", "\"collection\" was expected");
        c->seq = reader_number(&r, "seq", 1, INT64_MAX);
        c->audience = reader_copy(&r, "audience", 64);
    }
    definition_members(&r, depth, c);
    rules_read(&r, depth, c);
    if (reader_done(&r)) {
        collection_free(c);
        return r.verdict;
    }
    *out = c;
    return OK;
}

enum err collection_from_json(const json_t *value, struct collection **out, struct error *e)
{
    return definition_read(value, "collection", 0, out, e);
}

static json_t *definition_print(const struct collection *c);

static json_t *list_print(struct collection **list, size_t count)
{
    json_t *out = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(out, definition_print(list[i]));
    return out;
}

static json_t *definition_print(const struct collection *c)
{
    json_t *o = json_object();

    put_text(o, "name", c->name);
    put_text(o, "rule", c->rule);
    put_words(o, "nodes", c->nodes);
    if (c->include_count)
        json_object_set_new(o, "include", list_print(c->include, c->include_count));
    if (c->exclude_count)
        json_object_set_new(o, "exclude", list_print(c->exclude, c->exclude_count));
    if (c->limit)
        json_object_set_new(o, "limit", definition_print(c->limit));
    return o;
}

static void rules_print(const struct collection *c, json_t *o)
{
    const struct orchestration *turns = &c->orchestration;
    json_t                     *list = json_array();

    for (size_t i = 0; i < c->window_count; i++)
        json_array_append_new(list, window_to_json(&c->windows[i]));
    if (c->window_count)
        json_object_set(o, "windows", list);
    if (c->settings)
        json_object_set_new(o, "settings",
                            json_pack("{s:I,s:o}", "priority", (json_int_t)c->settings_priority, "values", json_deep_copy(c->settings)));
    if (turns->turns)
        json_object_set_new(o, "orchestration", json_pack("{s:s,s:I,s:I}", "turns", turns_words[turns->turns], "limit",
                                                          (json_int_t)turns->limit, "member_s", (json_int_t)turns->member_s));
    json_decref(list);
}

json_t *collection_to_json(const struct collection *c)
{
    json_t *o = definition_print(c);

    rules_print(c, o);
    put_text(o, "type", "collection");
    json_object_set_new(o, "seq", json_integer((json_int_t)c->seq));
    put_text(o, "audience", c->audience);
    return o;
}

bool fact_lookup(void *ctx, const char *name, size_t index, struct value *out)
{
    const json_t *value = json_object_get((const json_t *)ctx, name);

    if (json_is_array(value))
        value = json_array_get(value, index);
    else if (index)
        return false;
    memset(out, 0, sizeof *out);
    if (json_is_string(value)) {
        out->text = (char *)(uintptr_t)json_string_value(value);
    } else if (json_is_integer(value)) {
        out->kind = VALUE_NUMBER;
        out->number = json_integer_value(value);
        out->text = (char *)(uintptr_t) "";
    } else if (json_is_boolean(value)) {
        out->kind = VALUE_BOOL;
        out->number = json_is_true(value);
        out->text = (char *)(uintptr_t)(json_is_true(value) ? "true" : "false");
    } else {
        return false;
    }
    return true;
}

bool update_applies(const struct update *u, const json_t *node_facts, int64_t now)
{
    struct expression *x;
    bool               holds;

    if (!u->applies)
        return true;
    if (expression_parse(u->applies, &fact_vocabulary, &x, NULL))
        return false;
    holds = expression_true(x, fact_lookup, (void *)(uintptr_t)node_facts, now);
    expression_free(x);
    return holds;
}

struct asker {
    const char   *node_id;
    const json_t *facts;
    int64_t       now;
    char         *why;
};

static void say(const struct asker *a, const char *before, const char *word, const char *after)
{
    if (a->why)
        snprintf(a->why, 200, "%s%.120s%s", before, word, after);
}

static bool has(const struct collection *c, const struct asker *a)
{
    struct asker quiet = *a;
    bool         in = false;

    quiet.why = NULL;
    for (size_t i = 0; i < c->exclude_count; i++)
        if (has(c->exclude[i], &quiet)) {
            say(a, "excluded by collection ", c->exclude[i]->name, "");
            return false;
        }
    if (c->limit && !has(c->limit, &quiet)) {
        say(a, "not in the limiting collection ", c->limit->name, "");
        return false;
    }
    for (char **n = c->nodes; n && *n && !in; n++)
        if (!strcmp(*n, a->node_id)) {
            say(a, "a direct member of ", c->name, "");
            in = true;
        }
    if (!in && c->parsed && expression_true(c->parsed, fact_lookup, (void *)(uintptr_t)a->facts, a->now)) {
        say(a, "rule: ", c->rule, "");
        in = true;
    }
    for (size_t i = 0; i < c->include_count && !in; i++)
        if (has(c->include[i], &quiet)) {
            say(a, "included by collection ", c->include[i]->name, "");
            in = true;
        }
    if (!in)
        say(a, "neither rule, direct members nor includes of ", c->name, " name it");
    return in;
}

bool collection_has(const struct collection *c, const char *node_id, const json_t *node_facts, int64_t now, char why[200])
{
    struct asker a = {node_id, node_facts, now, why};

    return has(c, &a);
}
