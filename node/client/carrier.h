/* What this node carries over the WAN: which pieces, from which source, a bounded number of ranges at once over all contents.
 *   own       pieces that rendezvous over the connected neighbours gives to this node, in its own order, adjacent ones joined
 *   others'   one at a time and from the far end of that order, when nothing of ours is left and nobody has brought anything for a while
 * A piece that some neighbour has is never asked for over the WAN, unless the branch stands still. */
#ifndef FERRY_NODE_CLIENT_CARRIER_H
#define FERRY_NODE_CLIENT_CARRIER_H

#include "node/client/fetch_want.h"

struct carrier;

struct carrier *carrier_new(struct fetcher *);
void            carrier_free(struct carrier *);             /* no range is under way any more */
void            carrier_deal(struct want *);                /* who is here has changed: pieces are dealt anew */
void            carrier_run(struct carrier *, int64_t now_ms);      /* starts what may start */
void            carrier_arrived(struct carrier *, struct want *, uint32_t piece);   /* ranges of which nothing is missing any more end */
void            carrier_drop(struct carrier *, struct want *);      /* every range of this content ends */
void            carrier_ban(struct carrier *, struct source_health *);      /* every range from this host ends */
size_t          carrier_busy(const struct carrier *);       /* ranges under way */
/* The source the next range would come from; NULL: none now, and why says so of each. */
struct want_source *carrier_source(struct want *, int64_t now_ms, char *why, size_t room);
bool            carrier_expects(const struct want *);       /* some neighbour has a missing piece, or a range is under way */

#endif
