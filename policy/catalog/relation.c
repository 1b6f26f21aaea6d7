#include "policy/catalog/relation.h"

#include <string.h>

#include "policy/catalog/version.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static struct clause trimmed(const char *text, size_t length)
{
    while (length && blank(*text))
        text++, length--;
    while (length && blank(text[length - 1]))
        length--;
    return (struct clause){text, length};
}

bool clause_next(const char **at, struct clause *out)
{
    while (*at && **at) {
        size_t n = strcspn(*at, ",");

        *out = trimmed(*at, n);
        *at += n + ((*at)[n] == ',');
        if (out->length)
            return true;
    }
    return false;
}

static bool copy(char *out, size_t room, const char *text, size_t length)
{
    if (length >= room)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

/* "(>= 1.0)": < and > alone are the old spellings of <= and >=. */
static bool read_version(struct clause c, struct relation *out)
{
    size_t sign = 0;
    struct clause version;

    while (sign < c.length && strchr("<>=", c.text[sign]))
        sign++;
    version = trimmed(c.text + sign, c.length - sign);
    return sign && version.length && copy(out->relation, sizeof(out->relation), c.text, sign) &&
           copy(out->version, sizeof(out->version), version.text, version.length);
}

static bool read_relation(struct clause c, struct relation *out)
{
    const char   *open = memchr(c.text, '(', c.length), *close = open ? memchr(open, ')', c.length - (size_t)(open - c.text)) : NULL;
    struct clause name = open ? trimmed(c.text, (size_t)(open - c.text)) : c;
    const char   *colon = memchr(name.text, ':', name.length);
    size_t        plain = colon ? (size_t)(colon - name.text) : name.length;

    memset(out, 0, sizeof(*out));
    if (open && (!close || !read_version(trimmed(open + 1, (size_t)(close - open - 1)), out)))
        return false;
    if (colon && !copy(out->arch, sizeof(out->arch), colon + 1, name.length - plain - 1))
        return false;
    return plain && copy(out->name, sizeof(out->name), name.text, plain);
}

bool relation_next(struct clause *c, struct relation *out)
{
    while (c->length) {
        const char   *bar = memchr(c->text, '|', c->length);
        size_t        n = bar ? (size_t)(bar - c->text) : c->length;
        struct clause one = trimmed(c->text, n);

        c->text += n + (bar != NULL);
        c->length -= n + (bar != NULL);
        if (read_relation(one, out))
            return true;
    }
    return false;
}

bool relation_provided(const char *provides, const struct relation *wanted)
{
    struct clause   c;
    struct relation r;

    if (!provides || !strstr(provides, wanted->name))
        return false;
    while (clause_next(&provides, &c))
        while (relation_next(&c, &r))
            if (strcmp(r.name, wanted->name) == 0 &&
                (!*wanted->relation || (strcmp(r.relation, "=") == 0 && version_satisfies(r.version, wanted->relation, wanted->version))))
                return true;
    return false;
}
