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
    if (c->installing)
        put_text(o, "doing", c->installing->row.update);
    answer_json(x, 200, o);
}

static char *sentence(struct client *c, struct job *j)
{
    char time[TIME_SIZE];

    if (j->running)
        return must_print("being worked on now: %s", *j->step ? j->step : "beginning");
    if (!c->result)
        return must_copy("the machine has not been scanned yet");
    if (j->decision.clock)
        return must_print("%s (%s)%s%s", reason_text(j->decision.reason), time_print(j->decision.clock, time), *j->row.detail ? ": " : "",
                          j->row.detail);
    return must_print("%s%s%s", reason_text(j->decision.reason), *j->row.detail ? ": " : "", j->row.detail);
}

static json_t *job_row_json(struct client *c, struct job *j)
{
    struct node_rules rules = client_rules(c);
    char             *text = sentence(c, j);
    json_t           *o =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:i,s:o,s:s}", "id", j->row.update, "name", j->update->name, "version", j->update->version,
                  "title", j->update->title, "state", job_word(j->state), "reason",
                  j->running ? "installing" : reason_word(j->decision.reason), "code", (json_int_t)j->row.code, "attempts", j->row.attempts,
                  "deadline", time_json(j->deployment ? decide_times(j->deployment, &rules).deadline : 0), "text", text);

    json_object_set_new(o, "deployment", json_string(j->deployment ? j->deployment->name : ""));
    free(text);
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

static struct job *find(struct client *c, const char *name, struct error *e)
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

static void on_why(void *ctx, struct exchange *x)
{
    struct client *c = ctx;
    struct error   e;
    struct job    *j = find(c, exchange_part(x, "update"), &e);
    char          *text;

    if (!j) {
        answer_error(x, &e);
        return;
    }
    text = sentence(c, j);
    answer_json(x, 200,
                json_pack("{s:s,s:s,s:s,s:[{s:s,s:s,s:s,s:o}]}", "update", j->row.update, "title", j->update->title, "state",
                          job_word(j->state), "reasons", "code", reason_word(j->decision.reason), "text", text, "document",
                          j->decision.document, "clock", time_json(j->decision.clock)));
    free(text);
}

static void on_install(void *ctx, struct exchange *x)
{
    struct client *c = ctx;
    struct error   e;
    size_t         length;
    const char    *bytes = exchange_body(x, &length), *name;
    json_t        *body = NULL;
    struct job    *j;

    if (json_read(bytes, length, 4096, &body, &e)) {
        answer_error(x, &e);
        return;
    }
    name = json_string_value(json_object_get(body, "update"));
    j = find(c, name ? name : "", &e);
    if (j && (j->state == JOB_INSTALLED || j->state == JOB_UNNEEDED)) {
        fail(&e, ERR_CONDITION, "%s: %s", j->row.update, reason_text(j->decision.reason));
        j = NULL;
    }
    if (!j) {
        answer_error(x, &e);
    } else {
        j->row.user_asked = true;
        j->row.attempts = 0;
        store_job_put(c->store, &j->row, NULL);
        schedule_soon(c);
        answer_json(x, 200, json_pack("{s:o}", "message", json_sprintf("%s is installed as soon as its content is here", j->row.update)));
    }
    json_decref(body);
}

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
    {"POST", "/api/v1/node/install", 4096, on_install, "install it now"},
    {"POST", "/api/v1/node/poll", 4096, on_poll, "ask for policy now"},
    {"POST", "/api/v1/node/scan", 4096, on_scan, "look again what is installed"},
    {"GET", "/api/v1/node/contents", 0, on_contents, "the byte ledger"},
    {"GET", "/api/v1/node/cache", 0, on_cache, "the content it keeps"},
};
const size_t client_route_count = COUNT(client_routes);
