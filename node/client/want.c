/* The story of one content, in order. fetch_want.h has the picture; fetch.c keeps the list and the clock. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "dht/rendezvous.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/carrier.h"
#include "node/client/tally.h"

#define RETRY_MS     60000
#define REWIRE_MS    15000                      /* neighbours that came up later also wire us; this is for those that lost us */
#define NO_SOURCE_MS 10000
#define NEIGHBOURS   128

static const char *const state_words[] = {"none", "checking", "running", "no-source", "verifying", "here", "failed"};

static void want_set(struct want *w, enum fetch_state state, const char *why)
{
    if (w->state == state)
        return;
    log_say(LOG_TELL, "content.state", state_words[state], "FERRY_CONTENT", w->hex, "FERRY_REASON", why, NULL);
    bool quiet = (w->state == FETCH_CHECKING && state == FETCH_RUNNING) || state == FETCH_VERIFYING ||
                 (state == FETCH_CHECKING && w->state != FETCH_HERE);
    w->state = state;
    w->changed |= !quiet;
    if (why)
        snprintf(w->why, sizeof w->why, "%s", why);
    else
        w->why[0] = '\0';
    fetcher_poke(w->fetcher);
}

void want_tell(struct want *w, const char *event, const char *source, const char *detail)
{
    json_t *message = json_pack("{s:s, s:s, s:s, s:I, s:o, s:s*, s:s*}", "topic", "content", "subject", w->hex, "event", event, "size",
                                (json_int_t)w->content.size, "bytes", tally_json(w), "source", source, "detail", detail);
    if (w->fetcher->options.tell)
        w->fetcher->options.tell(w->fetcher->options.ctx, message);
    else
        json_decref(message);
}

uint32_t want_piece_length(const struct want *w, uint32_t piece)
{
    uint64_t begin = (uint64_t)piece * w->piece_size;
    return w->content.size - begin < w->piece_size ? (uint32_t)(w->content.size - begin) : w->piece_size;
}

void want_quit(struct want *w)
{
    carrier_drop(w->fetcher->carrier, w);
    if (w->in_swarm)
        swarm_drop(branch_swarm(w->fetcher->branch), &w->content.sha256);
    w->in_swarm = false;
}

void want_free(struct want *w)
{
    content_end(&w->content);
    free(w->slots);
    free(w->walk);
    free(w->available);
    free(w->unsaved);
    free(w);
}

/* Whatever stopped it may pass: a full disk is cleared, a file system comes back. */
static void want_fail(struct want *w, const char *why)
{
    want_quit(w);
    w->retry_at = clock_ms() + RETRY_MS;
    if (strcmp(w->told, why) != 0)
        want_tell(w, "failed", NULL, why);
    snprintf(w->told, sizeof w->told, "%s", why);
    want_set(w, FETCH_FAILED, why);
}

/* --- CHECKING: from the cache, or into the swarm --- */

static enum err join(struct want *w, const char *directory, bool whole, struct error *e)
{
    enum err code =
        swarm_add(branch_swarm(w->fetcher->branch), &w->content.sha256, w->content.torrent, w->content.torrent_size, directory, whole, e);
    w->in_swarm = code == OK;
    w->given = 0;
    if (code == OK)
        branch_wire(w->fetcher->branch, &w->content.sha256);
    return code;
}

static void here(struct want *w)
{
    w->have = w->content.size;
    tally_complete(w);
    want_set(w, FETCH_HERE, NULL);
}

static void adopt(struct want *w)
{
    struct cache *cache = w->fetcher->options.cache;
    struct error e = {0};
    cache_touch(cache, &w->content.sha256, clock_now());
    if (w->content.size > 0 && join(w, cache_content_dir(cache), true, &e) != OK)
        log_error(LOG_WARN, "content.seed", "serving content to neighbours", &e);
    here(w);
}

static enum err keep(struct want *w, struct error *e)
{
    enum err code = cache_keep(w->fetcher->options.cache, &w->content.sha256, e);
    if (code == OK)
        here(w);
    return code;
}

static enum err make_empty(struct want *w, struct error *e)
{
    char path[4096];
    cache_path(w->fetcher->options.cache, &w->content.sha256, path, sizeof path);
    enum err code = file_write(path, "", 0, 0644, e);
    return code ? code : keep(w, e);
}

/* A file under its final name that is not trusted (touched since, or a crash before it was noted) is checked like a partial one: most of it
 * may be good. */
static void set_aside(struct want *w)
{
    struct cache *cache = w->fetcher->options.cache;
    char from[4096];
    AUTO(text_free) char *to = must_print("%s/%s", cache_partial_dir(cache), w->hex);
    cache_path(cache, &w->content.sha256, from, sizeof from);
    if (!file_exists(from))
        return;
    rename(from, to);                           /* on failure cache_forget removes it: fetched anew then */
    cache_forget(cache, &w->content.sha256);
}

static void begin(struct want *w)
{
    struct cache *cache = w->fetcher->options.cache;
    struct error e = {0};
    w->begun = true;
    tally_open(w);
    if (cache_has(cache, &w->content.sha256, w->content.size)) {
        adopt(w);
        return;
    }
    if (!w->wanted) {
        w->gone = true;
        return;
    }
    set_aside(w);
    enum err code = cache_room(cache, w->content.size, clock_now(), fetcher_needs, w->fetcher, &e);
    if (code == OK)
        code = w->content.size == 0 ? make_empty(w, &e) : join(w, cache_partial_dir(cache), false, &e);
    if (code != OK)
        want_fail(w, e.text);
}

/* The content here is not what it was: everything is checked again, what is bad comes from neighbours and sources. */
static void damaged(struct want *w)
{
    log_say(LOG_WARN, "content.damaged", "content in the cache was altered; it is checked and mended", "FERRY_CONTENT", w->hex, NULL);
    want_quit(w);
    w->begun = false;
    if (w->wanted)
        set_aside(w);
    else
        cache_forget(w->fetcher->options.cache, &w->content.sha256);    /* nobody needs it enough to fetch it again */
    want_set(w, FETCH_CHECKING, "its file in the cache was altered");
}

static void learn_pieces(struct want *w)
{
    struct swarm_figures f = {0};
    swarm_progress(branch_swarm(w->fetcher->branch), &w->content.sha256, &f);
    w->pieces = f.pieces;
    w->piece_size = f.piece_size;
    free(w->slots);
    free(w->walk);
    free(w->available);
    w->slots = must_alloc(f.pieces * sizeof *w->slots);
    w->walk = must_grow(NULL, f.pieces, sizeof *w->walk);
    w->available = must_alloc((f.pieces + 7) / 8);
    w->members = 0;
    w->unsaved_count = 0;
    w->have = 0;
    for (uint32_t p = 0; p < w->pieces; p++)
        if (swarm_has(branch_swarm(w->fetcher->branch), &w->content.sha256, p))
            w->have += want_piece_length(w, p);
}

static void on_ready(struct want *w)
{
    struct swarm_figures f;
    if (w->state == FETCH_HERE) {
        if (swarm_progress(branch_swarm(w->fetcher->branch), &w->content.sha256, &f) && f.have < f.pieces)
            damaged(w);                         /* a piece failed when it was first served */
        return;
    }
    if (w->state != FETCH_CHECKING || w->busy > 0) {
        want_fail(w, "it was checked anew at an unexpected moment");
        return;
    }
    learn_pieces(w);
    rendezvous_walk(&w->content.sha256, branch_self(w->fetcher->branch), w->pieces, w->walk);
    tally_ready(w);
    w->ready_at = w->progress_at = w->wired_at = w->rate_at = clock_ms();
    w->arrived = 0;
    w->rate_have = w->have;
    want_set(w, FETCH_RUNNING, NULL);
}

/* --- RUNNING: pieces --- */

static void on_piece(struct want *w, const struct swarm_event *event)
{
    if (event->piece >= w->pieces || w->state == FETCH_HERE)
        return;
    struct piece_slot *s = &w->slots[event->piece];
    uint32_t length = want_piece_length(w, event->piece);
    if (!event->injected && s->slot == SLOT_GIVEN)
        tally_waste(w, length);
    tally_piece(w, event->piece, event->injected ? s->given_as : BYTES_PEERS);
    s->slot = SLOT_FREE;
    w->have += length;
    w->arrived++;
    w->progress_at = clock_ms();
    if (!event->injected)
        w->fetcher->swarm_at = w->progress_at;
    carrier_arrived(w->fetcher->carrier, w, event->piece);
}

static void refuse_source(struct want *w, const struct swarm_event *event)
{
    struct source_health *giver = w->slots[event->piece].giver;
    int64_t now = clock_ms();
    char detail[400];
    w->slots[event->piece].slot = SLOT_FREE;
    tally_waste(w, want_piece_length(w, event->piece));
    if (giver == NULL || now < giver->banned_until)
        return;
    snprintf(detail, sizeof detail, "piece %u of %u failed its hash; nothing more is taken from %s for 15 minutes", event->piece, w->pieces,
             giver->host);
    health_ban(giver, now, "it served altered bytes");
    carrier_ban(w->fetcher->carrier, giver);
    log_say(LOG_WARN, "content.refused", "a source served altered bytes", "FERRY_SOURCE", giver->name, "FERRY_HOST", giver->host,
            "FERRY_CONTENT", w->hex, NULL);
    want_tell(w, "refused", giver->name, detail);
}

static void on_bad(struct want *w, const struct swarm_event *event)
{
    char detail[160];
    if (event->piece >= w->pieces)
        return;
    if (event->injected) {
        refuse_source(w, event);
    } else if (event->peer[0] == '\0') {
        struct piece_slot *s = &w->slots[event->piece];
        if (s->slot == SLOT_GIVEN) {            /* good bytes of ours were mixed with a neighbour's bad ones */
            tally_waste(w, want_piece_length(w, event->piece));
            s->slot = SLOT_FREE;
        }
    } else {
        snprintf(detail, sizeof detail, "piece %u of %u failed its hash; this neighbour is banned for this content", event->piece,
                 w->pieces);
        log_say(LOG_WARN, "content.refused", "a neighbour served altered bytes", "FERRY_SOURCE", event->peer, "FERRY_CONTENT", w->hex,
                NULL);
        want_tell(w, "refused", event->peer, detail);
    }
}

/* A neighbour that was given something and left may have left because of what it got: one look at the file. Connections that end without are
 * usual: of two that were made at once, one is closed. */
static void on_peers(struct want *w, bool ended)
{
    char names[NEIGHBOURS][64];
    struct swarm_figures f = {0};
    struct swarm *swarm = branch_swarm(w->fetcher->branch);
    w->neighbours = swarm_peers(swarm, &w->content.sha256, names, NEIGHBOURS, NULL);
    swarm_progress(swarm, &w->content.sha256, &f);
    if (ended && w->state == FETCH_HERE && f.uploaded > w->given && !cache_has(w->fetcher->options.cache, &w->content.sha256, w->content.size))
        damaged(w);
    if (ended && w->state == FETCH_HERE && f.uploaded > w->given)
        cache_touch(w->fetcher->options.cache, &w->content.sha256, clock_now());        /* a neighbour's download is a reference too */
    w->given = ended ? f.uploaded : w->given;
    fetcher_poke(w->fetcher);
}

/* --- VERIFYING: the whole file once more, by its name --- */

struct verification {
    uv_work_t     work;
    struct want  *want;
    char         *path;
    enum err      code;
    struct error  error;
    struct sha256 got;
};

/* On uv's thread pool. */
static void on_work(uv_work_t *work)
{
    struct verification *v = work->data;
    int fd AUTO(fd_end) = open(v->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        v->code = fail_errno(&v->error, "%s", v->path);
    else
        v->code = hash_file(v->path, &v->got, NULL, &v->error);
}

static void judge(struct want *w, const struct verification *v)
{
    if (w->state != FETCH_VERIFYING)
        return;
    if (v->code != OK) {
        want_fail(w, v->error.text);
    } else if (!sha256_same(&v->got, &w->content.sha256)) {
        want_fail(w, "all pieces are right, but the whole is not the content its name says: its torrent belongs to something else");
        unlink(v->path);
    } else {
        swarm_move(branch_swarm(w->fetcher->branch), &w->content.sha256, cache_content_dir(w->fetcher->options.cache));
    }
}

static void on_verified(uv_work_t *work, int status)
{
    struct verification *v = work->data;
    struct want *w = v->want;
    if (status == 0 && !w->gone && !w->fetcher->closing)
        judge(w, v);
    free(v->path);
    free(v);
    want_release(w);
}

static void verify(struct want *w)
{
    struct verification *v = must_alloc(sizeof *v);
    v->work.data = v;
    v->want = w;
    v->path = must_print("%s/%s", cache_partial_dir(w->fetcher->options.cache), w->hex);
    want_set(w, FETCH_VERIFYING, NULL);
    w->busy++;
    w->fetcher->open++;
    uv_queue_work(w->fetcher->options.loop, &v->work, on_work, on_verified);
}

static void sync_directory(const char *path)
{
    int fd AUTO(fd_end) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        fsync(fd);
}

static void on_moved(struct want *w)
{
    struct error e = {0};
    if (w->state != FETCH_VERIFYING)
        return;
    sync_directory(cache_content_dir(w->fetcher->options.cache));
    if (keep(w, &e) != OK)
        want_fail(w, e.text);
}

/* --- what the swarm says, what the clock says --- */

void want_event(struct want *w, const struct swarm_event *event)
{
    switch (event->kind) {
    case SWARM_READY: on_ready(w); break;
    case SWARM_PIECE: on_piece(w, event); break;
    case SWARM_BAD:   on_bad(w, event); break;
    case SWARM_PEERS: on_peers(w, event->ended); break;
    case SWARM_DONE:
        if (w->state == FETCH_RUNNING || w->state == FETCH_NO_SOURCE)
            verify(w);
        break;
    case SWARM_MOVED: on_moved(w); break;
    case SWARM_ERROR: want_fail(w, event->text); break;
    case SWARM_UNTRUSTED: break;                /* the branch has said it; others may bring the content */
    }
}

static bool starved(struct want *w, int64_t now, char *why, size_t room)
{
    return now - w->progress_at > NO_SOURCE_MS && !carrier_expects(w) && carrier_source(w, now, why, room) == NULL;
}

static void measure(struct want *w, int64_t now)
{
    if (now - w->rate_at < 1000)
        return;
    w->rate = w->have > w->rate_have ? (w->have - w->rate_have) * 1000 / (uint64_t)(now - w->rate_at) : 0;
    w->rate_have = w->have;
    w->rate_at = now;
}

void want_step(struct want *w, int64_t now)
{
    char why[sizeof w->why];
    switch (w->state) {
    case FETCH_CHECKING:
        if (!w->begun && w->busy == 0)
            begin(w);
        break;
    case FETCH_RUNNING:
    case FETCH_NO_SOURCE:
        measure(w, now);
        if (now - w->wired_at > REWIRE_MS) {
            w->wired_at = now;
            branch_wire(w->fetcher->branch, &w->content.sha256);
        }
        if (starved(w, now, why, sizeof why))
            want_set(w, FETCH_NO_SOURCE, why);
        else if (now - w->progress_at <= NO_SOURCE_MS)
            want_set(w, FETCH_RUNNING, NULL);
        break;
    case FETCH_FAILED:
        if (now >= w->retry_at && w->busy == 0) {
            w->begun = false;
            want_set(w, FETCH_CHECKING, NULL);
        }
        break;
    case FETCH_NONE: case FETCH_VERIFYING: case FETCH_HERE: break;
    }
}
