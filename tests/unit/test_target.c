/* The targets that Ferry's delegated roles speak for, and their bytes. */
#include "policy/trust/target.h"
#include "tests/unit/trust_lab.h"

static void test_listed(void **state)
{
    struct lab                   *l = lab_new(PROFILE_FERRY);
    const struct verifier_target *t;

    (void)state;
    lab_target(l, "tills", "policy/tills/a.json", "a");
    lab_target(l, "tills", "policy/shops/stolen.json", "x");        /* not tills' to give */
    lab_target(l, "shops", "policy/shops/b.json", "b");
    lab_publish(l);
    assert_int_equal(lab_refresh(l), VERIFIER_DONE);
    assert_int_equal(verifier_target_count(l->v), 3);
    assert_string_equal(verifier_target(l->v, 0)->name, "policy/shops/b.json");
    assert_string_equal(verifier_target(l->v, 1)->name, "policy/tills/a.json");
    assert_string_equal(verifier_target(l->v, 2)->name, LAB_TARGET);
    t = verifier_target(l->v, 0);
    assert_string_equal(t->role, "shops");
    assert_int_equal(t->length, 1);
    assert_int_equal(t->seq, 7);
    assert_string_equal(t->url_path, "policy/shops/3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d.b.json");
    lab_free(l);
}

static void test_names(void **state)
{
    static const char *const bad[] = {"policy/tills/", "policy/tills/.hidden", "policy/tills/a b", "policy/tills/a?", "policy/tills/a%2f",
                                      "policy/tills/\303\251"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct lab *l = lab_new(PROFILE_FERRY);

        lab_target(l, "tills", bad[i], "x");
        lab_publish(l);
        assert_int_equal(lab_refresh(l), VERIFIER_FAILED);
        assert_non_null(strstr(l->e.text, "is no name for a target"));
        lab_free(l);
    }
}

static void test_bytes(void **state)
{
    static const struct {
        const char *body, *says;                /* NULL: taken */
    } cases[] = {
        {"{\"audience\":\"" LAB_SITE "\",\"seq\":7}", NULL},
        {"{\"audience\":\"" LAB_SITE "\",\"seq\":7,\"more\":[]}", NULL},
        {"{\"audience\":\"" LAB_SITE "\",\"seq\":8}", "seq"},
        {"{\"audience\":\"" LAB_SITE "\",\"seq\":\"7\"}", "seq"},
        {"{\"audience\":\"other\",\"seq\":7}", "for site"},
        {"{\"audience\":7,\"seq\":7}", "for site"},
        {"{\"seq\":7}", "for site"},
        {"[]", "for site"},
        {"no json", "not JSON"},
        {"", "not JSON"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lab *l = lab_new(PROFILE_FERRY);
        bool        taken;

        free(l->target);
        l->target = must_copy(cases[i].body);
        lab_target(l, "tills", LAB_TARGET, cases[i].body);
        lab_publish(l);
        taken = lab_take(l);
        if (taken != !cases[i].says || (!taken && !strstr(l->e.text, cases[i].says)))
            fail_msg("%s: %s", cases[i].body, l->e.text);
        lab_free(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_listed), cmocka_unit_test(test_names), cmocka_unit_test(test_bytes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
