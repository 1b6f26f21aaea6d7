#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/core.h"

#define AT     "clock.vouched"                  /* in the store */
#define STALE  "policy.stale"
#define TOLD   "policy.expired"
#define KEEP_S 60                               /* written down as often, at most */

static int64_t number_of(struct client *c, const char *name)
{
    AUTO(text_free) char *text = store_get(c->store, name);

    return text ? strtoll(text, NULL, 10) : 0;
}

static void keep(struct client *c, const char *name, int64_t number)
{
    char         text[32];
    struct error e;

    snprintf(text, sizeof text, "%lld", (long long)number);
    if (store_set(c->store, name, text, &e))
        log_error(LOG_WRONG, "clock.not-kept", name, &e);
}

static void recall(struct client *c)
{
    struct vouched *v = &c->vouched;

    v->at = v->kept = number_of(c, AT);
    v->since_ms = clock_ms();
    v->stale = number_of(c, STALE);
    v->told = number_of(c, TOLD) != 0;
}

int64_t client_now(struct client *c)
{
    struct vouched *v = &c->vouched;
    int64_t         now = clock_now(), least;

    if (!c->store)
        return now;
    if (v->kept < 0)
        recall(c);
    least = v->at ? v->at + (clock_ms() - v->since_ms) / 2000 : 0;
    if (least >= v->kept + KEEP_S)
        keep(c, AT, v->kept = least);
    return now > least ? now : least;
}

/* --- the policy in force --- */

void vouched_brief(struct client *c, struct verifier *verifier)
{
    client_now(c);                              /* it has been read now */
    verifier_stale(verifier, c->vouched.stale);
}

static void alert(struct client *c, bool holds, const char *why)
{
    struct vouched *v = &c->vouched;

    if (v->told == holds)
        return;
    v->told = holds;
    log_say(holds ? LOG_WRONG : LOG_NOTE, "policy.expired", why, NULL);
    /* The message and the mark that it was said are one. */
    if (store_begin(c->store, NULL))
        return;
    report_put(c, json_pack("{s:s,s:s,s:s,s:b}", "topic", "alert", "event", "policy.expired", "detail", why, "over", !holds));
    keep(c, TOLD, holds);
    store_end(c->store, OK, NULL);
}

static void expired(struct client *c, int64_t version, const char *why)
{
    struct vouched *v = &c->vouched;

    if (version > v->stale)
        keep(c, STALE, v->stale = version);
    alert(c, true, why);
}

void vouched_policy(struct client *c, bool fresh)
{
    struct vouched *v = &c->vouched;
    int64_t         now = client_now(c);

    v->expires = verifier_expires(c->verifier);
    v->version = verifier_timestamp_version(c->verifier);
    if (!fresh || now >= v->expires)
        return;
    v->at = now;
    v->since_ms = clock_ms();
    keep(c, AT, v->kept = now);
    alert(c, false, "a fresh policy has come");
}

bool vouched_refused(struct client *c, const char *why)
{
    int64_t version;

    if (!verifier_expired(c->verifier, &version))
        return false;
    expired(c, version, why);
    return true;
}

void vouched_look(struct client *c)
{
    struct vouched *v = &c->vouched;
    char            at[TIME_SIZE], why[200];

    if (!v->expires || v->version <= v->stale || client_now(c) < v->expires)
        return;
    snprintf(why, sizeof why, "the policy in force ran out at %s; it stays in force, and nothing new is accepted before the site signs again",
             time_print(v->expires, at));
    expired(c, v->version, why);
}

/* --- what has happened, happened --- */

static bool at_most(int64_t *moment, int64_t now)
{
    bool later = *moment > now;

    if (later)
        *moment = now;
    return later;
}

static void on_row(void *ctx, const struct job_row *row)
{
    struct client *c = ctx;
    int64_t        now = client_now(c);

    if (row->last_attempt > now || row->reminded > now || row->changed > now)
        job_find(c, row->update);
}

static void settle_row(struct client *c, struct job *j, int64_t now)
{
    int later = at_most(&j->row.last_attempt, now);

    later += at_most(&j->row.reminded, now);
    later += at_most(&j->row.changed, now);
    if (later)
        job_keep(c, j);
}

void vouched_settle(struct client *c)
{
    int64_t now = client_now(c);

    store_jobs(c->store, on_row, c);
    for (struct job *j = c->jobs; j; j = j->next)
        settle_row(c, j, now);
    if (at_most(&c->evaluated_at, now))
        keep(c, "evaluated.at", now);
    at_most(&c->scanned_at, now);
    at_most(&c->last_poll, now);
    at_most(&c->notifier.restart_told, now);
    reboot_settle(c, now);
}
