#include "node/site/library.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "dht/swarm.h"

#define FETCHES 4

struct fetch {
    struct site        *site;
    struct library_call call;
    char               *name, *url, *origin, *tmp;
    int                 fd;
    struct hash        *hash;
    uint64_t            got;
    struct sha256       info_hash;
    enum err            code;
    struct error        error;
    uv_work_t           work;
    struct asking       asking;
};

static char *place(struct site *s, const struct sha256 *h, const char *before, const char *after)
{
    char hex[SHA256_HEX];

    return must_print("%s/%s%s%s", s->content_dir, before, sha256_hex(h, hex), after);
}

bool library_has(struct site *s, const struct sha256 *h)
{
    char *file = place(s, h, "", ""), *torrent = place(s, h, "", ".torrent");
    bool  both = file_exists(file) && file_exists(torrent);

    free(file);
    free(torrent);
    return both;
}

/* Torrent first, then the content under its name: who sees the content sees its torrent. */
enum err library_settle(struct site *s, const char *tmp, const struct sha256 *h, struct sha256 *info_hash, struct error *e)
{
    char    *file = place(s, h, "", ""), *path = place(s, h, "", ".torrent");
    uint8_t *torrent = NULL;
    size_t   size;
    enum err code = swarm_torrent_make(tmp, h, s->identity.ca_pem, &torrent, &size, info_hash, e);

    code = code ? code : file_write(path, torrent, size, 0644, e);
    if (!code && chmod(tmp, 0644))
        code = fail_errno(e, "%s", tmp);
    code = code ? code : file_move(tmp, file, e);
    free(torrent);
    free(file);
    free(path);
    return code;
}

enum err library_put(struct site *s, const char *path, const struct sha256 *h, uint64_t size, const char *name, const char *origin,
                     struct error *e)
{
    struct author a = site_author(s, "site");
    struct sha256 info_hash;
    enum err      code = library_settle(s, path, h, &info_hash, e);

    return code ? code : content_arrived(&a, h, size, name, origin, &info_hash, e);
}

static void fetch_end(struct fetch *f)
{
    struct site *s = f->site;

    fd_end(&f->fd);
    hash_free(f->hash);
    if (f->code)
        unlink(f->tmp);
    f->call.done(f->call.ctx, f->code, &f->error);
    free(f->name);
    free(f->url);
    free(f->origin);
    free(f->tmp);
    free(f);
    site_release(s);
}

static void on_settle(uv_work_t *work)
{
    struct fetch *f = work->data;

    f->code = library_settle(f->site, f->tmp, &f->call.sha256, &f->info_hash, &f->error);
}

static void on_settled(uv_work_t *work, int status)
{
    struct fetch *f = work->data;
    struct author a = site_author(f->site, "site");

    if (status && !f->code)
        f->code = fail(&f->error, ERR_AGAIN, "ended before %s was whole", f->name);
    if (!f->code && !f->site->closing)
        f->code = content_arrived(&a, &f->call.sha256, f->call.size, f->name, f->origin, &f->info_hash, &f->error);
    fetch_end(f);
}

static enum err on_data(void *ctx, const char *bytes, size_t length, struct error *e)
{
    struct fetch *f = ctx;

    if (f->got + length > f->call.size)
        return fail(e, ERR_VERIFY, "%s sends more than the %llu bytes the catalog names", f->url, (unsigned long long)f->call.size);
    for (size_t at = 0; at < length;) {
        ssize_t n = write(f->fd, bytes + at, length - at);
        if (n < 0)
            return fail_errno(e, "%s", f->tmp);
        at += (size_t)n;
    }
    hash_add(f->hash, bytes, length);
    f->got += length;
    if (f->call.job)
        job_more(f->call.job, (int64_t)length);
    return OK;
}

static void on_fetched(void *ctx, const struct web_answer *answer)
{
    struct fetch *f = ctx;
    struct sha256 real = hash_free(f->hash);

    site_answered(&f->asking);
    f->hash = NULL;
    f->code = answer->code;
    if (f->code)
        fail(&f->error, f->code, "%s: %s", f->url, answer->error.text);
    else if (f->got != f->call.size || !sha256_same(&real, &f->call.sha256))
        f->code = fail(&f->error, ERR_VERIFY, "%s: its size or SHA-256 is not what the catalog names; nothing was kept", f->url);
    else if (fsync(f->fd))
        f->code = fail_errno(&f->error, "%s", f->tmp);
    fd_end(&f->fd);
    f->work.data = f;
    if (f->code || f->site->closing || uv_queue_work(f->site->loop, &f->work, on_settle, on_settled))
        fetch_end(f);
}

static void on_refused(uv_work_t *work)
{
    (void)work;
}

static void on_refused_end(uv_work_t *work, int status)
{
    (void)status;
    fetch_end(work->data);
}

void library_fetch(struct site *s, const struct library_call *call)
{
    struct fetch   *f = must_alloc(sizeof *f);
    struct web_call web = {.url = call->url, .limit = (size_t)call->size + 1, .on_data = on_data, .on_done = on_fetched, .ctx = f};

    site_hold(s);
    f->site = s;
    f->call = *call;
    f->name = must_copy(call->name);
    f->url = must_copy(call->url);
    f->origin = must_copy(call->origin);
    f->tmp = site_temporary(s);
    f->hash = hash_new();
    f->fd = open(f->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    f->work.data = f;
    if (f->fd < 0) {
        f->code = fail_errno(&f->error, "%s", f->tmp);
        uv_queue_work(s->loop, &f->work, on_refused, on_refused_end);
        return;
    }
    site_ask(s, &f->asking, &web);
}

/* --- a group's download --- */

struct download {
    struct site        *site;
    struct job_work    *job;
    char               *group;
    struct wanted_file *files;
    size_t              count, next, running, fetched;
    char              **missing;
    enum err            code;
    struct error        error;
    void              (*done)(struct site *, enum err);
    void              (*then)(void *ctx, enum err, const struct error *);   /* it is a part of something larger */
    void               *then_ctx;
    uv_work_t           work;
};

static enum err groups_done(struct download *d)
{
    struct author a = site_author(d->site, "site");
    json_t       *out = NULL, *row;
    size_t        i;
    enum err      code = OK;

    if (d->group)
        return content_group_done(&a, d->group, &d->error);
    code = author_deployed_groups(&a, &out, &d->error);
    json_array_foreach(out, i, row)
        code = code ? code : content_group_done(&a, json_string_value(json_object_get(row, "name")), &d->error);
    json_decref(out);
    return code;
}

/* By itself: published, and the job is told. */
static void download_said(struct download *d)
{
    d->code = d->code ? d->code : site_publish(d->site, &d->error);
    if (d->code)
        job_failed(d->job, &d->error);
    else
        job_finish(d->job, json_pack("{s:o,s:I,s:I}", "message",
                                     json_sprintf("%zu files are in the library, %zu of them fetched now", d->count, d->fetched), "files",
                                     (json_int_t)d->count, "fetched", (json_int_t)d->fetched));
    if (d->done)
        d->done(d->site, d->code);
}

static void download_end(struct download *d)
{
    struct site *s = d->site;

    if (!d->code && d->missing)
        d->code = fail(&d->error, ERR_CONDITION, "dependencies that no catalog carries: %s%s", d->missing[0], d->missing[1] ? " …" : "");
    d->code = d->code ? d->code : groups_done(d);
    if (d->then)
        d->then(d->then_ctx, d->code, &d->error);
    else
        download_said(d);
    wanted_free(d->files, d->count);
    words_free(d->missing);
    free(d->group);
    free(d);
    site_release(s);
}

static void download_step(struct download *d);

static void on_file(void *ctx, enum err code, const struct error *e)
{
    struct download *d = ctx;

    d->running--;
    if (code && !d->code) {
        d->code = code;
        d->error = *e;
    }
    d->fetched += !code;
    download_step(d);
}

static bool seen_before(const struct download *d, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (sha256_same(&d->files[i].sha256, &d->files[index].sha256))
            return true;
    return false;
}

static void download_step(struct download *d)
{
    while (!d->code && d->running < FETCHES && d->next < d->count) {
        const struct wanted_file *f = &d->files[d->next++];
        struct library_call       call = {f->sha256, f->size, f->name, f->origin, f->origin, d->job, on_file, d};
        if ((f->here && library_has(d->site, &f->sha256)) || seen_before(d, d->next - 1))
            continue;
        if (!f->origin) {
            d->code =
                fail(&d->error, ERR_NOT_FOUND, "%s is not in the library and has no origin; `ferry catalog sync` brings indexes", f->name);
            break;
        }
        job_says(d->job, "%s", strrchr(f->name, '/') ? strrchr(f->name, '/') + 1 : f->name);
        d->running++;
        library_fetch(d->site, &call);
    }
    if (!d->running)
        download_end(d);
}

/* On the thread pool: a large archive and many inventories take seconds. */
static void on_solve(uv_work_t *work)
{
    struct download *d = work->data;
    struct author    a;

    d->code = site_author_apart(d->site, &a, &d->error);
    if (d->code)
        return;
    d->code = content_wanted(&a, d->group, &d->files, &d->count, &d->missing, &d->error);
    ledger_close(a.ledger);
}

static void on_solved(uv_work_t *work, int status)
{
    struct download *d = work->data;
    int64_t          total = 0;

    if (!d->code && (status || d->site->closing))
        d->code = fail(&d->error, ERR_AGAIN, "the site is being closed");
    for (size_t i = 0; i < d->count; i++)
        total += library_has(d->site, &d->files[i].sha256) ? 0 : (int64_t)d->files[i].size;
    job_total(d->job, total, "bytes");
    if (d->missing)
        d->next = d->count;
    download_step(d);
}

static struct download *begin(struct site *s, struct job_work *job, const char *group)
{
    struct download *d = must_alloc(sizeof *d);

    site_hold(s);
    *d = (struct download){.site = s, .job = job, .group = must_copy(group)};
    d->work.data = d;
    job_says(job, "solving dependencies");
    uv_queue_work(s->loop, &d->work, on_solve, on_solved);
    return d;
}

void download_start(struct site *s, struct job_work *job, const char *group, void (*done)(struct site *, enum err))
{
    begin(s, job, group)->done = done;
}

void download_part(struct site *s, struct job_work *job, const char *group, void (*then)(void *ctx, enum err, const struct error *), void *ctx)
{
    struct download *d = begin(s, job, group);

    d->then = then;
    d->then_ctx = ctx;
}
