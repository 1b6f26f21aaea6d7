#include "node/base/envelope.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/text.h"

#define HEAD  (32 + KEY_SIGNATURE)
#define LEVEL 3                                 /* zstd: status is small and seldom */

/* What is signed: the audience, a NUL, the packed bytes: an envelope for one site is worth nothing at another. */
static uint8_t *signed_bytes(const char *audience, const uint8_t *packed, size_t length, size_t *out)
{
    size_t   n = strlen(audience) + 1;
    uint8_t *bytes = must_alloc(n + length);

    memcpy(bytes, audience, n);
    memcpy(bytes + n, packed, length);
    *out = n + length;
    return bytes;
}

enum err envelope_seal(const struct key *node, const uint8_t seal_key[32], const char *audience, const char *json, size_t length,
                       uint8_t **out, size_t *out_length, struct error *e)
{
    size_t   bound = ZSTD_compressBound(length), packed, n;
    uint8_t *plain, *text, *sealed;
    enum err code = OK;

    if (sodium_init() < 0)
        return fail(e, ERR_FAILED, "libsodium cannot start");
    if (length > ENVELOPE_UNPACKED)
        return fail(e, ERR_USAGE, "%zu bytes of status do not fit one envelope; at most %u do", length, ENVELOPE_UNPACKED);
    plain = must_alloc(HEAD + bound);
    packed = ZSTD_compress(plain + HEAD, bound, json, length, LEVEL);
    if (ZSTD_isError(packed) || HEAD + packed + crypto_box_SEALBYTES > ENVELOPE_LIMIT) {
        free(plain);
        return fail(e, ERR_USAGE, "%zu bytes of status do not fit one envelope: packed they are over %u", length, ENVELOPE_LIMIT);
    }
    memcpy(plain, node->public, 32);
    text = signed_bytes(audience, plain + HEAD, packed, &n);
    key_sign(node, text, n, plain + 32);
    free(text);
    sealed = must_alloc(HEAD + packed + crypto_box_SEALBYTES);
    if (crypto_box_seal(sealed, plain, HEAD + packed, seal_key)) {
        free(sealed);
        code = fail(e, ERR_VERIFY, "the site's seal key is not a key");
    } else {
        *out = sealed;
        *out_length = HEAD + packed + crypto_box_SEALBYTES;
    }
    free(plain);
    return code;
}

/* The frame says its size first and is never unpacked beyond it: a bomb costs nothing. One frame, nothing behind it. */
static enum err unpack(const uint8_t *bytes, size_t size, char **json, size_t *length, struct error *e)
{
    unsigned long long whole = ZSTD_getFrameContentSize(bytes, size);
    size_t             n;
    char              *out;

    if (ZSTD_findFrameCompressedSize(bytes, size) != size)
        return fail(e, ERR_VERIFY, "status that is not one packed frame");
    if (whole == ZSTD_CONTENTSIZE_UNKNOWN || whole == ZSTD_CONTENTSIZE_ERROR || whole > ENVELOPE_UNPACKED)
        return fail(e, ERR_VERIFY, "status that unpacks to more than %u bytes, or to nobody knows how many", ENVELOPE_UNPACKED);
    out = must_alloc((size_t)whole + 1);
    n = ZSTD_decompress(out, (size_t)whole, bytes, size);
    if (ZSTD_isError(n) || n != whole) {
        free(out);
        return fail(e, ERR_VERIFY, "status that does not unpack");
    }
    *json = out;
    *length = n;
    return OK;
}

enum err envelope_open(const uint8_t seal_public[32], const uint8_t seal_secret[32], const char *audience, const uint8_t *bytes,
                       size_t size, uint8_t node[32], char **json, size_t *length, struct error *e)
{
    uint8_t *plain, *text;
    size_t   n, inner;
    enum err code = OK;

    if (size < HEAD + crypto_box_SEALBYTES + 1 || size > ENVELOPE_LIMIT)
        return fail(e, ERR_VERIFY, "an envelope of %zu bytes; %zu to %u are accepted", size,
                    (size_t)(HEAD + crypto_box_SEALBYTES + 1), ENVELOPE_LIMIT);
    inner = size - crypto_box_SEALBYTES;
    plain = must_alloc(inner);
    if (crypto_box_seal_open(plain, bytes, size, seal_public, seal_secret)) {
        code = fail(e, ERR_VERIFY, "the envelope is not sealed for this site, or was altered");
    } else {
        text = signed_bytes(audience, plain + HEAD, inner - HEAD, &n);
        if (!key_verify(plain, text, n, plain + 32))
            code = fail(e, ERR_VERIFY, "the envelope's signature is wrong");
        free(text);
    }
    code = code ? code : unpack(plain + HEAD, inner - HEAD, json, length, e);
    if (!code)
        memcpy(node, plain, 32);
    free(plain);
    return code;
}
