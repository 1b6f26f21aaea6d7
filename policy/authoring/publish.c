/* The ledger as documents. seq rises when, and only when, the rest of a body changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"
#include "policy/document/parts.h"
#include "policy/trust/canonical.h"

/* Without its seq the body decides: the same hash keeps the number. body is taken. */
static enum err add(struct author *a, struct publication_list *list, char *name /* taken */, json_t *body, struct error *e)
{
    json_t       *row = rows_one(a->ledger, LEDGER_DOCUMENT, "s", name);
    int64_t       seq = arg_number(row, "seq", 0);
    char         *bytes = NULL, hex[SHA256_HEX];
    size_t        length = 0;
    struct sha256 h;
    enum err      code;

    json_object_set_new(body, "seq", json_integer(0));
    code = canonical_print(body, &bytes, &length, e);
    h = hash_bytes(bytes, length);
    sha256_hex(&h, hex);
    free(bytes);
    if (!code && (!row || strcmp(arg_text(row, "hash"), hex)))
        code = rows_run(a->ledger, LEDGER_DOCUMENT_PUT, e, "sis", name, ++seq, hex);
    json_object_set_new(body, "seq", json_integer(seq));
    json_decref(row);
    list->items = must_grow(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = (struct publication){name, body};
    return code;
}

void author_publications_free(struct publication_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free((void *)(uintptr_t)list->items[i].name);
        json_decref((json_t *)(uintptr_t)list->items[i].body);
    }
    free(list->items);
    memset(list, 0, sizeof *list);
}

static json_t *setting_json(struct author *a, const char *name, const char *or_else)
{
    char   *value = ledger_setting(a->ledger, name);
    json_t *json = json_string(value ? value : or_else);

    free(value);
    return json;
}

static json_t *dps_json(const json_t *rows)
{
    json_t *list = json_array(), *row;
    size_t  i;
    char    pin[DP_PIN];

    json_array_foreach(rows, i, row)
    {
        json_t *o = json_pack("{s:O,s:O}", "name", json_object_get(row, "name"), "url", json_object_get(row, "url"));

        put_text(o, "pin", *dp_pin(row, pin) ? pin : NULL);
        json_array_append_new(list, o);
    }
    return list;
}

/* What a node has said of itself is newer than what it was enrolled with. Who has that address by now is not shut out with it. */
static json_t *revoked_json(struct author *a, const json_t *rows)
{
    json_t *list = json_array(), *row;
    size_t  i;
    char    until[TIME_SIZE];

    json_array_foreach(rows, i, row)
    {
        const char *said = arg_text(json_object_get(row, "facts"), "address");
        json_t     *o = json_pack("{s:O,s:s}", "node", json_object_get(row, "node"), "until", time_print(arg_number(row, "until", 0), until));

        said = said && strlen(said) <= 64 ? said : arg_text(row, "address");
        put_text(o, "address", said && !rows_number(a->ledger, LEDGER_ADDRESS_USED, "s", said) ? said : NULL);
        json_array_append_new(list, o);
    }
    return list;
}

static enum err put_links(struct author *a, json_t *body, struct error *e)
{
    AUTO(text_free) char *pin = ledger_setting(a->ledger, "site.pin"), *ca = ledger_setting(a->ledger, "site.ca");
    json_t               *dps = NULL, *revoked = NULL;
    enum err              code = rows_all(a->ledger, LEDGER_DPS, &dps, e, "");

    code = code ? code : rows_all(a->ledger, LEDGER_NODES_REVOKED, &revoked, e, "i", a->now);
    put_text(body, "site_pin", pin);
    put_text(body, "ca", ca);
    json_object_set_new(body, "dps", dps_json(dps));
    if (json_array_size(revoked))
        json_object_set_new(body, "revoked", revoked_json(a, revoked));
    json_decref(dps);
    json_decref(revoked);
    return code;
}

static enum err fleet(struct author *a, struct publication_list *list, const char *audience, struct error *e)
{
    json_t  *groups = NULL, *row, *body, *group_list = json_array();
    size_t   i;
    char    *poll = ledger_setting(a->ledger, "poll"), *standard = ledger_setting(a->ledger, "default-group");
    enum err code = rows_all(a->ledger, LEDGER_BOUNDARIES, &groups, e, "");

    json_array_foreach(groups, i, row) {
        json_t *links = NULL;
        code = code ? code : rows_all(a->ledger, LEDGER_LINKS, &links, e, "s", arg_text(row, "group"));
        json_array_append_new(group_list, json_pack("{s:O,s:O,s:O,s:o?}", "name", json_object_get(row, "group"), "cidrs",
                                                    json_object_get(row, "cidrs"), "dps", json_object_get(row, "dps"), "neighbours", links));
    }
    body =
        json_pack("{s:s,s:s,s:o,s:o,s:o,s:I,s:i,s:o}", "type", "fleet", "audience", audience, "site", setting_json(a, "site.name", ""),
                  "site_url", setting_json(a, "site.url", ""), "seal_key", setting_json(a, "site.seal", ""), "poll_s",
                  (json_int_t)(poll ? strtoll(poll, NULL, 10) : 3600), "rescan_s", 604800, "groups", group_list);
    put_text(body, "default_group", standard);
    code = code ? code : put_links(a, body, e);
    code = code ? code : add(a, list, must_copy("policy/fleet/fleet.json"), json_incref(body), e);
    json_decref(body);
    json_decref(groups);
    free(poll);
    free(standard);
    return code;
}

/* Rows of contents as the documents carry them; rows are borrowed. */
static enum err contents_json(struct author *a, const json_t *rows, json_t **out, struct error *e)
{
    struct content *items = NULL;
    size_t          count = 0;
    enum err        code = contents_of(a, rows, &items, &count, e);

    *out = code ? NULL : contents_print(items, count);
    contents_end(items, count);
    return code;
}

static enum err scan(struct author *a, struct publication_list *list, const char *audience, struct error *e)
{
    json_t *archives = NULL, *commands = NULL, *rows = json_array(), *contents = NULL, *row, *index, *archive_list = json_array(),
           *updates = json_array();
    size_t   i, k;
    enum err code = rows_all(a->ledger, LEDGER_CATALOG_ARCHIVES, &archives, e, "");

    code = code ? code : rows_all(a->ledger, LEDGER_COMMANDS, &commands, e, "");
    json_array_foreach(archives, i, row) {
        json_array_append(archive_list, json_object_get(row, "archive"));
        json_array_foreach(json_object_get(json_object_get(row, "archive"), "indexes"), k, index) {
            json_t *content = rows_one(a->ledger, LEDGER_CONTENT_ONE, "s", arg_text(index, "sha256"));
            if (content)
                json_array_append_new(rows, content);
        }
    }
    json_array_foreach(commands, i, row)
        json_array_append(updates, json_object_get(row, "json"));
    code = code ? code : contents_json(a, rows, &contents, e);
    if (!code)
        code = add(a, list, must_copy("policy/fleet/scan.json"),
                   json_pack("{s:s,s:s,s:O,s:O,s:O}", "type", "scan", "audience", audience, "archives", archive_list, "contents", contents,
                             "updates", updates),
                   e);
    json_decref(archives);
    json_decref(commands);
    json_decref(rows);
    json_decref(contents);
    json_decref(archive_list);
    json_decref(updates);
    return code;
}

static enum err holdings(struct author *a, struct publication_list *list, const char *audience, struct error *e)
{
    json_t  *dps = NULL, *dp;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_DPS, &dps, e, "");

    json_array_foreach(dps, i, dp) {
        json_t *rows = NULL, *contents = NULL;
        code = code ? code : holding_rows(a, arg_text(dp, "name"), &rows, e);
        code = code ? code : contents_json(a, rows, &contents, e);
        if (!code)
            code = add(a, list, must_print("policy/fleet/dp-%s.json", arg_text(dp, "name")),
                       json_pack("{s:s,s:s,s:s,s:O}", "type", "dp", "audience", audience, "dp", arg_text(dp, "name"), "contents", contents),
                       e);
        json_decref(rows);
        json_decref(contents);
    }
    json_decref(dps);
    return code;
}

/* --- deployments --- */

static bool file_travels(const struct deployment *d, const struct update_file *f)
{
    return deployment_content(d, &f->sha256) != NULL;
}

/* An update carries the files that travel; one of which nothing travels waits for its download and is left out. */
static void trim(const struct deployment *d, struct update *u)
{
    size_t kept = 0;

    for (size_t i = 0; i < u->file_count; i++) {
        if (file_travels(d, &u->files[i])) {
            u->files[kept++] = u->files[i];
            continue;
        }
        free(u->files[i].name);
        free(u->files[i].origin);
        free(u->files[i].package);
        free(u->files[i].version);
        free(u->files[i].arch);
    }
    u->file_count = kept;
}

static enum err fill_updates(struct author *a, const char *group, struct deployment *d, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_GROUP_UPDATES, &rows, e, "s", group);

    d->updates = must_alloc((json_array_size(rows) + 1) * sizeof *d->updates);
    for (size_t i = 0; i < json_array_size(rows) && !code; i++) {
        struct update *u = NULL;
        size_t         before;
        code = update_from_json(json_object_get(json_array_get(rows, i), "json"), "update", &u, e);
        if (code)
            break;
        before = u->file_count;
        trim(d, u);
        if (u->install.type == INSTALL_APT ? u->file_count > 0 : u->file_count == before)
            d->updates[d->update_count++] = u;
        else
            update_free(u);
    }
    json_decref(rows);
    return code;
}

static enum err fill_archives(struct author *a, const char *group, struct deployment *d, struct error *e)
{
    json_t       *row = rows_one(a->ledger, LEDGER_GROUP_ARCHIVES, "s", group);
    const json_t *list = json_object_get(row, "archives");
    enum err      code = OK;

    d->archives = must_alloc((json_array_size(list) + 1) * sizeof *d->archives);
    for (size_t i = 0; i < json_array_size(list) && !code; i++) {
        code = archive_from_json(json_array_get(list, i), "archive", &d->archives[i], e);
        d->archive_count += !code;
    }
    json_decref(row);
    return code;
}

static enum err fill(struct author *a, const char *group, struct deployment *d, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_GROUP_CONTENTS, &rows, e, "s", group);

    code = code ? code : contents_of(a, rows, &d->contents, &d->content_count, e);
    code = code ? code : fill_updates(a, group, d, e);
    code = code ? code : fill_archives(a, group, d, e);
    json_decref(rows);
    return code;
}

enum err deployment_head(struct author *a, const json_t *row, struct deployment **out, struct error *e)
{
    struct deployment *d = must_alloc(sizeof *d);
    const char        *name = arg_text(row, "name");
    enum err           code = OK;

    d->seq = 1;
    d->audience = ledger_setting(a->ledger, "site.id");
    d->id = must_copy(name);
    d->name = must_copy(name);
    d->collection = must_copy(arg_text(row, "collection"));
    d->withdrawn = json_is_true(json_object_get(row, "withdrawn"));
    d->enabled = json_is_true(json_object_get(row, "enabled")) && !d->withdrawn;
    d->halted = must_copy(arg_text(row, "halted"));
    d->available = arg_number(row, "available_s", 0);
    d->deadline = arg_number(row, "deadline_s", 0);
    code = terms_stored(json_object_get(row, "terms"), &d->terms, e);
    if (code)
        deployment_free(d);
    else
        *out = d;
    return code;
}

enum err deployment_document(struct author *a, const json_t *row, struct deployment **out, struct error *e)
{
    struct deployment *d = NULL;
    enum err           code = deployment_head(a, row, &d, e);

    if (!code && !d->withdrawn)
        code = fill(a, arg_text(row, "group"), d, e);
    if (code)
        deployment_free(d);
    else
        *out = d;
    return code;
}

static enum err one_collection(struct author *a, struct publication_list *list, const char *name, const char *audience, struct error *e)
{
    struct collection *c = NULL;
    char              *target = must_print("policy/%s/collection.json", name);
    enum err           code = OK;

    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i].name, target)) {
            free(target);
            return OK;
        }
    code = collection_whole(a->ledger, name, &c, e);
    if (code) {
        free(target);
        return code;
    }
    c->audience = must_copy(audience);
    code = add(a, list, target, collection_to_json(c), e);
    collection_free(c);
    return code;
}

/* A tombstone goes when no node holds an older word of that deployment. */
static bool buried(struct author *a, const char *name, const char *target)
{
    json_t *row = rows_one(a->ledger, LEDGER_DOCUMENT, "s", target);
    bool    open = rows_number(a->ledger, LEDGER_TOMBSTONE_OPEN, "si", target, arg_number(row, "seq", 0)) > 0;

    json_decref(row);
    (void)name;
    return !open;
}

/* Windows, settings and turns hold although nothing is deployed. */
static enum err holding_collections(struct author *a, struct publication_list *list, const char *audience, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_COLLECTIONS, &rows, e, "");

    json_array_foreach(rows, i, row)
        if (!code && collection_holds(json_object_get(row, "json")))
            code = one_collection(a, list, arg_text(row, "name"), audience, e);
    json_decref(rows);
    return code;
}

static enum err deployments(struct author *a, struct publication_list *list, const char *audience, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_DEPLOYMENTS, &rows, e, "si", NULL, (int64_t)1);

    json_array_foreach(rows, i, row) {
        struct deployment *d = NULL;
        char              *target = must_print("policy/%s/%s.json", arg_text(row, "collection"), arg_text(row, "name"));
        code = code ? code : deployment_document(a, row, &d, e);
        code = code ? code : add(a, list, must_copy(target), deployment_to_json(d), e);
        code = code ? code : one_collection(a, list, d->collection, audience, e);
        if (!code && d->withdrawn && buried(a, d->id, target))
            code = rows_run(a->ledger, LEDGER_DEPLOYMENT_DROP, e, "s", d->id);
        deployment_free(d);
        free(target);
    }
    json_decref(rows);
    return code;
}

enum err author_publications(struct author *a, struct publication_list *out, struct error *e)
{
    char    *audience = ledger_setting(a->ledger, "site.id");
    enum err code = ledger_begin(a->ledger, e);

    memset(out, 0, sizeof *out);
    if (!code && !audience)                     /* it could not be read: nothing is signed for nobody */
        code = fail(e, ERR_IO, "the site's database does not tell the site's id");
    code = code ? code : fleet(a, out, audience, e);
    code = code ? code : scan(a, out, audience, e);
    code = code ? code : holdings(a, out, audience, e);
    code = code ? code : deployments(a, out, audience, e);
    code = code ? code : holding_collections(a, out, audience, e);
    code = ledger_end(a->ledger, code, e);
    if (code)
        author_publications_free(out);
    free(audience);
    return code;
}
