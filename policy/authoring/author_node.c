/* Nodes: enrolled machines, and their end. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"

enum err node_resolve(struct ledger *l, const char *name, char **id, struct error *e)
{
    json_t *row = rows_one(l, LEDGER_NODE_RESOLVE, "s", name);

    if (!row)
        return no_such(l, LEDGER_NODE_NAMES, "node", name, e);
    *id = must_copy(arg_text(row, "id"));
    json_decref(row);
    return OK;
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
    code = code ? code : rows_run(a->ledger, LEDGER_ENROLMENT_DROP, e, "s", id);   /* the token it came with opens nothing any more */
    code = code ? code : rows_run(a->ledger, LEDGER_NODE_RETIRE, e, "s", id);
    if (!code)
        *out = message("node %s is retired: the site refuses it from now on, other nodes as soon as they have the next policy", name);
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
