/* Catalogs and updates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"

/* They become parts of URLs and of nodes' sources.list. */
static enum err archive_words(const char *suite, const json_t *components, const char *arch, struct error *e)
{
    const json_t *item;
    size_t        i;

    if (strlen(suite) > 255 || !apt_path_ok(suite))
        return fail(e, ERR_USAGE, "\"%.80s\" is no suite, such as bookworm-security", suite);
    if (arch && (!name_ok(arch) || strlen(arch) > 32))
        return fail(e, ERR_USAGE, "\"%.80s\" is no architecture, such as amd64", arch);
    if (json_array_size(components) > 32)
        return fail(e, ERR_USAGE, "more than 32 components");
    json_array_foreach(components, i, item)
        if (!json_is_string(item) || json_string_length(item) > 64 || !apt_path_ok(json_string_value(item)))
            return fail(e, ERR_USAGE, "\"%.80s\" is no component, such as main", json_is_string(item) ? json_string_value(item) : "");
    return OK;
}

enum err catalog_add(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = NULL, *type = arg_text(args, "type"), *uri = arg_text(args, "uri"), *suite = arg_text(args, "suite");
    const char *keyring = arg_text(args, "keyring"), *arch = arg_text(args, "arch");
    json_t     *components = json_object_get(args, "components");
    char       *list;
    enum err    code = arg_name(args, "name", "catalog", &name, e);

    if (code)
        return code;
    if (!type || strcmp(type, "apt"))
        return fail(e, ERR_USAGE, "\"%s\" is no catalog type; apt is accepted", type ? type : "");
    if (!uri || (strncmp(uri, "http://", 7) && strncmp(uri, "https://", 8)) || strlen(uri) > 2000 || strpbrk(uri, " \t\r\n"))
        return fail(e, ERR_USAGE, "--uri has to begin with http:// or https:// and to hold no blanks");
    if (!suite || !keyring)
        return fail(e, ERR_USAGE, "--suite and --keyring are needed: what to read, and whose signature to believe");
    if (!file_exists(keyring))
        return fail(e, ERR_NOT_FOUND, "%s: no such keyring", keyring);
    code = archive_words(suite, components, arch, e);
    if (code)
        return code;
    if (rows_number(a->ledger, LEDGER_CATALOG_HAS, "s", name))
        return fail(e, ERR_EXISTS, "catalog %s exists already", name);
    list = json_array_size(components) ? json_dumps(components, JSON_COMPACT) : must_copy("[\"main\"]");
    code = rows_run(a->ledger, LEDGER_CATALOG_PUT, e, "ssssss", name, uri, suite, list, arch ? arch : "amd64", keyring);
    free(list);
    *out = message("catalog %s: %s %s; `ferry catalog sync` reads it", name, uri, suite);
    return code;
}

enum err catalog_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_CATALOGS, &rows, e, "");

    (void)args;
    if (!code)
        *out = listing(rows);
    return code;
}

enum err catalog_remove(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = arg_text(args, "name");
    enum err    code;

    if (!name || !rows_number(a->ledger, LEDGER_CATALOG_HAS, "s", name))
        return no_such(a->ledger, LEDGER_CATALOGS, "catalog", name ? name : "", e);
    if (rows_number(a->ledger, LEDGER_CATALOG_USED, "s", name))
        return fail(e, ERR_CONDITION, "groups still hold updates of catalog %s", name);
    code = rows_run(a->ledger, LEDGER_CATALOG_DROP_UPDATES, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_CATALOG_DROP, e, "s", name);
    *out = message("catalog %s is gone", name);
    return code;
}

static char **words_of(const json_t *list)
{
    char **words = must_alloc((json_array_size(list) + 1) * sizeof *words);

    for (size_t i = 0; i < json_array_size(list); i++)
        words[i] = must_copy(json_string_value(json_array_get(list, i)));
    return words;
}

enum err catalog_rows(struct ledger *l, struct catalog_row **out, size_t *count, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(l, LEDGER_CATALOGS, &rows, e, "");

    if (code)
        return code;
    *count = json_array_size(rows);
    *out = must_alloc((*count + 1) * sizeof **out);
    for (size_t i = 0; i < *count; i++) {
        const json_t *row = json_array_get(rows, i);
        (*out)[i] = (struct catalog_row){.name = must_copy(arg_text(row, "name")),
                                         .uri = must_copy(arg_text(row, "uri")),
                                         .suite = must_copy(arg_text(row, "suite")),
                                         .components = words_of(json_object_get(row, "components")),
                                         .arch = must_copy(arg_text(row, "arch")),
                                         .keyring_path = must_copy(arg_text(row, "keyring")),
                                         .release_date = arg_number(row, "release_date", 0)};
    }
    json_decref(rows);
    return OK;
}

void catalog_rows_free(struct catalog_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(rows[i].name);
        free(rows[i].uri);
        free(rows[i].suite);
        words_free(rows[i].components);
        free(rows[i].arch);
        free(rows[i].keyring_path);
        free(rows[i].allow_expired);
    }
    free(rows);
}

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
    code = find_where(arg_text(args, "filter"), a->now, &where, &parameters, e);
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
    char    *id = NULL;
    json_t  *json, *groups = NULL;
    enum err code = update_resolve(a->ledger, arg_text(args, "id") ? arg_text(args, "id") : "", &id, e);

    if (code)
        return code;
    *out = rows_one(a->ledger, LEDGER_UPDATE_SHOW, "s", id);
    json = rows_one(a->ledger, LEDGER_UPDATE_JSON, "s", id);
    json_object_set(*out, "files", json_object_get(json_object_get(json, "json"), "files"));
    json_object_set(*out, "cves", json_object_get(json_object_get(json, "json"), "cves"));
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

/* The site (node/site) has put the files into the library and names them: files [{"name","sha256","size"}]. */
enum err update_add(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char    *name = NULL, *version = arg_text(args, "version");
    json_t        *doc, *install, *detect, *codes = json_array(), *item;
    int64_t        max_run = 3600;
    struct update *u = NULL;
    size_t         i;
    enum err       code = arg_name(args, "name", "command update", &name, e);

    code = code ? code : applies_check(arg_text(args, "applies"), e);
    if (!code && arg_text(args, "max_run"))
        code = duration_read(arg_text(args, "max_run"), &max_run, e);
    json_array_foreach(json_object_get(args, "codes"), i, item) {
        const char *text = json_string_value(item), *equals = text ? strchr(text, '=') : NULL;
        if (equals)
            json_array_append_new(codes, json_pack("{s:I,s:s}", "code", (json_int_t)strtoll(text, NULL, 10), "meaning", equals + 1));
    }
    version = version ? version : "1";
    install = json_pack("{s:s,s:I,s:o}", "type", "command", "max_run_s", (json_int_t)max_run, "codes", codes);
    put_text(install, "program", arg_text(args, "program"));
    if (json_array_size(json_object_get(args, "args")))
        json_object_set(install, "args", json_object_get(args, "args"));
    detect = json_pack("{s:s}", "type", arg_text(args, "detect_program") ? "program" : "file");
    put_text(detect, "program", arg_text(args, "detect_program"));
    put_text(detect, "path", arg_text(args, "detect_file"));
    put_text(detect, "sha256", arg_text(args, "detect_sha256"));
    doc = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o}", "catalog", "command", "version", version, "title",
                    arg_text(args, "title") ? arg_text(args, "title")
                    : name                  ? name
                                            : "",
                    "description", "", "classification", arg_text(args, "classification") ? arg_text(args, "classification") : "update",
                    "severity", arg_text(args, "severity") ? arg_text(args, "severity") : "unspecified", "urgency", "", "product", "",
                    "vendor", "", "name", name ? name : "", "install", install, "detect", detect);
    json_object_set_new(doc, "id", json_sprintf("command:%s:%s", name ? name : "", version));
    put_text(doc, "applies", arg_text(args, "applies"));
    json_object_set(doc, "files", json_object_get(args, "files"));
    if (!json_object_get(doc, "files"))
        json_object_set_new(doc, "files", json_array());
    code = code ? code : update_from_json(doc, "update", &u, e);
    if (!code && rows_number(a->ledger, LEDGER_UPDATE_KNOWN, "s", u->id))
        code = fail(e, ERR_EXISTS, "update %s exists already; give another --version", u->id);
    code = code ? code : update_put(a, u, u->released, e);
    if (!code)
        *out = message("command update %s", u->id);
    update_free(u);
    json_decref(doc);
    return code == ERR_VERIFY ? ERR_USAGE : code;
}
