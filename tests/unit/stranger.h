/* A stock libtorrent session that knows no more than it is given: what somebody with another BitTorrent client could try. */
#ifndef FERRY_TESTS_UNIT_STRANGER_H
#define FERRY_TESTS_UNIT_STRANGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stranger;

struct stranger_options {
    const char    *listen, *directory;
    const uint8_t *torrent;                     /* NULL: only the v1 info-hash is known, as from a magnet link: spoken without TLS */
    size_t         size;
    const uint8_t *info_hash;                   /* 20 bytes */
    const char    *key_pem, *certificate_pem;   /* NULL: none */
};
struct stranger_saw {
    uint64_t downloaded;                        /* bytes of content, good or not, so far */
    bool     metadata, whole;                   /* metadata: of a magnet link, from a peer */
    int      peers;                             /* with whom the BitTorrent handshake was done */
};
struct stranger *stranger_come(const struct stranger_options *);
void             stranger_call(struct stranger *, const char *address, int port);
struct stranger_saw stranger_ask(struct stranger *);
void             stranger_go(struct stranger *);
/* The v1 info-hash of a torrent. */
void             stranger_info_hash(const uint8_t *torrent, size_t size, uint8_t out[20]);

#ifdef __cplusplus
}
#endif
#endif
