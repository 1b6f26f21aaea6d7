#include "node/io/range.h"

#include <string.h>

static bool read_digits(const char **p, uint64_t *out)
{
    const char *begin = *p;

    for (*out = 0; **p >= '0' && **p <= '9'; (*p)++)
        if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, (uint64_t)(**p - '0'), out))
            *out = UINT64_MAX / 16;             /* beyond any file; stays there or grows */
    return *p > begin;
}

enum range range_read(const char *text, uint64_t size, uint64_t *first, uint64_t *length)
{
    uint64_t last;
    bool     from, to;

    if (strncmp(text, "bytes=", 6))
        return RANGE_WHOLE;
    text += 6;
    from = read_digits(&text, first);
    if (*text++ != '-')
        return RANGE_WHOLE;
    to = read_digits(&text, &last);
    if (*text || (!from && !to) || (from && to && last < *first))
        return RANGE_WHOLE;
    if (!to)
        last = UINT64_MAX;
    if (!from) {                                /* the last so many bytes */
        if (!last || !size)
            return RANGE_BEYOND;
        *first = last < size ? size - last : 0;
        last = size - 1;
    }
    if (*first >= size)
        return RANGE_BEYOND;
    *length = (last < size - 1 ? last : size - 1) - *first + 1;
    return RANGE_PART;
}

bool range_tag_matches(const char *list, const char *tag)
{
    return list && (!strcmp(list, "*") || strstr(list, tag));
}
