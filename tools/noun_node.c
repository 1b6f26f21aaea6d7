/* ferry node, audit at the site. */
#include <stdio.h>

#include "tools/show.h"
#include "tools/verb.h"

static const struct flag token_flags[] = {
    {"expires", FLAG_TEXT, NULL, "DURATION", "24h unless given, 7d with --approval"},
    {"approval", FLAG_BOOL, NULL, NULL, "for many machines: each waits until `ferry node approve` lets it in"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag alert_flags[] = {
    {"limit", FLAG_NUMBER, NULL, "N", "at most so many; 100"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};

static enum err run_token(struct invocation *in, struct error *e)
{
    json_t  *answer = NULL;
    enum err code = verb_ask(in, &answer, e);

    if (!code && (in->json || in->dry_run))
        verb_show(in, answer);
    else if (!code)
        printf("%s\n", json_string_value(json_object_get(answer, "token")));
    json_decref(answer);
    return code;
}

static void section(const json_t *node, const char *member, const char *title, const char *columns)
{
    const json_t *items = json_object_get(node, member);

    if (!json_array_size(items))
        return;
    printf("\n%s\n", title);
    show_table(items, columns);
}

static enum err run_show(struct invocation *in, struct error *e)
{
    json_t  *node = NULL;
    enum err code = verb_ask(in, &node, e);

    if (code || in->json || in->quiet) {
        if (!code)
            verb_show(in, node);
        json_decref(node);
        return code;
    }
    json_t *head = json_copy(node);
    json_object_del(head, "updates");
    json_object_del(head, "contents");
    json_object_del(head, "documents");
    show_members(head, 0);
    section(node, "updates", "Updates",
            "name:NAME version:VERSION state:STATE enforcement:STEP reason:REASON code:CODE:n attempts:ATTEMPTS:n changed:SINCE:time");
    section(node, "contents", "Content",
            "sha256:SHA-256 size:SIZE:size http:HTTP:size peers:PEERS:size cache:CACHE:size origin:ORIGIN:size waste:WASTE:size");
    json_decref(head);
    json_decref(node);
    return OK;
}

const struct verb node_verbs[] = {
    {"node", "list", NULL, NULL, "GET", "/api/v1/nodes",
     "hostname:HOSTNAME id:ID branch:BRANCH required:REQUIRED:n installed:INSTALLED:n failed:FAILED:n last_contact:LAST_CONTACT:time", NULL,
     "enrolled machines", NULL},
    {"node", "show", "NAME", NULL, "GET", "/api/v1/nodes/{name}", NULL, run_show,
     "its facts, its updates with states and codes, its last contact", "ferry node show till-3"},
    {"node", "token", NULL, token_flags, "POST", "/api/v1/tokens", NULL, run_token,
     "an enrolment token for a new machine's enrol-token: for one machine, or for many", "ferry node token --approval --expires 7d"},
    {"node", "pending", NULL, NULL, "GET", "/api/v1/pending", "hostname:HOSTNAME id:ID address:ADDRESS since:SINCE:time key:KEY", NULL,
     "machines that wait for approval", NULL},
    {"node", "approve", "NAME", NULL, "POST", "/api/v1/pending/{name}/approve", NULL, NULL, "a machine that waits becomes a node",
     "ferry node approve till-7"},
    {"node", "reject", "NAME", NULL, "POST", "/api/v1/pending/{name}/reject", NULL, NULL, "a machine that waits does not", NULL},
    {"node", "retire", "NAME", NULL, "DELETE", "/api/v1/nodes/{name}", NULL, NULL, "it is gone: the site and other nodes refuse it from now on", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
const struct verb audit_verbs[] = {
    {"audit", "", NULL, alert_flags, "GET", "/api/v1/audit", "time:TIME:time who:WHO command:COMMAND what:WHAT:text", NULL,
     "who changed what, and when", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
