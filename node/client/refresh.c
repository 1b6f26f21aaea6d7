/* Policy in: the verifier says which file it wants next, the web brings it; then the documents this node obeys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/core.h"
#include "node/client/remote.h"
#include "policy/document/json.h"

#define TARGET_LIMIT (64u << 20)
#define FRESH_S      60                         /* a policy that is younger need not be asked for before an installation */
#define FILE_MS      120000                     /* one file */
#define REFRESH_MS   (15 * 60000)               /* the whole refresh; what has come by then stays, and the next one goes on from there */

static enum err role_get(void *ctx, const char *role, char **out, size_t *length, struct error *e)
{
    return store_blob(ctx, "role", role, out, length, e);
}

static enum err role_put(void *ctx, const char *role, const char *bytes, size_t length, const char *const *drop, struct error *e)
{
    enum err code = store_begin(ctx, e);

    if (code)
        return code;
    code = store_blob_put(ctx, "role", role, bytes, length, e);
    if (!code && !strcmp(role, "root"))
        code = remote_keep_root(ctx, bytes, length, e);
    for (; drop && *drop && !code; drop++)
        code = store_blob_drop(ctx, "role", *drop, e);
    return store_end(ctx, code, e);
}

static enum err verifier_open(struct client *c, struct verifier **out, struct error *e)
{
    struct verifier_store store = {c->store, role_get, role_put};
    enum err              code = verifier_new(PROFILE_FERRY, &store, client_now(c), out, e);

    if (!code)
        vouched_brief(c, *out);
    return code;
}

/* --- documents in force --- */

static void deployments_end(struct client *c)
{
    for (struct job *j = c->jobs; j; j = j->next)
        if (j != c->installing) {
            j->update = NULL;
            j->deployment = NULL;
        }
    for (size_t i = 0; i < c->deployment_count; i++)
        deployment_free(c->deployments[i]);
    free(c->deployments);
    c->deployments = NULL;
    c->deployment_count = 0;
}

/* What everybody needs: fleet, scan, holding, collections. */
static void common_end(struct client *c)
{
    for (size_t i = 0; i < c->collection_count; i++)
        collection_free(c->collections[i]);
    free(c->collections);
    fleet_free(c->fleet);
    scan_free(c->scan);
    holding_free(c->holding);
    c->collections = NULL;
    c->fleet = NULL;
    c->scan = NULL;
    c->holding = NULL;
    c->collection_count = 0;
}

void documents_end(struct client *c)
{
    deployments_end(c);
    common_end(c);
    json_decref(c->acknowledged);
    c->acknowledged = NULL;
}

static bool is_collection(const char *name)
{
    size_t n = strlen(name);

    return n > 16 && !strcmp(name + n - 16, "/collection.json");
}

/* Also names the collection of a target: "policy/tills/october.json". */
static bool in_collection(struct client *c, const char *role)
{
    for (size_t i = 0; i < c->collection_count; i++)
        if (!strcmp(c->collections[i]->name, role))
            return collection_has(c->collections[i], c->node_id, c->facts, client_now(c), NULL);
    return false;
}

/* Pass 0: what everybody needs; pass 1: deployments of this node's collections. */
static bool concerns(struct client *c, const struct verifier_target *t, int pass)
{
    char dp[100];

    snprintf(dp, sizeof dp, "policy/fleet/dp-%s.json", c->options.config->dp_name ? c->options.config->dp_name : "");
    if (!strcmp(t->role, "fleet"))
        return pass == 0 &&
               (!strcmp(t->name, "policy/fleet/fleet.json") || (c->options.install && !strcmp(t->name, "policy/fleet/scan.json")) ||
                (config_has_role(c->options.config, "distribution-point") && !strcmp(t->name, dp)));
    if (!c->options.install)
        return false;
    return pass == 0 ? is_collection(t->name) : !is_collection(t->name) && in_collection(c, t->role);
}

static enum err parse(struct client *c, const char *name, const json_t *body, struct error *e)
{
    const char *type = json_string_value(json_object_get(body, "type"));

    if (!type)
        return fail(e, ERR_VERIFY, "%s: it has no type", name);
    if (!strcmp(type, "fleet"))
        return fleet_from_json(body, &c->fleet, e);
    if (!strcmp(type, "scan"))
        return scan_from_json(body, &c->scan, e);
    if (!strcmp(type, "dp"))
        return holding_from_json(body, &c->holding, e);
    if (!strcmp(type, "collection")) {
        c->collections = must_grow(c->collections, c->collection_count + 1, sizeof *c->collections);
        enum err code = collection_from_json(body, &c->collections[c->collection_count], e);
        c->collection_count += !code;
        return code;
    }
    if (!strcmp(type, "deployment")) {
        c->deployments = must_grow(c->deployments, c->deployment_count + 1, sizeof *c->deployments);
        enum err code = deployment_from_json(body, &c->deployments[c->deployment_count], e);
        c->deployment_count += !code;
        return code;
    }
    return fail(e, ERR_VERIFY, "%s: \"%.40s\" is no type of document this Ferry knows", name, type);
}

/* One target out of the store, when it is the signed one. */
static bool load_target(struct client *c, const struct verifier_target *t)
{
    char        *bytes = NULL;
    size_t       length = 0;
    json_t      *body = NULL;
    struct error e;
    enum err     code = store_blob(c->store, "target", t->name, &bytes, &length, &e);

    if (!code && !bytes)
        return false;
    code = code ? code : verifier_check_target(t, c->site_id, bytes, length, &e);
    code = code ? code : json_read(bytes, length, TARGET_LIMIT, &body, &e);
    code = code ? code : parse(c, t->name, body, &e);
    if (!code)
        json_object_set_new(c->acknowledged, t->name, json_integer(t->seq));
    else
        log_error(LOG_WARN, "policy.refused", t->name, &e);
    json_decref(body);
    free(bytes);
    return !code;
}

static void load_pass(struct client *c, int pass)
{
    for (size_t i = 0; i < verifier_target_count(c->verifier); i++) {
        const struct verifier_target *t = verifier_target(c->verifier, i);
        if (concerns(c, t, pass))
            load_target(c, t);
    }
}

/* Where this node is, once the fleet is known. */
static void place(struct client *c)
{
    const struct boundary_group *g = c->fleet ? fleet_group_of(c->fleet, c->address) : NULL;

    json_object_set_new(c->facts, "boundary.group", json_string(g ? g->name : ""));
    if (c->fetcher)
        fetcher_policy(c->fetcher, c->fleet, c->address);
    report_change(c, "facts", json_pack("{s:O}", "facts", c->facts));
}

/* Pass 0. The deployments in force stay meanwhile: the new ones may still be on their way. */
static void load_common(struct client *c)
{
    if (c->fetcher)
        fetcher_policy(c->fetcher, NULL, NULL);
    common_end(c);
    json_decref(c->acknowledged);
    c->acknowledged = json_object();
    load_pass(c, 0);
    identity_fleet(c);
    place(c);
    rules_make(c);
    if (c->options.on_holding && c->fleet)      /* before anything else can fail: it names the nodes that are not served any more */
        c->options.on_holding(c->options.ctx, c->fleet, c->holding);
}

static void load_deployments(struct client *c)
{
    deployments_end(c);
    load_pass(c, 1);
    if (c->options.install)
        situation_gather(c);                    /* so that nobody who asks meanwhile hears that nothing is deployed */
    report_change(c, "acknowledge", json_pack("{s:O}", "documents", c->acknowledged));
    schedule_soon(c);
}

void refresh_recall(struct client *c)
{
    struct error e;

    if (verifier_open(c, &c->verifier, &e) || verifier_recall(c->verifier, &e)) {
        verifier_free(c->verifier);
        c->verifier = NULL;
        return;
    }
    vouched_policy(c, false);
    load_common(c);
    load_deployments(c);
    c->scan_again = true;
}

/* --- the poll --- */

bool refresh_fresh(struct client *c)
{
    return c->poll_good_ms && clock_ms() - c->poll_good_ms < FRESH_S * 1000 && client_now(c) - c->last_poll < FRESH_S;
}

/* Its on_done comes with ERR_AGAIN, and ends the poll. */
void refresh_stop(struct client *c)
{
    if (c->poll_request)
        web_cancel(c->poll_request);
}

static int64_t poll_every(const struct client *c)
{
    if (c->options.config->poll)
        return c->options.config->poll;
    if (c->rules.settings.poll_s)
        return c->rules.settings.poll_s;
    return c->fleet ? c->fleet->poll_s : 3600;
}

static void finished(struct client *c, const char *why)
{
    int64_t every = poll_every(c);
    int64_t wait = every * 900 + (int64_t)(hash_bytes(&c->last_poll, sizeof c->last_poll).b[0]) * every * 200 / 255;

    c->polling = false;
    snprintf(c->poll_error, sizeof c->poll_error, "%s", why ? why : "");
    if (why) {
        c->poll_wait_ms = c->poll_wait_ms ? c->poll_wait_ms * 2 : 2000;
        c->poll_wait_ms = wait = c->poll_wait_ms < wait ? c->poll_wait_ms : wait;
        log_say(LOG_WARN, "poll.failed", why, NULL);
    } else {
        vouched_policy(c, true);
        c->poll_wait_ms = 0;
        c->last_poll = client_now(c);
        c->poll_good_ms = clock_ms();
        if (c->target_changed)
            installer_tell(c);
    }
    c->next_poll = clock_ms() + (c->poll_again ? 0 : wait);
    c->poll_again = false;
    if (c->ask == ASK_RUNNING) {
        c->ask = why ? ASK_UNANSWERED : ASK_IDLE;
        schedule_soon(c);
    }
    client_release(c);
}

static void next_target(struct client *c);
static void next_file(struct client *c);

static void get(struct client *c, const char *dir, const char *path, size_t limit, void (*on_done)(void *, const struct web_answer *))
{
    AUTO(text_free) char *below = must_print("/policy/%s/%s", dir, path), *url = NULL;
    struct error    e;
    int64_t         left = c->poll_deadline_ms - clock_ms(), timeout = left < 1 ? 1 : left < FILE_MS ? left : FILE_MS;
    struct web_call call = {.limit = limit, .timeout_ms = timeout, .stall_ms = 15000, .on_done = on_done, .ctx = c};

    if (identity_call(c, below, &call, &url, &e))
        finished(c, e.text);
    else
        c->poll_request = web_start(c->options.web, &call);
}

static bool stored(struct client *c, const struct verifier_target *t)
{
    char         *bytes = NULL;
    size_t        length = 0;
    struct sha256 h;
    bool          same;

    if (store_blob(c->store, "target", t->name, &bytes, &length, NULL) || !bytes)
        return false;
    h = hash_bytes(bytes, length);
    same = sha256_same(&h, &t->sha256);
    free(bytes);
    return same;
}

static void on_target(void *ctx, const struct web_answer *answer)
{
    struct client                *c = ctx;
    const struct verifier_target *t = verifier_target(c->verifier, c->target_at);
    struct error                  e = answer->error;
    enum err                      code = answer->code;

    c->poll_request = NULL;
    if (c->closing) {
        finished(c, "closing");
        return;
    }
    code = code ? code : verifier_check_target(t, c->site_id, answer->body, answer->length, &e);
    code = code ? code : store_blob_put(c->store, "target", t->name, answer->body, answer->length, &e);
    if (code) {
        char why[300];
        snprintf(why, sizeof why, "%.100s: %.180s", t->name, e.text);
        finished(c, why);
        return;
    }
    c->target_changed = true;
    c->scan_again = c->scan_again || !strcmp(t->name, "policy/fleet/scan.json");
    c->target_at++;
    next_target(c);
}

static void next_target(struct client *c)
{
    for (; c->target_at < verifier_target_count(c->verifier); c->target_at++) {
        const struct verifier_target *t = verifier_target(c->verifier, c->target_at);
        if (!concerns(c, t, c->target_pass) || stored(c, t))
            continue;
        char path[400];
        snprintf(path, sizeof path, "%s", t->url_path);
        get(c, "targets", path, (size_t)t->length, on_target);
        return;
    }
    if (c->target_pass == 0) {
        /* Collections are here now: which of them this node is in decides what else concerns it. */
        if (c->target_changed)
            load_common(c);
        c->target_pass = 1;
        c->target_at = 0;
        next_target(c);
        return;
    }
    if (c->target_changed)
        load_deployments(c);
    finished(c, NULL);
}

static void on_file(void *ctx, const struct web_answer *answer)
{
    struct client *c = ctx;

    c->poll_request = NULL;
    if (c->closing) {
        finished(c, "closing");
        return;
    }
    if (!answer->code)
        verifier_give(c->verifier, answer->body, answer->length);
    else if (answer->code == ERR_NOT_FOUND && answer->status)
        verifier_absent(c->verifier);
    else {
        char why[300];
        snprintf(why, sizeof why, "%.290s", answer->error.text);
        verifier_free(c->verifier);
        c->verifier = NULL;
        if (answer->code == ERR_DENIED)
            identity_doubt(c);
        finished(c, why);
        return;
    }
    next_file(c);
}

static void next_file(struct client *c)
{
    struct verifier_want want;
    char                 why[300];

    enum verifier_verdict verdict = verifier_next(c->verifier, &want);

    switch (verdict) {
    case VERIFIER_WANT: get(c, "metadata", want.path, want.limit, on_file); return;
    case VERIFIER_DONE: case VERIFIER_UNCHANGED:
        c->target_at = 0;
        c->target_pass = 0;
        c->target_changed = verdict == VERIFIER_DONE || !c->fleet;
        next_target(c);
        return;
    case VERIFIER_FAILED: break;
    }
    snprintf(why, sizeof why, "policy: %.280s", verifier_error(c->verifier)->text);
    if (!vouched_refused(c, why))
        report_change(c, "alert", json_pack("{s:s,s:s}", "event", "policy.refused", "detail", why));
    verifier_free(c->verifier);
    c->verifier = NULL;
    finished(c, why);
}

void refresh_begin(struct client *c)
{
    struct error e;

    c->polling = true;
    c->poll_deadline_ms = clock_ms() + REFRESH_MS;
    client_hold(c);
    verifier_free(c->verifier);
    c->verifier = NULL;
    if (verifier_open(c, &c->verifier, &e))
        finished(c, e.text);
    else
        next_file(c);
}
