/* ferry-tuf: the verifier of policy/trust as a TUF client for testers (trust.md section 2). The library says which file it wants next, this
 * file fetches it; nothing else is ever asked for. Time is time() and nothing else. Exit status 0 or 1. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/trust/trust_root.h"
#include "policy/trust/verifier.h"

#define TARGET_MOST  (1u << 30)                 /* targets are held in memory until they are checked: what is checked is what is written */
#define REFRESH_S    300                        /* all metadata of one run */
#define SLOW_BYTES   100L                       /* fewer a second, for as long as SLOW_S: given up */
#define SLOW_S       30L
#define TARGETS_MOST 256

struct settings {
    const char *metadata_url, *metadata_dir, *target_dir, *target_base_url;
    const char *targets[TARGETS_MOST];
    size_t      target_count;
};

/* --- files: D holds each accepted role under its unversioned name --- */

static char *role_path(const char *dir, const char *role)
{
    char file[ROLE_FILE];

    role_file(role, 0, file);
    return must_print("%s/%s", dir, file);
}

static enum err on_get(void *ctx, const char *role, char **out, size_t *length, struct error *e)
{
    AUTO(text_free) char *path = role_path(ctx, role);
    enum err              code = OK;

    *out = NULL;
    if (file_exists(path))
        code = file_read(path, role_limit(PROFILE_GENERAL, role), out, length, e);
    return code;
}

/* The file system has no transaction over two files. What is dropped goes first: a crash in between repeats the step, and never leaves the
 * new root beside what it was meant to replace. */
static enum err on_put(void *ctx, const char *role, const char *bytes, size_t length, const char *const *drop, struct error *e)
{
    AUTO(text_free) char *path = role_path(ctx, role);
    enum err              code = OK;

    for (; drop && *drop && !code; drop++) {
        AUTO(text_free) char *old = role_path(ctx, *drop);
        code = file_remove(old, e);
    }
    return code ? code : file_write(path, bytes, length, 0644, e);
}

/* --- HTTP --- */

struct fetch {
    CURL       *curl;
    time_t      deadline;                       /* 0: none */
    struct text body;
    size_t      limit;
    bool        over;
};

static size_t on_data(char *bytes, size_t size, size_t count, void *ctx)
{
    struct fetch *f = ctx;

    if (size * count > f->limit - f->body.length) {
        f->over = true;
        return 0;
    }
    text_put(&f->body, bytes, size * count);
    return size * count;
}

/* NOT_FOUND: the server says it has no such file; stores of objects say 403 instead. */
static enum err fetch(struct fetch *f, const char *url, size_t limit, struct error *e)
{
    time_t   left = f->deadline ? f->deadline - time(NULL) : 0;
    long     status = 0;
    CURLcode code;

    if (f->deadline && left <= 0)
        return fail(e, ERR_TIMEOUT, "%s: the refresh took longer than %d s", url, REFRESH_S);
    text_end(&f->body);
    f->body = (struct text){0};
    f->limit = limit;
    f->over = false;
    curl_easy_setopt(f->curl, CURLOPT_URL, url);
    curl_easy_setopt(f->curl, CURLOPT_TIMEOUT, (long)left);
    code = curl_easy_perform(f->curl);
    curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
    if (f->over)
        return fail(e, ERR_VERIFY, "%s: more than the %zu bytes that are accepted", url, limit);
    if (code)
        return fail(e, ERR_IO, "%s: %s", url, curl_easy_strerror(code));
    if (status == 404 || status == 403)
        return fail(e, ERR_NOT_FOUND, "%s: status %ld", url, status);
    return status == 200 ? OK : fail(e, ERR_IO, "%s: status %ld", url, status);
}

static enum err fetch_open(struct fetch *f, struct error *e)
{
    f->curl = curl_easy_init();
    if (!f->curl)
        return fail(e, ERR_FAILED, "libcurl cannot start");
    curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(f->curl, CURLOPT_USERAGENT, "ferry-tuf/" FERRY_VERSION);
    curl_easy_setopt(f->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(f->curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(f->curl, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(f->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(f->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(f->curl, CURLOPT_CONNECTTIMEOUT, 30L);
    curl_easy_setopt(f->curl, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
    curl_easy_setopt(f->curl, CURLOPT_LOW_SPEED_TIME, SLOW_S);
    return OK;
}

static void fetch_close(struct fetch *f)
{
    curl_easy_cleanup(f->curl);
    text_end(&f->body);
}

static char *url_of(const char *base, const char *path)
{
    size_t n = strlen(base);

    return must_print("%s%s%s", base, n && base[n - 1] == '/' ? "" : "/", path);
}

/* --- the three verbs --- */

static enum err run_init(const struct settings *s, const char *file, struct error *e)
{
    AUTO(text_free) char *bytes = NULL;
    size_t                length;
    struct role           root;
    enum err              code = file_read(file, role_limit(PROFILE_GENERAL, "root"), &bytes, &length, e);

    code = code ? code : root_read(PROFILE_GENERAL, bytes, length, &root, e);
    if (code)
        return code;
    role_end(&root);
    code = file_make_dirs(s->metadata_dir, 0755, e);
    return code ? code : on_put((void *)(uintptr_t)s->metadata_dir, "root", bytes, length, NULL, e);
}

/* Until the verifier wants nothing more: after a refresh, or after a search. */
static enum err walk(const struct settings *s, struct verifier *v, struct fetch *f, struct error *e)
{
    struct verifier_want  want;
    enum verifier_verdict verdict;

    while ((verdict = verifier_next(v, &want)) == VERIFIER_WANT) {
        AUTO(text_free) char *url = url_of(s->metadata_url, want.path);
        enum err              code = fetch(f, url, want.limit, e);

        if (!code)
            verifier_give(v, f->body.data ? f->body.data : "", f->body.length);
        else if (code == ERR_NOT_FOUND)
            verifier_absent(v);
        else
            return code;
    }
    if (verdict != VERIFIER_FAILED)
        return OK;
    *e = *verifier_error(v);
    return e->code;
}

/* Below O and nowhere else: relative, without empty, "." or ".." segments. */
static bool is_safe(const char *name)
{
    for (const char *p = name;; p++) {
        size_t n = strcspn(p, "/");
        if (!n || (n == 1 && *p == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        p += n;
        if (!*p)
            return true;
    }
}

static bool is_here(const struct verifier *v, const char *path, uint64_t size)
{
    AUTO(text_free) char *bytes = NULL;
    size_t                length;

    return file_exists(path) && !file_read(path, (size_t)size, &bytes, &length, NULL) && !verifier_check_found(v, bytes, length, NULL);
}

static enum err write_target(const char *path, const struct text *body, struct error *e)
{
    AUTO(text_free) char *dir = must_print("%.*s", (int)(strrchr(path, '/') - path), path);
    enum err              code = file_make_dirs(dir, 0755, e);

    return code ? code : file_write(path, body->data ? body->data : "", body->length, 0644, e);
}

static enum err download_one(const struct settings *s, const char *name, struct verifier *v, struct fetch *f, struct error *e)
{
    AUTO(text_free) char *below = NULL, *path = must_print("%s/%s", s->target_dir, name), *url = NULL;
    uint64_t              size;
    enum err              code;

    if (!is_safe(name))
        return fail(e, ERR_VERIFY, "\"%.200s\" is no name for a file below --target-dir", name);
    verifier_find(v, name);
    code = walk(s, v, f, e);
    code = code ? code : verifier_found(v, &below, &size, e);
    if (!code && size > TARGET_MOST)
        code = fail(e, ERR_VERIFY, "%.200s: %llu bytes, at most %u are accepted", name, (unsigned long long)size, TARGET_MOST);
    if (code || is_here(v, path, size))
        return code;
    url = url_of(s->target_base_url, below);
    f->deadline = 0;                            /* a target may be large; the least rate still holds */
    code = fetch(f, url, (size_t)size, e);
    code = code ? code : verifier_check_found(v, f->body.data ? f->body.data : "", f->body.length, e);
    return code ? code : write_target(path, &f->body, e);
}

static enum err run_refresh(const struct settings *s, struct error *e)
{
    struct verifier_store store = {(void *)(uintptr_t)s->metadata_dir, on_get, on_put};
    struct fetch          f = {0};
    struct verifier      *v = NULL;
    time_t                now = time(NULL);
    enum err              code = verifier_new(PROFILE_GENERAL, &store, now, &v, e);

    if (code)
        return code;
    code = fetch_open(&f, e);
    f.deadline = now + REFRESH_S;
    code = code ? code : walk(s, v, &f, e);
    for (size_t i = 0; i < s->target_count && !code; i++) {
        f.deadline = time(NULL) + REFRESH_S;
        code = download_one(s, s->targets[i], v, &f, e);
    }
    fetch_close(&f);
    verifier_free(v);
    return code;
}

/* --- the command line --- */

static enum err option_set(struct settings *s, const char *name, const char *value, struct error *e)
{
    const struct {
        const char  *name;
        const char **into;
    } options[] = {
        {"--metadata-url", &s->metadata_url},
        {"--metadata-dir", &s->metadata_dir},
        {"--target-dir", &s->target_dir},
        {"--target-base-url", &s->target_base_url},
    };

    for (size_t i = 0; i < COUNT(options); i++)
        if (!strcmp(options[i].name, name)) {
            *options[i].into = value;
            return OK;
        }
    if (strcmp(name, "--target-name"))
        return fail(e, ERR_USAGE, "unknown option %s", name);
    if (s->target_count == TARGETS_MOST)
        return fail(e, ERR_USAGE, "at most %d targets in one run", TARGETS_MOST);
    s->targets[s->target_count++] = value;
    return OK;
}

static enum err run(int argc, char **argv, struct error *e)
{
    struct settings s = {0};
    int             at = 1;
    enum err        code = OK;

    for (; at + 1 < argc && !strncmp(argv[at], "--", 2) && !code; at += 2)
        code = option_set(&s, argv[at], argv[at + 1], e);
    if (code)
        return code;
    if (at + 2 == argc && !strcmp(argv[at], "init") && s.metadata_dir)
        return run_init(&s, argv[at + 1], e);
    if (at + 1 != argc || !s.metadata_dir || !s.metadata_url)
        return fail(e, ERR_USAGE, "usage: ferry-tuf --metadata-dir D init TRUSTED_ROOT.json\n"
                                  "       ferry-tuf --metadata-url U --metadata-dir D refresh\n"
                                  "       ferry-tuf --metadata-url U --metadata-dir D --target-name T… --target-dir O --target-base-url B download");
    if (!strcmp(argv[at], "refresh")) {
        s.target_count = 0;
        return run_refresh(&s, e);
    }
    if (!strcmp(argv[at], "download") && s.target_count && s.target_dir && s.target_base_url)
        return run_refresh(&s, e);
    return fail(e, ERR_USAGE, "\"%s\" is no verb, or lacks an option; init, refresh and download were expected", argv[at]);
}

int main(int argc, char **argv)
{
    struct error e = {0};

    if (!run(argc, argv, &e))
        return 0;
    fprintf(stderr, "ferry-tuf: %s\n", e.text);
    return 1;
}
