/* ferry phased: one collection after the other. */
#include <stdio.h>
#include <string.h>

#include "tools/show.h"
#include "tools/verb.h"

static const struct flag create_flags[] = {
    {"group", FLAG_TEXT, NULL, "GROUP", "what; downloaded and distributed already"},
    {"phase", FLAG_EACH, "phases", "COLLECTION,KEY=VALUE…", "success=95%|N halt=N% sample=N silence= soak= progress= begin=+1d|manual gradual= deadline="},
    {"first", FLAG_TEXT, NULL, "COLLECTION", "two phases with the usual settings: the first …"},
    {"second", FLAG_TEXT, NULL, "COLLECTION", "… and the second, a day after 95 % of the first are compliant"},
    {"description", FLAG_TEXT, NULL, "TEXT", "for people"},
    {"template", FLAG_TEXT, NULL, "TEMPLATE", "its terms, where nothing else is given"},
    TERMS_FLAGS,
    PLAN_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag next_flags[] = {
    {"force", FLAG_BOOL, NULL, NULL, "although the phase before it has not succeeded, or its time has not come"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag delete_flags[] = {
    {"withdraw", FLAG_BOOL, NULL, NULL, "withdraw the deployments of its phases as well"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag limit_flags[] = {
    {"limit", FLAG_NUMBER, NULL, "N", "at most so many; 100"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag add_flags[] = {
    {"phase", FLAG_TEXT, "spec", "COLLECTION,KEY=VALUE…", "as for create"},
    {"at", FLAG_NUMBER, NULL, "N", "where; the last unless given"},
    {"template", FLAG_TEXT, NULL, "TEMPLATE", "its terms, where nothing else is given"},
    TERMS_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag change_flags[] = {
    {"set", FLAG_TEXT, "spec", "KEY=VALUE…", "begin=+2d,gradual=3d"},
    {"collection", FLAG_TEXT, NULL, "COLLECTION", "another one"},
    {"template", FLAG_TEXT, NULL, "TEMPLATE", "its terms, where nothing else is given"},
    TERMS_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag move_flags[] = {
    {"to", FLAG_NUMBER, NULL, "N", "its place from now; never before a phase that has begun"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};

static void say_why(const json_t *phases)
{
    json_t *p;
    size_t  i;

    json_array_foreach(phases, i, p)
        if (json_string_value(json_object_get(p, "why")))
            printf("%lld. %s: %s\n", (long long)json_integer_value(json_object_get(p, "position")),
                   json_string_value(json_object_get(p, "collection")), json_string_value(json_object_get(p, "why")));
}

static enum err run_status(struct invocation *in, struct error *e)
{
    json_t     *out = NULL;
    const char *halted, *advice;
    enum err    code = verb_ask(in, &out, e);

    if (code || in->json || in->quiet) {
        if (!code)
            verb_show(in, out);
        json_decref(out);
        return code;
    }
    halted = json_string_value(json_object_get(out, "halted"));
    if (halted && !strcmp(halted, "suspended"))
        halted = NULL;                          /* the state says it */
    advice = json_string_value(json_object_get(out, "advice"));
    printf("%s: group %s, %s%s%s\n", json_string_value(json_object_get(out, "name")), json_string_value(json_object_get(out, "group")),
           show_state(json_string_value(json_object_get(out, "state"))), halted && *halted ? ": " : "", halted ? halted : "");
    if (advice && *advice)
        printf("%s\n", advice);
    printf("\n");
    show_table(json_object_get(out, "phases"),
               "position:#:n collection:COLLECTION state:STATE begin:BEGIN success:SUCCESS halt:HALT deadline:DEADLINE began:BEGAN:time "
               "compliant:COMPLIANT:n failed:FAILED:n in_progress:IN_PROGRESS:n unknown:UNKNOWN:n nodes:NODES:n");
    printf("\n");
    say_why(json_object_get(out, "phases"));
    json_decref(out);
    return OK;
}

#define ONE    "/api/v1/phased/{name}"
#define PHASES ONE "/phases"
#define PHASE  PHASES "/{phase}"
const struct verb phased_verbs[] = {
    {"phased", "create", "NAME", create_flags, "POST", "/api/v1/phased", NULL, run_planned, "a group to one collection after the other",
     "ferry phased create openssl --group openssl --phase pilot,success=95%,halt=5% --phase branches,begin=+1d,gradual=3d --phase all,begin=manual"},
    {"phased", "list", NULL, NULL, "GET", "/api/v1/phased",
     "name:NAME group:GROUP state:STATE phase:PHASE collection:COLLECTION created:CREATED:time halted:HALTED:text", NULL, "phased deployments", NULL},
    {"phased", "status", "NAME", NULL, "GET", ONE, NULL, run_status, "its phases, how far they are, and what is waited for", NULL},
    {"phased", "suspend", "NAME", NULL, "POST", ONE "/suspend", NULL, NULL, "nothing that has not begun begins; what runs finishes", NULL},
    {"phased", "resume", "NAME", NULL, "POST", ONE "/resume", NULL, NULL, "go on; after a halt the failures so far are accepted", NULL},
    {"phased", "next", "NAME", next_flags, "POST", ONE "/next", NULL, NULL, "begin the next phase by hand", NULL},
    {"phased", "delete", "NAME", delete_flags, "DELETE", ONE, NULL, NULL, "forget the phases; the deployments that were made stay", NULL},
    {"phased", "history", "NAME", limit_flags, "GET", ONE "/history",
     "time:TIME:time position:#:n collection:COLLECTION verdict:VERDICT why:WHY:text", NULL, "every verdict, the newest first; --json has the figures",
     NULL},
    {"phased", "phase add", "NAME", add_flags, "POST", PHASES, NULL, NULL, "one more phase",
     "ferry phased phase add openssl --phase lab,success=100% --at 2"},
    {"phased", "phase change", "NAME PHASE", change_flags, "PATCH", PHASE, NULL, NULL, "a phase that waits, by number or collection",
     "ferry phased phase change openssl branches --set begin=+2d,gradual=5d"},
    {"phased", "phase remove", "NAME PHASE", NULL, "DELETE", PHASE, NULL, NULL, "a phase that waits", NULL},
    {"phased", "phase move", "NAME PHASE", move_flags, "POST", PHASE "/move", NULL, NULL, "a phase that waits", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
