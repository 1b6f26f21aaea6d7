/* The root a node manages: "/" or a directory that holds an installation. */
#ifndef FERRY_NODE_CLIENT_ROOT_H
#define FERRY_NODE_CLIENT_ROOT_H

#include <stdbool.h>

#include "node/config.h"

bool  root_is_host(const char *root);                           /* NULL, "" and "/" */
char *root_join(const char *root, const char *path);            /* path begins with '/'; caller frees */
/* Does the path stay below the root it is joined to: it begins with '/' and has no "..". */
bool  root_path_ok(const char *path);
/* dpkg writes each change into a numbered file before it rewrites its database: files that stay tell of a dpkg that was killed. */
bool  root_interrupted(const char *root);
/* Another process holds dpkg's locks: an installation is running. */
bool  root_locked(const char *root);
/* dpkg without uid 0: only when asked for, only for another root than this machine's, never as uid 0. */
bool  root_unprivileged(const struct config *);
/* Its time zone's name: as configured, else as below root, else as this machine's, else "UTC". Caller frees. */
char *root_zone(const struct config *);

#endif
