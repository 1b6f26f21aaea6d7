/* ferry deployment, template, content, dp, boundary: what goes where, from where. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tools/show.h"
#include "tools/verb.h"

#define SCHEDULE_FLAGS \
    {"available", FLAG_TEXT, NULL, "TIME", "from when: now, +2h, 2026-11-24 22:00 (UTC), friday 22:00 (the site's clock)"}, \
    {"deadline", FLAG_TEXT, NULL, "TIME", "until when it has to be installed"}, \
    {"template", FLAG_TEXT, NULL, "NAME", "the terms of a template; flags over it"}

static const struct flag create_flags[] = {
    {"group", FLAG_TEXT, NULL, "GROUP", "what"},
    {"collection", FLAG_TEXT, NULL, "COLLECTION", "to whom; all is everybody"},
    {"required", FLAG_WORD, "purpose", "required", "installed at the deadline"},
    {"optional", FLAG_WORD, "purpose", "available", "offered; the user decides"},
    SCHEDULE_FLAGS,
    {"disabled", FLAG_NO, "enabled", NULL, "made, but not in force until enabled"},
    TERMS_FLAGS,
    PLAN_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag change_flags[] = {
    SCHEDULE_FLAGS,
    TERMS_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag nodes_flags[] = {
    {"state", FLAG_TEXT, NULL, "STATE", "compliant, in-progress, unknown or failed; all unless given"},
    {"limit", FLAG_NUMBER, NULL, "N", "at most so many; 100"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag halt_flags[] = {
    {"reason", FLAG_TEXT, NULL, "TEXT", "every node and `ferry why` tell it"},
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

static enum err run_show(struct invocation *in, struct error *e)
{
    json_t  *answer = NULL, *updates, *head;
    enum err code = verb_ask(in, &answer, e);

    if (code || in->json || in->quiet) {
        if (!code)
            verb_show(in, answer);
        json_decref(answer);
        return code;
    }
    updates = json_object_get(answer, "updates");
    head = json_copy(answer);
    json_object_del(head, "updates");
    show_members(head, 0);
    if (json_array_size(updates)) {
        printf("\nUpdates\n");
        show_table(updates, "name:NAME version:VERSION state:STATE required:REQUIRED:n installed:INSTALLED:n unknown:UNKNOWN:n size:SIZE:size "
                            "title:TITLE:text");
    }
    json_decref(head);
    json_decref(answer);
    return OK;
}

#define ONE "/api/v1/deployments/{name}"
const struct verb deployment_verbs[] = {
    {"deployment", "create", "NAME", create_flags, "POST", "/api/v1/deployments", NULL, run_planned, "a group to a collection",
     "ferry deployment create october --group october --collection tills --required --available now --deadline +2h --origin-fallback"},
    {"deployment", "list", NULL, NULL, "GET", "/api/v1/deployments",
     "name:NAME group:GROUP collection:COLLECTION purpose:PURPOSE enabled:ENABLED halted:HALTED:text available:AVAILABLE deadline:DEADLINE "
     "made_by:MADE_BY:text",
     NULL, "deployments", NULL},
    {"deployment", "show", "NAME", NULL, "GET", ONE, NULL, run_show, "a deployment, its terms, its updates and how far it has come", NULL},
    {"deployment", "nodes", "NAME", nodes_flags, "GET", ONE "/nodes",
     "node:NODE state:STATE update:UPDATE enforcement:STEP reason:REASON since:SINCE:time text:WHY:text", NULL,
     "where each node stands, why, and since when", "ferry deployment nodes october --state failed"},
    {"deployment", "change", "NAME", change_flags, "PATCH", ONE, NULL, NULL, "other times or terms", NULL},
    {"deployment", "enable", "NAME", NULL, "PATCH", ONE, NULL, run_switch, "put it in force", NULL},
    {"deployment", "disable", "NAME", NULL, "PATCH", ONE, NULL, run_switch, "stop it: nothing that has not begun begins", NULL},
    {"deployment", "halt", "NAME", halt_flags, "POST", ONE "/halt", NULL, NULL, "stop it with a reason, which reaches every node",
     "ferry deployment halt october --reason 'tills do not print any more'"},
    {"deployment", "resume", "NAME", NULL, "POST", ONE "/resume", NULL, NULL, "go on after a halt", NULL},
    {"deployment", "retry", "NAME", NULL, "POST", ONE "/retry", NULL, NULL,
     "once more, to the nodes that have failed: a collection of them and a deployment to it", "ferry deployment retry october --dry-run"},
    {"deployment", "delete", "NAME", NULL, "DELETE", ONE, NULL, NULL, "withdraw it; nodes are told", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct flag template_flags[] = {
    {"from", FLAG_TEXT, NULL, "DEPLOYMENT", "the terms of a deployment; flags over it"},
    {"description", FLAG_TEXT, NULL, "TEXT", "for people"},
    {"required", FLAG_WORD, "purpose", "required", "installed at the deadline"},
    {"optional", FLAG_WORD, "purpose", "available", "offered; the user decides"},
    TERMS_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb template_verbs[] = {
    {"template", "save", "NAME", template_flags, "POST", "/api/v1/templates", NULL, NULL, "terms of deployments with a name",
     "ferry template save servers --required --suppress-restart-servers --alert-below 95"},
    {"template", "list", NULL, NULL, "GET", "/api/v1/templates", "name:NAME differs:TERMS:text description:DESCRIPTION:text", NULL,
     "templates, and what differs from the defaults", NULL},
    {"template", "show", "NAME", NULL, "GET", "/api/v1/templates/{name}", NULL, NULL, "all its terms", NULL},
    {"template", "delete", "NAME", NULL, "DELETE", "/api/v1/templates/{name}", NULL, NULL, "forget it; deployments stay as they are", NULL},
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

static const struct flag boundary_flags[] = {
    {"cidr", FLAG_LIST, "cidrs", "CIDR", "10.1.0.0/16"},
    {"dp", FLAG_LIST, "dps", "DP", "its distribution points, the best first"},
    {"wan", FLAG_NUMBER, NULL, "KBIT", "its line in kbit/s, for what plans foresee; 0: not known"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag link_flags[] = {
    {"after", FLAG_TEXT, NULL, "DURATION|never", "when it may be used; 120m unless given"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb boundary_verbs[] = {
    {"boundary", "add", "GROUP", boundary_flags, "POST", "/api/v1/boundaries", NULL, NULL,
     "a branch: its addresses and its distribution points", "ferry boundary add north --cidr 10.1.0.0/16 --dp dp-1"},
    {"boundary", "list", NULL, NULL, "GET", "/api/v1/boundaries", "group:GROUP cidrs:CIDRS dps:DPS wan_kbit:KBIT/S:n neighbours:NEIGHBOURS:text nodes:NODES:n",
     NULL, "boundary groups", NULL},
    {"boundary", "link", "GROUP NEIGHBOUR", link_flags, "POST", "/api/v1/boundaries/{group}/links", NULL, NULL,
     "nodes of GROUP may use NEIGHBOUR's distribution points, one way", "ferry boundary link north south --after 30m"},
    {"boundary", "unlink", "GROUP NEIGHBOUR", NULL, "DELETE", "/api/v1/boundaries/{group}/links/{neighbour}", NULL, NULL, "a link less", NULL},
    {"boundary", "remove", "GROUP", NULL, "DELETE", "/api/v1/boundaries/{group}", NULL, NULL, "forget a boundary group", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
