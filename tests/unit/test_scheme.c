/* Other people's keys: which are taken, and that a signature counts under its own key, bytes and scheme only. Signed here by libcrypto. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "policy/trust/scheme.h"
#include "tests/unit/trust_lab.h"

enum kind { P256, P384, RSA1024, RSA2048, PSS2048 };

/* A key that says of itself that it is for PSS: another type than "rsa" means. */
static EVP_PKEY *make_pss(void)
{
    EVP_PKEY_CTX *settings = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA_PSS, NULL);
    EVP_PKEY     *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(settings), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(settings, 2048), 1);
    assert_int_equal(EVP_PKEY_keygen(settings, &key), 1);
    EVP_PKEY_CTX_free(settings);
    return key;
}

static EVP_PKEY *generate(enum kind kind)
{
    switch (kind) {
    case P256:    return EVP_EC_gen("P-256");
    case P384:    return EVP_EC_gen("P-384");
    case RSA1024: return EVP_RSA_gen(1024);
    case RSA2048: return EVP_RSA_gen(2048);
    case PSS2048: return make_pss();
    }
    return NULL;
}

/* Two of each kind at most, each made once: RSA takes its time. Caller frees. */
static EVP_PKEY *make(enum kind kind, int which)
{
    static EVP_PKEY *made[PSS2048 + 1][2];

    if (!made[kind][which])
        made[kind][which] = generate(kind);
    assert_non_null(made[kind][which]);
    EVP_PKEY_up_ref(made[kind][which]);
    return made[kind][which];
}

static json_t *json_of(EVP_PKEY *key, const char *type, const char *scheme)
{
    BIO    *bio = BIO_new(BIO_s_mem());
    char   *pem;
    long    length;
    json_t *json;

    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
    length = BIO_get_mem_data(bio, &pem);
    json = json_pack("{s:s,s:s,s:{s:s%}}", "keytype", type, "scheme", scheme, "keyval", "public", pem, (size_t)length);
    BIO_free(bio);
    return json;
}

/* The signature in hexadecimal; salt as EVP_PKEY_CTX_set_rsa_pss_saltlen takes it, 0: PKCS #1. */
static char *sign(EVP_PKEY *key, const char *bytes, int salt)
{
    EVP_MD_CTX   *digest = EVP_MD_CTX_new();
    EVP_PKEY_CTX *settings = NULL;
    unsigned char raw[1024];
    size_t        length = sizeof raw;
    char         *hex = must_alloc(2 * sizeof raw + 1);

    assert_int_equal(EVP_DigestSignInit(digest, &settings, EVP_sha256(), NULL, key), 1);
    if (salt) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, salt), 1);
    }
    assert_int_equal(EVP_DigestSign(digest, raw, &length, (const unsigned char *)bytes, strlen(bytes)), 1);
    hex_encode(raw, length, hex);
    EVP_MD_CTX_free(digest);
    return hex;
}

static void test_which(void **state)
{
    static const struct {
        enum kind           kind;
        const char         *type, *scheme;
        enum public_verdict general;
    } cases[] = {
        {P256, "ecdsa", "ecdsa-sha2-nistp256", PUBLIC_GOOD},
        {P256, "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", PUBLIC_GOOD},
        {P384, "ecdsa", "ecdsa-sha2-nistp256", PUBLIC_BROKEN},
        {P384, "ecdsa", "ecdsa-sha2-nistp384", PUBLIC_UNKNOWN},
        {RSA2048, "rsa", "rsassa-pss-sha256", PUBLIC_GOOD},
        {RSA2048, "rsa", "rsa-pkcs1v15-sha256", PUBLIC_GOOD},
        {RSA2048, "rsa", "rsassa-pss-md5", PUBLIC_UNKNOWN},
        {RSA2048, "ecdsa", "ecdsa-sha2-nistp256", PUBLIC_BROKEN},
        {RSA1024, "rsa", "rsassa-pss-sha256", PUBLIC_BROKEN},
        {P256, "rsa", "rsassa-pss-sha256", PUBLIC_BROKEN},
        {PSS2048, "rsa", "rsassa-pss-sha256", PUBLIC_BROKEN},
        {P256, "ed25519", "ed25519", PUBLIC_BROKEN},
        {P256, "sphincs", "sphincs", PUBLIC_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        EVP_PKEY         *key = make(cases[i].kind, 0);
        json_t           *json = json_of(key, cases[i].type, cases[i].scheme);
        struct public_key k;

        assert_int_equal(public_read(PROFILE_GENERAL, json, &k), cases[i].general);
        assert_int_equal(public_read(PROFILE_FERRY, json, &k), strcmp(cases[i].type, "ed25519") ? PUBLIC_UNKNOWN : PUBLIC_BROKEN);
        json_decref(json);
        EVP_PKEY_free(key);
    }
}

static void test_signatures(void **state)
{
    static const struct {
        enum kind   kind;
        const char *type, *scheme;
        int         salt;
        bool        good;
    } cases[] = {
        {P256, "ecdsa", "ecdsa-sha2-nistp256", 0, true},
        {RSA2048, "rsa", "rsassa-pss-sha256", RSA_PSS_SALTLEN_DIGEST, true},
        {RSA2048, "rsa", "rsassa-pss-sha256", RSA_PSS_SALTLEN_MAX, true},
        {RSA2048, "rsa", "rsassa-pss-sha256", 0, false},
        {RSA2048, "rsa", "rsa-pkcs1v15-sha256", 0, true},
        {RSA2048, "rsa", "rsa-pkcs1v15-sha256", RSA_PSS_SALTLEN_DIGEST, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        EVP_PKEY         *key = make(cases[i].kind, 0), *other = make(cases[i].kind, 1);
        json_t           *json = json_of(key, cases[i].type, cases[i].scheme);
        json_t           *stranger = json_of(other, cases[i].type, cases[i].scheme);
        struct public_key k, s;
        char             *hex = sign(key, "bytes", cases[i].salt);

        assert_int_equal(public_read(PROFILE_GENERAL, json, &k), PUBLIC_GOOD);
        assert_int_equal(public_read(PROFILE_GENERAL, stranger, &s), PUBLIC_GOOD);
        assert_false(sha256_same(&k.print, &s.print));
        assert_int_equal(public_verify(&k, "bytes", 5, hex), cases[i].good);
        assert_false(public_verify(&k, "bytez", 5, hex));
        assert_false(public_verify(&k, "byte", 4, hex));
        assert_false(public_verify(&s, "bytes", 5, hex));
        assert_false(public_verify(&k, "bytes", 5, ""));
        assert_false(public_verify(&k, "bytes", 5, "zz"));
        assert_false(public_verify(&k, "bytes", 5, hex + 1));
        hex[strlen(hex) / 2] = hex[strlen(hex) / 2] == '0' ? '1' : '0';
        assert_false(public_verify(&k, "bytes", 5, hex));
        free(hex);
        json_decref(json);
        json_decref(stranger);
        EVP_PKEY_free(key);
        EVP_PKEY_free(other);
    }
}

/* The bare point that early go-tuf wrote is the same key as its PEM. */
static void test_point(void **state)
{
    EVP_PKEY         *key = make(P256, 0);
    unsigned char     point[65];
    size_t            length = 0;
    char              hex[2 * sizeof point + 1], *signature = sign(key, "bytes", 0);
    json_t           *pem = json_of(key, "ecdsa", "ecdsa-sha2-nistp256"), *bare;
    struct public_key a, b;

    (void)state;
    EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
    assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &length), 1);
    assert_int_equal(length, sizeof point);
    hex_encode(point, sizeof point, hex);
    bare = json_pack("{s:s,s:s,s:{s:s}}", "keytype", "ecdsa", "scheme", "ecdsa-sha2-nistp256", "keyval", "public", hex);
    assert_int_equal(public_read(PROFILE_GENERAL, pem, &a), PUBLIC_GOOD);
    assert_int_equal(public_read(PROFILE_GENERAL, bare, &b), PUBLIC_GOOD);
    assert_true(sha256_same(&a.print, &b.print));
    assert_true(public_verify(&b, "bytes", 5, signature));
    free(signature);
    json_decref(pem);
    json_decref(bare);
    EVP_PKEY_free(key);
}

static void test_broken(void **state)
{
    static const char *const keys[] = {
        "{'keytype':'ecdsa','scheme':'ecdsa-sha2-nistp256','keyval':{'public':'04'}}",
        "{'keytype':'ecdsa','scheme':'ecdsa-sha2-nistp256','keyval':{'public':7}}",
        "{'keytype':'ecdsa','scheme':'ecdsa-sha2-nistp256','keyval':7}",
        "{'keytype':'rsa','scheme':'rsassa-pss-sha256'}",
        "{'keytype':'rsa','scheme':'rsassa-pss-sha256','keyval':{'public':'-----BEGIN PUBLIC KEY-----'}}",
        "{'keytype':'ed25519','scheme':'ed25519','keyval':{'public':'00'}}",
    };
    struct public_key k;

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        json_t *json = lab_json(keys[i]);
        assert_int_equal(public_read(PROFILE_GENERAL, json, &k), PUBLIC_BROKEN);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_which), cmocka_unit_test(test_signatures), cmocka_unit_test(test_point),
                                       cmocka_unit_test(test_broken)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
