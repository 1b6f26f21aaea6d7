/* The deployments of a rule: to whom each run's group goes, from when, until when, how. All share the rule's updates and schedule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/making.h"
#include "policy/authoring/noun.h"
#include "policy/authoring/rule_row.h"

#define NAMES_MOST 48          /* rule and deployment together: between them stand a date and, seldom, a number */
#define DEADLINE   (7 * 86400) /* behind the available time, unless given */

struct aim {
    const char  *collection;
    int64_t      available_s, deadline_s;       /* deadline behind available; -1: none */
    bool         enabled;
    struct terms terms;
};

static enum err take_times(const json_t *args, struct aim *m, struct error *e)
{
    const char *available = arg_text(args, "available"), *deadline = arg_text(args, "deadline");
    enum err    code = available ? offset_read(strcmp(available, "now") ? available : "0", "available", &m->available_s, e) : OK;
    bool        asap = deadline && (!strcmp(deadline, "now") || !strcmp(deadline, "asap"));

    if (!code && deadline)
        code = offset_read(asap ? "0" : deadline, "deadline", &m->deadline_s, e);
    if (!code && m->terms.purpose == PURPOSE_AVAILABLE && !deadline)
        m->deadline_s = -1;
    else if (!code && m->deadline_s < 0 && m->terms.purpose == PURPOSE_REQUIRED)
        m->deadline_s = DEADLINE;
    return code;
}

static enum err take_aim(struct author *a, const json_t *args, struct aim *m, struct error *e)
{
    enum err code = terms_take(a, args, &m->terms, e);

    if (arg_text(args, "collection"))
        m->collection = arg_text(args, "collection");
    if (json_is_boolean(json_object_get(args, "enabled")))
        m->enabled = json_is_true(json_object_get(args, "enabled"));
    code = code ? code : take_times(args, m, e);
    code = code ? code : terms_check(&m->terms, 1, m->deadline_s < 0 ? 0 : 1 + m->deadline_s, e);
    if (!code && !m->collection)
        code = fail(e, ERR_USAGE, "--collection is missing: to whom?");
    if (!code && !rows_number(a->ledger, LEDGER_COLLECTION_HAS, "s", m->collection))
        code = no_such(a->ledger, LEDGER_COLLECTION_NAMES, "collection", m->collection, e);
    return code;
}

static enum err store(struct author *a, enum ledger_sql sql, const char *rule, const char *name, const struct aim *m, struct error *e)
{
    char    *terms = terms_text(&m->terms);
    enum err code = rows_run(a->ledger, sql, e, "sssiiis", rule, name, m->collection, m->available_s, m->deadline_s, (int64_t)m->enabled,
                             terms);

    free(terms);
    return code;
}

static enum err name_good(struct author *a, const json_t *args, const char *rule, const char *name, struct error *e)
{
    json_t  *there = rows_one(a->ledger, LEDGER_RULE_DEPLOYMENTS, "ss", rule, name);
    enum err code = OK;

    if (there)
        code = fail(e, ERR_EXISTS, "rule %s has a deployment %s already", rule, name);
    else if (arg_text(args, "phased") || rows_number(a->ledger, LEDGER_PHASED_HAS, "s", name))
        code = fail(e, ERR_CONDITION,
                    "a rule cannot drive a phased deployment: each run is another set of updates, and a phase that has succeeded says nothing "
                    "about them; give the rule one deployment for each collection, with times of its own");
    else if (strlen(rule) + strlen(name) > NAMES_MOST)
        code = fail(e, ERR_USAGE, "the names of the rule and of its deployment have at most %d letters together", NAMES_MOST);
    json_decref(there);
    return code;
}

static json_t *said(const char *rule, const char *name, const struct aim *m)
{
    char available[24], deadline[24];

    return message("deployment %s of rule %s to %s: available %s behind a run's start, %s%s; in force from the rule's next run on", name, rule,
                   m->collection, offset_print(m->available_s, available), m->deadline_s < 0 ? "no deadline" : "deadline ",
                   m->deadline_s < 0 ? "" : offset_print(m->deadline_s, deadline));
}

enum err rule_deployment_add(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = NULL;
    struct aim  m = {.deadline_s = -1, .enabled = true};
    json_t     *rule;
    enum err    code = rule_there(a, args, &rule, e);

    if (code)
        return code;
    members_default(terms_table, terms_count, &m.terms);
    code = arg_name(args, "deployment", "deployment", &name, e);
    code = code ? code : name_good(a, args, arg_text(rule, "name"), name, e);
    code = code ? code : take_aim(a, args, &m, e);
    code = code ? code : store(a, LEDGER_RULE_DEPLOYMENT_PUT, arg_text(rule, "name"), name, &m, e);
    if (!code)
        *out = said(arg_text(rule, "name"), name, &m);
    json_decref(rule);
    return code;
}

/* The rule's row and its deployment's, both named by args. */
static enum err there(struct author *a, const json_t *args, json_t **rule, json_t **row, struct error *e)
{
    const char *name = arg_text(args, "deployment");
    enum err    code = rule_there(a, args, rule, e);

    if (code)
        return code;
    *row = name ? rows_one(a->ledger, LEDGER_RULE_DEPLOYMENTS, "ss", arg_text(*rule, "name"), name) : NULL;
    if (*row)
        return OK;
    code = no_such(a->ledger, LEDGER_RULE_DEPLOYMENT_NAMES, "deployment of a rule", name ? name : "", e);
    json_decref(*rule);
    return code;
}

/* Those of the latest run; names: for the answer, caller frees. */
static enum err switch_made(struct author *a, const char *rule, const char *name, bool enabled, char **names, struct error *e)
{
    AUTO(text_free) char *maker = must_print("rule:%s:%s", rule, name);
    json_t               *latest = rows_one(a->ledger, LEDGER_RUN_LATEST_GROUP, "s", rule), *made = NULL, *d;
    struct text           text = {0};
    size_t                i;
    enum err              code = OK;

    if (latest)
        code = rows_all(a->ledger, LEDGER_DEPLOYMENTS_MADE, &made, e, "ss", maker, arg_text(latest, "grp"));
    json_array_foreach(made, i, d) {
        code = code ? code : rows_run(a->ledger, LEDGER_DEPLOYMENT_ENABLE, e, "si", arg_text(d, "name"), (int64_t)enabled);
        text_add(&text, "%s%s", i ? ", " : "", arg_text(d, "name"));
    }
    *names = text_take(&text);
    json_decref(latest);
    json_decref(made);
    return code;
}

enum err rule_deployment_change(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t     *rule, *row;
    struct aim  m;
    char       *names = NULL;
    const char *name;
    bool        before;
    enum err    code = there(a, args, &rule, &row, e);

    if (code)
        return code;
    name = arg_text(row, "name");
    before = json_is_true(json_object_get(row, "enabled"));
    m = (struct aim){arg_text(row, "collection"), arg_number(row, "available_s", 0), arg_number(row, "deadline_s", 0), before, {0}};
    code = terms_stored(json_object_get(row, "terms"), &m.terms, e);
    code = code ? code : take_aim(a, args, &m, e);
    code = code ? code : store(a, LEDGER_RULE_DEPLOYMENT_CHANGE, arg_text(rule, "name"), name, &m, e);
    if (!code && m.enabled != before)
        code = switch_made(a, arg_text(rule, "name"), name, m.enabled, &names, e);
    if (!code && m.enabled != before)
        *out = message("deployment %s of rule %s is %s%s%s%s", name, arg_text(rule, "name"), m.enabled ? "enabled" : "disabled",
                       names && *names ? ", and with it what the latest run made: " : "; no run has made anything of it yet", names ? names : "",
                       m.enabled ? "" : "; later runs make it disabled");
    else if (!code)
        *out = said(arg_text(rule, "name"), name, &m);
    free(names);
    json_decref(row);
    json_decref(rule);
    return code;
}

enum err rule_deployment_remove(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rule, *row;
    enum err code = there(a, args, &rule, &row, e);

    if (code)
        return code;
    code = rows_run(a->ledger, LEDGER_RULE_DEPLOYMENT_DROP, e, "ss", arg_text(rule, "name"), arg_text(row, "name"));
    if (!code)
        *out = message("later runs of rule %s make no deployment %s; those that earlier runs made stay: `ferry deployment delete` withdraws "
                       "them",
                       arg_text(rule, "name"), arg_text(row, "name"));
    json_decref(row);
    json_decref(rule);
    return code;
}

enum err rule_deployments(struct author *a, const char *rule, const char *name, json_t **out, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_RULE_DEPLOYMENTS, &rows, e, "ss", rule, name);

    json_array_foreach(rows, i, row) {
        struct terms t;
        char         text[24];
        int64_t      deadline = arg_number(row, "deadline_s", 0);
        code = code ? code : terms_stored(json_object_get(row, "terms"), &t, e);
        if (code)
            continue;
        json_object_set_new(row, "available", json_string(offset_print(arg_number(row, "available_s", 0), text)));
        json_object_set_new(row, "deadline", json_string(deadline < 0 ? "none" : offset_print(deadline, text)));
        json_object_set_new(row, "terms", members_show(terms_table, terms_count, &t));
    }
    if (code)
        json_decref(rows);
    else
        *out = rows;
    return code;
}

enum err rule_deployment_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rule, *rows = NULL;
    enum err code = rule_there(a, args, &rule, e);

    if (code)
        return code;
    code = rule_deployments(a, arg_text(rule, "name"), NULL, &rows, e);
    json_decref(rule);
    if (!code)
        *out = listing(rows);
    return code;
}
