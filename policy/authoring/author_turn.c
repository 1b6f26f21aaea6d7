/* Orchestration turns (configmgr-semantics.md 1.9): who of a collection may be down now. Locks in the ledger, each with an end of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/authoring/rollout.h"

#define AGAIN   60
#define WAITING 900         /* who has not asked for so long does not wait any more */
#define SILENT  (3 * 86400) /* who has said nothing for so long is passed over in a sequence */
#define RINGS   64

/* The collections that take turns and have the node. */
struct rings {
    struct collection *items[RINGS];
    size_t             count;
};

static void rings_end(struct rings *r)
{
    for (size_t i = 0; i < r->count; i++)
        collection_free(r->items[i]);
}

static enum err rings_of(struct author *a, const char *node, const json_t *facts, struct rings *out, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_COLLECTIONS, &rows, e, "");

    json_array_foreach(rows, i, row) {
        struct collection *c = NULL;
        if (code || !json_object_get(json_object_get(row, "json"), "orchestration"))
            continue;
        code = collection_whole(a->ledger, arg_text(row, "name"), &c, e);
        if (!code && c->orchestration.turns != TURNS_NONE && out->count < RINGS && collection_has(c, node, facts, a->now, NULL))
            out->items[out->count++] = c;
        else
            collection_free(c);
    }
    json_decref(rows);
    return code;
}

/* --- may it? --- */

/* Something required is deployed to it and not there yet. */
static enum err needs(struct author *a, const char *node, const json_t *facts, bool *out, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_NODE_NEEDS, &rows, e, "si", node, a->now);

    *out = false;
    json_array_foreach(rows, i, row) {
        struct collection *c = NULL;
        if (code || *out)
            break;
        code = collection_whole(a->ledger, arg_text(row, "collection"), &c, e);
        *out = !code && collection_has(c, node, facts, a->now, NULL);
        collection_free(c);
    }
    json_decref(rows);
    return code;
}

/* Not its turn while this one, which comes before it, is there and needs something. */
static enum err one_before(struct author *a, const char *id, const char *name, char *why, size_t size, struct error *e)
{
    json_t  *seen = rows_one(a->ledger, LEDGER_NODE_SEEN, "s", id);
    bool     wants = false;
    enum err code = seen ? needs(a, id, json_object_get(seen, "facts"), &wants, e) : OK;

    if (!code && wants && arg_number(seen, "last_contact", 0) > a->now - SILENT)
        snprintf(why, size, "%s comes first in the sequence of %s and is not through", arg_text(seen, "hostname"), name);
    json_decref(seen);
    return code;
}

static bool listed(const struct collection *c, const char *id)
{
    for (char **n = c->nodes; n && *n; n++)
        if (!strcmp(*n, id))
            return true;
    return false;
}

/* Its nodes in their order, then whoever else is a member, by hostname. */
static enum err sequence(struct author *a, const struct collection *c, const json_t *members, const char *node, char *why, size_t size,
                         struct error *e)
{
    json_t  *m;
    size_t   i;
    enum err code = OK;

    for (char **n = c->nodes; n && *n && !code && !*why; n++) {
        if (!strcmp(*n, node))
            return OK;
        json_array_foreach(members, i, m) if (!code && !strcmp(arg_text(m, "id"), *n)) code = one_before(a, *n, c->name, why, size, e);
    }
    json_array_foreach(members, i, m) {
        const char *id = arg_text(m, "id");
        if (code || *why || !strcmp(id, node))
            break;
        if (!listed(c, id))
            code = one_before(a, id, c->name, why, size, e);
    }
    return code;
}

static int64_t limit_of(const struct collection *c, size_t members)
{
    int64_t share = (int64_t)members * c->orchestration.limit / 100;

    return c->orchestration.turns == TURNS_COUNT     ? c->orchestration.limit
           : c->orchestration.turns == TURNS_PERCENT ? (share > 1 ? share : 1)
                                                     : 1;
}

/* why: "" when there is room for it. held: it has the lock already, until then. */
static enum err ring_free(struct author *a, const struct collection *c, const char *node, int64_t *held, char *why, size_t size,
                          struct error *e)
{
    json_t  *members = NULL, *holders = NULL, *h;
    int64_t  others = 0, limit;
    size_t   i;
    enum err code = c->orchestration.turns == TURNS_COUNT ? OK : collection_members(a, c, &members, e);

    *held = 0;
    *why = 0;
    code = code ? code : rows_all(a->ledger, LEDGER_TURN_HOLDERS, &holders, e, "si", c->name, a->now);
    json_array_foreach(holders, i, h) {
        bool own = !strcmp(arg_text(h, "node"), node);
        *held = own ? arg_number(h, "until", 0) : *held;
        others += !own;
    }
    limit = limit_of(c, json_array_size(members));
    if (!code && !*held && others >= limit)
        snprintf(why, size, "%lld of at most %lld members of %s have their turn", (long long)others, (long long)limit, c->name);
    else if (!code && !*held && c->orchestration.turns == TURNS_SEQUENCE)
        code = sequence(a, c, members, node, why, size, e);
    json_decref(members);
    json_decref(holders);
    return code;
}

/* --- take, keep, give --- */

static json_t *answer(bool granted, int64_t until, const char *why)
{
    return json_pack("{s:b,s:I,s:s,s:I}", "granted", granted, "until", (json_int_t)until, "why", why, "again_s", (json_int_t)AGAIN);
}

/* All of them or none: a node that waits holds nothing. */
static enum err take(struct author *a, const char *node, const struct rings *r, json_t **out, struct error *e)
{
    int64_t  held[RINGS], until = 0;
    char     why[300] = "";
    enum err code = OK;

    for (size_t i = 0; i < r->count && !code && !*why; i++)
        code = ring_free(a, r->items[i], node, &held[i], why, sizeof why, e);
    for (size_t i = 0; i < r->count && !code; i++) {
        const struct collection *c = r->items[i];
        int64_t                  end = a->now + c->orchestration.member_s;
        if (*why)
            code = rows_run(a->ledger, LEDGER_TURN_WAITS, e, "ssi", c->name, node, a->now);
        else if (!held[i])
            code = rows_run(a->ledger, LEDGER_TURN_PUT, e, "ssii", c->name, node, a->now, end);
        end = !*why && held[i] ? held[i] : end;
        until = !until || end < until ? end : until;
    }
    if (!code)
        *out = answer(!*why, *why ? 0 : until ? until : a->now + 3600, *why ? why : r->count ? "" : "it is in no collection that takes turns");
    return code;
}

/* Does it still have what it took? The end stays where it is: a member that takes too long has lost it. */
static enum err keep(struct author *a, const char *node, const struct rings *r, json_t **out, struct error *e)
{
    int64_t until = 0;

    (void)e;
    for (size_t i = 0; i < r->count; i++) {
        json_t *row = rows_one(a->ledger, LEDGER_TURN_ONE, "ss", r->items[i]->name, node);
        int64_t end = arg_number(row, "until", 0);
        json_decref(row);
        if (end <= a->now) {
            char why[200];
            snprintf(why, sizeof why, "its turn in %s has ended", r->items[i]->name);
            *out = answer(false, 0, why);
            return OK;
        }
        until = !until || end < until ? end : until;
    }
    *out = answer(true, until ? until : a->now + 3600, "");
    return OK;
}

static enum err ask(struct author *a, const char *node, const char *op, json_t **out, struct error *e)
{
    json_t      *seen = rows_one(a->ledger, LEDGER_NODE_SEEN, "s", node);
    struct rings r = {0};
    enum err     code = seen ? OK : fail(e, ERR_DENIED, "node %.64s is not enrolled here, or retired", node);

    code = code ? code : rows_run(a->ledger, LEDGER_TURN_SWEEP, e, "ii", a->now, a->now - WAITING);
    code = code ? code : rings_of(a, node, json_object_get(seen, "facts"), &r, e);
    if (code)
        ;
    else if (!strcmp(op, "take"))
        code = take(a, node, &r, out, e);
    else if (!strcmp(op, "keep"))
        code = keep(a, node, &r, out, e);
    else if (!(code = rows_run(a->ledger, LEDGER_TURN_GIVE, e, "s", node)))
        *out = answer(false, 0, "given back");
    rings_end(&r);
    json_decref(seen);
    return code;
}

/* What a node signed yesterday is good for nobody today: a "give" that comes again would let others begin while it installs. The number is used
 * up whatever comes of the question. */
enum err turn_new(struct author *a, const char *node_id, const json_t *body, struct error *e)
{
    const json_t *number = json_object_get(body, "number");
    enum err      code;

    if (!json_is_integer(number) || json_integer_value(number) < 1)
        return fail(e, ERR_USAGE, "a question about a turn has to bear a number from 1 up");
    code = rows_run(a->ledger, LEDGER_TURN_QUESTION, e, "si", node_id, (int64_t)json_integer_value(number));
    if (!code && !ledger_changes(a->ledger))
        code = fail(e, ERR_DENIED, "question %lld of node %.64s is not a new one; a node's questions about its turn bear rising numbers",
                    (long long)json_integer_value(number), node_id);
    return code;
}

enum err turn_ask(struct author *a, const char *node_id, const json_t *body, json_t **out, struct error *e)
{
    const char *op = arg_text(body, "op"), *node = arg_text(body, "node");
    enum err    code;

    *out = NULL;
    if (!op || (strcmp(op, "take") && strcmp(op, "give") && strcmp(op, "keep")))
        return fail(e, ERR_USAGE, "op has to be take, give or keep");
    if (node && strcmp(node, node_id))
        return fail(e, ERR_DENIED, "a node asks for itself only");
    code = ledger_begin(a->ledger, e);
    code = code ? code : ask(a, node_id, op, out, e);
    code = ledger_end(a->ledger, code, e);
    if (code) {
        json_decref(*out);
        *out = NULL;
    }
    return code;
}

/* --- for administrators --- */

enum err orchestration_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_TURNS, &rows, e, "ii", a->now, a->now - WAITING);

    (void)args;
    if (!code)
        *out = listing(rows);
    return code;
}

enum err orchestration_reset(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *collection = arg_text(args, "name"), *name = arg_text(args, "node");
    char       *node = NULL;
    enum err    code = OK;

    if (!collection || !rows_number(a->ledger, LEDGER_COLLECTION_HAS, "s", collection))
        return no_such(a->ledger, LEDGER_COLLECTION_NAMES, "collection", collection ? collection : "", e);
    if (name)
        code = node_resolve(a->ledger, name, &node, e);
    code = code ? code : rows_run(a->ledger, LEDGER_TURN_RESET, e, "ss", collection, node);
    if (!code) {
        int64_t n = ledger_changes(a->ledger);
        *out = message("%lld turn%s in %s taken back; an installation that runs goes on", (long long)n, n == 1 ? "" : "s", collection);
    }
    free(node);
    return code;
}
