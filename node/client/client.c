#include "node/client/client.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/client/core.h"
#include "node/client/remote.h"

#define TICK_MS      100
#define JUMP_MS      2000                       /* seconds are all the wall clock tells: less is no jump */
#define POLL_SOON_MS 1000                       /* after it has been decided at once with what is here */

void client_hold(struct client *c)
{
    c->open++;
}

static void client_free(struct client *c)
{
    documents_end(c);
    rules_end(c);
    json_decref(c->notifier.queue);
    while (c->jobs) {
        struct job *next = c->jobs->next;
        job_free(c->jobs);
        c->jobs = next;
    }
    verifier_free(c->verifier);
    scan_result_free(c->result);
    cache_close(c->cache);
    store_close(c->store);
    identity_end(&c->identity);
    key_end(&c->key);
    json_decref(c->facts);
    free(c->dir);
    free(c->site_id);
    free(c->site_name);
    free(c->site_url);
    free(c->hostname);
    free(c->address);
    free(c);
}

void client_release(struct client *c)
{
    void (*closed)(void *) = c->closed;
    void *ctx = c->closed_ctx;

    if (--c->open || !c->closing)
        return;
    client_free(c);
    if (closed)
        closed(ctx);
}

/* The wall clock jumped: the machine slept, or the time was set. What waits for a moment may be due, and the policy may be old. */
static void watch_clock(struct client *c, int64_t now)
{
    int64_t drift = clock_now() * 1000 - now, jump = drift - c->drift;

    if (jump > JUMP_MS || jump < -JUMP_MS) {
        log_say(LOG_NOTE, "clock.jumped", "the wall clock jumped; policy is asked for and everything decided again", NULL);
        vouched_settle(c);
        c->next_poll = c->next_poll < now + POLL_SOON_MS ? c->next_poll : now + POLL_SOON_MS;
        schedule_soon(c);
    }
    c->drift = drift;
}

/* Everything that time brings, in one place: enrol, poll, post, decide. */
static void on_tick(uv_timer_t *timer)
{
    struct client *c = timer->data;
    int64_t        now = clock_ms();

    if (c->closing)
        return;
    watch_clock(c, now);
    vouched_look(c);
    if (c->polling && c->ask == ASK_RUNNING && now >= c->ask_until)
        refresh_stop(c);
    if (c->enrolled)
        identity_run(c);
    if (!c->polling && now >= c->next_poll && !c->install && !c->scanning && !c->identity.asking) {
        if (c->enrolled)
            refresh_begin(c);
        else
            enrol_begin(c);
    }
    if (c->enrolled && !c->posting && c->post_at && now >= c->post_at)
        report_post(c);
    if (c->enrolled && c->options.install && (now >= c->schedule_at || client_now(c) >= c->wake_at) && !c->polling)
        schedule_run(c);
}

static enum err load_key(struct client *c, struct error *e)
{
    char    *path = must_print("%s/node.key", c->dir);
    enum err code = OK;

    if (!file_exists(path)) {
        code = key_generate(&c->key);
        code = code ? code : key_save(path, &c->key, e);
    } else {
        code = key_load(path, &c->key, e);
    }
    if (!code)
        key_node_id(c->key.public, c->node_id);
    free(path);
    return code;
}

static void recall(struct client *c)
{
    AUTO(text_free) char *evaluated = store_get(c->store, "evaluated.at");

    c->evaluated_at = evaluated ? strtoll(evaluated, NULL, 10) : 0;
    turn_recall(c);
    reboot_recall(c);
}

static void make_facts(struct client *c)
{
    json_t *roles = json_array();

    c->facts = facts_read(c->options.config);
    for (char **r = c->options.config->role; r && *r; r++)
        json_array_append_new(roles, json_string(*r));
    json_object_set_new(c->facts, "node.id", json_string(c->node_id));
    json_object_set_new(c->facts, "node.version", json_string(FERRY_VERSION));
    json_object_set_new(c->facts, "address", json_string(c->address));
    json_object_set_new(c->facts, "role", roles);
    c->hostname = must_copy(json_string_value(json_object_get(c->facts, "hostname")));
    if (!c->hostname)
        c->hostname = must_copy("unnamed");
    if (c->scanner)
        scanner_facts(c->scanner, c->facts);
}

static void make_address(struct client *c)
{
    const struct config *config = c->options.config;
    char                *colon;

    c->address = must_copy(config->address ? config->address : config->listen ? config->listen : "");
    colon = strrchr(c->address, ':');
    if (!config->address && colon)
        *colon = 0;
    if (*c->address == '[') {
        memmove(c->address, c->address + 1, strlen(c->address));
        c->address[strcspn(c->address, "]")] = 0;
    }
}

static void on_changed(void *ctx, const struct sha256 *name)
{
    (void)name;
    schedule_soon(ctx);
}

static void on_tell(void *ctx, json_t *message)
{
    report_put(ctx, message);
}

static enum err open_parts(struct client *c, struct error *e)
{
    char                  *path = must_print("%s/store.db", c->dir);
    struct fetcher_options f = {
        .loop = c->options.loop, .config = c->options.config, .web = c->options.web, .tell = on_tell, .changed = on_changed, .ctx = c};
    enum err               code = store_open(path, &c->store, e);

    code = code ? code : load_key(c, e);
    code = code ? code : cache_open(c->dir, c->store, &c->cache, e);
    code = code ? code : enrol_recall(c, e);
    f.store = c->store;
    f.cache = c->cache;
    f.ssl = identity_secure(c);
    if (!code && c->options.install) {
        code = scanner_open(c->options.loop, c->options.config, c->cache, &c->scanner, e);
        code = code ? code : fetcher_open(&f, &c->fetcher, e);
        if (!code)
            identity_show(c);
    }
    free(path);
    return code;
}

enum err client_open(const struct client_options *options, struct client **out, struct error *e)
{
    struct client *c = must_alloc(sizeof *c);
    enum err       code;

    c->options = *options;
    c->vouched.kept = -1;
    c->dir = must_copy(options->config->state_dir);
    c->site_url = must_copy(options->config->site);
    code = sodium_init() < 0 ? fail(e, ERR_FAILED, "libsodium cannot start") : file_make_dirs(c->dir, 0700, e);
    if (!code && !c->site_url)
        code = fail(e, ERR_USAGE, "site is missing: the URL of the site this node belongs to, such as https://hq.example.org:8440");
    code = code ? code : open_parts(c, e);
    if (code) {
        client_free(c);
        return code;
    }
    make_address(c);
    make_facts(c);
    rules_open(c);
    recall(c);
    c->schedule_at = clock_ms();
    c->wake_at = INT64_MAX;
    c->trimmed_at = clock_ms();                 /* what is needed has to be known first */
    c->drift = clock_now() * 1000 - clock_ms();
    vouched_settle(c);
    c->post_at = outbox_waiting(c->store) ? clock_ms() : 0;
    uv_timer_init(options->loop, &c->timer);
    c->timer.data = c;
    uv_timer_start(&c->timer, on_tick, TICK_MS, TICK_MS);
    if (c->enrolled)
        refresh_recall(c);
    *out = c;
    return OK;
}

static void on_part_closed(void *ctx)
{
    client_release(ctx);
}

static void on_timer_closed(uv_handle_t *handle)
{
    client_release(handle->data);
}

void client_close(struct client *c, void (*closed)(void *ctx), void *ctx)
{
    c->closing = true;
    c->closed = closed;
    c->closed_ctx = ctx;
    client_hold(c);
    uv_timer_stop(&c->timer);
    uv_close((uv_handle_t *)&c->timer, on_timer_closed);
    if (c->told)
        remote_stop(c->told);
    if (c->install)
        install_stop(c->install);
    reboot_stop(c);
    notify_stop(c);
    if (c->fetcher) {
        client_hold(c);
        fetcher_close(c->fetcher, on_part_closed, c);
    }
    if (c->scanner) {
        client_hold(c);
        scanner_close(c->scanner, on_part_closed, c);
    }
}

void client_reload(struct client *c)
{
    c->next_poll = clock_ms();
    c->identity.again_at = 0;
    c->poll_again = c->polling;
    if (c->enrolled && c->options.install && !c->polling)
        schedule_run(c);                        /* what was set holds now, not when the site has answered */
    else
        schedule_soon(c);
}

void client_tell(struct client *c, json_t *message)
{
    report_put(c, message);
}

const char *client_status_line(struct client *c)
{
    const char *why = *c->poll_error ? c->poll_error : c->identity.why;

    if (!c->enrolled)
        snprintf(c->status, sizeof c->status, "not enrolled yet: %.150s", c->poll_error);
    else
        snprintf(c->status, sizeof c->status, "node %s of site %.40s%s%.100s", c->node_id, c->site_name, *why ? "; " : "", why);
    return c->status;
}
