/* A distribution point: pulls what it has to hold, believes no byte before its hash, serves ranges, and to this site's nodes alone. */
#include <sys/stat.h>

#include "node/base/clock.h"
#include "node/dp/dp.h"
#include "policy/trust/certificate.h"
#include "tests/unit/net.h"

#define SIZE 300000

struct dp_lab {
    struct net      net;                        /* its server is the site's: URL/content/HEX */
    struct config   config;
    char            site[96], state[96], content[128];
    struct dp_role *dp;
    int             port;
    bool            altered, silent;            /* what the site sends */
    struct holding  holding;
    struct content  items[3];
    json_t         *told;
    size_t          asked;
    char            range[80];                  /* of the last request */
    struct key      ca, own, node, stranger;
    char           *ca_pem, *own_key, *own_pem, pin[CERTIFICATE_PIN];
};

static struct dp_lab lab;

static void on_content(void *ctx, struct exchange *x)
{
    AUTO(text_free) char *path = must_print("%s/%s", lab.site, exchange_part(x, "name"));
    const char           *range = exchange_header(x, "Range");

    (void)ctx;
    lab.asked++;
    snprintf(lab.range, sizeof lab.range, "%s", range ? range : "");
    if (lab.altered)
        answer_bytes(x, 200, "application/octet-stream", "altered", 7);
    else
        answer_file(x, path, "application/octet-stream");
}

static const struct route site_routes_[] = {{"GET", "/content/{name}", 0, on_content, "content"}};

static void on_told(void *ctx, json_t *message)
{
    (void)ctx;
    json_array_append_new(lab.told, message);
}

static char *place(const char *dir, const struct content *c, const char *after)
{
    char hex[SHA256_HEX];

    return must_print("%s/%s%s", dir, sha256_hex(&c->sha256, hex), after);
}

/* Content i: SIZE bytes of one letter, at the site. */
static void offer(size_t i)
{
    struct content       *c = &lab.items[i];
    AUTO(text_free) char *bytes = must_alloc(SIZE), *path;

    memset(bytes, 'a' + (int)i, SIZE);
    *c = (struct content){.sha256 = hash_bytes(bytes, SIZE), .size = SIZE, .torrent = (uint8_t *)(uintptr_t) "torrent", .torrent_size = 7};
    path = place(lab.site, c, "");
    assert_int_equal(file_write(path, bytes, SIZE, 0600, NULL), OK);
}

static void make_keys(void)
{
    int64_t now = clock_now();

    key_generate(&lab.ca);
    key_generate(&lab.own);
    key_generate(&lab.node);
    key_generate(&lab.stranger);
    lab.own_key = certificate_key_pem(&lab.own);
    certificate_pin(lab.own.public, lab.pin);
    assert_int_equal(certificate_make_ca(&lab.ca, "hq", now, &lab.ca_pem, NULL), OK);
    assert_int_equal(certificate_make(&lab.ca, "hq", "n-dp", lab.own.public, now, CERTIFICATE_LIFE, &lab.own_pem, NULL), OK);
}

/* Whoever asks is this from now on; age: of the certificate, seconds; its life is a week. */
static void become(const struct key *key, const struct key *ca, const char *subject, int64_t age)
{
    AUTO(text_free) char *private = certificate_key_pem(key), *pem = NULL;

    assert_int_equal(certificate_make(ca, "hq", subject, key->public, clock_now() - age, CERTIFICATE_LIFE, &pem, NULL), OK);
    web_identity(lab.net.web, private, pem);
}

static void dp_start(void)
{
    struct error e;

    if (dp_open(&lab.net.loop, &lab.config, lab.net.web, on_told, NULL, &lab.dp, &e))
        fail_msg("%s", e.text);
    dp_identity(lab.dp, lab.own_key, lab.own_pem, lab.ca_pem, NULL);
}

static void dp_stop(void)
{
    bool closed = false;

    dp_close(lab.dp, net_closed, &closed);
    lab.dp = NULL;
    while (!closed)
        uv_run(&lab.net.loop, UV_RUN_ONCE);
}

static int begin(void **state)
{
    static char listen[32], name[] = "dp-1";

    (void)state;
    memset(&lab, 0, sizeof lab);
    net_open(&lab.net);
    lab.told = json_array();
    snprintf(lab.site, sizeof lab.site, "%s/site", lab.net.dir);
    snprintf(lab.state, sizeof lab.state, "%s/dp", lab.net.dir);
    snprintf(lab.content, sizeof lab.content, "%s/content", lab.state);
    assert_int_equal(mkdir(lab.site, 0700), 0);
    net_serve(&lab.net, site_routes_, COUNT(site_routes_), NULL);
    lab.port = net_free_port();                 /* the role does not tell which one it has */
    snprintf(listen, sizeof listen, "127.0.0.1:%d", lab.port);
    lab.config = (struct config){.dp_name = name, .dp_listen = listen, .dp_state = lab.state, .site = lab.net.url};
    lab.holding = (struct holding){.dp = name, .contents = lab.items};
    make_keys();
    become(&lab.node, &lab.ca, "n-7", 0);
    dp_start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (lab.dp)
        dp_stop();
    json_decref(lab.told);
    net_close(&lab.net);
    free(lab.ca_pem);
    free(lab.own_key);
    free(lab.own_pem);
    return 0;
}

static void hold(size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!lab.items[i].size)
            offer(i);
    lab.holding.content_count = count;
    dp_holding(lab.dp, NULL, &lab.holding);
}

static int64_t complete(void)
{
    json_t *status = dp_status(lab.dp);
    int64_t n = json_integer_value(json_object_get(status, "complete"));

    json_decref(status);
    return n;
}

static void wait_complete(int64_t n)
{
    while (complete() < n)
        uv_run(&lab.net.loop, UV_RUN_ONCE);
}

static size_t told(const char *event)
{
    size_t  i, n = 0;
    json_t *row;

    json_array_foreach(lab.told, i, row)
        n += !strcmp(json_string_value(json_object_get(row, "event")), event);
    return n;
}

static bool held(size_t i)
{
    AUTO(text_free) char *file = place(lab.content, &lab.items[i], ""), *torrent = place(lab.content, &lab.items[i], ".torrent");

    return file_exists(file) && file_exists(torrent);
}

/* One request to the distribution point. */
static struct came get(size_t i, const char *after, uint64_t first, uint64_t length)
{
    char                  hex[SHA256_HEX];
    AUTO(text_free) char *url = must_print("https://127.0.0.1:%d/content/%s%s", lab.port, sha256_hex(&lab.items[i].sha256, hex), after);

    return net_ask(&lab.net, (struct web_call){.pin = lab.pin, .range_first = first, .range_length = length}, url);
}

static void test_pull_and_serve(void **state)
{
    struct came c;

    (void)state;
    hold(3);
    wait_complete(3);
    assert_true(held(0) && held(1) && held(2));
    assert_int_equal(told("complete"), 3);
    c = get(0, "", 0, 0);
    assert_int_equal(c.status, 200);
    assert_int_equal(c.length, SIZE);
    free(c.body);
    c = get(1, "", 100, 50);
    assert_int_equal(c.status, 206);
    assert_int_equal(c.length, 50);
    assert_int_equal(c.body[0], 'b');
    free(c.body);
    c = get(1, "", SIZE - 10, 10);
    assert_int_equal(c.length, 10);
    free(c.body);
    c = get(2, ".torrent", 0, 0);
    assert_string_equal(c.body, "torrent");
    free(c.body);
    hold(3);
    assert_int_equal(lab.asked, 3);
    assert_int_equal(told("complete"), 3);
}

/* Free bytes: once, and again only when they have changed. */
static void test_room(void **state)
{
    json_t *row;
    size_t  i;

    (void)state;
    assert_int_equal(told("room"), 0);
    hold(1);
    assert_int_equal(told("room"), 1);
    wait_complete(1);
    hold(2);
    assert_int_equal(told("room"), 1);
    json_array_foreach(lab.told, i, row) if (!strcmp(json_string_value(json_object_get(row, "event")), "room"))
        assert_true(json_integer_value(json_object_get(row, "room")) > 0);
}

static void test_not_served(void **state)
{
    static const char *const paths[] = {"/content/.partial", "/content/..%2f..%2fsite", "/content/", "/etc/passwd", "/content/abc"};
    struct came              c;

    (void)state;
    offer(0);
    for (size_t i = 0; i < COUNT(paths); i++) {
        AUTO(text_free) char *url = must_print("https://127.0.0.1:%d%s", lab.port, paths[i]);
        c = net_ask(&lab.net, (struct web_call){.pin = lab.pin}, url);
        if (c.status != 404 && c.status != 400)
            fail_msg("%s: %ld", paths[i], c.status);
        free(c.body);
    }
    c = get(0, "", 0, 0);
    assert_int_equal(c.status, 404);
    free(c.body);
}

/* Altered on the way: nothing of it is served, the site is told, and the good bytes are taken when they come. */
static void test_altered(void **state)
{
    AUTO(text_free) char *path, *bytes = must_alloc(SIZE);
    struct came           c;

    (void)state;
    offer(0);
    path = place(lab.site, &lab.items[0], "");
    memset(bytes, 'a', SIZE);
    bytes[SIZE / 2] = 'x';
    assert_int_equal(file_write(path, bytes, SIZE, 0600, NULL), OK);
    hold(1);
    while (!told("failed"))
        uv_run(&lab.net.loop, UV_RUN_ONCE);
    assert_false(held(0));
    c = get(0, "", 0, 0);
    assert_int_equal(c.status, 404);
    free(c.body);
    offer(0);
    wait_complete(1);
    assert_true(held(0));
}

/* Stopped in the middle: it goes on where it was, by range. */
static void test_resume(void **state)
{
    AUTO(text_free) char *partial = must_print("%s/.partial", lab.state), *path;
    char                  half[SIZE / 3];

    (void)state;
    offer(0);
    path = place(partial, &lab.items[0], "");
    memset(half, 'a', sizeof half);
    assert_int_equal(file_write(path, half, sizeof half, 0600, NULL), OK);
    hold(1);
    wait_complete(1);
    assert_string_equal(lab.range, "bytes=100000-299999");
    assert_true(held(0));
}

/* What lies there from before is hashed before it is believed: good is kept without asking, bad is fetched again. */
static void test_from_before(void **state)
{
    AUTO(text_free) char *path;

    (void)state;
    hold(2);
    wait_complete(2);
    dp_stop();
    path = place(lab.content, &lab.items[1], "");
    assert_int_equal(truncate(path, SIZE - 1), 0);
    assert_int_equal(truncate(path, SIZE), 0);
    lab.asked = 0;
    dp_start();
    hold(2);
    wait_complete(2);
    assert_int_equal(lab.asked, 1);
}

/* What nobody names any more stays a day: somebody may be in the middle of it. */
static void test_unnamed(void **state)
{
    (void)state;
    hold(2);
    wait_complete(2);
    hold(1);
    assert_true(held(1));
    setenv("FERRY_CLOCK_OFFSET", "90000", 1);
    hold(1);
    unsetenv("FERRY_CLOCK_OFFSET");
    assert_true(held(0));
    assert_false(held(1));
    /* Named again: it is fetched again, not believed to be here. */
    hold(2);
    wait_complete(2);
    assert_true(held(1));
}

/* The site has fallen silent in the middle of a content: closing does not wait for it. */
static void test_closed_meanwhile(void **state)
{
    struct parrot p;
    char          url[64];

    (void)state;
    dp_stop();
    parrot_start(&p, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\naaaa", true, 1);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", p.port);
    lab.config.site = url;
    dp_start();
    hold(1);
    for (int i = 0; i < 50; i++) {
        uv_run(&lab.net.loop, UV_RUN_NOWAIT);
        usleep(2000);
    }
    dp_stop();
    parrot_end(&p);
    assert_false(held(0));
}

/* A policy that says nothing of the fleet takes nobody's revocation back. */
static void test_revoked_again(void **state)
{
    static char    node[] = "n-7";
    struct revoked revoked = {.node = node};
    struct fleet   none = {0}, one = {.revoked = &revoked, .revoked_count = 1};
    const struct { const struct fleet *fleet; long status; } cases[] = {{&none, 200}, {&one, 403}, {NULL, 403}, {&none, 200}};

    (void)state;
    hold(1);
    wait_complete(1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct came c;

        dp_holding(lab.dp, cases[i].fleet, &lab.holding);
        c = get(0, "", 0, 0);
        assert_int_equal(c.status, cases[i].status);
        free(c.body);
    }
}

/* Shut until the site has signed something; http is never spoken; a key that is another than the policy's is not believed. */
static void test_shut_and_pinned(void **state)
{
    char                  wrong[CERTIFICATE_PIN];
    AUTO(text_free) char *plain = must_print("http://127.0.0.1:%d/healthz", lab.port), *url = must_print("https://127.0.0.1:%d/healthz", lab.port);
    struct came           c;

    (void)state;
    assert_null(dp_status_line(lab.dp));
    c = net_ask(&lab.net, (struct web_call){0}, plain);
    assert_int_not_equal(c.code, OK);
    free(c.body);
    certificate_pin(lab.stranger.public, wrong);
    c = net_ask(&lab.net, (struct web_call){.pin = wrong}, url);
    assert_int_equal(c.code, ERR_VERIFY);
    free(c.body);
    dp_stop();
    assert_int_equal(dp_open(&lab.net.loop, &lab.config, lab.net.web, on_told, NULL, &lab.dp, NULL), OK);
    assert_non_null(strstr(dp_status_line(lab.dp), "has not given"));
    dp_identity(lab.dp, lab.own_key, NULL, NULL, NULL);
    c = net_ask(&lab.net, (struct web_call){.pin = lab.pin}, url);
    assert_int_equal(c.code, ERR_AGAIN);
    free(c.body);
    dp_identity(lab.dp, lab.own_key, lab.own_pem, lab.ca_pem, NULL);
    c = net_ask(&lab.net, (struct web_call){.pin = lab.pin}, url);
    assert_int_equal(c.status, 200);
    free(c.body);
}

/* Nothing is pulled from an https site before its key is known: not even a connection is made. */
static void test_site_unknown(void **state)
{
    char                  url[64];
    struct sockaddr_in    a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t             size = sizeof a;
    AUTO(fd_end) int      site = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)state;
    assert_int_equal(bind(site, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(site, 5), 0);
    getsockname(site, (struct sockaddr *)&a, &size);
    snprintf(url, sizeof url, "https://127.0.0.1:%d", ntohs(a.sin_port));
    dp_stop();
    lab.config.site = url;
    dp_start();
    hold(1);
    for (int i = 0; i < 100; i++) {
        uv_run(&lab.net.loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_int_equal(accept(site, NULL, NULL), -1);
    dp_stop();
}

static enum err admit(void *ctx, const struct route *route, const uint8_t *der, size_t size, char identity[SERVER_IDENTITY], struct error *e)
{
    struct certificate c;

    (void)ctx;
    (void)route;
    (void)identity;
    return der ? certificate_check_der(der, size, lab.ca_pem, clock_now(), &c, e) : ERR_DENIED;
}

/* From an https site it pulls as who it is, and only from the one whose key is pinned. */
static void test_site_pinned(void **state)
{
    AUTO(text_free) char *key = certificate_key_pem(&lab.stranger), *pem = NULL;
    char                  url[64], pin[CERTIFICATE_PIN];
    struct server        *site;
    struct server_tls     tls = {.key = key, .trust = lab.ca_pem, .admit = admit};
    struct route_set      set = {site_routes_, COUNT(site_routes_), NULL};

    (void)state;
    assert_int_equal(certificate_make(&lab.stranger, "hq", "site", lab.stranger.public, clock_now(), CERTIFICATE_LIFE, &pem, NULL), OK);
    tls.certificate = pem;
    assert_int_equal(server_open_tls(&lab.net.loop, "127.0.0.1:0", &set, 1, &tls, &site, NULL), OK);
    snprintf(url, sizeof url, "https://127.0.0.1:%d", server_port(site));
    dp_stop();
    lab.config.site = url;
    dp_start();
    dp_identity(lab.dp, lab.own_key, lab.own_pem, lab.ca_pem, lab.pin);     /* of another key */
    hold(1);
    for (int i = 0; i < 200; i++) {
        uv_run(&lab.net.loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_int_equal(lab.asked + (size_t)complete(), 0);
    certificate_pin(lab.stranger.public, pin);
    dp_identity(lab.dp, lab.own_key, lab.own_pem, lab.ca_pem, pin);
    wait_complete(1);
    assert_int_equal(lab.asked, 1);
    dp_stop();
    server_close(site, NULL, NULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(test_pull_and_serve), T(test_room), T(test_not_served), T(test_altered),          T(test_resume),
        T(test_from_before),    T(test_unnamed),    T(test_closed_meanwhile),  T(test_revoked_again),  T(test_shut_and_pinned), T(test_site_unknown),
        T(test_site_pinned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
