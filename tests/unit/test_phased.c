/* Phased deployments: a gate opens, holds, halts; every verdict can be had again from its figures. */
#include "tests/unit/desk.h"

#include "policy/authoring/phase_row.h"
#include "policy/authoring/rollout.h"

#define DAY  86400
#define CURL "apt:debian:curl:8.1"

static char nodes[4][NODE_ID_SIZE];

/* till-0 … till-3 need curl; pilots are till-0 and till-1; group october has curl, downloaded and distributed. */
static int begin(void **state)
{
    struct desk *d;
    char         name[24];

    desk_open(state);
    d = *state;
    desk_catalog(d);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "till-%d", i);
        desk_node(d, name, nodes[i]);
        desk_status(d, nodes[i], "[{'serial':1,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    }
    say(d, "dp.add", "{'name':'dp-1','url':'http://dp-1.example.org'}");
    say(d, "group.create", "{'name':'october'}");
    say(d, "group.add", "{'name':'october','updates':['curl']}");
    desk_download(d, "october");
    say(d, "content.distribute", "{'name':'october','to':['dp-1']}");
    say(d, "collection.create", "{'name':'pilot','nodes':['till-0','till-1']}");
    say(d, "collection.create", "{'name':'branches','nodes':['till-2']}");
    return 0;
}

static void installs(struct desk *d, int i, int serial)
{
    AUTO(text_free) char *batch = must_print("[{'serial':%d,'topic':'scan','scan':{'states':{'" CURL "':['installed',0]}}}]", serial);

    desk_status(d, nodes[i], batch);
}

static void fails(struct desk *d, int i, int serial)
{
    AUTO(text_free) char *batch = must_print(
        "[{'serial':%d,'topic':'update','subject':'" CURL "','state':'reported','enforcement':'failed','detail':'exit 1'}]", serial);

    desk_status(d, nodes[i], batch);
}

static bool step(struct desk *d, int64_t *wake)
{
    bool changed = false;

    *wake = 0;
    if (phased_step(&d->a, &changed, wake, &d->e))
        fail_msg("%s", d->e.text);
    return changed;
}

static bool stepped(struct desk *d)
{
    int64_t wake;

    return step(d, &wake);
}

/* "waiting active …" of its phases. */
static void phases_are(struct desk *d, const char *name, const char *expected)
{
    AUTO(text_free) char *args = must_print("{'name':'%s'}", name);
    struct text           text AUTO(text_end) = {0};
    json_t               *out = ask(d, "phased.status", args), *p;
    size_t                i;

    json_array_foreach(json_object_get(out, "phases"), i, p)
        text_add(&text, "%s%s", i ? " " : "", json_string_value(json_object_get(p, "state")));
    if (strcmp(text.data, expected))
        fail_msg("%s: %s; expected %s", name, text.data, expected);
    json_decref(out);
}

static void state_is(struct desk *d, const char *name, const char *expected)
{
    json_t *out = ask(d, "phased.list", "{}");

    assert_string_equal(json_string_value(json_object_get(row_with(json_object_get(out, "items"), "name", name), "state")), expected);
    json_decref(out);
}

static size_t open_alerts(struct desk *d, const char *event)
{
    json_t *out = ask(d, "alert.list", "{}"), *row;
    size_t  i, n = 0;

    json_array_foreach(json_object_get(out, "items"), i, row)
        n += !strcmp(json_string_value(json_object_get(row, "event")), event);
    json_decref(out);
    return n;
}

static void test_refusals(void **state)
{
    struct desk *d = *state;

#define CREATE(rest) "{'name':'p','group':'october'," rest "}"
    refused(d, ERR_USAGE, "--phase", "phased.create", "{'name':'p','group':'october'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"october\"", "phased.create", "{'name':'p','group':'octobre','first':'pilot','second':'all'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"pilot\"", "phased.create", CREATE("'phases':['pilots']"));
    refused(d, ERR_USAGE, "did you mean success", "phased.create", CREATE("'phases':['pilot,succes=95%']"));
    refused(d, ERR_USAGE, "begins with its collection", "phased.create", CREATE("'phases':['success=95%']"));
    refused(d, ERR_USAGE, "success=101%", "phased.create", CREATE("'phases':['pilot,success=101%']"));
    refused(d, ERR_USAGE, "halt=5", "phased.create", CREATE("'phases':['pilot,halt=5']"));
    refused(d, ERR_USAGE, "begin=soon", "phased.create", CREATE("'phases':['pilot,begin=soon']"));
    refused(d, ERR_USAGE, "gradual=31d", "phased.create", CREATE("'phases':['pilot,gradual=31d']"));
    refused(d, ERR_USAGE, "has phase 1 already", "phased.create", CREATE("'phases':['pilot','pilot']"));
    refused(d, ERR_USAGE, "not optional", "phased.create", CREATE("'phases':['pilot'],'purpose':'available'"));
    refused(d, ERR_USAGE, "at most 11", "phased.create",
            CREATE("'phases':['a','a','a','a','a','a','a','a','a','a','a','a']"));
    say(d, "group.create", "{'name':'empty'}");
    refused(d, ERR_CONDITION, "empty", "phased.create", "{'name':'p','group':'empty','first':'pilot','second':'all'}");
    say(d, "group.add", "{'name':'empty','updates':['bash']}");
    refused(d, ERR_CONDITION, "ferry content download empty", "phased.create", "{'name':'p','group':'empty','first':'pilot','second':'all'}");
    desk_download(d, "empty");
    refused(d, ERR_CONDITION, "ferry content distribute empty --to", "phased.create",
            "{'name':'p','group':'empty','first':'pilot','second':'all'}");
    say(d, "phased.create", "{'name':'vendor','group':'empty','first':'pilot','second':'all','origin_fallback':true}");
    assert_int_equal(count_in(d, "phased"), 1);
}

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
    /* The failures so far are accepted: 1 of 2 is 50 %, and the criterion of 50 % holds. */
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

static void test_suspend(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "phased.create", CREATE("'phases':['pilot','all,begin=now']"));
    say(d, "phased.suspend", "{'name':'p'}");
    out = published(d, "policy/pilot/p-pilot.json");
    assert_string_equal(json_string_value(json_object_get(out, "halted")), "suspended");
    json_decref(out);
    installs(d, 0, 2);
    installs(d, 1, 2);
    assert_false(stepped(d));
    phases_are(d, "p", "active waiting");
    refused(d, ERR_CONDITION, "suspended", "phased.suspend", "{'name':'p'}");
    refused(d, ERR_CONDITION, "suspended", "phased.next", "{'name':'p'}");
    say(d, "phased.resume", "{'name':'p'}");
    assert_true(stepped(d));
    phases_are(d, "p", "succeeded active");
    refused(d, ERR_CONDITION, "running", "phased.resume", "{'name':'p'}");
}

static void test_next(void **state)
{
    struct desk *d = *state;

    say(d, "phased.create", CREATE("'phases':['pilot','branches,begin=+1d','all,begin=manual']"));
    refused(d, ERR_CONDITION, "has not succeeded: 0 of 2 nodes compliant", "phased.next", "{'name':'p'}");
    installs(d, 0, 2);
    installs(d, 1, 2);
    stepped(d);
    refused(d, ERR_CONDITION, "2027-01-16T08:00:00Z; --force", "phased.next", "{'name':'p'}");
    say(d, "phased.next", "{'name':'p','force':true}");
    phases_are(d, "p", "succeeded active waiting");
    installs(d, 2, 2);
    stepped(d);
    d->a.now += 30 * DAY;
    assert_false(stepped(d));                   /* by hand means by hand */
    phases_are(d, "p", "succeeded succeeded waiting");
    say(d, "phased.next", "{'name':'p'}");
    phases_are(d, "p", "succeeded succeeded active");
    refused(d, ERR_CONDITION, "every phase has begun", "phased.next", "{'name':'p'}");
}

static void test_edit(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "collection.create", "{'name':'lab','nodes':['till-3']}");
    say(d, "phased.create", CREATE("'phases':['pilot','all']"));
    say(d, "phased.phase.add", "{'name':'p','spec':'branches,begin=+2d','at':2}");
    say(d, "phased.phase.add", "{'name':'p','spec':'lab'}");
    phases_are(d, "p", "active waiting waiting waiting");
    refused(d, ERR_CONDITION, "read-only", "phased.phase.change", "{'name':'p','phase':'pilot','spec':'halt=1%'}");
    refused(d, ERR_CONDITION, "read-only", "phased.phase.remove", "{'name':'p','phase':'1'}");
    refused(d, ERR_CONDITION, "never comes before", "phased.phase.move", "{'name':'p','phase':'lab','to':'1'}");
    refused(d, ERR_USAGE, "1 to 4", "phased.phase.move", "{'name':'p','phase':'lab','to':5}");
    refused(d, ERR_NOT_FOUND, "no phase", "phased.phase.change", "{'name':'p','phase':'nobody','spec':'halt=1%'}");
    refused(d, ERR_USAGE, "has phase", "phased.phase.change", "{'name':'p','phase':'lab','collection':'all'}");
    say(d, "phased.phase.move", "{'name':'p','phase':'lab','to':2}");
    say(d, "phased.phase.change", "{'name':'p','phase':'lab','spec':'success=1,gradual=3d','notify':'none'}");
    say(d, "phased.phase.remove", "{'name':'p','phase':'branches'}");
    out = ask(d, "phased.status", "{'name':'p'}");
    assert_int_equal(json_array_size(json_object_get(out, "phases")), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(out, "phases"), 1), "collection")), "lab");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(out, "phases"), 1), "gradual")), "+3d");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(out, "phases"), 2), "collection")), "all");
    json_decref(out);
    installs(d, 0, 2);
    installs(d, 1, 2);
    stepped(d);
    d->a.now += DAY;
    stepped(d);
    out = published(d, "policy/lab/p-lab.json");
    assert_non_null(out);
    json_decref(out);
    say(d, "phased.delete", "{'name':'p','withdraw':true}");
    assert_int_equal(count_in(d, "phase"), 0);
    assert_int_equal(count_in(d, "deployment WHERE withdrawn = 0"), 0);
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

/* What it will need is not deleted under it. */
static void test_needed(void **state)
{
    struct desk *d = *state;

    say(d, "phased.create", CREATE("'phases':['pilot,begin=manual','all']"));
    refused(d, ERR_CONDITION, "phased deployment p", "group.delete", "{'name':'october'}");
    refused(d, ERR_CONDITION, "phased deployment p", "collection.delete", "{'name':'pilot'}");
    say(d, "group.remove", "{'name':'october','updates':['curl']}");
    refused(d, ERR_CONDITION, "gone, or empty", "phased.next", "{'name':'p'}");
    say(d, "phased.delete", "{'name':'p'}");
    say(d, "group.delete", "{'name':'october'}");
    say(d, "collection.delete", "{'name':'pilot'}");
}

/* A deployment that somebody halted by hand stays halted when the phases go on. */
static void test_hand_halt(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "phased.create", CREATE("'phases':['pilot','all']"));
    say(d, "deployment.halt", "{'name':'p-pilot','reason':'tills break'}");
    say(d, "phased.suspend", "{'name':'p'}");
    refused(d, ERR_CONDITION, "phased resume p", "deployment.resume", "{'name':'p-pilot'}");
    say(d, "phased.resume", "{'name':'p'}");
    out = published(d, "policy/pilot/p-pilot.json");
    assert_string_equal(json_string_value(json_object_get(out, "halted")), "tills break");
    json_decref(out);
}

/* Its deployment deleted by hand: it holds, and goes on by force. */
static void test_deleted(void **state)
{
    struct desk *d = *state;

    say(d, "phased.create", CREATE("'phases':['pilot','all,begin=now']"));
    say(d, "deployment.delete", "{'name':'p-pilot'}");
    assert_false(stepped(d));
    phases_are(d, "p", "active waiting");
    refused(d, ERR_CONDITION, "was deleted", "phased.next", "{'name':'p'}");
    say(d, "phased.next", "{'name':'p','force':true}");
    phases_are(d, "p", "active active");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_refusals), T(test_story), T(test_success_is_lost), T(test_halt), T(test_sample), T(test_silence), T(test_soak),
        T(test_late),     T(test_suspend), T(test_next),          T(test_edit), T(test_replay), T(test_stuck),   T(test_deleted),
        T(test_needed), T(test_hand_halt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
