/* The one language for filters and collection rules.
 *   classification = security and (required >= 1 or severity in (critical, important)) and not title contains "kernel"
 *   hostname ~ "till-*" and os.codename = bookworm and released < 30d
 * Operators: = != < <= > >= ~ (glob, case-insensitive, * and ?) contains, in (…), and or not ( ). Values: words, "text", numbers,
 * sizes (32MiB), ages (30d: the value of a time property compared with now - age), dates (2026-11-01). Keywords are case-insensitive.
 * A bare boolean property is a test: `superseded`. Bounds: 4 KiB of text, 200 terms, depth 32. Pure; any thread. */
#ifndef FERRY_POLICY_DOCUMENT_EXPRESSION_H
#define FERRY_POLICY_DOCUMENT_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum property_type {
    PROPERTY_TEXT,
    PROPERTY_NUMBER,
    PROPERTY_SIZE,
    PROPERTY_TIME,
    PROPERTY_BOOL,
    PROPERTY_LIST /* of text: any member */,
    PROPERTY_ENUM /* ordered words */
};

struct property {
    const char        *name;
    enum property_type type;
    const char *const *words;                   /* PROPERTY_ENUM: NULL-terminated, in rising order; < and > compare ranks */
    const char        *meaning;                 /* for help */
    const char        *sql;                     /* for authoring/find.c: the column or scalar subquery; NULL elsewhere */
};
/* open = true: names not in the table are taken as PROPERTY_TEXT (facts may be anything). */
struct vocabulary {
    const struct property *properties;
    size_t                 count;
    bool                   open;
};

enum expression_kind { EXPRESSION_AND, EXPRESSION_OR, EXPRESSION_NOT, EXPRESSION_TEST };
enum comparison      { COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE, COMPARE_GLOB, COMPARE_CONTAINS, COMPARE_IN };
enum value_kind { VALUE_TEXT, VALUE_NUMBER /* also sizes in bytes */, VALUE_AGE /* seconds */, VALUE_TIME /* since 1970 */, VALUE_BOOL };

struct value {
    enum value_kind kind;
    char           *text;                       /* as written, unquoted */
    int64_t         number;
};
struct expression {
    enum expression_kind kind;
    struct expression   *left, *right;          /* NOT uses left only */
    const struct property *property;            /* TEST; NULL when the vocabulary is open and does not know the name */
    char                *name;
    enum comparison      comparison;
    struct value        *values;                /* one, or several for IN */
    size_t               value_count;
    int                  column;                /* 1-based, for messages */
};

/* ERR_USAGE with "column 17: expected a value after '>=' …" and a caret line; unknown names suggest the nearest. */
enum err expression_parse(const char *text, const struct vocabulary *, struct expression **out, struct error *);
void     expression_free(struct expression *);
char    *expression_print(const struct expression *);      /* canonical text that parses to the same, if it fits 4 KiB; caller frees */

/* A fact's value for evaluation: text always; number as well when kind is not VALUE_TEXT. Returns false when there is none (then every
 * comparison but != is false, as for a fact that cannot be compared). list: called again with index 1, 2 … until false. */
typedef bool (*expression_lookup)(void *ctx, const char *name, size_t index, struct value *out /* text borrowed */);
bool     expression_true(const struct expression *, expression_lookup, void *ctx, int64_t now);
/* When it is not true: the first test that decides, with the value found: "required > 50 (it is 3)". out is "" when it is true. */
bool     expression_why(const struct expression *, expression_lookup, void *ctx, int64_t now, char out[200]);

#endif
