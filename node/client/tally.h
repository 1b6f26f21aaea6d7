/* The bytes of one content, by where they came from. Every piece is counted once, in the store within a tick; complete rows always balance:
 * size = http + peers + cache + origin. Waste: bytes over HTTP that ended in no piece of ours. */
#ifndef FERRY_NODE_CLIENT_TALLY_H
#define FERRY_NODE_CLIENT_TALLY_H

#include "node/client/fetch_want.h"

void tally_open(struct want *);                 /* the row as it is in the store, or a fresh one */
void tally_ready(struct want *);                /* pieces are known: what is here and was never counted was in the cache */
void tally_piece(struct want *, uint32_t piece, enum bytes_from);
void tally_waste(struct want *, uint64_t bytes);
bool tally_unsaved(const struct want *);
enum err tally_save(struct want *, struct error *);     /* inside the caller's transaction */
/* The content is whole: told and marked complete in one transaction. Nothing when it was told before and nothing was wasted since. */
void tally_complete(struct want *);
json_t *tally_json(const struct want *);        /* {"http":…,"peers":…,"cache":…,"origin":…,"waste":…} */

#endif
