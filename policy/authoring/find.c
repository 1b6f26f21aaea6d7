/* Filters over updates: the expression language compiled to parameterised SQL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"

static const char *const severities[] = {
#define X(name, text) text,
    SEVERITY_LIST(X)
#undef X
    NULL};
static const char *const classes[] = {
#define X(name, text) text,
    CLASS_LIST(X)
#undef X
    NULL};

#define WORDS_MOST 200

#define SCANNED "(SELECT count(*) FROM node WHERE scanned > 0 AND retired = 0)"
/* The candidates are the fields of configmgr-semantics.md 1.1 that the ledger knows. */
static const struct property properties[] = {
    {"id", PROPERTY_TEXT, NULL, "catalog, name and version in one", "id"},
    {"name", PROPERTY_TEXT, NULL, "source package or article", "name"},
    {"title", PROPERTY_TEXT, NULL, "what people see", "title"},
    {"description", PROPERTY_TEXT, NULL, "the long text", "description"},
    {"classification", PROPERTY_ENUM, classes, "security, critical, update …", "classification"},
    {"severity", PROPERTY_ENUM, severities, "low to critical", "severity"},
    {"custom-severity", PROPERTY_ENUM, severities, "the administrator's own; none unless set", "coalesce(custom_severity, 'none')"},
    {"product", PROPERTY_TEXT, NULL, "Debian bookworm", "product"},
    {"vendor", PROPERTY_TEXT, NULL, "Debian", "vendor"},
    {"version", PROPERTY_TEXT, NULL, "its version", "version"},
    {"catalog", PROPERTY_TEXT, NULL, "the catalog's name", "catalog"},
    {"arch", PROPERTY_TEXT, NULL, "architecture", "arch"},
    {"urgency", PROPERTY_TEXT, NULL, "Debian's urgency", "urgency"},
    {"cve", PROPERTY_LIST, NULL, "a CVE id it names", "cves"},
    {"article", PROPERTY_LIST, NULL, "a number of the vendor's knowledge base", "articles"},
    {"bulletin", PROPERTY_LIST, NULL, "a security bulletin's number", "bulletins"},
    {"language", PROPERTY_LIST, NULL, "a language it is for", "languages"},
    {"size", PROPERTY_SIZE, NULL, "bytes of all its files", "size"},
    {"released", PROPERTY_TIME, NULL, "when the vendor released it", "released"},
    {"revised", PROPERTY_TIME, NULL, "when this site last saw it change", "revised"},
    {"superseded", PROPERTY_BOOL, NULL, "a newer one replaces it", "superseded"},
    {"superseded-since", PROPERTY_TIME, NULL, "when this site first saw the newer one", "superseded_since"},
    {"expired", PROPERTY_BOOL, NULL, "the vendor no longer has it", "expired"},
    {"deployed", PROPERTY_BOOL, NULL, "some deployment carries it",
     "EXISTS (SELECT 1 FROM member m JOIN deployment d ON d.grp = m.grp AND d.withdrawn = 0 WHERE m.update_id = upd.id)"},
    {"downloaded", PROPERTY_BOOL, NULL, "its files are in the library",
     "EXISTS (SELECT 1 FROM member m WHERE m.update_id = upd.id AND m.downloaded = 1)"},
    {"required", PROPERTY_NUMBER, NULL, "nodes that need it", "required"},
    {"installed", PROPERTY_NUMBER, NULL, "nodes that have it", "installed"},
    {"unknown", PROPERTY_NUMBER, NULL, "nodes that cannot tell", "unknown"},
    {"not-required", PROPERTY_NUMBER, NULL, "scanned nodes that do not need it", "(" SCANNED " - required - installed - unknown)"},
    {"compliance", PROPERTY_NUMBER, NULL, "percent of scanned nodes that have it or do not need it",
     "(CASE " SCANNED " WHEN 0 THEN 0 ELSE 100 * (" SCANNED " - required - unknown) / " SCANNED " END)"},
};
const struct vocabulary update_vocabulary = {properties, COUNT(properties), false};

static const char *const operators[] = {"=", "<>", "<", "<=", ">", ">="};
/* now - value < age  ⇔  value > now - age: ages turn the comparison round. */
static const char *const age_operators[] = {"=", "<>", ">", ">=", "<", "<="};

/* A glob or a part of a text as a LIKE pattern; % _ \ of the text are escaped. */
static char *like(const char *text, bool glob, const char *before, const char *after)
{
    struct text out = {0};

    text_add(&out, "%s", before);
    for (; *text; text++)
        if (*text == '%' || *text == '_' || *text == '\\')
            text_add(&out, "\\%c", *text);
        else if (glob && (*text == '*' || *text == '?'))
            text_add(&out, "%c", *text == '*' ? '%' : '_');
        else
            text_add(&out, "%c", *text);
    text_add(&out, "%s", after);
    return text_take(&out);
}

static void text_parameter(json_t *parameters, char *text)
{
    json_array_append_new(parameters, json_string(text));
    free(text);
}

/* The rank of an ordered word: CASE column WHEN 'none' THEN 1 … END */
static void rank(struct text *sql, const struct property *p)
{
    text_add(sql, "(CASE %s", p->sql);
    for (int i = 0; p->words[i]; i++)
        text_add(sql, " WHEN '%s' THEN %d", p->words[i], i);
    text_add(sql, " END)");
}

static void one(struct text *sql, json_t *parameters, const struct expression *x, const struct value *v, int64_t now)
{
    const struct property *p = x->property;
    enum comparison        c = x->comparison == COMPARE_IN ? COMPARE_EQ : x->comparison;

    if (c == COMPARE_GLOB || c == COMPARE_CONTAINS) {
        text_add(sql, "%s LIKE ? ESCAPE '\\'", p->sql);
        if (c == COMPARE_CONTAINS)
            text_parameter(parameters, like(v->text, false, "%", "%"));
        else
            text_parameter(parameters, p->type == PROPERTY_LIST ? like(v->text, true, "% ", " %") : like(v->text, true, "", ""));
    } else if (p->type == PROPERTY_LIST) {
        text_add(sql, "%s %sLIKE ? ESCAPE '\\'", p->sql, c == COMPARE_NE ? "NOT " : "");
        text_parameter(parameters, like(v->text, false, "% ", " %"));
    } else if (p->type == PROPERTY_ENUM) {
        if (c == COMPARE_EQ || c == COMPARE_NE) {
            text_add(sql, "%s %s ?", p->sql, operators[c]);
            json_array_append_new(parameters, json_string(p->words[v->number]));
        } else {
            rank(sql, p);
            text_add(sql, " %s ?", operators[c]);
            json_array_append_new(parameters, json_integer(v->number));
        }
    } else if (v->kind == VALUE_AGE) {
        text_add(sql, "(%s > 0 AND %s %s ?)", p->sql, p->sql, age_operators[c]);
        json_array_append_new(parameters, json_integer(now - v->number));
    } else if (v->kind == VALUE_TEXT) {
        text_add(sql, "%s %s ? COLLATE NOCASE", p->sql, operators[c]);
        json_array_append_new(parameters, json_string(v->text));
    } else {
        text_add(sql, "%s %s ?", p->sql, operators[c]);
        json_array_append_new(parameters, json_integer(v->number));
    }
}

static void compile(struct text *sql, json_t *parameters, const struct expression *x, int64_t now)
{
    if (x->kind == EXPRESSION_TEST) {
        text_add(sql, "(");
        for (size_t i = 0; i < x->value_count; i++) {
            text_add(sql, i ? " OR " : "");
            one(sql, parameters, x, &x->values[i], now);
        }
        text_add(sql, ")");
        return;
    }
    text_add(sql, x->kind == EXPRESSION_NOT ? "(NOT " : "(");
    compile(sql, parameters, x->left, now);
    if (x->right) {
        text_add(sql, x->kind == EXPRESSION_AND ? " AND " : " OR ");
        compile(sql, parameters, x->right, now);
    }
    text_add(sql, ")");
}

enum err find_where(const char *filter, int64_t now, char **where, json_t **parameters, struct error *e)
{
    struct expression *x;
    struct text        sql = {0};
    enum err           code;

    *parameters = json_array();
    if (!filter) {
        *where = must_copy("1 = 1");
        return OK;
    }
    code = expression_parse(filter, &update_vocabulary, &x, e);
    if (code) {
        json_decref(*parameters);
        return code;
    }
    compile(&sql, *parameters, x, now);
    expression_free(x);
    *where = text_take(&sql);
    return OK;
}

/* Words of people, as they stand in what people see: every one of them has to be somewhere. */
static void words_where(const char *words, struct text *sql, json_t *parameters)
{
    static const char *const columns[] = {"title", "name", "articles", "bulletins", "cves"};

    while (*(words += strspn(words, " "))) {
        size_t n = strcspn(words, " ");
        char  *word = must_print("%.*s", (int)n, words);
        text_add(sql, " AND (");
        for (size_t i = 0; i < COUNT(columns); i++) {
            text_add(sql, "%s%s LIKE ? ESCAPE '\\'", i ? " OR " : "", columns[i]);
            text_parameter(parameters, like(word, false, "%", "%"));
        }
        text_add(sql, ")");
        free(word);
        words += n;
    }
}

static enum err add_filter(const char *filter, int64_t now, struct text *sql, json_t *parameters, struct error *e)
{
    char    *where = NULL;
    json_t  *more = NULL;
    enum err code = filter ? find_where(filter, now, &where, &more, e) : OK;

    if (!code && filter) {
        text_add(sql, " AND %s", where);
        json_array_extend(parameters, more);
        free(where);
        json_decref(more);
    }
    return code;
}

bool find_asked(const json_t *args)
{
    return arg_text(args, "filter") || arg_text(args, "search") || arg_text(args, "text");
}

enum err find_asked_where(struct author *a, const json_t *args, char **where, json_t **parameters, struct error *e)
{
    const char *name = arg_text(args, "search"), *words = arg_text(args, "text");
    json_t     *search = name ? rows_one(a->ledger, LEDGER_SEARCH, "s", name) : NULL;
    struct text sql = {0};
    enum err    code = OK;

    *parameters = json_array();
    text_add(&sql, "1 = 1");
    if (name && !search)
        code = no_such(a->ledger, LEDGER_SEARCH_NAMES, "search", name, e);
    if (!code && words && strlen(words) > WORDS_MOST)
        code = fail(e, ERR_USAGE, "--text is longer than %d letters", WORDS_MOST);
    code = code ? code : add_filter(arg_text(search, "filter"), a->now, &sql, *parameters, e);
    code = code ? code : add_filter(arg_text(args, "filter"), a->now, &sql, *parameters, e);
    if (!code && words)
        words_where(words, &sql, *parameters);
    json_decref(search);
    if (code) {
        text_end(&sql);
        json_decref(*parameters);
        return code;
    }
    *where = text_take(&sql);
    return OK;
}

enum err find_count(struct author *a, const char *filter, int64_t *count, struct error *e)
{
    json_t  *parameters = NULL, *rows = NULL;
    char    *where = NULL, *sql;
    enum err code = find_where(filter, a->now, &where, &parameters, e);

    if (code)
        return code;
    sql = must_print("SELECT count(*) AS n FROM upd WHERE %s", where);
    code = rows_found(a->ledger, sql, parameters, &rows, e);
    *count = arg_number(json_array_get(rows, 0), "n", 0);
    json_decref(rows);
    json_decref(parameters);
    free(where);
    free(sql);
    return code;
}

static enum err find_ids(struct author *a, const json_t *args, json_t *ids, struct error *e)
{
    json_t  *rows = NULL, *parameters, *row;
    char    *where, *sql;
    size_t   i;
    enum err code = find_asked_where(a, args, &where, &parameters, e);

    if (code)
        return code;
    sql = must_print("SELECT id FROM upd WHERE %s ORDER BY id", where);
    code = rows_found(a->ledger, sql, parameters, &rows, e);
    json_array_foreach(rows, i, row)
        json_array_append(ids, json_object_get(row, "id"));
    json_decref(rows);
    json_decref(parameters);
    free(where);
    free(sql);
    return code;
}

enum err find_updates(struct author *a, const json_t *args, json_t **ids, struct error *e)
{
    json_t  *named = json_object_get(args, "updates"), *item;
    char    *id;
    size_t   i;
    enum err code = OK;

    if (!find_asked(args) && !json_array_size(named))
        return fail(e, ERR_USAGE, "which updates? Name them, or give --filter or --search");
    *ids = json_array();
    json_array_foreach(named, i, item)
        if (!code && !(code = update_resolve(a->ledger, json_string_value(item) ? json_string_value(item) : "", &id, e))) {
            json_array_append_new(*ids, json_string(id));
            free(id);
        }
    if (!code && find_asked(args))
        code = find_ids(a, args, *ids, e);
    if (code) {
        json_decref(*ids);
        *ids = NULL;
    }
    return code;
}
