#include "policy/catalog/version.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

struct part {
    const char *text;
    size_t      length;
};

/* epoch ":" upstream "-" revision: the first colon and the last hyphen cut. No epoch is 0, no revision is "" (which equals "0"). */
struct parts {
    struct part epoch, upstream, revision;
};

static struct parts split(const char *version)
{
    const char  *colon = strchr(version, ':');
    const char  *rest = colon ? colon + 1 : version;
    const char  *hyphen = strrchr(rest, '-');
    size_t       length = strlen(rest);
    struct parts p = {.epoch = {version, colon ? (size_t)(colon - version) : 0}, .upstream = {rest, length}, .revision = {"", 0}};

    if (hyphen) {
        p.upstream.length = (size_t)(hyphen - rest);
        p.revision = (struct part){hyphen + 1, length - p.upstream.length - 1};
    }
    return p;
}

/* Policy 5.6.12: a tilde sorts before the end of a part, the end before letters, letters before everything else. */
static int weight(const struct part *p, size_t i)
{
    unsigned char c = i < p->length ? (unsigned char)p->text[i] : 0;

    if (c == '~')
        return -1;
    if (c == 0 || isdigit(c))
        return 0;
    return isalpha(c) ? c : c + 256;
}

static bool digit(const struct part *p, size_t i)
{
    return i < p->length && isdigit((unsigned char)p->text[i]);
}

/* A run of digits without its leading zeros: the longer one is greater, else the first difference tells. Any length: no overflow. */
static int compare_number(const struct part *a, size_t *i, const struct part *b, size_t *j)
{
    int first = 0;

    while (digit(a, *i) && a->text[*i] == '0')
        ++*i;
    while (digit(b, *j) && b->text[*j] == '0')
        ++*j;
    while (digit(a, *i) && digit(b, *j)) {
        if (!first)
            first = a->text[*i] - b->text[*j];
        ++*i, ++*j;
    }
    if (digit(a, *i))
        return 1;
    return digit(b, *j) ? -1 : first;
}

static int compare_part(struct part a, struct part b)
{
    size_t i = 0, j = 0;

    while (i < a.length || j < b.length) {
        int order;

        while ((i < a.length && !digit(&a, i)) || (j < b.length && !digit(&b, j))) {
            order = weight(&a, i) - weight(&b, j);
            if (order)
                return order;
            i++, j++;
        }
        order = compare_number(&a, &i, &b, &j);
        if (order)
            return order;
    }
    return 0;
}

int version_compare(const char *a, const char *b)
{
    struct parts x = split(a), y = split(b);
    int          order = compare_part(x.epoch, y.epoch);

    if (!order)
        order = compare_part(x.upstream, y.upstream);
    if (!order)
        order = compare_part(x.revision, y.revision);
    return (order > 0) - (order < 0);
}

bool version_satisfies(const char *version, const char *relation, const char *wanted)
{
    int order = version_compare(version, wanted);

    switch (relation[0]) {
    case '<': return relation[1] == '<' ? order < 0 : order <= 0;
    case '>': return relation[1] == '>' ? order > 0 : order >= 0;
    default: return order == 0;
    }
}
