/* SQL by name, rows as JSON: how every noun of authoring speaks to the ledger. formats: s text (NULL is NULL), i int64_t. Inside
 * policy/authoring. */
#ifndef FERRY_POLICY_AUTHORING_ROWS_H
#define FERRY_POLICY_AUTHORING_ROWS_H

#include <jansson.h>

#include "policy/authoring/ledger.h"
#include "policy/authoring/ledger_sql.h"

enum err rows_run(struct ledger *, enum ledger_sql, struct error *, const char *format, ...);
/* A new array of objects, one per row. */
enum err rows_all(struct ledger *, enum ledger_sql, json_t **out, struct error *, const char *format, ...);
/* Row by row, for what is too much at once. The row is the callee's to look at only; it changes nothing in the ledger meanwhile. */
enum err rows_each(struct ledger *, enum ledger_sql, void (*fn)(void *ctx, const json_t *row), void *ctx, struct error *,
                   const char *format, ...);
/* The first row or NULL (also on error). Caller decrefs. */
json_t  *rows_one(struct ledger *, enum ledger_sql, const char *format, ...);
/* First column of the first row; 0 when there is none. */
int64_t  rows_number(struct ledger *, enum ledger_sql, const char *format, ...);
/* SQL made by find.c, with text and number parameters in order. */
enum err rows_found(struct ledger *, const char *sql, const json_t *parameters, json_t **out, struct error *);

enum err ledger_begin(struct ledger *, struct error *);
enum err ledger_end(struct ledger *, enum err so_far, struct error *);     /* commit, or all back */
enum err ledger_back(struct ledger *, struct error *);                     /* all back, on purpose (dry run) */
int64_t  ledger_changes(struct ledger *);                                  /* rows changed by the last statement */

/* ERR_NOT_FOUND with "did you mean": names is a query of a column "name". */
enum err no_such(struct ledger *, enum ledger_sql names, const char *what, const char *name, struct error *);

/* The same over rows in hand. */
enum err no_such_of(const json_t *rows, const char *what, const char *name, struct error *);

#endif
