#include "node/base/option.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define FILE_LIMIT (1u << 20)
#define LIST_LIMIT 1000

/* One source of values: the defaults, a file or the command line. given: the line (or word) an option was given in, 0 for not yet. */
struct source {
    const struct option *options;
    size_t               count;
    void                *config;
    int                 *given;
};

#define AT(config, option, type) ((type *)(void *)((char *)(config) + (option)->at))

static void list_end(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static bool is_text(const struct option *o)
{
    return o->type == OPTION_TEXT || o->type == OPTION_PATH || o->type == OPTION_WORD;
}

static enum err check_word(const struct option *o, const char *value, struct error *e)
{
    AUTO(text_end) struct text all = {0};

    if (!o->words)
        return OK;
    for (size_t i = 0; o->words[i]; i++) {
        if (!strcmp(o->words[i], value))
            return OK;
        text_add(&all, "%s%s", i ? ", " : "", o->words[i]);
    }
    return fail(e, ERR_USAGE, "%s cannot be '%s'; accepted are %s", o->name, value, all.data);
}

static void set_text(void *config, const struct option *o, char *taken)
{
    char **at = AT(config, o, char *);

    free(*at);
    *at = taken;
}

static enum err set_path(void *config, const struct option *o, const char *value, struct error *e)
{
    AUTO(text_free) char *here = NULL;

    if (*value == '/') {
        set_text(config, o, must_copy(value));
        return OK;
    }
    here = getcwd(NULL, 0);
    if (!here)
        return fail_errno(e, "%s: '%s' has no leading / and the current directory cannot be told", o->name, value);
    set_text(config, o, must_print("%s/%s", here, value));
    return OK;
}

static enum err add_to_list(void *config, const struct option *o, const char *value, struct error *e)
{
    char ***at = AT(config, o, char **);
    size_t  n = 0, length;

    while (*at && (*at)[n])
        n++;
    for (value += strspn(value, ", \t"); *value; value += strspn(value, ", \t")) {
        AUTO(text_free) char *word = NULL;
        enum err              code;

        length = strcspn(value, ", \t");
        word = must_print("%.*s", (int)length, value);
        value += length;
        code = check_word(o, word, e);
        if (code)
            return code;
        if (n == LIST_LIMIT)
            return fail(e, ERR_USAGE, "%s has more than %d values", o->name, LIST_LIMIT);
        *at = must_grow(*at, n + 2, sizeof **at);
        (*at)[n++] = word;
        (*at)[n] = NULL;
        word = NULL;
    }
    return OK;
}

static enum err read_bool(const struct option *o, const char *value, bool *out, struct error *e)
{
    static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false", "off", "0"};

    for (size_t i = 0; i < COUNT(yes); i++) {
        if (!strcmp(value, yes[i]) || !strcmp(value, no[i])) {
            *out = !strcmp(value, yes[i]);
            return OK;
        }
    }
    return fail(e, ERR_USAGE, "%s cannot be '%s'; accepted are yes and no", o->name, value);
}

static enum err read_number(const char *value, int64_t *out, const char **rest)
{
    char *end;

    errno = 0;
    *out = strtoll(value, &end, 10);
    *rest = end;
    return end == value || errno || isspace((unsigned char)*value) ? ERR_USAGE : OK;
}

static enum err read_size(const char *value, int64_t *out)
{
    static const struct {
        const char *name;
        int64_t     bytes;
    } units[] = {{"", 1},          {"B", 1},          {"KiB", 1 << 10}, {"MiB", 1 << 20},  {"GiB", 1 << 30}, {"TiB", (int64_t)1 << 40},
                 {"kB", 1000},     {"MB", 1000000},   {"GB", 1000000000}, {"TB", 1000000000000}};
    const char *unit;

    if (read_number(value, out, &unit))
        return ERR_USAGE;
    unit += strspn(unit, " ");
    for (size_t i = 0; i < COUNT(units); i++)
        if (!strcmp(unit, units[i].name))
            return __builtin_mul_overflow(*out, units[i].bytes, out) ? ERR_USAGE : OK;
    return ERR_USAGE;
}

static enum err read_amount(const struct option *o, const char *value, int64_t *out, struct error *e)
{
    const char *rest = "";
    char        low[16], high[16];
    int64_t     n;

    if (o->type == OPTION_DURATION) {
        enum err code = duration_read(value, &n, e);

        if (code)
            return fail(e, code, "%s cannot be '%s'; a duration is written like 90s, 15m, 2h, 7d or 2w", o->name, value);
    } else if (o->type == OPTION_SIZE ? read_size(value, &n) : read_number(value, &n, &rest) || *rest) {
        return fail(e, ERR_USAGE, "%s cannot be '%s'; %s", o->name, value,
                    o->type == OPTION_SIZE ? "a size is written like 500MiB or 20GiB" : "a whole number is wanted");
    }
    if (o->type == OPTION_SIZE && (n < o->low || n > o->high))
        return fail(e, ERR_USAGE, "%s cannot be '%s'; accepted are %s to %s", o->name, value, size_print((uint64_t)o->low, low),
                    size_print((uint64_t)o->high, high));
    if (n < o->low || n > o->high)
        return fail(e, ERR_USAGE, "%s cannot be '%s'; accepted are %lld to %lld%s", o->name, value, (long long)o->low, (long long)o->high,
                    o->type == OPTION_DURATION ? " s" : "");
    *out = n;
    return OK;
}

static enum err set(void *config, const struct option *o, const char *value, struct error *e)
{
    enum err code;

    if (!*value && o->type != OPTION_TEXT && o->type != OPTION_LIST)
        return fail(e, ERR_USAGE, "%s needs a value", o->name);
    switch (o->type) {
    case OPTION_TEXT: set_text(config, o, *value ? must_copy(value) : NULL); return OK;
    case OPTION_PATH: return set_path(config, o, value, e);
    case OPTION_LIST: return add_to_list(config, o, value, e);
    case OPTION_WORD:
        code = check_word(o, value, e);
        if (!code)
            set_text(config, o, must_copy(value));
        return code;
    case OPTION_BOOL: return read_bool(o, value, AT(config, o, bool), e);
    case OPTION_NUMBER: case OPTION_DURATION: case OPTION_SIZE: return read_amount(o, value, AT(config, o, int64_t), e);
    }
    return OK;
}

/* A list given in a later source replaces that of an earlier one; inside one source it grows. */
static enum err give(struct source *s, size_t i, int place, const char *value, struct error *e)
{
    const struct option *o = &s->options[i];

    if (o->type == OPTION_LIST && !s->given[i]) {
        char ***at = AT(s->config, o, char **);

        list_end(*at);
        *at = NULL;
    }
    s->given[i] = place;
    return set(s->config, o, value, e);
}

static const struct option *find(const struct option *options, size_t count, const char *name, size_t *index)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(options[i].name, name)) {
            *index = i;
            return &options[i];
        }
    return NULL;
}

/* ", did you mean 'x'?" or nothing; caller frees. */
static char *hint(const struct option *options, size_t count, const char *name)
{
    const char **names = must_alloc((count ? count : 1) * sizeof *names);
    const char  *near;

    for (size_t i = 0; i < count; i++)
        names[i] = options[i].name;
    near = nearest(name, names, count);
    free(names);
    return near ? must_print(" (did you mean '%s'?)", near) : must_copy("");
}

enum err option_defaults(const struct option *options, size_t count, void *config, struct error *e)
{
    enum err code = OK;

    for (size_t i = 0; i < count && !code; i++)
        if (options[i].standard)
            code = set(config, &options[i], options[i].standard, e);
    return code;
}

static char *trim(char *text)
{
    size_t length;

    text += strspn(text, " \t\r");
    length = strlen(text);
    while (length && strchr(" \t\r", text[length - 1]))
        text[--length] = '\0';
    return text;
}

static enum err take_line(struct source *s, const char *path, int number, char *line, struct error *e)
{
    struct error          why;
    AUTO(text_free) char *near = NULL;
    const struct option  *o;
    char                 *equals, *key = trim(line);
    size_t                i;

    if (!*key || *key == '#')
        return OK;
    equals = strchr(key, '=');
    if (!equals)
        return fail(e, ERR_USAGE, "%s:%d: '%.60s' is not a setting; a line is: key = value", path, number, key);
    *equals = '\0';
    key = trim(key);
    o = find(s->options, s->count, key, &i);
    if (!o) {
        near = hint(s->options, s->count, key);
        return fail(e, ERR_USAGE, "%s:%d: unknown key '%.60s'%s", path, number, key, near);
    }
    if (s->given[i] && o->type != OPTION_LIST)
        return fail(e, ERR_USAGE, "%s:%d: %s was set already in line %d; keep one of them", path, number, key, s->given[i]);
    if (give(s, i, number, trim(equals + 1), &why))
        return fail(e, why.code, "%s:%d: %s", path, number, why.text);
    return OK;
}

enum err option_file(const struct option *options, size_t count, void *config, const char *path, struct error *e)
{
    AUTO(text_free) char *all = NULL;
    struct source         s = {options, count, config, NULL};
    size_t                length;
    int                   number = 0;
    enum err              code = file_read(path, FILE_LIMIT, &all, &length, e);

    if (code)
        return code;
    if (strlen(all) != length)
        return fail(e, ERR_USAGE, "%s is not a text file: it has NUL bytes", path);
    s.given = must_alloc((count ? count : 1) * sizeof *s.given);
    for (char *line = all, *next; line && !code; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        code = take_line(&s, path, ++number, line, e);
    }
    free(s.given);
    return code;
}

/* One "--name value", "--name=value" or "--bool" at argv[i]; *taken words. */
static enum err take_word(struct source *s, int argc, char **argv, int at, int *taken, struct error *e)
{
    const char           *equals = strchr(argv[at], '='), *value = equals ? equals + 1 : NULL;
    AUTO(text_free) char *name = must_print("%.*s", equals ? (int)(equals - argv[at]) - 2 : 4096, argv[at] + 2), *near = NULL;
    size_t                i = 0;
    const struct option  *o = find(s->options, s->count, name, &i);

    if (!o) {
        near = hint(s->options, s->count, name);
        return fail(e, ERR_USAGE, "unknown option '--%.60s'%s", name, near);
    }
    *taken = 1;
    if (!value && o->type == OPTION_BOOL)
        value = "yes";
    if (!value) {
        if (at + 1 >= argc)
            return fail(e, ERR_USAGE, "--%s needs a value", name);
        value = argv[at + 1];
        *taken = 2;
    }
    return give(s, i, at + 1, value, e);
}

enum err option_words(const struct option *options, size_t count, void *config, int argc, char **argv, int *used, struct error *e)
{
    struct source s = {options, count, config, must_alloc((count ? count : 1) * sizeof(int))};
    enum err      code = OK;
    int           at = 0, taken = 0;

    for (; at < argc && !strncmp(argv[at], "--", 2) && !code; at += taken)
        code = take_word(&s, argc, argv, at, &taken, e);
    free(s.given);
    *used = at;
    return code;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static bool same_list(char **a, char **b)
{
    size_t i = 0;

    if (!a || !b)
        return (!a || !*a) && (!b || !*b);
    while (a[i] && b[i] && !strcmp(a[i], b[i]))
        i++;
    return !a[i] && !b[i];
}

static bool same(const struct option *o, void *a, void *b)
{
    if (is_text(o))
        return same_text(*AT(a, o, char *), *AT(b, o, char *));
    if (o->type == OPTION_LIST)
        return same_list(*AT(a, o, char **), *AT(b, o, char **));
    if (o->type == OPTION_BOOL)
        return *AT(a, o, bool) == *AT(b, o, bool);
    return *AT(a, o, int64_t) == *AT(b, o, int64_t);
}

static void swap(const struct option *o, void *a, void *b)
{
    char   swapped[sizeof(int64_t)];
    size_t size = is_text(o)               ? sizeof(char *)
                  : o->type == OPTION_LIST ? sizeof(char **)
                  : o->type == OPTION_BOOL ? sizeof(bool)
                                           : sizeof(int64_t);

    memcpy(swapped, AT(a, o, char), size);
    memcpy(AT(a, o, char), AT(b, o, char), size);
    memcpy(AT(b, o, char), swapped, size);
}

void option_reload(const struct option *options, size_t count, void *config, void *fresh,
                   void (*told)(void *ctx, const struct option *, bool taken), void *ctx)
{
    for (size_t i = 0; i < count; i++) {
        if (same(&options[i], config, fresh))
            continue;
        if (options[i].live)
            swap(&options[i], config, fresh);
        told(ctx, &options[i], options[i].live);
    }
}

void option_help(const struct option *options, size_t count, void *file)
{
    static const char *const kinds[] = {
        [OPTION_TEXT] = "TEXT",     [OPTION_PATH] = "PATH",         [OPTION_LIST] = "LIST", [OPTION_NUMBER] = "NUMBER",
        [OPTION_BOOL] = "[yes|no]", [OPTION_DURATION] = "DURATION", [OPTION_SIZE] = "SIZE", [OPTION_WORD] = "WORD"};

    for (size_t i = 0; i < count; i++) {
        const struct option *o = &options[i];

        fprintf(file, "  --%s %s\n      %s", o->name, kinds[o->type], o->meaning);
        for (size_t w = 0; o->words && o->words[w]; w++)
            fprintf(file, "%s%s", w ? ", " : " One of: ", o->words[w]);
        if (o->words)
            fprintf(file, ".");
        if (o->standard)
            fprintf(file, " Default: %s.", o->standard);
        fprintf(file, "%s\n", o->live ? " Live." : "");
    }
}

void option_end(const struct option *options, size_t count, void *config)
{
    for (size_t i = 0; i < count; i++) {
        if (is_text(&options[i]))
            set_text(config, &options[i], NULL);
        if (options[i].type == OPTION_LIST) {
            list_end(*AT(config, &options[i], char **));
            *AT(config, &options[i], char **) = NULL;
        }
    }
}
