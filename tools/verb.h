/* One table per noun is the command line, its help and its completion: `ferry NOUN VERB words… --flags`. Most verbs are nothing but a row:
 * the words and flags become the members of one JSON object, the row names the method and path they go to and the columns that come back.
 */
#ifndef FERRY_TOOLS_VERB_H
#define FERRY_TOOLS_VERB_H

#include <jansson.h>
#include <stdbool.h>

#include "tools/talk.h"

enum flag_type {
    FLAG_TEXT,
    FLAG_LIST /* repeatable, or comma-separated */,
    FLAG_EACH /* repeatable, taken as it is */,
    FLAG_PATHS /* repeatable, made absolute */,
    FLAG_BOOL,
    FLAG_NO /* sets the member to false */,
    FLAG_NUMBER,
    FLAG_PATH /* made absolute */,
    FLAG_WORD /* a bool flag that sets the member to `value` */,
    FLAG_TERMS, FLAG_SETTINGS                   /* stands for one flag per member of terms_table, of settings_table (flags.c) */
};
#define TERMS_FLAGS    {"", FLAG_TERMS, NULL, NULL, NULL}
#define SETTINGS_FLAGS {"", FLAG_SETTINGS, NULL, NULL, NULL}
#define PURPOSE_FLAGS \
    {"required", FLAG_WORD, "purpose", "required", "installed at the deadline"}, \
    {"optional", FLAG_WORD, "purpose", "available", "offered; the user decides"}, \
    {"template", FLAG_TEXT, NULL, "TEMPLATE", "its terms, where nothing else is given"}
#define PLAN_FLAGS \
    {"plan", FLAG_BOOL, NULL, NULL, "only tell what the fleet would do: nodes, bytes for each branch, windows, conflicts"}, \
    {"detailed-exitcode", FLAG_BOOL, NULL, NULL, "with --plan: exit 0 when there is nothing to do, 2 when there is"}
struct flag {
    const char    *name;                        /* "deadline" → --deadline */
    enum flag_type type;
    const char    *member;                      /* in the JSON; NULL: the name with _ for - */
    const char    *value;                       /* FLAG_WORD: what it sets; else what help calls the value */
    const char    *meaning;
};

struct invocation;
struct verb {
    const char        *noun, *name;             /* name "" : the noun alone is the command */
    const char        *words;                   /* "NAME UPDATE… [NODE]": upper-case words become members name, update (list), node */
    const struct flag *flags;                   /* ended by name NULL; NULL: none */
    const char        *method, *path;           /* "POST", "/api/v1/groups/{name}/members" */
    const char        *columns;                 /* for lists: "name:NAME count:UPDATES" ; NULL: the message, or all members */
    enum err         (*run)(struct invocation *, struct error *);  /* NULL: ask and show */
    const char        *about, *example;
};

struct invocation {
    const struct verb *verb;
    json_t            *args;
    struct talk       *talk;                    /* opened at the first question */
    const char        *socket;
    bool               json, quiet, dry_run, trace;
    bool               plan;                    /* questions that change something ask for the plan instead */
    int                exit_status;             /* when all went well */
};

/* The verb's flags with what its tables of members stand for; ended by name NULL. Valid until the next call. */
const struct flag *flags_of(const struct verb *);

extern const struct verb *const verb_tables[];  /* ended by NULL; each table ended by noun NULL */

enum err verb_parse(struct invocation *, int argc, char **argv, struct error *);    /* the words behind NOUN VERB */
/* method and path of the row with args filled in; what is not in the path goes into query (GET) or body. */
enum err verb_ask(struct invocation *, json_t **out, struct error *);
enum err verb_ask_at(struct invocation *, const char *method, const char *path, const json_t *args, json_t **out, struct error *);
/* A 202 {"job"}: follows it with a progress bar until it has ended; *out is its result. */
enum err verb_follow(struct invocation *, const json_t *started, json_t **out, struct error *);
enum err run_job(struct invocation *, struct error *);              /* ask, follow, show the result's message */
enum err run_planned(struct invocation *, struct error *);          /* with --plan: the plan; else as run_job */
void     verb_show(struct invocation *, const json_t *answer);      /* --json, columns, message or members */
void     verb_usage(const struct verb *, void *file);

extern const struct verb site_verbs[], site_key_verbs[], catalog_verbs[], update_verbs[], search_verbs[], group_verbs[], collection_verbs[], window_verbs[],
    settings_verbs[], orchestration_verbs[], content_verbs[], deployment_verbs[], template_verbs[], dp_verbs[],
    boundary_verbs[], node_verbs[], status_verbs[], here_verbs[], audit_verbs[],
    rule_verbs[], phased_verbs[], deploy_verbs[], alert_verbs[];

#endif
