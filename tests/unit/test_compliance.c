/* Status into the ledger: once by (node, serial), however often it comes, and right counts. */
#include "tests/unit/desk.h"

#define CURL    "apt:debian:curl:8.1"
#define OPENSSL "apt:debian:openssl:3.0.2"
#define HEX     "00000000000000000000000000000000000000000000000000000000000000aa"

static char node[NODE_ID_SIZE];

static int begin(void **state)
{
    desk_open(state);
    desk_catalog(*state);
    desk_node(*state, "till-1", node);
    return 0;
}

static void counts(struct desk *d, const char *id, int64_t required, int64_t installed, int64_t unknown)
{
    AUTO(text_free) char *args = must_print("{'id':'%s'}", id);
    json_t               *u = ask(d, "update.show", args);

    assert_int_equal(number_in(u, "required"), required);
    assert_int_equal(number_in(u, "installed"), installed);
    assert_int_equal(number_in(u, "unknown"), unknown);
    json_decref(u);
}

/* A member of a group whose version has left its catalog: no scan names it, the inventory does. */
static void test_left_catalog(void **state)
{
    static const char *const newer[] = {STANZA("curl", "curl", "8.2", ""), NULL};
    struct desk             *d = *state;
    struct catalog_counts    n;

    say(d, "group.create", "{'name':'g'}");
    say(d, "group.add", "{'name':'g','updates':['curl']}");
    assert_int_equal(desk_import(d, "debian", newer, DESK_NOW, &n), OK);
    desk_status(d, node,
                "[{'serial':1,'topic':'inventory','packages':[['ii','curl','amd64','8.0']]},"
                "{'serial':2,'topic':'scan','scan':{'states':{'apt:debian:curl:8.2':['required',0]}}}]");
    counts(d, CURL, 1, 0, 0);
    counts(d, "apt:debian:curl:8.2", 1, 0, 0);
    desk_status(d, node, "[{'serial':3,'topic':'inventory','packages':[['ii','curl','amd64','8.1']]}]");
    counts(d, CURL, 0, 1, 0);
    desk_status(d, node, "[{'serial':4,'topic':'inventory','packages':[['ii','bash','amd64','5.3']]}]");
    counts(d, CURL, 0, 0, 0);
}

static json_t *shown(struct desk *d)
{
    return ask(d, "node.show", "{'name':'till-1'}");
}

/* How often that was told of: the same again raises an alert's count. */
static int64_t alerts(struct desk *d, const char *event)
{
    json_t *out = ask(d, "alert.list", "{}"), *row;
    size_t  i;
    int64_t n = 0;

    json_array_foreach(json_object_get(out, "items"), i, row)
        n += strcmp(json_string_value(json_object_get(row, "event")), event) ? 0 : number_in(row, "count");
    json_decref(out);
    return n;
}

static void test_replay(void **state)
{
    static const char batch[] =
        "[{'serial':1,'topic':'alert','event':'disk','detail':'full'},"
        "{'serial':2,'topic':'update','subject':'" CURL "','state':'reported','enforcement':'failed','detail':'exit 100'}]";
    struct desk      *d = *state;

    assert_int_equal(desk_status(d, node, batch), 2);
    assert_int_equal(desk_status(d, node, batch), 2);
    assert_int_equal(desk_status(d, node, "[{'serial':2,'topic':'alert','event':'disk'},{'serial':3,'topic':'alert','event':'fan'}]"), 3);
    assert_int_equal(alerts(d, "disk"), 1);
    assert_int_equal(alerts(d, "install.failed"), 1);
    assert_int_equal(alerts(d, "fan"), 1);
    assert_int_equal(count_in(d, "message"), 3);
}

/* What ended closes what it began, that node's alone; one that never began closes nothing. */
static void test_alert_over(void **state)
{
    struct desk *d = *state;
    char         other[NODE_ID_SIZE];

    desk_node(d, "till-2", other);
    assert_int_equal(desk_status(d, node, "[{'serial':1,'topic':'alert','event':'policy.expired','detail':'it ran out'}]"), 1);
    assert_int_equal(desk_status(d, other, "[{'serial':1,'topic':'alert','event':'policy.expired','over':false}]"), 1);
    assert_int_equal(count_in(d, "alert WHERE event = 'policy.expired' AND state = 'open'"), 2);
    assert_int_equal(desk_status(d, node, "[{'serial':2,'topic':'alert','event':'policy.expired','over':true},"
                                          "{'serial':3,'topic':'alert','event':'disk','over':true},{'serial':4,'topic':'alert','over':true}]"), 4);
    assert_int_equal(count_in(d, "alert WHERE event = 'policy.expired' AND state = 'open'"), 1);
    assert_int_equal(count_in(d, "alert WHERE event = 'disk'"), 0);
}

/* Serials are each node's own. */
static void test_two_nodes(void **state)
{
    struct desk *d = *state;
    char         other[NODE_ID_SIZE];

    desk_node(d, "till-2", other);
    assert_int_equal(desk_status(d, node, "[{'serial':7,'topic':'alert','event':'disk'}]"), 7);
    assert_int_equal(desk_status(d, other, "[{'serial':1,'topic':'alert','event':'disk'}]"), 1);
    assert_int_equal(alerts(d, "disk"), 2);
}

/* A store that was lost begins higher; what comes late from before is held already. */
static void test_gap(void **state)
{
    struct desk *d = *state;

    assert_int_equal(desk_status(d, node, "[{'serial':3,'topic':'alert','event':'disk'}]"), 3);
    assert_int_equal(desk_status(d, node, "[{'serial':1000,'topic':'alert','event':'disk'}]"), 1000);
    assert_int_equal(desk_status(d, node, "[{'serial':4,'topic':'alert','event':'disk'}]"), 1000);
    assert_int_equal(alerts(d, "disk"), 2);
    assert_int_equal(desk_status(d, node, "[]"), 1000);
}

/* The serials a node counts are without gaps: when one is missing all the same, somebody is told. */
static void test_gap_told(void **state)
{
    struct desk *d = *state;

    desk_status(d, node, "[{'serial':5,'topic':'alert','event':'disk'}]");
    assert_int_equal(alerts(d, "status.gap"), 0);
    assert_int_equal(desk_status(d, node, "[{'serial':6,'topic':'alert','event':'disk'},{'serial':9,'topic':'alert','event':'disk'}]"), 9);
    assert_int_equal(alerts(d, "status.gap"), 1);
    desk_status(d, node, "[{'serial':9,'topic':'alert','event':'disk'}]");
    assert_int_equal(alerts(d, "status.gap"), 1);
}

/* All of a batch or nothing of it. */
static void test_one_transaction(void **state)
{
    struct desk *d = *state;
    json_t      *messages = quoted("[{'serial':1,'topic':'alert','event':'disk'},"
                               "{'serial':2,'topic':'update','subject':'x','state':'s','enforcement':'failed'}]");
    json_t      *rows = NULL;
    int64_t      held = -1;

    assert_int_equal(
        rows_found(d->a.ledger, "CREATE TRIGGER no BEFORE INSERT ON node_job BEGIN SELECT RAISE(ABORT, 'no'); END", NULL, &rows, &d->e),
        OK);
    json_decref(rows);
    assert_int_equal(compliance_ingest(&d->a, node, messages, &held, &d->e), ERR_IO);
    assert_int_equal(held, -1);
    assert_int_equal(alerts(d, "disk"), 0);
    assert_int_equal(count_in(d, "message"), 0);
    assert_int_equal(rows_found(d->a.ledger, "DROP TRIGGER no", NULL, &rows, &d->e), OK);
    json_decref(rows);
    assert_int_equal(compliance_ingest(&d->a, node, messages, &held, &d->e), OK);
    assert_int_equal(held, 2);
    assert_int_equal(alerts(d, "disk"), 1);
    json_decref(messages);
}

static void test_scan(void **state)
{
    struct desk *d = *state;
    char         other[NODE_ID_SIZE];

    desk_status(d, node, "[{'serial':1,'topic':'scan','scan':{'states':{'" CURL "':['required',0],'" OPENSSL "':['unknown',0]}}}]");
    counts(d, CURL, 1, 0, 0);
    counts(d, OPENSSL, 0, 0, 1);
    desk_node(d, "till-2", other);
    desk_status(d, other, "[{'serial':1,'topic':'scan','scan':{'states':{'" CURL "':['installed',0]}}}]");
    counts(d, CURL, 1, 1, 0);
    /* What the next scan does not name is not required any more. */
    desk_status(d, node, "[{'serial':2,'topic':'scan','scan':{'states':{'" OPENSSL "':['installed',0]}}}]");
    counts(d, CURL, 0, 1, 0);
    counts(d, OPENSSL, 0, 1, 0);
    desk_status(d, node, "[{'serial':2,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    counts(d, CURL, 0, 1, 0);
    desk_status(d, node, "[{'serial':3,'topic':'scan','scan':{'states':{'" CURL "':['sideways',0],'" OPENSSL "':'required'}}}]");
    counts(d, CURL, 0, 1, 0);
    counts(d, OPENSSL, 0, 0, 0);
}

static void test_facts_and_inventory(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    desk_status(d, node,
                "[{'serial':1,'topic':'facts','facts':{'boundary.group':'north','os.codename':'bookworm'}},"
                "{'serial':2,'topic':'facts','facts':'none'},"
                "{'serial':3,'topic':'inventory','packages':[['ii','curl','amd64','8.0']]},"
                "{'serial':4,'topic':'inventory','packages':{}}]");
    out = shown(d);
    assert_string_equal(json_string_value(json_object_get(out, "branch")), "north");
    assert_string_equal(json_string_value(json_object_get(json_object_get(out, "facts"), "os.codename")), "bookworm");
    assert_int_equal(number_in(out, "serial"), 4);
    json_decref(out);
    assert_int_equal(count_in(d, "node WHERE inventory LIKE '%curl%'"), 1);
    assert_int_equal(alerts(d, "message.bad"), 1);
}

static void test_job(void **state)
{
    struct desk *d = *state;
    json_t      *out, *row;

    desk_status(d, node,
                "[{'serial':1,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}},"
                "{'serial':2,'topic':'update','subject':'" CURL "','deployment':'d','state':'installing','enforcement':'installing'},"
                "{'serial':3,'topic':'update','subject':'" CURL
                "','deployment':'d','state':'reported','enforcement':'failed','reason':'retry-later',"
                "'code':100,'attempts':2,'detail':'no space'}]");
    out = shown(d);
    row = row_with(json_object_get(out, "updates"), "id", CURL);
    assert_string_equal(json_string_value(json_object_get(row, "enforcement")), "failed");
    assert_string_equal(json_string_value(json_object_get(row, "detail")), "no space");
    assert_int_equal(number_in(row, "attempts"), 2);
    assert_int_equal(number_in(row, "code"), 100);
    json_decref(out);
    out = ask(d, "node.list", "{}");
    assert_int_equal(number_in(row_with(json_object_get(out, "items"), "hostname", "till-1"), "failed"), 1);
    json_decref(out);
    /* Somebody installed it by hand: nothing failed any more. */
    desk_status(d, node, "[{'serial':4,'topic':'scan','scan':{'states':{'" CURL "':['installed',0]}}}]");
    out = ask(d, "node.list", "{}");
    assert_int_equal(number_in(row_with(json_object_get(out, "items"), "hostname", "till-1"), "failed"), 0);
    json_decref(out);
}

/* The byte ledger: the last word about a content counts, once. */
static void test_content(void **state)
{
    static const char complete[] = "'topic':'content','subject':'" HEX "','event':'complete','size':100,"
                                   "'bytes':{'http':40,'peers':30,'cache':20,'origin':10,'waste':7}}]";
    struct desk      *d = *state;
    json_t           *out, *row;

    for (int i = 1; i <= 2; i++) {
        AUTO(text_free) char *text = must_print("[{'serial':%d,%s", i, complete);
        desk_status(d, node, text);
    }
    out = shown(d);
    assert_int_equal(json_array_size(json_object_get(out, "contents")), 1);
    row = json_array_get(json_object_get(out, "contents"), 0);
    assert_int_equal(number_in(row, "size"),
                     number_in(row, "http") + number_in(row, "peers") + number_in(row, "cache") + number_in(row, "origin"));
    assert_int_equal(number_in(row, "waste"), 7);
    json_decref(out);
    desk_status(d, node, "[{'serial':3,'topic':'content','subject':'" HEX "','event':'refused','source':'10.1.0.9','detail':'bad piece'}]");
    assert_int_equal(alerts(d, "content.refused"), 1);
}

/* A message nobody knows is kept as an alert; nonsense moves nothing else, and no clock runs ahead. */
static void test_nonsense(void **state)
{
    struct desk *d = *state;
    json_t      *out;
    int64_t      held;

    assert_int_equal(
        desk_status(d, node,
                    "[7,'x',[],{},{'serial':-5,'topic':'alert'},{'serial':1},{'serial':2,'topic':'dance'},{'serial':3,'topic':'update'},"
                    "{'serial':4,'topic':'content','subject':7},{'serial':5,'topic':'alert','event':'future','time':99999999999},"
                    "{'serial':6,'topic':'acknowledge','documents':[1]},{'serial':7,'topic':'scan'}]"),
        7);
    assert_int_equal(alerts(d, "message.unknown"), 2);
    assert_int_equal(alerts(d, "message.bad"), 2);
    out = ask(d, "alert.list", "{}");
    assert_string_equal(json_string_value(json_object_get(row_with(json_object_get(out, "items"), "event", "future"), "time")),
                        "2027-01-15T08:00:00Z");
    json_decref(out);
    out = json_object();
    assert_int_equal(compliance_ingest(&d->a, node, out, &held, &d->e), ERR_USAGE);
    json_decref(out);
}

static void test_acknowledged(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    desk_status(d, node, "[{'serial':1,'topic':'acknowledge','documents':{'policy/all/a.json':3,'policy/all/b.json':1}}]");
    desk_status(d, node, "[{'serial':2,'topic':'acknowledge','documents':{'policy/all/a.json':4}}]");
    out = shown(d);
    assert_int_equal(json_array_size(json_object_get(out, "documents")), 1);
    assert_int_equal(number_in(json_array_get(json_object_get(out, "documents"), 0), "seq"), 4);
    json_decref(out);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_replay), T(test_alert_over), T(test_left_catalog),       T(test_two_nodes),           T(test_gap), T(test_gap_told), T(test_one_transaction),
        T(test_scan),         T(test_facts_and_inventory), T(test_job), T(test_content),  T(test_nonsense),
        T(test_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
