/* Groups of updates and collections of nodes, and what every command keeps: one audit line, dry runs that change nothing. */
#include "tests/unit/desk.h"

#define CURL "apt:debian:curl:8.1"

static int begin(void **state)
{
    desk_open(state);
    desk_catalog(*state);
    return 0;
}

static void test_create(void **state)
{
    struct desk *d = *state;

    say(d, "group.create", "{'name':'october','description':'the month'}");
    refused(d, ERR_EXISTS, "october", "group.create", "{'name':'october'}");
    refused(d, ERR_USAGE, "lower-case", "group.create", "{'name':'October'}");
    refused(d, ERR_USAGE, "missing", "group.create", "{'name':''}");
    refused(d, ERR_USAGE, "missing", "group.create", "{'name':7}");
    refused(d, ERR_NOT_FOUND, "did you mean \"october\"?", "group.show", "{'name':'octobre'}");
    assert_int_equal(count_in(d, "grp"), 1);
}

static void test_members(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "group.create", "{'name':'g'}");
    out = ask(d, "group.add", "{'name':'g','filter':'name in (curl, bash)'}");
    assert_int_equal(number_in(out, "changed"), 2);
    json_decref(out);
    out = ask(d, "group.add", "{'name':'g','updates':['curl','openssl']}");
    assert_int_equal(number_in(out, "changed"), 1);
    json_decref(out);
    refused(d, ERR_NOT_FOUND, "did you mean \"curl\"?", "group.add", "{'name':'g','updates':['bash','crul']}");
    refused(d, ERR_NOT_FOUND, "group", "group.add", "{'name':'none','updates':['curl']}");
    out = ask(d, "group.remove", "{'name':'g','updates':['bash']}");
    assert_int_equal(number_in(out, "changed"), 1);
    json_decref(out);
    out = ask(d, "group.show", "{'name':'g'}");
    assert_int_equal(json_array_size(json_object_get(out, "members")), 2);
    assert_string_equal(json_string_value(json_object_get(out, "state")), "content missing");
    json_decref(out);
}

/* The second name is unknown: the first is not in either. */
static void test_all_or_nothing(void **state)
{
    struct desk *d = *state;

    say(d, "group.create", "{'name':'g'}");
    refused(d, ERR_NOT_FOUND, "nothing", "group.add", "{'name':'g','updates':['bash','nothing']}");
    assert_int_equal(count_in(d, "member"), 0);
}

static void test_too_many(void **state)
{
    struct desk         *d = *state;
    const char         **stanzas = must_alloc((DEPLOYMENT_UPDATES + 2) * sizeof *stanzas);
    struct catalog_counts n;

    for (int i = 0; i <= DEPLOYMENT_UPDATES; i++)
        stanzas[i] = must_print("Package: p%d\nVersion: 1\nArchitecture: amd64\nFilename: pool/p%d.deb\nSize: 1\nSHA256: ", i, i);
    assert_int_equal(desk_import(d, "debian", stanzas, DESK_NOW, &n), OK);
    for (int i = 0; i <= DEPLOYMENT_UPDATES; i++)
        text_free((char **)(uintptr_t)&stanzas[i]);
    free(stanzas);
    say(d, "group.create", "{'name':'g'}");
    refused(d, ERR_CONDITION, "1000", "group.add", "{'name':'g','filter':'size > 0'}");
    assert_int_equal(count_in(d, "member"), 0);
    say(d, "group.add", "{'name':'g','filter':'not expired and name != p0'}");
    assert_int_equal(count_in(d, "member"), DEPLOYMENT_UPDATES);
}

/* Each member says what is wrong with it, the group says the worst. */
static void test_states(void **state)
{
    static const char *const newer[] = {STANZA("curl", "curl", "8.2", ""), NULL};
    static const char *const ids[] = {"apt:debian:curl:8.2", "apt:debian:curl:8.1", "apt:debian:bash:5.3"};
    static const char *const words[] = {"content missing", "superseded", "expired"};
    struct desk             *d = *state;
    struct catalog_counts    n;
    json_t                  *out;

    say(d, "group.create", "{'name':'g'}");
    say(d, "group.add", "{'name':'g','updates':['curl','bash']}");
    assert_int_equal(desk_import(d, "debian", newer, DESK_NOW, &n), OK);
    out = ask(d, "group.add", "{'name':'g','updates':['apt:debian:curl:8.2']}");
    assert_non_null(strstr(json_string_value(json_object_get(out, "message")), "1 have expired and are not deployed"));
    json_decref(out);
    out = ask(d, "group.show", "{'name':'g'}");
    assert_string_equal(json_string_value(json_object_get(out, "state")), "expired");
    for (size_t i = 0; i < COUNT(ids); i++)
        assert_string_equal(json_string_value(json_object_get(row_with(json_object_get(out, "members"), "id", ids[i]), "state")), words[i]);
    json_decref(out);
    say(d, "group.remove", "{'name':'g','updates':['apt:debian:bash:5.3','apt:debian:curl:8.1']}");
    desk_download(d, "g");
    out = ask(d, "group.show", "{'name':'g'}");
    assert_string_equal(json_string_value(json_object_get(out, "state")), "normal");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(out, "members"), 0), "state")), "normal");
    json_decref(out);
}

static void test_delete(void **state)
{
    struct desk *d = *state;
    json_t      *body;

    say(d, "group.create", "{'name':'g'}");
    say(d, "group.add", "{'name':'g','updates':['curl']}");
    desk_download(d, "g");
    say(d, "deployment.create", "{'name':'d','group':'g','collection':'all','purpose':'available'}");
    refused(d, ERR_CONDITION, "deployed", "group.delete", "{'name':'g'}");
    say(d, "deployment.delete", "{'name':'d'}");
    json_decref(published(d, "policy/all/d.json"));
    say(d, "dp.add", "{'name':'dp-1','url':'http://dp'}");
    say(d, "content.distribute", "{'name':'g','to':['dp-1']}");
    say(d, "group.delete", "{'name':'g'}");
    /* A new group of that name begins empty, here and at the distribution point. */
    say(d, "group.create", "{'name':'g'}");
    body = ask(d, "content.status", "{}");
    assert_int_equal(number_in(row_with(json_object_get(body, "items"), "dp", "dp-1"), "contents"), 1);
    json_decref(body);
    assert_int_equal(count_in(d, "grp_content"), 0);
    assert_int_equal(count_in(d, "grp_wanted"), 0);
}

/* --- every command that changes something --- */

static void test_audit(void **state)
{
    struct desk *d = *state;
    int64_t      before = count_in(d, "audit");
    json_t      *out, *row;

    say(d, "group.create", "{'name':'g'}");
    refused(d, ERR_EXISTS, "g", "group.create", "{'name':'g'}");
    say(d, "group.list", "{}");
    assert_int_equal(count_in(d, "audit"), before + 1);
    out = ask(d, "audit.list", "{'limit':1}");
    row = json_array_get(json_object_get(out, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "who")), "uid 0 (root)");
    assert_string_equal(json_string_value(json_object_get(row, "command")), "group.create");
    assert_string_equal(json_string_value(json_object_get(row, "what")), "{\"name\":\"g\"}");
    assert_string_equal(json_string_value(json_object_get(row, "time")), "2027-01-15T08:00:00Z");
    json_decref(out);
}

/* It answers what would be, and nothing is: no row, no audit line. */
static void test_dry_run(void **state)
{
    struct desk *d = *state;
    int64_t      before = count_in(d, "audit");
    json_t      *out;

    say(d, "group.create", "{'name':'g'}");
    d->a.dry_run = true;
    out = ask(d, "group.add", "{'name':'g','updates':['curl']}");
    assert_int_equal(number_in(out, "changed"), 1);
    json_decref(out);
    say(d, "collection.create", "{'name':'tills','rule':'hostname ~ \\'till-*\\''}");
    say(d, "deployment.create", "{'name':'d','group':'g','collection':'all','purpose':'required','deadline':'+2h'}");
    refused(d, ERR_NOT_FOUND, "group", "group.delete", "{'name':'none'}");
    d->a.dry_run = false;
    assert_int_equal(count_in(d, "member"), 0);
    assert_int_equal(count_in(d, "collection"), 1);
    assert_int_equal(count_in(d, "deployment"), 0);
    assert_int_equal(count_in(d, "audit"), before + 1);
    say(d, "group.add", "{'name':'g','updates':['curl']}");
}

/* --- collections --- */

static int64_t members(struct desk *d, const char *args)
{
    json_t *out = ask(d, "collection.preview", args);
    int64_t n = number_in(out, "total");

    json_decref(out);
    return n;
}

static void nodes(struct desk *d)
{
    static const char *const names[] = {"till-1", "till-2", "office-1"};
    char                     id[NODE_ID_SIZE];

    for (size_t i = 0; i < COUNT(names); i++) {
        AUTO(text_free)
        char *facts = must_print("[{'serial':1,'topic':'facts','facts':{'hostname':'%s','os.codename':'bookworm'}}]", names[i]);
        desk_node(d, names[i], id);
        desk_status(d, id, facts);
    }
}

static void test_rules(void **state)
{
    struct desk *d = *state;

    nodes(d);
    assert_int_equal(members(d, "{'rule':'hostname ~ \\'till-*\\''}"), 2);
    assert_int_equal(members(d, "{'nodes':['office-1']}"), 1);
    assert_int_equal(members(d, "{}"), 0);
    refused(d, ERR_USAGE, "column", "collection.create", "{'name':'c','rule':'hostname ~'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"till-1\"?", "collection.create", "{'name':'c','nodes':['till1']}");
    refused(d, ERR_NOT_FOUND, "did you mean \"all\"?", "collection.create", "{'name':'c','include':['al']}");
    refused(d, ERR_USAGE, "reserved", "collection.create", "{'name':'fleet','rule':'hostname = x'}");
    refused(d, ERR_USAGE, "reserved", "collection.create", "{'name':'targets','rule':'hostname = x'}");
    refused(d, ERR_USAGE, "include", "collection.create", "{'name':'c','include':'all'}");
    assert_int_equal(count_in(d, "collection"), 1);
}

static void test_includes(void **state)
{
    struct desk *d = *state;

    nodes(d);
    say(d, "collection.create", "{'name':'tills','rule':'hostname ~ \\'till-*\\''}");
    say(d, "collection.create", "{'name':'pilot','nodes':['till-1']}");
    assert_int_equal(members(d, "{'include':['all'],'exclude':['pilot']}"), 2);
    assert_int_equal(members(d, "{'include':['all'],'limit':'tills'}"), 2);
    assert_int_equal(members(d, "{'include':['all'],'limit':'tills','exclude':['pilot']}"), 1);
    say(d, "collection.change", "{'name':'pilot','rule':'hostname = \\'till-2\\''}");
    assert_int_equal(members(d, "{'include':['pilot']}"), 2);
    say(d, "collection.change", "{'name':'pilot','nodes':false}");
    assert_int_equal(members(d, "{'include':['pilot']}"), 1);
    refused(d, ERR_CONDITION, "circle", "collection.change", "{'name':'pilot','include':['pilot']}");
    refused(d, ERR_CONDITION, "every node", "collection.change", "{'name':'all','rule':'hostname = x'}");
}

/* What others include, limit themselves to, or have deployed cannot go, nor become what they cannot hold. */
static void test_in_use(void **state)
{
    struct desk *d = *state;
    char         name[80], args[200];

    say(d, "collection.create", "{'name':'inner','rule':'hostname = a'}");
    say(d, "collection.create", "{'name':'outer','include':['inner']}");
    refused(d, ERR_CONDITION, "outer", "collection.delete", "{'name':'inner'}");
    refused(d, ERR_CONDITION, "all", "collection.delete", "{'name':'all'}");
    strcpy(name, "outer");
    for (int i = 1; i < COLLECTION_DEPTH; i++) {
        snprintf(args, sizeof args, "{'name':'c%d','include':['%s']}", i, name);
        say(d, "collection.create", args);
        snprintf(name, sizeof name, "c%d", i);
    }
    say(d, "collection.create", "{'name':'more','include':['all']}");
    refused(d, ERR_CONDITION, "deeper", "collection.change", "{'name':'inner','include':['more']}");
    say(d, "collection.change", "{'name':'outer','rule':'hostname = b','include':false}");
    say(d, "collection.delete", "{'name':'inner'}");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_create), T(test_members), T(test_all_or_nothing), T(test_too_many), T(test_states), T(test_delete),   T(test_audit),
        T(test_dry_run), T(test_rules),  T(test_includes),       T(test_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
