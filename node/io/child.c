#include "node/io/child.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/text.h"

#define PATH_STANDARD "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define OUTPUT_LIMIT  (16u << 20)
#define ERRORS_KEPT   (64u << 10)
#define GRACE_MS      30000                     /* between SIGTERM and SIGKILL */
#define DRAIN_MS      2000                      /* a daemon it left behind may hold its pipes open: no longer than this */

/* handles: process, stdin, stdout, stderr, clock. Each lives until its close callback; the last one tells the caller. */
struct child {
    uv_process_t        process;
    uv_pipe_t           in, out, err;
    uv_timer_t          clock;
    uv_write_t          write;
    struct child_call   call;
    char               *name, *input;
    struct text         output, errors;
    struct child_result result;
    size_t              line;                   /* where the line that is coming begins in output */
    int                 open, streams;
    bool                exited, asked, closing;
    char                block[16384];
};

static void on_read(uv_stream_t *, ssize_t n, const uv_buf_t *);
static void on_exit_status(uv_process_t *, int64_t status, int signal);
static void on_time(uv_timer_t *);
static void on_closed(uv_handle_t *);

static void signal_group(struct child *c, int number)
{
    if (c->process.pid > 0)
        kill(-c->process.pid, number);
}

/* Asks once, insists after the grace; a second request insists at once. */
static void end_group(struct child *c)
{
    if (c->exited || c->closing)
        return;
    signal_group(c, c->asked ? SIGKILL : SIGTERM);
    if (!c->asked)
        uv_timer_start(&c->clock, on_time, GRACE_MS, 0);
    c->asked = true;
}

void child_stop(struct child *c)
{
    if (c->process.pid > 0)
        end_group(c);
}

int child_pid(const struct child *c)
{
    return c->process.pid;
}

static void close_handle(struct child *c, uv_handle_t *h)
{
    if (h->loop && !uv_is_closing(h)) {
        c->open++;
        uv_close(h, on_closed);
    }
}

static void close_all(struct child *c)
{
    if (c->closing)
        return;
    c->closing = true;
    close_handle(c, (uv_handle_t *)&c->in);
    close_handle(c, (uv_handle_t *)&c->out);
    close_handle(c, (uv_handle_t *)&c->err);
    close_handle(c, (uv_handle_t *)&c->clock);
    close_handle(c, (uv_handle_t *)&c->process);
}

static void on_time(uv_timer_t *clock)
{
    struct child *c = clock->data;

    if (c->result.error.code && !c->process.pid) {              /* never started */
        close_all(c);
    } else if (c->exited) {                                     /* its pipes outlived it */
        close_all(c);
    } else {
        if (!c->asked) {
            c->result.timed_out = true;
            fail(&c->result.error, ERR_TIMEOUT, "%s did not end within %lld s and was stopped", c->name,
                 (long long)(c->call.timeout_ms / 1000));
        }
        end_group(c);
    }
}

static void on_exit_status(uv_process_t *process, int64_t status, int number)
{
    struct child *c = process->data;

    c->exited = true;
    c->result.status = number ? -1 : (int)status;
    c->result.signal = number;
    if (c->asked)
        signal_group(c, SIGKILL);               /* what it started does not outlive its own end by force */
    if (c->streams)
        uv_timer_start(&c->clock, on_time, DRAIN_MS, 0);
    else
        close_all(c);
}

static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *buffer)
{
    struct child *c = h->data;

    (void)suggested;
    *buffer = uv_buf_init(c->block, sizeof c->block);
}

static void tell_lines(struct child *c, bool last)
{
    char *end;

    while (c->call.on_line && c->line < c->output.length && (end = strchr(c->output.data + c->line, '\n'))) {
        char *line = c->output.data + c->line;

        c->line = (size_t)(end - c->output.data) + 1;
        *end = '\0';
        c->call.on_line(c->call.ctx, line);
        *end = '\n';
    }
    if (last && c->call.on_line && c->line < c->output.length) {
        c->call.on_line(c->call.ctx, c->output.data + c->line);
        c->line = c->output.length;
    }
}

static void take_output(struct child *c, const char *bytes, size_t n)
{
    if (c->output.length + n > c->call.output_limit) {
        if (!c->result.error.code)
            fail(&c->result.error, ERR_USAGE, "%s wrote more than the %zu bytes that are accepted and was stopped", c->name,
                 c->call.output_limit);
        if (!c->asked)
            end_group(c);
        return;
    }
    text_put(&c->output, bytes, n);
    tell_lines(c, false);
}

static void take_errors(struct child *c, const char *bytes, size_t n)
{
    text_put(&c->errors, bytes, n);
    if (c->errors.length > 2 * ERRORS_KEPT) {
        memmove(c->errors.data, c->errors.data + c->errors.length - ERRORS_KEPT, ERRORS_KEPT + 1);
        c->errors.length = ERRORS_KEPT;
    }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct child *c = stream->data;

    if (n > 0 && stream == (uv_stream_t *)&c->out)
        take_output(c, buffer->base, (size_t)n);
    else if (n > 0)
        take_errors(c, buffer->base, (size_t)n);
    if (n >= 0)
        return;
    c->streams--;
    close_handle(c, (uv_handle_t *)stream);
    if (!c->streams && c->exited)
        close_all(c);
}

static void on_written(uv_write_t *write, int status)
{
    struct child *c = write->data;

    (void)status;                               /* a child that does not read its input says so by its exit status */
    close_handle(c, (uv_handle_t *)&c->in);
}

static void on_closed(uv_handle_t *h)
{
    struct child *c = h->data;

    if (--c->open || !c->closing)
        return;
    tell_lines(c, true);
    text_put(&c->output, "", 0);
    text_put(&c->errors, "", 0);
    if (c->errors.length > ERRORS_KEPT) {
        memmove(c->errors.data, c->errors.data + c->errors.length - ERRORS_KEPT, ERRORS_KEPT + 1);
        c->errors.length = ERRORS_KEPT;
    }
    c->result.output = c->output.data;
    c->result.output_length = c->output.length;
    c->result.errors = c->errors.data;
    c->result.errors_length = c->errors.length;
    c->call.on_done(c->call.ctx, &c->result);
    text_end(&c->output);
    text_end(&c->errors);
    free(c->input);
    free(c->name);
    free(c);
}

/* Exactly what was given, and a PATH. NULL-terminated; the strings are borrowed. */
static char **environment(const char *const *given)
{
    static const char *const standard[] = {"LANG=C.UTF-8", NULL};
    const char *const       *from = given ? given : standard;
    size_t                   n = 0, count = 0;
    bool                     path = false;
    char                   **out;

    while (from[n])
        path |= !strncmp(from[n++], "PATH=", 5);
    out = must_alloc((n + 2) * sizeof *out);
    if (!path)
        out[count++] = (char *)(uintptr_t)PATH_STANDARD;
    for (size_t i = 0; i < n; i++)
        out[count++] = (char *)(uintptr_t)from[i];
    return out;
}

static void init_handles(struct child *c, uv_loop_t *loop)
{
    uv_pipe_t *const pipes[] = {&c->in, &c->out, &c->err};

    for (size_t i = 0; i < COUNT(pipes); i++) {
        if (i || c->call.input)
            uv_pipe_init(loop, pipes[i], 0);
        pipes[i]->data = c;
    }
    uv_timer_init(loop, &c->clock);
    c->clock.data = c->process.data = c->write.data = c;
}

static void begin_io(struct child *c)
{
    uv_buf_t input = uv_buf_init(c->input, (unsigned)c->call.input_length);

    c->streams = 2;
    uv_read_start((uv_stream_t *)&c->out, on_room, on_read);
    uv_read_start((uv_stream_t *)&c->err, on_room, on_read);
    if (c->call.input && uv_write(&c->write, (uv_stream_t *)&c->in, &input, 1, on_written))
        close_handle(c, (uv_handle_t *)&c->in);
    if (c->call.timeout_ms)
        uv_timer_start(&c->clock, on_time, (uint64_t)c->call.timeout_ms, 0);
}

static int spawn(struct child *c, uv_loop_t *loop)
{
    uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE},
                                     {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->out},
                                     {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->err}};
    uv_process_options_t options = {.exit_cb = on_exit_status,
                                    .file = c->call.argv[0],
                                    .args = (char **)(uintptr_t)c->call.argv,
                                    .env = environment(c->call.env),
                                    .cwd = c->call.directory ? c->call.directory : "/",
                                    .flags = UV_PROCESS_DETACHED,   /* setsid: its own process group, so that all of it can be ended */
                                    .stdio_count = 3,
                                    .stdio = stdio};
    int                  r;

    if (c->call.input)
        stdio[0] = (uv_stdio_container_t){.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&c->in};
    r = uv_spawn(loop, &c->process, &options);
    free(options.env);
    return r;
}

struct child *child_start(uv_loop_t *loop, const struct child_call *call)
{
    struct child *c = must_alloc(sizeof *c);
    int           r;

    signal(SIGPIPE, SIG_IGN);                   /* a child may close its stdin before we have written all of it */
    c->call = *call;
    c->call.output_limit = call->output_limit ? call->output_limit : OUTPUT_LIMIT;
    c->result.status = -1;
    c->name = must_copy(call->argv[0]);
    if (call->input) {
        c->input = must_alloc(call->input_length);
        memcpy(c->input, call->input, call->input_length);
    }
    init_handles(c, loop);
    r = spawn(c, loop);
    c->call.argv = c->call.env = NULL;
    c->call.directory = NULL;
    if (r) {
        c->process.pid = 0;
        fail(&c->result.error,
             r == UV_ENOENT   ? ERR_NOT_FOUND
             : r == UV_EACCES ? ERR_DENIED
                              : ERR_FAILED,
             "%s cannot be started: %s", c->name, uv_strerror(r));
        uv_timer_start(&c->clock, on_time, 0, 0);
    } else {
        begin_io(c);
    }
    return c;
}
