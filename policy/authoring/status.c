/* The questions everybody asks: how far is it, and why not. One query layer for command line, API and report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/decide/node.h"

#define SILENT (3 * 86400)

struct tally {
    int64_t compliant, in_progress, failed, unknown, total;
};

/* The worst of a node's updates is the node's: failed, unknown, in progress, compliant. */
static enum err count_node(struct author *a, const char *group, const json_t *member, struct tally *t, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    int      progress = 0, failed = 0, unknown = !arg_number(member, "scanned", 0);
    enum err code = rows_all(a->ledger, LEDGER_DEPLOYMENT_STATES, &rows, e, "ss", group, arg_text(member, "id"));

    json_array_foreach(rows, i, row) {
        const char *enforcement = arg_text(row, "enforcement");
        int64_t     state = arg_number(row, "state", STATE_NOT_REQUIRED);
        bool        bad = enforcement && (!strcmp(enforcement, "failed") || !strcmp(enforcement, "download-failed"));
        if (state == STATE_INSTALLED || state == STATE_NOT_REQUIRED)
            continue;
        failed += bad;
        unknown += !bad && state == STATE_UNKNOWN;
        progress += !bad && state == STATE_REQUIRED;
    }
    json_decref(rows);
    t->total++;
    if (failed)
        t->failed++;
    else if (unknown)
        t->unknown++;
    else if (progress)
        t->in_progress++;
    else
        t->compliant++;
    return code;
}

static enum err tally_deployment(struct author *a, json_t *row, struct error *e)
{
    struct collection *c = NULL;
    struct tally       t = {0};
    json_t            *members = NULL, *m;
    size_t             i;
    enum err           code = collection_whole(a->ledger, arg_text(row, "collection"), &c, e);

    code = code ? code : collection_members(a, c, &members, e);
    json_array_foreach(members, i, m)
        code = code ? code : count_node(a, arg_text(row, "group"), m, &t, e);
    json_object_set_new(row, "compliant", json_integer(t.compliant));
    json_object_set_new(row, "in_progress", json_integer(t.in_progress));
    json_object_set_new(row, "failed", json_integer(t.failed));
    json_object_set_new(row, "unknown", json_integer(t.unknown));
    json_object_set_new(row, "total", json_integer(t.total));
    json_decref(members);
    collection_free(c);
    return code;
}

enum err status_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *deployments = NULL, *branches = NULL, *row;
    char    *site = ledger_setting(a->ledger, "site.name");
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_DEPLOYMENTS, &deployments, e, "si", NULL, (int64_t)0);

    (void)args;
    code = code ? code : rows_all(a->ledger, LEDGER_BRANCHES, &branches, e, "");
    json_array_foreach(deployments, i, row)
        code = code ? code : tally_deployment(a, row, e);
    if (!code)
        *out = json_pack(
            "{s:s,s:I,s:I,s:O,s:O}", "site", site ? site : "", "nodes", (json_int_t)rows_number(a->ledger, LEDGER_NODE_COUNT, ""), "silent",
            (json_int_t)rows_number(a->ledger, LEDGER_NODE_SILENT, "i", a->now - SILENT), "deployments", deployments, "branches", branches);
    json_decref(deployments);
    json_decref(branches);
    free(site);
    return code;
}

enum err deployment_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = arg_text(args, "name");
    json_t     *row = name ? rows_one(a->ledger, LEDGER_DEPLOYMENTS, "si", name, (int64_t)0) : NULL, *members = NULL;
    enum err    code;

    if (!row)
        return no_such(a->ledger, LEDGER_DEPLOYMENT_NAMES, "deployment", name ? name : "", e);
    code = tally_deployment(a, row, e);
    code = code ? code : rows_all(a->ledger, LEDGER_GROUP_MEMBERS, &members, e, "s", arg_text(row, "group"));
    if (code) {
        json_decref(row);
        return code;
    }
    json_object_set_new(row, "updates", members);
    *out = row;
    return OK;
}

static json_t *reason(const char *code, const char *text, const char *document, int64_t clock)
{
    char time[TIME_SIZE];

    return json_pack("{s:s,s:s,s:s,s:s}", "code", code, "text", text, "document", document ? document : "", "clock",
                     clock ? time_print(clock, time) : "");
}

struct question {
    struct author *a;
    json_t        *node, *job, *state;
    struct update *update;
    json_t        *reasons;
};

/* The node's own last word, when it has said one about this update. */
static void node_said(struct question *q)
{
    const char *word = arg_text(q->job, "reason"), *detail = arg_text(q->job, "detail");
    enum reason r;
    char       *text;

    if (!word || !reason_by_word(word, &r))
        return;
    text = must_print("the node says: %s%s%s", reason_text(r), detail ? ": " : "", detail ? detail : "");
    json_array_append_new(q->reasons, reason(word, text, "", arg_number(q->job, "changed", 0)));
    free(text);
}

static enum err ask_deployment(struct question *q, const char *name, struct decision *d, struct deployment **out, bool *member,
                               struct error *e)
{
    json_t            *row = rows_one(q->a->ledger, LEDGER_DEPLOYMENTS, "si", name, (int64_t)0);
    struct collection *c = NULL;
    const char        *enforcement = arg_text(q->job, "enforcement"), *word = arg_text(q->job, "reason");
    char               why[200];
    struct node_rules  rules = {.node_id = arg_text(q->node, "id")};
    struct situation s = {.update = q->update,
                          .state = (enum update_state)arg_number(q->state, "state", STATE_NOT_REQUIRED),
                          .held = arg_number(q->state, "held", 0) != 0};
    enum err           code = deployment_document(q->a, row, out, e);

    code = code ? code : collection_whole(q->a->ledger, (*out)->collection, &c, e);
    if (!code) {
        *member = s.member = collection_has(c, arg_text(q->node, "id"), json_object_get(q->node, "facts"), q->a->now, why);
        s.deployment = *out;
        for (size_t i = 0; i < (*out)->update_count; i++)
            s.content_complete = s.content_complete || !strcmp((*out)->updates[i]->id, q->update->id);
        s.content_here = enforcement && (!strcmp(enforcement, "downloaded") || !strcmp(enforcement, "waiting-deadline") ||
                                         !strcmp(enforcement, "installing") || !strcmp(enforcement, "failed"));
        s.download_failed = enforcement && !strcmp(enforcement, "download-failed");
        s.installing = enforcement && !strcmp(enforcement, "installing");
        s.attempts = (int)arg_number(q->job, "attempts", 0);
        s.last_attempt = arg_number(q->job, "changed", 0);
        s.closure_missing = word && !strcmp(word, "closure-missing");
        members_default(settings_table, settings_count, &rules.settings);
        *d = decide_update(&s, &rules, q->a->now);
    }
    collection_free(c);
    json_decref(row);
    return code;
}

static enum err ask(struct question *q, struct error *e)
{
    json_t  *names = NULL, *row;
    size_t   i;
    enum err code = rows_all(q->a->ledger, LEDGER_DEPLOYMENTS_OF, &names, e, "s", q->update->id);

    if (!code && !json_array_size(names))
        json_array_append_new(q->reasons, reason(reason_word(REASON_NOT_DEPLOYED), "no deployment carries it", "", 0));
    json_array_foreach(names, i, row) {
        struct deployment *d = NULL;
        struct decision    decision;
        bool               member = false;
        char              *text;
        code = code ? code : ask_deployment(q, arg_text(row, "name"), &decision, &d, &member, e);
        if (!code) {
            text = must_print("%s (deployment %s)", reason_text(decision.reason), arg_text(row, "name"));
            json_array_append_new(q->reasons, reason(reason_word(decision.reason), text, decision.document, decision.clock));
            free(text);
        }
        deployment_free(d);
    }
    json_decref(names);
    return code;
}

static void contact(struct question *q, json_t *answer)
{
    int64_t last = arg_number(q->node, "last_contact_s", 0);
    char    text[100], time[TIME_SIZE];

    snprintf(text, sizeof text, "%s (%lld s ago)", time_print(last, time), (long long)(q->a->now - last));
    json_object_set_new(answer, "last_contact", json_string(text));
    if (!arg_number(q->node, "scanned", 0)) {
        snprintf(text, sizeof text, "the node has not reported a scan yet; last contact %lld s ago", (long long)(q->a->now - last));
        json_array_insert_new(q->reasons, 0, reason(reason_word(REASON_STATE_UNKNOWN), text, "", last));
    }
}

enum err why_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    struct question q = {.a = a, .reasons = json_array()};
    char           *node = NULL, *id = NULL;
    json_t         *json = NULL;
    enum err        code = node_resolve(a->ledger, arg_text(args, "node") ? arg_text(args, "node") : "", &node, e);

    code = code ? code : update_resolve(a->ledger, arg_text(args, "update") ? arg_text(args, "update") : "", &id, e);
    if (!code) {
        json = rows_one(a->ledger, LEDGER_UPDATE_JSON, "s", id);
        code = update_from_json(json_object_get(json, "json"), "update", &q.update, e);
    }
    if (!code) {
        q.node = rows_one(a->ledger, LEDGER_NODE_ONE, "s", node);
        q.job = rows_one(a->ledger, LEDGER_JOB, "ss", node, id);
        q.state = rows_one(a->ledger, LEDGER_SCAN_STATE, "ss", node, id);
        code = ask(&q, e);
        node_said(&q);
    }
    if (!code) {
        *out = json_pack("{s:O,s:s,s:s,s:s,s:O}", "node", json_object_get(q.node, "hostname"), "update", id, "title", q.update->title,
                         "state", state_name((enum update_state)arg_number(q.state, "state", STATE_NOT_REQUIRED)), "reasons", q.reasons);
        contact(&q, *out);
    }
    update_free(q.update);
    json_decref(q.node);
    json_decref(q.job);
    json_decref(q.state);
    json_decref(q.reasons);
    json_decref(json);
    free(node);
    free(id);
    return code;
}
