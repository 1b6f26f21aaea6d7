/* The moments and the order decide_update() goes by. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "policy/decide/node.h"

#define ATTEMPTS 10

/* A node's own share of a span: the same on every call, spread evenly over the fleet, and nobody has to remember it. */
static int64_t share(const char *node_id, const char *id, const char *what, int64_t span)
{
    char          text[200];
    struct sha256 h;
    uint64_t      n = 0;

    if (span <= 0)
        return 0;
    snprintf(text, sizeof text, "%s/%s%s", node_id, id, what);
    h = hash_bytes(text, strlen(text));
    for (int i = 0; i < 8; i++)
        n = n << 8 | h.b[i];
    return (int64_t)(n % (uint64_t)(span + 1));
}

static bool soft(const struct deployment *d, const struct node_rules *rules)
{
    return d->terms.soft_deadline && rules->settings.grace_s > 0;
}

/* A soft deadline waits for the user's free hours. Who has said nothing of business hours is always free. */
static int64_t due_of(const struct deployment *d, const struct node_rules *rules, int64_t deadline)
{
    int64_t free;

    if (!soft(d, rules) || !rules->business.weekdays)
        return deadline;
    free = business_free(&rules->business, rules->zone, deadline);
    return free < deadline + rules->settings.grace_s ? free : deadline + rules->settings.grace_s;
}

struct times decide_times(const struct deployment *d, const struct node_rules *rules)
{
    const struct terms *terms = &d->terms;
    int64_t             later = share(rules->node_id, d->id, "/gradual", terms->gradual_s);
    struct times        t = {.available = d->available};

    if (terms->local_time)
        t.available = zone_of_wall(rules->zone, d->available);
    t.available += later;
    if (terms->purpose != PURPOSE_REQUIRED || !d->deadline)
        return t;
    t.deadline = terms->local_time ? zone_of_wall(rules->zone, d->deadline) : d->deadline;
    t.deadline += later;
    if (rules->settings.randomize)
        t.deadline += share(rules->node_id, d->id, "", terms->randomize_s);
    t.due = due_of(d, rules, t.deadline);
    return t;
}

int64_t decide_postpone(const struct deployment *d, const struct node_rules *rules, int64_t now)
{
    struct times t = decide_times(d, rules);
    int64_t      latest = t.deadline && soft(d, rules) ? t.deadline + rules->settings.grace_s : t.due;

    return now < latest ? latest : 0;
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

static int order(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* A halted deployment must not keep another one from installing what both have; one that is over comes last. */
static int out_of_force(const struct deployment *d)
{
    return !d->enabled || d->withdrawn ? 2 : d->halted != NULL;
}

int decide_order(const struct deployment *a, const struct deployment *b, const struct node_rules *rules)
{
    struct times x = decide_times(a, rules), y = decide_times(b, rules);
    int64_t      never = INT64_MAX;
    int          c = order(out_of_force(a), out_of_force(b));

    if (!c)
        c = order(x.deadline ? x.deadline : never, y.deadline ? y.deadline : never);
    if (!c)
        c = order(x.available, y.available);
    return c ? c : strcmp(a->id, b->id);
}

int decide_turn(const struct update *a, const struct update *b)
{
    int c = order(a->install.exclusive, b->install.exclusive);

    if (!c)
        c = order(a->install.max_run_s, b->install.max_run_s);
    return c ? c : strcmp(a->id, b->id);
}
