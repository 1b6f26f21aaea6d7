/* Saved searches: a filter over updates with a name, for lists, groups and rules. */
#include <stdlib.h>

#include "base/text.h"
#include "policy/authoring/noun.h"

enum err search_save(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = NULL, *filter = arg_text(args, "filter"), *description = arg_text(args, "description");
    int64_t     count = 0;
    enum err    code = arg_name(args, "name", "search", &name, e);

    if (!code && !filter)
        code = fail(e, ERR_USAGE, "a filter is missing, such as 'classification = security and required > 50'");
    code = code ? code : find_count(a, filter, &count, e);
    code = code ? code : rows_run(a->ledger, LEDGER_SEARCH_PUT, e, "sssi", name, filter, description, a->now);
    if (code)
        return code;
    *out = message("search %s finds %lld updates now", name, (long long)count);
    json_object_set_new(*out, "updates", json_integer(count));
    return OK;
}

static enum err search_row(struct author *a, const json_t *args, json_t **row, struct error *e)
{
    const char *name = arg_text(args, "name");

    *row = name ? rows_one(a->ledger, LEDGER_SEARCH, "s", name) : NULL;
    return *row ? OK : no_such(a->ledger, LEDGER_SEARCH_NAMES, "search", name ? name : "", e);
}

enum err search_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_SEARCHES, &rows, e, "");

    (void)args;
    if (!code)
        *out = listing(rows);
    return code;
}

enum err search_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row, *rules = NULL;
    int64_t  count = 0;
    enum err code = search_row(a, args, &row, e);

    if (code)
        return code;
    code = find_count(a, arg_text(row, "filter"), &count, e);
    code = code ? code : rows_all(a->ledger, LEDGER_SEARCH_RULES, &rules, e, "s", arg_text(row, "name"));
    if (code) {
        json_decref(row);
        return code;
    }
    json_object_set_new(row, "updates", json_integer(count));
    json_object_set_new(row, "rules", rules);
    *out = row;
    return OK;
}

enum err search_delete(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t     *row, *rules = NULL;
    const char *name;
    enum err    code = search_row(a, args, &row, e);

    if (code)
        return code;
    name = arg_text(row, "name");
    code = rows_all(a->ledger, LEDGER_SEARCH_RULES, &rules, e, "s", name);
    if (!code && json_array_size(rules))
        code = fail(e, ERR_CONDITION, "rule %s selects with search %s; change the rule first", arg_text(json_array_get(rules, 0), "name"),
                    name);
    code = code ? code : rows_run(a->ledger, LEDGER_SEARCH_DROP, e, "s", name);
    if (!code)
        *out = message("search %s is gone", name);
    json_decref(rules);
    json_decref(row);
    return code;
}

enum err search_run(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *asked = json_copy((json_t *)(uintptr_t)args), *row;
    enum err code = search_row(a, args, &row, e);

    if (!code)
        json_object_set(asked, "search", json_object_get(row, "name"));
    code = code ? code : update_list(a, asked, out, e);
    json_decref(row);
    json_decref(asked);
    return code;
}
