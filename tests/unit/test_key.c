/* Private keys on disk, and what is made of them. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/trust_lab.h"

/* RFC 8032, 7.1, test 2. */
#define SEED      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
#define PUBLIC    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define SIGNATURE "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"

#define KEY_ID    "eaf1e23f6c823132f437a2eaa299a7950f7386631deff273db195bbd26209e2b"

static char dir[] = "/tmp/ferry-key-XXXXXX";

static char *path_of(const char *name)
{
    static char path[200];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void test_saved(void **state)
{
    struct key   k, again;
    struct error e;
    struct stat  st;

    (void)state;
    assert_int_equal(key_generate(&k), OK);
    assert_int_equal(key_save(path_of("a"), &k, &e), OK);
    assert_int_equal(stat(path_of("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(key_load(path_of("a"), &again, &e), OK);
    assert_memory_equal(&k, &again, sizeof k);
    assert_int_equal(key_save(path_of("a"), &k, &e), ERR_EXISTS);
    assert_int_equal(chmod(path_of("a"), 0640), 0);
    assert_int_equal(key_load(path_of("a"), &again, &e), ERR_DENIED);
    assert_int_equal(key_load(path_of("none"), &again, &e), ERR_NOT_FOUND);
    key_end(&k);
    for (size_t i = 0; i < sizeof k; i++)
        assert_int_equal(((uint8_t *)&k)[i], 0);
}

static void test_not_a_key(void **state)
{
    static const char *const texts[] = {
        "", "x", "-----BEGIN PRIVATE KEY-----\n\n-----END PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n-----END PUBLIC KEY-----\n",
    };
    struct key   k;
    struct error e;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(file_write(path_of("b"), texts[i], strlen(texts[i]), 0600, &e), OK);
        assert_int_equal(key_load(path_of("b"), &k, &e), ERR_VERIFY);
    }
}

static void test_signs(void **state)
{
    struct key k;
    uint8_t    signature[KEY_SIGNATURE];
    char       hex[2 * KEY_SIGNATURE + 1], id[SHA256_HEX], node[NODE_ID_SIZE];
    json_t    *json;

    (void)state;
    assert_true(hex_decode(SEED, k.seed, 32) && hex_decode(PUBLIC, k.public, 32));
    key_sign(&k, "\x72", 1, signature);
    hex_encode(signature, sizeof signature, hex);
    assert_string_equal(hex, SIGNATURE);
    assert_true(key_verify(k.public, "\x72", 1, signature));
    assert_false(key_verify(k.public, "\x73", 1, signature));
    signature[0] ^= 1;
    assert_false(key_verify(k.public, "\x72", 1, signature));
    json = key_to_json(k.public);
    assert_string_equal(json_string_value(json_object_get(json, "keytype")), "ed25519");
    json_decref(json);
    key_id(k.public, id);                       /* {"keytype":"ed25519","keyval":{"public":"3d40…"},"scheme":"ed25519"}, sha256sum's answer */
    assert_string_equal(id, KEY_ID);
    key_node_id(k.public, node);
    assert_int_equal(strlen(node), 25);
    assert_int_equal(node[0], 'n');
}

static int open_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int close_dir(void **state)
{
    (void)state;
    return file_remove(dir, NULL) == OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_saved), cmocka_unit_test(test_not_a_key), cmocka_unit_test(test_signs)};

    return cmocka_run_group_tests(tests, open_dir, close_dir);
}
