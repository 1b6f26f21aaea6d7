/* Which paths a pattern or a hash prefix means. */
#include "policy/trust/delegation.h"
#include "tests/unit/trust_lab.h"

static void test_patterns(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool        matches;
    } cases[] = {
        {"*", "a", true},           {"*", "", true},             {"*", "a/b", false},        {"", "", true},
        {"", "a", false},           {"a", "a", true},            {"a", "b", false},          {"a", "ab", false},
        {"ab", "a", false},         {"?", "a", true},            {"?", "", false},           {"?", "/", false},
        {"??", "ab", true},         {"a?c", "abc", true},        {"a?c", "a/c", false},      {"*.txt", "a.txt", true},
        {"*.txt", "a.txt.x", false}, {"*.txt", "d/a.txt", false}, {"d/*", "d/a", true},       {"d/*", "d/e/a", false},
        {"d/*", "d", false},        {"d/*", "d/", true},         {"*/a", "d/a", true},       {"*/*", "d/a", true},
        {"*/*", "d", false},        {"*a*b", "xaybzb", true},    {"*a*b", "xaybz", false},   {"a*b*c", "abbbc", true},
        {"*ab", "aab", true},       {"*aab", "aaaab", true},     {"a*/b", "a/b", true},      {"a*/b", "ax/c", false},
        {"*/b*", "a/xb", false},    {"**", "ab", true},          {"a**b", "ab", true},       {"[a]", "a", false},
        {"[a]", "[a]", true},       {"\\*", "\\x", true},        {"*", ".hidden", true},     {"/a", "a", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (pattern_matches(cases[i].pattern, cases[i].path) != cases[i].matches)
            fail_msg("\"%s\" against \"%s\"", cases[i].pattern, cases[i].path);
}

/* As long as stars are, the time is bounded. */
static void test_pathological(void **state)
{
    char pattern[401], path[4001];

    (void)state;
    for (int i = 0; i < 400; i++)
        pattern[i] = i % 2 ? 'a' : '*';
    pattern[399] = 'b';
    pattern[400] = 0;
    memset(path, 'a', 4000);
    path[4000] = 0;
    assert_false(pattern_matches(pattern, path));
}

static void test_allows(void **state)
{
    static const struct {
        const char *role, *target;
        bool        allows;
    } cases[] = {
        {"{'paths':['a','b/*']}", "a", true},
        {"{'paths':['a','b/*']}", "b/c", true},
        {"{'paths':['a','b/*']}", "c", false},
        {"{'paths':[]}", "a", false},
        {"{'path_hash_prefixes':['" LAB_TARGET_HASH "']}", LAB_TARGET, true},
        {"{'path_hash_prefixes':['00','" LAB_TARGET_HASH "']}", LAB_TARGET, true},
        {"{'path_hash_prefixes':['" LAB_TARGET_HASH "']}", "policy/tills/november.json", false},
        {"{'path_hash_prefixes':['']}", LAB_TARGET, false},
        {"{}", "a", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *role = lab_json(cases[i].role);
        assert_int_equal(delegation_allows(role, cases[i].target), cases[i].allows);
        json_decref(role);
    }
}

/* Ferry's profile takes 128 delegations, one key each, and not one more. */
static void test_how_many(void **state)
{
    struct lab        *l = lab_new(PROFILE_FERRY);
    struct delegation *all = must_alloc((DELEGATIONS + 1) * sizeof *all);
    size_t             count = 0;

    (void)state;
    for (int i = 2; i <= DELEGATIONS; i++) {
        AUTO(text_free) char *name = must_print("role-%d", i), *path = must_print("policy/role-%d/*", i);

        assert_int_equal(delegations_read(PROFILE_FERRY, lab_body(l, "targets"), all, &count, &l->e), OK);
        assert_int_equal(count, i);
        lab_delegate(l, "targets", name, "H", path, true);
    }
    assert_int_equal(delegations_read(PROFILE_FERRY, lab_body(l, "targets"), all, &count, &l->e), ERR_VERIFY);
    assert_int_equal(count, 0);
    assert_int_equal(delegations_read(PROFILE_GENERAL, lab_body(l, "targets"), NULL, &count, &l->e), OK);
    assert_int_equal(count, DELEGATIONS + 1);
    free(all);
    lab_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_patterns), cmocka_unit_test(test_pathological), cmocka_unit_test(test_allows),
                                       cmocka_unit_test(test_how_many)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
