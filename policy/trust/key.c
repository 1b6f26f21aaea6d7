#include "policy/trust/key.h"

#include <errno.h>
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
#define DER_SIZE  (sizeof prefix + 32)
#define PEM_BEGIN "-----BEGIN PRIVATE KEY-----\n"
#define PEM_END   "\n-----END PRIVATE KEY-----\n"
#define PEM_MOST  4096

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

/* O_EXCL: whoever loses a race, or finds a key there, learns it; no key is ever written over. */
static enum err write_new(const char *path, const char *text, size_t length, struct error *e)
{
    AUTO(fd_end) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    AUTO(fd_end) int dir = -1;
    char            *slash, *parent;

    if (fd < 0 && errno == EEXIST)
        return fail(e, ERR_EXISTS, "%s: a key is there already, and no key is ever written over; move it away or name another place", path);
    if (fd < 0)
        return fail_errno(e, "key %s cannot be made", path);
    if (write(fd, text, length) != (ssize_t)length || fsync(fd)) {
        fail_errno(e, "key %s cannot be written", path);
        unlink(path);
        return e ? e->code : ERR_IO;
    }
    parent = must_copy(path);
    slash = strrchr(parent, '/');
    if (slash)
        slash[slash == parent] = 0;
    dir = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    return dir >= 0 && !fsync(dir) ? OK : fail_errno(e, "the directory of key %s cannot be synced", path);
}

char *key_to_pem(const struct key *k)
{
    uint8_t der[DER_SIZE];
    char   *base64, *text;

    memcpy(der, prefix, sizeof prefix);
    memcpy(der + sizeof prefix, k->seed, 32);
    base64 = base64_encode(der, sizeof der);
    text = must_print(PEM_BEGIN "%s" PEM_END, base64);
    sodium_memzero(der, sizeof der);
    sodium_memzero(base64, strlen(base64));
    free(base64);
    return text;
}

enum err key_save(const char *path, const struct key *k, struct error *e)
{
    char    *text = key_to_pem(k);
    enum err code = write_new(path, text, strlen(text), e);

    sodium_memzero(text, strlen(text));
    free(text);
    return code;
}

enum err key_from_pem(const char *text, struct key *k, struct error *e)
{
    const char *end = strstr(text, PEM_END);
    char        base64[65];
    size_t      size = 0, n = end ? (size_t)(end - text) : 0;
    uint8_t    *der = NULL;
    bool        good;

    if (n > strlen(PEM_BEGIN) && !strncmp(text, PEM_BEGIN, strlen(PEM_BEGIN)) && n - strlen(PEM_BEGIN) < sizeof base64) {
        snprintf(base64, sizeof base64, "%.*s", (int)(n - strlen(PEM_BEGIN)), text + strlen(PEM_BEGIN));
        der = base64_decode(base64, 64, &size);
        sodium_memzero(base64, sizeof base64);
    }
    good = der && size == DER_SIZE && !memcmp(der, prefix, sizeof prefix);
    if (good) {
        memcpy(k->seed, der + sizeof prefix, 32);
        from_seed(k);
    }
    if (der)
        sodium_memzero(der, size);
    free(der);
    return good ? OK : fail(e, ERR_VERIFY, "not an ed25519 private key in PEM (PKCS#8), which is what was expected");
}

enum err key_load(const char *path, struct key *k, struct error *e)
{
    AUTO(fd_end) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char             text[PEM_MOST + 1];
    struct stat      st;
    ssize_t          n;
    enum err         code;

    if (fd < 0 || fstat(fd, &st))
        return fail_errno(e, "key %s cannot be opened", path);
    if (st.st_mode & 077)
        return fail(e, ERR_DENIED, "key %s: others may read or change it (mode %o); chmod 600 it, and think about who has read it", path,
                    (unsigned)(st.st_mode & 0777));
    if ((n = read(fd, text, PEM_MOST)) < 0)
        return fail_errno(e, "key %s cannot be read", path);
    text[n] = 0;
    code = sodium_init() < 0 ? fail(e, ERR_FAILED, "libsodium cannot start") : key_from_pem(text, k, NULL);
    sodium_memzero(text, sizeof text);
    return code == ERR_VERIFY ? fail(e, code, "key %s: not an ed25519 private key in PEM (PKCS#8), which is what was expected", path) : code;
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
