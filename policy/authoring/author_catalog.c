/* Catalogs. */
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
