/* Child processes: output collected and bounded, a time limit with SIGTERM, then SIGKILL 30 s later to the whole process group.
 * The environment is exactly what is given (PATH is set). Loop thread only. */
#ifndef FERRY_NODE_IO_CHILD_H
#define FERRY_NODE_IO_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"

struct child;

struct child_result {
    int         status;                         /* exit status; -1 when killed or never started */
    int         signal;                         /* 0, or what ended it */
    bool        timed_out;
    const char *output;                         /* stdout, NUL-terminated, borrowed */
    size_t      output_length;
    const char *errors;                         /* stderr, likewise (last 64 KiB) */
    size_t      errors_length;
    struct error error;                         /* when it could not be started, or its output passed the limit */
};
struct child_call {
    const char *const *argv;                    /* argv[0] is looked up in PATH */
    const char *const *env;                     /* "NAME=value"…, NULL: only PATH, LANG=C.UTF-8 */
    const char *directory;                      /* NULL: "/" */
    const void *input;                          /* for stdin, copied; NULL: /dev/null */
    size_t      input_length;
    size_t      output_limit;                   /* 0: 16 MiB; more ends the child (ERR_USAGE) */
    int64_t     timeout_ms;                     /* 0: none */
    void      (*on_line)(void *ctx, const char *line);      /* each line of stdout as it comes; may be NULL */
    void      (*on_done)(void *ctx, const struct child_result *);
    void       *ctx;
};
struct child *child_start(uv_loop_t *, const struct child_call *);         /* on_done always comes, later */
void          child_stop(struct child *);       /* SIGTERM now, SIGKILL 30 s later, or at once when called again */
int           child_pid(const struct child *);

#endif
