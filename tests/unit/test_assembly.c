/* What a run makes, and that a run that fails leaves everything as it was. */
#include "tests/unit/rule_desk.h"

/* Group, content, assignment, deployment: all at once, its times relative to the nominal start, its group named after the day. */
static void test_run(void **state)
{
    struct desk *d = *state;
    json_t      *out, *shown;
    int64_t      nominal = DESK_NOW - 7200;     /* 2027-01-15 06:00 */

    if (run(d, "weekly", RULE_ON_SCHEDULE, nominal, &out))
        fail_msg("%s", d->e.text);
    text_is(out, "group", "weekly-2027-01-15");
    assert_int_equal(number_in(out, "updates"), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(out, "deployments"), 0)), "weekly-2027-01-15-pilot");
    json_decref(out);
    shown = deployment(d, "weekly-2027-01-15-pilot");
    text_is(shown, "group", "weekly-2027-01-15");
    text_is(shown, "available", "2027-01-15T07:00:00Z");
    text_is(shown, "deadline", "2027-01-18T07:00:00Z");
    text_is(json_object_get(shown, "terms"), "randomize", "30m");
    assert_true(json_is_true(json_object_get(shown, "enabled")));
    assert_int_equal(json_array_size(json_object_get(shown, "updates")), 2);
    json_decref(shown);
    shown = published(d, "policy/all/weekly-2027-01-15-pilot.json");
    assert_int_equal(json_array_size(json_object_get(shown, "updates")), 2);
    json_decref(shown);
    shown = ask(d, "dp.list", "{}");
    text_is(row_with(json_object_get(shown, "items"), "name", "dp-1"), "groups", "weekly-2027-01-15");
    assert_true(json_is_null(json_object_get(row_with(json_object_get(shown, "items"), "name", "dp-2"), "groups")));
    json_decref(shown);
    shown = ask(d, "rule.history", "{'name':'weekly'}");
    assert_int_equal(number_in(shown, "total"), 1);
    text_is(json_array_get(json_object_get(shown, "items"), 0), "code", "ok");
    text_is(json_array_get(json_object_get(shown, "items"), 0), "cause", "schedule");
    json_decref(shown);
}

/* Another run on the same day is another group; names that are taken get a number. */
static void test_new_groups(void **state)
{
    struct desk *d = *state;

    say(d, "group.create", "{'name':'weekly-2027-01-15-2'}");
    good(d, "weekly", RULE_BY_HAND, d->a.now);
    good(d, "weekly", RULE_BY_HAND, d->a.now);
    json_decref(deployment(d, "weekly-2027-01-15-pilot"));
    json_decref(deployment(d, "weekly-2027-01-15-3-pilot"));
    assert_int_equal(count_in(d, "deployment"), 2);
    assert_int_equal(count_in(d, "grp WHERE name LIKE '~%'"), 0);
}

/* A reused group is emptied and filled again; its deployments keep their names and get new times. What somebody changed by hand stays until then. */
static void test_reuse(void **state)
{
    struct desk *d = *state;
    json_t      *shown;

    say(d, "rule.create", "{'name':'defs','filter':'name in (curl, openssl)','group':'reuse'}");
    say(d, "rule.deployment.add", "{'name':'defs','deployment':'everyone','collection':'all','deadline':'0'}");
    good(d, "defs", RULE_BY_HAND, d->a.now);
    shown = deployment(d, "defs-everyone");
    text_is(shown, "deadline", "2027-01-15T08:00:00Z");
    json_decref(shown);
    say(d, "deployment.change", "{'name':'defs-everyone','enabled':false}");
    say(d, "group.remove", "{'name':'defs','updates':['openssl']}");
    say(d, "rule.change", "{'name':'defs','filter':'name = bash'}");
    shown = deployment(d, "defs-everyone");
    assert_false(json_is_true(json_object_get(shown, "enabled")));
    json_decref(shown);
    d->a.now += DAY;
    good(d, "defs", RULE_BY_HAND, d->a.now);
    shown = deployment(d, "defs-everyone");
    text_is(shown, "deadline", "2027-01-16T08:00:00Z");
    assert_true(json_is_true(json_object_get(shown, "enabled")));
    assert_int_equal(json_array_size(json_object_get(shown, "updates")), 1);
    text_is(json_array_get(json_object_get(shown, "updates"), 0), "name", "bash");
    json_decref(shown);
    assert_int_equal(count_in(d, "deployment"), 1);
    /* One that was deleted comes back; one whose collection is another now is withdrawn for a new one. */
    say(d, "deployment.delete", "{'name':'defs-everyone'}");
    good(d, "defs", RULE_BY_HAND, d->a.now);
    json_decref(deployment(d, "defs-everyone"));
    say(d, "collection.create", "{'name':'tills','rule':'hostname ~ \\'till-*\\''}");
    say(d, "rule.deployment.change", "{'name':'defs','deployment':'everyone','collection':'tills'}");
    good(d, "defs", RULE_BY_HAND, d->a.now);
    refused(d, ERR_NOT_FOUND, "deployment", "deployment.show", "{'name':'defs-everyone'}");
    shown = deployment(d, "defs-everyone-2");
    text_is(shown, "collection", "tills");
    json_decref(shown);
    /* Nobody's own group is emptied. */
    say(d, "group.create", "{'name':'mine'}");
    refused(d, ERR_EXISTS, "emptied", "rule.create", "{'name':'mine','filter':'name = bash','group':'reuse'}");
}

/* Nothing found: a success that changes nothing, recorded. */
static void test_nothing(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *before = NULL, *after = NULL;
    json_t               *runs;

    good(d, "weekly", RULE_BY_HAND, d->a.now);
    say(d, "rule.change", "{'name':'weekly','filter':'name = nothing'}");
    before = standing(d);
    good(d, "weekly", RULE_BY_HAND, d->a.now);
    after = standing(d);
    assert_string_equal(before, after);
    runs = ask(d, "rule.history", "{'name':'weekly'}");
    text_is(json_array_get(json_object_get(runs, "items"), 0), "detail", "0 updates");
    text_is(json_array_get(json_object_get(runs, "items"), 0), "code", "ok");
    json_decref(runs);
}

/* Whatever fails, what stood stands; the rule remembers, somebody is told, and it is tried again. */
static void test_failures(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *before = NULL, *after = NULL, *rule = NULL;
    struct assembly      *as = NULL;
    struct rule_due       due;
    struct error          why = {ERR_NOT_FOUND, "HTTP 404"}, e;
    json_t               *out;

    good(d, "weekly", RULE_BY_HAND, d->a.now);
    before = standing(d);
    /* The download failed. */
    assert_int_equal(assembly_rule(&d->a, "weekly", RULE_BY_HAND, d->a.now, &as, &d->e), OK);
    assert_int_equal(assembly_failed(&d->a, as, &why, &e), OK);
    assembly_free(as);
    after = standing(d);
    assert_string_equal(before, after);
    assert_int_equal(alerts(d, "rule-failed", "warning"), 1);
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_null(rule);
    assert_int_equal(due.wake, d->a.now + 300);
    d->a.now += 300;
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_string_equal(rule, "weekly");
    assert_int_equal(due.trigger, RULE_RETRY);
    assert_int_equal(due.nominal, DESK_NOW);
    /* Finished before everything is here. */
    assert_int_equal(assembly_rule(&d->a, "weekly", RULE_RETRY, due.nominal, &as, &d->e), OK);
    assert_int_equal(assembly_finish(&d->a, as, &out, &d->e), ERR_CONDITION);
    assert_int_equal(assembly_failed(&d->a, as, &d->e, &e), OK);
    assembly_free(as);
    free(after);
    after = standing(d);
    assert_string_equal(before, after);
    assert_int_equal(alerts(d, "rule-failed", "warning"), 1);
    /* It works again: the alert ends. */
    good(d, "weekly", RULE_RETRY, d->a.now);
    assert_int_equal(alerts(d, "rule-failed", "warning"), 0);
}

/* The collection of one of its deployments is gone: refused before anything is fetched. */
static void test_refused_early(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *before = NULL, *after = NULL;
    json_t               *out, *rows = NULL;

    say(d, "rule.change", "{'name':'weekly','severity_alert':true}");
    before = standing(d);
    assert_int_equal(rows_found(d->a.ledger, "UPDATE rule_deployment SET collection = 'gone'", NULL, &rows, &d->e), OK);
    json_decref(rows);
    assert_int_equal(run(d, "weekly", RULE_BY_HAND, d->a.now, &out), ERR_NOT_FOUND);
    after = standing(d);
    assert_string_equal(before, after);
    assert_int_equal(alerts(d, "rule-failed", "critical"), 1);
    out = ask(d, "rule.history", "{'name':'weekly'}");
    text_is(json_array_get(json_object_get(out, "items"), 0), "code", "not-found");
    json_decref(out);
}

/* More than a thousand: the run fails. Made of command updates, which need no archive. */
static void test_too_many(void **state)
{
    struct desk *d = *state;
    json_t      *out, *rows = NULL;

    assert_int_equal(rows_found(d->a.ledger,
                                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001) INSERT INTO upd(id, catalog,"
                                " name, json, expired, superseded) SELECT 'command:many-' || i || ':1', 'command', 'many-' || i, '{}', 0, 0"
                                " FROM n",
                                NULL, &rows, &d->e),
                     OK);
    json_decref(rows);
    say(d, "rule.change", "{'name':'weekly','filter':'name ~ \\'many-*\\''}");
    assert_int_equal(run(d, "weekly", RULE_BY_HAND, d->a.now, &out), ERR_CONDITION);
    assert_non_null(strstr(d->e.text, "1001 updates are selected, at most 1000"));
    assert_int_equal(count_in(d, "grp"), 0);
    assert_int_equal(count_in(d, "deployment"), 0);
}

/* The site was killed in the middle: its staging is swept, the run has failed, and it is tried again. */
static void test_killed(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *before = standing(d), *after = NULL, *rule = NULL;
    struct assembly      *as = NULL;
    struct rule_due       due;
    json_t               *runs;

    assert_int_equal(assembly_rule(&d->a, "weekly", RULE_ON_SCHEDULE, d->a.now - 60, &as, &d->e), OK);
    desk_download(d, as->staging);
    assembly_free(as);
    ledger_close(d->a.ledger);
    assert_int_equal(ledger_open(d->ledger_path, &d->a.ledger, &d->e), OK);
    assert_int_equal(count_in(d, "grp"), 1);
    assert_int_equal(assembly_sweep(&d->a, &d->e), OK);
    after = standing(d);
    assert_string_equal(before, after);
    runs = ask(d, "rule.history", "{'name':'weekly'}");
    text_is(json_array_get(json_object_get(runs, "items"), 0), "code", "failed");
    json_decref(runs);
    d->a.now += 301;
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_string_equal(rule, "weekly");
    assert_int_equal(due.nominal, DESK_NOW - 60);
}

/* --approval, and deployments of a rule that are disabled. */
static void test_enabled(void **state)
{
    struct desk *d = *state;
    json_t      *shown;

    say(d, "rule.change", "{'name':'weekly','approval':true}");
    good(d, "weekly", RULE_BY_HAND, d->a.now);
    shown = deployment(d, "weekly-2027-01-15-pilot");
    assert_false(json_is_true(json_object_get(shown, "enabled")));
    json_decref(shown);
    say(d, "rule.change", "{'name':'weekly','approval':false}");
    shown = ask(d, "rule.deployment.change", "{'name':'weekly','deployment':'pilot','enabled':false}");
    assert_non_null(strstr(json_string_value(json_object_get(shown, "message")), "weekly-2027-01-15-pilot"));
    json_decref(shown);
    good(d, "weekly", RULE_BY_HAND, d->a.now);
    shown = deployment(d, "weekly-2027-01-15-2-pilot");
    assert_false(json_is_true(json_object_get(shown, "enabled")));
    json_decref(shown);
    /* Enabling reaches what the latest run made, and nothing older. */
    say(d, "rule.deployment.change", "{'name':'weekly','deployment':'pilot','enabled':true}");
    shown = deployment(d, "weekly-2027-01-15-2-pilot");
    assert_true(json_is_true(json_object_get(shown, "enabled")));
    json_decref(shown);
    shown = deployment(d, "weekly-2027-01-15-pilot");
    assert_false(json_is_true(json_object_get(shown, "enabled")));
    json_decref(shown);
}

/* As a dry run: all of it said, none of it left. */
static void test_dry(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *before = standing(d), *after = NULL;
    json_t               *out;

    d->a.dry_run = true;
    out = ask(d, "rule.run", "{'name':'weekly'}");
    text_is(out, "group", "weekly-2027-01-15");
    json_decref(out);
    d->a.dry_run = false;
    after = standing(d);
    assert_string_equal(before, after);
    assert_int_equal(count_in(d, "rule_run"), 0);
    refused(d, ERR_CONDITION, "running ferryd", "rule.run", "{'name':'weekly'}");
}

/* `ferry deploy`. */
static void test_deploy(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *before = standing(d), *after = NULL;
    json_t               *args = quoted("{'name':'october','updates':['curl'],'collection':'all','deadline':'+2h'}"), *out = NULL;
    struct assembly      *as = NULL;
    struct error          e;

    assert_int_equal(assembly_deploy(&d->a, args, &as, &d->e), OK);
    assert_int_equal(assembly_failed(&d->a, as, &(struct error){ERR_FULL, "no room"}, &e), OK);
    assembly_free(as);
    after = standing(d);
    assert_string_equal(before, after);
    assert_int_equal(assembly_deploy(&d->a, args, &as, &d->e), OK);
    desk_download(d, as->staging);
    d->a.now += 3600;                           /* the download took its time; +2h counts from the command */
    assert_int_equal(assembly_finish(&d->a, as, &out, &d->e), OK);
    assembly_free(as);
    json_decref(out);
    out = deployment(d, "october");
    text_is(out, "deadline", "2027-01-15T10:00:00Z");
    text_is(out, "group", "october");
    json_decref(out);
    out = ask(d, "dp.list", "{}");              /* without --to: everywhere */
    text_is(row_with(json_object_get(out, "items"), "name", "dp-2"), "groups", "october");
    json_decref(out);
    assert_int_equal(assembly_deploy(&d->a, args, &as, &d->e), ERR_EXISTS);
    assert_int_equal(assembly_failed(&d->a, as, &d->e, &e), OK);
    assembly_free(as);
    json_object_set_new(args, "name", json_string("november"));
    json_object_del(args, "deadline");
    assert_int_equal(assembly_deploy(&d->a, args, &as, &d->e), ERR_USAGE);
    assembly_free(as);
    json_decref(args);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rule_desk_open, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_run),       T(test_new_groups), T(test_reuse),  T(test_nothing), T(test_failures), T(test_refused_early),
        T(test_too_many),  T(test_killed),     T(test_enabled), T(test_dry),    T(test_deploy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
