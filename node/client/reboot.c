/* pending → (policy/decide/restart.c: held, window, countdown, final) → now: the restart command → another boot id: done */
#include "node/client/reboot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/core.h"
#include "node/client/remote.h"
#include "node/client/root.h"
#include "node/io/child.h"

#define BOOT       "restart.boot"               /* in the store */
#define BEGUN      "restart.begun"
#define AGAIN_S    600                          /* after a restart command that failed, or that the machine outlived */
#define COMMAND_MS 60000
#define WORDS_MOST 16

/* --- what is remembered --- */

static void keep_begun(struct client *c, int64_t begun)
{
    char text[32];

    c->reboot.begun = begun;
    snprintf(text, sizeof text, "%lld", (long long)begun);
    store_set(c->store, BEGUN, text, NULL);
}

void reboot_settle(struct client *c, int64_t now)
{
    if (c->reboot.begun > now)
        keep_begun(c, now);
    if (c->reboot.again_at > now + AGAIN_S)
        c->reboot.again_at = now + AGAIN_S;
}

static void keep_boot(struct client *c, const char *boot)
{
    snprintf(c->reboot.boot, sizeof c->reboot.boot, "%s", boot);
    store_set(c->store, BOOT, c->reboot.boot, NULL);
}

/* Also what nothing deploys any more: its restart is wanted all the same. */
static void on_row(void *ctx, const struct job_row *row)
{
    if (row->restart_pending)
        job_find(ctx, row->update);
}

void reboot_recall(struct client *c)
{
    AUTO(text_free) char *begun = store_get(c->store, BEGUN), *boot = store_get(c->store, BOOT), *said = store_get(c->store, "said.restart");

    store_jobs(c->store, on_row, c);
    c->reboot.said = said != NULL;
    c->reboot.begun = begun ? strtoll(begun, NULL, 10) : 0;
    snprintf(c->reboot.boot, sizeof c->reboot.boot, "%s", boot ? boot : "");
}

/* "" when it cannot be told: then nothing is concluded from it. */
static void boot_now(const struct client *c, char out[80])
{
    char  *text = NULL;
    size_t length;

    *out = '\0';
    if (c->options.config->boot_id && !file_read(c->options.config->boot_id, 4096, &text, &length, NULL))
        snprintf(out, 80, "%.*s", (int)strcspn(text, " \t\r\n"), text);
    free(text);
}

void reboot_want(struct client *c)
{
    char boot[80];

    boot_now(c, boot);
    if (!*c->reboot.boot)
        keep_boot(c, *boot ? boot : "unknown");
}

/* --- has it happened? --- */

bool reboot_pending(const struct client *c)
{
    for (const struct job *j = c->jobs; j; j = j->next)
        if (j->row.restart_pending)
            return true;
    return false;
}

static void settle(struct client *c)
{
    bool again = false;

    for (struct job *j = c->jobs; j; j = j->next)
        again = again || (j->row.restart_pending && j->deployment && j->deployment->terms.reevaluate_after_restart);
    for (struct job *j = c->jobs; j; j = j->next) {
        if (again)
            j->row.attempts = 0;
        if (j->row.restart_pending)
            job_restarted(c, j);
        else if (again)
            job_keep(c, j);
    }
    c->scan_again = true;
    c->reboot.asked = false;
    c->reboot.again_at = 0;
    c->reboot.problem[0] = '\0';
}

void reboot_look(struct client *c)
{
    char boot[80];

    if (!*c->reboot.boot || c->reboot.child || c->reboot.remote)
        return;
    boot_now(c, boot);
    if (!*boot || !strcmp(boot, c->reboot.boot))
        return;
    if (!strcmp(c->reboot.boot, "unknown")) {    /* when it was wanted the boot could not be told; from now on it can */
        keep_boot(c, boot);
        return;
    }
    log_say(LOG_NOTE, "restart.done", "the machine has restarted", NULL);
    settle(c);
    keep_boot(c, "");
    keep_begun(c, 0);
}

/* --- the restart itself --- */

bool reboot_by_hand(const struct client *c)
{
    return !c->options.config->restart_command || !*c->options.config->restart_command;
}

static void complain(struct client *c, const char *why)
{
    snprintf(c->reboot.problem, sizeof c->reboot.problem, "%s", why);
    log_say(LOG_WRONG, "restart.failed", why, NULL);
    report_put(c, json_pack("{s:s,s:s,s:s}", "topic", "alert", "event", "restart.failed", "detail", why));
}

/* A machine that restarts ends this process before long; one that is still here when it is tried again has not. */
static void commanded(struct client *c, bool well, const char *words)
{
    char why[300];

    c->reboot.child = NULL;
    c->reboot.remote = NULL;
    if (!c->closing && !well) {
        snprintf(why, sizeof why, "the restart command failed%s%.220s; it is tried again in 10 minutes", *words ? ": " : "", words);
        for (char *p = why; *p; p++)
            *p = *p == '\n' ? ' ' : *p;
        complain(c, why);
    }
    schedule_soon(c);
    client_release(c);
}

static void on_commanded(void *ctx, const struct child_result *r)
{
    commanded(ctx, !r->error.code && !r->status, r->error.code ? r->error.text : r->errors);
}

static void on_installer(void *ctx, const struct install_result *r)
{
    commanded(ctx, r->outcome == INSTALL_OK, r->detail);
}

static void command(struct client *c)
{
    AUTO(text_free) char *words = must_copy(c->options.config->restart_command);
    const char *argv[WORDS_MOST + 1] = {NULL};
    size_t      n = 0;
    char       *rest = NULL;

    for (char *w = strtok_r(words, " \t", &rest); w && n < WORDS_MOST; w = strtok_r(NULL, " \t", &rest))
        argv[n++] = w;
    if (!n)
        return;
    if (c->reboot.again_at && !*c->reboot.problem)
        complain(c, "the restart command ended well, but the machine did not restart; it is tried again");
    c->reboot.again_at = client_now(c) + AGAIN_S;
    log_say(LOG_NOTE, "restart.begin", "the machine restarts now", "FERRY_COMMAND", c->options.config->restart_command, NULL);
    client_hold(c);
    c->reboot.remote = installer_restart(c, on_installer);
    if (!c->reboot.remote)
        c->reboot.child = child_start(c->options.loop, &(struct child_call){.argv = argv, .timeout_ms = COMMAND_MS, .on_done = on_commanded, .ctx = c});
}

void reboot_stop(struct client *c)
{
    if (c->reboot.remote)
        remote_stop(c->reboot.remote);
    if (c->reboot.child)
        child_stop(c->reboot.child);
}

/* --- when --- */

static json_t *causes_json(const struct client *c)
{
    json_t *causes = json_array();

    for (const struct job *j = c->jobs; j; j = j->next)
        if (j->row.restart_pending)
            json_array_append_new(causes, json_string(j->row.update));
    return causes;
}

/* A fact too, so that `node show` tells it and collections may go by it. */
static void tell_fact(struct client *c, const char *word)
{
    const char *before = json_string_value(json_object_get(c->facts, "restart.state"));

    if (before && !strcmp(before, word))
        return;
    json_object_set_new(c->facts, "restart.state", json_string(word));
    report_change(c, "facts", json_pack("{s:O}", "facts", c->facts));
    rules_make(c);
}

static void tell(struct client *c)
{
    const struct restart_decision *d = &c->reboot.decision;
    char                           at[TIME_SIZE];

    if (d->state == RESTART_NONE && !c->reboot.said)
        return;                                 /* a node that never wanted one has nothing to say */
    c->reboot.said = true;
    tell_fact(c, restart_word(d->state));
    report_change(c, "restart", json_pack("{s:s,s:s,s:o}", "state", restart_word(d->state), "at", d->at && d->state != RESTART_NOW ? time_print(d->at, at) : "",
                                          "causes", causes_json(c)));
}

static struct restart_decision decide(struct client *c)
{
    struct restart_cause    *causes = NULL;
    size_t                   count = 0;
    struct restart_situation s = {.user_asked = c->reboot.asked, .installing = c->install || c->scanning, .countdown_begun = c->reboot.begun};
    struct restart_decision  d;

    for (const struct job *j = c->jobs; j; j = j->next)
        if (j->row.restart_pending) {
            causes = must_grow(causes, count + 1, sizeof *causes);
            causes[count++] = (struct restart_cause){.deployment = j->deployment};
        }
    s.causes = causes;
    s.cause_count = count;
    d = decide_restart(&s, &c->rules, client_now(c));
    free(causes);
    return d;
}

static bool counts_down(enum restart_state s)
{
    return s == RESTART_COUNTDOWN || s == RESTART_FINAL || s == RESTART_NOW;
}

/* A countdown that ended otherwise (the deadline was moved, restarts are no longer forced) does not shorten the next one. */
static void remember_begin(struct client *c, int64_t now)
{
    const struct restart_decision *d = &c->reboot.decision;

    if (d->begin_countdown)
        keep_begun(c, now);
    else if (c->reboot.begun && !counts_down(d->state) && d->state != RESTART_WINDOW)
        keep_begun(c, 0);
}

bool reboot_run(struct client *c)
{
    struct restart_decision *d = &c->reboot.decision;
    bool                     turns = c->rules.orchestrated && !c->reboot.asked;
    int64_t                  now = client_now(c);

    *d = decide(c);
    remember_begin(c, now);
    schedule_wake(c, d->wake);
    tell(c);
    if (d->state == RESTART_NOW && !reboot_by_hand(c) && !c->reboot.child && !c->reboot.remote && !c->told &&
        now >= c->reboot.again_at && (!turns || turn_held(c)))
        command(c);
    schedule_wake(c, d->state == RESTART_NOW ? c->reboot.again_at : 0);
    return turns && counts_down(d->state);
}
