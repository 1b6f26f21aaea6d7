#include "tools/verb.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tools/show.h"

#define NAME_WIDTH 32                           /* of the longest flag, in help */

static void member_name(const struct flag *f, char out[64])
{
    snprintf(out, 64, "%s", f->member ? f->member : f->name);
    if (!f->member)
        for (char *p = out; *p; p++)
            if (*p == '-')
                *p = '_';
}

static const struct flag *flag_find(const struct verb *v, const char *name, struct error *e)
{
    const char *names[128];
    size_t      n = 0;

    for (const struct flag *f = flags_of(v); f->name; f++) {
        if (!strcmp(f->name, name))
            return f;
        if (n < COUNT(names))
            names[n++] = f->name;
    }
    const char *near = nearest(name, names, n);
    fail(e, ERR_USAGE, "unknown option --%s%s%s%s; see: ferry %s %s --help", name, near ? " (did you mean --" : "", near ? near : "",
         near ? "?)" : "", v->noun, v->name);
    return NULL;
}

static json_t *list_of(json_t *args, const char *member)
{
    json_t *list = json_object_get(args, member);

    if (!list) {
        list = json_array();
        json_object_set_new(args, member, list);
    }
    return list;
}

static void list_add(json_t *args, const char *member, const char *text)
{
    json_t *list = list_of(args, member);

    while (*text) {
        size_t n = strcspn(text, ",");
        if (n)
            json_array_append_new(list, json_stringn(text, n));
        text += n;
        text += *text == ',';
    }
}

static enum err flag_set(json_t *args, const struct flag *f, const char *value, struct error *e)
{
    char member[64], whole[PATH_MAX], *end;
    long long number;

    member_name(f, member);
    switch (f->type) {
    case FLAG_BOOL: json_object_set_new(args, member, json_true()); break;
    case FLAG_NO:   json_object_set_new(args, member, json_false()); break;
    case FLAG_WORD: json_object_set_new(args, member, json_string(f->value)); break;
    case FLAG_LIST: list_add(args, member, value); break;
    case FLAG_EACH: json_array_append_new(list_of(args, member), json_string(value)); break;
    case FLAG_TEXT: json_object_set_new(args, member, json_string(value)); break;
    case FLAG_NUMBER:
        number = strtoll(value, &end, 10);
        if (!*value || *end)
            return fail(e, ERR_USAGE, "--%s wants a whole number, not \"%s\"", f->name, value);
        json_object_set_new(args, member, json_integer(number));
        break;
    case FLAG_PATH:
    case FLAG_PATHS:
        if (!realpath(value, whole))
            return fail_errno(e, "--%s %s", f->name, value);
        if (f->type == FLAG_PATH)
            json_object_set_new(args, member, json_string(whole));
        else
            json_array_append_new(list_of(args, member), json_string(whole));
        break;
    case FLAG_TERMS:
    case FLAG_SETTINGS: break;                  /* flags.c has put their members in their place */
    }
    return OK;
}

static const struct flag global_flags[] = {
    {"json", FLAG_BOOL, NULL, NULL, "print the answer as JSON"},
    {"quiet", FLAG_BOOL, NULL, NULL, "print nothing but errors"},
    {"dry-run", FLAG_BOOL, NULL, NULL, "show what would happen, change nothing"},
    {"debug", FLAG_BOOL, NULL, NULL, "print the calls made to ferryd"},
    {"socket", FLAG_TEXT, NULL, "PATH", "ferryd's control socket (FERRY_SOCKET; /run/ferry/ferryd.sock)"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};

static bool global_set(struct invocation *in, const char *name, const char *value)
{
    if (!strcmp(name, "json"))
        in->json = true;
    else if (!strcmp(name, "quiet"))
        in->quiet = true;
    else if (!strcmp(name, "dry-run"))
        in->dry_run = true;
    else if (!strcmp(name, "debug"))
        in->trace = true;
    else if (!strcmp(name, "socket") && value)
        in->socket = value;
    else
        return false;
    return true;
}

/* The next upper-case word of the pattern as a member name; *list when it ends in "…", *optional when in brackets. */
static const char *word_next(const char *at, char out[64], bool *list, bool *optional)
{
    size_t n = 0;

    at += strspn(at, " ");
    *optional = *at == '[';
    at += *optional;
    while ((isupper((unsigned char)*at) || *at == '_') && n < 63)
        out[n++] = (char)tolower((unsigned char)*at++);
    out[n] = 0;
    *list = !strncmp(at, "…", strlen("…"));
    at += *list ? strlen("…") : 0;
    at += *at == ']';
    return at;
}

static enum err words_set(struct invocation *in, char **words, int count, struct error *e)
{
    const char *at = in->verb->words ? in->verb->words : "";
    char        name[64];
    bool        list, optional;
    int         used = 0;

    while (*at) {
        at = word_next(at, name, &list, &optional);
        if (used == count && !optional)
            return fail(e, ERR_USAGE, "%s is missing; usage: ferry %s%s%s %s", name, in->verb->noun, *in->verb->name ? " " : "",
                        in->verb->name, in->verb->words);
        if (list)
            while (used < count)
                list_add(in->args, name, words[used++]);
        else if (used < count)
            json_object_set_new(in->args, name, json_string(words[used++]));
    }
    if (used < count)
        return fail(e, ERR_USAGE, "\"%s\" is one word too many; usage: ferry %s %s %s", words[used], in->verb->noun, in->verb->name,
                    in->verb->words ? in->verb->words : "");
    return OK;
}

static enum err flag_take(struct invocation *in, int argc, char **argv, int *at, struct error *e)
{
    char               name[64];
    const char        *word = argv[*at] + 2, *equals = strchr(word, '='), *value = equals ? equals + 1 : NULL;
    const struct flag *f = NULL;
    bool               global = false;

    snprintf(name, sizeof name, "%.*s", (int)(equals ? equals - word : (long)strlen(word)), word);
    for (const struct flag *g = global_flags; g->name && !f; g++)
        if (!strcmp(g->name, name)) {
            f = g;
            global = true;
        }
    if (!f && !(f = flag_find(in->verb, name, e)))
        return ERR_USAGE;
    if (f->type != FLAG_BOOL && f->type != FLAG_NO && f->type != FLAG_WORD && !value) {
        if (*at + 1 >= argc)
            return fail(e, ERR_USAGE, "--%s wants a value: %s", name, f->meaning);
        value = argv[++*at];
    }
    if (global)
        return global_set(in, name, value) ? OK : ERR_USAGE;
    return flag_set(in->args, f, value, e);
}

enum err verb_parse(struct invocation *in, int argc, char **argv, struct error *e)
{
    char   **words = must_grow(NULL, (size_t)argc + 1, sizeof *words);
    int      count = 0;
    enum err code = OK;
    bool     plain = false;

    in->args = json_object();
    for (int i = 0; i < argc && !code; i++) {
        if (!plain && !strcmp(argv[i], "--"))
            plain = true;
        else if (!plain && !strncmp(argv[i], "--", 2))
            code = flag_take(in, argc, argv, &i, e);
        else
            words[count++] = argv[i];
    }
    if (!code)
        code = words_set(in, words, count, e);
    free(words);
    return code;
}

static void percent(struct text *out, const char *text, bool slashes)
{
    for (; *text; text++)
        if (isalnum((unsigned char)*text) || strchr("-._~", *text) || (slashes && *text == '/'))
            text_add(out, "%c", *text);
        else
            text_add(out, "%%%02X", (unsigned char)*text);
}

/* Fills {name} of the path and takes what was used out of rest. */
static enum err path_fill(const char *path, json_t *rest, struct text *out, struct error *e)
{
    while (*path) {
        char   name[64];
        size_t n = strcspn(path, "{");

        text_put(out, path, n);
        path += n;
        if (!*path)
            break;
        n = strcspn(path, "}");
        snprintf(name, sizeof name, "%.*s", (int)n - 1, path + 1);
        path += n + 1;
        name[strcspn(name, ".")] = 0;
        if (!json_string_length(json_object_get(rest, name)))
            return fail(e, ERR_USAGE, "%s is missing", name);
        percent(out, json_string_value(json_object_get(rest, name)), false);
        json_object_del(rest, name);
    }
    return OK;
}

static void query_add(struct text *out, json_t *rest, bool dry, bool plan)
{
    const char *name, *sep = "?";
    json_t     *value;

    json_object_foreach(rest, name, value) {
        text_add(out, "%s%s=", sep, name);
        if (json_is_string(value))
            percent(out, json_string_value(value), false);
        else if (json_is_integer(value))
            text_add(out, "%lld", (long long)json_integer_value(value));
        else
            text_add(out, "%d", json_is_true(value));
        sep = "&";
    }
    if (dry || plan)
        text_add(out, "%s%s=1", sep, plan ? "plan" : "dry_run");
}

enum err verb_ask_at(struct invocation *in, const char *method, const char *path, const json_t *args, json_t **out, struct error *e)
{
    struct text url  AUTO(text_end) = {0};
    json_t     *rest = json_deep_copy(args), *none = json_object();
    bool        get = !strcmp(method, "GET");
    enum err    code = in->talk ? OK : talk_open(in->socket, in->trace, &in->talk, e);

    if (!code)
        code = path_fill(path, rest, &url, e);
    if (!code) {
        query_add(&url, get ? rest : none, in->dry_run && !get, in->plan && !get);
        code = talk_ask(in->talk, method, url.data, get ? NULL : rest, out, e);
    }
    json_decref(rest);
    json_decref(none);
    return code;
}

enum err verb_ask(struct invocation *in, json_t **out, struct error *e)
{
    return verb_ask_at(in, in->verb->method, in->verb->path, in->args, out, e);
}

static void lines_show(struct invocation *in, const json_t *job, size_t *seen)
{
    const json_t *lines = json_object_get(job, "lines");

    for (; *seen < json_array_size(lines); ++*seen)
        if (!in->quiet && !in->json) {
            show_progress_end();
            printf("%s\n", json_string_value(json_array_get(lines, *seen)));
        }
}

enum err verb_follow(struct invocation *in, const json_t *started, json_t **out, struct error *e)
{
    json_t *args = json_pack("{s:O}", "job", json_object_get(started, "job")), *job = NULL;
    size_t  seen = 0;
    enum err code;

    while (!(code = verb_ask_at(in, "GET", "/api/v1/jobs/{job}", args, &job, e))) {
        const char *state = json_string_value(json_object_get(job, "state")), *unit = json_string_value(json_object_get(job, "unit"));
        const char *step = json_string_value(json_object_get(job, "step")), *what = json_string_value(json_object_get(job, "what"));

        lines_show(in, job, &seen);
        if (state && strcmp(state, "running"))
            break;
        if (!in->quiet && !in->json)
            show_progress(what ? what : "", step ? step : "", json_integer_value(json_object_get(job, "done")),
                          json_integer_value(json_object_get(job, "total")), unit && !strcmp(unit, "bytes"));
        json_decref(job);
        job = NULL;
        talk_wait(in->talk, 150);
    }
    show_progress_end();
    if (!code && strcmp(json_string_value(json_object_get(job, "state")), "done")) {
        const json_t *why = json_object_get(job, "error");
        const char   *name = json_string_value(json_object_get(why, "code")), *text = json_string_value(json_object_get(why, "text"));
        code = fail(e, err_by_name(name ? name : "failed"), "%s", text ? text : "the work failed");
    }
    if (!code)
        *out = json_incref(json_object_get(job, "result"));
    json_decref(job);
    json_decref(args);
    return code;
}

enum err run_job(struct invocation *in, struct error *e)
{
    json_t  *started = NULL, *result = NULL;
    enum err code = verb_ask(in, &started, e);

    if (!code && json_object_get(started, "job"))
        code = verb_follow(in, started, &result, e);
    if (!code)
        verb_show(in, result ? result : started);
    json_decref(started);
    json_decref(result);
    return code;
}

void verb_show(struct invocation *in, const json_t *answer)
{
    const json_t *items = json_object_get(answer, "items");
    const char   *message = json_string_value(json_object_get(answer, "message"));

    if (in->quiet)
        return;
    if (in->json) {
        json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
        putchar('\n');
    } else if (items && in->verb->columns) {
        json_int_t total = json_integer_value(json_object_get(answer, "total"));
        if (json_array_size(items))
            show_table(items, in->verb->columns);
        else
            printf("none\n");
        if (total > (json_int_t)json_array_size(items))
            printf("… %lld more; --limit %lld shows them all\n", (long long)total - (long long)json_array_size(items), (long long)total);
        if (message)
            printf("%s\n", message);
    } else if (message) {
        printf("%s%s\n", message, json_is_true(json_object_get(answer, "dry_run")) ? " (dry run: nothing was changed)" : "");
    } else {
        show_members(answer, 0);
    }
}

void verb_usage(const struct verb *v, void *file)
{
    FILE *f = file;

    fprintf(f, "ferry %s%s%s%s%s%s\n    %s\n", v->noun, *v->name ? " " : "", v->name, v->words ? " " : "", v->words ? v->words : "",
            v->flags ? " [options]" : "", v->about);
    if (v->example)
        fprintf(f, "\nExample:\n    %s\n", v->example);
    if (v->flags)
        fprintf(f, "\nOptions:\n");
    for (const struct flag *g = flags_of(v); g->name; g++) {
        bool valued = g->type != FLAG_BOOL && g->type != FLAG_NO && g->type != FLAG_WORD;
        bool pair = g->type == FLAG_BOOL && g[1].name && g[1].type == FLAG_NO && !strcmp(g[1].name + 3, g->name);
        char name[96];

        snprintf(name, sizeof name, "--%s%s%s", g->name, valued ? " " : "", valued ? (g->value ? g->value : "VALUE") : "");
        fprintf(f, "    %-*s %s%s%s%s\n", NAME_WIDTH, name, g->meaning,
                g->type == FLAG_LIST || g->type == FLAG_EACH || g->type == FLAG_PATHS ? " (may be repeated)" : "",
                pair ? "; or --" : "", pair ? g[1].name : "");
        g += pair;
    }
    fprintf(f, "\nEverywhere:\n");
    for (const struct flag *g = global_flags; g->name; g++)
        fprintf(f, "    --%-*s %s\n", NAME_WIDTH - 2, g->name, g->meaning);
}
