#include "node/site/site.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/io/child.h"
#include "node/site/inside.h"
#include "node/site/publish_now.h"

struct author site_author(struct site *s, const char *who)
{
    return (struct author){.ledger = s->ledger, .now = clock_now(), .who = who, .content_dir = s->content_dir};
}

enum err site_author_apart(const struct site *s, struct author *out, struct error *e)
{
    AUTO(text_free) char *path = must_print("%s/ledger.db", s->dir);

    *out = (struct author){.now = clock_now(), .who = "site", .content_dir = s->content_dir};
    return ledger_open(path, &out->ledger, e);
}

void site_ask(struct site *s, struct asking *a, const struct web_call *call)
{
    a->request = web_start(s->web, call);
    a->next = s->asking;
    a->self = &s->asking;
    if (a->next)
        a->next->self = &a->next;
    s->asking = a;
}

void site_answered(struct asking *a)
{
    *a->self = a->next;
    if (a->next)
        a->next->self = a->self;
}

char *site_temporary(struct site *s)
{
    return must_print("%s/.tmp-%llu", s->content_dir, (unsigned long long)++s->temporary);
}

/* What a ferryd that was killed left half done. */
static void sweep_temporary(struct site *s)
{
    struct author  a = site_author(s, "site");
    struct error   e;
    DIR           *d = opendir(s->content_dir);
    struct dirent *entry;

    while (d && (entry = readdir(d)))
        if (!strncmp(entry->d_name, ".tmp-", 5))
            unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        closedir(d);
    if (assembly_sweep(&a, &e))
        log_error(LOG_WRONG, "runs.not-swept", "runs that were left open", &e);
}

enum err site_publish(struct site *s, struct error *e)
{
    struct author a = site_author(s, "site");

    return publish_now(&a, s->repository, e);
}

void site_hold(struct site *s)
{
    s->open++;
}

static void site_free(struct site *s)
{
    ledger_close(s->ledger);
    repository_close(s->repository);
    jobs_free(s->jobs);
    sodium_memzero(s->seal_secret, sizeof s->seal_secret);
    site_identity_end(&s->identity);
    fd_end(&s->lock);
    free(s->dir);
    free(s->content_dir);
    free(s->policy_dir);
    free(s->id);
    free(s->name);
    free(s->routes);
    free(s);
}

void site_release(struct site *s)
{
    void (*closed)(void *ctx) = s->closed;
    void *ctx = s->closed_ctx;

    if (--s->open || !s->closing)
        return;
    site_free(s);
    if (closed)
        closed(ctx);
}

static enum err load_seal(struct site *s, struct error *e)
{
    char    *path = must_print("%s/keys/seal.key", s->dir), *text = NULL;
    size_t   length;
    enum err code = file_read(path, 200, &text, &length, e);

    if (!code) {
        text[strcspn(text, "\n")] = 0;
        if (!hex_decode(text, s->seal_secret, 32))
            code = fail(e, ERR_VERIFY, "%s: not a key", path);
        else
            crypto_scalarmult_base(s->seal_public, s->seal_secret);
        sodium_memzero(text, length);
    }
    free(text);
    free(path);
    return code;
}

/* A key of its own that is lost costs nothing here, and every node its way to this site: that is said loudly. */
static enum err tell_identity(struct site *s, struct error *e)
{
    AUTO(text_free) char *before = ledger_setting(s->ledger, "site.pin");

    if (before && strcmp(before, s->identity.pin))
        log_say(LOG_WRONG, "site.other-key", "keys/tls.key is not the key it was: nodes that know the other one do not speak to this site until they "
                                             "are enrolled again; put it back from a backup if there is one", NULL);
    return site_identity_tell(&s->identity, s->ledger, e);
}

static enum err open_files(struct site *s, struct error *e)
{
    char    *ledger = must_print("%s/ledger.db", s->dir), *lock = must_print("%s/site.lock", s->dir);
    enum err code = file_exists(ledger)
                        ? file_lock(lock, &s->lock, e)
                        : fail(e, ERR_CONDITION, "%s: there is no site here; `ferry site init --state %s` makes one", s->dir, s->dir);

    if (code == ERR_AGAIN)
        code = fail(e, ERR_CONDITION, "%s: another ferryd runs this site", s->dir);
    code = code ? code : ledger_open(ledger, &s->ledger, e);
    code = code ? code : repository_open(s->dir, &s->repository, e);
    code = code ? code : load_seal(s, e);
    if (!code && s->config->site_url)
        code = author_set_url(s->ledger, s->config->site_url, e);
    if (!code) {
        s->id = ledger_setting(s->ledger, "site.id");
        s->name = ledger_setting(s->ledger, "site.name");
        code = site_identity_open(&s->identity, s->dir, s->id, clock_now(), e);
    }
    code = code ? code : tell_identity(s, e);
    free(ledger);
    free(lock);
    return code;
}

/* TLS, always: who may ask what is admit.c's to say. */
static enum err open_public(struct site *s, struct error *e)
{
    struct route_set  set = {.routes = public_routes, .count = public_route_count, .ctx = s};
    struct server_tls tls = {.key = s->identity.tls_key,
                             .certificate = s->identity.tls_certificate,
                             .trust = s->identity.ca_pem,
                             .admit = site_admit,
                             .ctx = s};

    return server_open_tls(s->loop, s->config->site_listen, &set, 1, &tls, &s->public, e);
}

enum err site_open(uv_loop_t *loop, const struct config *config, struct web *web, struct site **out, struct error *e)
{
    struct site *s = must_alloc(sizeof *s);
    enum err     code;

    s->loop = loop;
    s->config = config;
    s->web = web;
    s->lock = -1;
    s->dir = must_copy(config->site_state);
    s->content_dir = must_print("%s/content", s->dir);
    s->policy_dir = must_print("%s/policy", s->dir);
    s->jobs = jobs_new();
    code = sodium_init() < 0 ? fail(e, ERR_FAILED, "libsodium cannot start") : open_files(s, e);
    code = code ? code : site_publish(s, e);
    code = code ? code : open_public(s, e);
    if (code) {
        site_free(s);
        return code;
    }
    sweep_temporary(s);
    site_make_routes(s);
    clockwork_start(s);
    log_say(LOG_NOTE, "site.open", "the site serves policy, content and status", "FERRY_SITE", s->name, "FERRY_LISTEN", config->site_listen,
            NULL);
    *out = s;
    return OK;
}

static void on_server_closed(void *ctx)
{
    site_release(ctx);
}

static void on_clock_closed(uv_handle_t *handle)
{
    site_release(handle->data);
}

void site_close(struct site *s, void (*closed)(void *ctx), void *ctx)
{
    s->closing = true;
    s->closed = closed;
    s->closed_ctx = ctx;
    site_hold(s);
    for (struct asking *a = s->asking; a; a = a->next)
        web_cancel(a->request);
    if (s->teller) {                            /* asked, then insisted */
        child_stop(s->teller);
        child_stop(s->teller);
    }
    uv_timer_stop(&s->clockwork.timer);
    uv_close((uv_handle_t *)&s->clockwork.timer, on_clock_closed);
    site_hold(s);
    server_close(s->public, on_server_closed, s);
}

const struct route *site_routes(struct site *s, size_t *count)
{
    *count = s->route_count;
    return s->routes;
}

const char *site_status_line(struct site *s)
{
    snprintf(s->status, sizeof s->status, "site %.60s", s->name);
    return s->status;
}
