#include "node/site/command_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/site/library.h"

struct taken {
    const char   *path, *name;                  /* borrowed from args */
    char         *tmp;
    struct sha256 sha256, info_hash;
    uint64_t      size;
};

struct taking {
    struct site  *site;
    json_t       *args;
    struct taken *files;
    size_t        count;
    bool          dry_run;
    enum err      code;
    struct error  error;
    void        (*done)(void *ctx, enum err, const struct error *);
    void         *ctx;
    uv_work_t     work;
};

static enum err take(struct taking *t, struct taken *f)
{
    struct error *e = &t->error;
    enum err      code = *f->path == '/' ? OK : fail(e, ERR_USAGE, "\"%.200s\": an absolute path was expected", f->path);

    if (!code && !t->dry_run)
        code = file_copy(f->path, f->tmp, 0600, e);
    code = code ? code : hash_file(t->dry_run ? f->path : f->tmp, &f->sha256, &f->size, e);
    if (!code && !f->size)
        code = fail(e, ERR_USAGE, "%.200s is empty; nothing would travel", f->path);
    if (!code && !t->dry_run)
        code = library_settle(t->site, f->tmp, &f->sha256, &f->info_hash, e);
    if (code && !t->dry_run)
        unlink(f->tmp);
    return code;
}

static void on_take(uv_work_t *work)
{
    struct taking *t = work->data;

    for (size_t i = 0; i < t->count && !t->code; i++)
        t->code = take(t, &t->files[i]);
}

static void on_taken(uv_work_t *work, int status)
{
    struct taking *t = work->data;
    struct site   *s = t->site;
    struct author  a = site_author(s, "site");
    json_t        *list = json_array();
    char           hex[SHA256_HEX];

    if (status && !t->code)
        t->code = fail(&t->error, ERR_AGAIN, "the site is being closed");
    for (size_t i = 0; i < t->count && !t->code; i++) {
        struct taken *f = &t->files[i];
        if (!t->dry_run)
            t->code = content_arrived(&a, &f->sha256, f->size, f->name, NULL, &f->info_hash, &t->error);
        json_array_append_new(list, json_pack("{s:s,s:s,s:I}", "name", f->name, "sha256", sha256_hex(&f->sha256, hex), "size",
                                              (json_int_t)f->size));
    }
    json_object_set_new(t->args, "files", list);
    t->done(t->ctx, t->code, &t->error);
    for (size_t i = 0; i < t->count; i++)
        free(t->files[i].tmp);
    free(t->files);
    free(t);
    site_release(s);
}

void command_files(struct site *s, json_t *args, bool dry_run, void (*done)(void *ctx, enum err, const struct error *), void *ctx)
{
    const json_t  *list = json_object_get(args, "files");
    struct taking *t = must_alloc(sizeof *t);

    site_hold(s);
    *t = (struct taking){.site = s, .args = args, .count = json_array_size(list), .dry_run = dry_run, .done = done, .ctx = ctx};
    t->files = must_alloc((t->count + 1) * sizeof *t->files);
    for (size_t i = 0; i < t->count; i++) {
        const char *path = json_string_value(json_array_get(list, i));
        path = path ? path : "";
        t->files[i] = (struct taken){.path = path, .name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path, .tmp = site_temporary(s)};
    }
    t->work.data = t;
    uv_queue_work(s->loop, &t->work, on_take, on_taken);
}
