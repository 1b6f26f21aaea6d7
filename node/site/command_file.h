/* The files of a command update, from the administrator's disk into the library. Inside node/site only. */
#ifndef FERRY_NODE_SITE_COMMAND_FILE_H
#define FERRY_NODE_SITE_COMMAND_FILE_H

#include "node/site/inside.h"

/* args.files: paths → [{"name","sha256","size"}], each in the library. */
enum err command_files(struct site *, json_t *args, struct error *);

#endif
