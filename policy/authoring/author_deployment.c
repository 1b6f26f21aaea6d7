/* Deployments, distribution points, boundaries, the site's settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"

#define POLL_MOST 604800                        /* as nodes read it */

struct asked {
    int64_t available, deadline, randomize;
    bool    enabled, origin_fallback;
};

/* Members of args over what is there already. */
static enum err asked_read(struct author *a, const json_t *args, struct asked *t, struct error *e)
{
    const char *available = arg_text(args, "available"), *deadline = arg_text(args, "deadline"), *randomize = arg_text(args, "randomize");
    enum err    code = available ? moment_read(available, a->now, &t->available, e) : OK;

    if (!code && deadline)
        code = moment_read(deadline, a->now, &t->deadline, e);
    if (!code && randomize)
        code = duration_read(randomize, &t->randomize, e);
    if (!code && (t->randomize < 0 || t->randomize > 86400))
        code = fail(e, ERR_USAGE, "--randomize is at most a day");
    if (json_is_boolean(json_object_get(args, "enabled")))
        t->enabled = json_is_true(json_object_get(args, "enabled"));
    if (json_is_boolean(json_object_get(args, "origin_fallback")))
        t->origin_fallback = json_is_true(json_object_get(args, "origin_fallback"));
    if (!code && t->deadline && t->deadline < t->available)
        code = fail(e, ERR_USAGE, "the deadline lies before the available time");
    return code;
}

static enum err refer(struct author *a, const json_t *args, const char *member, enum ledger_sql has, enum ledger_sql names,
                      const char **out, struct error *e)
{
    *out = arg_text(args, member);
    if (!*out)
        return fail(e, ERR_USAGE, "--%s is missing", member);
    return rows_number(a->ledger, has, "s", *out) ? OK : no_such(a->ledger, names, member, *out, e);
}

static json_t *created(struct author *a, const char *name, const char *group, const char *collection, const struct asked *t)
{
    struct collection *c = NULL;
    json_t            *list = NULL, *out;
    char               available[TIME_SIZE], deadline[TIME_SIZE];

    if (!collection_whole(a->ledger, collection, &c, NULL))
        collection_members(a, c, &list, NULL);
    collection_free(c);
    out = message("deployment %s: %lld updates of group %s to %zu nodes of %s, available %s, deadline %s%s%s", name,
                  (long long)rows_number(a->ledger, LEDGER_GROUP_SIZE, "s", group), group, json_array_size(list), collection,
                  time_print(t->available, available), t->deadline ? time_print(t->deadline, deadline) : "none",
                  t->deadline && t->randomize ? ", spread over " : "", t->deadline && t->randomize ? "the randomization time" : "");
    json_object_set_new(out, "nodes", json_integer((json_int_t)json_array_size(list)));
    json_decref(list);
    return out;
}

enum err deployment_create(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char  *name = NULL, *group, *collection, *purpose = arg_text(args, "purpose");
    struct asked t = {.available = a->now, .randomize = 7200, .enabled = true};
    enum err     code = arg_name(args, "name", "deployment", &name, e);

    if (!code && !strcmp(name, "collection"))
        code = fail(e, ERR_USAGE, "\"collection\" is the name of a collection's own document; name the deployment otherwise");
    if (!code && rows_number(a->ledger, LEDGER_DEPLOYMENT_HAS, "s", name))
        code = fail(e, ERR_EXISTS, "deployment %s exists already, or is being withdrawn", name);
    code = code ? code : refer(a, args, "group", LEDGER_GROUP_HAS, LEDGER_GROUP_NAMES, &group, e);
    code = code ? code : refer(a, args, "collection", LEDGER_COLLECTION_HAS, LEDGER_COLLECTION_NAMES, &collection, e);
    code = code ? code : asked_read(a, args, &t, e);
    if (code)
        return code;
    if (!purpose || (strcmp(purpose, "required") && strcmp(purpose, "available")))
        return fail(e, ERR_USAGE,
                    "--required or --optional? A required deployment is installed at its deadline, an optional one when its user wants");
    if (!strcmp(purpose, "required") && !t.deadline)
        return fail(e, ERR_USAGE, "a required deployment needs a --deadline, such as +2h");
    code = rows_run(a->ledger, LEDGER_DEPLOYMENT_PUT, e, "ssssiiiiii", name, group, collection, purpose, t.available, t.deadline,
                    t.randomize, (int64_t)t.origin_fallback, (int64_t)t.enabled, a->now);
    if (!code)
        *out = created(a, name, group, collection, &t);
    return code;
}

static json_t *deployment_row(struct author *a, const json_t *args)
{
    const char *name = arg_text(args, "name");

    return name ? rows_one(a->ledger, LEDGER_DEPLOYMENTS, "si", name, (int64_t)0) : NULL;
}

static enum err deployment_missing(struct author *a, const json_t *args, struct error *e)
{
    return no_such(a->ledger, LEDGER_DEPLOYMENT_NAMES, "deployment", arg_text(args, "name") ? arg_text(args, "name") : "", e);
}

enum err deployment_change(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t      *row = deployment_row(a, args);
    struct asked t;
    enum err     code;

    if (!row)
        return deployment_missing(a, args, e);
    t = (struct asked){arg_number(row, "available_s", 0), arg_number(row, "deadline_s", 0), arg_number(row, "randomize_s", 0),
                       json_is_true(json_object_get(row, "enabled")), json_is_true(json_object_get(row, "origin_fallback"))};
    code = asked_read(a, args, &t, e);
    code = code ? code
                : rows_run(a->ledger, LEDGER_DEPLOYMENT_CHANGE, e, "siiiii", arg_text(row, "name"), (int64_t)t.enabled, t.available,
                           t.deadline, t.randomize, (int64_t)t.origin_fallback);
    if (!code)
        *out =
            message("deployment %s is %s", arg_text(row, "name"), t.enabled ? "in force" : "disabled: nothing that has not begun begins");
    json_decref(row);
    return code;
}

enum err deployment_delete(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *row = deployment_row(a, args);
    enum err code;

    if (!row)
        return deployment_missing(a, args, e);
    code = rows_run(a->ledger, LEDGER_DEPLOYMENT_WITHDRAW, e, "si", arg_text(row, "name"), a->now);
    if (!code)
        *out = message("deployment %s is withdrawn; it stays as a tombstone until every node has heard", arg_text(row, "name"));
    json_decref(row);
    return code;
}

enum err deployment_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_DEPLOYMENTS, &rows, e, "si", NULL, (int64_t)0);

    (void)args;
    if (!code)
        *out = listing(rows);
    return code;
}

/* Paths are put behind it: without its last slashes. */
static enum err base_url(const char *url, char **out, struct error *e)
{
    size_t n = url ? strlen(url) : 0;

    if (!n || n > 512 || (strncmp(url, "http://", 7) && strncmp(url, "https://", 8)) || strpbrk(url, " \t\r\n"))
        return fail(e, ERR_USAGE, "--url has to begin with http:// or https://, hold no blanks and be at most 512 bytes long");
    while (n && url[n - 1] == '/')
        n--;
    *out = must_print("%.*s", (int)n, url);
    return OK;
}

enum err author_set_url(struct ledger *l, const char *url, struct error *e)
{
    char    *base = NULL;
    enum err code = base_url(url, &base, e);

    code = code ? code : ledger_set(l, "site.url", base, e);
    free(base);
    return code;
}

enum err dp_add(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = NULL, *url = arg_text(args, "url");
    char       *node = NULL, *base = NULL;
    enum err    code = arg_name(args, "name", "distribution point", &name, e);

    if (!code && rows_number(a->ledger, LEDGER_DP_HAS, "s", name))
        code = fail(e, ERR_EXISTS, "distribution point %s exists already", name);
    code = code ? code : base_url(url, &base, e);
    if (!code && arg_text(args, "node"))
        code = node_resolve(a->ledger, arg_text(args, "node"), &node, e);
    code = code ? code : rows_run(a->ledger, LEDGER_DP_PUT, e, "sss", name, base, node ? node : "");
    if (!code)
        *out = message("distribution point %s serves %s/content/", name, base);
    free(node);
    free(base);
    return code;
}

enum err dp_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_DPS, &rows, e, "");

    (void)args;
    if (!code)
        *out = listing(rows);
    return code;
}

static enum err drop_from_boundaries(struct author *a, const char *dp, struct error *e)
{
    json_t  *rows = NULL, *row, *item;
    size_t   i, k;
    enum err code = rows_all(a->ledger, LEDGER_BOUNDARIES, &rows, e, "");

    json_array_foreach(rows, i, row) {
        json_t *kept = json_array();
        char   *cidrs = json_dumps(json_object_get(row, "cidrs"), JSON_COMPACT), *dps;
        json_array_foreach(json_object_get(row, "dps"), k, item)
            if (strcmp(json_string_value(item), dp))
                json_array_append(kept, item);
        dps = json_dumps(kept, JSON_COMPACT);
        code = code ? code : rows_run(a->ledger, LEDGER_BOUNDARY_PUT, e, "sss", arg_text(row, "group"), cidrs, dps);
        free(cidrs);
        free(dps);
        json_decref(kept);
    }
    json_decref(rows);
    return code;
}

enum err dp_remove(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = arg_text(args, "name");
    enum err    code;

    if (!name || !rows_number(a->ledger, LEDGER_DP_HAS, "s", name))
        return no_such(a->ledger, LEDGER_DP_NAMES, "distribution point", name ? name : "", e);
    code = drop_from_boundaries(a, name, e);
    code = code ? code : rows_run(a->ledger, LEDGER_DP_GROUP_DROP, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_DP_HELD_DROP, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_DP_DROP, e, "s", name);
    if (!code)
        *out = message("nodes no longer use distribution point %s", name);
    return code;
}

enum err boundary_add(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = NULL;
    json_t     *cidrs = json_object_get(args, "cidrs"), *dps = json_object_get(args, "dps"), *item;
    size_t      i;
    char       *cidr_text, *dp_text;
    enum err    code = arg_name(args, "group", "boundary group", &name, e);

    if (!code && !json_array_size(cidrs))
        code = fail(e, ERR_USAGE, "--cidr is missing: which addresses are this branch's?");
    json_array_foreach(cidrs, i, item) if (!code && (!json_is_string(item) || !cidr_ok(json_string_value(item)))) code =
        fail(e, ERR_USAGE, "\"%s\" is no address with a prefix such as 10.1.0.0/16", json_is_string(item) ? json_string_value(item) : "");
    json_array_foreach(dps, i, item)
        if (!code && !rows_number(a->ledger, LEDGER_DP_HAS, "s", json_string_value(item) ? json_string_value(item) : ""))
            code = no_such(a->ledger, LEDGER_DP_NAMES, "distribution point", json_string_value(item) ? json_string_value(item) : "", e);
    cidr_text = json_array_size(cidrs) ? json_dumps(cidrs, JSON_COMPACT) : must_copy("[]");
    dp_text = json_array_size(dps) ? json_dumps(dps, JSON_COMPACT) : must_copy("[]");
    code = code ? code : rows_run(a->ledger, LEDGER_BOUNDARY_PUT, e, "sss", name, cidr_text, dp_text);
    if (!code)
        *out = message("boundary group %s", name);
    free(cidr_text);
    free(dp_text);
    return code;
}

enum err boundary_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_BOUNDARIES, &rows, e, "");

    (void)args;
    if (!code)
        *out = listing(rows);
    return code;
}

enum err boundary_remove(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = arg_text(args, "group");
    enum err    code;

    if (!name || !rows_number(a->ledger, LEDGER_BOUNDARY_HAS, "s", name))
        return no_such(a->ledger, LEDGER_BOUNDARY_NAMES, "boundary group", name ? name : "", e);
    code = rows_run(a->ledger, LEDGER_BOUNDARY_DROP, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_SETTING_DROP_IF, e, "ss", "default-group", name);
    if (!code)
        *out = message("boundary group %s is gone", name);
    return code;
}

static void setting_out(struct author *a, json_t *o, const char *setting, const char *member, const char *or_else)
{
    char *value = ledger_setting(a->ledger, setting);

    json_object_set_new(o, member, json_string(value ? value : or_else));
    free(value);
}

enum err site_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    (void)args;
    (void)e;
    *out = json_object();
    setting_out(a, *out, "site.name", "name", "");
    setting_out(a, *out, "site.id", "id", "");
    setting_out(a, *out, "site.url", "url", "");
    setting_out(a, *out, "poll", "poll", "3600");
    setting_out(a, *out, "default-group", "default_group", "");
    json_object_set_new(*out, "nodes", json_integer(rows_number(a->ledger, LEDGER_NODE_COUNT, "")));
    return OK;
}

enum err site_set(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *url = arg_text(args, "url"), *poll = arg_text(args, "poll"), *group = arg_text(args, "default_group");
    int64_t     seconds = 0;
    char        text[32];
    enum err    code = OK;

    if (!url && !poll && !group)
        return fail(e, ERR_USAGE, "nothing to set: --url, --poll and --default-group are accepted");
    if (url)
        code = author_set_url(a->ledger, url, e);
    if (!code && poll)
        code = duration_read(poll, &seconds, e);
    if (!code && seconds > POLL_MOST)
        code = fail(e, ERR_USAGE, "--poll is at most a week");
    if (!code && poll) {
        snprintf(text, sizeof text, "%lld", (long long)(seconds < 1 ? 1 : seconds));
        code = ledger_set(a->ledger, "poll", text, e);
    }
    if (!code && group && !rows_number(a->ledger, LEDGER_BOUNDARY_HAS, "s", group))
        return no_such(a->ledger, LEDGER_BOUNDARY_NAMES, "boundary group", group, e);
    if (!code && group)
        code = ledger_set(a->ledger, "default-group", group, e);
    if (!code)
        *out = message("set");
    return code;
}
