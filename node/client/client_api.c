/* The node's part of the control API: what its user sees and may ask for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/client/core.h"
#include "policy/document/json.h"

static json_t *time_json(int64_t seconds)
{
    char text[TIME_SIZE];

    return json_string(seconds ? time_print(seconds, text) : "");
}

/* --- the node --- */

static json_t *next_window(struct client *c)
{
    const struct node_rules *r = &c->rules;
    struct opening           o;
    json_t                  *out;
    bool                     open;

    if (!r->window_count || !windows_next(r->windows, r->window_count, r->settings.windows_union, r->zone, client_now(c), 1, &o))
        return json_null();
    open = o.begin <= client_now(c);
    AUTO(text_free) char *begin = sentence_time(c, o.begin), *end = sentence_time(c, o.end), *names = sentence_window(c, o.begin);
    out = json_pack("{s:o,s:o,s:s}", "begin", time_json(o.begin), "end", time_json(o.end), "names", names ? names : "");
    json_object_set_new(out, "text", json_sprintf("%s %s %s%s%s%s", open ? "open" : begin, open ? "until" : "to", end, names ? " (" : "",
                                                  names ? names : "", names ? ")" : ""));
    return out;
}

static json_t *next_installation(struct client *c)
{
    struct job *first = NULL;
    int64_t     at = 0, moment;
    json_t     *out;

    for (struct job *j = c->jobs; j; j = j->next)
        if (j->update && j->found == STATE_REQUIRED && (moment = sentence_moment(c, j)) && (!first || moment < at)) {
            first = j;
            at = moment;
        }
    if (!first)
        return json_null();
    AUTO(text_free) char *text = sentence_job(c, first);
    out = json_pack("{s:s,s:s,s:o}", "update", first->row.update, "name", first->update->name, "at", time_json(at));
    json_object_set_new(out, "text", json_sprintf("%s %s %s", first->update->name, first->update->version, text));
    return out;
}

static json_t *restart_json(struct client *c)
{
    const struct restart_decision *d = &c->reboot.decision;
    AUTO(text_free) char *text = sentence_restart(c);
    json_t *causes = json_array();

    for (struct job *j = c->jobs; j; j = j->next)
        if (j->row.restart_pending)
            json_array_append_new(causes, json_string(j->row.update));
    return json_pack("{s:s,s:o,s:o,s:o,s:s}", "state", restart_word(d->state), "at", time_json(d->at), "countdown_began",
                     time_json(c->reboot.begun), "causes", causes, "text", text);
}

static json_t *policy_json(struct client *c)
{
    int64_t    expires = c->verifier ? verifier_expires(c->verifier) : 0;
    AUTO(text_free) char *taken = c->last_poll ? sentence_time(c, c->last_poll) : NULL, *until = expires ? sentence_time(c, expires) : NULL;
    json_t    *out = json_pack("{s:o,s:o}", "taken", time_json(c->last_poll), "expires", time_json(expires));

    json_object_set_new(out, "text",
                        json_sprintf("%s%s%s%s", taken ? "taken " : "not taken since ferryd started", taken ? taken : "",
                                     until ? "; signed until " : "", until ? until : ""));
    return out;
}

static json_t *certificate_json(struct client *c)
{
    AUTO(text_free) char *text = c->enrolled ? identity_text(c) : NULL;

    return json_pack("{s:o,s:s,s:s}", "until", time_json(c->enrolled && c->identity.certificate ? c->identity.read.not_after : 0), "problem",
                     c->identity.why, "text", text ? text : "");
}

static void on_node(void *ctx, struct exchange *x)
{
    struct client *c = ctx;
    json_t        *counts = json_object(), *o;

    for (struct job *j = c->jobs; j; j = j->next)
        json_object_set_new(counts, job_word(j->state), json_integer(json_integer_value(json_object_get(counts, job_word(j->state))) + 1));
    o = json_pack("{s:s,s:s,s:s,s:b,s:o,s:s,s:{s:I,s:I},s:o,s:o}", "node", c->node_id, "hostname", c->hostname, "site",
                  c->site_name ? c->site_name : "", "enrolled", c->enrolled, "last_poll", time_json(c->last_poll), "problem", c->poll_error,
                  "messages", "waiting", (json_int_t)outbox_waiting(c->store), "last", (json_int_t)outbox_last(c->store), "policy_expires",
                  time_json(c->verifier ? verifier_expires(c->verifier) : 0), "updates", counts);
    json_object_set_new(o, "timezone", json_string(zone_name(c->zone)));
    json_object_set_new(o, "policy", policy_json(c));
    json_object_set_new(o, "certificate", certificate_json(c));
    put_text(o, "pending", *c->pending ? c->pending : NULL);
    json_object_set_new(o, "next_window", next_window(c));
    json_object_set_new(o, "next_installation", next_installation(c));
    json_object_set_new(o, "restart", restart_json(c));
    if (c->installing)
        put_text(o, "doing", c->installing->row.update);
    answer_json(x, 200, o);
}

/* --- its updates --- */

static json_t *job_row_json(struct client *c, struct job *j)
{
    AUTO(text_free) char *text = sentence_job(c, j);
    struct times          times = j->deployment ? decide_times(j->deployment, &c->rules) : (struct times){0};
    json_t               *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:i,s:o,s:s,s:s}", "id", j->row.update, "name", j->update->name, "version",
                                        j->update->version, "title", j->update->title, "state", job_word(j->state), "reason",
                                        j->running ? "installing" : reason_word(j->decision.reason), "code", (json_int_t)j->row.code, "attempts",
                                        j->row.attempts, "deadline", time_json(times.deadline), "text", text, "deployment",
                                        j->deployment ? j->deployment->name : "");

    if (times.deadline) {
        AUTO(text_free) char *when = sentence_time(c, times.deadline);
        put_text(o, "deadline_local", when);
    }
    return o;
}

static void on_updates(void *ctx, struct exchange *x)
{
    struct client *c = ctx;
    json_t        *items = json_array();

    for (struct job *j = c->jobs; j; j = j->next)
        if (j->update)
            json_array_append_new(items, job_row_json(c, j));
    answer_json(x, 200, json_pack("{s:o,s:I}", "items", items, "total", (json_int_t)json_array_size(items)));
}

struct job *client_find(struct client *c, const char *name, struct error *e)
{
    const char *names[200], *near;
    size_t      n = 0;

    for (struct job *j = c->jobs; j; j = j->next) {
        if (!j->update)
            continue;
        if (!strcmp(j->row.update, name) || !strcmp(j->update->name, name))
            return j;
        if (n < COUNT(names))
            names[n++] = j->update->name;
    }
    near = nearest(name, names, n);
    fail(e, ERR_NOT_FOUND, "no deployment gives this node \"%s\"%s%s%s", name, near ? "; did you mean \"" : "", near ? near : "",
         near ? "\"?" : "");
    return NULL;
}

static json_t *reason_json(struct client *c, struct job *j, const struct decision *d)
{
    AUTO(text_free) char *text = sentence_decision(c, j, d), *when = d->clock ? sentence_time(c, d->clock) : NULL;
    json_t *o = json_pack("{s:s,s:s,s:s,s:o}", "code", reason_word(d->reason), "text", text, "document", d->document, "clock", time_json(d->clock));

    put_text(o, "when", when);
    return o;
}

/* Every gate that is shut, in order: the first is why not now, the others come next. */
static json_t *reasons_json(struct client *c, struct job *j)
{
    struct situation s = situation_of(c, j);
    struct decision  all[DECISIONS_MOST];
    size_t           n = decide_all(&s, &c->rules, client_now(c), all);
    json_t          *out = json_array();

    if (!c->result)
        json_array_append_new(out, json_pack("{s:s,s:s,s:s,s:s}", "code", reason_word(REASON_STATE_UNKNOWN), "text",
                                             "the machine has not been scanned yet", "document", "", "clock", ""));
    for (size_t i = 0; i < n && c->result; i++)
        json_array_append_new(out, reason_json(c, j, &all[i]));
    return out;
}

static void on_why(void *ctx, struct exchange *x)
{
    struct client *c = ctx;
    struct error   e;
    struct job    *j = client_find(c, exchange_part(x, "update"), &e);

    if (!j) {
        answer_error(x, &e);
        return;
    }
    AUTO(text_free) char *text = sentence_job(c, j);
    answer_json(x, 200, json_pack("{s:s,s:s,s:s,s:s,s:o}", "update", j->row.update, "title", j->update->title, "state", job_word(j->state), "text",
                                  text, "reasons", reasons_json(c, j)));
}

/* --- what it may be asked for --- */

static void on_poll(void *ctx, struct exchange *x)
{
    client_reload(ctx);
    answer_json(x, 200, json_pack("{s:s}", "message", "asking for policy now"));
}

static void on_scan(void *ctx, struct exchange *x)
{
    struct client *c = ctx;

    c->scan_again = true;
    schedule_soon(c);
    answer_json(x, 200, json_pack("{s:s}", "message", "looking again what is installed"));
}

struct rows {
    struct client *client;
    json_t        *items;
};

static void on_bytes(void *ctx, const struct byte_row *row)
{
    struct rows          *r = ctx;
    struct fetch_progress p;
    char                  hex[SHA256_HEX];
    const uint64_t       *from = row->from;
    uint64_t              have = 0, waste = row->waste;

    if (!row->complete && fetcher_state(r->client->fetcher, &row->name, &p) != FETCH_NONE) {
        from = p.from;
        waste = p.waste;
    }
    for (int i = 0; i < BYTES_KINDS; i++)
        have += from[i];
    json_array_append_new(r->items, json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b}", "sha256", sha256_hex(&row->name, hex), "size",
                                              (json_int_t)row->size, "have", (json_int_t)have, "http", (json_int_t)from[BYTES_HTTP],
                                              "peers", (json_int_t)from[BYTES_PEERS], "cache", (json_int_t)from[BYTES_CACHE], "origin",
                                              (json_int_t)from[BYTES_ORIGIN], "waste", (json_int_t)waste, "complete", row->complete));
}

static void on_contents(void *ctx, struct exchange *x)
{
    struct rows r = {ctx, json_array()};

    if (r.client->fetcher)
        store_bytes_each(r.client->store, on_bytes, &r);
    answer_json(x, 200, json_pack("{s:o,s:I}", "items", r.items, "total", (json_int_t)json_array_size(r.items)));
}

static void on_cached(void *ctx, const struct sha256 *name, uint64_t size, int64_t referenced)
{
    char hex[SHA256_HEX];

    json_array_append_new(
        ctx, json_pack("{s:s,s:I,s:o}", "sha256", sha256_hex(name, hex), "size", (json_int_t)size, "referenced", time_json(referenced)));
}

static void on_cache(void *ctx, struct exchange *x)
{
    struct client *c = ctx;
    json_t        *items = json_array();

    cache_each(c->cache, on_cached, items);
    answer_json(x, 200, json_pack("{s:o,s:I}", "items", items, "total", (json_int_t)json_array_size(items)));
}

const struct route client_routes[] = {
    {"GET", "/api/v1/node", 0, on_node, "this node"},
    {"GET", "/api/v1/node/updates", 0, on_updates, "its updates and what will happen to them"},
    {"GET", "/api/v1/node/why/{update...}", 0, on_why, "why an update is not installed"},
    {"POST", "/api/v1/node/install", 4096, client_on_install, "install it now, or at a chosen time"},
    {"POST", "/api/v1/node/postpone", 4096, client_on_postpone, "not before a chosen time"},
    {"GET", "/api/v1/node/hours", 0, client_on_hours, "the user's business hours"},
    {"POST", "/api/v1/node/hours", 4096, client_on_hours_set, "set them"},
    {"POST", "/api/v1/node/restart", 4096, client_on_restart, "restart now, if a restart is pending"},
    {"POST", "/api/v1/node/poll", 4096, on_poll, "ask for policy now"},
    {"POST", "/api/v1/node/scan", 4096, on_scan, "look again what is installed"},
    {"GET", "/api/v1/node/contents", 0, on_contents, "the byte ledger"},
    {"GET", "/api/v1/node/cache", 0, on_cache, "the content it keeps"},
};
const size_t client_route_count = COUNT(client_routes);
