/* The walk: which files are asked for, when they are stored, what a restart recalls, and the search through delegations. What lies is in
 * test_attacks.c. */
#include "tests/unit/trust_lab.h"

static void asked(struct lab *l, const char *files)
{
    if (strcmp(l->asked, files))
        fail_msg("asked for \"%s\", \"%s\" was expected", l->asked, files);
}

#define FIRST "2.root.json timestamp.json 1.snapshot.json 1.targets.json "

static void test_order(void **state)
{
    struct lab *l = lab_new(PROFILE_FERRY);

    (void)state;
    assert_int_equal(lab_refresh(l), VERIFIER_DONE);
    asked(l, FIRST "1.tills.json 1.shops.json ");
    assert_int_equal(verifier_target_count(l->v), 1);
    assert_string_equal(verifier_target(l->v, 0)->name, LAB_TARGET);
    assert_string_equal(verifier_target(l->v, 0)->role, "tills");
    assert_non_null(strstr(verifier_target(l->v, 0)->url_path, ".october.json"));
    assert_int_equal(verifier_timestamp_version(l->v), 1);
    assert_int_equal(verifier_expires(l->v), LAB_NOW + 86400);
    assert_null(verifier_target(l->v, 1));
    assert_int_equal(lab_refresh(l), VERIFIER_UNCHANGED);
    asked(l, "2.root.json timestamp.json ");
    assert_int_equal(verifier_target_count(l->v), 1);
    lab_serve(l, "tills");
    lab_serve(l, "snapshot");
    lab_serve(l, "timestamp");
    assert_int_equal(lab_refresh(l), VERIFIER_DONE);
    asked(l, "2.root.json timestamp.json 2.snapshot.json 2.tills.json ");
    lab_serve(l, "root");
    assert_int_equal(lab_refresh(l), VERIFIER_UNCHANGED);
    asked(l, "2.root.json 3.root.json timestamp.json ");
    lab_free(l);
}

static void test_order_general(void **state)
{
    struct lab *l = lab_new(PROFILE_GENERAL);

    (void)state;
    assert_int_equal(lab_refresh(l), VERIFIER_DONE);
    asked(l, FIRST);
    assert_true(lab_find(l, LAB_TARGET));
    asked(l, FIRST "1.tills.json ");
    assert_true(lab_find(l, LAB_TARGET));
    assert_false(lab_find(l, "policy/tills/nothing.json"));
    assert_int_equal(l->e.code, ERR_NOT_FOUND);
    asked(l, FIRST "1.tills.json ");
    assert_false(lab_find(l, "policy/shops/nothing.json"));
    asked(l, FIRST "1.tills.json 1.shops.json ");
    lab_free(l);
}

/* Nothing is ever asked for when the trusted root is not there or not good. */
static void test_no_root(void **state)
{
    struct lab *l = lab_new(PROFILE_FERRY);

    (void)state;
    box_end(&l->stored);
    assert_int_equal(lab_refresh(l), VERIFIER_FAILED);
    assert_int_equal(l->e.code, ERR_NOT_FOUND);
    asked(l, "");
    lab_free(l);
}

/* 404 for what was announced: try again later; what was stored before stays. */
static void test_absent(void **state)
{
    struct lab *l = lab_new(PROFILE_FERRY);

    (void)state;
    box_drop(&l->served, "1.targets.json");
    assert_int_equal(lab_refresh(l), VERIFIER_FAILED);
    assert_int_equal(l->e.code, ERR_AGAIN);
    assert_int_equal(lab_stored_version(l, "snapshot"), 1);
    assert_int_equal(lab_stored_version(l, "targets"), 0);
    box_drop(&l->served, "timestamp.json");
    assert_int_equal(lab_refresh(l), VERIFIER_FAILED);
    assert_int_equal(l->e.code, ERR_AGAIN);
    lab_free(l);
}

/* The disk is full at the k-th role: those before are new, the others what they were, and the next refresh goes on from there. */
static void test_each_stored(void **state)
{
    static const char *const order[] = {"root", "timestamp", "snapshot", "targets", "tills", "shops"};

    (void)state;
    for (int k = 0; k <= 6; k++) {
        struct lab *l = lab_new(PROFILE_FERRY);

        assert_true(lab_take(l));
        lab_serve(l, "root");
        lab_publish(l);
        l->puts_left = k;
        assert_int_equal(lab_refresh(l), k < 6 ? VERIFIER_FAILED : VERIFIER_DONE);
        if (k < 6)
            assert_int_equal(l->e.code, ERR_FULL);
        for (int i = 0; i < 6; i++)
            assert_int_equal(lab_stored_version(l, order[i]), i < k ? 2 : 1);
        l->puts_left = -1;
        assert_true(lab_take(l));
        for (int i = 0; i < 6; i++)
            assert_int_equal(lab_stored_version(l, order[i]), 2);
        lab_free(l);
    }
}

/* 5.3.11: with new keys for either, both are gone in the transaction that stores the root; with none, neither. */
static void test_dropped(void **state)
{
    static const char *const roles[] = {"timestamp", "snapshot", "targets", "root"};

    (void)state;
    for (size_t i = 0; i < COUNT(roles); i++) {
        struct lab *l = lab_new(PROFILE_FERRY);
        bool        drops = i < 2;

        assert_true(lab_take(l));
        lab_let(l, roles[i], i < 3 ? "N" : "ABN", i < 3 ? 1 : 2);
        lab_serve(l, "root");
        box_drop(&l->served, "timestamp.json");
        assert_int_equal(lab_refresh(l), VERIFIER_FAILED);
        assert_int_equal(lab_stored_version(l, "root"), 2);
        assert_int_equal(lab_stored_version(l, "timestamp"), drops ? 0 : 1);
        assert_int_equal(lab_stored_version(l, "snapshot"), drops ? 0 : 1);
        assert_int_equal(lab_stored_version(l, "targets"), 1);
        lab_free(l);
    }
}

static void test_recall(void **state)
{
    struct lab           *l = lab_new(PROFILE_FERRY);
    struct verifier_store store = {l, lab_get, lab_put};

    (void)state;
    assert_true(lab_take(l));
    verifier_free(l->v);
    l->now += 300 * 86400;                      /* all has expired: the policy stays in force */
    assert_int_equal(verifier_new(PROFILE_FERRY, &store, l->now, &l->v, &l->e), OK);
    assert_int_equal(verifier_recall(l->v, &l->e), OK);
    assert_non_null(lab_listed(l, LAB_TARGET));
    assert_int_equal(verifier_timestamp_version(l->v), 1);
    verifier_free(l->v);
    box_put(&l->stored, "tills", "{}", 2);      /* one role lost: the others are there */
    assert_int_equal(verifier_new(PROFILE_FERRY, &store, l->now, &l->v, &l->e), OK);
    assert_int_equal(verifier_recall(l->v, &l->e), OK);
    assert_null(lab_listed(l, LAB_TARGET));
    verifier_free(l->v);
    box_put(&l->stored, "targets", "{}", 2);
    assert_int_equal(verifier_new(PROFILE_FERRY, &store, l->now, &l->v, &l->e), OK);
    assert_int_not_equal(verifier_recall(l->v, &l->e), OK);
    lab_free(l);
}

/* The same version with other contents: the one we had counts. */
static void test_same_timestamp(void **state)
{
    struct lab *l = lab_new(PROFILE_GENERAL);

    (void)state;
    assert_true(lab_take(l));
    json_object_set_new(lab_body(l, "timestamp"), "version", json_integer(0));
    l->edit_role = "timestamp";
    l->edit_path = "meta>snapshot.json>version";
    l->edit_value = "100";
    lab_serve(l, "timestamp");
    assert_int_equal(lab_refresh(l), VERIFIER_UNCHANGED);
    asked(l, "2.root.json timestamp.json ");
    assert_null(strstr(l->stored.items[box_find(&l->stored, "timestamp")].bytes, "\"version\": 100"));
    lab_free(l);
}

/* What has expired once is told apart, by its version, and does not become good again; its successor is. */
static void test_stale(void **state)
{
    struct lab *l = lab_new(PROFILE_FERRY);
    int64_t     version = -1, now = l->now, last;

    (void)state;
    assert_true(lab_take(l));
    last = verifier_timestamp_version(l->v);
    assert_false(verifier_expired(l->v, &version));
    l->now = verifier_expires(l->v);
    assert_int_equal(lab_refresh(l), VERIFIER_FAILED);
    assert_true(verifier_expired(l->v, &version));
    assert_int_equal(version, last);
    l->now = now;
    l->stale = version;
    assert_int_equal(lab_refresh(l), VERIFIER_FAILED);
    assert_non_null(strstr(l->e.text, "timestamp has expired"));
    assert_true(verifier_expired(l->v, &version));
    l->stale = last - 1;
    assert_int_equal(lab_refresh(l), VERIFIER_UNCHANGED);
    l->stale = last;
    lab_serve(l, "timestamp");
    assert_int_equal(lab_refresh(l), VERIFIER_DONE);
    l->now = now + 4000LL * 86400;              /* the root: no timestamp was looked at */
    assert_int_equal(lab_refresh(l), VERIFIER_FAILED);
    assert_true(verifier_expired(l->v, &version));
    assert_int_equal(version, 0);
    l->now = now;
    l->stale = 0;
    assert_int_equal(lab_refresh(l), VERIFIER_UNCHANGED);
    lab_free(l);
}

/* Refused for another reason: it is not expiry that is told. */
static void test_not_expired(void **state)
{
    struct lab *l = lab_new(PROFILE_FERRY);
    int64_t     version;

    (void)state;
    assert_true(lab_take(l));
    json_object_set_new(l->signers, "timestamp", json_string(""));
    lab_serve(l, "timestamp");
    assert_int_equal(lab_refresh(l), VERIFIER_FAILED);
    assert_false(verifier_expired(l->v, &version));
    lab_free(l);
}

/* --- delegations: "targets>a* a>b- b>a!": who delegates to whom; * everything, - only *.py, ! everything and terminating --- */

static struct lab *graph_lab(const char *edges)
{
    struct lab *l = lab_new(PROFILE_GENERAL);
    char        from[80], to[80], last[2];
    int         used = 0;

    json_object_del(l->bodies, "tills");
    json_object_del(l->bodies, "shops");
    json_object_clear(json_object_get(lab_body(l, "snapshot"), "meta"));
    json_object_del(lab_body(l, "targets"), "delegations");
    for (; sscanf(edges, " %79[^>]>%79[a-z0-9]%1[*!-]%n", from, to, last, &used) == 3; edges += used) {
        if (!json_object_get(l->bodies, to))
            lab_role(l, to, "L");
        lab_delegate(l, from, to, "L", *last == '-' ? "*.py" : "*", *last == '!');
    }
    assert_string_equal(edges, "");
    lab_publish(l);
    return l;
}

static void test_graphs(void **state)
{
    static const struct {
        const char *edges, *order;              /* what is looked into for a target nobody has */
    } graphs[] = {
        {"targets>a*", "a"},
        {"targets>a* targets>b*", "ab"},
        {"targets>a* targets>b* a>c* a>d*", "acdb"},
        {"targets>a* targets>b* a>c* c>d*", "acdb"},
        {"targets>a* targets>b* a>c! a>d*", "ac"},
        {"targets>a* targets>b* a>c! c>d*", "acd"},
        {"targets>a! targets>b*", "a"},
        {"targets>a- targets>b* a>c*", "b"},
        {"targets>a* targets>b* a>c- c>d*", "ab"},
        {"targets>a* targets>b* b>c* c>d* d>b*", "abcd"},
        {"targets>a* a>a*", "a"},
        {"targets>a* a>b* b>a* a>c*", "abc"},
        {"targets>a* targets>b* b>c* a>c*", "acb"},
        {"targets>a* targets>b* b>c* a>c-", "abc"},
        {"targets>a* targets>b* a>b! b>c*", "abc"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(graphs); i++) {
        struct lab *l = graph_lab(graphs[i].edges);
        char        looked[64] = "";
        char       *at;

        assert_int_equal(lab_refresh(l), VERIFIER_DONE);
        *l->asked = 0;
        assert_false(lab_find(l, "nobodys"));
        assert_int_equal(l->e.code, ERR_NOT_FOUND);
        for (at = l->asked; *at; at = strchr(at, ' ') + 1)
            snprintf(looked + strlen(looked), sizeof looked - strlen(looked), "%c", at[2]);
        if (strcmp(looked, graphs[i].order))
            fail_msg("%s: looked into %s, %s was expected", graphs[i].edges, looked, graphs[i].order);
        lab_free(l);
    }
}

/* A chain of roles, each naming the next: 64 are looked into, one more is not even asked for. */
static void test_long_chain(void **state)
{
    struct text edges = {0};
    struct lab *l;

    (void)state;
    text_add(&edges, "targets>r1*");
    for (int i = 1; i < 66; i++)
        text_add(&edges, " r%d>r%d*", i, i + 1);
    l = graph_lab(edges.data);
    lab_target(l, "r64", "near", "x");
    lab_target(l, "r65", "far", "x");
    lab_publish(l);
    assert_int_equal(lab_refresh(l), VERIFIER_DONE);
    assert_true(lab_find(l, "near"));
    assert_false(lab_find(l, "far"));
    assert_int_equal(l->e.code, ERR_VERIFY);
    assert_non_null(strstr(l->asked, ".r64.json"));
    assert_null(strstr(l->asked, ".r65.json"));
    text_end(&edges);
    lab_free(l);
}

/* Two delegators, each with a key of its own for the same role. */
static void test_two_delegators(void **state)
{
    static const struct {
        const char *signers, *found;
    } cases[] = {{"L", "1"}, {"N", "2"}, {"LN", "12"}, {"O", ""}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int both = 0; both < 2; both++) {
            struct lab *l = graph_lab("targets>a* targets>b*");

            lab_role(l, "c", cases[i].signers);
            lab_delegate(l, "a", "c", "L", "1", false);
            lab_delegate(l, "b", "c", "N", "2", false);
            lab_target(l, "c", "1", "x");
            lab_target(l, "c", "2", "x");
            lab_publish(l);
            assert_int_equal(lab_refresh(l), VERIFIER_DONE);
            if (both)                           /* the other one has brought it already */
                assert_int_equal(lab_find(l, "1"), strchr(cases[i].found, '1') != NULL);
            assert_int_equal(lab_find(l, "2"), strchr(cases[i].found, '2') && (!both || strchr(cases[i].found, '1')));
            lab_free(l);
        }
}

/* Where it lies on the server. */
static void test_paths(void **state)
{
    static const struct {
        const char *name, *consistent, *plain;
    } cases[] = {
        {"x", "HASH.x", "x"},
        {"dir/sub/x.tar", "dir/sub/HASH.x.tar", "dir/sub/x.tar"},
        {"a b/c?#%", "a%20b/HASH.c%3F%23%25", "a%20b/c%3F%23%25"},
        {"../x", "../HASH.x", "../x"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int consistent = 0; consistent < 2; consistent++) {
            struct lab           *l = graph_lab("targets>a*");
            struct sha256         h = hash_bytes("bytes", 5);
            char                  hex[SHA256_HEX], *hole = strstr(cases[i].consistent, "HASH");
            AUTO(text_free) char *path = NULL, *wanted = NULL;
            uint64_t              length = 0;

            l->consistent = consistent;
            lab_set(lab_body(l, "root"), "consistent_snapshot", consistent ? "true" : "false");
            lab_target(l, "targets", cases[i].name, "bytes");
            lab_serve(l, "root");
            lab_publish(l);
            assert_int_equal(lab_refresh(l), VERIFIER_DONE);
            verifier_find(l->v, cases[i].name);
            assert_int_equal(lab_walk(l), VERIFIER_DONE);
            assert_int_equal(verifier_found(l->v, &path, &length, &l->e), OK);
            assert_int_equal(length, 5);
            wanted = consistent ? must_print("%.*s%s%s", (int)(hole - cases[i].consistent), cases[i].consistent, sha256_hex(&h, hex), hole + 4)
                                : must_copy(cases[i].plain);
            assert_string_equal(path, wanted);
            assert_int_equal(verifier_check_found(l->v, "bytes", 5, &l->e), OK);
            assert_int_equal(verifier_check_found(l->v, "bytez", 5, &l->e), ERR_VERIFY);
            assert_int_equal(verifier_check_found(l->v, "byte", 4, &l->e), ERR_VERIFY);
            lab_free(l);
        }
}

/* Names of roles become names of files: never paths. */
static void test_role_names(void **state)
{
    static const char *const names[][2] = {{"../r", "1...%2Fr.json "}, {"?", "1.%3F.json "}, {"/r", "1.%2Fr.json "}, {"\303\251", "1.%C3%A9.json "}};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct lab *l = graph_lab("targets>a-");

        lab_role(l, names[i][0], "N");
        lab_delegate(l, "targets", names[i][0], "N", "*", false);
        lab_publish(l);
        assert_int_equal(lab_refresh(l), VERIFIER_DONE);
        *l->asked = 0;
        assert_false(lab_find(l, "nobodys"));
        assert_string_equal(l->asked, names[i][1]);
        lab_free(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),        cmocka_unit_test(test_order_general), cmocka_unit_test(test_no_root),
        cmocka_unit_test(test_absent),       cmocka_unit_test(test_each_stored),   cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_recall),       cmocka_unit_test(test_same_timestamp), cmocka_unit_test(test_graphs),
        cmocka_unit_test(test_long_chain),   cmocka_unit_test(test_two_delegators), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_role_names),   cmocka_unit_test(test_stale),         cmocka_unit_test(test_not_expired),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
