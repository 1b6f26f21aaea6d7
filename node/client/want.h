/* One content on its way here, shared by fetch.c (its story) and carrier.c (what this node brings over the WAN). Nobody else includes this. */
#ifndef FERRY_NODE_CLIENT_WANT_H
#define FERRY_NODE_CLIENT_WANT_H

#include "node/client/branch.h"
#include "node/client/fetch.h"
#include "node/client/source_health.h"

#define PIECE_IDLE     0
#define PIECE_ASKED    1                        /* an HTTP range is under way */
#define PIECE_INJECTED 2                        /* given to the swarm, not verified yet */

struct want_piece {
    uint8_t               state;
    uint8_t               from;                 /* enum bytes_from of the injected bytes */
    struct source_health *source;
    struct web_request   *request;              /* while PIECE_ASKED */
};
struct want {
    struct fetcher   *fetcher;
    struct want      *next;
    struct content    content;                  /* owned */
    int64_t           due;
    bool              origin_fallback, wanted, in_swarm;
    enum fetch_state  state;
    uint32_t          pieces, piece_size, *walk;
    struct want_piece *piece;
    int               asked;                    /* pieces in PIECE_ASKED */
    struct byte_row   bytes;
    int64_t           wanted_at, ready_at, progress_at, retry_at;      /* monotonic ms */
    char              source[120], why[200];
    uv_work_t         work;
    enum err          code;
    struct error      error;
};
struct fetcher {
    struct fetcher_options options;
    struct branch         *branch;
    const struct fleet    *fleet;
    const struct boundary_group *group;
    struct want           *wants;               /* by due */
    struct health          health;
    int                    asked;               /* over all contents */
    uv_timer_t             timer;
    int                    open;
    bool                   closing;
    void                 (*closed)(void *ctx);
    void                  *closed_ctx;
};

void     fetcher_release(struct fetcher *);      /* one thing less that has to end before it is closed */
uint32_t want_piece_bytes(const struct want *, uint32_t piece);
bool     want_has(const struct want *, uint32_t piece);
void     want_waste(struct want *, uint64_t bytes);
void     want_refused(struct want *, const char *source, const char *detail);   /* altered bytes: told upwards */
void     want_set(struct want *, enum fetch_state, const char *why);
/* carrier.c: asks for what this node has to bring, as far as requests are free. */
void     carrier_pump(struct want *);

#endif
