/* One connection: read what is asked, verify, carry out, tell the verdict. Nothing is touched before everything is verified; once the root is being
 * changed it goes on to its end, whether or not anybody listens. One at a time: the state directory is locked. Blocks; runs its own loop. */
#ifndef FERRY_NODE_INSTALL_SERVE_H
#define FERRY_NODE_INSTALL_SERVE_H

#include "node/config.h"
#include "node/store/cache.h"

/* state_dir: only this program's, made 0700; the config is root's own (its `installer` is not looked at). */
enum err serve(int socket, const struct config *, const char *state_dir, struct error *);
/* Whatever it asks, it is told this: nothing could be begun. */
void     refuse(int socket, const struct error *why);
/* Opens what lies in the state directory. ERR_AGAIN: another request is being carried out. */
struct desk {
    int           lock;
    struct store *store;
    struct cache *cache;
};
enum err desk_open(struct desk *, const char *state_dir, struct error *);
void     desk_close(struct desk *);

#endif
