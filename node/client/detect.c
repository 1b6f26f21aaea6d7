/* Detection of command updates: a program that says so by its exit status, or a file that has to be there (update.h). */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/client/detect.h"
#include "node/client/inventory.h"
#include "node/client/root.h"

#define DETECT_MS 300000                        /* a detection that takes longer is no detection */

struct detection {
    uv_work_t         work;
    char             *path;
    struct sha256     wanted;
    enum update_state state;
    struct error      error;
    void            (*done)(void *ctx, enum update_state, const char *detail);
    void             *ctx;
};

/* A file that is not there or differs is what the update is for; one that cannot be read tells nothing. */
enum update_state detect_file(const char *path, const struct sha256 *wanted, struct error *e)
{
    struct sha256 got;
    enum err      r = hash_file(path, &got, NULL, e);

    if (r == OK)
        return sha256_same(&got, wanted) ? STATE_INSTALLED : STATE_REQUIRED;
    return r == ERR_NOT_FOUND ? STATE_REQUIRED : STATE_UNKNOWN;
}

static void finish(struct detection *d)
{
    d->done(d->ctx, d->state, d->error.text);
    free(d->path);
    free(d);
}

static void hash_it(uv_work_t *work)
{
    struct detection *d = work->data;

    if (d->path)
        d->state = detect_file(d->path, &d->wanted, &d->error);
    if (d->state != STATE_UNKNOWN)
        d->error.text[0] = '\0';
}

static void on_hashed(uv_work_t *work, int status)
{
    (void)status;
    finish(work->data);
}

static void on_exit_status(void *ctx, const struct child_result *result)
{
    static const enum update_state states[] = {STATE_INSTALLED, STATE_REQUIRED, STATE_NOT_REQUIRED};
    struct detection *d = ctx;

    if (result->status >= 0 && (size_t)result->status < COUNT(states))
        d->state = states[result->status];
    else if (result->error.code)
        d->error = result->error;
    else
        fail(&d->error, ERR_FAILED, "the detection program ended with %s %d; 0 is installed, 1 required, 2 not required: %.200s",
             result->signal ? "signal" : "status", result->signal ? result->signal : result->status, result->errors);
    finish(d);
}

static struct child *run_program(struct detection *d, uv_loop_t *loop, const char *program, char *const *args, const char *dir)
{
    const char *env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", NULL};
    const char **argv;
    struct child *child;
    size_t       n = 0;

    while (args && args[n])
        n++;
    argv = must_alloc((n + 2) * sizeof(*argv));
    argv[0] = program;
    for (size_t i = 0; i < n; i++)
        argv[i + 1] = args[i];
    child = child_start(loop, &(struct child_call){.argv = argv,
                                                   .env = env,
                                                   .directory = dir,
                                                   .output_limit = 1u << 20,
                                                   .timeout_ms = DETECT_MS,
                                                   .on_done = on_exit_status,
                                                   .ctx = d});
    free(argv);
    return child;
}

char **detect_words(char *const *words, const char *root, const char *content)
{
    char **out;
    size_t n = 0;

    while (words && words[n])
        n++;
    out = must_alloc((n + 1) * sizeof(*out));
    for (size_t i = 0; i < n; i++) {
        struct text t = {0};

        for (const char *at = words[i]; *at;) {
            const char *with = strncmp(at, "{root}", 6) == 0 ? root : strncmp(at, "{content}", 9) == 0 ? content : NULL;

            text_add(&t, "%.*s", with ? (int)strlen(with) : 1, with ? with : at);
            at += with ? strcspn(at, "}") + 1 : 1;
        }
        out[i] = text_take(&t);
    }
    return out;
}

char *detect_program(const struct update *u, const char *program, const char *root, const char *content)
{
    if (!program)
        return NULL;
    if (*program == '/')
        return root_path_ok(program) ? root_join(root, program) : NULL;
    for (size_t i = 0; i < u->file_count; i++)
        if (strcmp(u->files[i].name, program) == 0)
            return must_print("%s/%s", content, program);
    return NULL;
}

struct child *detect_start(uv_loop_t *loop, const char *root, const struct update *u, const char *content_dir,
                           void (*done)(void *ctx, enum update_state, const char *detail), void *ctx)
{
    struct detection *d = must_alloc(sizeof(*d));

    root = root ? root : "/";
    d->work.data = d;
    d->done = done;
    d->ctx = ctx;
    d->wanted = u->detect.sha256;
    d->state = STATE_UNKNOWN;
    if (u->detect.type == DETECT_PROGRAM) {
        char *AUTO(text_free) program = detect_program(u, u->detect.program, root, content_dir);

        if (program) {
            char        **args = detect_words(u->detect.args, root, content_dir ? content_dir : "");
            struct child *child = run_program(d, loop, program, args, content_dir);

            words_free(args);
            return child;
        }
        fail(&d->error, ERR_VERIFY, "the detection program \"%s\" is neither among the update's files nor a path below the root",
             u->detect.program ? u->detect.program : "");
    } else if (u->detect.type == DETECT_FILE && root_path_ok(u->detect.path)) {
        d->path = root_join(root, u->detect.path);
    } else {
        fail(&d->error, ERR_VERIFY, "%s has no detection that this node can run", u->id);
    }
    uv_queue_work(loop, &d->work, hash_it, on_hashed);
    return NULL;
}

void detect_command(uv_loop_t *loop, const struct config *config, const struct update *u, const char *content_dir,
                    void (*done)(void *ctx, enum update_state, const char *detail), void *ctx)
{
    detect_start(loop, config->root, u, content_dir, done, ctx);
}
