#include "policy/catalog/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define BLOCK (256u * 1024)

struct block {
    struct block *next;
    char          bytes[];
};

struct text_pool {
    struct block *blocks;
    char         *at;
    size_t        left;
    const char  **words;                        /* open addressing, a power of two, at most half full */
    size_t        word_room, word_count;
};

struct text_pool *pool_new(void)
{
    return must_alloc(sizeof(struct text_pool));
}

void pool_free(struct text_pool *p)
{
    if (!p)
        return;
    for (struct block *b = p->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(p->words);
    free(p);
}

static char *take(struct text_pool *p, size_t size)
{
    char *at;

    if (size > p->left) {
        size_t        room = size > BLOCK ? size : BLOCK;
        struct block *b = must_grow(NULL, sizeof(*b) + room, 1);

        b->next = p->blocks;
        p->blocks = b;
        p->at = b->bytes;
        p->left = room;
    }
    at = p->at;
    p->at += size;
    p->left -= size;
    return at;
}

static char *put(struct text_pool *p, const char *bytes, size_t length)
{
    char *copy = take(p, length + 1);

    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

const char *pool_copy(struct text_pool *p, const char *bytes, size_t length)
{
    return put(p, bytes, length);
}

/* FNV-1a. Attackers gain nothing from collisions here: the number of stanzas is bounded. */
static size_t mix(const char *bytes, size_t length)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)bytes[i]) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

static const char **slot_of(struct text_pool *p, const char *bytes, size_t length)
{
    size_t i = mix(bytes, length) & (p->word_room - 1);

    while (p->words[i] && (strncmp(p->words[i], bytes, length) != 0 || p->words[i][length] != '\0'))
        i = (i + 1) & (p->word_room - 1);
    return &p->words[i];
}

static void more_slots(struct text_pool *p)
{
    const char **old = p->words;
    size_t       room = p->word_room;

    p->word_room = room ? room * 2 : 1024;
    p->words = must_alloc(p->word_room * sizeof(*p->words));
    for (size_t i = 0; i < room; i++)
        if (old[i])
            *slot_of(p, old[i], strlen(old[i])) = old[i];
    free(old);
}

const char *pool_word(struct text_pool *p, const char *bytes, size_t length)
{
    const char **slot;

    if (p->word_count * 2 >= p->word_room)
        more_slots(p);
    slot = slot_of(p, bytes, length);
    if (!*slot) {
        *slot = put(p, bytes, length);
        p->word_count++;
    }
    return *slot;
}

/* Length of the UTF-8 sequence at s (RFC 3629: no surrogates, nothing overlong), 0 when there is none. Stops before end. */
static size_t sequence(const unsigned char *s, const unsigned char *end)
{
    static const struct { unsigned char low, high, second_low, second_high; size_t length; } forms[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
        {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };

    if ((*s >= 0x20 && *s < 0x7F) || *s == '\n')
        return 1;
    for (size_t i = 0; i < COUNT(forms); i++) {
        if (*s < forms[i].low || *s > forms[i].high)
            continue;
        if ((size_t)(end - s) < forms[i].length || s[1] < forms[i].second_low || s[1] > forms[i].second_high)
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if ((s[k] & 0xC0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

const char *pool_clean(struct text_pool *p, const char *bytes, size_t length)
{
    size_t         real = strnlen(bytes, length);
    char          *copy = put(p, bytes, real);
    unsigned char *s = (unsigned char *)copy, *end = s + real;

    while (s < end) {
        size_t n = sequence(s, end);

        if (!n)
            *s = '?';
        s += n ? n : 1;
    }
    return copy;
}
