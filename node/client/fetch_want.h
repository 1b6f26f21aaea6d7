/* One content that is wanted or served here: what fetch.c (its story), carrier.c (its ranges over the WAN) and tally.c (its bytes) share.
 *   want → CHECKING → RUNNING ⇄ NO_SOURCE → VERIFYING → HERE;  any → FAILED → CHECKING a minute later;  HERE → CHECKING when the file was
 * touched */
#ifndef FERRY_NODE_CLIENT_FETCH_WANT_H
#define FERRY_NODE_CLIENT_FETCH_WANT_H

#include "node/client/branch.h"
#include "node/client/fetch.h"
#include "node/client/source_health.h"

#define SOURCES 16                              /* per content; policy names a handful */

struct want_source {
    struct source         source;
    struct source_health *health;
    int64_t               missing_until, missing_wait;  /* 404: it has not pulled this content yet (ms) */
};

enum slot { SLOT_FREE, SLOT_ASKED /* in a range under way */, SLOT_GIVEN /* injected, verdict to come */ };

struct piece_slot {
    enum slot             slot;
    bool                  mine;                 /* rendezvous: this node carries it */
    bool                  counted;              /* in the tally */
    enum bytes_from       from;                 /* … as this */
    struct source_health *giver;                /* of the last injection: who, as what, when (ms) */
    enum bytes_from       given_as;
    int64_t               given_at;
};

struct want {
    struct want      *next;
    struct fetcher   *fetcher;
    struct content    content;                  /* a copy, without origin when there is none */
    char              hex[SHA256_HEX];
    enum fetch_state  state;                    /* set by want_set only */
    bool              wanted;                   /* somebody waits for it; else it is only served */
    unsigned          allowed;                  /* SOURCES_…, FETCH_METERED */
    bool              begun, in_swarm;
    bool              changed;                  /* the caller has to be told */
    bool              gone;                     /* nobody wants it; freed when busy is 0 */
    int               busy;                     /* ranges and verifications under way */
    int64_t           due, first_wanted;        /* seconds */
    int64_t           retry_at, ready_at, wired_at, progress_at;    /* ms, monotonic */
    size_t            neighbours;               /* connected, when last looked */
    uint64_t          given;                    /* bytes to neighbours, when one last left */
    struct want_source sources[SOURCES];
    size_t             source_count;
    /* known once READY */
    uint32_t           pieces, piece_size;
    struct piece_slot *slots;
    uint32_t          *walk;
    uint8_t           *available;               /* bitmap: some neighbour has it */
    uint64_t           members;                 /* fingerprint of the membership `mine` was dealt for */
    uint64_t           have;                    /* bytes */
    uint32_t           arrived;                 /* pieces since READY */
    uint64_t           rate, rate_have;
    int64_t            rate_at;
    /* tally */
    struct byte_row    row;
    bool               repair;                  /* the ledger was complete: what is fetched again is waste */
    bool               row_changed;
    uint32_t          *unsaved;                 /* pieces counted but not yet in the store */
    size_t             unsaved_count;
    char               source[120], why[200], told[200];
};

struct fetcher {
    struct fetcher_options options;
    struct branch         *branch;
    struct carrier        *carrier;
    struct health          health;
    const struct fleet    *fleet;
    char                   address[64];
    struct want           *wants;               /* most urgent first */
    uv_timer_t             timer;
    bool                   closing;
    int                    open;                /* handles, ranges and verifications that have to end before closed */
    int64_t                swarm_at;            /* ms: when a neighbour last brought anything */
    void                 (*closed)(void *ctx);
    void                  *closed_ctx;
};

/* want.c: the story of one content */
uint32_t want_piece_length(const struct want *, uint32_t piece);
void     want_step(struct want *, int64_t now_ms);
void     want_event(struct want *, const struct swarm_event *);
void     want_quit(struct want *);              /* out of the swarm; its ranges end */
void     want_free(struct want *);
/* {"topic":"content","event":event,"subject":…}; source and detail may be NULL */
void     want_tell(struct want *, const char *event, const char *source, const char *detail);

/* fetch.c: all of them */
void     want_release(struct want *);           /* one range or verification less */
void     fetcher_poke(struct fetcher *);        /* step in the next turn of the loop */
bool     fetcher_needs(void *fetcher, const struct sha256 *);   /* for cache_room */

#endif
