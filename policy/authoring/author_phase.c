/* Phased deployments under way: suspended, resumed, moved on by hand; and the phases that still wait, edited. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/authoring/phase_row.h"
#include "policy/authoring/phased_row.h"
#include "policy/authoring/rollout.h"

static enum err state_is(const json_t *row, const char *state, const char *what, struct error *e)
{
    if (!strcmp(arg_text(row, "state"), state))
        return OK;
    return fail(e, ERR_CONDITION, "phased deployment %s is %s; only one that is %s can be %s", arg_text(row, "name"), arg_text(row, "state"),
                state, what);
}

enum err phased_suspend(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row;
    enum err code = phased_there(a, args, &row, e);

    if (code)
        return code;
    AUTO(text_free) char *maker = must_print("phased:%s", arg_text(row, "name"));
    code = state_is(row, "running", "suspended", e);
    code = code ? code : rows_run(a->ledger, LEDGER_PHASED_STATE, e, "sss", arg_text(row, "name"), "suspended", "suspended");
    code = code ? code : rows_run(a->ledger, LEDGER_DEPLOYMENTS_HALT, e, "ss", maker, "suspended");
    code = code ? code : phase_log(a, arg_text(row, "name"), 0, "suspended", NULL, a->who, e);
    if (!code)
        *out = message("phased deployment %s is suspended: no phase begins and no installation that has not begun; those that run finish",
                       arg_text(row, "name"));
    json_decref(row);
    return code;
}

/* What has failed is accepted, and only more than that halts again. Nodes that were halted may have said something else since: the figures
 * that led to the halt count as well. */
static enum err accept_failures(struct author *a, struct step *s, const char *phased, const json_t *one, struct error *e)
{
    AUTO(text_free) char *why = NULL;
    struct phase          p;
    struct judged         now, then;
    int64_t               when;
    json_t               *log;
    enum err              code = phase_from_row(one, &p, e);

    if (code || p.state != PHASE_HALTED)
        return code;
    code = phase_judged(a, s, &p, &now, e);
    if (code)
        return code;
    log = rows_one(a->ledger, LEDGER_PHASE_LOG_HALT, "si", phased, p.position);
    if (log && !judged_read(json_object_get(log, "figures"), &then.gate, &then.figures, &when, NULL) && then.figures.failed > p.accepted)
        p.accepted = then.figures.failed;
    json_decref(log);
    if (now.figures.failed > p.accepted)
        p.accepted = now.figures.failed;
    why = must_print("resumed by %s; %lld failure%s accepted", a->who, (long long)p.accepted, p.accepted == 1 ? " is" : "s are");
    code = phase_store(a, LEDGER_PHASE_CHANGE, phased, &p, e);
    code = code ? code : phase_set(a, phased, &p, p.success_at ? PHASE_SUCCEEDED : PHASE_ACTIVE, e);
    return code ? code : phase_log(a, phased, p.position, "resumed", NULL, why, e);
}

enum err phased_resume(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    struct step step = {0};
    json_t     *row, *rows = NULL, *one;
    size_t      i;
    enum err    code = phased_there(a, args, &row, e);

    if (code)
        return code;
    AUTO(text_free) char *maker = must_print("phased:%s", arg_text(row, "name"));
    const char           *name = arg_text(row, "name");
    bool                  halted = !strcmp(arg_text(row, "state"), "halted");
    if (!halted)
        code = state_is(row, "suspended", "resumed", e);
    code = code ? code : rows_all(a->ledger, LEDGER_PHASES, &rows, e, "s", name);
    json_array_foreach(rows, i, one)
        code = code ? code : accept_failures(a, &step, name, one, e);
    code = code ? code : rows_run(a->ledger, LEDGER_PHASED_STATE, e, "sss", name, "running", "");
    code = code ? code : rows_run(a->ledger, LEDGER_DEPLOYMENTS_LIFT, e, "ss", maker, arg_text(row, "halted"));
    code = code || halted ? code : phase_log(a, name, 0, "resumed", NULL, a->who, e);
    code = code ? code : alert_close(a, "phase-halted", name, "", e);
    if (!code)
        *out = halted ? message("phased deployment %s goes on; the failures so far are accepted, and it halts again when there are more", name)
                      : message("phased deployment %s goes on", name);
    step_end(&step);
    json_decref(rows);
    json_decref(row);
    return code;
}

/* --- next --- */

/* Why the next phase does not begin by itself now; OK when nothing but a hand is wanted. */
static enum err ripe(struct author *a, const struct phase *before, const struct phase *p, struct error *e)
{
    struct judged j = {0};
    struct step   step = {0};
    char          time[TIME_SIZE];
    enum err      code = before ? phase_judged(a, &step, before, &j, e) : OK;

    step_end(&step);
    if (code || (!before && p->begin == BEGIN_BY_HAND))
        return code;
    if (before && (before->state != PHASE_SUCCEEDED || !j.verdict.reached))
        return fail(e, ERR_CONDITION, "phase %lld, %s, has not succeeded: %s; --force begins the next one all the same",
                    (long long)before->position, before->collection, j.verdict.why);
    if (p->begin == BEGIN_AFTER)
        return fail(e, ERR_CONDITION, "phase %lld, %s, begins by itself at %s; --force begins it now", (long long)p->position, p->collection,
                    before ? time_print(before->success_at + p->after_s, time) : "its time");
    return OK;
}

static enum err next_waiting(const json_t *rows, struct phase *before, struct phase *p, bool *first, struct error *e)
{
    json_t  *one;
    size_t   i;
    enum err code = OK;

    json_array_foreach(rows, i, one) {
        code = phase_from_row(one, p, e);
        *first = i == 0;
        if (code || p->state == PHASE_WAITING)
            return code;
        *before = *p;
    }
    return fail(e, ERR_CONDITION, "every phase has begun");
}

enum err phased_next(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    AUTO(text_free) char *log = NULL;
    struct phase          before = {0}, p;
    json_t               *row, *rows = NULL;
    bool                  first = true, force = json_is_true(json_object_get(args, "force"));
    enum err              code = phased_there(a, args, &row, e);

    if (code)
        return code;
    if (!strcmp(arg_text(row, "state"), "halted"))
        code = fail(e, ERR_HALTED, "phased deployment %s is halted: %.400s; `ferry phased resume %s` goes on", arg_text(row, "name"),
                    arg_text(row, "halted") ? arg_text(row, "halted") : "", arg_text(row, "name"));
    code = code ? code : state_is(row, "running", "moved on", e);
    code = code ? code : rows_all(a->ledger, LEDGER_PHASES, &rows, e, "s", arg_text(row, "name"));
    code = code ? code : next_waiting(rows, &before, &p, &first, e);
    if (!code && !force)
        code = ripe(a, first ? NULL : &before, &p, e);
    log = must_print("by %s%s", a->who, force ? ", by force" : "");
    code = code ? code : phase_begins_now(a, row, &p, log, e);
    if (!code)
        *out = message("phase %lld of %s, %s, has begun", (long long)p.position, arg_text(row, "name"), p.collection);
    json_decref(rows);
    json_decref(row);
    return code;
}

enum err phased_delete(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row;
    bool     withdraw = json_is_true(json_object_get(args, "withdraw"));
    enum err code = phased_there(a, args, &row, e);

    if (code)
        return code;
    const char           *name = arg_text(row, "name");
    AUTO(text_free) char *maker = must_print("phased:%s", name), *late = must_print("%s/", name);
    if (!withdraw && (!strcmp(arg_text(row, "state"), "halted") || !strcmp(arg_text(row, "state"), "suspended")))
        code = fail(e, ERR_CONDITION,
                    "phased deployment %s is %s, and its deployments with it; `ferry phased resume %s` first, or --withdraw them as well", name,
                    arg_text(row, "state"), name);
    if (!code && withdraw)
        code = rows_run(a->ledger, LEDGER_DEPLOYMENTS_WITHDRAW, e, "si", maker, a->now);
    code = code ? code : rows_run(a->ledger, LEDGER_PHASED_DROP_PHASES, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_PHASED_DROP_LOG, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_PHASED_DROP, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_ALERT_CLOSE_PHASED, e, "ssi", name, late, a->now);
    if (!code)
        *out = withdraw ? message("phased deployment %s is gone, its deployments are withdrawn", name)
                        : message("phased deployment %s is gone; the deployments of the phases that have begun stay", name);
    json_decref(row);
    return code;
}

/* --- the phases that wait --- */

/* By its number or its collection. */
static enum err phase_named(const json_t *rows, const json_t *args, struct phase *p, struct error *e)
{
    const char *name = arg_text(args, "phase");
    int64_t     number = arg_number(args, "phase", 0);
    json_t     *one;
    size_t      i;

    json_array_foreach(rows, i, one)
        if ((name && !strcmp(arg_text(one, "collection"), name)) || arg_number(one, "position", 0) == number)
            return phase_from_row(one, p, e);
    return fail(e, ERR_NOT_FOUND, "no phase \"%.64s\"; it is named by its number or its collection", name ? name : "");
}

static enum err waits(const struct phase *p, struct error *e)
{
    if (p->state == PHASE_WAITING)
        return OK;
    return fail(e, ERR_CONDITION,
                "phase %lld, %s, has begun and is read-only: nodes are acting on it and its gate is judging it; waiting phases can be changed",
                (long long)p->position, p->collection);
}

struct edit {
    json_t      *row, *rows;
    const char  *phased;
    struct phase p;
    int64_t      begun;                         /* phases that are not waiting any more; they come first */
};

static void edit_end(struct edit *d)
{
    json_decref(d->row);
    json_decref(d->rows);
}

static enum err edit_begin(struct author *a, const json_t *args, bool named, struct edit *d, struct error *e)
{
    json_t  *one;
    size_t   i;
    enum err code = phased_there(a, args, &d->row, e);

    if (code)
        return code;
    d->phased = arg_text(d->row, "name");
    code = rows_all(a->ledger, LEDGER_PHASES, &d->rows, e, "s", d->phased);
    json_array_foreach(d->rows, i, one)
        d->begun += strcmp(arg_text(one, "state"), "waiting") != 0;
    if (!code && named)
        code = phase_named(d->rows, args, &d->p, e);
    if (!code && named)
        code = waits(&d->p, e);
    return code;
}

/* The phase at from comes to stand at to, the others close up; positions are a key, so it goes by way of 0. */
static enum err place(struct author *a, const char *phased, int64_t from, int64_t to, struct error *e)
{
    int64_t  step = from < to ? 1 : -1;
    enum err code = rows_run(a->ledger, LEDGER_PHASE_PLACE, e, "sii", phased, from, (int64_t)0);

    for (int64_t i = from; i != to && !code; i += step)
        code = rows_run(a->ledger, LEDGER_PHASE_PLACE, e, "sii", phased, i + step, i);
    return code ? code : rows_run(a->ledger, LEDGER_PHASE_PLACE, e, "sii", phased, (int64_t)0, to);
}

static enum err place_good(const struct edit *d, int64_t at, int64_t last, struct error *e)
{
    if (at < 1 || at > last)
        return fail(e, ERR_USAGE, "a phase can stand at 1 to %lld", (long long)last);
    if (at <= d->begun)
        return fail(e, ERR_CONDITION, "phase %lld has begun already; a waiting phase never comes before one that has", (long long)at);
    return OK;
}

enum err phase_add(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *spec = arg_text(args, "spec");
    json_t     *kept = NULL;
    struct edit d = {0};
    int64_t     last, at;
    enum err    code = edit_begin(a, args, false, &d, e);

    last = (int64_t)json_array_size(d.rows) + 1;
    at = arg_number(args, "at", last);
    if (!code && !spec)
        code = fail(e, ERR_USAGE, "--phase is missing: COLLECTION,KEY=VALUE…");
    if (!code && last > PHASES_MOST)
        code = fail(e, ERR_CONDITION, "at most %d phases", PHASES_MOST);
    code = code ? code : place_good(&d, at, last, e);
    phase_default(&d.p, false);
    d.p.position = last;
    code = code ? code : terms_take(a, args, &d.p.terms, e);
    code = code ? code : phase_take(spec, true, &d.p, &kept, e);
    code = code ? code : phase_check(a, &d.p, e);
    code = code ? code : phase_new_here(a, d.phased, d.p.collection, 0, e);
    code = code ? code : phase_store(a, LEDGER_PHASE_PUT, d.phased, &d.p, e);
    code = code || at == last ? code : place(a, d.phased, last, at, e);
    if (!code && !strcmp(arg_text(d.row, "state"), "done"))
        code = rows_run(a->ledger, LEDGER_PHASED_STATE, e, "sss", d.phased, "running", "");
    if (!code)
        *out = message("phase %lld of %s: %s", (long long)at, d.phased, d.p.collection);
    json_decref(kept);
    edit_end(&d);
    return code;
}

enum err phase_change(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *spec = arg_text(args, "spec");
    json_t     *kept = NULL;
    struct edit d = {0};
    enum err    code = edit_begin(a, args, true, &d, e);

    if (!code && arg_text(args, "collection"))
        d.p.collection = arg_text(args, "collection");
    code = code ? code : terms_take(a, args, &d.p.terms, e);
    if (!code && spec)
        code = phase_take(spec, false, &d.p, &kept, e);
    code = code ? code : phase_check(a, &d.p, e);
    code = code ? code : phase_new_here(a, d.phased, d.p.collection, d.p.position, e);
    code = code ? code : phase_store(a, LEDGER_PHASE_CHANGE, d.phased, &d.p, e);
    if (!code)
        *out = phase_show(&d.p);
    json_decref(kept);
    edit_end(&d);
    return code;
}

enum err phase_remove(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    struct edit d = {0};
    int64_t     last;
    enum err    code = edit_begin(a, args, true, &d, e);

    last = (int64_t)json_array_size(d.rows);
    if (!code && last == 1)
        code = fail(e, ERR_CONDITION, "it is the only phase; `ferry phased delete %s` deletes the whole", d.phased);
    code = code ? code : place(a, d.phased, d.p.position, last, e);
    code = code ? code : rows_run(a->ledger, LEDGER_PHASE_DROP, e, "si", d.phased, last);
    if (!code)
        *out = message("phase %s of %s is gone", d.p.collection, d.phased);
    edit_end(&d);
    return code;
}

enum err phase_move(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    struct edit d = {0};
    int64_t     to = arg_number(args, "to", 0);
    enum err    code = edit_begin(a, args, true, &d, e);

    code = code ? code : place_good(&d, to, (int64_t)json_array_size(d.rows), e);
    code = code ? code : place(a, d.phased, d.p.position, to, e);
    if (!code)
        *out = message("phase %s of %s stands at %lld now", d.p.collection, d.phased, (long long)to);
    edit_end(&d);
    return code;
}
