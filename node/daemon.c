#include "node/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <uv.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/log.h"
#include "node/base/notify.h"
#include "node/client/client.h"
#include "node/dp/dp.h"
#include "node/io/server.h"
#include "node/io/web.h"
#include "node/site/site.h"

#define FORCE_MS  4500                          /* of the five seconds a stop may take; logged */
#define KILL_MS   4900                          /* for a loop that hangs in one callback: SIGALRM ends the process */
#define STATUS_MS 10000

struct node {
    uv_loop_t        loop;
    struct config   *config;
    const char      *path;
    int              argc;
    char           **argv;
    int              lock;
    struct web      *web;
    struct site     *site;
    struct dp_role  *dp;
    struct client   *client;
    struct server   *control;
    struct route_set sets[3];
    size_t           set_count, opened;         /* opened: parts that have to be closed */
    uv_signal_t      term, interrupt, hang_up;
    uv_timer_t       status, force;
    bool             stopping;
};

static void close_next(void *ctx);
static void stop(struct node *);

/* --- the parts --- */

static bool is_node(const struct node *n)
{
    return config_has_role(n->config, "client") || config_has_role(n->config, "distribution-point");
}

static enum err open_state(struct node *n, struct error *e)
{
    AUTO(text_free) char *path = must_print("%s/node.lock", n->config->state_dir);
    enum err              code;

    if (!is_node(n))                            /* the site locks its own */
        return OK;
    code = file_make_dirs(n->config->state_dir, 0700, e);
    if (!code)
        code = file_lock(path, &n->lock, e);
    if (code == ERR_AGAIN && e)
        e->code = code = ERR_CONDITION;
    return code;
}

static void close_state(struct node *n)
{
    fd_end(&n->lock);
    close_next(n);
}

static enum err open_web(struct node *n, struct error *e)
{
    const struct config *c = n->config;

    return web_open(&n->loop, &(struct web_options){c->proxy, c->proxy_tunnel, c->bind_address, "ferryd/" FERRY_VERSION}, &n->web, e);
}

static void close_web(struct node *n)
{
    if (n->web)
        web_close(n->web, close_next, n);
    else
        close_next(n);
}

static enum err open_site(struct node *n, struct error *e)
{
    return config_has_role(n->config, "site") ? site_open(&n->loop, n->config, n->web, &n->site, e) : OK;
}

static void close_site(struct node *n)
{
    if (n->site)
        site_close(n->site, close_next, n);
    else
        close_next(n);
}

static void on_holding(void *ctx, const struct fleet *fleet, const struct holding *holding)
{
    struct node *n = ctx;

    if (n->dp)
        dp_holding(n->dp, fleet, holding);
}

static void on_identity(void *ctx, const char *key, const char *certificate, const char *ca, const char *site_pin)
{
    struct node *n = ctx;

    if (n->dp)
        dp_identity(n->dp, key, certificate, ca, site_pin);
}

static void on_dp_says(void *ctx, json_t *message)
{
    struct node *n = ctx;

    if (n->client)
        client_tell(n->client, message);
    else
        json_decref(message);
}

/* A distribution point is an enrolled node that installs nothing. It is ready before the first policy can name what it has to hold, and is
 * closed while the client can still take its last message. */
static enum err open_client(struct node *n, struct error *e)
{
    struct client_options options = {
        .loop = &n->loop, .config = n->config, .web = n->web, .ctx = n, .install = config_has_role(n->config, "client")};
    enum err              code = OK;

    if (!is_node(n))
        return OK;
    if (config_has_role(n->config, "distribution-point")) {
        options.on_holding = on_holding;
        options.on_identity = on_identity;
        code = dp_open(&n->loop, n->config, n->web, on_dp_says, n, &n->dp, e);
    }
    return code ? code : client_open(&options, &n->client, e);
}

static void on_dp_closed(void *ctx)
{
    struct node   *n = ctx;
    struct client *client = n->client;

    n->client = NULL;
    if (client)
        client_close(client, close_next, n);
    else
        close_next(n);
}

static void close_client(struct node *n)
{
    struct dp_role *dp = n->dp;

    n->dp = NULL;
    if (dp)
        dp_close(dp, on_dp_closed, n);
    else
        on_dp_closed(n);
}

/* --- the control socket: one server, each role's routes with its own ctx --- */

static void on_routes(void *ctx, struct exchange *x)
{
    struct node *n = ctx;
    json_t      *items = json_array();

    for (size_t s = 0; s < n->set_count; s++)
        for (size_t i = 0; i < n->sets[s].count; i++) {
            const struct route *r = &n->sets[s].routes[i];

            json_array_append_new(items,
                                  json_pack("{s:s, s:s, s:s}", "method", r->method, "path", r->path, "about", r->about ? r->about : ""));
        }
    answer_json(x, 200, json_pack("{s:o, s:I}", "items", items, "total", (json_int_t)json_array_size(items)));
}

static void on_health(void *ctx, struct exchange *x)
{
    struct node *n = ctx;
    json_t      *roles = json_array();

    for (size_t i = 0; n->config->role[i]; i++)
        json_array_append_new(roles, json_string(n->config->role[i]));
    answer_json(x, 200, json_pack("{s:s, s:s, s:o}", "status", n->stopping ? "stopping" : "ok", "version", FERRY_VERSION, "roles", roles));
}

static const struct route node_routes[] = {
    {"GET", "/api/v1", 0, on_routes, "What can be asked here."},
    {"GET", "/healthz", 0, on_health, "Whether this ferryd runs, its version and roles."},
};

static enum err open_control(struct node *n, struct error *e)
{
    AUTO(text_free) char *address = must_print("unix:%s", n->config->control_socket);
    AUTO(text_free) char *directory = must_print("%.*s", (int)(strrchr(n->config->control_socket, '/') - n->config->control_socket),
                                                 n->config->control_socket);
    enum err              code = *directory ? file_make_dirs(directory, 0755, e) : OK;

    n->sets[n->set_count++] = (struct route_set){node_routes, COUNT(node_routes), n};
    if (n->site) {
        struct route_set *set = &n->sets[n->set_count++];

        set->routes = site_routes(n->site, &set->count);
        set->ctx = n->site;
    }
    if (n->client)
        n->sets[n->set_count++] = (struct route_set){client_routes, client_route_count, n->client};
    return code ? code : server_open_sets(&n->loop, address, n->sets, n->set_count, &n->control, e);
}

static void close_control(struct node *n)
{
    if (n->control)
        server_close(n->control, close_next, n);
    else
        close_next(n);
}

/* Opened from top to bottom, closed from bottom to top. A close works on what was not, or not wholly, opened too. */
static const struct part {
    const char *name;
    enum err  (*open)(struct node *, struct error *);
    void      (*close)(struct node *);
} parts[] = {
    {"state directory", open_state, close_state},
    {"HTTP client", open_web, close_web},
    {"site", open_site, close_site},
    {"node", open_client, close_client},
    {"control socket", open_control, close_control},
};

static enum err open_parts(struct node *n, struct error *e)
{
    enum err code = OK;

    while (n->opened < COUNT(parts) && !code)
        code = parts[n->opened++].open(n, e);
    return code;
}

/* Each part's close ends here again; the last one lets go of the loop. */
static void close_next(void *ctx)
{
    struct node *n = ctx;

    if (n->opened) {
        log_say(LOG_TRACE, "node.close", "closing", "FERRY_PART", parts[n->opened - 1].name, NULL);
        parts[--n->opened].close(n);
        return;
    }
    uv_close((uv_handle_t *)&n->term, NULL);
    uv_close((uv_handle_t *)&n->interrupt, NULL);
    uv_close((uv_handle_t *)&n->hang_up, NULL);
    uv_close((uv_handle_t *)&n->status, NULL);
    uv_close((uv_handle_t *)&n->force, NULL);
}

/* --- signals and time --- */

static void on_force(uv_timer_t *t)
{
    struct node *n = t->data;

    log_say(LOG_WRONG, "node.forced", "a part did not close in time; everything durable is on disk, the rest is given up", "FERRY_PART",
            parts[n->opened].name, NULL);
    _exit(EXIT_FAILURE);
}

static void stop(struct node *n)
{
    struct itimerval last = {.it_value = {KILL_MS / 1000, KILL_MS % 1000 * 1000}};

    if (n->stopping)
        return;
    n->stopping = true;
    uv_timer_start(&n->force, on_force, FORCE_MS, 0);
    setitimer(ITIMER_REAL, &last, NULL);
    close_next(n);
}

static void on_term(uv_signal_t *s, int number)
{
    struct node *n = s->data;

    if (n->stopping)
        return;
    notify_say("STOPPING=1\nSTATUS=ending");
    log_say(LOG_NOTE, "node.stop", "asked to end", "FERRY_SIGNAL", strsignal(number), NULL);
    stop(n);
}

static void on_option(void *ctx, const struct option *o, bool taken)
{
    (void)ctx;
    if (taken)
        log_say(LOG_NOTE, "config.changed", "a setting was taken over", "FERRY_OPTION", o->name, NULL);
    else
        log_say(LOG_WARN, "config.later", "a setting was changed that is only read at the start: restart ferryd to use it", "FERRY_OPTION",
                o->name, NULL);
}

static void open_log(const struct config *c)
{
    enum log_level level = LOG_TELL;
    char           name[256] = "";

    gethostname(name, sizeof name - 1);
    log_level_read(c->log_level, &level);
    log_open(level, "ferryd", c->hostname ? c->hostname : name);
}

static void on_hang_up(uv_signal_t *s, int number)
{
    struct node  *n = s->data;
    struct config fresh;
    struct error  e;

    (void)number;
    if (n->stopping)
        return;
    notify_reloading();
    if (config_load(&fresh, n->path, n->argc, n->argv, &e)) {
        log_error(LOG_WRONG, "config.refused", "the configuration was not taken over, the old one stands", &e);
    } else {
        option_reload(config_options, config_option_count, n->config, &fresh, on_option, n);
        config_end(&fresh);
        open_log(n->config);
    }
    if (n->client)
        client_reload(n->client);
    notify_say("READY=1");
}

static void on_status(uv_timer_t *t)
{
    struct node *n = t->data;
    const char  *site = n->site && !n->stopping ? site_status_line(n->site) : NULL;
    const char  *client = n->client && !n->stopping ? client_status_line(n->client) : NULL;
    const char  *dp = n->dp && !n->stopping ? dp_status_line(n->dp) : NULL;

    notify_say("WATCHDOG=1\nSTATUS=%s%s%s%s%s", site ? site : "", site && client ? "; " : "", client ? client : "", dp ? "; " : "", dp ? dp : "");
}

static void watch_signals(struct node *n)
{
    int64_t every = notify_watchdog_ms();

    uv_signal_init(&n->loop, &n->term);
    uv_signal_init(&n->loop, &n->interrupt);
    uv_signal_init(&n->loop, &n->hang_up);
    uv_timer_init(&n->loop, &n->status);
    uv_timer_init(&n->loop, &n->force);
    n->term.data = n->interrupt.data = n->hang_up.data = n->status.data = n->force.data = n;
    uv_signal_start(&n->term, on_term, SIGTERM);
    uv_signal_start(&n->interrupt, on_term, SIGINT);
    uv_signal_start(&n->hang_up, on_hang_up, SIGHUP);
    every = every && every < STATUS_MS ? every : STATUS_MS;
    uv_timer_start(&n->status, on_status, (uint64_t)every, (uint64_t)every);
}

static void say_ready(struct node *n)
{
    AUTO(text_end) struct text roles = {0};

    for (size_t i = 0; n->config->role[i]; i++)
        text_add(&roles, "%s%s", i ? ", " : "", n->config->role[i]);
    log_say(LOG_NOTE, "node.ready", "ferryd " FERRY_VERSION " is ready", "FERRY_ROLES", roles.data, "FERRY_SOCKET",
            n->config->control_socket, NULL);
    notify_say("READY=1");
    on_status(&n->status);
}

enum err daemon_run(struct config *config, const char *path, int argc, char **argv, struct error *e)
{
    struct node n = {.config = config, .path = path, .argc = argc, .argv = argv, .lock = -1};
    enum err    code;

    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&n.loop);
    open_log(config);
    watch_signals(&n);
    code = open_parts(&n, e);
    if (code)
        stop(&n);
    else
        say_ready(&n);
    uv_run(&n.loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&n.loop))
        log_say(LOG_WARN, "node.leftover", "a handle was left open at the end", NULL);
    if (!code)
        log_say(LOG_NOTE, "node.ended", "ended", NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    return code;
}
