/* Groups of updates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/making.h"
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
                : rows_run(a->ledger, LEDGER_GROUP_PUT, e, "ssi", name, arg_text(args, "description") ? arg_text(args, "description") : "",
                           (int64_t)json_is_true(json_object_get(args, "report_only")));
    if (!code && find_asked(args))
        return group_add(a, args, out, e);
    if (!code)
        *out = message("group %s; `ferry group add %s --filter …` fills it", name, name);
    return code;
}

enum err group_change(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name, *description = json_string_value(json_object_get(args, "description"));
    json_t     *row = NULL, *report = json_object_get(args, "report_only");
    bool        only;
    enum err    code = group_there(a, args, &name, e);

    if (code)
        return code;
    row = rows_one(a->ledger, LEDGER_GROUPS, "s", name);
    only = json_is_boolean(report) ? json_is_true(report) : json_is_true(json_object_get(row, "report_only"));
    if (!description && !json_is_boolean(report))
        code = fail(e, ERR_USAGE, "nothing to change: --description, --report-only and --no-report-only are accepted");
    if (!code && only && rows_number(a->ledger, LEDGER_GROUP_DEPLOYED, "s", name))
        code = fail(e, ERR_CONDITION, "group %s is deployed: it cannot be for reports only", name);
    code = code ? code
                : rows_run(a->ledger, LEDGER_GROUP_CHANGE, e, "ssi", name, description ? description : arg_text(row, "description"),
                           (int64_t)only);
    if (!code)
        *out = message("group %s, %lld updates%s", name, (long long)arg_number(row, "updates", 0), only ? ", for reports only" : "");
    json_decref(row);
    return code;
}

enum err group_deployable(struct author *a, const char *group, struct error *e)
{
    if (!rows_number(a->ledger, LEDGER_GROUP_REPORT_ONLY, "s", group))
        return OK;
    return fail(e, ERR_CONDITION, "group %s is report-only: it is there to be looked at, not deployed; `ferry group change %s "
                "--no-report-only` lifts that", group, group);
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

static json_t *edited(struct author *a, const char *name, int64_t changed, bool added)
{
    int64_t expired = rows_number(a->ledger, LEDGER_GROUP_EXPIRED, "s", name);
    char   *note = expired ? must_print(", of which %lld have expired and are not deployed", (long long)expired) : must_copy("");
    json_t *out = message("%lld updates %s; group %s now holds %lld%s%s", (long long)changed, added ? "added" : "removed", name,
                          (long long)rows_number(a->ledger, LEDGER_GROUP_SIZE, "s", name), note,
                          rows_number(a->ledger, LEDGER_GROUP_DEPLOYED, "s", name) ? "; it is deployed, so this takes effect" : "");

    free(note);
    return out;
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
        *out = edited(a, name, *changed, sql == LEDGER_MEMBER_PUT);
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
    code = code ? code : making_group_unused(a, name, e);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_DROP_MEMBERS, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_WANTED_CLEAR, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_CONTENT_CLEAR, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_NOWHERE, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_DROP, e, "s", name);
    if (!code)
        *out = message("group %s is gone", name);
    return code;
}
