/* ferry deployment, content, dp, boundary: what goes where, from where. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tools/terms_flags.h"
#include "tools/verb.h"

#define SCHEDULE_FLAGS \
    {"available", FLAG_TEXT, NULL, "TIME", "from when: now, +2h, 2026-11-24 22:00 (UTC)"}, \
    {"deadline", FLAG_TEXT, NULL, "TIME", "until when it has to be installed"}, \
    {"randomize", FLAG_TEXT, NULL, "DURATION", "spread the deadline over this time; 2h unless given, 0 for none"}, \
    {"origin-fallback", FLAG_BOOL, NULL, NULL, "when no distribution point answers, nodes may fetch from the vendor"}, \
    {"no-origin-fallback", FLAG_NO, "origin_fallback", NULL, "never from the vendor"}

static const struct flag create_flags[] = {
    {"group", FLAG_TEXT, NULL, "GROUP", "what"},
    {"collection", FLAG_TEXT, NULL, "COLLECTION", "to whom; all is everybody"},
    {"required", FLAG_WORD, "purpose", "required", "installed at the deadline"},
    {"optional", FLAG_WORD, "purpose", "available", "offered; the user decides"},
    SCHEDULE_FLAGS,
    {"disabled", FLAG_NO, "enabled", NULL, "made, but not in force until enabled"},
    PLAN_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag change_flags[] = {
    SCHEDULE_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};

static enum err run_switch(struct invocation *in, struct error *e)
{
    json_t  *answer = NULL;
    enum err code;

    json_object_set_new(in->args, "enabled", json_boolean(!strcmp(in->verb->name, "enable")));
    code = verb_ask(in, &answer, e);
    if (!code)
        verb_show(in, answer);
    json_decref(answer);
    return code;
}

#define ONE "/api/v1/deployments/{name}"
const struct verb deployment_verbs[] = {
    {"deployment", "create", "NAME", create_flags, "POST", "/api/v1/deployments", NULL, run_planned, "a group to a collection",
     "ferry deployment create october --group october --collection tills --required --available now --deadline +2h --origin-fallback"},
    {"deployment", "list", NULL, NULL, "GET", "/api/v1/deployments",
     "name:NAME group:GROUP collection:COLLECTION purpose:PURPOSE enabled:ENABLED available:AVAILABLE deadline:DEADLINE", NULL,
     "deployments", NULL},
    {"deployment", "show", "NAME", NULL, "GET", ONE, NULL, NULL, "a deployment, its updates and how far it has come", NULL},
    {"deployment", "change", "NAME", change_flags, "PATCH", ONE, NULL, NULL, "other times or fallbacks", NULL},
    {"deployment", "enable", "NAME", NULL, "PATCH", ONE, NULL, run_switch, "put it in force", NULL},
    {"deployment", "disable", "NAME", NULL, "PATCH", ONE, NULL, run_switch, "stop it: nothing that has not begun begins", NULL},
    {"deployment", "delete", "NAME", NULL, "DELETE", ONE, NULL, NULL, "withdraw it; nodes are told", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct flag distribute_flags[] = {
    {"to", FLAG_LIST, NULL, "DP", "a distribution point"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb content_verbs[] = {
    {"content", "download", "NAME", NULL, "POST", "/api/v1/groups/{name}/download", NULL, run_job,
     "bring a group's files from the vendor into the library, dependencies included", "ferry content download october"},
    {"content", "distribute", "NAME", distribute_flags, "POST", "/api/v1/groups/{name}/distribute", NULL, NULL,
     "assign a group's content to distribution points", "ferry content distribute october --to dp-1"},
    {"content", "status", NULL, NULL, "GET", "/api/v1/contents/status",
     "dp:DP contents:CONTENTS:n complete:COMPLETE:n bytes:BYTES:size state:STATE", NULL, "what each distribution point holds", NULL},
    {"content", "list", NULL, NULL, "GET", "/api/v1/contents", "sha256:SHA-256 size:SIZE:size name:NAME:text", NULL, "the library", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

/* The whole configuration for a stock nginx that serves the tree of a distribution point. */
static enum err run_nginx(struct invocation *in, struct error *e)
{
    const char *root = json_string_value(json_object_get(in->args, "root")),
               *listen = json_string_value(json_object_get(in->args, "listen"));

    if (!root || *root != '/')
        return fail(e, ERR_USAGE, "--root wants the absolute directory that holds content/");
    printf(
        "# /etc/nginx/conf.d/ferry-dp.conf: nodes trust hashes and signatures, not this server; it serves files and ranges, nothing else.\n"
        "server {\n    listen %s;\n    root %s;\n    autoindex off;\n    access_log off;\n    location /content/ {\n        limit_except "
        "GET { deny all; }\n"
        "        default_type application/octet-stream;\n        sendfile on;\n        tcp_nopush on;\n        etag on;\n    }\n    "
        "location / {\n        return 404;\n    }\n}\n",
        listen ? listen : "80", root);
    return OK;
}

static const struct flag dp_flags[] = {
    {"url", FLAG_TEXT, NULL, "URL", "where nodes fetch: URL/content/…"},
    {"node", FLAG_TEXT, NULL, "NODE", "the enrolled node that runs the role, by id or hostname; none for a plain web server"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag nginx_flags[] = {
    {"root", FLAG_TEXT, NULL, "DIR", "the directory that holds content/"},
    {"listen", FLAG_TEXT, NULL, "ADDRESS", "80 unless given"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb dp_verbs[] = {
    {"dp", "add", "NAME", dp_flags, "POST", "/api/v1/dps", NULL, NULL, "a distribution point",
     "ferry dp add dp-1 --url http://dp-1.example.org --node dp-1"},
    {"dp", "list", NULL, NULL, "GET", "/api/v1/dps", "name:NAME url:URL node:NODE groups:GROUPS", NULL, "distribution points", NULL},
    {"dp", "remove", "NAME", NULL, "DELETE", "/api/v1/dps/{name}", NULL, NULL, "nodes no longer use it", NULL},
    {"dp", "nginx-config", NULL, nginx_flags, NULL, NULL, NULL, run_nginx,
     "print the configuration for a stock nginx as distribution point", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct flag boundary_flags[] = {
    {"cidr", FLAG_LIST, "cidrs", "CIDR", "10.1.0.0/16"},
    {"dp", FLAG_LIST, "dps", "DP", "its distribution points, the best first"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb boundary_verbs[] = {
    {"boundary", "add", "GROUP", boundary_flags, "POST", "/api/v1/boundaries", NULL, NULL,
     "a branch: its addresses and its distribution points", "ferry boundary add north --cidr 10.1.0.0/16 --dp dp-1"},
    {"boundary", "list", NULL, NULL, "GET", "/api/v1/boundaries", "group:GROUP cidrs:CIDRS dps:DPS nodes:NODES:n", NULL, "boundary groups",
     NULL},
    {"boundary", "remove", "GROUP", NULL, "DELETE", "/api/v1/boundaries/{group}", NULL, NULL, "forget a boundary group", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
