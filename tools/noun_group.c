/* ferry group: what belongs together. */
#include <stdio.h>

#include "tools/show.h"
#include "tools/verb.h"

static const struct flag create_flags[] = {
    {"description", FLAG_TEXT, NULL, "TEXT", "for people"},
    {"report-only", FLAG_BOOL, NULL, NULL, "to be looked at, never deployed"},
    {"filter", FLAG_TEXT, NULL, "EXPRESSION", "of every update it selects"},
    {"search", FLAG_TEXT, NULL, "NAME", "of what a saved search finds"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag change_flags[] = {
    {"description", FLAG_TEXT, NULL, "TEXT", "for people"},
    {"report-only", FLAG_BOOL, NULL, NULL, "to be looked at, never deployed"},
    {"no-report-only", FLAG_NO, "report_only", NULL, "it may be deployed"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag member_flags[] = {
    {"filter", FLAG_TEXT, NULL, "EXPRESSION", "every update it selects"},
    {"search", FLAG_TEXT, NULL, "NAME", "what a saved search finds; together with --filter: what both select"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};

static enum err run_show(struct invocation *in, struct error *e)
{
    json_t  *group = NULL, *members, *head;
    enum err code = verb_ask(in, &group, e);

    if (code || in->json || in->quiet) {
        if (!code)
            verb_show(in, group);
        json_decref(group);
        return code;
    }
    members = json_object_get(group, "members");
    head = json_copy(group);
    json_object_del(head, "members");
    show_members(head, 0);
    if (json_array_size(members)) {
        printf("\nUpdates\n");
        show_table(members, "name:NAME version:VERSION state:STATE required:REQUIRED:n installed:INSTALLED:n unknown:UNKNOWN:n size:SIZE:size "
                            "superseded_by:REPLACED_BY title:TITLE:text");
    }
    json_decref(head);
    json_decref(group);
    return OK;
}

#define GROUP_COLUMNS "name:NAME updates:UPDATES:n state:STATE report_only:REPORT_ONLY deployments:DEPLOYMENTS description:DESCRIPTION:text"
const struct verb group_verbs[] = {
    {"group", "create", "NAME", create_flags, "POST", "/api/v1/groups", NULL, NULL, "a group of updates", "ferry group create october"},
    {"group", "add", "NAME [UPDATES…]", member_flags, "POST", "/api/v1/groups/{name}/members", NULL, NULL,
     "add updates; a deployed group deploys them", "ferry group add october --filter 'classification = security and required >= 1'"},
    {"group", "remove", "NAME [UPDATES…]", member_flags, "DELETE", "/api/v1/groups/{name}/members", NULL, NULL,
     "take updates out; they are no longer deployed", NULL},
    {"group", "list", NULL, NULL, "GET", "/api/v1/groups", GROUP_COLUMNS, NULL, "groups", NULL},
    {"group", "show", "NAME", NULL, "GET", "/api/v1/groups/{name}", NULL, run_show, "a group and its updates with their states", NULL},
    {"group", "change", "NAME", change_flags, "PATCH", "/api/v1/groups/{name}", NULL, NULL, "its description; whether it may be deployed", NULL},
    {"group", "delete", "NAME", NULL, "DELETE", "/api/v1/groups/{name}", NULL, NULL, "a group that no deployment uses", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
