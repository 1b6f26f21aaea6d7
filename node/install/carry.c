#include "node/install/carry.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/log.h"
#include "node/install/intake.h"
#include "node/install/talk_ferryd.h"
#include "node/io/child.h"

#define MORE_S      300                         /* beyond the maximum run time: repair, checking, planning */
#define RESTART_MS  60000
#define RESTART_MAX 16                          /* words */

struct run {
    int                      socket;
    struct cache            *cache;
    const struct carry      *what;
    struct install_run      *install;
    uv_loop_t                loop;
    uv_poll_t                listener;          /* has ferryd gone? */
    uv_timer_t               clock;
    uv_work_t                worker;
    const struct sha256     *wanted;            /* for the worker */
    size_t                   wanted_count;
    struct error             error;             /* the worker's */
    bool                     done, bringing;
};

/* --- content --- */

/* What ferryd does not have is left out: the run names it. */
static enum err bring(int socket, struct cache *cache, const struct content *c, struct error *e)
{
    AUTO(fd_end) int fd = -1;
    char             hex[SHA256_HEX];
    enum err         code;

    if (cache_has(cache, &c->sha256, c->size))
        return OK;
    code = ask_ferryd(socket, "content", sha256_hex(&c->sha256, hex), &fd, e);
    return code || fd < 0 ? code : intake_take(cache, fd, &c->sha256, c->size, e);
}

/* Of the deployment's own contents only: their sizes are signed too. */
static enum err bring_all(int socket, struct cache *cache, const struct deployment *d, const struct sha256 *names, size_t count, struct error *e)
{
    enum err code = OK;

    for (size_t i = 0; i < count && !code; i++) {
        const struct content *c = deployment_content(d, &names[i]);

        code = c ? bring(socket, cache, c, e) : OK;
    }
    return code;
}

/* What is known to be needed before there is a plan: every archive's indexes, or the command's files. */
static enum err bring_first(int socket, struct cache *cache, const struct carry *what, struct error *e)
{
    const struct deployment *d = what->deployment;
    enum err                 code = OK;

    if (what->update->install.type == INSTALL_COMMAND)
        for (size_t i = 0; i < what->update->file_count && !code; i++)
            code = bring_all(socket, cache, d, &what->update->files[i].sha256, 1, e);
    else
        for (size_t a = 0; a < d->archive_count && !code; a++)
            for (size_t i = 0; i < d->archives[a].index_count && !code; i++)
                code = bring_all(socket, cache, d, &d->archives[a].indexes[i].sha256, 1, e);
    return code;
}

/* --- the run --- */

/* Before anything is touched a run that nobody waits for ends; afterwards it goes to its end. */
static void give_up(struct run *r)
{
    if (!r->done && !install_touched(r->install))
        install_stop(r->install);
}

/* Nothing is to be said now: whatever comes, the end included, is the end. */
static void on_readable(uv_poll_t *p, int status, int events)
{
    struct run *r = p->data;

    (void)status;
    (void)events;
    uv_poll_stop(p);
    give_up(r);
}

static void on_clock(uv_timer_t *t)
{
    give_up(t->data);
}

static void work(uv_work_t *w)
{
    struct run *r = w->data;

    bring_all(r->socket, r->cache, r->what->deployment, r->wanted, r->wanted_count, &r->error);
}

static void on_worked(uv_work_t *w, int status)
{
    struct run *r = w->data;

    (void)status;
    if (r->error.code)
        install_stop(r->install);
    else
        uv_poll_start(&r->listener, UV_READABLE | UV_DISCONNECT, on_readable);
    install_brought(r->install);
}

static void on_lack(void *ctx, const struct sha256 *wanted, size_t count)
{
    struct run *r = ctx;

    uv_poll_stop(&r->listener);                 /* the worker reads the answers */
    r->wanted = wanted;
    r->wanted_count = count;
    uv_queue_work(&r->loop, &r->worker, work, on_worked);
}

static void on_step(void *ctx, const char *step)
{
    tell_step(((struct run *)ctx)->socket, step);
}

/* The worker's reason is the better one. */
static void on_done(void *ctx, const struct install_result *result)
{
    struct run           *r = ctx;
    struct install_result told = *result;

    r->done = true;
    if (r->error.code) {
        told.outcome = r->error.code == ERR_VERIFY || r->error.code == ERR_USAGE ? INSTALL_REFUSED
                       : r->error.code == ERR_FULL || r->error.code == ERR_IO    ? INSTALL_FAILED
                                                                                 : INSTALL_RETRY;
        snprintf(told.detail, sizeof told.detail, "%.390s", r->error.text);
    }
    log_say(told.outcome <= INSTALL_RESTART ? LOG_NOTE : LOG_WARN, "order.done", told.detail, "FERRY_UPDATE", r->what->update->id, "FERRY_OUTCOME",
            install_outcome_word(told.outcome), NULL);
    tell_verdict(r->socket, &told);
    uv_close((uv_handle_t *)&r->listener, NULL);
    uv_close((uv_handle_t *)&r->clock, NULL);
}

enum err carry_out(int socket, const struct config *config, struct cache *cache, const struct carry *what, struct error *e)
{
    struct run    r = {.socket = socket, .cache = cache, .what = what};
    struct config own = *config;
    enum err      code = bring_first(socket, cache, what, e);

    if (code)
        return code;
    own.installer = NULL;                       /* this is it */
    uv_loop_init(&r.loop);
    uv_poll_init(&r.loop, &r.listener, socket);
    fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) & ~O_NONBLOCK);       /* libuv wants it so; we read it only when asked for an answer */
    uv_timer_init(&r.loop, &r.clock);
    r.listener.data = r.clock.data = r.worker.data = &r;
    r.install = install_start(&r.loop, &own, cache,
                              &(struct install_call){.deployment = what->deployment, .update = what->update, .work_dir = what->work_dir,
                                                     .on_lack = on_lack, .on_step = on_step, .on_done = on_done, .ctx = &r});
    uv_poll_start(&r.listener, UV_READABLE | UV_DISCONNECT, on_readable);
    uv_timer_start(&r.clock, on_clock, (uint64_t)(what->max_run_s + MORE_S) * 1000, 0);
    uv_run(&r.loop, UV_RUN_DEFAULT);
    uv_loop_close(&r.loop);
    return OK;
}

/* --- the restart --- */

static void on_commanded(void *ctx, const struct child_result *c)
{
    struct install_result r = {.outcome = c->error.code || c->status ? INSTALL_FAILED : INSTALL_OK, .code = c->status};

    snprintf(r.detail, sizeof r.detail, "%.380s", c->error.code ? c->error.text : c->errors);
    log_say(r.outcome == INSTALL_OK ? LOG_NOTE : LOG_WRONG, "restart.commanded", *r.detail ? r.detail : "the restart command ended well", NULL);
    tell_verdict(*(int *)ctx, &r);
}

enum err carry_restart(int socket, const struct config *config, struct error *e)
{
    AUTO(text_free) char *words = must_copy(config->restart_command);
    const char           *argv[RESTART_MAX + 1] = {NULL};
    size_t                n = 0;
    char                 *rest = NULL;
    uv_loop_t             loop;

    for (char *w = words ? strtok_r(words, " \t", &rest) : NULL; w && n < RESTART_MAX; w = strtok_r(NULL, " \t", &rest))
        argv[n++] = w;
    if (!n)
        return fail(e, ERR_DENIED, "the configuration has no restart-command");
    uv_loop_init(&loop);
    child_start(&loop, &(struct child_call){.argv = argv, .timeout_ms = RESTART_MS, .on_done = on_commanded, .ctx = &socket});
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return OK;
}
