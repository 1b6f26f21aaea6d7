/* store.c: what is put is there after the process, a damaged file costs no start, transactions are whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/store/outbox.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdint.h>
#include <cmocka.h>

struct place {
    char          dir[64], path[96];
    struct store *store;
};

static void open_it(struct place *p)
{
    struct error e = {0};

    if (store_open(p->path, &p->store, &e))
        fail_msg("%s", e.text);
}

static int begin(void **state)
{
    struct place *p = must_alloc(sizeof *p);

    snprintf(p->dir, sizeof p->dir, "/tmp/ferry-test-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/store.db", p->dir);
    open_it(p);
    *state = p;
    return 0;
}

static int end(void **state)
{
    struct place *p = *state;

    store_close(p->store);
    file_remove(p->dir, NULL);
    free(p);
    return 0;
}

static void again(struct place *p)
{
    store_close(p->store);
    open_it(p);
}

static void test_values_and_blobs(void **state)
{
    struct place *p = *state;
    struct stat   info;
    char         *bytes;
    size_t        length = 0;

    assert_null(store_get(p->store, "node.id"));
    assert_int_equal(store_set(p->store, "node.id", "n1", NULL), OK);
    assert_int_equal(store_set(p->store, "node.id", "n2", NULL), OK);
    assert_int_equal(store_blob_put(p->store, "role", "root", "a\0b", 3, NULL), OK);
    assert_int_equal(store_blob_put(p->store, "role", "empty", "", 0, NULL), OK);
    again(p);
    bytes = store_get(p->store, "node.id");
    assert_string_equal(bytes, "n2");
    free(bytes);
    assert_int_equal(store_blob(p->store, "role", "root", &bytes, &length, NULL), OK);
    assert_int_equal(length, 3);
    assert_memory_equal(bytes, "a\0b", 4);
    free(bytes);
    assert_int_equal(store_blob_drop(p->store, "role", "root", NULL), OK);
    assert_int_equal(store_blob(p->store, "role", "root", &bytes, &length, NULL), OK);
    assert_null(bytes);
    assert_int_equal(stat(p->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void count_job(void *ctx, const struct job_row *row)
{
    assert_true(row->user_asked);
    (*(int *)ctx)++;
}

static void test_jobs(void **state)
{
    struct place  *p = *state;
    struct job_row row = {.update = "apt:demo:jq:1.6",
                          .deployment = "october",
                          .state = "fetching",
                          .reason = "downloading",
                          .code = -1,
                          .attempts = 2,
                          .user_asked = true,
                          .restart_pending = true,
                          .user_at = 11,
                          .postponed_until = 12,
                          .batched = true,
                          .offered = "october",
                          .reminded = 13},
                   back;
    int            n = 0;

    assert_int_equal(store_job_put(p->store, &row, NULL), OK);
    again(p);
    memset(&back, 0, sizeof back);
    assert_true(store_job(p->store, row.update, &back));
    assert_memory_equal(&back, &row, sizeof row);
    store_jobs(p->store, count_job, &n);
    assert_int_equal(n, 1);
    assert_false(store_job(p->store, "other", &back));
}

/* A store from before the user could choose a time. */
static void test_older_store(void **state)
{
    static const char *const columns[] = {"user_at", "postponed_until", "batched", "offered", "reminded"};
    struct place  *p = *state;
    struct job_row row = {.update = "u", .attempts = 3}, back;
    sqlite3       *raw;

    assert_int_equal(store_job_put(p->store, &row, NULL), OK);
    store_close(p->store);
    assert_int_equal(sqlite3_open(p->path, &raw), SQLITE_OK);
    for (size_t i = 0; i < COUNT(columns); i++) {
        AUTO(text_free) char *text = must_print("ALTER TABLE job DROP COLUMN %s", columns[i]);
        assert_int_equal(sqlite3_exec(raw, text, NULL, NULL, NULL), SQLITE_OK);
    }
    assert_int_equal(sqlite3_exec(raw, "PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(raw);
    open_it(p);
    memset(&back, 0, sizeof back);
    assert_true(store_job(p->store, "u", &back));
    assert_memory_equal(&back, &row, sizeof row);
    row.user_at = 5;
    assert_int_equal(store_job_put(p->store, &row, NULL), OK);
}

static void count_piece(void *ctx, uint32_t piece, enum bytes_from from, uint32_t size)
{
    assert_int_equal(from, BYTES_PEERS);
    assert_int_equal(size, 16384 + piece);
    (*(int *)ctx)++;
}

static void test_ledger(void **state)
{
    struct place   *p = *state;
    struct byte_row row = {.size = 100, .from = {40, 30, 20, 10}, .waste = 7}, back;
    int             n = 0;

    row.name = hash_bytes("x", 1);
    assert_int_equal(store_bytes_put(p->store, &row, NULL), OK);
    assert_int_equal(store_piece_put(p->store, &row.name, 0, BYTES_PEERS, 16384, NULL), OK);
    assert_int_equal(store_piece_put(p->store, &row.name, 1, BYTES_PEERS, 16385, NULL), OK);
    again(p);
    store_pieces(p->store, &row.name, count_piece, &n);
    assert_int_equal(n, 2);
    row.complete = true;
    assert_int_equal(store_bytes_put(p->store, &row, NULL), OK);
    assert_true(store_bytes(p->store, &row.name, &back));
    assert_true(back.complete && back.from[BYTES_HTTP] == 40 && back.from[BYTES_ORIGIN] == 10 && back.waste == 7);
    n = 0;
    store_pieces(p->store, &row.name, count_piece, &n);
    assert_int_equal(n, 0);
}

/* A state and the message that tells it: both or neither. */
static void test_transaction(void **state)
{
    struct place  *p = *state;
    struct job_row row = {.update = "u"}, back;
    int64_t        first, second;

    assert_int_equal(outbox_put(p->store, 1, json_object(), &first, NULL), OK);
    assert_int_equal(store_begin(p->store, NULL), OK);
    assert_int_equal(store_job_put(p->store, &row, NULL), OK);
    assert_int_equal(outbox_put(p->store, 1, json_object(), &second, NULL), OK);
    assert_int_equal(store_end(p->store, ERR_FULL, NULL), ERR_FULL);
    assert_false(store_job(p->store, "u", &back));
    assert_int_equal(outbox_waiting(p->store), 1);
    assert_int_equal(outbox_put(p->store, 1, json_object(), &second, NULL), OK);
    assert_int_equal(second, first + 1);
}

static void test_damaged(void **state)
{
    struct place *p = *state;
    int64_t       before, after;
    char          command[200];

    assert_int_equal(outbox_put(p->store, 1, json_object(), &before, NULL), OK);
    store_close(p->store);
    assert_int_equal(file_write(p->path, "this was a database once, and is none any more", 46, 0600, NULL), OK);
    open_it(p);
    assert_int_equal(outbox_waiting(p->store), 0);
    usleep(1000);
    assert_int_equal(outbox_put(p->store, 1, json_object(), &after, NULL), OK);
    assert_true(after >= before);
    snprintf(command, sizeof command, "ls %s/store.db.broken-* >/dev/null", p->dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values_and_blobs, begin, end), cmocka_unit_test_setup_teardown(test_jobs, begin, end),
        cmocka_unit_test_setup_teardown(test_older_store, begin, end),
        cmocka_unit_test_setup_teardown(test_ledger, begin, end),           cmocka_unit_test_setup_teardown(test_transaction, begin, end),
        cmocka_unit_test_setup_teardown(test_damaged, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
