#include "node/io/server.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "node/io/exchange.h"

#define CONNECTIONS  512
#define IDLE_S       60
#define HEADER_ROOM  (32u << 10)                /* bytes of one connection's request line and headers */
#define BODIES_HELD  (64u << 20)                /* of all requests together */
#define BREATH_MS    2                          /* libmicrohttpd wants to run at once all through a handshake; a timer of 0 would starve the loop */
#define DROP_LIMIT   (1u << 20)                 /* read and thrown away, so that the refusal can be heard; more cuts the connection */

struct server {
    struct MHD_Daemon *daemon;
    uv_loop_t         *loop;
    uv_poll_t          poll;                    /* libmicrohttpd's epoll descriptor, level-triggered */
    uv_timer_t         clock;
    struct route_set  *sets;
    size_t             count, held;             /* held: body bytes collected now */
    struct exchange   *all;
    uint64_t           sent;
    char              *socket_path;
    struct server_tls  tls;                     /* its texts are libmicrohttpd's by now; admit NULL: no TLS */
    struct tls_pair   *pairs;                   /* newest first; older ones live on: a handshake may be in the middle of one */
    int                port, open;              /* open: handles whose close callback has not come */
    bool               local, resumed, closing;
    void             (*closed)(void *ctx);
    void              *closed_ctx;
};

/* libmicrohttpd does not look at the socket of a suspended connection: we do, through a descriptor of our own. */
struct watch_client {
    uv_poll_t        poll;
    int              fd;
    struct server   *server;
    struct exchange *exchange;
};

static void shut(struct server *);

/* --- the loop --- */

static void on_clock(uv_timer_t *clock)
{
    struct server         *s = clock->data;
    MHD_UNSIGNED_LONG_LONG ms;

    if (s->closing) {
        shut(s);
        return;
    }
    s->resumed = false;
    MHD_run(s->daemon);
    if (s->closing || s->resumed)
        uv_timer_start(&s->clock, on_clock, 0, 0);
    else if (MHD_get_timeout(s->daemon, &ms) == MHD_YES)
        uv_timer_start(&s->clock, on_clock, ms ? ms : BREATH_MS, 0);
    else
        uv_timer_stop(&s->clock);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct server *s = poll->data;

    (void)status;
    (void)events;
    if (!s->closing)
        on_clock(&s->clock);
}

static void on_handle_closed(struct server *s)
{
    if (--s->open)
        return;
    if (s->closed)
        s->closed(s->closed_ctx);
    tls_pairs_free(s->pairs);
    free(s->sets);
    free(s->socket_path);
    free(s);
}

static void on_own_closed(uv_handle_t *h)
{
    on_handle_closed(h->data);
}

static void on_watch_closed(uv_handle_t *h)
{
    struct watch_client *w = h->data;
    struct server       *s = w->server;

    free(w);
    on_handle_closed(s);
}

static void stop_watching(struct exchange *x)
{
    if (!x->watch)
        return;
    uv_poll_stop(&x->watch->poll);
    close(x->watch->fd);                        /* before libmicrohttpd closes its own: the client must see the end */
    uv_close((uv_handle_t *)&x->watch->poll, on_watch_closed);
    x->watch = NULL;
}

/* --- one request --- */

/* With an outside loop nothing wakes libmicrohttpd after this: we do. */
static void resume(struct exchange *x)
{
    x->server->resumed = true;
    MHD_resume_connection(x->connection);
    uv_timer_start(&x->server->clock, on_clock, 0, 0);
}

void server_count(struct server *s, size_t body_bytes)
{
    s->sent += body_bytes;
}

static void name_peer(struct exchange *x)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(x->connection, x->server->local ? MHD_CONNECTION_INFO_CONNECTION_FD
                                                                                                   : MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct ucred                    who;
    socklen_t                       size = sizeof who;

    if (!info)
        memcpy(x->peer, "?", 2);
    else if (!x->server->local)
        address_host(info->client_addr, x->peer);
    else if (!getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &who, &size))
        snprintf(x->peer, sizeof x->peer, "uid %lu", (unsigned long)who.uid);
    else
        memcpy(x->peer, "unix", 5);
}

static void route(struct exchange *x)
{
    AUTO(text_end) struct text allow = {0};
    enum err                   code = route_find(x->server->sets, x->server->count, x->method, x->path, &x->match, &allow);

    if (code == ERR_NOT_FOUND) {
        fail(&x->refused, ERR_NOT_FOUND, "there is nothing at %.300s", x->path);
    } else if (code) {
        fail(&x->refused, ERR_USAGE, "%s is not accepted here; accepted: %s", x->method, allow.data);
        x->allow = text_take(&allow);
    }
}

static struct exchange *exchange_new(struct server *s, struct MHD_Connection *connection, const char *method, const char *path)
{
    struct exchange *x = must_alloc(sizeof *x);

    x->server = s;
    x->connection = connection;
    x->method = must_copy(method);
    x->path = must_copy(path);
    x->next = s->all;
    if (x->next)
        x->next->previous = x;
    s->all = x;
    name_peer(x);
    route(x);
    if (s->tls.admit)
        tls_admit(&s->tls, x, &x->refused);
    return x;
}

static enum MHD_Result refuse_body(struct exchange *x, size_t n, size_t limit)
{
    x->dropped += n;
    if (!x->refused.code) {
        x->too_long = true;
        if (limit)
            fail(&x->refused, ERR_USAGE, "the body has more than the %zu bytes that are accepted here", limit);
        else
            fail(&x->refused, ERR_USAGE, "no body is accepted here");
    }
    return x->dropped > DROP_LIMIT ? MHD_NO : MHD_YES;
}

static enum MHD_Result collect(struct exchange *x, const char *bytes, size_t n)
{
    struct server *s = x->server;
    size_t         limit = x->refused.code ? 0 : x->match.route->limit;

    if (x->refused.code || n > limit - x->body.length)
        return refuse_body(x, n, limit);
    if (n > BODIES_HELD - s->held) {
        fail(&x->refused, ERR_AGAIN, "too many requests are being received; ask again later");
        return MHD_YES;
    }
    s->held += n;
    text_put(&x->body, bytes, n);
    return MHD_YES;
}

/* A body that is announced beyond everything we would read is refused before it comes. */
static bool announced_too_long(struct exchange *x)
{
    const char *length = exchange_header(x, "Content-Length");
    uint64_t    n = length ? strtoull(length, NULL, 10) : 0;

    if (n <= DROP_LIMIT || (!x->refused.code && n <= x->match.route->limit))
        return false;
    refuse_body(x, 1, x->refused.code ? 0 : x->match.route->limit);
    return true;
}

static enum MHD_Result send_response(struct exchange *x)
{
    return MHD_queue_response(x->connection, x->status, x->response);
}

static enum MHD_Result handle(struct exchange *x)
{
    x->handled = true;
    if (x->refused.code)
        answer_error(x, &x->refused);
    else
        x->match.route->handle(x->match.ctx, x);
    if (x->response)
        return send_response(x);
    x->kept = true;
    MHD_suspend_connection(x->connection);
    return MHD_YES;
}

/* libmicrohttpd calls: once for the headers, per piece of the body, once at its end, and again when a kept exchange is resumed. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method, const char *version,
                                  const char *bytes, size_t *n, void **known)
{
    struct exchange *x = *known;

    (void)version;
    if (!x) {
        *known = x = exchange_new(ctx, connection, method, path);
        if (!announced_too_long(x))
            return MHD_YES;
        return handle(x);
    }
    if (*n) {
        enum MHD_Result r = collect(x, bytes, *n);

        *n = 0;
        return r;
    }
    if (x->left)
        return MHD_NO;
    if (!x->handled)
        return handle(x);
    return x->response ? send_response(x) : MHD_YES;
}

static void unlink_exchange(struct exchange *x)
{
    struct server *s = x->server;

    if (x->previous)
        x->previous->next = x->next;
    else
        s->all = x->next;
    if (x->next)
        x->next->previous = x->previous;
    s->held -= x->body.length;
}

/* Who kept it is told; without a way to be told, they find out when they answer. */
static void on_completed(void *ctx, struct MHD_Connection *connection, void **known, enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *known;

    (void)ctx;
    (void)connection;
    (void)why;
    *known = NULL;
    if (!x)
        return;
    unlink_exchange(x);
    stop_watching(x);
    if (x->kept && !x->response && x->gone && !x->left)
        x->gone(x->gone_ctx);
    if (x->kept && !x->response && !x->gone) {
        x->server = NULL;
        x->connection = NULL;
        return;
    }
    exchange_free(x);
}

static void on_client_left(uv_poll_t *poll, int status, int events)
{
    struct watch_client *w = poll->data;
    struct exchange     *x = w->exchange;

    (void)status;
    (void)events;
    stop_watching(x);
    x->left = true;
    x->gone(x->gone_ctx);
    resume(x);
}

void exchange_on_gone(struct exchange *x, void (*gone)(void *ctx), void *ctx)
{
    const union MHD_ConnectionInfo *info;
    struct watch_client            *w;

    x->gone = gone;
    x->gone_ctx = ctx;
    if (x->watch || !x->server)
        return;
    info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    w = must_alloc(sizeof *w);
    w->fd = info ? dup(info->connect_fd) : -1;
    if (w->fd < 0 || uv_poll_init(x->server->loop, &w->poll, w->fd)) {
        AUTO(fd_end) int unwatched = w->fd;     /* out of descriptors: the end of the server is still told */

        (void)unwatched;
        free(w);
        return;
    }
    w->server = x->server;
    w->exchange = x;
    w->poll.data = w;
    x->server->open++;
    x->watch = w;
    uv_poll_start(&w->poll, UV_DISCONNECT, on_client_left);
}

void exchange_answered(struct exchange *x)
{
    if (!x->server) {
        exchange_free(x);
        return;
    }
    stop_watching(x);
    if (x->kept)
        resume(x);
}

uint64_t server_sent(const struct server *s)
{
    return s->sent;
}

int server_port(const struct server *s)
{
    return s->port;
}

/* --- open and close --- */

/* Paths are decoded by the routes, segment by segment: "%2e%2e" and "%2f" must not slip through. */
static size_t on_unescape(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx;
    (void)connection;
    return strlen(text);
}

static int port_of(int fd)
{
    struct sockaddr_storage a = {0};
    socklen_t               size = sizeof a;

    if (getsockname(fd, (struct sockaddr *)&a, &size))
        return 0;
    return a.ss_family == AF_INET    ? ntohs(((struct sockaddr_in *)&a)->sin_port)
           : a.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&a)->sin6_port)
                                     : 0;
}

/* So that a handshake finds its server: tls_pair_of(). */
static void on_connection(void *ctx, struct MHD_Connection *connection, void **kept, enum MHD_ConnectionNotificationCode what)
{
    (void)connection;
    *kept = what == MHD_CONNECTION_NOTIFY_STARTED ? ctx : NULL;
}

struct tls_pair *server_pair(const struct server *s)
{
    return s->pairs;
}

enum err server_renew(struct server *s, const char *key, const char *certificate, struct error *e)
{
    return tls_pair_add(key, certificate, &s->pairs, e);
}

static struct MHD_Daemon *start_daemon(struct server *s, int fd, const struct server_tls *tls)
{
    struct MHD_OptionItem secure[] = {{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)"NORMAL:-VERS-ALL:+VERS-TLS1.3"},
                                      {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, tls_callback()},
                                      {MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)(uintptr_t)(tls ? tls->trust : NULL)},
                                      {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned              flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (tls ? MHD_USE_TLS : 0u);

    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)HEADER_ROOM, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, s,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_ARRAY, tls ? secure : plain, MHD_OPTION_END);
}

static void join_loop(struct server *s, uv_loop_t *loop)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);

    s->loop = loop;
    uv_poll_init(loop, &s->poll, info->epoll_fd);
    uv_timer_init(loop, &s->clock);
    s->poll.data = s->clock.data = s;
    s->open = 2;
    uv_poll_start(&s->poll, UV_READABLE, on_ready);
}

enum err server_open_tls(uv_loop_t *loop, const char *listen, const struct route_set *sets, size_t count, const struct server_tls *tls,
                         struct server **out, struct error *e)
{
    struct server *s = must_alloc(sizeof *s);
    int            fd = -1;
    enum err       code = address_listen(listen, &fd, &s->socket_path, e);

    if (code) {
        free(s);
        return code;
    }
    s->local = s->socket_path != NULL;
    s->port = port_of(fd);
    s->sets = must_alloc((count ? count : 1) * sizeof *sets);
    memcpy(s->sets, sets, count * sizeof *sets);
    s->count = count;
    if (tls)
        s->tls = (struct server_tls){.admit = tls->admit, .ctx = tls->ctx};
    code = tls ? server_renew(s, tls->key, tls->certificate, e) : OK;
    s->daemon = code ? NULL : start_daemon(s, fd, tls);
    if (!s->daemon) {
        fd_end(&fd);
        tls_pairs_free(s->pairs);
        free(s->sets);
        free(s->socket_path);
        free(s);
        return code ? code : fail(e, ERR_FAILED, "the HTTP server on %s cannot be started", listen);
    }
    join_loop(s, loop);
    *out = s;
    return OK;
}

enum err server_open_sets(uv_loop_t *loop, const char *listen, const struct route_set *sets, size_t count, struct server **out,
                          struct error *e)
{
    return server_open_tls(loop, listen, sets, count, NULL, out, e);
}

enum err server_open(uv_loop_t *loop, const char *listen, const struct route *routes, size_t count, void *ctx, struct server **out,
                     struct error *e)
{
    struct route_set set = {routes, count, ctx};

    return server_open_sets(loop, listen, &set, 1, out, e);
}

/* libmicrohttpd refuses to stop with suspended connections. Completion, called from within, tells those who kept them. */
static void shut(struct server *s)
{
    uv_poll_stop(&s->poll);
    for (struct exchange *x = s->all; x; x = x->next)
        if (x->kept && !x->response && !x->left)
            MHD_resume_connection(x->connection);
    MHD_stop_daemon(s->daemon);
    if (s->socket_path)
        unlink(s->socket_path);
    uv_close((uv_handle_t *)&s->poll, on_own_closed);
    uv_close((uv_handle_t *)&s->clock, on_own_closed);
}

/* Not now: this may be called from a handler, inside libmicrohttpd. */
void server_close(struct server *s, void (*closed)(void *ctx), void *ctx)
{
    if (s->closing)
        return;
    s->closing = true;
    s->closed = closed;
    s->closed_ctx = ctx;
    uv_timer_start(&s->clock, on_clock, 0, 0);
}
