#include "policy/document/update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/collection.h"
#include "policy/document/json.h"

#define TEXT        4096
#define DESCRIPTION 16384
#define NUMBERS     16
#define FILES       2000                        /* the most binaries a source of Debian 12 has: 521 */

static const char *const classes[] = {
#define X(name, text) text,
    CLASS_LIST(X)
#undef X
};
static const char *const severities[] = {
#define X(name, text) text,
    SEVERITY_LIST(X)
#undef X
};
static const char *const states[] = {
#define X(name, text) text,
    STATE_LIST(X)
#undef X
};
static const char *const detects[] = {"dpkg", "program", "file"};
static const char *const installs[] = {"apt", "command"};
static const char *const meanings[] = {"success", "restart", "retry", "failure"};

const char *class_name(enum update_class c)
{
    return classes[c];
}

const char *severity_name(enum severity s)
{
    return severities[s];
}

const char *state_name(enum update_state s)
{
    return states[s];
}

static bool by_name(const char *const *names, size_t count, const char *name, unsigned *out)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], name)) {
            *out = (unsigned)i;
            return true;
        }
    return false;
}

bool class_by_name(const char *name, enum update_class *out)
{
    unsigned i;
    bool     found = by_name(classes, COUNT(classes), name, &i);

    if (found)
        *out = (enum update_class)i;
    return found;
}

bool severity_by_name(const char *name, enum severity *out)
{
    unsigned i;
    bool     found = by_name(severities, COUNT(severities), name, &i);

    if (found)
        *out = (enum severity)i;
    return found;
}

bool state_by_name(const char *name, enum update_state *out)
{
    unsigned i;
    bool     found = by_name(states, COUNT(states), name, &i);

    if (found)
        *out = (enum update_state)i;
    return found;
}

void words_free(char **words)
{
    for (char **w = words; w && *w; w++)
        free(*w);
    free(words);
}

char **words_copy(char *const *words)
{
    size_t n = 0;
    char **copy;

    if (!words)
        return NULL;
    while (words[n])
        n++;
    copy = must_alloc((n + 1) * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = must_copy(words[i]);
    return copy;
}

void update_end(struct update *u)
{
    for (size_t i = 0; i < u->file_count; i++) {
        free(u->files[i].name);
        free(u->files[i].origin);
        free(u->files[i].package);
        free(u->files[i].version);
        free(u->files[i].arch);
    }
    free(u->files);
    free(u->id);
    free(u->catalog);
    free(u->name);
    free(u->version);
    free(u->title);
    free(u->description);
    free(u->urgency);
    free(u->product);
    free(u->vendor);
    words_free(u->cves);
    words_free(u->articles);
    words_free(u->bulletins);
    words_free(u->languages);
    free(u->detect.program);
    words_free(u->detect.args);
    free(u->detect.path);
    free(u->install.program);
    words_free(u->install.args);
    free(u->install.codes);
    free(u->applies);
    memset(u, 0, sizeof *u);
}

void update_free(struct update *u)
{
    if (!u)
        return;
    update_end(u);
    free(u);
}

uint64_t update_size(const struct update *u)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < u->file_count; i++)
        sum += u->files[i].size;
    return sum;
}

static unsigned word_read(struct reader *r, const char *name, const char *const *words, size_t count)
{
    const char *text = reader_text(r, name, 64);
    unsigned    i = 0;

    if (!r->verdict && !by_name(words, count, text, &i))
        reader_fail(r, name, "\"%.40s\" is not one of %s, %s …", text, words[0], words[1]);
    return i;
}

static void file_read_json(struct reader *parent, size_t index, const json_t *value, struct update_file *f)
{
    struct reader r;

    reader_item(&r, parent, "files", index, value);
    f->sha256 = reader_sha256(&r, "sha256");
    f->size = (uint64_t)reader_number(&r, "size", 0, SIZE_MOST);
    f->name = reader_copy(&r, "name", 1024);
    f->origin = reader_copy_or_null(&r, "origin", TEXT);
    f->package = reader_copy_or_null(&r, "package", 255);
    f->version = reader_copy_or_null(&r, "version", 255);
    f->arch = reader_copy_or_null(&r, "arch", 64);
    if (!*f->name || *f->name == '/' || strstr(f->name, ".."))
        reader_fail(&r, "name", "a relative path without \"..\" was expected");
    parent->verdict = reader_done(&r);
}

static void detect_read(struct reader *parent, struct detect *d)
{
    struct reader r;

    reader_sub(&r, parent, "detect");
    d->type = (enum detect_type)word_read(&r, "type", detects, COUNT(detects));
    d->program = reader_copy_or_null(&r, "program", TEXT);
    d->args = reader_words(&r, "args", 64, TEXT);
    d->path = reader_copy_or_null(&r, "path", TEXT);
    if (reader_has(&r, "sha256"))
        d->sha256 = reader_sha256(&r, "sha256");
    if (d->type == DETECT_PROGRAM && !d->program)
        reader_fail(&r, "program", "is missing; detection by program needs one");
    if (d->type == DETECT_FILE && (!d->path || sha256_is_zero(&d->sha256)))
        reader_fail(&r, d->path ? "sha256" : "path", "is missing; detection by file needs path and sha256");
    parent->verdict = reader_done(&r);
}

static void codes_read(struct reader *r, struct install *in)
{
    const json_t *list = reader_array_or(r, "codes", 256);

    in->codes = must_alloc((json_array_size(list) + 1) * sizeof *in->codes);
    for (size_t i = 0; i < json_array_size(list) && !r->verdict; i++) {
        struct reader c;
        reader_item(&c, r, "codes", i, json_array_get(list, i));
        in->codes[i].code = (uint32_t)reader_number(&c, "code", 0, UINT32_MAX);
        in->codes[i].meaning = (enum return_meaning)word_read(&c, "meaning", meanings, COUNT(meanings));
        r->verdict = reader_done(&c);
        in->code_count = i + 1;
    }
}

static void install_read(struct reader *parent, struct install *in)
{
    struct reader r;

    reader_sub(&r, parent, "install");
    in->type = (enum install_type)word_read(&r, "type", installs, COUNT(installs));
    in->program = reader_copy_or_null(&r, "program", TEXT);
    in->args = reader_words(&r, "args", 64, TEXT);
    codes_read(&r, in);
    in->max_run_s = reader_number(&r, "max_run_s", 1, 599940);
    in->exclusive = reader_bool_or(&r, "exclusive", false);
    if (in->type == INSTALL_COMMAND && !in->program)
        reader_fail(&r, "program", "is missing");
    parent->verdict = reader_done(&r);
}

/* Refused here, so that no node meets a rule it cannot read. */
static void applies_check(struct reader *r, const char *rule)
{
    struct expression *x;
    struct error       why;

    if (!rule || r->verdict)
        return;
    if (expression_parse(rule, &fact_vocabulary, &x, &why))
        reader_fail(r, "applies", "%.300s", why.text);
    else
        expression_free(x);
}

/* The site keeps them in one text with blanks between. */
static char **numbers_read(struct reader *r, const char *name)
{
    char **words = reader_words(r, name, NUMBERS, 64);

    for (char **w = words; w && *w && !r->verdict; w++)
        if (!**w || strpbrk(*w, " \t\r\n"))
            reader_fail(r, name, "words without blanks were expected");
    return words;
}

static void texts_read(struct reader *r, struct update *u)
{
    u->id = reader_copy(r, "id", 255);
    if (!*u->id)
        reader_fail(r, "id", "an id was expected");
    u->catalog = reader_copy(r, "catalog", 255);
    u->name = reader_copy(r, "name", 255);
    u->version = reader_copy(r, "version", 255);
    u->title = reader_copy(r, "title", TEXT);
    u->description = reader_copy(r, "description", DESCRIPTION);
    u->urgency = reader_copy(r, "urgency", 64);
    u->product = reader_copy(r, "product", 255);
    u->vendor = reader_copy(r, "vendor", 255);
    u->applies = reader_copy_or_null(r, "applies", TEXT);
    u->cves = reader_words(r, "cves", 64, 64);
    u->articles = numbers_read(r, "articles");
    u->bulletins = numbers_read(r, "bulletins");
    u->languages = numbers_read(r, "languages");
    applies_check(r, u->applies);
}

enum err update_from_json(const json_t *value, const char *path, struct update **out, struct error *e)
{
    struct update *u = must_alloc(sizeof *u);
    struct reader  r;
    const json_t  *files;

    reader_init(&r, value, path, e);
    texts_read(&r, u);
    u->classification = (enum update_class)word_read(&r, "classification", classes, COUNT(classes));
    u->severity = (enum severity)word_read(&r, "severity", severities, COUNT(severities));
    u->released = reader_time_or(&r, "released", 0);
    files = reader_array(&r, "files", FILES);
    u->files = must_alloc((json_array_size(files) + 1) * sizeof *u->files);
    for (size_t i = 0; i < json_array_size(files) && !r.verdict; i++) {
        u->file_count = i + 1;
        file_read_json(&r, i, json_array_get(files, i), &u->files[i]);
    }
    detect_read(&r, &u->detect);
    install_read(&r, &u->install);
    if (reader_done(&r)) {
        update_free(u);
        return r.verdict;
    }
    *out = u;
    return OK;
}

static json_t *files_print(const struct update *u)
{
    json_t *list = json_array();

    for (size_t i = 0; i < u->file_count; i++) {
        const struct update_file *f = &u->files[i];
        json_t                   *o = json_object();
        put_sha256(o, "sha256", &f->sha256);
        json_object_set_new(o, "size", json_integer((json_int_t)f->size));
        put_text(o, "name", f->name);
        put_text(o, "origin", f->origin);
        put_text(o, "package", f->package);
        put_text(o, "version", f->version);
        put_text(o, "arch", f->arch);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *detect_print(const struct detect *d)
{
    json_t *o = json_pack("{s:s}", "type", detects[d->type]);

    put_text(o, "program", d->program);
    put_words(o, "args", d->args);
    put_text(o, "path", d->path);
    if (!sha256_is_zero(&d->sha256))
        put_sha256(o, "sha256", &d->sha256);
    return o;
}

static json_t *install_print(const struct install *in)
{
    json_t *o = json_pack("{s:s,s:I}", "type", installs[in->type], "max_run_s", (json_int_t)in->max_run_s);

    put_text(o, "program", in->program);
    put_words(o, "args", in->args);
    if (in->exclusive)
        json_object_set_new(o, "exclusive", json_true());
    if (in->code_count) {
        json_t *list = json_array();
        for (size_t i = 0; i < in->code_count; i++)
            json_array_append_new(list,
                                  json_pack("{s:I,s:s}", "code", (json_int_t)in->codes[i].code, "meaning", meanings[in->codes[i].meaning]));
        json_object_set_new(o, "codes", list);
    }
    return o;
}

json_t *update_to_json(const struct update *u)
{
    json_t *o = json_object();

    put_text(o, "id", u->id);
    put_text(o, "catalog", u->catalog);
    put_text(o, "name", u->name);
    put_text(o, "version", u->version);
    put_text(o, "title", u->title ? u->title : u->name);
    put_text(o, "description", u->description ? u->description : "");
    put_text(o, "classification", classes[u->classification]);
    put_text(o, "severity", severities[u->severity]);
    put_text(o, "urgency", u->urgency ? u->urgency : "");
    put_text(o, "product", u->product ? u->product : "");
    put_text(o, "vendor", u->vendor ? u->vendor : "");
    put_words(o, "cves", u->cves);
    put_words(o, "articles", u->articles);
    put_words(o, "bulletins", u->bulletins);
    put_words(o, "languages", u->languages);
    put_time(o, "released", u->released);
    put_text(o, "applies", u->applies);
    json_object_set_new(o, "files", files_print(u));
    json_object_set_new(o, "detect", detect_print(&u->detect));
    json_object_set_new(o, "install", install_print(&u->install));
    return o;
}
