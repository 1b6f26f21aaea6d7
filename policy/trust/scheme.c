#include "policy/trust/scheme.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/trust/key.h"

#define PEM_MOST       4096u
#define RSA_LEAST      2048                     /* bits; NIST SP 800-131A */
#define RSA_MOST       8192                     /* verification time grows with the square */
#define SIGNATURE_MOST (RSA_MOST / 8)

enum padding { NONE, PKCS1, PSS };

struct scheme {
    const char  *type, *name;
    int          kind;                          /* EVP_PKEY_… */
    enum padding padding;
    bool         ferry;                         /* in Ferry's own profile */
};
static const struct scheme schemes[] = {
    {"ed25519", "ed25519", EVP_PKEY_ED25519, NONE, true},
    {"ecdsa", "ecdsa-sha2-nistp256", EVP_PKEY_EC, NONE, false},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", EVP_PKEY_EC, NONE, false},
    {"rsa", "rsassa-pss-sha256", EVP_PKEY_RSA, PSS, false},
    {"rsa", "rsa-pkcs1v15-sha256", EVP_PKEY_RSA, PKCS1, false},
};

/* SubjectPublicKeyInfo of a P-256 key: this and the 65 bytes of the uncompressed point (RFC 5480). */
static const uint8_t p256_prefix[26] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                        0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
#define P256_POINT 65

static void pkey_end(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static EVP_PKEY *from_point(const char *hex)
{
    uint8_t        der[sizeof p256_prefix + P256_POINT];
    const uint8_t *at = der;

    memcpy(der, p256_prefix, sizeof p256_prefix);
    return hex_decode(hex, der + sizeof p256_prefix, P256_POINT) ? d2i_PUBKEY(NULL, &at, sizeof der) : NULL;
}

static EVP_PKEY *from_pem(const char *pem)
{
    size_t    length = strlen(pem);
    BIO      *bio = length <= PEM_MOST ? BIO_new_mem_buf(pem, (int)length) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return key;
}

static bool is_p256(const EVP_PKEY *key)
{
    char   group[32] = "";
    size_t length = 0;

    return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &length) && !strcmp(group, "prime256v1");
}

/* The key inside; NULL when it is not one of this scheme. Caller frees. */
static EVP_PKEY *decode(const struct scheme *s, const json_t *json)
{
    const char *text = json_string_value(json_object_get(json_object_get(json, "keyval"), "public"));
    EVP_PKEY   *key = !text ? NULL : s->kind == EVP_PKEY_EC && strlen(text) == 2 * P256_POINT ? from_point(text) : from_pem(text);
    bool        good = key && EVP_PKEY_get_base_id(key) == s->kind;

    if (good && s->kind == EVP_PKEY_EC)
        good = is_p256(key);
    if (good && s->kind == EVP_PKEY_RSA)
        good = EVP_PKEY_get_bits(key) >= RSA_LEAST && EVP_PKEY_get_bits(key) <= RSA_MOST;
    if (good)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

static const struct scheme *scheme_of(enum profile p, const json_t *key)
{
    const char *type = json_string_value(json_object_get(key, "keytype")), *name = json_string_value(json_object_get(key, "scheme"));

    for (size_t i = 0; type && name && i < COUNT(schemes); i++)
        if (!strcmp(schemes[i].type, type) && !strcmp(schemes[i].name, name))
            return schemes[i].ferry || !strict(p) ? &schemes[i] : NULL;
    return NULL;
}

static bool ed25519_read(const json_t *json, struct sha256 *out)
{
    const char *hex = json_string_value(json_object_get(json_object_get(json, "keyval"), "public"));

    return hex && hex_decode(hex, out->b, sizeof out->b);
}

enum public_verdict public_read(enum profile p, const json_t *json, struct public_key *out)
{
    AUTO(pkey_end) EVP_PKEY *key = NULL;
    unsigned char           *der = NULL;
    int                      length;

    *out = (struct public_key){.scheme = scheme_of(p, json), .json = json};
    if (!out->scheme)
        return PUBLIC_UNKNOWN;
    if (out->scheme->kind == EVP_PKEY_ED25519)
        return ed25519_read(json, &out->print) ? PUBLIC_GOOD : PUBLIC_BROKEN;
    key = decode(out->scheme, json);
    length = key ? i2d_PUBKEY(key, &der) : 0;
    if (length <= 0)
        return PUBLIC_BROKEN;
    out->print = hash_bytes(der, (size_t)length);
    OPENSSL_free(der);
    return PUBLIC_GOOD;
}

static bool verify_with(const struct scheme *s, EVP_PKEY *key, const void *bytes, size_t size, const uint8_t *signature, size_t length)
{
    EVP_MD_CTX   *digest = EVP_MD_CTX_new();
    EVP_PKEY_CTX *settings = NULL;
    bool          good = digest && EVP_DigestVerifyInit(digest, &settings, EVP_sha256(), NULL, key) == 1;

    if (good && s->padding == PSS)              /* salts of 32 bytes and of the most that fits are both in use */
        good = EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_AUTO) == 1;
    good = good && EVP_DigestVerify(digest, signature, length, bytes, size) == 1;
    EVP_MD_CTX_free(digest);
    return good;
}

bool public_verify(const struct public_key *k, const void *bytes, size_t size, const char *hex)
{
    size_t                   length = strlen(hex) / 2;
    uint8_t                  signature[SIGNATURE_MOST];
    AUTO(pkey_end) EVP_PKEY *key = NULL;

    if (!length || length > sizeof signature || !hex_decode(hex, signature, length))
        return false;
    if (k->scheme->kind == EVP_PKEY_ED25519)
        return length == KEY_SIGNATURE && key_verify(k->print.b, bytes, size, signature);
    key = decode(k->scheme, k->json);
    return key && verify_with(k->scheme, key, bytes, size, signature, length);
}
