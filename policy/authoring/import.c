/* One import replaces what a catalog had. Everything long is done before the transaction, so that whoever else writes waits only for rows
 * that really change: a sync that brings nothing new writes one row. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/catalog/version.h"

struct change {
    struct update *update;
    bool fresh;
};

struct import {
    struct author *author;
    struct catalog_counts *counts;
    json_t *seen; /* ids of this import, as members */
    struct change *changes;
    size_t change_count, expired;
};

enum err update_put(struct author *a, const struct update *u, int64_t released, struct error *e)
{
    json_t *json = update_to_json(u);
    char *text = json_dumps(json, JSON_COMPACT);
    struct text cves AUTO(text_end) = {0};
    const char *arch = u->file_count && u->files[0].arch ? u->files[0].arch : "";
    enum err code;

    text_add(&cves, " ");
    for (char **c = u->cves; c && *c; c++)
        text_add(&cves, "%s ", *c);
    for (size_t i = 0; i < u->file_count; i++)
        if (u->files[i].arch && strcmp(u->files[i].arch, "all"))
            arch = u->files[i].arch;
    code = rows_run(a->ledger, LEDGER_UPDATE_PUT, e, "sssssssssssssiiis", u->id, u->catalog, u->name, u->version, u->title,
                    u->description ? u->description : "", class_name(u->classification), severity_name(u->severity),
                    u->product ? u->product : "", u->vendor ? u->vendor : "", arch, u->urgency ? u->urgency : "", cves.data, released,
                    a->now, (int64_t)update_size(u), text);
    free(text);
    json_decref(json);
    return code;
}

/* Compares with the ledger's row, and keeps a copy of what is new or different. */
static enum err on_update(void *ctx, const struct update *u, struct error *e)
{
    struct import *im = ctx;
    struct ledger *l = im->author->ledger;
    json_t *json = update_to_json(u);
    char *text = json_dumps(json, JSON_COMPACT);
    bool same = rows_number(l, LEDGER_UPDATE_SAME, "ss", u->id, text) > 0;
    struct change change = {.fresh = !same && !rows_number(l, LEDGER_UPDATE_KNOWN, "s", u->id)};
    enum err code = same ? OK : update_from_json(json, "update", &change.update, e);

    im->counts->updates++;
    im->counts->fresh += change.fresh;
    json_object_set_new(im->seen, u->id, json_true());
    if (change.update) {
        im->changes = must_grow(im->changes, im->change_count + 1, sizeof *im->changes);
        im->changes[im->change_count++] = change;
    }
    free(text);
    json_decref(json);
    return code;
}

static enum err expire_unseen(struct import *im, const char *catalog, struct error *e)
{
    json_t *rows = NULL, *row;
    size_t i;
    enum err code = rows_all(im->author->ledger, LEDGER_UPDATES_CURRENT, &rows, e, "s", catalog);

    json_array_foreach(rows, i, row) {
        if (code || json_object_get(im->seen, arg_text(row, "id")))
            continue;
        code = rows_run(im->author->ledger, LEDGER_UPDATE_EXPIRE, e, "s", arg_text(row, "id"));
        im->expired++;
    }
    json_decref(rows);
    return code;
}

/* When it was released is known of what appears after the first sync: with the index that names it first. Nodes may have spoken of it
 * before (a catalog that was removed and is back). */
static enum err put_changes(struct import *im, int64_t date, bool first_sync, struct error *e)
{
    enum err code = OK;

    for (size_t i = 0; i < im->change_count && !code; i++) {
        const struct change *c = &im->changes[i];
        code = update_put(im->author, c->update, c->fresh && !first_sync ? date : 0, e);
        if (!code && c->fresh)
            code = rows_run(im->author->ledger, LEDGER_UPDATE_COUNT_ONE, e, "s", c->update->id);
        if (!code && c->fresh)
            code = rows_run(im->author->ledger, LEDGER_UPDATE_ADDED, e, "s", c->update->id);
    }
    return code;
}

static bool same_family(const json_t *a, const json_t *b)
{
    return json_equal(json_object_get(a, "name"), json_object_get(b, "name")) &&
           json_equal(json_object_get(a, "product"), json_object_get(b, "product"));
}

static const char *version_of(const json_t *row)
{
    const char *version = arg_text(row, "version");

    return version ? version : "";
}

static enum err mark_family(struct author *a, const json_t *rows, size_t begin, size_t end, struct catalog_counts *counts, struct error *e)
{
    const char *best = version_of(json_array_get(rows, begin));
    enum err code = OK;

    for (size_t k = begin + 1; k < end; k++)
        if (version_compare(version_of(json_array_get(rows, k)), best) > 0)
            best = version_of(json_array_get(rows, k));
    for (size_t k = begin; k < end && !code; k++) {
        const json_t *one = json_array_get(rows, k);
        bool old = version_compare(version_of(one), best) < 0;
        counts->superseded += old;
        if (old != (arg_number(one, "superseded", 0) != 0))
            code = rows_run(a->ledger, LEDGER_UPDATE_SUPERSEDED, e, "si", arg_text(one, "id"), (int64_t)old);
    }
    return code;
}

/* A higher version of the same source in the same product replaces the lower ones. Rows come ordered by product and name. */
static enum err mark_superseded(struct author *a, struct catalog_counts *counts, struct error *e)
{
    json_t *rows = NULL;
    enum err code = rows_all(a->ledger, LEDGER_UPDATE_VERSIONS, &rows, e, "");
    size_t n = json_array_size(rows), begin = 0;

    for (size_t i = 1; i <= n && !code; i++)
        if (i == n || !same_family(json_array_get(rows, begin), json_array_get(rows, i))) {
            code = mark_family(a, rows, begin, i, counts, e);
            begin = i;
        }
    json_decref(rows);
    return code;
}

static enum err write_all(struct import *im, const char *name, const char *archive, const char *inrelease, const struct release *release,
                          struct error *e)
{
    struct ledger *l = im->author->ledger;
    enum err code = ledger_begin(l, e);
    int64_t before = rows_number(l, LEDGER_CATALOG_DATE, "s", name);

    if (!code && !rows_number(l, LEDGER_CATALOG_HAS, "s", name))
        code = fail(e, ERR_CONDITION, "catalog %s was removed meanwhile", name);
    if (!code && release->date < before)
        code = fail(e, ERR_VERIFY, "another sync has brought a newer one meanwhile");
    code = code ? code : rows_run(l, LEDGER_GENERATION_PUT, e, "ss", name, inrelease);
    code = code ? code : expire_unseen(im, name, e);
    code = code ? code : put_changes(im, release->date, before == 0, e);
    code = code ? code : rows_run(l, LEDGER_UPDATE_FORGET, e, "s", name);
    if (!code && (im->change_count || im->expired))
        code = mark_superseded(im->author, im->counts, e);
    code = code ? code : rows_run(l, LEDGER_CATALOG_SYNCED, e, "siis", name, release->date, im->author->now, archive);
    return ledger_end(l, code, e);
}

enum err catalog_import(struct author *a, const char *name, const struct package_set *set, const struct archive *archive,
                        const struct release *release, struct catalog_counts *out, struct error *e)
{
    struct import im = {.author = a, .counts = out, .seen = json_object()};
    json_t *json = archive_to_json(archive);
    char *text = json_dumps(json, JSON_COMPACT), hex[SHA256_HEX] = "";
    enum err code;

    if (archive->index_count)
        sha256_hex(&archive->indexes[0].sha256, hex);
    memset(out, 0, sizeof *out);
    out->packages = (int64_t)set->count;
    code = apt_updates(set, on_update, &im, e);
    code = code ? code : write_all(&im, name, text, hex, release, e);
    for (size_t i = 0; i < im.change_count; i++)
        update_free(im.changes[i].update);
    free(im.changes);
    json_decref(im.seen);
    free(text);
    json_decref(json);
    return code;
}
