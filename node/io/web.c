#include "node/io/web.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "node/io/request.h"

/* Requests wait in `all` from web_start to on_done. Everything that adds, removes or ends one happens in sweep() or drain(), never inside a
 * callback of curl's, where curl refuses it, and never inside web_start. open: handles whose close callback has not come. */
struct web {
    uv_loop_t          *loop;
    CURLM              *multi;
    uv_timer_t          clock, bell;            /* curl's own time-out; our "look after the requests" */
    struct web_options  options;                /* texts are our copies */
    struct request_identity who;
    struct web_request *all;
    uint64_t            received;
    int                 open;
    bool                closing;
    void              (*closed)(void *ctx);
    void               *closed_ctx;
};

/* One socket of curl's that the loop watches. */
struct watch {
    uv_poll_t     poll;
    struct web   *web;
    curl_socket_t fd;
};

static void sweep(uv_timer_t *);
static void drain(struct web *);

static void ring(struct web *w)
{
    uv_timer_start(&w->bell, sweep, 0, 0);
}

/* --- curl on the loop: https://curl.se/libcurl/c/multi-uv.html --- */

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct web   *w = watch->web;
    int flags =
        status < 0 ? CURL_CSELECT_ERR : (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    int           running;

    curl_multi_socket_action(w->multi, watch->fd, flags, &running);     /* may end the watch: not used afterwards */
    drain(w);
}

static void on_time_out(uv_timer_t *clock)
{
    struct web *w = clock->data;
    int         running;

    curl_multi_socket_action(w->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(w);
}

static void finish_close(struct web *w)
{
    free((char *)(uintptr_t)w->options.proxy);
    free((char *)(uintptr_t)w->options.bind_address);
    free((char *)(uintptr_t)w->options.agent);
    web_identity(w, NULL, NULL);
    if (w->closed)
        w->closed(w->closed_ctx);
    free(w);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct web *w = h->data;

    if (--w->open == 0)
        finish_close(w);
}

static void on_watch_closed(uv_handle_t *h)
{
    struct watch *watch = h->data;
    struct web   *w = watch->web;

    free(watch);
    if (--w->open == 0)
        finish_close(w);
}

static struct watch *watch_new(struct web *w, curl_socket_t fd)
{
    struct watch *watch = must_alloc(sizeof *watch);

    watch->web = w;
    watch->fd = fd;
    if (uv_poll_init_socket(w->loop, &watch->poll, fd)) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    w->open++;
    return watch;
}

/* curl says which sockets it wants watched, for what. */
static int on_interest(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    struct web   *w = ctx;
    struct watch *watch = known;
    int           events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        curl_multi_assign(w->multi, fd, NULL);
        if (watch) {
            uv_poll_stop(&watch->poll);         /* now: curl closes the descriptor as soon as we return */
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        }
        return 0;
    }
    if (!watch) {
        watch = watch_new(w, fd);
        if (!watch)
            return -1;
        curl_multi_assign(w->multi, fd, watch);
    }
    return uv_poll_start(&watch->poll, events, on_socket_ready) ? -1 : 0;
}

static int on_interval(CURLM *multi, long ms, void *ctx)
{
    struct web *w = ctx;

    (void)multi;
    if (ms < 0)
        return uv_timer_stop(&w->clock);
    return uv_timer_start(&w->clock, on_time_out, (uint64_t)ms, 0);
}

/* --- requests --- */

static void unlink_request(struct web_request *r)
{
    if (r->previous)
        r->previous->next = r->next;
    else
        r->web->all = r->next;
    if (r->next)
        r->next->previous = r->previous;
}

static void finish(struct web_request *r, CURLcode code)
{
    struct web_answer answer;

    if (r->added)
        curl_multi_remove_handle(r->web->multi, r->easy);
    unlink_request(r);
    request_judge(r, code, &answer);
    r->call.on_done(r->call.ctx, &answer);
    request_free(r);
}

static void drain(struct web *w)
{
    CURLMsg *message;
    int      left;

    while ((message = curl_multi_info_read(w->multi, &left))) {
        struct web_request *r = NULL;
        CURLcode            code = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&r);
        finish(r, code);
    }
}

static void tear_down(struct web *w)
{
    curl_multi_cleanup(w->multi);               /* lets go of the idle connections: on_interest is called for them */
    uv_close((uv_handle_t *)&w->clock, on_timer_closed);
    uv_close((uv_handle_t *)&w->bell, on_timer_closed);
}

/* Starts what is new, ends what is cancelled. on_done may start and cancel others, so the list is walked anew after each. */
static void sweep(uv_timer_t *bell)
{
    struct web         *w = bell->data;
    struct web_request *r = w->all;

    while (r) {
        if (r->cancelled || w->closing) {
            r->cancelled = true;
            finish(r, CURLE_OK);
            r = w->all;
            continue;
        }
        if (!r->added) {
            r->added = true;
            curl_multi_add_handle(w->multi, r->easy);
        }
        r = r->next;
    }
    if (w->closing)
        tear_down(w);
}

struct web_request *web_start(struct web *w, const struct web_call *call)
{
    struct web_request *r = must_alloc(sizeof *r);

    r->web = w;
    r->received = &w->received;
    request_arm(r, &w->options, &w->who, call);
    r->next = w->all;
    if (r->next)
        r->next->previous = r;
    w->all = r;
    ring(w);
    return r;
}

void web_cancel(struct web_request *r)
{
    r->cancelled = true;
    ring(r->web);
}

void web_identity(struct web *w, const char *key, const char *certificate)
{
    if (w->who.key)
        memset(w->who.key, 0, strlen(w->who.key));
    free(w->who.key);
    free(w->who.certificate);
    w->who = (struct request_identity){must_copy(key), must_copy(certificate)};
}

uint64_t web_received(const struct web *w)
{
    return w->received;
}

/* --- open and close --- */

enum err web_open(uv_loop_t *loop, const struct web_options *options, struct web **out, struct error *e)
{
    struct web *w;

    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        return fail(e, ERR_FAILED, "libcurl cannot be initialised");
    signal(SIGPIPE, SIG_IGN);                   /* libcurl with NOSIGNAL leaves this to us */
    w = must_alloc(sizeof *w);
    w->loop = loop;
    w->options = (struct web_options){must_copy(options->proxy), options->proxy_tunnel, must_copy(options->bind_address),
                                      must_copy(options->agent ? options->agent : "ferryd")};
    w->multi = curl_multi_init();
    if (!w->multi)
        abort();                                /* out of memory */
    curl_multi_setopt(w->multi, CURLMOPT_SOCKETFUNCTION, on_interest);
    curl_multi_setopt(w->multi, CURLMOPT_SOCKETDATA, w);
    curl_multi_setopt(w->multi, CURLMOPT_TIMERFUNCTION, on_interval);
    curl_multi_setopt(w->multi, CURLMOPT_TIMERDATA, w);
    curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS, 32L);     /* idle ones that are kept */
    uv_timer_init(loop, &w->clock);
    uv_timer_init(loop, &w->bell);
    w->clock.data = w->bell.data = w;
    w->open = 2;
    *out = w;
    return OK;
}

void web_close(struct web *w, void (*closed)(void *ctx), void *ctx)
{
    if (w->closing)
        return;
    w->closing = true;
    w->closed = closed;
    w->closed_ctx = ctx;
    ring(w);
}
