#include "policy/decide/phase.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const words[] = {"hold", "success", "alert", "halt"};

const char *phase_verdict_word(enum phase_verdict v)
{
    return words[v];
}

int64_t phase_begins(enum phase_begin begin, int64_t after_s, int64_t success_at)
{
    return begin == BEGIN_AFTER && success_at ? success_at + after_s : 0;
}

/* Nodes whose state is final for now. Silent ones are in failed already. */
static int64_t ended(const struct phase_figures *f)
{
    return f->compliant + f->failed;
}

/* Over the nodes of the collection: whoever is unknown counts against it, and of no nodes nothing is true. */
static bool reached(const struct gate *g, const struct phase_figures *f)
{
    if (!f->nodes)
        return false;
    return g->success_count > 0 ? f->compliant >= g->success_count : f->compliant * 100 >= g->success_percent * f->nodes;
}

/* Over the nodes that have ended: the first twenty of a thousand have to be able to stop it. */
static bool failing(const struct gate *g, const struct phase_figures *f)
{
    return ended(f) > 0 && ended(f) >= g->sample && f->failed * 100 > g->halt_percent * ended(f);
}

/* --- the sentence --- */

#define WHY sizeof ((struct phase_judgement *)0)->why

static void put(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(char *why, const char *format, ...)
{
    size_t  n = strlen(why);
    va_list args;

    va_start(args, format);
    vsnprintf(why + n, WHY - n, format, args);
    va_end(args);
}

/* In tenths, away from the threshold: what is short of 95 % never reads "95 %", what is above 5 % never reads "5 %". */
static void put_percent(char *why, int64_t part, int64_t whole, bool up)
{
    int64_t tenths = (part * 1000 + (up ? whole - 1 : 0)) / whole;

    if (tenths % 10)
        put(why, " (%lld.%lld %%)", (long long)(tenths / 10), (long long)(tenths % 10));
    else
        put(why, " (%lld %%)", (long long)(tenths / 10));
}

static void put_success(char *why, const struct gate *g, const struct phase_figures *f)
{
    if (!f->nodes) {
        put(why, "there are no nodes in its collection");
        return;
    }
    put(why, "%lld of %lld nodes compliant", (long long)f->compliant, (long long)f->nodes);
    if (g->success_count > 0) {
        put(why, ", %lld wanted", (long long)g->success_count);
        return;
    }
    put_percent(why, f->compliant, f->nodes, false);
    put(why, ", %lld %% wanted", (long long)g->success_percent);
}

static void put_failure(char *why, const struct gate *g, const struct phase_figures *f)
{
    bool judged = g->halt_percent < 100 && ended(f) >= g->sample;

    if (!f->failed)
        return;
    if (judged)
        put(why, "; %lld of the %lld that have ended failed", (long long)f->failed, (long long)ended(f));
    else
        put(why, "; %lld failed", (long long)f->failed);
    if (f->silent)
        put(why, ", %lld of them silent", (long long)f->silent);
    if (judged) {
        put_percent(why, f->failed, ended(f), true);
        put(why, ", halt above %lld %%", (long long)g->halt_percent);
    } else if (g->halt_percent < 100) {
        put(why, ", judged when %lld have ended", (long long)g->sample);
    }
}

static void say(char *why, const struct gate *g, const struct phase_figures *f, const struct phase_judgement *j)
{
    put_success(why, g, f);
    put_failure(why, g, f);
    if (j->verdict == PHASE_ALERT)
        put(why, "; its success is overdue");
    else if (j->verdict == PHASE_HOLD && j->reached)
        put(why, "; it has to stay so for a while");
    else if (j->verdict == PHASE_HOLD && f->nodes && ended(f) >= f->nodes)
        put(why, "; all have ended, and it does not go on by itself");
}

/* --- the verdict --- */

static void wake_at(struct phase_judgement *j, int64_t t, int64_t now)
{
    if (t > now && (!j->wake || t < j->wake))
        j->wake = t;
}

/* Figures change without news when nodes become silent, and the verdict when the soak or the patience ends. */
static void judge(const struct gate *g, const struct phase_figures *f, int64_t now, struct phase_judgement *j)
{
    int64_t held_since = f->succeeded ? f->succeeded : now;

    j->reached = reached(g, f);
    if (g->silence_s && f->unknown)
        wake_at(j, f->began + g->silence_s, now);
    if (failing(g, f)) {
        j->verdict = PHASE_HALT;
    } else if (j->reached) {
        j->verdict = now >= held_since + g->soak_s ? PHASE_SUCCESS : PHASE_HOLD;
        wake_at(j, held_since + g->soak_s, now);
    } else if (g->progress_s) {
        j->verdict = now >= f->began + g->progress_s ? PHASE_ALERT : PHASE_HOLD;
        wake_at(j, f->began + g->progress_s, now);
    }
}

struct phase_judgement phase_judge(const struct gate *g, const struct phase_figures *f, int64_t now)
{
    struct phase_judgement j = {.verdict = PHASE_HOLD};

    judge(g, f, now, &j);
    say(j.why, g, f, &j);
    return j;
}
