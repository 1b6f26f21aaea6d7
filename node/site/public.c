/* What the site shows to nodes: static policy, content for distribution points, status, turns. Who may ask: admit.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/envelope.h"
#include "node/base/log.h"
#include "node/site/inside.h"
#include "policy/document/json.h"

#define ASK_LIMIT 4096

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

enum err site_open_sealed(struct site *s, struct exchange *x, size_t limit, uint8_t public[32], char node_id[NODE_ID_SIZE], json_t **out,
                          struct error *e)
{
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
    uint8_t       public[32];
    char          node_id[NODE_ID_SIZE];
    json_t       *messages = NULL;
    enum err      code = site_open_sealed(s, x, ENVELOPE_UNPACKED, public, node_id, &messages, e);

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
    uint8_t       public[32];
    char          node_id[NODE_ID_SIZE];
    json_t       *body = NULL, *out = NULL;
    enum err      code = site_open_sealed(s, x, ASK_LIMIT, public, node_id, &body, &e);

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
    {"POST", "/api/v1/enrol", ASK_LIMIT, enrol_on_ask, "a machine becomes a node"},
    {"POST", "/api/v1/certificate", ASK_LIMIT, enrol_on_certificate, "the next certificate of a node"},
    {"POST", "/api/v1/status", ENVELOPE_LIMIT, on_status, "status envelopes"},
    {"POST", "/api/v1/turn", ASK_LIMIT, on_turn, "orchestration turns"},
};
const size_t public_route_count = COUNT(public_routes);
