/* offered → reminders in three tiers up to the deadline → installing → restart pending → countdown → its final part */
#include "node/client/notify_user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/core.h"
#include "node/io/child.h"
#include "policy/document/json.h"

#define COMMAND_MS 30000
#define HOUR       3600
#define DAY        86400

/* --- the program --- */

static void next(struct client *);

static void on_told(void *ctx, const struct child_result *r)
{
    struct client *c = ctx;

    c->notifier.child = NULL;
    if (r->error.code)
        log_error(LOG_WARN, "notify.failed", "telling the user", &r->error);
    else if (r->status)
        log_say(LOG_WARN, "notify.failed", "the program that tells the user failed", "FERRY_DETAIL", r->errors, NULL);
    if (!c->closing)
        next(c);
    client_release(c);
}

static void next(struct client *c)
{
    const char       *program = c->options.config->notify_command;
    const char       *argv[] = {program, NULL};
    struct child_call call = {.argv = argv, .timeout_ms = COMMAND_MS, .output_limit = 65536, .on_done = on_told, .ctx = c};
    AUTO(text_free) char *text = NULL;

    if (c->notifier.child || c->closing || !json_array_size(c->notifier.queue))
        return;
    text = json_dumps(json_array_get(c->notifier.queue, 0), JSON_COMPACT);
    json_array_remove(c->notifier.queue, 0);
    if (!program || !text)                      /* taken out of the configuration meanwhile */
        return;
    call.input = text;
    call.input_length = strlen(text);
    client_hold(c);
    c->notifier.child = child_start(c->options.loop, &call);
}

/* o is taken. */
static void tell(struct client *c, const char *event, json_t *o)
{
    if (!c->options.config->notify_command) {
        json_decref(o);
        return;
    }
    json_object_set_new(o, "event", json_string(event));
    json_object_set_new(o, "hostname", json_string(c->hostname));
    if (!c->notifier.queue)
        c->notifier.queue = json_array();
    if (json_array_size(c->notifier.queue) >= NOTIFY_WAITING)
        json_array_remove(c->notifier.queue, 0);
    json_array_append_new(c->notifier.queue, o);
    next(c);
}

void notify_stop(struct client *c)
{
    if (c->notifier.child)
        child_stop(c->notifier.child);
}

/* --- updates --- */

static json_t *update_json(struct client *c, const struct job *j, int64_t deadline, char *text /* taken */)
{
    json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "update", j->row.update, "name", j->update->name, "version", j->update->version, "title",
                          j->update->title, "deployment", j->deployment->name, "text", text);

    put_time(o, "deadline", deadline);
    if (deadline) {
        AUTO(text_free) char *when = sentence_time(c, deadline);
        put_text(o, "deadline_local", when);
    }
    free(text);
    return o;
}

/* 0 more than a day, 1 more than an hour, 2 less. */
static int tier(int64_t left)
{
    return left > DAY ? 0 : left > HOUR ? 1 : 2;
}

static bool reminds(const struct client *c, const struct job *j, int64_t deadline, int64_t now)
{
    const struct settings *s = &c->rules.settings;
    const int64_t          every[] = {s->remind_days_s, s->remind_day_s, s->remind_hour_s};
    int                    t = tier(deadline - now);

    return tier(deadline - j->row.reminded) != t || now >= j->row.reminded + every[t];
}

/* The first tier is entered by the offer itself. */
static bool offer(struct client *c, struct job *j, int64_t deadline, int64_t now)
{
    if (!strcmp(j->row.offered, j->deployment->id))
        return false;
    snprintf(j->row.offered, sizeof j->row.offered, "%s", j->deployment->id);
    j->row.reminded = now;
    tell(c, "update-offered", update_json(c, j, deadline, sentence_job(c, j)));
    return true;
}

static bool remind(struct client *c, struct job *j, int64_t deadline, int64_t now)
{
    if (!deadline || now >= deadline || !reminds(c, j, deadline, now))
        return false;
    j->row.reminded = now;
    tell(c, "deadline-near", update_json(c, j, deadline, sentence_job(c, j)));
    return true;
}

/* The next tier, or the next reminder in this one. */
static int64_t next_reminder(const struct client *c, const struct job *j, int64_t deadline, int64_t now)
{
    const struct settings *s = &c->rules.settings;
    const int64_t          every[] = {s->remind_days_s, s->remind_day_s, s->remind_hour_s}, ends[] = {deadline - DAY, deadline - HOUR, deadline};
    int                    t = tier(deadline - now);
    int64_t                again = j->row.reminded + every[t];

    return again < ends[t] ? again : ends[t];
}

/* It waits for the user or for its time, and nothing before that stands in its way. */
static bool is_offered(const struct job *j)
{
    return j->update && j->found == STATE_REQUIRED && !j->running && j->decision.reason >= REASON_OFFERED &&
           j->deployment->terms.notify == NOTIFY_ALL;
}

void notify_jobs(struct client *c)
{
    int64_t now = client_now(c);

    if (!c->options.config->notify_command || !c->result)
        return;
    for (struct job *j = c->jobs; j; j = j->next) {
        int64_t deadline;

        if (!is_offered(j))
            continue;
        deadline = decide_times(j->deployment, &c->rules).deadline;
        if (offer(c, j, deadline, now) || remind(c, j, deadline, now))
            job_keep(c, j);
        if (deadline > now)
            schedule_wake(c, next_reminder(c, j, deadline, now));
    }
}

void notify_installing(struct client *c, const struct job *j)
{
    if (c->options.config->notify_command && j->deployment->terms.notify == NOTIFY_ALL)
        tell(c, "installing", update_json(c, j, 0, must_print("%s is being installed", j->update->title)));
}

/* --- the restart --- */

static bool restart_hushed(const struct client *c)
{
    for (const struct job *j = c->jobs; j; j = j->next)
        if (j->row.restart_pending && (!j->deployment || j->deployment->terms.notify != NOTIFY_NONE))
            return false;
    return true;
}

static void tell_restart(struct client *c, const char *event)
{
    const struct restart_decision *d = &c->reboot.decision;
    char                          *text = sentence_restart(c);
    json_t                        *o = json_pack("{s:s,s:s}", "state", restart_word(d->state), "text", text);

    put_time(o, "at", d->at);
    if (d->at) {
        AUTO(text_free) char *when = sentence_time(c, d->at);
        put_text(o, "at_local", when);
    }
    free(text);
    tell(c, event, o);
}

static bool counts_down(int state)
{
    return state == RESTART_COUNTDOWN || state == RESTART_FINAL || state == RESTART_NOW;
}

void notify_restart(struct client *c)
{
    struct notifier *n = &c->notifier;
    int              state = (int)c->reboot.decision.state, before = n->restart_state;
    int64_t          now = client_now(c), again = n->restart_told + c->rules.settings.restart_remind_s;
    bool             repeats = state == RESTART_COUNTDOWN || state == RESTART_REMINDING;

    if (state == RESTART_NONE || restart_hushed(c)) {
        n->restart_state = RESTART_NONE;
        return;
    }
    if (state == before && !(repeats && now >= again)) {
        schedule_wake(c, repeats ? again : 0);
        return;
    }
    n->restart_state = state;
    n->restart_told = now;
    schedule_wake(c, repeats ? now + c->rules.settings.restart_remind_s : 0);
    if (counts_down(state))
        tell_restart(c, "restart-countdown");
    else if (before == RESTART_NONE || state == before)
        tell_restart(c, "restart-pending");
}
