#include "policy/document/member.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static int64_t get(const struct member *m, const void *in)
{
    const char *at = (const char *)in + m->at;

    return m->type == MEMBER_BOOL ? *(const bool *)(const void *)at : *(const int64_t *)(const void *)at;
}

static void set(const struct member *m, void *out, int64_t value)
{
    char *at = (char *)out + m->at;

    if (m->type == MEMBER_BOOL)
        *(bool *)(void *)at = value != 0;
    else
        *(int64_t *)(void *)at = value;
}

void members_default(const struct member *table, size_t count, void *out)
{
    for (size_t i = 0; i < count; i++)
        set(&table[i], out, table[i].standard);
}

/* 5400 → "90m", as duration_read takes it back. */
static char *duration_text(int64_t seconds)
{
    static const struct { int64_t seconds; char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}};

    for (size_t i = 0; i < COUNT(units); i++)
        if (seconds && seconds % units[i].seconds == 0)
            return must_print("%lld%c", (long long)(seconds / units[i].seconds), units[i].unit);
    return must_print("%llds", (long long)seconds);
}

/* "all, restart or none" */
static char *words_text(const char *const *words)
{
    struct text t = {0};

    for (size_t i = 0; words[i]; i++)
        text_add(&t, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
    return text_take(&t);
}

static bool word_find(const struct member *m, const char *word, int64_t *out)
{
    for (int64_t i = 0; m->words[i]; i++)
        if (!strcasecmp(m->words[i], word)) {
            *out = i;
            return true;
        }
    return false;
}

/* --- arguments --- */

static enum err refuse(const struct member *m, const char *given, struct error *e)
{
    char *low = NULL, *high = NULL, *flag = must_copy(m->name), *wanted;

    for (char *c = flag; *c; c++)
        *c = *c == '_' ? '-' : *c;
    if (m->type == MEMBER_DURATION) {
        low = duration_text(m->low);
        high = duration_text(m->high);
        wanted = must_print("a duration from %s to %s, such as 90s, 15m, 2h or 7d", low, high);
    } else if (m->type == MEMBER_WORD) {
        wanted = words_text(m->words);
    } else {
        wanted = m->type == MEMBER_BOOL ? must_copy("yes or no")
                                        : must_print("a whole number from %lld to %lld", (long long)m->low, (long long)m->high);
    }
    fail(e, ERR_USAGE, "--%s: '%.60s' is not accepted; accepted is %s", flag, given, wanted);
    free(flag);
    free(low);
    free(high);
    free(wanted);
    return ERR_USAGE;
}

/* "95", "95%" */
static bool number_read(const char *text, int64_t *out)
{
    char     *end;
    long long n;

    errno = 0;
    n = strtoll(text, &end, 10);
    if (!(isdigit((unsigned char)*text) || *text == '-') || end == text || errno || (*end && strcmp(end, "%")))
        return false;
    *out = n;
    return true;
}

static bool text_value(const struct member *m, const char *text, int64_t *out)
{
    switch (m->type) {
    case MEMBER_BOOL:
        *out = !strcasecmp(text, "yes") || !strcasecmp(text, "true");
        return *out || !strcasecmp(text, "no") || !strcasecmp(text, "false");
    case MEMBER_NUMBER: return number_read(text, out);
    case MEMBER_DURATION: return !duration_read(text, out, NULL);
    case MEMBER_WORD: return word_find(m, text, out);
    }
    return false;
}

static bool argument_value(const struct member *m, const json_t *value, int64_t *out)
{
    bool number = m->type == MEMBER_NUMBER || m->type == MEMBER_DURATION, good = false;

    if (json_is_string(value))
        good = text_value(m, json_string_value(value), out);
    else if (json_is_boolean(value) && m->type == MEMBER_BOOL)
        good = (*out = json_is_true(value), true);
    else if (json_is_integer(value) && number)
        good = (*out = json_integer_value(value), true);
    return good && (!number || (*out >= m->low && *out <= m->high));
}

/* All are judged before the first is taken over: what is refused changes nothing. */
enum err members_take(const struct member *table, size_t count, const json_t *args, void *out, struct error *e)
{
    int64_t *values = must_alloc(count * sizeof *values);
    enum err code = OK;

    for (size_t i = 0; i < count && !code; i++) {
        const json_t *value = json_object_get(args, table[i].name);
        if (value && !argument_value(&table[i], value, &values[i])) {
            char *given = json_is_string(value) ? must_copy(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
            code = refuse(&table[i], given ? given : "", e);
            free(given);
        }
    }
    for (size_t i = 0; i < count && !code; i++)
        if (json_object_get(args, table[i].name))
            set(&table[i], out, values[i]);
    free(values);
    return code;
}

/* --- documents --- */

static int64_t word_read(struct reader *r, const struct member *m)
{
    const char *word = reader_text_or(r, m->name, 64, NULL);
    int64_t     value = m->standard;

    if (word && !r->verdict)
        for (value = 0; m->words[value] && strcmp(m->words[value], word);)
            value++;
    if (!m->words[value]) {
        char *wanted = words_text(m->words);
        reader_fail(r, m->name, "%s was expected", wanted);
        free(wanted);
        value = m->standard;
    }
    return value;
}

static int64_t member_read(struct reader *r, const struct member *m)
{
    switch (m->type) {
    case MEMBER_BOOL: return reader_bool_or(r, m->name, m->standard);
    case MEMBER_NUMBER: return reader_number_or(r, m->name, m->low, m->high, m->standard);
    case MEMBER_DURATION: return reader_number_or(r, reader_seconds(r, m->name), m->low, m->high, m->standard);
    case MEMBER_WORD: break;
    }
    return word_read(r, m);
}

void members_read(struct reader *r, const struct member *table, size_t count, void *out, bool inside)
{
    for (size_t i = 0; i < count; i++)
        set(&table[i], out, table[i].inside && !inside ? table[i].standard : member_read(r, &table[i]));
}

void members_print(const struct member *table, size_t count, const void *in, json_t *o, bool inside)
{
    for (size_t i = 0; i < count; i++) {
        const struct member *m = &table[i];
        int64_t              value = get(m, in);
        char                 seconds[80];
        if (value == m->standard || (m->inside && !inside))
            continue;
        snprintf(seconds, sizeof seconds, "%s_s", m->name);
        json_object_set_new(o, m->type == MEMBER_DURATION ? seconds : m->name,
                            m->type == MEMBER_BOOL   ? json_boolean(value)
                            : m->type == MEMBER_WORD ? json_string(m->words[value])
                                                     : json_integer(value));
    }
}

json_t *members_show(const struct member *table, size_t count, const void *in)
{
    json_t *o = json_object();

    for (size_t i = 0; i < count; i++) {
        const struct member *m = &table[i];
        int64_t              value = get(m, in);
        char                *text = m->type == MEMBER_BOOL       ? must_copy(value ? "yes" : "no")
                                    : m->type == MEMBER_WORD     ? must_copy(m->words[value])
                                    : m->type == MEMBER_DURATION ? duration_text(value)
                                                                 : must_print("%lld", (long long)value);
        put_text(o, m->name, text);
        free(text);
    }
    return o;
}
