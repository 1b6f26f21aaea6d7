#include "net.h"

#include <sys/stat.h>
#include <sys/un.h>

/* --- handlers --- */

struct service {
    char             file[128];
    struct exchange *kept;
    int              gone, handled;
    uv_timer_t       later;
};

static void echo(void *ctx, struct exchange *x)
{
    struct service *s = ctx;
    size_t          n;
    const char     *body = exchange_body(x, &n), *q = exchange_query(x, "q");

    s->handled++;
    assert_ptr_equal(q, exchange_query(x, "q"));                /* remembered */
    answer_json(x, 200,
                json_pack("{s:s, s:s, s:s?, s:s%, s:s, s:s}", "method", exchange_method(x), "name", exchange_part(x, "name"), "q", q,
                          "body", body, n, "peer", exchange_peer(x), "path", exchange_part(x, "path")));
}

static void special(void *ctx, struct exchange *x)
{
    (void)ctx;
    answer_bytes(x, 200, "text/plain", "special", 7);
}

static void file(void *ctx, struct exchange *x)
{
    struct service *s = ctx;

    answer_file(x, s->file, NULL);
}

static void refuse(void *ctx, struct exchange *x)
{
    struct error e;

    (void)ctx;
    (fail)(&e, ERR_VERIFY, "the seal is broken");
    answer_error(x, &e);
}

static void on_later(uv_timer_t *t)
{
    struct service *s = t->data;

    answer_json(s->kept, 200, json_pack("{s:s}", "late", "yes"));
    s->kept = NULL;
    uv_close((uv_handle_t *)t, NULL);
}

static void keep(void *ctx, struct exchange *x)
{
    struct service *s = ctx;

    s->kept = x;
    if (exchange_query(x, "answer"))
        uv_timer_start(&s->later, on_later, 20, 0);
}

static void on_gone(void *ctx)
{
    struct service *s = ctx;

    s->gone++;
    s->kept = NULL;
}

static void watch(void *ctx, struct exchange *x)
{
    struct service *s = ctx;

    s->kept = x;
    exchange_on_gone(x, on_gone, s);
}

static const struct route routes[] = {
    {"GET", "/", 0, echo, "root"},
    {"GET", "/echo/{name}", 0, echo, "echo"},
    {"POST", "/echo/{name}", 1000, echo, "echo"},
    {"GET", "/echo/special", 0, special, "a word is more specific than {name}"},
    {"GET", "/tree/{path...}", 0, echo, "the rest"},
    {"GET", "/tree/{name}/leaf", 0, special, "and {name} more than {path...}"},
    {"GET", "/file", 0, file, "a file"},
    {"GET", "/refuse", 0, refuse, "an error"},
    {"GET", "/keep", 0, keep, "later"},
    {"GET", "/watch", 0, watch, "perhaps never"},
    {"PUT", "/big", 4u << 20, echo, "a large body"},
};

static void start(struct net *n, struct service *s)
{
    net_open(n);
    *s = (struct service){0};
    net_serve(n, routes, COUNT(routes), s);
    snprintf(s->file, sizeof s->file, "%s/file", n->dir);
}

static void expect(struct net *n, struct web_call call, const char *path, long status, const char *part)
{
    struct came c = net_ask(n, call, path);

    if (c.status != status || (part && !strstr(c.body, part)))
        fail_msg("%s: %ld %s (%s)", path, c.status, c.body, c.error.text);
    free(c.body);
}

static void routes_are_found(void **state)
{
    struct net      n;
    struct service  s;
    struct web_call get = {0}, post = {.method = "POST", .body = "hello", .body_length = 5},
                    put = {.method = "PUT", .body = "", .body_length = 0};

    (void)state;
    start(&n, &s);
    expect(&n, get, "/", 200, "\"method\":\"GET\"");
    expect(&n, get, "/echo/anna%20b?q=1%2B1+x%3d", 200, "\"name\":\"anna b\",\"q\":\"1+1 x=\"");
    expect(&n, get, "/echo/a%2Fb", 200, "\"name\":\"a/b\"");
    expect(&n, get, "/echo/special", 200, "special");
    expect(&n, get, "/tree/a/b/c", 200, "\"path\":\"a/b/c\"");
    expect(&n, get, "/tree/a/leaf", 200, "special");
    expect(&n, post, "/echo/x", 200, "\"body\":\"hello\",\"peer\":\"127.0.0.1\"");
    expect(&n, get, "/nowhere", 404, "ferry:not-found");
    expect(&n, get, "/echo", 404, NULL);
    expect(&n, get, "/echo/", 404, NULL);
    expect(&n, put, "/echo/x", 405, "PUT is not accepted here; accepted: GET, HEAD, POST");
    expect(&n, get, "/refuse", 422, "\"type\":\"ferry:verify\"");
    expect(&n, get, "/refuse", 422, "\"detail\":\"the seal is broken\"");
    net_close(&n);
}

/* curl tidies paths, an attacker does not: raw bytes over a raw socket. Returns the status. */
static int raw(struct net *n, const char *bytes, char *answer, size_t room)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)server_port(n->server))};
    AUTO(fd_end) int   fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    size_t             got = 0;
    ssize_t            r = 1;

    connect(fd, (struct sockaddr *)&a, sizeof a);
    for (int i = 0; i < 3; i++)
        uv_run(&n->loop, UV_RUN_NOWAIT);
    assert_true(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL) > 0);
    for (int i = 0; i < 200 && r && got < room - 1; i++) {
        uv_run(&n->loop, UV_RUN_NOWAIT);
        r = recv(fd, answer + got, room - 1 - got, 0);
        got += r > 0 ? (size_t)r : 0;
        if (got && r < 0)
            break;
        usleep(1000);
    }
    answer[got] = '\0';
    return got > 12 ? atoi(answer + 9) : 0;
}

static void bad_paths_are_refused(void **state)
{
    static const char *const bad[] = {"/tree/../etc", "/tree/%2e%2e/etc", "/tree/a%2f..%2fb", "/tree//a", "/tree/a/",     "/tree/a%00b",
                                      "/tree/%zz",    "/tree/%4",         "/tree/.",          "/echo/..", "/echo/%2e%2e", "/echo/a%2f%2fb"};
    struct net     n;
    struct service s;
    char           request[200], answer[4096];

    (void)state;
    start(&n, &s);
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", bad[i]);
        if (raw(&n, request, answer, sizeof answer) != 404)
            fail_msg("%s: %s", bad[i], answer);
    }
    assert_int_equal(s.handled, 0);
    assert_int_equal(raw(&n, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", answer, sizeof answer), 405);
    assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
    net_close(&n);
}

static void bodies_are_bounded(void **state)
{
    AUTO(text_free) char *big = must_alloc(5u << 20);
    struct net            n;
    struct service        s;
    struct web_call       post = {.method = "POST", .body = big};
    char                  answer[4096];

    (void)state;
    start(&n, &s);
    memset(big, 'x', (5u << 20) - 1);
    post.body_length = 1000;
    expect(&n, post, "/echo/x", 200, "xxx");
    post.body_length = 1001;
    expect(&n, post, "/echo/x", 413, "more than the 1000 bytes");
    post.body_length = 500000;
    expect(&n, post, "/echo/x", 413, NULL);
    expect(&n, post, "/nowhere", 404, NULL);
    post.method = "PUT";
    post.body_length = 4u << 20;
    expect(&n, post, "/big", 200, "xxx");
    /* announced beyond everything: refused before it comes */
    assert_int_equal(raw(&n, "PUT /big HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", answer, sizeof answer), 413);
    assert_int_equal(s.handled, 2);
    net_close(&n);
}

static void files_have_ranges(void **state)
{
    AUTO(text_free) char *content = must_alloc(200000);
    struct net            n;
    struct service        s;
    struct web_call       get = {.range_first = 100000, .range_length = 70000};
    struct came           c;
    char                  answer[8192], request[300], tag[64];

    (void)state;
    start(&n, &s);
    expect(&n, (struct web_call){0}, "/file", 404, "not-found");
    for (size_t i = 0; i < 200000; i++)
        content[i] = (char)('a' + i * i % 23);
    assert_int_equal(file_write(s.file, content, 200000, 0600, NULL), OK);
    c = net_ask(&n, (struct web_call){0}, "/file");
    assert_int_equal(c.length, 200000);
    assert_memory_equal(c.body, content, 200000);
    free(c.body);
    assert_int_equal(server_sent(n.server) / 1000, 200);
    c = net_ask(&n, get, "/file");
    assert_int_equal(c.status, 206);
    assert_memory_equal(c.body, content + 100000, 70000);
    free(c.body);
    assert_int_equal(raw(&n, "GET /file HTTP/1.1\r\nHost: x\r\nRange: bytes=-10\r\n\r\n", answer, sizeof answer), 206);
    assert_non_null(strstr(answer, "Content-Range: bytes 199990-199999/200000\r\n"));
    assert_memory_equal(strstr(answer, "\r\n\r\n") + 4, content + 199990, 10);
    assert_int_equal(raw(&n, "GET /file HTTP/1.1\r\nHost: x\r\nRange: bytes=199995-\r\n\r\n", answer, sizeof answer), 206);
    assert_int_equal(raw(&n, "GET /file HTTP/1.1\r\nHost: x\r\nRange: bytes=199995-999999\r\n\r\n", answer, sizeof answer), 206);
    assert_non_null(strstr(answer, "Content-Range: bytes 199995-199999/200000\r\n"));
    assert_int_equal(raw(&n, "GET /file HTTP/1.1\r\nHost: x\r\nRange: bytes=200000-\r\n\r\n", answer, sizeof answer), 416);
    assert_non_null(strstr(answer, "Content-Range: bytes */200000\r\n"));
    assert_int_equal(raw(&n, "GET /file HTTP/1.1\r\nHost: x\r\nRange: bytes=-0\r\n\r\n", answer, sizeof answer), 416);
    assert_int_equal(raw(&n, "GET /file HTTP/1.1\r\nHost: x\r\nRange: bytes=99999999999999999999999-\r\n\r\n", answer, sizeof answer), 416);
    assert_int_equal(raw(&n, "HEAD /file HTTP/1.1\r\nHost: x\r\nRange: bytes=5-4\r\n\r\n", answer, sizeof answer), 200);
    assert_non_null(strstr(answer, "Content-Length: 200000\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    assert_int_equal(sscanf(strstr(answer, "ETag: "), "ETag: %63s", tag), 1);
    snprintf(request, sizeof request, "GET /file HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"other\", %s\r\n\r\n", tag);
    assert_int_equal(raw(&n, request, answer, sizeof answer), 304);
    snprintf(request, sizeof request, "GET /file HTTP/1.1\r\nHost: x\r\nRange: bytes=0-3\r\nIf-Range: %s\r\n\r\n", tag);
    assert_int_equal(raw(&n, request, answer, sizeof answer), 206);
    assert_int_equal(raw(&n, "HEAD /file HTTP/1.1\r\nHost: x\r\nRange: bytes=0-3\r\nIf-Range: \"old\"\r\n\r\n", answer, sizeof answer),
                     200);
    net_close(&n);
}

static void kept_exchanges_are_answered_later(void **state)
{
    struct net     n;
    struct service s;

    (void)state;
    start(&n, &s);
    uv_timer_init(&n.loop, &s.later);
    s.later.data = &s;
    expect(&n, (struct web_call){0}, "/keep?answer=1", 200, "late");
    expect(&n, (struct web_call){0}, "/", 200, NULL);           /* the connection lives on */
    net_close(&n);
}

static void a_client_that_leaves_is_noticed(void **state)
{
    struct net     n;
    struct service s;
    struct came    c;

    (void)state;
    start(&n, &s);
    c = net_ask(&n, (struct web_call){.timeout_ms = 100}, "/watch");
    assert_int_equal(c.code, ERR_TIMEOUT);
    free(c.body);
    while (!s.gone)
        uv_run(&n.loop, UV_RUN_ONCE);
    assert_int_equal(s.gone, 1);
    expect(&n, (struct web_call){0}, "/", 200, NULL);
    net_close(&n);
}

/* Closing tells those who watch; who does not watch may still answer, to nobody. */
static void closing_ends_kept_exchanges(void **state)
{
    struct net      n;
    struct service  s;
    struct came     a = {0}, b = {0};
    struct web_call call = {.on_done = came_done, .ctx = &a};
    char            url[100];

    (void)state;
    start(&n, &s);
    snprintf(url, sizeof url, "%s/watch", n.url);
    call.url = url;
    web_start(n.web, &call);
    while (!s.kept)
        uv_run(&n.loop, UV_RUN_ONCE);
    s.kept = NULL;
    snprintf(url, sizeof url, "%s/keep", n.url);
    call.ctx = &b;
    web_start(n.web, &call);
    while (!s.kept)
        uv_run(&n.loop, UV_RUN_ONCE);
    struct exchange *kept = s.kept;
    server_close(n.server, NULL, NULL);
    n.server = NULL;
    net_wait(&n, &a);
    net_wait(&n, &b);
    assert_int_equal(s.gone, 1);
    assert_int_equal(a.status, 0);
    assert_int_equal(b.status, 0);
    answer_json(kept, 200, json_true());
    free(a.body);
    free(b.body);
    net_close(&n);
}

static void unix_sockets(void **state)
{
    struct net      n;
    struct service  s = {0};
    struct server  *second;
    struct stat     st;
    struct error    e;
    char            address[100], who[60];
    struct web_call call = {0};

    (void)state;
    net_open(&n);
    snprintf(address, sizeof address, "unix:%s/sock", n.dir);
    call.unix_socket = address + 5;
    assert_int_equal(server_open(&n.loop, address, routes, COUNT(routes), &s, &n.server, NULL), OK);
    assert_int_equal(server_port(n.server), 0);
    assert_int_equal(stat(address + 5, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    snprintf(who, sizeof who, "\"peer\":\"uid %u\"", (unsigned)getuid());
    expect(&n, call, "http://ferry/echo/x", 200, who);
    assert_int_equal(server_open(&n.loop, address, routes, COUNT(routes), &s, &second, &e), ERR_AGAIN);
    assert_non_null(strstr(e.text, "another process answers"));
    net_close(&n);
}

static void a_stale_socket_is_replaced_a_file_is_not(void **state)
{
    struct net         n;
    struct service     s = {0};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct server     *second;
    char               address[120];
    int                fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    net_open(&n);
    snprintf(a.sun_path, sizeof a.sun_path, "%s/sock", n.dir);
    snprintf(address, sizeof address, "unix:%s", a.sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd);
    assert_int_equal(server_open(&n.loop, address, routes, COUNT(routes), &s, &n.server, NULL), OK);
    snprintf(address, sizeof address, "unix:%s/file", n.dir);
    assert_int_equal(file_write(address + 5, "x", 1, 0600, NULL), OK);
    assert_int_equal(server_open(&n.loop, address, routes, COUNT(routes), &s, &second, NULL), ERR_EXISTS);
    assert_true(file_exists(address + 5));
    net_close(&n);
}

static void addresses_are_refused(void **state)
{
    static const char *const bad[] = {"",        "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:8x",
                                      "[::1:80", "::1",          "unix:"};
    struct net               n;
    struct server           *s;
    struct error             e;

    (void)state;
    net_open(&n);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (server_open(&n.loop, bad[i], routes, 1, NULL, &s, &e) != ERR_USAGE)
            fail_msg("%s", bad[i]);
    net_close(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_are_found),
        cmocka_unit_test(bad_paths_are_refused),
        cmocka_unit_test(bodies_are_bounded),
        cmocka_unit_test(files_have_ranges),
        cmocka_unit_test(kept_exchanges_are_answered_later),
        cmocka_unit_test(a_client_that_leaves_is_noticed),
        cmocka_unit_test(closing_ends_kept_exchanges),
        cmocka_unit_test(unix_sockets),
        cmocka_unit_test(a_stale_socket_is_replaced_a_file_is_not),
        cmocka_unit_test(addresses_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
