/* ferry rule: automatic deployment rules. */
#include <stdio.h>
#include <string.h>

#include "tools/show.h"
#include "tools/verb.h"

#define RULE_FLAGS \
    {"filter", FLAG_TEXT, NULL, "EXPRESSION", "which updates; expired ones never"}, \
    {"search", FLAG_TEXT, NULL, "SEARCH", "which updates: a saved search"}, \
    {"schedule", FLAG_TEXT, NULL, "SCHEDULE", "'second tuesday +1d 02:00', 'daily 04:00'; none for no schedule"}, \
    {"after-sync", FLAG_BOOL, NULL, NULL, "after every sync that brought something new"}, \
    {"no-after-sync", FLAG_NO, "after_sync", NULL, "not so"}, \
    {"group", FLAG_TEXT, NULL, "new|reuse", "a group for each run, or one that is emptied and filled again"}, \
    {"approval", FLAG_BOOL, NULL, NULL, "what a run deploys is disabled until somebody enables it"}, \
    {"no-approval", FLAG_NO, "approval", NULL, "in force at once"}, \
    {"to", FLAG_LIST, NULL, "DP", "distribution points; every one unless given, none for nowhere"}, \
    {"severity-alert", FLAG_BOOL, "severity_alert", NULL, "a run that fails is a critical alert, not a warning"}, \
    {"no-severity-alert", FLAG_NO, "severity_alert", NULL, "a warning"}, \
    {"description", FLAG_TEXT, NULL, "TEXT", "for people"}

static const struct flag create_flags[] = {
    RULE_FLAGS,
    {"disabled", FLAG_NO, "enabled", NULL, "made, but not run until enabled"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag change_flags[] = {
    RULE_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag run_flags[] = {
    PLAN_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag preview_flags[] = {
    {"all", FLAG_BOOL, NULL, NULL, "every update that is not selected, with its reason"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag limit_flags[] = {
    {"limit", FLAG_NUMBER, NULL, "N", "at most so many; 100"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
#define AIM_FLAGS \
    {"collection", FLAG_TEXT, NULL, "COLLECTION", "to whom"}, \
    {"available", FLAG_TEXT, NULL, "+DURATION", "so long after the run's start; +0h unless given"}, \
    {"deadline", FLAG_TEXT, NULL, "+DURATION", "so long after that; +7d unless given, 0 for at once"}, PURPOSE_FLAGS, TERMS_FLAGS
static const struct flag aim_flags[] = {
    AIM_FLAGS,
    {"disabled", FLAG_NO, "enabled", NULL, "runs make it disabled"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag aim_change_flags[] = {
    AIM_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};

/* "enable", "deployment disable". */
static enum err run_switch(struct invocation *in, struct error *e)
{
    json_t  *answer = NULL;
    enum err code;

    json_object_set_new(in->args, "enabled", json_boolean(strstr(in->verb->name, "enable") != NULL));
    code = verb_ask(in, &answer, e);
    if (!code)
        verb_show(in, answer);
    json_decref(answer);
    return code;
}

static void section(json_t *rule, const char *member, const char *title, const char *columns)
{
    const json_t *list = json_object_get(rule, member);

    printf("\n%s\n", title);
    if (json_array_size(list))
        show_table(list, columns);
    else
        printf("none\n");
}

#define RUN_COLUMNS "began:BEGAN:time cause:CAUSE code:OUTCOME updates:UPDATES:n group:GROUP detail:DETAIL:text"
#define AIM_COLUMNS "name:NAME collection:COLLECTION enabled:ENABLED available:AVAILABLE deadline:DEADLINE terms.purpose:PURPOSE"
static enum err run_show(struct invocation *in, struct error *e)
{
    json_t  *rule = NULL, *head;
    enum err code = verb_ask(in, &rule, e);

    if (code || in->json || in->quiet) {
        if (!code)
            verb_show(in, rule);
        json_decref(rule);
        return code;
    }
    head = json_copy(rule);
    json_object_del(head, "deployments");
    json_object_del(head, "runs");
    show_members(head, 0);
    section(rule, "deployments", "Deployments", AIM_COLUMNS);
    section(rule, "runs", "Last runs", RUN_COLUMNS);
    json_decref(head);
    json_decref(rule);
    return OK;
}

static enum err run_preview(struct invocation *in, struct error *e)
{
    json_t  *out = NULL;
    enum err code = verb_ask(in, &out, e);

    if (code || in->json || in->quiet) {
        if (!code)
            verb_show(in, out);
        json_decref(out);
        return code;
    }
    printf("%lld of %lld updates would be selected\n", (long long)json_integer_value(json_object_get(out, "count")),
           (long long)json_integer_value(json_object_get(out, "of")));
    if (json_object_get(out, "warning"))
        printf("%s\n", json_string_value(json_object_get(out, "warning")));
    if (json_array_size(json_object_get(out, "selected")))
        show_table(json_object_get(out, "selected"), "name:NAME version:VERSION title:TITLE:text");
    section(out, "reasons", "Not selected, by the first test that fails", "count:UPDATES:n reason:REASON:text");
    if (json_array_size(json_object_get(out, "others")))
        section(out, "others", "One by one", "name:NAME version:VERSION reason:REASON:text");
    json_decref(out);
    return OK;
}

#define ONE  "/api/v1/rules/{name}"
#define AIMS ONE "/deployments"
#define AIM  AIMS "/{deployment}"
const struct verb rule_verbs[] = {
    {"rule", "create", "NAME", create_flags, "POST", "/api/v1/rules", NULL, NULL, "an automatic deployment rule",
     "ferry rule create patch-tuesday --filter 'classification = security and required >= 1' --schedule 'second tuesday +1d 02:00' --group new"},
    {"rule", "list", NULL, NULL, "GET", "/api/v1/rules",
     "name:NAME enabled:ENABLED group:GROUP schedule:SCHEDULE next:NEXT:time last:LAST:time outcome:OUTCOME", NULL, "rules", NULL},
    {"rule", "show", "NAME", NULL, "GET", ONE, NULL, run_show, "a rule, its deployments and its last runs", NULL},
    {"rule", "change", "NAME", change_flags, "PATCH", ONE, NULL, NULL, "from its next run on; what earlier runs made stays", NULL},
    {"rule", "enable", "NAME", NULL, "PATCH", ONE, NULL, run_switch, "it runs again; times that passed meanwhile are not caught up on", NULL},
    {"rule", "disable", "NAME", NULL, "PATCH", ONE, NULL, run_switch, "it does not run, not by hand either", NULL},
    {"rule", "delete", "NAME", NULL, "DELETE", ONE, NULL, NULL, "the groups and deployments it made stay", NULL},
    {"rule", "preview", "NAME", preview_flags, "GET", ONE "/preview", NULL, run_preview, "what a run would select now, and why not the rest", NULL},
    {"rule", "run", "NAME", run_flags, "POST", ONE "/run", NULL, run_planned, "select, download and deploy now", NULL},
    {"rule", "history", "NAME", limit_flags, "GET", ONE "/history", RUN_COLUMNS, NULL, "its runs, the newest first", NULL},
    {"rule", "deployment add", "NAME DEPLOYMENT", aim_flags, "POST", AIMS, NULL, NULL, "to whom each run's group goes, from when, until when",
     "ferry rule deployment add patch-tuesday pilot --collection pilot --available +0h --deadline +3d"},
    {"rule", "deployment list", "NAME", NULL, "GET", AIMS, AIM_COLUMNS, NULL, "a rule's deployments", NULL},
    {"rule", "deployment change", "NAME DEPLOYMENT", aim_change_flags, "PATCH", AIM, NULL, NULL, "other times or terms, from the next run on", NULL},
    {"rule", "deployment enable", "NAME DEPLOYMENT", NULL, "PATCH", AIM, NULL, run_switch, "… and what the latest run made of it", NULL},
    {"rule", "deployment disable", "NAME DEPLOYMENT", NULL, "PATCH", AIM, NULL, run_switch, "… and what the latest run made of it", NULL},
    {"rule", "deployment remove", "NAME DEPLOYMENT", NULL, "DELETE", AIM, NULL, NULL, "later runs make it no more", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct flag deploy_flags[] = {
    {"filter", FLAG_TEXT, NULL, "EXPRESSION", "every update it selects"},
    {"search", FLAG_TEXT, NULL, "SEARCH", "every update a saved search selects"},
    {"collection", FLAG_TEXT, NULL, "COLLECTION", "to whom"},
    {"available", FLAG_TEXT, NULL, "TIME", "from when; now unless given"},
    {"deadline", FLAG_TEXT, NULL, "TIME", "until when: +2h, 'friday 22:00', 2026-11-24 22:00"},
    {"to", FLAG_LIST, NULL, "DP", "distribution points; every one unless given, none for nowhere"},
    {"disabled", FLAG_NO, "enabled", NULL, "made, but not in force until enabled"},
    {"description", FLAG_TEXT, NULL, "TEXT", "of the group"},
    PURPOSE_FLAGS,
    TERMS_FLAGS,
    PLAN_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb deploy_verbs[] = {
    {"deploy", "", "NAME [UPDATES…]", deploy_flags, "POST", "/api/v1/deploy", NULL, run_planned,
     "in one: group, download, distribution, deployment; all of it or nothing",
     "ferry deploy october --filter 'classification = security and required >= 1' --collection tills --deadline 'friday 22:00'"},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
