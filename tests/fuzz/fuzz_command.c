/* The control API's commands: policy/authoring/author_command.c's table and everything behind it. A line is a command and its arguments,
 * "deployment.create {"name": …}"; "?" before it: a dry run, "!": a plan; "wait SECONDS": the clock moves and the site does what it does by
 * itself. What is refused, asked or tried out leaves the ledger as it was; what is accepted can be published. */
#include "tests/fuzz/desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES 12

static struct fuzz_desk *f;

static void publishable(const char *after)
{
    struct publication_list list;
    struct error            e = {0};

    if (author_publications(&f->desk->a, &list, &e)) {
        fprintf(stderr, "after %s nothing can be published any more: %s\n", after, e.text);
        abort();
    }
    author_publications_free(&list);
}

static void run(const struct author_command *c, const char *text)
{
    struct author *a = &f->desk->a;
    struct error   e = {0};
    json_t        *args = NULL, *out = NULL;
    struct sha256  before;
    enum err       code;

    if (json_read(text, strlen(text), 1u << 20, &args, &e) || !json_is_object(args)) {
        json_decref(args);
        return;
    }
    before = fuzz_desk_digest(f);
    code = author_run(c, a, args, &out, &e);
    if (!code) {
        AUTO(text_free) char *answer = json_dumps(out, 0);
        fuzz_must(answer != NULL, "a command without an answer that can be told");
    }
    if ((code || a->dry_run || !c->changes) && !fuzz_same(before, fuzz_desk_digest(f))) {
        fprintf(stderr, "%s was %s and changed the ledger: %s\n", c->name, code ? "refused" : "a question", e.text);
        abort();
    }
    if (!code && c->changes && !a->dry_run)
        publishable(c->name);
    json_decref(out);
    json_decref(args);
}

static void by_itself(int64_t seconds)
{
    struct author  *a = &f->desk->a;
    struct error    e;
    bool            changed;
    int64_t         wake;
    json_t         *out = NULL;
    char           *rule = NULL;
    struct rule_due due;

    a->now += seconds >= 0 && seconds < 366 * 86400 ? seconds : 3600;
    a->dry_run = a->plan = false;
    phased_step(a, &changed, &wake, &e);
    if (!rules_due(a, &rule, &due, &e) && rule) {
        struct assembly *as = NULL;
        enum err         code = assembly_rule(a, rule, due.trigger, due.nominal, &as, &e);
        if (as && (code || !as->count || (code = assembly_finish(a, as, &out, &e))) && as->count)
            assembly_failed(a, as, &e, NULL);
        assembly_free(as);
    }
    free(rule);
    json_decref(out);
    alerts_evaluate(a, &e);
    if (!author_tidy(a, &out, &e))
        json_decref(out);
    publishable("time");
}

static void line(char *text)
{
    struct author *a = &f->desk->a;
    char          *args = strchr(text, ' ');

    a->plan = *text == '!';
    a->dry_run = a->plan || *text == '?';
    text += a->dry_run;
    if (!args || args < text)
        return;
    *args++ = '\0';
    if (!strcmp(text, "wait"))
        by_itself(strtoll(args, NULL, 10));
    for (size_t i = 0; i < author_command_count; i++)
        if (!strcmp(author_commands[i].name, text))
            run(&author_commands[i], args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    f = f ? f : fuzz_desk_open();
    fuzz_desk_again(f);
    for (int i = 0; i < LINES && (text = fuzz_line(&data, &size)); i++) {
        line(text);
        free(text);
    }
    return 0;
}
