/* What deployments, templates, rules and phases share: the terms of a command, and its moments. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"

enum err site_zone(struct author *a, struct zone **out, struct error *e)
{
    char    *name = ledger_setting(a->ledger, "timezone");
    enum err code;

    *out = NULL;
    code = name ? zone_open(name, out, e) : OK;
    free(name);
    return code;
}

enum err terms_stored(const json_t *stored, struct terms *out, struct error *e)
{
    struct reader r;

    reader_init(&r, stored, "terms", e);
    members_read(&r, terms_table, terms_count, out, true);
    return reader_done(&r);
}

char *terms_text(const struct terms *t)
{
    json_t *o = json_object();
    char   *text;

    members_print(terms_table, terms_count, t, o, true);
    text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(o);
    return text;
}

enum err terms_take(struct author *a, const json_t *args, struct terms *t, struct error *e)
{
    const char *template = arg_text(args, "template");
    json_t     *row = template ? rows_one(a->ledger, LEDGER_TEMPLATE, "s", template) : NULL;
    enum err    code = OK;

    if (template && !row)
        return no_such(a->ledger, LEDGER_TEMPLATE_NAMES, "template", template, e);
    if (row)
        code = terms_stored(json_object_get(row, "terms"), t, e);
    json_decref(row);
    return code ? code : members_take(terms_table, terms_count, args, t, e);
}

/* What would never do anything is refused, not ignored. */
enum err terms_check(const struct terms *t, int64_t available, int64_t deadline, struct error *e)
{
    bool required = t->purpose == PURPOSE_REQUIRED;

    if (required && !deadline)
        return fail(e, ERR_USAGE, "a required deployment needs a --deadline, such as +2h");
    if (!required && deadline)
        return fail(e, ERR_USAGE, "an optional deployment has no --deadline: it is installed when the user wants; --required has one");
    if (deadline && deadline < available)
        return fail(e, ERR_USAGE, "the deadline lies before the available time");
    if (required && t->predownload)
        return fail(e, ERR_USAGE, "--predownload is for --optional: what is required is fetched at its available time anyway");
    if (!required && t->notify == NOTIFY_NONE)
        return fail(e, ERR_USAGE, "--notify none would hide what only the user can install; all and restart are accepted with --optional");
    if (!required && (t->soft_deadline || t->alert_below))
        return fail(e, ERR_USAGE, "--%s looks at the deadline, which an optional deployment does not have",
                    t->soft_deadline ? "soft-deadline" : "alert-below");
    return OK;
}

/* A wall clock is written as if it were UTC's; "now" is the site's. */
static enum err moment_take(const char *text, const struct zone *zone, bool wall, int64_t now, int64_t *out, struct error *e)
{
    if (*text == '+' && !wall)                  /* knows what is wrong with a distance */
        return moment_read(text, now, out, e);
    if (!wall)
        return schedule_moment(text, zone, now, out, e);
    if (!time_read(text, out, NULL))
        return fail(e, ERR_USAGE, "'%.40s' is UTC, and --local-time means each node's own clock; write \"2026-11-24 22:00\"", text);
    return schedule_moment(text, NULL, zone_time(NULL, zone_civil(zone, now)), out, e);
}

enum err times_take(struct author *a, const json_t *args, const struct terms *t, int64_t *available, int64_t *deadline, struct error *e)
{
    const char  *from = arg_text(args, "available"), *until = arg_text(args, "deadline");
    struct zone *zone = NULL;
    enum err     code = site_zone(a, &zone, e);

    if (!code && (from || !*available))
        code = moment_take(from ? from : "now", zone, t->local_time, a->now, available, e);
    if (!code && until)
        code = moment_take(until, zone, t->local_time, a->now, deadline, e);
    zone_close(zone);
    return code;
}
