/* Automatic deployment rules: what they may be, when they are due, what a run makes, and that a run that fails leaves everything as it was. */
#include "tests/unit/desk.h"

#include "policy/authoring/rollout.h"

#define DAY     86400
#define CURL    "apt:debian:curl:8.1"
#define OPENSSL "apt:debian:openssl:3.0.2"

static char node[NODE_ID_SIZE];

/* A catalog, a node that needs curl, a rule that selects curl and openssl. */
static int begin(void **state)
{
    struct desk *d;

    desk_open(state);
    d = *state;
    desk_catalog(d);
    desk_node(d, "till-1", node);
    desk_status(d, node, "[{'serial':1,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    say(d, "dp.add", "{'name':'dp-1','url':'http://dp-1.example.org'}");
    say(d, "dp.add", "{'name':'dp-2','url':'http://dp-2.example.org'}");
    say(d, "rule.create", "{'name':'weekly','filter':'name in (curl, openssl)','schedule':'sunday 02:00','to':['dp-1']}");
    say(d, "rule.deployment.add",
        "{'name':'weekly','deployment':'pilot','collection':'all','available':'+1h','deadline':'+3d','randomize':'30m'}");
    return 0;
}

/* One run, with its content. *out as finish gives it; the code of whatever failed, after assembly_failed. */
static enum err run(struct desk *d, const char *rule, enum rule_trigger trigger, int64_t nominal, json_t **out)
{
    struct assembly *as = NULL;
    struct error     e;
    enum err         code = assembly_rule(&d->a, rule, trigger, nominal, &as, &d->e);

    *out = NULL;
    if (!code && as->count) {
        desk_download(d, as->staging);
        code = assembly_finish(&d->a, as, out, &d->e);
    }
    if (code && as)
        assert_int_equal(assembly_failed(&d->a, as, &d->e, &e), OK);
    assembly_free(as);
    return code;
}

static void good(struct desk *d, const char *rule, enum rule_trigger trigger, int64_t nominal)
{
    json_t *out;

    if (run(d, rule, trigger, nominal, &out))
        fail_msg("%s", d->e.text);
    json_decref(out);
}

static json_t *deployment(struct desk *d, const char *name)
{
    AUTO(text_free) char *args = must_print("{'name':'%s'}", name);

    return ask(d, "deployment.show", args);
}

static void text_is(const json_t *o, const char *member, const char *value)
{
    const char *got = json_string_value(json_object_get(o, member));

    if (!got || strcmp(got, value))
        fail_msg("%s: \"%s\"; expected \"%s\"", member, got ? got : "", value);
}

/* Groups, deployments, assignments and members as one text: what a failed run must not change. */
static char *standing(struct desk *d)
{
    static const char *const tables[] = {"grp", "member", "grp_content", "grp_wanted", "deployment", "dp_group"};
    struct text              text = {0};

    for (size_t i = 0; i < COUNT(tables); i++) {
        AUTO(text_free) char *sql = must_print("SELECT * FROM %s ORDER BY 1, 2", tables[i]), *dump = NULL;
        json_t               *rows = NULL;
        assert_int_equal(rows_found(d->a.ledger, sql, NULL, &rows, &d->e), OK);
        dump = json_dumps(rows, JSON_SORT_KEYS);
        text_add(&text, "%s %s\n", tables[i], dump);
        json_decref(rows);
    }
    return text_take(&text);
}

static void test_refusals(void **state)
{
    struct desk *d = *state;

    refused(d, ERR_USAGE, "--filter or --search", "rule.create", "{'name':'x'}");
    refused(d, ERR_USAGE, "--filter or --search", "rule.create", "{'name':'x','filter':'name = a','search':'s'}");
    refused(d, ERR_USAGE, "column", "rule.create", "{'name':'x','filter':'name ='}");
    refused(d, ERR_NOT_FOUND, "search", "rule.create", "{'name':'x','search':'urgent'}");
    refused(d, ERR_USAGE, "column", "rule.create", "{'name':'x','filter':'name = a','schedule':'someday'}");
    refused(d, ERR_USAGE, "new", "rule.create", "{'name':'x','filter':'name = a','group':'other'}");
    refused(d, ERR_NOT_FOUND, "dp-1", "rule.create", "{'name':'x','filter':'name = a','to':['dp-9']}");
    refused(d, ERR_EXISTS, "weekly", "rule.create", "{'name':'weekly','filter':'name = a'}");
    refused(d, ERR_USAGE, "at most 40", "rule.create", "{'name':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','filter':'name = a'}");
    refused(d, ERR_NOT_FOUND, "weekly", "rule.show", "{'name':'weakly'}");
    refused(d, ERR_EXISTS, "pilot", "rule.deployment.add", "{'name':'weekly','deployment':'pilot','collection':'all'}");
    refused(d, ERR_NOT_FOUND, "collection", "rule.deployment.add", "{'name':'weekly','deployment':'b','collection':'al'}");
    refused(d, ERR_USAGE, "--collection", "rule.deployment.add", "{'name':'weekly','deployment':'b'}");
    refused(d, ERR_USAGE, "--available", "rule.deployment.add", "{'name':'weekly','deployment':'b','collection':'all','available':'later'}");
    refused(d, ERR_USAGE, "deadline", "rule.deployment.add",
            "{'name':'weekly','deployment':'b','collection':'all','purpose':'available','deadline':'+3d'}");
    assert_int_equal(count_in(d, "rule"), 1);
    assert_int_equal(count_in(d, "rule_deployment"), 1);
}

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

static size_t alerts(struct desk *d, const char *event, const char *severity)
{
    json_t *out = ask(d, "alert.list", "{}"), *row;
    size_t  i, n = 0;

    json_array_foreach(json_object_get(out, "items"), i, row)
        n += !strcmp(json_string_value(json_object_get(row, "event")), event) &&
             !strcmp(json_string_value(json_object_get(row, "severity")), severity);
    json_decref(out);
    return n;
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

static void test_disabled(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *rule = NULL;
    struct rule_due       due;
    json_t               *out;

    say(d, "rule.change", "{'name':'weekly','enabled':false}");
    assert_int_equal(run(d, "weekly", RULE_BY_HAND, d->a.now, &out), ERR_CONDITION);
    assert_non_null(strstr(d->e.text, "not by hand either"));
    assert_int_equal(count_in(d, "rule_run"), 0);
    d->a.now += 14 * DAY;
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_null(rule);
    /* Sundays that passed while it was disabled are not caught up on. */
    say(d, "rule.change", "{'name':'weekly','enabled':true}");
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_null(rule);
    assert_true(due.wake > d->a.now && due.wake <= d->a.now + 7 * DAY);
}

/* By schedule, once for all that were missed; after a sync that brought something. A clock that was set back does not hold it. */
static void test_due(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *rule = NULL;
    struct rule_due       due;

    d->a.now = DESK_NOW + 15 * DAY;             /* saturday 2027-01-30 08:00 */
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_string_equal(rule, "weekly");
    assert_int_equal(due.trigger, RULE_ON_SCHEDULE);
    assert_int_equal(due.nominal, DESK_NOW + 9 * DAY - 6 * 3600);
    good(d, "weekly", due.trigger, due.nominal);
    free(rule);
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_null(rule);
    say(d, "rule.change", "{'name':'weekly','after_sync':true}");
    assert_int_equal(rules_synced(&d->a, &d->e), OK);
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_string_equal(rule, "weekly");
    assert_int_equal(due.trigger, RULE_AFTER_SYNC);
    good(d, "weekly", due.trigger, due.nominal);
    free(rule);
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_null(rule);
    d->a.now -= 10 * DAY;
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_null(rule);
    d->a.now += 5 * DAY;                        /* the next sunday by that clock */
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_string_equal(rule, "weekly");
}

/* The timezone of the site is the schedule's, and the day in the group's name. */
static void test_zone(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *rule = NULL;
    struct rule_due       due;
    json_t               *out;

    assert_int_equal(ledger_set(d->a.ledger, "timezone", "Pacific/Auckland", &d->e), OK);
    d->a.now = DESK_NOW + 4 * DAY;
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_string_equal(rule, "weekly");
    assert_int_equal(due.nominal, DESK_NOW + DAY + 5 * 3600);       /* sunday 02:00 there is saturday 13:00 */
    assert_int_equal(run(d, "weekly", due.trigger, due.nominal, &out), OK);
    text_is(out, "group", "weekly-2027-01-17");
    json_decref(out);
}

static void test_preview(void **state)
{
    struct desk *d = *state;
    json_t      *out, *reasons;

    say(d, "rule.change", "{'name':'weekly','filter':'required > 0 and not name = bash'}");
    out = ask(d, "rule.preview", "{'name':'weekly'}");
    assert_int_equal(number_in(out, "count"), 1);
    text_is(json_array_get(json_object_get(out, "selected"), 0), "name", "curl");
    reasons = json_object_get(out, "reasons");
    assert_int_equal(json_array_size(json_object_get(out, "others")), 0);
    assert_int_equal(number_in(row_with(reasons, "reason", "required > 0"), "count"), 2);
    json_decref(out);
    out = ask(d, "rule.preview", "{'name':'weekly','all':'1'}");
    assert_int_equal(json_array_size(json_object_get(out, "others")), 2);
    text_is(row_with(json_object_get(out, "others"), "name", "openssl"), "reason", "required > 0 (it is 0)");
    json_decref(out);
}

/* What SQL selects and what the preview judges are one language: for each filter the preview has a reason for all the rest. */
static void test_preview_agrees(void **state)
{
    static const char *const filters[] = {"name = CURL",
                                          "title contains 'OPEN'",
                                          "name ~ 'c*l'",
                                          "size >= 1KiB",
                                          "size < 1KiB or required = 1",
                                          "released < 30d",
                                          "released > 2027-01-01",
                                          "not superseded and severity >= low",
                                          "classification in (security, critical)",
                                          "cve = CVE-2026-1",
                                          "not cve = CVE-2026-1",
                                          "deployed or downloaded",
                                          "vendor != Debian",
                                          "compliance < 100",
                                          "not-required >= 1"};
    struct desk             *d = *state;

    for (size_t i = 0; i < COUNT(filters); i++) {
        json_t *args = json_pack("{s:s,s:s}", "name", "weekly", "filter", filters[i]), *out = NULL, *reasons, *reason;
        size_t  k;
        for (size_t c = 0; c < author_command_count; c++)
            if (!strcmp(author_commands[c].name, "rule.change") && author_run(&author_commands[c], &d->a, args, &out, &d->e))
                fail_msg("%s: %s", filters[i], d->e.text);
        json_decref(out);
        json_decref(args);
        out = ask(d, "rule.preview", "{'name':'weekly'}");
        reasons = json_object_get(out, "reasons");
        json_array_foreach(reasons, k, reason) if (!strcmp(json_string_value(json_object_get(reason, "reason")), "it does not match the filter"))
            fail_msg("%s: the two disagree", filters[i]);
        json_decref(out);
    }
}

static void test_phased(void **state)
{
    struct desk *d = *state;

    good(d, "weekly", RULE_BY_HAND, d->a.now);
    refused(d, ERR_CONDITION, "rule cannot drive", "phased.create", "{'name':'p','group':'weekly-2027-01-15','first':'all','second':'all'}");
    refused(d, ERR_CONDITION, "rule cannot drive", "rule.deployment.add",
            "{'name':'weekly','deployment':'x','collection':'all','phased':'p'}");
    say(d, "group.create", "{'name':'slow'}");
    say(d, "group.add", "{'name':'slow','updates':['bash']}");
    desk_download(d, "slow");
    say(d, "content.distribute", "{'name':'slow','to':['dp-1']}");
    say(d, "collection.create", "{'name':'lab','nodes':['till-1']}");
    say(d, "phased.create", "{'name':'p','group':'slow','first':'lab','second':'all'}");
    refused(d, ERR_CONDITION, "cannot drive a phased", "rule.create", "{'name':'slow','filter':'name = bash','group':'reuse'}");
    refused(d, ERR_CONDITION, "cannot drive a phased", "rule.deployment.add", "{'name':'weekly','deployment':'p','collection':'all'}");
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
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_refusals), T(test_run),     T(test_new_groups), T(test_reuse), T(test_nothing),
        T(test_failures), T(test_refused_early), T(test_too_many), T(test_killed), T(test_enabled),
        T(test_disabled), T(test_due),     T(test_zone),       T(test_preview), T(test_preview_agrees),
        T(test_phased),   T(test_dry),     T(test_deploy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
