/* Automatic deployment rules: what they may be, when they are due, what they select and why not the rest. */
#include "tests/unit/rule_desk.h"

static void test_refusals(void **state)
{
    struct desk *d = *state;

    refused(d, ERR_USAGE, "--filter or --search", "rule.create", "{'name':'x'}");
    refused(d, ERR_USAGE, "--filter or --search", "rule.create", "{'name':'x','filter':'name = a','search':'s'}");
    refused(d, ERR_USAGE, "column", "rule.create", "{'name':'x','filter':'name ='}");
    refused(d, ERR_NOT_FOUND, "search", "rule.create", "{'name':'x','search':'swift'}");
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

/* What its next run will need is not deleted under it. */
static void test_needed(void **state)
{
    struct desk *d = *state;

    refused(d, ERR_CONDITION, "rule weekly", "dp.remove", "{'name':'dp-1'}");
    say(d, "dp.remove", "{'name':'dp-2'}");
    say(d, "collection.create", "{'name':'lab','nodes':['till-1']}");
    say(d, "rule.deployment.change", "{'name':'weekly','deployment':'pilot','collection':'lab'}");
    refused(d, ERR_CONDITION, "rule weekly", "collection.delete", "{'name':'lab'}");
    say(d, "search.save", "{'name':'swift','filter':'urgency = high'}");
    say(d, "rule.change", "{'name':'weekly','search':'swift'}");
    refused(d, ERR_CONDITION, "rule weekly", "search.delete", "{'name':'swift'}");
    say(d, "rule.delete", "{'name':'weekly'}");
    say(d, "dp.remove", "{'name':'dp-1'}");
    say(d, "collection.delete", "{'name':'lab'}");
    assert_int_equal(count_in(d, "rule_deployment"), 0);
}

/* A saved search is read at each run: what it finds then. */
static void test_search(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "search.save", "{'name':'swift','filter':'name = curl'}");
    say(d, "rule.change", "{'name':'weekly','search':'swift'}");
    out = ask(d, "rule.preview", "{'name':'weekly'}");
    assert_int_equal(number_in(out, "count"), 1);
    json_decref(out);
    say(d, "search.save", "{'name':'swift','filter':'name in (curl, bash)'}");
    out = ask(d, "rule.preview", "{'name':'weekly'}");
    assert_int_equal(number_in(out, "count"), 2);
    json_decref(out);
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
    d->a.now += 5 * DAY;                        /* the next sunday by that clock: that one has run */
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_null(rule);
    d->a.now += 7 * DAY;
    assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
    assert_string_equal(rule, "weekly");
    good(d, "weekly", due.trigger, due.nominal);
}

/* Ahead and back again: each time of the schedule is run once, and the times after it are not lost. */
static void test_no_slot_twice(void **state)
{
    static const int64_t  moves[] = {4 * DAY, -2 * DAY, 2 * DAY, 3650 * DAY, -3650 * DAY, -3 * DAY, 3 * DAY, 6 * DAY, 7 * DAY};
    struct desk          *d = *state;
    struct rule_due       due;
    int64_t               seen[COUNT(moves)];
    size_t                runs = 0;

    for (size_t i = 0; i < COUNT(moves); i++) {
        AUTO(text_free) char *rule = NULL;
        d->a.now += moves[i];
        assert_int_equal(rules_due(&d->a, &rule, &due, &d->e), OK);
        if (!rule)
            continue;
        for (size_t k = 0; k < runs; k++)
            assert_int_not_equal(seen[k], due.nominal);
        seen[runs++] = due.nominal;
        good(d, "weekly", due.trigger, due.nominal);
    }
    assert_int_equal(runs, 4);                  /* sunday, one in ten years, the two that follow the first */
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

/* Superseded and gone from the archive, yet not expired: it cannot be fetched any more, and a rule does not stumble over it. */
static void test_gone(void **state)
{
    static const char *const newer[] = {STANZA("libssl3", "openssl", "3.0.3", ""), STANZA("curl", "curl", "8.1", ""), NULL};
    struct desk             *d = *state;
    struct catalog_counts    n;
    json_t                  *out;

    assert_int_equal(desk_import(d, "debian", newer, DESK_NOW, &n), OK);
    say(d, "rule.change", "{'name':'weekly','filter':'name in (curl, openssl)'}");
    out = ask(d, "rule.preview", "{'name':'weekly'}");
    assert_int_equal(number_in(out, "count"), 2);
    assert_int_equal(number_in(row_with(json_object_get(out, "reasons"), "reason", "its catalog no longer has it"), "count"), 1);
    json_decref(out);
    good(d, "weekly", RULE_BY_HAND, d->a.now);
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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rule_desk_open, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_refusals), T(test_disabled), T(test_due), T(test_no_slot_twice), T(test_zone), T(test_preview), T(test_preview_agrees),
        T(test_phased),   T(test_needed),   T(test_search), T(test_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
