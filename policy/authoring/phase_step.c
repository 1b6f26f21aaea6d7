/* Phased deployments as time passes. A phase's deployment exists only from its beginning on.
 *
 *   waiting ──► active ──► succeeded          next phase: its condition holds, its predecessor has succeeded and is still so
 *                 │            │
 *                 └──► halted ◄┘              every deployment of the whole is halted; `phased resume` makes it active again
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/phase_row.h"
#include "policy/authoring/progress.h"
#include "policy/authoring/rollout.h"

static void wake_at(struct step *s, int64_t t)
{
    if (t && (!s->wake || t < s->wake))
        s->wake = t;
}

enum err phase_log(struct author *a, const char *phased, int64_t position, const char *verdict, json_t *figures, const char *why,
                   struct error *e)
{
    char    *text = figures ? json_dumps(figures, JSON_COMPACT) : must_copy("null");
    enum err code = rows_run(a->ledger, LEDGER_PHASE_LOG_PUT, e, "siisss", phased, position, a->now, verdict, text, why);

    json_decref(figures);
    free(text);
    return code;
}

enum err phase_set(struct author *a, const char *phased, struct phase *p, enum phase_state state, struct error *e)
{
    p->state = state;
    return rows_run(a->ledger, LEDGER_PHASE_STATE, e, "sisii", phased, p->position, phase_state_word(state), p->succeeded, p->success_at);
}

/* --- beginning --- */

/* Nodes are never given an empty deployment because its group went away. */
enum err phase_begins_now(struct author *a, const json_t *row, const struct phase *p, const char *log, struct error *e)
{
    const char           *phased = arg_text(row, "name");
    AUTO(text_free) char *name = must_print("%s-%s", phased, p->collection), *maker = must_print("phased:%s", phased), *made = NULL;
    struct zone          *zone = NULL;
    enum err              code = site_zone(a, &zone, e);
    struct making         m = {.name = name,
                               .group = arg_text(row, "group"),
                               .collection = p->collection,
                               .made_by = maker,
                               .terms = &p->terms,
                               .available = making_moment(&p->terms, zone, a->now),
                               .deadline = making_moment(&p->terms, zone, a->now + p->deadline_s),
                               .enabled = true};

    if (!code && !rows_number(a->ledger, LEDGER_GROUP_SIZE, "s", m.group))
        code = fail(e, ERR_CONDITION, "group %s is gone, or empty", m.group);
    code = code ? code : making_new(a, &m, &made, e);
    code = code ? code : rows_run(a->ledger, LEDGER_PHASE_BEGAN, e, "sisi", phased, p->position, made, a->now);
    code = code ? code : phase_log(a, phased, p->position, "begun", NULL, log, e);
    zone_close(zone);
    return code;
}

/* --- judging --- */

void step_end(struct step *s)
{
    progress_close(s->progress);
    s->progress = NULL;
}

static enum err tally(struct author *a, struct step *s, const json_t *row, struct tally *t, struct error *e)
{
    enum err code = s->progress ? OK : progress_open(a, &s->progress, e);

    return code ? code : progress_of(s->progress, row, t, NULL, e);
}

/* A deployment that somebody deleted holds the phase where it is; nothing can be said about its nodes. */
enum err phase_judged(struct author *a, struct step *s, const struct phase *p, struct judged *out, struct error *e)
{
    json_t      *row = rows_one(a->ledger, LEDGER_DEPLOYMENT_RAW, "s", p->deployment);
    struct tally t = {.silent_before = p->gate.silence_s ? a->now - p->gate.silence_s + 1 : 0, .since = p->began};
    bool         there = row && !arg_number(row, "withdrawn", 0);
    enum err     code = there ? tally(a, s, row, &t, e) : OK;

    *out = (struct judged){.gate = p->gate, .figures = {.began = p->began}};
    if (!there) {
        snprintf(out->verdict.why, sizeof out->verdict.why, "its deployment %.64s was deleted; `ferry phased next --force` goes on",
                 p->deployment);
    } else if (!code) {
        out->figures = (struct phase_figures){t.total,   t.compliant, t.failed + t.silent, t.in_progress, t.unknown,
                                              t.silent, p->began,    p->succeeded};
        if (out->figures.failed <= p->accepted)
            out->gate.halt_percent = 100;
        out->verdict = phase_judge(&out->gate, &out->figures, a->now);
    }
    json_decref(row);
    return code;
}

static enum err tell_verdict(struct author *a, const char *phased, const struct phase *p, const struct judged *j, struct error *e)
{
    json_t     *last = rows_one(a->ledger, LEDGER_PHASE_LOG_LAST, "si", phased, p->position);
    const char *word = phase_verdict_word(j->verdict.verdict);
    bool        same = last && !strcmp(arg_text(last, "verdict"), word);

    json_decref(last);
    return same ? OK : phase_log(a, phased, p->position, word, judged_print(&j->gate, &j->figures, a->now), j->verdict.why, e);
}

static enum err halt(struct author *a, const char *phased, struct phase *p, const char *why, struct step *s, struct error *e)
{
    AUTO(text_free) char *maker = must_print("phased:%s", phased);
    enum err              code = phase_set(a, phased, p, PHASE_HALTED, e);

    code = code ? code : rows_run(a->ledger, LEDGER_PHASED_STATE, e, "sss", phased, "halted", why);
    code = code ? code : rows_run(a->ledger, LEDGER_DEPLOYMENTS_HALT, e, "ss", maker, why);
    s->changed = true;
    return code ? code : alert_raise(a, "phase-halted", phased, ALERT_CRITICAL, "", why, e);
}

/* Success has to be without a break: since when it holds is forgotten with the first figure that breaks it. */
static enum err keep_success(struct author *a, const char *phased, struct phase *p, const struct phase_judgement *j, struct error *e)
{
    int64_t since = !j->reached ? 0 : p->succeeded ? p->succeeded : a->now;

    if (since == p->succeeded)
        return OK;
    p->succeeded = since;
    return phase_set(a, phased, p, p->state, e);
}

static enum err judge(struct author *a, const char *phased, struct phase *p, struct phase_judgement *j, struct step *s, struct error *e)
{
    AUTO(text_free) char *subject = must_print("%s/%s", phased, p->collection);
    struct judged         all;
    enum err              code = phase_judged(a, s, p, &all, e);

    *j = all.verdict;
    code = code ? code : tell_verdict(a, phased, p, &all, e);
    code = code ? code : keep_success(a, phased, p, j, e);
    code = code ? code : alert_while(a, j->verdict == PHASE_ALERT, "phase-late", subject, ALERT_WARNING, j->why, e);
    if (!code && p->gate.silence_s && all.figures.in_progress + all.figures.unknown)
        wake_at(s, a->now + 60);                /* somebody may become silent: without news nobody would look */
    wake_at(s, code ? 0 : j->wake);
    return code;
}

/* The first that waits: may it begin? before: its predecessor, judged a moment ago; NULL for the first. */
static enum err consider(struct author *a, const json_t *row, const struct phase *p, const struct phase *before,
                         const struct phase_judgement *j, struct step *s, struct error *e)
{
    int64_t success_at = before ? before->success_at : arg_number(row, "created_s", 0);
    int64_t at = before && before->state != PHASE_SUCCEEDED ? 0 : phase_begins(p->begin, p->after_s, success_at);

    if (!at)
        return OK;
    if (at > a->now) {
        wake_at(s, at);
        return OK;
    }
    if (before && !j->reached)
        return OK;                              /* it had succeeded and is not so any more: that it has ended is not enough */
    s->changed = true;
    return phase_begins_now(a, row, p, before ? j->why : "the first phase", e);
}

/* One phase by its state. going: the one behind it may be looked at. */
static enum err advance_one(struct author *a, const json_t *row, struct phase *p, const struct phase *before, struct phase_judgement *j,
                            bool *going, struct step *s, struct error *e)
{
    const char *phased = arg_text(row, "name");
    enum err    code = OK;

    *going = false;
    switch (p->state) {
    case PHASE_WAITING: return consider(a, row, p, before, j, s, e);
    case PHASE_HALTED:  return OK;              /* phased_resume() moves it on */
    case PHASE_ACTIVE:
    case PHASE_SUCCEEDED:
        code = judge(a, phased, p, j, s, e);
        if (!code && j->verdict == PHASE_HALT)
            return halt(a, phased, p, j->why, s, e);
        if (!code && j->verdict == PHASE_SUCCESS && p->state == PHASE_ACTIVE) {
            p->success_at = a->now;
            code = phase_set(a, phased, p, PHASE_SUCCEEDED, e);
        }
        *going = !code;
    }
    return code;
}

enum err phased_advance(struct author *a, const json_t *row, struct step *s, struct error *e)
{
    json_t                *rows = NULL, *one;
    struct phase           before = {0}, p;
    struct phase_judgement j = {0};
    size_t                 i, done = 0;
    bool                   going = true;
    enum err               code = rows_all(a->ledger, LEDGER_PHASES, &rows, e, "s", arg_text(row, "name"));

    json_array_foreach(rows, i, one) {
        if (code || !going)
            break;
        code = phase_from_row(one, &p, e);
        code = code ? code : advance_one(a, row, &p, i ? &before : NULL, &j, &going, s, e);
        done += !code && p.state == PHASE_SUCCEEDED;
        before = p;
    }
    if (!code && done && done == json_array_size(rows))
        code = rows_run(a->ledger, LEDGER_PHASED_STATE, e, "sss", arg_text(row, "name"), "done", "");
    json_decref(rows);
    return code;
}

/* One that cannot go on (a collection that was deleted, a file that is gone) holds nobody else up. */
static enum err one_step(struct author *a, const json_t *row, struct step *s, struct error *e)
{
    const char  *name = arg_text(row, "name");
    struct step  mine = *s;
    struct error why;
    enum err     code = ledger_begin(a->ledger, e), told;

    if (code)
        return code;
    code = phased_advance(a, row, &mine, e);
    code = code ? code : alert_while(a, false, "phase-stuck", name, ALERT_WARNING, "", e);
    code = ledger_end(a->ledger, code, e);
    s->progress = mine.progress;
    if (!code) {
        *s = mine;
        return OK;
    }
    wake_at(s, a->now + 60);
    told = alert_while(a, true, "phase-stuck", name, ALERT_WARNING, e->text, &why);
    return told ? told : OK;
}

enum err phased_step(struct author *a, bool *changed, int64_t *wake, struct error *e)
{
    struct step s = {0};
    json_t     *rows = NULL, *row;
    size_t      i;
    enum err    code = rows_all(a->ledger, LEDGER_PHASEDS, &rows, e, "s", NULL);

    json_array_foreach(rows, i, row)
        if (!code && !strcmp(arg_text(row, "state"), "running"))
            code = one_step(a, row, &s, e);
    step_end(&s);
    json_decref(rows);
    *changed = s.changed;
    *wake = s.wake;
    return code;
}
