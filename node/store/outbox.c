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

enum err outbox_put(struct store *s, int64_t now, json_t *body, int64_t *serial, struct error *e)
{
    sqlite3_stmt *q;
    char         *text = NULL;
    int64_t       number = 0;
    /* Nested in somebody's transaction this joins it: the outermost begin decides. */
    bool     own = !store_begin(s, NULL);
    enum err code = next_serial(s, &number, e);

    json_object_set_new(body, "serial", json_integer(number));
    json_object_set_new(body, "time", json_integer(now));
    text = json_dumps(body, JSON_COMPACT);
    if (!code) {
        q = store_sql(s, SQL_OUTBOX_PUT);
        sqlite3_bind_int64(q, 1, number);
        sqlite3_bind_text(q, 2, text, -1, SQLITE_STATIC);
        code = store_run(s, q, e);
    }
    if (own)
        code = store_end(s, code, e);
    free(text);
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
        size_t  length = (size_t)sqlite3_column_bytes(q, 1);
        json_t *body = json_loadb((const char *)sqlite3_column_text(q, 1), length, 0, NULL);

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

int64_t outbox_waiting(struct store *s)
{
    sqlite3_stmt *q = store_sql(s, SQL_OUTBOX_COUNT);
    int64_t       n = sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;

    sqlite3_reset(q);
    return n;
}
