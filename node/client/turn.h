/* The orchestration lock: members of a collection that must not all be down at once take turns (configmgr-semantics.md 1.9). This node asks the
 * site before it installs what is required, keeps the lock while it installs and restarts, and gives it back. Without an answer there is no
 * turn. Durable: a node that restarts knows that it holds the lock. Inside node/client. */
#ifndef FERRY_NODE_CLIENT_TURN_H
#define FERRY_NODE_CLIENT_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct client;

struct turn {
    bool    asking;                             /* a question is under way */
    bool    owed;                               /* it was given back, but the site has not heard of it yet */
    int64_t until;                              /* held until then, seconds; 0: not held */
    int64_t again_at, keep_at;                  /* monotonic ms: ask again; say that it is still needed */
    char    why[200];                           /* the site's words, or why it could not be asked */
};
void turn_recall(struct client *);
bool turn_held(struct client *);
/* wanted: something waits for it. needed: something goes on under it. Neither: it is given back. */
void turn_run(struct client *, bool wanted, bool needed);

#endif
