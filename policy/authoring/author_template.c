/* Templates: terms of deployments with a name. A template is copied when it is used: changing it later changes no deployment. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"

static enum err template_row(struct author *a, const json_t *args, json_t **row, struct error *e)
{
    const char *name = arg_text(args, "name");

    *row = name ? rows_one(a->ledger, LEDGER_TEMPLATE, "s", name) : NULL;
    return *row ? OK : no_such(a->ledger, LEDGER_TEMPLATE_NAMES, "template", name ? name : "", e);
}

/* What differs from the defaults: "deadline randomized 0s, soft-deadline yes". */
static char *summary(const struct terms *t)
{
    struct terms standard;
    json_t      *mine = members_show(terms_table, terms_count, t), *theirs, *value;
    struct text  out = {0};
    const char  *name;

    members_default(terms_table, terms_count, &standard);
    theirs = members_show(terms_table, terms_count, &standard);
    json_object_foreach(mine, name, value)
        if (!json_equal(value, json_object_get(theirs, name)))
            text_add(&out, "%s%s %s", out.length ? ", " : "", name, json_string_value(value));
    json_decref(mine);
    json_decref(theirs);
    return text_take(&out);
}

static enum err from_deployment(struct author *a, const char *name, struct terms *t, struct error *e)
{
    json_t  *row = rows_one(a->ledger, LEDGER_DEPLOYMENTS, "si", name, (int64_t)0);
    enum err code = row ? terms_stored(json_object_get(row, "terms"), t, e)
                        : no_such(a->ledger, LEDGER_DEPLOYMENT_NAMES, "deployment", name, e);

    json_decref(row);
    return code;
}

/* Saved again under its name it is another one: nothing of the old remains but its description. */
enum err template_save(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char  *name = NULL, *from = arg_text(args, "from");
    struct terms t;
    char        *terms = NULL, *differs = NULL;
    enum err     code = arg_name(args, "name", "template", &name, e);

    members_default(terms_table, terms_count, &t);
    if (!code && from)
        code = from_deployment(a, from, &t, e);
    code = code ? code : terms_take(a, args, &t, e);
    if (!code) {
        terms = terms_text(&t);
        differs = summary(&t);
        code = rows_run(a->ledger, LEDGER_TEMPLATE_PUT, e, "sss", name, terms, arg_text(args, "description"));
    }
    if (!code)
        *out = message("template %s: %s", name, *differs ? differs : "the defaults");
    free(terms);
    free(differs);
    return code;
}

enum err template_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_TEMPLATES, &rows, e, "");

    (void)args;
    json_array_foreach(rows, i, row) {
        struct terms t;
        char        *differs;
        code = code ? code : terms_stored(json_object_get(row, "terms"), &t, e);
        if (code)
            break;
        differs = summary(&t);
        json_object_set_new(row, "differs", json_string(differs));
        json_object_del(row, "terms");
        free(differs);
    }
    if (!code)
        *out = listing(rows);
    else
        json_decref(rows);
    return code;
}

enum err template_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t      *row;
    struct terms t;
    enum err     code = template_row(a, args, &row, e);

    code = code ? code : terms_stored(json_object_get(row, "terms"), &t, e);
    if (code) {
        json_decref(row);
        return code;
    }
    json_object_set_new(row, "terms", members_show(terms_table, terms_count, &t));
    *out = row;
    return OK;
}

enum err template_delete(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row;
    enum err code = template_row(a, args, &row, e);

    if (code)
        return code;
    code = rows_run(a->ledger, LEDGER_TEMPLATE_DROP, e, "s", arg_text(row, "name"));
    if (!code)
        *out = message("template %s is gone; deployments made with it stay as they are", arg_text(row, "name"));
    json_decref(row);
    return code;
}
