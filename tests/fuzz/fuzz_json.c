/* policy/document/json.c and policy/trust/canonical.c: JSON from outside within its limits, and the bytes that are signed: what prints canonically
 * reads again to the same value and prints to the same bytes. Also base/text.c's conversions of the same text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"
#include "policy/trust/canonical.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Control characters stand in it as they are (that is what is signed), and no JSON reader takes those. */
static bool reads_again(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)bytes[i] < ' ')
            return false;
    return true;
}

static void canonical(const json_t *value)
{
    char        *first = NULL, *second = NULL;
    size_t       n = 0, m = 0;
    json_t      *again;
    struct error e;

    if (canonical_print(value, &first, &n, &e))
        return;
    again = json_loadb(first, n, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    if (!again && reads_again(first, n))
        abort();
    if (again && (!json_equal(value, again) || canonical_print(again, &second, &m, &e) || n != m || memcmp(first, second, n)))
        abort();
    json_decref(again);
    free(first);
    free(second);
}

static void conversions(const char *text)
{
    int64_t  n;
    size_t   length;
    uint8_t *bytes = base64_decode(text, 4096, &length);
    char     time[TIME_SIZE], *base64 = bytes ? base64_encode(bytes, length) : NULL;

    if (base64 && strcmp(base64, text))
        abort();
    if (!time_read(text, &n, NULL)) {
        int64_t again;
        if (n && (time_read(time_print(n, time), &again, NULL) || again != n))
            abort();
    }
    duration_read(text, &n, NULL);
    moment_read(text, 1800000000, &n, NULL);
    nearest(text, (const char *const[]){"deployment", "collection", ""}, 3);
    free(base64);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error e;
    json_t      *in;
    char        *text = must_alloc(size + 1);

    memcpy(text, data, size);
    conversions(text);
    free(text);
    if (json_read((const char *)data, size, 1u << 20, &in, &e))
        return 0;
    canonical(in);
    json_decref(in);
    return 0;
}
