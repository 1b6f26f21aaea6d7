/* What the fleet would do: nodes, bytes for each branch, windows, other deployments. Nothing of it is left behind. */
#include "tests/unit/desk.h"

#include "policy/authoring/making.h"

#define DAY     86400
#define CURL    "apt:debian:curl:8.1"
#define OPENSSL "apt:debian:openssl:3.0.2"
#define BASH    "apt:debian:bash:5.3"
#define DEPLOY  "'name':'october','collection':'all','deadline':'+2h'"

static char nodes[4][NODE_ID_SIZE];

static void scan(struct desk *d, int i, int serial, const char *states)
{
    AUTO(text_free) char *batch = must_print("[{'serial':%d,'topic':'scan','scan':{'states':{%s}}}]", serial, states);

    desk_status(d, nodes[i], batch);
}

/* till-0 and till-1 in the branch north, till-2 in south, till-3 outside. 0 and 1 need curl and openssl, 2 curl, 3 nothing. */
static int begin(void **state)
{
    static const char *const branches[] = {"north", "north", "south", ""};
    struct desk             *d;
    char                     name[24];

    desk_open(state);
    d = *state;
    desk_catalog(d);
    say(d, "boundary.add", "{'group':'north','cidrs':['10.1.0.0/16']}");
    say(d, "boundary.add", "{'group':'south','cidrs':['10.2.0.0/16']}");
    for (int i = 0; i < 4; i++) {
        AUTO(text_free) char *facts = must_print("[{'serial':1,'topic':'facts','facts':{'hostname':'till-%d','boundary.group':'%s'}}]", i, branches[i]);
        snprintf(name, sizeof name, "till-%d", i);
        desk_node(d, name, nodes[i]);
        desk_status(d, nodes[i], facts);
    }
    scan(d, 0, 2, "'" CURL "':['required',0],'" OPENSSL "':['required',0]");
    scan(d, 1, 2, "'" CURL "':['required',0],'" OPENSSL "':['required',0]");
    scan(d, 2, 2, "'" CURL "':['required',0],'" OPENSSL "':['installed',0]");
    scan(d, 3, 2, "");
    return 0;
}

static void run_sql(struct desk *d, const char *sql)
{
    json_t *rows = NULL;

    if (rows_found(d->a.ledger, sql, NULL, &rows, &d->e))
        fail_msg("%s", d->e.text);
    json_decref(rows);
}

/* The plan of a command; caller decrefs. */
static json_t *plan(struct desk *d, const char *command, const char *args)
{
    int64_t groups = count_in(d, "grp"), deployments = count_in(d, "deployment"), audits = count_in(d, "audit");
    json_t *out;

    d->a.dry_run = d->a.plan = true;
    out = ask(d, command, args);
    d->a.dry_run = d->a.plan = false;
    assert_int_equal(count_in(d, "grp"), groups);
    assert_int_equal(count_in(d, "deployment"), deployments);
    assert_int_equal(count_in(d, "audit"), audits);
    return out;
}

static json_t *branch(const json_t *out, const char *name)
{
    return row_with(json_object_get(out, "branches"), "name", name);
}

/* 1000 bytes each: north needs curl and openssl's two, counted once for two nodes; south curl. */
static void test_bytes(void **state)
{
    struct desk *d = *state;
    json_t      *out = plan(d, "deploy", "{" DEPLOY ",'updates':['curl','openssl','bash']}");

    assert_int_equal(number_in(out, "nodes"), 4);
    assert_int_equal(number_in(out, "needing"), 3);
    assert_int_equal(number_in(out, "changes"), 5);
    assert_int_equal(number_in(out, "content_unknown"), 3);
    assert_int_equal(number_in(branch(out, "north"), "bytes"), 3000);
    assert_int_equal(number_in(branch(out, "north"), "nodes"), 2);
    assert_int_equal(number_in(branch(out, "south"), "bytes"), 1000);
    assert_int_equal(number_in(branch(out, "-"), "bytes"), 0);
    assert_true(json_is_null(json_object_get(branch(out, "north"), "arrives")));
    json_decref(out);
}

/* Outside every boundary each node fetches for itself. */
static void test_alone(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    run_sql(d, "UPDATE node SET branch = ''");
    out = plan(d, "deploy", "{" DEPLOY ",'updates':['curl']}");
    assert_int_equal(number_in(branch(out, "-"), "bytes"), 3000);
    json_decref(out);
}

/* Downloaded: what travels is known, indexes too; what a node of the branch has does not cross again. */
static void test_downloaded(void **state)
{
    struct desk *d = *state;
    json_t      *out, *rows = NULL;
    int64_t      index;

    say(d, "group.create", "{'name':'october'}");
    say(d, "group.add", "{'name':'october','updates':['curl']}");
    desk_download(d, "october");
    assert_int_equal(rows_found(d->a.ledger, "SELECT size FROM content WHERE name LIKE '%Packages'", NULL, &rows, &d->e), OK);
    index = number_in(json_array_get(rows, 0), "size");
    json_decref(rows);
#define CREATE(more) "{'name':'o','group':'october','collection':'all','purpose':'required'," more "}"
    out = plan(d, "deployment.create", CREATE("'deadline':'+2h'"));
    assert_int_equal(number_in(out, "content_unknown"), 0);
    assert_int_equal(number_in(branch(out, "north"), "bytes"), 1000 + index);
    json_decref(out);
    run_sql(d, "INSERT INTO node_content(node, sha256, size) SELECT id, (SELECT sha256 FROM content WHERE name LIKE 'pool/curl%'), 1000"
               " FROM node WHERE hostname = 'till-1'");
    out = plan(d, "deployment.create", CREATE("'deadline':'+2h'"));
    assert_int_equal(number_in(branch(out, "north"), "bytes"), index);
    assert_int_equal(number_in(branch(out, "south"), "bytes"), 1000 + index);
    json_decref(out);
}

/* 1000 bytes at 1 kbit/s take 8 s; from the available time on. */
static void test_arrival(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    run_sql(d, "UPDATE boundary SET wan_kbit = 1 WHERE name = 'south'");
    out = plan(d, "deploy", "{" DEPLOY ",'updates':['curl'],'available':'+1h'}");
    assert_string_equal(json_string_value(json_object_get(branch(out, "south"), "arrives")), "2027-01-15T09:00:08Z");
    assert_int_equal(number_in(branch(out, "south"), "late"), 0);
    assert_int_equal(number_in(branch(out, "south"), "wan_kbit"), 1);
    json_decref(out);
    out = plan(d, "deploy", "{'name':'october','collection':'all','deadline':'+5s','updates':['curl']}");
    assert_int_equal(number_in(branch(out, "south"), "late"), 3);
    json_decref(out);
}

/* Friday 08:00 now; curl's maximum run time is an hour. */
static void test_windows(void **state)
{
    struct desk *d = *state;
    json_t      *out, *windows;

    run_sql(d, "INSERT INTO collection(name, json) SELECT 'nights', '{\"nodes\":[\"' || id || '\"],\"windows\":[{\"name\":\"night\",\"when\":"
               "\"daily 22:00\",\"duration_s\":14400}]}' FROM node WHERE hostname = 'till-0'");
    run_sql(d, "INSERT INTO collection(name, json) SELECT 'short', '{\"nodes\":[\"' || id || '\"],\"windows\":[{\"name\":\"short\",\"when\":"
               "\"daily 10:00\",\"duration_s\":600}]}' FROM node WHERE hostname = 'till-1'");
    out = plan(d, "deploy", "{" DEPLOY ",'updates':['curl']}");
    windows = json_object_get(out, "windows");
    assert_int_equal(json_array_size(json_object_get(windows, "missed")), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(windows, "missed"), 0), "node")), "till-0");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(windows, "missed"), 0), "opens")), "2027-01-15T22:00:00Z");
    assert_int_equal(number_in(json_array_get(json_object_get(windows, "missed"), 0), "late"), 12 * 3600);
    assert_int_equal(json_array_size(json_object_get(windows, "none")), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(windows, "none"), 0)), "till-1");
    json_decref(out);
    out = plan(d, "deploy", "{'name':'october','collection':'all','deadline':'+1d','updates':['curl']}");
    assert_int_equal(json_array_size(json_object_get(json_object_get(out, "windows"), "missed")), 0);
    json_decref(out);
    out = plan(d, "deploy", "{" DEPLOY ",'updates':['curl'],'install_outside':true}");
    assert_int_equal(json_array_size(json_object_get(json_object_get(out, "windows"), "none")), 0);
    json_decref(out);
}

static const char *conflict_of(const json_t *out, const char *deployment)
{
    return json_string_value(json_object_get(row_with(json_object_get(out, "conflicts"), "deployment", deployment), "why"));
}

static void test_conflicts(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "group.create", "{'name':'g'}");
    say(d, "group.add", "{'name':'g','updates':['curl','bash']}");
    say(d, "collection.create", "{'name':'south','nodes':['till-2']}");
    say(d, "deployment.create", "{'name':'early','group':'g','collection':'south','purpose':'required','deadline':'+1h'}");
    say(d, "deployment.create", "{'name':'late','group':'g','collection':'all','purpose':'required','deadline':'+9h'}");
    say(d, "deployment.create", "{'name':'off','group':'g','collection':'all','purpose':'required','deadline':'+9h','enabled':false}");
    out = plan(d, "deploy", "{" DEPLOY ",'updates':['curl','openssl']}");
    assert_int_equal(json_array_size(json_object_get(out, "conflicts")), 2);
    assert_non_null(strstr(conflict_of(out, "early"), "2027-01-15T09:00:00Z is earlier"));
    assert_non_null(strstr(conflict_of(out, "off"), "disabled"));
    assert_int_equal(number_in(row_with(json_object_get(out, "conflicts"), "deployment", "early"), "nodes"), 1);
    assert_int_equal(number_in(row_with(json_object_get(out, "conflicts"), "deployment", "early"), "updates"), 1);
    json_decref(out);
}

/* Who is silent, who cannot tell, and that there may be nothing to do at all. */
static void test_unknown(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    scan(d, 2, 3, "'" CURL "':['unknown',0]");
    d->a.now += 4 * DAY;
    scan(d, 0, 3, "'" CURL "':['installed',0]");
    scan(d, 1, 3, "'" CURL "':['installed',0]");
    out = plan(d, "deploy", "{" DEPLOY ",'updates':['curl']}");
    assert_int_equal(number_in(out, "unknown"), 1);
    assert_int_equal(number_in(out, "needing"), 0);
    assert_int_equal(number_in(out, "changes"), 1);
    assert_int_equal(number_in(json_object_get(out, "silent"), "count"), 2);
    json_decref(out);
    scan(d, 2, 4, "'" CURL "':['installed',0]");
    out = plan(d, "deploy", "{" DEPLOY ",'updates':['curl']}");
    assert_int_equal(number_in(out, "changes"), 0);
    json_decref(out);
}

/* All the phases at once; nobody is counted twice. */
static void test_phased(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "group.create", "{'name':'october'}");
    say(d, "group.add", "{'name':'october','updates':['curl']}");
    desk_download(d, "october");
    say(d, "collection.create", "{'name':'pilot','nodes':['till-0']}");
    out = plan(d, "phased.create", "{'name':'p','group':'october','first':'pilot','second':'all','origin_fallback':true}");
    assert_int_equal(json_array_size(json_object_get(out, "deployments")), 2);
    assert_int_equal(number_in(out, "nodes"), 4);
    assert_int_equal(number_in(out, "changes"), 3);
    json_decref(out);
    assert_int_equal(count_in(d, "phased"), 0);
}

static void test_rule(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "rule.create", "{'name':'weekly','filter':'required > 0'}");
    say(d, "rule.deployment.add", "{'name':'weekly','deployment':'x','collection':'all','deadline':'+1d'}");
    out = plan(d, "rule.run", "{'name':'weekly'}");
    assert_int_equal(number_in(out, "changes"), 5);
    json_decref(out);
    say(d, "rule.change", "{'name':'weekly','filter':'name = nothing'}");
    out = plan(d, "rule.run", "{'name':'weekly'}");
    assert_int_equal(number_in(out, "changes"), 0);
    json_decref(out);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_bytes),   T(test_alone),     T(test_downloaded), T(test_arrival), T(test_windows),
        T(test_conflicts), T(test_unknown), T(test_phased),     T(test_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
