#include "policy/trust/canonical.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Only the two escapes; a line feed stays a line feed, which is why a JSON library's own dumper is not this. */
static void print_text(struct text *out, const char *text, size_t length)
{
    size_t begin = 0;

    text_put(out, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '"' && text[i] != '\\')
            continue;
        text_put(out, text + begin, i - begin);
        text_put(out, "\\", 1);
        begin = i;
    }
    text_put(out, text + begin, length - begin);
    text_put(out, "\"", 1);
}

static enum err print(struct text *out, const json_t *value, struct error *e);

static enum err print_object(struct text *out, const json_t *value, struct error *e)
{
    size_t       n = 0;
    const char **names = must_alloc((json_object_size(value) + 1) * sizeof *names), *name;
    json_t      *item;
    enum err     code = OK;

    json_object_foreach((json_t *)value, name, item)
        names[n++] = name;
    qsort(names, n, sizeof *names, by_bytes);
    text_put(out, "{", 1);
    for (size_t i = 0; i < n && !code; i++) {
        if (i)
            text_put(out, ",", 1);
        print_text(out, names[i], strlen(names[i]));
        text_put(out, ":", 1);
        code = print(out, json_object_get(value, names[i]), e);
    }
    text_put(out, "}", 1);
    free(names);
    return code;
}

static enum err print_array(struct text *out, const json_t *value, struct error *e)
{
    json_t  *item;
    size_t   i;
    enum err code = OK;

    text_put(out, "[", 1);
    json_array_foreach(value, i, item) {
        if (i)
            text_put(out, ",", 1);
        code = code ? code : print(out, item, e);
    }
    text_put(out, "]", 1);
    return code;
}

static enum err print(struct text *out, const json_t *value, struct error *e)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:  return print_object(out, value, e);
    case JSON_ARRAY:   return print_array(out, value, e);
    case JSON_STRING:  print_text(out, json_string_value(value), json_string_length(value)); return OK;
    case JSON_INTEGER: text_add(out, "%lld", (long long)json_integer_value(value)); return OK;
    case JSON_TRUE:    text_add(out, "true"); return OK;
    case JSON_FALSE:   text_add(out, "false"); return OK;
    case JSON_NULL:    text_add(out, "null"); return OK;
    case JSON_REAL:    break;
    }
    return fail(e, ERR_VERIFY, "canonical JSON has no fractional numbers; only whole numbers are accepted");
}

enum err canonical_print(const json_t *value, char **out, size_t *length, struct error *e)
{
    AUTO(text_end) struct text text = {0};
    enum err                   code = print(&text, value, e);

    if (code)
        return code;
    *length = text.length;
    *out = text_take(&text);
    return OK;
}
