/* Evaluation: what an expression says of a set of facts. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "policy/document/expression.h"

/* * any run, ? any one; case folded. Linear: after the last star only that star is retried. */
static bool glob(const char *pattern, const char *text)
{
    const char *star = NULL, *mark = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            mark = text;
        } else if (*pattern && (*pattern == '?' || tolower((unsigned char)*pattern) == tolower((unsigned char)*text))) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++mark;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static bool ordered(enum comparison c, int64_t a, int64_t b)
{
    switch (c) {
    case COMPARE_EQ: case COMPARE_IN: return a == b;
    case COMPARE_NE: return a != b;
    case COMPARE_LT: return a < b;
    case COMPARE_LE: return a <= b;
    case COMPARE_GT: return a > b;
    case COMPARE_GE: return a >= b;
    case COMPARE_GLOB: case COMPARE_CONTAINS: break;
    }
    return false;
}

/* Texts that are both whole numbers compare as numbers. */
static int64_t text_order(const char *a, const char *b)
{
    char     *end_a, *end_b;
    long long x = strtoll(a, &end_a, 10), y = strtoll(b, &end_b, 10);

    if (*a && *b && !*end_a && !*end_b)
        return x < y ? -1 : x > y;
    return strcasecmp(a, b);
}

static int64_t rank_of(const struct property *p, const char *word)
{
    int64_t i = 0;

    while (p->words[i] && strcasecmp(p->words[i], word))
        i++;
    return i;
}

static bool one(const struct expression *x, const struct value *fact, const struct value *wanted, int64_t now)
{
    enum property_type type = x->property ? x->property->type : PROPERTY_TEXT;

    if (x->comparison == COMPARE_GLOB)
        return glob(wanted->text, fact->text);
    if (x->comparison == COMPARE_CONTAINS)
        return strcasestr(fact->text, wanted->text) != NULL;
    if (type == PROPERTY_ENUM)
        return ordered(x->comparison, rank_of(x->property, fact->text), wanted->number);
    if (wanted->kind == VALUE_AGE)
        return ordered(x->comparison, now - fact->number, wanted->number);
    if (wanted->kind != VALUE_TEXT)
        return ordered(x->comparison, fact->number, wanted->number);
    return ordered(x->comparison, text_order(fact->text, wanted->text), 0);
}

static bool test(const struct expression *x, expression_lookup lookup, void *ctx, int64_t now)
{
    struct value fact;
    bool         negative = x->comparison == COMPARE_NE;
    bool         any = false;

    for (size_t i = 0; lookup(ctx, x->name, i, &fact); i++)
        for (size_t v = 0; v < x->value_count; v++) {
            bool hit = one(x, &fact, &x->values[v], now);
            if (negative && !hit)
                return false;
            any = any || hit;
        }
    return negative || any;
}

bool expression_true(const struct expression *x, expression_lookup lookup, void *ctx, int64_t now)
{
    switch (x->kind) {
    case EXPRESSION_AND: return expression_true(x->left, lookup, ctx, now) && expression_true(x->right, lookup, ctx, now);
    case EXPRESSION_OR:  return expression_true(x->left, lookup, ctx, now) || expression_true(x->right, lookup, ctx, now);
    case EXPRESSION_NOT: return !expression_true(x->left, lookup, ctx, now);
    case EXPRESSION_TEST: break;
    }
    return test(x, lookup, ctx, now);
}
