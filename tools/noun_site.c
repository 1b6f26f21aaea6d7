/* ferry site: the one command that works on files instead of a running ferryd makes the site. */
#include <stdio.h>

#include "node/site/create.h"
#include "tools/verb.h"

static const struct flag init_flags[] = {
    {"name", FLAG_TEXT, NULL, "NAME", "the site's name"},
    {"state", FLAG_TEXT, NULL, "DIR", "where everything of the site lives; /var/lib/ferry-site unless given"},
    {"url", FLAG_TEXT, NULL, "URL", "where nodes reach it: https://hq.example.org:8440"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};

static enum err run_init(struct invocation *in, struct error *e)
{
    const char *name = json_string_value(json_object_get(in->args, "name")), *state = json_string_value(json_object_get(in->args, "state"));
    const char *url = json_string_value(json_object_get(in->args, "url"));
    json_t     *answer = NULL;
    enum err    code;

    if (!name)
        return fail(e, ERR_USAGE, "--name is missing: a short name for the site, such as hq");
    code = site_create(state ? state : "/var/lib/ferry-site", name, url ? url : "", &answer, e);
    if (!code)
        verb_show(in, answer);
    json_decref(answer);
    return code;
}

/* As a file has it, for `>`. */
static enum err run_ca(struct invocation *in, struct error *e)
{
    json_t  *answer = NULL;
    enum err code = verb_ask(in, &answer, e);

    if (!code && in->json)
        verb_show(in, answer);
    else if (!code)
        printf("%s", json_string_value(json_object_get(answer, "ca")));
    json_decref(answer);
    return code;
}

static const struct flag set_flags[] = {
    {"url", FLAG_TEXT, NULL, "URL", "where nodes reach it: https://…"},
    {"poll", FLAG_TEXT, NULL, "DURATION", "how often nodes ask for policy; 60m unless set"},
    {"sync", FLAG_TEXT, NULL, "SCHEDULE", "when catalogs are read by themselves: 'daily 04:00'; none for never"},
    {"default-group", FLAG_TEXT, "default_group", "GROUP", "the boundary group for nodes outside every boundary"},
    {"timezone", FLAG_TEXT, NULL, "ZONE", "of the site's wall clock: Europe/Berlin; this machine's when the site was made"},
    {"supersedence", FLAG_TEXT, NULL, "RULE", "when superseded updates expire: now, never, '3 months', 30d; 3 months unless set"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb site_verbs[] = {
    {"site", "init", NULL, init_flags, NULL, NULL, NULL, run_init, "make a site: keys, database, first signed policy",
     "ferry site init --name hq --url https://hq.example.org:8440"},
    {"site", "show", NULL, NULL, "GET", "/api/v1/site", NULL, NULL, "the site and its settings", NULL},
    {"site", "set", NULL, set_flags, "PATCH", "/api/v1/site", NULL, NULL, "change a setting", NULL},
    {"site", "ca", NULL, NULL, "GET", "/api/v1/site/ca", NULL, run_ca, "print the certificate of the site's CA, which signs the nodes'",
     "ferry site ca > ca.pem"},
    {"publish", "", NULL, NULL, "POST", "/api/v1/publish", NULL, NULL, "sign and publish the policy again", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
