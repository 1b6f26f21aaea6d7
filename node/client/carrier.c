/* What this node brings over the WAN for its branch: its own pieces by rendezvous, others' when nothing moves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dht/rendezvous.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/want.h"

#define SOURCES   32
#define MEMBERS   256
#define SETTLE_MS 1500                          /* neighbours get this long to say hello, no longer */
#define STALL_MS  3000                          /* without any progress: take over */
#define LOST_MS   10000                         /* without progress and without a source: say so */

struct request {
    struct want          *want;
    struct source_health *source;
    uint32_t              piece;
    bool                  origin;
};

static void forget_request(struct request *r)
{
    r->source->in_flight--;
    r->want->asked--;
    r->want->fetcher->asked--;
    r->want->piece[r->piece].state = PIECE_IDLE;
}

static void take_piece(struct request *r, const struct web_answer *answer)
{
    struct want       *w = r->want;
    struct want_piece *p = &w->piece[r->piece];

    health_good(r->source);
    snprintf(w->source, sizeof w->source, "%.100s", r->source->name);
    if (want_has(w, r->piece)) {
        want_waste(w, answer->length);
        return;
    }
    p->state = PIECE_INJECTED;
    p->from = (uint8_t)(r->origin ? BYTES_ORIGIN : BYTES_HTTP);
    p->source = r->source;
    if (!swarm_inject(branch_swarm(w->fetcher->branch), &w->content.sha256, r->piece, answer->body, answer->length)) {
        p->state = PIECE_IDLE;
        want_waste(w, answer->length);
    }
}

static void on_range(void *ctx, const struct web_answer *answer)
{
    struct request *r = ctx;
    struct want    *w = r->want;

    forget_request(r);
    if (w->fetcher->closing) {
        free(r);
        return;
    }
    if (!answer->code && answer->length == want_piece_bytes(w, r->piece)) {
        take_piece(r, answer);
    } else {
        want_waste(w, answer->length);
        health_failed(r->source, clock_ms(), answer->code ? answer->error.text : "a range of another length than asked");
        log_say(LOG_TELL, "source.failed", r->source->why, "FERRY_SOURCE", r->source->host, NULL);
    }
    free(r);
    carrier_pump(w);
}

static void ask(struct want *w, uint32_t piece, const struct source *s, struct source_health *h)
{
    struct request *r = must_alloc(sizeof *r);
    struct web_call call = {.url = s->url, .range_first = (uint64_t)piece * w->piece_size, .range_length = want_piece_bytes(w, piece), .stall_ms = 15000, .connect_ms = 5000,
                            .on_done = on_range, .ctx = r};

    *r = (struct request){w, h, piece, s->kind == SOURCE_ORIGIN};
    call.limit = (size_t)call.range_length;
    h->in_flight++;
    w->asked++;
    w->fetcher->asked++;
    w->piece[piece].state = PIECE_ASKED;
    web_start(w->fetcher->options.web, &call);
}

/* The first source in order that may be asked now; the origin only when everybody before it is down. */
static bool choose(struct want *w, struct source *out, struct source_health **health, char why[200])
{
    struct source list[SOURCES];
    struct fetcher *f = w->fetcher;
    size_t  n = source_order(f->fleet, f->group, &w->content, w->origin_fallback, list, SOURCES);
    int64_t now = clock_ms(), waited = (now - w->wanted_at) / 1000;
    bool    all_down = true;

    snprintf(why, 200, "%s", n ? "" : "no distribution point serves this branch, and the deployment does not allow the origin");
    for (size_t i = 0; i < n; i++) {
        struct source_health *h;
        size_t                used = strlen(why);
        if (list[i].after > waited)
            continue;
        h = health_of(&f->health, list[i].url, list[i].name);
        if (list[i].kind == SOURCE_ORIGIN && !all_down)
            continue;
        all_down = all_down && health_down(h, now);
        if (health_usable(h, now)) {
            *out = list[i];
            *health = h;
            return true;
        }
        snprintf(why + used, 200 - used, "%s%.40s: %.100s", used ? "; " : "", h->name, h->why);
    }
    return false;
}

struct view {
    char        names[MEMBERS][64];
    bool        seeds[MEMBERS];
    const char *members[MEMBERS + 1];
    size_t      count, peers;
};

/* Who shares the work: this node and the connected neighbours that still want pieces. */
static void look(struct want *w, struct view *v)
{
    v->peers = swarm_peers(branch_swarm(w->fetcher->branch), &w->content.sha256, v->names, MEMBERS, v->seeds);
    v->count = 0;
    v->members[v->count++] = branch_self(w->fetcher->branch);
    for (size_t i = 0; i < v->peers; i++)
        if (!v->seeds[i])
            v->members[v->count++] = v->names[i];
}

static bool missing(const struct want *w, uint32_t piece, const uint8_t *available)
{
    return w->piece[piece].state == PIECE_IDLE && !(available[piece / 8] & (0x80 >> (piece % 8))) && !want_has(w, piece);
}

/* The next piece to bring: an own one in walking order; a stranger's from the far end when nothing has moved for a while. */
static bool next_piece(struct want *w, const struct view *v, const uint8_t *available, bool stalled, uint32_t *out)
{
    for (uint32_t i = 0; i < w->pieces; i++) {
        uint32_t piece = w->walk[i];
        if (missing(w, piece, available) && rendezvous_owner(&w->content.sha256, piece, v->members, v->count) == 0) {
            *out = piece;
            return true;
        }
    }
    for (uint32_t i = w->pieces; stalled && !w->asked && i-- > 0;)
        if (missing(w, w->walk[i], available)) {
            *out = w->walk[i];
            return true;
        }
    return false;
}

static void lost(struct want *w, const struct view *v, const char *why, int64_t now)
{
    if (!w->asked && !v->peers && now - w->progress_at > LOST_MS && w->state == FETCH_RUNNING)
        want_set(w, FETCH_NO_SOURCE, why);
}

void carrier_pump(struct want *w)
{
    struct fetcher       *f = w->fetcher;
    int64_t               now = clock_ms();
    struct view          *v;
    uint8_t              *available;
    struct source         source;
    struct source_health *health;
    char                  why[200];
    uint32_t              piece;

    if ((w->state != FETCH_RUNNING && w->state != FETCH_NO_SOURCE) || !w->wanted || f->asked >= f->options.config->wan_requests)
        return;
    if (!swarm_settled(branch_swarm(f->branch), &w->content.sha256) && now - w->ready_at < SETTLE_MS)
        return;
    v = must_alloc(sizeof *v);
    available = must_alloc(w->pieces / 8 + 1);
    look(w, v);
    swarm_available(branch_swarm(f->branch), &w->content.sha256, available);
    while (f->asked < f->options.config->wan_requests && next_piece(w, v, available, now - w->progress_at > STALL_MS, &piece)) {
        if (!choose(w, &source, &health, why)) {
            lost(w, v, why, now);
            break;
        }
        ask(w, piece, &source, health);
    }
    free(available);
    free(v);
}
