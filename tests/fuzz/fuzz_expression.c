/* policy/document/expression.c, expression_true.c and expression_why.c: what is accepted prints, parses again to the same print, evaluates,
 * and says why not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = {"none", "low", "critical", NULL};
static const struct property properties[] = {{"text", PROPERTY_TEXT, NULL, "", NULL}, {"number", PROPERTY_NUMBER, NULL, "", NULL},
                                             {"size", PROPERTY_SIZE, NULL, "", NULL}, {"time", PROPERTY_TIME, NULL, "", NULL},
                                             {"bool", PROPERTY_BOOL, NULL, "", NULL}, {"list", PROPERTY_LIST, NULL, "", NULL},
                                             {"enum", PROPERTY_ENUM, words, "", NULL}};

/* Facts of every kind for every name, from the first bytes of the input. */
static bool look(void *ctx, const char *name, size_t index, struct value *out)
{
    const uint8_t *seed = ctx;

    out->kind = (enum value_kind)((seed[0] + index) % 5);
    out->text = (char *)(uintptr_t)(seed[1] & 1 ? "low" : name);
    memcpy(&out->number, seed, sizeof out->number);
    return index < (seed[1] & 3);
}

static void again(const struct expression *x, const struct vocabulary *v)
{
    struct expression *second;
    char *first = expression_print(x), *twice;
    struct error e;

    if (strlen(first) <= 4096) {
        if (expression_parse(first, v, &second, &e))
            abort();
        twice = expression_print(second);
        if (strcmp(first, twice))
            abort();
        free(twice);
        expression_free(second);
    }
    free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t seed[8] = {0};
    char *text = must_alloc(size + 1);

    memcpy(seed, data, size < sizeof seed ? size : sizeof seed);
    memcpy(text, data, size);
    for (int open = 0; open < 2; open++) {
        struct vocabulary v = {properties, COUNT(properties), open};
        struct expression *x;
        struct error e;
        char why[200];
        bool holds;

        if (expression_parse(text, &v, &x, &e))
            continue;
        holds = expression_true(x, look, seed, 1795467600);
        if (expression_why(x, look, seed, 1795467600, why) != holds || !*why != holds)
            abort();
        again(x, &v);
        expression_free(x);
    }
    free(text);
    return 0;
}
