/* ferry NOUN VERB: the command line for administrators and users. Everything it can do stands in the noun_*.c tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tools/verb.h"

const struct verb *const verb_tables[] = {
    here_verbs,     status_verbs,  site_verbs,       site_key_verbs, catalog_verbs, update_verbs,   search_verbs,   group_verbs,         collection_verbs,
    window_verbs,   settings_verbs, orchestration_verbs, deployment_verbs, template_verbs, content_verbs,  dp_verbs,            boundary_verbs,
    node_verbs,     audit_verbs,   deploy_verbs,     rule_verbs,    phased_verbs,   alert_verbs,    NULL,
};

#define EACH_VERB(v) \
    for (const struct verb *const *table_ = verb_tables; *table_; table_++) \
        for (const struct verb *v = *table_; v->noun; v++)

static void help_verb(FILE *f, const struct verb *v)
{
    char name[96];

    snprintf(name, sizeof name, "%s%s%s%s%s", v->noun, *v->name ? " " : "", v->name, v->words ? " " : "", v->words ? v->words : "");
    fprintf(f, "    %-44s %s\n", name, v->about);
}

/* `ferry NOUN` and `ferry NOUN --help`: what can be done with it. */
static void help_noun(FILE *f, const char *noun)
{
    fprintf(f, "ferry %s VERB [options]; the verbs:\n", noun);
    EACH_VERB(v)
    if (!strcmp(v->noun, noun))
        help_verb(f, v);
    fprintf(f, "\n`ferry %s VERB --help` tells more.\n", noun);
}

static void help(FILE *f)
{
    fprintf(f, "Ferry carries software updates across thin links once.\n\n"
               "A first update, from the catalog to every node:\n"
               "    ferry catalog sync\n"
               "    ferry update list --filter 'classification = security and required >= 1'\n"
               "    ferry group create october && ferry group add october --filter 'classification = security and required >= 1'\n"
               "    ferry content download october && ferry content distribute october --to dp-1\n"
               "    ferry deployment create october --group october --collection all --required --deadline +2h\n"
               "    ferry status\n\nCommands:\n");
    EACH_VERB(v)
    help_verb(f, v);
    fprintf(f, "\n`ferry NOUN VERB --help` tells more. Everywhere: --json, --dry-run, --quiet, --socket PATH.\n"
               "Exit status: 0 done, 1 failed, 2 usage, 3 condition not met, 4 no such object, 5 timed out, 6 halted by a gate,\n"
               "7 verification failed, 8 not permitted, 75 try again.\n");
}

/* How many of argv the verb's name takes, when it is the one: "deployment add" takes two. 0: it is another. */
static int name_matches(const char *name, int argc, char **argv)
{
    int n = 0;

    while (*name && n < argc) {
        size_t length = strcspn(name, " ");
        if (strlen(argv[n]) != length || strncmp(argv[n], name, length))
            return 0;
        name += length + (name[length] == ' ');
        n++;
    }
    return *name ? 0 : n;
}

/* used: how many words of argv name the verb; the longest name wins, a noun that is a command by itself comes last. */
static const struct verb *find(int argc, char **argv, int *used)
{
    const struct verb *best = NULL;

    if (argc < 1)
        return NULL;
    *used = 0;
    EACH_VERB(v)
    {
        int n = strcmp(v->noun, argv[0]) ? -1 : name_matches(v->name, argc - 1, argv + 1);
        if (n < 0 || (*v->name && !n) || n + 1 <= *used)
            continue;
        *used = n + 1;
        best = v;
    }
    return best;
}

static int refuse_unknown(int argc, char **argv)
{
    const char *names[256];
    size_t      n = 0;
    bool        noun = false;

    EACH_VERB(v)
    if (!strcmp(v->noun, argv[0]))
        noun = true;
    EACH_VERB(v)
    if (n < COUNT(names) && (noun ? !strcmp(v->noun, argv[0]) : 1))
        names[n++] = noun ? v->name : v->noun;
    if (noun && (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))) {
        help_noun(argc < 2 ? stderr : stdout, argv[0]);
        return argc < 2 ? err_exit(ERR_USAGE) : 0;
    }
    const char *word = noun ? argv[1] : argv[0], *near = nearest(word, names, n);
    fprintf(stderr, "ferry: no command \"%s%s%s\"", noun ? argv[0] : "", noun ? " " : "", word);
    if (near)
        fprintf(stderr, "; did you mean \"%s%s%s\"?", noun ? argv[0] : "", noun ? " " : "", near);
    fprintf(stderr, " `ferry --help` lists them all\n");
    return err_exit(ERR_USAGE);
}

static enum err run(struct invocation *in, struct error *e)
{
    json_t  *answer = NULL;
    enum err code;

    if (in->verb->run)
        return in->verb->run(in, e);
    code = verb_ask(in, &answer, e);
    if (!code)
        verb_show(in, answer);
    json_decref(answer);
    return code;
}

static void complain(const struct invocation *in, enum err code, const struct error *e)
{
    if (in->json) {
        json_t *problem = json_pack("{s:{s:s,s:s}}", "error", "code", err_name(code), "text", e->text);
        json_dumpf(problem, stderr, 0);
        fputc('\n', stderr);
        json_decref(problem);
    } else {
        fprintf(stderr, "ferry: %s\n", e->text);
    }
}

int main(int argc, char **argv)
{
    struct invocation in = {0};
    struct error      e = {0};
    enum err          code;
    int               used = 0;

    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help") || !strcmp(argv[1], "-h")) {
        help(argc < 2 ? stderr : stdout);
        return argc < 2 ? err_exit(ERR_USAGE) : 0;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("ferry %s\n", FERRY_VERSION);
        return 0;
    }
    in.verb = find(argc - 1, argv + 1, &used);
    if (!in.verb)
        return refuse_unknown(argc - 1, argv + 1);
    for (int i = 1 + used; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            verb_usage(in.verb, stdout);
            return 0;
        }
    code = verb_parse(&in, argc - 1 - used, argv + 1 + used, &e);
    if (!code)
        code = run(&in, &e);
    if (code)
        complain(&in, code, &e);
    talk_close(in.talk);
    json_decref(in.args);
    return code ? err_exit(code) : in.exit_status;
}
