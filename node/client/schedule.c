/* Which documents lead, what has to be scanned, and when to look again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/core.h"

#define LOOK_AGAIN_MS 60000
#define ASK_MS        15000                     /* for the poll before an installation: then it goes on with what is here */
#define TRIM_MS       600000
#define RESCAN_S      604800                    /* until a policy says otherwise */

void schedule_soon(struct client *c)
{
    c->schedule_at = clock_ms();
}

void schedule_wake(struct client *c, int64_t at)
{
    int64_t next = client_now(c) + 1;           /* a moment that has passed already is no reason to hurry */

    if (at && at < c->wake_at)
        c->wake_at = at > next ? at : next;
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

/* A metered line that may not be used is not waited for: what is here is scanned with. */
static bool scan_contents_here(struct client *c)
{
    bool         all = true, block = c->rules.settings.metered == METERED_BLOCK, blocked = block && c->options.config->metered;
    struct error e;

    for (size_t i = 0; i < c->scan->content_count; i++) {
        const struct content *content = &c->scan->contents[i];

        if (blocked) {
            if (fetcher_state(c->fetcher, &content->sha256, NULL) != FETCH_HERE)
                fetcher_unwant(c->fetcher, &content->sha256);
            continue;
        }
        if (fetcher_want(c->fetcher, content, client_now(c), SOURCES_ALL | (block ? 0 : FETCH_METERED), &e)) {
            log_error(LOG_WARN, "content.refused", "an index to scan with", &e);
            continue;
        }
        all = all && fetcher_state(c->fetcher, &content->sha256, NULL) == FETCH_HERE;
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

static void evaluated(struct client *c, int64_t now)
{
    char text[32];

    c->evaluated_at = now;
    snprintf(text, sizeof text, "%lld", (long long)now);
    store_set(c->store, "evaluated.at", text, NULL);
}

/* Re-evaluation: what is missing is found again, and what was given up is tried again (configmgr-semantics.md 1.10). Its time goes by the clock,
 * not by other scans, and a ferryd that is started every day does not put it off. */
static void reevaluate(struct client *c)
{
    int64_t rescan = c->rules.settings.rescan_s ? c->rules.settings.rescan_s : c->fleet ? c->fleet->rescan_s : RESCAN_S;
    int64_t now = client_now(c);

    if (!c->evaluated_at)
        evaluated(c, now);
    if (now <= c->evaluated_at + rescan)
        return;
    for (struct job *j = c->jobs; j; j = j->next)
        if (j->row.attempts && !j->running) {
            j->row.attempts = 0;
            job_keep(c, j);
        }
    c->scan_again = true;
    evaluated(c, now);
}

/* --- who is next --- */

static struct job *best(const struct client *c)
{
    struct job *best = NULL;

    for (struct job *j = c->jobs; j; j = j->next)
        if (j->update && !j->running && j->decision.action == ACTION_INSTALL && (!best || decide_turn(j->update, best->update) < 0))
            best = j;
    return best;
}

static bool any(const struct client *c, enum action action)
{
    for (const struct job *j = c->jobs; j; j = j->next)
        if (j->update && !j->running && j->decision.action == action)
            return true;
    return false;
}

/* Something is installed, or will be as soon as the way is free. */
static bool goes_on(const struct client *c)
{
    for (const struct job *j = c->jobs; j; j = j->next) {
        enum reason r = j->decision.reason;

        if (j->update && c->result &&
            (r == REASON_BUSY || r == REASON_ASK_FIRST || r == REASON_INSTALL_NOW || j->state == JOB_INSTALLING || j->state == JOB_DETECTING))
            return true;
    }
    return false;
}

/* The site is asked once for everything that may begin now. It may have halted it since the last poll. */
static void ask(struct client *c)
{
    if (c->ask != ASK_IDLE || c->polling || c->install || c->scanning)
        return;
    c->ask = ASK_RUNNING;
    c->ask_until = clock_ms() + ASK_MS;
    refresh_begin(c);
}

static void step_all(struct client *c)
{
    for (struct job *j = c->jobs; j; j = j->next)
        job_step(c, j);
}

/* While they were stepped through, one of them may have begun a plan: one installer at a time. */
static void begin_next(struct client *c, bool ran)
{
    struct job *next = c->install ? NULL : best(c);

    if (c->install && !ran) {
        step_all(c);
    } else if (next) {
        job_install(c, next);
        step_all(c);                            /* the others see that something runs */
    } else if (any(c, ACTION_ASK)) {
        ask(c);
    }
}

static void when_again(struct client *c)
{
    for (struct job *j = c->jobs; j; j = j->next) {
        if (j->retry_at > clock_ms() && j->retry_at < c->schedule_at)
            c->schedule_at = j->retry_at;
        if (j->update)
            schedule_wake(c, j->decision.wake);
    }
}

static void trim(struct client *c)
{
    if (!c->result || c->install || clock_ms() < c->trimmed_at + TRIM_MS)
        return;
    c->trimmed_at = clock_ms();
    fetcher_trim(c->fetcher);
}

void schedule_run(struct client *c)
{
    bool unanswered = c->ask == ASK_UNANSWERED, ran = c->install, restarting;

    c->schedule_at = clock_ms() + LOOK_AGAIN_MS;
    c->wake_at = INT64_MAX;
    reevaluate(c);
    situation_gather(c);
    reboot_look(c);
    situation_batch(c);
    if (c->scan_again)
        scan_begin(c);
    step_all(c);
    begin_next(c, ran);
    if (unanswered)
        c->ask = ASK_IDLE;                      /* it held for these decisions only */
    restarting = reboot_run(c);
    turn_run(c, any(c, ACTION_TURN) || (restarting && c->reboot.decision.state == RESTART_NOW && !turn_held(c)), restarting || goes_on(c));
    notify_jobs(c);
    notify_restart(c);
    when_again(c);
    trim(c);
    if (c->result)
        for (size_t i = 0; c->fetcher && c->scan && i < c->scan->content_count; i++)
            fetcher_seed(c->fetcher, &c->scan->contents[i]);
}
