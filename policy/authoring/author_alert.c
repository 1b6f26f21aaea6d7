/* Alerts: one open per event and subject, worked on by people, closed by itself when what it tells of has ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/authoring/making.h"
#include "policy/authoring/progress.h"
#include "policy/authoring/noun.h"
#include "policy/authoring/rollout.h"

#define KEPT (90 * 86400) /* closed alerts */

enum err alert_raise(struct author *a, const char *event, const char *subject, const char *severity, const char *node, const char *detail,
                     struct error *e)
{
    static const enum ledger_sql ways[] = {LEDGER_ALERT_AGAIN, LEDGER_ALERT_NEW};
    enum err                     code = OK;

    for (size_t i = 0; i < COUNT(ways) && !code; i++) {
        code = rows_run(a->ledger, ways[i], e, "ssssis", event, subject, node, severity, a->now, detail ? detail : "");
        if (!code && ledger_changes(a->ledger))
            break;
    }
    return code;
}

enum err alert_close(struct author *a, const char *event, const char *subject, const char *node, struct error *e)
{
    return rows_run(a->ledger, LEDGER_ALERT_CLOSE, e, "sssi", event, subject, node, a->now);
}

enum err alert_while(struct author *a, bool holds, const char *event, const char *subject, const char *severity, const char *detail,
                     struct error *e)
{
    json_t  *row = rows_one(a->ledger, LEDGER_ALERT_STANDING, "ss", event, subject);
    enum err code = OK;

    if (holds && !row)
        code = alert_raise(a, event, subject, severity, "", detail, e);
    else if (holds && strcmp(arg_text(row, "detail") ? arg_text(row, "detail") : "", detail))
        code = rows_run(a->ledger, LEDGER_ALERT_SAYS, e, "iis", arg_number(row, "id", 0), a->now, detail);
    else if (!holds && row)
        code = alert_close(a, event, subject, "", e);
    json_decref(row);
    return code;
}

/* --- what is looked at by the clock --- */

static enum err compliance_of(struct author *a, struct progress **progress, const json_t *row, const struct terms *t, struct error *e)
{
    struct tally tally = {0};
    enum err     code = *progress ? OK : progress_open(a, progress, e);

    code = code ? code : progress_of(*progress, row, &tally, NULL, e);
    int64_t percent = tally.total ? 100 * tally.compliant / tally.total : 100;
    char    text[200];

    snprintf(text, sizeof text, "%lld of %lld nodes compliant (%lld %%), %lld %% wanted; %lld failed, %lld unknown",
             (long long)tally.compliant, (long long)tally.total, (long long)percent, (long long)t->alert_below, (long long)tally.failed,
             (long long)tally.unknown);
    return code ? code
                : alert_while(a, tally.compliant * 100 < t->alert_below * tally.total, "low-compliance", arg_text(row, "name"),
                              ALERT_WARNING, text, e);
}

static enum err compliance_all(struct author *a, struct error *e)
{
    struct progress *progress = NULL;
    json_t          *rows = NULL, *row;
    struct zone     *zone = NULL;
    size_t           i;
    enum err         code = rows_all(a->ledger, LEDGER_DEPLOYMENTS_LIVE, &rows, e, "");

    code = code ? code : site_zone(a, &zone, e);
    json_array_foreach(rows, i, row) {
        struct terms t;
        int64_t      deadline;
        code = code ? code : terms_stored(json_object_get(row, "terms"), &t, e);
        if (code || !t.alert_below)
            continue;
        deadline = arg_number(row, "deadline", 0);
        deadline = t.local_time ? zone_of_wall(zone, deadline) : deadline;
        if (t.purpose == PURPOSE_REQUIRED && arg_number(row, "enabled", 0) && a->now >= deadline + t.alert_after_s)
            code = compliance_of(a, &progress, row, &t, e);
        else
            code = alert_while(a, false, "low-compliance", arg_text(row, "name"), ALERT_WARNING, "", e);
    }
    progress_close(progress);
    zone_close(zone);
    json_decref(rows);
    return code;
}

/* Deployments that were withdrawn are not asked any more: their alerts end with them. */
static enum err compliance_gone(struct author *a, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_ALERT_OPEN_SUBJECTS, &rows, e, "s", "low-compliance");

    json_array_foreach(rows, i, row) {
        json_t *d = rows_one(a->ledger, LEDGER_DEPLOYMENT_RAW, "s", arg_text(row, "subject"));
        if (!code && (!d || arg_number(d, "withdrawn", 0)))
            code = alert_close(a, "low-compliance", arg_text(row, "subject"), "", e);
        json_decref(d);
    }
    json_decref(rows);
    return code;
}

static enum err room_all(struct author *a, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_DP_ROOMS, &rows, e, "");

    json_array_foreach(rows, i, row) {
        const char *dp = arg_text(row, "name");
        int64_t     room = arg_number(row, "room", 0), missing = rows_number(a->ledger, LEDGER_DP_MISSING, "s", dp);
        char        have[16], need[16], text[160];
        snprintf(text, sizeof text, "%s free, %s of what is assigned to it are still to come", size_print((uint64_t)room, have),
                 size_print((uint64_t)missing, need));
        code = code ? code : alert_while(a, room < missing, "dp-space", dp, ALERT_WARNING, text, e);
    }
    json_decref(rows);
    return code;
}

enum err alerts_evaluate(struct author *a, struct error *e)
{
    int64_t  old = a->now - KEPT;
    enum err code = ledger_begin(a->ledger, e);

    code = code ? code : compliance_all(a, e);
    code = code ? code : compliance_gone(a, e);
    code = code ? code : room_all(a, e);
    if (!code && rows_number(a->ledger, LEDGER_ALERT_SLEEPERS, "i", a->now))
        code = rows_run(a->ledger, LEDGER_ALERT_WAKE, e, "i", a->now);
    if (!code && rows_number(a->ledger, LEDGER_ALERTS_OLD, "i", old))
        code = rows_run(a->ledger, LEDGER_ALERTS_SWEEP, e, "i", old);
    return ledger_end(a->ledger, code, e);
}

/* --- the program that is told --- */

enum err alert_to_tell(struct author *a, json_t **out, char **program, struct error *e)
{
    char    *path = ledger_setting(a->ledger, "alert-program"), *site = ledger_setting(a->ledger, "site.name");
    json_t  *row = path && *path ? rows_one(a->ledger, LEDGER_ALERT_UNTOLD, "") : NULL;
    enum err code = row ? rows_run(a->ledger, LEDGER_ALERT_TOLD, e, "i", arg_number(row, "id", 0)) : OK;

    *out = NULL;
    *program = NULL;
    if (row && !code) {
        json_object_set_new(row, "site", json_string(site ? site : ""));
        *out = json_incref(row);
        *program = must_copy(path);
    }
    json_decref(row);
    free(path);
    free(site);
    return code;
}

enum err alert_program(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *path = arg_text(args, "program");
    enum err    code;

    if (!path)
        return fail(e, ERR_USAGE, "which program? An absolute path, or none");
    if (strcmp(path, "none") && (*path != '/' || strlen(path) > 1000))
        return fail(e, ERR_USAGE, "\"%.80s\" is no absolute path; none switches it off", path);
    if (strcmp(path, "none") && !file_exists(path))
        return fail(e, ERR_NOT_FOUND, "%s: no such program", path);
    code = ledger_set(a->ledger, "alert-program", strcmp(path, "none") ? path : "", e);
    code = code ? code : rows_run(a->ledger, LEDGER_ALERTS_TOLD, e, "");
    if (!code)
        *out = strcmp(path, "none") ? message("%s is run once for each alert that opens from now on, the alert as JSON on its stdin", path)
                                    : message("no program is run for alerts");
    return code;
}

/* --- what people do --- */

enum err alert_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const json_t *all = json_object_get(args, "all");
    bool          every = json_is_true(all) || arg_number(args, "all", 0);
    json_t       *rows = NULL;
    enum err      code = rows_all(a->ledger, LEDGER_ALERTS, &rows, e, "ii", arg_number(args, "limit", 100), (int64_t)every);

    if (!code)
        *out = listing(rows);
    return code;
}

static enum err alert_there(struct author *a, const json_t *args, json_t **row, struct error *e)
{
    int64_t id = arg_number(args, "id", 0);

    *row = rows_one(a->ledger, LEDGER_ALERT_ONE, "i", id);
    if (!*row)
        return fail(e, ERR_NOT_FOUND, "no alert %lld; `ferry alert list --all` shows them", (long long)id);
    if (strcmp(arg_text(*row, "state"), "closed"))
        return OK;
    json_decref(*row);
    *row = NULL;
    return fail(e, ERR_CONDITION, "alert %lld is closed: what it told of has ended", (long long)id);
}

enum err alert_acknowledge(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row;
    enum err code = alert_there(a, args, &row, e);

    if (code)
        return code;
    code = rows_run(a->ledger, LEDGER_ALERT_STATE, e, "isi", arg_number(row, "id", 0), "acknowledged", (int64_t)0);
    if (!code)
        *out = message("alert %lld (%s) is acknowledged: nobody is reminded of it; it closes when it has ended",
                       (long long)arg_number(row, "id", 0), arg_text(row, "event"));
    json_decref(row);
    return code;
}

enum err alert_postpone(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char  *text = arg_text(args, "until");
    struct zone *zone = NULL;
    int64_t      until = 0;
    char         time[TIME_SIZE];
    json_t      *row;
    enum err     code = alert_there(a, args, &row, e);

    if (code)
        return code;
    if (!text)
        code = fail(e, ERR_USAGE, "--until is missing: a time such as +4h or \"monday 08:00\"");
    code = code ? code : site_zone(a, &zone, e);
    code = code ? code : schedule_moment(text, zone, a->now, &until, e);
    if (!code && until <= a->now)
        code = fail(e, ERR_USAGE, "%s has passed already", time_print(until, time));
    code = code ? code : rows_run(a->ledger, LEDGER_ALERT_STATE, e, "isi", arg_number(row, "id", 0), "postponed", until);
    if (!code)
        *out = message("alert %lld (%s) is open again at %s, unless it has ended by then", (long long)arg_number(row, "id", 0),
                       arg_text(row, "event"), time_print(until, time));
    zone_close(zone);
    json_decref(row);
    return code;
}
