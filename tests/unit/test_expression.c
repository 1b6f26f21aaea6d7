#include "policy/document/expression.h"
#include "tests/unit/paper.h"

static const char *const severities[] = {"none", "low", "moderate", "important", "critical", NULL};
static const struct property properties[] = {
    {"title", PROPERTY_TEXT, NULL, "", NULL},          {"required", PROPERTY_NUMBER, NULL, "", NULL},
    {"size", PROPERTY_SIZE, NULL, "", NULL},           {"released", PROPERTY_TIME, NULL, "", NULL},
    {"superseded", PROPERTY_BOOL, NULL, "", NULL},     {"cve", PROPERTY_LIST, NULL, "", NULL},
    {"severity", PROPERTY_ENUM, severities, "", NULL}, {"version", PROPERTY_TEXT, NULL, "", NULL},
};
static const struct vocabulary closed = {properties, COUNT(properties), false};
static const struct vocabulary open = {properties, COUNT(properties), true};

#define NOW 1795467600 /* 2026-11-23T21:00:00Z */

struct fact {
    const char *name;
    enum value_kind kind;
    const char *text;
    int64_t number;
};

static struct value value_of(const struct fact *f)
{
    return (struct value){f->kind, (char *)(uintptr_t)f->text, f->number};
}

static bool look(void *ctx, const char *name, size_t index, struct value *out)
{
    static const struct fact facts[] = {
        {"title", VALUE_TEXT, "Linux kernel security update", 0},
        {"required", VALUE_NUMBER, "", 3},
        {"size", VALUE_NUMBER, "", 33554432},
        {"released", VALUE_TIME, "", NOW - 10 * 86400},
        {"superseded", VALUE_BOOL, "true", 1},
        {"cve", VALUE_TEXT, "CVE-2026-1", 0},
        {"cve", VALUE_TEXT, "CVE-2026-22", 0},
        {"severity", VALUE_TEXT, "important", 0},
        {"version", VALUE_TEXT, "9", 0},
        {"quoted", VALUE_TEXT, "a\"b\\c", 0},
        {"huge", VALUE_TEXT, "99999999999999999999", 0},
        {"stars", VALUE_TEXT, "*?x", 0},
        {"cpu.count", VALUE_NUMBER, "", 4},
        {"virtual", VALUE_BOOL, "false", 0},
    };

    (void)ctx;
    for (size_t i = 0; i < COUNT(facts); i++)
        if (!strcmp(facts[i].name, name) && index-- == 0) {
            *out = value_of(&facts[i]);
            return true;
        }
    return false;
}

static struct expression *parsed(const char *text, const struct vocabulary *v)
{
    struct expression *x;
    struct error e;

    if (expression_parse(text, v, &x, &e))
        fail_msg("%s: %s", text, e.text);
    return x;
}

static bool holds(const char *text)
{
    struct expression *x = parsed(text, &open);
    bool verdict = expression_true(x, look, NULL, NOW);

    expression_free(x);
    return verdict;
}

static const char *const true_ones[] = {
    "required = 3",
    "required == 3",
    "required != 4",
    "required < 4",
    "required <= 3",
    "required > 2",
    "required >= 3",
    "required in (1, 3)",
    "REQUIRED=3",
    "not required > 3",
    "NOT required > 3",
    "size = 32MiB",
    "size = 32m",
    "size <= 33000k",
    "size < 1g",
    "size > 33mb",
    "size = 33554432",
    "size < 20GiB",
    "size < 10000000000",
    "title contains kernel",
    "title contains \"KERNEL SEC\"",
    "title ~ \"linux*\"",
    "title ~ *update",
    "title ~ \"?inux*kernel*\"",
    "title ~ *",
    "title = \"linux KERNEL security update\"",
    "title != kernel",
    "title in (x, 'linux kernel security update')",
    "released < 30d",
    "released > 9d",
    "released <= 10d",
    "released = 240h",
    "released > 1w",
    "released != 9d",
    "released > 2026-11-01",
    "released < 2026-11-14",
    "released >= 2026-11-13T21:00:00Z",
    "released = \"2026-11-13 21:00\"",
    "superseded",
    "superseded = true",
    "superseded = YES",
    "superseded != false",
    "not superseded = no",
    "superseded in (false, true)",
    "cve = CVE-2026-22",
    "cve ~ cve-2026-?",
    "cve contains -22",
    "cve != CVE-2026-3",
    "cve in (a, CVE-2026-1)",
    "severity = important",
    "severity >= moderate",
    "severity < CRITICAL",
    "severity > low",
    "severity <= important",
    "severity in (low, important)",
    "severity != low",
    "severity ~ imp*",
    "severity contains port",
    "version < 10",
    "version = 09",
    "version > 8",
    "version <= 9",
    "version < \"9a\"",
    "cpu.count = 4",
    "cpu.count >= 4",
    "cpu.count < 10",
    "cpu.count in (2, 4)",
    "cpu.count ~ ?",
    "virtual = false",
    "virtual != true",
    "quoted = \"a\\\"b\\\\c\"",
    "quoted = 'a\"b\\\\c'",
    "huge != 99999999999999999998",
    "huge = 99999999999999999999",
    "stars ~ \"*\\?x\"",
    "missing != x",
    "not missing = x",
    "not missing in (x)",
    "not missing ~ *",
};
static const char *const false_ones[] = {
    "required = 4",
    "required != 3",
    "required < 3",
    "required <= 2",
    "required > 3",
    "required >= 4",
    "required in (1, 2)",
    "size > 32MiB",
    "title contains kernels",
    "title ~ linux",
    "title ~ \"?linux*\"",
    "title = \"\"",
    "title ~ \"\"",
    "released < 10d",
    "released > 30d",
    "released < 2026-11-01",
    "released = 2026-11-13",
    "superseded = false",
    "not superseded",
    "cve = CVE-2026-2",
    "cve != CVE-2026-1",
    "cve ~ CVE-2025-*",
    "severity = critical",
    "severity > important",
    "severity < low",
    "severity in (low, none)",
    "severity != important",
    "version > 10",
    "version = 90",
    "cpu.count > 4",
    "cpu.count = 44",
    "virtual = true",
    "huge = 99999999999999999998",
    "missing = x",
    "missing < x",
    "missing >= x",
    "missing ~ *",
    "missing contains \"\"",
    "missing in (x)",
    "not missing != x",
};

static void what_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(true_ones); i++)
        if (!holds(true_ones[i]))
            fail_msg("%s does not hold", true_ones[i]);
    for (size_t i = 0; i < COUNT(false_ones); i++)
        if (holds(false_ones[i]))
            fail_msg("%s holds", false_ones[i]);
}

/* A fact of the wrong kind is never equal, less or more: only different. */
static bool look_wrong(void *ctx, const char *name, size_t index, struct value *out)
{
    (void)name;
    *out = value_of(ctx);
    return index == 0;
}

static void facts_that_do_not_compare(void **state)
{
    static const char *const operators[] = {"=", "<", "<=", ">", ">=", "!="};
    static const struct {
        const char *value;
        struct fact fact;
    } table[] = {{"0", {"required", VALUE_TEXT, "many", 0}},
                 {"0", {"required", VALUE_TEXT, "", 0}},
                 {"low", {"severity", VALUE_TEXT, "dreadful", 0}},
                 {"30d", {"released", VALUE_NUMBER, "", INT64_MIN}},
                 {"30d", {"released", VALUE_NUMBER, "", INT64_MIN + 1}}};

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        for (size_t o = 0; o < COUNT(operators); o++) {
            char *text = must_print("%s %s %s", table[i].fact.name, operators[o], table[i].value);
            struct expression *x = parsed(text, &closed);
            struct fact fact = table[i].fact;

            if (expression_true(x, look_wrong, &fact, NOW) != !strcmp(operators[o], "!="))
                fail_msg("%s with \"%s\"", text, fact.text);
            expression_free(x);
            free(text);
        }
}

/* A text that is a number counts as one where a number is compared. */
static void numbers_as_text(void **state)
{
    struct expression *x = parsed("required > 5", &closed);
    struct fact fact = {"required", VALUE_TEXT, "6", 0};

    (void)state;
    assert_true(expression_true(x, look_wrong, &fact, NOW));
    expression_free(x);
}

static void precedence(void **state)
{
    static const char *const table[][2] = {
        {"a=1 or b=2 and c=3", "a = \"1\" or b = \"2\" and c = \"3\""},
        {"(a=1 or b=2) and c=3", "(a = \"1\" or b = \"2\") and c = \"3\""},
        {"not a=1 and b=2", "not a = \"1\" and b = \"2\""},
        {"not (a=1 and b=2)", "not (a = \"1\" and b = \"2\")"},
        {"not not a=1", "not not a = \"1\""},
        {"a=1 and (b=2 and c=3)", "a = \"1\" and (b = \"2\" and c = \"3\")"},
        {"(a=1 or b=2) or c=3", "a = \"1\" or b = \"2\" or c = \"3\""},
        {"a=1 or (b=2 or c=3)", "a = \"1\" or (b = \"2\" or c = \"3\")"},
        {"((a=1))", "a = \"1\""},
        {"a in(1,2 , 3)", "a in (\"1\", \"2\", \"3\")"},
        {"superseded and required>=1", "superseded = true and required >= 1"},
        {"a = \"x\\\"y\\\\z\"", "a = \"x\\\"y\\\\z\""},
        {"size>32MiB and released<30d", "size > 32MiB and released < 30d"},
    };

    (void)state;
    assert_true(holds("required = 3 or required = 4 and required = 5"));
    assert_false(holds("(required = 3 or required = 4) and required = 5"));
    assert_true(holds("not required = 4 and required = 3"));
    assert_false(holds("not (required = 3 and required = 3)"));
    for (size_t i = 0; i < COUNT(table); i++) {
        struct expression *x = parsed(table[i][0], &open), *again;
        char *text = expression_print(x), *twice;

        assert_string_equal(text, table[i][1]);
        again = parsed(text, &open);
        twice = expression_print(again);
        assert_string_equal(text, twice);
        expression_free(x);
        expression_free(again);
        free(text);
        free(twice);
    }
}

static void refused(void **state)
{
    static const struct {
        const char *text;
        int column;
        const char *error;
    } table[] = {
        {"", 1, "expected a property; the expression ends here"},
        {"required >=", 12, "expected a value"},
        {"required >= and", 13, "expected a whole number"},
        {"requird = 1", 1, "no such property; did you mean \"required\"?"},
        {"title = a and colour = b", 15, "no such property; accepted are "},
        {"required 5", 10, "expected one of = != < <= > >= ~ contains in"},
        {"required = 5 6", 14, "expected and, or, or the end"},
        {"(required = 5", 14, "expected )"},
        {"required = 5)", 13, "expected and, or, or the end"},
        {"required = 5 and", 17, "expected a property; the expression ends here"},
        {"required = 5 or or", 17, "no such property"},
        {"title = \"abc", 9, "no closing quote"},
        {"\"title\" = abc", 1, "expected a property"},
        {"required = many", 12, "expected a whole number"},
        {"required = -1", 12, "expected a whole number"},
        {"required = 5k", 12, "expected a whole number"},
        {"required = 9223372036854775808", 12, "expected a whole number"},
        {"size > 5 parrots", 10, "expected and, or"},
        {"size > 5parrots", 8, "expected a size such as 32MiB"},
        {"size > 9223372036854775807k", 8, "expected a size"},
        {"released < soon", 12, "expected an age such as 30d, or a date"},
        {"released < 2026-02-30", 12, "expected a date such as 2026-11-01"},
        {"superseded = maybe", 14, "expected true or false"},
        {"severity >= dreadful", 13, "expected one of none, low, moderate, important, critical"},
        {"severity in (low, dreadful)", 19, "expected one of none"},
        {"severity in low", 13, "expected ( after in"},
        {"severity in (low", 17, "expected , or )"},
        {"severity in (low,)", 18, "expected a value"},
        {"severity in ()", 14, "expected a value"},
        {"required ~ 5", 1, "~ and contains are for texts, not for required"},
        {"superseded contains x", 1, "are for texts"},
        {"title ! x", 7, "expected one of ="},
        {"title <> x", 8, "expected a value"},
        {"and", 1, "no such property"},
        {"not", 4, "expected a property"},
        {"()", 2, "expected a property"},
        {",", 1, "expected a property"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct expression *x = NULL;
        struct error e = {0};
        char *column = must_print("column %d: ", table[i].column), *caret = must_print("\n    %*s^", table[i].column - 1, "");

        if (expression_parse(table[i].text, &closed, &x, &e) != ERR_USAGE)
            fail_msg("%s was accepted", table[i].text);
        assert_null(x);
        if (strncmp(e.text, column, strlen(column)) || !strstr(e.text, table[i].error) || !strstr(e.text, caret))
            fail_msg("%s: %s", table[i].text, e.text);
        free(column);
        free(caret);
    }
}

/* n times before, then middle, then n times after. */
static char *times(const char *before, size_t n, const char *middle, const char *after)
{
    struct text out = {0};

    for (size_t i = 0; i < n; i++)
        text_add(&out, "%s", before);
    text_add(&out, "%s", middle);
    for (size_t i = 0; i < n; i++)
        text_add(&out, "%s", after);
    return text_take(&out);
}

static void bound(char *text, enum err wanted, const char *error)
{
    struct expression *x = NULL;
    struct error e = {0};
    enum err code = expression_parse(text, &open, &x, &e);

    if (code != wanted || !strstr(e.text, error))
        fail_msg("%.60s…: %s", text, e.text);
    if (!code) {
        struct expression *again;
        char *printed = expression_print(x);

        expression_true(x, look, NULL, NOW);
        if (strlen(printed) <= 4096) {
            if (expression_parse(printed, &open, &again, &e))
                fail_msg("%.60s… prints as what cannot be read: %s", text, e.text);
            expression_free(again);
        }
        free(printed);
    }
    expression_free(x);
    free(text);
}

static void bounds(void **state)
{
    char list[5000] = "a in (x", longest[4097] = "a = ";

    (void)state;
    memset(longest + 4, 'x', 4092);
    bound(times("a=b and ", 199, "a=b", ""), OK, "");
    bound(times("a=b or ", 199, "a=b", ""), OK, "");
    bound(times("a=b and ", 200, "a=b", ""), ERR_USAGE, "more than 200 terms");
    bound(times("(", 31, "a=b", ")"), OK, "");
    bound(times("(", 32, "a=b", ")"), ERR_USAGE, "column 33: nested deeper than 32");
    bound(times("not ", 31, "a=b", ""), OK, "");
    bound(times("not ", 32, "a=b", ""), ERR_USAGE, "nested deeper than 32");
    bound(times("not (a=b or ", 15, "a=b", ")"), OK, "");
    bound(times("a=b or (a=b and ", 31, "a=b", ")"), OK, "");
    bound(times("(", 4000, "", ""), ERR_USAGE, "nested deeper");
    bound(times("", 0, longest, ""), OK, "");
    bound(times("", 1, longest, "x"), ERR_USAGE, "4097 bytes; at most 4096");
    for (int i = 1; i < 200; i++)
        strcat(list, ",x");
    bound(must_print("%s)", list), OK, "");
    bound(must_print("%s,x)", list), ERR_USAGE, "more than 200 values");
}

/* A caret far to the right and a text far too long for the message do no harm. */
static void long_messages(void **state)
{
    struct expression *x;
    struct error e;
    char *text = times("title = abcdefghij and ", 170, "colour = 1", "");

    (void)state;
    assert_int_equal(expression_parse(text, &closed, &x, &e), ERR_USAGE);
    assert_non_null(strstr(e.text, "column 3911: no such property"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds),      cmocka_unit_test(facts_that_do_not_compare),
        cmocka_unit_test(numbers_as_text), cmocka_unit_test(precedence),
        cmocka_unit_test(refused),         cmocka_unit_test(bounds),
        cmocka_unit_test(long_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
