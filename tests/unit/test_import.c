/* Large imports: many binaries of one source, and a first import that lets others write between its portions. */
#include "tests/unit/desk.h"

#define MANY 2500

static struct desk *desk;      /* breathe() has no context */
static struct ledger *another; /* the connection that writes meanwhile */
static int breaths;

/* count stanzas; each its own source, or all of one. Caller frees with words_free. */
static char **stanzas(size_t count, bool one_source)
{
    char **list = must_alloc((count + 1) * sizeof *list);

    for (size_t i = 0; i < count; i++) {
        AUTO(text_free) char *source = must_print(one_source ? "gcc" : "source-%zu", i);
        list[i] = must_print("Package: p%zu\nSource: %s\nVersion: 1\nArchitecture: amd64\nFilename: pool/p%zu.deb\nSize: 1000\nSHA256: ", i,
                             source, i);
    }
    return list;
}

static enum err import(struct desk *d, size_t count, bool one_source, int64_t date, struct catalog_counts *n)
{
    char **list = stanzas(count, one_source);
    enum err code = desk_import(d, "big", (const char *const *)list, date, n);

    words_free(list);
    return code;
}

static void add_catalog(struct desk *d)
{
    AUTO(text_free)
    char *args = must_print("{'name':'big','type':'apt','uri':'http://deb.example.org/debian','suite':'s','keyring':'%s'}", d->keyring);

    say(d, "catalog.add", args);
    desk = d;
    breaths = 0;
    assert_int_equal(ledger_open(d->ledger_path, &another, &d->e), OK);
    ledger_patience(another, 0);
}

/* gcc-12-cross-mipsen of Debian 12 has 521. */
static void test_many_files(void **state)
{
    struct desk *d = *state;
    struct catalog_counts n;
    json_t *out;

    add_catalog(d);
    if (import(d, 600, true, DESK_NOW, &n) != OK)
        fail_msg("%s", d->e.text);
    assert_int_equal(n.updates, 1);
    out = ask(d, "update.show", "{'id':'gcc'}");
    assert_int_equal(json_array_size(json_object_get(out, "files")), 600);
    json_decref(out);
}

static void write_meanwhile(void)
{
    breaths++;
    if (ledger_set(another, "poll", "60", &desk->e) != OK)
        fail_msg("%s", desk->e.text);
}

static void test_portions(void **state)
{
    struct desk *d = *state;
    struct catalog_counts n;

    add_catalog(d);
    d->a.breathe = write_meanwhile;
    assert_int_equal(import(d, MANY, false, DESK_NOW, &n), OK);
    assert_int_equal(n.fresh, MANY);
    assert_int_equal(count_in(d, "upd"), MANY);
    assert_in_range(breaths, 1, MANY / 100);
}

/* From the second on there is an old catalog, which stays whole until the new one is. */
static void test_one_transaction(void **state)
{
    struct desk *d = *state;
    struct catalog_counts n;

    add_catalog(d);
    d->a.breathe = write_meanwhile;
    assert_int_equal(import(d, 3, false, DESK_NOW, &n), OK);
    assert_int_equal(import(d, MANY, false, DESK_NOW + 1, &n), OK);
    assert_int_equal(n.fresh, MANY - 3);
    assert_int_equal(breaths, 0);
}

static void remove_meanwhile(void)
{
    struct author other = {.ledger = another, .now = DESK_NOW};
    json_t *args = json_pack("{s:s}", "name", "big"), *out = NULL;

    breaths++;
    assert_int_equal(catalog_remove(&other, args, &out, &desk->e), OK);
    json_decref(args);
    json_decref(out);
}

static void test_removed_meanwhile(void **state)
{
    struct desk *d = *state;
    struct catalog_counts n;

    add_catalog(d);
    d->a.breathe = remove_meanwhile;
    assert_int_equal(import(d, MANY, false, DESK_NOW, &n), ERR_CONDITION);
    assert_non_null(strstr(d->e.text, "removed meanwhile"));
    assert_int_equal(breaths, 1);
    assert_int_equal(count_in(d, "upd"), 0);
}

static int close_both(void **state)
{
    ledger_close(another);
    another = NULL;
    return desk_close(state);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, desk_open, close_both)
    const struct CMUnitTest tests[] = {T(test_many_files), T(test_portions), T(test_one_transaction), T(test_removed_meanwhile)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
