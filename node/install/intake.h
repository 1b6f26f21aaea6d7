/* Content that ferryd lends: copied into a directory only root can reach, and hashed while it is copied, so that what was checked is what is used.
 * One descriptor a content, never a path: nothing of the file system is walked for ferryd. Blocks. */
#ifndef FERRY_NODE_INSTALL_INTAKE_H
#define FERRY_NODE_INSTALL_INTAKE_H

#include "node/store/cache.h"

/* ERR_VERIFY: not what its name says. ERR_USAGE: no plain file. ERR_FULL. Nothing stays of what is refused. */
enum err intake_take(struct cache *, int fd, const struct sha256 *, uint64_t size, struct error *);
/* All that was taken, also by a run that was killed. */
void     intake_clear(struct cache *);

#endif
