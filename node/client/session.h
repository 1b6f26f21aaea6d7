/* A program that may outlive us: in a session of its own, its output in a file (a pipe would break with its reader and take dpkg along), a
 * time limit with SIGTERM to the whole group and SIGKILL 30 s later. Loop thread only. */
#ifndef FERRY_NODE_CLIENT_SESSION_H
#define FERRY_NODE_CLIENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"

struct session;
struct session_result {
    int          status;                        /* exit status; -1: killed, never started, or left running */
    int          signal;
    bool         timed_out, left;               /* left: session_leave() ran out of patience; it goes on without us */
    struct error error;                         /* when it could not be started */
};
struct session_call {
    const char *const *argv, *const *env;       /* argv[0] is a path */
    const char *directory, *log;                /* log is appended to: stdout and stderr */
    int64_t     timeout_s;
    void      (*on_done)(void *ctx, const struct session_result *);
    void       *ctx;
};
struct session *session_start(uv_loop_t *, const struct session_call *);       /* on_done always comes, later */
void            session_leave(struct session *, uint64_t patience_ms);         /* waits that long, then lets it go on alone */

#endif
