/* What the decisions look at: which deployment leads each update, what the last scan found, what holds for it now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/clock.h"
#include "node/client/core.h"

/* --- the leading deployment --- */

static bool in_force(const struct deployment *d)
{
    return d->enabled && !d->withdrawn && !d->halted;
}

static void lead(struct client *c, struct job *j, const struct deployment *d, const struct update *u)
{
    if (j->deployment && decide_order(d, j->deployment, &c->rules) >= 0)
        return;
    j->deployment = d;
    j->update = u;
}

/* One deployment that wants it fetched before it is offered is enough (configmgr-semantics.md 1.6); everything else is the leading one's. */
static void predownload(struct job *j, const struct deployment *d)
{
    if (!d->terms.predownload || !in_force(d) || j->deployment->terms.predownload)
        return;
    j->led = *j->deployment;
    j->led.terms.predownload = true;
    j->deployment = &j->led;
}

static void each_update(struct client *c, void (*take)(struct client *, struct job *, const struct deployment *, const struct update *))
{
    for (size_t i = 0; i < c->deployment_count; i++)
        for (size_t u = 0; u < c->deployments[i]->update_count; u++) {
            struct job *j = job_find(c, c->deployments[i]->updates[u]->id);

            if (!j->running)
                take(c, j, c->deployments[i], c->deployments[i]->updates[u]);
        }
}

static void take_predownload(struct client *c, struct job *j, const struct deployment *d, const struct update *u)
{
    (void)c;
    (void)u;
    predownload(j, d);
}

/* Another document leads, or a newer one: what a plan of the old one said is nothing to go by. */
static void renew(struct job *j)
{
    if (j->led_seq == j->deployment->seq && !strcmp(j->led_id, j->deployment->id))
        return;
    j->led_seq = j->deployment->seq;
    snprintf(j->led_id, sizeof j->led_id, "%s", j->deployment->id);
    free(j->planned);
    j->planned = NULL;
    j->planned_count = 0;
    j->planned_once = j->content_here = j->closure_missing = false;
}

void situation_gather(struct client *c)
{
    for (struct job *j = c->jobs; j; j = j->next)
        if (!j->running) {
            j->deployment = NULL;
            j->update = NULL;
        }
    each_update(c, lead);
    each_update(c, take_predownload);
    for (struct job *j = c->jobs; j; j = j->next) {
        j->held = false;
        j->interrupted = j->update && inventory_interrupted(c->result, j->update);
        j->found = c->result && j->update ? inventory_state(c->result, j->update, &j->held) : STATE_UNKNOWN;
        if (!j->update)
            need_drop(c, j);
        else if (!j->running)
            renew(j);
    }
}

/* --- batching --- */

static bool waits(const struct job *j)
{
    return j->update && in_force(j->deployment) && j->found == STATE_REQUIRED;
}

/* One that was tried already, or may not be touched, gathers nobody around it again and again. */
static bool is_due(const struct client *c, const struct job *j, int64_t now)
{
    int64_t due = waits(j) && !j->row.attempts && !j->held ? decide_times(j->deployment, &c->rules).due : 0;

    return due && now >= due;
}

static bool near_enough(const struct client *c, const struct job *j, int64_t now)
{
    int64_t deadline = decide_times(j->deployment, &c->rules).deadline;

    return deadline && deadline <= now + c->rules.settings.batch_s;
}

void situation_batch(struct client *c)
{
    int64_t now = client_now(c);
    bool    due = false;

    if (!c->rules.settings.batch_s)
        return;
    for (struct job *j = c->jobs; j && !due; j = j->next)
        due = is_due(c, j, now);
    for (struct job *j = c->jobs; j && due; j = j->next)
        if (waits(j) && !j->row.batched && near_enough(c, j, now)) {
            j->row.batched = true;              /* stays, when the due one is installed before it */
            job_keep(c, j);
        }
}

/* --- one update --- */

/* Exclusive ones are alone with the restart they want. One whose own restart is pending, and that the scan does not find yet, waits for it. */
static bool restart_first(const struct client *c, const struct job *j)
{
    if (j->row.restart_pending)
        return j->found == STATE_REQUIRED;
    for (const struct job *k = c->jobs; k; k = k->next)
        if (k != j && k->row.restart_pending && (j->update->install.exclusive || (k->update && k->update->install.exclusive)))
            return true;
    return false;
}

struct situation situation_of(struct client *c, struct job *j)
{
    return (struct situation){.deployment = j->deployment,
                              .update = j->update,
                              .member = true,   /* others are not among the documents */
                              .state = j->found,
                              .held = j->held,
                              .interrupted = j->interrupted,
                              .content_complete = true,
                              .content_here = j->content_here,
                              .source_missing = j->source_missing,
                              .download_failed = j->fetch_failed,
                              .metered = c->options.config->metered,
                              .user_asked = j->row.user_asked,
                              .user_at = j->row.user_at,
                              .postponed_until = j->row.postponed_until,
                              .batched = j->row.batched && j->deployment && near_enough(c, j, client_now(c)),
                              .installing = j->running && j->state == JOB_INSTALLING,
                              .busy = c->install || c->told || c->scanning || clock_ms() < j->retry_at,
                              .restart_pending = j->row.restart_pending,
                              .restart_first = restart_first(c, j),
                              .turn_held = turn_held(c),
                              .asked = refresh_fresh(c) || c->ask == ASK_UNANSWERED,
                              .attempts = j->row.attempts,
                              .closure_missing = j->closure_missing,
                              .last_attempt = j->row.last_attempt};
}
