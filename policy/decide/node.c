/* The gates an update passes on its way to being installed, one function each, in story order: the table below them is the story. */
#include "policy/decide/node.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define CLOSURE_RETRY 900                       /* seconds; the missing dependency may come with a new policy */
#define NEVER         INT64_MAX

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

/* --- what gates look at, and what they answer --- */

struct view {
    const struct situation  *s;
    const struct node_rules *rules;
    const struct deployment *d;                 /* NULL up to NOT_DEPLOYED only */
    struct times             times;
    int64_t                  now;               /* behind a gate that opens by the clock: the moment it opens */
};

struct answer {
    bool        shut;
    enum action action;                         /* what the node can do about it */
    int64_t     clock, wake;
};
static const struct answer open;

static struct answer shut_if(bool shut)
{
    return (struct answer){.shut = shut};
}

static struct answer do_if(bool shut, enum action action)
{
    return (struct answer){.shut = shut, .action = action};
}

static struct answer shut_until(const struct view *v, int64_t t)
{
    return (struct answer){.shut = v->now < t, .clock = t, .wake = t};
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool required(const struct view *v)
{
    return v->d->terms.purpose == PURPOSE_REQUIRED;
}

static bool past_deadline(const struct view *v)
{
    return v->times.deadline && v->now >= v->times.deadline;
}

/* The user wants it, and now. */
static bool asked(const struct view *v)
{
    return v->s->user_asked && v->now >= v->s->user_at;
}

/* The next moment in which it may be installed before its deadline because the user does not need the machine. */
static int64_t next_free(const struct view *v)
{
    if (!v->rules->settings.outside_hours || !v->rules->business.weekdays)
        return NEVER;
    return business_free(&v->rules->business, v->rules->zone, v->now);
}

/* It need not wait until it is due. */
static bool early(const struct view *v)
{
    return asked(v) || v->s->batched || next_free(v) == v->now;
}

/* --- is there anything to do? --- */

static struct answer installing(const struct view *v)
{
    return shut_if(v->s->installing);
}

static struct answer restart_pending(const struct view *v)
{
    return shut_if(v->s->state == STATE_INSTALLED && v->s->restart_pending);
}

static struct answer installed(const struct view *v)
{
    return shut_if(v->s->state == STATE_INSTALLED);
}

static struct answer not_required(const struct view *v)
{
    return shut_if(v->s->state == STATE_NOT_REQUIRED);
}

static struct answer not_deployed(const struct view *v)
{
    return shut_if(!v->d);
}

static struct answer not_member(const struct view *v)
{
    return shut_if(!v->s->member);
}

static struct answer disabled(const struct view *v)
{
    return shut_if(!v->d->enabled || v->d->withdrawn);
}

static struct answer halted(const struct view *v)
{
    return shut_if(v->d->halted != NULL);
}

static struct answer switched_off(const struct view *v)
{
    return shut_if(!v->rules->settings.enabled);
}

static struct answer state_unknown(const struct view *v)
{
    return shut_if(v->s->state == STATE_UNKNOWN && !v->s->interrupted);
}

static struct answer held(const struct view *v)
{
    return shut_if(v->s->held);
}

static struct answer not_yet(const struct view *v)
{
    return shut_until(v, v->times.available);
}

/* --- is its content here? --- */

static struct answer content_missing(const struct view *v)
{
    return shut_if(!v->s->content_complete);
}

/* Only of what would be fetched now. The deadline opens it for what is required: by the limit itself, or because the deployment says so. */
static struct answer metered(const struct view *v)
{
    int64_t setting = v->rules->settings.metered;
    bool    fetch = !v->s->content_here && (required(v) || v->s->user_asked || v->d->terms.predownload);
    bool    by_deadline = setting == METERED_LIMIT || v->d->terms.metered;
    int64_t opens = by_deadline ? v->times.deadline : 0;

    if (!v->s->metered || setting == METERED_ALLOW || !fetch)
        return open;
    if ((setting == METERED_LIMIT && v->s->user_asked) || (by_deadline && past_deadline(v)))
        return open;
    return (struct answer){.shut = true, .clock = opens, .wake = opens};
}

static struct answer predownloading(const struct view *v)
{
    return do_if(!required(v) && !v->s->user_asked && v->d->terms.predownload && !v->s->content_here, ACTION_FETCH);
}

static struct answer offered(const struct view *v)
{
    return (struct answer){.shut = !required(v) && !v->s->user_asked, .clock = v->times.available};
}

static struct answer fetching(const struct view *v, bool in_this_manner)
{
    return (struct answer){.shut = !v->s->content_here && in_this_manner, .action = ACTION_FETCH, .clock = v->times.deadline};
}

static struct answer downloading(const struct view *v)
{
    return fetching(v, !v->s->source_missing && !v->s->download_failed);
}

static struct answer no_source(const struct view *v)
{
    return fetching(v, v->s->source_missing && !v->s->download_failed);
}

static struct answer download_failed(const struct view *v)
{
    return fetching(v, v->s->download_failed);
}

/* --- is it time? --- */

/* A user's time behind the moment it is due anyway does not keep it back. */
static struct answer scheduled(const struct view *v)
{
    struct answer a = shut_until(v, v->s->user_asked ? v->s->user_at : 0);

    if (!v->times.due)
        return a;
    a.shut = a.shut && v->now < v->times.due;
    a.wake = sooner(a.wake, v->times.due);
    return a;
}

static struct answer deadline_ahead(const struct view *v)
{
    int64_t deadline = v->times.deadline;

    if (early(v) || past_deadline(v))
        return open;
    return (struct answer){.shut = true, .clock = deadline, .wake = sooner(deadline, next_free(v))};
}

static struct answer grace(const struct view *v)
{
    return early(v) ? open : shut_until(v, v->times.due);
}

static struct answer postponed(const struct view *v)
{
    return asked(v) ? open : shut_until(v, sooner(v->s->postponed_until, decide_postpone(v->d, v->rules, v->now)));
}

/* --- has it failed before? --- */

static struct answer closure(const struct view *v)
{
    return v->s->closure_missing ? shut_until(v, v->s->last_attempt + CLOSURE_RETRY) : open;
}

static struct answer retry_later(const struct view *v)
{
    int64_t wait = v->s->attempts ? decide_retry(v->s->attempts) : 0;

    return wait > 0 ? shut_until(v, v->s->last_attempt + wait) : open;
}

static struct answer gave_up(const struct view *v)
{
    return (struct answer){.shut = v->s->attempts && decide_retry(v->s->attempts) < 0, .clock = v->s->last_attempt};
}

/* --- may the machine be changed? --- */

/* From when on the windows let it begin, or do not matter. */
static int64_t window_opens(const struct view *v)
{
    const struct node_rules *r = v->rules;
    int64_t                  need = v->s->update->install.max_run_s + WINDOW_RESTART;
    int64_t                  at = NEVER;
    struct opening           o;

    if (!r->window_count)
        return v->now;
    if (windows_next(r->windows, r->window_count, r->settings.windows_union, r->zone, v->now, need, &o))
        at = o.begin;
    if (v->d->terms.install_outside && v->times.deadline)
        at = sooner(at, v->times.deadline);
    return v->s->user_asked ? sooner(at, v->s->user_at) : at;
}

static struct answer wait_window(const struct view *v)
{
    int64_t at = window_opens(v);

    return at == NEVER ? open : shut_until(v, at);
}

static struct answer no_window(const struct view *v)
{
    return shut_if(window_opens(v) == NEVER);
}

static struct answer restart_first(const struct view *v)
{
    return shut_if(v->s->restart_first);
}

/* Definitions do not wait for their turn: they change nothing that a machine is taken out of service for. */
static struct answer wait_turn(const struct view *v)
{
    bool waits = v->rules->orchestrated && v->s->update->classification != CLASS_DEFINITION;

    return (struct answer){.shut = waits && !v->s->turn_held && !asked(v),
                           .action = ACTION_TURN,
                           .wake = v->s->user_asked ? v->s->user_at : 0};
}

static struct answer busy(const struct view *v)
{
    return shut_if(v->s->busy);
}

static struct answer ask_first(const struct view *v)
{
    return do_if(!v->s->asked, ACTION_ASK);
}

static struct answer install_now(const struct view *v)
{
    return (struct answer){.shut = true, .action = ACTION_INSTALL, .clock = asked(v) ? 0 : v->times.due};
}

/* --- the way --- */

enum judged {
    ALWAYS,
    LAST,                                       /* … and what is behind it means nothing while it is shut */
    TODAY                                       /* looks at what changes by the minute: only when everything before it is open */
};
static const struct { struct answer (*ask)(const struct view *); enum judged judged; } gates[] = {
    [REASON_INSTALLING]      = {installing,      LAST},
    [REASON_RESTART_PENDING] = {restart_pending, LAST},
    [REASON_INSTALLED]       = {installed,       LAST},
    [REASON_NOT_REQUIRED]    = {not_required,    LAST},
    [REASON_NOT_DEPLOYED]    = {not_deployed,    LAST},
    [REASON_NOT_MEMBER]      = {not_member,      LAST},
    [REASON_DISABLED]        = {disabled,        LAST},
    [REASON_HALTED]          = {halted,          ALWAYS},
    [REASON_SWITCHED_OFF]    = {switched_off,    ALWAYS},
    [REASON_STATE_UNKNOWN]   = {state_unknown,   LAST},
    [REASON_HELD]            = {held,            ALWAYS},
    [REASON_NOT_YET]         = {not_yet,         ALWAYS},
    [REASON_CONTENT_MISSING] = {content_missing, ALWAYS},
    [REASON_METERED]         = {metered,         TODAY},
    [REASON_PREDOWNLOADING]  = {predownloading,  TODAY},
    [REASON_OFFERED]         = {offered,         LAST},
    [REASON_DOWNLOADING]     = {downloading,     TODAY},
    [REASON_NO_SOURCE]       = {no_source,       TODAY},
    [REASON_DOWNLOAD_FAILED] = {download_failed, TODAY},
    [REASON_SCHEDULED]       = {scheduled,       ALWAYS},
    [REASON_DEADLINE_AHEAD]  = {deadline_ahead,  ALWAYS},
    [REASON_GRACE]           = {grace,           ALWAYS},
    [REASON_POSTPONED]       = {postponed,       ALWAYS},
    [REASON_CLOSURE]         = {closure,         ALWAYS},
    [REASON_RETRY_LATER]     = {retry_later,     ALWAYS},
    [REASON_GAVE_UP]         = {gave_up,         ALWAYS},
    [REASON_WAIT_WINDOW]     = {wait_window,     ALWAYS},
    [REASON_NO_WINDOW]       = {no_window,       ALWAYS},
    [REASON_RESTART_FIRST]   = {restart_first,   TODAY},
    [REASON_WAIT_TURN]       = {wait_turn,       TODAY},
    [REASON_BUSY]            = {busy,            TODAY},
    [REASON_ASK_FIRST]       = {ask_first,       TODAY},
    [REASON_INSTALL_NOW]     = {install_now,     TODAY},
};
_Static_assert(COUNT(gates) == REASON_COUNT, "every reason has its gate");

static struct decision decision(const struct view *v, enum reason reason, const struct answer *a)
{
    struct decision d = {.action = a->action, .reason = reason, .wake = a->wake, .clock = a->clock};

    if (v->d)
        snprintf(d.document, sizeof d.document, "policy/%s/%s.json", v->d->collection, v->d->id);
    return d;
}

/* From gate to gate. One that opens by the clock takes the walk there, so that those behind it are judged for the moment they matter. */
static size_t walk(struct view v, struct decision *out, size_t room)
{
    size_t count = 0;

    if (v.d)
        v.times = decide_times(v.d, v.rules);
    for (size_t i = 0; i < COUNT(gates) && count < room; i++) {
        struct answer a = gates[i].judged == TODAY && count ? open : gates[i].ask(&v);

        if (!a.shut)
            continue;
        out[count++] = decision(&v, (enum reason)i, &a);
        if (gates[i].judged == LAST)
            break;
        if (a.wake > v.now)
            v.now = a.wake;
    }
    return count;
}

struct decision decide_update(const struct situation *s, const struct node_rules *rules, int64_t now)
{
    struct decision first;

    walk((struct view){.s = s, .rules = rules, .d = s->deployment, .now = now}, &first, 1);
    return first;
}

size_t decide_all(const struct situation *s, const struct node_rules *rules, int64_t now, struct decision out[DECISIONS_MOST])
{
    return walk((struct view){.s = s, .rules = rules, .d = s->deployment, .now = now}, out, DECISIONS_MOST);
}
