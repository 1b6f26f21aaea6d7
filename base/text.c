#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

static void no_memory(size_t size)
{
    fprintf(stderr, "<2>out of memory: %zu bytes were refused; everything durable is on disk, start again\n", size);
    abort();
}

void *must_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);

    if (!p)
        no_memory(size);
    return p;
}

void *must_grow(void *old, size_t count, size_t each)
{
    size_t size;
    void  *p = NULL;

    if (__builtin_mul_overflow(count, each, &size))
        no_memory(SIZE_MAX);
    p = realloc(old, size ? size : 1);
    if (!p)
        no_memory(size);
    return p;
}

char *must_copy(const char *text)
{
    size_t size;
    char  *copy;

    if (!text)
        return NULL;
    size = strlen(text) + 1;
    copy = must_grow(NULL, size, 1);
    return memcpy(copy, text, size);
}

char *must_print(const char *format, ...)
{
    va_list args;
    char   *out = NULL;
    int     n;

    va_start(args, format);
    n = vasprintf(&out, format, args);
    va_end(args);
    if (n < 0)
        no_memory(0);
    return out;
}

void text_free(char **text)
{
    free(*text);
    *text = NULL;
}

static void make_room(struct text *t, size_t more)
{
    size_t want;

    if (__builtin_add_overflow(t->length, more, &want) || want > SIZE_MAX / 2 - 1)
        no_memory(SIZE_MAX);
    if (want + 1 <= t->room)
        return;
    t->room = want + 1 > 2 * t->room ? want + 1 : 2 * t->room;
    t->data = must_grow(t->data, t->room, 1);
}

void text_add(struct text *t, const char *format, ...)
{
    va_list args, again;
    int     n;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0) {
        make_room(t, (size_t)n);
        vsnprintf(t->data + t->length, (size_t)n + 1, format, again);
        t->length += (size_t)n;
    }
    va_end(again);
}

void text_put(struct text *t, const void *bytes, size_t length)
{
    make_room(t, length);
    if (length)
        memcpy(t->data + t->length, bytes, length);
    t->length += length;
    t->data[t->length] = '\0';
}

char *text_take(struct text *t)
{
    char *out = t->data ? t->data : must_copy("");

    *t = (struct text){0};
    return out;
}

void text_end(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}

void hex_encode(const void *bytes, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t    *b = bytes;

    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[b[i] >> 4];
        out[2 * i + 1] = digits[b[i] & 15];
    }
    out[2 * size] = '\0';
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(const char *hex, void *bytes, size_t size)
{
    uint8_t *b = bytes;

    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = high < 0 ? -1 : hex_digit(hex[2 * i + 1]);

        if (low < 0)
            return false;
        b[i] = (uint8_t)(high << 4 | low);
    }
    return hex[2 * size] == '\0';
}

char *base64_encode(const void *bytes, size_t size)
{
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
    char  *out = must_alloc(room);

    return sodium_bin2base64(out, room, bytes, size, sodium_base64_VARIANT_ORIGINAL);
}

/* The alphabet is checked here: libsodium 1.0.18 takes bytes above 127 for letters where char is signed. */
uint8_t *base64_decode(const char *text, size_t limit, size_t *size)
{
    size_t   length = strlen(text);
    uint8_t *out;

    if (length / 4 * 3 > limit + 2 ||           /* two bytes may be padding */
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != length)
        return NULL;
    out = must_alloc(length / 4 * 3 + 1);
    if (sodium_base642bin(out, length / 4 * 3 + 1, text, length, NULL, size, NULL, sodium_base64_VARIANT_ORIGINAL) || *size > limit) {
        free(out);
        return NULL;
    }
    return out;
}

char *size_print(uint64_t bytes, char out[16])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double                   value = (double)bytes;
    size_t                   unit = 0;

    while (value >= 1023.95 && unit + 1 < COUNT(units)) {      /* what would print as 1024.0 belongs to the next unit */
        value /= 1024;
        unit++;
    }
    snprintf(out, 16, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

#define WORD_LENGTH 63

/* Levenshtein's distance with two rows. Both words at most WORD_LENGTH. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[2][WORD_LENGTH + 1], n = strlen(b);

    for (size_t j = 0; j <= n; j++)
        rows[0][j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t *above = rows[(i - 1) & 1], *row = rows[i & 1];

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

            best = above[j] + 1 < best ? above[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return rows[strlen(a) & 1][n];
}

const char *nearest(const char *word, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    size_t      length = strlen(word), least = length < 4 ? 1 : length < 8 ? 2 : 3;

    if (length > WORD_LENGTH)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t d;

        if (!candidates[i] || strlen(candidates[i]) > WORD_LENGTH)
            continue;
        d = distance(word, candidates[i]);
        if (d < least || (d == least && !best)) {
            best = candidates[i];
            least = d;
        }
    }
    return best;
}
