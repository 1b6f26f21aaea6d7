#include "net.h"

/* --- against our own server --- */

struct service {
    char file[128];
    int  asked;
};

static void echo(void *ctx, struct exchange *x)
{
    struct service *s = ctx;
    size_t          n;
    const char     *body = exchange_body(x, &n), *type = exchange_header(x, "Content-Type");
    AUTO(text_free) char *text = must_print("%s %s %s %s", exchange_method(x), type ? type : "-", exchange_header(x, "User-Agent"), body);

    s->asked++;
    answer_bytes(x, 200, "text/plain", text, strlen(text));
}

static void file(void *ctx, struct exchange *x)
{
    answer_file(x, ((struct service *)ctx)->file, NULL);
}

static void status(void *ctx, struct exchange *x)
{
    (void)ctx;
    answer_bytes(x, atoi(exchange_part(x, "code")), "text/plain", "refused", 7);
}

static void silent(void *ctx, struct exchange *x)
{
    (void)ctx;
    exchange_on_gone(x, (void (*)(void *))free, NULL);
}

static const struct route routes[] = {
    {"GET", "/echo", 0, echo, "echo"},       {"POST", "/echo", 9999, echo, "echo"}, {"PUT", "/echo", 9999, echo, "echo"},
    {"DELETE", "/echo", 9999, echo, "echo"}, {"GET", "/file", 0, file, "file"},     {"GET", "/status/{code}", 0, status, "a status"},
    {"GET", "/silent", 0, silent, "never"},
};

#define SIZE 300000

static void start(struct net *n, struct service *s)
{
    AUTO(text_free) char *content = must_alloc(SIZE);

    net_open(n);
    *s = (struct service){0};
    net_serve(n, routes, COUNT(routes), s);
    snprintf(s->file, sizeof s->file, "%s/file", n->dir);
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (char)('a' + i % 26);
    assert_int_equal(file_write(s->file, content, SIZE, 0600, NULL), OK);
}

/* Expects code, and part in the body or in the error's text. */
static void expect(struct net *n, struct web_call call, const char *path, enum err code, const char *part)
{
    struct came c = net_ask(n, call, path);

    if (c.code != code || (part && !strstr(c.body, part) && !strstr(c.error.text, part)))
        fail_msg("%s: %s (%ld) '%s': %s", path, err_name(c.code), c.status, c.body, c.error.text);
    assert_int_equal(c.error.code, c.code);
    free(c.body);
}

static void methods(void **state)
{
    struct net      n;
    struct service  s;
    struct web_call call = {.body = "{}", .body_length = 2};

    (void)state;
    start(&n, &s);
    expect(&n, (struct web_call){0}, "/echo", OK, "GET - test ");
    expect(&n, (struct web_call){.method = "HEAD"}, "/echo", OK, NULL);
    call.method = "POST";
    expect(&n, call, "/echo", OK, "POST application/json test {}");
    call.method = "PUT";
    call.content_type = "text/x";
    expect(&n, call, "/echo", OK, "PUT text/x test {}");
    expect(&n, (struct web_call){.method = "POST"}, "/echo", OK, "POST application/json test ");
    expect(&n, (struct web_call){.method = "DELETE"}, "/echo", OK, "DELETE - test ");
    assert_int_equal(s.asked, 6);
    net_close(&n);
}

static void statuses_become_codes(void **state)
{
    static const struct {
        const char *path;
        enum err    code;
    } cases[] = {
        {"/status/200", OK},         {"/status/404", ERR_NOT_FOUND}, {"/status/410", ERR_NOT_FOUND}, {"/status/401", ERR_DENIED},
        {"/status/403", ERR_DENIED}, {"/status/400", ERR_USAGE},     {"/status/422", ERR_USAGE},     {"/status/500", ERR_AGAIN},
        {"/status/503", ERR_AGAIN},  {"/status/429", ERR_AGAIN},
    };
    struct net     n;
    struct service s;

    (void)state;
    start(&n, &s);
    for (size_t i = 0; i < COUNT(cases); i++)
        expect(&n, (struct web_call){0}, cases[i].path, cases[i].code, "refused");
    net_close(&n);
}

static void ranges_and_limits(void **state)
{
    struct net     n;
    struct service s;
    struct came    c;
    uint64_t       before;

    (void)state;
    start(&n, &s);
    c = net_ask(&n, (struct web_call){.range_first = 26, .range_length = 100000}, "/file");
    assert_int_equal(c.code, OK);
    assert_int_equal(c.length, 100000);
    assert_memory_equal(c.body, "abcdef", 6);
    free(c.body);
    before = web_received(n.web);
    expect(&n, (struct web_call){.range_first = 0, .range_length = SIZE}, "/file", OK, NULL);
    assert_int_equal(web_received(n.web) - before, SIZE);
    expect(&n, (struct web_call){.range_first = SIZE - 5, .range_length = 10}, "/file", ERR_VERIFY, "were asked for");
    expect(&n, (struct web_call){.range_first = SIZE, .range_length = 10}, "/file", ERR_USAGE, "416");
    expect(&n, (struct web_call){.limit = SIZE}, "/file", OK, NULL);
    expect(&n, (struct web_call){.limit = SIZE - 1}, "/file", ERR_VERIFY, "more than");
    net_close(&n);
}

static enum err gather(void *ctx, const char *bytes, size_t n, struct error *e)
{
    struct text *t = ctx;

    (void)e;
    text_put(t, bytes, n);
    return OK;
}

static enum err stop_after_some(void *ctx, const char *bytes, size_t n, struct error *e)
{
    size_t *got = ctx;

    (void)bytes;
    *got += n;
    return *got > 50000 ? (fail)(e, ERR_FULL, "no room") : OK;
}

struct streamed {
    struct came came;
    struct text text;
    size_t      got;
};

static void streamed_done(void *ctx, const struct web_answer *a)
{
    assert_int_equal(a->code ? 1 : a->length, a->code ? 1 : SIZE);
    assert_int_equal(strlen(a->body), 0);
    came_done(&((struct streamed *)ctx)->came, a);
}

static enum err streamed_data(void *ctx, const char *bytes, size_t n, struct error *e)
{
    struct streamed *s = ctx;

    return s->got == SIZE_MAX ? gather(&s->text, bytes, n, e) : stop_after_some(&s->got, bytes, n, e);
}

static void bodies_can_be_streamed_and_stopped(void **state)
{
    struct net            n;
    struct service        s;
    struct streamed       all = {.got = SIZE_MAX}, some = {.got = 0};
    AUTO(text_free) char *url = NULL;
    struct web_call       call = {.on_data = streamed_data, .on_done = streamed_done, .ctx = &all};

    (void)state;
    start(&n, &s);
    call.url = url = must_print("%s/file", n.url);
    web_start(n.web, &call);
    call.ctx = &some;
    web_start(n.web, &call);
    net_wait(&n, &all.came);
    net_wait(&n, &some.came);
    assert_int_equal(all.text.length, SIZE);
    assert_int_equal(some.came.code, ERR_FULL);
    assert_string_equal(some.came.error.text, "no room");
    text_end(&all.text);
    free(all.came.body);
    free(some.came.body);
    net_close(&n);
}

static void cancelled_and_closed_requests_end(void **state)
{
    struct net            n;
    struct service        s;
    struct came           a = {0}, b = {0}, c = {0};
    AUTO(text_free) char *url = NULL;
    struct web_call       call = {.on_done = came_done, .ctx = &a};
    struct web_request   *r;

    (void)state;
    start(&n, &s);
    call.url = url = must_print("%s/silent", n.url);
    r = web_start(n.web, &call);
    for (int i = 0; i < 5; i++)
        uv_run(&n.loop, UV_RUN_NOWAIT);
    web_cancel(r);
    assert_false(a.done);                       /* never from inside */
    net_wait(&n, &a);
    assert_int_equal(a.code, ERR_AGAIN);
    assert_non_null(strstr(a.error.text, "cancelled"));
    call.ctx = &b;
    web_cancel(web_start(n.web, &call));        /* before anything happened */
    call.ctx = &c;
    web_start(n.web, &call);
    net_wait(&n, &b);
    web_close(n.web, NULL, NULL);
    n.web = NULL;
    net_wait(&n, &c);
    assert_int_equal(c.code, ERR_AGAIN);
    free(a.body);
    free(b.body);
    free(c.body);
    net_close(&n);
}

static void nobody_there(void **state)
{
    struct net n;

    (void)state;
    net_open(&n);
    expect(&n, (struct web_call){0}, "http://127.0.0.1:1/", ERR_AGAIN, NULL);
    expect(&n, (struct web_call){0}, "ftp://127.0.0.1/", ERR_USAGE, NULL);
    expect(&n, (struct web_call){0}, "file:///etc/passwd", ERR_USAGE, NULL);
    expect(&n, (struct web_call){0}, "http://[nonsense/", ERR_USAGE, NULL);
    expect(&n, (struct web_call){.unix_socket = "/nowhere/sock"}, "http://x/", ERR_AGAIN, NULL);
    net_close(&n);
}

/* --- against servers that lie or hang --- */

#define OK_HEAD(more) "HTTP/1.1 200 OK\r\nConnection: close\r\n" more "\r\n"
#define PART_HEAD(range, length)                                                                                                           \
    "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Range: " range "\r\nContent-Length: " length "\r\n\r\n"

static void liars_are_noticed(void **state)
{
    static const struct {
        const char     *say;
        struct web_call call;
        enum err        code;
        const char     *part;
    } cases[] = {
        {PART_HEAD("bytes 10-14/100", "5") "hello", {.range_first = 10, .range_length = 5}, OK, "hello"},
        {PART_HEAD("bytes 11-15/100", "5") "hello", {.range_first = 10, .range_length = 5}, ERR_VERIFY, "'bytes 11-15/100' came"},
        {PART_HEAD("bytes 10-18446744073709551615/100", "5") "hello", {.range_first = 10, .range_length = 5}, ERR_VERIFY, "came"},
        {PART_HEAD("bytes 10-14/100", "9") "hellohell", {.range_first = 10, .range_length = 5}, ERR_VERIFY, "more than the 5 bytes"},
        {PART_HEAD("bytes 10-14/100", "3") "hel", {.range_first = 10, .range_length = 5}, ERR_VERIFY, "3 came"},
        {PART_HEAD("bytes 10-14/100", "5") "hel", {.range_first = 10, .range_length = 5}, ERR_IO, NULL},
        {PART_HEAD("bytes 0-4/100", "5") "hello", {0}, ERR_VERIFY, "the whole was asked for"},
        {OK_HEAD("Content-Length: 5\r\n") "hello", {.range_first = 10, .range_length = 5}, ERR_VERIFY, "ignored the range"},
        {OK_HEAD("Content-Length: 5\r\n") "hello", {.range_first = 0, .range_length = 5}, OK, "hello"},
        {OK_HEAD("Content-Length: 9\r\n") "hellohell", {.range_first = 0, .range_length = 5}, ERR_VERIFY, "ignored the range"},
        {OK_HEAD("") "hello", {.range_first = 0, .range_length = 5}, ERR_VERIFY, "ignored the range"},
        {OK_HEAD("Content-Length: 9\r\n") "hello", {0}, ERR_IO, NULL},
        {"SSH-2.0-OpenSSH\r\n", {0}, ERR_IO, NULL},
        {"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", {0}, ERR_USAGE, NULL},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
         {.method = "POST", .body = "", .body_length = 0}, ERR_USAGE, "302"},
    };
    struct net n;

    (void)state;
    net_open(&n);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct parrot p;
        char          url[64];

        parrot_start(&p, cases[i].say, false, 1);
        snprintf(url, sizeof url, "http://127.0.0.1:%d/%zu", p.port, i);
        expect(&n, cases[i].call, url, cases[i].code, cases[i].part);
        parrot_end(&p);
    }
    net_close(&n);
}

static void a_stall_ends(void **state)
{
    struct net    n;
    struct parrot p;
    char          url[64];

    (void)state;
    net_open(&n);
    parrot_start(&p, OK_HEAD("Content-Length: 9\r\n") "hel", true, 2);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", p.port);
    expect(&n, (struct web_call){.stall_ms = 1000}, url, ERR_TIMEOUT, NULL);
    expect(&n, (struct web_call){.timeout_ms = 100}, url, ERR_TIMEOUT, NULL);
    parrot_end(&p);
    net_close(&n);
}

static void redirects_are_followed_five_times(void **state)
{
    struct net    n;
    struct parrot loop, hop;
    char          url[64], say[200];

    (void)state;
    net_open(&n);
    parrot_start(&loop, "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false, 6);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", loop.port);
    expect(&n, (struct web_call){0}, url, ERR_USAGE, NULL);
    parrot_end(&loop);
    parrot_start(&loop, OK_HEAD("Content-Length: 5\r\n") "there", false, 1);
    snprintf(say, sizeof say, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere",
             loop.port);
    parrot_start(&hop, say, false, 1);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", hop.port);
    expect(&n, (struct web_call){0}, url, OK, "there");
    parrot_end(&loop);
    parrot_end(&hop);
    net_close(&n);
}

/* A proxy is used when told, for http as for a tunnel; the environment's never; the outgoing address is the one asked for. */
static void proxies_and_addresses(void **state)
{
    struct net         n;
    struct parrot      p;
    struct web_options options = {.agent = "test"};
    char               proxy[64];

    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    net_open(&n);
    parrot_start(&p, OK_HEAD("Content-Length: 2\r\n") "hi", false, 2);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", p.port);
    expect(&n, (struct web_call){0}, proxy, OK, "hi");
    web_close(n.web, NULL, NULL);
    uv_run(&n.loop, UV_RUN_DEFAULT);
    options.proxy = proxy;
    assert_int_equal(web_open(&n.loop, &options, &n.web, NULL), OK);
    expect(&n, (struct web_call){0}, "http://far.example/x", OK, "hi");
    parrot_end(&p);
    assert_non_null(strstr(p.heard, "GET http://far.example/x HTTP/1.1"));
    web_close(n.web, NULL, NULL);
    uv_run(&n.loop, UV_RUN_DEFAULT);
    parrot_start(&p, "HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", false, 1);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", p.port);
    options.proxy_tunnel = true;
    options.bind_address = "127.0.0.77";
    assert_int_equal(web_open(&n.loop, &options, &n.web, NULL), OK);
    expect(&n, (struct web_call){0}, "http://far.example/x", ERR_IO, NULL);
    parrot_end(&p);
    assert_non_null(strstr(p.heard, "CONNECT far.example:80"));
    unsetenv("http_proxy");
    net_close(&n);
}

static void who(void *ctx, struct exchange *x)
{
    (void)ctx;
    answer_bytes(x, 200, "text/plain", exchange_peer(x), strlen(exchange_peer(x)));
}

static void the_outgoing_address_is_kept(void **state)
{
    static const struct route route[] = {{"GET", "/who", 0, who, "who asks"}};
    struct net                n;
    struct web_options        options = {.bind_address = "127.0.0.77"};

    (void)state;
    net_open(&n);
    web_close(n.web, NULL, NULL);
    uv_run(&n.loop, UV_RUN_DEFAULT);
    assert_int_equal(web_open(&n.loop, &options, &n.web, NULL), OK);
    net_serve(&n, route, 1, NULL);
    expect(&n, (struct web_call){0}, "/who", OK, "127.0.0.77");
    net_close(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods),
        cmocka_unit_test(statuses_become_codes),
        cmocka_unit_test(ranges_and_limits),
        cmocka_unit_test(bodies_can_be_streamed_and_stopped),
        cmocka_unit_test(cancelled_and_closed_requests_end),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(liars_are_noticed),
        cmocka_unit_test(a_stall_ends),
        cmocka_unit_test(redirects_are_followed_five_times),
        cmocka_unit_test(proxies_and_addresses),
        cmocka_unit_test(the_outgoing_address_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
