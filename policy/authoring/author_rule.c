/* Automatic deployment rules: what they are. What their runs do stands in assembly.c, what they select in rule_select.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/making.h"
#include "policy/authoring/noun.h"
#include "policy/authoring/rollout.h"
#include "policy/authoring/rule_row.h"

#define NAME_MOST 40 /* the date, the deployment's name and a number follow it in the names of what the rule makes */

enum err rule_there(struct author *a, const json_t *args, json_t **row, struct error *e)
{
    const char *name = arg_text(args, "name");

    *row = name ? rows_one(a->ledger, LEDGER_RULES, "s", name) : NULL;
    return *row ? OK : no_such(a->ledger, LEDGER_RULE_NAMES, "rule", name ? name : "", e);
}

/* --- its clock --- */

enum err rule_clock_of(struct author *a, const json_t *row, struct schedule *schedule, struct rule_clock *out, struct error *e)
{
    const char *text = arg_text(row, "schedule");
    char       *synced = ledger_setting(a->ledger, "sync.news");
    enum err    code = text ? schedule_parse(text, schedule, e) : OK;

    *out = (struct rule_clock){.enabled = json_is_true(json_object_get(row, "enabled")),
                               .after_sync = json_is_true(json_object_get(row, "after_sync")),
                               .schedule = text ? schedule : NULL,
                               .since = arg_number(row, "since", 0),
                               .last_nominal = arg_number(row, "last_nominal", 0),
                               .last_sync = synced ? strtoll(synced, NULL, 10) : 0,
                               .last_sync_run = arg_number(row, "last_sync_run", 0),
                               .failures = (int)arg_number(row, "failures", 0),
                               .last_failed = arg_number(row, "last_failed", 0)};
    free(synced);
    return code;
}

static enum err due_of(struct author *a, const json_t *row, const struct zone *zone, struct rule_due *due, struct error *e)
{
    struct schedule   schedule;
    struct rule_clock clock;
    enum err          code = rule_clock_of(a, row, &schedule, &clock, e);

    if (code)
        return code;
    *due = rule_due(&clock, zone, a->now);
    /* A clock that was set back comes by the same time again: what its record says has run does not run twice. */
    if (due->run && due->trigger == RULE_ON_SCHEDULE && rows_number(a->ledger, LEDGER_RULE_RAN, "si", arg_text(row, "name"), due->nominal)) {
        clock.last_nominal = due->nominal;
        *due = rule_due(&clock, zone, a->now);
    }
    return OK;
}

/* A wall clock that was set back must not hold rules until it has caught up: what lies ahead of now was now. */
static enum err come_back(struct author *a, struct error *e)
{
    char    *news = ledger_setting(a->ledger, "sync.news");
    bool     ahead = news && strtoll(news, NULL, 10) > a->now;
    enum err code = ahead ? rules_synced(a, e) : OK;

    free(news);
    if (!code && rows_number(a->ledger, LEDGER_RULES_AHEAD, "i", a->now))
        code = rows_run(a->ledger, LEDGER_RULES_BACK, e, "i", a->now);
    return code;
}

enum err rules_due(struct author *a, char **rule, struct rule_due *due, struct error *e)
{
    json_t      *rows = NULL, *row;
    struct zone *zone = NULL;
    size_t       i;
    enum err     code = come_back(a, e);

    *rule = NULL;
    *due = (struct rule_due){0};
    code = code ? code : rows_all(a->ledger, LEDGER_RULES, &rows, e, "s", NULL);
    code = code ? code : site_zone(a, &zone, e);
    json_array_foreach(rows, i, row) {
        struct rule_due one = {0};
        code = code ? code : due_of(a, row, zone, &one, e);
        if (code || *rule)
            continue;
        if (one.run) {
            *rule = must_copy(arg_text(row, "name"));
            *due = one;
        } else if (one.wake && (!due->wake || one.wake < due->wake)) {
            due->wake = one.wake;
        }
    }
    zone_close(zone);
    json_decref(rows);
    return code;
}

/* When it runs next, for people: a time, "after the next sync that brings something", "by hand". */
static void put_next(struct author *a, json_t *row)
{
    struct zone    *zone = NULL;
    struct rule_due due = {0};
    char            text[TIME_SIZE];
    const char     *next = "by hand";

    if (!site_zone(a, &zone, NULL) && !due_of(a, row, zone, &due, NULL)) {
        if (!json_is_true(json_object_get(row, "enabled")))
            next = "disabled";
        else if (due.run)
            next = "now";
        else if (due.wake)
            next = time_print(due.wake, text);
        else if (json_is_true(json_object_get(row, "after_sync")))
            next = "after a sync";
    }
    json_object_set_new(row, "next", json_string(next));
    zone_close(zone);
}

static void put_last(struct author *a, json_t *row)
{
    json_t *runs = NULL, *run;

    if (rows_all(a->ledger, LEDGER_RUNS, &runs, NULL, "si", arg_text(row, "name"), (int64_t)1))
        return;
    run = json_array_get(runs, 0);
    json_object_set(row, "last", run ? json_object_get(run, "began") : json_object_get(row, "schedule"));
    if (!run)
        json_object_set_new(row, "last", json_string(""));
    json_object_set_new(row, "outcome",
                        json_string(!run                    ? "never ran"
                                    : !arg_text(run, "code") ? "running"
                                                             : arg_text(run, "code")));
    json_decref(runs);
}

/* What the ledger needs and nobody wants to read. */
static void for_people(struct author *a, json_t *row)
{
    static const char *const inside[] = {"since", "last_nominal", "last_sync_run", "last_failed"};

    put_next(a, row);
    put_last(a, row);
    json_object_set(row, "group", json_object_get(row, "mode"));
    json_object_del(row, "mode");
    for (size_t i = 0; i < COUNT(inside); i++)
        json_object_del(row, inside[i]);
}

/* --- checks --- */

/* design.md 8.11, and nobody's own group is emptied. */
static enum err group_free(struct author *a, const char *rule, struct error *e)
{
    AUTO(text_free) char *maker = must_print("rule:%s", rule);
    json_t               *group = rows_one(a->ledger, LEDGER_GROUP_MADE_BY, "s", rule);
    json_t               *phased = rows_one(a->ledger, LEDGER_PHASED_OF_GROUP, "s", rule);
    enum err              code = OK;

    if (phased)
        code = fail(e, ERR_CONDITION,
                    "group %s has the phased deployment %s, and a rule cannot drive a phased deployment: its runs would change the group "
                    "under phases that have succeeded; give the rule another name, or --group new",
                    rule, arg_text(phased, "name"));
    else if (group && (!arg_text(group, "made_by") || strcmp(arg_text(group, "made_by"), maker)))
        code = fail(e, ERR_EXISTS, "group %s exists already and would be emptied at each run; give the rule another name, or --group new",
                    rule);
    json_decref(group);
    json_decref(phased);
    return code;
}

enum err rule_target_free(struct author *a, const json_t *row, struct error *e)
{
    return strcmp(arg_text(row, "mode"), "reuse") ? OK : group_free(a, arg_text(row, "name"), e);
}

static enum err selection_check(struct author *a, const json_t *row, int64_t *count, struct error *e)
{
    json_t  *ids = NULL;
    enum err code;

    if (!arg_text(row, "filter") == !arg_text(row, "search"))
        return fail(e, ERR_USAGE, "--filter or --search? One of them says which updates");
    code = rule_select(a, row, &ids, e);
    *count = (int64_t)json_array_size(ids);
    json_decref(ids);
    return code;
}

static enum err rule_check(struct author *a, const json_t *row, int64_t *count, struct error *e)
{
    struct schedule schedule;
    const char     *mode = arg_text(row, "mode");
    enum err        code = selection_check(a, row, count, e);

    if (!code && arg_text(row, "schedule"))
        code = schedule_parse(arg_text(row, "schedule"), &schedule, e);
    if (!code && (!mode || (strcmp(mode, "new") && strcmp(mode, "reuse"))))
        code = fail(e, ERR_USAGE, "--group is new (a group for each run) or reuse (one group, emptied and filled again)");
    if (!code && arg_text(row, "description") && strlen(arg_text(row, "description")) > 256)
        code = fail(e, ERR_USAGE, "--description has at most 256 letters");
    code = code ? code : making_dps_known(a, json_object_get(row, "dps"), e);
    return code ? code : rule_target_free(a, row, e);
}

/* Arguments over the row. What was given as --filter ends a --search, and the other way round. */
static void merge(json_t *row, const json_t *args)
{
    static const struct { const char *arg, *member;
    } members[] = {{"description", "description"}, {"filter", "filter"},         {"search", "search"},
                   {"schedule", "schedule"},       {"after_sync", "after_sync"}, {"group", "mode"},
                   {"approval", "approval"},       {"to", "dps"},                {"severity_alert", "severity_alert"},
                   {"enabled", "enabled"}};

    if (arg_text(args, "filter") && !arg_text(args, "search"))
        json_object_set_new(row, "search", json_string(""));
    if (arg_text(args, "search") && !arg_text(args, "filter"))
        json_object_set_new(row, "filter", json_string(""));
    for (size_t i = 0; i < COUNT(members); i++)
        if (json_object_get(args, members[i].arg))
            json_object_set(row, members[i].member, json_object_get(args, members[i].arg));
    if (arg_text(row, "schedule") && !strcmp(arg_text(row, "schedule"), "none"))
        json_object_set_new(row, "schedule", json_string(""));
}

static int64_t truth(const json_t *row, const char *member)
{
    return json_is_true(json_object_get(row, member));
}

static const char *word(const json_t *row, const char *member)
{
    return arg_text(row, member) ? arg_text(row, member) : "";
}

static enum err store(struct author *a, enum ledger_sql sql, const json_t *row, struct error *e)
{
    json_t  *list = json_object_get(row, "dps");
    char    *dps = json_is_array(list) ? json_dumps(list, JSON_COMPACT) : must_copy("[]");
    enum err code = rows_run(a->ledger, sql, e, "sssssisiisii", arg_text(row, "name"), word(row, "description"), word(row, "filter"),
                             word(row, "search"), word(row, "schedule"), truth(row, "after_sync"), arg_text(row, "mode"),
                             truth(row, "enabled"), truth(row, "approval"), dps, truth(row, "severity_alert"), arg_number(row, "since", 0));

    free(dps);
    return code;
}

/* --- commands --- */

enum err rule_create(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = NULL;
    json_t     *row;
    int64_t     count = 0;
    enum err    code = arg_name(args, "name", "rule", &name, e);

    if (code)
        return code;
    if (strlen(name) > NAME_MOST)
        return fail(e, ERR_USAGE, "a rule's name has at most %d letters: what it makes is named after it", NAME_MOST);
    if (rows_number(a->ledger, LEDGER_RULE_HAS, "s", name))
        return fail(e, ERR_EXISTS, "rule %s exists already", name);
    if (arg_text(args, "phased"))
        return fail(e, ERR_CONDITION, "a rule cannot drive a phased deployment; `ferry rule deployment add` takes one collection after the "
                                      "other, each with times of its own");
    row = json_pack("{s:s,s:s,s:b,s:I}", "name", name, "mode", "new", "enabled", 1, "since", (json_int_t)a->now);
    merge(row, args);
    code = rule_check(a, row, &count, e);
    code = code ? code : store(a, LEDGER_RULE_PUT, row, e);
    if (!code) {
        put_next(a, row);
        *out = message("rule %s would select %lld updates now; it runs next: %s. `ferry rule deployment add %s …` says to whom", name,
                       (long long)count, arg_text(row, "next"), name);
        json_object_set_new(*out, "selected", json_integer(count));
    }
    json_decref(row);
    return code;
}

enum err rule_change(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row;
    int64_t  count = 0;
    enum err code = rule_there(a, args, &row, e);

    if (code)
        return code;
    /* Occurrences of another schedule, or of the time it was disabled, are not caught up on. */
    if (json_object_get(args, "schedule") || (json_is_true(json_object_get(args, "enabled")) && !truth(row, "enabled")))
        json_object_set_new(row, "since", json_integer((json_int_t)a->now));
    merge(row, args);
    code = rule_check(a, row, &count, e);
    code = code ? code : store(a, LEDGER_RULE_CHANGE, row, e);
    if (!code) {
        put_next(a, row);
        *out = truth(row, "enabled")
                   ? message("rule %s would select %lld updates now; it runs next: %s. What earlier runs made stays as it is until then",
                             arg_text(row, "name"), (long long)count, arg_text(row, "next"))
                   : message("rule %s is disabled: it does not run, not by hand either. What earlier runs made stays as it is", arg_text(row, "name"));
    }
    json_decref(row);
    return code;
}

enum err rule_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_RULES, &rows, e, "s", NULL);

    (void)args;
    json_array_foreach(rows, i, row)
        for_people(a, row);
    if (!code)
        *out = listing(rows);
    return code;
}

enum err rule_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row, *deployments = NULL, *runs = NULL;
    enum err code = rule_there(a, args, &row, e);

    if (code)
        return code;
    code = rule_deployments(a, arg_text(row, "name"), NULL, &deployments, e);
    code = code ? code : rows_all(a->ledger, LEDGER_RUNS, &runs, e, "si", arg_text(row, "name"), (int64_t)5);
    if (code) {
        json_decref(deployments);
        json_decref(row);
        return code;
    }
    for_people(a, row);
    json_object_set_new(row, "deployments", deployments);
    json_object_set_new(row, "runs", runs);
    *out = row;
    return OK;
}

enum err rule_delete(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row;
    enum err code = rule_there(a, args, &row, e);

    if (code)
        return code;
    code = rows_run(a->ledger, LEDGER_RULE_DROP_DEPLOYMENTS, e, "s", arg_text(row, "name"));
    code = code ? code : rows_run(a->ledger, LEDGER_RULE_DROP_RUNS, e, "s", arg_text(row, "name"));
    code = code ? code : rows_run(a->ledger, LEDGER_RULE_DROP, e, "s", arg_text(row, "name"));
    code = code ? code : alert_close(a, "rule-failed", arg_text(row, "name"), "", e);
    if (!code)
        *out = message("rule %s is gone; the groups and deployments it made stay", arg_text(row, "name"));
    json_decref(row);
    return code;
}

enum err rule_history(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row, *runs = NULL;
    enum err code = rule_there(a, args, &row, e);

    if (code)
        return code;
    code = rows_all(a->ledger, LEDGER_RUNS, &runs, e, "si", arg_text(row, "name"), arg_number(args, "limit", 100));
    if (!code)
        *out = listing(runs);
    json_decref(row);
    return code;
}
