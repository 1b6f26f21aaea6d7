#include "node/io/route.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENTS 32

/* How specific a match is: one letter per segment, smaller is more specific. */
struct candidate {
    struct route_match match;
    char               rank[SEGMENTS + 1];
};

static int hex_value(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *percent_decode(const char *text, size_t length)
{
    char  *out = must_alloc(length + 1);
    size_t n = 0;

    for (size_t i = 0; i < length; i++) {
        int  high = 0, low = 0;
        char c = text[i];

        if (c == '%') {
            high = i + 2 < length ? hex_value(text[i + 1]) : -1;
            low = high < 0 ? -1 : hex_value(text[i + 2]);
            c = (char)(unsigned char)((unsigned)high << 4 | (unsigned)low);
            i += 2;
        }
        if (high < 0 || low < 0 || !c) {
            free(out);
            return NULL;
        }
        out[n++] = c;
    }
    return out;
}

static bool is_safe(const char *path)
{
    for (;;) {
        size_t length = strcspn(path, "/");

        if (!length || (length == 1 && path[0] == '.') || (length == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        if (!path[length])
            return true;
        path += length + 1;
    }
}

static bool take_part(struct route_match *m, const char *name, size_t name_length, const char *value, size_t length)
{
    char *decoded = percent_decode(value, length);

    if (!decoded || !is_safe(decoded) || m->parts == ROUTE_PARTS) {
        free(decoded);
        return false;
    }
    m->part[m->parts++] = (struct route_part){name, name_length, decoded};
    return true;
}

/* One segment of the pattern against one of the path; *rest when it takes everything that is left. */
static bool match_segment(struct candidate *c, size_t at, const char *pattern, size_t pattern_length, const char *path, size_t length,
                          bool *rest)
{
    bool part = pattern_length > 2 && pattern[0] == '{' && pattern[pattern_length - 1] == '}';

    *rest = part && pattern_length > 5 && !memcmp(pattern + pattern_length - 4, "...", 3);
    c->rank[at] = *rest ? 'c' : part ? 'b' : 'a';
    if (*rest)
        return take_part(&c->match, pattern + 1, pattern_length - 5, path, strlen(path));
    if (part)
        return take_part(&c->match, pattern + 1, pattern_length - 2, path, length);
    return pattern_length == length && !memcmp(pattern, path, length);
}

static bool match_path(struct candidate *c, const char *pattern, const char *path)
{
    for (size_t at = 0; at < SEGMENTS; at++) {
        size_t m, n;
        bool   rest;

        if (*pattern != '/' || *path != '/')
            return !*pattern && !*path;
        m = strcspn(++pattern, "/");
        n = strcspn(++path, "/");
        if (!match_segment(c, at, pattern, m, path, n, &rest))
            return false;
        if (rest)
            return true;
        pattern += m;
        path += n;
    }
    return false;
}

static bool match_method(const struct route *r, const char *method)
{
    return !strcmp(r->method, method) || (!strcmp(method, "HEAD") && !strcmp(r->method, "GET"));
}

static void allow_also(struct text *allow, const char *method)
{
    if (!allow->data || !strstr(allow->data, method))
        text_add(allow, "%s%s%s", allow->length ? ", " : "", method, strcmp(method, "GET") ? "" : ", HEAD");
}

void route_end(struct route_match *m)
{
    for (size_t i = 0; i < m->parts; i++)
        free(m->part[i].value);
    m->parts = 0;
}

static void consider(const struct route *r, void *ctx, const char *method, const char *path, struct candidate *best, struct text *allow)
{
    struct candidate c = {.match = {.route = r, .ctx = ctx}};

    if (!match_path(&c, r->path, path)) {
        route_end(&c.match);
        return;
    }
    allow_also(allow, r->method);
    if (!match_method(r, method) || (best->match.route && strcmp(best->rank, c.rank) <= 0)) {
        route_end(&c.match);
        return;
    }
    route_end(&best->match);
    *best = c;
}

enum err route_find(const struct route_set *sets, size_t count, const char *method, const char *path, struct route_match *out,
                    struct text *allow)
{
    struct candidate best = {.match = {0}};

    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < sets[s].count; i++)
            consider(&sets[s].routes[i], sets[s].ctx, method, path, &best, allow);
    *out = best.match;
    return best.match.route ? OK : allow->length ? ERR_USAGE : ERR_NOT_FOUND;
}
