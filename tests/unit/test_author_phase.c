/* Phased deployments by hand: what is refused, what can still be changed, suspended, moved on. */
#include "tests/unit/phased_desk.h"

static void test_refusals(void **state)
{
    struct desk *d = *state;

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
#define T(name) cmocka_unit_test_setup_teardown(name, phased_desk_open, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_refusals), T(test_suspend), T(test_next), T(test_edit), T(test_needed), T(test_hand_halt), T(test_deleted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
