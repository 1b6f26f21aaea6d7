/* What the user of this machine may choose: install now or then, postpone, business hours, restart. Who asks is told by the socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "node/client/core.h"
#include "policy/document/json.h"

#define BODY_LIMIT 4096

static bool dry(const struct exchange *x)
{
    return exchange_query(x, "dry_run") != NULL;
}

static bool is_administrator(const struct exchange *x)
{
    const char   *peer = exchange_peer(x);
    unsigned long uid = 0;

    return sscanf(peer, "uid %lu", &uid) == 1 && (uid == 0 || uid == geteuid());
}

static enum err may_install(const struct client *c, const struct exchange *x, struct error *e)
{
    switch ((enum installers)c->rules.settings.installers) {
    case INSTALLERS_ALL: return OK;
    case INSTALLERS_ADMINISTRATORS:
        return is_administrator(x) ? OK
                                   : fail(e, ERR_DENIED, "client settings let only administrators install by hand here (you are %s)", exchange_peer(x));
    case INSTALLERS_NONE: break;
    }
    return fail(e, ERR_DENIED, "client settings let nobody install by hand here; it is installed as its deployment says");
}

/* The body as an object; NULL after the refusal was answered. Caller decrefs. */
static json_t *body_of(struct exchange *x)
{
    struct error e;
    size_t       length;
    const char  *bytes = exchange_body(x, &length);
    json_t      *body = NULL;

    if (json_read(bytes, length, BODY_LIMIT, &body, &e))
        answer_error(x, &e);
    return body;
}

static void answer(struct exchange *x, enum err code, const struct error *e, char *message /* taken */)
{
    if (code)
        answer_error(x, e);
    else
        answer_json(x, 200, json_pack("{s:s}", "message", message));
    free(message);
}

/* What the user wants, by its body, and what comes of it in words. */
static void act(struct client *c, struct exchange *x, enum err (*what)(struct client *, struct exchange *, const json_t *, char **, struct error *))
{
    struct error e;
    char        *message = NULL;
    json_t      *body = body_of(x);
    enum err     code;

    if (!body)
        return;
    code = what(c, x, body, &message, &e);
    answer(x, code, &e, message);
    json_decref(body);
}

static char *promise(struct client *c, struct job *j)
{
    AUTO(text_free) char *text = sentence_job(c, j);

    return must_print("%s %s %s", j->update->name, j->update->version, text);
}

/* Shown, and taken back when it was only tried. */
static char *choose(struct client *c, struct job *j, const struct job_row *chosen, bool trial)
{
    struct job_row before = j->row;
    char          *text;

    j->row = *chosen;
    text = promise(c, j);
    if (trial) {
        j->row = before;
    } else {
        job_keep(c, j);
        schedule_soon(c);
    }
    return text;
}

/* --- install --- */

/* What keeps it from being installed although the user asks. */
static enum err installable(struct client *c, struct job *j, struct error *e)
{
    struct situation s = situation_of(c, j);
    struct decision  d;

    if (j->running)
        return fail(e, ERR_CONDITION, "%s is being worked on already", j->row.update);
    s.user_asked = true;
    d = decide_update(&s, &c->rules, client_now(c));
    if (!c->result || d.reason == REASON_STATE_UNKNOWN || d.reason >= REASON_METERED)
        return OK;
    AUTO(text_free) char *text = sentence_decision(c, j, &d);
    return fail(e, d.reason == REASON_HALTED ? ERR_HALTED : ERR_CONDITION, "%s: %s", j->row.update, text);
}

/* 0: at once. */
static enum err install_moment(struct client *c, const char *at, bool after_hours, int64_t *out, struct error *e)
{
    int64_t  now = client_now(c);
    enum err code = OK;

    *out = 0;
    if (at && after_hours)
        return fail(e, ERR_USAGE, "--at and --after-hours exclude each other");
    if (after_hours && !c->rules.business.weekdays)
        return fail(e, ERR_CONDITION, "no business hours are set; `ferry hours 'mon-fri 08:00-18:00'` sets them");
    if (after_hours)
        *out = business_free(&c->rules.business, c->zone, now);
    else if (at)
        code = schedule_moment(at, c->zone, now, out, e);
    if (*out <= now)
        *out = 0;
    return code;
}

static enum err install(struct client *c, struct exchange *x, const json_t *body, char **message, struct error *e)
{
    struct reader  r;
    const char    *update, *at;
    bool           after_hours;
    struct job    *j;
    struct job_row row;
    int64_t        when = 0;
    enum err       code;

    reader_init(&r, body, "install", e);
    update = reader_text(&r, "update", 255);
    at = reader_text_or(&r, "at", 200, NULL);
    after_hours = reader_bool_or(&r, "after_hours", false);
    if ((code = reader_done(&r)) || (code = may_install(c, x, e)))
        return code;
    if (!(j = client_find(c, update, e)))
        return ERR_NOT_FOUND;
    if ((code = installable(c, j, e)) || (code = install_moment(c, at, after_hours, &when, e)))
        return code;
    row = j->row;
    row.user_asked = true;
    row.user_at = when;
    row.attempts = 0;
    row.postponed_until = 0;
    *message = choose(c, j, &row, dry(x));
    return OK;
}

void client_on_install(void *client, struct exchange *x)
{
    act(client, x, install);
}

/* --- postpone --- */

static enum err postponable(struct client *c, const struct job *j, int64_t *latest, struct error *e)
{
    if (j->found == STATE_INSTALLED || j->found == STATE_NOT_REQUIRED || j->running)
        return fail(e, ERR_CONDITION, "%s: there is nothing to postpone, %s", j->row.update,
                    j->running ? "it is being worked on" : reason_text(j->decision.reason));
    if (j->deployment->terms.purpose != PURPOSE_REQUIRED)
        return fail(e, ERR_CONDITION, "%s is only installed when you ask for it: there is nothing to postpone", j->row.update);
    *latest = decide_postpone(j->deployment, &c->rules, client_now(c));
    if (*latest)
        return OK;
    AUTO(text_free) char *when = sentence_time(c, decide_times(j->deployment, &c->rules).deadline);
    return fail(e, ERR_CONDITION, "%s cannot be postponed any more: its deadline, %s, has passed%s", j->row.update, when,
                j->deployment->terms.soft_deadline ? ", and so has the time it may be put off behind it" : "");
}

static enum err postpone(struct client *c, struct exchange *x, const json_t *body, char **message, struct error *e)
{
    struct reader  r;
    const char    *update, *until;
    struct job    *j;
    struct job_row row;
    int64_t        latest = 0, when;
    enum err       code;

    reader_init(&r, body, "postpone", e);
    update = reader_text(&r, "update", 255);
    until = reader_text_or(&r, "until", 200, NULL);
    if ((code = reader_done(&r)))
        return code;
    if (!(j = client_find(c, update, e)))
        return ERR_NOT_FOUND;
    if ((code = postponable(c, j, &latest, e)))
        return code;
    when = latest;
    if (until && (code = schedule_moment(until, c->zone, client_now(c), &when, e)))
        return code;
    if (when > latest) {
        AUTO(text_free) char *most = sentence_time(c, latest), *asked = sentence_time(c, when);
        return fail(e, ERR_CONDITION, "%s cannot be postponed until %s; the latest its deployment allows is %s", j->row.update, asked, most);
    }
    row = j->row;
    row.user_asked = false;
    row.user_at = 0;
    row.postponed_until = when > client_now(c) ? when : 0;
    *message = choose(c, j, &row, dry(x));
    return OK;
}

void client_on_postpone(void *client, struct exchange *x)
{
    act(client, x, postpone);
}

/* --- business hours --- */

static json_t *hours_json(struct client *c)
{
    AUTO(text_free) char *hours = business_print(&c->rules.business), *when = NULL;
    int64_t now = client_now(c), free_at = business_free(&c->rules.business, c->zone, now);
    json_t *o = json_pack("{s:s,s:b}", "hours", hours, "free", free_at <= now);

    put_time(o, "free_at", free_at);
    when = sentence_time(c, free_at);
    if (!*hours)
        json_object_set_new(o, "message", json_string("no business hours are set: every hour is free for updates"));
    else
        json_object_set_new(o, "message", json_sprintf("%s (%s); free for updates %s%s", hours, zone_name(c->zone), free_at <= now ? "now" : "again ",
                                                       free_at <= now ? "" : when));
    return o;
}

void client_on_hours(void *client, struct exchange *x)
{
    answer_json(x, 200, hours_json(client));
}

void client_on_hours_set(void *ctx, struct exchange *x)
{
    struct client  *c = ctx;
    struct business before = c->rules.business;
    struct reader   r;
    struct error    e;
    const char     *text;
    bool            trial = dry(x);
    json_t         *body = body_of(x);
    enum err        code;

    if (!body)
        return;
    reader_init(&r, body, "hours", &e);
    text = reader_text(&r, "hours", 200);
    code = reader_done(&r);
    text = strcmp(text, "none") ? text : "";
    if (!code)
        code = trial ? business_parse(text, &c->rules.business, &e) : rules_hours(c, text, &e);
    if (code)
        answer_error(x, &e);
    else
        answer_json(x, 200, hours_json(c));
    if (trial)
        c->rules.business = before;
    else
        schedule_soon(c);
    json_decref(body);
}

/* --- restart --- */

static enum err restart(struct client *c, struct exchange *x, struct error *e)
{
    if (c->rules.settings.installers != INSTALLERS_ALL && !is_administrator(x))
        return fail(e, ERR_DENIED, "client settings let only administrators restart this machine by hand (you are %s)", exchange_peer(x));
    if (!reboot_pending(c))
        return fail(e, ERR_CONDITION, "no restart is pending: nothing that was installed wants one");
    if (reboot_by_hand(c))
        return fail(e, ERR_CONDITION, "a restart is pending, but ferryd cannot restart the machine of %s: no restart-command is set",
                    c->options.config->root);
    return OK;
}

void client_on_restart(void *client, struct exchange *x)
{
    struct client *c = client;
    struct error   e;
    enum err       code = restart(c, x, &e);

    if (!code && !dry(x)) {
        c->reboot.asked = true;
        c->reboot.again_at = 0;
        schedule_soon(c);
    }
    answer(x, code, &e, must_copy(c->install ? "the machine restarts as soon as the installation that runs has ended" : "the machine restarts now"));
}
