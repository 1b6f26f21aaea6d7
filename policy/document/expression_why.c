/* The first test that decides why an expression does not hold, for people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/expression.h"

#define TEST_LONGEST  110
#define VALUE_LONGEST 60

/* Cut before a character of several bytes, never in it: the text becomes JSON. */
static void cut(char *text, size_t most)
{
    size_t n = strlen(text);

    if (n <= most)
        return;
    for (n = most - 3; n && ((unsigned char)text[n] & 0xc0) == 0x80;)
        n--;
    memcpy(text + n, "...", 4);
}

/* x says the opposite of what it should; the test below it that is to blame. should: what a parent wanted of x. */
static const struct expression *blame(const struct expression *x, expression_lookup lookup, void *ctx, int64_t now, bool should)
{
    while (x->kind != EXPRESSION_TEST) {
        if (x->kind == EXPRESSION_NOT) {
            should = !should;
            x = x->left;
        } else {
            x = expression_true(x->left, lookup, ctx, now) != should ? x->left : x->right;
        }
    }
    return x;
}

static void value_print(struct text *out, const struct property *p, const struct value *v)
{
    enum property_type type = p ? p->type : PROPERTY_TEXT;
    char               time[TIME_SIZE], size[16];

    if (v->kind == VALUE_TEXT || v->kind == VALUE_BOOL)
        text_add(out, *v->text ? "%s" : "\"%s\"", v->text);
    else if (type == PROPERTY_TIME)
        text_add(out, "%s", time_print(v->number, time));
    else if (type == PROPERTY_SIZE && v->number >= 0)
        text_add(out, "%s", size_print((uint64_t)v->number, size));
    else
        text_add(out, "%lld", (long long)v->number);
}

/* What was found, all of a list; NULL when there is nothing. */
static char *found(const struct expression *x, expression_lookup lookup, void *ctx)
{
    struct text  out = {0};
    struct value v;

    for (size_t i = 0; out.length <= VALUE_LONGEST && lookup(ctx, x->name, i, &v); i++) {
        text_add(&out, i ? ", " : "");
        value_print(&out, x->property, &v);
    }
    return out.data;
}

bool expression_why(const struct expression *x, expression_lookup lookup, void *ctx, int64_t now, char out[200])
{
    const struct expression *test;
    char                    *text, *value;
    bool                     negated = false;

    *out = 0;
    if (expression_true(x, lookup, ctx, now))
        return true;
    test = blame(x, lookup, ctx, now, true);
    negated = expression_true(test, lookup, ctx, now);
    text = expression_print(test);
    value = found(test, lookup, ctx);
    if (value) {
        cut(text, TEST_LONGEST);
        cut(value, VALUE_LONGEST);
        snprintf(out, 200, "%s%s (it is %s)", negated ? "not " : "", text, value);
    } else {
        snprintf(out, 200, "no fact %.100s", test->name);
    }
    free(text);
    free(value);
    return false;
}
