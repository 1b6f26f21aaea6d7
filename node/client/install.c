/* An installation's beginning and end: what both types share. The steps are in install_apt.c and install_command.c. */
#include "node/client/install.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "node/client/install_run.h"
#include "node/client/root.h"

#define PATIENCE_MS 4000
#define LOG_KEPT    (64u << 10)
#define LOG_LIMIT   (64u << 20)

const char *install_outcome_word(enum install_outcome outcome)
{
    static const char *const words[] = {
        [INSTALL_OK] = "ok",           [INSTALL_RESTART] = "restart", [INSTALL_RETRY] = "retry",    [INSTALL_CLOSURE] = "closure-missing",
        [INSTALL_REFUSED] = "refused", [INSTALL_FAILED] = "failed",   [INSTALL_TIMEOUT] = "timeout",
    };

    return words[outcome];
}

void install_step(struct install_run *run, const char *word)
{
    if (run->call.on_step)
        run->call.on_step(run->call.ctx, word);
}

/* ---- the end ---- */

static void run_free(struct install_run *run)
{
    for (size_t i = 0; i < run->snapshot_count; i++)
        snapshot_end(&run->snapshots[i]);
    free(run->snapshots);
    install_found_end(run);
    copies_end(&run->copies);
    plan_end(&run->plan);
    words_free(run->wanted);
    words_free(run->env);
    free(run->wanted_content);
    free(run->work);
    free(run->root);
    free(run->log);
    free(run);
}

static void sweep(uv_work_t *work)
{
    struct install_run *run = work->data;

    if (!install_is_remote(run))                /* what it put into the root it takes away again */
        apt_world_end(run);
    file_remove(run->work, NULL);
}

static void leave(uv_work_t *work)
{
    (void)work;
}

static void on_swept(uv_work_t *work, int status)
{
    struct install_run *run = work->data;

    (void)status;
    run->call.on_done(run->call.ctx, &run->result);
    run_free(run);
}

/* An installer that was left running still needs its mirror: the next run sweeps it, when dpkg's lock is free. */
static void end_run(struct install_run *run, bool left)
{
    run->step = STEP_SWEEP;
    uv_queue_work(run->loop, &run->worker, left ? leave : sweep, on_swept);
}

void install_finish(struct install_run *run, enum install_outcome outcome, const char *format, ...)
{
    va_list args;

    run->result.outcome = outcome;
    va_start(args, format);
    vsnprintf(run->result.detail, sizeof(run->result.detail), format, args);
    va_end(args);
    end_run(run, false);
}

void install_left(struct install_run *run)
{
    run->result.outcome = INSTALL_RETRY;
    snprintf(run->result.detail, sizeof(run->result.detail), "the node ended while it ran; it goes on alone, and detection tells");
    end_run(run, true);
}

/* ---- between ---- */

void install_want(struct install_run *run, const struct sha256 *name)
{
    size_t n = run->result.wanted_count;

    for (size_t i = 0; i < n; i++)
        if (sha256_same(&run->wanted_content[i], name))
            return;
    run->wanted_content = must_grow(run->wanted_content, n + 1, sizeof(*name));
    run->wanted_content[n] = *name;
    run->result.wanted = run->wanted_content;
    run->result.wanted_count = n + 1;
}

struct after {
    struct install_run *run;
    uv_work_cb          work;
    void              (*after)(struct install_run *);
    uv_work_t           request;
};

static void on_thread(uv_work_t *request)
{
    struct after *a = request->data;

    a->work(&a->run->worker);
}

static void on_worked(uv_work_t *request, int status)
{
    struct after       *a = request->data;
    struct install_run *run = a->run;
    void              (*after)(struct install_run *) = a->after;

    (void)status;
    free(a);
    if (run->stopped)
        install_finish(run, INSTALL_RETRY, "stopped with the node");
    else
        after(run);
}

void install_work(struct install_run *run, uv_work_cb work, void (*after)(struct install_run *))
{
    struct after *a = must_alloc(sizeof(*a));

    *a = (struct after){.run = run, .work = work, .after = after};
    a->request.data = a;
    memset(&run->error, 0, sizeof(run->error));
    uv_queue_work(run->loop, &a->request, on_thread, on_worked);
}

/* Debian's sign that a restart is wanted. /var/run is a link to the running system's /run in most roots: then it is not this root's. */
static void look_at_flags(const struct install_run *run, struct file_print out[2])
{
    char *AUTO(text_free) flag = root_join(run->root, "/run/reboot-required");
    char *AUTO(text_free) old = root_join(run->root, "/var/run");
    char *AUTO(text_free) old_flag = root_join(run->root, "/var/run/reboot-required");
    struct stat s;

    memset(out, 0, 2 * sizeof *out);
    file_print_of(flag, &out[0], NULL);
    if (!lstat(old, &s) && S_ISDIR(s.st_mode))
        file_print_of(old_flag, &out[1], NULL);
}

bool install_asks_restart(const struct install_run *run)
{
    struct file_print now[2];

    look_at_flags(run, now);
    for (size_t i = 0; i < COUNT(now); i++)
        if (now[i].inode && !file_print_same(&now[i], &run->flags[i]))
            return true;
    return false;
}

void install_session(struct install_run *run, const char *const *argv, const char *directory, int64_t timeout_s,
                     void (*on_done)(void *ctx, const struct session_result *))
{
    if (!run->result.touched)
        look_at_flags(run, run->flags);         /* before the first: a repair may ask for a restart as well */
    run->result.touched = true;
    run->session = session_start(run->loop, &(struct session_call){.argv = argv,
                                                                   .env = (const char *const *)run->env,
                                                                   .directory = directory,
                                                                   .log = run->log,
                                                                   .timeout_s = timeout_s,
                                                                   .on_done = on_done,
                                                                   .ctx = run});
}

char *install_log_tail(const struct install_run *run)
{
    char  *text, *tail;
    size_t length;

    if (file_read(run->log, LOG_LIMIT, &text, &length, NULL) != OK)
        return must_copy("");
    tail = must_copy(length > LOG_KEPT ? text + length - LOG_KEPT : text);
    free(text);
    return tail;
}

/* ---- the beginning ---- */

/* HOME too: dpkg reads $HOME/.dpkg.cfg. */
static char **environment(const struct install_run *run)
{
    char **words = must_alloc(6 * sizeof(*words));
    size_t n = 0;

    words[n++] = must_copy("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
    words[n++] = must_copy("LC_ALL=C.UTF-8");
    words[n++] = must_copy("DEBIAN_FRONTEND=noninteractive");
    words[n++] = must_print("HOME=%s", run->work);
    if (run->call.update->install.type == INSTALL_APT)
        words[n++] = must_print("APT_CONFIG=%s/apt.conf", run->work);
    return words;
}

static void begin_work(uv_work_t *work)
{
    (void)work;
}

static void begin(struct install_run *run)
{
    run->step = STEP_MAKE;
    if (install_is_remote(run))
        install_remote(run);
    else if (run->call.update->install.type == INSTALL_APT)
        install_apt(run);
    else
        install_command(run);
}

struct install_run *install_start(uv_loop_t *loop, const struct config *config, struct cache *cache, const struct install_call *call)
{
    struct install_run *run = must_alloc(sizeof(*run));
    char               *root = root_join(config->root, "");

    run->loop = loop;
    run->config = config;
    run->cache = cache;
    run->call = *call;
    run->result.code = -1;
    run->work = must_copy(call->work_dir);
    run->root = *root ? root : must_copy("/");
    if (run->root != root)
        free(root);
    run->log = must_print("%s/install.log", run->work);
    run->env = environment(run);
    run->worker.data = run;
    install_work(run, begin_work, begin);       /* so that no callback comes before this returns */
    return run;
}

void install_stop(struct install_run *run)
{
    if (!run || run->stopped)
        return;
    run->stopped = true;
    if (run->remote)
        remote_stop(run->remote);
    else if (run->session)
        session_leave(run->session, PATIENCE_MS);
    else if (run->child)
        child_stop(run->child);
}

bool install_touched(const struct install_run *run)
{
    return run->result.touched;
}

void install_brought(struct install_run *run)
{
    if (run->stopped)
        install_finish(run, INSTALL_RETRY, "stopped with the node");
    else
        install_take_packages(run);
}
