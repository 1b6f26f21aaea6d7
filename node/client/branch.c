#include "node/client/branch.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/log.h"

#define EVENTS_A_TURN 64

struct branch {
    struct branch_options options;
    struct swarm         *swarm;
    uv_async_t            bell;
    bool                  hurried;
    void                (*closed)(void *ctx);
    void                 *closed_ctx;
};

static void ring(void *ctx)
{
    uv_async_send(ctx);
}

static void on_ring(uv_async_t *bell)
{
    struct branch *b = bell->data;
    struct swarm_event event;
    for (int n = 0; b->swarm != NULL && swarm_poll(b->swarm, &event); n++) {
        if (event.kind == SWARM_UNTRUSTED)
            log_say(LOG_WARN, "branch.untrusted", event.text, "FERRY_PEER", event.peer, NULL);
        b->options.on_event(b->options.ctx, &event);
        if (n == EVENTS_A_TURN) {
            uv_async_send(bell);
            return;
        }
    }
}

enum err branch_open(const struct branch_options *options, struct branch **out, struct error *e)
{
    const struct config *c = options->config;
    struct branch *b = must_alloc(sizeof *b);
    struct swarm_options so = {.listen = c->listen, .upload_limit = c->upload_limit, .connections = (int)c->connections, .ssl = options->ssl};
    b->options = *options;
    int rc = uv_async_init(options->loop, &b->bell, on_ring);
    b->bell.data = b;
    if (rc != 0) {
        free(b);
        return fail(e, ERR_FAILED, "the bell of the swarm: %s", uv_strerror(rc));
    }
    enum err code = swarm_open(&so, ring, &b->bell, &b->swarm, e);
    if (code != OK) {
        branch_close(b, NULL, NULL);
        return code;
    }
    *out = b;
    return OK;
}

static void on_bell_closed(uv_handle_t *handle)
{
    struct branch *b = handle->data;
    if (b->closed)
        b->closed(b->closed_ctx);
    free(b);
}

void branch_close(struct branch *b, void (*closed)(void *ctx), void *ctx)
{
    b->closed = closed;
    b->closed_ctx = ctx;
    swarm_close(b->swarm);                      /* before the bell: whoever rings stops first */
    b->swarm = NULL;
    uv_close((uv_handle_t *)&b->bell, on_bell_closed);
}

void branch_identify(struct branch *b, const char *key_pem, const char *certificate_pem)
{
    swarm_identify(b->swarm, key_pem, certificate_pem);
}

void branch_block(struct branch *b, const char *const *addresses)
{
    swarm_block(b->swarm, addresses);
}

struct swarm *branch_swarm(struct branch *b)
{
    return b->swarm;
}

const char *branch_self(const struct branch *b)
{
    return b->options.config->listen;
}

void branch_wire(struct branch *b, const struct sha256 *name)
{
    struct error e = {0};
    for (char **peer = b->options.config->peer; peer && *peer; peer++)
        if (strcmp(*peer, branch_self(b)) != 0 && swarm_peer(b->swarm, name, *peer, &e) != OK)
            log_error(LOG_WARN, "branch.peer", "wiring a neighbour", &e);
}

void branch_hurry(struct branch *b, bool hurry)
{
    if (b->hurried != hurry)
        swarm_hurry(b->swarm, hurry);
    b->hurried = hurry;
}

void branch_ring(struct branch *b)
{
    uv_async_send(&b->bell);
}
