/* Windows, settings and turns of collections: what a command stores is what nodes read, also where nothing is deployed. */
#include "policy/trust/delegation.h"
#include "tests/unit/desk.h"

static char till[NODE_ID_SIZE];

static int begin(void **state)
{
    struct desk *d;

    desk_open(state);
    d = *state;
    say(d, "site.set", "{'timezone':'Europe/Berlin'}");
    say(d, "collection.create", "{'name':'tills','rule':'hostname ~ \\'till-*\\''}");
    desk_node(d, "till-1", till);
    desk_status(d, till, "[{'serial':1,'topic':'facts','facts':{'hostname':'till-1','timezone':'Europe/Berlin','machine.kind':'server'}}]");
    return 0;
}

/* The collection's document as a node reads it; NULL: it is not published. */
static struct collection *read_back(struct desk *d, const char *target)
{
    json_t            *body = published(d, target);
    struct collection *out = NULL;

    if (body && collection_from_json(body, &out, &d->e) != OK)
        fail_msg("%s", d->e.text);
    json_decref(body);
    return out;
}

static const char *text_in(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

static void test_add(void **state)
{
    struct desk       *d = *state;
    struct collection *c;
    json_t            *out;

    assert_null(read_back(d, "policy/tills/collection.json"));
    /* now is 2027-01-15 08:00 UTC, a friday; the second tuesday is over */
    out = ask(d, "window.add", "{'collection':'tills','name':'patchday','when':'second tuesday +1d 22:00','duration':'4h'}");
    assert_string_equal(text_in(out, "next"), "2027-02-10T21:00:00Z");
    assert_string_equal(text_in(out, "next_local"), "2027-02-10 22:00 wednesday");
    assert_int_equal(number_in(out, "nodes"), 1);
    json_decref(out);
    say(d, "window.add", "{'collection':'tills','name':'night','when':'daily 02:00','duration':'90m','utc':true,'updates_only':true}");
    c = read_back(d, "policy/tills/collection.json");
    assert_int_equal(c->window_count, 2);
    assert_string_equal(c->windows[0].name, "patchday");
    assert_int_equal(c->windows[0].duration_s, 14400);
    assert_true(c->windows[1].utc && c->windows[1].updates_only && !c->windows[0].utc);
    collection_free(c);
    say(d, "collection.change", "{'name':'tills','rule':'hostname = till-1'}");
    c = read_back(d, "policy/tills/collection.json");
    assert_int_equal(c->window_count, 2);
    assert_string_equal(c->rule, "hostname = till-1");
    collection_free(c);
    say(d, "window.remove", "{'collection':'tills','name':'night'}");
    say(d, "window.remove", "{'collection':'tills','name':'patchday'}");
    assert_null(read_back(d, "policy/tills/collection.json"));
}

static void test_add_refused(void **state)
{
    struct desk *d = *state;

    say(d, "window.add", "{'collection':'tills','name':'night','when':'daily 02:00','duration':'4h'}");
    refused(d, ERR_EXISTS, "night", "window.add", "{'collection':'tills','name':'night','when':'daily 03:00','duration':'4h'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"tills\"?", "window.add", "{'collection':'till','name':'x','when':'daily','duration':'4h'}");
    refused(d, ERR_USAGE, "column 1", "window.add", "{'collection':'tills','name':'x','when':'someday','duration':'4h'}");
    refused(d, ERR_USAGE, "5m to 24h", "window.add", "{'collection':'tills','name':'x','when':'daily','duration':'25h'}");
    refused(d, ERR_USAGE, "5m to 24h", "window.add", "{'collection':'tills','name':'x','when':'daily','duration':'4m'}");
    refused(d, ERR_USAGE, "--when", "window.add", "{'collection':'tills','name':'x','duration':'4h'}");
    refused(d, ERR_USAGE, "not a name", "window.add", "{'collection':'tills','name':'X Y','when':'daily','duration':'4h'}");
    refused(d, ERR_CONDITION, "collection all", "window.add", "{'collection':'all','name':'x','when':'daily','duration':'4h'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"night\"?", "window.remove", "{'collection':'tills','name':'nigth'}");
}

/* An included collection's windows stay its own. */
static void test_included(void **state)
{
    struct desk       *d = *state;
    struct collection *c;

    say(d, "window.add", "{'collection':'tills','name':'night','when':'daily 02:00','duration':'4h'}");
    say(d, "collection.create", "{'name':'more','include':['tills']}");
    say(d, "window.add", "{'collection':'more','name':'noon','when':'daily 12:00','duration':'1h'}");
    c = read_back(d, "policy/more/collection.json");
    assert_int_equal(c->window_count, 1);
    assert_string_equal(c->windows[0].name, "noon");
    assert_int_equal(c->include_count, 1);
    collection_free(c);
}

static void test_openings(void **state)
{
    struct desk *d = *state;
    json_t      *out, *items;

    out = ask(d, "window.next", "{'collection':'tills'}");
    assert_int_equal(number_in(out, "total"), 0);
    assert_non_null(strstr(text_in(out, "message"), "no windows"));
    json_decref(out);
    say(d, "window.add", "{'collection':'tills','name':'a','when':'saturday 22:00','duration':'4h'}");
    say(d, "window.add", "{'collection':'tills','name':'b','when':'sunday 01:00','duration':'4h'}");
    out = ask(d, "window.next", "{'collection':'tills','count':2}");
    items = json_object_get(out, "items");
    assert_int_equal(json_array_size(items), 2);
    assert_string_equal(text_in(json_array_get(items, 0), "begin"), "2027-01-16T21:00:00Z");
    assert_string_equal(text_in(json_array_get(items, 0), "end_local"), "2027-01-17 05:00 sunday");
    assert_int_equal(number_in(json_array_get(items, 0), "minutes"), 420);
    assert_string_equal(text_in(json_array_get(items, 1), "begin"), "2027-01-23T21:00:00Z");
    json_decref(out);
    out = ask(d, "window.next", "{'collection':'tills','count':1,'timezone':'America/New_York'}");
    assert_string_equal(text_in(json_array_get(json_object_get(out, "items"), 0), "begin"), "2027-01-17T03:00:00Z");
    assert_string_equal(text_in(out, "timezone"), "America/New_York");
    json_decref(out);
    refused(d, ERR_NOT_FOUND, "Mars/Olympus", "window.next", "{'collection':'tills','timezone':'Mars/Olympus'}");
    out = ask(d, "window.list", "{}");
    assert_int_equal(number_in(out, "total"), 2);
    assert_string_equal(text_in(row_with(json_object_get(out, "items"), "name", "b"), "next_local"), "2027-01-17 01:00 sunday");
    json_decref(out);
    refused(d, ERR_NOT_FOUND, "collection", "window.list", "{'collection':'none'}");
}

static void test_settings(void **state)
{
    struct desk       *d = *state;
    struct collection *c;
    json_t            *out;

    refused(d, ERR_USAGE, "--help", "settings.set", "{'collection':'tills'}");
    refused(d, ERR_USAGE, "--grace", "settings.set", "{'collection':'tills','grace':'121h'}");
    refused(d, ERR_USAGE, "--priority", "settings.set", "{'collection':'tills','priority':0,'grace':'1h'}");
    refused(d, ERR_USAGE, "longer than the whole", "settings.set", "{'collection':'tills','restart_countdown':'10m','restart_final':'20m'}");
    assert_null(read_back(d, "policy/tills/collection.json"));
    say(d, "settings.set", "{'collection':'tills','priority':10,'grace':'24h','restart_countdown':'30m','randomize':false}");
    say(d, "settings.set", "{'collection':'tills','poll':'15m'}");
    c = read_back(d, "policy/tills/collection.json");
    assert_int_equal(c->settings_priority, 10);
    assert_int_equal(number_in(c->settings, "grace_s"), 86400);     /* the default, but somebody said so */
    assert_int_equal(number_in(c->settings, "poll_s"), 900);
    assert_true(json_is_false(json_object_get(c->settings, "randomize")));
    assert_int_equal(json_object_size(c->settings), 4);
    collection_free(c);
    say(d, "settings.clear", "{'collection':'tills','settings':['grace','restart-countdown']}");
    c = read_back(d, "policy/tills/collection.json");
    assert_int_equal(json_object_size(c->settings), 2);
    collection_free(c);
    refused(d, ERR_USAGE, "no setting", "settings.clear", "{'collection':'tills','settings':['colour']}");
    out = ask(d, "settings.clear", "{'collection':'tills'}");
    json_decref(out);
    assert_null(read_back(d, "policy/tills/collection.json"));
    refused(d, ERR_CONDITION, "no settings", "settings.clear", "{'collection':'tills'}");
}

/* Of several collections the lowest number is the strongest, member by member. */
static void test_effective(void **state)
{
    struct desk *d = *state;
    json_t      *out, *items, *row;

    say(d, "settings.set", "{'collection':'all','priority':500,'grace':'10h','poll':'30m'}");
    say(d, "settings.set", "{'collection':'tills','priority':10,'grace':'2h'}");
    say(d, "collection.create", "{'name':'offices','rule':'hostname ~ \\'office-*\\''}");
    say(d, "settings.set", "{'collection':'offices','priority':1,'grace':'1h'}");
    out = ask(d, "settings.show", "{'node':'till-1'}");
    items = json_object_get(out, "items");
    row = row_with(items, "name", "grace");
    assert_string_equal(text_in(row, "value"), "2h");
    assert_string_equal(text_in(row, "collection"), "tills");
    row = row_with(items, "name", "poll");
    assert_string_equal(text_in(row, "value"), "30m");
    assert_int_equal(number_in(row, "priority"), 500);
    row = row_with(items, "name", "installers");
    assert_string_equal(text_in(row, "collection"), "");
    assert_string_equal(text_in(out, "timezone"), "Europe/Berlin");
    json_decref(out);
    refused(d, ERR_NOT_FOUND, "did you mean \"till-1\"?", "settings.show", "{'node':'till-2'}");
}

static void test_turns(void **state)
{
    struct desk       *d = *state;
    struct collection *c;
    char               other[NODE_ID_SIZE];

    refused(d, ERR_USAGE, "--count", "orchestration.set", "{'collection':'tills'}");
    refused(d, ERR_USAGE, "--count", "orchestration.set", "{'collection':'tills','count':1,'percent':25}");
    refused(d, ERR_USAGE, "1 to 100", "orchestration.set", "{'collection':'tills','percent':101}");
    refused(d, ERR_CONDITION, "direct member", "orchestration.set", "{'collection':'tills','sequence':['till-1']}");
    say(d, "orchestration.set", "{'collection':'tills','percent':25,'member_timeout':'1h'}");
    c = read_back(d, "policy/tills/collection.json");
    assert_int_equal(c->orchestration.turns, TURNS_PERCENT);
    assert_int_equal(c->orchestration.limit, 25);
    assert_int_equal(c->orchestration.member_s, 3600);
    collection_free(c);
    desk_node(d, "till-2", other);
    say(d, "collection.create", "{'name':'pair','nodes':['till-1','till-2']}");
    refused(d, ERR_CONDITION, "1 of the 2", "orchestration.set", "{'collection':'pair','sequence':['till-2']}");
    refused(d, ERR_CONDITION, "twice", "orchestration.set", "{'collection':'pair','sequence':['till-2','till-2']}");
    say(d, "orchestration.set", "{'collection':'pair','sequence':['till-2','till-1']}");
    c = read_back(d, "policy/pair/collection.json");
    assert_int_equal(c->orchestration.turns, TURNS_SEQUENCE);
    assert_string_equal(c->nodes[0], other);
    assert_string_equal(c->nodes[1], till);
    collection_free(c);
    refused(d, ERR_USAGE, "direct members", "collection.change", "{'name':'pair','nodes':false}");
    say(d, "orchestration.clear", "{'collection':'pair'}");
    assert_null(read_back(d, "policy/pair/collection.json"));
    refused(d, ERR_CONDITION, "no turns", "orchestration.clear", "{'collection':'pair'}");
}

/* The verifier of a node reads 64 roles; one of them is the fleet's. */
static void test_too_many(void **state)
{
    struct desk *d = *state;
    char         args[200];

    desk_catalog(d);
    say(d, "group.create", "{'name':'g'}");
    for (int i = 0; i < DELEGATIONS - 1; i++) {
        snprintf(args, sizeof args, "{'name':'c%d','rule':'hostname = a'}", i);
        say(d, "collection.create", args);
        snprintf(args, sizeof args, "{'collection':'c%d','name':'w','when':'daily','duration':'1h'}", i);
        say(d, "window.add", args);
    }
    refused(d, ERR_CONDITION, "room for 127", "window.add", "{'collection':'tills','name':'w','when':'daily','duration':'1h'}");
    refused(d, ERR_CONDITION, "tills would be one more", "deployment.create",
            "{'name':'d','group':'g','collection':'tills','purpose':'available'}");
    say(d, "deployment.create", "{'name':'d','group':'g','collection':'c0','purpose':'available'}");
    say(d, "window.remove", "{'collection':'c1','name':'w'}");
    say(d, "window.add", "{'collection':'tills','name':'w','when':'daily','duration':'1h'}");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_add),      T(test_add_refused), T(test_included), T(test_openings),
        T(test_settings), T(test_effective),   T(test_turns),    T(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
