/* The site's content: DIR/content/HEX and HEX.torrent, whole and verified or not there. Inside node/site only. */
#ifndef FERRY_NODE_SITE_LIBRARY_H
#define FERRY_NODE_SITE_LIBRARY_H

#include "node/site/inside.h"

/* One file from its origin into the library: fetched to a private name, size and SHA-256 checked, torrent made, then named. done always
 * comes, later. job may be NULL; its bytes are counted as they come. */
struct library_call {
    struct sha256    sha256;
    uint64_t         size;
    const char      *name, *url;                /* copied */
    const char      *origin;                    /* kept with the content; NULL: not offered to nodes as an origin */
    struct job_work *job;
    void           (*done)(void *ctx, enum err, const struct error *);
    void            *ctx;
};
void library_fetch(struct site *, const struct library_call *);
/* A private file gets its torrent, then its name. Any thread. */
enum err library_settle(struct site *, const char *tmp /* moved */, const struct sha256 *, struct sha256 *info_hash, struct error *);
/* Bytes that are here already (an index that was just verified). Blocks; for small things. */
enum err library_put(struct site *, const char *path /* moved */, const struct sha256 *, uint64_t size, const char *name,
                     const char *origin, struct error *);
bool library_has(struct site *, const struct sha256 *);

#endif
