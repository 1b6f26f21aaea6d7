/* All contents wanted or served here: the list, the clock, the door. The story of one is want.c; its ranges carrier.c; its bytes tally.c.
 */
#include "node/client/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/carrier.h"
#include "node/client/tally.h"

#define TICK_MS      200                        /* while anything is under way */
#define SLOW_TICK_MS 1000                       /* while something failed and waits */

static struct want *find(const struct fetcher *f, const struct sha256 *name)
{
    for (struct want *w = f->wants; w; w = w->next)
        if (!w->gone && sha256_same(&w->content.sha256, name))
            return w;
    return NULL;
}

/* --- the list --- */

static bool before(const struct want *a, const struct want *b)
{
    if (a->due != b->due)
        return a->due < b->due;
    if (a->content.size != b->content.size)
        return a->content.size < b->content.size;
    return memcmp(a->content.sha256.b, b->content.sha256.b, SHA256_SIZE) < 0;   /* all nodes work on the same content */
}

static void enlist(struct fetcher *f, struct want *w)
{
    struct want **at = &f->wants;
    while (*at && !before(w, *at))
        at = &(*at)->next;
    w->next = *at;
    *at = w;
}

static void delist(struct fetcher *f, struct want *w)
{
    struct want **at = &f->wants;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
}

static void reap(struct fetcher *f)
{
    for (struct want *w = f->wants, *next; w; w = next) {
        next = w->next;
        if (w->gone && w->busy == 0) {
            delist(f, w);
            want_free(w);
        }
    }
}

bool fetcher_needs(void *ctx, const struct sha256 *name)
{
    const struct want *w = find(ctx, name);
    return w && w->wanted;
}

/* --- the clock --- */

/* Complete rows are written by tally_complete alone; who is gone has been saved. */
static bool unsaved(const struct want *w)
{
    return !w->gone && !w->row.complete && tally_unsaved(w);
}

static void save(struct fetcher *f)
{
    struct error e = {0};
    bool any = false;
    for (struct want *w = f->wants; w; w = w->next)
        any |= unsaved(w);
    if (!any)
        return;
    enum err code = store_begin(f->options.store, &e);
    for (struct want *w = f->wants; w && code == OK; w = w->next)
        if (unsaved(w))
            code = tally_save(w, &e);
    if (store_end(f->options.store, code, &e) != OK)
        log_error(LOG_WRONG, "content.ledger", "writing the byte ledger", &e);
}

/* The caller may want and unwant from within: the list is walked anew after each. */
static void tell_changes(struct fetcher *f)
{
    struct want *w = f->wants;
    while (w) {
        if (!w->changed || w->gone) {
            w = w->next;
            continue;
        }
        struct sha256 name = w->content.sha256;
        w->changed = false;
        if (f->options.changed)
            f->options.changed(f->options.ctx, &name);
        w = f->wants;
    }
}

static void on_timer(uv_timer_t *timer);

static void rest(struct fetcher *f)
{
    bool active = carrier_busy(f->carrier) > 0, waiting = false;
    for (struct want *w = f->wants; w; w = w->next) {
        active |= w->state == FETCH_CHECKING || w->state == FETCH_RUNNING || w->state == FETCH_NO_SOURCE || w->state == FETCH_VERIFYING;
        waiting |= w->state == FETCH_FAILED || w->gone;
    }
    branch_hurry(f->branch, active);
    if (active || waiting)
        uv_timer_start(&f->timer, on_timer, active ? TICK_MS : SLOW_TICK_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct fetcher *f = timer->data;
    int64_t now = clock_ms();
    if (f->closing)
        return;
    reap(f);
    for (struct want *w = f->wants; w; w = w->next)
        if (!w->gone)
            want_step(w, now);
    carrier_run(f->carrier, now);
    save(f);
    rest(f);
    tell_changes(f);
}

void fetcher_poke(struct fetcher *f)
{
    if (!f->closing)
        uv_timer_start(&f->timer, on_timer, 0, 0);
}

static void on_event(void *ctx, const struct swarm_event *event)
{
    struct fetcher *f = ctx;
    struct want *w = find(f, &event->name);
    if (w && w->in_swarm && !f->closing)
        want_event(w, event);
}

/* --- sources --- */

static void order_sources(struct want *w)
{
    struct fetcher *f = w->fetcher;
    struct source ordered[SOURCES];
    struct want_source old[SOURCES];
    size_t old_count = w->source_count;
    memcpy(old, w->sources, sizeof old);
    w->source_count = f->fleet == NULL
                          ? 0
                          : source_order(f->fleet, fleet_group_of(f->fleet, f->address), &w->content, w->allowed, ordered, SOURCES);
    for (size_t i = 0; i < w->source_count; i++) {
        w->sources[i] = (struct want_source){.source = ordered[i], .health = health_of(&f->health, ordered[i].url, ordered[i].name)};
        for (size_t k = 0; k < old_count; k++)
            if (old[k].health == w->sources[i].health) {
                w->sources[i].missing_until = old[k].missing_until;
                w->sources[i].missing_wait = old[k].missing_wait;
            }
    }
}

void fetcher_policy(struct fetcher *f, const struct fleet *fleet, const char *address)
{
    f->fleet = fleet;
    snprintf(f->address, sizeof f->address, "%s", address ? address : "");
    for (struct want *w = f->wants; w; w = w->next)
        order_sources(w);
    fetcher_poke(f);
}

/* --- the door --- */

static struct want *want_new(struct fetcher *f, const struct content *content)
{
    struct want *w = must_alloc(sizeof *w);
    w->fetcher = f;
    w->content = *content;
    w->content.origin = must_copy(content->origin);
    w->content.torrent = must_alloc(content->torrent_size + 1);
    memcpy(w->content.torrent, content->torrent, content->torrent_size);
    sha256_hex(&content->sha256, w->hex);
    w->state = FETCH_CHECKING;
    w->first_wanted = clock_now();
    return w;
}

enum err fetcher_want(struct fetcher *f, const struct content *content, int64_t due, unsigned allowed, struct error *e)
{
    struct want *w = find(f, &content->sha256);
    if (content->size > 0) {
        enum err code =
            swarm_torrent_check(content->torrent, content->torrent_size, &content->sha256, content->size, &content->info_hash,
                                f->fleet ? f->fleet->ca : NULL, NULL, e);
        if (code != OK)
            return code;
    }
    bool fresh = w == NULL;
    if (fresh)
        w = want_new(f, content);
    else
        delist(f, w);
    bool again = !fresh && w->wanted && w->due == due && w->allowed == allowed;
    w->wanted = true;
    w->due = due;
    w->allowed = allowed;
    enlist(f, w);
    if (!again) {
        order_sources(w);
        fetcher_poke(f);
    }
    return OK;
}

void fetcher_unwant(struct fetcher *f, const struct sha256 *name)
{
    struct want *w = find(f, name);
    if (w == NULL)
        return;
    w->wanted = false;
    if (w->state == FETCH_HERE)
        return;
    save(f);
    want_quit(w);
    w->gone = true;
    fetcher_poke(f);
}

/* The cache takes it away: neighbours are not served from a file that is no more. */
static void on_evicted(void *ctx, const struct sha256 *name)
{
    struct want *w = find(ctx, name);
    if (w == NULL || w->wanted)
        return;
    log_say(LOG_TELL, "content.evicted", "content nobody needs made room", "FERRY_CONTENT", w->hex, NULL);
    want_quit(w);
    w->gone = true;
}

void fetcher_trim(struct fetcher *f)
{
    cache_trim(f->options.cache, (uint64_t)f->options.config->cache_max, clock_now(), fetcher_needs, f);
    fetcher_poke(f);
}

void fetcher_seed(struct fetcher *f, const struct content *content)
{
    if (find(f, &content->sha256) || !cache_has(f->options.cache, &content->sha256, content->size))
        return;
    struct want *w = want_new(f, content);
    w->due = INT64_MAX;
    enlist(f, w);
    order_sources(w);
    fetcher_poke(f);
}

enum fetch_state fetcher_state(struct fetcher *f, const struct sha256 *name, struct fetch_progress *out)
{
    struct want *w = find(f, name);
    if (out == NULL)
        return w ? w->state : FETCH_NONE;
    *out = (struct fetch_progress){0};
    struct byte_row row = {0};
    if (w)
        row = w->row;
    else
        store_bytes(f->options.store, name, &row);
    out->size = w ? w->content.size : row.size;
    out->waste = row.waste;
    memcpy(out->from, row.from, sizeof out->from);
    if (w == NULL)
        return FETCH_NONE;
    out->state = w->state;
    out->have = w->have;
    out->rate = w->state == FETCH_RUNNING ? w->rate : 0;
    out->peers = (int)w->neighbours;
    snprintf(out->source, sizeof out->source, "%s", w->source);
    snprintf(out->why, sizeof out->why, "%s", w->why);
    return w->state;
}

/* --- open and close --- */

enum err fetcher_open(const struct fetcher_options *options, struct fetcher **out, struct error *e)
{
    if (options->config->listen == NULL)
        return fail(e, ERR_USAGE,
                    "listen is not set: a node that fetches needs the address its neighbours reach it at, like listen = 10.1.0.7:6881");
    struct fetcher *f = must_alloc(sizeof *f);
    f->options = *options;
    struct branch_options bo = {.loop = options->loop, .config = options->config, .ssl = options->ssl, .on_event = on_event, .ctx = f};
    enum err code = branch_open(&bo, &f->branch, e);
    if (code != OK) {
        free(f);
        return code;
    }
    f->carrier = carrier_new(f);
    cache_on_evicted(f->options.cache, on_evicted, f);
    uv_timer_init(options->loop, &f->timer);
    f->timer.data = f;
    f->open = 1;
    *out = f;
    return OK;
}

struct branch *fetcher_branch(struct fetcher *f)
{
    return f->branch;
}

static void on_branch_closed(void *ctx)
{
    struct fetcher *f = ctx;
    while (f->wants) {
        struct want *w = f->wants;
        f->wants = w->next;
        want_free(w);
    }
    carrier_free(f->carrier);
    health_end(&f->health);
    if (f->closed)
        f->closed(f->closed_ctx);
    free(f);
}

static void one_less(struct fetcher *f)
{
    if (--f->open > 0)
        return;
    save(f);
    branch_close(f->branch, on_branch_closed, f);
}

void want_release(struct want *w)
{
    w->busy--;                                  /* reaped at the next step, if gone */
    one_less(w->fetcher);
}

static void on_timer_closed(uv_handle_t *handle)
{
    one_less(handle->data);
}

void fetcher_close(struct fetcher *f, void (*closed)(void *ctx), void *ctx)
{
    f->closing = true;
    cache_on_evicted(f->options.cache, NULL, NULL);
    f->closed = closed;
    f->closed_ctx = ctx;
    for (struct want *w = f->wants; w; w = w->next)
        carrier_drop(f->carrier, w);
    uv_close((uv_handle_t *)&f->timer, on_timer_closed);
}
