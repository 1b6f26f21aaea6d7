/* Alerts: one open for each event and subject, worked on by people, closed when what they tell of has ended. */
#include "tests/unit/desk.h"

#include "policy/authoring/rollout.h"

#define DAY  86400
#define CURL "apt:debian:curl:8.1"

static char node[NODE_ID_SIZE];

static int begin(void **state)
{
    desk_open(state);
    desk_catalog(*state);
    desk_node(*state, "till-1", node);
    return 0;
}

static void raise_it(struct desk *d, const char *event, const char *subject, const char *detail)
{
    if (alert_raise(&d->a, event, subject, ALERT_WARNING, "", detail, &d->e))
        fail_msg("%s", d->e.text);
}

/* The row with that event among those that are open (or all); NULL: none. Caller decrefs *keep. */
static json_t *find(struct desk *d, const char *event, bool all, json_t **keep)
{
    json_t *row;
    size_t  i;

    *keep = ask(d, "alert.list", all ? "{'all':true}" : "{}");
    json_array_foreach(json_object_get(*keep, "items"), i, row)
        if (!strcmp(json_string_value(json_object_get(row, "event")), event))
            return row;
    return NULL;
}

static bool is_open(struct desk *d, const char *event)
{
    json_t *keep;
    bool    there = find(d, event, false, &keep) != NULL;

    json_decref(keep);
    return there;
}

static void state_is(struct desk *d, const char *event, const char *state, int64_t count)
{
    json_t *keep, *row = find(d, event, true, &keep);

    assert_non_null(row);
    assert_string_equal(json_string_value(json_object_get(row, "state")), state);
    assert_int_equal(number_in(row, "count"), count);
    json_decref(keep);
}

static void evaluate(struct desk *d)
{
    if (alerts_evaluate(&d->a, &d->e))
        fail_msg("%s", d->e.text);
}

static void test_once(void **state)
{
    struct desk *d = *state;
    json_t      *keep, *row;

    raise_it(d, "sync-failed", "debian", "404");
    d->a.now += 60;
    raise_it(d, "sync-failed", "debian", "503");
    raise_it(d, "sync-failed", "other", "404");
    assert_int_equal(count_in(d, "alert"), 2);
    row = find(d, "sync-failed", false, &keep);
    row = row_with(json_object_get(keep, "items"), "subject", "debian");
    assert_int_equal(number_in(row, "count"), 2);
    assert_string_equal(json_string_value(json_object_get(row, "detail")), "503");
    assert_string_equal(json_string_value(json_object_get(row, "time")), "2027-01-15T08:00:00Z");
    assert_string_equal(json_string_value(json_object_get(row, "last")), "2027-01-15T08:01:00Z");
    json_decref(keep);
    assert_int_equal(alert_close(&d->a, "sync-failed", "debian", "", &d->e), OK);
    raise_it(d, "sync-failed", "debian", "404");
    assert_int_equal(count_in(d, "alert"), 3);
}

static void test_worked_on(void **state)
{
    struct desk *d = *state;

    raise_it(d, "dp-space", "dp-1", "full");
    refused(d, ERR_NOT_FOUND, "no alert 7", "alert.acknowledge", "{'id':'7'}");
    refused(d, ERR_USAGE, "--until", "alert.postpone", "{'id':'1'}");
    refused(d, ERR_USAGE, "passed", "alert.postpone", "{'id':'1','until':'2027-01-01 00:00'}");
    say(d, "alert.acknowledge", "{'id':'1'}");
    assert_false(is_open(d, "dp-space"));
    raise_it(d, "dp-space", "dp-1", "still full");
    state_is(d, "dp-space", "acknowledged", 2);
    say(d, "alert.postpone", "{'id':'1','until':'+4h'}");
    state_is(d, "dp-space", "postponed", 2);
    evaluate(d);
    assert_false(is_open(d, "dp-space"));
    d->a.now += 4 * 3600;
    evaluate(d);
    assert_true(is_open(d, "dp-space"));
    assert_int_equal(alert_close(&d->a, "dp-space", "dp-1", "", &d->e), OK);
    assert_false(is_open(d, "dp-space"));
    refused(d, ERR_CONDITION, "has ended", "alert.acknowledge", "{'id':'1'}");
    d->a.now += 89 * DAY;
    evaluate(d);
    assert_int_equal(count_in(d, "alert"), 1);
    d->a.now += 2 * DAY;
    evaluate(d);
    assert_int_equal(count_in(d, "alert"), 0);
}

/* What nodes tell closes when they tell that it is over. */
static void test_nodes(void **state)
{
    struct desk *d = *state;

    desk_status(d, node, "[{'serial':1,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}},"
                         "{'serial':2,'topic':'update','subject':'" CURL "','state':'x','enforcement':'failed','detail':'exit 100'}]");
    assert_true(is_open(d, "install.failed"));
    desk_status(d, node, "[{'serial':3,'topic':'update','subject':'" CURL "','state':'x','enforcement':'failed','detail':'exit 100'}]");
    state_is(d, "install.failed", "open", 2);
    desk_status(d, node, "[{'serial':4,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    assert_true(is_open(d, "install.failed"));
    desk_status(d, node, "[{'serial':5,'topic':'scan','scan':{'states':{'" CURL "':['installed',0]}}}]");
    state_is(d, "install.failed", "closed", 2);
    desk_status(d, node, "[{'serial':6,'topic':'content','subject':'ab','event':'failed','detail':'no room'},"
                         "{'serial':7,'topic':'content','subject':'ab','event':'refused','detail':'altered'}]");
    assert_true(is_open(d, "content.failed"));
    desk_status(d, node, "[{'serial':8,'topic':'content','subject':'ab','event':'complete','size':5}]");
    assert_false(is_open(d, "content.failed"));
    assert_true(is_open(d, "content.refused"));
}

/* So many percent, so long after the deadline. */
static void test_low_compliance(void **state)
{
    struct desk *d = *state;
    json_t      *keep, *row;

    desk_status(d, node, "[{'serial':1,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    say(d, "group.create", "{'name':'october'}");
    say(d, "group.add", "{'name':'october','updates':['curl']}");
    say(d, "deployment.create", "{'name':'october','group':'october','collection':'all','purpose':'required','deadline':'+2h',"
                                "'alert_below':'95%','alert_after':'1d'}");
    d->a.now += 7200 + DAY - 1;
    evaluate(d);
    assert_false(is_open(d, "low-compliance"));
    d->a.now += 1;
    evaluate(d);
    evaluate(d);
    row = find(d, "low-compliance", false, &keep);
    assert_non_null(row);
    assert_string_equal(json_string_value(json_object_get(row, "detail")),
                        "0 of 1 nodes compliant (0 %), 95 % wanted; 0 failed, 0 unknown");
    assert_int_equal(number_in(row, "count"), 1);
    json_decref(keep);
    desk_status(d, node, "[{'serial':2,'topic':'scan','scan':{'states':{'" CURL "':['installed',0]}}}]");
    evaluate(d);
    assert_false(is_open(d, "low-compliance"));
    desk_status(d, node, "[{'serial':3,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    evaluate(d);
    assert_true(is_open(d, "low-compliance"));
    say(d, "deployment.delete", "{'name':'october'}");
    evaluate(d);
    assert_false(is_open(d, "low-compliance"));
}

/* Less room than what is assigned and still to come. */
static void test_room(void **state)
{
    struct desk *d = *state;
    json_t      *keep;

    say(d, "dp.add", "{'name':'dp-1','url':'http://dp-1.example.org','node':'till-1'}");
    say(d, "group.create", "{'name':'october'}");
    say(d, "group.add", "{'name':'october','updates':['curl']}");
    desk_download(d, "october");
    say(d, "content.distribute", "{'name':'october','to':['dp-1']}");
    evaluate(d);
    assert_false(is_open(d, "dp-space"));       /* it has not told yet */
    desk_status(d, node, "[{'serial':1,'topic':'dp','dp':'dp-1','event':'room','room':999}]");
    evaluate(d);
    assert_non_null(find(d, "dp-space", false, &keep));
    json_decref(keep);
    desk_status(d, node, "[{'serial':2,'topic':'dp','dp':'dp-1','event':'room','room':1000000}]");
    evaluate(d);
    assert_false(is_open(d, "dp-space"));
    desk_status(d, node, "[{'serial':3,'topic':'dp','dp':'dp-9','event':'room','room':1}]");
    evaluate(d);
    assert_false(is_open(d, "dp-space"));
}

static void test_program(void **state)
{
    struct desk *d = *state;
    char        *program;
    json_t      *alert;

    raise_it(d, "old", "", "before the program was named");
    assert_int_equal(alert_to_tell(&d->a, &alert, &program, &d->e), OK);
    assert_null(alert);
    refused(d, ERR_USAGE, "absolute", "alert.program", "{'program':'mail'}");
    refused(d, ERR_NOT_FOUND, "no such program", "alert.program", "{'program':'/nowhere/mail'}");
    AUTO(text_free) char *text = must_print("{'program':'%s'}", d->keyring);
    say(d, "alert.program", text);
    assert_int_equal(alert_to_tell(&d->a, &alert, &program, &d->e), OK);
    assert_null(alert);
    raise_it(d, "new", "x", "after");
    raise_it(d, "new", "x", "again");
    assert_int_equal(alert_to_tell(&d->a, &alert, &program, &d->e), OK);
    assert_string_equal(program, d->keyring);
    assert_string_equal(json_string_value(json_object_get(alert, "event")), "new");
    assert_string_equal(json_string_value(json_object_get(alert, "site")), "hq");
    json_decref(alert);
    free(program);
    assert_int_equal(alert_to_tell(&d->a, &alert, &program, &d->e), OK);
    assert_null(alert);                         /* once */
    say(d, "alert.program", "{'program':'none'}");
    raise_it(d, "newer", "x", "after");
    assert_int_equal(alert_to_tell(&d->a, &alert, &program, &d->e), OK);
    assert_null(alert);
}

/* How syncs went. */
static void test_sync(void **state)
{
    struct desk *d = *state;
    bool         due;

    assert_int_equal(catalog_went(&d->a, "debian", "HTTP 404", &d->e), OK);
    assert_int_equal(catalog_went(&d->a, "debian", "HTTP 404", &d->e), OK);
    state_is(d, "sync-failed", "open", 2);
    assert_int_equal(catalog_went(&d->a, "debian", NULL, &d->e), OK);
    state_is(d, "sync-failed", "closed", 2);
    assert_int_equal(sync_due(&d->a, &due, &d->e), OK);
    assert_false(due);
    refused(d, ERR_USAGE, "column", "site.set", "{'sync':'now and then'}");
    say(d, "site.set", "{'sync':'daily 04:00'}");
    assert_int_equal(sync_due(&d->a, &due, &d->e), OK);
    assert_false(due);
    d->a.now += 5 * DAY;                        /* five times missed are one */
    assert_int_equal(sync_due(&d->a, &due, &d->e), OK);
    assert_true(due);
    assert_int_equal(sync_due(&d->a, &due, &d->e), OK);
    assert_false(due);
    d->a.now -= 3 * DAY;                        /* the clock is set back */
    assert_int_equal(sync_due(&d->a, &due, &d->e), OK);
    assert_true(due);
    assert_int_equal(sync_due(&d->a, &due, &d->e), OK);
    assert_false(due);
    d->a.now += 5 * DAY;
    say(d, "site.set", "{'sync':'none'}");
    assert_int_equal(sync_due(&d->a, &due, &d->e), OK);
    assert_false(due);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_once), T(test_worked_on), T(test_nodes), T(test_low_compliance), T(test_room), T(test_program), T(test_sync),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
