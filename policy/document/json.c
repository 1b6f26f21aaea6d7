#include "policy/document/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DEPTH 32

/* jansson bounds depth only at 2048: one pass over the bytes settles depth before anything is built. */
static bool too_deep(const char *bytes, size_t length)
{
    size_t depth = 0;
    bool   text = false;

    for (size_t i = 0; i < length; i++) {
        if (text && bytes[i] == '\\')
            i++;
        else if (bytes[i] == '"')
            text = !text;
        else if (!text && (bytes[i] == '{' || bytes[i] == '['))
            if (++depth > DEPTH)
                return true;
        if (!text && (bytes[i] == '}' || bytes[i] == ']') && depth)
            depth--;
    }
    return false;
}

static bool has_real(const json_t *value)
{
    const char *name;
    json_t     *item;
    size_t      i;

    if (json_is_real(value))
        return true;
    json_object_foreach((json_t *)value, name, item)
        if (has_real(item))
            return true;
    json_array_foreach(value, i, item)
        if (has_real(item))
            return true;
    return false;
}

enum err json_read(const char *bytes, size_t length, size_t limit, json_t **out, struct error *e)
{
    json_error_t why;
    json_t      *value;

    if (length > limit)
        return fail(e, ERR_VERIFY, "JSON of %zu bytes, at most %zu are accepted", length, limit);
    if (too_deep(bytes, length))
        return fail(e, ERR_VERIFY, "JSON nested deeper than %d", DEPTH);
    value = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &why);
    if (!value)
        return fail(e, ERR_VERIFY, "not JSON: %s (line %d, column %d)", why.text, why.line, why.column);
    if (has_real(value)) {
        json_decref(value);
        return fail(e, ERR_VERIFY, "JSON with a fractional number; only whole numbers are accepted");
    }
    *out = value;
    return OK;
}

void reader_init(struct reader *r, const json_t *object, const char *path, struct error *e)
{
    memset(r, 0, sizeof *r);
    r->object = object;
    r->error = e;
    snprintf(r->path, sizeof r->path, "%s", path);
    if (!json_is_object(object))
        r->verdict = fail(e, ERR_VERIFY, "%s: an object was expected", path);
}

void reader_sub(struct reader *r, struct reader *parent, const char *name)
{
    const json_t *object = reader_object(parent, name);

    memset(r, 0, sizeof *r);
    r->error = parent->error;
    r->object = object;
    r->verdict = parent->verdict;
    snprintf(r->path, sizeof r->path, "%.100s.%.50s", parent->path, name);
}

char *reader_path(const struct reader *r, const char *name, size_t index, char out[READER_PATH])
{
    snprintf(out, READER_PATH, "%.90s.%.40s[%zu]", r->path, name, index);
    return out;
}

void reader_item(struct reader *r, struct reader *parent, const char *name, size_t index, const json_t *value)
{
    char path[READER_PATH];

    reader_init(r, value, reader_path(parent, name, index, path), parent->error);
}

enum err reader_fail(struct reader *r, const char *name, const char *format, ...)
{
    char    text[400];
    va_list args;

    if (r->verdict)
        return r->verdict;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->verdict = fail(r->error, ERR_VERIFY, "%s%s%.64s: %s", r->path, *name ? "." : "", name, text);
    return r->verdict;
}

bool reader_has(struct reader *r, const char *name)
{
    return !r->verdict && json_object_get(r->object, name) != NULL;
}

const char *reader_seconds(struct reader *r, const char *name)
{
    size_t size = strlen(name) + sizeof "_s";
    char  *out = r->made + r->made_length;

    if (size > sizeof r->made - r->made_length)
        abort();
    snprintf(out, size, "%s_s", name);
    r->made_length += size;
    return out;
}

static const json_t *take(struct reader *r, const char *name, bool required)
{
    const json_t *value;

    if (r->verdict)
        return NULL;
    value = json_object_get(r->object, name);
    if (r->asked_count == COUNT(r->asked))
        abort();
    r->asked[r->asked_count++] = name;
    if (!value && required)
        reader_fail(r, name, "is missing");
    return value;
}

static const char *text_of(struct reader *r, const char *name, const json_t *value, size_t limit, const char *or_else)
{
    if (!value)
        return or_else;
    if (!json_is_string(value)) {
        reader_fail(r, name, "a text was expected");
        return or_else;
    }
    if (json_string_length(value) > limit || strlen(json_string_value(value)) != json_string_length(value)) {
        reader_fail(r, name, "a text of at most %zu bytes without NUL was expected", limit);
        return or_else;
    }
    return json_string_value(value);
}

const char *reader_text(struct reader *r, const char *name, size_t limit)
{
    return text_of(r, name, take(r, name, true), limit, "");
}

const char *reader_text_or(struct reader *r, const char *name, size_t limit, const char *or_else)
{
    return text_of(r, name, take(r, name, false), limit, or_else);
}

static int64_t number_of(struct reader *r, const char *name, const json_t *value, int64_t low, int64_t high, int64_t or_else)
{
    if (!value)
        return or_else;
    if (!json_is_integer(value) || json_integer_value(value) < low || json_integer_value(value) > high) {
        reader_fail(r, name, "a whole number from %lld to %lld was expected", (long long)low, (long long)high);
        return or_else;
    }
    return json_integer_value(value);
}

int64_t reader_number(struct reader *r, const char *name, int64_t low, int64_t high)
{
    return number_of(r, name, take(r, name, true), low, high, low);
}

int64_t reader_number_or(struct reader *r, const char *name, int64_t low, int64_t high, int64_t or_else)
{
    return number_of(r, name, take(r, name, false), low, high, or_else);
}

bool reader_bool_or(struct reader *r, const char *name, bool or_else)
{
    const json_t *value = take(r, name, false);

    if (!value)
        return or_else;
    if (!json_is_boolean(value))
        reader_fail(r, name, "true or false was expected");
    return json_is_true(value);
}

static int64_t time_of(struct reader *r, const char *name, const char *text)
{
    int64_t      seconds = 0;
    struct error why;

    if (!r->verdict && time_read(text, &seconds, &why))
        reader_fail(r, name, "%s", why.text);
    if (!r->verdict && seconds < 0)
        reader_fail(r, name, "a time from 1970 on was expected");
    return seconds;
}

int64_t reader_time(struct reader *r, const char *name)
{
    return time_of(r, name, reader_text(r, name, TIME_SIZE));
}

int64_t reader_time_or(struct reader *r, const char *name, int64_t or_else)
{
    const char *text = reader_text_or(r, name, TIME_SIZE, NULL);

    return text ? time_of(r, name, text) : or_else;
}

struct sha256 reader_sha256(struct reader *r, const char *name)
{
    struct sha256 h = {{0}};
    const char   *text = reader_text(r, name, 64);

    if (!r->verdict && !sha256_read(text, &h))
        reader_fail(r, name, "64 lower-case hexadecimal digits were expected");
    return h;
}

static const json_t *array_of(struct reader *r, const char *name, const json_t *value, size_t limit)
{
    if (value && (!json_is_array(value) || json_array_size(value) > limit)) {
        reader_fail(r, name, "a list of at most %zu was expected", limit);
        return NULL;
    }
    return value;
}

const json_t *reader_array(struct reader *r, const char *name, size_t limit)
{
    return array_of(r, name, take(r, name, true), limit);
}

const json_t *reader_array_or(struct reader *r, const char *name, size_t limit)
{
    return array_of(r, name, take(r, name, false), limit);
}

const json_t *reader_object(struct reader *r, const char *name)
{
    const json_t *value = take(r, name, true);

    if (value && !json_is_object(value))
        reader_fail(r, name, "an object was expected");
    return value;
}

static bool asked_for(const struct reader *r, const char *name)
{
    for (size_t i = 0; i < r->asked_count; i++)
        if (!strcmp(r->asked[i], name))
            return true;
    return false;
}

enum err reader_done(struct reader *r)
{
    const char *name, *near;
    json_t     *value;

    if (r->verdict)
        return r->verdict;
    json_object_foreach((json_t *)r->object, name, value)
    {
        if (asked_for(r, name))
            continue;
        near = nearest(name, r->asked, r->asked_count);
        return reader_fail(r, name, "is not known%s%s%s", near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    return OK;
}

char *reader_copy(struct reader *r, const char *name, size_t limit)
{
    return must_copy(reader_text(r, name, limit));
}

char *reader_copy_or_null(struct reader *r, const char *name, size_t limit)
{
    return must_copy(reader_text_or(r, name, limit, NULL));
}

char **reader_words(struct reader *r, const char *name, size_t most, size_t limit)
{
    const json_t *list = reader_array_or(r, name, most);
    size_t        n = json_array_size(list);
    char        **words, item[64];

    if (!n)
        return NULL;
    words = must_alloc((n + 1) * sizeof *words);
    for (size_t i = 0; i < n; i++) {
        snprintf(item, sizeof item, "%.40s[%zu]", name, i);
        words[i] = must_copy(text_of(r, item, json_array_get(list, i), limit, ""));
    }
    return words;
}

uint8_t *reader_base64(struct reader *r, const char *name, size_t limit, size_t *size)
{
    const char *text = reader_text(r, name, limit / 3 * 4 + 8);
    uint8_t    *bytes = r->verdict ? NULL : base64_decode(text, limit, size);

    if (!bytes)
        reader_fail(r, name, "base64 of at most %zu bytes was expected", limit);
    return bytes;
}

void put_text(json_t *object, const char *name, const char *text)
{
    if (text)
        json_object_set_new(object, name, json_string(text));
}

void put_words(json_t *object, const char *name, char *const *words)
{
    json_t *list;

    if (!words || !*words)
        return;
    list = json_array();
    for (; *words; words++)
        json_array_append_new(list, json_string(*words));
    json_object_set_new(object, name, list);
}

void put_time(json_t *object, const char *name, int64_t seconds)
{
    char text[TIME_SIZE];

    if (seconds)
        json_object_set_new(object, name, json_string(time_print(seconds, text)));
}

void put_sha256(json_t *object, const char *name, const struct sha256 *h)
{
    char hex[SHA256_HEX];

    json_object_set_new(object, name, json_string(sha256_hex(h, hex)));
}

bool name_ok(const char *name)
{
    size_t n = strlen(name);

    if (!n || n > 64 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != n || *name == '.' || *name == '-')
        return false;
    return !strstr(name, "..");
}
