#include "node/install/serve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/log.h"
#include "node/install/authority.h"
#include "node/install/carry.h"
#include "node/install/intake.h"
#include "node/install/talk_ferryd.h"
#include "node/io/packet.h"

#define ORDER_S    10                           /* for the first packet */
#define PATIENCE_S 60                           /* for each of the others */
#define PREPARE_S  (30 * 60)                    /* verifying, and copying what may be gigabytes */
#define MAX_RUN_S  3600                         /* when the update does not say */
#define BEYOND_S   600                          /* the last resort: carry.c ends sooner */

/* --- what is its own --- */

static enum err check_dir(const char *dir, struct error *e)
{
    struct stat st;
    enum err    code = file_make_dirs(dir, 0700, e);

    if (code)
        return code;
    if (lstat(dir, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
        return fail(e, ERR_DENIED, "%s has to be a directory of this user's with mode 0700: what is trusted lies there", dir);
    return OK;
}

enum err desk_open(struct desk *d, const char *state_dir, struct error *e)
{
    AUTO(text_free) char *lock = must_print("%s/lock", state_dir), *store = must_print("%s/store.db", state_dir);
    enum err              code = check_dir(state_dir, e);

    *d = (struct desk){.lock = -1};
    code = code ? code : file_lock(lock, &d->lock, e);
    if (code == ERR_AGAIN)
        fail(e, code, "the installer is busy with another request");
    code = code ? code : store_open(store, &d->store, e);
    code = code ? code : cache_open(state_dir, d->store, &d->cache, e);
    if (code)
        desk_close(d);
    return code;
}

void desk_close(struct desk *d)
{
    cache_close(d->cache);
    if (d->store)
        store_close(d->store);
    fd_end(&d->lock);
}

/* --- verdicts --- */

/* Gone and busy are no fault of the update's; a disk is one of this machine's; everything else was refused. */
static enum install_outcome outcome_of(enum err code)
{
    switch (code) {
    case OK: return INSTALL_OK;
    case ERR_AGAIN: case ERR_NOT_FOUND: case ERR_TIMEOUT: return INSTALL_RETRY;
    case ERR_IO: case ERR_FULL: case ERR_FAILED: return INSTALL_FAILED;
    default: return INSTALL_REFUSED;
    }
}

static void verdict(int socket, enum err code, const char *detail)
{
    struct install_result r = {.outcome = outcome_of(code), .code = -1};

    snprintf(r.detail, sizeof r.detail, "%.390s", detail);
    tell_verdict(socket, &r);
}

/* Heard all the same: a socket that is closed with something unread takes its last packet along. */
void refuse(int socket, const struct error *why)
{
    struct order order;

    packet_patience(socket, ORDER_S);
    hear_order(socket, &order, NULL);
    verdict(socket, why->code, why->text);
}

/* --- the three things that can be asked --- */

static enum err give(void *ctx, const char *what, const char *name, size_t limit, char **bytes, size_t *length, struct error *e)
{
    return ask_ferryd_bytes(*(int *)ctx, what, name, limit, bytes, length, e);
}

/* Both reasons, when the newer policy was refused and the one in force does not have it. */
static enum err explain(enum err code, const struct error *news, struct error *e)
{
    struct error why = *e;

    return code == ERR_VERIFY && news->code ? fail(e, code, "%.350s; and what is newer was refused: %.350s", why.text, news->text) : code;
}

static enum err install(int socket, const struct config *config, struct desk *d, const struct order *order, const char *state_dir, struct error *e)
{
    AUTO(text_free) char *work = must_print("%s/jobs/install", state_dir);
    struct authority     *a = NULL;
    struct deployment    *deployment = NULL;
    const struct update  *u = NULL;
    struct giver          from = {&socket, give};
    struct error          news;
    enum err              code = authority_open(d->store, config, &from, &a, &news, e);

    if (!code)
        code = explain(authority_deployment(a, order, &from, &deployment, &u, e), &news, e);
    if (!code && news.code)
        log_error(LOG_WARN, "policy.refused", "newer policy; what was verified before is in force", &news);
    if (!code) {
        int64_t most = u->install.max_run_s > 0 ? u->install.max_run_s : MAX_RUN_S;

        alarm((unsigned)(PREPARE_S + most + BEYOND_S));
        code = carry_out(socket, config, d->cache, &(struct carry){deployment, u, work, most}, e);
    }
    deployment_free(deployment);
    authority_close(a);
    return code;
}

static enum err refresh(int socket, const struct config *config, struct desk *d, struct error *e)
{
    struct authority *a = NULL;
    struct giver      from = {&socket, give};
    struct error      news;
    enum err          code = authority_open(d->store, config, &from, &a, &news, e);

    authority_close(a);
    return code || !news.code ? code : fail(e, ERR_VERIFY, "%s", news.text);
}

static enum err carry_order(int socket, const struct config *config, struct desk *d, const struct order *order, const char *state_dir, struct error *e)
{
    enum err code;

    switch (order->kind) {
    case ORDER_RESTART: return carry_restart(socket, config, e);
    case ORDER_REFRESH:
        code = refresh(socket, config, d, e);
        if (!code)
            verdict(socket, OK, "the policy is verified");
        return code;
    case ORDER_INSTALL: break;
    }
    intake_clear(d->cache);                     /* what a run that was killed left */
    code = install(socket, config, d, order, state_dir, e);
    intake_clear(d->cache);
    return code;
}

enum err serve(int socket, const struct config *config, const char *state_dir, struct error *e)
{
    static const char *const words[] = {[ORDER_INSTALL] = "install", [ORDER_REFRESH] = "refresh", [ORDER_RESTART] = "restart"};
    struct order             order = {0};
    struct desk              d = {.lock = -1};
    enum err                 code;

    packet_patience(socket, ORDER_S);
    code = hear_order(socket, &order, e);
    packet_patience(socket, PATIENCE_S);
    alarm(PREPARE_S);
    if (!code)
        log_say(LOG_TELL, "order", words[order.kind], "FERRY_TARGET", *order.target ? order.target : NULL, "FERRY_UPDATE",
                *order.update ? order.update : NULL, NULL);
    code = code ? code : desk_open(&d, state_dir, e);
    code = code ? code : carry_order(socket, config, &d, &order, state_dir, e);
    desk_close(&d);
    alarm(0);
    if (code) {
        log_error(LOG_WARN, "order.refused", words[order.kind], e);
        verdict(socket, code, e->text);
    }
    return code;
}
