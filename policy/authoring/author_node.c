/* Nodes: enrolment tokens, enrolled machines. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"

#define TOKEN_LIFE 86400

enum err node_resolve(struct ledger *l, const char *name, char **id, struct error *e)
{
    json_t *row = rows_one(l, LEDGER_NODE_RESOLVE, "s", name);

    if (!row)
        return no_such(l, LEDGER_NODE_NAMES, "node", name, e);
    *id = must_copy(arg_text(row, "id"));
    json_decref(row);
    return OK;
}

enum err node_token(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    uint8_t  id[8], secret[16];
    char     id_text[17], secret_text[33], expires[TIME_SIZE];
    int64_t  life = TOKEN_LIFE;
    enum err code = arg_text(args, "expires") ? duration_read(arg_text(args, "expires"), &life, e) : OK;

    if (code)
        return code;
    randombytes_buf(id, sizeof id);
    randombytes_buf(secret, sizeof secret);
    hex_encode(id, sizeof id, id_text);
    hex_encode(secret, sizeof secret, secret_text);
    code = rows_run(a->ledger, LEDGER_TOKEN_PUT, e, "ssi", id_text, secret_text, a->now + life);
    if (!code)
        *out = json_pack("{s:s,s:s,s:s}", "token_id", id_text, "secret", secret_text, "expires", time_print(a->now + life, expires));
    return code;
}

static enum err token_good(struct ledger *l, const char *token_id, int64_t now, json_t **row, struct error *e)
{
    *row = rows_one(l, LEDGER_TOKEN, "s", token_id);
    if (!*row)
        return fail(e, ERR_DENIED, "this enrolment token is not known here");
    if (arg_number(*row, "used", 0) || arg_number(*row, "expires", 0) <= now) {
        bool used = arg_number(*row, "used", 0);
        json_decref(*row);
        return fail(e, ERR_DENIED, used ? "this enrolment token has been used" : "this enrolment token has expired");
    }
    return OK;
}

enum err node_token_secret(struct ledger *l, const char *token_id, int64_t now, uint8_t secret[16], struct error *e)
{
    json_t  *row;
    enum err code = token_good(l, token_id, now, &row, e);

    if (code)
        return code;
    if (!hex_decode(arg_text(row, "secret"), secret, 16))
        code = fail(e, ERR_FAILED, "the token's secret is damaged");
    json_decref(row);
    return code;
}

enum err node_enrol(struct author *a, const char *token_id, const uint8_t public[32], const char *hostname, const char *address,
                    char node_id[NODE_ID_SIZE], struct error *e)
{
    char     hex[65];
    json_t  *row = NULL;
    enum err code = ledger_begin(a->ledger, e);

    if (code)
        return code;
    key_node_id(public, node_id);
    hex_encode(public, 32, hex);
    code = token_good(a->ledger, token_id, a->now, &row, e);
    json_decref(code ? NULL : row);
    code = code ? code : rows_run(a->ledger, LEDGER_NODE_PUT, e, "ssssi", node_id, hex, hostname, address, a->now);
    code = code ? code : rows_run(a->ledger, LEDGER_TOKEN_USE, e, "s", token_id);
    code = code ? code : rows_run(a->ledger, LEDGER_AUDIT_PUT, e, "isss", a->now, a->who, "node.enrol", hostname);
    return ledger_end(a->ledger, code, e);
}

bool node_known(struct ledger *l, const uint8_t public[32], char node_id[NODE_ID_SIZE])
{
    key_node_id(public, node_id);
    return rows_number(l, LEDGER_NODE_KNOWN, "s", node_id) > 0;
}

enum err node_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_NODES, &rows, e, "");

    (void)args;
    if (!code)
        *out = listing(rows);
    return code;
}

enum err node_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    char    *id = NULL;
    json_t  *updates = NULL, *contents = NULL, *documents = NULL;
    enum err code = node_resolve(a->ledger, arg_text(args, "name") ? arg_text(args, "name") : "", &id, e);

    code = code ? code : rows_all(a->ledger, LEDGER_NODE_UPDATES, &updates, e, "s", id);
    code = code ? code : rows_all(a->ledger, LEDGER_NODE_CONTENTS, &contents, e, "s", id);
    code = code ? code : rows_all(a->ledger, LEDGER_NODE_DOCUMENTS, &documents, e, "s", id);
    if (!code) {
        *out = rows_one(a->ledger, LEDGER_NODE_ONE, "s", id);
        json_object_del(*out, "last_contact_s");
        json_object_del(*out, "scanned");
        json_object_set_new(*out, "messages", rows_one(a->ledger, LEDGER_NODE_MESSAGES, "s", id));
        json_object_set(*out, "updates", updates);
        json_object_set(*out, "contents", contents);
        json_object_set(*out, "documents", documents);
    }
    json_decref(updates);
    json_decref(contents);
    json_decref(documents);
    free(id);
    return code;
}

/* A name that several carry is not enough for what cannot be undone. */
static enum err one_of_its_name(struct ledger *l, const char *name, struct error *e)
{
    struct text ids AUTO(text_end) = {0};
    json_t     *rows = NULL, *row;
    size_t      i;
    enum err    code = rows_all(l, LEDGER_NODE_NAMESAKES, &rows, e, "s", name);

    json_array_foreach(rows, i, row)
        text_add(&ids, "%s%s", i ? ", " : "", arg_text(row, "id"));
    if (!code && json_array_size(rows) > 1)
        code = fail(e, ERR_CONDITION, "%zu nodes are called %s, longest silent first: %.400s; name one by its id", json_array_size(rows),
                    name, ids.data);
    json_decref(rows);
    return code;
}

/* What it said about updates goes with it: it no longer counts, and knows nothing if it is enrolled again. */
static enum err forget_states(struct ledger *l, const char *id, struct error *e)
{
    enum err code = rows_run(l, LEDGER_SCAN_OLD, e, "s", id);

    code = code ? code : rows_run(l, LEDGER_UPDATE_COUNT, e, "s", id);
    code = code ? code : rows_run(l, LEDGER_SCAN_SWEEP, e, "s", id);
    code = code ? code : rows_run(l, LEDGER_SCANNED_CLEAR, e, "s", id);
    code = code ? code : rows_run(l, LEDGER_JOBS_CLEAR, e, "s", id);
    return code ? code : rows_run(l, LEDGER_NODE_SCANNED, e, "si", id, (int64_t)0);
}

enum err node_retire(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = arg_text(args, "name") ? arg_text(args, "name") : "";
    char       *id = NULL;
    enum err    code = one_of_its_name(a->ledger, name, e);

    code = code ? code : node_resolve(a->ledger, name, &id, e);
    code = code ? code : forget_states(a->ledger, id, e);
    code = code ? code : rows_run(a->ledger, LEDGER_NODE_RETIRE, e, "s", id);
    if (!code)
        *out = message("node %s is retired: its status is refused from now on", name);
    free(id);
    return code;
}

enum err audit_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_AUDIT, &rows, e, "i", arg_number(args, "limit", 100));

    if (!code)
        *out = listing(rows);
    return code;
}
