/* What the nodes said: status messages into the ledger, one transaction a batch, idempotent by (node, serial). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/authoring/rollout.h"

#define BATCH 5000

struct intake {
    struct author *a;
    const char    *node;
    int64_t        time;
    bool           scanned;
};

/* Dated when the node saw it. */
static struct author then(const struct intake *in)
{
    struct author a = *in->a;

    a.now = in->time;
    return a;
}

static enum err alert(struct intake *in, const char *event, const char *subject, const char *detail, struct error *e)
{
    struct author a = then(in);

    return alert_raise(&a, event, subject ? subject : "", ALERT_WARNING, in->node, detail, e);
}

static enum err over(struct intake *in, const char *event, const char *subject, struct error *e)
{
    struct author a = then(in);

    return alert_close(&a, event, subject, in->node, e);
}

static enum err take_facts(struct intake *in, const json_t *m, struct error *e)
{
    const json_t *facts = json_object_get(m, "facts");
    char         *text = json_is_object(facts) ? json_dumps(facts, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    const char   *branch = arg_text(facts, "boundary.group");
    enum err      code = text ? rows_run(in->a->ledger, LEDGER_NODE_FACTS_PUT, e, "sss", in->node, text, branch ? branch : "") : OK;

    free(text);
    return code;
}

/* Members of groups that their catalogs no longer have: no scan looks for them any more, and they are deployed all the same. What the node has
 * installed tells. counted: the counts of each are brought up to date here. */
static enum err judge_gone(struct intake *in, bool counted, struct error *e)
{
    struct ledger   *l = in->a->ledger;
    struct inventory inventory = {0};
    json_t          *rows = NULL, *row, *node = NULL;
    size_t           i;
    enum err         code = rows_all(l, LEDGER_GONE_MEMBERS, &rows, e, "");

    if (!code && json_array_size(rows)) {
        node = rows_one(l, LEDGER_NODE_INVENTORY, "s", in->node);
        code = inventory_from_json(json_object_get(node, "inventory"), &inventory, e);
    }
    if (!inventory.count)                       /* it has not told yet */
        json_array_clear(rows);
    json_array_foreach(rows, i, row) {
        struct update *u = NULL;
        bool           held = false;
        int64_t        state;
        code = code ? code : update_from_json(json_object_get(row, "json"), "update", &u, e);
        if (code)
            break;
        state = update_applies(u, json_object_get(node, "facts"), in->a->now) ? (int64_t)apt_state(u, &inventory, &held) : STATE_NOT_REQUIRED;
        code = rows_run(l, LEDGER_SCAN_PUT, e, "ssii", in->node, u->id, state, (int64_t)held);
        if (!code && counted)
            code = rows_run(l, LEDGER_UPDATE_COUNT_ONE, e, "s", u->id);
        update_free(u);
    }
    inventory_end(&inventory);
    json_decref(node);
    json_decref(rows);
    return code;
}

/* The closure is solved from all inventories together: one that cannot be read is this node's own trouble. */
static enum err take_inventory(struct intake *in, const json_t *m, struct error *e)
{
    const json_t    *packages = json_object_get(m, "packages");
    struct inventory inventory;
    struct error     why;
    char            *text;
    enum err         code;

    if (inventory_from_json(packages, &inventory, &why))
        return alert(in, "message.bad", "inventory", why.text, e);
    inventory_end(&inventory);
    text = json_dumps(packages, JSON_COMPACT);
    code = rows_run(in->a->ledger, LEDGER_NODE_INVENTORY_PUT, e, "ss", in->node, text);
    free(text);
    code = code ? code : over(in, "message.bad", "inventory", e);
    return code ? code : judge_gone(in, true, e);
}

/* What the scan could know: catalogs by their InRelease, command updates one by one. */
static enum err take_scanned(struct intake *in, const json_t *m, struct error *e)
{
    const json_t *scan = json_object_get(m, "scan");
    const char   *name;
    json_t       *value;
    size_t        i;
    enum err      code = rows_run(in->a->ledger, LEDGER_SCANNED_CLEAR, e, "s", in->node);

    json_object_foreach(json_object_get(scan, "catalogs"), name, value)
        if (!code && json_is_string(value))
            code = rows_run(in->a->ledger, LEDGER_SCANNED_PUT, e, "sss", in->node, name, json_string_value(value));
    json_array_foreach(json_object_get(scan, "asked"), i, value)
        if (!code && json_is_string(value))
            code = rows_run(in->a->ledger, LEDGER_SCANNED_COMMAND_PUT, e, "ss", in->node, json_string_value(value));
    return code;
}

/* The node could not look: nothing is known any more, and that is not "not required". */
static enum err take_failed_scan(struct intake *in, struct error *e)
{
    enum err code = rows_run(in->a->ledger, LEDGER_SCANNED_CLEAR, e, "s", in->node);

    code = code ? code : rows_run(in->a->ledger, LEDGER_SCAN_UNKNOWN, e, "s", in->node);
    return code ? code : rows_run(in->a->ledger, LEDGER_UPDATE_COUNT, e, "s", in->node);
}

static enum err take_scan(struct intake *in, const json_t *m, struct error *e)
{
    struct ledger    *l = in->a->ledger;
    json_t           *states = json_object_get(json_object_get(m, "scan"), "states"), *value;
    const char       *id;
    enum update_state state;
    enum err          code;

    if (arg_text(m, "failed"))
        return take_failed_scan(in, e);
    code = take_scanned(in, m, e);
    code = code ? code : rows_run(l, LEDGER_SCAN_OLD, e, "s", in->node);
    json_object_foreach(states, id, value) {
        const char *word = json_string_value(json_array_get(value, 0));
        if (code || !word || !state_by_name(word, &state))
            continue;
        code = rows_run(l, LEDGER_SCAN_PUT, e, "ssii", in->node, id, (int64_t)state, (int64_t)json_integer_value(json_array_get(value, 1)));
    }
    code = code ? code : judge_gone(in, false, e);
    /* Counted while the rows that are gone still say so, then swept. */
    code = code ? code : rows_run(l, LEDGER_UPDATE_COUNT, e, "s", in->node);
    code = code ? code : rows_run(l, LEDGER_SCAN_SWEEP, e, "s", in->node);
    code = code ? code : rows_run(l, LEDGER_ALERT_CLOSE_INSTALLS, e, "si", in->node, in->time);
    return code ? code : rows_run(l, LEDGER_NODE_SCANNED, e, "si", in->node, in->time);
}

static enum err take_update(struct intake *in, const json_t *m, struct error *e)
{
    const char *id = arg_text(m, "subject"), *state = arg_text(m, "state"), *enforcement = arg_text(m, "enforcement"),
               *detail = arg_text(m, "detail");
    enum err    code;

    if (!id || !state || !enforcement)
        return alert(in, "message.bad", "update", "an update message without subject, state or enforcement", e);
    code = rows_run(in->a->ledger, LEDGER_JOB_PUT, e, "ssssssiisi", in->node, id, arg_text(m, "deployment"), state, enforcement,
                    arg_text(m, "reason"), arg_number(m, "code", -1), arg_number(m, "attempts", 0), detail ? detail : "", in->time);
    if (!code && !strcmp(enforcement, "failed"))
        code = alert(in, "install.failed", id, detail, e);
    else if (!code && (!strcmp(enforcement, "installed") || !strcmp(enforcement, "not-required")))
        code = over(in, "install.failed", id, e);
    return code;
}

static enum err take_content(struct intake *in, const json_t *m, struct error *e)
{
    const char *hex = arg_text(m, "subject"), *event = arg_text(m, "event"), *source = arg_text(m, "source"),
               *detail = arg_text(m, "detail");
    const json_t *b = json_object_get(m, "bytes");
    char         *text;
    enum err      code;

    if (!hex || !event)
        return alert(in, "message.bad", "content", "a content message without subject or event", e);
    if (!strcmp(event, "complete")) {
        code = rows_run(in->a->ledger, LEDGER_NODE_CONTENT_PUT, e, "ssiiiiiii", in->node, hex, arg_number(m, "size", 0),
                        arg_number(b, "http", 0), arg_number(b, "peers", 0), arg_number(b, "cache", 0), arg_number(b, "origin", 0),
                        arg_number(b, "waste", 0), in->time);
        return code ? code : over(in, "content.failed", hex, e);
    }
    /* Altered bytes are not over because others were good: who served them has to be looked at. */
    text = must_print("%s %.16s…: %s", source ? source : "", hex, detail ? detail : "");
    code = alert(in, strcmp(event, "refused") ? "content.failed" : "content.refused", hex, text, e);
    free(text);
    return code;
}

static enum err take_acknowledge(struct intake *in, const json_t *m, struct error *e)
{
    const char *name;
    json_t     *seq;
    enum err    code = rows_run(in->a->ledger, LEDGER_DOCUMENTS_CLEAR, e, "s", in->node);

    json_object_foreach(json_object_get(m, "documents"), name, seq)
        code = code ? code : rows_run(in->a->ledger, LEDGER_DOCUMENT_ACK, e, "ssi", in->node, name, (int64_t)json_integer_value(seq));
    return code;
}

/* over: what an earlier one told of has ended. */
static enum err take_alert(struct intake *in, const json_t *m, struct error *e)
{
    if (json_is_true(json_object_get(m, "over")) && arg_text(m, "event"))
        return over(in, arg_text(m, "event"), arg_text(m, "subject") ? arg_text(m, "subject") : "", e);
    return alert(in, arg_text(m, "event") ? arg_text(m, "event") : "alert", arg_text(m, "subject"), arg_text(m, "detail"), e);
}

static enum err take_dp(struct intake *in, const json_t *m, struct error *e)
{
    const char *dp = arg_text(m, "dp"), *hex = arg_text(m, "subject"), *event = arg_text(m, "event");

    bool        room = event && !strcmp(event, "room");

    if (!dp || !event || (!hex && !room))
        return alert(in, "message.bad", "dp", "a distribution point's message without dp, subject or event", e);
    if (!rows_number(in->a->ledger, LEDGER_DP_SPEAKER, "ss", dp, in->node))
        return OK;                              /* removed, or another node's */
    if (room)
        return rows_run(in->a->ledger, LEDGER_DP_ROOM_PUT, e, "sii", dp, arg_number(m, "room", -1), in->time);
    return rows_run(in->a->ledger, LEDGER_DP_HELD_PUT, e, "sss", dp, hex, event);
}

/* What is to be kept of it stands among the node's facts (restart.state); causes and time are in the log of messages. */
static enum err take_restart(struct intake *in, const json_t *m, struct error *e)
{
    (void)in;
    (void)m;
    (void)e;
    return OK;
}

static const struct {
    const char *topic;
    enum err  (*take)(struct intake *, const json_t *, struct error *);
} topics[] = {
    {"facts", take_facts},     {"inventory", take_inventory},     {"scan", take_scan},   {"update", take_update},
    {"content", take_content}, {"acknowledge", take_acknowledge}, {"alert", take_alert}, {"dp", take_dp},
    {"restart", take_restart},
};

static enum err take(struct intake *in, const json_t *m, struct error *e)
{
    const char *topic = arg_text(m, "topic");

    for (size_t i = 0; topic && i < COUNT(topics); i++)
        if (!strcmp(topic, topics[i].topic))
            return topics[i].take(in, m, e);
    return alert(in, "message.unknown", topic, topic, e);
}

/* New: logged and taken. Seen already: nothing. */
static enum err one(struct intake *in, const json_t *m, int64_t serial, struct error *e)
{
    struct ledger *l = in->a->ledger;
    char          *text;
    enum err       code;

    in->time = arg_number(m, "time", in->a->now);
    if (in->time > in->a->now)
        in->time = in->a->now;
    text = json_dumps(m, JSON_COMPACT);
    code = rows_run(l, LEDGER_MESSAGE_PUT, e, "siis", in->node, serial, in->time, strlen(text) < 4096 ? text : "{}");
    free(text);
    if (code || !ledger_changes(l))
        return code;
    return take(in, m, e);
}

static enum err gap(struct intake *in, int64_t have, int64_t serial, struct error *e)
{
    char text[160];

    snprintf(text, sizeof text, "messages %lld to %lld never came; if the node's store was not lost, look at its log", (long long)have + 1,
             (long long)serial - 1);
    in->time = in->a->now;
    return alert(in, "status.gap", "", text, e);
}

enum err compliance_ingest(struct author *a, const char *node_id, const json_t *messages, int64_t *held, struct error *e)
{
    struct intake in = {.a = a, .node = node_id};
    int64_t       have;
    size_t        i;
    json_t       *m;
    enum err      code;

    if (!json_is_array(messages) || json_array_size(messages) > BATCH)
        return fail(e, ERR_USAGE, "status has to be a list of at most %d messages", BATCH);
    code = ledger_begin(a->ledger, e);
    if (code)
        return code;
    have = rows_number(a->ledger, LEDGER_NODE_HELD, "s", node_id);
    json_array_foreach(messages, i, m) {
        int64_t serial = arg_number(m, "serial", 0);
        if (code || serial <= have)
            continue;
        /* A node begins somewhere, and begins higher again when its store was lost. It sends in order and without holes: what lies
         * between is lost for good, and somebody should know. */
        if (have && serial > have + 1)
            code = gap(&in, have, serial, e);
        code = code ? code : one(&in, m, serial, e);
        have = serial;
    }
    code = code ? code : rows_run(a->ledger, LEDGER_NODE_HELD_PUT, e, "sii", node_id, have, a->now);
    code = code ? code : rows_run(a->ledger, LEDGER_MESSAGE_SWEEP, e, "si", node_id, have);
    code = ledger_end(a->ledger, code, e);
    if (!code)
        *held = have;
    return code;
}
