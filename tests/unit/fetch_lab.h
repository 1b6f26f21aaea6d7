/* For tests of the fetch path: whole fetchers in one process, with real sessions, stores, caches and distribution points on 127.8.0.x. */
#ifndef FERRY_TESTS_UNIT_FETCH_LAB_H
#define FERRY_TESTS_UNIT_FETCH_LAB_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "dht/swarm.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/fetch.h"
#include "node/client/source_health.h"
#include "node/io/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* last: it takes the name fail */

#define SIZE  (3 * 1024 * 1024 + 777)
#define NODES 3
#define DPS   3                                 /* two distribution points, and the origin */

struct node {
    struct config        config;
    struct store        *store;
    struct cache        *cache;
    struct web          *web;
    struct fetcher      *fetcher;
    char                 dir[128], listen[32];
    json_t              *told;
    unsigned             changed;
};

struct point {
    struct server *server;
    char           dir[128], url[64];
    unsigned       asked;
    int64_t        free_at;                     /* ms: when the line behind it is free again */
};

#define LINE_RATE 1500                          /* bytes/ms over the paced line */

/* An answer waiting for its turn on the line. */
struct turn {
    uv_timer_t       timer;
    struct exchange *exchange;
    char            *path;
};

static struct {
    uv_loop_t      loop;
    char           dir[40];
    int            port;
    struct node    nodes[NODES];
    struct point      dps[DPS];
    struct fleet   fleet;
    struct content content;
    uint8_t       *bytes;
    size_t         size;
    int            closing;
} t;

/* --- the world --- */

static void on_turn_closed(uv_handle_t *handle)
{
    struct turn *turn = handle->data;
    free(turn->path);
    free(turn);
}

static void on_turn(uv_timer_t *timer)
{
    struct turn *turn = timer->data;
    if (turn->exchange)
        answer_file(turn->exchange, turn->path, "application/octet-stream");
    uv_close((uv_handle_t *)timer, on_turn_closed);
}

static void on_gone(void *ctx)
{
    ((struct turn *)ctx)->exchange = NULL;
}

static void serve_in_turn(struct point *dp, struct exchange *x, const char *path)
{
    const char *range = exchange_header(x, "Range");
    unsigned long first = 0, last = t.size - 1;
    struct turn *turn = must_alloc(sizeof *turn);
    int64_t now = clock_ms();
    if (range)
        assert_int_equal(sscanf(range, "bytes=%lu-%lu", &first, &last), 2);
    dp->free_at = (dp->free_at > now ? dp->free_at : now) + (int64_t)(last - first + 1) / LINE_RATE;
    turn->exchange = x;
    turn->path = must_copy(path);
    turn->timer.data = turn;
    exchange_on_gone(x, on_gone, turn);
    uv_timer_init(&t.loop, &turn->timer);
    uv_timer_start(&turn->timer, on_turn, (uint64_t)(dp->free_at - now), 0);
}

static void serve(void *ctx, struct exchange *x)
{
    struct point *dp = ctx;
    AUTO(text_free) char *path = must_print("%s/%s", dp->dir, exchange_part(x, "name"));
    dp->asked++;
    if (dp->free_at)
        serve_in_turn(dp, x, path);
    else
        answer_file(x, path, "application/octet-stream");
}

static const struct route routes[] = {{"GET", "/content/{name}", 0, serve, "content"}};

static void dp_start(int i)
{
    struct point *dp = &t.dps[i];
    struct error e = {0};
    char listen[32];
    snprintf(listen, sizeof listen, "127.8.1.%d:%d", i + 1, t.port);
    snprintf(dp->url, sizeof dp->url, "http://%s", listen);
    dp->asked = 0;
    if (server_open(&t.loop, listen, routes, 1, dp, &dp->server, &e) != OK)
        fail_msg("%s", e.text);
}

static void dp_stop(int i)
{
    if (t.dps[i].server)
        server_close(t.dps[i].server, NULL, NULL);
    t.dps[i].server = NULL;
}

static void dp_put(int i)
{
    struct error e = {0};
    AUTO(text_free) char *hex = must_alloc(SHA256_HEX);
    AUTO(text_free) char *path = must_print("%s/%s", t.dps[i].dir, sha256_hex(&t.content.sha256, hex));
    assert_int_equal(file_write(path, t.bytes, t.size, 0644, &e), OK);
}

static void alter(const char *dir)
{
    AUTO(text_free) char *hex = must_alloc(SHA256_HEX);
    AUTO(text_free) char *path = must_print("%s/%s", dir, sha256_hex(&t.content.sha256, hex));
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    for (size_t at = 0; at < t.size; at += 32768) {
        assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
        fputc(t.bytes[at] ^ 0x55, f);
    }
    assert_int_equal(fclose(f), 0);
}

static void content_make(size_t size)
{
    struct error e = {0};
    AUTO(text_free) char *path = must_print("%s/whole", t.dir);
    t.size = size;
    t.bytes = must_alloc(size + 1);
    for (size_t i = 0; i < size; i++)
        t.bytes[i] = (uint8_t)(i * 13 + i / 4099);
    assert_int_equal(file_write(path, t.bytes, size, 0600, &e), OK);
    t.content.sha256 = hash_bytes(t.bytes, size);
    t.content.size = size;
    assert_int_equal(swarm_torrent_make(path, &t.content.sha256, NULL, &t.content.torrent, &t.content.torrent_size,
                                        &t.content.info_hash, &e),
                     OK);
    AUTO(text_free) char *hex = must_alloc(SHA256_HEX);
    t.content.origin = must_print("%s/content/%s", t.dps[2].url, sha256_hex(&t.content.sha256, hex));
}

static void fleet_make(void)
{
    static char cidr[] = "127.8.0.0/16", one[] = "dp-1", two[] = "dp-2", name[] = "a";
    static char *cidrs[] = {cidr, NULL}, *dps[] = {one, two, NULL};
    static struct boundary_group group;
    static struct dp points[2];
    points[0] = (struct dp){.name = dps[0], .url = t.dps[0].url};
    points[1] = (struct dp){.name = dps[1], .url = t.dps[1].url};
    group = (struct boundary_group){.name = name, .cidrs = cidrs, .dps = dps};
    t.fleet = (struct fleet){.groups = &group, .group_count = 1, .dps = points, .dp_count = 2};
}

/* --- nodes --- */

static void on_tell(void *ctx, json_t *message)
{
    json_array_append_new(((struct node *)ctx)->told, message);
}

static void on_changed(void *ctx, const struct sha256 *name)
{
    assert_true(sha256_same(name, &t.content.sha256));
    ((struct node *)ctx)->changed++;
}

static void node_start(int i, char **peers)
{
    struct node *n = &t.nodes[i];
    struct error e = {0};
    AUTO(text_free) char *path = NULL, *address = must_print("127.8.0.%d", i + 1);
    snprintf(n->dir, sizeof n->dir, "%s/node-%d", t.dir, i);
    snprintf(n->listen, sizeof n->listen, "%s:%d", address, t.port);
    path = must_print("%s/store.db", n->dir);
    n->config = (struct config){.listen = n->listen, .peer = peers, .wan_requests = 4};
    n->told = n->told ? n->told : json_array();
    assert_int_equal(file_make_dirs(n->dir, 0700, &e), OK);
    assert_int_equal(store_open(path, &n->store, &e), OK);
    assert_int_equal(cache_open(n->dir, n->store, &n->cache, &e), OK);
    struct web_options web = {.bind_address = address, .agent = "test"};
    assert_int_equal(web_open(&t.loop, &web, &n->web, &e), OK);
    struct fetcher_options options = {.loop = &t.loop,
                                      .config = &n->config,
                                      .web = n->web,
                                      .store = n->store,
                                      .cache = n->cache,
                                      .tell = on_tell,
                                      .changed = on_changed,
                                      .ctx = n};
    if (fetcher_open(&options, &n->fetcher, &e) != OK)
        fail_msg("%s", e.text);
    fetcher_policy(n->fetcher, &t.fleet, address);
}

static void on_closed(void *ctx)
{
    (void)ctx;
    t.closing--;
}

static void node_stop(int i)
{
    struct node *n = &t.nodes[i];
    if (n->fetcher == NULL)
        return;
    t.closing = 1;
    fetcher_close(n->fetcher, on_closed, NULL);
    while (t.closing > 0)
        uv_run(&t.loop, UV_RUN_ONCE);
    t.closing = 1;
    web_close(n->web, on_closed, NULL);
    while (t.closing > 0)
        uv_run(&t.loop, UV_RUN_ONCE);
    cache_close(n->cache);
    store_close(n->store);
    n->fetcher = NULL;
}

#define NO_ORIGIN (SOURCES_NEIGHBOURS | SOURCES_DEFAULT)

static void want(int i, unsigned allowed)
{
    struct error e = {0};
    if (fetcher_want(t.nodes[i].fetcher, &t.content, 100, allowed, &e) != OK)
        fail_msg("%s", e.text);
}

static struct fetch_progress progress(int i)
{
    struct fetch_progress p;
    fetcher_state(t.nodes[i].fetcher, &t.content.sha256, &p);
    return p;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

/* Runs the loop until what(i) holds; seconds at most. */
static bool until(bool (*what)(int), int i, int seconds)
{
    uv_timer_t tick;
    bool good = false;
    uv_timer_init(&t.loop, &tick);
    uv_timer_start(&tick, on_tick, 20, 20);
    for (int64_t end = clock_ms() + seconds * 1000; !good && clock_ms() < end; good = what(i))
        uv_run(&t.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&t.loop, UV_RUN_NOWAIT);
    return good;
}

static bool here(int i)
{
    return progress(i).state == FETCH_HERE;
}

static bool all_here(int count)
{
    for (int i = 0; i < count; i++)
        if (!here(i))
            return false;
    return true;
}

static bool no_source(int i)
{
    return progress(i).state == FETCH_NO_SOURCE;
}

static bool half(int i)
{
    return progress(i).have > t.size / 3;
}

static size_t told(int i, const char *event)
{
    size_t k, n = 0;
    json_t *m;
    json_array_foreach(t.nodes[i].told, k, m)
        n += strcmp(json_string_value(json_object_get(m, "event")), event) == 0;
    return n;
}

static const char *refused_source(int i)
{
    size_t k;
    json_t *m;
    json_array_foreach(t.nodes[i].told, k, m)
        if (strcmp(json_string_value(json_object_get(m, "event")), "refused") == 0)
            return json_string_value(json_object_get(m, "source"));
    return "";
}

/* The bytes are the content; the ledger is complete and balances; it was told once and says the same. */
static void is_balanced(int i)
{
    struct fetch_progress p = progress(i);
    struct byte_row row;
    char path[400];
    struct sha256 got;
    uint64_t sum = 0;
    cache_path(t.nodes[i].cache, &t.content.sha256, path, sizeof path);
    assert_int_equal(hash_file(path, &got, NULL, NULL), OK);
    assert_true(sha256_same(&got, &t.content.sha256));
    assert_true(cache_has(t.nodes[i].cache, &t.content.sha256, t.size));
    assert_true(store_bytes(t.nodes[i].store, &t.content.sha256, &row));
    assert_true(row.complete);
    for (int k = 0; k < BYTES_KINDS; k++)
        sum += row.from[k];
    assert_int_equal(sum, t.size);
    assert_memory_equal(row.from, p.from, sizeof row.from);
    assert_int_equal(told(i, "complete"), 1);
    assert_true(t.nodes[i].changed > 0);
}

static int setup(void **state)
{
    (void)state;
    static int port;
    port = port ? port + 1 : 21000 + getpid() % 20000;
    memset(&t, 0, sizeof t);
    t.port = port;
    strcpy(t.dir, "/tmp/ferry-fetch-XXXXXX");
    assert_non_null(mkdtemp(t.dir));
    assert_int_equal(uv_loop_init(&t.loop), 0);
    log_open(getenv("FERRY_TEST_LOG") ? LOG_TELL : LOG_WRONG, "test", NULL);
    for (int i = 0; i < DPS; i++) {
        snprintf(t.dps[i].dir, sizeof t.dps[i].dir, "%s/dp-%d", t.dir, i + 1);
        assert_int_equal(file_make_dirs(t.dps[i].dir, 0755, NULL), OK);
        dp_start(i);
    }
    fleet_make();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < NODES; i++) {
        node_stop(i);
        json_decref(t.nodes[i].told);
    }
    for (int i = 0; i < DPS; i++)
        dp_stop(i);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t.loop), 0);
    free(t.bytes);
    free(t.content.origin);
    free(t.content.torrent);
    return file_remove(t.dir, NULL) == OK ? 0 : -1;
}

#endif
