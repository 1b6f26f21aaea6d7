#include "policy/catalog/unpack.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/text.h"

#define BLOCK     65536
#define XZ_MEMORY (128u << 20)

struct sink {
    unpack_fn fn;
    void     *ctx;
    uint64_t  room, limit;
    char     *block;
};

static enum err drain(struct sink *s, size_t left_in_block, struct error *e)
{
    size_t n = BLOCK - left_in_block;

    if (n > s->room)
        return fail(e, ERR_VERIFY, "it unpacks to more than %llu bytes", (unsigned long long)s->limit);
    s->room -= n;
    return n ? s->fn(s->ctx, s->block, n, e) : OK;
}

static enum err unpack_xz(struct sink *s, const uint8_t *bytes, size_t length, struct error *e)
{
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_ret    code = lzma_stream_decoder(&z, XZ_MEMORY, LZMA_CONCATENATED);
    enum err    r = OK;

    z.next_in = bytes;
    z.avail_in = length;
    while (code == LZMA_OK && r == OK) {
        z.next_out = (uint8_t *)s->block;
        z.avail_out = BLOCK;
        code = lzma_code(&z, LZMA_FINISH);
        r = drain(s, z.avail_out, e);
    }
    lzma_end(&z);
    if (r == OK && code != LZMA_STREAM_END)
        r = fail(e, ERR_VERIFY, "the xz data is damaged or cut short (liblzma code %d)", (int)code);
    return r;
}

/* inflate() takes its input in unsigned int portions; indexes over 4 GiB do not pass the callers' limits. */
static enum err unpack_gz(struct sink *s, const uint8_t *bytes, size_t length, struct error *e)
{
    z_stream z = {0};
    int      code = inflateInit2(&z, 15 + 16);
    enum err r = OK;

    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)length;
    while (code == Z_OK && r == OK) {
        z.next_out = (Bytef *)s->block;
        z.avail_out = BLOCK;
        code = inflate(&z, Z_NO_FLUSH);
        r = drain(s, z.avail_out, e);
        if (code == Z_STREAM_END && z.avail_in)
            code = inflateReset(&z);
    }
    inflateEnd(&z);
    if (r == OK && code != Z_STREAM_END)
        r = fail(e, ERR_VERIFY, "the gzip data is damaged or cut short (zlib code %d)", code);
    return r;
}

static enum err pass_plain(struct sink *s, const char *bytes, size_t length, struct error *e)
{
    if (length > s->room)
        return fail(e, ERR_VERIFY, "it has more than %llu bytes", (unsigned long long)s->limit);
    return s->fn(s->ctx, bytes, length, e);
}

enum err unpack(const void *bytes, size_t length, uint64_t limit, unpack_fn fn, void *ctx, struct error *e)
{
    struct sink s = {fn, ctx, limit, limit, NULL};
    enum err    r;

    if (length > UINT32_MAX)
        return fail(e, ERR_VERIFY, "it has more than 4 GiB");
    s.block = must_alloc(BLOCK);
    if (length >= 6 && memcmp(bytes, "\xFD" "7zXZ", 6) == 0)
        r = unpack_xz(&s, bytes, length, e);
    else if (length >= 2 && memcmp(bytes, "\x1F\x8B", 2) == 0)
        r = unpack_gz(&s, bytes, length, e);
    else
        r = pass_plain(&s, bytes, length, e);
    free(s.block);
    return r;
}
