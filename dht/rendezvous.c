#include "dht/rendezvous.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* SipHash keyed by the content: fast, well mixed, and the same on every machine. The first byte keeps the two questions apart. */
enum question { QUESTION_OWNER = 1, QUESTION_WALK = 2 };

_Static_assert(crypto_shorthash_KEYBYTES <= SHA256_SIZE, "the content's name is the key");

#define MEMBER_LONGEST 80

static uint64_t weight(enum question question, const struct sha256 *content, uint32_t piece, const char *member)
{
    uint8_t in[5 + MEMBER_LONGEST], out[crypto_shorthash_BYTES];
    size_t length = strnlen(member, MEMBER_LONGEST);
    in[0] = (uint8_t)question;
    for (int i = 0; i < 4; i++)
        in[1 + i] = (uint8_t)(piece >> (8 * i));
    memcpy(in + 5, member, length);
    crypto_shorthash(out, in, 5 + length, content->b);
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | out[i];
    return value;
}

size_t rendezvous_owner(const struct sha256 *content, uint32_t piece, const char *const *members, size_t count)
{
    size_t best = 0;
    uint64_t most = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t w = weight(QUESTION_OWNER, content, piece, members[i]);
        /* Equal weights: the name decides, so that the order of the list never does. */
        if (i == 0 || w > most || (w == most && strcmp(members[i], members[best]) < 0)) {
            best = i;
            most = w;
        }
    }
    return best;
}

struct step {
    uint64_t weight;
    uint32_t piece;
};

static int by_weight(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? -1 : 1;
    return x->piece < y->piece ? -1 : x->piece > y->piece;
}

void rendezvous_walk(const struct sha256 *content, const char *member, uint32_t n, uint32_t *order)
{
    struct step *steps = must_grow(NULL, n ? n : 1, sizeof *steps);
    for (uint32_t i = 0; i < n; i++)
        steps[i] = (struct step){.weight = weight(QUESTION_WALK, content, i, member), .piece = i};
    if (n > 0)
        qsort(steps, n, sizeof *steps, by_weight);
    for (uint32_t i = 0; i < n; i++)
        order[i] = steps[i].piece;
    free(steps);
}
