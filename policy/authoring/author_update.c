/* Updates: what the catalogs brought, found and shown; those an administrator makes (type command); the administrator's own severity. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"

enum err update_resolve(struct ledger *l, const char *name, char **id, struct error *e)
{
    json_t *row = rows_one(l, LEDGER_UPDATE_RESOLVE, "s", name);

    if (!row)
        return no_such(l, LEDGER_UPDATE_NAMES, "update", name, e);
    *id = must_copy(arg_text(row, "id"));
    json_decref(row);
    return OK;
}

static const char *order_of(const char *sort)
{
    static const struct { const char *word, *sql;
    } table[] = {
        {"name", "name, version"},      {"-name", "name DESC"},
        {"required", "required, name"}, {"-required", "required DESC, name"},
        {"released", "released, name"}, {"-released", "released DESC, name"},
        {"size", "size, name"},         {"-size", "size DESC, name"},
    };

    for (size_t i = 0; sort && i < COUNT(table); i++)
        if (!strcmp(sort, table[i].word))
            return table[i].sql;
    return sort ? NULL : "name, version";
}

enum err update_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *order = order_of(arg_text(args, "sort"));
    int64_t     limit = arg_number(args, "limit", 100);
    json_t     *parameters, *rows = NULL, *total = NULL;
    char       *where, *sql;
    enum err    code;

    if (!order)
        return fail(e, ERR_USAGE, "cannot sort by \"%s\"; name, required, released and size are accepted, with - in front to reverse",
                    arg_text(args, "sort"));
    code = find_asked_where(a, args, &where, &parameters, e);
    if (code)
        return code;
    sql = must_print("SELECT count(*) AS n FROM upd WHERE %s", where);
    code = rows_found(a->ledger, sql, parameters, &total, e);
    free(sql);
    sql = must_print("SELECT id, catalog, name, version, title, classification, severity, urgency, product, vendor, released AS "
                     "\"released!t\", size, superseded AS \"superseded!b\","
                     " expired AS \"expired!b\", required, installed, unknown FROM upd WHERE %s ORDER BY %s LIMIT %lld",
                     where, order, (long long)(limit > 0 ? limit : 100));
    code = code ? code : rows_found(a->ledger, sql, parameters, &rows, e);
    if (!code)
        *out = json_pack("{s:O,s:O}", "items", rows, "total", json_object_get(json_array_get(total, 0), "n"));
    json_decref(rows);
    json_decref(total);
    json_decref(parameters);
    free(where);
    free(sql);
    return code;
}

enum err update_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    static const char *const lists[] = {"cves", "articles", "bulletins", "languages"};
    char                    *id = NULL;
    json_t                  *json, *groups = NULL;
    enum err                 code = update_resolve(a->ledger, arg_text(args, "id") ? arg_text(args, "id") : "", &id, e);

    if (code)
        return code;
    *out = rows_one(a->ledger, LEDGER_UPDATE_SHOW, "s", id);
    json = rows_one(a->ledger, LEDGER_UPDATE_JSON, "s", id);
    json_object_set(*out, "files", json_object_get(json_object_get(json, "json"), "files"));
    for (size_t i = 0; i < COUNT(lists); i++)
        json_object_set(*out, lists[i], json_object_get(json_object_get(json, "json"), lists[i]));
    if (!rows_all(a->ledger, LEDGER_UPDATE_GROUPS, &groups, NULL, "s", id))
        json_object_set_new(*out, "groups", groups);
    json_decref(json);
    free(id);
    return OK;
}

static enum err applies_check(const char *rule, struct error *e)
{
    struct expression *x = NULL;
    struct error       why;

    if (rule && expression_parse(rule, &fact_vocabulary, &x, &why))
        return fail(e, ERR_USAGE, "--applies: %.700s", why.text);
    expression_free(x);
    return OK;
}

/* "2026-11-24" and whatever moment_read takes. */
static enum err released_read(const char *text, int64_t now, int64_t *out, struct error *e)
{
    char    *midnight = must_print("%.40s 00:00", text);
    enum err code = moment_read(midnight, now, out, NULL) ? moment_read(text, now, out, e) : OK;

    free(midnight);
    return code;
}

static json_t *codes_read(const json_t *args)
{
    json_t *codes = json_array(), *item;
    size_t  i;

    json_array_foreach(json_object_get(args, "codes"), i, item) {
        const char *text = json_string_value(item), *equals = text ? strchr(text, '=') : NULL;
        if (equals)
            json_array_append_new(codes, json_pack("{s:I,s:s}", "code", (json_int_t)strtoll(text, NULL, 10), "meaning", equals + 1));
    }
    return codes;
}

static json_t *install_read(const json_t *args, int64_t max_run)
{
    json_t *install = json_pack("{s:s,s:I,s:o}", "type", "command", "max_run_s", (json_int_t)max_run, "codes", codes_read(args));

    put_text(install, "program", arg_text(args, "program"));
    if (json_array_size(json_object_get(args, "args")))
        json_object_set(install, "args", json_object_get(args, "args"));
    return install;
}

static json_t *detect_read(const json_t *args)
{
    json_t *detect = json_pack("{s:s}", "type", arg_text(args, "detect_program") ? "program" : "file");

    put_text(detect, "program", arg_text(args, "detect_program"));
    put_text(detect, "path", arg_text(args, "detect_file"));
    put_text(detect, "sha256", arg_text(args, "detect_sha256"));
    return detect;
}

static const char *text_or(const json_t *args, const char *name, const char *or_else)
{
    return arg_text(args, name) ? arg_text(args, name) : or_else;
}

/* As a document has it; what is wrong with it update_from_json says. */
static json_t *command_json(const json_t *args, const char *name, int64_t max_run, int64_t released)
{
    static const char *const lists[] = {"cves", "articles", "bulletins", "languages"};
    const char              *version = text_or(args, "version", "1");
    json_t *doc = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "catalog", "command", "name", name, "version", version, "title",
                            text_or(args, "title", name), "description", text_or(args, "description", ""), "classification",
                            text_or(args, "classification", "update"), "severity", text_or(args, "severity", "unspecified"), "urgency", "",
                            "product", "", "vendor", "");

    json_object_set_new(doc, "id", json_sprintf("command:%s:%s", name, version));
    json_object_set_new(doc, "install", install_read(args, max_run));
    json_object_set_new(doc, "detect", detect_read(args));
    put_text(doc, "applies", arg_text(args, "applies"));
    put_time(doc, "released", released);
    for (size_t i = 0; i < COUNT(lists); i++)
        if (json_array_size(json_object_get(args, lists[i])))
            json_object_set(doc, lists[i], json_object_get(args, lists[i]));
    json_object_set(doc, "files", json_object_get(args, "files"));
    if (!json_object_get(doc, "files"))
        json_object_set_new(doc, "files", json_array());
    return doc;
}

/* The site (node/site) has put the files into the library and names them: files [{"name","sha256","size"}]. */
enum err update_add(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char    *name = NULL;
    json_t        *doc;
    int64_t        max_run = 3600, released = 0;
    struct update *u = NULL;
    enum err       code = arg_name(args, "name", "command update", &name, e);

    code = code ? code : applies_check(arg_text(args, "applies"), e);
    if (!code && arg_text(args, "max_run"))
        code = duration_read(arg_text(args, "max_run"), &max_run, e);
    if (!code && arg_text(args, "released"))
        code = released_read(arg_text(args, "released"), a->now, &released, e);
    if (code)
        return code;
    doc = command_json(args, name, max_run, released);
    code = update_from_json(doc, "update", &u, e);
    if (!code && rows_number(a->ledger, LEDGER_UPDATE_KNOWN, "s", u->id))
        code = fail(e, ERR_EXISTS, "update %s exists already; give another --version", u->id);
    code = code ? code : update_put(a, u, u->released, e);
    if (!code)
        *out = message("command update %s", u->id);
    update_free(u);
    json_decref(doc);
    return as_usage(code, e);
}

/* What a sync brings anew leaves it alone. */
enum err update_set(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char   *word = arg_text(args, "custom_severity");
    enum severity severity;
    char         *id = NULL;
    enum err      code = update_resolve(a->ledger, arg_text(args, "id") ? arg_text(args, "id") : "", &id, e);

    if (!code && (!word || !severity_by_name(word, &severity) || severity == SEVERITY_UNSPECIFIED))
        code = fail(e, ERR_USAGE, "--custom-severity: none, low, moderate, important and critical are accepted, not \"%.40s\"",
                    word ? word : "");
    code = code ? code : rows_run(a->ledger, LEDGER_UPDATE_CUSTOM, e, "ss", id, word);
    if (!code)
        *out = message("update %s has the custom severity %s", id, word);
    free(id);
    return code;
}
