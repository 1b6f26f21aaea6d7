#include "node/base/clock.h"

#include <stdlib.h>
#include <time.h>

int64_t clock_now(void)
{
    const char *offset = getenv("FERRY_CLOCK_OFFSET");

    return (int64_t)time(NULL) + (offset ? strtoll(offset, NULL, 10) : 0);
}

int64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
