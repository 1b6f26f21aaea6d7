/* Opening, migrating and asking. The texts are in sql.h; a migration is one more entry at the end of `migrations`, never a change of an
 * older one. */
#include "node/store/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/store/sql.h"

static const char *const migrations[] = {
    "CREATE TABLE value(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE blob(kind TEXT, name TEXT, bytes BLOB NOT NULL, PRIMARY KEY(kind, name)) WITHOUT ROWID;"
    "CREATE TABLE job(update_id TEXT PRIMARY KEY, deployment TEXT, state TEXT, reason TEXT, code INTEGER, attempts INTEGER, last_attempt "
    "INTEGER,"
    " changed INTEGER, user_asked INTEGER, restart_pending INTEGER, detail TEXT) WITHOUT ROWID;"
    "CREATE TABLE bytes(name BLOB PRIMARY KEY, size INTEGER, http INTEGER, peers INTEGER, cache INTEGER, origin INTEGER, waste INTEGER,"
    " complete INTEGER, changed INTEGER) WITHOUT ROWID;"
    "CREATE TABLE piece(name BLOB, piece INTEGER, source INTEGER, size INTEGER, PRIMARY KEY(name, piece)) WITHOUT ROWID;"
    "CREATE TABLE outbox(serial INTEGER PRIMARY KEY, body TEXT NOT NULL);"
    "CREATE TABLE content(name BLOB PRIMARY KEY, size INTEGER, inode INTEGER, mtime INTEGER, ctime INTEGER, referenced INTEGER) WITHOUT "
    "ROWID;",

    /* What the user chose, and what the user was told. */
    "ALTER TABLE job ADD COLUMN user_at INTEGER DEFAULT 0; ALTER TABLE job ADD COLUMN postponed_until INTEGER DEFAULT 0;"
    "ALTER TABLE job ADD COLUMN batched INTEGER DEFAULT 0; ALTER TABLE job ADD COLUMN offered TEXT DEFAULT '';"
    "ALTER TABLE job ADD COLUMN reminded INTEGER DEFAULT 0;",
};

static const char *const texts[] = {
#define X(name, text) text,
    SQL_LIST(X)
#undef X
};

struct store {
    sqlite3      *database;
    sqlite3_stmt *statements[SQL_COUNT];
};

struct sqlite3_stmt *store_sql(struct store *s, enum sql which)
{
    sqlite3_stmt *q = s->statements[which];

    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return q;
}

enum err store_run(struct store *s, struct sqlite3_stmt *q, struct error *e)
{
    int      code = sqlite3_step(q);
    enum err result = OK;

    if (code != SQLITE_DONE && code != SQLITE_ROW)
        result = fail(e, code == SQLITE_FULL ? ERR_FULL : ERR_IO, "the node's store: %s", sqlite3_errmsg(s->database));
    sqlite3_reset(q);
    return result;
}

/* sqlite's verdict on the file itself, as far as it changes what is to be done. */
static enum err refuse(struct store *s, bool *damaged, struct error *e)
{
    int code = sqlite3_errcode(s->database);

    *damaged = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
    return fail(e, code == SQLITE_FULL ? ERR_FULL : ERR_IO, "the node's store: %s", sqlite3_errmsg(s->database));
}

static int run_text(struct store *s, const char *text)
{
    return sqlite3_exec(s->database, text, NULL, NULL, NULL);
}

static int64_t version_of(struct store *s)
{
    sqlite3_stmt *q = NULL;
    int64_t       version = -1;

    if (sqlite3_prepare_v2(s->database, "PRAGMA user_version", -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        version = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return version;
}

/* Each migration and its number are one transaction. */
static enum err migrate(struct store *s, bool *damaged, struct error *e)
{
    int64_t version = version_of(s);
    char    number[64];

    if (version < 0)
        return refuse(s, damaged, e);
    if (version > (int64_t)COUNT(migrations))
        return fail(e, ERR_CONDITION,
                    "the node's store was written by a newer ferryd (version %lld, this one knows %zu): install that one again",
                    (long long)version, COUNT(migrations));
    for (size_t i = (size_t)version; i < COUNT(migrations); i++) {
        snprintf(number, sizeof number, "PRAGMA user_version = %zu", i + 1);
        if (run_text(s, "BEGIN IMMEDIATE") || run_text(s, migrations[i]) || run_text(s, number) || run_text(s, "COMMIT"))
            return refuse(s, damaged, e);
    }
    return OK;
}

/* Reading the schema and checking a page of each table finds what is not a database; the rest is found when it is read. */
static enum err prepare(struct store *s, bool *damaged, struct error *e)
{
    enum err code;

    if (run_text(s, "PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"))
        return refuse(s, damaged, e);
    code = migrate(s, damaged, e);
    for (size_t i = 0; i < SQL_COUNT && !code; i++)
        if (sqlite3_prepare_v3(s->database, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL))
            code = refuse(s, damaged, e);
    return code;
}

static enum err open_once(const char *path, struct store **out, bool *damaged, struct error *e)
{
    struct store *s = must_alloc(sizeof *s);
    mode_t        before = umask(077);          /* -wal and -shm get the file's mode */
    int           code = sqlite3_open(path, &s->database);
    enum err      result;

    result = code ? fail(e, ERR_IO, "%s: %s", path, sqlite3_errmsg(s->database)) : prepare(s, damaged, e);
    umask(before);
    if (!result && chmod(path, 0600))
        result = fail_errno(e, "%s", path);
    if (result)
        store_close(s);
    else
        *out = s;
    return result;
}

/* Serial numbers have to rise for ever, also when the store was lost: a fresh one begins above whatever an older one can have reached in
 * the life of the node. The site takes a node's oldest waiting message as its beginning. */
static enum err first_serial(struct store *s, struct error *e)
{
    char     text[32], *have = store_get(s, "serial");
    enum err code = OK;

    snprintf(text, sizeof text, "%lld", (long long)clock_now() << 20);
    if (!have)
        code = store_set(s, "serial", text, e);
    free(have);
    return code;
}

/* The log goes along: a fresh database must never meet the old one's. */
static enum err move_aside(const char *path, struct error *e)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    long long                now = clock_now();

    for (size_t i = 0; i < COUNT(parts); i++) {
        AUTO(text_free) char *from = must_print("%s%s", path, parts[i]);
        AUTO(text_free) char *to = must_print("%s.broken-%lld%s", path, now, parts[i]);

        if (file_exists(from) && rename(from, to))
            return fail_errno(e, "%s", to);
    }
    return OK;
}

enum err store_open(const char *path, struct store **out, struct error *e)
{
    struct error why = {0};
    bool         damaged = false;
    enum err     code = open_once(path, out, &damaged, &why);

    if (damaged) {
        log_error(LOG_WRONG, "store.broken",
                  "the node's store is damaged; it is moved aside and a fresh one is made, messages that were waiting in it are lost",
                  &why);
        code = move_aside(path, &why);
        code = code ? code : open_once(path, out, &damaged, &why);
    }
    if (code)
        return fail(e, code, "%s: %s", path, why.text);
    code = first_serial(*out, e);
    if (code)
        store_close(*out);
    return code;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(s->statements[i]);
    sqlite3_close(s->database);
    free(s);
}

char *store_get(struct store *s, const char *name)
{
    sqlite3_stmt *q = store_sql(s, SQL_VALUE);
    char         *value = NULL;

    sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
    if (sqlite3_step(q) == SQLITE_ROW)
        value = must_copy((const char *)sqlite3_column_text(q, 0));
    sqlite3_reset(q);
    return value;
}

enum err store_set(struct store *s, const char *name, const char *value, struct error *e)
{
    sqlite3_stmt *q = store_sql(s, SQL_VALUE_PUT);

    sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, value, -1, SQLITE_STATIC);
    return store_run(s, q, e);
}

enum err store_blob(struct store *s, const char *kind, const char *name, char **out, size_t *length, struct error *e)
{
    sqlite3_stmt *q = store_sql(s, SQL_BLOB);
    int           code;

    *out = NULL;
    sqlite3_bind_text(q, 1, kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, name, -1, SQLITE_STATIC);
    code = sqlite3_step(q);
    if (code == SQLITE_ROW) {
        *length = (size_t)sqlite3_column_bytes(q, 0);
        *out = must_alloc(*length + 1);
        if (*length)
            memcpy(*out, sqlite3_column_blob(q, 0), *length);
    }
    sqlite3_reset(q);
    return code == SQLITE_ROW || code == SQLITE_DONE ? OK : fail(e, ERR_IO, "the node's store: %s", sqlite3_errmsg(s->database));
}

enum err store_blob_put(struct store *s, const char *kind, const char *name, const char *bytes, size_t length, struct error *e)
{
    sqlite3_stmt *q = store_sql(s, SQL_BLOB_PUT);

    sqlite3_bind_text(q, 1, kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, name, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(q, 3, bytes, length, SQLITE_STATIC);
    return store_run(s, q, e);
}

enum err store_blob_drop(struct store *s, const char *kind, const char *name, struct error *e)
{
    sqlite3_stmt *q = store_sql(s, SQL_BLOB_DROP);

    sqlite3_bind_text(q, 1, kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, name, -1, SQLITE_STATIC);
    return store_run(s, q, e);
}

void store_blob_names(struct store *s, const char *kind, void (*each)(void *ctx, const char *name), void *ctx)
{
    sqlite3_stmt *q = store_sql(s, SQL_BLOB_NAMES);

    sqlite3_bind_text(q, 1, kind, -1, SQLITE_STATIC);
    while (sqlite3_step(q) == SQLITE_ROW)
        each(ctx, (const char *)sqlite3_column_text(q, 0));
    sqlite3_reset(q);
}

static void column_text(sqlite3_stmt *q, int column, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(q, column);

    snprintf(out, size, "%s", text ? (const char *)text : "");
}

static void job_read(sqlite3_stmt *q, struct job_row *out)
{
    column_text(q, 0, out->update, sizeof out->update);
    column_text(q, 1, out->deployment, sizeof out->deployment);
    column_text(q, 2, out->state, sizeof out->state);
    column_text(q, 3, out->reason, sizeof out->reason);
    out->code = sqlite3_column_int64(q, 4);
    out->attempts = sqlite3_column_int(q, 5);
    out->last_attempt = sqlite3_column_int64(q, 6);
    out->changed = sqlite3_column_int64(q, 7);
    out->user_asked = sqlite3_column_int(q, 8) != 0;
    out->restart_pending = sqlite3_column_int(q, 9) != 0;
    column_text(q, 10, out->detail, sizeof out->detail);
    out->user_at = sqlite3_column_int64(q, 11);
    out->postponed_until = sqlite3_column_int64(q, 12);
    out->batched = sqlite3_column_int(q, 13) != 0;
    column_text(q, 14, out->offered, sizeof out->offered);
    out->reminded = sqlite3_column_int64(q, 15);
}

bool store_job(struct store *s, const char *update, struct job_row *out)
{
    sqlite3_stmt *q = store_sql(s, SQL_JOB);
    bool          found;

    sqlite3_bind_text(q, 1, update, -1, SQLITE_STATIC);
    found = sqlite3_step(q) == SQLITE_ROW;
    if (found)
        job_read(q, out);
    sqlite3_reset(q);
    return found;
}

enum err store_job_put(struct store *s, const struct job_row *j, struct error *e)
{
    sqlite3_stmt *q = store_sql(s, SQL_JOB_PUT);

    sqlite3_bind_text(q, 1, j->update, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, j->deployment, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, j->state, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 4, j->reason, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 5, j->code);
    sqlite3_bind_int(q, 6, j->attempts);
    sqlite3_bind_int64(q, 7, j->last_attempt);
    sqlite3_bind_int64(q, 8, j->changed);
    sqlite3_bind_int(q, 9, j->user_asked);
    sqlite3_bind_int(q, 10, j->restart_pending);
    sqlite3_bind_text(q, 11, j->detail, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 12, j->user_at);
    sqlite3_bind_int64(q, 13, j->postponed_until);
    sqlite3_bind_int(q, 14, j->batched);
    sqlite3_bind_text(q, 15, j->offered, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 16, j->reminded);
    return store_run(s, q, e);
}

void store_jobs(struct store *s, void (*each)(void *ctx, const struct job_row *), void *ctx)
{
    sqlite3_stmt  *q = store_sql(s, SQL_JOBS);
    struct job_row row;

    while (sqlite3_step(q) == SQLITE_ROW) {
        job_read(q, &row);
        each(ctx, &row);
    }
    sqlite3_reset(q);
}

static void bytes_read(sqlite3_stmt *q, struct byte_row *out)
{
    memset(out, 0, sizeof *out);
    if (sqlite3_column_bytes(q, 0) == SHA256_SIZE)
        memcpy(out->name.b, sqlite3_column_blob(q, 0), SHA256_SIZE);
    out->size = (uint64_t)sqlite3_column_int64(q, 1);
    for (int i = 0; i < BYTES_KINDS; i++)
        out->from[i] = (uint64_t)sqlite3_column_int64(q, 2 + i);
    out->waste = (uint64_t)sqlite3_column_int64(q, 6);
    out->complete = sqlite3_column_int(q, 7) != 0;
    out->changed = sqlite3_column_int64(q, 8);
}

bool store_bytes(struct store *s, const struct sha256 *name, struct byte_row *out)
{
    sqlite3_stmt *q = store_sql(s, SQL_BYTES);
    bool          found;

    sqlite3_bind_blob(q, 1, name->b, SHA256_SIZE, SQLITE_STATIC);
    found = sqlite3_step(q) == SQLITE_ROW;
    if (found)
        bytes_read(q, out);
    sqlite3_reset(q);
    return found;
}

static enum err pieces_drop(struct store *s, const struct sha256 *name, struct error *e)
{
    sqlite3_stmt *q = store_sql(s, SQL_PIECES_DROP);

    sqlite3_bind_blob(q, 1, name->b, SHA256_SIZE, SQLITE_STATIC);
    return store_run(s, q, e);
}

static enum err bytes_put(struct store *s, const struct byte_row *r, struct error *e)
{
    sqlite3_stmt *q = store_sql(s, SQL_BYTES_PUT);
    enum err      code;

    sqlite3_bind_blob(q, 1, r->name.b, SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)r->size);
    for (int i = 0; i < BYTES_KINDS; i++)
        sqlite3_bind_int64(q, 3 + i, (sqlite3_int64)r->from[i]);
    sqlite3_bind_int64(q, 7, (sqlite3_int64)r->waste);
    sqlite3_bind_int(q, 8, r->complete);
    sqlite3_bind_int64(q, 9, r->changed);
    code = store_run(s, q, e);
    return code || !r->complete ? code : pieces_drop(s, &r->name, e);
}

enum err store_bytes_put(struct store *s, const struct byte_row *r, struct error *e)
{
    bool     nested = store_nested(s);
    enum err code = nested ? OK : store_begin(s, e);

    if (code)
        return code;
    code = bytes_put(s, r, e);
    return nested ? code : store_end(s, code, e);
}

void store_bytes_each(struct store *s, void (*each)(void *ctx, const struct byte_row *), void *ctx)
{
    sqlite3_stmt   *q = store_sql(s, SQL_BYTES_ALL);
    struct byte_row row;

    while (sqlite3_step(q) == SQLITE_ROW) {
        bytes_read(q, &row);
        each(ctx, &row);
    }
    sqlite3_reset(q);
}

enum err store_piece_put(struct store *s, const struct sha256 *name, uint32_t piece, enum bytes_from from, uint32_t size, struct error *e)
{
    sqlite3_stmt *q = store_sql(s, SQL_PIECE_PUT);

    sqlite3_bind_blob(q, 1, name->b, SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, piece);
    sqlite3_bind_int(q, 3, (int)from);
    sqlite3_bind_int64(q, 4, size);
    return store_run(s, q, e);
}

void store_pieces(struct store *s, const struct sha256 *name, void (*each)(void *ctx, uint32_t piece, enum bytes_from, uint32_t size),
                  void *ctx)
{
    sqlite3_stmt *q = store_sql(s, SQL_PIECES);

    sqlite3_bind_blob(q, 1, name->b, SHA256_SIZE, SQLITE_STATIC);
    while (sqlite3_step(q) == SQLITE_ROW)
        each(ctx, (uint32_t)sqlite3_column_int64(q, 0), (enum bytes_from)(sqlite3_column_int(q, 1) % BYTES_KINDS),
             (uint32_t)sqlite3_column_int64(q, 2));
    sqlite3_reset(q);
}

bool store_nested(struct store *s)
{
    return !sqlite3_get_autocommit(s->database);
}

enum err store_begin(struct store *s, struct error *e)
{
    return run_text(s, "BEGIN IMMEDIATE") ? fail(e, ERR_IO, "the node's store: %s", sqlite3_errmsg(s->database)) : OK;
}

enum err store_end(struct store *s, enum err so_far, struct error *e)
{
    if (!so_far && run_text(s, "COMMIT"))
        so_far = fail(e, ERR_IO, "the node's store: %s", sqlite3_errmsg(s->database));
    if (so_far && !sqlite3_get_autocommit(s->database))
        run_text(s, "ROLLBACK");
    return so_far;
}
