#include "policy/document/expression.h"

#include "policy/document/collection.h"
#include "tests/unit/paper.h"

#define NOW 1795467600 /* 2026-11-23T21:00:00Z */

static const char *const severities[] = {"none", "low", "important", "critical", NULL};
static const struct property properties[] = {
    {"title", PROPERTY_TEXT, NULL, "", NULL},          {"required", PROPERTY_NUMBER, NULL, "", NULL},
    {"size", PROPERTY_SIZE, NULL, "", NULL},           {"released", PROPERTY_TIME, NULL, "", NULL},
    {"superseded", PROPERTY_BOOL, NULL, "", NULL},     {"cve", PROPERTY_LIST, NULL, "", NULL},
    {"severity", PROPERTY_ENUM, severities, "", NULL}, {"vendor", PROPERTY_TEXT, NULL, "", NULL},
};
static const struct vocabulary updates = {properties, COUNT(properties), false};

static bool look(void *ctx, const char *name, size_t index, struct value *out)
{
    static const struct {
        const char *name;
        struct value value;
    } facts[] = {
        {"title", {VALUE_TEXT, (char *)(uintptr_t) "Linux kernel", 0}},
        {"required", {VALUE_NUMBER, (char *)(uintptr_t) "", 3}},
        {"size", {VALUE_NUMBER, (char *)(uintptr_t) "", 33554432}},
        {"released", {VALUE_TIME, (char *)(uintptr_t) "", NOW - 10 * 86400}},
        {"superseded", {VALUE_BOOL, (char *)(uintptr_t) "true", 1}},
        {"cve", {VALUE_TEXT, (char *)(uintptr_t) "CVE-2026-1", 0}},
        {"cve", {VALUE_TEXT, (char *)(uintptr_t) "CVE-2026-2", 0}},
        {"severity", {VALUE_TEXT, (char *)(uintptr_t) "important", 0}},
        {"vendor", {VALUE_TEXT, (char *)(uintptr_t) "", 0}},
    };

    (void)ctx;
    for (size_t i = 0; i < COUNT(facts); i++)
        if (!strcmp(facts[i].name, name) && index-- == 0) {
            *out = facts[i].value;
            return true;
        }
    return false;
}

static void why(const char *filter, const struct vocabulary *v, expression_lookup lookup, void *ctx, const char *expected)
{
    struct expression *x;
    struct error e;
    char text[200] = "left over";
    bool holds;

    if (expression_parse(filter, v, &x, &e))
        fail_msg("%s", e.text);
    holds = expression_why(x, lookup, ctx, NOW, text);
    if (strcmp(text, expected))
        fail_msg("%s: \"%s\", expected \"%s\"", filter, text, expected);
    assert_int_equal(holds, expression_true(x, lookup, ctx, NOW));
    assert_int_equal(holds, !*expected);
    expression_free(x);
}

static void the_test_that_decides(void **state)
{
    static const char *const table[][2] = {
        /* one test, with what was found */
        {"required > 2", ""},
        {"required > 50", "required > 50 (it is 3)"},
        {"title = windows", "title = \"windows\" (it is Linux kernel)"},
        {"title contains windows", "title contains \"windows\" (it is Linux kernel)"},
        {"vendor = Debian", "vendor = \"Debian\" (it is \"\")"},
        {"severity >= critical", "severity >= \"critical\" (it is important)"},
        {"size < 1MiB", "size < 1MiB (it is 32.0 MiB)"},
        {"released < 7d", "released < 7d (it is 2026-11-13T21:00:00Z)"},
        {"released > 2026-11-20", "released > 2026-11-20 (it is 2026-11-13T21:00:00Z)"},
        {"superseded = false", "superseded = false (it is true)"},
        {"severity in (low, critical)", "severity in (\"low\", \"critical\") (it is important)"},
        {"cve contains 2025", "cve contains \"2025\" (it is CVE-2026-1, CVE-2026-2)"},
        {"cve != CVE-2026-2", "cve != \"CVE-2026-2\" (it is CVE-2026-1, CVE-2026-2)"},
        /* and: the first that does not hold */
        {"required >= 1 and required > 50 and severity = low", "required > 50 (it is 3)"},
        {"(required >= 1 and severity = low) and required > 50", "severity = \"low\" (it is important)"},
        {"required > 50 and severity = low", "required > 50 (it is 3)"},
        /* or: none holds; the first is named */
        {"required > 50 or severity = low", "required > 50 (it is 3)"},
        {"required > 50 or severity = important", ""},
        {"required > 1 and (title ~ a* or title ~ b*)", "title ~ \"a*\" (it is Linux kernel)"},
        /* not: the one that holds */
        {"not superseded", "not superseded = true (it is true)"},
        {"not superseded and required > 50", "not superseded = true (it is true)"},
        {"not (required > 1 and severity = important)", "not required > 1 (it is 3)"},
        {"not (required > 50 or severity = important)", "not severity = \"important\" (it is important)"},
        {"not not required > 50", "required > 50 (it is 3)"},
        {"not (title ~ l* and not (severity = low))", "not title ~ \"l*\" (it is Linux kernel)"},
        {"not (required > 1 and not severity = low)", "not required > 1 (it is 3)"},
        {"not not (required > 1 and not superseded)", "not superseded = true (it is true)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        why(table[i][0], &updates, look, NULL, table[i][1]);
}

static void facts_that_are_not_there(void **state)
{
    json_t *facts = paper("{'hostname':'till-3','memory.mib':2048,'role':[],'virtual':true,'odd':null}");

    (void)state;
    why("kernel ~ \"6.*\"", &fact_vocabulary, fact_lookup, facts, "no fact kernel");
    why("memory.mib > 4096", &fact_vocabulary, fact_lookup, facts, "memory.mib > 4096 (it is 2048)");
    why("role = site", &fact_vocabulary, fact_lookup, facts, "no fact role");
    why("odd = 1", &fact_vocabulary, fact_lookup, facts, "no fact odd");
    why("not kernel != x", &fact_vocabulary, fact_lookup, facts, "no fact kernel");
    why("kernel != x", &fact_vocabulary, fact_lookup, facts, "");
    why("virtual = false", &fact_vocabulary, fact_lookup, facts, "virtual = \"false\" (it is true)");
    why("timezone = Europe/Berlin or machine.kind = server", &fact_vocabulary, fact_lookup, facts, "no fact timezone");
    json_decref(facts);
}

/* It fits however long both are, and stays UTF-8: it becomes JSON. */
static void long_ones(void **state)
{
    char rule[3000], value[3000];
    json_t *facts = json_object(), *text;

    (void)state;
    for (size_t pad = 0; pad < 4; pad++) {
        struct expression *x;
        char out[200];
        size_t used = (size_t)snprintf(rule, sizeof rule, "hostname = \"%.*s", (int)pad, "abc");

        for (size_t i = 0; i + 2 < 1000; i += 2)
            snprintf(rule + used + i, 3, "ä");
        strcat(rule, "\"");
        snprintf(value, sizeof value, "%s…", rule + used);
        json_object_set_new(facts, "hostname", json_string(value));
        assert_int_equal(expression_parse(rule, &fact_vocabulary, &x, NULL), OK);
        assert_false(expression_why(x, fact_lookup, facts, NOW, out));
        assert_true(strlen(out) < 190 && strstr(out, "... (it is ää") && !strcmp(out + strlen(out) - 4, "...)"));
        text = json_string(out);
        assert_non_null(text);
        json_decref(text);
        expression_free(x);
    }
    json_decref(facts);
}

static bool a_thousand(void *ctx, const char *name, size_t index, struct value *out)
{
    (void)ctx;
    (void)name;
    *out = (struct value){VALUE_TEXT, (char *)(uintptr_t) "another", 0};
    return index < 1000;
}

static void long_lists(void **state)
{
    (void)state;
    why("cve = x", &updates, a_thousand, NULL, "cve = \"x\" (it is another, another, another, another, another, another, ano...)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_that_decides),
        cmocka_unit_test(facts_that_are_not_there),
        cmocka_unit_test(long_ones),
        cmocka_unit_test(long_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
