/* Where each node of a deployment stands and why, who is silent, and a second try for those that failed. */
#include "tests/unit/desk.h"

#define CURL    "apt:debian:curl:8.1"
#define OPENSSL "apt:debian:openssl:3.0.2"

static char ids[4][NODE_ID_SIZE];
static const char *const hosts[] = {"till-1", "till-2", "till-3", "office-1"};

/* till-1 has failed, till-2 is compliant, till-3 has not scanned; office-1 is no till. */
static int begin(void **state)
{
    struct desk *d;

    desk_open(state);
    d = *state;
    desk_catalog(d);
    say(d, "group.create", "{'name':'g'}");
    say(d, "group.add", "{'name':'g','updates':['curl','openssl']}");
    desk_download(d, "g");
    say(d, "collection.create", "{'name':'tills','rule':'hostname ~ \\'till-*\\''}");
    say(d, "deployment.create", "{'name':'october.1','group':'g','collection':'tills','purpose':'required','deadline':'+2h',"
                                "'soft_deadline':true}");
    for (size_t i = 0; i < COUNT(hosts); i++) {
        AUTO(text_free) char *facts = must_print("[{'serial':1,'topic':'facts','facts':{'hostname':'%s'}}]", hosts[i]);
        desk_node(d, hosts[i], ids[i]);
        desk_status(d, ids[i], facts);
    }
    desk_status(d, ids[0],
                "[{'serial':2,'topic':'scan','scan':{'states':{'" CURL "':['required',0],'" OPENSSL "':['required',0]}}},"
                "{'serial':3,'topic':'update','subject':'" OPENSSL "','deployment':'october.1','state':'required','enforcement':'failed',"
                "'reason':'retry-later','detail':'exit 100','attempts':2}]");
    desk_status(d, ids[1], "[{'serial':2,'topic':'scan','scan':{'states':{'" CURL "':['installed',0]}}}]");
    return 0;
}

static const char *text_in(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static void test_nodes(void **state)
{
    struct desk *d = *state;
    json_t      *out = ask(d, "deployment.nodes", "{'name':'october.1'}"), *row;

    assert_int_equal(number_in(out, "total"), 3);
    row = row_with(json_object_get(out, "items"), "node", "till-1");
    assert_string_equal(text_in(row, "state"), "failed");
    assert_string_equal(text_in(row, "update"), OPENSSL);
    assert_string_equal(text_in(row, "reason"), "retry-later");
    assert_non_null(strstr(text_in(row, "text"), "exit 100"));
    assert_string_equal(text_in(row, "since"), "2027-01-15T08:00:00Z");
    row = row_with(json_object_get(out, "items"), "node", "till-3");
    assert_string_equal(text_in(row, "state"), "unknown");
    assert_non_null(strstr(text_in(row, "text"), "not reported a scan"));
    assert_string_equal(text_in(row_with(json_object_get(out, "items"), "node", "till-2"), "state"), "compliant");
    json_decref(out);
    out = ask(d, "deployment.nodes", "{'name':'october.1','state':'failed'}");
    assert_int_equal(number_in(out, "total"), 1);
    json_decref(out);
    out = ask(d, "deployment.nodes", "{'name':'october.1','limit':'1'}");
    assert_int_equal(number_in(out, "total"), 3);
    assert_int_equal(json_array_size(json_object_get(out, "items")), 1);
    json_decref(out);
    refused(d, ERR_USAGE, "in-progress", "deployment.nodes", "{'name':'october.1','state':'broken'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"october.1\"?", "deployment.nodes", "{'name':'october'}");
}

/* A restart that is owed is not compliance yet; installed by hand after a failure is. */
static void test_restart(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    desk_status(d, ids[1], "[{'serial':3,'topic':'update','subject':'" CURL "','state':'installed','enforcement':'restart-pending',"
                           "'reason':'restart-pending'}]");
    out = ask(d, "deployment.nodes", "{'name':'october.1','state':'in-progress'}");
    assert_string_equal(text_in(json_array_get(json_object_get(out, "items"), 0), "reason"), "restart-pending");
    json_decref(out);
    desk_status(d, ids[1], "[{'serial':4,'topic':'update','subject':'" CURL "','state':'installed','enforcement':'installed'}]");
    desk_status(d, ids[0], "[{'serial':4,'topic':'scan','scan':{'states':{'" OPENSSL "':['installed',0]}}}]");
    out = ask(d, "deployment.show", "{'name':'october.1'}");
    assert_int_equal(number_in(out, "compliant"), 2);
    assert_int_equal(number_in(out, "failed"), 0);
    json_decref(out);
}

static struct tally tallied(struct desk *d, int64_t since, int64_t silent_before)
{
    json_t      *row = rows_one(d->a.ledger, LEDGER_DEPLOYMENTS, "si", "october.1", (int64_t)0);
    struct tally t = {.since = since, .silent_before = silent_before};

    assert_int_equal(tally_deployment(&d->a, row, &t, &d->e), OK);
    json_decref(row);
    assert_int_equal(t.compliant + t.in_progress + t.failed + t.unknown + t.silent, t.total);
    return t;
}

/* Who has failed or is done has spoken; the others are silent when nothing came for so long since the beginning. */
static void test_silent(void **state)
{
    struct desk *d = *state;
    struct tally t = tallied(d, 0, 0);

    assert_true(t.failed == 1 && t.compliant == 1 && t.unknown == 1 && t.silent == 0);
    t = tallied(d, 0, DESK_NOW + 1);
    assert_true(t.failed == 1 && t.compliant == 1 && t.unknown == 0 && t.silent == 1);
    t = tallied(d, DESK_NOW + 5, DESK_NOW + 1);
    assert_true(t.unknown == 1 && t.silent == 0);
    d->a.now += 100;
    desk_status(d, ids[2], "[{'serial':2,'topic':'facts','facts':{'hostname':'till-3'}}]");
    t = tallied(d, 0, DESK_NOW + 1);
    assert_true(t.unknown == 1 && t.silent == 0);
}

/* Only the failed ones, and ahead of the old deployment: what is installed there already comes no second time. */
static void test_retry(void **state)
{
    struct desk       *d = *state;
    struct deployment *again = NULL, *before = NULL;
    struct collection *c = NULL;
    struct node_rules  rules = {.node_id = ids[0]};
    json_t            *out, *body;

    d->a.dry_run = true;
    out = ask(d, "deployment.retry", "{'name':'october.1'}");
    assert_int_equal(number_in(out, "nodes"), 1);
    json_decref(out);
    d->a.dry_run = false;
    assert_int_equal(count_in(d, "deployment"), 1);
    out = ask(d, "deployment.retry", "{'name':'october.1'}");
    assert_string_equal(text_in(out, "name"), "october-1-retry");
    json_decref(out);
    body = published(d, "policy/october-1-retry/collection.json");
    assert_int_equal(collection_from_json(body, &c, &d->e), OK);
    assert_string_equal(c->nodes[0], ids[0]);
    assert_null(c->nodes[1]);
    json_decref(body);
    body = published(d, "policy/october-1-retry/october-1-retry.json");
    assert_int_equal(deployment_from_json(body, &again, &d->e), OK);
    json_decref(body);
    body = published(d, "policy/tills/october.1.json");
    assert_int_equal(deployment_from_json(body, &before, &d->e), OK);
    json_decref(body);
    assert_true(again->terms.soft_deadline && again->terms.randomize_s == 0);
    assert_true(again->deadline <= DESK_NOW && again->update_count == 2);
    members_default(settings_table, settings_count, &rules.settings);
    assert_true(decide_order(again, before, &rules) < 0);
    deployment_free(again);
    collection_free(c);
    d->a.now += 86400;                          /* the old deadline is over */
    out = ask(d, "deployment.retry", "{'name':'october.1'}");
    assert_string_equal(text_in(out, "name"), "october-1-retry-2");
    json_decref(out);
    body = published(d, "policy/october-1-retry-2/october-1-retry-2.json");
    assert_int_equal(deployment_from_json(body, &again, &d->e), OK);
    json_decref(body);
    assert_true(again->deadline < before->deadline && again->available < before->available);
    assert_true(decide_order(again, before, &rules) < 0);
    deployment_free(again);
    deployment_free(before);
}

static void test_retry_refused(void **state)
{
    struct desk *d = *state;

    say(d, "deployment.halt", "{'name':'october.1','reason':'prints nothing'}");
    refused(d, ERR_CONDITION, "prints nothing", "deployment.retry", "{'name':'october.1'}");
    say(d, "deployment.resume", "{'name':'october.1'}");
    say(d, "deployment.change", "{'name':'october.1','enabled':false}");
    refused(d, ERR_CONDITION, "disabled", "deployment.retry", "{'name':'october.1'}");
    desk_status(d, ids[0], "[{'serial':4,'topic':'scan','scan':{'states':{}}}]");
    refused(d, ERR_CONDITION, "no node", "deployment.retry", "{'name':'october.1'}");
    assert_int_equal(count_in(d, "collection"), 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {T(test_nodes), T(test_restart), T(test_silent), T(test_retry), T(test_retry_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
