#include "policy/catalog/deb822.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define FIELDS 256

struct deb822 {
    deb822_fn           fn;
    void               *ctx;
    size_t              limit;
    struct text         stanza;                 /* whole lines of the stanza being collected */
    struct text         tail;                   /* the beginning of a line whose end has not come */
    size_t              line, begin;            /* lines read; first line of the stanza */
    struct deb822_field fields[FIELDS];
};

struct deb822 *deb822_new(size_t stanza_limit, deb822_fn fn, void *ctx)
{
    struct deb822 *d = must_alloc(sizeof(*d));

    d->fn = fn;
    d->ctx = ctx;
    d->limit = stanza_limit;
    return d;
}

void deb822_free(struct deb822 *d)
{
    if (!d)
        return;
    text_end(&d->stanza);
    text_end(&d->tail);
    free(d);
}

static bool same_name(const struct deb822_field *f, const char *name, size_t length)
{
    return f->name_length == length && strncasecmp(f->name, name, length) == 0;
}

const char *deb822_get(const struct deb822_stanza *s, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < s->count; i++)
        if (same_name(&s->fields[i], name, length))
            return s->fields[i].value;
    return NULL;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Ends the value that begins at `from` before `end`, without the blanks around it. Writes only the end. */
static char *trim(char *from, char *end)
{
    while (from < end && blank(*from))
        from++;
    while (end > from && (blank(end[-1]) || end[-1] == '\n'))
        end--;
    *end = '\0';
    return from;
}

static enum err add_field(struct deb822 *d, size_t *count, char *line, char *stop, size_t number, struct error *e)
{
    char *colon = memchr(line, ':', (size_t)(stop - line));

    if (!colon || colon == line || *line == '-' || *line == '#')
        return fail(e, ERR_VERIFY, "line %zu is no field: \"%.40s\" has no name and colon", number, trim(line, stop));
    for (char *c = line; c < colon; c++)
        if (*c < 33 || *c > 126)
            return fail(e, ERR_VERIFY, "line %zu is no field: a field's name is printable ASCII without blanks", number);
    if (*count == FIELDS)
        return fail(e, ERR_VERIFY, "line %zu: over %d fields in one stanza", number, FIELDS);
    for (size_t i = 0; i < *count; i++)
        if (same_name(&d->fields[i], line, (size_t)(colon - line)))
            return fail(e, ERR_VERIFY, "line %zu: field \"%.*s\" comes twice in one stanza", number, (int)(colon - line), line);
    d->fields[(*count)++] = (struct deb822_field){line, colon + 1, (size_t)(colon - line)};
    return OK;
}

/* Lines → fields. A field's value runs until the next field's first line; both are cut in place once all are known. */
static enum err give_stanza(struct deb822 *d, struct error *e)
{
    size_t   count = 0, number = d->begin;
    char    *end = d->stanza.data + d->stanza.length;
    enum err r = OK;

    for (char *line = d->stanza.data, *next; line < end; line = next, number++) {
        char *stop = memchr(line, '\n', (size_t)(end - line));

        next = stop + 1;
        if (*line == ' ' || *line == '\t') {
            if (count == 0)
                return fail(e, ERR_VERIFY, "line %zu continues nothing", number);
        } else if ((r = add_field(d, &count, line, stop, number, e)) != OK) {
            return r;
        }
    }
    for (size_t i = 0; i < count; i++) {
        char *value = d->stanza.data + (d->fields[i].value - d->stanza.data);
        char *stop = i + 1 < count ? d->stanza.data + (d->fields[i + 1].name - d->stanza.data) : end;

        d->fields[i].value = trim(value, stop - 1);
    }
    if (count)
        r = d->fn(d->ctx, &(struct deb822_stanza){d->fields, count, d->begin}, e);
    d->stanza.length = 0;
    return r;
}

static enum err give_line(struct deb822 *d, const char *line, size_t length, struct error *e)
{
    size_t i = 0;

    d->line++;
    if (memchr(line, 0, length))
        return fail(e, ERR_VERIFY, "line %zu holds a byte 0", d->line);
    while (i < length && blank(line[i]))
        i++;
    if (i == length)
        return d->stanza.length ? give_stanza(d, e) : OK;
    if (d->stanza.length == 0)
        d->begin = d->line;
    if (d->stanza.length + length + 1 > d->limit)
        return fail(e, ERR_VERIFY, "line %zu: the stanza that begins in line %zu passes %zu bytes", d->line, d->begin, d->limit);
    text_put(&d->stanza, line, length);
    text_put(&d->stanza, "\n", 1);
    return OK;
}

enum err deb822_feed(struct deb822 *d, const char *bytes, size_t length, struct error *e)
{
    const char *end = bytes + length;
    enum err    r;

    while (bytes < end) {
        const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t      n = (size_t)((stop ? stop : end) - bytes);

        if (d->tail.length + n > d->limit)
            return fail(e, ERR_VERIFY, "line %zu passes %zu bytes", d->line + 1, d->limit);
        if (!stop) {
            text_put(&d->tail, bytes, n);
            return OK;
        }
        if (d->tail.length) {
            text_put(&d->tail, bytes, n);
            r = give_line(d, d->tail.data, d->tail.length, e);
            d->tail.length = 0;
        } else {
            r = give_line(d, bytes, n, e);
        }
        if (r != OK)
            return r;
        bytes = stop + 1;
    }
    return OK;
}

enum err deb822_finish(struct deb822 *d, struct error *e)
{
    enum err r = d->tail.length ? give_line(d, d->tail.data, d->tail.length, e) : OK;

    d->tail.length = 0;
    if (r == OK && d->stanza.length)
        r = give_stanza(d, e);
    return r;
}
