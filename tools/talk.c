#include "tools/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/text.h"
#include "node/io/web.h"
#include "policy/document/json.h"

#define STANDARD_SOCKET "/run/ferry/ferryd.sock"
#define ANSWER_LIMIT    (256u << 20)

struct talk {
    uv_loop_t   loop;
    struct web *web;
    char       *socket;
    bool        trace;
};

enum err talk_open(const char *path, bool trace, struct talk **out, struct error *e)
{
    struct talk             *t = must_alloc(sizeof *t);
    const struct web_options options = {.agent = "ferry/" FERRY_VERSION};
    const char              *set = getenv("FERRY_SOCKET");
    enum err                 code;

    t->socket = must_copy(path ? path : set && *set ? set : STANDARD_SOCKET);
    t->trace = trace;
    uv_loop_init(&t->loop);
    code = web_open(&t->loop, &options, &t->web, e);
    if (code) {
        free(t->socket);
        free(t);
        return code;
    }
    *out = t;
    return OK;
}

static void on_closed(void *ctx)
{
    *(bool *)ctx = true;
}

void talk_close(struct talk *t)
{
    bool closed = false;

    if (!t)
        return;
    web_close(t->web, on_closed, &closed);
    while (!closed)
        uv_run(&t->loop, UV_RUN_ONCE);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    uv_loop_close(&t->loop);
    free(t->socket);
    free(t);
}

struct question {
    bool          done;
    enum err      code;
    json_t      **out;
    struct error *error;
    const char   *socket;
};

/* RFC 9457: the type carries our stable error name behind "ferry:". */
static enum err problem(const struct web_answer *a, const json_t *body, struct error *e)
{
    const char *type = json_string_value(json_object_get(body, "type"));
    const char *detail = json_string_value(json_object_get(body, "detail"));
    enum err    code = type && !strncmp(type, "ferry:", 6) ? err_by_name(type + 6) : a->code;

    return fail(e, code ? code : ERR_FAILED, "%s", detail ? detail : a->error.text);
}

static void on_answer(void *ctx, const struct web_answer *a)
{
    struct question *q = ctx;
    json_t          *body = NULL;

    q->done = true;
    if (!a->status) {
        q->code = fail(q->error, a->code ? a->code : ERR_AGAIN,
                       "no ferryd answers at %s (%s); is it running? --socket or FERRY_SOCKET names another", q->socket, a->error.text);
        return;
    }
    if (a->length)
        body = json_loadb(a->body, a->length, JSON_DECODE_ANY, NULL);
    if (a->status >= 400) {
        q->code = problem(a, body, q->error);
    } else if (a->code) {
        q->code = fail(q->error, a->code, "%s", a->error.text);
    } else if (!body) {
        q->code = fail(q->error, ERR_FAILED, "ferryd answered with something that is not JSON");
    } else {
        *q->out = body;
        return;
    }
    json_decref(body);
}

enum err talk_ask(struct talk *t, const char *method, const char *path, const json_t *body, json_t **out, struct error *e)
{
    struct question q = {.out = out, .error = e, .socket = t->socket};
    char *url       AUTO(text_free) = must_print("http://ferryd%s", path);
    char           *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct web_call call = {.method = method, .url = url, .unix_socket = t->socket, .body = text, .body_length = text ? strlen(text) : 0,
                            .limit = ANSWER_LIMIT, .stall_ms = 120000, .on_done = on_answer, .ctx = &q};

    if (t->trace)
        fprintf(stderr, "> %s %s %s\n", method, path, text ? text : "");
    web_start(t->web, &call);
    while (!q.done)
        uv_run(&t->loop, UV_RUN_ONCE);
    free(text);
    return q.code;
}

static void on_timer(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

void talk_wait(struct talk *t, int64_t ms)
{
    uv_timer_t timer;
    bool       over = false;

    uv_timer_init(&t->loop, &timer);
    timer.data = &over;
    uv_timer_start(&timer, on_timer, (uint64_t)ms, 0);
    while (!over)
        uv_run(&t->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&t->loop, UV_RUN_NOWAIT);
}
