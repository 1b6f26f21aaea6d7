#include "node/client/fetch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "dht/rendezvous.h"
#include "dht/swarm.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/want.h"

#define TICK_MS  250
#define RETRY_MS 60000

static struct want *find(struct fetcher *f, const struct sha256 *name)
{
    struct want *w = f->wants;

    while (w && !sha256_same(&w->content.sha256, name))
        w = w->next;
    return w;
}

uint32_t want_piece_bytes(const struct want *w, uint32_t piece)
{
    uint64_t begin = (uint64_t)piece * w->piece_size, left = w->content.size - begin;

    return left < w->piece_size ? (uint32_t)left : w->piece_size;
}

bool want_has(const struct want *w, uint32_t piece)
{
    return swarm_has(branch_swarm(w->fetcher->branch), &w->content.sha256, piece);
}

void want_waste(struct want *w, uint64_t bytes)
{
    w->bytes.waste += bytes;
    if (bytes)
        store_bytes_put(w->fetcher->options.store, &w->bytes, NULL);
}

void want_set(struct want *w, enum fetch_state state, const char *why)
{
    static const char *const words[] = {"none", "checking", "running", "no-source", "verifying", "here", "failed"};
    char                     hex[SHA256_HEX];

    snprintf(w->why, sizeof w->why, "%s", why);
    if (w->state == state)
        return;
    w->state = state;
    log_say(state == FETCH_FAILED || state == FETCH_NO_SOURCE ? LOG_WARN : LOG_TELL, "content.state", words[state], "FERRY_CONTENT", sha256_hex(&w->content.sha256, hex), "FERRY_REASON",
            *why ? why : NULL, NULL);
    w->fetcher->options.changed(w->fetcher->options.ctx, &w->content.sha256);
}

static void tell(struct want *w, const char *event, const char *source, const char *detail)
{
    char hex[SHA256_HEX];
    const uint64_t *b = w->bytes.from;

    w->fetcher->options.tell(w->fetcher->options.ctx,
                             json_pack("{s:s,s:s,s:s,s:I,s:s,s:s,s:{s:I,s:I,s:I,s:I,s:I}}", "topic", "content", "subject", sha256_hex(&w->content.sha256, hex), "event", event, "size",
                                       (json_int_t)w->content.size, "source", source, "detail", detail, "bytes", "http", (json_int_t)b[BYTES_HTTP], "peers", (json_int_t)b[BYTES_PEERS],
                                       "cache", (json_int_t)b[BYTES_CACHE], "origin", (json_int_t)b[BYTES_ORIGIN], "waste", (json_int_t)w->bytes.waste));
}

void want_refused(struct want *w, const char *source, const char *detail)
{
    log_say(LOG_WARN, "content.refused", detail, "FERRY_SOURCE", source, NULL);
    tell(w, "refused", source, detail);
}

/* --- whole: the ledger's complete flag is set once, after the message is durable; a crash between says it again, with the same figures --- */

static void complete(struct want *w)
{
    if (!w->bytes.complete) {
        tell(w, "complete", w->source, "");
        w->bytes.complete = true;
        w->bytes.changed = clock_now();
        store_bytes_put(w->fetcher->options.store, &w->bytes, NULL);
    }
    want_set(w, FETCH_HERE, "");
}

static void fail_want(struct want *w, const char *why)
{
    w->retry_at = clock_ms() + RETRY_MS;
    if (w->in_swarm)
        swarm_drop(branch_swarm(w->fetcher->branch), &w->content.sha256);
    w->in_swarm = false;
    want_set(w, FETCH_FAILED, why);
}

static char *partial_path(const struct want *w)
{
    char hex[SHA256_HEX];

    return must_print("%s/%s", cache_partial_dir(w->fetcher->options.cache), sha256_hex(&w->content.sha256, hex));
}

static void on_verify(uv_work_t *work)
{
    struct want  *w = work->data;
    char         *path = partial_path(w);
    struct sha256 real;
    uint64_t      size;
    int fd AUTO(fd_end) = open(path, O_RDONLY | O_CLOEXEC);

    w->code = hash_file(path, &real, &size, &w->error);
    if (!w->code && (size != w->content.size || !sha256_same(&real, &w->content.sha256)))
        w->code = fail(&w->error, ERR_VERIFY, "the whole is not what its name says");
    if (!w->code && fsync(fd))
        w->code = fail_errno(&w->error, "%s", path);
    free(path);
}

static void on_verified(uv_work_t *work, int status)
{
    struct want    *w = work->data;
    struct fetcher *f = w->fetcher;

    if (!f->closing && status == 0) {
        if (w->code == ERR_VERIFY) {
            want_set(w, FETCH_CHECKING, w->error.text);
            swarm_recheck(branch_swarm(f->branch), &w->content.sha256);
        } else if (w->code) {
            fail_want(w, w->error.text);
        } else {
            swarm_move(branch_swarm(f->branch), &w->content.sha256, cache_content_dir(f->options.cache));
            branch_ring(f->branch);
        }
    }
    fetcher_release(f);
}

static void verify(struct want *w)
{
    if (w->state == FETCH_VERIFYING || w->state == FETCH_HERE)
        return;
    want_set(w, FETCH_VERIFYING, "");
    w->fetcher->open++;
    w->work.data = w;
    uv_queue_work(w->fetcher->options.loop, &w->work, on_verify, on_verified);
}

/* --- events of the swarm --- */

struct recall {
    struct want *want;
    uint8_t     *known;
};

static void on_known_piece(void *ctx, uint32_t piece, enum bytes_from from, uint32_t size)
{
    struct recall *r = ctx;

    if (piece < r->want->pieces && want_has(r->want, piece)) {
        r->known[piece] = 1;
        r->want->bytes.from[from] += size;
    }
}

/* What is here was brought by somebody: the store remembers who; what it does not remember was in the cache. */
static void on_ready(struct want *w)
{
    struct swarm_figures s;
    struct recall        r = {w, must_alloc(w->pieces + 1u)};

    memset(w->bytes.from, 0, sizeof w->bytes.from);
    store_pieces(w->fetcher->options.store, &w->content.sha256, on_known_piece, &r);
    for (uint32_t i = 0; i < w->pieces; i++) {
        w->piece[i].state = PIECE_IDLE;
        if (!r.known[i] && want_has(w, i))
            w->bytes.from[BYTES_CACHE] += want_piece_bytes(w, i);
    }
    free(r.known);
    w->ready_at = w->progress_at = clock_ms();
    want_set(w, FETCH_RUNNING, "");
    branch_wire(w->fetcher->branch, &w->content.sha256);
    if (swarm_progress(branch_swarm(w->fetcher->branch), &w->content.sha256, &s) && s.have == s.pieces)
        verify(w);
}

static void on_piece(struct want *w, const struct swarm_event *event)
{
    struct want_piece *p = &w->piece[event->piece];
    enum bytes_from    from = event->injected && p->state == PIECE_INJECTED ? (enum bytes_from)p->from : BYTES_PEERS;
    uint32_t           size = want_piece_bytes(w, event->piece);

    if (p->state == PIECE_INJECTED)
        p->state = PIECE_IDLE;
    w->progress_at = clock_ms();
    if (w->bytes.complete)
        return;
    w->bytes.from[from] += size;
    store_piece_put(w->fetcher->options.store, &w->content.sha256, event->piece, from, size, NULL);
    if (w->state == FETCH_NO_SOURCE)
        want_set(w, FETCH_RUNNING, "");
    carrier_pump(w);
}

static void on_bad(struct want *w, const struct swarm_event *event)
{
    struct want_piece *p = &w->piece[event->piece];

    want_waste(w, want_piece_bytes(w, event->piece));
    if (event->injected && p->source) {
        char detail[120];
        snprintf(detail, sizeof detail, "piece %u is not what was signed; nothing more is taken from there for 15 min", event->piece);
        health_ban(p->source, clock_ms(), "it served altered bytes");
        want_refused(w, p->source->name, detail);
    } else if (*event->peer) {
        want_refused(w, event->peer, "a neighbour sent altered bytes; it is banned");
    }
    p->state = PIECE_IDLE;
}

static void on_moved(struct want *w)
{
    struct error e;

    if (cache_keep(w->fetcher->options.cache, &w->content.sha256, &e))
        fail_want(w, e.text);
    else
        complete(w);
}

static void on_event(void *ctx, const struct swarm_event *event)
{
    struct want *w = find(ctx, &event->name);

    if (!w || (event->kind == SWARM_PIECE && event->piece >= w->pieces) || (event->kind == SWARM_BAD && event->piece >= w->pieces))
        return;
    switch (event->kind) {
    case SWARM_READY: if (w->state == FETCH_CHECKING) on_ready(w); break;
    case SWARM_PIECE: on_piece(w, event); break;
    case SWARM_BAD:   on_bad(w, event); break;
    case SWARM_DONE:  if (w->state == FETCH_RUNNING || w->state == FETCH_NO_SOURCE) verify(w); break;
    case SWARM_MOVED: on_moved(w); break;
    case SWARM_PEERS: carrier_pump(w); break;
    case SWARM_ERROR: fail_want(w, event->text); break;
    }
}

/* --- wanting --- */

static void start(struct want *w)
{
    struct fetcher *f = w->fetcher;
    struct error    e;
    enum err        code = cache_room(f->options.cache, w->content.size, clock_now(), NULL, NULL, &e);
    char            path[4096];

    cache_path(f->options.cache, &w->content.sha256, path, sizeof path);
    if (file_exists(path))
        cache_forget(f->options.cache, &w->content.sha256);         /* there, but not as it was left */
    code = code ? code : swarm_add(branch_swarm(f->branch), &w->content.sha256, w->content.torrent, w->content.torrent_size, cache_partial_dir(f->options.cache), false, &e);
    if (code) {
        fail_want(w, e.text);
        return;
    }
    w->in_swarm = true;
    store_bytes_put(f->options.store, &w->bytes, NULL);
    want_set(w, FETCH_CHECKING, "");
}

static void seed(struct want *w)
{
    struct fetcher *f = w->fetcher;
    struct error    e;

    if (!w->in_swarm && swarm_add(branch_swarm(f->branch), &w->content.sha256, w->content.torrent, w->content.torrent_size, cache_content_dir(f->options.cache), true, &e))
        log_error(LOG_WARN, "content.seed", "serving to neighbours", &e);
    else if (!w->in_swarm)
        branch_wire(f->branch, &w->content.sha256);
    w->in_swarm = true;
}

static enum err make(struct fetcher *f, const struct content *c, struct want **out, struct error *e)
{
    struct want *w, **at = &f->wants;
    uint32_t     piece_size;
    enum err     code = swarm_torrent_check(c->torrent, c->torrent_size, &c->sha256, c->size, &c->info_hash, &piece_size, e);

    if (code)
        return code;
    w = must_alloc(sizeof *w);
    w->fetcher = f;
    w->content = *c;
    w->content.origin = must_copy(c->origin);
    w->content.torrent = must_alloc(c->torrent_size);
    memcpy(w->content.torrent, c->torrent, c->torrent_size);
    w->piece_size = piece_size;
    w->pieces = (uint32_t)((c->size + piece_size - 1) / piece_size);
    w->piece = must_alloc((w->pieces + 1u) * sizeof *w->piece);
    w->walk = must_alloc((w->pieces + 1u) * sizeof *w->walk);
    rendezvous_walk(&c->sha256, branch_self(f->branch), w->pieces, w->walk);
    w->wanted_at = clock_ms();
    if (!store_bytes(f->options.store, &c->sha256, &w->bytes))
        w->bytes = (struct byte_row){.name = c->sha256, .size = c->size};
    while (*at)
        at = &(*at)->next;
    *at = w;
    *out = w;
    return OK;
}

/* In the cache already, whatever brought it. */
static void adopt(struct want *w)
{
    if (!w->bytes.complete) {
        memset(w->bytes.from, 0, sizeof w->bytes.from);
        w->bytes.from[BYTES_CACHE] = w->content.size;
    }
    seed(w);
    complete(w);
}

/* Kept in order of due, so that the pump serves the earliest first. */
static void sort(struct fetcher *f, struct want *w)
{
    struct want **at = &f->wants;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    at = &f->wants;
    while (*at && (*at)->due <= w->due)
        at = &(*at)->next;
    w->next = *at;
    *at = w;
}

enum err fetcher_want(struct fetcher *f, const struct content *c, int64_t due, bool origin_fallback, struct error *e)
{
    struct want *w = find(f, &c->sha256);
    enum err     code = w ? OK : make(f, c, &w, e);

    if (code)
        return code;
    w->due = due;
    w->origin_fallback = origin_fallback;
    sort(f, w);
    if (w->wanted && w->state != FETCH_HERE)
        return OK;
    w->wanted = true;
    if (cache_has(f->options.cache, &c->sha256, c->size)) {
        if (w->state != FETCH_HERE)
            adopt(w);
    } else if (w->state == FETCH_NONE || w->state == FETCH_HERE || (w->state == FETCH_FAILED && clock_ms() >= w->retry_at)) {
        if (w->in_swarm)
            swarm_drop(branch_swarm(f->branch), &c->sha256);
        w->in_swarm = false;
        w->bytes.complete = false;
        start(w);
    }
    branch_hurry(f->branch, true);
    return OK;
}

void fetcher_unwant(struct fetcher *f, const struct sha256 *name)
{
    struct want *w = find(f, name);

    if (!w || w->state == FETCH_VERIFYING)
        return;
    w->wanted = false;
    if (w->state == FETCH_HERE || w->state == FETCH_NONE)
        return;
    if (w->in_swarm)
        swarm_drop(branch_swarm(f->branch), name);
    w->in_swarm = false;
    w->state = FETCH_NONE;
}

void fetcher_seed(struct fetcher *f, const struct content *c)
{
    struct want *w = find(f, &c->sha256);

    if (w || !cache_has(f->options.cache, &c->sha256, c->size) || make(f, c, &w, NULL))
        return;
    adopt(w);
}

enum fetch_state fetcher_state(struct fetcher *f, const struct sha256 *name, struct fetch_progress *out)
{
    struct want         *w = find(f, name);
    struct swarm_figures s = {0};

    if (out)
        memset(out, 0, sizeof *out);
    if (!w)
        return FETCH_NONE;
    if (!out)
        return w->state;
    if (w->in_swarm)
        swarm_progress(branch_swarm(f->branch), name, &s);
    out->state = w->state;
    out->size = w->content.size;
    memcpy(out->from, w->bytes.from, sizeof out->from);
    for (int i = 0; i < BYTES_KINDS; i++)
        out->have += w->bytes.from[i];
    out->waste = w->bytes.waste;
    out->rate = s.down_rate;
    out->peers = s.peers;
    snprintf(out->source, sizeof out->source, "%s", w->source);
    snprintf(out->why, sizeof out->why, "%s", w->why);
    return w->state;
}

/* --- life --- */

static void on_tick(uv_timer_t *timer)
{
    struct fetcher *f = timer->data;
    bool            busy = false;

    for (struct want *w = f->wants; w; w = w->next) {
        if (w->wanted && w->state == FETCH_FAILED && clock_ms() >= w->retry_at)
            start(w);
        busy = busy || (w->wanted && w->state != FETCH_HERE);
        if (w->state == FETCH_RUNNING || w->state == FETCH_NO_SOURCE) {
            branch_wire(f->branch, &w->content.sha256);
            carrier_pump(w);
        }
    }
    branch_hurry(f->branch, busy);
}

enum err fetcher_open(const struct fetcher_options *options, struct fetcher **out, struct error *e)
{
    struct fetcher       *f = must_alloc(sizeof *f);
    struct branch_options b = {options->loop, options->config, on_event, f};
    enum err              code = branch_open(&b, &f->branch, e);

    if (code) {
        free(f);
        return code;
    }
    f->options = *options;
    uv_timer_init(options->loop, &f->timer);
    f->timer.data = f;
    uv_timer_start(&f->timer, on_tick, TICK_MS, TICK_MS);
    *out = f;
    return OK;
}

void fetcher_release(struct fetcher *f)
{
    void (*closed)(void *) = f->closed;
    void *ctx = f->closed_ctx;

    if (--f->open || !f->closing)
        return;
    while (f->wants) {
        struct want *next = f->wants->next;
        content_end(&f->wants->content);
        free(f->wants->piece);
        free(f->wants->walk);
        free(f->wants);
        f->wants = next;
    }
    health_end(&f->health);
    free(f);
    if (closed)
        closed(ctx);
}

static void on_timer_closed(uv_handle_t *handle)
{
    fetcher_release(handle->data);
}

static void on_branch_closed(void *ctx)
{
    fetcher_release(ctx);
}

void fetcher_close(struct fetcher *f, void (*closed)(void *ctx), void *ctx)
{
    f->closing = true;
    f->closed = closed;
    f->closed_ctx = ctx;
    f->open += 2;
    for (struct want *w = f->wants; w; w = w->next)
        for (uint32_t i = 0; i < w->pieces; i++)
            if (w->piece[i].request)
                web_cancel(w->piece[i].request);
    uv_timer_stop(&f->timer);
    uv_close((uv_handle_t *)&f->timer, on_timer_closed);
    branch_close(f->branch, on_branch_closed, f);
}

void fetcher_policy(struct fetcher *f, const struct fleet *fleet, const char *address)
{
    f->fleet = fleet;
    f->group = fleet && address ? fleet_group_of(fleet, address) : NULL;
}
