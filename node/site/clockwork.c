/* What the site does by itself as time passes: signs the timestamp again, downloads what deployed groups lack, runs rules and phases, reads
 * catalogs, watches for alerts. Everything compares the wall clock at each tick and waits for nothing: the clock may jump. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/site/inside.h"

#define TICK         2000 /* ms */
#define PAUSE_GOOD   15   /* seconds, all of these */
#define PAUSE_BAD    120
#define AGAIN        60
#define ALERTS       30
#define SYNC_LOOK    10
#define SYNC_RETRY   1800
#define TIDY         3600
#define LONGEST_WAIT 86400
#define REST         20 /* times as long as judging took, before it is done again: a large fleet always has news */

/* Reached; or so far ahead that the clock must have been set back. */
static bool due(int64_t at, int64_t now, int64_t most)
{
    return now >= at || at > now + most;
}

/* --- the timestamp --- */

static void refresh(struct site *s, int64_t now)
{
    struct author a = site_author(s, "clockwork");
    struct error  e = {0};
    enum err      code;

    if (!due(s->clockwork.refresh_at, now, LONGEST_WAIT))
        return;
    code = repository_refresh(s->repository, now, &s->clockwork.refresh_at, &e);
    if (code) {
        s->clockwork.refresh_at = now + AGAIN;
        log_error(LOG_WRONG, "policy.not-renewed", "signing the policy again", &e);
    }
    alert_while(&a, code != OK, "policy-not-renewed", "", ALERT_CRITICAL, e.text, NULL);
}

static void publish_again(struct site *s, int64_t now)
{
    struct error e;

    if (!s->unpublished || !due(s->clockwork.publish_at, now, AGAIN))
        return;
    s->clockwork.publish_at = now + AGAIN;
    s->unpublished = site_publish(s, &e) != OK;
    if (s->unpublished)
        log_error(LOG_WRONG, "policy.not-published", "publishing again", &e);
}

/* --- content of deployed groups --- */

static void on_downloaded(struct site *s, enum err code)
{
    s->clockwork.downloading = false;
    s->clockwork.download_at = clock_now() + (code ? PAUSE_BAD : PAUSE_GOOD);
}

/* Members of deployed groups whose files are not in the library, or that new inventories need more of. */
static void check_content(struct site *s, int64_t now)
{
    struct author a = site_author(s, "clockwork");
    json_t       *groups = NULL;
    bool          any;

    if (!s->check_content || s->clockwork.downloading || !due(s->clockwork.download_at, now, PAUSE_BAD))
        return;
    any = !author_deployed_groups(&a, &groups, NULL) && json_array_size(groups);
    json_decref(groups);
    s->check_content = false;
    if (!any)
        return;
    s->clockwork.downloading = true;
    download_start(s, job_new(s->jobs, "deployed content"), NULL, on_downloaded);
}

/* --- rules, one run after the other --- */

static void on_ran(struct site *s, enum err code)
{
    s->clockwork.running = false;
    if (code)
        s->clockwork.rules_at = clock_now() + AGAIN;
}

static void run_rules(struct site *s, int64_t now)
{
    struct author   a = site_author(s, "clockwork");
    char           *rule = NULL, what[100];
    struct rule_due next;
    struct error    e;

    if (s->clockwork.running || !due(s->clockwork.rules_at, now, AGAIN))
        return;
    if (rules_due(&a, &rule, &next, &e)) {
        log_error(LOG_WRONG, "rules.not-read", "rules that are due", &e);
        s->clockwork.rules_at = now + AGAIN;
    }
    if (rule) {
        snprintf(what, sizeof what, "rule.run %.64s", rule);
        s->clockwork.running = true;
        assemble_rule(s, job_new(s->jobs, what), rule, &next, "clockwork", on_ran);
    }
    free(rule);
}

/* --- phases --- */

static void step_phases(struct site *s, int64_t now)
{
    struct author a = site_author(s, "clockwork");
    struct error  e;
    bool          changed = false;
    int64_t       wake = 0, began = clock_ms();

    if (clock_ms() < s->clockwork.rested || (!s->news && !due(s->clockwork.phases_at, now, LONGEST_WAIT)))
        return;
    s->news = false;
    if (phased_step(&a, &changed, &wake, &e))
        log_error(LOG_WRONG, "phases.not-judged", "phased deployments", &e);
    s->clockwork.rested = clock_ms() + REST * (clock_ms() - began);
    s->clockwork.phases_at = wake > now && wake < now + LONGEST_WAIT ? wake : now + (wake && wake <= now ? AGAIN : LONGEST_WAIT);
    if (!changed)
        return;
    s->check_content = true;
    if (site_publish(s, &e)) {
        log_error(LOG_WRONG, "policy.not-published", "phased deployments", &e);
        s->unpublished = true;
    }
}

/* --- catalogs --- */

void clockwork_synced(struct site *s, enum err code, bool news)
{
    struct author a = site_author(s, "clockwork");
    struct error  e;

    if (s->clockwork.sync_started)
        s->clockwork.sync_retry = code ? clock_now() + SYNC_RETRY : 0;
    s->clockwork.sync_started = false;
    if (news && rules_synced(&a, &e))
        log_error(LOG_WRONG, "sync.not-recorded", "the sync that rules wait for", &e);
}

/* One that failed is tried again before the schedule's next time. */
static void sync_catalogs(struct site *s, int64_t now)
{
    struct author a = site_author(s, "clockwork");
    struct error  e;
    bool          wanted = false, retry = s->clockwork.sync_retry && due(s->clockwork.sync_retry, now, SYNC_RETRY);

    if (s->syncing || (!retry && !due(s->clockwork.sync_at, now, SYNC_LOOK)))
        return;
    s->clockwork.sync_at = now + SYNC_LOOK;
    if (sync_due(&a, &wanted, &e))
        log_error(LOG_WRONG, "sync.not-scheduled", "the schedule of syncs", &e);
    if (!wanted && !retry)
        return;
    s->clockwork.sync_retry = 0;
    s->clockwork.sync_started = true;
    sync_start(s, job_new(s->jobs, "catalog sync"), NULL);
}

/* --- order --- */

/* The files go before the row does: a site that is killed in between finds the row again and asks once more. */
static void forget_content(struct site *s, struct author *a, const char *hex)
{
    AUTO(text_free) char *file = must_print("%s/%s", s->content_dir, hex), *torrent = must_print("%s/%s.torrent", s->content_dir, hex);
    struct error          e;

    unlink(file);
    unlink(torrent);
    if (author_forget_content(a, hex, &e))
        log_error(LOG_WARN, "content.not-forgotten", hex, &e);
}

static void tidy(struct site *s, int64_t now)
{
    struct author a = site_author(s, "clockwork");
    struct error  e;
    json_t       *out = NULL, *hex;
    size_t        i;

    if (!due(s->clockwork.tidy_at, now, TIDY))
        return;
    s->clockwork.tidy_at = now + TIDY;
    if (author_tidy(&a, &out, &e)) {
        log_error(LOG_WRONG, "site.not-tidied", "putting in order", &e);
        return;
    }
    json_array_foreach(json_object_get(out, "content"), i, hex)
        forget_content(s, &a, json_string_value(hex));
    if (json_is_true(json_object_get(out, "changed")) && site_publish(s, &e)) {
        log_error(LOG_WRONG, "policy.not-published", "updates that have expired", &e);
        s->unpublished = true;
    }
    json_decref(out);
}

/* --- alerts --- */

static void watch(struct site *s, int64_t now)
{
    struct author a = site_author(s, "clockwork");
    struct error  e;

    if (due(s->clockwork.alerts_at, now, ALERTS)) {
        s->clockwork.alerts_at = now + ALERTS;
        if (alerts_evaluate(&a, &e))
            log_error(LOG_WRONG, "alerts.not-evaluated", "alerts", &e);
    }
    tell_alerts(s);
}

static void on_tick(uv_timer_t *timer)
{
    struct site *s = timer->data;
    int64_t      now = clock_now();

    refresh(s, now);
    publish_again(s, now);
    check_content(s, now);
    run_rules(s, now);
    step_phases(s, now);
    sync_catalogs(s, now);
    tidy(s, now);
    watch(s, now);
}

void clockwork_start(struct site *s)
{
    uv_timer_init(s->loop, &s->clockwork.timer);
    s->clockwork.timer.data = s;
    s->news = true;
    uv_timer_start(&s->clockwork.timer, on_tick, TICK, TICK);
}
