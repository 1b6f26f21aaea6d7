#include "node/base/log.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "node/base/clock.h"

enum log_form { FORM_JSON, FORM_TERMINAL, FORM_JOURNAL };

static struct {
    enum log_level most;
    enum log_form  form;
    char           who[32], node[80];
} log_state = {LOG_TELL, FORM_JSON, "ferryd", ""};

static const struct {
    enum log_level level;
    const char    *word;
} words[] = {{LOG_FATAL, "fatal"}, {LOG_WRONG, "error"}, {LOG_WARN, "warning"},
             {LOG_NOTE, "notice"}, {LOG_TELL, "info"},   {LOG_TRACE, "debug"}};

/* JOURNAL_STREAM names the device and inode of the journal's stream; somebody may have pointed stderr elsewhere since (systemd.exec(5)). */
static bool to_journal(void)
{
    const char        *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat        st;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && !fstat(STDERR_FILENO, &st) && st.st_dev == device &&
           st.st_ino == inode;
}

void log_open(enum log_level most, const char *who, const char *node)
{
    log_state.most = most;
    log_state.form = to_journal() ? FORM_JOURNAL : isatty(STDERR_FILENO) ? FORM_TERMINAL : FORM_JSON;
    snprintf(log_state.who, sizeof log_state.who, "%s", who ? who : "ferryd");
    snprintf(log_state.node, sizeof log_state.node, "%s", node ? node : "");
}

bool log_level_read(const char *word, enum log_level *out)
{
    for (size_t i = 0; i < COUNT(words); i++)
        if (!strcmp(words[i].word, word)) {
            *out = words[i].level;
            return true;
        }
    return false;
}

static const char *level_word(enum log_level level)
{
    for (size_t i = 0; i < COUNT(words); i++)
        if (words[i].level == level)
            return words[i].word;
    return "info";
}

/* Texts may come from a peer: no line breaks, no escape sequences reach a terminal. */
static void put_plain(struct text *t, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        text_put(t, c < 0x20 || c == 0x7f ? "?" : text, 1);
    }
}

static json_t *any_string(const char *text)
{
    json_t *s = json_string(text);

    if (!s) {                                   /* not UTF-8 */
        char *copy = must_copy(text);

        for (char *p = copy; *p; p++)
            *p = (unsigned char)*p >= 0x80 ? '?' : *p;
        s = json_string(copy);
        free(copy);
    }
    return s;
}

static void form_json(struct text *t, enum log_level level, const char *event, const char *message, va_list fields)
{
    json_t     *line = json_object();
    const char *name;
    char       *out;
    char        time[TIME_SIZE];

    json_object_set_new(line, "time", json_string(time_print(clock_now(), time)));
    json_object_set_new(line, "PRIORITY", json_integer(level));
    json_object_set_new(line, "SYSLOG_IDENTIFIER", any_string(log_state.who));
    json_object_set_new(line, "FERRY_EVENT", any_string(event));
    json_object_set_new(line, "MESSAGE", any_string(message));
    if (*log_state.node)
        json_object_set_new(line, "FERRY_NODE", any_string(log_state.node));
    while ((name = va_arg(fields, const char *))) {
        const char *value = va_arg(fields, const char *);

        if (value)
            json_object_set_new(line, name, any_string(value));
    }
    out = json_dumps(line, JSON_COMPACT);
    text_add(t, "%s\n", out ? out : "{}");
    free(out);
    json_decref(line);
}

static void form_line(struct text *t, enum log_level level, const char *event, const char *message, va_list fields)
{
    const char *name;
    char        time[TIME_SIZE];

    if (log_state.form == FORM_JOURNAL)
        text_add(t, "<%d>", (int)level);
    else
        text_add(t, "%s %-7s ", time_print(clock_now(), time), level_word(level));
    put_plain(t, message);
    text_add(t, " [%s", event);
    while ((name = va_arg(fields, const char *))) {
        const char *value = va_arg(fields, const char *);

        if (!value)
            continue;
        text_add(t, " %s=", name);
        put_plain(t, value);
    }
    text_add(t, "]\n");
}

void log_say(enum log_level level, const char *event, const char *message, ...)
{
    AUTO(text_end) struct text t = {0};
    va_list                    fields;

    if (level > log_state.most)
        return;
    va_start(fields, message);
    if (log_state.form == FORM_JSON)
        form_json(&t, level, event, message, fields);
    else
        form_line(&t, level, event, message, fields);
    va_end(fields);
    fwrite(t.data, 1, t.length, stderr);
}

void log_error(enum log_level level, const char *event, const char *doing, const struct error *e)
{
    AUTO(text_free) char *message = must_print("%s: %s", doing, e->text);

    log_say(level, event, message, "FERRY_REASON", err_name(e->code), NULL);
}
