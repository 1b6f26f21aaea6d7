/* What the site shows to nodes: static policy, content for distribution points, enrolment, status. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/envelope.h"
#include "node/base/log.h"
#include "node/site/inside.h"
#include "policy/document/json.h"

#define ROOT_LIMIT (64u << 10)
#define TURN_LIMIT 4096

static void on_policy(void *ctx, struct exchange *x)
{
    struct site *s = ctx;
    char        *path = must_print("%s/%s", s->policy_dir, exchange_part(x, "path"));

    answer_file(x, path, "application/json");
    free(path);
}

static void on_content(void *ctx, struct exchange *x)
{
    struct site *s = ctx;
    const char  *name = exchange_part(x, "name");
    char        *path = must_print("%s/%s", s->content_dir, *name == '.' ? "" : name);

    answer_file(x, path, "application/octet-stream");
    free(path);
}

static void on_health(void *ctx, struct exchange *x)
{
    (void)ctx;
    answer_json(x, 200, json_pack("{s:s}", "status", "ok"));
}

/* The node proves that it holds the token's secret without sending it. */
static enum err check_mac(struct site *s, const char *id, const char *public, const char *hostname, const uint8_t mac[32], struct error *e)
{
    uint8_t     key[crypto_auth_KEYBYTES] = {0};
    struct text text AUTO(text_end) = {0};
    enum err    code = node_token_secret(s->ledger, id, site_author(s, "").now, key, e);

    text_put(&text, id, strlen(id) + 1);
    text_put(&text, public, strlen(public) + 1);
    text_put(&text, hostname, strlen(hostname));
    if (!code && crypto_auth_verify(mac, (const uint8_t *)text.data, text.length, key))
        code = fail(e, ERR_DENIED, "the enrolment is not authenticated by its token");
    sodium_memzero(key, sizeof key);
    return code;
}

static enum err enrol(struct site *s, const json_t *body, const char *peer, json_t **out, struct error *e)
{
    struct reader r;
    uint8_t       public[32], mac[32];
    char          node_id[NODE_ID_SIZE], seal[65], *root = NULL, *root64, *path;
    const char   *id, *hex, *hostname, *address, *mac_hex;
    size_t        length;
    struct author a = site_author(s, peer);

    reader_init(&r, body, "enrolment", e);
    id = reader_text(&r, "token_id", 16);
    hex = reader_text(&r, "public_key", 64);
    hostname = reader_text(&r, "hostname", 255);
    address = reader_text_or(&r, "address", 64, peer);
    mac_hex = reader_text(&r, "mac", 64);
    if (reader_done(&r))
        return ERR_USAGE;
    if (!hex_decode(hex, public, 32) || !hex_decode(mac_hex, mac, 32) || strspn(id, "0123456789abcdef") != 16)
        return fail(e, ERR_USAGE, "token_id, public_key and mac have to be hexadecimal");
    if (check_mac(s, id, hex, hostname, mac, e) || node_enrol(&a, id, public, hostname, address, node_id, e))
        return e->code;
    path = must_print("%s/metadata/1.root.json", s->policy_dir);
    if (!file_read(path, ROOT_LIMIT, &root, &length, e)) {
        root64 = base64_encode(root, length);
        hex_encode(s->seal_public, 32, seal);
        *out = json_pack("{s:s,s:s,s:s,s:s,s:s}", "node_id", node_id, "site_id", s->id, "site", s->name, "root", root64, "seal_key", seal);
        free(root64);
        free(root);
        e->code = OK;
    }
    free(path);
    return e->code;
}

static void on_enrol(void *ctx, struct exchange *x)
{
    struct site *s = ctx;
    struct error e = {0};
    size_t       length;
    const char  *bytes = exchange_body(x, &length);
    json_t      *body = NULL, *out = NULL;
    enum err     code = json_read(bytes, length, 4096, &body, &e);

    code = code ? code : enrol(s, body, exchange_peer(x), &out, &e);
    if (code) {
        log_error(LOG_WARN, "node.refused", "enrolment", &e);
        answer_error(x, &e);
    } else {
        log_say(LOG_NOTE, "node.enrolled", "a node is enrolled", "FERRY_NODE", json_string_value(json_object_get(out, "node_id")), NULL);
        answer_json(x, 200, out);
    }
    json_decref(body);
}

/* What an enrolled node has signed and sealed for this site. */
static enum err open_sealed(struct site *s, struct exchange *x, size_t limit, char node_id[NODE_ID_SIZE], json_t **out, struct error *e)
{
    uint8_t     public[32];
    char       *text = NULL;
    size_t      size, length;
    const char *bytes = exchange_body(x, &length);
    enum err    code = envelope_open(s->seal_public, s->seal_secret, s->id, (const uint8_t *)bytes, length, public, &text, &size, e);

    if (!code && !node_known(s->ledger, public, node_id))
        code = fail(e, ERR_DENIED, "node %s is not enrolled here, or retired", node_id);
    code = code ? code : json_read(text, size, limit, out, e);
    free(text);
    return code;
}

static enum err take_status(struct site *s, struct exchange *x, int64_t *held, struct error *e)
{
    struct author a = site_author(s, "node");
    char          node_id[NODE_ID_SIZE];
    json_t       *messages = NULL;
    enum err      code = open_sealed(s, x, ENVELOPE_UNPACKED, node_id, &messages, e);

    code = code ? code : compliance_ingest(&a, node_id, messages, held, e);
    json_decref(messages);
    return code;
}

static void on_status(void *ctx, struct exchange *x)
{
    struct site *s = ctx;
    struct error e = {0};
    int64_t      held = 0;

    if (take_status(s, x, &held, &e)) {
        log_error(LOG_WARN, "status.refused", "status", &e);
        answer_error(x, &e);
        return;
    }
    s->check_content = s->news = true;
    answer_json(x, 200, json_pack("{s:I}", "held", (json_int_t)held));
}

/* A member of an orchestrated collection asks whether it may be changed now. */
static void on_turn(void *ctx, struct exchange *x)
{
    struct site  *s = ctx;
    struct author a = site_author(s, "node");
    struct error  e = {0};
    char          node_id[NODE_ID_SIZE];
    json_t       *body = NULL, *out = NULL;
    enum err      code = open_sealed(s, x, TURN_LIMIT, node_id, &body, &e);

    code = code ? code : turn_new(&a, node_id, body, &e);
    code = code ? code : turn_ask(&a, node_id, body, &out, &e);
    json_decref(body);
    if (code) {
        log_error(LOG_WARN, "turn.refused", "turn", &e);
        answer_error(x, &e);
    } else {
        answer_json(x, 200, out);
    }
}

const struct route public_routes[] = {
    {"GET", "/policy/{path...}", 0, on_policy, "signed policy"},
    {"GET", "/content/{name}", 0, on_content, "content, for distribution points"},
    {"GET", "/healthz", 0, on_health, "alive"},
    {"POST", "/api/v1/enrol", 4096, on_enrol, "a machine becomes a node"},
    {"POST", "/api/v1/status", ENVELOPE_LIMIT, on_status, "status envelopes"},
    {"POST", "/api/v1/turn", TURN_LIMIT, on_turn, "orchestration turns"},
};
const size_t public_route_count = COUNT(public_routes);
