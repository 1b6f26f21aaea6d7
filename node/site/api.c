/* The control API for administrators: one route per command of authoring's table, and the site's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/site/command_file.h"
#include "node/site/inside.h"
#include "node/site/site_keys.h"
#include "policy/document/json.h"

#define BODY (1u << 20)

/* The names in a path: "/a/{name}/b/{rest...}". */
static void parts_into(const char *path, struct exchange *x, json_t *args)
{
    for (const char *open = strchr(path, '{'); open; open = strchr(open + 1, '{')) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(open + 1, ".}"), open + 1);
        json_object_set_new(args, name, json_string(exchange_part(x, name)));
    }
}

static enum err args_of(const char *path, struct exchange *x, json_t **out, struct error *e)
{
    static const char *const queries[] = {"filter", "search",     "text",  "sort",     "limit",
                                          "state",  "collection", "count", "timezone", "all"};
    size_t      length;
    const char *body = exchange_body(x, &length);
    json_t     *args = NULL;
    enum err    code = length ? json_read(body, length, BODY, &args, e) : OK;

    if (!code && args && !json_is_object(args))
        code = fail(e, ERR_USAGE, "the body has to be an object");
    if (code) {
        json_decref(args);
        return ERR_USAGE;
    }
    args = args ? args : json_object();
    for (size_t i = 0; i < COUNT(queries); i++)
        if (exchange_query(x, queries[i]))
            json_object_set_new(args, queries[i], json_string(exchange_query(x, queries[i])));
    parts_into(path, x, args);
    *out = args;
    return OK;
}

/* Which command this exchange is for: the route's path and method are the command's. */
static const struct author_command *command_of(const char *name)
{
    for (size_t i = 0; i < author_command_count; i++)
        if (!strcmp(author_commands[i].name, name))
            return &author_commands[i];
    return NULL;
}

static enum err token_text(struct site *s, json_t *answer, struct error *e)
{
    uint8_t       raw[56];
    struct sha256 root;
    char         *text;
    enum err      code = repository_root_hash(s->repository, &root, e);

    if (code)
        return code;
    hex_decode(json_string_value(json_object_get(answer, "token_id")), raw, 8);
    hex_decode(json_string_value(json_object_get(answer, "secret")), raw + 8, 16);
    memcpy(raw + 24, root.b, 32);
    text = base64_encode(raw, sizeof raw);
    for (char *c = text; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? 0 : *c;
    json_object_set_new(answer, "token", json_sprintf("ferry-%s", text));
    json_object_del(answer, "secret");
    free(text);
    return OK;
}

/* One command being run; it waits for its files when it brings some. */
struct call {
    struct site                 *site;
    struct exchange             *exchange;
    const struct author_command *command;
    json_t                      *args;
    bool                         dry_run, plan;
};

static void finish(struct call *c, enum err code, struct error *e, json_t *out)
{
    if (code)
        answer_error(c->exchange, e);
    else
        answer_json(c->exchange, 200, json_incref(out));
    json_decref(out);
    json_decref(c->args);
    free(c);
}

static void run(struct call *c)
{
    struct error  e = {0};
    json_t       *out = NULL;
    struct author a = site_author(c->site, exchange_peer(c->exchange));
    enum err      code;

    a.dry_run = c->dry_run;
    a.plan = c->plan;
    code = author_run(c->command, &a, c->args, &out, &e);
    if (!code && !strcmp(c->command->name, "node.token"))
        code = token_text(c->site, out, &e);
    if (!code && c->command->publishes && !a.dry_run) {
        code = site_publish(c->site, &e);
        c->site->check_content = true;
    }
    c->site->news = c->site->news || (c->command->changes && !a.dry_run);
    if (!code && a.dry_run && c->command->changes) {
        json_object_del(out, "token");          /* it would open nothing */
        json_object_set_new(out, "dry_run", json_true());
    }
    finish(c, code, &e, out);
}

static void on_files(void *ctx, enum err code, const struct error *e)
{
    struct error copy = *e;

    if (code)
        finish(ctx, code, &copy, NULL);
    else
        run(ctx);
}

static void started(struct exchange *x, struct job_work *j)
{
    answer_json(x, 202, json_pack("{s:s}", "job", job_id(j)));
}

static bool assembles(const struct author_command *command)
{
    return !strcmp(command->name, "rule.run") || !strcmp(command->name, "deploy");
}

/* Content has to come first: long work, which makes all of it in the end or nothing. */
static void assemble(struct call *c)
{
    struct site           *s = c->site;
    const char            *name = json_string_value(json_object_get(c->args, "name")), *who = exchange_peer(c->exchange);
    struct rule_due        due = {.run = true, .trigger = RULE_BY_HAND, .nominal = clock_now()};
    struct job_work       *j;
    AUTO(text_free) char  *what = must_print("%s %.64s", c->command->name, name ? name : "");

    j = job_new(s->jobs, what);
    started(c->exchange, j);
    if (!strcmp(c->command->name, "rule.run"))
        assemble_rule(s, j, name ? name : "", &due, who, NULL);
    else
        assemble_deploy(s, j, c->args, who);
    json_decref(c->args);
    free(c);
}

/* libmicrohttpd hands us the route's path by way of the exchange; the table is small, the match is by method and shape. */
static void on_command(void *ctx, struct exchange *x)
{
    const struct author_command *command = command_of(exchange_route(x)->about);
    struct call                 *c = must_alloc(sizeof *c);
    struct error                 e = {0};
    enum err                     code;

    *c = (struct call){.site = ctx, .exchange = x, .command = command, .plan = exchange_query(x, "plan") != NULL};
    c->dry_run = c->plan || exchange_query(x, "dry_run") != NULL;
    code = args_of(command->path, x, &c->args, &e);
    if (code)
        finish(c, code, &e, NULL);
    else if (!strcmp(command->name, "update.add"))
        command_files(c->site, c->args, c->dry_run, on_files, c);
    else if (assembles(command) && !c->dry_run)
        assemble(c);
    else
        run(c);
}

static void on_sync(void *ctx, struct exchange *x)
{
    struct site     *s = ctx;
    struct error     e;
    json_t          *args = NULL;
    struct job_work *j;

    if (args_of("", x, &args, &e)) {
        answer_error(x, &e);
        return;
    }
    j = job_new(s->jobs, "catalog sync");
    started(x, j);
    sync_start(s, j, json_object_get(args, "names"));
    json_decref(args);
}

static void on_download(void *ctx, struct exchange *x)
{
    struct site     *s = ctx;
    struct job_work *j = job_new(s->jobs, "content download");

    started(x, j);
    download_start(s, j, exchange_part(x, "name"), NULL);
}

static void on_publish(void *ctx, struct exchange *x)
{
    struct error e;

    if (site_publish(ctx, &e))
        answer_error(x, &e);
    else
        answer_json(x, 200, json_pack("{s:s}", "message", "the policy is published"));
}

/* about of the route: "site.key.rotate" → "rotate". Keys are not tried out: a dry run changes nothing and says so. */
static void on_keys(void *ctx, struct exchange *x)
{
    struct site *s = ctx;
    struct error e;
    json_t      *args = NULL, *out = NULL;
    const char  *what = strrchr(exchange_route(x)->about, '.') + 1;
    enum err     code = args_of("", x, &args, &e);

    if (!code && strcmp(what, "list") && exchange_query(x, "dry_run"))
        code = fail(&e, ERR_USAGE, "keys are not tried out: --dry-run does not go with this command; nothing was changed");
    code = code ? code : site_keys(s->repository, what, args, &out, &e);
    if (!code)
        log_say(LOG_NOTE, "site.keys", exchange_route(x)->about, "FERRY_PEER", exchange_peer(x), NULL);
    if (code)
        answer_error(x, &e);
    else
        answer_json(x, 200, out);
    json_decref(args);
}

static void on_job(void *ctx, struct exchange *x)
{
    struct site *s = ctx;
    struct error e;
    json_t      *job = job_json(s->jobs, exchange_part(x, "job"));

    if (job) {
        answer_json(x, 200, job);
        return;
    }
    fail(&e, ERR_NOT_FOUND, "no such job: \"%s\"; jobs are forgotten when ferryd restarts", exchange_part(x, "job"));
    answer_error(x, &e);
}

static const struct route own[] = {
    {"POST", "/api/v1/catalogs/sync", BODY, on_sync, "catalog.sync"},
    {"POST", "/api/v1/groups/{name}/download", BODY, on_download, "content.download"},
    {"POST", "/api/v1/publish", BODY, on_publish, "publish"},
    {"GET", "/api/v1/jobs/{job}", 0, on_job, "job.show"},
    {"GET", "/api/v1/site/keys", 0, on_keys, "site.key.list"},
    {"POST", "/api/v1/site/keys/rotate", BODY, on_keys, "site.key.rotate"},
    {"POST", "/api/v1/site/root/renew", BODY, on_keys, "site.root.renew"},
    {"POST", "/api/v1/site/root/accept", BODY, on_keys, "site.root.accept"},
};

void site_make_routes(struct site *s)
{
    s->routes = must_alloc((COUNT(own) + author_command_count) * sizeof *s->routes);
    for (size_t i = 0; i < COUNT(own); i++)
        s->routes[s->route_count++] = own[i];
    for (size_t i = 0; i < author_command_count; i++) {
        const struct author_command *c = &author_commands[i];
        s->routes[s->route_count++] = (struct route){c->method, c->path, strcmp(c->method, "GET") ? BODY : 0, on_command, c->name};
    }
}
