/* Message and serial number are one transaction, the caller's if there is one: a state and the message that tells it are durable together.
 */
#include "node/store/outbox.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/store/sql.h"

static enum err next_serial(struct store *s, int64_t *serial, struct error *e)
{
    sqlite3_stmt *q = store_sql(s, SQL_SERIAL_NEXT);
    int           code = sqlite3_step(q);

    if (code == SQLITE_ROW) {
        *serial = sqlite3_column_int64(q, 0);
        code = sqlite3_step(q);
    } else {
        code = SQLITE_ERROR;
    }
    sqlite3_reset(q);
    return code == SQLITE_DONE ? OK : fail(e, ERR_IO, "the node's store gave no serial number");
}

static enum err insert(struct store *s, int64_t now, int64_t number, json_t *body, struct error *e)
{
    sqlite3_stmt *q = store_sql(s, SQL_OUTBOX_PUT);
    char         *text;
    enum err      code;

    json_object_set_new(body, "serial", json_integer(number));
    json_object_set_new(body, "time", json_integer(now));
    text = json_dumps(body, JSON_COMPACT);
    sqlite3_bind_int64(q, 1, number);
    sqlite3_bind_text(q, 2, text, -1, SQLITE_STATIC);
    code = store_run(s, q, e);
    free(text);
    return code;
}

enum err outbox_put(struct store *s, int64_t now, json_t *body, int64_t *serial, struct error *e)
{
    int64_t  number = 0;
    bool     nested = store_nested(s);          /* then the outermost end decides */
    enum err code = nested ? OK : store_begin(s, e);

    if (!code) {
        code = next_serial(s, &number, e);
        code = code ? code : insert(s, now, number, body, e);
        code = nested ? code : store_end(s, code, e);
    }
    json_decref(body);
    if (!code && serial)
        *serial = number;
    return code;
}

json_t *outbox_batch(struct store *s, size_t most, size_t bytes, int64_t *first, int64_t *last)
{
    sqlite3_stmt *q = store_sql(s, SQL_OUTBOX);
    json_t       *list = json_array();
    size_t        sum = 0;

    sqlite3_bind_int64(q, 1, (sqlite3_int64)most);
    while (sum < bytes && sqlite3_step(q) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(q, 1);
        size_t      length = (size_t)sqlite3_column_bytes(q, 1);
        json_t     *body = json_loadb(text, length, 0, NULL);

        if (!body)
            continue;
        if (!json_array_size(list))
            *first = sqlite3_column_int64(q, 0);
        *last = sqlite3_column_int64(q, 0);
        json_array_append_new(list, body);
        sum += length;
    }
    sqlite3_reset(q);
    if (json_array_size(list))
        return list;
    json_decref(list);
    return NULL;
}

enum err outbox_acknowledged(struct store *s, int64_t serial, struct error *e)
{
    sqlite3_stmt *q = store_sql(s, SQL_OUTBOX_DROP);

    sqlite3_bind_int64(q, 1, serial);
    return store_run(s, q, e);
}

static int64_t number_of(struct store *s, enum sql which)
{
    sqlite3_stmt *q = store_sql(s, which);
    int64_t       n = sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;

    sqlite3_reset(q);
    return n;
}

int64_t outbox_waiting(struct store *s)
{
    return number_of(s, SQL_OUTBOX_COUNT);
}

int64_t outbox_last(struct store *s)
{
    return number_of(s, SQL_SERIAL_LAST);
}
