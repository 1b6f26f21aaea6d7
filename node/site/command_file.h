/* The files of a command update, from the administrator's disk into the library. */
#ifndef FERRY_NODE_SITE_COMMAND_FILE_H
#define FERRY_NODE_SITE_COMMAND_FILE_H

#include "node/site/inside.h"

/* args: its "files", absolute paths, become [{"name","sha256","size"}]. Copying, hashing and torrents on the thread pool. dry_run: hashed,
 * not taken. done always comes, later. */
void command_files(struct site *, json_t *args /* lives until done */, bool dry_run,
                   void (*done)(void *ctx, enum err, const struct error *), void *ctx);

#endif
