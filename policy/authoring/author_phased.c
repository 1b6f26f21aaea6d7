/* Phased deployments: made, shown, suspended, resumed, moved on. What time does to them stands in phase_step.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/authoring/phase_row.h"
#include "policy/authoring/phased_row.h"
#include "policy/authoring/rollout.h"

enum err phased_there(struct author *a, const json_t *args, json_t **row, struct error *e)
{
    const char *name = arg_text(args, "name");

    *row = name ? rows_one(a->ledger, LEDGER_PHASEDS, "s", name) : NULL;
    return *row ? OK : no_such(a->ledger, LEDGER_PHASED_NAMES, "phased deployment", name ? name : "", e);
}

/* --- create --- */

/* One distribution point has it all, or is a web server that does not tell; or the nodes may ask the vendor. */
static enum err distributed(struct author *a, const char *group, const struct phase *first, struct error *e)
{
    json_t  *dps = NULL, *dp;
    size_t   i;
    bool     good = first->terms.origin_fallback;
    enum err code = rows_all(a->ledger, LEDGER_GROUP_DPS, &dps, e, "s", group);
    size_t   count = json_array_size(dps);

    json_array_foreach(dps, i, dp)
        good = good || !arg_text(dp, "node") || !rows_number(a->ledger, LEDGER_GROUP_LACKING, "ss", group, arg_text(dp, "name"));
    json_decref(dps);
    if (code || good)
        return code;
    return count ? fail(e, ERR_CONDITION, "no distribution point holds all of group %s yet; `ferry content status` shows how far they are", group)
                 : fail(e, ERR_CONDITION, "group %s is on no distribution point; type: ferry content distribute %s --to DP", group, group);
}

static enum err group_fit(struct author *a, const json_t *args, const char **group, struct error *e)
{
    json_t     *row;
    const char *maker;
    enum err    code = OK;

    *group = arg_text(args, "group");
    if (!*group)
        return fail(e, ERR_USAGE, "--group is missing: what?");
    row = rows_one(a->ledger, LEDGER_GROUP_MADE_BY, "s", *group);
    if (!row)
        return no_such(a->ledger, LEDGER_GROUP_NAMES, "group", *group, e);
    maker = arg_text(row, "made_by");
    if ((maker && !strncmp(maker, "rule:", 5)) || arg_text(args, "rule"))
        code = fail(e, ERR_CONDITION,
                    "a rule cannot drive a phased deployment, and group %s is made by rule %s: its runs decide what is in it, and a phase that "
                    "has succeeded would say nothing about that; make a group of these updates with `ferry group create`",
                    *group, maker && !strncmp(maker, "rule:", 5) ? maker + 5 : arg_text(args, "rule"));
    else if ((code = group_deployable(a, *group, e)))
        ;
    else if (!rows_number(a->ledger, LEDGER_GROUP_SIZE, "s", *group))
        code = fail(e, ERR_CONDITION, "group %s is empty", *group);
    else if (rows_number(a->ledger, LEDGER_GROUP_NOT_DOWNLOADED, "s", *group))
        code = fail(e, ERR_CONDITION, "not every update of group %s has its content here; type: ferry content download %s", *group, *group);
    json_decref(row);
    return code;
}

/* --phase …, or the two of --first and --second. */
static enum err specs_of(const json_t *args, json_t **out, struct error *e)
{
    const char *first = arg_text(args, "first"), *second = arg_text(args, "second");
    json_t     *given = json_object_get(args, "phases"), *item;
    size_t      i;

    if (!json_array_size(given) && first && second) {
        *out = json_pack("[s,s]", first, second);
        return OK;
    }
    if (!json_array_size(given) || first || second)
        return fail(e, ERR_USAGE, "--phase COLLECTION,KEY=VALUE… for each phase, or --first COLLECTION --second COLLECTION");
    if (json_array_size(given) > PHASES_MOST)
        return fail(e, ERR_USAGE, "%zu phases; at most %d are accepted", json_array_size(given), PHASES_MOST);
    json_array_foreach(given, i, item)
        if (!json_is_string(item))
            return fail(e, ERR_USAGE, "phases have to be texts such as pilot,success=95%%");
    *out = json_incref(given);
    return OK;
}

enum err phase_new_here(struct author *a, const char *phased, const char *collection, int64_t but, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_PHASES, &rows, e, "s", phased);

    json_array_foreach(rows, i, row)
        if (!code && arg_number(row, "position", 0) != but && !strcmp(arg_text(row, "collection"), collection))
            code = fail(e, ERR_USAGE, "collection %s has phase %lld already", collection, (long long)arg_number(row, "position", 0));
    json_decref(rows);
    return code;
}

static enum err put_phase(struct author *a, const json_t *args, const char *phased, const char *spec, int64_t position, struct phase *p,
                          struct error *e)
{
    json_t  *kept = NULL;
    enum err code;

    phase_default(p, position == 1);
    p->position = position;
    code = terms_take(a, args, &p->terms, e);
    code = code ? code : phase_take(spec, true, p, &kept, e);
    code = code ? code : phase_check(a, p, e);
    code = code ? code : phase_new_here(a, phased, p->collection, position, e);
    code = code ? code : phase_store(a, LEDGER_PHASE_PUT, phased, p, e);
    p->collection = NULL;
    json_decref(kept);
    return code;
}

static json_t *created(struct author *a, const char *name, size_t count)
{
    AUTO(text_free) char *maker = must_print("phased:%s", name);
    json_t               *made = NULL, *d, *names = json_array(), *out;
    size_t                i;

    if (!rows_all(a->ledger, LEDGER_DEPLOYMENTS_MADE, &made, NULL, "ss", maker, NULL))
        json_array_foreach(made, i, d)
            json_array_append(names, json_object_get(d, "name"));
    if (json_array_size(names))
        out = message("phased deployment %s: %zu phases; the first has begun as deployment %s", name, count,
                      json_string_value(json_array_get(names, 0)));
    else
        out = message("phased deployment %s: %zu phases; the first begins by itself at its time, or with `ferry phased next %s`", name, count,
                      name);
    json_object_set_new(out, "deployments", names);
    json_decref(made);
    return out;
}

/* A plan wants to know what all phases will do: as if each succeeded at once. */
static enum err begin_all(struct author *a, const json_t *row, struct error *e)
{
    struct author later = *a;
    json_t       *rows = NULL, *one;
    size_t        i;
    enum err      code = rows_all(a->ledger, LEDGER_PHASES, &rows, e, "s", arg_text(row, "name"));

    json_array_foreach(rows, i, one) {
        struct phase p;
        code = code ? code : phase_from_row(one, &p, e);
        if (code)
            break;
        later.now += p.begin == BEGIN_AFTER ? p.after_s + p.gate.soak_s : 0;
        if (!*p.deployment)
            code = phase_begins_now(&later, row, &p, "", e);
    }
    json_decref(rows);
    return code;
}

enum err phased_create(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char  *name = NULL, *group = NULL;
    struct phase p, first = {0};
    struct step  step = {0};
    json_t      *specs = NULL, *spec, *row = NULL;
    size_t       i;
    enum err     code = arg_name(args, "name", "phased deployment", &name, e);

    if (!code && rows_number(a->ledger, LEDGER_PHASED_HAS, "s", name))
        code = fail(e, ERR_EXISTS, "phased deployment %s exists already", name);
    code = code ? code : group_fit(a, args, &group, e);
    code = code ? code : specs_of(args, &specs, e);
    code = code ? code
                : rows_run(a->ledger, LEDGER_PHASED_PUT, e, "sssi", name, arg_text(args, "description") ? arg_text(args, "description") : "",
                           group, a->now);
    json_array_foreach(specs, i, spec) {
        code = code ? code : put_phase(a, args, name, json_string_value(spec), (int64_t)i + 1, &p, e);
        first = i ? first : p;
    }
    code = code ? code : distributed(a, group, &first, e);
    if (!code) {
        row = rows_one(a->ledger, LEDGER_PHASEDS, "s", name);
        code = phased_advance(a, row, &step, e);
        code = code || !a->plan ? code : begin_all(a, row, e);
    }
    step_end(&step);
    if (!code)
        *out = created(a, name, json_array_size(specs));
    json_decref(row);
    json_decref(specs);
    return code;
}

/* --- looking --- */

static const char *advice(const char *state)
{
    return !strcmp(state, "halted")      ? "`ferry phased resume` accepts the failures and goes on"
           : !strcmp(state, "suspended") ? "`ferry phased resume` goes on"
                                         : "";
}

static enum err one_status(struct author *a, struct step *s, const json_t *one, json_t **out, struct error *e)
{
    struct phase                p;
    struct judged               j = {0};
    const struct phase_figures *f = &j.figures;
    enum err                    code = phase_from_row(one, &p, e);

    if (!code && p.state != PHASE_WAITING)
        code = phase_judged(a, s, &p, &j, e);
    if (code)
        return code;
    *out = phase_show(&p);
    if (p.state != PHASE_WAITING) {
        json_object_set_new(*out, "nodes", json_integer(f->nodes));
        json_object_set_new(*out, "compliant", json_integer(f->compliant));
        json_object_set_new(*out, "failed", json_integer(f->failed));
        json_object_set_new(*out, "in_progress", json_integer(f->in_progress));
        json_object_set_new(*out, "unknown", json_integer(f->unknown));
        json_object_set_new(*out, "why", json_string(j.verdict.why));
    }
    return OK;
}

enum err phased_status(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t     *row, *rows = NULL, *one, *phases = json_array(), *shown;
    struct step step = {0};
    size_t      i;
    enum err    code = phased_there(a, args, &row, e);

    code = code ? code : rows_all(a->ledger, LEDGER_PHASES, &rows, e, "s", arg_text(row, "name"));
    json_array_foreach(rows, i, one)
        if (!code && !(code = one_status(a, &step, one, &shown, e)))
            json_array_append_new(phases, shown);
    if (!code) {
        json_object_set_new(row, "advice", json_string(advice(arg_text(row, "state"))));
        json_object_del(row, "created_s");
        json_object_set(row, "phases", phases);
        *out = json_incref(row);
    }
    step_end(&step);
    json_decref(row);
    json_decref(rows);
    json_decref(phases);
    return code;
}

enum err phased_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL, *row, *phases;
    size_t   i, k;
    enum err code = rows_all(a->ledger, LEDGER_PHASEDS, &rows, e, "s", NULL);

    (void)args;
    json_array_foreach(rows, i, row) {
        int64_t     begun = 0;
        const char *current = "";
        json_t     *phase;
        phases = NULL;
        code = code ? code : rows_all(a->ledger, LEDGER_PHASES, &phases, e, "s", arg_text(row, "name"));
        json_array_foreach(phases, k, phase) {
            if (!strcmp(arg_text(phase, "state"), "waiting"))
                continue;
            begun++;
            current = arg_text(phase, "collection");
        }
        json_object_set_new(row, "phase", json_sprintf("%lld of %zu", (long long)begun, json_array_size(phases)));
        json_object_set_new(row, "collection", json_string(current));
        json_object_del(row, "created_s");
        json_decref(phases);
    }
    if (!code)
        *out = listing(rows);
    return code;
}

enum err phased_history(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row, *rows = NULL;
    enum err code = phased_there(a, args, &row, e);

    if (code)
        return code;
    code = rows_all(a->ledger, LEDGER_PHASE_LOG, &rows, e, "si", arg_text(row, "name"), arg_number(args, "limit", 100));
    if (!code)
        *out = listing(rows);
    json_decref(row);
    return code;
}
