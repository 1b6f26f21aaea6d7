/* What people read: what will happen, when by their own clock, and why not now. Everything comes from the decisions; nothing is decided here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/client/core.h"

/* --- moments --- */

char *sentence_time(struct client *c, int64_t t)
{
    static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
    struct civil             at = zone_civil(c->zone, t), now = zone_civil(c->zone, client_now(c));
    struct text              out = {0};

    text_add(&out, "%.3s %d %s ", weekday_name(at.weekday), at.day, months[at.month - 1]);
    if (at.year != now.year)
        text_add(&out, "%d ", at.year);
    text_add(&out, "%02d:%02d %s", at.hour, at.minute, zone_short(c->zone, t));
    return text_take(&out);
}

char *sentence_window(const struct client *c, int64_t t)
{
    struct text    out = {0};
    struct opening o;

    for (size_t i = 0; i < c->rules.window_count; i++) {
        const struct window *w = c->rules.windows[i];
        struct civil         begin, end;

        if (!windows_next(&w, 1, true, c->zone, t, 1, &o) || o.begin > t)
            continue;
        begin = zone_civil(c->zone, o.begin);
        end = zone_civil(c->zone, o.end);
        text_add(&out, "%s%s %02d:%02d-%02d:%02d", out.length ? ", " : "", w->name, begin.hour, begin.minute, end.hour, end.minute);
    }
    if (!out.length)
        return NULL;
    return text_take(&out);
}

static void add_time(struct client *c, struct text *t, const char *before, int64_t at)
{
    AUTO(text_free) char *when = sentence_time(c, at);

    text_add(t, "%s%s", before, when);
}

static void add_window(struct client *c, struct text *t, const char *before, int64_t at)
{
    AUTO(text_free) char *names = sentence_window(c, at);

    if (names)
        text_add(t, "%s%s", before, names);
}

/* --- one gate --- */

static const char *detail_of(const struct client *c, const struct job *j, enum reason r)
{
    switch (r) {
    case REASON_HALTED: return j->deployment->halted;
    case REASON_NO_SOURCE: case REASON_DOWNLOAD_FAILED: return j->fetch_why;
    case REASON_WAIT_TURN: return c->turn.why;
    case REASON_CLOSURE: case REASON_RETRY_LATER: case REASON_GAVE_UP: case REASON_BUSY: return j->row.detail;
    default: return "";
    }
}

char *sentence_decision(struct client *c, struct job *j, const struct decision *d)
{
    const char *detail = detail_of(c, j, d->reason);
    struct text t = {0};

    text_add(&t, "%s", reason_text(d->reason));
    if (d->clock)
        add_time(c, &t, ": ", d->clock);
    if (d->reason == REASON_WAIT_WINDOW)
        add_window(c, &t, ", ", d->clock);
    if (detail && *detail)
        text_add(&t, "%s%s", d->clock ? "; " : ": ", detail);
    return text_take(&t);
}

/* --- the whole way --- */

struct way {
    struct client  *c;
    struct job     *j;
    struct decision gates[DECISIONS_MOST];
    size_t          count;
};

static struct way way_of(struct client *c, struct job *j)
{
    struct way       w = {.c = c, .j = j};
    struct situation s = situation_of(c, j);

    w.count = decide_all(&s, &c->rules, client_now(c), w.gates);
    return w;
}

static const struct decision *gate(const struct way *w, enum reason r)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->gates[i].reason == r)
            return &w->gates[i];
    return NULL;
}

/* Gates that no moment opens: then nobody knows when. */
static bool open_ended(const struct decision *d)
{
    switch (d->reason) {
    case REASON_NOT_YET: case REASON_DOWNLOADING: case REASON_NO_SOURCE: case REASON_DOWNLOAD_FAILED: return false;
    case REASON_METERED: return !d->wake;
    default: return d->reason < REASON_SCHEDULED || d->reason == REASON_GAVE_UP || d->reason == REASON_NO_WINDOW;
    }
}

int64_t sentence_moment(struct client *c, struct job *j)
{
    struct way w = way_of(c, j);
    int64_t    at = client_now(c);

    if (!c->result || !j->update)
        return 0;
    for (size_t i = 0; i < w.count; i++) {
        if (open_ended(&w.gates[i]))
            return 0;
        at = w.gates[i].wake > at ? w.gates[i].wake : at;
    }
    return at;
}

/* Until when it waits, without the windows. */
static void add_time_clause(const struct way *w, struct text *t)
{
    struct client         *c = w->c;
    const struct decision *scheduled = gate(w, REASON_SCHEDULED), *ahead = gate(w, REASON_DEADLINE_AHEAD), *grace = gate(w, REASON_GRACE),
                          *postponed = gate(w, REASON_POSTPONED), *retry = gate(w, REASON_RETRY_LATER), *closure = gate(w, REASON_CLOSURE);

    if (scheduled && scheduled->wake < scheduled->clock) {
        add_time(c, t, "will be installed when it is due, ", scheduled->wake);
        add_time(c, t, ", which is before ", scheduled->clock);
    } else if (scheduled) {
        add_time(c, t, "will be installed as you asked, ", scheduled->wake);
    } else if (postponed) {
        add_time(c, t, "is postponed and will be installed ", postponed->clock);
    } else if (grace) {
        add_time(c, t, "will be installed in your free hours behind the deadline, ", grace->clock);
    } else if (ahead && ahead->wake && ahead->wake < ahead->clock) {
        add_time(c, t, "will be installed in your free hours, ", ahead->wake);
        add_time(c, t, ", at the latest at the deadline, ", ahead->clock);
    } else if (ahead) {
        add_time(c, t, "will be installed at the deadline, ", ahead->clock);
    } else if (retry || closure) {
        add_time(c, t, "failed and will be tried again ", retry ? retry->clock : closure->clock);
    } else {
        text_add(t, gate(w, REASON_INSTALL_NOW) || gate(w, REASON_ASK_FIRST) ? "will be installed now" : "is due");
    }
}

static void add_timing(const struct way *w, struct text *t)
{
    struct client         *c = w->c;
    const struct decision *window = gate(w, REASON_WAIT_WINDOW);

    add_time_clause(w, t);
    if (window) {
        add_time(c, t, "; it waits for the next maintenance window, ", window->clock);
        add_window(c, t, ", ", window->clock);
    } else if (gate(w, REASON_NO_WINDOW)) {
        text_add(t, "; but no maintenance window is as long as the %lld minutes it may take and a restart",
                 (long long)(w->j->update->install.max_run_s + 59) / 60);
    } else if (!w->j->row.user_asked && !gate(w, REASON_GAVE_UP)) {
        add_window(c, t, ", in the window ", sentence_moment(c, w->j));
    }
}

/* It is due, and something still comes first. */
static void add_obstacle(const struct way *w, struct text *t)
{
    const struct decision *last = &w->gates[w->count - 1];
    const char            *detail = detail_of(w->c, w->j, last->reason);

    if (last->reason <= REASON_NO_WINDOW || last->reason == REASON_INSTALL_NOW)
        return;
    text_add(t, "; %s%s%s", reason_text(last->reason), detail && *detail ? ": " : "", detail ? detail : "");
}

static void add_reason(const struct way *w, struct text *t)
{
    AUTO(text_free) char *text = sentence_decision(w->c, w->j, &w->gates[0]);

    text_add(t, "%s", text);
}

char *sentence_job(struct client *c, struct job *j)
{
    struct text t = {0};
    struct way  w;

    if (j->running)
        return must_print("is being worked on now: %s", *j->step ? j->step : "beginning");
    if (!c->result)
        return must_copy("the machine has not been scanned yet");
    w = way_of(c, j);
    switch (w.gates[0].reason) {
    case REASON_RESTART_PENDING: {
        AUTO(text_free) char *restart = sentence_restart(c);
        text_add(&t, "is installed; %s", restart);
        break;
    }
    case REASON_OFFERED: text_add(&t, "is available: `ferry install %s` installs it", j->update->name); break;
    case REASON_NOT_YET:
        add_time(c, &t, "becomes available ", w.gates[0].clock);
        if (!gate(&w, REASON_OFFERED)) {
            text_add(&t, "; ");
            add_timing(&w, &t);
        }
        break;
    case REASON_METERED: case REASON_DOWNLOADING: case REASON_NO_SOURCE: case REASON_DOWNLOAD_FAILED:
        text_add(&t, "%s%s%s; ", reason_text(w.gates[0].reason), *j->fetch_why ? ": " : "", j->fetch_why);
        add_timing(&w, &t);
        break;
    default:
        if (open_ended(&w.gates[0]) && w.gates[0].reason != REASON_NO_WINDOW) {
            add_reason(&w, &t);
        } else {
            add_timing(&w, &t);
            add_obstacle(&w, &t);
        }
    }
    return text_take(&t);
}

/* --- the restart --- */

char *sentence_restart(struct client *c)
{
    const struct restart_decision *d = &c->reboot.decision;
    struct text                    t = {0};

    text_add(&t, "%s", restart_text(d->state));
    if (d->state == RESTART_NOW && reboot_by_hand(c))
        text_add(&t, " (the machine of this root has to be restarted by hand)");
    else if (d->at && d->state != RESTART_NOW)
        add_time(c, &t, ": ", d->at);
    if (*c->reboot.problem)
        text_add(&t, "; %s", c->reboot.problem);
    return text_take(&t);
}
