/* The story of one update on this machine:
 *
 *   wanted → fetching → verified → waiting → installing → detecting → installed
 *      ↑                                                      │
 *      └──────────────── failed (tried again later) ←─────────┘
 *
 * What happens next is decided by decide_update() alone; this file carries it out. After an installation only the scan is believed. */
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
        if (store_job(c->store, update, &(*at)->row))
            (*at)->state = state_by_word((*at)->row.state);
        else
            (*at)->row.code = -1;
        snprintf((*at)->row.update, sizeof (*at)->row.update, "%s", update);
    }
    return *at;
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

/* --- content --- */

static bool want(struct client *c, struct job *j, const struct sha256 *name)
{
    const struct content *content = deployment_content(j->deployment, name);
    struct fetch_progress p;
    struct error          e;

    if (!content)
        return false;
    if (fetcher_want(c->fetcher, content, j->deployment->deadline, j->deployment->terms.origin_fallback, &e)) {
        log_error(LOG_WARN, "content.refused", j->row.update, &e);
        return false;
    }
    switch (fetcher_state(c->fetcher, name, &p)) {
    case FETCH_HERE: return true;
    case FETCH_NO_SOURCE: j->source_missing = true; break;
    case FETCH_FAILED: j->fetch_failed = true; break;
    default: return false;
    }
    snprintf(j->fetch_why, sizeof j->fetch_why, "%s", p.why);
    return false;
}

static bool indexes_here(struct client *c, struct job *j)
{
    bool all = true;

    for (size_t a = 0; a < j->deployment->archive_count; a++)
        for (size_t i = 0; i < j->deployment->archives[a].index_count; i++)
            all = want(c, j, &j->deployment->archives[a].indexes[i].sha256) && all;
    return all;
}

static bool planned_here(struct client *c, struct job *j)
{
    bool all = true;

    for (size_t i = 0; i < j->planned_count; i++)
        all = want(c, j, &j->planned[i]) && all;
    return all;
}

static bool files_here(struct client *c, struct job *j)
{
    bool all = true;

    for (size_t i = 0; i < j->update->file_count; i++)
        all = want(c, j, &j->update->files[i].sha256) && all;
    return all;
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
    j->planned_once = false;
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
        j->row.restart_pending = r->outcome == INSTALL_RESTART;
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

/* Everything this node needs of the deployment for this update is here. Plans when the indexes are here and nothing else runs. */
static bool content_here(struct client *c, struct job *j)
{
    if (j->update->install.type == INSTALL_COMMAND)
        return files_here(c, j);
    if (!indexes_here(c, j))
        return false;
    if (!j->planned_once && !j->planned_count && !c->install && !c->scanning)
        run(c, j, true);
    if (j->running || !planned_here(c, j))
        return false;
    if (!j->planned_once && !c->install && !c->scanning)
        run(c, j, true);
    return j->planned_once && !j->running;
}

static struct situation look(struct client *c, struct job *j)
{
    struct situation s = {.deployment = j->deployment,
                          .update = j->update,
                          .member = true,
                          .user_asked = j->row.user_asked,
                          .attempts = j->row.attempts,
                          .last_attempt = j->row.last_attempt,
                          .restart_pending = j->row.restart_pending,
                          .busy = c->install || c->scanning || clock_ms() < j->retry_at,
                          .content_complete = true,
                          .closure_missing = !strcmp(j->row.reason, reason_word(REASON_CLOSURE)),
                          .source_missing = j->source_missing,
                          .download_failed = j->fetch_failed,
                          .content_here = j->content_here};

    s.state = c->result ? inventory_state(c->result, j->update, &s.held) : STATE_UNKNOWN;
    return s;
}

static enum job_state state_of(enum reason r)
{
    switch (r) {
    case REASON_INSTALLED: case REASON_RESTART_PENDING: return JOB_INSTALLED;
    case REASON_NOT_REQUIRED: return JOB_UNNEEDED;
    case REASON_DOWNLOADING: case REASON_NO_SOURCE: return JOB_FETCHING;
    case REASON_DOWNLOAD_FAILED: return JOB_STUCK;
    case REASON_DEADLINE_AHEAD: return JOB_WAITING;
    case REASON_BUSY: return JOB_VERIFIED;
    case REASON_INSTALL_NOW: case REASON_INSTALLING: return JOB_INSTALLING;
    case REASON_RETRY_LATER: case REASON_GAVE_UP: case REASON_CLOSURE: return JOB_FAILED;
    default: return JOB_WANTED;
    }
}

/* The scan after an installation has come: did it do it? */
static void detected(struct client *c, struct job *j, enum update_state state)
{
    struct install_result r = {.code = (int)j->row.code};

    if (state == STATE_INSTALLED || state == STATE_NOT_REQUIRED) {
        j->row.attempts = 0;
        j->row.user_asked = false;
        return;
    }
    snprintf(r.detail, sizeof r.detail, "the installer was content, but the scan finds it still required");
    attempt_failed(c, j, REASON_RETRY_LATER, "not detected", &r);
}

static void unwant(struct client *c, struct job *j)
{
    for (size_t i = 0; i < j->planned_count; i++)
        fetcher_unwant(c->fetcher, &j->planned[i]);
    for (size_t i = 0; i < j->update->file_count && j->update->install.type == INSTALL_COMMAND; i++)
        fetcher_unwant(c->fetcher, &j->update->files[i].sha256);
}

void job_step(struct client *c, struct job *j)
{
    struct node_rules rules = client_rules(c);
    struct situation  s;

    if (j->running || !j->update || !c->result)
        return;
    if ((j->state == JOB_DETECTING || j->state == JOB_INSTALLING) && (c->scan_again || c->scanning))
        return;
    s = look(c, j);
    if (j->state == JOB_DETECTING)
        detected(c, j, s.state);
    s = look(c, j);
    j->decision = decide_update(&s, &rules, client_now(c));
    if (j->decision.action == ACTION_FETCH || (s.content_here && j->decision.action == ACTION_INSTALL)) {
        j->source_missing = j->fetch_failed = false;
        j->content_here = content_here(c, j);
        if (j->running)
            return;
        s = look(c, j);
        j->decision = decide_update(&s, &rules, client_now(c));
    }
    if (j->decision.action == ACTION_INSTALL) {
        job_set(c, j, JOB_INSTALLING, reason_word(REASON_INSTALLING));
        run(c, j, false);
        return;
    }
    if (j->decision.reason == REASON_DISABLED || j->decision.reason == REASON_NOT_YET)
        unwant(c, j);
    if (j->decision.reason == REASON_DOWNLOAD_FAILED || j->decision.reason == REASON_NO_SOURCE)
        snprintf(j->row.detail, sizeof j->row.detail, "%s", j->fetch_why);
    else if (j->decision.reason == REASON_DOWNLOADING)
        j->row.detail[0] = 0;
    job_set(c, j, state_of(j->decision.reason), reason_word(j->decision.reason));
}
