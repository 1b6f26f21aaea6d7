#include "policy/trust/announced.h"

#include <string.h>

#include "base/text.h"
#include "policy/trust/digest.h"

static const json_t *line_of(const struct role *r, const char *role)
{
    AUTO(text_free) char *name = must_print("%s.json", role);

    return json_object_get(json_object_get(r->body, "meta"), name);
}

static int64_t version_of(const json_t *line)
{
    return json_integer_value(json_object_get(line, "version"));
}

static enum err line_read(enum profile p, const char *name, const json_t *line, struct error *e)
{
    const json_t *length = json_object_get(line, "length"), *hashes = json_object_get(line, "hashes");

    if (!json_is_integer(json_object_get(line, "version")) || version_of(line) < 1)
        return fail(e, ERR_VERIFY, "%.80s is announced without a version from 1 up", name);
    if (length && (!json_is_integer(length) || json_integer_value(length) < 1))
        return fail(e, ERR_VERIFY, "%.80s is announced with a length that is not a number from 1 up", name);
    if (strict(p) && (!length || !json_object_get(hashes, "sha256")))
        return fail(e, ERR_VERIFY, "%.80s is announced without length and sha256", name);
    return OK;
}

enum err announced_read(enum profile p, const struct role *r, bool timestamp, struct error *e)
{
    const json_t *meta = json_object_get(r->body, "meta");
    const char   *name;
    json_t       *line;
    enum err      code = OK;

    if (!json_is_object(meta))
        return fail(e, ERR_VERIFY, "meta was expected in a file that announces others");
    json_object_foreach((json_t *)meta, name, line)
        code = code ? code : line_read(p, name, line, e);
    if (!code && timestamp && (!line_of(r, "snapshot") || (strict(p) && json_object_size(meta) != 1)))
        code = fail(e, ERR_VERIFY, "a timestamp announces the snapshot and nothing else");
    return code;
}

int64_t announced_version(const struct role *r, const char *role)
{
    return version_of(line_of(r, role));
}

size_t announced_limit(enum profile p, const struct role *r, const char *role)
{
    int64_t length = json_integer_value(json_object_get(line_of(r, role), "length"));
    size_t  limit = role_limit(p, role);

    return length > 0 && (uint64_t)length < limit ? (size_t)length : limit;
}

enum err announced_check(const struct role *r, const char *role, const char *bytes, size_t length, struct error *e)
{
    const json_t *size = json_object_get(line_of(r, role), "length"), *hashes = json_object_get(line_of(r, role), "hashes");

    if (size && json_integer_value(size) != (json_int_t)length)
        return fail(e, ERR_VERIFY, "%s: %zu bytes, %lld were announced", role, length, (long long)json_integer_value(size));
    if (hashes && !digest_matches(hashes, bytes, length))
        return fail(e, ERR_VERIFY, "%s: its hash is not what was announced", role);
    return OK;
}

enum err announced_after(const struct role *next, const struct role *old, struct error *e)
{
    const char *name;
    json_t     *was;

    json_object_foreach(json_object_get(old->body, "meta"), name, was) {
        const json_t *now = json_object_get(json_object_get(next->body, "meta"), name);
        if (!now)
            return fail(e, ERR_VERIFY, "%.80s vanished from the files that are announced", name);
        if (version_of(now) < version_of(was))
            return fail(e, ERR_VERIFY, "%.80s is announced in an older version than before: rolled back", name);
    }
    return OK;
}
