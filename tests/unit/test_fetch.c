/* One branch of fetchers and its distribution points: what each does, and when something lies, is late or goes down. */
#include "tests/unit/fetch_lab.h"

static uint64_t http_bytes(int count)
{
    uint64_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += web_received(t.nodes[i].web);
    return sum;
}

static void alone_it_fetches_everything_at_once(void **state)
{
    (void)state;
    content_make(SIZE);
    dp_put(0);
    node_start(0, NULL);
    want(0, NO_ORIGIN);
    assert_true(until(here, 0, 15));
    is_balanced(0);
    assert_int_equal(progress(0).from[BYTES_HTTP], SIZE);
    assert_int_equal(progress(0).waste, 0);
    assert_int_equal(t.dps[1].asked + t.dps[2].asked, 0);
}

static void content_of_a_byte_comes_too(void **state)
{
    (void)state;
    content_make(1);
    dp_put(0);
    node_start(0, NULL);
    want(0, NO_ORIGIN);
    assert_true(until(here, 0, 15));
    is_balanced(0);
}

static bool three_here(int unused)
{
    (void)unused;
    return all_here(3);
}

static char *peers_of_all[NODES + 1];

static void start_branch(int count)
{
    static char text[NODES][32];
    for (int i = 0; i < count; i++) {
        snprintf(text[i], sizeof text[i], "127.8.0.%d:%d", i + 1, t.port);
        peers_of_all[i] = text[i];
    }
    peers_of_all[count] = NULL;
    for (int i = 0; i < count; i++)
        node_start(i, peers_of_all);
}

static void a_branch_fetches_each_byte_about_once(void **state)
{
    (void)state;
    content_make(SIZE);
    dp_put(0);
    t.dps[0].free_at = 1;
    start_branch(3);
    for (int i = 0; i < 3; i++)
        want(i, NO_ORIGIN);
    assert_true(until(three_here, 0, 30));
    for (int i = 0; i < 3; i++)
        is_balanced(i);
    print_message("HTTP bytes / content: %.3f\n", (double)http_bytes(3) / SIZE);
    assert_true(http_bytes(3) <= SIZE + SIZE / 10);
    for (int i = 0; i < 3; i++)
        assert_true(progress(i).from[BYTES_HTTP] > SIZE / 10);     /* everybody carried */
}

static void a_late_neighbour_takes_nothing_over_the_wan(void **state)
{
    (void)state;
    content_make(SIZE);
    dp_put(0);
    start_branch(2);
    want(0, NO_ORIGIN);
    assert_true(until(here, 0, 15));
    want(1, NO_ORIGIN);
    assert_true(until(here, 1, 15));
    is_balanced(1);
    assert_int_equal(progress(1).from[BYTES_PEERS], SIZE);
    assert_int_equal(web_received(t.nodes[1].web), 0);
}

static void a_point_that_is_down_hands_over_to_the_next(void **state)
{
    (void)state;
    content_make(SIZE);
    dp_put(1);
    dp_stop(0);
    node_start(0, NULL);
    want(0, SOURCES_ALL);
    assert_true(until(here, 0, 15));
    is_balanced(0);
    assert_int_equal(progress(0).from[BYTES_HTTP], SIZE);
    assert_int_equal(t.dps[2].asked, 0);        /* the origin is for when both are down */
}

static void all_points_down_leaves_the_origin_if_allowed(void **state)
{
    (void)state;
    content_make(SIZE);
    dp_put(2);
    dp_stop(0);
    dp_stop(1);
    node_start(0, NULL);
    node_start(1, NULL);
    want(0, SOURCES_ALL);
    want(1, NO_ORIGIN);
    assert_true(until(here, 0, 20));
    is_balanced(0);
    assert_int_equal(progress(0).from[BYTES_ORIGIN], SIZE);
    assert_true(until(no_source, 1, 20));
    assert_non_null(strstr(progress(1).why, "dp-1: "));
    assert_null(strstr(progress(1).why, "origin"));
    dp_start(1);
    dp_put(1);
    assert_true(until(here, 1, 70));            /* asked again */
    is_balanced(1);
}

static void a_point_that_has_not_pulled_it_yet_is_asked_again(void **state)
{
    (void)state;
    content_make(SIZE);
    node_start(0, NULL);
    want(0, NO_ORIGIN);
    assert_false(until(here, 0, 1));
    assert_true(t.dps[0].asked > 0 && t.dps[1].asked > 0);
    dp_put(1);
    assert_true(until(here, 0, 10));
    is_balanced(0);
}

static void a_point_that_lies_is_refused_and_told(void **state)
{
    (void)state;
    content_make(SIZE);
    dp_put(0);
    dp_put(1);
    alter(t.dps[0].dir);
    node_start(0, NULL);
    want(0, NO_ORIGIN);
    assert_true(until(here, 0, 15));
    is_balanced(0);
    assert_int_equal(told(0, "refused"), 1);
    assert_string_equal(refused_source(0), "dp-1");
    assert_true(progress(0).waste > 0);
    assert_int_equal(progress(0).from[BYTES_HTTP], SIZE);
}

static bool mended(int i)
{
    return here(i) && cache_has(t.nodes[i].cache, &t.content.sha256, t.size);
}

static bool lonely(int i)
{
    return progress(i).peers == 0;
}

/* Node 0 serves good bytes until its file is altered; whoever takes them must finish elsewhere. */
static void one_that_serves_altered_bytes(bool believes)
{
    content_make(SIZE);
    dp_put(0);
    start_branch(3);
    want(0, NO_ORIGIN);
    want(2, NO_ORIGIN);
    assert_true(until(here, 0, 15));
    assert_true(until(here, 2, 15));
    node_stop(2);                               /* it made node 0 verify what it serves */
    assert_true(until(lonely, 0, 15));          /* its leaving is no reason to look any more */
    alter(cache_content_dir(t.nodes[0].cache));
    if (believes)
        assert_int_equal(cache_keep(t.nodes[0].cache, &t.content.sha256, NULL), OK);
    want(1, NO_ORIGIN);
    assert_true(until(here, 1, 40));
    is_balanced(1);
}

/* It takes the altered file for what it always was, as a disk that rots would have it: its neighbour refuses and names it. */
static void a_neighbour_that_lies_is_refused_and_named(void **state)
{
    (void)state;
    one_that_serves_altered_bytes(true);
    assert_true(told(1, "refused") >= 1);
    assert_string_equal(refused_source(1), t.nodes[0].listen);
}

static void a_neighbour_that_was_left_looks_and_mends_itself(void **state)
{
    (void)state;
    one_that_serves_altered_bytes(false);
    assert_true(until(mended, 0, 40));
}

static void what_was_here_before_is_the_caches(void **state)
{
    (void)state;
    content_make(SIZE);
    node_start(0, NULL);
    char path[400];
    cache_path(t.nodes[0].cache, &t.content.sha256, path, sizeof path);
    assert_int_equal(file_write(path, t.bytes, SIZE, 0644, NULL), OK);
    assert_int_equal(cache_keep(t.nodes[0].cache, &t.content.sha256, NULL), OK);
    want(0, NO_ORIGIN);
    assert_true(until(here, 0, 5));
    is_balanced(0);
    assert_int_equal(progress(0).from[BYTES_CACHE], SIZE);
    want(0, NO_ORIGIN);
    until(no_source, 0, 1);
    assert_int_equal(told(0, "complete"), 1);
}

static void interrupted_it_goes_on_where_it_was(void **state)
{
    (void)state;
    content_make(SIZE * 6);
    dp_put(0);
    node_start(0, NULL);
    want(0, NO_ORIGIN);
    assert_true(until(half, 0, 15));
    node_stop(0);
    t.nodes[0].changed = 0;
    assert_int_equal(told(0, "complete"), 0);
    uint64_t before = t.dps[0].asked;
    node_start(0, NULL);
    want(0, NO_ORIGIN);
    assert_true(until(here, 0, 15));
    is_balanced(0);
    assert_true(web_received(t.nodes[0].web) < t.size * 3 / 4);
    assert_true(t.dps[0].asked > before);
    node_stop(0);
    node_start(0, NULL);                        /* whole now: nothing is told again */
    want(0, NO_ORIGIN);
    assert_true(until(here, 0, 5));
    is_balanced(0);
}

static void a_partial_file_nobody_counted_is_the_caches(void **state)
{
    (void)state;
    content_make(SIZE);
    dp_put(0);
    node_start(0, NULL);
    char hex[SHA256_HEX];
    AUTO(text_free) char *path = must_print("%s/%s", cache_partial_dir(t.nodes[0].cache), sha256_hex(&t.content.sha256, hex));
    assert_int_equal(file_write(path, t.bytes, 1 << 20, 0644, NULL), OK);
    want(0, NO_ORIGIN);
    assert_true(until(here, 0, 15));
    is_balanced(0);
    assert_int_equal(progress(0).from[BYTES_CACHE], 1 << 20);
    assert_int_equal(progress(0).from[BYTES_HTTP], SIZE - (1 << 20));
}

/* --- metered lines --- */

static bool over_the_wan(int i)
{
    return web_received(t.nodes[i].web) > 0;
}

static void nothing_over_a_metered_line_unless_it_may(void **state)
{
    (void)state;
    content_make(SIZE);
    dp_put(0);
    node_start(0, NULL);
    t.nodes[0].config.metered = true;
    want(0, NO_ORIGIN);
    assert_false(until(over_the_wan, 0, 4));
    assert_int_equal(t.dps[0].asked, 0);
    t.nodes[0].config.metered = false;
    assert_true(until(here, 0, 15));
}

static void a_metered_line_that_may_be_used(void **state)
{
    (void)state;
    content_make(SIZE);
    dp_put(0);
    node_start(0, NULL);
    t.nodes[0].config.metered = true;
    want(0, NO_ORIGIN | FETCH_METERED);
    assert_true(until(here, 0, 15));
    is_balanced(0);
}

/* --- the cache's limit --- */

static int64_t referenced;

static void on_content(void *ctx, const struct sha256 *name, uint64_t size, int64_t at)
{
    (void)ctx;
    (void)name;
    (void)size;
    referenced = at;
}

static int64_t referenced_at(int i)
{
    referenced = 0;
    cache_each(t.nodes[i].cache, on_content, NULL);
    return referenced;
}

static void a_neighbours_download_is_a_reference(void **state)
{
    (void)state;
    content_make(SIZE);
    dp_put(0);
    start_branch(2);
    want(0, NO_ORIGIN);
    assert_true(until(here, 0, 15));
    cache_touch(t.nodes[0].cache, &t.content.sha256, 1000);
    want(1, NO_ORIGIN);
    assert_true(until(here, 1, 15));
    node_stop(1);
    assert_true(until(lonely, 0, 15));
    assert_true(referenced_at(0) > 1000);
}

static bool is_gone(int i)
{
    return progress(i).state == FETCH_NONE && !cache_has(t.nodes[i].cache, &t.content.sha256, t.size);
}

static void what_nobody_needs_keeps_the_limit(void **state)
{
    (void)state;
    content_make(SIZE);
    dp_put(0);
    node_start(0, NULL);
    t.nodes[0].config.cache_max = 1000;
    want(0, NO_ORIGIN);
    assert_true(until(here, 0, 15));
    cache_touch(t.nodes[0].cache, &t.content.sha256, clock_now() - 90000);
    fetcher_trim(t.nodes[0].fetcher);
    assert_true(here(0));                       /* wanted: the limit does not hold for it */
    fetcher_unwant(t.nodes[0].fetcher, &t.content.sha256);
    t.nodes[0].config.cache_max = SIZE;
    fetcher_trim(t.nodes[0].fetcher);
    assert_true(here(0));
    t.nodes[0].config.cache_max = SIZE - 1;
    fetcher_trim(t.nodes[0].fetcher);
    assert_true(until(is_gone, 0, 5));
    want(0, NO_ORIGIN);                         /* and is fetched again */
    assert_true(until(here, 0, 15));
}

static void unwanted_it_stops(void **state)
{
    (void)state;
    content_make(SIZE);
    node_start(0, NULL);
    want(0, NO_ORIGIN);
    assert_false(until(here, 0, 1));
    fetcher_unwant(t.nodes[0].fetcher, &t.content.sha256);
    assert_int_equal(fetcher_state(t.nodes[0].fetcher, &t.content.sha256, NULL), FETCH_NONE);
    dp_put(0);
    want(0, NO_ORIGIN);
    assert_true(until(here, 0, 15));
    is_balanced(0);
}

static void a_foreign_torrent_is_refused(void **state)
{
    (void)state;
    struct error e = {0};
    content_make(SIZE);
    node_start(0, NULL);
    t.content.info_hash.b[0] ^= 1;
    assert_int_equal(fetcher_want(t.nodes[0].fetcher, &t.content, 0, NO_ORIGIN, &e), ERR_VERIFY);
}

static void a_source_recovers_by_waiting(void **state)
{
    (void)state;
    struct health h = {0};
    struct source_health *s = health_of(&h, "http://127.0.0.1:80/content/x", "dp-1");
    assert_ptr_equal(s, health_of(&h, "http://127.0.0.1:80/content/y", "dp-1"));
    assert_ptr_not_equal(s, health_of(&h, "http://127.0.0.1:81/content/x", "dp-2"));
    assert_true(health_usable(s, 0));
    health_failed(s, 0, "refused");
    health_failed(s, 1, "refused");             /* the same failure, told by another request */
    assert_false(health_down(s, 1));
    assert_false(health_usable(s, 999));
    assert_true(health_usable(s, 1000));
    s->in_flight = 1;
    assert_false(health_usable(s, 1000));       /* one probes */
    s->in_flight = 0;
    for (int64_t now = 1000; now < 400000; now = s->not_before) {
        health_failed(s, now, "refused");
        assert_true(s->not_before - now <= 60000);
    }
    assert_true(health_down(s, 400000));
    health_good(s);
    assert_true(health_usable(s, 400000));
    health_ban(s, 400000, "lies");
    assert_false(health_usable(s, 400000 + 899999));
    assert_true(health_usable(s, 400000 + 900000));
    health_end(&h);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_recovers_by_waiting),
        TEST(alone_it_fetches_everything_at_once),
        TEST(content_of_a_byte_comes_too),
        TEST(a_branch_fetches_each_byte_about_once),
        TEST(a_late_neighbour_takes_nothing_over_the_wan),
        TEST(a_point_that_is_down_hands_over_to_the_next),
        TEST(all_points_down_leaves_the_origin_if_allowed),
        TEST(a_point_that_has_not_pulled_it_yet_is_asked_again),
        TEST(a_point_that_lies_is_refused_and_told),
        TEST(a_neighbour_that_lies_is_refused_and_named),
        TEST(a_neighbour_that_was_left_looks_and_mends_itself),
        TEST(what_was_here_before_is_the_caches),
        TEST(interrupted_it_goes_on_where_it_was),
        TEST(a_partial_file_nobody_counted_is_the_caches),
        TEST(nothing_over_a_metered_line_unless_it_may),
        TEST(a_metered_line_that_may_be_used),
        TEST(a_neighbours_download_is_a_reference),
        TEST(what_nobody_needs_keeps_the_limit),
        TEST(unwanted_it_stops),
        TEST(a_foreign_torrent_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
