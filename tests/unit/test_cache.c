/* cache.c: trusted only while untouched; room is made from the oldest, never from what is young or needed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"
#include "node/store/cache.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define DAY 86400

struct place {
    char          dir[64];
    struct store *store;
    struct cache *cache;
};

static int begin(void **state)
{
    struct place *p = must_alloc(sizeof *p);
    char          path[96];

    snprintf(p->dir, sizeof p->dir, "/tmp/ferry-test-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(path, sizeof path, "%s/store.db", p->dir);
    assert_int_equal(store_open(path, &p->store, NULL), OK);
    assert_int_equal(cache_open(p->dir, p->store, &p->cache, NULL), OK);
    *state = p;
    return 0;
}

static int end(void **state)
{
    struct place *p = *state;

    cache_close(p->cache);
    store_close(p->store);
    file_remove(p->dir, NULL);
    free(p);
    return 0;
}

static struct sha256 keep(struct place *p, const char *text)
{
    struct sha256 h = hash_bytes(text, strlen(text));
    char          path[200];

    cache_path(p->cache, &h, path, sizeof path);
    assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), OK);
    assert_false(cache_has(p->cache, &h, strlen(text)));        /* a file alone is nothing */
    assert_int_equal(cache_keep(p->cache, &h, NULL), OK);
    return h;
}

static void test_untouched(void **state)
{
    struct place *p = *state;
    struct sha256 h = keep(p, "hello");
    size_t        count = 0;
    char          path[200];

    assert_true(cache_has(p->cache, &h, 5));
    assert_false(cache_has(p->cache, &h, 6));
    assert_int_equal(cache_used(p->cache, &count), 5);
    assert_int_equal(count, 1);
    cache_path(p->cache, &h, path, sizeof path);
    assert_int_equal(file_write(path, "hellO", 5, 0644, NULL), OK);     /* same size, other bytes */
    assert_false(cache_has(p->cache, &h, 5));
    cache_forget(p->cache, &h);
    assert_false(file_exists(path));
    assert_int_equal(cache_used(p->cache, NULL), 0);
}

static bool needs(void *ctx, const struct sha256 *h)
{
    return sha256_same(ctx, h);
}

/* More than any disk has: everything that may go, goes; then it is refused. */
static void test_room(void **state)
{
    struct place *p = *state;
    struct sha256 needed = keep(p, "needed"), old = keep(p, "old"), young = keep(p, "young");
    struct error  e = {0};
    int64_t       now = clock_now();

    assert_int_equal(cache_room(p->cache, 1, now, needs, &needed, &e), OK);
    assert_true(cache_has(p->cache, &old, 3));
    cache_touch(p->cache, &needed, now - 3 * DAY);
    cache_touch(p->cache, &old, now - 2 * DAY);
    assert_int_equal(cache_room(p->cache, UINT64_MAX / 4, now, needs, &needed, &e), ERR_FULL);
    assert_true(cache_has(p->cache, &needed, 6));
    assert_true(cache_has(p->cache, &young, 5));
    assert_false(cache_has(p->cache, &old, 3));
}

static void count_evicted(void *ctx, const struct sha256 *h)
{
    (void)h;
    (*(int *)ctx)++;
}

/* Touched while the clock was ten years ahead: it is not young for ten years. */
static void test_ahead(void **state)
{
    struct place *p = *state;
    struct sha256 far = keep(p, "far"), near = keep(p, "near"), needed = keep(p, "needed");
    int64_t       now = clock_now();

    cache_touch(p->cache, &far, now + 3650 * DAY);
    cache_touch(p->cache, &near, now + DAY / 2);
    cache_trim(p->cache, 0, now, needs, &needed);
    assert_false(cache_has(p->cache, &far, 3));
    assert_true(cache_has(p->cache, &near, 4));
}

/* The limit is for what nobody needs: oldest first, no more than has to go, never what is young. */
static void test_trim(void **state)
{
    struct place *p = *state;
    struct sha256 needed = keep(p, "needed"), older = keep(p, "older"), old = keep(p, "old"), young = keep(p, "young");
    int64_t       now = clock_now();
    int           evicted = 0;

    cache_on_evicted(p->cache, count_evicted, &evicted);
    cache_touch(p->cache, &needed, now - 9 * DAY);
    cache_touch(p->cache, &older, now - 3 * DAY);
    cache_touch(p->cache, &old, now - 2 * DAY);
    cache_trim(p->cache, 13, now, needs, &needed);      /* older 5, old 3, young 5 */
    assert_int_equal(evicted, 0);
    cache_trim(p->cache, 12, now, needs, &needed);
    assert_int_equal(evicted, 1);
    assert_false(cache_has(p->cache, &older, 5));
    assert_true(cache_has(p->cache, &old, 3));
    cache_trim(p->cache, 0, now, needs, &needed);
    assert_int_equal(evicted, 2);
    assert_false(cache_has(p->cache, &old, 3));
    assert_true(cache_has(p->cache, &young, 5));
    assert_true(cache_has(p->cache, &needed, 6));
    cache_trim(p->cache, 0, now + DAY, needs, &needed);
    assert_false(cache_has(p->cache, &young, 5));
    assert_true(cache_has(p->cache, &needed, 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_untouched, begin, end),
        cmocka_unit_test_setup_teardown(test_room, begin, end),
        cmocka_unit_test_setup_teardown(test_trim, begin, end),
        cmocka_unit_test_setup_teardown(test_ahead, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
