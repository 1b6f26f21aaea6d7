/* Groups of updates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"

static enum err group_there(struct author *a, const json_t *args, const char **name, struct error *e)
{
    *name = arg_text(args, "name");
    if (!*name || !rows_number(a->ledger, LEDGER_GROUP_HAS, "s", *name))
        return no_such(a->ledger, LEDGER_GROUP_NAMES, "group", *name ? *name : "", e);
    return OK;
}

enum err group_create(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = NULL;
    enum err    code = arg_name(args, "name", "group", &name, e);

    if (!code && rows_number(a->ledger, LEDGER_GROUP_HAS, "s", name))
        code = fail(e, ERR_EXISTS, "group %s exists already", name);
    code = code ? code
                : rows_run(a->ledger, LEDGER_GROUP_PUT, e, "ss", name, arg_text(args, "description") ? arg_text(args, "description") : "");
    if (!code)
        *out = message("group %s; `ferry group add %s --filter …` fills it", name, name);
    return code;
}

enum err group_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_GROUPS, &rows, e, "s", NULL);

    (void)args;
    if (!code)
        *out = listing(rows);
    return code;
}

enum err group_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name;
    json_t     *members = NULL;
    enum err    code = group_there(a, args, &name, e);

    code = code ? code : rows_all(a->ledger, LEDGER_GROUP_MEMBERS, &members, e, "s", name);
    if (code)
        return code;
    *out = rows_one(a->ledger, LEDGER_GROUPS, "s", name);
    json_object_set_new(*out, "members", members);
    return OK;
}

static enum err group_edit(struct author *a, const json_t *args, enum ledger_sql sql, int64_t *changed, json_t **out, struct error *e)
{
    const char *name;
    json_t     *ids = NULL, *id;
    size_t      i;
    enum err    code = group_there(a, args, &name, e);

    code = code ? code : find_updates(a, args, &ids, e);
    *changed = 0;
    json_array_foreach(ids, i, id)
        if (!code && !(code = rows_run(a->ledger, sql, e, "ss", name, json_string_value(id))))
            *changed += ledger_changes(a->ledger);
    if (!code && rows_number(a->ledger, LEDGER_GROUP_SIZE, "s", name) > DEPLOYMENT_UPDATES)
        code = fail(e, ERR_CONDITION, "group %s would hold more than %d updates, which is what one deployment may carry", name,
                    DEPLOYMENT_UPDATES);
    if (!code)
        *out = message("%lld updates %s; group %s now holds %lld%s", (long long)*changed, sql == LEDGER_MEMBER_PUT ? "added" : "removed",
                       name, (long long)rows_number(a->ledger, LEDGER_GROUP_SIZE, "s", name),
                       rows_number(a->ledger, LEDGER_GROUP_DEPLOYED, "s", name) ? "; it is deployed, so this takes effect" : "");
    if (!code)
        json_object_set_new(*out, "changed", json_integer(*changed));
    json_decref(ids);
    return code;
}

enum err group_add(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    int64_t changed;

    return group_edit(a, args, LEDGER_MEMBER_PUT, &changed, out, e);
}

enum err group_remove(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    int64_t changed;

    return group_edit(a, args, LEDGER_MEMBER_DROP, &changed, out, e);
}

enum err group_delete(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name;
    enum err    code = group_there(a, args, &name, e);

    if (!code && rows_number(a->ledger, LEDGER_GROUP_DEPLOYED, "s", name))
        code = fail(e, ERR_CONDITION, "group %s is deployed; delete its deployments first", name);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_DROP_MEMBERS, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_WANTED_CLEAR, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_CONTENT_CLEAR, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_NOWHERE, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_DROP, e, "s", name);
    if (!code)
        *out = message("group %s is gone", name);
    return code;
}
