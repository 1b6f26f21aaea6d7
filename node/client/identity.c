#include "node/client/identity.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/envelope.h"
#include "node/base/log.h"
#include "node/client/core.h"
#include "policy/document/json.h"

#define ANSWER_LIMIT (16u << 10)
#define RETRY_FIRST  2000
#define RETRY_MOST   300000

/* --- what is known --- */

void identity_end(struct identity *id)
{
    if (id->key)
        sodium_memzero(id->key, strlen(id->key));
    free(id->key);
    free(id->certificate);
    free(id->ca);
    free(id->site_pin);
    *id = (struct identity){0};
}

/* Everybody who shows it or goes by it hears of it. */
void identity_show(struct client *c)
{
    struct identity *id = &c->identity;

    web_identity(c->options.web, id->certificate ? id->key : NULL, id->certificate);
    if (c->fetcher && id->certificate)
        fetcher_identify(c->fetcher, id->key, id->certificate);
    if (c->options.on_identity)
        c->options.on_identity(c->options.ctx, id->key, id->certificate, id->ca, id->site_pin);
}

static bool mine(const struct client *c, const struct certificate *read)
{
    return !strcmp(read->subject, c->node_id) && !memcmp(read->public, c->key.public, 32);
}

/* The CA may be another since it was signed: then it is worth nothing any more, but it is shown until there is a better one. */
static void weigh(struct client *c)
{
    struct identity   *id = &c->identity;
    struct certificate now;

    if (id->certificate && (certificate_read(id->certificate, &id->read, NULL) || !mine(c, &id->read))) {
        free(id->certificate);
        id->certificate = NULL;
    }
    if (!id->certificate || certificate_check(id->certificate, id->ca, client_now(c), &now, NULL))
        id->renew_at = 0;
    else
        id->renew_at = now.not_before + (now.not_after - now.not_before) / 2;
}

void identity_recall(struct client *c)
{
    struct identity *id = &c->identity;

    int64_t          doubt_at = id->doubt_at;

    identity_end(id);
    id->doubt_at = doubt_at;
    id->key = certificate_key_pem(&c->key);
    id->certificate = store_get(c->store, "certificate");
    id->ca = store_get(c->store, "site.ca");
    id->site_pin = store_get(c->store, "site.pin");
    weigh(c);
    identity_show(c);
}

/* Whether value replaced what was held; durable first. */
static bool replace(struct client *c, const char *name, char **held, const char *value)
{
    struct error e;

    if (!value || (*held && !strcmp(*held, value)))
        return false;
    if (store_set(c->store, name, value, &e)) {
        log_error(LOG_WRONG, "identity.store", name, &e);
        return false;
    }
    free(*held);
    *held = must_copy(value);
    return true;
}

void identity_fleet(struct client *c)
{
    bool pin = c->fleet && replace(c, "site.pin", &c->identity.site_pin, c->fleet->site_pin);
    bool ca = c->fleet && replace(c, "site.ca", &c->identity.ca, c->fleet->ca);

    if (pin)
        log_say(LOG_NOTE, "site.key", "the policy says that the site has this key from now on", "FERRY_PIN", c->identity.site_pin, NULL);
    if (ca)
        weigh(c);
    if (pin || ca)
        identity_show(c);
}

bool identity_secure(const struct client *c)
{
    return !strncmp(c->site_url, "https:", 6);
}

enum err identity_call(const struct client *c, const char *path, struct web_call *call, char **url, struct error *e)
{
    if (identity_secure(c) && !c->identity.site_pin)
        return fail(e, ERR_VERIFY, "%s is not asked: this node does not know which key the site has; enrol it again with a new token", c->site_url);
    call->pin = identity_secure(c) ? c->identity.site_pin : NULL;
    call->url = *url = must_print("%s%s", c->site_url, path);
    return OK;
}

/* --- a new one --- */

void identity_plain(const char *text, char *out, size_t size)
{
    snprintf(out, size, "%s", text);
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
}

void identity_words(const struct web_answer *answer, char *out, size_t size)
{
    json_t     *body = answer->length && answer->length < IDENTITY_WORDS ? json_loadb(answer->body, answer->length, 0, NULL) : NULL;
    const char *detail = json_string_value(json_object_get(body, "detail"));

    identity_plain(detail && *detail ? detail : answer->error.text, out, size);
    json_decref(body);
}

static void later(struct client *c, bool refused, const char *why)
{
    struct identity *id = &c->identity;

    id->wait_ms = id->wait_ms ? id->wait_ms * 2 : RETRY_FIRST;
    if (id->wait_ms > RETRY_MOST)
        id->wait_ms = RETRY_MOST;
    id->again_at = clock_ms() + id->wait_ms;
    if (strcmp(id->why, why))
        log_say(LOG_WARN, refused ? "certificate.refused" : "certificate.failed", why, NULL);
    snprintf(id->why, sizeof id->why, "%s", why);
    if (refused && !id->told)
        report_put(c, json_pack("{s:s,s:s,s:s}", "topic", "alert", "event", "certificate.refused", "detail", id->why));
    id->told = id->told || refused;
}

/* Of an http site's CA nobody has vouched for in this answer: only the one that is known already is taken. */
static enum err check(struct client *c, const char *certificate, const char *ca, struct error *e)
{
    struct certificate read;
    enum err           code = certificate_check(ca, ca, client_now(c), &read, e);

    if (!code && !identity_secure(c) && c->identity.ca && strcmp(c->identity.ca, ca))
        code = fail(e, ERR_VERIFY, "the answer names another CA than the policy, and over http nobody vouches for that");
    code = code ? code : certificate_check(certificate, ca, client_now(c), &read, e);
    if (!code && !mine(c, &read))
        code = fail(e, ERR_VERIFY, "the new certificate is for another node or another key than this one's");
    return code;
}

static enum err keep(struct client *c, const char *certificate, const char *ca, struct error *e)
{
    enum err code = store_begin(c->store, e);

    if (code)
        return code;
    code = store_set(c->store, "certificate", certificate, e);
    code = code ? code : store_set(c->store, "site.ca", ca, e);
    return store_end(c->store, code, e);
}

static enum err take(struct client *c, const struct web_answer *answer, struct error *e)
{
    struct reader r;
    json_t       *body;
    const char   *certificate, *ca;
    enum err      code = json_read(answer->body, answer->length, ANSWER_LIMIT, &body, e);

    if (code)
        return code;
    reader_init(&r, body, "certificate", e);
    certificate = reader_text(&r, "certificate", CERTIFICATE_LIMIT);
    ca = reader_text(&r, "ca", CERTIFICATE_LIMIT);
    code = r.verdict ? r.verdict : check(c, certificate, ca, e);
    code = code ? code : keep(c, certificate, ca, e);
    json_decref(body);
    if (!code)
        identity_recall(c);
    return code;
}

/* What the old one kept out can go on. */
static void renewed(struct client *c)
{
    char until[TIME_SIZE];

    log_say(LOG_NOTE, "certificate.renewed", "the site signed a new certificate for this node", "FERRY_UNTIL",
            time_print(c->identity.read.not_after, until), NULL);
    if (*c->poll_error)
        c->next_poll = clock_ms();
    if (c->post_at)
        c->post_at = clock_ms();
}

static void on_answer(void *ctx, const struct web_answer *answer)
{
    struct client *c = ctx;
    struct error   e = answer->error;
    enum err       code = answer->code;
    bool           refused = answer->status / 100 == 4;

    c->identity.asking = false;
    if (!c->closing && code) {
        identity_words(answer, e.text, sizeof e.text);
        later(c, refused, e.text);
    } else if (!c->closing) {
        code = take(c, answer, &e);
        if (code)
            later(c, false, e.text);
        else
            renewed(c);
    }
    client_release(c);
}

static void ask(struct client *c)
{
    static const char question[] = "{\"op\":\"certificate\"}";
    AUTO(text_free) char *url = NULL;
    uint8_t        *sealed = NULL;
    struct error    e;
    struct web_call call = {.method = "POST",
                            .content_type = "application/octet-stream",
                            .limit = ANSWER_LIMIT,
                            .timeout_ms = 30000,
                            .on_done = on_answer,
                            .ctx = c};
    enum err        code = identity_call(c, "/api/v1/certificate", &call, &url, &e);

    code = code ? code : envelope_seal(&c->key, c->seal_key, c->site_id, question, strlen(question), &sealed, &call.body_length, &e);
    if (code) {
        later(c, false, e.text);
        return;
    }
    call.body = sealed;
    c->identity.asking = true;
    client_hold(c);
    web_start(c->options.web, &call);
    free(sealed);
}

void identity_doubt(struct client *c)
{
    if (clock_ms() < c->identity.doubt_at || c->identity.asking || client_now(c) >= c->identity.renew_at)
        return;
    c->identity.doubt_at = clock_ms() + RETRY_MOST;
    c->identity.renew_at = 0;
}

void identity_run(struct client *c)
{
    if (!c->identity.asking && clock_ms() >= c->identity.again_at && client_now(c) >= c->identity.renew_at)
        ask(c);
}

char *identity_text(struct client *c)
{
    const struct identity *id = &c->identity;
    AUTO(text_free) char  *end = id->certificate ? sentence_time(c, id->read.not_after) : NULL;
    const char            *says = client_now(c) < id->read.not_after ? "good until " : "it ran out ";

    return must_print("%s%s%s%s", end ? says : "none yet", end ? end : "", !*id->why ? "" : end ? "; no new one: " : ": ", id->why);
}
