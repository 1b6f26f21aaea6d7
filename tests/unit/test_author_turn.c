/* Orchestration turns: who of a collection may be down now. */
#include "tests/unit/desk.h"

#include "policy/authoring/rollout.h"

#define CURL "apt:debian:curl:8.1"
#define MEMBER 600

static char nodes[4][NODE_ID_SIZE];

/* A collection of the nodes named by their numbers, that takes turns. */
static void ring(struct desk *d, const char *name, const char *numbers, const char *turns, int limit)
{
    json_t *list = json_array(), *stored, *rows = NULL, *parameters;
    char   *text;

    for (; *numbers; numbers++)
        json_array_append_new(list, json_string(nodes[*numbers - '0']));
    stored = json_pack("{s:o,s:{s:s,s:i,s:i}}", "nodes", list, "orchestration", "turns", turns, "limit", limit, "member_s", MEMBER);
    text = json_dumps(stored, 0);
    parameters = json_pack("[s,s]", name, text);
    if (rows_found(d->a.ledger, "INSERT INTO collection(name, json) VALUES(?, ?)", parameters, &rows, &d->e))
        fail_msg("%s", d->e.text);
    json_decref(rows);
    json_decref(parameters);
    json_decref(stored);
    free(text);
}

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
    return 0;
}

/* Asks; the answer is kept in *out (caller decrefs) when wanted. */
static bool asks(struct desk *d, int i, const char *op, json_t **out)
{
    json_t *body = json_pack("{s:s}", "op", op), *answer = NULL;
    bool    granted;

    if (turn_ask(&d->a, nodes[i], body, &answer, &d->e))
        fail_msg("%s", d->e.text);
    granted = json_is_true(json_object_get(answer, "granted"));
    assert_int_equal(number_in(answer, "again_s"), 60);
    if (granted)
        assert_true(number_in(answer, "until") > d->a.now);
    else
        assert_int_equal(number_in(answer, "until"), 0);
    json_decref(body);
    if (out)
        *out = answer;
    else
        json_decref(answer);
    return granted;
}

static bool takes(struct desk *d, int i)
{
    return asks(d, i, "take", NULL);
}

static void gives(struct desk *d, int i)
{
    asks(d, i, "give", NULL);
}

static void why(struct desk *d, int i, const char *part)
{
    json_t *out;

    assert_false(asks(d, i, "take", &out));
    if (!strstr(json_string_value(json_object_get(out, "why")), part))
        fail_msg("%s; expected %s", json_string_value(json_object_get(out, "why")), part);
    json_decref(out);
}

static void test_none(void **state)
{
    struct desk *d = *state;

    assert_true(takes(d, 0));
    assert_true(takes(d, 1));
    assert_true(asks(d, 0, "keep", NULL));
    assert_int_equal(count_in(d, "turn"), 0);
}

static void test_count(void **state)
{
    struct desk *d = *state;

    ring(d, "web", "0123", "count", 2);
    assert_true(takes(d, 0));
    assert_true(takes(d, 1));
    why(d, 2, "2 of at most 2 members of web have their turn");
    assert_true(takes(d, 0));                   /* asked twice: still its own */
    gives(d, 0);
    assert_true(takes(d, 2));
    assert_false(takes(d, 0));
}

static void test_percent(void **state)
{
    struct desk *d = *state;

    ring(d, "web", "0123", "percent", 50);
    ring(d, "few", "01", "percent", 1);
    assert_true(takes(d, 2));
    assert_true(takes(d, 3));
    assert_false(takes(d, 0));
    gives(d, 2);
    gives(d, 3);
    assert_true(takes(d, 0));                   /* of two nodes 1 % is one */
    why(d, 1, "of few");
}

/* Who holds it longer than a member may has lost it, and a member that asks again does not get more time by it. */
static void test_expiry(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    ring(d, "web", "01", "count", 1);
    assert_true(asks(d, 0, "take", &out));
    assert_int_equal(number_in(out, "until"), d->a.now + MEMBER);
    json_decref(out);
    d->a.now += MEMBER - 1;
    assert_true(asks(d, 0, "keep", &out));
    assert_int_equal(number_in(out, "until"), d->a.now + 1);
    json_decref(out);
    assert_true(takes(d, 0));
    assert_false(takes(d, 1));
    d->a.now += 1;
    assert_false(asks(d, 0, "keep", NULL));
    assert_true(takes(d, 1));
    assert_false(takes(d, 0));
}

/* In several collections it needs all of them, or gets none. */
static void test_several(void **state)
{
    struct desk *d = *state;
    json_t      *list;

    ring(d, "web", "01", "count", 1);
    ring(d, "rack", "12", "count", 1);
    assert_true(takes(d, 2));                   /* rack */
    why(d, 1, "of rack");
    list = ask(d, "orchestration.list", "{}");
    assert_int_equal(number_in(list, "total"), 3);
    assert_string_equal(json_string_value(json_object_get(row_with(json_object_get(list, "items"), "collection", "web"), "state")), "waiting");
    json_decref(list);
    assert_true(takes(d, 0));                   /* web is free: who waits holds nothing */
    gives(d, 2);
    why(d, 1, "of web");
    gives(d, 0);
    assert_true(takes(d, 1));
    assert_false(takes(d, 0));
    assert_false(takes(d, 2));
}

/* The order of the nodes; who needs nothing more, or has been silent for days, is passed over. */
static void test_sequence(void **state)
{
    struct desk *d = *state;

    say(d, "group.create", "{'name':'october'}");
    say(d, "group.add", "{'name':'october','updates':['curl']}");
    say(d, "deployment.create", "{'name':'october','group':'october','collection':'all','purpose':'required','deadline':'+0s'}");
    ring(d, "cluster", "201", "sequence", 1);
    why(d, 0, "till-2 comes first in the sequence of cluster");
    why(d, 1, "till-2");
    assert_true(takes(d, 2));
    gives(d, 2);
    desk_status(d, nodes[2], "[{'serial':2,'topic':'scan','scan':{'states':{'" CURL "':['installed',0]}}}]");
    why(d, 1, "till-0");
    assert_true(takes(d, 0));
    why(d, 1, "1 of at most 1");
    gives(d, 0);
    d->a.now += 3 * 86400 + 1;
    assert_true(takes(d, 1));                   /* till-0 still needs it, and has been silent */
    gives(d, 1);
    say(d, "deployment.change", "{'name':'october','enabled':false}");
    assert_true(takes(d, 1));
}

static void test_reset(void **state)
{
    struct desk *d = *state;
    json_t      *list;

    ring(d, "web", "012", "count", 1);
    assert_true(takes(d, 0));
    assert_false(takes(d, 1));
    d->a.now += 30;
    assert_false(takes(d, 1));
    list = ask(d, "orchestration.list", "{}");
    assert_string_equal(json_string_value(json_object_get(row_with(json_object_get(list, "items"), "node", "till-1"), "since")),
                        "2027-01-15T08:00:00Z");
    json_decref(list);
    refused(d, ERR_NOT_FOUND, "collection", "orchestration.reset", "{'name':'wbe'}");
    refused(d, ERR_NOT_FOUND, "node", "orchestration.reset", "{'name':'web','node':'till-9'}");
    say(d, "orchestration.reset", "{'name':'web','node':'till-0'}");
    assert_true(takes(d, 1));
    assert_false(takes(d, 2));
    say(d, "orchestration.reset", "{'name':'web'}");
    assert_int_equal(count_in(d, "turn"), 0);
    /* Who has stopped asking does not wait any more. */
    assert_true(takes(d, 0));
    assert_false(takes(d, 1));
    d->a.now += 901;
    list = ask(d, "orchestration.list", "{}");
    assert_int_equal(number_in(list, "total"), 0);
    json_decref(list);
}

static void test_refusals(void **state)
{
    struct desk *d = *state;
    json_t      *out, *body = quoted("{'op':'seize'}");

    ring(d, "web", "0123", "count", 1);
    assert_int_equal(turn_ask(&d->a, nodes[0], body, &out, &d->e), ERR_USAGE);
    json_decref(body);
    body = json_array();
    assert_int_equal(turn_ask(&d->a, nodes[0], body, &out, &d->e), ERR_USAGE);
    json_decref(body);
    body = json_pack("{s:s,s:s}", "op", "give", "node", nodes[1]);
    assert_int_equal(turn_ask(&d->a, nodes[0], body, &out, &d->e), ERR_DENIED);
    json_decref(body);
    body = quoted("{'op':'take'}");
    assert_true(takes(d, 1));
    say(d, "node.retire", "{'name':'till-0'}");
    assert_int_equal(turn_ask(&d->a, nodes[0], body, &out, &d->e), ERR_DENIED);
    json_decref(body);
    assert_int_equal(count_in(d, "turn"), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_none), T(test_count), T(test_percent), T(test_expiry), T(test_several), T(test_sequence), T(test_reset), T(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
