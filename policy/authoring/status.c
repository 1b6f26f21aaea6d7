/* The questions everybody asks: how far is it, and why not. One query layer for command line, API and report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/decide/node.h"

#define SILENT (3 * 86400)

enum err status_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t          *deployments = NULL, *branches = NULL, *row;
    char            *site = ledger_setting(a->ledger, "site.name");
    struct progress *p = NULL;
    size_t           i;
    enum err         code = rows_all(a->ledger, LEDGER_DEPLOYMENTS, &deployments, e, "si", NULL, (int64_t)0);

    (void)args;
    code = code ? code : rows_all(a->ledger, LEDGER_BRANCHES, &branches, e, "");
    code = code ? code : progress_open(a, &p, e);
    json_array_foreach(deployments, i, row) {
        struct tally t = {0};
        code = code ? code : progress_of(p, row, &t, NULL, e);
        deployment_dress(row);
        json_object_del(row, "terms");
        tally_print(&t, row);
    }
    if (!code)
        *out = json_pack(
            "{s:s,s:I,s:I,s:O,s:O}", "site", site ? site : "", "nodes", (json_int_t)rows_number(a->ledger, LEDGER_NODE_COUNT, ""), "silent",
            (json_int_t)rows_number(a->ledger, LEDGER_NODE_SILENT, "i", a->now - SILENT), "deployments", deployments, "branches", branches);
    progress_close(p);
    json_decref(deployments);
    json_decref(branches);
    free(site);
    return code;
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
    struct holds   holds;
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

static bool job_says(const struct question *q, const char *word)
{
    const char *said = arg_text(q->job, "enforcement");

    return said && !strcmp(said, word);
}

/* Everything that comes behind the download. */
static bool job_has_content(const struct question *q)
{
    static const char *const words[] = {"downloaded", "waiting-deadline", "waiting-window", "waiting-turn", "installing", "detecting", "failed"};

    for (size_t i = 0; i < COUNT(words); i++)
        if (job_says(q, words[i]))
            return true;
    return false;
}

/* As far as the site knows it: what the user has chosen, and whether the line is metered, only the node can tell. */
static struct situation situation_of(const struct question *q, const struct deployment *d, bool member, bool complete)
{
    const char *word = arg_text(q->job, "reason");

    return (struct situation){
        .deployment = d,
        .update = q->update,
        .member = member,
        .state = (enum update_state)arg_number(q->state, "state", STATE_NOT_REQUIRED),
        .held = arg_number(q->state, "held", 0) != 0,
        .content_complete = complete,
        .content_here = job_has_content(q),
        .download_failed = job_says(q, "download-failed"),
        .installing = job_says(q, "installing"),
        .restart_pending = job_says(q, "restart-pending"),
        .turn_held = rows_number(q->a->ledger, LEDGER_TURN_HELD, "si", arg_text(q->node, "id"), q->a->now) > 0,
        .asked = true,                          /* the site is here */
        .attempts = (int)arg_number(q->job, "attempts", 0),
        .closure_missing = word && !strcmp(word, "closure-missing"),
        .last_attempt = arg_number(q->job, "changed", 0),
    };
}

/* " (deployment october, made by rule monthly)" */
static char *named(const struct deployment *d, const char *maker)
{
    bool rule = maker && !strncmp(maker, "rule:", 5), phased = maker && !strncmp(maker, "phased:", 7);

    return must_print("deployment %s%s%s%s%s", d->name, rule || phased ? ", made by " : "",
                      rule     ? "rule "
                      : phased ? "phased deployment "
                               : "",
                      rule     ? maker + 5
                      : phased ? maker + 7
                               : "",
                      d->halted ? ", halted" : "");
}

static void say_decisions(struct question *q, const struct decision *list, size_t count, const struct deployment *d, const char *maker)
{
    char *name = named(d, maker);

    for (size_t i = 0; i < count; i++) {
        char *text = must_print("%s%s%s (%s)", reason_text(list[i].reason), list[i].reason == REASON_HALTED ? ": " : "",
                                list[i].reason == REASON_HALTED ? d->halted : "", name);
        json_array_append_new(q->reasons, reason(reason_word(list[i].reason), text, list[i].document, list[i].clock));
        free(text);
    }
    free(name);
}

static enum err ask_deployment(struct question *q, const struct deployment *d, const json_t *row, struct error *e)
{
    struct collection *c = NULL;
    struct decision    list[DECISIONS_MOST];
    struct situation   s;
    bool               member;
    enum err           code = collection_whole(q->a->ledger, d->collection, &c, e);

    if (code)
        return code;
    member = collection_has(c, arg_text(q->node, "id"), json_object_get(q->node, "facts"), q->a->now, NULL);
    s = situation_of(q, d, member, rows_number(q->a->ledger, LEDGER_MEMBER_DOWNLOADED, "ss", arg_text(row, "group"), q->update->id) > 0);
    say_decisions(q, list, decide_all(&s, &q->holds.rules, q->a->now, list), d, arg_text(row, "made_by"));
    collection_free(c);
    return OK;
}

struct candidate {
    struct deployment *deployment;
    json_t            *row;                     /* borrowed */
};

/* The leading one first, as the node chooses it (design.md 8.9). */
static void put_in_order(struct candidate *list, size_t count, const struct node_rules *rules)
{
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k && decide_order(list[k].deployment, list[k - 1].deployment, rules) < 0; k--) {
            struct candidate c = list[k];
            list[k] = list[k - 1];
            list[k - 1] = c;
        }
}

static void say_undeployed(struct question *q, size_t deployments)
{
    json_t     *row = rows_one(q->a->ledger, LEDGER_UPDATE_SHOW, "s", q->update->id);
    const char *by = arg_text(row, "superseded_by");
    char       *text = NULL;

    if (json_is_true(json_object_get(row, "expired")))
        text = must_print("it has expired%s%s: deployments carry it no longer", by ? "; newer is " : "", by ? by : "");
    else if (!deployments)
        text = must_copy("no deployment carries it");
    if (text)
        json_array_append_new(q->reasons, reason(reason_word(REASON_NOT_DEPLOYED), text, "", 0));
    json_decref(row);
    free(text);
}

static enum err ask(struct question *q, struct error *e)
{
    json_t           *rows = NULL, *row;
    struct candidate *list;
    size_t            i, count = 0;
    enum err          code = rows_all(q->a->ledger, LEDGER_DEPLOYMENTS_OF, &rows, e, "s", q->update->id);

    list = must_alloc((json_array_size(rows) + 1) * sizeof *list);
    json_array_foreach(rows, i, row) {
        list[count].row = row;
        code = code ? code : deployment_head(q->a, row, &list[count].deployment, e);
        count += !code;
    }
    if (!code)
        say_undeployed(q, count);
    put_in_order(list, count, &q->holds.rules);
    for (i = 0; i < count; i++) {
        code = code ? code : ask_deployment(q, list[i].deployment, list[i].row, e);
        deployment_free(list[i].deployment);
    }
    free(list);
    json_decref(rows);
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
        code = holds_open(a, q.node, &q.holds, e);
        code = code ? code : ask(&q, e);
        node_said(&q);
    }
    if (!code) {
        *out = json_pack("{s:O,s:s,s:s,s:s,s:O}", "node", json_object_get(q.node, "hostname"), "update", id, "title", q.update->title,
                         "state", state_name((enum update_state)arg_number(q.state, "state", STATE_NOT_REQUIRED)), "reasons", q.reasons);
        json_object_set_new(*out, "timezone", json_string(zone_name(q.holds.zone)));
        contact(&q, *out);
    }
    holds_end(&q.holds);
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
