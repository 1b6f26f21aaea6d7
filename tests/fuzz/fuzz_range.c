/* node/io/range.c: the headers a file is asked for with. The first four bytes are the file's size, then Range; behind a line feed If-None-Match. A
 * part lies inside the file, and what was understood as digits is what was asked. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/io/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t first = 0, length = 0, from, to;
    uint32_t small;
    char    *text, *tags, again[64];

    if (size < 4)
        return 0;
    memcpy(&small, data, 4);
    text = must_alloc(size - 3);
    memcpy(text, data + 4, size - 4);
    tags = strchr(text, '\n');
    if (tags)
        *tags++ = '\0';
    if (range_read(text, small, &first, &length) == RANGE_PART) {
        if (!length || first >= small || length > small - first)
            abort();
        snprintf(again, sizeof again, "bytes=%" PRIu64 "-%" PRIu64, first, first + length - 1);
        if (range_read(again, small, &from, &to) != RANGE_PART || from != first || to != length)
            abort();
    }
    range_read(text, UINT64_MAX, &first, &length);
    if (range_tag_matches(tags, "\"1f-2\"") && strcmp(tags, "*") && !strstr(tags, "\"1f-2\""))
        abort();
    free(text);
    return 0;
}
