/* Who may sign, and whether they did. */
#include "policy/trust/digest.h"
#include "tests/unit/trust_lab.h"

/* keys and a role out of letters; then a file signed by others. */
static enum err verified(struct lab *l, enum profile p, const char *letters, int threshold, const char *signers)
{
    json_t       *keys = json_object();
    json_t       *role = json_pack("{s:o,s:i}", "keyids", lab_keyids(l, keys, letters), "threshold", threshold);
    struct signer s;
    struct role   r = {0};
    size_t        length;
    char         *bytes = lab_sign(l, lab_body(l, "timestamp"), signers, &length);
    enum err      code = signer_read(p, keys, role, "timestamp", &s, &l->e);

    code = code ? code : role_read(bytes, length, 64 << 10, "timestamp", &r, &l->e);
    code = code ? code : role_verify(&r, &s, "timestamp", &l->e);
    role_end(&r);
    free(bytes);
    json_decref(role);
    json_decref(keys);
    return code;
}

static void test_quorum(void **state)
{
    static const struct {
        const char *letters;
        int         threshold;
        const char *signers;
        bool        good;
    } cases[] = {
        {"A", 1, "A", true},      {"A", 1, "", false},      {"A", 1, "B", false},      {"ABC", 2, "AB", true},  {"ABC", 2, "CB", true},
        {"ABC", 2, "A", false},   {"ABC", 2, "AA", false},  {"ABC", 2, "AAAA", false}, {"ABC", 2, "ANO", false}, {"ABC", 3, "CBA", true},
        {"ABC", 2, "NATB", true}, {"ABC", 1, "NOTC", true}, {"AB", 2, "AABB", true},
    };
    struct lab *l = lab_new(PROFILE_FERRY);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int p = 0; p < 2; p++)
            assert_int_equal(verified(l, (enum profile)p, cases[i].letters, cases[i].threshold, cases[i].signers),
                             cases[i].good ? OK : ERR_VERIFY);
    assert_int_equal(verified(l, PROFILE_FERRY, "A", 0, "A"), ERR_VERIFY);
    assert_int_equal(verified(l, PROFILE_FERRY, "A", -1, "A"), ERR_VERIFY);
    assert_int_equal(verified(l, PROFILE_FERRY, "AB", 3, "AB"), ERR_VERIFY);
    lab_free(l);
}

/* More signatures than are looked at are refused before any is. */
static void test_many_signatures(void **state)
{
    struct lab *l = lab_new(PROFILE_FERRY);
    char        many[67];

    (void)state;
    memset(many, 'N', 63);
    strcpy(many + 63, "A");
    assert_int_equal(verified(l, PROFILE_FERRY, "A", 1, many), OK);
    strcpy(many + 63, "AA");
    assert_int_equal(verified(l, PROFILE_FERRY, "A", 1, many), ERR_VERIFY);
    lab_free(l);
}

static void test_names(void **state)
{
    static const struct {
        const char *name;
        bool        ferry, general;
    } cases[] = {
        {"tills", true, true},     {"a", true, true},          {"a-1", true, true},       {"", false, false},       {"root", false, false},
        {"timestamp", false, false}, {"snapshot", false, false}, {"targets", false, false}, {"Tills", false, true},   {"a.b", false, true},
        {"../a", false, true},     {"a/b", false, true},       {"a b", false, true},
        {"1234567890123456789012345678901234567890123456789012345678901234", true, true},
        {"12345678901234567890123456789012345678901234567890123456789012345", false, true},
        {"123456789012345678901234567890123456789012345678901234567890123456789012345678901", false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(role_name_ok(cases[i].name), cases[i].ferry);
        assert_int_equal(role_name_fits(PROFILE_FERRY, cases[i].name), cases[i].ferry);
        assert_int_equal(role_name_fits(PROFILE_GENERAL, cases[i].name), cases[i].general);
    }
}

static void test_files(void **state)
{
    char file[ROLE_FILE];

    (void)state;
    role_file("tills", 12, file);
    assert_string_equal(file, "12.tills.json");
    role_file("timestamp", 0, file);
    assert_string_equal(file, "timestamp.json");
    role_file("../a b?\xff", 1, file);
    assert_string_equal(file, "1...%2Fa%20b%3F%FF.json");
    role_file("////////////////////////////////////////////////////////////////////////////////", INT64_MAX - 1, file);
    assert_int_equal(strlen(file), 19 + 1 + 240 + 5);
}

static void test_digests(void **state)
{
    static const struct {
        const char *hashes;
        bool        matches, names;
    } cases[] = {
        {"{'sha256':'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'}", true, true},
        {"{'sha256':'aa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'}", false, true},
        {"{'sha256':'ba78'}", false, true},
        {"{'sha512':'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f'}", true, true},
        {"{'sha256':'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad','sha512':'00'}", false, true},
        {"{'sha256':'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad','md5':'00'}", true, true},
        {"{'md5':'900150983cd24fb0d6963f7d28e17f72'}", false, false},
        {"{'sha256':'../x'}", false, false},
        {"{'sha256':7}", false, false},
        {"{}", false, false},
        {"[]", false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *hashes = lab_json(cases[i].hashes);
        assert_int_equal(digest_matches(hashes, "abc", 3), cases[i].matches);
        assert_int_equal(digest_name(hashes) != NULL, cases[i].names);
        json_decref(hashes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quorum), cmocka_unit_test(test_many_signatures), cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_files), cmocka_unit_test(test_digests)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
