/* Filters become SQL over the ledger: every column answers, values are parameters, mistakes name their column. */
#include "tests/unit/desk.h"

/* Names of the updates a filter finds, in order, with blanks between. */
static void finds(struct desk *d, const char *filter, const char *expected)
{
    struct text found AUTO(text_end) = {0};
    json_t *args = json_pack("{s:s,s:s}", "filter", filter, "sort", "name"), *out = NULL, *row;
    size_t i;

    text_add(&found, "%s", "");
    if (update_list(&d->a, args, &out, &d->e) != OK)
        fail_msg("%s: %s", filter, d->e.text);
    json_array_foreach(json_object_get(out, "items"), i, row)
        text_add(&found, "%s%s", i ? " " : "", json_string_value(json_object_get(row, "name")));
    if (strcmp(found.data, expected))
        fail_msg("%s finds \"%s\"; expected \"%s\"", filter, found.data, expected);
    assert_int_equal(number_in(out, "total"), json_array_size(json_object_get(out, "items")));
    json_decref(args);
    json_decref(out);
}

static void touch(struct desk *d, const char *sql)
{
    json_t *rows = NULL;

    if (rows_found(d->a.ledger, sql, NULL, &rows, &d->e))
        fail_msg("%s", d->e.text);
    json_decref(rows);
}

static int begin(void **state)
{
    struct desk *d;

    desk_open(state);
    d = *state;
    desk_catalog(d);
    touch(d,
          "UPDATE upd SET severity = 'critical', cves = ' CVE-2026-1 CVE-2026-11 ', required = 3, size = 40000000 WHERE name = 'openssl'");
    touch(d, "UPDATE upd SET severity = 'low', released = 0, urgency = 'high', title = '100% of curl_x' WHERE name = 'curl'");
    touch(d, "UPDATE upd SET classification = 'update', superseded = 1, custom_severity = 'important', installed = 2 WHERE name = 'bash'");
    return 0;
}

static void test_text(void **state)
{
    struct desk *d = *state;

    finds(d, "name = openssl", "openssl");
    finds(d, "name = OpenSSL", "openssl");
    finds(d, "name != openssl", "bash curl");
    finds(d, "name ~ \"*SS*\"", "openssl");
    finds(d, "name ~ \"?url\"", "curl");
    finds(d, "name ~ ur", "");
    finds(d, "name contains ur", "curl");
    finds(d, "name in (bash, curl)", "bash curl");
    finds(d, "catalog = debian and vendor = Debian", "bash curl openssl");
}

/* % and _ of a text are themselves, quotes end nothing. */
static void test_wild(void **state)
{
    struct desk *d = *state;

    finds(d, "title contains \"100%\"", "curl");
    finds(d, "title contains \"1%f\"", "");
    finds(d, "title contains \"curl_x\"", "curl");
    finds(d, "title contains \"bas_\"", "");
    finds(d, "name = \"x' OR '1' = '1\"", "");
    finds(d, "name ~ \"*'; DROP TABLE upd; --\"", "");
    finds(d, "name = bash", "bash");
}

static void test_words(void **state)
{
    struct desk *d = *state;

    finds(d, "classification = security", "curl openssl");
    finds(d, "classification != security", "bash");
    finds(d, "severity >= low", "curl openssl");
    finds(d, "severity > low", "openssl");
    finds(d, "severity < low", "bash");
    finds(d, "severity in (low, critical)", "curl openssl");
    finds(d, "custom-severity >= low", "bash");
    finds(d, "custom-severity = none", "curl openssl");
}

static void test_numbers(void **state)
{
    struct desk *d = *state;

    finds(d, "required >= 1", "openssl");
    finds(d, "required < 1", "bash curl");
    finds(d, "size > 32MiB", "openssl");
    finds(d, "size = 1000", "bash curl");
    finds(d, "installed = 2", "bash");
    finds(d, "not-required = 0 and unknown = 0", "curl");
}

/* An unknown time is neither young nor old. */
static void test_times(void **state)
{
    struct desk *d = *state;

    touch(d, "UPDATE upd SET released = 1799913600 WHERE name <> 'curl'");
    finds(d, "released < 2d", "bash openssl");
    finds(d, "released > 2d", "");
    finds(d, "released >= 2026-01-01", "bash openssl");
    finds(d, "released < 2026-01-01", "curl");
    finds(d, "revised < 1h", "bash curl openssl");
    touch(d, "UPDATE upd SET superseded_since = 1799913600 WHERE name = 'bash'");
    finds(d, "superseded-since < 2d", "bash");
}

static void test_truth(void **state)
{
    struct desk *d = *state;

    finds(d, "superseded", "bash");
    finds(d, "not superseded", "curl openssl");
    finds(d, "superseded = false and not expired", "curl openssl");
    finds(d, "deployed or downloaded", "");
    say(d, "group.create", "{'name':'g'}");
    say(d, "group.add", "{'name':'g','updates':['curl']}");
    say(d, "deployment.create", "{'name':'d','group':'g','collection':'all','purpose':'available'}");
    finds(d, "deployed", "curl");
    finds(d, "downloaded", "");
    desk_download(d, "g");
    finds(d, "downloaded", "curl");
}

static void test_lists(void **state)
{
    struct desk *d = *state;

    finds(d, "cve = CVE-2026-1", "openssl");
    finds(d, "cve = CVE-2026-111", "");
    finds(d, "cve != CVE-2026-1", "bash curl");
    finds(d, "cve ~ \"CVE-2026-*\"", "openssl");
    finds(d, "cve contains 2026", "openssl");
    finds(d, "cve in (CVE-1999-1, CVE-2026-11)", "openssl");
    finds(d, "cve ~ \"*2026-1\"", "openssl");
    finds(d, "cve ~ \"*2026\"", "");
    touch(d, "UPDATE upd SET articles = ' 5031 5032 ', bulletins = ' MS26-001 ', languages = ' de en ' WHERE name = 'bash'");
    finds(d, "article = 5032", "bash");
    finds(d, "article = 503", "");
    finds(d, "bulletin ~ \"ms26-*\"", "bash");
    finds(d, "language in (fr, de)", "bash");
    finds(d, "language != de", "curl openssl");
}

static void test_precedence(void **state)
{
    struct desk *d = *state;

    finds(d, "name = bash or name = curl and severity = critical", "bash");
    finds(d, "(name = bash or name = curl) and severity = low", "curl");
    finds(d, "not (name = bash or name = curl)", "openssl");
    finds(d, "not name = bash and not name = curl", "openssl");
}

/* Compliance in percent of the nodes that scanned. */
static void test_compliance(void **state)
{
    struct desk *d = *state;
    char id[NODE_ID_SIZE];

    finds(d, "compliance = 0", "bash curl openssl");
    desk_node(d, "a", id);
    desk_status(d, id,
                "[{'serial':1,'topic':'scan','scan':{'states':{'apt:debian:curl:8.1':['required',0],'apt:debian:openssl:3.0.2':['installed'"
                ",0]}}}]");
    desk_node(d, "b", id);
    desk_status(d, id, "[{'serial':1,'topic':'scan','scan':{'states':{'apt:debian:openssl:3.0.2':['unknown',0]}}}]");
    finds(d, "compliance = 50", "curl openssl");
    finds(d, "not-required = 1", "curl");
}

/* Words of people: every one somewhere in what is seen; and with a filter. */
static void test_words_of_people(void **state)
{
    struct desk *d = *state;
    json_t *out = ask(d, "update.list", "{'text':'2026-1 openssl'}");

    assert_int_equal(number_in(out, "total"), 1);
    json_decref(out);
    out = ask(d, "update.list", "{'text':'openssl','filter':'severity = low'}");
    assert_int_equal(number_in(out, "total"), 0);
    json_decref(out);
    out = ask(d, "update.list", "{'text':'100%'}");
    assert_int_equal(number_in(out, "total"), 1);
    json_decref(out);
    out = ask(d, "update.list", "{'text':' '}");
    assert_int_equal(number_in(out, "total"), 3);
    json_decref(out);
}

static void test_mistakes(void **state)
{
    struct desk *d = *state;

    refused(d, ERR_USAGE, "column 1", "update.list", "{'filter':'sevrity = low'}");
    refused(d, ERR_USAGE, "severity", "update.list", "{'filter':'sevrity = low'}");
    refused(d, ERR_USAGE, "column", "update.list", "{'filter':'severity = huge'}");
    refused(d, ERR_USAGE, "column", "update.list", "{'filter':'name = bash and'}");
    refused(d, ERR_USAGE, "column", "update.list", "{'filter':'(name = bash'}");
    refused(d, ERR_USAGE, "column", "update.list", "{'filter':'required = many'}");
    refused(d, ERR_USAGE, "cannot sort", "update.list", "{'sort':'colour'}");
    say(d, "group.create", "{'name':'g'}");
    refused(d, ERR_USAGE, "column 7", "group.add", "{'name':'g','filter':'name ='}");
    refused(d, ERR_USAGE, "--filter", "group.add", "{'name':'g'}");
}

static void test_sort_and_limit(void **state)
{
    struct desk *d = *state;
    json_t *out = ask(d, "update.list", "{'sort':'-required','limit':'1'}");

    assert_int_equal(json_array_size(json_object_get(out, "items")), 1);
    assert_int_equal(number_in(out, "total"), 3);
    row_with(json_object_get(out, "items"), "name", "openssl");
    json_decref(out);
    out = ask(d, "update.list", "{'sort':'-name'}");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(out, "items"), 2), "name")), "bash");
    json_decref(out);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_text),  T(test_wild),       T(test_words),      T(test_numbers),  T(test_times),          T(test_truth),
        T(test_lists), T(test_precedence), T(test_compliance), T(test_words_of_people), T(test_mistakes), T(test_sort_and_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
