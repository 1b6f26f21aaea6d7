/* The story of one update on this machine:
 *
 *   wanted → fetching → verified → waiting → installing → detecting → (restart →) installed
 *      ↑                                                      │
 *      └──────────────── failed (tried again later) ←─────────┘
 *
 * What happens next is decided by decide_update() alone; this file carries it out. Which of several begins is schedule.c's. After an
 * installation only the scan is believed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/core.h"

static const char *const words[] = {
#define X(name, word) word,
    JOB_LIST(X)
#undef X
};

const char *job_word(enum job_state s)
{
    return words[s];
}

void job_free(struct job *j)
{
    free(j->planned);
    free(j->needed);
    free(j);
}

static enum job_state state_by_word(const char *word)
{
    for (size_t i = 0; i < JOB_COUNT; i++)
        if (!strcmp(words[i], word))
            return (enum job_state)i;
    return JOB_WANTED;
}

struct job *job_find(struct client *c, const char *update)
{
    struct job **at = &c->jobs;

    while (*at && strcmp((*at)->row.update, update))
        at = &(*at)->next;
    if (!*at) {
        *at = must_alloc(sizeof **at);
        (*at)->client = c;
        if (store_job(c->store, update, &(*at)->row))
            (*at)->state = state_by_word((*at)->row.state);
        else
            (*at)->row.code = -1;
        (*at)->closure_missing = !strcmp((*at)->row.reason, reason_word(REASON_CLOSURE));
        snprintf((*at)->row.update, sizeof (*at)->row.update, "%s", update);
    }
    return *at;
}

void job_keep(struct client *c, struct job *j)
{
    struct error e;

    if (store_job_put(c->store, &j->row, &e))
        log_error(LOG_WRONG, "job.failed", "remembering a job", &e);
}

/* The one setter: the row and its message are durable together, or neither is. */
static void job_set(struct client *c, struct job *j, enum job_state state, const char *reason)
{
    struct error e;
    bool same = j->state == state && !strcmp(j->row.reason, reason) && !strcmp(j->row.state, words[state]) &&
                (!j->deployment || !strcmp(j->row.deployment, j->deployment->id));

    if (same)
        return;
    j->state = state;
    snprintf(j->row.state, sizeof j->row.state, "%s", words[state]);
    snprintf(j->row.reason, sizeof j->row.reason, "%s", reason);
    if (j->deployment)
        snprintf(j->row.deployment, sizeof j->row.deployment, "%s", j->deployment->id);
    j->row.changed = client_now(c);
    log_say(LOG_TELL, "update.state", words[state], "FERRY_UPDATE", j->row.update, "FERRY_REASON", reason, "FERRY_DETAIL",
            *j->row.detail ? j->row.detail : NULL, NULL);
    if (store_begin(c->store, &e)) {
        log_error(LOG_WRONG, "job.failed", "remembering a job", &e);
        return;
    }
    report_job(c, j);
    if (store_end(c->store, store_job_put(c->store, &j->row, &e), &e))
        log_error(LOG_WRONG, "job.failed", "remembering a job", &e);
}

/* --- the installer, for a plan or for good --- */

static void finish(struct client *c, struct job *j)
{
    c->install = NULL;
    c->installing = NULL;
    j->running = false;
    j->step[0] = 0;
    schedule_soon(c);
    client_release(c);
}

static void remember_plan(struct job *j, const struct install_result *r)
{
    free(j->planned);
    j->planned = NULL;
    j->planned_count = r->wanted_count;
    if (r->wanted_count) {
        j->planned = must_alloc(r->wanted_count * sizeof *j->planned);
        memcpy(j->planned, r->wanted, r->wanted_count * sizeof *j->planned);
    }
    j->planned_once = r->outcome == INSTALL_OK;
}

/* An attempt that did not do it: counted, remembered, told. */
static void attempt_failed(struct client *c, struct job *j, enum reason reason, const char *outcome, const struct install_result *r)
{
    j->row.attempts++;
    j->row.last_attempt = client_now(c);
    j->row.code = r->code;
    j->row.user_asked = false;
    j->row.user_at = 0;
    j->planned_once = false;
    j->closure_missing = reason == REASON_CLOSURE;
    snprintf(j->row.detail, sizeof j->row.detail, "%s: %.370s", outcome, r->detail);
    j->row.reason[0] = 0;
    job_set(c, j, JOB_FAILED, reason_word(reason));
}

static void on_planned(void *ctx, const struct install_result *r)
{
    struct job    *j = ctx;
    struct client *c = j->client;

    if (!c->closing) {
        if (r->outcome == INSTALL_OK || r->outcome == INSTALL_RETRY)
            remember_plan(j, r);
        else
            attempt_failed(c, j, r->outcome == INSTALL_CLOSURE ? REASON_CLOSURE : REASON_RETRY_LATER, install_outcome_word(r->outcome), r);
    }
    finish(c, j);
}

static void on_step(void *ctx, const char *step)
{
    struct job *j = ctx;

    snprintf(j->step, sizeof j->step, "%s", step);
}

static void on_installed(void *ctx, const struct install_result *r)
{
    struct job    *j = ctx;
    struct client *c = j->client;

    if (!c->closing) {
        c->repair = false;
        j->row.code = r->code;
        if (r->outcome == INSTALL_RESTART) {
            reboot_want(c);
            j->row.restart_pending = true;
        }
        c->scan_again = true;
        if (r->outcome == INSTALL_OK || r->outcome == INSTALL_RESTART) {
            j->row.detail[0] = 0;
            job_set(c, j, JOB_DETECTING, "installing");
        } else if (r->outcome == INSTALL_RETRY) {
            snprintf(j->row.detail, sizeof j->row.detail, "%.390s", r->detail);
            j->planned_once = false;
            j->retry_at = clock_ms() + 5000;
            job_set(c, j, JOB_VERIFIED, "busy");
        } else {
            attempt_failed(c, j, r->outcome == INSTALL_CLOSURE ? REASON_CLOSURE : REASON_RETRY_LATER, install_outcome_word(r->outcome), r);
        }
    }
    finish(c, j);
}

static void run(struct client *c, struct job *j, bool plan)
{
    char               *dir = must_print("%s/jobs/%s", c->dir, plan ? "plan" : "install");
    struct install_call call = {.deployment = j->deployment,
                                .update = j->update,
                                .work_dir = dir,
                                .repair_first = !plan && c->repair,
                                .plan_only = plan,
                                .on_step = on_step,
                                .on_done = plan ? on_planned : on_installed,
                                .ctx = j};

    j->client = c;
    j->running = true;
    c->installing = j;
    client_hold(c);
    c->install = install_start(c->options.loop, c->options.config, c->cache, &call);
    free(dir);
}

/* --- one step --- */

/* It failed, and the time to try again has not come. */
static bool failed_lately(struct client *c, const struct job *j)
{
    int64_t wait = j->row.attempts ? decide_retry(j->row.attempts) : 0;

    return wait < 0 || (wait && client_now(c) < j->row.last_attempt + wait);
}

/* Everything this node needs of the deployment for this update is here. Plans when only a plan can tell, and nothing else runs. Where a plan
 * has just failed nothing more is known to be missing: the gates behind tell when it is tried again. */
static bool content_here(struct client *c, struct job *j)
{
    bool plan, here = need_here(c, j, &plan);

    if (plan && failed_lately(c, j))
        return true;
    if (plan && !c->install && !c->scanning)
        run(c, j, true);
    return here && !j->running;
}

static enum job_state state_of(const struct job *j)
{
    switch (j->decision.reason) {
    case REASON_INSTALLED: return JOB_INSTALLED;
    case REASON_RESTART_PENDING: return JOB_RESTART;
    case REASON_RESTART_FIRST: return j->row.restart_pending ? JOB_RESTART : JOB_VERIFIED;
    case REASON_NOT_REQUIRED: return JOB_UNNEEDED;
    case REASON_DOWNLOADING: case REASON_NO_SOURCE: case REASON_PREDOWNLOADING: return JOB_FETCHING;
    case REASON_DOWNLOAD_FAILED: return JOB_STUCK;
    case REASON_SCHEDULED: case REASON_DEADLINE_AHEAD: case REASON_GRACE: case REASON_POSTPONED: return JOB_WAITING;
    case REASON_WAIT_WINDOW: case REASON_NO_WINDOW: return JOB_WINDOW;
    case REASON_WAIT_TURN: return JOB_TURN;
    case REASON_BUSY: case REASON_ASK_FIRST: return JOB_VERIFIED;
    case REASON_INSTALL_NOW: case REASON_INSTALLING: return JOB_INSTALLING;
    case REASON_RETRY_LATER: case REASON_GAVE_UP: case REASON_CLOSURE: return JOB_FAILED;
    default: return JOB_WANTED;
    }
}

/* What the user chose, and the batch, were for this installation. */
static void settled(struct job *j)
{
    j->row.attempts = 0;
    j->row.user_asked = j->row.batched = false;
    j->row.user_at = j->row.postponed_until = 0;
}

/* The scan after an installation has come: did it do it? What only a restart completes may not be found before. */
static void detected(struct client *c, struct job *j)
{
    struct install_result r = {.code = (int)j->row.code};

    if (j->found == STATE_INSTALLED || j->found == STATE_NOT_REQUIRED) {
        settled(j);
        return;
    }
    if (j->row.restart_pending)
        return;
    snprintf(r.detail, sizeof r.detail, "the installer was content, but the scan finds it still required");
    attempt_failed(c, j, REASON_RETRY_LATER, "not detected", &r);
}

void job_restarted(struct client *c, struct job *j)
{
    j->row.restart_pending = false;
    job_keep(c, j);
    if (j->update)
        job_set(c, j, JOB_DETECTING, reason_word(REASON_INSTALLING));
}

/* Nothing of it is to be fetched in this state. While it is unknown whether the node needs it, what has begun goes on. */
static bool needs_nothing(const struct job *j)
{
    enum reason r = j->decision.reason;

    if (r == REASON_OFFERED)
        return !j->deployment->terms.predownload;
    return r < REASON_PREDOWNLOADING && r != REASON_INSTALLING && r != REASON_STATE_UNKNOWN;
}

static void decide(struct client *c, struct job *j)
{
    struct situation s = situation_of(c, j);

    j->decision = decide_update(&s, &c->rules, client_now(c));
}

/* What somebody should read beside the reason. Of what failed the last attempt's words stay until it is done. */
static void explain(struct client *c, struct job *j)
{
    const char *text = NULL;

    switch (j->decision.reason) {
    case REASON_DOWNLOAD_FAILED: case REASON_NO_SOURCE: text = j->fetch_why; break;
    case REASON_HALTED: text = j->deployment->halted; break;
    case REASON_WAIT_TURN: text = c->turn.why; break;
    case REASON_BUSY: case REASON_ASK_FIRST: return;
    default: text = j->row.attempts ? NULL : ""; break;
    }
    if (text)
        snprintf(j->row.detail, sizeof j->row.detail, "%.390s", text);
}

/* It was installed or became superfluous by other hands: what the user chose is over. */
static void forget_choices(struct client *c, struct job *j)
{
    bool gone = j->found == STATE_INSTALLED || j->found == STATE_NOT_REQUIRED;

    if (!gone || !(j->row.user_asked || j->row.batched || j->row.postponed_until || j->row.attempts))
        return;
    settled(j);
    job_keep(c, j);
}

void job_step(struct client *c, struct job *j)
{
    if (j->running || !j->update || !c->result)
        return;
    if ((j->state == JOB_DETECTING || j->state == JOB_INSTALLING) && (c->scan_again || c->scanning))
        return;
    if (j->state == JOB_DETECTING)
        detected(c, j);
    forget_choices(c, j);
    if (j->update->install.type == INSTALL_APT && !j->planned_once && !failed_lately(c, j))
        j->content_here = false;                /* it was only taken to be here while a plan could not be made */
    decide(c, j);
    if (j->decision.action == ACTION_FETCH || (j->content_here && j->decision.action == ACTION_INSTALL)) {
        j->content_here = content_here(c, j);
        if (j->running)
            return;
        decide(c, j);
    }
    if (j->decision.action == ACTION_INSTALL)
        return;
    if (needs_nothing(j))
        need_drop(c, j);
    explain(c, j);
    job_set(c, j, state_of(j), reason_word(j->decision.reason));
}

void job_install(struct client *c, struct job *j)
{
    notify_installing(c, j);
    j->decision.action = ACTION_NONE;           /* carried out: nobody picks it again before it is decided anew */
    j->decision.reason = REASON_INSTALLING;
    job_set(c, j, JOB_INSTALLING, reason_word(REASON_INSTALLING));
    run(c, j, false);
}
