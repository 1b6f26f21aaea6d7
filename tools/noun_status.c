/* ferry status, why: the two questions everybody asks, at the site and on a node. */
#include <stdio.h>
#include <string.h>

#include "tools/show.h"
#include "tools/verb.h"

static const struct flag follow_flags[] = {
    {"follow", FLAG_BOOL, NULL, NULL, "keep showing it until everything is compliant or failed"},
    {"here", FLAG_BOOL, NULL, NULL, "this machine's own, where the same ferryd is the site as well"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};

static void site_status(const json_t *answer)
{
    printf("site %s: %lld nodes, %lld silent\n\nDeployments\n", json_string_value(json_object_get(answer, "site")),
           (long long)json_integer_value(json_object_get(answer, "nodes")),
           (long long)json_integer_value(json_object_get(answer, "silent")));
    if (json_array_size(json_object_get(answer, "deployments")))
        show_table(json_object_get(answer, "deployments"),
                   "name:NAME collection:COLLECTION enabled:ENABLED deadline:DEADLINE compliant:COMPLIANT:n in_progress:IN_PROGRESS:n "
                   "failed:FAILED:n unknown:UNKNOWN:n total:TOTAL:n");
    else
        printf("none; `ferry deployment create` makes one\n");
    printf("\nBranches\n");
    if (json_array_size(json_object_get(answer, "branches")))
        show_table(json_object_get(answer, "branches"), "name:BRANCH nodes:NODES:n needed:NEEDED:size http:HTTP:size peers:PEERS:size "
                                                        "cache:CACHE:size origin:ORIGIN:size waste:WASTE:size");
    else
        printf("no node has reported yet\n");
}

static const char *said(const json_t *o, const char *member)
{
    const char *text = json_string_value(json_object_get(o, member));

    return text ? text : "";
}

static void line(const char *title, const char *text)
{
    if (*text)
        printf("%-18s %s\n", title, text);
}

static void node_status(struct invocation *in, const json_t *node)
{
    json_t *updates = NULL;

    printf("%s (%s) of site %s%s; local times of %s\n", said(node, "hostname"), said(node, "node"), said(node, "site"),
           json_is_true(json_object_get(node, "enrolled")) ? "" : ", not enrolled yet", said(node, "timezone"));
    line("policy", said(json_object_get(node, "policy"), "text"));
    line("certificate", said(json_object_get(node, "certificate"), "text"));
    line("problem", said(node, "problem"));
    line("doing", said(node, "doing"));
    line("next window", json_is_object(json_object_get(node, "next_window")) ? said(json_object_get(node, "next_window"), "text") : "at any time");
    line("next installation", json_is_object(json_object_get(node, "next_installation")) ? said(json_object_get(node, "next_installation"), "text")
                                                                                          : "none that is known");
    line("restart", said(json_object_get(node, "restart"), "text"));
    if (!verb_ask_at(in, "GET", "/api/v1/node/updates", in->args, &updates, NULL) && json_array_size(json_object_get(updates, "items"))) {
        printf("\nUpdates\n");
        show_table(json_object_get(updates, "items"), "name:NAME version:VERSION state:STATE text:WHAT_HAPPENS:text");
    }
    json_decref(updates);
}

static bool settled(const json_t *answer)
{
    const json_t *deployments = json_object_get(answer, "deployments");
    size_t        i;
    json_t       *d;

    json_array_foreach(deployments, i, d)
        if (json_integer_value(json_object_get(d, "in_progress")) || json_integer_value(json_object_get(d, "unknown")))
            return false;
    return json_array_size(deployments) > 0;
}

/* Once: the site's part, or the node's where there is no site in this daemon. */
static enum err once(struct invocation *in, bool here, bool *done, struct error *e)
{
    json_t  *answer = NULL;
    enum err code = here ? ERR_NOT_FOUND : verb_ask_at(in, "GET", "/api/v1/status", in->args, &answer, e);
    bool     site = code == OK;

    if (code == ERR_NOT_FOUND)
        code = verb_ask_at(in, "GET", "/api/v1/node", in->args, &answer, e);
    if (!code && in->json)
        verb_show(in, answer);
    else if (!code && !in->quiet && site)
        site_status(answer);
    else if (!code && !in->quiet)
        node_status(in, answer);
    *done = !site || settled(answer);
    json_decref(answer);
    return code;
}

static enum err run_status(struct invocation *in, struct error *e)
{
    bool follow = json_is_true(json_object_get(in->args, "follow")), here = json_is_true(json_object_get(in->args, "here")), done = false;
    enum err code;

    json_object_del(in->args, "follow");
    json_object_del(in->args, "here");
    while (!(code = once(in, here, &done, e)) && follow && !done) {
        talk_wait(in->talk, 1000);
        if (show_on_terminal(1))
            printf("\033[H\033[J");
    }
    return code;
}

static enum err run_why(struct invocation *in, struct error *e)
{
    const char *first = json_string_value(json_object_get(in->args, "node"));
    json_t     *answer = NULL, *reasons;
    enum err    code;
    size_t      i;
    json_t     *r;

    if (!json_object_get(in->args, "update")) {
        json_object_set_new(in->args, "update", json_string(first));
        json_object_del(in->args, "node");
    }
    code = verb_ask_at(in, "GET", json_object_get(in->args, "node") ? "/api/v1/why/{node}/{update}" : "/api/v1/node/why/{update}", in->args,
                       &answer, e);
    if (code || in->json || in->quiet) {
        if (!code)
            verb_show(in, answer);
        json_decref(answer);
        return code;
    }
    if (json_string_value(json_object_get(answer, "title")))
        printf("%s%s%s\n", json_string_value(json_object_get(answer, "title")), json_object_get(answer, "text") ? ": " : "",
               said(answer, "text"));
    reasons = json_object_get(answer, "reasons");
    json_array_foreach(reasons, i, r) {
        const char *document = json_string_value(json_object_get(r, "document")), *clock = json_string_value(json_object_get(r, "clock")),
                   *when = json_string_value(json_object_get(r, "when"));
        printf("%2zu. %s (%s)\n", i + 1, json_string_value(json_object_get(r, "text")), json_string_value(json_object_get(r, "code")));
        if (document && *document)
            printf("    decided by %s\n", document);
        if (clock && *clock && strcmp(clock, "-"))
            printf("    clock value %s\n", when ? when : clock);
    }
    if (json_string_value(json_object_get(answer, "last_contact")))
        printf("last contact %s\n", json_string_value(json_object_get(answer, "last_contact")));
    json_decref(answer);
    return OK;
}

const struct verb status_verbs[] = {
    {"status", "", NULL, follow_flags, "GET", "/api/v1/status", NULL, run_status,
     "deployments and branches at the site; this machine's own on a node", NULL},
    {"why", "", "NODE [UPDATE]", NULL, "GET", NULL, NULL, run_why,
     "why an update is not installed: at the site NODE UPDATE, on a node UPDATE", "ferry why till-3 openssl"},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
