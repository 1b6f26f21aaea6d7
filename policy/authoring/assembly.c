/* One run: updates selected, staged, and, once their content is in the library, made into a group and its deployments by one transaction.
 *
 *   recorded - selected - proposed (all of it, and rolled back) - staged - downloaded by the caller - assembly_finish: real, recorded
 *                 anything refused on the way: assembly_failed: recorded, nothing has changed
 *
 * The staging group's name begins with ~, which no name may: no command reaches it, no deployment carries it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/assembly.h"
#include "policy/authoring/making.h"
#include "policy/authoring/noun.h"
#include "policy/authoring/rollout.h"
#include "policy/authoring/rule_row.h"

static const char *const causes[] = {"by hand", "after sync", "schedule", "retry"};

void assembly_free(struct assembly *as)
{
    if (!as)
        return;
    json_decref(as->args);
    free(as->rule);
    free(as->staging);
    free(as);
}

/* --- beginning --- */

static enum err few_enough(const json_t *ids, struct error *e)
{
    if (json_array_size(ids) > RULE_UPDATES)
        return fail(e, ERR_CONDITION, "%zu updates are selected, at most %d can be deployed together; narrow the filter", json_array_size(ids),
                    RULE_UPDATES);
    return OK;
}

/* Everything is tried before anything is fetched: what would be refused in the end is refused now. */
static enum err propose(struct author *a, const struct assembly *as, const json_t *ids, struct error *e)
{
    json_t  *out = NULL;
    enum err code = ledger_begin(a->ledger, e), back;

    code = code ? code : assembly_stage(a, as, ids, e);
    code = code ? code : assembly_apply(a, as, &out, e);
    json_decref(out);
    back = ledger_back(a->ledger, code ? NULL : e);
    return code ? code : back;
}

static enum err stage_for_good(struct author *a, const struct assembly *as, const json_t *ids, struct error *e)
{
    enum err code = ledger_begin(a->ledger, e);

    code = code ? code : assembly_stage(a, as, ids, e);
    return ledger_end(a->ledger, code, e);
}

static enum err prepare(struct author *a, struct assembly *as, const json_t *ids, struct error *e)
{
    enum err code = few_enough(ids, e);

    as->count = json_array_size(ids);
    code = code || !as->count ? code : propose(a, as, ids, e);
    return code || !as->count ? code : stage_for_good(a, as, ids, e);
}

static struct assembly *record(struct author *a, const char *rule, const char *cause, int64_t nominal, struct error *e)
{
    struct assembly *as;
    json_t          *row = rows_one(a->ledger, LEDGER_RUN_PUT, "ssii", rule ? rule : "", cause, nominal, a->now);

    if (!row) {
        fail(e, ERR_AGAIN, "the run cannot be recorded in the site's database");
        return NULL;
    }
    as = must_alloc(sizeof *as);
    as->run = arg_number(row, "id", 0);
    as->rule = must_copy(rule);
    as->staging = must_print("~%lld", (long long)as->run);
    as->nominal = nominal;
    json_decref(row);
    return as;
}

static enum err audit(struct author *a, const struct assembly *as, const json_t *out, struct error *e)
{
    json_t  *what = as->rule ? json_pack("{s:s,s:I}", "name", as->rule, "run", (json_int_t)as->run) : json_deep_copy(as->args);
    char    *text;
    enum err code;

    json_object_set(what, "group", json_object_get(out, "group"));
    text = json_dumps(what, JSON_COMPACT | JSON_SORT_KEYS);
    code = rows_run(a->ledger, LEDGER_AUDIT_PUT, e, "isss", a->now, a->who, as->rule ? "rule.run" : "deploy", text);
    json_decref(what);
    free(text);
    return code;
}

static enum err went_well(struct author *a, const struct assembly *as, const json_t *out, const json_t *ids, struct error *e)
{
    char    *updates = json_array_size(ids) ? json_dumps(ids, JSON_COMPACT) : must_copy("[]"), detail[40];
    enum err code;

    snprintf(detail, sizeof detail, "%zu update%s", as->count, as->count == 1 ? "" : "s");
    code = rows_run(a->ledger, LEDGER_RUN_END, e, "iisssis", as->run, a->now, "ok", detail, arg_text(out, "group") ? arg_text(out, "group") : "",
                    (int64_t)as->count, updates);
    if (!code && as->rule) {
        code = rows_run(a->ledger, LEDGER_RULE_WENT_WELL, e, "s", as->rule);
        code = code ? code : alert_close(a, "rule-failed", as->rule, "", e);
        code = code ? code : rows_run(a->ledger, LEDGER_RUN_SWEEP, e, "s", as->rule);
    }
    free(updates);
    return code ? code : audit(a, as, out, e);
}

static enum err nothing_found(struct author *a, const struct assembly *as, struct error *e)
{
    enum err code = ledger_begin(a->ledger, e);

    code = code ? code : went_well(a, as, NULL, NULL, e);
    return ledger_end(a->ledger, code, e);
}

static enum err begun(struct author *a, const char *rule, enum rule_trigger trigger, int64_t nominal, struct assembly **out, struct error *e)
{
    char    *synced = ledger_setting(a->ledger, "sync.news");
    enum err code = ledger_begin(a->ledger, e);

    if (!code && !(*out = record(a, rule, causes[trigger], nominal, e)))
        code = ERR_AGAIN;
    code = code ? code
                : rows_run(a->ledger, LEDGER_RULE_BEGUN, e, "sii", rule, nominal,
                           synced ? (int64_t)strtoll(synced, NULL, 10) : 0);
    code = ledger_end(a->ledger, code, e);
    if (code) {
        assembly_free(*out);
        *out = NULL;
    }
    free(synced);
    return code;
}

static enum err runnable(struct author *a, const char *name, json_t **rule, struct error *e)
{
    *rule = rows_one(a->ledger, LEDGER_RULES, "s", name);
    if (!*rule)
        return no_such(a->ledger, LEDGER_RULE_NAMES, "rule", name, e);
    if (json_is_true(json_object_get(*rule, "enabled")))
        return OK;
    json_decref(*rule);
    return fail(e, ERR_CONDITION, "rule %s is disabled: it does not run, not by hand either; `ferry rule enable %s`", name, name);
}

enum err assembly_rule(struct author *a, const char *name, enum rule_trigger trigger, int64_t nominal, struct assembly **out, struct error *e)
{
    json_t  *rule, *ids = NULL;
    enum err code;

    *out = NULL;
    code = runnable(a, name, &rule, e);
    if (code)
        return code;
    code = begun(a, name, trigger, nominal, out, e);
    code = code ? code : rule_select(a, rule, &ids, e);
    code = code ? code : prepare(a, *out, ids, e);
    if (!code && !(*out)->count)
        code = nothing_found(a, *out, e);
    json_decref(ids);
    json_decref(rule);
    return code;
}

/* Expired ones never, nor what no catalog has any more, however they were named. */
static enum err deploy_ids(struct author *a, const json_t *args, json_t **ids, struct error *e)
{
    const char *name = NULL;
    json_t     *found = NULL, *id;
    size_t      i;
    enum err    code = arg_name(args, "name", "deployment", &name, e);

    code = code ? code : find_updates(a, args, &found, e);
    *ids = json_array();
    json_array_foreach(found, i, id)
        if (rows_number(a->ledger, LEDGER_UPDATE_LIVE, "s", json_string_value(id)))
            json_array_append(*ids, id);
    if (!code && !json_array_size(*ids))
        code = fail(e, ERR_NOT_FOUND, "no update is selected%s; nothing was made",
                    json_array_size(found) ? " that has not expired and that its catalog still has" : "");
    json_decref(found);
    return code ? code : few_enough(*ids, e);
}

enum err assembly_deploy(struct author *a, const json_t *args, struct assembly **out, struct error *e)
{
    json_t  *ids = NULL;
    enum err code;

    *out = NULL;
    code = deploy_ids(a, args, &ids, e);
    if (!code && !(*out = record(a, NULL, "by hand", a->now, e)))
        code = ERR_AGAIN;
    if (!code) {
        (*out)->args = json_deep_copy(args);
        code = prepare(a, *out, ids, e);
    }
    json_decref(ids);
    return code;
}

/* --- ending --- */

static enum err whole(struct author *a, const struct assembly *as, json_t **ids, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_GROUP_MEMBER_IDS, &rows, e, "s", as->staging);

    *ids = json_array();
    json_array_foreach(rows, i, row)
        json_array_append(*ids, json_object_get(row, "id"));
    json_decref(rows);
    if (!code && (json_array_size(*ids) != as->count || rows_number(a->ledger, LEDGER_GROUP_NOT_DOWNLOADED, "s", as->staging)))
        code = fail(e, ERR_CONDITION, "what was staged is not what was selected, or not all of its content is here");
    return code;
}

enum err assembly_finish(struct author *a, struct assembly *as, json_t **out, struct error *e)
{
    json_t  *ids = NULL;
    enum err code = ledger_begin(a->ledger, e);

    *out = NULL;
    code = code ? code : whole(a, as, &ids, e);
    code = code ? code : assembly_apply(a, as, out, e);
    code = code ? code : went_well(a, as, *out, ids, e);
    code = ledger_end(a->ledger, code, e);
    json_decref(ids);
    if (code) {
        json_decref(*out);
        *out = NULL;
    }
    return code;
}

static enum err went_wrong(struct author *a, const char *rule, int64_t run, const char *code_name, const char *text, struct error *e)
{
    json_t  *row = *rule ? rows_one(a->ledger, LEDGER_RULES, "s", rule) : NULL;
    bool     asked = json_is_true(json_object_get(row, "severity_alert"));
    enum err code = rows_run(a->ledger, LEDGER_RUN_END, e, "iisssis", run, a->now, code_name, text, "", (int64_t)0, "[]");

    if (!code && row) {
        code = rows_run(a->ledger, LEDGER_RULE_WENT_WRONG, e, "si", rule, a->now);
        code = code ? code : alert_raise(a, "rule-failed", rule, asked ? ALERT_CRITICAL : ALERT_WARNING, "", text, e);
    }
    json_decref(row);
    return code;
}

enum err assembly_failed(struct author *a, struct assembly *as, const struct error *why, struct error *e)
{
    enum err code = ledger_begin(a->ledger, e);

    code = code ? code : assembly_unstage(a, as->staging, e);
    code = code ? code : went_wrong(a, as->rule ? as->rule : "", as->run, err_name(why->code), why->text, e);
    return ledger_end(a->ledger, code, e);
}

enum err assembly_sweep(struct author *a, struct error *e)
{
    json_t  *stagings = NULL, *open = NULL, *row;
    size_t   i;
    enum err code = ledger_begin(a->ledger, e);

    code = code ? code : rows_all(a->ledger, LEDGER_STAGINGS, &stagings, e, "");
    json_array_foreach(stagings, i, row)
        code = code ? code : assembly_unstage(a, arg_text(row, "name"), e);
    code = code ? code : rows_all(a->ledger, LEDGER_RUN_OPEN, &open, e, "");
    json_array_foreach(open, i, row)
        code = code ? code
                    : went_wrong(a, arg_text(row, "rule") ? arg_text(row, "rule") : "", arg_number(row, "id", 0), "failed",
                                 "ferryd ended while it ran; nothing was changed", e);
    json_decref(stagings);
    json_decref(open);
    return ledger_end(a->ledger, code, e);
}

/* --- as a dry run: what a run would make now; author_run takes it back --- */

static enum err dry(struct author *a, struct assembly *as, const json_t *ids, json_t **out, struct error *e)
{
    enum err code = few_enough(ids, e);

    if (!code && !a->dry_run)
        return fail(e, ERR_CONDITION, "its content has to be fetched first, which a running ferryd does");
    as->count = json_array_size(ids);
    as->nominal = a->now;
    if (!code && !as->count) {
        *out = message("0 updates are selected: a run would change nothing");
        json_object_set_new(*out, "deployments", json_array());
        return OK;
    }
    as->staging = must_copy("~dry");
    code = code ? code : assembly_stage(a, as, ids, e);
    return code ? code : assembly_apply(a, as, out, e);
}

enum err rule_run(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char     *name = arg_text(args, "name") ? arg_text(args, "name") : "";
    struct assembly as = {.rule = must_copy(name)};
    json_t         *rule = NULL, *ids = NULL;
    enum err        code = runnable(a, name, &rule, e);

    if (!code) {
        code = rule_select(a, rule, &ids, e);
        code = code ? code : dry(a, &as, ids, out, e);
        json_decref(rule);
    }
    json_decref(ids);
    free(as.rule);
    free(as.staging);
    return code;
}

enum err deploy_run(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    struct assembly as = {.args = (json_t *)(uintptr_t)args};
    json_t         *ids = NULL;
    enum err        code = deploy_ids(a, args, &ids, e);

    code = code ? code : dry(a, &as, ids, out, e);
    json_decref(ids);
    free(as.staging);
    return code;
}
