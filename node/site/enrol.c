/* Machines become nodes, nodes get their next certificate. Both routes are open to everybody: what is asked here protects itself. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/log.h"
#include "node/site/inside.h"
#include "policy/document/json.h"

#define ROOT_LIMIT (64u << 10)
#define ASK_LIMIT  4096

/* A request, its texts borrowed from the body. */
struct asked {
    const char *token, *key, *hostname, *address;
    uint8_t     public[32], mac[32];
    uint8_t     secret[crypto_auth_KEYBYTES];   /* the token's 16 bytes, then zeros */
};

static enum err asked_read(const json_t *body, const char *peer, struct asked *a, struct error *e)
{
    struct reader r;
    const char   *mac;

    reader_init(&r, body, "enrolment", e);
    a->token = reader_text(&r, "token_id", 16);
    a->key = reader_text(&r, "public_key", 64);
    a->hostname = reader_text(&r, "hostname", 255);
    a->address = reader_text_or(&r, "address", 64, peer);
    mac = reader_text(&r, "mac", 64);
    if (reader_done(&r))
        return ERR_USAGE;
    if (!hex_decode(a->key, a->public, 32) || !hex_decode(mac, a->mac, 32) || strspn(a->token, "0123456789abcdef") != 16)
        return fail(e, ERR_USAGE, "token_id, public_key and mac have to be hexadecimal");
    return OK;
}

/* The machine proves that it holds the token's secret without sending it. */
static enum err check_mac(struct site *s, struct asked *a, struct error *e)
{
    struct text text AUTO(text_end) = {0};
    enum err    code = node_token_secret(s->ledger, a->token, a->public, site_author(s, "").now, a->secret, e);

    text_put(&text, a->token, strlen(a->token) + 1);
    text_put(&text, a->key, strlen(a->key) + 1);
    text_put(&text, a->hostname, strlen(a->hostname));
    if (!code && crypto_auth_verify(a->mac, (const uint8_t *)text.data, text.length, a->secret))
        code = fail(e, ERR_DENIED, "the enrolment is not authenticated by its token");
    return code;
}

/* Remembered before it is handed out: a node that is retired is revoked for as long as its last certificate holds. */
static enum err certify(struct site *s, const char *node_id, const uint8_t public[32], char **pem, struct error *e)
{
    struct author a = site_author(s, "site");
    enum err      code = certificate_make(&s->identity.ca, s->id, node_id, public, a.now, CERTIFICATE_LIFE, pem, e);

    return code ? code : node_certified(&a, node_id, a.now + CERTIFICATE_LIFE, e);
}

/* Everything a node has to know of its site. */
static enum err welcome(struct site *s, const char *node_id, const uint8_t public[32], json_t **out, struct error *e)
{
    AUTO(text_free) char *path = must_print("%s/metadata/1.root.json", s->policy_dir), *root = NULL, *root64 = NULL, *pem = NULL;
    char                  seal[65];
    size_t                length;
    enum err              code = file_read(path, ROOT_LIMIT, &root, &length, e);

    code = code ? code : certify(s, node_id, public, &pem, e);
    if (code)
        return code;
    root64 = base64_encode(root, length);
    hex_encode(s->seal_public, 32, seal);
    *out = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "node_id", node_id, "site_id", s->id, "site", s->name, "root", root64, "seal_key", seal,
                     "ca", s->identity.ca_pem, "certificate", pem, "site_pin", s->identity.pin);
    return OK;
}

/* The token is all that the machine has of this site yet: with its secret nobody in between can change a word of the answer. */
static json_t *authenticated(json_t *answer /* taken */, const uint8_t secret[crypto_auth_KEYBYTES])
{
    AUTO(text_free) char *text = json_dumps(answer, JSON_COMPACT), *text64 = base64_encode(text, strlen(text));
    uint8_t               mac[crypto_auth_BYTES];
    char                  hex[2 * crypto_auth_BYTES + 1];

    crypto_auth(mac, (const uint8_t *)text, strlen(text), secret);
    hex_encode(mac, sizeof mac, hex);
    json_decref(answer);
    return json_pack("{s:s,s:s}", "answer", text64, "mac", hex);
}

/* node_id: "" when the machine waits for approval; *out then says so. */
static enum err enrol(struct site *s, const json_t *body, const char *peer, char node_id[NODE_ID_SIZE], json_t **out, struct error *e)
{
    struct author author = site_author(s, peer);
    struct asked  a = {0};
    enum err      code = asked_read(body, peer, &a, e);

    code = code ? code : check_mac(s, &a, e);
    code = code ? code : node_enrol(&author, a.token, a.public, a.hostname, a.address, node_id, e);
    if (!code && !*node_id)
        *out = json_pack("{s:s}", "pending", "an administrator of the site has to approve this machine: `ferry node approve` there");
    else if (!code && !(code = welcome(s, node_id, a.public, out, e)))
        *out = authenticated(*out, a.secret);
    sodium_memzero(a.secret, sizeof a.secret);
    return code;
}

void enrol_on_ask(void *ctx, struct exchange *x)
{
    struct site *s = ctx;
    struct error e = {0};
    size_t       length;
    const char  *bytes = exchange_body(x, &length);
    char         node_id[NODE_ID_SIZE] = "";
    json_t      *body = NULL, *out = NULL;
    enum err     code = json_read(bytes, length, ASK_LIMIT, &body, &e);

    code = code ? code : enrol(s, body, exchange_peer(x), node_id, &out, &e);
    if (code) {
        log_error(LOG_WARN, "node.refused", "enrolment", &e);
        answer_error(x, &e);
    } else if (!*node_id) {
        answer_json(x, 202, out);
    } else {
        log_say(LOG_NOTE, "node.enrolled", "a node is enrolled", "FERRY_NODE", node_id, NULL);
        answer_json(x, 200, out);
    }
    json_decref(body);
}

/* --- the next certificate --- */

static enum err renew(struct site *s, struct exchange *x, char node_id[NODE_ID_SIZE], char **pem, struct error *e)
{
    struct reader r;
    uint8_t       public[32];
    json_t       *body = NULL;
    enum err      code = site_open_sealed(s, x, ASK_LIMIT, public, node_id, &body, e);

    if (!code) {
        reader_init(&r, body, "request", e);
        if (strcmp(reader_text(&r, "op", 16), "certificate"))
            reader_fail(&r, "op", "\"certificate\" was expected");
        code = reader_done(&r);
    }
    json_decref(body);
    return code ? code : certify(s, node_id, public, pem, e);
}

/* Its envelope says who asks: a certificate that has run out, or none, is no obstacle to getting the next one. */
void enrol_on_certificate(void *ctx, struct exchange *x)
{
    struct site          *s = ctx;
    struct error          e = {0};
    char                  node_id[NODE_ID_SIZE];
    AUTO(text_free) char *pem = NULL;

    if (renew(s, x, node_id, &pem, &e)) {
        log_error(LOG_WARN, "certificate.refused", "certificate", &e);
        answer_error(x, &e);
        return;
    }
    log_say(LOG_NOTE, "node.certified", "a node has its next certificate", "FERRY_NODE", node_id, NULL);
    answer_json(x, 200, json_pack("{s:s,s:s}", "certificate", pem, "ca", s->identity.ca_pem));
}
