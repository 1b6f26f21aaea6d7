/* InRelease: the clear-signed index of an archive's indexes. gpgv has accepted the very bytes that come in; what counts is only what lies
 * inside the signature, so the frame is read as strictly as apt reads it: one message, nothing before, between or behind. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "policy/catalog/apt.h"
#include "policy/catalog/deb822.h"
#include "policy/catalog/pool.h"

#define RELEASE_LIMIT (16u << 20)
#define ENTRIES       65536
#define LINE_LIMIT    8192                      /* far below what gpg cuts (19,995): it and we see the same lines */

static bool begins(const char *line, const char *end, const char *what)
{
    size_t n = strlen(what);

    return (size_t)(end - line) >= n && memcmp(line, what, n) == 0;
}

/* Takes the next line, without its end; false at the end of the text. */
static bool next_line(const char **at, const char *end, const char **line, const char **stop)
{
    if (*at == end)
        return false;
    *line = *at;
    *stop = memchr(*at, '\n', (size_t)(end - *at));
    *at = *stop ? *stop + 1 : end;
    if (!*stop)
        *stop = end;
    return true;
}

static bool empty(const char *line, const char *stop)
{
    while (line < stop && (*line == ' ' || *line == '\t'))
        line++;
    return line == stop;
}

/* RFC 4880 section 7: header, armor headers ("Hash:" only), an empty line, then the dash-escaped text until the signature begins. */
static enum err take_signed(const char **at, const char *end, struct text *out, struct error *e)
{
    const char *line, *stop;

    if (!next_line(at, end, &line, &stop) || !begins(line, stop, "-----BEGIN PGP SIGNED MESSAGE-----") || !empty(line + 34, stop))
        return fail(e, ERR_VERIFY, "InRelease does not begin with \"-----BEGIN PGP SIGNED MESSAGE-----\"");
    do {
        if (!next_line(at, end, &line, &stop))
            return fail(e, ERR_VERIFY, "InRelease ends inside its armor headers");
        if (!empty(line, stop) && !begins(line, stop, "Hash: "))
            return fail(e, ERR_VERIFY, "InRelease has an armor header other than Hash");
    } while (!empty(line, stop));
    while (next_line(at, end, &line, &stop)) {
        if (stop - line > LINE_LIMIT)
            return fail(e, ERR_VERIFY, "InRelease has a line over %d bytes", LINE_LIMIT);
        if (begins(line, stop, "-----BEGIN PGP SIGNATURE-----"))
            return empty(line + 29, stop) ? OK : fail(e, ERR_VERIFY, "InRelease has text behind the signature's first line");
        if (begins(line, stop, "- "))
            line += 2;
        else if (line < stop && *line == '-')
            return fail(e, ERR_VERIFY, "InRelease has a dash at the beginning of a line that is not escaped");
        text_put(out, line, (size_t)(stop - line));
        text_put(out, "\n", 1);
    }
    return fail(e, ERR_VERIFY, "InRelease has no signature: it is cut short");
}

static enum err skip_signature(const char *at, const char *end, struct error *e)
{
    const char *line, *stop;

    while (next_line(&at, end, &line, &stop)) {
        if (begins(line, stop, "-----END PGP SIGNATURE-----")) {
            while (next_line(&at, end, &line, &stop))
                if (!empty(line, stop))
                    return fail(e, ERR_VERIFY, "InRelease has text behind its signature");
            return OK;
        }
        if (line < stop && *line == '-')
            return fail(e, ERR_VERIFY, "InRelease has something else inside its signature");
    }
    return fail(e, ERR_VERIFY, "InRelease's signature has no end: it is cut short");
}

/* "Sat, 21 Nov 2026 00:53:02 UTC" (RFC 2822 with a UTC zone, as apt wants it). */
static bool read_date(const char *text, int64_t *out)
{
    static const char *const zones[] = {"UTC", "GMT", "Z", "+0000"};
    struct tm   t = {0};
    const char *rest = strptime(text, "%a, %d %b %Y %H:%M:%S ", &t);

    if (!rest)
        rest = strptime(text, "%d %b %Y %H:%M:%S ", &t);
    for (size_t i = 0; rest && i < COUNT(zones); i++)
        if (strcmp(rest, zones[i]) == 0) {
            *out = timegm(&t);
            return *out > 0;
        }
    return false;
}

/* A path of an index or a package: relative, without ".." and "//", printable ASCII without blanks, so that it can be joined to a
 * directory. */
bool apt_path_ok(const char *path)
{
    const char *part = path;

    if (!*path || strlen(path) > 1024)
        return false;
    for (;;) {
        size_t n = strcspn(part, "/");

        if (n == 0 || (n == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        for (size_t i = 0; i < n; i++)
            if (part[i] <= ' ' || part[i] > '~')
                return false;
        if (!part[n])
            return true;
        part += n + 1;
    }
}

static enum err read_entry(struct release *r, char *line, struct error *e)
{
    struct release_entry entry = {0};
    char *save = NULL, *hex = strtok_r(line, " \t", &save), *size = strtok_r(NULL, " \t", &save), *path = strtok_r(NULL, " \t", &save),
         *end;

    if (!path || strtok_r(NULL, " \t", &save) || !sha256_read(hex, &entry.sha256))
        return fail(e, ERR_VERIFY, "InRelease: a line of its SHA256 section is not \"hash size path\"");
    entry.size = strtoull(size, &end, 10);
    if (*end || *size < '0' || *size > '9' || entry.size > INT64_MAX)
        return fail(e, ERR_VERIFY, "InRelease: \"%.40s\" is no size", size);
    if (!apt_path_ok(path))
        return fail(e, ERR_VERIFY, "InRelease: \"%.80s\" is no path below the archive", path);
    if (r->entry_count == ENTRIES)
        return fail(e, ERR_VERIFY, "InRelease lists over %d files", ENTRIES);
    if (r->entry_count % 1024 == 0)
        r->entries = must_grow(r->entries, r->entry_count + 1024, sizeof(*r->entries));
    entry.path = must_copy(path);
    r->entries[r->entry_count++] = entry;
    return OK;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct release_entry *)a)->path, ((const struct release_entry *)b)->path);
}

static enum err read_entries(struct release *r, const char *section, struct error *e)
{
    char *AUTO(text_free) copy = must_copy(section);
    char    *save = NULL;
    enum err code;

    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if ((code = read_entry(r, line, e)) != OK)
            return code;
    if (r->entry_count == 0)
        return fail(e, ERR_VERIFY, "InRelease has an empty SHA256 section");
    qsort(r->entries, r->entry_count, sizeof(*r->entries), by_path);
    for (size_t i = 1; i < r->entry_count; i++)
        if (by_path(&r->entries[i - 1], &r->entries[i]) == 0 && !sha256_same(&r->entries[i - 1].sha256, &r->entries[i].sha256))
            return fail(e, ERR_VERIFY, "InRelease lists \"%.200s\" twice and differently", r->entries[i].path);
    return OK;
}

static char *clean(const char *text)
{
    struct text_pool *pool = pool_new();
    char             *copy = must_copy(text ? pool_clean(pool, text, 200) : "");

    pool_free(pool);
    return copy;
}

static enum err on_stanza(void *ctx, const struct deb822_stanza *s, struct error *e)
{
    struct release *r = ctx;
    const char     *date = deb822_get(s, "Date"), *until = deb822_get(s, "Valid-Until"), *sums = deb822_get(s, "SHA256");
    const char     *by_hash = deb822_get(s, "Acquire-By-Hash");

    if (r->origin)
        return fail(e, ERR_VERIFY, "InRelease has a second stanza in line %zu", s->line);
    r->origin = clean(deb822_get(s, "Origin"));
    r->label = clean(deb822_get(s, "Label"));
    r->suite = clean(deb822_get(s, "Suite"));
    r->codename = clean(deb822_get(s, "Codename"));
    r->by_hash = by_hash && strcmp(by_hash, "yes") == 0;
    if (!date || !read_date(date, &r->date))
        return fail(e, ERR_VERIFY, "InRelease has no Date like \"Sat, 21 Nov 2026 00:53:02 UTC\"");
    if (until && !read_date(until, &r->valid_until))
        return fail(e, ERR_VERIFY, "InRelease has a Valid-Until that is no date: \"%.60s\"", until);
    if (!sums)
        return fail(e, ERR_VERIFY, "InRelease has no SHA256 section; older sums are not accepted");
    return read_entries(r, sums, e);
}

static enum err read_text(const struct text *t, struct release *out, struct error *e)
{
    struct deb822 *d = deb822_new(RELEASE_LIMIT, on_stanza, out);
    enum err       r = deb822_feed(d, t->data, t->length, e);

    if (r == OK)
        r = deb822_finish(d, e);
    if (r == OK && !out->origin)
        r = fail(e, ERR_VERIFY, "InRelease is empty");
    deb822_free(d);
    return r;
}

enum err release_read(const char *bytes, size_t length, struct release *out, struct error *e)
{
    struct text AUTO(text_end) t = {0};
    struct release release = {0};
    const char *at = bytes, *end = bytes + length;
    enum err    r;

    if (length > RELEASE_LIMIT)
        return fail(e, ERR_VERIFY, "InRelease has over %u bytes", RELEASE_LIMIT);
    if (memchr(bytes, '\r', length) || memchr(bytes, 0, length))
        return fail(e, ERR_VERIFY, "InRelease holds carriage returns or bytes 0");
    r = take_signed(&at, end, &t, e);
    if (r == OK)
        r = skip_signature(at, end, e);
    if (r == OK && t.length == 0)
        r = fail(e, ERR_VERIFY, "InRelease signs nothing");
    if (r == OK)
        r = read_text(&t, &release, e);
    if (r == OK)
        *out = release;
    else
        release_end(&release);
    return r;
}

void release_end(struct release *r)
{
    for (size_t i = 0; i < r->entry_count; i++)
        free(r->entries[i].path);
    free(r->entries);
    free(r->origin);
    free(r->label);
    free(r->suite);
    free(r->codename);
    memset(r, 0, sizeof(*r));
}

const struct release_entry *release_find(const struct release *r, const char *path)
{
    struct release_entry key = {.path = (char *)(uintptr_t)path};

    return r->entry_count ? bsearch(&key, r->entries, r->entry_count, sizeof(key), by_path) : NULL;
}

/* Debian's security archive calls its components "updates/main" and keeps them in "main/". */
const struct release_entry *release_packages(const struct release *r, const char *component, const char *arch)
{
    static const char *const kinds[] = {".xz", ".gz", ""};

    if (strncmp(component, "updates/", 8) == 0)
        component += 8;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        char *AUTO(text_free) path = must_print("%s/binary-%s/Packages%s", component, arch, kinds[i]);
        const struct release_entry *found = release_find(r, path);

        if (found)
            return found;
    }
    return NULL;
}
