/* Catalogs and updates: named, imported, replaced, superseded, expired, forgotten. */
#include "tests/unit/desk.h"

#define OPENSSL "apt:debian:openssl:3.0.2"

static json_t *update(struct desk *d, const char *id)
{
    AUTO(text_free) char *args = must_print("{'id':'%s'}", id);

    return ask(d, "update.show", args);
}

static bool flag(struct desk *d, const char *id, const char *name)
{
    json_t *u = update(d, id);
    bool    set = json_is_true(json_object_get(u, name));

    json_decref(u);
    return set;
}

static void test_add_refused(void **state)
{
    struct desk *d = *state;

    refused(d, ERR_USAGE, "name", "catalog.add", "{}");
    refused(d, ERR_USAGE, "../x", "catalog.add", "{'name':'../x','type':'apt'}");
    refused(d, ERR_USAGE, "apt is accepted", "catalog.add", "{'name':'a','type':'yum'}");
    refused(d, ERR_USAGE, "http", "catalog.add", "{'name':'a','type':'apt','uri':'ftp://x'}");
    refused(d, ERR_USAGE, "--keyring", "catalog.add", "{'name':'a','type':'apt','uri':'http://x','suite':'s'}");
    refused(d, ERR_NOT_FOUND, "/none", "catalog.add", "{'name':'a','type':'apt','uri':'http://x','suite':'s','keyring':'/none'}");
    refused(d, ERR_USAGE, "component", "catalog.add",
            "{'name':'a','type':'apt','uri':'http://x','suite':'s','keyring':'/dev/null','components':['main',7]}");
    refused(d, ERR_USAGE, "suite", "catalog.add", "{'name':'a','type':'apt','uri':'http://x','suite':'../s','keyring':'/dev/null'}");
    refused(d, ERR_USAGE, "architecture", "catalog.add",
            "{'name':'a','type':'apt','uri':'http://x','suite':'s','keyring':'/dev/null','arch':'../x'}");
    assert_int_equal(count_in(d, "catalog"), 0);
    assert_int_equal(count_in(d, "audit"), 0);
}

static void test_import(void **state)
{
    struct desk          *d = *state;
    struct catalog_counts n = desk_catalog(d);
    json_t               *out;

    assert_int_equal(n.packages, 4);
    assert_int_equal(n.updates, 3);
    assert_int_equal(n.fresh, 3);
    out = update(d, "openssl");
    assert_string_equal(json_string_value(json_object_get(out, "id")), OPENSSL);
    assert_int_equal(json_array_size(json_object_get(out, "files")), 2);
    assert_string_equal(json_string_value(json_object_get(out, "classification")), "security");
    assert_int_equal(number_in(out, "size"), 2000);
    json_decref(out);
    out = ask(d, "catalog.list", "{}");
    assert_int_equal(number_in(row_with(json_object_get(out, "items"), "name", "debian"), "updates"), 3);
    json_decref(out);
    refused(d, ERR_EXISTS, "debian", "catalog.add", "{'name':'debian','type':'apt','uri':'http://x','suite':'s','keyring':'/dev/null'}");
}

/* The same index once more: nothing is new, and nothing says it changed. */
static void test_import_again(void **state)
{
    struct desk          *d = *state;
    struct catalog_counts n = desk_catalog(d);
    json_t               *before = update(d, "curl"), *after, *list;

    d->a.now += 3600;
    assert_int_equal(desk_import(d, "debian", desk_packages, DESK_NOW, &n), OK);
    assert_int_equal(n.updates, 3);
    assert_int_equal(n.fresh, 0);
    after = update(d, "curl");
    assert_true(json_equal(before, after));
    list = ask(d, "update.list", "{'filter':'revised < 30m'}");
    assert_int_equal(number_in(list, "total"), 0);
    json_decref(list);
    json_decref(before);
    json_decref(after);
}

/* A newer version supersedes; the old one is forgotten, unless a group holds it: then it is marked. */
static void test_superseded(void **state)
{
    static const char *const both[] = {STANZA("curl", "curl", "8.1", ""), STANZA("curl", "curl", "8.10", ""), NULL};
    static const char *const newer[] = {STANZA("curl", "curl", "8.10", ""), NULL};
    static const char *const older[] = {STANZA("curl", "curl", "8.1", ""), NULL};
    struct desk             *d = *state;
    struct catalog_counts    n = desk_catalog(d);
    json_t                  *out;

    assert_int_equal(desk_import(d, "debian", both, DESK_NOW, &n), OK);
    assert_int_equal(n.fresh, 1);
    assert_int_equal(n.superseded, 1);
    assert_true(flag(d, "apt:debian:curl:8.1", "superseded"));
    assert_false(flag(d, "apt:debian:curl:8.10", "superseded"));
    assert_true(flag(d, OPENSSL, "expired"));
    assert_false(flag(d, OPENSSL, "superseded"));
    say(d, "group.create", "{'name':'g'}");
    say(d, "group.add", "{'name':'g','updates':['apt:debian:curl:8.1']}");
    assert_int_equal(desk_import(d, "debian", newer, DESK_NOW + 1, &n), OK);
    assert_false(flag(d, "apt:debian:curl:8.1", "expired"));
    out = update(d, "apt:debian:curl:8.1");
    assert_string_equal(json_string_value(json_object_get(out, "superseded_by")), "apt:debian:curl:8.10");
    assert_string_equal(json_string_value(json_object_get(out, "superseded_since")), "2027-01-15T08:00:00Z");
    json_decref(out);
    assert_int_equal(desk_import(d, "debian", older, DESK_NOW + 2, &n), OK);
    assert_false(flag(d, "apt:debian:curl:8.1", "expired"));
    assert_false(flag(d, "apt:debian:curl:8.1", "superseded"));
    assert_true(flag(d, "apt:debian:curl:8.10", "expired"));
}

/* Known is the release of what appeared after the first sync. */
static void test_released(void **state)
{
    static const char *const more[] = {STANZA("curl", "curl", "8.1", ""), STANZA("bash", "bash", "5.4", ""), NULL};
    struct desk             *d = *state;
    struct catalog_counts    n = desk_catalog(d);
    json_t                  *out;

    assert_int_equal(desk_import(d, "debian", more, DESK_NOW - 3600, &n), OK);
    assert_int_equal(desk_import(d, "debian", more, DESK_NOW, &n), OK);
    out = update(d, "apt:debian:bash:5.4");
    assert_string_equal(json_string_value(json_object_get(out, "released")), "2027-01-15T07:00:00Z");
    json_decref(out);
    out = update(d, "curl");
    assert_string_equal(json_string_value(json_object_get(out, "released")), "");
    json_decref(out);
}

/* What an import may not do is refused and leaves all as it was. */
static void test_import_refused(void **state)
{
    static const char *const newer[] = {STANZA("curl", "curl", "8.10", ""), NULL};
    struct desk             *d = *state;
    struct catalog_counts    n = desk_catalog(d);

    assert_int_equal(desk_import(d, "debian", newer, DESK_NOW - 2 * 86400, &n), ERR_VERIFY);
    assert_int_equal(count_in(d, "upd"), 3);
    assert_int_equal(desk_import(d, "fedora", newer, DESK_NOW, &n), ERR_CONDITION);
    assert_int_equal(count_in(d, "upd"), 3);
}

/* A catalog in use stays; one that is removed and comes back knows what nodes said. */
static void test_remove(void **state)
{
    struct desk *d = *state;
    char         id[NODE_ID_SIZE];
    json_t      *out;

    desk_catalog(d);
    refused(d, ERR_NOT_FOUND, "did you mean \"debian\"?", "catalog.remove", "{'name':'debain'}");
    say(d, "group.create", "{'name':'g'}");
    say(d, "group.add", "{'name':'g','updates':['curl']}");
    refused(d, ERR_CONDITION, "debian", "catalog.remove", "{'name':'debian'}");
    say(d, "group.remove", "{'name':'g','updates':['curl']}");
    desk_node(d, "till-1", id);
    desk_status(d, id, "[{'serial':1,'topic':'scan','scan':{'states':{'" OPENSSL "':['required',0]}}}]");
    say(d, "catalog.remove", "{'name':'debian'}");
    assert_int_equal(count_in(d, "upd"), 0);
    desk_catalog(d);
    out = update(d, "openssl");
    assert_int_equal(number_in(out, "required"), 1);
    json_decref(out);
}

static void test_update_add(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "update.add", "{'name':'banner','program':'/bin/true','detect_program':'/bin/false','codes':['3=retry'],'max_run':'10m'}");
    out = update(d, "banner");
    assert_string_equal(json_string_value(json_object_get(out, "id")), "command:banner:1");
    json_decref(out);
    refused(d, ERR_EXISTS, "--version", "update.add", "{'name':'banner','program':'/bin/true','detect_program':'/bin/false'}");
    say(d, "update.add", "{'name':'banner','version':'2','program':'/bin/true','detect_program':'/bin/false'}");
    refused(d, ERR_USAGE, "max_run", "update.add", "{'name':'x','program':'/bin/true','detect_program':'/bin/false','max_run':'0'}");
    refused(d, ERR_USAGE, "classification", "update.add",
            "{'name':'x','program':'/bin/true','detect_program':'/bin/false','classification':'urgent'}");
    refused(d, ERR_USAGE, "applies", "update.add",
            "{'name':'x','program':'/bin/true','detect_program':'/bin/false','applies':'hostname ='}");
    refused(d, ERR_USAGE, "articles", "update.add",
            "{'name':'x','program':'/bin/true','detect_program':'/bin/false','articles':['with blank']}");
    refused(d, ERR_USAGE, "not a time", "update.add",
            "{'name':'x','program':'/bin/true','detect_program':'/bin/false','released':'2026-02-30'}");
    assert_int_equal(count_in(d, "upd"), 2);
    say(d, "update.add",
        "{'name':'kb','program':'/bin/true','detect_program':'/bin/false','articles':['5031364'],'bulletins':['MS26-001'],'languages':['de'],"
        "'cves':['CVE-2026-1'],'description':'the long text','released':'2026-11-10'}");
    out = update(d, "kb");
    assert_string_equal(json_string_value(json_object_get(out, "released")), "2026-11-10T00:00:00Z");
    assert_string_equal(json_string_value(json_object_get(out, "description")), "the long text");
    assert_string_equal(json_string_value(json_array_get(json_object_get(out, "bulletins"), 0)), "MS26-001");
    json_decref(out);
    out = ask(d, "update.list", "{'filter':'article = 5031364 and bulletin = MS26-001 and language = de and cve = CVE-2026-1'}");
    assert_int_equal(number_in(out, "total"), 1);
    json_decref(out);
}

static void test_no_such(void **state)
{
    struct desk *d = *state;

    desk_catalog(d);
    refused(d, ERR_NOT_FOUND, "did you mean \"openssl\"?", "update.show", "{'id':'opensll'}");
    refused(d, ERR_NOT_FOUND, "\"zzzzzzzzzzzz\"", "update.show", "{'id':'zzzzzzzzzzzz'}");
    assert_null(strstr(d->e.text, "mean"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_add_refused), T(test_import),         T(test_import_again), T(test_superseded), T(test_released),
        T(test_remove),      T(test_import_refused), T(test_update_add),   T(test_no_such),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
