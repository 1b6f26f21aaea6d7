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

/* Names of bins as python-tuf's own examples have them. */
static void test_bins(void **state)
{
    static const struct {
        int         bits;
        const char *target, *bin;
    } cases[] = {
        {1, "boo", "bin-0"}, {1, "too", "bin-1"}, {2, "foo", "bin-0"}, {2, "doo", "bin-1"}, {2, "too", "bin-2"}, {2, "bar", "bin-3"}, {8, "bar", "bin-fc"},
        {5, "bar", "bin-1f"}, {32, "bar", "bin-fcde2b2e"},
    };
    static const char *const bad[] = {
        "{'keyids':[],'threshold':1,'bit_length':0,'name_prefix':'b'}", "{'keyids':[],'threshold':1,'bit_length':33,'name_prefix':'b'}",
        "{'keyids':[],'threshold':0,'bit_length':1,'name_prefix':'b'}", "{'keyids':[1],'threshold':1,'bit_length':1,'name_prefix':'b'}",
        "{'keyids':[],'threshold':1,'bit_length':1}",                   "{'keyids':[],'threshold':1,'bit_length':'1','name_prefix':'b'}",
        "{'keyids':[],'threshold':1,'bit_length':1,'name_prefix':'12345678901234567890123456789012345678901234567890123456789012345678901234567890'}",
    };
    json_t      *targets = lab_json("{'delegations':{'keys':{},'succinct_roles':{'keyids':['k'],'threshold':1,'name_prefix':'bin'}}}"), *bin;
    struct error e;
    size_t       count;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(text_free) char *bits = must_print("%d", cases[i].bits);

        lab_set(targets, "delegations>succinct_roles>bit_length", bits);
        assert_int_equal(delegations_read(PROFILE_GENERAL, targets, NULL, &count, &e), OK);
        bin = delegation_bin(targets, cases[i].target);
        assert_string_equal(json_string_value(json_object_get(bin, "name")), cases[i].bin);
        assert_string_equal(json_string_value(json_array_get(json_object_get(bin, "keyids"), 0)), "k");
        json_decref(bin);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        lab_set(targets, "delegations>succinct_roles", bad[i]);
        assert_int_equal(delegations_read(PROFILE_GENERAL, targets, NULL, &count, &e), ERR_VERIFY);
    }
    lab_set(targets, "delegations>succinct_roles", "{'keyids':[],'threshold':1,'bit_length':1,'name_prefix':'b'}");
    lab_set(targets, "delegations>roles", "[]");
    assert_int_equal(delegations_read(PROFILE_GENERAL, targets, NULL, &count, &e), ERR_VERIFY);
    assert_int_equal(delegations_read(PROFILE_FERRY, targets, NULL, &count, &e), OK);      /* no hash bins there: a field like any other */
    json_decref(targets);
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
                                       cmocka_unit_test(test_bins),                                        cmocka_unit_test(test_how_many)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
