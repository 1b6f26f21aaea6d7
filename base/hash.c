#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "base/text.h"

#define READ_BLOCK (256u << 10)

struct hash {
    EVP_MD_CTX *digest;
};

/* libcrypto fails here only without memory or without SHA-256: neither leaves Ferry anything to do. */
static void must(int ok)
{
    if (ok != 1)
        abort();
}

struct hash *hash_new(void)
{
    struct hash *h = must_alloc(sizeof *h);

    h->digest = EVP_MD_CTX_new();
    must(h->digest != NULL);
    must(EVP_DigestInit_ex(h->digest, EVP_sha256(), NULL));
    return h;
}

void hash_add(struct hash *h, const void *bytes, size_t size)
{
    if (size)
        must(EVP_DigestUpdate(h->digest, bytes, size));
}

struct sha256 hash_free(struct hash *h)
{
    struct sha256 out = {{0}};

    if (!h)
        return out;
    must(EVP_DigestFinal_ex(h->digest, out.b, NULL));
    EVP_MD_CTX_free(h->digest);
    free(h);
    return out;
}

struct sha256 hash_bytes(const void *bytes, size_t size)
{
    struct sha256 out;

    must(EVP_Digest(size ? bytes : "", size, out.b, NULL, EVP_sha256(), NULL));
    return out;
}

enum err hash_file(const char *path, struct sha256 *out, uint64_t *size, struct error *e)
{
    AUTO(fd_end) int      fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO(text_free) char *block = NULL;
    struct hash          *h;
    uint64_t              total = 0;
    ssize_t               n;

    if (fd < 0)
        return fail_errno(e, "%s cannot be opened", path);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    block = must_alloc(READ_BLOCK);
    h = hash_new();
    while ((n = read(fd, block, READ_BLOCK)) > 0 || (n < 0 && errno == EINTR)) {
        hash_add(h, block, n > 0 ? (size_t)n : 0);
        total += n > 0 ? (uint64_t)n : 0;
    }
    if (n < 0) {
        fail_errno(e, "%s cannot be read", path);
        hash_free(h);
        return e ? e->code : ERR_IO;
    }
    *out = hash_free(h);
    if (size)
        *size = total;
    return OK;
}

bool sha256_same(const struct sha256 *a, const struct sha256 *b)
{
    return !memcmp(a->b, b->b, SHA256_SIZE);
}

bool sha256_is_zero(const struct sha256 *a)
{
    static const struct sha256 zero;

    return sha256_same(a, &zero);
}

char *sha256_hex(const struct sha256 *a, char out[SHA256_HEX])
{
    hex_encode(a->b, SHA256_SIZE, out);
    return out;
}

bool sha256_read(const char *hex, struct sha256 *out)
{
    struct sha256 read;

    if (!hex_decode(hex, read.b, SHA256_SIZE))
        return false;
    *out = read;
    return true;
}
