#include "node/base/clock.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FRESH_MS 50

int64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool read_offset(const char *path, int64_t *out)
{
    char    text[32], *end;
    int     fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    int64_t value;

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    value = strtoll(text, &end, 10);
    if (end == text)
        return false;
    *out = value;
    return true;
}

/* A file that is being rewritten, or gone, leaves the last offset: time does not jump to and fro. Worker threads read the clock as well: each
 * has its own copy. */
static int64_t file_offset(const char *path)
{
    static _Thread_local int64_t offset, read_at;
    int64_t                      now = clock_ms();

    if (!read_at || now - read_at >= FRESH_MS) {
        read_offset(path, &offset);
        read_at = now;
    }
    return offset;
}

int64_t clock_now(void)
{
    const char *offset = getenv("FERRY_CLOCK_OFFSET"), *path = getenv("FERRY_CLOCK_FILE");

    return (int64_t)time(NULL) + (offset ? strtoll(offset, NULL, 10) : 0) + (path ? file_offset(path) : 0);
}
