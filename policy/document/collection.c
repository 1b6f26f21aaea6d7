#include "policy/document/collection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"
#include "policy/document/update.h"

#define NODES    100000
#define INCLUDES 64

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

json_t *collection_to_json(const struct collection *c)
{
    json_t *o = definition_print(c);

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
