/* Which documents lead, what has to be scanned, and when to look again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/core.h"

#define LOOK_AGAIN_MS 60000

void schedule_soon(struct client *c)
{
    c->schedule_at = clock_ms();
}

struct node_rules client_rules(const struct client *c)
{
    struct node_rules rules = {.node_id = c->node_id};

    members_default(settings_table, settings_count, &rules.settings);
    return rules;
}

/* The deployment that leads each update: the enabled one with the earliest deadline; a disabled one only when there is no other. */
static void lead(const struct node_rules *rules, struct job *j, const struct deployment *d, const struct update *u)
{
    bool better = !j->deployment || (d->enabled && !j->deployment->enabled) ||
                  (d->enabled == j->deployment->enabled && decide_order(d, j->deployment, rules) < 0);

    if (!better)
        return;
    j->deployment = d;
    j->update = u;
}

static void gather(struct client *c)
{
    struct node_rules rules = client_rules(c);

    for (struct job *j = c->jobs; j; j = j->next)
        if (!j->running) {
            j->deployment = NULL;
            j->update = NULL;
        }
    for (size_t i = 0; i < c->deployment_count; i++)
        for (size_t u = 0; u < c->deployments[i]->update_count; u++) {
            struct job *j = job_find(c, c->deployments[i]->updates[u]->id);
            if (!j->running)
                lead(&rules, j, c->deployments[i], c->deployments[i]->updates[u]);
        }
}

/* --- scanning --- */

static json_t *scan_message(const struct scan_result *r)
{
    json_t *states = json_object();
    json_t    *asked = json_array();
    json_int_t counts[STATE_COUNT] = {0};

    for (char **a = r->asked; a && *a; a++)
        json_array_append_new(asked, json_string(*a));

    for (size_t i = 0; i < r->count; i++) {
        json_object_set_new(states, r->states[i].id, json_pack("[s,i]", state_name(r->states[i].state), r->states[i].held));
        counts[r->states[i].state]++;
    }
    return json_pack("{s:{s:O,s:o,s:o},s:{s:I,s:I,s:I}}", "scan", "catalogs", r->catalogs, "asked", asked, "states", states, "counts",
                     "required", counts[STATE_REQUIRED], "installed", counts[STATE_INSTALLED], "unknown", counts[STATE_UNKNOWN]);
}

static void on_scanned(void *ctx, struct scan_result *r)
{
    struct client *c = ctx;

    c->scanning = false;
    if (c->closing) {
        scan_result_free(r);
    } else {
        scan_result_free(c->result);
        c->result = r;
        c->scanned_at = client_now(c);
        c->repair = c->repair || r->interrupted;
        if (r->code) {
            log_error(LOG_WRONG, "scan.failed", "scanning", &r->error);
            report_change(c, "alert", json_pack("{s:s,s:s}", "event", "scan.failed", "detail", r->error.text));
            report_change(c, "scan", json_pack("{s:s}", "failed", r->error.text));
        } else {
            json_t *packages = inventory_to_json(&r->inventory);
            report_change(c, "inventory", json_pack("{s:s,s:o}", "root", c->options.config->root, "packages", packages));
            report_change(c, "scan", scan_message(r));
        }
        schedule_soon(c);
    }
    client_release(c);
}

static bool scan_contents_here(struct client *c)
{
    bool         all = true;
    struct error e;

    for (size_t i = 0; i < c->scan->content_count; i++) {
        if (fetcher_want(c->fetcher, &c->scan->contents[i], client_now(c), true, &e)) {
            log_error(LOG_WARN, "content.refused", "an index to scan with", &e);
            continue;
        }
        all = all && fetcher_state(c->fetcher, &c->scan->contents[i].sha256, NULL) == FETCH_HERE;
    }
    return all;
}

void scan_begin(struct client *c)
{
    struct error e;

    if (!c->scan || c->scanning || c->install || !scan_contents_here(c))
        return;
    if (scanner_run(c->scanner, c->scan, on_scanned, c, &e)) {
        log_error(LOG_WARN, "scan.failed", "beginning a scan", &e);
        return;
    }
    c->scanning = true;
    c->scan_again = false;
    client_hold(c);
}

static void wake(struct client *c, int64_t at)
{
    int64_t ms = clock_ms() + (at - client_now(c)) * 1000;

    if (at && ms < c->schedule_at)
        c->schedule_at = ms < clock_ms() + 200 ? clock_ms() + 200 : ms;
}

void schedule_run(struct client *c)
{
    int64_t rescan = c->fleet ? c->fleet->rescan_s : 604800;

    c->schedule_at = clock_ms() + LOOK_AGAIN_MS;
    if (c->scanned_at && client_now(c) > c->scanned_at + rescan)
        c->scan_again = true;
    gather(c);
    if (c->scan_again)
        scan_begin(c);
    for (struct job *j = c->jobs; j; j = j->next) {
        job_step(c, j);
        if (j->retry_at > clock_ms())
            c->schedule_at = j->retry_at;
        wake(c, j->decision.wake);
    }
    if (c->result)
        for (size_t i = 0; c->fetcher && c->scan && i < c->scan->content_count; i++)
            fetcher_seed(c->fetcher, &c->scan->contents[i]);
}
