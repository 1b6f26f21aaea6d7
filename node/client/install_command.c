/* The command type: a program of the update or of the root, in its content's directory, judged by its table of return codes. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "node/client/detect.h"
#include "node/client/install_run.h"
#include "node/client/root.h"

#define MAX_RUN_S 3600

static char *content_dir(const struct install_run *run)
{
    return must_print("%s/content", run->work);
}

/* Compared unsigned; 0 is success unless the table says otherwise; what it does not name is a failure. */
static enum return_meaning meaning_of(const struct install *in, int status)
{
    for (size_t i = 0; i < in->code_count; i++)
        if (in->codes[i].code == (uint32_t)status)
            return in->codes[i].meaning;
    return status == 0 ? RETURN_SUCCESS : RETURN_FAILURE;
}

static void judge(struct install_run *run, int status)
{
    static const enum install_outcome outcomes[] = {[RETURN_SUCCESS] = INSTALL_OK,
                                                    [RETURN_RESTART] = INSTALL_RESTART,
                                                    [RETURN_RETRY] = INSTALL_RETRY,
                                                    [RETURN_FAILURE] = INSTALL_FAILED};
    enum install_outcome outcome = outcomes[meaning_of(&run->call.update->install, status)];
    char *AUTO(text_free) words = install_log_tail(run);
    char why[320];

    if (outcome == INSTALL_OK && install_asks_restart(run))
        outcome = INSTALL_RESTART;
    plan_reason(words, why, sizeof(why));
    install_finish(run, outcome, "the program ended with status %d%s%s", status, *why ? ": " : "", why);
}

static void on_ended(void *ctx, const struct session_result *s)
{
    struct install_run *run = ctx;

    run->session = NULL;
    run->result.code = s->status;
    if (s->left)
        install_left(run);
    else if (s->error.code)
        install_finish(run, INSTALL_FAILED, "%s", s->error.text);
    else if (s->timed_out)
        install_finish(run, INSTALL_TIMEOUT, "the program took longer than %lld s and was stopped",
                       (long long)run->call.update->install.max_run_s);
    else if (s->signal)
        install_finish(run, INSTALL_FAILED, "the program was ended by signal %d", s->signal);
    else
        judge(run, s->status);
}

static void start(struct install_run *run, const char *program, const char *content)
{
    const struct install *in = &run->call.update->install;
    char                **args = detect_words(in->args, run->root, content);
    const char          **argv;
    size_t                n = 0;

    while (args[n])
        n++;
    argv = must_alloc((n + 2) * sizeof(*argv));
    argv[0] = program;
    memcpy(argv + 1, args, n * sizeof(*argv));
    install_step(run, "installing");
    install_session(run, argv, content, in->max_run_s > 0 ? in->max_run_s : MAX_RUN_S, on_ended);
    free(argv);
    words_free(args);
}

static void make(uv_work_t *work)
{
    struct install_run *run = work->data;
    char *AUTO(text_free) content = content_dir(run);

    if (file_remove(run->work, &run->error) == OK && file_make_dirs(content, 0700, &run->error) == OK)
        copies_make(&run->copies, &run->error);
}

static void on_made(struct install_run *run)
{
    char *AUTO(text_free) content = content_dir(run);
    char *AUTO(text_free) program = detect_program(run->call.update, run->call.update->install.program, run->root, content);

    if (run->error.code)
        install_finish(run, run->error.code == ERR_VERIFY ? INSTALL_REFUSED : INSTALL_FAILED, "%s", run->error.text);
    else if (!program)
        install_finish(run, INSTALL_REFUSED, "\"%s\" is neither among the update's files nor an absolute path below the root",
                       run->call.update->install.program ? run->call.update->install.program : "");
    else
        start(run, program, content);
}

void install_command(struct install_run *run)
{
    char *AUTO(text_free) content = content_dir(run);
    const struct update *u = run->call.update;
    struct error         e = {0};

    if (run->call.plan_only) {
        for (size_t i = 0; i < u->file_count; i++)
            install_want(run, &u->files[i].sha256);
        install_finish(run, INSTALL_OK, "%zu files are needed", u->file_count);
        return;
    }
    install_step(run, "checking");
    if (copies_add_files(&run->copies, run->cache, u, content, u->install.program, &e) != OK)
        install_finish(run, e.code == ERR_NOT_FOUND ? INSTALL_RETRY : INSTALL_REFUSED, "%s", e.text);
    else
        install_work(run, make, on_made);
}
