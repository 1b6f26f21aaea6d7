/* How far, and why not: figures that agree with each other, reasons with code, document and clock. */
#include "tests/unit/desk.h"

#define CURL    "apt:debian:curl:8.1"
#define OPENSSL "apt:debian:openssl:3.0.2"

static char till[NODE_ID_SIZE];

/* A deployment of curl to the tills, required in two hours, and one till that has reported nothing yet. */
static int begin(void **state)
{
    struct desk *d;

    desk_open(state);
    d = *state;
    desk_catalog(d);
    say(d, "group.create", "{'name':'g'}");
    say(d, "group.add", "{'name':'g','updates':['curl']}");
    desk_download(d, "g");
    say(d, "collection.create", "{'name':'tills','rule':'hostname ~ \\'till-*\\''}");
    say(d, "deployment.create",
        "{'name':'october','group':'g','collection':'tills','purpose':'required','deadline':'+2h','randomize':'0'}");
    desk_node(d, "till-1", till);
    desk_status(d, till, "[{'serial':1,'topic':'facts','facts':{'hostname':'till-1','boundary.group':'north'}}]");
    return 0;
}

static void tally(struct desk *d, int64_t compliant, int64_t in_progress, int64_t failed, int64_t unknown)
{
    json_t *out = ask(d, "status.show", "{}"), *row = row_with(json_object_get(out, "deployments"), "name", "october"), *one;

    assert_int_equal(number_in(row, "compliant"), compliant);
    assert_int_equal(number_in(row, "in_progress"), in_progress);
    assert_int_equal(number_in(row, "failed"), failed);
    assert_int_equal(number_in(row, "unknown"), unknown);
    assert_int_equal(number_in(row, "total"), compliant + in_progress + failed + unknown);
    one = ask(d, "deployment.show", "{'name':'october'}");
    assert_int_equal(number_in(one, "compliant"), compliant);
    assert_int_equal(number_in(one, "failed"), failed);
    json_decref(one);
    json_decref(out);
}

/* The first reason's code; the text of all of them in *text, "code: text\n", for the caller to free. */
static char *why(struct desk *d, const char *update, char **first)
{
    AUTO(text_free) char *args = must_print("{'node':'till-1','update':'%s'}", update);
    json_t               *out = ask(d, "why.show", args), *row;
    struct text           text = {0};
    size_t                i;

    *first = NULL;
    json_array_foreach(json_object_get(out, "reasons"), i, row) {
        if (!i)
            *first = must_copy(json_string_value(json_object_get(row, "code")));
        text_add(&text, "%s: %s [%s] %s\n", json_string_value(json_object_get(row, "code")),
                 json_string_value(json_object_get(row, "text")), json_string_value(json_object_get(row, "document")),
                 json_string_value(json_object_get(row, "clock")));
    }
    assert_non_null(strstr(json_string_value(json_object_get(out, "last_contact")), "s ago"));
    json_decref(out);
    return text_take(&text);
}

static void because(struct desk *d, const char *update, const char *code, const char *part)
{
    char *first, *all = why(d, update, &first);

    if (!first || strcmp(first, code) || !strstr(all, part))
        fail_msg("%s because\n%sexpected %s with \"%s\"", update, all, code, part);
    free(first);
    free(all);
}

static void test_tally(void **state)
{
    struct desk *d = *state;
    char         other[NODE_ID_SIZE], office[NODE_ID_SIZE];

    tally(d, 0, 0, 0, 1);
    desk_status(d, till, "[{'serial':2,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    tally(d, 0, 1, 0, 0);
    desk_node(d, "till-2", other);
    desk_status(d, other, "[{'serial':1,'topic':'facts','facts':{'hostname':'till-2'}},{'serial':2,'topic':'scan','scan':{'states':{}}}]");
    tally(d, 1, 1, 0, 0);
    desk_node(d, "office-1", office);
    desk_status(d, office, "[{'serial':1,'topic':'facts','facts':{'hostname':'office-1'}}]");
    tally(d, 1, 1, 0, 0);
    desk_status(d, till, "[{'serial':3,'topic':'update','subject':'" CURL "','deployment':'october','state':'reported',"
                         "'enforcement':'failed','reason':'retry-later'}]");
    tally(d, 1, 0, 1, 0);
    desk_status(d, till, "[{'serial':4,'topic':'scan','scan':{'states':{'" CURL "':['installed',0]}}}]");
    tally(d, 2, 0, 0, 0);
    desk_status(d, other, "[{'serial':3,'topic':'scan','scan':{'states':{'" CURL "':['unknown',0]}}}]");
    tally(d, 1, 0, 0, 1);
    say(d, "node.retire", "{'name':'till-2'}");
    tally(d, 1, 0, 0, 0);
}

/* A node that scanned with an older catalog cannot know what came since: unknown, not compliant. */
static void test_older_catalog(void **state)
{
    static const char *const newer[] = {STANZA("curl", "curl", "8.1", ""), STANZA("nano", "nano", "7", ""), NULL};
    struct desk             *d = *state;
    struct catalog_counts    n;

    desk_status(d, till, "[{'serial':2,'topic':'scan','scan':{'states':{}}}]");
    tally(d, 1, 0, 0, 0);
    assert_int_equal(desk_import(d, "debian", newer, DESK_NOW, &n), OK);
    say(d, "group.add", "{'name':'g','updates':['nano']}");
    tally(d, 0, 0, 0, 1);
    desk_status(d, till, "[{'serial':3,'topic':'scan','scan':{'states':{}}}]");
    tally(d, 1, 0, 0, 0);
}

/* Worst first: of two updates of one node the failed one decides. */
static void test_worst(void **state)
{
    struct desk *d = *state;

    say(d, "group.add", "{'name':'g','updates':['openssl']}");
    desk_status(d, till,
                "[{'serial':2,'topic':'scan','scan':{'states':{'" CURL "':['required',0],'" OPENSSL "':['unknown',0]}}}]");
    tally(d, 0, 0, 0, 1);
    desk_status(d, till, "[{'serial':3,'topic':'update','subject':'" CURL "','state':'reported','enforcement':'download-failed'}]");
    tally(d, 0, 0, 1, 0);
}

/* Needed is what came from everywhere together, per branch as per node. */
static void test_branches(void **state)
{
    struct desk *d = *state;
    json_t      *out, *row;

    desk_status(d, till,
                "[{'serial':2,'topic':'content','subject':'aa','event':'complete','size':100,'bytes':{'http':60,'peers':40,'waste':5}},"
                "{'serial':3,'topic':'content','subject':'bb','event':'complete','size':50,'bytes':{'origin':30}}]");
    out = ask(d, "status.show", "{}");
    row = row_with(json_object_get(out, "branches"), "name", "north");
    assert_int_equal(number_in(row, "nodes"), 1);
    assert_int_equal(number_in(row, "needed"), 150);
    assert_int_equal(number_in(row, "http"), 60);
    assert_int_equal(number_in(row, "peers"), 40);
    assert_int_equal(number_in(row, "origin"), 30);
    assert_int_equal(number_in(row, "waste"), 5);
    assert_int_equal(number_in(row, "error"), 20);
    assert_int_equal(number_in(out, "nodes"), 1);
    assert_int_equal(number_in(out, "silent"), 0);
    json_decref(out);
    d->a.now += 4 * 86400;
    out = ask(d, "status.show", "{}");
    assert_int_equal(number_in(out, "silent"), 1);
    json_decref(out);
}

static void test_why_unknown(void **state)
{
    struct desk *d = *state;

    d->a.now += 300;
    because(d, "curl", "state-unknown", "300 s ago");
    because(d, "openssl", "state-unknown", "not-deployed: no deployment carries it");
}

static void test_why(void **state)
{
    struct desk *d = *state;

    desk_status(d, till, "[{'serial':2,'topic':'scan','scan':{'states':{'" CURL "':['required',0],'" OPENSSL "':['required',0]}}}]");
    because(d, "curl", "downloading", "policy/tills/october.json");
    because(d, "openssl", "not-deployed", "no deployment");
    desk_status(d, till, "[{'serial':3,'topic':'update','subject':'" CURL "','state':'waiting','enforcement':'downloaded'}]");
    because(d, "curl", "deadline-ahead", "2027-01-15T10:00:00Z");
    desk_status(d, till,
                "[{'serial':4,'topic':'update','subject':'" CURL
                "','state':'reported','enforcement':'failed','reason':'retry-later','attempts':1,"
                "'detail':'apt-get: exit 100'}]");
    d->a.now += 3 * 3600;
    because(d, "curl", "install-now", "the node says: an attempt failed");
    because(d, "curl", "install-now", "apt-get: exit 100");
}

static void test_why_not_concerned(void **state)
{
    struct desk *d = *state;

    desk_status(d, till, "[{'serial':2,'topic':'scan','scan':{'states':{'" CURL "':['required',1]}}}]");
    because(d, "curl", "held", "held");
    desk_status(d, till, "[{'serial':3,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    say(d, "deployment.change", "{'name':'october','enabled':false}");
    because(d, "curl", "disabled", "october");
    desk_status(d, till, "[{'serial':4,'topic':'facts','facts':{'hostname':'counter-1'}}]");
    because(d, "curl", "not-member", "collection");
    desk_status(d, till, "[{'serial':5,'topic':'scan','scan':{'states':{}}}]");
    because(d, "bash", "not-deployed", "no deployment");
    say(d, "deployment.delete", "{'name':'october'}");
    because(d, "curl", "not-deployed", "no deployment");
}

/* What holds for the node by its collections, in its own zone: every gate on the way, in order. */
static void test_why_windows(void **state)
{
    struct desk *d = *state;
    char        *first, *all;

    desk_status(d, till, "[{'serial':2,'topic':'facts','facts':{'hostname':'till-1','timezone':'Europe/Berlin'}},"
                         "{'serial':3,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}},"
                         "{'serial':4,'topic':'update','subject':'" CURL "','state':'required','enforcement':'downloaded'}]");
    say(d, "window.add", "{'collection':'tills','name':'night','when':'daily 02:00','duration':'4h'}");
    all = why(d, "curl", &first);
    assert_string_equal(first, "deadline-ahead");
    assert_non_null(strstr(all, "deadline-ahead: its deadline has not come (deployment october) [policy/tills/october.json] 2027-01-15T10:00:00Z"));
    assert_non_null(strstr(all, "waiting-window: outside the maintenance windows (deployment october) [policy/tills/october.json]"
                                " 2027-01-16T01:00:00Z"));
    assert_true(strstr(all, "deadline-ahead") < strstr(all, "waiting-window"));
    free(first);
    free(all);
    d->a.now += 3 * 3600;
    because(d, "curl", "waiting-window", "2027-01-16T01:00:00Z");
    say(d, "deployment.change", "{'name':'october','install_outside':true}");
    because(d, "curl", "install-now", "october");
    say(d, "settings.set", "{'collection':'tills','enabled':false}");
    because(d, "curl", "switched-off", "october");
    say(d, "deployment.halt", "{'name':'october','reason':'prints nothing'}");
    because(d, "curl", "halted", "the deployment is halted: prints nothing (deployment october, halted)");
}

/* The leading one comes first; who made a deployment is said; what has expired says by what it is replaced. */
static void test_why_several(void **state)
{
    static const char *const newer[] = {STANZA("curl", "curl", "8.2", ""), NULL};
    struct desk             *d = *state;
    struct catalog_counts    n;
    json_t                  *rows = NULL;
    char                    *first, *all;

    desk_status(d, till, "[{'serial':2,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    say(d, "deployment.create", "{'name':'early','group':'g','collection':'all','purpose':'required','deadline':'+1h','randomize':'0'}");
    assert_int_equal(rows_found(d->a.ledger, "UPDATE deployment SET made_by = 'rule:monthly' WHERE name = 'early'", NULL, &rows, &d->e), OK);
    json_decref(rows);
    all = why(d, "curl", &first);
    assert_string_equal(first, "downloading");
    assert_non_null(strstr(all, "(deployment early, made by rule monthly)"));
    assert_true(strstr(all, "early") < strstr(all, "october"));
    free(first);
    free(all);
    assert_int_equal(desk_import(d, "debian", newer, DESK_NOW, &n), OK);
    say(d, "site.set", "{'supersedence':'now'}");
    assert_int_equal(author_tidy(&d->a, &rows, &d->e), OK);
    json_decref(rows);
    because(d, CURL, "not-deployed", "it has expired; newer is apt:debian:curl:8.2");
}

/* Deployed, but its files have not come to the library yet. */
static void test_why_content(void **state)
{
    struct desk *d = *state;

    say(d, "group.add", "{'name':'g','updates':['openssl']}");
    desk_status(d, till, "[{'serial':2,'topic':'scan','scan':{'states':{'" OPENSSL "':['required',0]}}}]");
    because(d, "openssl", "content-missing", "october");
}

static void test_no_such(void **state)
{
    struct desk *d = *state;

    refused(d, ERR_NOT_FOUND, "did you mean \"till-1\"?", "why.show", "{'node':'till-l','update':'curl'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"curl\"?", "why.show", "{'node':'till-1','update':'crul'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"october\"?", "deployment.show", "{'name':'octobr'}");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_tally),       T(test_older_catalog), T(test_worst),
          T(test_branches), T(test_why_unknown), T(test_why), T(test_why_not_concerned),
        T(test_why_windows), T(test_why_several), T(test_why_content), T(test_no_such),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
