#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "policy/catalog/deb822.h"

#include <cmocka.h> /* last: its fail() is a macro */

struct seen {
    struct text text;                           /* "name=value;" per field, "|" per stanza */
    size_t      stanzas;
};

static enum err on_stanza(void *ctx, const struct deb822_stanza *s, struct error *e)
{
    struct seen *seen = ctx;

    (void)e;
    seen->stanzas++;
    for (size_t i = 0; i < s->count; i++)
        text_add(&seen->text, "%.*s=%s;", (int)s->fields[i].name_length, s->fields[i].name, s->fields[i].value);
    text_add(&seen->text, "|");
    return OK;
}

/* Fed `step` bytes at a time: where a block ends must not matter. */
static enum err read_all(const char *text, size_t length, size_t step, size_t limit, struct seen *seen, struct error *e)
{
    struct deb822 *d = deb822_new(limit, on_stanza, seen);
    enum err       r = OK;

    for (size_t at = 0; at < length && r == OK; at += step)
        r = deb822_feed(d, text + at, length - at < step ? length - at : step, e);
    if (r == OK)
        r = deb822_finish(d, e);
    deb822_free(d);
    return r;
}

static void stanzas_and_continuations(void **state)
{
    const char text[] = "\n\nPackage: a\nDepends:  b,\n c\n\t d \nEmpty:\n\n \t\npackage: e\r\nX: 1:2";

    (void)state;
    for (size_t step = 1; step < sizeof(text); step++) {
        struct seen  seen = {0};
        struct error e = {0};

        assert_int_equal(read_all(text, sizeof(text) - 1, step, 1000, &seen, &e), OK);
        assert_string_equal(seen.text.data, "Package=a;Depends=b,\n c\n\t d;Empty=;|package=e;X=1:2;|");
        assert_int_equal(seen.stanzas, 2);
        text_end(&seen.text);
    }
}

static void finds_names_in_any_case(void **state)
{
    const struct deb822_field  fields[] = {{"Package: x", "x", 7}, {"SHA256", "y", 6}};
    const struct deb822_stanza s = {fields, 2, 1};

    (void)state;
    assert_string_equal(deb822_get(&s, "PACKAGE"), "x");
    assert_string_equal(deb822_get(&s, "sha256"), "y");
    assert_null(deb822_get(&s, "Pack"));
}

static void refuses(void **state)
{
    static const struct { const char *text; size_t length; const char *says; } cases[] = {
        {"A: 1\nno colon\n", 14, "line 2"},   {" continues\n", 11, "continues nothing"}, {"A: 1\na: 2\n", 10, "twice"},
        {"A: 1\n\nB\n", 8, "line 3"},         {"A: 1\0\n", 6, "byte 0"},                 {": 1\n", 4, "line 1"},
        {"A b: 1\n", 7, "printable"},         {"# A: 1\n", 7, "line 1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct seen  seen = {0};
        struct error e = {0};

        assert_int_equal(read_all(cases[i].text, cases[i].length, 3, 1000, &seen, &e), ERR_VERIFY);
        assert_non_null(strstr(e.text, cases[i].says));
        text_end(&seen.text);
    }
}

static void bounded(void **state)
{
    struct seen  seen = {0};
    struct error e = {0};
    struct text  many = {0};

    (void)state;
    assert_int_equal(read_all("A: 123456789012345678901234567890\n", 34, 5, 20, &seen, &e), ERR_VERIFY);
    assert_int_equal(read_all("A: 12345678\nB: 12345678\n", 24, 5, 20, &seen, &e), ERR_VERIFY);
    for (int i = 0; i < 300; i++)
        text_add(&many, "F%d: x\n", i);
    assert_int_equal(read_all(many.data, many.length, 100, 100000, &seen, &e), ERR_VERIFY);
    assert_non_null(strstr(e.text, "256 fields"));
    text_end(&many);
    text_end(&seen.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stanzas_and_continuations),
        cmocka_unit_test(finds_names_in_any_case),
        cmocka_unit_test(refuses),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
