/* Phased deployments as time passes: a gate opens, holds, halts; every verdict can be had again from its figures. */
#include "tests/unit/phased_desk.h"

/* The whole way: created, succeeded, a day later the next, done. */
static void test_story(void **state)
{
    struct desk *d = *state;
    int64_t      wake;
    json_t      *out;

    out = ask(d, "phased.create", CREATE("'first':'pilot','second':'all','randomize':'0'"));
    assert_non_null(strstr(json_string_value(json_object_get(out, "message")), "p-pilot"));
    json_decref(out);
    phases_are(d, "p", "active waiting");
    out = ask(d, "deployment.show", "{'name':'p-pilot'}");
    assert_string_equal(json_string_value(json_object_get(out, "available")), "2027-01-15T08:00:00Z");
    assert_string_equal(json_string_value(json_object_get(out, "deadline")), "2027-01-22T08:00:00Z");
    json_decref(out);
    refused(d, ERR_NOT_FOUND, "deployment", "deployment.show", "{'name':'p-all'}");
    assert_false(stepped(d));
    installs(d, 0, 2);
    assert_false(stepped(d));
    phases_are(d, "p", "active waiting");
    installs(d, 1, 2);
    d->a.now += 100;
    assert_false(step(d, &wake));
    phases_are(d, "p", "succeeded waiting");
    assert_int_equal(wake, d->a.now + DAY);
    d->a.now += DAY - 1;
    assert_false(stepped(d));
    d->a.now += 1;
    assert_true(stepped(d));
    phases_are(d, "p", "succeeded active");
    out = published(d, "policy/all/p-all.json");
    assert_non_null(out);
    json_decref(out);
    for (int i = 2; i < 4; i++)
        installs(d, i, 2);
    assert_false(stepped(d));
    assert_false(stepped(d));
    phases_are(d, "p", "succeeded succeeded");
    state_is(d, "p", "done");
}

/* What had succeeded and is not so any more does not begin the next: that it has ended is not enough. */
static void test_success_is_lost(void **state)
{
    struct desk *d = *state;

    say(d, "phased.create", CREATE("'phases':['pilot,success=100%','all,begin=+1d']"));
    installs(d, 0, 2);
    installs(d, 1, 2);
    stepped(d);
    phases_are(d, "p", "succeeded waiting");
    desk_status(d, nodes[1], "[{'serial':3,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    d->a.now += 2 * DAY;
    assert_false(stepped(d));
    phases_are(d, "p", "succeeded waiting");
    installs(d, 1, 4);
    assert_true(stepped(d));
    phases_are(d, "p", "succeeded active");
}

/* One of two fails, which is more than 5 %: the deployments are halted with the figures, signed, and nothing begins. */
static void test_halt(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "phased.create", CREATE("'phases':['pilot,success=50%,halt=5%','all,begin=now']"));
    fails(d, 0, 2);
    assert_true(stepped(d));
    phases_are(d, "p", "halted waiting");
    state_is(d, "p", "halted");
    assert_int_equal(open_alerts(d, "phase-halted"), 1);
    out = published(d, "policy/pilot/p-pilot.json");
    assert_non_null(strstr(json_string_value(json_object_get(out, "halted")), "1 of the 1 that have ended failed (100 %), halt above 5 %"));
    json_decref(out);
    refused(d, ERR_HALTED, "phased resume", "phased.next", "{'name':'p'}");
    installs(d, 1, 2);
    d->a.now += DAY;
    assert_false(stepped(d));
    phases_are(d, "p", "halted waiting");
    refused(d, ERR_CONDITION, "resume", "phased.delete", "{'name':'p'}");
    /* The failure so far is accepted, and the criterion of 50 % holds. */
    say(d, "phased.resume", "{'name':'p'}");
    assert_int_equal(open_alerts(d, "phase-halted"), 0);
    out = published(d, "policy/pilot/p-pilot.json");
    assert_null(json_object_get(out, "halted"));
    json_decref(out);
    assert_true(stepped(d));
    phases_are(d, "p", "succeeded active");
    /* Worse than that halts again, although the phase had succeeded. */
    desk_status(d, nodes[1], "[{'serial':3,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    fails(d, 1, 4);
    assert_true(stepped(d));
    state_is(d, "p", "halted");
}

/* Halted nodes say that they wait; that they have failed stands, and resuming accepts what led to the halt. */
static void test_halted_nodes(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "phased.create", CREATE("'phases':['pilot,success=50%,halt=5%','all,begin=now']"));
    fails(d, 0, 2);
    assert_true(stepped(d));
    desk_status(d, nodes[0], "[{'serial':3,'topic':'update','subject':'" CURL "','deployment':'p-pilot','state':'reported',"
                             "'enforcement':'waiting','reason':'halted','attempts':1}]");
    out = ask(d, "deployment.show", "{'name':'p-pilot'}");
    assert_int_equal(number_in(out, "failed"), 1);
    json_decref(out);
    desk_status(d, nodes[0], "[{'serial':4,'topic':'update','subject':'" CURL "','deployment':'p-pilot','state':'reported',"
                             "'enforcement':'installing','reason':'install-now','attempts':1}]");
    say(d, "phased.resume", "{'name':'p'}");
    fails(d, 0, 5);
    assert_false(stepped(d));
    phases_are(d, "p", "active waiting");
}

/* A sample that is too small decides nothing. */
static void test_sample(void **state)
{
    struct desk *d = *state;

    say(d, "phased.create", CREATE("'phases':['pilot,halt=5%,sample=2','all']"));
    fails(d, 0, 2);
    assert_false(stepped(d));
    phases_are(d, "p", "active waiting");
    fails(d, 1, 2);
    assert_true(stepped(d));
    phases_are(d, "p", "halted waiting");
}

static void test_silence(void **state)
{
    struct desk *d = *state;

    say(d, "phased.create", CREATE("'phases':['pilot,halt=50%,silence=2h,success=50%','all']"));
    installs(d, 0, 2);
    d->a.now += 7199;
    assert_false(stepped(d));
    phases_are(d, "p", "succeeded waiting");
    d->a.now += 1;                              /* till-1 has been silent for two hours: 1 of 2 failed, which is not more than 50 % */
    assert_false(stepped(d));
    phases_are(d, "p", "succeeded waiting");
    say(d, "phased.create", "{'name':'q','group':'october','phases':['pilot,halt=49%,silence=2h','all']}");
    d->a.now += 7200;
    assert_true(stepped(d));
    phases_are(d, "q", "halted waiting");
}

/* Success must hold for the soak, without a break. */
static void test_soak(void **state)
{
    struct desk *d = *state;
    int64_t      wake;

    say(d, "phased.create", CREATE("'phases':['pilot,soak=1d','all,begin=now']"));
    installs(d, 0, 2);
    installs(d, 1, 2);
    assert_false(step(d, &wake));
    assert_int_equal(wake, d->a.now + DAY);
    d->a.now += DAY / 2;
    desk_status(d, nodes[1], "[{'serial':3,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    assert_false(stepped(d));
    installs(d, 1, 4);
    assert_false(stepped(d));
    d->a.now += DAY / 2 + 1;
    assert_false(stepped(d));
    phases_are(d, "p", "active waiting");
    d->a.now += DAY / 2;
    assert_true(stepped(d));
    phases_are(d, "p", "succeeded active");
}

static void test_late(void **state)
{
    struct desk *d = *state;

    say(d, "phased.create", CREATE("'phases':['pilot,progress=3d','all']"));
    stepped(d);
    assert_int_equal(open_alerts(d, "phase-late"), 0);
    d->a.now += 3 * DAY;
    assert_false(stepped(d));
    assert_int_equal(open_alerts(d, "phase-late"), 1);
    installs(d, 0, 2);
    installs(d, 1, 2);
    stepped(d);
    assert_int_equal(open_alerts(d, "phase-late"), 0);
}

/* Every verdict of the history, its figures judged once more: the same verdict and the same sentence. */
static void test_replay(void **state)
{
    struct desk *d = *state;
    json_t      *out, *row;
    size_t       i, replayed = 0;

    say(d, "phased.create", CREATE("'phases':['pilot,success=50%,soak=1h,progress=2h,halt=60%,silence=1d','all,begin=now,halt=10%']"));
    stepped(d);
    d->a.now += 7200;
    stepped(d);
    installs(d, 0, 2);
    stepped(d);
    d->a.now += 3600;
    stepped(d);
    fails(d, 2, 2);
    stepped(d);
    out = ask(d, "phased.history", "{'name':'p'}");
    json_array_foreach(json_object_get(out, "items"), i, row) {
        struct gate            gate;
        struct phase_figures   figures;
        struct phase_judgement again;
        int64_t                now;
        if (json_is_null(json_object_get(row, "figures")))
            continue;
        if (judged_read(json_object_get(row, "figures"), &gate, &figures, &now, &d->e))
            fail_msg("%s", d->e.text);
        again = phase_judge(&gate, &figures, now);
        assert_string_equal(phase_verdict_word(again.verdict), json_string_value(json_object_get(row, "verdict")));
        assert_string_equal(again.why, json_string_value(json_object_get(row, "why")));
        replayed++;
    }
    json_decref(out);
    assert_true(replayed >= 5);                 /* hold, alert, hold (soak), success; and the halt of the second phase */
    state_is(d, "p", "halted");
}

/* One that cannot go on holds nobody else up, and says so. */
static void test_stuck(void **state)
{
    struct desk *d = *state;
    json_t      *rows = NULL;

    say(d, "phased.create", CREATE("'phases':['pilot','branches,begin=now']"));
    say(d, "phased.create", "{'name':'q','group':'october','phases':['pilot','all,begin=now']}");
    installs(d, 0, 2);
    installs(d, 1, 2);
    assert_int_equal(rows_found(d->a.ledger, "DELETE FROM collection WHERE name = 'branches'", NULL, &rows, &d->e), OK);
    json_decref(rows);
    stepped(d);
    phases_are(d, "q", "succeeded active");
    assert_int_equal(open_alerts(d, "phase-stuck"), 1);
    assert_int_equal(count_in(d, "deployment WHERE name = 'p-branches'"), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, phased_desk_open, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_story), T(test_success_is_lost), T(test_halt), T(test_halted_nodes), T(test_sample), T(test_silence),
        T(test_soak), T(test_late), T(test_replay), T(test_stuck),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
