/* A machine becomes a node: once, with a token; the root the token names is pinned. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/base/token.h"
#include "node/client/core.h"
#include "node/client/enrolment.h"
#include "node/client/remote.h"

#define PENDING_FIRST 30000                      /* ms: a person has to look at it */
#define AGAIN_MOST    300000

enum err enrol_recall(struct client *c, struct error *e)
{
    char    *id = store_get(c->store, "site.id"), *name = store_get(c->store, "site.name"), *seal = store_get(c->store, "site.seal");
    enum err code = OK;

    c->enrolled = id && name && seal;
    if (c->enrolled && !hex_decode(seal, c->seal_key, 32))
        code = fail(e, ERR_VERIFY, "the store's seal key is damaged");
    free(c->site_id);
    free(c->site_name);
    c->site_id = id;
    c->site_name = name;
    free(seal);
    if (!code && c->enrolled)
        identity_recall(c);
    return code;
}

static void wait(struct client *c, int64_t first)
{
    c->poll_wait_ms = c->poll_wait_ms ? c->poll_wait_ms * 2 : first;
    c->poll_wait_ms = c->poll_wait_ms < first ? first : c->poll_wait_ms > AGAIN_MOST ? AGAIN_MOST : c->poll_wait_ms;
    c->next_poll = clock_ms() + c->poll_wait_ms;
}

static void again(struct client *c, const char *why)
{
    wait(c, 1000);
    c->pending[0] = 0;
    snprintf(c->poll_error, sizeof c->poll_error, "enrolment: %.250s", why);
    log_say(LOG_WARN, "enrol.failed", why, NULL);
}

/* Nobody has signed the words: they are shown, and believed to nothing. */
static void pending(struct client *c, const struct web_answer *answer)
{
    char          words[sizeof c->pending];
    json_t       *body = answer->length < IDENTITY_WORDS ? json_loadb(answer->body, answer->length, 0, NULL) : NULL;
    const char   *text = json_string_value(json_object_get(body, "pending"));

    identity_plain(text && *text ? text : "an administrator of the site has to approve this machine", words, sizeof words);
    json_decref(body);
    wait(c, PENDING_FIRST);
    if (strcmp(words, c->pending))
        log_say(LOG_NOTE, "enrol.pending", words, NULL);
    memcpy(c->pending, words, sizeof words);
    snprintf(c->poll_error, sizeof c->poll_error, "enrolment: %.250s", words);
}

/* Everything of it is durable before the node calls itself enrolled. */
static enum err keep(struct client *c, const struct enrolment *n, struct error *e)
{
    enum err code = store_begin(c->store, e);

    if (code)
        return code;
    code = store_blob_put(c->store, "role", "root", (const char *)n->root, n->root_size, e);
    code = code ? code : remote_keep_root(c->store, (const char *)n->root, n->root_size, e);
    code = code ? code : store_set(c->store, "site.id", n->site_id, e);
    code = code ? code : store_set(c->store, "site.name", n->site, e);
    code = code ? code : store_set(c->store, "site.seal", n->seal, e);
    code = code ? code : store_set(c->store, "site.ca", n->ca, e);
    code = code ? code : store_set(c->store, "certificate", n->certificate, e);
    code = code || !n->site_pin ? code : store_set(c->store, "site.pin", n->site_pin, e);
    return store_end(c->store, code, e);
}

/* Of the token: the secret that both sides know. */
static void secret_of(const uint8_t token[TOKEN_SIZE], uint8_t out[crypto_auth_KEYBYTES])
{
    memset(out, 0, crypto_auth_KEYBYTES);
    memcpy(out, token + 8, 16);
}

static enum err take(struct client *c, const struct web_answer *answer, struct error *e)
{
    uint8_t                token[TOKEN_SIZE] = {0}, secret[crypto_auth_KEYBYTES];
    struct enrolment_asked asked = {.node_id = c->node_id, .public = c->key.public, .now = client_now(c)};
    struct enrolment       n = {0};
    AUTO(text_free) char  *text = NULL;
    size_t                 size = 0;
    enum err               code;

    if (!token_read(c->options.config->enrol_token, token))
        return fail(e, ERR_USAGE, "enrol-token is not a token any more");
    secret_of(token, secret);
    memcpy(asked.root.b, token + 24, 32);
    asked.secure = identity_secure(c);
    code = enrolment_open(answer->body, answer->length, secret, &text, &size, e);
    code = code ? code : enrolment_read(text, size, &asked, &n, e);
    code = code ? code : keep(c, &n, e);
    code = code ? code : enrol_recall(c, e);
    enrolment_end(&n);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(token, sizeof token);
    return code;
}

static void enrolled(struct client *c)
{
    log_say(LOG_NOTE, "enrolled", "this machine is a node now", "FERRY_SITE", c->site_name, "FERRY_NODE", c->node_id, NULL);
    c->poll_wait_ms = 0;
    c->next_poll = clock_ms();
    c->poll_error[0] = c->pending[0] = 0;
}

static void on_answer(void *ctx, const struct web_answer *answer)
{
    struct client *c = ctx;
    struct error   e;

    c->polling = false;
    if (c->closing) {
        client_release(c);
        return;
    }
    if (answer->code) {
        identity_words(answer, e.text, sizeof e.text);
        again(c, e.text);
    } else if (answer->status == 202) {
        pending(c, answer);
    } else if (take(c, answer, &e)) {
        again(c, e.text);
    } else {
        enrolled(c);
    }
    client_release(c);
}

void enrol_begin(struct client *c)
{
    uint8_t         token[TOKEN_SIZE], key[crypto_auth_KEYBYTES], mac[crypto_auth_BYTES];
    char            id[17], public[65], mac_text[65], *url, *text;
    struct text     signed_text AUTO(text_end) = {0};
    json_t         *body;
    struct web_call call = {.method = "POST", .limit = ENROLMENT_LIMIT, .timeout_ms = 30000, .on_done = on_answer, .ctx = c};

    if (!token_read(c->options.config->enrol_token, token)) {
        again(c, "enrol-token is missing or not a token; `ferry node token` at the site makes one");
        return;
    }
    hex_encode(token, 8, id);
    hex_encode(c->key.public, 32, public);
    secret_of(token, key);
    text_put(&signed_text, id, 17);
    text_put(&signed_text, public, 65);
    text_put(&signed_text, c->hostname, strlen(c->hostname));
    crypto_auth(mac, (const uint8_t *)signed_text.data, signed_text.length, key);
    hex_encode(mac, 32, mac_text);
    body = json_pack("{s:s,s:s,s:s,s:s,s:s}", "token_id", id, "public_key", public, "hostname", c->hostname, "address", c->address, "mac",
                     mac_text);
    text = json_dumps(body, JSON_COMPACT);
    url = must_print("%s/api/v1/enrol", c->site_url);
    call.url = url;
    call.unverified = identity_secure(c);                /* the token's secret vouches for the answer, not the connection */
    call.body = text;
    call.body_length = strlen(text);
    c->polling = true;
    client_hold(c);
    web_start(c->options.web, &call);
    json_decref(body);
    free(text);
    free(url);
}
