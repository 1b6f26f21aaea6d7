#include "node/client/session.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define GRACE_MS 30000

struct session {
    uv_process_t          process;
    uv_timer_t            clock;                /* the time limit, then the grace */
    uv_timer_t            patience;
    struct session_result result;
    void                (*on_done)(void *ctx, const struct session_result *);
    void                 *ctx;
    int                   open;                 /* handles whose close callback has not come */
    bool                  asked;
};

static void on_closed(uv_handle_t *h)
{
    struct session *s = h->data;

    if (--s->open)
        return;
    s->on_done(s->ctx, &s->result);
    free(s);
}

static void close_all(struct session *s)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&s->process, (uv_handle_t *)&s->clock, (uv_handle_t *)&s->patience};

    if (uv_is_closing((uv_handle_t *)&s->clock))
        return;
    for (size_t i = 0; i < COUNT(handles); i++)
        if (handles[i]->loop) {
            s->open++;
            uv_close(handles[i], on_closed);
        }
}

static void on_exit_status(uv_process_t *process, int64_t status, int number)
{
    struct session *s = process->data;

    s->result.status = number ? -1 : (int)status;
    s->result.signal = number;
    if (s->asked)
        kill(-process->pid, SIGKILL);           /* what it started and did not end with it */
    close_all(s);
}

static void on_limit(uv_timer_t *clock)
{
    struct session *s = clock->data;

    if (s->result.error.code) {                 /* never started */
        close_all(s);
        return;
    }
    kill(-s->process.pid, s->asked ? SIGKILL : SIGTERM);
    s->asked = s->result.timed_out = true;
    uv_timer_start(clock, on_limit, GRACE_MS, 0);
}

static void on_patience(uv_timer_t *patience)
{
    struct session *s = patience->data;

    s->result.left = true;
    close_all(s);
}

void session_leave(struct session *s, uint64_t patience_ms)
{
    uv_timer_start(&s->patience, on_patience, patience_ms, 0);
}

static enum err spawn(struct session *s, uv_loop_t *loop, const struct session_call *call)
{
    int AUTO(fd_end) log = open(call->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE}, {.flags = UV_INHERIT_FD, .data.fd = log}, {.flags = UV_INHERIT_FD, .data.fd = log}};
    uv_process_options_t options = {
        .exit_cb = on_exit_status,
        .file = call->argv[0],
        .args = (char **)(uintptr_t)call->argv,
        .env = (char **)(uintptr_t)call->env,
        .cwd = call->directory,
        .flags = UV_PROCESS_DETACHED,           /* setsid() */
        .stdio_count = 3,
        .stdio = stdio,
    };
    int r;

    if (log < 0)
        return fail_errno(&s->result.error, "%s cannot be written", call->log);
    r = uv_spawn(loop, &s->process, &options);
    return r ? fail(&s->result.error, ERR_FAILED, "%s cannot be started: %s", call->argv[0], uv_strerror(r)) : OK;
}

struct session *session_start(uv_loop_t *loop, const struct session_call *call)
{
    struct session *s = must_alloc(sizeof(*s));

    s->on_done = call->on_done;
    s->ctx = call->ctx;
    s->result.status = -1;
    uv_timer_init(loop, &s->clock);
    uv_timer_init(loop, &s->patience);
    s->process.data = s->clock.data = s->patience.data = s;
    if (spawn(s, loop, call) == OK)
        uv_timer_start(&s->clock, on_limit, (uint64_t)call->timeout_s * 1000, 0);
    else
        uv_timer_start(&s->clock, on_limit, 0, 0);
    return s;
}
