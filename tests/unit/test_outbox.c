/* outbox.c: serials rise without gaps, batches are oldest first and bounded, what is acknowledged is gone, nothing is lost by a restart. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/store/outbox.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

struct place {
    char          dir[64], path[96];
    struct store *store;
};

static int begin(void **state)
{
    struct place *p = must_alloc(sizeof *p);

    snprintf(p->dir, sizeof p->dir, "/tmp/ferry-test-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/store.db", p->dir);
    assert_int_equal(store_open(p->path, &p->store, NULL), OK);
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

static int64_t put(struct place *p, const char *text)
{
    int64_t serial = 0;

    assert_int_equal(outbox_put(p->store, 1700000000, json_pack("{s:s}", "topic", text), &serial, NULL), OK);
    return serial;
}

static void test_order(void **state)
{
    struct place *p = *state;
    int64_t       first = 0, last = 0, one = put(p, "a");
    json_t       *batch;

    assert_int_equal(put(p, "b"), one + 1);
    store_close(p->store);
    assert_int_equal(store_open(p->path, &p->store, NULL), OK);
    assert_int_equal(put(p, "c"), one + 2);
    assert_int_equal(outbox_waiting(p->store), 3);
    batch = outbox_batch(p->store, 2, 1 << 20, &first, &last);
    assert_int_equal(json_array_size(batch), 2);
    assert_int_equal(first, one);
    assert_int_equal(last, one + 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(batch, 1), "topic")), "b");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(batch, 1), "serial")), one + 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(batch, 1), "time")), 1700000000);
    json_decref(batch);
    assert_int_equal(outbox_acknowledged(p->store, one + 1, NULL), OK);
    assert_int_equal(outbox_waiting(p->store), 1);
    assert_int_equal(outbox_acknowledged(p->store, one + 2, NULL), OK);
    assert_null(outbox_batch(p->store, 2, 1 << 20, &first, &last));
    assert_int_equal(put(p, "d"), one + 3);
}

static void test_bytes(void **state)
{
    struct place *p = *state;
    int64_t       first, last;
    json_t       *batch;

    for (int i = 0; i < 20; i++)
        put(p, "0123456789012345678901234567890123456789");
    batch = outbox_batch(p->store, 500, 300, &first, &last);
    assert_in_range(json_array_size(batch), 3, 4);
    json_decref(batch);
    batch = outbox_batch(p->store, 500, 1, &first, &last);     /* one at least, however large */
    assert_int_equal(json_array_size(batch), 1);
    json_decref(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, begin, end),
        cmocka_unit_test_setup_teardown(test_bytes, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
