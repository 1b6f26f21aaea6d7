#include "node/client/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"

void tally_open(struct want *w)
{
    if (!store_bytes(w->fetcher->options.store, &w->content.sha256, &w->row) || w->row.size != w->content.size)
        w->row = (struct byte_row){.name = w->content.sha256, .size = w->content.size};
    w->repair = w->row.complete;
}

static void count(struct want *w, uint32_t piece, enum bytes_from from)
{
    struct piece_slot *s = &w->slots[piece];
    s->counted = true;
    s->from = from;
    w->row.from[from] += want_piece_length(w, piece);
}

static void save_later(struct want *w, uint32_t piece)
{
    w->unsaved = must_grow(w->unsaved, w->unsaved_count + 1, sizeof *w->unsaved);
    w->unsaved[w->unsaved_count++] = piece;
}

/* A row of the store: believed for pieces that are still here; bytes of others came for nothing, once (their row is saved with size 0). */
static void on_row(void *ctx, uint32_t piece, enum bytes_from from, uint32_t size)
{
    struct want *w = ctx;
    if (piece >= w->pieces || size == 0)
        return;
    if (swarm_has(branch_swarm(w->fetcher->branch), &w->content.sha256, piece)) {
        count(w, piece, from);
        return;
    }
    if (from == BYTES_HTTP || from == BYTES_ORIGIN)
        tally_waste(w, size);
    save_later(w, piece);
}

void tally_ready(struct want *w)
{
    if (w->repair)
        return;
    memset(w->row.from, 0, sizeof w->row.from);
    store_pieces(w->fetcher->options.store, &w->content.sha256, on_row, w);
    for (uint32_t p = 0; p < w->pieces; p++)
        if (!w->slots[p].counted && swarm_has(branch_swarm(w->fetcher->branch), &w->content.sha256, p))
            tally_piece(w, p, BYTES_CACHE);
    w->row_changed = true;
}

void tally_piece(struct want *w, uint32_t piece, enum bytes_from from)
{
    if (w->repair) {
        if (from == BYTES_HTTP || from == BYTES_ORIGIN)
            tally_waste(w, want_piece_length(w, piece));
        return;
    }
    if (w->slots[piece].counted)
        w->row.from[w->slots[piece].from] -= want_piece_length(w, piece);
    count(w, piece, from);
    save_later(w, piece);
}

void tally_waste(struct want *w, uint64_t bytes)
{
    w->row.waste += bytes;
    w->row_changed |= bytes > 0;
}

bool tally_unsaved(const struct want *w)
{
    return w->unsaved_count > 0 || w->row_changed;
}

enum err tally_save(struct want *w, struct error *e)
{
    struct store *s = w->fetcher->options.store;
    enum err code = OK;
    for (size_t i = 0; i < w->unsaved_count && code == OK; i++) {
        const struct piece_slot *slot = &w->slots[w->unsaved[i]];
        code =
            store_piece_put(s, &w->content.sha256, w->unsaved[i], slot->from, slot->counted ? want_piece_length(w, w->unsaved[i]) : 0, e);
    }
    w->row.changed = clock_now();
    if (code == OK)
        code = store_bytes_put(s, &w->row, e);
    if (code != OK)
        return code;                            /* kept, and tried at the next tick */
    w->unsaved_count = 0;
    w->row_changed = false;
    return OK;
}

json_t *tally_json(const struct want *w)
{
    const uint64_t *from = w->row.from;
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "http", (json_int_t)from[BYTES_HTTP], "peers", (json_int_t)from[BYTES_PEERS], "cache",
                     (json_int_t)from[BYTES_CACHE], "origin", (json_int_t)from[BYTES_ORIGIN], "waste", (json_int_t)w->row.waste);
}

void tally_complete(struct want *w)
{
    struct error e = {0};
    uint64_t known = 0;
    if (w->row.complete && !w->row_changed)
        return;
    for (int i = 0; i < BYTES_KINDS; i++)
        known += w->row.from[i];
    w->row.from[BYTES_CACHE] += w->row.size - known;    /* here before anybody counted */
    enum err code = store_begin(w->fetcher->options.store, &e);
    want_tell(w, "complete", NULL, NULL);       /* its message joins our transaction: told and marked, or neither */
    w->row.complete = w->repair = true;
    w->unsaved_count = 0;                       /* the store drops the pieces with complete */
    code = code ? code : tally_save(w, &e);
    if (store_end(w->fetcher->options.store, code, &e) != OK)
        log_error(LOG_WRONG, "content.ledger", "writing the byte ledger", &e);
}
