/* Catalog sync: InRelease by gpgv, Packages by its hash, then one import in one transaction. On any doubt the old catalog stays. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/io/child.h"
#include "node/site/library.h"

#define INRELEASE_LIMIT (4u << 20)
#define KEYRING_LIMIT   (256u << 10)
#define AHEAD           3600
#define PATIENCE_MS     60000                   /* the import may wait for the loop's writes */
#define BREATH_MS       25                      /* whoever waits for SQLite's lock looks at least so often in the first 150 ms */

struct sync {
    struct site        *site;
    struct job_work    *job;
    struct catalog_row *rows;
    size_t              count, at, component;
    json_t             *names;
    /* of the catalog being read */
    char               *inrelease, *file;
    size_t              inrelease_length;
    struct release      release;
    bool                released;
    struct archive      archive;
    struct package_set  set;
    uv_work_t           work;
    struct asking       asking;
    struct catalog_counts counts;
    int64_t             fresh;                  /* of all of them */
    enum err            code;
    struct error        error;
    json_t             *results;
};

static void next_catalog(struct sync *y);
static void next_component(struct sync *y);

static struct catalog_row *row_of(struct sync *y)
{
    return &y->rows[y->at];
}

static void forget(struct sync *y)
{
    if (y->file)
        unlink(y->file);
    free(y->file);
    free(y->inrelease);
    y->file = y->inrelease = NULL;
    if (y->released)
        release_end(&y->release);
    y->released = false;
    archive_end(&y->archive);
    package_set_end(&y->set);
    memset(&y->set, 0, sizeof y->set);
    y->component = 0;
}

/* How this catalog's sync went, for its row and its alert. */
static void tell_catalog(struct sync *y, const char *text)
{
    struct author a = site_author(y->site, "site");
    struct error  e;

    if (catalog_went(&a, row_of(y)->name, text, &e))
        log_error(LOG_WARN, "catalog.not-recorded", "catalog sync", &e);
}

static void finish(struct sync *y)
{
    struct site *s = y->site;

    s->syncing--;
    clockwork_synced(s, y->code, y->fresh > 0);
    if (!y->code)
        y->code = site_publish(s, &y->error);
    if (y->code)
        job_failed(y->job, &y->error);
    else
        job_finish(y->job,
                   json_pack("{s:s,s:O}", "message",
                             json_array_size(y->results) ? "every catalog is up to date" : "no catalog; `ferry catalog add` names one",
                             "catalogs", y->results));
    s->check_content = true;
    forget(y);
    catalog_rows_free(y->rows, y->count);
    json_decref(y->names);
    json_decref(y->results);
    free(y);
    site_release(s);
}

static void refuse(struct sync *y)
{
    char text[sizeof y->error.text];

    snprintf(text, sizeof text, "catalog %.60s: %.650s; the old one stays", row_of(y)->name, y->error.text);
    snprintf(y->error.text, sizeof y->error.text, "%s", text);
    log_error(LOG_WARN, "catalog.refused", "catalog sync", &y->error);
    tell_catalog(y, y->error.text);
    finish(y);
}

/* --- import: parsing, comparing and one transaction, all on the thread pool --- */

static void parse(struct sync *y)
{
    for (size_t i = 0; i < y->archive.index_count && !y->code; i++) {
        char   hex[SHA256_HEX], *path, *bytes = NULL;
        size_t length;
        if (!strstr(y->archive.indexes[i].path, "/Packages"))
            continue;
        path = must_print("%s/%s", y->site->content_dir, sha256_hex(&y->archive.indexes[i].sha256, hex));
        y->code = file_read(path, 512u << 20, &bytes, &length, &y->error);
        y->code = y->code ? y->code : package_set_add(&y->set, bytes, length, &y->error);
        free(bytes);
        free(path);
    }
    package_set_sort(&y->set);
}

static void breathe(void)
{
    uv_sleep(BREATH_MS);
}

static void on_import(uv_work_t *work)
{
    struct sync  *y = work->data;
    struct author a;

    parse(y);
    if (!y->code && !(y->code = site_author_apart(y->site, &a, &y->error))) {
        a.breathe = breathe;
        ledger_patience(a.ledger, PATIENCE_MS);
        y->code = catalog_import(&a, row_of(y)->name, &y->set, &y->archive, &y->release, &y->counts, &y->error);
        ledger_close(a.ledger);
    }
    package_set_end(&y->set);
    memset(&y->set, 0, sizeof y->set);
    malloc_trim(0);                             /* tens of megabytes, in an arena this thread may not use again for days */
}

static void on_imported(uv_work_t *work, int status)
{
    struct sync                 *y = work->data;
    const struct catalog_counts *n = &y->counts;

    if (status && !y->code)
        y->code = fail(&y->error, ERR_AGAIN, "the site is being closed");
    if (y->code) {
        refuse(y);
        return;
    }
    job_line(y->job, "%s: %lld packages, %lld updates, %lld new", row_of(y)->name, (long long)n->packages, (long long)n->updates,
             (long long)n->fresh);
    tell_catalog(y, NULL);
    y->fresh += n->fresh;
    json_array_append_new(y->results, json_pack("{s:s,s:I,s:I,s:I}", "name", row_of(y)->name, "packages", (json_int_t)n->packages,
                                                "updates", (json_int_t)n->updates, "new", (json_int_t)n->fresh));
    y->at++;
    next_catalog(y);
}

static void import(struct sync *y)
{
    job_says(y->job, "%s: reading packages", row_of(y)->name);
    y->set.catalog = must_copy(row_of(y)->name);
    y->set.uri = must_copy(row_of(y)->uri);
    y->set.origin = must_copy(y->release.origin);
    y->set.label = must_copy(y->release.label);
    y->set.codename = must_copy(y->release.codename);
    y->set.date = y->release.date;
    y->work.data = y;
    uv_queue_work(y->site->loop, &y->work, on_import, on_imported);
}

/* --- Packages, one component after the other --- */

static void add_index(struct sync *y, const char *path, const struct sha256 *h, uint64_t size)
{
    y->archive.indexes = must_grow(y->archive.indexes, y->archive.index_count + 1, sizeof *y->archive.indexes);
    y->archive.indexes[y->archive.index_count++] = (struct archive_index){must_copy(path), *h, size};
}

static void on_packages(void *ctx, enum err code, const struct error *e)
{
    struct sync *y = ctx;

    if (code) {
        y->code = code;
        y->error = *e;
        refuse(y);
        return;
    }
    y->component++;
    next_component(y);
}

static void next_component(struct sync *y)
{
    struct catalog_row         *row = row_of(y);
    const char                 *component = row->components[y->component];
    const struct release_entry *entry;
    char                       *url, *dir, hex[SHA256_HEX];

    if (!component) {
        import(y);
        return;
    }
    entry = release_packages(&y->release, component, row->arch);
    if (!entry) {
        y->code = fail(&y->error, ERR_VERIFY, "its InRelease names no Packages of component %s for %s", component, row->arch);
        refuse(y);
        return;
    }
    add_index(y, entry->path, &entry->sha256, entry->size);
    dir = must_copy(entry->path);
    *strrchr(dir, '/') = 0;
    url = y->release.by_hash ? must_print("%s/dists/%s/%s/by-hash/SHA256/%s", row->uri, row->suite, dir, sha256_hex(&entry->sha256, hex))
                             : must_print("%s/dists/%s/%s", row->uri, row->suite, entry->path);
    job_says(y->job, "%s: %s", row->name, entry->path);
    job_total(y->job, (int64_t)entry->size, "bytes");
    if (library_has(y->site, &entry->sha256)) {
        y->component++;
        next_component(y);
    } else {
        struct library_call call = {entry->sha256, entry->size, entry->path, url, url, y->job, on_packages, y};
        library_fetch(y->site, &call);
    }
    free(url);
    free(dir);
}

/* --- InRelease --- */

static enum err check_release(struct sync *y)
{
    struct catalog_row *row = row_of(y);
    int64_t             now = clock_now();
    char                text[TIME_SIZE];

    if (y->release.valid_until && y->release.valid_until < now)
        return fail(&y->error, ERR_VERIFY, "its InRelease was valid until %s: somebody may be holding newer ones back",
                    time_print(y->release.valid_until, text));
    if (y->release.date > now + AHEAD)
        return fail(&y->error, ERR_VERIFY, "its InRelease is dated %s, in the future: is this machine's clock right?",
                    time_print(y->release.date, text));
    if (y->release.date < row->release_date)
        return fail(&y->error, ERR_VERIFY, "its InRelease is dated %s, older than the one in force: rolled back",
                    time_print(y->release.date, text));
    return OK;
}

static enum err keep_release(struct sync *y)
{
    struct catalog_row *row = row_of(y);
    struct sha256       h = hash_bytes(y->inrelease, y->inrelease_length);
    char               *keyring = NULL;
    enum err            code = file_read(row->keyring_path, KEYRING_LIMIT, &keyring, &y->archive.keyring_size, &y->error);

    if (code)
        return code;
    y->archive.keyring = (uint8_t *)keyring;
    y->archive.name = must_copy(row->name);
    y->archive.uri = must_copy(row->uri);
    y->archive.suite = must_copy(row->suite);
    y->archive.components = words_copy(row->components);
    y->archive.arch = must_copy(row->arch);
    add_index(y, "InRelease", &h, y->inrelease_length);
    return library_has(y->site, &h) ? OK : library_put(y->site, y->file, &h, y->inrelease_length, "InRelease", NULL, &y->error);
}

static void on_gpgv(void *ctx, const struct child_result *r)
{
    struct sync *y = ctx;

    if (r->status) {
        const char *last = r->errors_length ? r->errors : r->error.text;
        y->code = fail(&y->error, ERR_VERIFY, "the signature of its InRelease is not good (gpgv exit %d: %.300s)", r->status, last);
    } else {
        y->code = release_read(y->inrelease, y->inrelease_length, &y->release, &y->error);
        y->released = !y->code;
    }
    y->code = y->code ? y->code : check_release(y);
    y->code = y->code ? y->code : keep_release(y);
    if (y->code)
        refuse(y);
    else
        next_component(y);
}

/* gpgv reads the very bytes that are parsed afterwards: from a file only this process names. */
static void on_inrelease(void *ctx, const struct web_answer *answer)
{
    struct sync *y = ctx;
    const char  *argv[] = {"gpgv", "--keyring", row_of(y)->keyring_path, NULL, NULL};

    site_answered(&y->asking);
    y->code = answer->code;
    if (y->code) {
        y->error = answer->error;
    } else {
        y->inrelease_length = answer->length;
        y->inrelease = must_alloc(answer->length + 1);
        memcpy(y->inrelease, answer->body, answer->length);
        y->file = site_temporary(y->site);
        y->code = file_write(y->file, y->inrelease, y->inrelease_length, 0600, &y->error);
    }
    if (y->code) {
        refuse(y);
        return;
    }
    argv[3] = y->file;
    struct child_call call = {.argv = argv, .timeout_ms = 60000, .on_done = on_gpgv, .ctx = y};
    child_start(y->site->loop, &call);
}

static bool chosen(const struct sync *y, const char *name)
{
    size_t  i;
    json_t *item;

    if (!json_array_size(y->names))
        return true;
    json_array_foreach(y->names, i, item)
        if (json_is_string(item) && !strcmp(json_string_value(item), name))
            return true;
    return false;
}

static void next_catalog(struct sync *y)
{
    struct web_call call = {.limit = INRELEASE_LIMIT, .timeout_ms = 60000, .on_done = on_inrelease, .ctx = y};
    char           *url;

    forget(y);
    while (y->at < y->count && !chosen(y, row_of(y)->name))
        y->at++;
    if (y->at == y->count || y->site->closing) {
        finish(y);
        return;
    }
    url = must_print("%s/dists/%s/InRelease", row_of(y)->uri, row_of(y)->suite);
    job_says(y->job, "%s: InRelease", row_of(y)->name);
    call.url = url;
    site_ask(y->site, &y->asking, &call);
    free(url);
}

static enum err all_known(struct sync *y)
{
    const char **known = must_alloc((y->count + 1) * sizeof *known), *near;
    size_t       i, k;
    json_t      *item;
    enum err     code = OK;

    for (k = 0; k < y->count; k++)
        known[k] = y->rows[k].name;
    json_array_foreach(y->names, i, item) {
        const char *name = json_is_string(item) ? json_string_value(item) : "";
        for (k = 0; k < y->count && strcmp(known[k], name); k++)
            ;
        if (code || k < y->count)
            continue;
        near = nearest(name, known, y->count);
        code = fail(&y->error, ERR_NOT_FOUND, "no such catalog: \"%.80s\"%s%s%s", name, near ? "; did you mean \"" : "", near ? near : "",
                    near ? "\"?" : "");
    }
    free(known);
    return code;
}

void sync_start(struct site *s, struct job_work *job, const json_t *names)
{
    struct sync *y = must_alloc(sizeof *y);

    site_hold(s);
    s->syncing++;
    y->site = s;
    y->job = job;
    y->names = json_incref((json_t *)(uintptr_t)names);
    y->results = json_array();
    y->code = catalog_rows(s->ledger, &y->rows, &y->count, &y->error);
    y->code = y->code ? y->code : all_known(y);
    if (y->code)
        finish(y);
    else
        next_catalog(y);
}
