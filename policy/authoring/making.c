/* Deployments made by something else than an administrator's own `deployment create`. */
#include "policy/authoring/making.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"

#define BODY (8u << 20) /* of a document; nodes read no more */

enum err offset_read(const char *text, const char *flag, int64_t *out, struct error *e)
{
    struct error why;

    if (duration_read(text + (*text == '+'), out, &why) || *out < 0)
        return fail(e, ERR_USAGE, "--%s: \"%.60s\" is no distance in time such as +3d, +36h or +0h", flag, text);
    return OK;
}

int64_t making_moment(const struct terms *t, const struct zone *zone, int64_t moment)
{
    return t->local_time ? zone_time(NULL, zone_civil(zone, moment)) : moment;
}

char *offset_print(int64_t seconds, char out[24])
{
    static const struct { int64_t size; char letter;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    size_t i = 0;

    while (seconds % units[i].size)
        i++;
    snprintf(out, 24, "+%lld%c", (long long)(seconds / units[i].size), seconds ? units[i].letter : 'h');
    return out;
}

char *making_name(struct author *a, enum ledger_sql has, const char *name)
{
    char *free_one = must_copy(name);

    for (int i = 2; rows_number(a->ledger, has, "s", free_one); i++) {
        free(free_one);
        free_one = must_print("%s-%d", name, i);
    }
    return free_one;
}

/* --- deployments --- */

/* As nodes read it, and no larger than they read. */
static enum err readable(struct author *a, const char *name, struct error *e)
{
    json_t            *row = rows_one(a->ledger, LEDGER_DEPLOYMENTS, "si", name, (int64_t)0), *json;
    struct deployment *d = NULL, *back = NULL;
    enum err           code = deployment_document(a, row, &d, e);

    json_decref(row);
    if (code)
        return code;
    json = deployment_to_json(d);
    code = deployment_from_json(json, &back, e);
    if (!code && json_dumpb(json, NULL, 0, JSON_COMPACT) > BODY)
        code = fail(e, ERR_CONDITION, "deployment %s would be larger than the %u MiB nodes read; fewer updates fit", name, BODY >> 20);
    deployment_free(back);
    deployment_free(d);
    json_decref(json);
    return code;
}

enum err making_new(struct author *a, const struct making *m, char **made, struct error *e)
{
    enum err code = terms_check(m->terms, m->available, m->deadline, e);
    char    *name, *terms;

    if (code)
        return code;
    name = making_name(a, LEDGER_DEPLOYMENT_HAS, m->name);
    terms = terms_text(m->terms);
    if (!rows_number(a->ledger, LEDGER_COLLECTION_HAS, "s", m->collection))
        code = no_such(a->ledger, LEDGER_COLLECTION_NAMES, "collection", m->collection, e);
    if (!code && !name_ok(name))
        code = fail(e, ERR_USAGE, "\"%s\" would be the deployment's name: it is longer than 64 letters", name);
    code = code ? code
                : rows_run(a->ledger, LEDGER_DEPLOYMENT_MAKE, e, "sssiiiiss", name, m->group, m->collection, m->available, m->deadline,
                           (int64_t)m->enabled, a->now, terms, m->made_by);
    code = code ? code : collections_fit(a, m->collection, e);
    code = code ? code : readable(a, name, e);
    free(terms);
    if (code)
        free(name);
    else
        *made = name;
    return code;
}

static bool same_aim(const struct making *m, const json_t *row, struct error *e)
{
    struct terms before;

    return !strcmp(arg_text(row, "collection"), m->collection) && !terms_stored(json_object_get(row, "terms"), &before, e) &&
           before.purpose == m->terms->purpose;
}

static enum err refresh(struct author *a, const struct making *m, struct error *e)
{
    char    *terms = terms_text(m->terms);
    enum err code = terms_check(m->terms, m->available, m->deadline, e);

    code = code ? code
                : rows_run(a->ledger, LEDGER_DEPLOYMENT_REFRESH, e, "ssiiis", m->name, m->group, m->available, m->deadline,
                           (int64_t)m->enabled, terms);
    code = code ? code : readable(a, m->name, e);
    free(terms);
    return code;
}

enum err making_again(struct author *a, const struct making *m, char **made, struct error *e)
{
    json_t  *row = rows_one(a->ledger, LEDGER_DEPLOYMENT_RAW, "s", m->name);
    bool     ours = row && arg_text(row, "made_by") && !strcmp(arg_text(row, "made_by"), m->made_by);
    bool     same = ours && same_aim(m, row, e);
    enum err code = OK;

    if (ours && !same && !arg_number(row, "withdrawn", 0))
        code = rows_run(a->ledger, LEDGER_DEPLOYMENT_WITHDRAW, e, "si", m->name, a->now);
    if (!code && same && !(code = refresh(a, m, e)))
        *made = must_copy(m->name);
    json_decref(row);
    return code || same ? code : making_new(a, m, made, e);
}

/* --- distribution points --- */

static bool nowhere(const json_t *dps)
{
    const char *first = json_string_value(json_array_get(dps, 0));

    return json_array_size(dps) == 1 && first && !strcmp(first, "none");
}

enum err making_dps_known(struct author *a, const json_t *dps, struct error *e)
{
    json_t *item;
    size_t  i;

    if (dps && !json_is_array(dps) && !json_is_null(dps))
        return fail(e, ERR_USAGE, "--to has to be a list of distribution points");
    json_array_foreach(dps, i, item) {
        const char *dp = json_string_value(item) ? json_string_value(item) : "";
        if (!nowhere(dps) && !rows_number(a->ledger, LEDGER_DP_HAS, "s", dp))
            return no_such(a->ledger, LEDGER_DP_NAMES, "distribution point", dp, e);
    }
    return OK;
}

enum err making_assign(struct author *a, const char *group, const json_t *dps, size_t *to, struct error *e)
{
    json_t  *rows = NULL, *item;
    size_t   i;
    enum err code = making_dps_known(a, dps, e);

    *to = 0;
    if (code || nowhere(dps))
        return code;
    code = rows_all(a->ledger, LEDGER_DP_NAMES, &rows, e, "");
    json_array_foreach(rows, i, item) {
        const char *dp = arg_text(item, "name");
        bool        chosen = !json_array_size(dps);
        size_t      k;
        json_t     *name;
        json_array_foreach(dps, k, name)
            chosen = chosen || !strcmp(json_string_value(name), dp);
        if (!code && chosen && !(code = rows_run(a->ledger, LEDGER_DP_GROUP_PUT, e, "ss", dp, group)))
            ++*to;
    }
    json_decref(rows);
    return code;
}

/* --- what is still needed --- */

enum err making_group_unused(struct author *a, const char *group, struct error *e)
{
    json_t  *phased = rows_one(a->ledger, LEDGER_PHASED_OF_GROUP, "s", group);
    enum err code = OK;

    if (phased)
        code = fail(e, ERR_CONDITION, "group %s is what phased deployment %s deploys; delete that first", group, arg_text(phased, "name"));
    json_decref(phased);
    return code;
}

enum err making_collection_unused(struct author *a, const char *collection, struct error *e)
{
    json_t  *aimed = rows_one(a->ledger, LEDGER_COLLECTION_AIMED, "s", collection);
    enum err code = OK;

    if (aimed)
        code = fail(e, ERR_CONDITION, "collection %s is where %s deploys to; change that first", collection, arg_text(aimed, "name"));
    json_decref(aimed);
    return code;
}

enum err making_dp_unused(struct author *a, const char *dp, struct error *e)
{
    json_t  *rule = rows_one(a->ledger, LEDGER_DP_AIMED, "s", dp);
    enum err code = OK;

    if (rule)
        code = fail(e, ERR_CONDITION, "rule %s sends content to distribution point %s; change its --to first", arg_text(rule, "name"), dp);
    json_decref(rule);
    return code;
}
