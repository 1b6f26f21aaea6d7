/* Evaluation: what an expression says of a set of facts. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
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

static bool whole_number(const char *text, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return *text && !*end && !errno;
}

/* Texts that are both whole numbers compare as numbers. */
static int64_t text_order(const char *a, const char *b)
{
    int64_t x, y;

    if (whole_number(a, &x) && whole_number(b, &y))
        return x < y ? -1 : x > y;
    return strcasecmp(a, b);
}

/* A fact that is none of the property's words, or no number where one is compared. */
#define UNCOMPARABLE INT64_MIN

static int64_t rank_of(const struct property *p, const char *word)
{
    int64_t i = 0;

    while (p->words[i] && strcasecmp(p->words[i], word))
        i++;
    return p->words[i] ? i : UNCOMPARABLE;
}

static bool one(const struct expression *x, const struct value *fact, const struct value *wanted, int64_t now)
{
    enum property_type type = x->property ? x->property->type : PROPERTY_TEXT;

    int64_t            number = fact->number;
    char               digits[24];
    const char        *text = fact->text;

    if (fact->kind == VALUE_NUMBER) {
        snprintf(digits, sizeof digits, "%lld", (long long)fact->number);
        text = digits;
    }
    if (x->comparison == COMPARE_GLOB)
        return glob(wanted->text, text);
    if (x->comparison == COMPARE_CONTAINS)
        return strcasestr(text, wanted->text) != NULL;
    if (type == PROPERTY_ENUM)
        number = rank_of(x->property, text);
    else if (wanted->kind == VALUE_TEXT)
        return ordered(x->comparison, text_order(text, wanted->text), 0);
    else if (fact->kind == VALUE_TEXT && !whole_number(text, &number))
        number = UNCOMPARABLE;
    if (number == UNCOMPARABLE)
        return x->comparison == COMPARE_NE;
    if (wanted->kind == VALUE_AGE && __builtin_sub_overflow(now, number, &number))
        return x->comparison == COMPARE_NE;
    return ordered(x->comparison, number, wanted->number);
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
