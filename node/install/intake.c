#include "node/install/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define BLOCK (1u << 20)

static enum err check_file(int fd, uint64_t size, const char *dir, struct error *e)
{
    struct stat st;

    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        return fail(e, ERR_USAGE, "what was given for a content is no plain file");
    if ((uint64_t)st.st_size != size)
        return fail(e, ERR_VERIFY, "%lld bytes were given for a content of %" PRIu64, (long long)st.st_size, size);
    if (file_room(dir) < size)
        return fail(e, ERR_FULL, "no room for %" PRIu64 " bytes in %s", size, dir);
    return OK;
}

static bool put(int fd, const uint8_t *p, size_t size)
{
    while (size) {
        ssize_t n = write(fd, p, size);

        if (n < 0 && errno != EINTR)
            return false;
        p += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Exactly size bytes, however the file grows or shrinks meanwhile. */
static enum err copy(int from, int to, uint64_t size, struct sha256 *out, struct error *e)
{
    uint8_t     *block = must_alloc(BLOCK);
    struct hash *h = hash_new();
    uint64_t     done = 0;
    enum err     code = OK;

    while (done < size && !code) {
        ssize_t n = pread(from, block, size - done < BLOCK ? (size_t)(size - done) : BLOCK, (off_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            code = n ? fail_errno(e, "a content cannot be read") : fail(e, ERR_VERIFY, "a content became shorter while it was read");
        else if (hash_add(h, block, (size_t)n), !put(to, block, (size_t)n))
            code = fail_errno(e, "a content cannot be written");
        else
            done += (uint64_t)n;
    }
    *out = hash_free(h);
    free(block);
    return code;
}

static enum err take_into(const char *path, int fd, const struct sha256 *name, uint64_t size, struct error *e)
{
    AUTO(fd_end) int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct sha256    got;
    char             hex[SHA256_HEX];
    enum err         code = to < 0 ? fail_errno(e, "%s cannot be made", path) : copy(fd, to, size, &got, e);

    if (!code && !sha256_same(&got, name))
        code = fail(e, ERR_VERIFY, "what was given is not content %s", sha256_hex(name, hex));
    return code;
}

enum err intake_take(struct cache *cache, int fd, const struct sha256 *name, uint64_t size, struct error *e)
{
    char                  path[PATH_MAX], hex[SHA256_HEX];
    AUTO(text_free) char *partial = must_print("%s/%s", cache_partial_dir(cache), sha256_hex(name, hex));
    enum err              code = check_file(fd, size, cache_partial_dir(cache), e);

    if (code)
        return code;
    cache_path(cache, name, path, sizeof path);
    code = take_into(partial, fd, name, size, e);
    if (!code && rename(partial, path))
        code = fail_errno(e, "%s cannot be put in place", path);
    if (code)
        unlink(partial);
    return code ? code : cache_keep(cache, name, e);
}

struct names {
    struct sha256 *all;
    size_t         count;
};

static void add(void *ctx, const struct sha256 *name, uint64_t size, int64_t referenced)
{
    struct names *n = ctx;

    (void)size;
    (void)referenced;
    n->all = must_grow(n->all, n->count + 1, sizeof *n->all);
    n->all[n->count++] = *name;
}

void intake_clear(struct cache *cache)
{
    struct names          n = {0};
    AUTO(text_free) char *content = must_copy(cache_content_dir(cache)), *partial = must_copy(cache_partial_dir(cache));

    cache_each(cache, add, &n);
    for (size_t i = 0; i < n.count; i++)
        cache_forget(cache, &n.all[i]);
    free(n.all);
    file_remove(content, NULL);
    file_remove(partial, NULL);
    file_make_dirs(content, 0700, NULL);
    file_make_dirs(partial, 0700, NULL);
}
