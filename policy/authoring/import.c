/* One import replaces what a catalog had. Everything long is done before the transaction, so that whoever else writes waits only for rows
 * that really change: a sync that brings nothing new writes one row. A catalog's first import may be tens of thousands of rows; there is no
 * old one that would have to stay, so it is written in portions. The updates are made twice, once to compare and once to write: keeping a
 * whole archive's would take as much memory again as its packages do. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/catalog/version.h"

#define PORTION 1000 /* rows; about 40 ms */

enum mark { SAME, CHANGED, FRESH };

struct import {
    struct author *author;
    struct catalog_counts *counts;
    json_t *seen;   /* ids of this import, as members */
    uint8_t *marks; /* enum mark of each, in the order apt_updates gives them */
    size_t at, changes, written;
    const struct release *release;
    int64_t date;     /* of the one in force; 0: this is the first import */
    int64_t released; /* of what is fresh; 0: not known */
    const char *catalog;
    json_t *gone; /* ids the archive no longer has */
};

/* " A B ": find.c looks for " A ". */
static char *listed(char *const *words)
{
    struct text t = {0};

    text_add(&t, " ");
    for (char *const *w = words; w && *w; w++)
        text_add(&t, "%s ", *w);
    return text_take(&t);
}

enum err update_put(struct author *a, const struct update *u, int64_t released, struct error *e)
{
    json_t *json = update_to_json(u);
    char *text = json_dumps(json, JSON_COMPACT);
    char *cves = listed(u->cves), *articles = listed(u->articles), *bulletins = listed(u->bulletins), *languages = listed(u->languages);
    const char *arch = u->file_count && u->files[0].arch ? u->files[0].arch : "";
    enum err code;

    for (size_t i = 0; i < u->file_count; i++)
        if (u->files[i].arch && strcmp(u->files[i].arch, "all"))
            arch = u->files[i].arch;
    code = rows_run(a->ledger, LEDGER_UPDATE_PUT, e, "sssssssssssssiiissss", u->id, u->catalog, u->name, u->version, u->title,
                    u->description ? u->description : "", class_name(u->classification), severity_name(u->severity),
                    u->product ? u->product : "", u->vendor ? u->vendor : "", arch, u->urgency ? u->urgency : "", cves, released, a->now,
                    (int64_t)update_size(u), text, articles, bulletins, languages);
    free(cves);
    free(articles);
    free(bulletins);
    free(languages);
    free(text);
    json_decref(json);
    return code;
}

static enum err compare(void *ctx, const struct update *u, struct error *e)
{
    struct import *im = ctx;
    struct ledger *l = im->author->ledger;
    json_t *json = update_to_json(u);
    char *text = json_dumps(json, JSON_COMPACT);
    struct update *read = NULL;
    enum mark mark = SAME;
    enum err code = OK;

    if (!rows_number(l, LEDGER_UPDATE_SAME, "ss", u->id, text))
        mark = rows_number(l, LEDGER_UPDATE_KNOWN, "s", u->id) ? CHANGED : FRESH;
    if (mark != SAME)
        code = update_from_json(json, "update", &read, e); /* what could not be read again is not stored */
    im->counts->updates++;
    im->counts->fresh += mark == FRESH;
    im->changes += mark != SAME;
    im->marks[im->at++] = (uint8_t)mark;
    json_object_set_new(im->seen, u->id, json_true());
    update_free(read);
    free(text);
    json_decref(json);
    return code;
}

/* What may have happened while the lock was not held. */
static enum err begin(struct import *im, struct error *e)
{
    struct ledger *l = im->author->ledger;
    enum err code = ledger_begin(l, e);

    if (!code && !rows_number(l, LEDGER_CATALOG_HAS, "s", im->catalog))
        return fail(e, ERR_CONDITION, "catalog %s was removed meanwhile", im->catalog);
    if (!code && im->release->date < rows_number(l, LEDGER_CATALOG_DATE, "s", im->catalog))
        return fail(e, ERR_VERIFY, "another sync has brought a newer one meanwhile");
    return code;
}

/* Lets others write between two portions of a first import. */
static enum err next_portion(struct import *im, struct error *e)
{
    enum err code = ledger_end(im->author->ledger, OK, e);

    if (!code)
        im->author->breathe();
    return code ? code : begin(im, e);
}

/* Nodes may have spoken of it before (a catalog that was removed and is back). */
static enum err put_marked(void *ctx, const struct update *u, struct error *e)
{
    struct import *im = ctx;
    enum mark mark = im->marks[im->at++];
    enum err code = OK;

    if (mark == SAME)
        return OK;
    if (!im->date && im->author->breathe && im->written && im->written % PORTION == 0)
        code = next_portion(im, e);
    im->written++;
    code = code ? code : update_put(im->author, u, mark == FRESH ? im->released : 0, e);
    if (mark == FRESH) {
        code = code ? code : rows_run(im->author->ledger, LEDGER_UPDATE_COUNT_ONE, e, "s", u->id);
        code = code ? code : rows_run(im->author->ledger, LEDGER_UPDATE_ADDED, e, "s", u->id);
    }
    return code;
}

static void note_gone(void *ctx, const json_t *row)
{
    struct import *im = ctx;

    if (!json_object_get(im->seen, arg_text(row, "id")))
        json_array_append(im->gone, json_object_get(row, "id"));
}

static enum err mark_gone(struct import *im, struct error *e)
{
    json_t *id;
    size_t i;
    enum err code = OK;

    json_array_foreach(im->gone, i, id) code =
        code ? code : rows_run(im->author->ledger, LEDGER_UPDATE_GONE, e, "si", json_string_value(id), im->author->now);
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

/* Those of one name and product, as they come, and what has to be said about others before them. */
struct families {
    json_t *rows;
    json_t *turned; /* {id: who replaces it, null: it has left its catalog and nobody does, false: it is the newest} */
    int64_t superseded;
};

/* What a catalog still has; of several the highest version. NULL: none of the family is there any more. */
static const json_t *newest(const json_t *rows)
{
    const json_t *best = NULL, *row;
    size_t i;

    json_array_foreach(rows, i, row) if (!arg_number(row, "gone", 0) && (!best || version_compare(version_of(row), version_of(best)) > 0))
        best = row;
    return best;
}

static json_t *verdict(const json_t *row, const json_t *best)
{
    if (best && version_compare(version_of(row), version_of(best)) < 0)
        return json_incref(json_object_get(best, "id"));
    return arg_number(row, "gone", 0) ? json_null() : json_false();
}

static bool stands(const json_t *row, const json_t *said)
{
    const char *by = arg_text(row, "superseded_by");
    bool old = arg_number(row, "superseded", 0) != 0;

    if (json_is_string(said))
        return old && by && !strcmp(by, json_string_value(said));
    return !old && json_is_false(said) == !arg_number(row, "expired", 0);
}

static void end_family(struct families *f)
{
    const json_t *best = newest(f->rows);
    json_t *row;
    size_t i;

    json_array_foreach(f->rows, i, row)
    {
        json_t *said = verdict(row, best);

        f->superseded += json_is_string(said);
        if (!stands(row, said))
            json_object_set(f->turned, arg_text(row, "id"), said);
        json_decref(said);
    }
    json_array_clear(f->rows);
}

static void add_to_family(void *ctx, const json_t *row)
{
    struct families *f = ctx;

    if (json_array_size(f->rows) && !same_family(json_array_get(f->rows, 0), row))
        end_family(f);
    json_array_append(f->rows, (json_t *)(uintptr_t)row);
}

/* A higher version of the same source in the same product that some catalog has replaces the lower ones, whether their catalogs still have
 * them or not; one that has left its catalog and is not replaced has expired. Rows come ordered by product and name. */
static enum err mark_superseded(struct author *a, struct catalog_counts *counts, struct error *e)
{
    struct families f = {.rows = json_array(), .turned = json_object()};
    enum err code = rows_each(a->ledger, LEDGER_UPDATE_VERSIONS, add_to_family, &f, e, "");
    const char *id;
    json_t *said;

    end_family(&f);
    json_object_foreach(f.turned, id, said)
    {
        if (!code && json_is_string(said))
            code = rows_run(a->ledger, LEDGER_UPDATE_SUPERSEDED, e, "ssi", id, json_string_value(said), a->now);
        else if (!code)
            code = rows_run(a->ledger, LEDGER_UPDATE_STANDS, e, "sii", id, (int64_t)json_is_null(said), a->now);
    }
    counts->superseded = f.superseded;
    json_decref(f.rows);
    json_decref(f.turned);
    return code;
}

static enum err write_all(struct import *im, const struct package_set *set, const char *archive, const char *inrelease, struct error *e)
{
    struct ledger *l = im->author->ledger;
    enum err code = begin(im, e);

    im->at = 0;
    im->released = im->date ? im->release->date : 0; /* after the first sync: with the index that names it first */
    code = code ? code : rows_run(l, LEDGER_GENERATION_PUT, e, "ss", im->catalog, inrelease);
    code = code ? code : mark_gone(im, e);
    if (im->changes)
        code = code ? code : apt_updates(set, put_marked, im, e);
    if (!code && (im->changes || json_array_size(im->gone)))
        code = mark_superseded(im->author, im->counts, e);
    code = code ? code : rows_run(l, LEDGER_CATALOG_SYNCED, e, "siis", im->catalog, im->release->date, im->author->now, archive);
    return ledger_end(l, code, e);
}

enum err catalog_import(struct author *a, const char *name, const struct package_set *set, const struct archive *archive,
                        const struct release *release, struct catalog_counts *out, struct error *e)
{
    struct import im = {.author = a, .counts = out, .seen = json_object(), .catalog = name, .release = release, .gone = json_array()};
    json_t *json = archive_to_json(archive);
    char *text = json_dumps(json, JSON_COMPACT), hex[SHA256_HEX] = "";
    enum err code;

    if (archive->index_count)
        sha256_hex(&archive->indexes[0].sha256, hex);
    memset(out, 0, sizeof *out);
    out->packages = (int64_t)set->count;
    im.marks = must_alloc(set->count + 1); /* there are no more updates than packages */
    im.date = rows_number(a->ledger, LEDGER_CATALOG_DATE, "s", name);
    code = apt_updates(set, compare, &im, e);
    code = code ? code : rows_each(a->ledger, LEDGER_UPDATES_CURRENT, note_gone, &im, e, "s", name);
    code = code ? code : write_all(&im, set, text, hex, e);
    free(im.marks);
    json_decref(im.gone);
    json_decref(im.seen);
    free(text);
    json_decref(json);
    return code;
}
