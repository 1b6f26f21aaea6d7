/* Every SQL text of the node, by name. Inside node/store only. */
#ifndef FERRY_NODE_STORE_SQL_H
#define FERRY_NODE_STORE_SQL_H

#include "node/store/store.h"

struct sqlite3_stmt;

#define SQL_LIST(X) \
    X(VALUE, "SELECT value FROM value WHERE name = ?1") \
    X(VALUE_PUT, "INSERT INTO value VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2") \
    X(BLOB, "SELECT bytes FROM blob WHERE kind = ?1 AND name = ?2") \
    X(BLOB_PUT, "INSERT INTO blob VALUES(?1, ?2, ?3) ON CONFLICT(kind, name) DO UPDATE SET bytes = ?3") \
    X(BLOB_DROP, "DELETE FROM blob WHERE kind = ?1 AND name = ?2") \
    X(BLOB_NAMES, "SELECT name FROM blob WHERE kind = ?1 ORDER BY name") \
    X(JOB, "SELECT * FROM job WHERE update_id = ?1") \
    X(JOB_PUT, "REPLACE INTO job VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)") \
    X(JOBS, "SELECT * FROM job ORDER BY update_id") \
    X(BYTES, "SELECT * FROM bytes WHERE name = ?1") \
    X(BYTES_PUT, "REPLACE INTO bytes VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)") \
    X(BYTES_ALL, "SELECT * FROM bytes ORDER BY changed") \
    X(PIECE_PUT, "REPLACE INTO piece VALUES(?1, ?2, ?3, ?4)") \
    X(PIECES, "SELECT piece, source, size FROM piece WHERE name = ?1 ORDER BY piece") \
    X(PIECES_DROP, "DELETE FROM piece WHERE name = ?1") \
    X(SERIAL_NEXT, "UPDATE value SET value = CAST(value AS INTEGER) + 1 WHERE name = 'serial' RETURNING value") \
    X(SERIAL_LAST, "SELECT CAST(value AS INTEGER) FROM value WHERE name = 'serial'") \
    X(OUTBOX_PUT, "INSERT INTO outbox VALUES(?1, ?2)") \
    X(OUTBOX, "SELECT serial, body FROM outbox ORDER BY serial LIMIT ?1") \
    X(OUTBOX_DROP, "DELETE FROM outbox WHERE serial <= ?1") \
    X(OUTBOX_COUNT, "SELECT count(*) FROM outbox") \
    X(CONTENT, "SELECT size, inode, mtime, ctime FROM content WHERE name = ?1") \
    X(CONTENT_PUT, "REPLACE INTO content VALUES(?1, ?2, ?3, ?4, ?5, ?6)") \
    X(CONTENT_DROP, "DELETE FROM content WHERE name = ?1") \
    X(CONTENT_TOUCH, "UPDATE content SET referenced = ?2 WHERE name = ?1") \
    X(CONTENT_ALL, "SELECT name, size, referenced FROM content ORDER BY referenced") \
    X(CONTENT_USED, "SELECT coalesce(sum(size), 0), count(*) FROM content")

enum sql {
#define X(name, text) SQL_##name,
    SQL_LIST(X)
#undef X
    SQL_COUNT
};

struct sqlite3_stmt *store_sql(struct store *, enum sql);          /* reset, bindings cleared */
enum err             store_run(struct store *, struct sqlite3_stmt *, struct error *);
bool                 store_nested(struct store *);                 /* somebody's transaction is open: what is done now joins it */

#endif
