/* What time it is at least. A clock that is set back must not make an expired role valid, and one that was once far ahead must not lock the
 * node out for ever. So what the clock shows is never remembered for itself, only what the site's signature vouched for:
 *
 *  - After a good refresh it is at least the time it was made at. That cannot be far wrong: the timestamp was signed then, and had not expired, so
 *    it is ahead of the truth by less than a timestamp's life (2 days), and whatever the site signs later expires later than that. A clock
 *    that is ten years ahead never has a good refresh and leaves nothing behind.
 *  - From there it goes on at half speed, by the monotonic clock. So time does not stand still where the clock was set back (a window that never
 *    closes, a retry that never comes), and a clock that was ahead by some hours when it was vouched for is caught up with.
 *  - A timestamp that was seen to have expired stays expired, by its version: no setting back helps it. If it was the clock that was wrong,
 *    the site's next timestamp (within 6 hours) mends it.
 *
 * What this cannot know: a role that expired while the machine was off, and was never seen since, looks good to a clock that is set back before
 * that. Expired policy stays in force, whatever the clock shows: nothing new is accepted, nothing is taken away, and an alert tells. Inside
 * node/client. */
#ifndef FERRY_NODE_CLIENT_VOUCHED_H
#define FERRY_NODE_CLIENT_VOUCHED_H

#include <stdbool.h>
#include <stdint.h>

struct client;
struct verifier;

struct vouched {
    int64_t at, since_ms;                       /* seconds, and the monotonic ms they were true at */
    int64_t kept;                               /* as the store has it; -1: not read yet */
    int64_t expires, version;                   /* of the timestamp in force; 0: none */
    int64_t stale;                              /* timestamps up to this version have expired */
    bool    told;                               /* the alert policy.expired stands; durable */
};
/* Opens the verifier's eyes: what has expired once. */
void vouched_brief(struct client *, struct verifier *);
/* The timestamp of c->verifier is in force: verified just now (fresh), or out of the store. */
void vouched_policy(struct client *, bool fresh);
/* A refresh failed: was it that something had expired? Then true, and the alert stands. */
bool vouched_refused(struct client *, const char *why);
/* Every tick: has the policy in force expired meanwhile? */
void vouched_look(struct client *);
/* At the start and when the clock jumped: what was written down as having happened after now happened now at the latest. Otherwise whatever
 * waits for so long after it would wait until the clock is there again. */
void vouched_settle(struct client *);

#endif
