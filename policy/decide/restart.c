#include "policy/decide/restart.h"

#include "base/text.h"

#define NEVER INT64_MAX

static const struct { const char *word, *text; } states[] = {
#define X(name, word, text) {word, text},
    RESTART_LIST(X)
#undef X
};

const char *restart_word(enum restart_state s)
{
    return states[s].word;
}

const char *restart_text(enum restart_state s)
{
    return states[s].text;
}

/* All causes together: the most permissive one decides. */
struct leave {
    bool    suppressed;
    int64_t due;                                /* the earliest; NEVER: users alone have asked for what wants the restart */
    int64_t outside;                            /* from then on windows do not matter; NEVER */
};

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct leave leave_of(const struct restart_situation *s, const struct node_rules *rules)
{
    struct leave l = {.suppressed = true, .due = NEVER, .outside = NEVER};

    for (size_t i = 0; i < s->cause_count; i++) {
        const struct deployment *d = s->causes[i].deployment;
        int64_t                  due = d ? decide_times(d, rules).due : 0;

        if (d && !due)
            due = NEVER;
        l.due = sooner(l.due, due);
        if (d && d->terms.restart_outside)
            l.outside = sooner(l.outside, due);
        l.suppressed = l.suppressed && d && (rules->server ? d->terms.suppress_restart_servers : d->terms.suppress_restart_workstations);
    }
    return l;
}

/* The first moment from t on in which the machine may restart; NEVER. */
static int64_t allowed(const struct leave *l, const struct node_rules *rules, int64_t t)
{
    int64_t        at = NEVER;
    struct opening o;

    if (!rules->window_count || l->outside <= t)
        return t;
    if (windows_next(rules->windows, rules->window_count, rules->settings.windows_union, rules->zone, t, WINDOW_RESTART, &o))
        at = o.begin > t ? o.begin : t;
    return sooner(at, l->outside);
}

static int64_t known(int64_t t)
{
    return t == NEVER ? 0 : t;
}

static struct restart_decision now_unless_installing(const struct restart_situation *s, int64_t now)
{
    return (struct restart_decision){.state = s->installing ? RESTART_FINAL : RESTART_NOW, .at = s->installing ? 0 : now};
}

/* It is due: from its first moment on the countdown runs, in and out of windows, so that whoever sits there is warned before one opens. */
static struct restart_decision count_down(const struct restart_situation *s, const struct leave *l, const struct node_rules *rules,
                                          int64_t now)
{
    /* A beginning in the future is one from before the clock was put back. */
    bool                    begin = !s->countdown_begun || s->countdown_begun > now;
    int64_t                 end = (begin ? now : s->countdown_begun) + rules->settings.restart_countdown_s;
    int64_t                 at = allowed(l, rules, end > now ? end : now);
    struct restart_decision d = {.at = known(at), .wake = known(at), .begin_countdown = begin};

    if (at <= now) {
        d = now_unless_installing(s, now);
        d.begin_countdown = begin;
    } else if (at != NEVER && at - now <= rules->settings.restart_final_s) {
        d.state = RESTART_FINAL;
    } else {
        d.state = at > end ? RESTART_WINDOW : RESTART_COUNTDOWN;
        d.wake = at == NEVER ? 0 : at - rules->settings.restart_final_s;
    }
    return d;
}

static struct restart_decision held(const struct leave *l, const struct node_rules *rules)
{
    int64_t at = rules->settings.restart_forced ? allowed(l, rules, l->due + rules->settings.restart_countdown_s) : NEVER;

    return (struct restart_decision){.state = RESTART_HELD, .at = known(at), .wake = l->due};
}

struct restart_decision decide_restart(const struct restart_situation *s, const struct node_rules *rules, int64_t now)
{
    struct leave l = leave_of(s, rules);

    if (!s->cause_count)
        return (struct restart_decision){.state = RESTART_NONE};
    if (s->user_asked)
        return now_unless_installing(s, now);
    if (l.suppressed)
        return (struct restart_decision){.state = RESTART_SUPPRESSED};
    if (l.due == NEVER)
        return (struct restart_decision){.state = RESTART_REMINDING};
    if (now < l.due)
        return held(&l, rules);
    if (!rules->settings.restart_forced)
        return (struct restart_decision){.state = RESTART_REMINDING};
    return count_down(s, &l, rules, now);
}
