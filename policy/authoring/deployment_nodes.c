/* The nodes of a deployment: where each stands and why, and a second try for those that failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"
#include "policy/trust/role.h"

#define SHOWN 1000

/* Whether an update of a node is what put the node where it stands. */
static bool decides(const json_t *row, enum standing s)
{
    const char *enforcement = arg_text(row, "enforcement");
    int64_t     state = arg_number(row, "state", STATE_NOT_REQUIRED);
    bool        bad = enforcement && (!strcmp(enforcement, "failed") || !strcmp(enforcement, "download-failed"));
    bool        restart = enforcement && !strcmp(enforcement, "restart-pending");

    if (s == STANDING_FAILED)
        return bad && (state == STATE_UNKNOWN || state == STATE_REQUIRED);
    if (s == STANDING_PROGRESS)
        return state == STATE_REQUIRED || restart;
    return s == STANDING_UNKNOWN && state == STATE_UNKNOWN;
}

static void set_text(json_t *o, const char *name, const char *text)
{
    json_object_set_new(o, name, json_string(text ? text : ""));
}

/* The update, and the node's own last word about it. */
static void put_why(json_t *item, const json_t *row, const json_t *node)
{
    const char *word = arg_text(row, "reason"), *detail = arg_text(row, "detail");
    int64_t     since = arg_number(row, "changed", 0);
    enum reason r = REASON_COUNT;
    char        time[TIME_SIZE], *text;

    if (!word)
        since = arg_number(node, "scanned", 0);
    if (word && reason_by_word(word, &r))
        text = must_print("%s%s%s", reason_text(r), detail ? ": " : "", detail ? detail : "");
    else
        text = must_copy(detail ? detail : word ? word : row ? "its scan says so; it has not begun" : "");
    set_text(item, "update", arg_text(row, "update_id"));
    set_text(item, "enforcement", arg_text(row, "enforcement"));
    set_text(item, "reason", word);
    set_text(item, "text", arg_number(node, "scanned", 0) ? text : "it has not reported a scan yet");
    set_text(item, "since", since ? time_print(since, time) : "");
    free(text);
}

static enum err node_item(struct author *a, const char *group, const json_t *node, enum standing s, json_t *list, struct error *e)
{
    json_t  *rows = NULL, *row, *decider = NULL, *item = json_object();
    char     time[TIME_SIZE];
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_DEPLOYMENT_STATES, &rows, e, "ss", group, arg_text(node, "id"));

    json_array_foreach(rows, i, row)
        if (!decider && decides(row, s))
            decider = row;
    json_object_set(item, "node", json_object_get(node, "hostname"));
    json_object_set(item, "id", json_object_get(node, "id"));
    set_text(item, "state", standing_word(s));
    put_why(item, decider, node);
    set_text(item, "last_contact", time_print(arg_number(node, "last_contact", 0), time));
    json_array_append_new(list, item);
    json_decref(rows);
    return code;
}

static enum err state_wanted(const json_t *args, enum standing *out, struct error *e)
{
    const char *word = arg_text(args, "state");

    *out = STANDING_NONE;
    if (!word || standing_by_word(word, out))
        return *out == STANDING_SILENT ? fail(e, ERR_USAGE, "--state silent is a phase's word; --state unknown shows them") : OK;
    return fail(e, ERR_USAGE, "--state: compliant, in-progress, unknown and failed are accepted, not \"%.40s\"", word);
}

enum err deployment_nodes(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t              *row = NULL, *list = json_array(), *node;
    const enum standing *standings = NULL;
    struct progress     *p = NULL;
    struct tally         t = {0};
    enum standing        wanted;
    int64_t              limit = arg_number(args, "limit", 100), total = 0;
    size_t               i;
    enum err             code = state_wanted(args, &wanted, e);

    limit = limit < 1 ? 1 : limit > SHOWN ? SHOWN : limit;
    code = code ? code : deployment_row(a, args, &row, e);
    code = code ? code : progress_open(a, &p, e);
    code = code ? code : progress_of(p, row, &t, &standings, e);
    if (!code)
        json_array_foreach(progress_nodes(p), i, node) {
            if (code || standings[i] == STANDING_NONE || (wanted != STANDING_NONE && standings[i] != wanted))
                continue;
            if (total++ < limit)
                code = node_item(a, arg_text(row, "group"), node, standings[i], list, e);
        }
    if (!code)
        *out = json_pack("{s:O,s:I}", "items", list, "total", (json_int_t)total);
    progress_close(p);
    json_decref(row);
    json_decref(list);
    return code;
}

/* --- retry --- */

/* "october-retry", "october-retry-2" …: what neither a deployment nor a collection is called. A collection's name has no dots. */
static enum err retry_name(struct author *a, const char *name, char **out, struct error *e)
{
    char *free_one = must_print("%s-retry", name);

    for (int i = 2;; i++) {
        for (char *c = free_one; *c; c++)
            *c = *c == '.' ? '-' : *c;
        if (!rows_number(a->ledger, LEDGER_DEPLOYMENT_HAS, "s", free_one) && !rows_number(a->ledger, LEDGER_COLLECTION_HAS, "s", free_one))
            break;
        free(free_one);
        free_one = must_print("%s-retry-%d", name, i);
    }
    *out = free_one;
    if (role_name_ok(free_one))
        return OK;
    return fail(e, ERR_CONDITION, "\"%s\" would be the name, and a name has at most 64 letters", free_one);
}

static enum err failed_nodes(struct author *a, const json_t *row, json_t *ids, struct error *e)
{
    const enum standing *standings = NULL;
    struct progress     *p = NULL;
    struct tally         t = {0};
    json_t              *node;
    size_t               i;
    enum err             code = progress_open(a, &p, e);

    code = code ? code : progress_of(p, row, &t, &standings, e);
    if (!code)
        json_array_foreach(progress_nodes(p), i, node)
            if (standings[i] == STANDING_FAILED)
                json_array_append(ids, json_object_get(node, "id"));
    progress_close(p);
    return code;
}

/* It leads the old one on these nodes, because its times lie before the old one's; what is spread there is not spread here. */
static enum err retry_terms(struct author *a, const json_t *row, struct terms *t, int64_t *available, int64_t *deadline, struct error *e)
{
    int64_t  first = arg_number(row, "available_s", 0) - 1, due = arg_number(row, "deadline_s", 0) - 1;
    enum err code = terms_stored(json_object_get(row, "terms"), t, e);

    *available = *deadline = 0;
    t->randomize_s = t->gradual_s = 0;
    code = code ? code : times_take(a, NULL, t, available, deadline, e);        /* now, by the clock that counts */
    *deadline = t->purpose == PURPOSE_AVAILABLE ? 0 : due < *available ? due : *available;
    if (first < *available)
        *available = first;
    if (*deadline && *deadline < *available)
        *available = *deadline;
    return code;
}

static enum err retry(struct author *a, const json_t *row, const char *name, const json_t *ids, struct error *e)
{
    struct terms t;
    int64_t      available, deadline;
    json_t      *stored = json_pack("{s:O}", "nodes", ids);
    char        *text = json_dumps(stored, JSON_COMPACT), *terms;
    enum err     code = rows_run(a->ledger, LEDGER_COLLECTION_PUT, e, "ss", name, text);

    code = code ? code : retry_terms(a, row, &t, &available, &deadline, e);
    if (!code) {
        terms = terms_text(&t);
        code = rows_run(a->ledger, LEDGER_DEPLOYMENT_PUT, e, "sssiiissi", name, arg_text(row, "group"), name, available, deadline, (int64_t)1,
                        terms, a->who, a->now);
        free(terms);
    }
    free(text);
    json_decref(stored);
    return code ? code : collections_fit(a, name, e);
}

enum err deployment_retry(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row, *ids = json_array();
    char    *name = NULL;
    enum err code = deployment_row(a, args, &row, e);

    code = code ? code : failed_nodes(a, row, ids, e);
    if (!code && !json_array_size(ids))
        code = fail(e, ERR_CONDITION, "no node of deployment %s has failed", arg_text(row, "name"));
    if (!code && !json_is_true(json_object_get(row, "enabled")))
        code = fail(e, ERR_CONDITION, "deployment %s is disabled; enable it first", arg_text(row, "name"));
    if (!code && arg_text(row, "halted"))
        code = fail(e, ERR_CONDITION, "deployment %s is halted: %s", arg_text(row, "name"), arg_text(row, "halted"));
    code = code ? code : retry_name(a, arg_text(row, "name"), &name, e);
    code = code ? code : retry(a, row, name, ids, e);
    if (!code) {
        *out = message("deployment and collection %s: group %s again to the %zu nodes that failed", name, arg_text(row, "group"),
                       json_array_size(ids));
        json_object_set_new(*out, "name", json_string(name));
        json_object_set_new(*out, "nodes", json_integer((json_int_t)json_array_size(ids)));
    }
    free(name);
    json_decref(ids);
    json_decref(row);
    return code;
}
