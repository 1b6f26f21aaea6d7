#include "policy/document/expression.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define TEXT_LIMIT 4096
#define TERM_LIMIT 200
#define DEPTH      32

enum token { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_OPERATOR, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_COMMA };

struct parser {
    const char              *text, *at;
    const struct vocabulary *vocabulary;
    enum token               token;
    char                     word[TEXT_LIMIT + 1];
    int                      column;            /* of the token, 1-based */
    int                      terms, depth;
    struct error            *error;
    enum err                 verdict;
};

static enum err refuse_at(struct parser *p, int column, const char *what, const char *more)
{
    if (p->verdict)
        return p->verdict;
    p->verdict = fail(p->error, ERR_USAGE, "column %d: %s%s\n    %.300s\n    %*s^", column, what, more, p->text,
                      column > 300 ? 300 : column - 1, "");
    return p->verdict;
}

static bool word_char(char c)
{
    return c && !isspace((unsigned char)c) && !strchr("()=!<>~,\"'", c);
}

static void take_quoted(struct parser *p)
{
    char   quote = *p->at++;
    size_t n = 0;

    p->token = TOKEN_QUOTED;
    while (*p->at && *p->at != quote) {
        if (*p->at == '\\' && p->at[1])
            p->at++;
        p->word[n++] = *p->at++;
    }
    p->word[n] = 0;
    if (!*p->at)
        refuse_at(p, p->column, "this text has no closing quote", "");
    else
        p->at++;
}

static void advance(struct parser *p)
{
    size_t n = 0;

    while (isspace((unsigned char)*p->at))
        p->at++;
    p->column = (int)(p->at - p->text) + 1;
    p->word[0] = 0;
    if (!*p->at) {
        p->token = TOKEN_END;
    } else if (*p->at == '(' || *p->at == ')' || *p->at == ',') {
        p->token = *p->at == '(' ? TOKEN_OPEN : *p->at == ')' ? TOKEN_CLOSE : TOKEN_COMMA;
        p->at++;
    } else if (*p->at == '"' || *p->at == '\'') {
        take_quoted(p);
    } else if (strchr("=!<>~", *p->at)) {
        p->token = TOKEN_OPERATOR;
        p->word[n++] = *p->at++;
        if (*p->at == '=' && p->word[0] != '~')
            p->word[n++] = *p->at++;
        p->word[n] = 0;
    } else {
        p->token = TOKEN_WORD;
        while (word_char(*p->at))
            p->word[n++] = *p->at++;
        p->word[n] = 0;
    }
}

static bool keyword(const struct parser *p, const char *word)
{
    return p->token == TOKEN_WORD && !strcasecmp(p->word, word);
}

static struct expression *node_new(enum expression_kind kind, struct expression *left, struct expression *right)
{
    struct expression *x = must_alloc(sizeof *x);

    x->kind = kind;
    x->left = left;
    x->right = right;
    return x;
}

void expression_free(struct expression *x)
{
    if (!x)
        return;
    expression_free(x->left);
    expression_free(x->right);
    for (size_t i = 0; i < x->value_count; i++)
        free(x->values[i].text);
    free(x->values);
    free(x->name);
    free(x);
}

static const struct property *property_find(const struct vocabulary *v, const char *name)
{
    for (size_t i = 0; i < v->count; i++)
        if (!strcasecmp(v->properties[i].name, name))
            return &v->properties[i];
    return NULL;
}

/* "; accepted are name, version, …", as many as have room. */
static void property_list(const struct vocabulary *v, char *out, size_t room)
{
    size_t at = (size_t)snprintf(out, room, "; accepted are ");

    for (size_t i = 0; i < v->count && at < room; i++)
        at += (size_t)snprintf(out + at, room - at, "%s%s", i ? ", " : "", v->properties[i].name);
}

static bool property_take(struct parser *p, struct expression *x)
{
    const char *names[128], *near;
    size_t      n = 0;
    char        more[320] = "";

    x->column = p->column;
    x->property = property_find(p->vocabulary, p->word);
    x->name = must_copy(x->property ? x->property->name : p->word);     /* the fact is looked up by the name it has */
    if (x->property || p->vocabulary->open)
        return true;
    for (; n < p->vocabulary->count && n < COUNT(names); n++)
        names[n] = p->vocabulary->properties[n].name;
    near = nearest(p->word, names, n);
    if (near)
        snprintf(more, sizeof more, "; did you mean \"%s\"?", near);
    else
        property_list(p->vocabulary, more, sizeof more);
    refuse_at(p, p->column, "no such property", more);
    return false;
}

/* Sizes: 32MiB, 4k; plain numbers too. */
static bool number_take(const char *text, bool size, int64_t *out)
{
    static const struct { const char *unit; int64_t factor;
    } units[] = {
        {"", 1},          {"b", 1},        {"k", 1 << 10}, {"kib", 1 << 10}, {"kb", 1000},       {"m", 1 << 20},
        {"mib", 1 << 20}, {"mb", 1000000}, {"g", 1 << 30}, {"gib", 1 << 30}, {"gb", 1000000000},
    };
    char     *end;
    long long n;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    n = strtoll(text, &end, 10);
    for (size_t i = 0; i < (size ? COUNT(units) : 1) && !errno; i++)
        if (!strcasecmp(end, units[i].unit))
            return !__builtin_mul_overflow(n, units[i].factor, out);
    return false;
}

/* A day is its first second: 2026-11-01, or a whole moment as base/text.h reads it. */
static bool date_take(const char *text, int64_t *out)
{
    char day[TIME_SIZE];

    if (strlen(text) == 10 && snprintf(day, sizeof day, "%sT00:00:00Z", text) > 0 && !time_read(day, out, NULL))
        return true;
    return !moment_read(text, 0, out, NULL);
}

static bool value_typed(struct parser *p, const struct property *property, struct value *v)
{
    enum property_type type = property ? property->type : PROPERTY_TEXT;
    const char        *wanted = NULL;
    char               more[300] = "";

    v->kind = VALUE_TEXT;
    if (type == PROPERTY_NUMBER || type == PROPERTY_SIZE) {
        v->kind = VALUE_NUMBER;
        wanted = number_take(v->text, type == PROPERTY_SIZE, &v->number) ? NULL
                 : type == PROPERTY_SIZE                                 ? "expected a size such as 32MiB"
                                                                         : "expected a whole number";
    } else if (type == PROPERTY_TIME) {
        v->kind = VALUE_AGE;
        if (isdigit((unsigned char)*v->text) && strchr(v->text, '-')) {
            v->kind = VALUE_TIME;
            wanted = date_take(v->text, &v->number) ? NULL : "expected a date such as 2026-11-01";
        } else {
            wanted = duration_read(v->text, &v->number, NULL) ? "expected an age such as 30d, or a date such as 2026-11-01" : NULL;
        }
    } else if (type == PROPERTY_BOOL) {
        v->kind = VALUE_BOOL;
        v->number = !strcasecmp(v->text, "true") || !strcasecmp(v->text, "yes");
        wanted = v->number || !strcasecmp(v->text, "false") || !strcasecmp(v->text, "no") ? NULL : "expected true or false";
    } else if (type == PROPERTY_ENUM) {
        size_t i = 0;
        while (property->words[i] && strcasecmp(property->words[i], v->text))
            i++;
        v->number = (int64_t)i;
        if (!property->words[i]) {
            wanted = "expected one of";
            for (i = 0; property->words[i]; i++) {
                size_t used = strlen(more);
                snprintf(more + used, sizeof more - used, "%s %s", i ? "," : "", property->words[i]);
            }
        }
    }
    return !wanted || !refuse_at(p, p->column, wanted, more);
}

static bool value_take(struct parser *p, struct expression *x)
{
    if (p->token != TOKEN_WORD && p->token != TOKEN_QUOTED) {
        refuse_at(p, p->column, "expected a value", "");
        return false;
    }
    x->values = must_grow(x->values, x->value_count + 1, sizeof *x->values);
    memset(&x->values[x->value_count], 0, sizeof *x->values);
    x->values[x->value_count].text = must_copy(p->word);
    x->value_count++;
    if (x->comparison != COMPARE_GLOB && x->comparison != COMPARE_CONTAINS && !value_typed(p, x->property, &x->values[x->value_count - 1]))
        return false;
    advance(p);
    return !p->verdict;
}

static void list_take(struct parser *p, struct expression *x)
{
    if (p->token != TOKEN_OPEN) {
        refuse_at(p, p->column, "expected ( after in", "");
        return;
    }
    do {
        advance(p);
        if (x->value_count >= TERM_LIMIT)
            refuse_at(p, p->column, "more than 200 values in one list", "");
        if (p->verdict || !value_take(p, x))
            return;
    } while (p->token == TOKEN_COMMA);
    if (p->token != TOKEN_CLOSE)
        refuse_at(p, p->column, "expected , or )", "");
    else
        advance(p);
}

static bool comparison_take(struct parser *p, enum comparison *out)
{
    static const struct { const char *word; enum comparison comparison;
    } table[] = {
        {"=", COMPARE_EQ},  {"==", COMPARE_EQ},  {"!=", COMPARE_NE},
        {"<", COMPARE_LT},  {"<=", COMPARE_LE},  {">", COMPARE_GT},
        {">=", COMPARE_GE}, {"~", COMPARE_GLOB}, {"contains", COMPARE_CONTAINS},
        {"in", COMPARE_IN},
    };

    for (size_t i = 0; i < COUNT(table); i++)
        if ((p->token == TOKEN_OPERATOR || p->token == TOKEN_WORD) && !strcasecmp(p->word, table[i].word)) {
            *out = table[i].comparison;
            advance(p);
            return true;
        }
    return false;
}

static struct expression *test_take(struct parser *p)
{
    struct expression *x = node_new(EXPRESSION_TEST, NULL, NULL);
    bool               text;

    if (p->token != TOKEN_WORD)
        refuse_at(p, p->column, p->token == TOKEN_END ? "expected a property; the expression ends here" : "expected a property", "");
    else if (++p->terms > TERM_LIMIT)
        refuse_at(p, p->column, "more than 200 terms", "");
    if (p->verdict || !property_take(p, x))
        return x;
    advance(p);
    if (!comparison_take(p, &x->comparison)) {
        if (x->property && x->property->type == PROPERTY_BOOL) {
            x->values = must_alloc(sizeof *x->values);
            x->values[0] = (struct value){VALUE_BOOL, must_copy("true"), 1};
            x->value_count = 1;
        } else {
            refuse_at(p, p->column, "expected one of = != < <= > >= ~ contains in", "");
        }
        return x;
    }
    text = !x->property || x->property->type == PROPERTY_TEXT || x->property->type == PROPERTY_LIST || x->property->type == PROPERTY_ENUM;
    if (!text && (x->comparison == COMPARE_GLOB || x->comparison == COMPARE_CONTAINS))
        refuse_at(p, x->column, "~ and contains are for texts, not for ", x->name);
    else if (x->comparison == COMPARE_IN)
        list_take(p, x);
    else
        value_take(p, x);
    return x;
}

static struct expression *or_take(struct parser *p);

static struct expression *factor_take(struct parser *p)
{
    struct expression *x;

    if (++p->depth > DEPTH)
        refuse_at(p, p->column, "nested deeper than 32", "");
    if (p->verdict) {
        x = node_new(EXPRESSION_TEST, NULL, NULL);
    } else if (keyword(p, "not")) {
        advance(p);
        x = node_new(EXPRESSION_NOT, factor_take(p), NULL);
    } else if (p->token == TOKEN_OPEN) {
        advance(p);
        x = or_take(p);
        if (p->token != TOKEN_CLOSE)
            refuse_at(p, p->column, "expected )", "");
        else
            advance(p);
    } else {
        x = test_take(p);
    }
    p->depth--;
    return x;
}

static struct expression *and_take(struct parser *p)
{
    struct expression *x = factor_take(p);

    while (!p->verdict && keyword(p, "and")) {
        advance(p);
        x = node_new(EXPRESSION_AND, x, factor_take(p));
    }
    return x;
}

static struct expression *or_take(struct parser *p)
{
    struct expression *x = and_take(p);

    while (!p->verdict && keyword(p, "or")) {
        advance(p);
        x = node_new(EXPRESSION_OR, x, and_take(p));
    }
    return x;
}

enum err expression_parse(const char *text, const struct vocabulary *v, struct expression **out, struct error *e)
{
    struct parser     *p;
    struct expression *x;
    enum err           verdict;

    if (strlen(text) > TEXT_LIMIT)
        return fail(e, ERR_USAGE, "an expression of %zu bytes; at most %d are accepted", strlen(text), TEXT_LIMIT);
    p = must_alloc(sizeof *p);
    p->text = p->at = text;
    p->vocabulary = v;
    p->error = e;
    advance(p);
    x = or_take(p);
    if (!p->verdict && p->token != TOKEN_END)
        refuse_at(p, p->column, "expected and, or, or the end", "");
    verdict = p->verdict;
    free(p);
    if (verdict) {
        expression_free(x);
        return verdict;
    }
    *out = x;
    return OK;
}

static void value_print(struct text *out, const struct value *v)
{
    bool plain = *v->text != 0;

    for (const char *c = v->text; *c; c++)
        plain = plain && word_char(*c) && *c != '\\';
    if (plain && v->kind != VALUE_TEXT) {
        text_add(out, "%s", v->text);
        return;
    }
    text_add(out, "\"");
    for (const char *c = v->text; *c; c++)
        text_add(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    text_add(out, "\"");
}

static void test_print(struct text *out, const struct expression *x)
{
    static const char *const words[] = {"=", "!=", "<", "<=", ">", ">=", "~", "contains", "in"};

    text_add(out, "%s %s ", x->name, words[x->comparison]);
    if (x->comparison == COMPARE_IN)
        text_add(out, "(");
    for (size_t i = 0; i < x->value_count; i++) {
        text_add(out, i ? ", " : "");
        value_print(out, &x->values[i]);
    }
    if (x->comparison == COMPARE_IN)
        text_add(out, ")");
}

/* Only the parentheses that are needed: what was parsed within the depth prints within the depth. or binds weakest; and, or lean left. */
static void print(struct text *out, const struct expression *x, bool wrapped)
{
    if (wrapped)
        text_add(out, "(");
    if (x->kind == EXPRESSION_NOT) {
        text_add(out, "not ");
        print(out, x->left, x->left->kind == EXPRESSION_AND || x->left->kind == EXPRESSION_OR);
    } else if (x->kind == EXPRESSION_AND) {
        print(out, x->left, x->left->kind == EXPRESSION_OR);
        text_add(out, " and ");
        print(out, x->right, x->right->kind == EXPRESSION_OR || x->right->kind == EXPRESSION_AND);
    } else if (x->kind == EXPRESSION_OR) {
        print(out, x->left, false);
        text_add(out, " or ");
        print(out, x->right, x->right->kind == EXPRESSION_OR);
    } else {
        test_print(out, x);
    }
    if (wrapped)
        text_add(out, ")");
}

char *expression_print(const struct expression *x)
{
    struct text out = {0};

    print(&out, x, false);
    return text_take(&out);
}
