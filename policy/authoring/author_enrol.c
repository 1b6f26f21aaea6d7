/* How a machine becomes a node: tokens, enrolment, the list of those who wait for an administrator. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/trust/certificate.h"

#define TOKEN_LIFE    86400
#define APPROVAL_LIFE (7 * 86400)
#define PENDING_MOST  1000                      /* who holds an approval token can fill the list, not the disk */

enum err node_token(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    bool     approval = json_is_true(json_object_get(args, "approval"));
    int64_t  life = approval ? APPROVAL_LIFE : TOKEN_LIFE;
    uint8_t  id[8], secret[16];
    char     id_text[17], secret_text[33], expires[TIME_SIZE];
    enum err code = arg_text(args, "expires") ? duration_read(arg_text(args, "expires"), &life, e) : OK;

    if (code)
        return code;
    randombytes_buf(id, sizeof id);
    randombytes_buf(secret, sizeof secret);
    hex_encode(id, sizeof id, id_text);
    hex_encode(secret, sizeof secret, secret_text);
    code = rows_run(a->ledger, LEDGER_TOKEN_PUT, e, "ssii", id_text, secret_text, a->now + life, (int64_t)approval);
    if (!code)
        *out = json_pack("{s:s,s:s,s:s,s:b}", "token_id", id_text, "secret", secret_text, "expires", time_print(a->now + life, expires),
                         "approval", approval);
    return code;
}

/* --- enrolment --- */

struct applicant {
    const char *token, *public, *hostname, *address;
    char        id[NODE_ID_SIZE];
};

/* What this machine's use of this token has come to; NULL: it has not used it. Caller frees. */
static char *standing(struct ledger *l, const char *node_id, const char *token_id)
{
    json_t *row = rows_one(l, LEDGER_ENROLMENT, "ss", node_id, token_id);
    char   *state = must_copy(arg_text(row, "state"));

    json_decref(row);
    return state;
}

/* Used and expired tokens are good for nobody but the machine that has used them. */
static enum err token_good(struct ledger *l, const char *token_id, const char *node_id, int64_t now, json_t **out, struct error *e)
{
    AUTO(text_free) char *before = standing(l, node_id, token_id);
    json_t               *row = rows_one(l, LEDGER_TOKEN, "s", token_id);
    enum err              code = OK;

    if (!row)
        return fail(e, ERR_DENIED, "this enrolment token is not known here");
    if (!before && arg_number(row, "used", 0))
        code = fail(e, ERR_DENIED, "this enrolment token has been used");
    else if (!before && arg_number(row, "expires", 0) <= now)
        code = fail(e, ERR_DENIED, "this enrolment token has expired");
    if (code)
        json_decref(row);
    else
        *out = row;
    return code;
}

enum err node_token_secret(struct ledger *l, const char *token_id, const uint8_t public[32], int64_t now, uint8_t secret[16], struct error *e)
{
    char     id[NODE_ID_SIZE];
    json_t  *row = NULL;
    enum err code;

    key_node_id(public, id);
    code = token_good(l, token_id, id, now, &row, e);
    if (code)
        return code;
    if (!hex_decode(arg_text(row, "secret"), secret, 16))
        code = fail(e, ERR_FAILED, "the token's secret is damaged");
    json_decref(row);
    return code;
}

static enum err audit(struct author *a, const char *command, const struct applicant *n, struct error *e)
{
    AUTO(text_free) char *what = must_print("%s %s, token %s", n->hostname, n->id, n->token);

    return rows_run(a->ledger, LEDGER_AUDIT_PUT, e, "isss", a->now, a->who, command, what);
}

static enum err stands(struct author *a, const struct applicant *n, const char *state, struct error *e)
{
    return rows_run(a->ledger, LEDGER_ENROLMENT_PUT, e, "sssssis", n->id, n->token, n->public, n->hostname, n->address, a->now, state);
}

static enum err become_node(struct author *a, const struct applicant *n, struct error *e)
{
    return rows_run(a->ledger, LEDGER_NODE_PUT, e, "ssssi", n->id, n->public, n->hostname, n->address, a->now);
}

/* A machine that asks with the token it was enrolled with did not get its answer: everything stands as it is. */
static enum err take(struct author *a, const struct applicant *n, struct error *e)
{
    AUTO(text_free) char *before = standing(a->ledger, n->id, n->token);
    enum err              code = OK;

    if (before)
        return OK;
    code = become_node(a, n, e);
    code = code ? code : rows_run(a->ledger, LEDGER_TOKEN_USE, e, "s", n->token);
    code = code ? code : stands(a, n, "enrolled", e);
    return code ? code : audit(a, "node.enrol", n, e);
}

/* One row for each key, however often and with whatever token it asks. */
static enum err wait_for_approval(struct author *a, struct applicant *n, struct error *e)
{
    AUTO(text_free) char *before = standing(a->ledger, n->id, n->token);
    bool                  waits = rows_number(a->ledger, LEDGER_ENROLMENT_WAITS, "s", n->id);
    enum err              code = OK;

    if (rows_number(a->ledger, LEDGER_NODE_KNOWN, "ss", n->id, n->public))
        return OK;
    if (before && !strcmp(before, "rejected"))
        return fail(e, ERR_DENIED, "an administrator has rejected machine %s", n->id);
    if (!waits && rows_number(a->ledger, LEDGER_PENDING_COUNT, "") >= PENDING_MOST)
        return fail(e, ERR_AGAIN, "%d machines wait for approval already", PENDING_MOST);
    code = stands(a, n, "waits", e);
    if (!code && !waits)
        code = audit(a, "node.ask", n, e);
    *n->id = 0;
    return code;
}

enum err node_enrol(struct author *a, const char *token_id, const uint8_t public[32], const char *hostname, const char *address,
                    char node_id[NODE_ID_SIZE], struct error *e)
{
    struct applicant n = {.token = token_id, .hostname = hostname, .address = address};
    char             hex[65];
    json_t          *token = NULL;
    enum err         code = ledger_begin(a->ledger, e);

    if (code)
        return code;
    key_node_id(public, n.id);
    hex_encode(public, 32, hex);
    n.public = hex;
    code = token_good(a->ledger, token_id, n.id, a->now, &token, e);
    if (!code)
        code = arg_number(token, "approval", 0) ? wait_for_approval(a, &n, e) : take(a, &n, e);
    json_decref(token);
    code = ledger_end(a->ledger, code, e);
    memcpy(node_id, n.id, NODE_ID_SIZE);
    return code;
}

bool node_known(struct ledger *l, const uint8_t public[32], char node_id[NODE_ID_SIZE])
{
    char hex[65];

    key_node_id(public, node_id);
    hex_encode(public, 32, hex);
    return rows_number(l, LEDGER_NODE_KNOWN, "ss", node_id, hex) > 0;
}

enum err node_certified(struct author *a, const char *node_id, int64_t until, struct error *e)
{
    return rows_run(a->ledger, LEDGER_NODE_CERTIFIED, e, "si", node_id, until);
}

bool node_serves(struct ledger *l, const char *node_id)
{
    return rows_number(l, LEDGER_DP_OF_NODE, "s", node_id) > 0;
}

/* --- for administrators --- */

enum err node_pending(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    char     print[CERTIFICATE_PIN];
    uint8_t  public[32];
    enum err code = rows_all(a->ledger, LEDGER_PENDING, &rows, e, "");

    (void)args;
    json_array_foreach(rows, i, row)
    {
        if (hex_decode(arg_text(row, "public"), public, 32))
            json_object_set_new(row, "key", json_string(certificate_pin(public, print)));
        json_object_del(row, "public");
    }
    if (!code)
        *out = listing(rows);
    return code;
}

/* A name that several carry is not enough: who is let in has to be meant. */
static enum err pending_one(struct ledger *l, const json_t *args, json_t **out, struct error *e)
{
    const char *name = arg_text(args, "name") ? arg_text(args, "name") : "";
    struct text ids AUTO(text_end) = {0};
    json_t     *rows = NULL, *row;
    size_t      i;
    enum err    code = rows_all(l, LEDGER_PENDING_NAMED, &rows, e, "s", name);

    json_array_foreach(rows, i, row) text_add(&ids, "%s%s", i ? ", " : "", arg_text(row, "id"));
    if (!code && !json_array_size(rows))
        code = no_such(l, LEDGER_PENDING_NAMES, "machine that waits for approval", name, e);
    if (!code && json_array_size(rows) > 1)
        code = fail(e, ERR_CONDITION, "%zu machines that wait are called %s: %.400s; name one by its id", json_array_size(rows), name, ids.data);
    if (!code)
        *out = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    return code;
}

enum err node_approve(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    struct applicant n = {0};
    json_t          *row = NULL;
    enum err         code = pending_one(a->ledger, args, &row, e);

    if (code)
        return code;
    snprintf(n.id, sizeof n.id, "%s", arg_text(row, "id"));
    n.token = arg_text(row, "token");
    n.public = arg_text(row, "public");
    n.hostname = arg_text(row, "hostname");
    n.address = arg_text(row, "address");
    code = become_node(a, &n, e);
    code = code ? code : rows_run(a->ledger, LEDGER_ENROLMENT_STATE, e, "ss", n.id, "enrolled");
    code = code ? code : audit(a, "node.enrol", &n, e);
    if (!code)
        *out = message("%s (%s) is approved: it is a node as soon as it asks again", n.hostname, n.id);
    json_decref(row);
    return code;
}

enum err node_reject(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row = NULL;
    enum err code = pending_one(a->ledger, args, &row, e);

    code = code ? code : rows_run(a->ledger, LEDGER_ENROLMENT_STATE, e, "ss", arg_text(row, "id"), "rejected");
    if (!code)
        *out = message("%s (%s) is rejected: its token opens nothing for it any more", arg_text(row, "hostname"), arg_text(row, "id"));
    json_decref(row);
    return code;
}
