/* Content: what has to travel for a group, what is in the library, what distribution points hold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"
#include "policy/document/parts.h"

#define INDEX_LIMIT   (512u << 20)
#define ARCHIVES      32                        /* of one deployment, as nodes read it */
#define TORRENT_LIMIT (1u << 20)

/* Everything the closure is solved from, loaded for one call. */
struct world {
    struct update       **updates;
    size_t                update_count;
    struct package_set   *sets;
    const struct package_set **set_pointers;
    struct archive       *archives;
    size_t                set_count;
    struct inventory     *inventories;
    const struct inventory **inventory_pointers;
    size_t                inventory_count;
};

static void world_end(struct world *w)
{
    for (size_t i = 0; i < w->set_count; i++) {
        package_set_end(&w->sets[i]);
        archive_end(&w->archives[i]);
    }
    for (size_t i = 0; i < w->inventory_count; i++)
        inventory_end(&w->inventories[i]);
    updates_end(w->updates, w->update_count);
    free(w->sets);
    free(w->set_pointers);
    free(w->archives);
    free(w->inventories);
    free(w->inventory_pointers);
}

static enum err load_updates(struct author *a, const char *group, struct world *w, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_GROUP_UPDATES, &rows, e, "s", group);

    w->updates = must_alloc((json_array_size(rows) + 1) * sizeof *w->updates);
    for (size_t i = 0; i < json_array_size(rows) && !code; i++) {
        code = update_from_json(json_object_get(json_array_get(rows, i), "json"), "update", &w->updates[w->update_count], e);
        w->update_count += !code;
    }
    json_decref(rows);
    return code;
}

static bool uses(const struct world *w, const char *catalog)
{
    for (size_t i = 0; i < w->update_count; i++)
        if (!strcmp(w->updates[i]->catalog, catalog))
            return true;
    return false;
}

static enum err load_set(struct author *a, const struct archive *archive, struct package_set *set, struct error *e)
{
    enum err code = OK;

    set->catalog = must_copy(archive->name);
    set->uri = must_copy(archive->uri);
    for (size_t i = 0; i < archive->index_count && !code; i++) {
        char   hex[SHA256_HEX], *path, *bytes = NULL;
        size_t length;
        if (!strstr(archive->indexes[i].path, "/Packages"))
            continue;
        path = must_print("%s/%s", a->content_dir, sha256_hex(&archive->indexes[i].sha256, hex));
        code = file_read(path, INDEX_LIMIT, &bytes, &length, e);
        code = code ? code : package_set_add(set, bytes, length, e);
        free(bytes);
        free(path);
    }
    package_set_sort(set);
    return code;
}

/* Whether every file of the update that is a package is in the snapshot: by its hash, which is all that counts. */
static bool serves(const struct package_set *set, const struct update *u)
{
    for (size_t f = 0; f < u->file_count; f++) {
        const char *package = u->files[f].package;
        size_t      first = 0, n = package ? package_set_find(set, package, &first) : 0;
        bool        found = !package;
        for (size_t i = first; i < first + n && !found; i++)
            found = sha256_same(&set->packages[i].sha256, &u->files[f].sha256);
        if (!found)
            return false;
    }
    return true;
}

static bool served(const struct world *w, const struct update *u)
{
    for (size_t i = 0; i < w->set_count; i++)
        if (!strcmp(w->archives[i].name, u->catalog) && serves(&w->sets[i], u))
            return true;
    return u->install.type != INSTALL_APT;
}

static enum err add_archive(struct author *a, struct world *w, const json_t *json, struct error *e)
{
    size_t   n = w->set_count;
    enum err code = archive_from_json(json, "archive", &w->archives[n], e);

    if (code)
        return code;
    w->set_pointers[n] = &w->sets[n];
    w->set_count++;
    return load_set(a, &w->archives[n], &w->sets[n], e);
}

/* Forgets the last one again. */
static void drop_archive(struct world *w)
{
    w->set_count--;
    package_set_end(&w->sets[w->set_count]);
    archive_end(&w->archives[w->set_count]);
    memset(&w->sets[w->set_count], 0, sizeof *w->sets);
}

/* Members of that archive's catalog that nothing loaded so far can serve. */
static size_t unserved(const struct world *w, const char *catalog)
{
    size_t n = 0;

    for (size_t i = 0; i < w->update_count; i++)
        n += !strcmp(w->updates[i]->catalog, catalog) && !served(w, w->updates[i]);
    return n;
}

/* A member whose version has left its catalog is served by the snapshot the group was downloaded from, for as long as it is a member. */
static enum err keep_pinned(struct author *a, const json_t *pinned, struct world *w, struct error *e)
{
    json_t  *archive;
    size_t   i;
    enum err code = OK;

    json_array_foreach(pinned, i, archive) {
        const char *name = arg_text(archive, "name");
        size_t      lacking = name && w->set_count < ARCHIVES ? unserved(w, name) : 0;
        if (code || !lacking)
            continue;
        code = add_archive(a, w, archive, e);
        if (!code && unserved(w, name) == lacking)
            drop_archive(w);
    }
    return code;
}

static enum err load_sets(struct author *a, const char *group, struct world *w, struct error *e)
{
    json_t  *rows = NULL, *pinned = rows_one(a->ledger, LEDGER_GROUP_ARCHIVES, "s", group);
    enum err code = rows_all(a->ledger, LEDGER_CATALOG_ARCHIVES, &rows, e, "");
    size_t   n = json_array_size(rows);

    w->sets = must_alloc((n + ARCHIVES + 1) * sizeof *w->sets);
    w->set_pointers = must_alloc((n + ARCHIVES + 1) * sizeof *w->set_pointers);
    w->archives = must_alloc((n + ARCHIVES + 1) * sizeof *w->archives);
    for (size_t i = 0; i < n && !code; i++) {
        const json_t *row = json_array_get(rows, i);
        if (uses(w, arg_text(row, "name")))
            code = add_archive(a, w, json_object_get(row, "archive"), e);
    }
    code = code ? code : keep_pinned(a, json_object_get(pinned, "archives"), w, e);
    json_decref(pinned);
    json_decref(rows);
    return code;
}

static enum err load_inventories(struct author *a, const char *group, struct world *w, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_NODE_INVENTORIES, &rows, e, "s", group);
    size_t   n = json_array_size(rows);

    w->inventories = must_alloc((n + 1) * sizeof *w->inventories);
    w->inventory_pointers = must_alloc((n + 1) * sizeof *w->inventory_pointers);
    for (size_t i = 0; i < n && !code; i++) {
        code = inventory_from_json(json_object_get(json_array_get(rows, i), "inventory"), &w->inventories[w->inventory_count], e);
        if (!code) {
            w->inventory_pointers[w->inventory_count] = &w->inventories[w->inventory_count];
            w->inventory_count++;
        }
    }
    json_decref(rows);
    return code;
}

struct wanted_list {
    struct wanted_file *items;
    size_t              count;
};

static enum err want(struct author *a, const char *group, struct wanted_list *list, const struct sha256 *h, uint64_t size, const char *name,
                     char *origin /* taken */, struct error *e)
{
    char                hex[SHA256_HEX];
    struct wanted_file *f;
    enum err            code = rows_run(a->ledger, LEDGER_WANTED_PUT, e, "ss", group, sha256_hex(h, hex));

    list->items = must_grow(list->items, list->count + 1, sizeof *list->items);
    f = &list->items[list->count++];
    *f = (struct wanted_file){.sha256 = *h,
                              .size = size,
                              .name = must_copy(name),
                              .origin = origin,
                              .here = rows_number(a->ledger, LEDGER_CONTENT_HAS, "s", hex) > 0};
    return code;
}

static enum err want_all(struct author *a, const char *group, const struct world *w, const struct closure *c, struct wanted_list *list,
                         struct error *e)
{
    enum err code = rows_run(a->ledger, LEDGER_WANTED_CLEAR, e, "s", group);

    for (size_t i = 0; i < c->count && !code; i++) {
        const struct package *p = c->items[i].package;
        code = want(a, group, list, &p->sha256, p->size, p->filename, must_print("%s/%s", c->items[i].set->uri, p->filename), e);
    }
    for (size_t i = 0; i < w->set_count && !code; i++)
        for (size_t k = 0; k < w->archives[i].index_count && !code; k++) {
            const struct archive_index *x = &w->archives[i].indexes[k];
            code = want(a, group, list, &x->sha256, x->size, x->path, NULL, e);
        }
    for (size_t i = 0; i < w->update_count && !code; i++)
        for (size_t k = 0; k < w->updates[i]->file_count && !code && w->updates[i]->install.type == INSTALL_COMMAND; k++) {
            const struct update_file *f = &w->updates[i]->files[k];
            code = want(a, group, list, &f->sha256, f->size, f->name, NULL, e);
        }
    return code;
}

/* One that nothing serves any more waits with state "content missing"; the others of the group do not wait for it. */
static enum err apt_only(const struct world *w, struct closure *c, const char *arch, struct error *e)
{
    const struct update **list = must_alloc((w->update_count + 1) * sizeof *list);
    size_t                n = 0;
    enum err              code;

    for (size_t i = 0; i < w->update_count; i++)
        if (w->updates[i]->install.type == INSTALL_APT && served(w, w->updates[i]))
            list[n++] = w->updates[i];
    code = closure_solve(list, n, w->set_pointers, w->set_count, w->inventory_pointers, w->inventory_count, arch, c, e);
    free(list);
    return code;
}

/* The only part that writes. */
static enum err write_wanted(struct author *a, const char *group, const struct world *w, const struct closure *c, struct wanted_list *list,
                             struct error *e)
{
    json_t  *archives = archives_print(w->archives, w->set_count);
    char    *text = json_dumps(archives, JSON_COMPACT);
    enum err code = ledger_begin(a->ledger, e);

    if (!code && !rows_number(a->ledger, LEDGER_GROUP_HAS, "s", group))
        code = no_such(a->ledger, LEDGER_GROUP_NAMES, "group", group, e);
    code = code ? code : want_all(a, group, w, c, list, e);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_ARCHIVES_WANTED, e, "ss", group, text);
    code = code ? code : rows_run(a->ledger, LEDGER_MEMBERS_UNWANTED, e, "s", group);
    for (size_t i = 0; i < w->update_count && !code; i++)
        if (served(w, w->updates[i]))
            code = rows_run(a->ledger, LEDGER_MEMBER_WANTED, e, "ss", group, w->updates[i]->id);
    free(text);
    json_decref(archives);
    return ledger_end(a->ledger, code, e);
}

static enum err wanted_of_group(struct author *a, const char *group, struct wanted_list *list, char ***missing, struct error *e)
{
    struct world   w = {0};
    struct closure c = {0};
    enum err       code = load_updates(a, group, &w, e);

    code = code ? code : load_sets(a, group, &w, e);
    code = code ? code : load_inventories(a, group, &w, e);
    code = code ? code : apt_only(&w, &c, w.set_count ? w.archives[0].arch : "amd64", e);
    code = code ? code : write_wanted(a, group, &w, &c, list, e);
    if (!code && c.missing && missing && !*missing)
        *missing = words_copy(c.missing);
    closure_end(&c);
    world_end(&w);
    return code;
}

enum err content_wanted(struct author *a, const char *group, struct wanted_file **out, size_t *count, char ***missing, struct error *e)
{
    struct wanted_list list = {0};
    json_t            *groups = NULL, *row;
    size_t             i;
    enum err           code = OK;

    *missing = NULL;
    if (group)
        groups = json_pack("[{s:s}]", "name", group);
    else
        code = rows_all(a->ledger, LEDGER_DEPLOYED_GROUPS, &groups, e, "");
    json_array_foreach(groups, i, row)
        code = code ? code : wanted_of_group(a, arg_text(row, "name"), &list, missing, e);
    json_decref(groups);
    if (code) {
        wanted_free(list.items, list.count);
        words_free(*missing);
        *missing = NULL;
        return code;
    }
    *out = list.items;
    *count = list.count;
    return OK;
}

void wanted_free(struct wanted_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(files[i].name);
        free(files[i].origin);
    }
    free(files);
}

enum err content_arrived(struct author *a, const struct sha256 *h, uint64_t size, const char *name, const char *origin,
                         const struct sha256 *info_hash, struct error *e)
{
    char hex[SHA256_HEX], info[SHA256_HEX];

    return rows_run(a->ledger, LEDGER_CONTENT_PUT, e, "sisss", sha256_hex(h, hex), (int64_t)size, name, origin,
                    sha256_hex(info_hash, info));
}

enum err content_group_done(struct author *a, const char *group, struct error *e)
{
    enum err code = ledger_begin(a->ledger, e);

    if (!code && rows_number(a->ledger, LEDGER_GROUP_SHORT, "s", group))
        code = fail(e, ERR_CONDITION, "group %s: not every file is in the library yet", group);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_CONTENT_CLEAR, e, "s", group);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_CONTENT_TAKE, e, "s", group);
    code = code ? code : rows_run(a->ledger, LEDGER_GROUP_ARCHIVES_TAKE, e, "s", group);
    code = code ? code : rows_run(a->ledger, LEDGER_MEMBERS_DOWNLOADED, e, "s", group);
    return ledger_end(a->ledger, code, e);
}

/* --- as documents carry them --- */

enum err contents_of(struct author *a, const json_t *rows, struct content **out, size_t *count, struct error *e)
{
    size_t   n = json_array_size(rows);
    enum err code = OK;

    *out = must_alloc((n + 1) * sizeof **out);
    *count = 0;
    for (size_t i = 0; i < n && !code; i++) {
        const json_t  *row = json_array_get(rows, i);
        struct content c = {.size = (uint64_t)arg_number(row, "size", 0), .origin = must_copy(arg_text(row, "origin"))};
        char          *path = must_print("%s/%s.torrent", a->content_dir, arg_text(row, "sha256")), *bytes = NULL;
        if (!sha256_read(arg_text(row, "sha256"), &c.sha256) || !sha256_read(arg_text(row, "info_hash"), &c.info_hash))
            code = fail(e, ERR_FAILED, "the library's row of %s is damaged", path);
        code = code ? code : file_read(path, TORRENT_LIMIT, &bytes, &c.torrent_size, e);
        c.torrent = (uint8_t *)bytes;
        (*out)[(*count)++] = c;
        free(path);
    }
    contents_sort(*out, *count);
    return code;
}

enum err content_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_CONTENTS, &rows, e, "");

    (void)args;
    if (!code)
        *out = listing(rows);
    return code;
}

enum err content_distribute(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *group = arg_text(args, "name");
    json_t     *to = json_object_get(args, "to"), *item;
    size_t      i;
    enum err    code = OK;

    if (!group || !rows_number(a->ledger, LEDGER_GROUP_HAS, "s", group))
        return no_such(a->ledger, LEDGER_GROUP_NAMES, "group", group ? group : "", e);
    if (!json_array_size(to))
        return fail(e, ERR_USAGE, "--to is missing: which distribution point?");
    json_array_foreach(to, i, item) {
        const char *dp = json_string_value(item) ? json_string_value(item) : "";
        if (!code && !rows_number(a->ledger, LEDGER_DP_HAS, "s", dp))
            code = no_such(a->ledger, LEDGER_DP_NAMES, "distribution point", dp, e);
        code = code ? code : rows_run(a->ledger, LEDGER_DP_GROUP_PUT, e, "ss", dp, group);
    }
    if (!code)
        *out = message("group %s goes to %zu distribution point%s; `ferry content status` shows how far it has come", group,
                       json_array_size(to), json_array_size(to) == 1 ? "" : "s");
    return code;
}

/* Rows of what a distribution point has to hold: its groups' contents and every catalog's indexes. */
enum err holding_rows(struct author *a, const char *dp, json_t **out, struct error *e)
{
    json_t  *rows = NULL, *archives = NULL, *row, *seen = json_object();
    size_t   i, k;
    enum err code = rows_all(a->ledger, LEDGER_DP_CONTENTS, &rows, e, "s", dp);

    code = code ? code : rows_all(a->ledger, LEDGER_CATALOG_ARCHIVES, &archives, e, "");
    json_array_foreach(rows, i, row)
        json_object_set_new(seen, arg_text(row, "sha256"), json_true());
    json_array_foreach(archives, i, row) {
        json_t *index, *indexes = json_object_get(json_object_get(row, "archive"), "indexes");
        json_array_foreach(indexes, k, index) {
            const char *hex = arg_text(index, "sha256");
            json_t     *content = hex && !json_object_get(seen, hex) ? rows_one(a->ledger, LEDGER_CONTENT_ONE, "s", hex) : NULL;
            if (content) {
                json_object_set_new(seen, hex, json_true());
                json_array_append_new(rows, content);
            }
        }
    }
    json_decref(archives);
    json_decref(seen);
    *out = rows;
    return code;
}

enum err content_status(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *dps = NULL, *dp, *row, *rows;
    size_t   i, k;
    enum err code = rows_all(a->ledger, LEDGER_DPS, &dps, e, "");

    (void)args;
    json_array_foreach(dps, i, dp) {
        const char *name = arg_text(dp, "name");
        int64_t     held = 0, bytes = 0;
        rows = NULL;
        code = code ? code : holding_rows(a, name, &rows, e);
        json_array_foreach(rows, k, row) {
            held += rows_number(a->ledger, LEDGER_DP_HELD, "ss", name, arg_text(row, "sha256")) > 0;
            bytes += arg_number(row, "size", 0);
        }
        json_object_set_new(dp, "dp", json_string(name));
        json_object_set_new(dp, "contents", json_integer((json_int_t)json_array_size(rows)));
        json_object_set_new(dp, "complete", json_integer(held));
        json_object_set_new(dp, "bytes", json_integer(bytes));
        json_object_set_new(dp, "state",
                            json_string(held == (int64_t)json_array_size(rows) ? "complete"
                                        : arg_text(dp, "node")                 ? "in progress"
                                                                               : "not reported"));
        json_decref(rows);
    }
    if (!code)
        *out = listing(dps);
    return code;
}

enum err author_deployed_groups(struct author *a, json_t **out, struct error *e)
{
    return rows_all(a->ledger, LEDGER_DEPLOYED_GROUPS, out, e, "");
}
