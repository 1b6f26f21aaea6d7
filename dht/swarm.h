/* The C face of libtorrent: one session, torrents named by the SHA-256 of their content, single-file, BitTorrent v2 with v1 hashes
 * beside it (BEP 52, hybrid).
 * With a CA the torrent carries its certificate (an SSL torrent): every connection is TLS, both ends show a certificate that CA signed, and
 * nobody else learns anything. Checked by OpenSSL against the machine's real clock (dht/README.md).
 * No libtorrent type, no uv. libtorrent's own thread does nothing but call the bell; everything else happens in the caller's thread.
 * Every setting has its reason in settings.cpp (p2p.md section 5, experiments.md section 4). */
#ifndef FERRY_DHT_SWARM_H
#define FERRY_DHT_SWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "base/error.h"
#include "base/hash.h"

struct swarm;

struct swarm_options {
    const char *listen;                         /* "127.1.0.2:6881": explicit address, never 0.0.0.0 (p2p.md 5.1) */
    const char *const *allow; /* CIDRs whose peers may connect (the boundary group); NULL-terminated; NULL: none but those of swarm_peer */
    int64_t     upload_limit;                   /* bytes/s to neighbours, 0 = unlimited */
    int         connections;                    /* at most, 0 = 200 */
    bool        ssl;                            /* TLS alone is listened on, and torrents without a CA are refused; false: the reverse */
};

/* bell: called from libtorrent's thread whenever events wait; it must only ring (uv_async_send). */
enum err swarm_open(const struct swarm_options *, void (*bell)(void *ctx), void *ctx, struct swarm **out, struct error *);
void     swarm_close(struct swarm *);           /* blocks at most 2 s; the bell is silent afterwards */
void     swarm_hurry(struct swarm *, bool hurry);   /* tick 100 ms while anything is wanted, 2 s at rest */
/* Who this node is to its neighbours, for every torrent there is and will be; both PEM, copied, never written anywhere. Without it nobody is
 * connected to. Called again with a renewed certificate: new connections show that one, and neighbours that had refused are asked again. */
void     swarm_identify(struct swarm *, const char *key_pem, const char *certificate_pem);
/* Addresses ("10.1.0.8", a port is ignored) nobody is to come from, whatever else is allowed; replaces those of before; NULL-terminated, NULL:
 * none. Connections that exist are closed. Cheap to repeat. */
void     swarm_block(struct swarm *, const char *const *addresses);

/* --- making torrents (no session needed; reads the file once) --- */
/* A pure function of content and CA: name = HEX of the content, fixed piece size by content size, no dates. ca_pem stands in it as it is given,
 * at most 4096 bytes; NULL: whoever knows the info-hash is a neighbour. torrent: malloc'd. */
enum err swarm_torrent_make(const char *path, const struct sha256 *name, const char *ca_pem, uint8_t **torrent, size_t *size,
                            struct sha256 *info_hash, struct error *);
/* A foreign torrent file: bounded, hybrid, single file of that name and size, that info-hash, exactly that CA (NULL: none), whole piece
 * layers. piece_size may be NULL. ERR_VERIFY. */
enum err swarm_torrent_check(const uint8_t *torrent, size_t size, const struct sha256 *name, uint64_t content_size,
                             const struct sha256 *info_hash, const char *ca_pem, uint32_t *piece_size, struct error *);

/* --- torrents in the session --- */
/* Content lies in directory/HEX. whole: believed complete (pieces are still verified when first served); otherwise what is there is checked
 * first. */
enum err swarm_add(struct swarm *, const struct sha256 *name, const uint8_t *torrent, size_t size, const char *directory, bool whole,
                   struct error *);
void     swarm_drop(struct swarm *, const struct sha256 *name);             /* the file stays */
void     swarm_move(struct swarm *, const struct sha256 *name, const char *directory);  /* rename without losing peers → SWARM_MOVED */
void     swarm_recheck(struct swarm *, const struct sha256 *name);          /* → SWARM_READY again */
/* Wires a neighbour: "127.1.0.3:6881". Cheap to repeat; a known, connected peer is left alone. */
enum err swarm_peer(struct swarm *, const struct sha256 *name, const char *address, struct error *);
/* A piece fetched elsewhere. → SWARM_PIECE with injected = true, or SWARM_BAD. Ignored when had already or not READY (returns false). */
bool     swarm_inject(struct swarm *, const struct sha256 *name, uint32_t piece, const void *bytes, size_t size);

struct swarm_figures {
    uint32_t pieces, have, piece_size;
    uint64_t size;
    int      peers;                             /* connected, handshake done */
    uint64_t down_rate, up_rate;                /* payload bytes/s */
    uint64_t downloaded, uploaded;              /* payload bytes from and to peers since added */
    uint64_t wasted;                            /* redundant and failed bytes since added */
};
bool     swarm_progress(struct swarm *, const struct sha256 *name, struct swarm_figures *out);
bool     swarm_has(struct swarm *, const struct sha256 *name, uint32_t piece);
/* Pieces that some connected peer has and we do not yet: the swarm will bring them. bitmap: (pieces+7)/8 bytes, bit 0 = 0x80. */
bool     swarm_available(struct swarm *, const struct sha256 *name, uint8_t *bitmap);
/* Listen addresses ("127.1.0.3:6881", as wired or as announced by the peer) of connected peers of this torrent, for rendezvous; returns how
 * many. */
size_t   swarm_peers(struct swarm *, const struct sha256 *name, char (*out)[64], size_t room, bool *seeds /* per peer, may be NULL */);

/* Checked, and every wired neighbour has connected or refused: waiting for more would be waiting for nobody. */
bool     swarm_settled(struct swarm *, const struct sha256 *name);

enum swarm_event_kind {
    SWARM_READY,                                /* checked: pieces may be injected; `have` is known                       */
    SWARM_PIECE,                                /* piece verified and stored; injected: by us                             */
    SWARM_BAD,                                  /* piece failed its hash; injected: it was ours; else a neighbour's. A second one names the
                                                 * peer once it is known, which is banned then                                           */
    SWARM_DONE,                                 /* every piece is here                                                    */
    SWARM_MOVED,                                /* to the directory asked for                                             */
    SWARM_PEERS,                                /* somebody came or went; ended: a connection to one did                  */
    SWARM_ERROR,                                /* text: disk full, file gone …; the torrent is paused                    */
    SWARM_UNTRUSTED                             /* text: TLS with a neighbour failed, by its certificate or ours. Told once a minute of
                                                 * each, asked again as after any failure. name: zero when it was the one who called     */
};
struct swarm_event {
    enum swarm_event_kind kind;
    struct sha256         name;
    uint32_t              piece;
    bool                  injected, ended;
    char                  peer[64];
    char                  text[200];
};
/* Takes the next event; false when none waits. Call until false after each ring. */
bool swarm_poll(struct swarm *, struct swarm_event *out);

#ifdef __cplusplus
}
#endif
#endif
