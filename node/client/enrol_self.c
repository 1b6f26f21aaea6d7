/* A machine becomes a node: once, with a token; the root the token names is pinned. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/base/token.h"
#include "node/client/core.h"
#include "node/client/remote.h"
#include "policy/document/json.h"

#define ROOT_LIMIT (64u << 10)

enum err enrol_recall(struct client *c, struct error *e)
{
    char    *id = store_get(c->store, "site.id"), *name = store_get(c->store, "site.name"), *seal = store_get(c->store, "site.seal");
    enum err code = OK;

    c->enrolled = id && name && seal;
    if (c->enrolled && !hex_decode(seal, c->seal_key, 32))
        code = fail(e, ERR_VERIFY, "the store's seal key is damaged");
    c->site_id = id;
    c->site_name = name;
    free(seal);
    return code;
}

static void again(struct client *c, const char *why)
{
    c->poll_wait_ms = c->poll_wait_ms ? c->poll_wait_ms * 2 : 1000;
    if (c->poll_wait_ms > 300000)
        c->poll_wait_ms = 300000;
    c->next_poll = clock_ms() + c->poll_wait_ms;
    snprintf(c->poll_error, sizeof c->poll_error, "enrolment: %.250s", why);
    log_say(LOG_WARN, "enrol.failed", why, NULL);
}

/* Everything of it is durable before the node calls itself enrolled. */
static enum err keep(struct client *c, const json_t *answer, const struct sha256 *pinned, struct error *e)
{
    struct reader r;
    uint8_t      *root, seal[32];
    size_t        length = 0;
    struct sha256 h;
    const char   *seal_text;
    enum err      code;

    reader_init(&r, answer, "enrolment", e);
    reader_text(&r, "node_id", 64);
    root = reader_base64(&r, "root", ROOT_LIMIT, &length);
    seal_text = reader_text(&r, "seal_key", 64);
    if (r.verdict || !hex_decode(seal_text, seal, 32)) {
        free(root);
        return fail(e, ERR_VERIFY, "the site's answer to the enrolment is not understood");
    }
    h = hash_bytes(root, length);
    code = sha256_same(&h, pinned)
               ? store_begin(c->store, e)
               : fail(e, ERR_VERIFY, "the site's root is not the one the token names: this is not the site that made the token");
    if (!code) {
        code = store_blob_put(c->store, "role", "root", (const char *)root, length, e);
        code = code ? code : remote_keep_root(c->store, (const char *)root, length, e);
        code = code ? code : store_set(c->store, "site.id", reader_text(&r, "site_id", 64), e);
        code = code ? code : store_set(c->store, "site.name", reader_text(&r, "site", 64), e);
        code = code ? code : store_set(c->store, "site.seal", seal_text, e);
        code = store_end(c->store, code, e);
    }
    free(root);
    return code;
}

static void on_answer(void *ctx, const struct web_answer *answer)
{
    struct client *c = ctx;
    uint8_t        token[TOKEN_SIZE];
    struct sha256  pinned;
    struct error   e = answer->error;
    json_t        *body = NULL;
    enum err       code = answer->code;

    c->polling = false;
    if (!c->closing) {
        token_read(c->options.config->enrol_token, token);
        memcpy(pinned.b, token + 24, 32);
        code = code ? code : json_read(answer->body, answer->length, 1u << 20, &body, &e);
        code = code ? code : keep(c, body, &pinned, &e);
        code = code ? code : enrol_recall(c, &e);
        if (answer->code && answer->length)
            snprintf(e.text, sizeof e.text, "%.600s", answer->body);
        if (code) {
            again(c, e.text);
        } else {
            log_say(LOG_NOTE, "enrolled", "this machine is a node now", "FERRY_SITE", c->site_name, "FERRY_NODE", c->node_id, NULL);
            c->poll_wait_ms = 0;
            c->next_poll = clock_ms();
            c->poll_error[0] = 0;
        }
        json_decref(body);
    }
    client_release(c);
}

void enrol_begin(struct client *c)
{
    uint8_t         token[TOKEN_SIZE], key[crypto_auth_KEYBYTES] = {0}, mac[crypto_auth_BYTES];
    char            id[17], public[65], mac_text[65], *url, *text;
    struct text     signed_text AUTO(text_end) = {0};
    json_t         *body;
    struct web_call call = {.method = "POST", .limit = 1u << 20, .timeout_ms = 30000, .on_done = on_answer, .ctx = c};

    if (!token_read(c->options.config->enrol_token, token)) {
        again(c, "enrol-token is missing or not a token; `ferry node token` at the site makes one");
        return;
    }
    hex_encode(token, 8, id);
    hex_encode(c->key.public, 32, public);
    memcpy(key, token + 8, 16);
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
    call.body = text;
    call.body_length = strlen(text);
    c->polling = true;
    client_hold(c);
    web_start(c->options.web, &call);
    json_decref(body);
    free(text);
    free(url);
}
