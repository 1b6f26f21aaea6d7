/* For fuzzers of policy/authoring: tests/unit/desk.h's site with its ledger in memory (SQLite's memdb), which goes back to the same beginning
 * before each input; and what stands in its tables as one digest. */
#ifndef FERRY_TESTS_FUZZ_DESK_H
#define FERRY_TESTS_FUZZ_DESK_H

#include <sqlite3.h>

#include "tests/unit/desk.h"

#include "policy/authoring/rollout.h"

#define DESK_NODES 4
#define DESK_TABLES 60

struct fuzz_desk {
    struct desk  *desk;
    sqlite3      *ledger;                       /* the desk's own, seen from outside, with the beginning attached to it */
    sqlite3_stmt *wipe[DESK_TABLES], *fill[DESK_TABLES], *look[DESK_TABLES];
    size_t        tables;
    char          nodes[DESK_NODES][NODE_ID_SIZE];
};

static inline void fuzz_must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static inline sqlite3_stmt *fuzz_prepare(sqlite3 *db, const char *text, const char *table)
{
    char         *sql = sqlite3_mprintf(text, table, table);
    sqlite3_stmt *q = NULL;

    fuzz_must(sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK, sql);
    sqlite3_free(sql);
    return q;
}

static inline void fuzz_do(sqlite3 *db, const char *text, const char *table)
{
    sqlite3_stmt *q = fuzz_prepare(db, text, table);

    fuzz_must(sqlite3_step(q) == SQLITE_DONE, text);
    sqlite3_finalize(q);
}

static inline void fuzz_desk_end(void)
{
    /* The ledger goes with the process; what lies in /tmp would not. */
    char *dir = getenv("FERRY_FUZZ_DESK");

    if (dir)
        file_remove(dir, NULL);
}

/* till-0 … till-3 need curl, the group october has it, downloaded. dp-1 is till-3's; weekly is a rule, p a phased deployment. */
static inline void fuzz_desk_fill(struct fuzz_desk *f)
{
    struct desk *d = f->desk;

    desk_catalog(d);
    for (int i = 0; i < DESK_NODES; i++) {
        char name[24];
        snprintf(name, sizeof name, "till-%d", i);
        desk_node(d, name, f->nodes[i]);
        desk_status(d, f->nodes[i],
                    "[{'serial':1,'topic':'facts','facts':{'hostname':'till','memory.mib':2048,'boundary.group':'hq'}},"
                    "{'serial':2,'topic':'inventory','packages':[['curl','8.0','amd64','i','curl','8.0']]},"
                    "{'serial':3,'topic':'scan','scan':{'states':{'apt:debian:curl:8.1':['required',0]}}}]");
    }
    say(d, "boundary.add", "{'group':'hq','cidrs':['10.1.0.0/16']}");
    say(d, "dp.add", "{'name':'dp-1','url':'http://dp-1.example.org','node':'till-3'}");
    say(d, "collection.create", "{'name':'tills','rule':'hostname ~ till-*'}");
    say(d, "group.create", "{'name':'october','filter':'name = curl'}");
    desk_download(d, "october");
    say(d, "content.distribute", "{'name':'october','to':['dp-1']}");
    say(d, "deployment.create", "{'name':'october','group':'october','collection':'tills','purpose':'required','available':'now','deadline':'+2h'}");
    say(d, "rule.create", "{'name':'weekly','filter':'name in (curl, openssl)','schedule':'sunday 02:00','to':['dp-1']}");
    say(d, "search.save", "{'name':'mine','filter':'required >= 1'}");
}

static inline void fuzz_begin(struct fuzz_desk *f)
{
    sqlite3_stmt *names;

    fuzz_do(f->ledger, "ATTACH ':memory:' AS beginning", NULL);
    names = fuzz_prepare(f->ledger, "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%%' ORDER BY name", NULL);
    while (sqlite3_step(names) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(names, 0);
        fuzz_must(f->tables < DESK_TABLES, "more tables than expected");
        fuzz_do(f->ledger, "CREATE TABLE beginning.\"%w\" AS SELECT * FROM main.\"%w\"", name);
        f->wipe[f->tables] = fuzz_prepare(f->ledger, "DELETE FROM main.\"%w\"", name);
        f->fill[f->tables] = fuzz_prepare(f->ledger, "INSERT INTO main.\"%w\" SELECT * FROM beginning.\"%w\"", name);
        f->look[f->tables++] = fuzz_prepare(f->ledger, "SELECT * FROM main.\"%w\"", name);
    }
    sqlite3_finalize(names);
}

/* Once. Every database of this process lives in memory from now on. */
static inline struct fuzz_desk *fuzz_desk_open(void)
{
    struct fuzz_desk *f = must_alloc(sizeof *f);
    void             *desk = NULL;

    sqlite3_initialize();
    fuzz_must(sqlite3_vfs_register(sqlite3_vfs_find("memdb"), 1) == SQLITE_OK, "SQLite has no memdb");
    desk_open(&desk);
    f->desk = desk;
    /* In memory it went with the connection that had made it: only the schema was made again. */
    fuzz_must(!ledger_set(f->desk->a.ledger, "site.id", DESK_SITE, NULL) && !ledger_set(f->desk->a.ledger, "site.name", "hq", NULL) &&
                  !ledger_set(f->desk->a.ledger, "site.seal", "00", NULL),
              "no settings");
    setenv("FERRY_FUZZ_DESK", f->desk->dir, 1);
    atexit(fuzz_desk_end);
    fuzz_desk_fill(f);
    fuzz_must(sqlite3_open(f->desk->ledger_path, &f->ledger) == SQLITE_OK, "the ledger is not shared");
    fuzz_begin(f);
    return f;
}

/* Row by row: copied as a file, every statement of the ledger would have to be prepared again. */
static inline void fuzz_desk_again(struct fuzz_desk *f)
{
    fuzz_do(f->ledger, "BEGIN IMMEDIATE", NULL);
    for (size_t i = 0; i < f->tables; i++) {
        fuzz_must(sqlite3_step(f->wipe[i]) == SQLITE_DONE && sqlite3_step(f->fill[i]) == SQLITE_DONE, "no way back to the beginning");
        sqlite3_reset(f->wipe[i]);
        sqlite3_reset(f->fill[i]);
    }
    fuzz_do(f->ledger, "COMMIT", NULL);
    f->desk->a.now = DESK_NOW;
    f->desk->a.dry_run = f->desk->a.plan = false;
}

/* Of every row of every table, in the order they lie. */
static inline struct sha256 fuzz_desk_digest(struct fuzz_desk *f)
{
    struct text   all = {0};
    struct sha256 h;

    for (size_t i = 0; i < f->tables; i++) {
        while (sqlite3_step(f->look[i]) == SQLITE_ROW)
            for (int k = 0; k < sqlite3_column_count(f->look[i]); k++) {
                const void *bytes = sqlite3_column_blob(f->look[i], k);
                text_put(&all, bytes ? bytes : "", (size_t)sqlite3_column_bytes(f->look[i], k));
                text_put(&all, "", 1);
            }
        sqlite3_reset(f->look[i]);
    }
    h = hash_bytes(all.data, all.length);
    text_end(&all);
    return h;
}

static inline bool fuzz_same(struct sha256 a, struct sha256 b)
{
    return sha256_same(&a, &b);
}

/* The next line of data, NUL-terminated; NULL at the end. Caller frees. */
static inline char *fuzz_line(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size ? memchr(*data, '\n', *size) : NULL;
    size_t         n = end ? (size_t)(end - *data) : *size, step = n + (end != NULL);
    char          *line = *size ? must_alloc(n + 1) : NULL;

    if (line)
        memcpy(line, *data, n);
    *data += step;
    *size -= step;
    return line;
}

#endif
