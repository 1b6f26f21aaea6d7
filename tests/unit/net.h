/* What the tests of web.c and server.c share: a loop, a temporary directory, one request at a time, and a server that says exactly what it
 * is told. */
#ifndef FERRY_TESTS_UNIT_NET_H
#define FERRY_TESTS_UNIT_NET_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/file.h"
#include "base/text.h"
#include "node/io/server.h"
#include "node/io/web.h"

/* After ours: cmocka.h makes a macro of fail. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

struct net {
    uv_loop_t      loop;
    struct web    *web;
    struct server *server;
    char           dir[64], url[64];
};

/* A copy of what came, for after on_done. */
struct came {
    bool         done;
    enum err     code;
    long         status;
    char        *body;
    size_t       length;
    struct error error;
};

static inline void came_done(void *ctx, const struct web_answer *a)
{
    struct came *c = ctx;

    assert_false(c->done);
    c->done = true;
    c->code = a->code;
    c->status = a->status;
    c->length = a->length;
    c->error = a->error;
    c->body = must_alloc(a->length + 1);
    if (a->body)
        memcpy(c->body, a->body, strlen(a->body) < a->length ? strlen(a->body) : a->length);
}

static inline void net_open(struct net *n)
{
    struct web_options options = {.agent = "test"};

    *n = (struct net){0};
    assert_int_equal(uv_loop_init(&n->loop), 0);
    strcpy(n->dir, "/tmp/ferry-test-XXXXXX");
    assert_non_null(mkdtemp(n->dir));
    assert_int_equal(web_open(&n->loop, &options, &n->web, NULL), OK);
}

/* Every handle closed, the loop empty: nothing is left behind. */
static inline void net_close(struct net *n)
{
    if (n->web)
        web_close(n->web, NULL, NULL);
    if (n->server)
        server_close(n->server, NULL, NULL);
    uv_run(&n->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&n->loop), 0);
    assert_int_equal(file_remove(n->dir, NULL), OK);
}

static inline void net_serve(struct net *n, const struct route *routes, size_t count, void *ctx)
{
    struct error e;

    if (server_open(&n->loop, "127.0.0.1:0", routes, count, ctx, &n->server, &e))
        fail_msg("%s", e.text);
    snprintf(n->url, sizeof n->url, "http://127.0.0.1:%d", server_port(n->server));
}

static inline void net_closed(void *ctx)
{
    *(bool *)ctx = true;
}

/* A port that was free a moment ago. */
static inline int net_free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t          size = sizeof a;
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    getsockname(fd, (struct sockaddr *)&a, &size);
    close(fd);
    return ntohs(a.sin_port);
}

static inline void net_wait(struct net *n, const struct came *c)
{
    while (!c->done)
        uv_run(&n->loop, UV_RUN_ONCE);
}

/* path: below n->url, or a whole URL. Caller frees came.body. */
static inline struct came net_ask(struct net *n, struct web_call call, const char *path)
{
    struct came           c = {0};
    AUTO(text_free) char *url = *path == '/' ? must_print("%s%s", n->url, path) : must_copy(path);

    call.url = url;
    call.on_done = came_done;
    call.ctx = &c;
    web_start(n->web, &call);
    assert_false(c.done);
    net_wait(n, &c);
    return c;
}

/* --- a server that answers `times` connections with fixed bytes, then (hold) keeps silent until the client leaves --- */
struct parrot {
    pthread_t   thread;
    int         fd, port, times;
    const char *say;
    bool        hold;
    char        heard[2048];
};

static inline void *parrot_run(void *ctx)
{
    struct parrot *p = ctx;

    for (int i = 0; i < p->times; i++) {
        int     fd = accept(p->fd, NULL, NULL);
        ssize_t n = read(fd, p->heard, sizeof p->heard - 1);

        p->heard[n > 0 ? n : 0] = '\0';
        if (send(fd, p->say, strlen(p->say), MSG_NOSIGNAL) > 0 && p->hold) {
            char c;

            while (read(fd, &c, 1) > 0)
                ;
        }
        close(fd);
    }
    return NULL;
}

static inline void parrot_start(struct parrot *p, const char *say, bool hold, int times)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t          size = sizeof a;

    *p = (struct parrot){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .say = say, .hold = hold, .times = times};
    assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(p->fd, 5), 0);
    getsockname(p->fd, (struct sockaddr *)&a, &size);
    p->port = ntohs(a.sin_port);
    pthread_create(&p->thread, NULL, parrot_run, p);
}

static inline void parrot_end(struct parrot *p)
{
    pthread_join(p->thread, NULL);
    close(p->fd);
}

#endif
