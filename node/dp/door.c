#include "node/dp/door.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "policy/trust/certificate.h"

#define RETRY_MS 5000

struct door {
    uv_loop_t     *loop;
    const char    *listen, *content;
    struct server *server;
    char          *key, *certificate, *ca;
    struct fleet  *known;                       /* of the fleet document: revoked, and nothing else */
    int64_t        retry_at;                    /* monotonic ms */
    bool           told;                        /* the log knows that it is shut */
    char           problem[300];
    void         (*closed)(void *);
    void          *closed_ctx;
};

/* --- serving --- */

static void on_content(void *ctx, struct exchange *x)
{
    struct door          *d = ctx;
    const char           *name = exchange_part(x, "name");
    AUTO(text_free) char *path = must_print("%s/%s", d->content, *name == '.' ? "" : name);

    answer_file(x, path, "application/octet-stream");
}

static void on_health(void *ctx, struct exchange *x)
{
    (void)ctx;
    answer_json(x, 200, json_pack("{s:s}", "status", "ok"));
}

static const struct route routes[] = {
    {"GET", "/content/{name}", 0, on_content, "content by its SHA-256, ranges, and its torrent"},
    {"GET", "/healthz", 0, on_health, "alive"},
};

/* --- who is let in --- */

enum err door_admit(void *ctx, const struct route *route, const uint8_t *der, size_t size, char identity[SERVER_IDENTITY], struct error *e)
{
    const struct door *d = ctx;
    struct certificate c;
    enum err           code;

    if (route && route->handle == on_health)
        return OK;
    if (!der)
        return fail(e, ERR_DENIED, "content is for this site's nodes: a certificate of the site's is wanted, and none was shown");
    code = certificate_check_der(der, size, d->ca, clock_now(), &c, e);
    if (code)
        return code;
    if (d->known && fleet_revoked(d->known, c.subject))
        return fail(e, ERR_DENIED, "%.79s is no node of this site any more: its certificate is revoked", c.subject);
    snprintf(identity, SERVER_IDENTITY, "%s", c.subject);
    return OK;
}

void door_fleet(struct door *d, const struct fleet *fleet)
{
    fleet_free(d->known);
    d->known = must_alloc(sizeof *d->known);
    d->known->revoked = must_alloc((fleet->revoked_count + 1) * sizeof *fleet->revoked);
    for (size_t i = 0; i < fleet->revoked_count; i++)
        d->known->revoked[i] = (struct revoked){.node = must_copy(fleet->revoked[i].node), .until = fleet->revoked[i].until};
    d->known->revoked_count = fleet->revoked_count;
}

/* --- open and shut --- */

static void wipe(char **key)
{
    if (*key)
        sodium_memzero(*key, strlen(*key));
    free(*key);
    *key = NULL;
}

static void shut_because(struct door *d, const char *why)
{
    d->told = d->told && !strcmp(d->problem, why);
    snprintf(d->problem, sizeof d->problem, "%.299s", why);
}

static void try_open(struct door *d)
{
    struct route_set  set = {routes, COUNT(routes), d};
    struct server_tls tls = {.key = d->key, .certificate = d->certificate, .trust = d->ca, .admit = door_admit, .ctx = d};
    struct error      e;

    if (server_open_tls(d->loop, d->listen, &set, 1, &tls, &d->server, &e)) {
        d->server = NULL;
        d->retry_at = clock_ms() + RETRY_MS;
        shut_because(d, e.text);
        return;
    }
    d->problem[0] = 0;
    log_say(LOG_NOTE, "dp.open", "content is served to this site's nodes", "FERRY_LISTEN", d->listen, NULL);
}

struct door *door_new(uv_loop_t *loop, const char *listen, const char *content)
{
    struct door *d = must_alloc(sizeof *d);

    d->loop = loop;
    d->listen = listen;
    d->content = content;
    shut_because(d, "content is not served yet: the site has not given this distribution point a certificate");
    return d;
}

void door_identity(struct door *d, const char *key, const char *certificate, const char *ca)
{
    bool         same = d->certificate && certificate && !strcmp(d->certificate, certificate);
    struct error e;

    if (!key || !certificate || !ca)
        return;
    wipe(&d->key);
    free(d->certificate);
    free(d->ca);
    d->key = must_copy(key);
    d->certificate = must_copy(certificate);
    d->ca = must_copy(ca);
    if (!d->server)
        try_open(d);
    else if (!same && server_renew(d->server, d->key, d->certificate, &e))
        log_error(LOG_WARN, "dp.certificate", "the old certificate is shown on: nodes go by the key", &e);
}

void door_step(struct door *d)
{
    if (!d->server && d->certificate && clock_ms() >= d->retry_at)
        try_open(d);
    if (!d->server && !d->told)                 /* not at once: at a usual start the certificate is there in a moment */
        log_say(LOG_WARN, "dp.shut", d->problem, "FERRY_LISTEN", d->listen, NULL);
    d->told = !d->server;
}

const char *door_problem(const struct door *d)
{
    return d->problem;
}

static void on_closed(void *ctx)
{
    struct door *d = ctx;
    void       (*closed)(void *) = d->closed;
    void        *closed_ctx = d->closed_ctx;

    wipe(&d->key);
    free(d->certificate);
    free(d->ca);
    fleet_free(d->known);
    free(d);
    if (closed)
        closed(closed_ctx);
}

void door_close(struct door *d, void (*closed)(void *ctx), void *ctx)
{
    d->closed = closed;
    d->closed_ctx = ctx;
    if (d->server)
        server_close(d->server, on_closed, d);
    else
        on_closed(d);
}
