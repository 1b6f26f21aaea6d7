#include "policy/trust/key.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/trust/canonical.h"

/* PKCS#8 of an ed25519 key (RFC 8410): this prefix and the 32 bytes of the seed. */
static const uint8_t prefix[16] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
#define PEM_BEGIN "-----BEGIN PRIVATE KEY-----\n"
#define PEM_END   "\n-----END PRIVATE KEY-----\n"

static void from_seed(struct key *k)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];

    crypto_sign_seed_keypair(k->public, secret, k->seed);
    sodium_memzero(secret, sizeof secret);
}

enum err key_generate(struct key *k)
{
    if (sodium_init() < 0)
        return ERR_FAILED;
    randombytes_buf(k->seed, sizeof k->seed);
    from_seed(k);
    return OK;
}

void key_end(struct key *k)
{
    sodium_memzero(k, sizeof *k);
}

enum err key_save(const char *path, const struct key *k, struct error *e)
{
    uint8_t  der[48];
    char    *base64, text[200];
    int      n;
    enum err code;

    if (file_exists(path))
        return fail(e, ERR_EXISTS, "%s: a key is there already", path);
    memcpy(der, prefix, sizeof prefix);
    memcpy(der + 16, k->seed, 32);
    base64 = base64_encode(der, sizeof der);
    n = snprintf(text, sizeof text, PEM_BEGIN "%s" PEM_END, base64);
    code = file_write(path, text, (size_t)n, 0600, e);
    sodium_memzero(der, sizeof der);
    sodium_memzero(text, sizeof text);
    sodium_memzero(base64, strlen(base64));
    free(base64);
    return code;
}

enum err key_load(const char *path, struct key *k, struct error *e)
{
    struct stat st;
    char       *text = NULL, *end;
    size_t      length, size = 0;
    uint8_t    *der = NULL;
    enum err    code;

    if (stat(path, &st))
        return fail_errno(e, "%s", path);
    if (st.st_mode & 077)
        return fail(e, ERR_DENIED, "%s: others may read this private key (mode %o); chmod 600 it", path, (unsigned)(st.st_mode & 0777));
    code = file_read(path, 4096, &text, &length, e);
    if (code)
        return code;
    end = strstr(text, PEM_END);
    if (!strncmp(text, PEM_BEGIN, strlen(PEM_BEGIN)) && end) {
        *end = 0;
        der = base64_decode(text + strlen(PEM_BEGIN), 64, &size);
    }
    if (!der || size != 48 || memcmp(der, prefix, sizeof prefix)) {
        code = fail(e, ERR_VERIFY, "%s: not an ed25519 private key in PEM (PKCS#8)", path);
    } else {
        memcpy(k->seed, der + 16, 32);
        if (sodium_init() < 0)
            code = fail(e, ERR_FAILED, "libsodium cannot start");
        from_seed(k);
        sodium_memzero(der, size);
    }
    sodium_memzero(text, length);
    free(der);
    free(text);
    return code;
}

void key_sign(const struct key *k, const void *bytes, size_t size, uint8_t out[KEY_SIGNATURE])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];

    memcpy(secret, k->seed, 32);
    memcpy(secret + 32, k->public, 32);
    crypto_sign_detached(out, NULL, bytes, size, secret);
    sodium_memzero(secret, sizeof secret);
}

bool key_verify(const uint8_t public[32], const void *bytes, size_t size, const uint8_t signature[KEY_SIGNATURE])
{
    return crypto_sign_verify_detached(signature, bytes, size, public) == 0;
}

json_t *key_to_json(const uint8_t public[32])
{
    char hex[65];

    hex_encode(public, 32, hex);
    return json_pack("{s:s,s:s,s:{s:s}}", "keytype", "ed25519", "scheme", "ed25519", "keyval", "public", hex);
}

void key_id(const uint8_t public[32], char out[SHA256_HEX])
{
    json_t       *json = key_to_json(public);
    char         *text = NULL;
    size_t        length = 0;
    struct sha256 h;

    canonical_print(json, &text, &length, NULL);
    h = hash_bytes(text, length);
    sha256_hex(&h, out);
    free(text);
    json_decref(json);
}

void key_node_id(const uint8_t public[32], char out[NODE_ID_SIZE])
{
    struct sha256 h = hash_bytes(public, 32);

    out[0] = 'n';
    hex_encode(h.b, 12, out + 1);
}
