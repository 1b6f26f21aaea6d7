/* Deployments: what goes to whom, from when, until when, on which terms. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"

#define REASON_MOST 240                         /* as nodes read it */

struct asked {
    struct terms terms;
    int64_t      available, deadline;
    bool         enabled;
};

static enum err refer(struct author *a, const json_t *args, const char *member, enum ledger_sql has, enum ledger_sql names,
                      const char **out, struct error *e)
{
    *out = arg_text(args, member);
    if (!*out)
        return fail(e, ERR_USAGE, "--%s is missing", member);
    return rows_number(a->ledger, has, "s", *out) ? OK : no_such(a->ledger, names, member, *out, e);
}

/* "2026-11-24T22:00:00Z", or "2026-11-24 22:00 of each node's clock". */
static char *when(int64_t moment, bool local)
{
    struct civil c = zone_civil(NULL, moment);
    char         time[TIME_SIZE];

    if (!moment)
        return must_copy("none");
    if (local)
        return must_print("%04d-%02d-%02d %02d:%02d of each node's clock", c.year, c.month, c.day, c.hour, c.minute);
    return must_copy(time_print(moment, time));
}

void deployment_dress(json_t *row)
{
    struct terms terms;
    char        *available, *deadline;

    if (terms_stored(json_object_get(row, "terms"), &terms, NULL))
        members_default(terms_table, terms_count, &terms);
    available = when(arg_number(row, "available_s", 0), terms.local_time);
    deadline = when(arg_number(row, "deadline_s", 0), terms.local_time);
    json_object_set_new(row, "available", json_string(available));
    json_object_set_new(row, "deadline", json_string(deadline));
    json_object_set_new(row, "purpose", json_string(terms.purpose == PURPOSE_REQUIRED ? "required" : "available"));
    json_object_set_new(row, "terms", members_show(terms_table, terms_count, &terms));
    json_object_del(row, "available_s");
    json_object_del(row, "deadline_s");
    free(available);
    free(deadline);
}

static int64_t nodes_of(struct author *a, const char *collection)
{
    struct collection *c = NULL;
    json_t            *list = NULL;
    int64_t            count;

    if (!collection_whole(a->ledger, collection, &c, NULL))
        collection_members(a, c, &list, NULL);
    count = (int64_t)json_array_size(list);
    collection_free(c);
    json_decref(list);
    return count;
}

static json_t *created(struct author *a, const char *name, const char *group, const char *collection, const struct asked *d)
{
    int64_t updates = rows_number(a->ledger, LEDGER_GROUP_SIZE, "s", group), nodes = nodes_of(a, collection);
    char   *available = when(d->available, d->terms.local_time), *deadline = when(d->deadline, d->terms.local_time);
    bool    spread = d->deadline && d->terms.randomize_s;
    json_t *out = message("deployment %s: %lld updates of group %s to %lld nodes of %s, %s, available %s, deadline %s%s", name,
                          (long long)updates, group, (long long)nodes, collection,
                          d->terms.purpose == PURPOSE_REQUIRED ? "required" : "optional", available, deadline,
                          spread ? ", spread over the randomization time" : "");

    json_object_set_new(out, "updates", json_integer(updates));
    json_object_set_new(out, "nodes", json_integer(nodes));
    free(available);
    free(deadline);
    return out;
}

/* What became of a deployment, and whom it concerns. */
static json_t *told(struct author *a, const json_t *row, const char *what)
{
    int64_t updates = rows_number(a->ledger, LEDGER_GROUP_SIZE, "s", arg_text(row, "group"));
    int64_t nodes = nodes_of(a, arg_text(row, "collection"));
    json_t *out = message("deployment %s (%lld updates, %lld nodes) %s", arg_text(row, "name"), (long long)updates, (long long)nodes, what);

    json_object_set_new(out, "updates", json_integer(updates));
    json_object_set_new(out, "nodes", json_integer(nodes));
    return out;
}

static enum err purpose_given(const json_t *args, struct error *e)
{
    if (arg_text(args, "purpose") || arg_text(args, "template"))
        return OK;
    return fail(e, ERR_USAGE,
                "--required or --optional? A required deployment is installed at its deadline, an optional one when its user wants");
}

static enum err put(struct author *a, const char *name, const char *group, const char *collection, const struct asked *d, struct error *e)
{
    char    *terms = terms_text(&d->terms);
    enum err code = rows_run(a->ledger, LEDGER_DEPLOYMENT_PUT, e, "sssiiissi", name, group, collection, d->available, d->deadline,
                             (int64_t)d->enabled, terms, a->who, a->now);

    free(terms);
    return code;
}

enum err deployment_create(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char  *name = NULL, *group, *collection;
    struct asked d = {.enabled = !json_is_false(json_object_get(args, "enabled"))};
    enum err     code = arg_name(args, "name", "deployment", &name, e);

    members_default(terms_table, terms_count, &d.terms);
    if (!code && !strcmp(name, "collection"))
        code = fail(e, ERR_USAGE, "\"collection\" is the name of a collection's own document; name the deployment otherwise");
    if (!code && rows_number(a->ledger, LEDGER_DEPLOYMENT_HAS, "s", name))
        code = fail(e, ERR_EXISTS, "deployment %s exists already, or is being withdrawn", name);
    code = code ? code : refer(a, args, "group", LEDGER_GROUP_HAS, LEDGER_GROUP_NAMES, &group, e);
    code = code ? code : refer(a, args, "collection", LEDGER_COLLECTION_HAS, LEDGER_COLLECTION_NAMES, &collection, e);
    code = code ? code : purpose_given(args, e);
    code = code ? code : terms_take(a, args, &d.terms, e);
    code = code ? code : times_take(a, args, &d.terms, &d.available, &d.deadline, e);
    code = code ? code : terms_check(&d.terms, d.available, d.deadline, e);
    code = code ? code : group_deployable(a, group, e);
    code = code ? code : put(a, name, group, collection, &d, e);
    code = code ? code : collections_fit(a, collection, e);
    if (!code)
        *out = created(a, name, group, collection, &d);
    return code;
}

enum err deployment_row(struct author *a, const json_t *args, json_t **row, struct error *e)
{
    const char *name = arg_text(args, "name");

    *row = name ? rows_one(a->ledger, LEDGER_DEPLOYMENTS, "si", name, (int64_t)0) : NULL;
    return *row ? OK : no_such(a->ledger, LEDGER_DEPLOYMENT_NAMES, "deployment", name ? name : "", e);
}

/* Arguments over what is there. The purpose stays: nodes have acted on it already. */
static enum err changed(struct author *a, const json_t *args, const json_t *row, struct asked *d, struct error *e)
{
    enum err     code = terms_stored(json_object_get(row, "terms"), &d->terms, e);
    struct terms before = d->terms;

    d->available = arg_number(row, "available_s", 0);
    d->deadline = arg_number(row, "deadline_s", 0);
    d->enabled = json_is_true(json_object_get(row, "enabled"));
    if (json_is_boolean(json_object_get(args, "enabled")))
        d->enabled = json_is_true(json_object_get(args, "enabled"));
    code = code ? code : terms_take(a, args, &d->terms, e);
    if (!code && arg_text(args, "purpose") && d->terms.purpose != before.purpose)
        return fail(e, ERR_CONDITION, "whether a deployment is required or optional cannot be changed; delete it and make another");
    d->terms.purpose = before.purpose;
    if (!code && d->terms.local_time != before.local_time && !arg_text(args, "available") && !(d->deadline && arg_text(args, "deadline")))
        return fail(e, ERR_USAGE, "--local-time changes what the times mean: give --available and --deadline as well");
    code = code ? code : times_take(a, args, &d->terms, &d->available, &d->deadline, e);
    return code ? code : terms_check(&d->terms, d->available, d->deadline, e);
}

enum err deployment_change(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t      *row;
    struct asked d;
    char        *terms = NULL;
    enum err     code = deployment_row(a, args, &row, e);

    if (code)
        return code;
    code = changed(a, args, row, &d, e);
    if (!code) {
        terms = terms_text(&d.terms);
        code = rows_run(a->ledger, LEDGER_DEPLOYMENT_CHANGE, e, "siiis", arg_text(row, "name"), (int64_t)d.enabled, d.available, d.deadline,
                        terms);
    }
    if (!code)
        *out = told(a, row, d.enabled ? "is in force" : "is disabled: nothing that has not begun begins");
    free(terms);
    json_decref(row);
    return code;
}

/* What has not begun does not begin; what has been installed stays. */
enum err deployment_halt(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *reason = arg_text(args, "reason");
    json_t     *row;
    enum err    code = deployment_row(a, args, &row, e);

    if (!code && (!reason || strlen(reason) > REASON_MOST))
        code = fail(e, ERR_USAGE, "--reason is needed, at most %d letters: every node is told why", REASON_MOST);
    code = code ? code : rows_run(a->ledger, LEDGER_DEPLOYMENT_HALT, e, "ss", arg_text(row, "name"), reason);
    if (!code)
        *out = told(a, row, "is halted: nothing that has not begun begins");
    json_decref(row);
    return code;
}

enum err deployment_resume(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t     *row;
    const char *maker, *phased;
    enum err    code = deployment_row(a, args, &row, e);

    if (code)
        return code;
    maker = arg_text(row, "made_by");
    phased = maker && !strncmp(maker, "phased:", 7) ? maker + 7 : NULL;
    if (!arg_text(row, "halted"))
        code = fail(e, ERR_CONDITION, "deployment %s is not halted", arg_text(row, "name"));
    if (!code && phased && rows_number(a->ledger, LEDGER_PHASED_HALTED, "s", phased))
        code = fail(e, ERR_CONDITION, "phased deployment %s holds it; `ferry phased resume %s` goes on", phased, phased);
    code = code ? code : rows_run(a->ledger, LEDGER_DEPLOYMENT_HALT, e, "ss", arg_text(row, "name"), "");
    if (!code)
        *out = told(a, row, "goes on");
    json_decref(row);
    return code;
}

enum err deployment_delete(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row;
    enum err code = deployment_row(a, args, &row, e);

    if (code)
        return code;
    code = rows_run(a->ledger, LEDGER_DEPLOYMENT_WITHDRAW, e, "si", arg_text(row, "name"), a->now);
    if (!code)
        *out = told(a, row, "is withdrawn; it stays as a tombstone until every node has heard");
    json_decref(row);
    return code;
}

enum err deployment_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_DEPLOYMENTS, &rows, e, "si", NULL, (int64_t)0);

    (void)args;
    json_array_foreach(rows, i, row)
        deployment_dress(row);
    if (!code)
        *out = listing(rows);
    return code;
}

enum err deployment_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t      *row, *members = NULL;
    struct tally t = {0};
    enum err     code = deployment_row(a, args, &row, e);

    if (code)
        return code;
    code = tally_deployment(a, row, &t, e);
    code = code ? code : rows_all(a->ledger, LEDGER_GROUP_MEMBERS, &members, e, "s", arg_text(row, "group"));
    if (code) {
        json_decref(row);
        return code;
    }
    deployment_dress(row);
    tally_print(&t, row);
    json_object_set_new(row, "updates", members);
    *out = row;
    return OK;
}
