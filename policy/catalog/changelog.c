#include "policy/catalog/changelog.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "policy/catalog/unpack.h"

#define CHANGELOG_LIMIT (64u << 20)

static size_t digits(const char *at, const char *end)
{
    const char *from = at;

    while (at < end && isdigit((unsigned char)*at))
        at++;
    return (size_t)(at - from);
}

/* Length of "CVE-YYYY-NNNN…" (4 to 12 digits) at `at`, else 0. */
static size_t cve_length(const char *at, const char *end)
{
    size_t n;

    if (end - at < 13 || memcmp(at, "CVE-", 4) != 0 || digits(at + 4, end) != 4 || at[8] != '-')
        return 0;
    n = digits(at + 9, end);
    return n >= 4 && n <= 12 ? 9 + n : 0;
}

static void add_cve(const char *id, size_t length, char ***list)
{
    size_t n = 0;

    for (; *list && (*list)[n]; n++)
        if (strncmp((*list)[n], id, length) == 0 && (*list)[n][length] == '\0')
            return;
    if (n == CVES)
        return;
    *list = must_grow(*list, n + 2, sizeof(**list));
    (*list)[n] = must_print("%.*s", (int)length, id);
    (*list)[n + 1] = NULL;
}

void cves_collect(const char *text, size_t length, char ***list)
{
    const char *end = text + length;

    for (const char *at = text; (at = memchr(at, 'C', (size_t)(end - at))); at++) {
        size_t n = cve_length(at, end);

        if (n)
            add_cve(at, n, list);
    }
}

/* "openssl (3.0.17-1~deb12u3) bookworm-security; urgency=high, binary-only=yes": the parts, or false when the line heads no entry. */
static bool read_head(const char *line, const char *stop, struct changelog *out)
{
    const char *open = memchr(line, '(', (size_t)(stop - line)), *close = open ? memchr(open, ')', (size_t)(stop - open)) : NULL;
    const char *key = close ? memmem(close, (size_t)(stop - close), "urgency=", 8) : NULL, *end;

    if (!key || line == stop || !isalnum((unsigned char)*line))
        return false;
    for (key += 8, end = key; end < stop && isalpha((unsigned char)*end);)
        end++;
    changelog_end(out);
    out->version = must_print("%.*s", (int)(close - open - 1), open + 1);
    out->urgency = must_print("%.*s", (int)(end - key), key);
    for (char *c = out->urgency; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return true;
}

/* " -- Name <mail>  Mon, 02 Nov 2026 10:00:00 +0000" */
static int64_t read_trailer(const char *line, const char *stop)
{
    const char *mark = memmem(line, (size_t)(stop - line), ">  ", 3);
    char       *AUTO(text_free) date = mark ? must_print("%.*s", (int)(stop - mark - 3), mark + 3) : NULL;
    struct tm   t = {0};
    long        zone = 0;

    if (!date || !strptime(date, "%a, %d %b %Y %H:%M:%S %z", &t))
        return 0;
    zone = t.tm_gmtoff;
    t.tm_gmtoff = 0;
    return timegm(&t) - zone;
}

static enum err find_entry(const struct text *t, const char *version, struct changelog *out, struct error *e)
{
    struct changelog c = {0};
    const char      *end = t->data + t->length;
    bool             inside = false;

    for (const char *line = t->data, *next; line < end; line = next) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));

        next = stop ? stop + 1 : end;
        stop = stop ? stop : end;
        if (!inside) {
            inside = read_head(line, stop, &c) && (!version || strcmp(version, c.version) == 0);
        } else if (stop - line > 4 && memcmp(line, " -- ", 4) == 0) {
            c.date = read_trailer(line, stop);
            *out = c;
            return OK;
        } else {
            cves_collect(line, (size_t)(stop - line), &c.cves);
        }
    }
    changelog_end(&c);
    return fail(e, ERR_NOT_FOUND, "the changelog has no whole entry%s%s", version ? " for version " : "", version ? version : "");
}

static enum err keep(void *ctx, const char *bytes, size_t length, struct error *e)
{
    (void)e;
    text_put(ctx, bytes, length);
    return OK;
}

enum err changelog_read(const void *bytes, size_t length, const char *version, struct changelog *out, struct error *e)
{
    struct text AUTO(text_end) t = {0};
    enum err r = unpack(bytes, length, CHANGELOG_LIMIT, keep, &t, e);

    return r == OK ? find_entry(&t, version, out, e) : r;
}

void changelog_end(struct changelog *c)
{
    for (size_t i = 0; c->cves && c->cves[i]; i++)
        free(c->cves[i]);
    free(c->cves);
    free(c->version);
    free(c->urgency);
    memset(c, 0, sizeof(*c));
}
