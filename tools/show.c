#include "tools/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

#define COLUMNS 16

struct column {
    char   member[64], title[32], kind[12];
    size_t width;
};

bool show_on_terminal(int fd)
{
    return isatty(fd) == 1;
}

static size_t columns_read(const char *text, struct column *out)
{
    size_t n = 0;

    while (*text && n < COLUMNS) {
        size_t length = strcspn(text, " ");
        char   word[128];

        snprintf(word, sizeof word, "%.*s", (int)length, text);
        if (sscanf(word, "%63[^:]:%31[^:]:%11s", out[n].member, out[n].title, out[n].kind) < 3)
            out[n].kind[0] = 0;
        for (char *p = out[n].title; *p; p++)
            if (*p == '_')
                *p = ' ';
        n++;
        text += length;
        text += strspn(text, " ");
    }
    return n;
}

static const json_t *member_at(const json_t *object, const char *path)
{
    char  copy[64], *save = NULL;
    const json_t *at = object;

    snprintf(copy, sizeof copy, "%s", path);
    if (json_object_get(object, path))
        return json_object_get(object, path);
    for (char *part = strtok_r(copy, ".", &save); part && at; part = strtok_r(NULL, ".", &save))
        at = json_object_get(at, part);
    return at;
}

static void list_text(const json_t *value, struct text *out)
{
    size_t  i;
    json_t *item;

    json_array_foreach(value, i, item)
        if (json_is_string(item))
            text_add(out, "%s%s", i ? ", " : "", json_string_value(item));
    if (!out->data)
        text_add(out, json_array_size(value) ? "%zu" : "-", json_array_size(value));
}

static char *cell(const json_t *value, const char *kind)
{
    struct text out = {0};
    char        size[16];

    if (json_is_integer(value) && !strcmp(kind, "size"))
        text_add(&out, "%s", size_print((uint64_t)json_integer_value(value), size));
    else if (json_is_integer(value) && !strcmp(kind, "percent"))
        text_add(&out, "%lld %%", (long long)json_integer_value(value));
    else if (json_is_integer(value))
        text_add(&out, "%lld", (long long)json_integer_value(value));
    else if (json_is_string(value))
        text_add(&out, "%s", json_string_length(value) ? json_string_value(value) : "-");
    else if (json_is_boolean(value))
        text_add(&out, "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_array(value))
        list_text(value, &out);
    else
        text_add(&out, "-");
    for (char *p = out.data; p && *p; p++)
        if ((unsigned char)*p < 32)
            *p = ' ';
    return text_take(&out);
}

/* Printable width, so that UTF-8 titles keep their column. */
static size_t width_of(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void row(char **cells, const struct column *columns, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        size_t      width = width_of(cells[c]);
        const char *text = columns[c].kind[0] ? cells[c] : show_state(cells[c]);

        if (!strcmp(columns[c].kind, "size") || !strcmp(columns[c].kind, "n"))
            printf("%*s%s%s", (int)(columns[c].width - width), "", text, c + 1 < n ? "  " : "");
        else
            printf("%s%*s", text, c + 1 < n ? (int)(columns[c].width - width) + 2 : 0, "");
    }
    putchar('\n');
}

void show_table(const json_t *items, const char *text)
{
    struct column columns[COLUMNS];
    size_t        n = columns_read(text, columns), rows = json_array_size(items), i;
    json_t       *item;
    char        **cells = must_grow(NULL, (rows + 1) * n, sizeof *cells);

    for (size_t c = 0; c < n; c++) {
        cells[c] = must_copy(columns[c].title);
        columns[c].width = width_of(columns[c].title);
    }
    json_array_foreach(items, i, item)
        for (size_t c = 0; c < n; c++) {
            char *value = cell(member_at(item, columns[c].member), columns[c].kind);
            if (width_of(value) > columns[c].width)
                columns[c].width = width_of(value);
            cells[(i + 1) * n + c] = value;
        }
    for (i = 0; i <= rows; i++)
        row(cells + i * n, columns, n);
    for (i = 0; i < (rows + 1) * n; i++)
        free(cells[i]);
    free(cells);
}

void show_members(const json_t *object, int indent)
{
    const char *name;
    json_t     *value;

    json_object_foreach((json_t *)object, name, value) {
        if (json_is_object(value)) {
            printf("%*s%s:\n", indent, "", name);
            show_members(value, indent + 2);
        } else if (json_is_array(value) && json_is_object(json_array_get(value, 0))) {
            size_t  i;
            json_t *item;
            printf("%*s%s:\n", indent, "", name);
            json_array_foreach(value, i, item) {
                show_members(item, indent + 4);
                if (i + 1 < json_array_size(value))
                    putchar('\n');
            }
        } else {
            char *text = cell(value, strstr(name, "bytes") || !strcmp(name, "size") ? "size" : "");
            printf("%*s%-*s %s\n", indent, "", 22 - indent, name, show_state(text));
            free(text);
        }
    }
}

const char *show_state(const char *word)
{
    static const struct { const char *word, *colour; } colours[] = {
        {"installed", "32"}, {"compliant", "32"}, {"complete", "32"}, {"failed", "31"}, {"refused", "31"}, {"required", "33"},
        {"downloading", "36"}, {"installing", "36"}, {"unknown", "35"}, {"expired", "31"}, {"superseded", "90"},
    };
    static char ring[8][64];
    static int  at;

    if (!show_on_terminal(1) || getenv("NO_COLOR") || strlen(word) > 40)
        return word;
    for (size_t i = 0; i < COUNT(colours); i++)
        if (!strcmp(word, colours[i].word)) {
            at = (at + 1) & 7;
            snprintf(ring[at], sizeof ring[at], "\033[%sm%s\033[0m", colours[i].colour, word);
            return ring[at];
        }
    return word;
}

static bool drawn;

void show_progress(const char *what, const char *step, int64_t done, int64_t total, bool bytes)
{
    static char  last[200];
    const int    cells = 24;
    int          full = total > 0 ? (int)(done * cells / total) : 0;
    char         bar[80] = "", a[16], b[16];

    if (!show_on_terminal(2)) {
        if (strcmp(last, step))
            fprintf(stderr, "%s: %s\n", what, step);
        snprintf(last, sizeof last, "%s", step);
        return;
    }
    if (full > cells)
        full = cells;
    for (int i = 0; i < cells; i++)
        strcat(bar, i < full ? "#" : ".");
    if (bytes)
        fprintf(stderr, "\r\033[K%s [%s] %s of %s  %s", what, bar, size_print((uint64_t)done, a), size_print((uint64_t)total, b), step);
    else
        fprintf(stderr, "\r\033[K%s [%s] %lld of %lld  %s", what, bar, (long long)done, (long long)total, step);
    fflush(stderr);
    drawn = true;
}

void show_progress_end(void)
{
    if (drawn)
        fprintf(stderr, "\r\033[K");
    drawn = false;
}
