/* Saved searches: a filter with a name finds what the filter finds, alone and together with another. */
#include "tests/unit/desk.h"

static int begin(void **state)
{
    struct desk *d;

    desk_open(state);
    d = *state;
    desk_catalog(d);
    say(d, "group.create", "{'name':'g'}");
    say(d, "search.save", "{'name':'ssl','filter':'name ~ \\'*ssl*\\' or name = curl','description':'what speaks TLS'}");
    return 0;
}

static int64_t total(struct desk *d, const char *name, const char *args)
{
    json_t *out = ask(d, name, args);
    int64_t n = number_in(out, "total");

    json_decref(out);
    return n;
}

static void test_save(void **state)
{
    struct desk *d = *state;
    json_t      *out = ask(d, "search.show", "{'name':'ssl'}");

    assert_int_equal(number_in(out, "updates"), 2);
    assert_string_equal(json_string_value(json_object_get(out, "filter")), "name ~ \"*ssl*\" or name = curl");
    assert_string_equal(json_string_value(json_object_get(out, "description")), "what speaks TLS");
    json_decref(out);
    out = ask(d, "search.save", "{'name':'ssl','filter':'name = bash'}");
    assert_int_equal(number_in(out, "updates"), 1);
    json_decref(out);
    out = ask(d, "search.show", "{'name':'ssl'}");
    assert_string_equal(json_string_value(json_object_get(out, "description")), "what speaks TLS");
    json_decref(out);
    assert_int_equal(total(d, "search.list", "{}"), 2);
}

static void test_refused(void **state)
{
    struct desk *d = *state;

    refused(d, ERR_USAGE, "column 1", "search.save", "{'name':'bad','filter':'nam = x'}");
    refused(d, ERR_USAGE, "a filter is missing", "search.save", "{'name':'bad'}");
    refused(d, ERR_USAGE, "not a name", "search.save", "{'name':'Bad One','filter':'name = x'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"ssl\"?", "search.show", "{'name':'sll'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"ssl\"?", "search.run", "{'name':'ssk'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"ssl\"?", "update.list", "{'search':'ss'}");
    assert_int_equal(total(d, "search.list", "{}"), 2);
}

static void test_dry(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    d->a.dry_run = true;
    out = ask(d, "search.save", "{'name':'more','filter':'name = bash'}");
    assert_int_equal(number_in(out, "updates"), 1);
    json_decref(out);
    d->a.dry_run = false;
    assert_int_equal(total(d, "search.list", "{}"), 2);
}

static void test_used(void **state)
{
    struct desk *d = *state;

    assert_int_equal(total(d, "search.run", "{'name':'ssl'}"), 2);
    assert_int_equal(total(d, "search.run", "{'name':'ssl','filter':'name = curl'}"), 1);
    assert_int_equal(total(d, "update.list", "{'search':'ssl','filter':'name = curl'}"), 1);
    assert_int_equal(total(d, "update.list", "{'search':'ssl','filter':'name = bash'}"), 0);
    say(d, "group.add", "{'name':'g','search':'ssl'}");
    assert_int_equal(count_in(d, "member"), 2);
    say(d, "group.remove", "{'name':'g','search':'ssl','filter':'name = curl'}");
    assert_int_equal(count_in(d, "member"), 1);
    refused(d, ERR_NOT_FOUND, "search", "group.add", "{'name':'g','search':'none'}");
}

/* A rule that selects with it keeps it. */
static void test_delete(void **state)
{
    struct desk *d = *state;
    json_t      *rows = NULL;

    assert_int_equal(rows_found(d->a.ledger, "INSERT INTO rule(name, search) VALUES('monthly', 'ssl')", NULL, &rows, &d->e), OK);
    json_decref(rows);
    refused(d, ERR_CONDITION, "rule monthly", "search.delete", "{'name':'ssl'}");
    assert_int_equal(rows_found(d->a.ledger, "DELETE FROM rule", NULL, &rows, &d->e), OK);
    json_decref(rows);
    say(d, "search.delete", "{'name':'ssl'}");
    assert_int_equal(total(d, "search.list", "{}"), 1);
    refused(d, ERR_NOT_FOUND, "search", "search.delete", "{'name':'ssl'}");
}

/* The administrator's severity outlives a sync that brings the update anew. */
static void test_custom_severity(void **state)
{
    struct desk          *d = *state;
    struct catalog_counts n;

    refused(d, ERR_USAGE, "critical are accepted", "update.set", "{'id':'curl','custom_severity':'huge'}");
    refused(d, ERR_USAGE, "critical are accepted", "update.set", "{'id':'curl'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"curl\"?", "update.set", "{'id':'crul','custom_severity':'none'}");
    say(d, "update.set", "{'id':'curl','custom_severity':'important'}");
    assert_int_equal(total(d, "update.list", "{'filter':'custom-severity >= moderate'}"), 1);
    assert_int_equal(desk_import(d, "debian", desk_packages, DESK_NOW, &n), OK);
    assert_int_equal(total(d, "update.list", "{'filter':'custom-severity = important'}"), 1);
    say(d, "update.set", "{'id':'curl','custom_severity':'none'}");
    assert_int_equal(total(d, "update.list", "{'filter':'custom-severity >= low'}"), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_save), T(test_refused), T(test_dry), T(test_used), T(test_delete), T(test_custom_severity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
