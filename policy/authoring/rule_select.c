/* What a rule selects, and why not the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/authoring/rule_row.h"
#include "policy/document/json.h"

enum err rule_filter(struct author *a, const json_t *row, char **filter, struct error *e)
{
    const char *search = arg_text(row, "search");
    json_t     *found = search ? rows_one(a->ledger, LEDGER_SEARCH, "s", search) : NULL;

    if (search && !found)
        return no_such(a->ledger, LEDGER_SEARCH_NAMES, "search", search, e);
    *filter = must_copy(search ? arg_text(found, "filter") : arg_text(row, "filter"));
    json_decref(found);
    return OK;
}

/* What its catalog no longer has cannot be fetched any more, expired or not: a run that selected it would fail. */
enum err rule_select(struct author *a, const json_t *row, json_t **ids, struct error *e)
{
    json_t  *parameters = NULL, *rows = NULL, *found;
    char    *filter = NULL, *where = NULL, *sql;
    size_t   i;
    enum err code = rule_filter(a, row, &filter, e);

    code = code ? code : find_where(filter, a->now, &where, &parameters, e);
    free(filter);
    if (code)
        return code;
    sql = must_print("SELECT id FROM upd WHERE expired = 0 AND gone = 0 AND (%s) ORDER BY id", where);
    code = rows_found(a->ledger, sql, parameters, &rows, e);
    *ids = code ? NULL : json_array();
    json_array_foreach(rows, i, found)
        json_array_append(*ids, json_object_get(found, "id"));
    json_decref(rows);
    json_decref(parameters);
    free(where);
    free(sql);
    return code;
}

/* --- preview: the same language, one candidate after the other --- */

struct candidate {
    const json_t *row;
    char          text[TIME_SIZE], word[256];
};

static const struct property *property_of(const char *name)
{
    for (size_t i = 0; i < update_vocabulary.count; i++)
        if (!strcmp(update_vocabulary.properties[i].name, name))
            return &update_vocabulary.properties[i];
    return NULL;
}

/* " a b c " by index. */
static bool member_of_list(struct candidate *c, const char *list, size_t index, struct value *out)
{
    list += strspn(list, " ");
    for (; index && *list; index--) {
        list += strcspn(list, " ");
        list += strspn(list, " ");
    }
    if (!*list)
        return false;
    snprintf(c->word, sizeof c->word, "%.*s", (int)strcspn(list, " "), list);
    *out = (struct value){VALUE_TEXT, c->word, 0};
    return true;
}

static bool candidate_lookup(void *ctx, const char *name, size_t index, struct value *out)
{
    struct candidate      *c = ctx;
    const struct property *p = property_of(name);
    const json_t          *value = json_object_get(c->row, name);
    int64_t                number = json_integer_value(value);

    if (!p || !value || json_is_null(value) || (index && p->type != PROPERTY_LIST))
        return false;
    if (p->type == PROPERTY_LIST)
        return member_of_list(c, json_string_value(value) ? json_string_value(value) : "", index, out);
    if (json_is_string(value)) {
        *out = (struct value){VALUE_TEXT, (char *)(uintptr_t)json_string_value(value), 0};
        return true;
    }
    if (p->type == PROPERTY_TIME && !number)
        return false;                           /* not known: no comparison holds, as in SQL */
    if (p->type == PROPERTY_TIME)
        time_print(number, c->text);
    else if (p->type == PROPERTY_BOOL)
        snprintf(c->text, sizeof c->text, "%s", number ? "true" : "false");
    else
        snprintf(c->text, sizeof c->text, "%lld", (long long)number);
    *out = (struct value){p->type == PROPERTY_TIME   ? VALUE_TIME
                          : p->type == PROPERTY_BOOL ? VALUE_BOOL
                                                     : VALUE_NUMBER,
                          c->text, number};
    return true;
}

/* Only the columns the filter asks for: there may be tens of thousands of updates. */
static void add_columns(struct text *sql, const struct expression *x, json_t *seen)
{
    if (!x)
        return;
    if (x->kind == EXPRESSION_TEST && x->property && !json_object_get(seen, x->property->name)) {
        text_add(sql, ", %s AS \"%s\"", x->property->sql, x->property->name);
        json_object_set_new(seen, x->property->name, json_true());
    }
    add_columns(sql, x->left, seen);
    add_columns(sql, x->right, seen);
}

static enum err candidates(struct author *a, const struct expression *x, json_t **out, struct error *e)
{
    struct text sql = {0};
    json_t     *seen = json_pack("{s:b,s:b,s:b,s:b}", "id", 1, "name", 1, "version", 1, "title", 1);
    enum err    code;

    text_add(&sql, "SELECT id, name, version, title, gone");
    add_columns(&sql, x, seen);
    text_add(&sql, " FROM upd WHERE expired = 0 ORDER BY name, version");
    code = rows_found(a->ledger, sql.data, NULL, out, e);
    text_end(&sql);
    json_decref(seen);
    return code;
}

/* "required > 50 (it is 3)": those that fail the same test stand together. */
static void count_reason(json_t *counts, const char *why)
{
    const char *value = strstr(why, " (it is");
    char        key[200];

    snprintf(key, sizeof key, "%.*s", (int)(value ? value - why : (long)strlen(why)), why);
    json_object_set_new(counts, key, json_integer(json_integer_value(json_object_get(counts, key)) + 1));
}

static json_t *short_row(const json_t *row, const char *reason)
{
    json_t *o = json_object();

    for (size_t i = 0; i < 4; i++) {
        static const char *const members[] = {"id", "name", "version", "title"};
        json_object_set(o, members[i], json_object_get(row, members[i]));
    }
    if (reason)
        json_object_set_new(o, "reason", json_string(reason));
    return o;
}

static json_t *reasons_of(const json_t *counts)
{
    json_t     *list = json_array(), *n;
    const char *why;

    json_object_foreach((json_t *)(uintptr_t)counts, why, n) json_array_append_new(list, json_pack("{s:s,s:O}", "reason", why, "count", n));
    return list;
}

static json_t *judge_all(struct author *a, const struct expression *x, const json_t *rows, const json_t *ids, bool all)
{
    json_t *selected = json_array(), *others = json_array(), *counts = json_object(), *chosen = json_object(), *row, *id, *out;
    size_t  i;
    char    why[200];

    json_array_foreach(ids, i, id)
        json_object_set_new(chosen, json_string_value(id), json_true());
    json_array_foreach(rows, i, row) {
        struct candidate c = {.row = row};
        if (json_object_get(chosen, arg_text(row, "id"))) {
            json_array_append_new(selected, short_row(row, NULL));
            continue;
        }
        if (rule_judge(x, false, candidate_lookup, &c, a->now, why) == RULE_SELECTED)
            snprintf(why, sizeof why, "%s", arg_number(row, "gone", 0) ? "its catalog no longer has it" : "it does not match the filter");
        count_reason(counts, why);
        if (all)
            json_array_append_new(others, short_row(row, why));
    }
    out = json_pack("{s:o,s:I,s:o,s:o,s:I}", "selected", selected, "count", (json_int_t)json_array_size(selected), "reasons",
                    reasons_of(counts), "others", others, "of", (json_int_t)json_array_size(rows));
    json_decref(counts);
    json_decref(chosen);
    return out;
}

enum err rule_preview(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    struct expression *x = NULL;
    json_t            *row, *rows = NULL, *ids = NULL;
    char              *filter = NULL;
    enum err           code = rule_there(a, args, &row, e);

    if (code)
        return code;
    code = rule_filter(a, row, &filter, e);
    code = code ? code : rule_select(a, row, &ids, e);
    code = code ? code : expression_parse(filter, &update_vocabulary, &x, e);
    code = code ? code : candidates(a, x, &rows, e);
    if (!code) {
        *out = judge_all(a, x, rows, ids, json_is_true(json_object_get(args, "all")) || arg_number(args, "all", 0));
        json_object_set_new(*out, "rule", json_string(arg_text(row, "name")));
        json_object_set_new(*out, "filter", json_string(filter));
        if (json_array_size(ids) > RULE_UPDATES)
            json_object_set_new(*out, "warning", json_sprintf("a run would fail: it takes at most %d updates", RULE_UPDATES));
    }
    expression_free(x);
    json_decref(rows);
    json_decref(ids);
    json_decref(row);
    free(filter);
    return code;
}
