#include "node/base/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

struct settings {
    char   *name, *place, **list, *mood;
    int64_t count, wait, size;
    bool    brave;
};

static const char *const moods[] = {"good", "bad", NULL};

#define AT(member) offsetof(struct settings, member)
static const struct option table[] = {
    {.name = "name", .type = OPTION_TEXT, .at = AT(name), .meaning = "A name."},
    {.name = "place", .type = OPTION_PATH, .standard = "/srv", .at = AT(place), .meaning = "A place."},
    {.name = "list", .type = OPTION_LIST, .standard = "one", .at = AT(list), .meaning = "Things."},
    {.name = "mood", .type = OPTION_WORD, .standard = "good", .at = AT(mood), .words = moods, .live = true, .meaning = "A mood."},
    {.name = "count", .type = OPTION_NUMBER, .standard = "4", .at = AT(count), .low = 1, .high = 10, .live = true, .meaning = "How many."},
    {.name = "wait", .type = OPTION_DURATION, .standard = "1h", .at = AT(wait), .low = 0, .high = 86400, .meaning = "How long."},
    {.name = "size",
     .type = OPTION_SIZE,
     .standard = "1GiB",
     .at = AT(size),
     .low = 1024,
     .high = (int64_t)1 << 40,
     .meaning = "How large."},
    {.name = "brave", .type = OPTION_BOOL, .standard = "no", .at = AT(brave), .meaning = "Whether."},
};
#define TABLE table, COUNT(table)

static void from_text(struct settings *s, const char *text, enum err want, const char *part)
{
    char         path[] = "/tmp/ferry-option-XXXXXX";
    struct error e = {OK, ""};
    int          fd = mkstemp(path);
    enum err     code;

    close(fd);
    *s = (struct settings){0};
    assert_int_equal(option_defaults(TABLE, s, &e), OK);
    assert_int_equal(file_write(path, text, strlen(text), 0600, NULL), OK);
    code = option_file(TABLE, s, path, &e);
    unlink(path);
    if (code != want || (part && !strstr(e.text, part)))
        fail_msg("'%s': %s: %s", text, err_name(code), e.text);
}

static void defaults_and_files(void **state)
{
    struct settings s;

    (void)state;
    from_text(&s, "", OK, NULL);
    assert_null(s.name);
    assert_string_equal(s.place, "/srv");
    assert_string_equal(s.list[0], "one");
    assert_null(s.list[1]);
    assert_int_equal(s.count, 4);
    assert_int_equal(s.wait, 3600);
    assert_int_equal(s.size, 1 << 30);
    assert_false(s.brave);
    option_end(TABLE, &s);
    from_text(&s,
              "# a comment\n\n  name =  two words \r\nlist = a, b\nlist = c\ncount=10\nwait = 2h\nsize = 500 MiB\nbrave = yes\nmood = bad",
              OK, NULL);
    assert_string_equal(s.name, "two words");
    assert_string_equal(s.list[0], "a");
    assert_string_equal(s.list[2], "c");
    assert_null(s.list[3]);
    assert_int_equal(s.count, 10);
    assert_int_equal(s.wait, 7200);
    assert_int_equal(s.size, 500 << 20);
    assert_true(s.brave);
    assert_string_equal(s.mood, "bad");
    option_end(TABLE, &s);
    option_end(TABLE, &s);
}

static void refusals_name_the_line(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"count = 5\ncuont = 6", ":2: unknown key 'cuont' (did you mean 'count'?)"},
        {"colour = red", ":1: unknown key 'colour'"},
        {"just words", ":1: 'just words' is not a setting"},
        {"count = 11", ":1: count cannot be '11'; accepted are 1 to 10"},
        {"count = x", "a whole number is wanted"},
        {"count = 5x", "a whole number is wanted"},
        {"count = 99999999999999999999", "a whole number is wanted"},
        {"wait = 2 hours", "wait cannot be '2 hours'; a duration"},
        {"wait = 2d", "accepted are 0 to 86400 s"},
        {"size = 1", "accepted are 1.0 KiB to 1.0 TiB"},
        {"size = 5XiB", "a size is written like"},
        {"size = 9999999999999GiB", "a size is written like"},
        {"brave = perhaps", "accepted are yes and no"},
        {"mood = odd", "accepted are good, bad"},
        {"mood =", "mood needs a value"},
        {"count = 1\ncount = 2", ":2: count was set already in line 1"},
    };
    struct settings s;
    struct error    e;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        from_text(&s, cases[i].text, ERR_USAGE, cases[i].part);
        option_end(TABLE, &s);
    }
    s = (struct settings){0};
    assert_int_equal(option_file(TABLE, &s, "/nowhere/ferry.conf", &e), ERR_NOT_FOUND);
}

/* Words separated by blanks, as on the command line. */
static enum err from_words(struct settings *s, const char *line, int *used, struct error *e)
{
    AUTO(text_free) char *copy = must_copy(line);
    char                 *argv[16], *save;
    int                   n = 0;

    for (char *w = strtok_r(copy, " ", &save); w && n < 16; w = strtok_r(NULL, " ", &save))
        argv[n++] = w;
    return option_words(TABLE, s, n, argv, used, e);
}

static void words(void **state)
{
    struct settings       s;
    struct error          e;
    AUTO(text_free) char *here = getcwd(NULL, 0), *want = must_print("%s/below", here);
    int                   used;

    (void)state;
    from_text(&s, "list = file\n", OK, NULL);
    assert_int_equal(from_words(&s, "--count 7 --name=a=b --brave --list x --list=y rest --count", &used, &e), OK);
    assert_int_equal(used, 7);
    assert_int_equal(s.count, 7);
    assert_string_equal(s.name, "a=b");
    assert_true(s.brave);
    assert_string_equal(s.list[0], "x");        /* the command line's list replaces the file's */
    assert_string_equal(s.list[1], "y");
    assert_null(s.list[2]);
    assert_int_equal(from_words(&s, "--place below", &used, &e), OK);
    assert_string_equal(s.place, want);
    assert_int_equal(from_words(&s, "--cuont 7", &used, &e), ERR_USAGE);
    assert_string_equal(e.text, "unknown option '--cuont' (did you mean 'count'?)");
    assert_int_equal(from_words(&s, "--count", &used, &e), ERR_USAGE);
    assert_int_equal(from_words(&s, "--count=11", &used, &e), ERR_USAGE);
    option_end(TABLE, &s);
}

static void on_told(void *ctx, const struct option *o, bool taken)
{
    text_add(ctx, "%s%s ", o->name, taken ? "+" : "-");
}

static void reload_takes_what_is_live(void **state)
{
    struct settings old, fresh;
    struct text     told = {0};

    (void)state;
    from_text(&old, "mood = good\nwait = 5\nlist = a, b\n", OK, NULL);
    from_text(&fresh, "mood = bad\nwait = 6\ncount = 9\nlist = a, b\n", OK, NULL);
    option_reload(TABLE, &old, &fresh, on_told, &told);
    assert_string_equal(told.data, "mood+ count+ wait- ");
    assert_string_equal(old.mood, "bad");
    assert_int_equal(old.count, 9);
    assert_int_equal(old.wait, 5);
    option_end(TABLE, &old);
    option_end(TABLE, &fresh);
    text_end(&told);
}

static void help_says_everything(void **state)
{
    char  *text = NULL;
    size_t size;
    FILE  *file = open_memstream(&text, &size);

    (void)state;
    option_help(TABLE, file);
    fclose(file);
    for (size_t i = 0; i < COUNT(table); i++) {
        assert_non_null(strstr(text, table[i].name));
        assert_non_null(strstr(text, table[i].meaning));
    }
    assert_non_null(strstr(text, "One of: good, bad. Default: good. Live."));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_and_files),       cmocka_unit_test(refusals_name_the_line), cmocka_unit_test(words),
        cmocka_unit_test(reload_takes_what_is_live), cmocka_unit_test(help_says_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
