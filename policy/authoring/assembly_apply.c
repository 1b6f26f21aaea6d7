/* What a run makes of the updates it has staged: the group, its content, its deployments. Every function in a transaction of the caller. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/assembly.h"
#include "policy/authoring/making.h"
#include "policy/authoring/rule_row.h"

/* --- staging --- */

enum err assembly_stage(struct author *a, const struct assembly *as, const json_t *ids, struct error *e)
{
    AUTO(text_free) char *maker = as->rule ? must_print("rule:%s", as->rule) : must_copy("deploy");
    json_t               *id;
    size_t                i;
    enum err              code = rows_run(a->ledger, LEDGER_STAGING_PUT, e, "ss", as->staging, maker);

    json_array_foreach(ids, i, id)
        code = code ? code : rows_run(a->ledger, LEDGER_MEMBER_PUT, e, "ss", as->staging, json_string_value(id));
    return code;
}

static enum err empty(struct author *a, const char *group, struct error *e)
{
    enum err code = rows_run(a->ledger, LEDGER_GROUP_DROP_MEMBERS, e, "s", group);

    code = code ? code : rows_run(a->ledger, LEDGER_WANTED_CLEAR, e, "s", group);
    return code ? code : rows_run(a->ledger, LEDGER_GROUP_CONTENT_CLEAR, e, "s", group);
}

enum err assembly_unstage(struct author *a, const char *staging, struct error *e)
{
    enum err code = empty(a, staging, e);

    return code ? code : rows_run(a->ledger, LEDGER_GROUP_DROP, e, "s", staging);
}

static enum err move_rows(struct author *a, const char *from, const char *to, struct error *e)
{
    enum err code = rows_run(a->ledger, LEDGER_MEMBERS_MOVE, e, "ss", from, to);

    code = code ? code : rows_run(a->ledger, LEDGER_WANTED_MOVE, e, "ss", from, to);
    return code ? code : rows_run(a->ledger, LEDGER_GROUP_CONTENT_MOVE, e, "ss", from, to);
}

static enum err become(struct author *a, const struct assembly *as, const char *group, const char *description, struct error *e)
{
    enum err code = move_rows(a, as->staging, group, e);

    return code ? code : rows_run(a->ledger, LEDGER_GROUP_NAMED, e, "sss", as->staging, group, description);
}

static enum err refill(struct author *a, const struct assembly *as, const char *group, const char *description, struct error *e)
{
    AUTO(text_free) char *maker = must_print("rule:%s", as->rule);
    enum err              code = OK;

    if (!rows_number(a->ledger, LEDGER_GROUP_HAS, "s", group))
        code = rows_run(a->ledger, LEDGER_GROUP_MADE, e, "sss", group, description, maker);
    code = code ? code : empty(a, group, e);
    code = code ? code : move_rows(a, as->staging, group, e);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_TAKES_ARCHIVES, e, "ss", group, as->staging);
    return code ? code : rows_run(a->ledger, LEDGER_GROUP_DROP, e, "s", as->staging);
}

/* --- what a rule makes --- */

/* "patch-tuesday-2026-11-11": the day of the nominal start where the site is. */
static char *group_of_run(struct author *a, const struct assembly *as, const struct zone *zone)
{
    struct civil          c = zone_civil(zone, as->nominal);
    AUTO(text_free) char *name = must_print("%s-%04d-%02d-%02d", as->rule, c.year, c.month, c.day);

    return making_name(a, LEDGER_GROUP_HAS, name);
}

static enum err make_deployment(struct author *a, const struct assembly *as, const json_t *rule, const json_t *row, const char *group,
                                const struct zone *zone, json_t *made, struct error *e)
{
    AUTO(text_free) char *name = must_print("%s-%s", group, arg_text(row, "name"));
    AUTO(text_free) char *maker = must_print("rule:%s:%s", as->rule, arg_text(row, "name")), *real = NULL;
    bool                  reuse = !strcmp(arg_text(rule, "mode"), "reuse");
    int64_t               deadline_s = arg_number(row, "deadline_s", -1), available = as->nominal + arg_number(row, "available_s", 0);
    struct terms          terms;
    enum err              code = terms_stored(json_object_get(row, "terms"), &terms, e);

    struct making m = {.name = name,
                       .group = group,
                       .collection = arg_text(row, "collection"),
                       .made_by = maker,
                       .terms = &terms,
                       .enabled = json_is_true(json_object_get(row, "enabled")) && !json_is_true(json_object_get(rule, "approval"))};
    if (code)
        return code;
    m.available = making_moment(&terms, zone, available);
    m.deadline = deadline_s < 0 ? 0 : making_moment(&terms, zone, available + deadline_s);
    code = reuse ? making_again(a, &m, &real, e) : making_new(a, &m, &real, e);
    if (!code)
        json_array_append_new(made, json_string(real));
    return code;
}

static enum err apply_rule(struct author *a, const struct assembly *as, const json_t *rule, json_t **out, struct error *e)
{
    json_t      *rows = NULL, *row, *made = json_array();
    struct zone *zone = NULL;
    size_t       i, to = 0;
    bool         reuse = !strcmp(arg_text(rule, "mode"), "reuse");
    const char  *description = arg_text(rule, "description") ? arg_text(rule, "description") : "";
    char        *group = NULL;
    enum err     code = site_zone(a, &zone, e);

    code = code ? code : rule_target_free(a, rule, e);
    if (!code)
        group = reuse ? must_copy(as->rule) : group_of_run(a, as, zone);
    code = code ? code : reuse ? refill(a, as, group, description, e) : become(a, as, group, description, e);
    code = code ? code : group_deployable(a, group, e);
    code = code ? code : making_assign(a, group, json_object_get(rule, "dps"), &to, e);
    code = code ? code : rows_all(a->ledger, LEDGER_RULE_DEPLOYMENTS, &rows, e, "ss", as->rule, NULL);
    json_array_foreach(rows, i, row)
        code = code ? code : make_deployment(a, as, rule, row, group, zone, made, e);
    if (!code) {
        *out = message("rule %s: %zu update%s in group %s, assigned to %zu distribution point%s; %zu deployment%s%s", as->rule, as->count,
                       as->count == 1 ? "" : "s", group, to, to == 1 ? "" : "s", json_array_size(made), json_array_size(made) == 1 ? "" : "s",
                       json_is_true(json_object_get(rule, "approval")) ? ", disabled until somebody enables them" : "");
        json_object_set_new(*out, "group", json_string(group));
        json_object_set(*out, "deployments", made);
    }
    zone_close(zone);
    json_decref(rows);
    json_decref(made);
    free(group);
    return code;
}

/* --- what `ferry deploy` makes --- */

/* Times such as +2h count from the command, however long the download took. */
static enum err apply_deploy(struct author *a, const struct assembly *as, json_t **out, struct error *e)
{
    struct author begun = *a;
    const char   *name = arg_text(as->args, "name");
    json_t       *args = json_copy(as->args);
    size_t        to = 0;
    enum err      code = OK;

    begun.now = as->nominal;
    json_object_set_new(args, "group", json_string(name));
    if (!arg_text(args, "purpose") && !arg_text(args, "template"))
        json_object_set_new(args, "purpose", json_string("required"));
    if (rows_number(a->ledger, LEDGER_GROUP_HAS, "s", name))
        code = fail(e, ERR_EXISTS, "group %s exists already; `ferry deployment create` deploys it, or give another name", name);
    code = code ? code : become(a, as, name, arg_text(args, "description") ? arg_text(args, "description") : "", e);
    code = code ? code : making_assign(a, name, json_object_get(args, "to"), &to, e);
    code = code ? code : deployment_create(&begun, args, out, e);
    if (!code) {
        json_object_set_new(*out, "group", json_string(name));
        json_object_set_new(*out, "deployments", json_pack("[s]", name));
        json_object_set_new(*out, "distribution_points", json_integer((json_int_t)to));
    }
    json_decref(args);
    return code;
}

enum err assembly_apply(struct author *a, const struct assembly *as, json_t **out, struct error *e)
{
    json_t  *rule;
    enum err code;

    if (as->rule) {
        rule = rows_one(a->ledger, LEDGER_RULES, "s", as->rule);
        code = rule ? apply_rule(a, as, rule, out, e) : fail(e, ERR_NOT_FOUND, "rule %s was deleted while it ran", as->rule);
        json_decref(rule);
    } else {
        code = apply_deploy(a, as, out, e);
    }
    if (!code)
        json_object_set_new(*out, "updates", json_integer((json_int_t)as->count));
    return code;
}
