/* The process: opens every part in order, runs the loop, closes in reverse. Read the table in daemon.c first. */
#ifndef FERRY_NODE_DAEMON_H
#define FERRY_NODE_DAEMON_H

#include "base/error.h"
#include "node/config.h"

/* Runs until it is asked to end (SIGTERM, SIGINT: within 5 s) or a part cannot be opened. path (NULL: none), argc and argv are what the
 * configuration was read from, for SIGHUP. */
enum err daemon_run(struct config *, const char *path, int argc, char **argv, struct error *);

#endif
