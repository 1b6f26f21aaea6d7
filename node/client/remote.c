#include "node/client/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "node/client/lend.h"
#include "node/io/packet.h"
#include "policy/document/json.h"

#define TURN_PACKETS 64                         /* of one turn of the loop */
#define LACK_MOST    20000                      /* as many items as a plan has */

struct remote {
    uv_poll_t             poll;
    uv_timer_t            silence;
    int                   socket, open;         /* open: handles whose close callback has not come */
    struct cache         *cache;
    int64_t               silence_s;
    bool                  heard;                /* it has said something */
    struct sha256        *lacks;                /* result.wanted */
    struct install_result result;
    void                (*on_step)(void *ctx, const char *step);
    void                (*on_done)(void *ctx, const struct install_result *);
    void                 *ctx;
};

/* --- the end --- */

static void on_closed(uv_handle_t *h)
{
    struct remote *r = h->data;

    if (--r->open)
        return;
    if (r->socket >= 0)
        close(r->socket);
    r->result.wanted = r->lacks;
    r->on_done(r->ctx, &r->result);
    free(r->lacks);
    free(r);
}

static void end(struct remote *r)
{
    if (uv_is_closing((uv_handle_t *)&r->silence))
        return;
    r->open = 1 + (r->socket >= 0);
    uv_close((uv_handle_t *)&r->silence, on_closed);
    if (r->socket >= 0)
        uv_close((uv_handle_t *)&r->poll, on_closed);
}

static void end_with(struct remote *r, enum install_outcome outcome, const char *why)
{
    if (uv_is_closing((uv_handle_t *)&r->silence))
        return;
    r->result.outcome = outcome;
    snprintf(r->result.detail, sizeof r->result.detail, "%.390s", why);
    end(r);
}

void remote_stop(struct remote *r)
{
    end_with(r, INSTALL_RETRY, "stopped with the node");
}

static void on_silence(uv_timer_t *t)
{
    struct remote *r = t->data;

    if (r->socket < 0)                          /* it was never reached */
        end(r);
    else
        end_with(r, INSTALL_RETRY, "the installer says nothing any more; it is asked again");
}

/* --- what it says --- */

static void on_verdict(struct remote *r, const json_t *j, struct error *e)
{
    struct reader in;
    const char   *word, *detail;
    int           outcome = INSTALL_OK;

    reader_init(&in, j, "installer", e);
    word = reader_text(&in, "outcome", 32);
    r->result.code = (int)reader_number(&in, "code", -1, INT32_MAX);
    r->result.touched = reader_bool_or(&in, "touched", false);
    detail = reader_text(&in, "detail", sizeof r->result.detail);
    while (outcome <= INSTALL_TIMEOUT && strcmp(word, install_outcome_word((enum install_outcome)outcome)))
        outcome++;
    if (reader_done(&in) || outcome > INSTALL_TIMEOUT)
        fail(e, ERR_USAGE, "the installer's verdict is not understood");
    else
        end_with(r, (enum install_outcome)outcome, detail);
}

static void on_lack(struct remote *r, const char *hex)
{
    struct sha256 name;

    if (!sha256_read(hex, &name) || r->result.wanted_count == LACK_MOST)
        return;
    r->lacks = must_grow(r->lacks, r->result.wanted_count + 1, sizeof *r->lacks);
    r->lacks[r->result.wanted_count++] = name;
}

static void on_packet(struct remote *r, const json_t *j, struct error *e)
{
    const char *want = json_string_value(json_object_get(j, "want")), *name = json_string_value(json_object_get(j, "name"));
    const char *step = json_string_value(json_object_get(j, "step")), *lack = json_string_value(json_object_get(j, "lack"));

    if (want && name)
        lend(r->socket, r->cache, want, name, e);
    else if (step && r->on_step)
        r->on_step(r->ctx, step);
    else if (lack)
        on_lack(r, lack);
    else if (!step)
        on_verdict(r, j, e);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct remote *r = poll->data;

    (void)events;
    for (int i = 0; i < TURN_PACKETS && !uv_is_closing((uv_handle_t *)poll); i++) {
        struct error e = {0};
        json_t      *j = NULL;
        enum err     code = status < 0 ? fail(&e, ERR_NOT_FOUND, "%s", uv_strerror(status)) : packet_take(r->socket, &j, NULL, &e);

        if (code == ERR_AGAIN)
            break;
        r->heard = r->heard || !code;
        if (!code)
            on_packet(r, j, &e);
        json_decref(j);
        if (e.code == ERR_NOT_FOUND && !r->heard)       /* it cannot even begin: not every five seconds */
            end_with(r, INSTALL_FAILED, "the installer ended without a word; its own log tells why");
        else if (e.code == ERR_NOT_FOUND)       /* killed: what it has begun is repaired by the next run */
            end_with(r, INSTALL_RETRY, "the installer ended without a verdict; it is asked again");
        else if (e.code)
            end_with(r, INSTALL_RETRY, e.text);
    }
    if (!uv_is_closing((uv_handle_t *)poll))
        uv_timer_start(&r->silence, on_silence, (uint64_t)r->silence_s * 1000, 0);
}

/* --- the beginning --- */

static enum err begin(struct remote *r, uv_loop_t *loop, const struct remote_call *call, struct error *e)
{
    int      fd = -1;
    enum err code = packet_connect(call->socket, &fd, e);

    code = code ? code : packet_send(fd, call->request, -1, e);
    if (code) {
        if (fd >= 0)
            close(fd);
        return code;
    }
    r->socket = fd;
    uv_poll_init(loop, &r->poll, fd);
    r->poll.data = r;
    uv_poll_start(&r->poll, UV_READABLE, on_readable);
    return OK;
}

struct remote *remote_start(uv_loop_t *loop, const struct remote_call *call)
{
    struct remote *r = must_alloc(sizeof *r);
    struct error   e = {0};
    enum err       code;

    *r = (struct remote){.socket = -1, .cache = call->cache, .silence_s = call->silence_s, .on_step = call->on_step, .on_done = call->on_done,
                         .ctx = call->ctx, .result = {.outcome = INSTALL_RETRY, .code = -1}};
    uv_timer_init(loop, &r->silence);
    r->silence.data = r;
    code = begin(r, loop, call, &e);
    if (code) {
        r->result.outcome = code == ERR_AGAIN ? INSTALL_RETRY : INSTALL_FAILED;
        snprintf(r->result.detail, sizeof r->result.detail, "the installer cannot be reached: %.340s", e.text);
    }
    uv_timer_start(&r->silence, on_silence, code ? 0 : (uint64_t)call->silence_s * 1000, 0);
    json_decref(call->request);
    return r;
}
