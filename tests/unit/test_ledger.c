/* The site's database: made once, opened by the Ferry that knows it, all or nothing, and plain words when it is busy or full. */
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include "policy/authoring/schema.h"
#include "tests/unit/desk.h"

static void put(struct desk *d, const char *sql)
{
    sqlite3 *database;
    char *text = NULL;

    assert_int_equal(sqlite3_open(d->ledger_path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, &text))
        fail_msg("%s", text);
    sqlite3_close(database);
}

static void reopen(struct desk *d)
{
    ledger_close(d->a.ledger);
    d->a.ledger = NULL;
    if (ledger_open(d->ledger_path, &d->a.ledger, &d->e) != OK)
        fail_msg("%s", d->e.text);
}

static void setting_is(struct desk *d, const char *name, const char *value)
{
    char *text = ledger_setting(d->a.ledger, name);

    if (value)
        assert_string_equal(text, value);
    else
        assert_null(text);
    free(text);
}

static void test_create(void **state)
{
    struct desk *d = *state;
    uint8_t seal[32] = {9};
    struct stat st;

    setting_is(d, "site.name", "hq");
    setting_is(d, "site.id", DESK_SITE);
    assert_int_equal(ledger_create(d->ledger_path, "other", "zzzzzzzzzzzzzzzz", seal, &d->e), ERR_EXISTS);
    reopen(d);
    setting_is(d, "site.name", "hq");
    setting_is(d, "no.such", NULL);
    assert_int_equal(stat(d->ledger_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_absent(void **state)
{
    struct desk *d = *state;
    struct ledger *l = NULL;
    char path[128];

    snprintf(path, sizeof path, "%s/none/ledger.db", d->dir);
    assert_int_equal(ledger_open(path, &l, &d->e), ERR_NOT_FOUND);
    assert_non_null(strstr(d->e.text, "ferry site init"));
    assert_false(file_exists(path));
}

static void test_set_survives(void **state)
{
    struct desk *d = *state;

    assert_int_equal(ledger_set(d->a.ledger, "poll", "60", &d->e), OK);
    assert_int_equal(ledger_set(d->a.ledger, "poll", "90", &d->e), OK);
    reopen(d);
    setting_is(d, "poll", "90");
}

/* A database from a Ferry of tomorrow is left alone. */
static void test_newer(void **state)
{
    struct desk *d = *state;
    struct ledger *l = NULL;

    put(d, "PRAGMA user_version = 999");
    assert_int_equal(ledger_open(d->ledger_path, &l, &d->e), ERR_CONDITION);
    assert_non_null(strstr(d->e.text, "version 999"));
    assert_null(l);
}

/* The database of an older Ferry is brought up to date, with what it holds. */
static void test_older(void **state)
{
    struct desk   *d = *state;
    struct ledger *l = NULL;
    struct terms   terms;
    json_t        *row;
    char           path[128];

    snprintf(path, sizeof path, "%s/empty.db", d->dir);
    assert_int_equal(file_write(path, "", 0, 0600, NULL), OK);
    assert_int_equal(ledger_open(path, &l, &d->e), OK);
    assert_int_equal(rows_number(l, LEDGER_COLLECTION_HAS, "s", "all"), 1);
    ledger_close(l);
    ledger_close(d->a.ledger);
    unlink(d->ledger_path);
    put(d, migrations[0]);
    put(d, "PRAGMA user_version = 1; INSERT INTO grp VALUES('october', '', '[]'); INSERT INTO setting VALUES('site.name', 'hq');"
           "INSERT INTO setting VALUES('site.url', 'http://hq:8440');"
           "INSERT INTO deployment VALUES('d', 'october', 'all', 'available', 5, 0, 60, 1, 1, 0, 4)");
    assert_int_equal(ledger_open(d->ledger_path, &d->a.ledger, &d->e), OK);
    setting_is(d, "site.name", "hq");
    setting_is(d, "site.url", "https://hq:8440");
    assert_int_equal(rows_number(d->a.ledger, LEDGER_GROUP_HAS, "s", "october"), 1);
    assert_int_equal(rows_run(d->a.ledger, LEDGER_GROUP_ARCHIVES_WANTED, &d->e, "ss", "october", "[]"), OK);
    row = rows_one(d->a.ledger, LEDGER_DEPLOYMENTS, "si", "d", (int64_t)0);
    assert_int_equal(terms_stored(json_object_get(row, "terms"), &terms, &d->e), OK);
    assert_true(terms.purpose == PURPOSE_AVAILABLE && terms.randomize_s == 60 && terms.origin_fallback);
    json_decref(row);
}

/* One that says less than it holds: refused, and left as it was. */
static void test_wrong_version(void **state)
{
    struct desk   *d = *state;
    struct ledger *l = NULL;
    char           restore[60];

    put(d, "PRAGMA user_version = 1");
    assert_int_equal(ledger_open(d->ledger_path, &l, &d->e), ERR_IO);
    snprintf(restore, sizeof restore, "PRAGMA user_version = %d", ledger_version);
    put(d, restore);
    reopen(d);
    setting_is(d, "site.name", "hq");
}

static void test_not_a_database(void **state)
{
    struct desk *d = *state;
    struct ledger *l = NULL;
    char path[128];

    snprintf(path, sizeof path, "%s/text.db", d->dir);
    assert_int_equal(file_write(path, "this is no database, whatever its name says it may be", 53, 0600, NULL), OK);
    assert_int_equal(ledger_open(path, &l, &d->e), ERR_IO);
    assert_null(l);
}

static void test_transaction(void **state)
{
    struct desk *d = *state;

    assert_int_equal(ledger_begin(d->a.ledger, &d->e), OK);
    assert_int_equal(ledger_set(d->a.ledger, "one", "1", &d->e), OK);
    assert_int_equal(ledger_end(d->a.ledger, ERR_CONDITION, &d->e), ERR_CONDITION);
    setting_is(d, "one", NULL);
    assert_int_equal(ledger_begin(d->a.ledger, &d->e), OK);
    assert_int_equal(ledger_set(d->a.ledger, "one", "1", &d->e), OK);
    assert_int_equal(ledger_back(d->a.ledger, &d->e), OK);
    setting_is(d, "one", NULL);
    assert_int_equal(ledger_begin(d->a.ledger, &d->e), OK);
    assert_int_equal(ledger_set(d->a.ledger, "one", "1", &d->e), OK);
    assert_int_equal(ledger_end(d->a.ledger, OK, &d->e), OK);
    reopen(d);
    setting_is(d, "one", "1");
}

/* Closed in the middle of a transaction, as by kill -9: nothing of it is there. */
static void test_cut_off(void **state)
{
    struct desk *d = *state;

    assert_int_equal(ledger_begin(d->a.ledger, &d->e), OK);
    assert_int_equal(ledger_set(d->a.ledger, "one", "1", &d->e), OK);
    reopen(d);
    setting_is(d, "one", NULL);
}

/* Somebody else writes: reading goes on, writing says so, and works afterwards. */
static void test_busy(void **state)
{
    struct desk *d = *state;
    sqlite3 *other;

    assert_int_equal(sqlite3_open(d->ledger_path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE; INSERT INTO setting VALUES('mine', 'x')", NULL, NULL, NULL), SQLITE_OK);
    setting_is(d, "mine", NULL);
    ledger_patience(d->a.ledger, 50);
    assert_int_equal(ledger_begin(d->a.ledger, &d->e), ERR_AGAIN);
    assert_int_equal(ledger_set(d->a.ledger, "one", "1", &d->e), ERR_AGAIN);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_int_equal(ledger_set(d->a.ledger, "one", "1", &d->e), OK);
    setting_is(d, "mine", "x");
}

/* No room: the file may not grow any more. What was there stays, nothing of the transaction does. */
static void test_full(void **state)
{
    struct desk *d = *state;
    struct rlimit before, small;
    char *big = must_alloc(1 << 20);
    enum err code;

    memset(big, 'x', (1 << 20) - 1);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){.rlim_cur = 400 << 10, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    code = ledger_begin(d->a.ledger, &d->e);
    code = code ? code : ledger_set(d->a.ledger, "one", "1", &d->e);
    code = code ? code : ledger_set(d->a.ledger, "big", big, &d->e);
    code = ledger_end(d->a.ledger, code, &d->e);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_not_equal(code, OK);
    setting_is(d, "one", NULL);
    setting_is(d, "big", NULL);
    reopen(d);
    setting_is(d, "site.name", "hq");
    assert_int_equal(ledger_set(d->a.ledger, "one", "1", &d->e), OK);
    free(big);
}

static void test_no_pages(void **state)
{
    struct desk *d = *state;
    char *big = must_alloc(1 << 20);
    json_t *rows = NULL;

    memset(big, 'x', (1 << 20) - 1);
    assert_int_equal(rows_found(d->a.ledger, "PRAGMA max_page_count = 1", NULL, &rows, &d->e), OK);
    json_decref(rows);
    assert_int_equal(ledger_set(d->a.ledger, "big", big, &d->e), ERR_FULL);
    setting_is(d, "big", NULL);
    free(big);
}

/* A column's alias tells its JSON. */
static void test_rows(void **state)
{
    struct desk *d = *state;
    json_t *rows = NULL, *p = json_array(), *row;

    json_array_append_new(p, json_string("it's; DROP TABLE setting"));
    json_array_append_new(p, json_integer(7));
    assert_int_equal(rows_found(d->a.ledger,
                                "SELECT ? AS text, ? AS n, 1800000000 AS \"when!t\", 0 AS \"never!t\", 1 AS \"yes!b\", '[1]' AS "
                                "\"list!j\", 'x' AS \"bad!j\", NULL AS none",
                                p, &rows, &d->e),
                     OK);
    row = json_array_get(rows, 0);
    assert_string_equal(json_string_value(json_object_get(row, "text")), "it's; DROP TABLE setting");
    assert_int_equal(number_in(row, "n"), 7);
    assert_string_equal(json_string_value(json_object_get(row, "when")), "2027-01-15T08:00:00Z");
    assert_string_equal(json_string_value(json_object_get(row, "never")), "");
    assert_true(json_is_true(json_object_get(row, "yes")));
    assert_int_equal(json_array_size(json_object_get(row, "list")), 1);
    assert_true(json_is_null(json_object_get(row, "bad")));
    assert_true(json_is_null(json_object_get(row, "none")));
    json_decref(rows);
    json_decref(p);
    assert_int_equal(rows_found(d->a.ledger, "SELECT nothing FROM nowhere", NULL, &rows, &d->e), ERR_IO);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_create),        T(test_absent),         T(test_set_survives), T(test_newer),   T(test_older),
        T(test_wrong_version), T(test_not_a_database), T(test_transaction),  T(test_cut_off), T(test_busy),
        T(test_full),          T(test_no_pages),       T(test_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
