#include "node/client/carrier.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dht/rendezvous.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/tally.h"

#define RANGE_MOST     (1u << 20)               /* bytes; more would only make what a dead carrier leaves behind larger */
#define RANGE_SHARE    64                       /* … nor more than this part of the content: late neighbours want a share too */
#define SETTLE_MS      1500                     /* at most, for neighbours to answer before the first range */
#define STALL_LEAST_MS 3000
#define STALL_MOST_MS  30000
#define CONNECT_MS     5000
#define SILENCE_MS     10000                    /* a source that sends nothing for so long has failed */
#define VERDICT_MS     10000                    /* for an injected piece to be verified and stored */
#define MISSING_FIRST  2000                     /* ms: a DP that has not pulled the content yet is asked again */
#define MISSING_MOST   30000
#define NEIGHBOURS     128

struct range {
    struct range         *next;
    struct want          *want;
    struct web_request   *request;
    struct want_source    from;                 /* a copy: policy may order the want's own anew */
    uint32_t              first, count, given;  /* pieces; given: handed on so far */
    uint8_t              *piece;                /* the one being received */
    size_t                filled;
    bool                  cancelled;
};

struct carrier {
    struct fetcher *fetcher;
    struct range   *ranges;
    size_t          count;
};

struct carrier *carrier_new(struct fetcher *f)
{
    struct carrier *c = must_alloc(sizeof *c);
    c->fetcher = f;
    return c;
}

void carrier_free(struct carrier *c)
{
    free(c);
}

size_t carrier_busy(const struct carrier *c)
{
    return c->count;
}

static struct swarm *swarm_of(const struct want *w)
{
    return branch_swarm(w->fetcher->branch);
}

static bool has(const struct want *w, uint32_t piece)
{
    return swarm_has(swarm_of(w), &w->content.sha256, piece);
}

static bool in_reach(const struct want *w, uint32_t piece)
{
    return w->available[piece / 8] & 0x80u >> (piece % 8);
}

/* --- who carries what --- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Neighbours that are still missing pieces share the work; those that have everything give from what they have. */
static size_t members_of(const struct want *w, char (*names)[64], const char **members)
{
    bool seeds[NEIGHBOURS];
    size_t n = swarm_peers(swarm_of(w), &w->content.sha256, names, NEIGHBOURS, seeds), count = 1;
    members[0] = branch_self(w->fetcher->branch);
    for (size_t i = 0; i < n; i++)
        if (!seeds[i])
            members[count++] = names[i];
    qsort(members, count, sizeof *members, by_text);
    return count;
}

static uint64_t fingerprint(const char *const *members, size_t count)
{
    uint64_t print = 0;
    struct hash *h = hash_new();
    for (size_t i = 0; i < count; i++)
        hash_add(h, members[i], strlen(members[i]) + 1);
    struct sha256 digest = hash_free(h);
    memcpy(&print, digest.b, sizeof print);
    return print | 1;                           /* 0: never dealt */
}

void carrier_deal(struct want *w)
{
    char names[NEIGHBOURS][64];
    const char *members[NEIGHBOURS + 1];
    size_t count = members_of(w, names, members);
    uint64_t print = fingerprint(members, count);
    const char *self = branch_self(w->fetcher->branch);
    swarm_available(swarm_of(w), &w->content.sha256, w->available);
    if (print == w->members)
        return;
    w->members = print;
    for (uint32_t p = 0; p < w->pieces; p++)
        w->slots[p].mine = strcmp(members[rendezvous_owner(&w->content.sha256, p, members, count)], self) == 0;
}

/* --- from where --- */

static bool in_time(const struct want *w, const struct source *s)
{
    return clock_now() - w->first_wanted >= s->after;
}

/* The origin is for when every distribution point that may be used has failed again and again, or never gets the content. */
static bool dps_down(const struct want *w, int64_t now)
{
    for (size_t i = 0; i < w->source_count; i++) {
        const struct want_source *s = &w->sources[i];
        if (s->source.kind != SOURCE_ORIGIN && in_time(w, &s->source) && !health_down(s->health, now) && s->missing_wait < MISSING_MOST)
            return false;
    }
    return true;
}

/* Why this source cannot be asked now; NULL when it can. */
static const char *refusal(const struct want *w, const struct want_source *s, int64_t now)
{
    if (w->fetcher->options.config->metered && !(w->allowed & FETCH_METERED))
        return "the line is metered";
    if (!in_time(w, &s->source))
        return "its fallback time has not come";
    if (now < s->missing_until)
        return "it does not have this content yet";
    if (!health_usable(s->health, now))
        return s->health->why[0] ? s->health->why : "it is being tried";
    if (s->source.kind == SOURCE_ORIGIN && !dps_down(w, now))
        return "a distribution point comes first";
    return NULL;
}

struct want_source *carrier_source(struct want *w, int64_t now, char *why, size_t room)
{
    size_t at = 0;
    if (room > 0)
        snprintf(why, room, w->source_count ? "" : "policy names no source for it");
    for (size_t i = 0; i < w->source_count; i++) {
        const char *no = refusal(w, &w->sources[i], now);
        if (no == NULL)
            return &w->sources[i];
        if (at < room)
            at += (size_t)snprintf(why + at, room - at, "%s%s: %s", at ? "; " : "", w->sources[i].source.name, no);
    }
    return NULL;
}

bool carrier_expects(const struct want *w)
{
    for (uint32_t p = 0; p < w->pieces; p++)
        if (w->slots[p].slot != SLOT_FREE || (in_reach(w, p) && !has(w, p)))
            return true;
    return false;
}

/* --- a range --- */

/* A whole piece has come: into the swarm with it, unless somebody was faster. */
static void give(struct range *r)
{
    struct want *w = r->want;
    uint32_t piece = r->first + r->given++;
    size_t length = r->filled;
    r->filled = 0;
    struct piece_slot *s = &w->slots[piece];
    s->slot = SLOT_GIVEN;
    s->giver = r->from.health;
    s->given_as = r->from.source.kind == SOURCE_ORIGIN ? BYTES_ORIGIN : BYTES_HTTP;
    s->given_at = clock_ms();
    if (!swarm_inject(swarm_of(w), &w->content.sha256, piece, r->piece, length)) {
        tally_waste(w, length);
        s->slot = SLOT_FREE;
    }
}

static enum err on_data(void *ctx, const char *bytes, size_t length, struct error *e)
{
    struct range *r = ctx;
    if (r->cancelled || r->want->gone)
        return fail(e, ERR_AGAIN, "cancelled");
    r->want->progress_at = clock_ms();
    while (length > 0 && r->given < r->count) {
        size_t room = want_piece_length(r->want, r->first + r->given) - r->filled;
        size_t part = length < room ? length : room;
        memcpy(r->piece + r->filled, bytes, part);
        r->filled += part;
        bytes += part;
        length -= part;
        if (part == room)
            give(r);
    }
    return OK;
}

static void note_missing(struct want *w, const struct want_source *from, int64_t now)
{
    for (size_t i = 0; i < w->source_count; i++) {
        struct want_source *s = &w->sources[i];
        if (s->health != from->health || now < s->missing_until)
            continue;
        s->missing_wait = s->missing_wait ? s->missing_wait * 2 : MISSING_FIRST;
        if (s->missing_wait > MISSING_MOST)
            s->missing_wait = MISSING_MOST;
        s->missing_until = now + s->missing_wait;
    }
}

static void judge(struct range *r, const struct web_answer *answer)
{
    int64_t now = clock_ms();
    struct source_health *health = r->from.health;
    if (r->cancelled)
        return;
    if (answer->code == OK) {
        health_good(health);
    } else if (answer->code == ERR_NOT_FOUND) {
        note_missing(r->want, &r->from, now);
    } else {
        health_failed(health, now, answer->error.text);
        log_say(LOG_NOTE, "content.source", "a source failed and is left alone for a while", "FERRY_SOURCE", health->name, "FERRY_HOST",
                health->host, "FERRY_CONTENT", r->want->hex, "FERRY_REASON", answer->error.text, NULL);
    }
}

static void on_done(void *ctx, const struct web_answer *answer)
{
    struct range *r = ctx;
    struct want *w = r->want;
    struct carrier *c = w->fetcher->carrier;
    struct range **at = &c->ranges;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    c->count--;
    r->from.health->in_flight--;
    tally_waste(w, r->filled);
    for (uint32_t p = r->first + r->given; p < r->first + r->count; p++)
        if (w->slots[p].slot == SLOT_ASKED)
            w->slots[p].slot = SLOT_FREE;
    judge(r, answer);
    free(r->piece);
    free(r);
    fetcher_poke(w->fetcher);
    want_release(w);
}

static void start(struct carrier *c, struct want *w, const struct want_source *from, uint32_t first, uint32_t count)
{
    struct range *r = must_alloc(sizeof *r);
    uint64_t length = 0;
    for (uint32_t p = first; p < first + count; p++) {
        w->slots[p].slot = SLOT_ASKED;
        length += want_piece_length(w, p);
    }
    *r = (struct range){.next = c->ranges, .want = w, .from = *from, .first = first, .count = count, .piece = must_alloc(w->piece_size)};
    c->ranges = r;
    c->count++;
    r->from.health->in_flight++;
    w->busy++;
    w->fetcher->open++;
    snprintf(w->source, sizeof w->source, "%s", from->source.name);
    w->why[0] = '\0';
    struct web_call call = {.url = r->from.source.url,
                            .pin = r->from.source.pin,
                            .range_first = (uint64_t)first * w->piece_size,
                            .range_length = length,
                            .limit = length,
                            .stall_ms = SILENCE_MS,
                            .connect_ms = CONNECT_MS,
                            .on_data = on_data,
                            .on_done = on_done,
                            .ctx = r};
    r->request = web_start(w->fetcher->options.web, &call);
}

static void cancel(struct range *r)
{
    if (!r->cancelled)
        web_cancel(r->request);
    r->cancelled = true;
}

/* --- what next --- */

static bool own_and_missing(const struct want *w, uint32_t p)
{
    return w->slots[p].mine && w->slots[p].slot == SLOT_FREE && !in_reach(w, p) && !has(w, p);
}

static bool settled(const struct want *w, int64_t now)
{
    return now - w->ready_at > SETTLE_MS || swarm_settled(swarm_of(w), &w->content.sha256);
}

/* The next own piece and those behind it that are ours as well. */
static bool next_own(const struct want *w, uint32_t *first, uint32_t *count)
{
    uint64_t most = w->content.size / RANGE_SHARE < RANGE_MOST ? w->content.size / RANGE_SHARE : RANGE_MOST;
    for (uint32_t i = 0; i < w->pieces; i++) {
        uint32_t p = w->walk[i];
        if (!own_and_missing(w, p))
            continue;
        *first = p;
        for (*count = 1; p + *count < w->pieces && (uint64_t)(*count + 1) * w->piece_size <= most && own_and_missing(w, p + *count);
             (*count)++)
            ;
        return true;
    }
    return false;
}

/* Progress, not a fixed time: everything a neighbour brings, of whatever content, shows that the branch lives. */
static bool branch_stands_still(const struct want *w, int64_t now)
{
    int64_t pace = w->arrived ? 4 * (w->progress_at - w->ready_at) / w->arrived : 0;
    int64_t patience = pace < STALL_LEAST_MS ? STALL_LEAST_MS : pace > STALL_MOST_MS ? STALL_MOST_MS : pace;
    int64_t branch_at = w->fetcher->swarm_at > w->progress_at ? w->fetcher->swarm_at : w->progress_at;
    return now - branch_at > patience || now - w->progress_at > STALL_MOST_MS;
}

static bool next_of_others(const struct want *w, uint32_t *first, uint32_t *count)
{
    for (uint32_t i = w->pieces; i-- > 0;) {
        uint32_t p = w->walk[i];
        if (w->slots[p].slot == SLOT_FREE && !has(w, p)) {
            *first = p;
            *count = 1;
            return true;
        }
    }
    return false;
}

static bool carries(const struct want *w)
{
    return !w->gone && (w->state == FETCH_RUNNING || w->state == FETCH_NO_SOURCE);
}

static bool start_one(struct carrier *c, struct want *w, int64_t now)
{
    uint32_t first = 0, count = 0;
    if (!carries(w) || !settled(w, now))
        return false;
    if (!next_own(w, &first, &count) && !(c->count == 0 && branch_stands_still(w, now) && next_of_others(w, &first, &count)))
        return false;
    const struct want_source *from = carrier_source(w, now, w->why, sizeof w->why);
    if (from == NULL)
        return false;
    start(c, w, from, first, count);
    return true;
}

/* libtorrent ignores an injected piece silently when some block of it is just being written: asked for again then. */
static void forget_lost(struct want *w, int64_t now)
{
    for (uint32_t p = 0; p < w->pieces; p++)
        if (w->slots[p].slot == SLOT_GIVEN && now - w->slots[p].given_at > VERDICT_MS) {
            w->slots[p].slot = SLOT_FREE;
            tally_waste(w, has(w, p) ? 0 : want_piece_length(w, p));
        }
}

void carrier_run(struct carrier *c, int64_t now)
{
    size_t most = (size_t)(c->fetcher->options.config->wan_requests > 0 ? c->fetcher->options.config->wan_requests : 4);
    for (struct want *w = c->fetcher->wants; w; w = w->next)
        if (carries(w)) {
            forget_lost(w, now);
            carrier_deal(w);
        }
    for (struct want *w = c->fetcher->wants; w && c->count < most; w = w->next)
        while (c->count < most && start_one(c, w, now))
            ;
}

/* --- what ends early --- */

void carrier_arrived(struct carrier *c, struct want *w, uint32_t piece)
{
    for (struct range *r = c->ranges; r; r = r->next) {
        bool missing = false;
        if (r->want != w || piece < r->first || piece >= r->first + r->count)
            continue;
        for (uint32_t p = r->first + r->given; p < r->first + r->count; p++)
            missing |= !has(w, p);
        if (!missing && r->given < r->count)
            cancel(r);
    }
}

void carrier_drop(struct carrier *c, struct want *w)
{
    for (struct range *r = c->ranges; r; r = r->next)
        if (r->want == w)
            cancel(r);
}

void carrier_ban(struct carrier *c, struct source_health *health)
{
    for (struct range *r = c->ranges; r; r = r->next)
        if (r->from.health == health)
            cancel(r);
}
