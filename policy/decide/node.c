#include "policy/decide/node.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define CLOSURE_RETRY 900
#define ATTEMPTS      10

static const struct { const char *word, *text; } reasons[] = {
#define X(name, word, text) {word, text},
    REASON_LIST(X)
#undef X
};

const char *reason_word(enum reason r)
{
    return reasons[r].word;
}

const char *reason_text(enum reason r)
{
    return reasons[r].text;
}

bool reason_by_word(const char *word, enum reason *out)
{
    for (size_t i = 0; i < COUNT(reasons); i++)
        if (!strcmp(reasons[i].word, word)) {
            *out = (enum reason)i;
            return true;
        }
    return false;
}

int64_t decide_retry(int attempts)
{
    int64_t wait = 300;

    if (attempts >= ATTEMPTS)
        return -1;
    for (int i = 1; i < attempts && wait < 14400; i++)
        wait *= 2;
    return wait < 14400 ? wait : 14400;
}

/* deadline + hash(node, deployment) mod (randomize_s + 1) */
static int64_t spread_deadline(const struct deployment *d, const char *node_id)
{
    char          text[200];
    struct sha256 h;
    uint64_t      n = 0;

    if (!d->deadline || !d->terms.randomize_s)
        return d->deadline;
    snprintf(text, sizeof text, "%s/%s", node_id, d->id);
    h = hash_bytes(text, strlen(text));
    for (int i = 0; i < 8; i++)
        n = n << 8 | h.b[i];
    return d->deadline + (int64_t)(n % (uint64_t)(d->terms.randomize_s + 1));
}

struct times decide_times(const struct deployment *d, const struct node_rules *rules)
{
    int64_t deadline = spread_deadline(d, rules->node_id);

    return (struct times){d->available, deadline, deadline};
}

static int order(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

int decide_order(const struct deployment *a, const struct deployment *b, const struct node_rules *rules)
{
    int64_t never = INT64_MAX;
    int     c;

    (void)rules;
    c = order(a->deadline ? a->deadline : never, b->deadline ? b->deadline : never);

    if (!c)
        c = order(a->available, b->available);
    return c ? c : strcmp(a->id, b->id);
}

int decide_turn(const struct update *a, const struct update *b)
{
    int c = order(a->install.exclusive, b->install.exclusive);

    return c ? c : order(a->install.max_run_s, b->install.max_run_s);
}

/* Nothing may be postponed yet. */
int64_t decide_postpone(const struct deployment *d, const struct node_rules *rules, int64_t now)
{
    (void)d;
    (void)rules;
    (void)now;
    return 0;
}

static struct decision with(struct decision d, enum action action, enum reason reason, int64_t clock, int64_t wake)
{
    d.action = action;
    d.reason = reason;
    d.clock = clock;
    d.wake = wake;
    return d;
}

/* Everything is here: is it time? */
static struct decision decide_install(const struct situation *s, struct decision d, int64_t deadline, int64_t now)
{
    bool    due = s->user_asked || (deadline && now >= deadline);
    int64_t wait = s->attempts ? decide_retry(s->attempts) : 0;

    if (!due)
        return with(d, ACTION_NONE, REASON_DEADLINE_AHEAD, deadline, deadline);
    if (s->closure_missing && now < s->last_attempt + CLOSURE_RETRY)
        return with(d, ACTION_NONE, REASON_CLOSURE, s->last_attempt + CLOSURE_RETRY, s->last_attempt + CLOSURE_RETRY);
    if (wait < 0)
        return with(d, ACTION_NONE, REASON_GAVE_UP, s->last_attempt, 0);
    if (wait && now < s->last_attempt + wait)
        return with(d, ACTION_NONE, REASON_RETRY_LATER, s->last_attempt + wait, s->last_attempt + wait);
    if (s->busy)
        return with(d, ACTION_NONE, REASON_BUSY, 0, 0);
    return with(d, ACTION_INSTALL, REASON_INSTALL_NOW, s->user_asked ? 0 : deadline, 0);
}

struct decision decide_update(const struct situation *s, const struct node_rules *rules, int64_t now)
{
    struct decision          d = {0};
    const struct deployment *dep = s->deployment;
    int64_t                  deadline;

    if (dep)
        snprintf(d.document, sizeof d.document, "policy/%s/%s.json", dep->collection, dep->id);
    if (s->installing)
        return with(d, ACTION_NONE, REASON_INSTALLING, 0, 0);
    if (s->state == STATE_INSTALLED)
        return with(d, ACTION_NONE, s->restart_pending ? REASON_RESTART_PENDING : REASON_INSTALLED, 0, 0);
    if (s->state == STATE_NOT_REQUIRED)
        return with(d, ACTION_NONE, REASON_NOT_REQUIRED, 0, 0);
    if (!dep)
        return with(d, ACTION_NONE, REASON_NOT_DEPLOYED, 0, 0);
    if (!s->member)
        return with(d, ACTION_NONE, REASON_NOT_MEMBER, 0, 0);
    if (!dep->enabled || dep->withdrawn)
        return with(d, ACTION_NONE, REASON_DISABLED, 0, 0);
    if (s->state == STATE_UNKNOWN)
        return with(d, ACTION_NONE, REASON_STATE_UNKNOWN, 0, 0);
    if (s->held)
        return with(d, ACTION_NONE, REASON_HELD, 0, 0);
    if (now < dep->available)
        return with(d, ACTION_NONE, REASON_NOT_YET, dep->available, dep->available);
    if (dep->terms.purpose == PURPOSE_AVAILABLE && !s->user_asked)
        return with(d, ACTION_NONE, REASON_OFFERED, dep->available, 0);
    if (!s->content_complete)
        return with(d, ACTION_NONE, REASON_CONTENT_MISSING, 0, 0);
    deadline = spread_deadline(dep, rules->node_id);
    if (!s->content_here)
        return with(d, ACTION_FETCH,
                    s->download_failed  ? REASON_DOWNLOAD_FAILED
                    : s->source_missing ? REASON_NO_SOURCE
                                        : REASON_DOWNLOADING,
                    deadline, 0);
    return decide_install(s, d, deadline, now);
}

size_t decide_all(const struct situation *s, const struct node_rules *rules, int64_t now, struct decision out[DECISIONS_MOST])
{
    out[0] = decide_update(s, rules, now);
    return 1;
}
