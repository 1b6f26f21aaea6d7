#include "policy/authoring/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/authoring/rows.h"
#include "policy/authoring/schema.h"

#define PATIENCE_MS 5000

static const char *const texts[] = {
#define X(name, text) text,
    LEDGER_SQL(X)
#undef X
};

const int ledger_version = (int)COUNT(migrations);

struct ledger {
    sqlite3      *database;
    sqlite3_stmt *statements[LEDGER_SQL_COUNT];
};

static enum err refuse(struct ledger *l, struct error *e)
{
    int code = sqlite3_errcode(l->database);

    return fail(e,
                code == SQLITE_FULL   ? ERR_FULL
                : code == SQLITE_BUSY ? ERR_AGAIN
                                      : ERR_IO,
                "the site's database: %s", sqlite3_errmsg(l->database));
}

static enum err execute(struct ledger *l, const char *sql, struct error *e)
{
    return sqlite3_exec(l->database, sql, NULL, NULL, NULL) ? refuse(l, e) : OK;
}

static enum err migrate(struct ledger *l, struct error *e)
{
    sqlite3_stmt *q;
    int           seen = 0;
    enum err      code = OK;

    if (!sqlite3_prepare_v2(l->database, "PRAGMA user_version", -1, &q, NULL) && sqlite3_step(q) == SQLITE_ROW)
        seen = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    if (seen > (int)COUNT(migrations))
        return fail(e, ERR_CONDITION, "the site's database was made by a newer Ferry (version %d, this one knows %zu)", seen,
                    COUNT(migrations));
    for (; seen < (int)COUNT(migrations) && !code; seen++) {
        char *sql = must_print("BEGIN; %s PRAGMA user_version = %d; COMMIT;", migrations[seen], seen + 1);
        code = execute(l, sql, e);
        free(sql);
    }
    return code;
}

static enum err open_at(const char *path, struct ledger **out, struct error *e)
{
    struct ledger *l = must_alloc(sizeof *l);
    int            code = sqlite3_open_v2(path, &l->database, SQLITE_OPEN_READWRITE, NULL);
    enum err       result;

    ledger_patience(l, PATIENCE_MS);
    result = code ? fail(e, ERR_IO, "%s: %s", path, sqlite3_errmsg(l->database))
                  : execute(l, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;", e);
    result = result ? result : migrate(l, e);
    for (size_t i = 0; i < LEDGER_SQL_COUNT && !result; i++)
        if (sqlite3_prepare_v3(l->database, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &l->statements[i], NULL))
            result = refuse(l, e);
    if (result)
        ledger_close(l);
    else
        *out = l;
    return result;
}

void ledger_patience(struct ledger *l, int ms)
{
    sqlite3_busy_timeout(l->database, ms);
}

enum err ledger_open(const char *path, struct ledger **out, struct error *e)
{
    if (!file_exists(path))
        return fail(e, ERR_NOT_FOUND, "%s: there is no site here; `ferry site init` makes one", path);
    return open_at(path, out, e);
}

/* The files beside it (-wal, -shm) take its mode from it. */
static enum err make_private(const char *path, struct error *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return fail(e, ERR_EXISTS, "%s: a site is here already", path);
    if (fd < 0)
        return fail_errno(e, "%s", path);
    close(fd);
    return OK;
}

enum err ledger_create(const char *path, const char *name, const char *site_id, const uint8_t seal_public[32], struct error *e)
{
    struct ledger *l;
    char           seal[65];
    enum err       code = make_private(path, e);

    code = code ? code : open_at(path, &l, e);
    if (code)
        return code;
    hex_encode(seal_public, 32, seal);
    code = ledger_set(l, "site.name", name, e);
    code = code ? code : ledger_set(l, "site.id", site_id, e);
    code = code ? code : ledger_set(l, "site.seal", seal, e);
    ledger_close(l);
    return code;
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < LEDGER_SQL_COUNT; i++)
        sqlite3_finalize(l->statements[i]);
    sqlite3_close(l->database);
    free(l);
}

char *ledger_setting(struct ledger *l, const char *name)
{
    json_t *row = rows_one(l, LEDGER_SETTING, "s", name);
    char   *value = must_copy(json_string_value(json_object_get(row, "value")));

    json_decref(row);
    return value;
}

enum err ledger_set(struct ledger *l, const char *name, const char *value, struct error *e)
{
    return rows_run(l, LEDGER_SETTING_PUT, e, "ss", name, value);
}

/* --- rows --- */

static json_t *column(sqlite3_stmt *q, int i, const char *kind)
{
    const char *text = (const char *)sqlite3_column_text(q, i);
    char        time[TIME_SIZE];
    json_t     *value = NULL;

    if (sqlite3_column_type(q, i) == SQLITE_NULL)
        return json_null();
    if (*kind == 't')
        return json_string(sqlite3_column_int64(q, i) ? time_print(sqlite3_column_int64(q, i), time) : "");
    if (*kind == 'b')
        return json_boolean(sqlite3_column_int64(q, i));
    if (*kind == 'j')
        value = json_loads(text, JSON_DECODE_ANY, NULL);
    else if (sqlite3_column_type(q, i) == SQLITE_INTEGER)
        value = json_integer(sqlite3_column_int64(q, i));
    else
        value = json_string(text);
    return value ? value : json_null();
}

static json_t *row(sqlite3_stmt *q)
{
    json_t *o = json_object();

    for (int i = 0; i < sqlite3_column_count(q); i++) {
        char  name[64];
        char *kind;
        snprintf(name, sizeof name, "%s", sqlite3_column_name(q, i));
        kind = strchr(name, '!');
        if (kind)
            *kind++ = 0;
        json_object_set_new(o, name, column(q, i, kind ? kind : ""));
    }
    return o;
}

static sqlite3_stmt *bind(struct ledger *l, enum ledger_sql which, const char *format, va_list args)
{
    sqlite3_stmt *q = l->statements[which];

    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    for (int i = 1; *format; format++, i++)
        if (*format == 's')
            sqlite3_bind_text(q, i, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
        else
            sqlite3_bind_int64(q, i, va_arg(args, int64_t));
    return q;
}

enum err rows_run(struct ledger *l, enum ledger_sql which, struct error *e, const char *format, ...)
{
    va_list       args;
    sqlite3_stmt *q;
    int           code;
    enum err      result;

    va_start(args, format);
    q = bind(l, which, format, args);
    va_end(args);
    code = sqlite3_step(q);
    result = code == SQLITE_DONE || code == SQLITE_ROW ? OK : refuse(l, e);
    sqlite3_reset(q);
    return result;
}

static enum err collect(struct ledger *l, sqlite3_stmt *q, json_t **out, struct error *e)
{
    json_t  *list = json_array();
    int      code;
    enum err result = OK;

    while ((code = sqlite3_step(q)) == SQLITE_ROW)
        json_array_append_new(list, row(q));
    if (code != SQLITE_DONE)
        result = refuse(l, e);
    sqlite3_reset(q);
    if (result)
        json_decref(list);
    else
        *out = list;
    return result;
}

enum err rows_all(struct ledger *l, enum ledger_sql which, json_t **out, struct error *e, const char *format, ...)
{
    va_list       args;
    sqlite3_stmt *q;

    va_start(args, format);
    q = bind(l, which, format, args);
    va_end(args);
    return collect(l, q, out, e);
}

enum err rows_each(struct ledger *l, enum ledger_sql which, void (*fn)(void *ctx, const json_t *row), void *ctx, struct error *e,
                   const char *format, ...)
{
    va_list       args;
    sqlite3_stmt *q;
    int           code;
    enum err      result;

    va_start(args, format);
    q = bind(l, which, format, args);
    va_end(args);
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        json_t *one = row(q);
        fn(ctx, one);
        json_decref(one);
    }
    result = code == SQLITE_DONE ? OK : refuse(l, e);
    sqlite3_reset(q);
    return result;
}

json_t *rows_one(struct ledger *l, enum ledger_sql which, const char *format, ...)
{
    va_list       args;
    sqlite3_stmt *q;
    json_t       *out = NULL;

    va_start(args, format);
    q = bind(l, which, format, args);
    va_end(args);
    if (sqlite3_step(q) == SQLITE_ROW)
        out = row(q);
    sqlite3_reset(q);
    return out;
}

int64_t rows_number(struct ledger *l, enum ledger_sql which, const char *format, ...)
{
    va_list       args;
    sqlite3_stmt *q;
    int64_t       n = 0;

    va_start(args, format);
    q = bind(l, which, format, args);
    va_end(args);
    if (sqlite3_step(q) == SQLITE_ROW)
        n = sqlite3_column_int64(q, 0);
    sqlite3_reset(q);
    return n;
}

enum err rows_found(struct ledger *l, const char *sql, const json_t *parameters, json_t **out, struct error *e)
{
    sqlite3_stmt *q;
    enum err      code;

    if (sqlite3_prepare_v2(l->database, sql, -1, &q, NULL))
        return refuse(l, e);
    for (size_t i = 0; i < json_array_size(parameters); i++) {
        const json_t *p = json_array_get(parameters, i);
        if (json_is_string(p))
            sqlite3_bind_text(q, (int)i + 1, json_string_value(p), -1, SQLITE_STATIC);
        else
            sqlite3_bind_int64(q, (int)i + 1, json_integer_value(p));
    }
    code = collect(l, q, out, e);
    sqlite3_finalize(q);
    return code;
}

enum err ledger_begin(struct ledger *l, struct error *e)
{
    return execute(l, "BEGIN IMMEDIATE", e);
}

enum err ledger_back(struct ledger *l, struct error *e)
{
    return sqlite3_get_autocommit(l->database) ? OK : execute(l, "ROLLBACK", e);
}

enum err ledger_end(struct ledger *l, enum err so_far, struct error *e)
{
    if (!so_far)
        so_far = execute(l, "COMMIT", e);
    if (so_far)
        ledger_back(l, NULL);
    return so_far;
}

int64_t ledger_changes(struct ledger *l)
{
    return sqlite3_changes(l->database);
}

enum err no_such_of(const json_t *rows, const char *what, const char *name, struct error *e)
{
    size_t       n = json_array_size(rows);
    const char **candidates = must_alloc((n + 1) * sizeof *candidates), *near;
    enum err     code;

    for (size_t i = 0; i < n; i++)
        candidates[i] = json_string_value(json_object_get(json_array_get(rows, i), "name"));
    near = nearest(name, candidates, n);
    code = fail(e, ERR_NOT_FOUND, "no such %s: \"%s\"%s%s%s", what, name, near ? "; did you mean \"" : "", near ? near : "",
                near ? "\"?" : "");
    free(candidates);
    return code;
}

enum err no_such(struct ledger *l, enum ledger_sql names, const char *what, const char *name, struct error *e)
{
    json_t  *list = NULL;
    enum err code = rows_all(l, names, &list, NULL, "") ? fail(e, ERR_NOT_FOUND, "no such %s: \"%s\"", what, name)
                                                        : no_such_of(list, what, name, e);

    json_decref(list);
    return code;
}
