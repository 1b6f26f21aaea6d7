/* What the fleet would do, before it does it: the ledger as the proposal leaves it, read and then rolled back by the caller.
 *
 * Bytes of a branch are the union of what its nodes lack: each content crosses the WAN once, whoever needs it, and not at all when a node of
 * the branch has it. Outside every boundary each node fetches for itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/making.h"
#include "policy/authoring/plan_fleet.h"
#include "policy/document/json.h"

#define SILENT (3 * 86400)

/* --- what is deployed --- */

static void files_end(struct plan_update *u)
{
    free(u->id);
    free(u->files);
}

static void deployment_end(struct plan_deployment *d)
{
    for (size_t i = 0; i < d->update_count; i++)
        files_end(&d->updates[i]);
    free(d->updates);
    free(d->indexes);
    collection_free(d->collection);
    json_decref(d->members);
    json_decref(d->row);
}

/* Packages that some node which needs one of the group's updates has; NULL: nothing is known. */
static json_t *installed_somewhere(struct author *a, const char *group)
{
    json_t *rows = NULL, *row, *package, *set = json_object();
    size_t  i, k;

    if (rows_all(a->ledger, LEDGER_NODE_INVENTORIES, &rows, NULL, "s", group)) {
        json_decref(set);
        return NULL;
    }
    json_array_foreach(rows, i, row)
        json_array_foreach(json_object_get(row, "inventory"), k, package) {
            const char *name = json_string_value(json_array_get(package, 1));      /* as inventory_to_json writes them */
            if (name)
                json_object_set_new(set, name, json_true());
        }
    json_decref(rows);
    if (json_object_size(set))
        return set;
    json_decref(set);
    return NULL;
}

static json_t *contents_known(struct author *a, const char *group)
{
    json_t *rows = NULL, *row, *set = json_object();
    size_t  i;

    if (!rows_all(a->ledger, LEDGER_PLAN_CONTENTS, &rows, NULL, "s", group))
        json_array_foreach(rows, i, row)
            json_object_set(set, arg_text(row, "sha256"), json_object_get(row, "size"));
    json_decref(rows);
    return set;
}

/* Of a Debian update's many packages those travel that the downloaded content has; before the download, those that somebody has installed. */
static void choose_files(struct author *a, const struct update *u, const json_t *known, const json_t *installed, struct plan_update *out)
{
    bool downloaded = false;
    char hex[SHA256_HEX];

    for (size_t i = 0; i < u->file_count; i++)
        downloaded = downloaded || json_object_get(known, sha256_hex(&u->files[i].sha256, hex));
    out->id = must_copy(u->id);
    out->max_run_s = u->install.max_run_s;
    out->files = must_alloc((u->file_count + 1) * sizeof *out->files);
    for (size_t i = 0; i < u->file_count; i++) {
        const struct update_file *f = &u->files[i];
        bool here = json_object_get(known, sha256_hex(&f->sha256, hex)) != NULL;
        if (downloaded ? !here : f->package && installed && !json_object_get(installed, f->package))
            continue;
        out->files[out->file_count++] = (struct plan_file){f->sha256, f->size};
        out->unknown = out->unknown || (!downloaded && !rows_number(a->ledger, LEDGER_CONTENT_HAS, "s", hex));
    }
}

static enum err load_updates(struct author *a, struct plan_deployment *d, struct error *e)
{
    const char *group = arg_text(d->row, "group");
    json_t     *rows = NULL, *known = contents_known(a, group), *installed = installed_somewhere(a, group);
    enum err    code = rows_all(a->ledger, LEDGER_GROUP_UPDATES, &rows, e, "s", group);

    d->updates = must_alloc((json_array_size(rows) + 1) * sizeof *d->updates);
    for (size_t i = 0; i < json_array_size(rows) && !code; i++) {
        struct update *u = NULL;
        code = update_from_json(json_object_get(json_array_get(rows, i), "json"), "update", &u, e);
        if (!code)
            choose_files(a, u, known, installed, &d->updates[d->update_count++]);
        update_free(u);
    }
    json_decref(rows);
    json_decref(known);
    json_decref(installed);
    return code;
}

static enum err load_indexes(struct author *a, struct plan_deployment *d, struct error *e)
{
    json_t  *row = rows_one(a->ledger, LEDGER_GROUP_ARCHIVES, "s", arg_text(d->row, "group"));
    json_t  *archives = json_object_get(row, "archives");
    size_t   n = 0;
    enum err code = OK;

    for (size_t i = 0; i < json_array_size(archives) && !code; i++) {
        struct archive x = {0};
        code = archive_from_json(json_array_get(archives, i), "archive", &x, e);
        d->indexes = must_grow(d->indexes, n + x.index_count + 1, sizeof *d->indexes);
        for (size_t k = 0; k < x.index_count; k++)
            d->indexes[n++] = (struct plan_file){x.indexes[k].sha256, x.indexes[k].size};
        archive_end(&x);
    }
    d->index_count = n;
    json_decref(row);
    return code;
}

static enum err load_deployment(struct author *a, const char *name, const struct zone *zone, struct plan_deployment *d, struct error *e)
{
    enum err code;

    d->row = rows_one(a->ledger, LEDGER_DEPLOYMENT_RAW, "s", name);
    if (!d->row)
        return fail(e, ERR_NOT_FOUND, "no such deployment: \"%.64s\"", name);
    d->name = arg_text(d->row, "name");
    code = terms_stored(json_object_get(d->row, "terms"), &d->terms, e);
    d->available = arg_number(d->row, "available", 0);
    d->deadline = arg_number(d->row, "deadline", 0);
    if (!code && d->terms.local_time) {
        d->available = zone_of_wall(zone, d->available);
        d->deadline = d->deadline ? zone_of_wall(zone, d->deadline) : 0;
    }
    code = code ? code : collection_whole(a->ledger, arg_text(d->row, "collection"), &d->collection, e);
    code = code ? code : plan_members(a, d->collection, &d->members, e);
    code = code ? code : load_updates(a, d, e);
    return code ? code : load_indexes(a, d, e);
}

/* --- who needs what --- */

static struct plan_branch *branch_of(struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->branch_count; i++)
        if (!strcmp(p->branches[i].name, name))
            return &p->branches[i];
    p->branches = must_grow(p->branches, p->branch_count + 1, sizeof *p->branches);
    p->branches[p->branch_count] = (struct plan_branch){.name = must_copy(name), .files = json_object()};
    return &p->branches[p->branch_count++];
}

static void need_file(struct plan_branch *b, const struct plan_file *f)
{
    char hex[SHA256_HEX];

    json_object_set_new(b->files, sha256_hex(&f->sha256, hex), json_integer((json_int_t)f->size));
    b->alone += (int64_t)f->size;
}

/* What one node needs of one deployment goes into its branch. */
static enum err node_needs(struct plan *p, const struct plan_deployment *d, struct plan_node *n, struct plan_branch *b, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i, before = n->needs;
    bool     due = false;
    enum err code = rows_all(p->a->ledger, LEDGER_PLAN_STATES, &rows, e, "ss", arg_text(d->row, "group"), n->id);

    json_array_foreach(rows, i, row) {
        int64_t                   state = arg_number(row, "state", STATE_NOT_REQUIRED);
        const struct plan_update *u = plan_update_of(d, arg_text(row, "id"));
        if (json_object_get(n->seen, arg_text(row, "id"))) {
            due = due || state == STATE_REQUIRED;
            continue;
        }
        json_object_set_new(n->seen, arg_text(row, "id"), json_true());
        n->unknown += state == STATE_UNKNOWN;
        if (!u || state != STATE_REQUIRED)
            continue;
        due = true;
        n->needs++;
        n->max_run_s = u->max_run_s > n->max_run_s ? u->max_run_s : n->max_run_s;
        for (size_t k = 0; k < u->file_count; k++)
            need_file(b, &u->files[k]);
    }
    json_decref(rows);
    for (size_t k = 0; k < d->index_count && n->needs > before; k++)
        need_file(b, &d->indexes[k]);
    if (due) {
        plan_times(n, d);
        plan_branch_times(b, d);
    }
    return code;
}

/* In scope: counted. */
static enum err count_node(struct plan *p, const json_t *row, const struct plan_node *n, struct plan_branch *b, struct error *e)
{
    bool silent = arg_number(row, "last_contact", 0) < p->a->now - SILENT;

    p->nodes++;
    b->nodes++;
    p->needing += n->needs > 0;
    p->unknown += n->unknown > 0;
    p->changes += (int64_t)(n->needs + n->unknown);
    p->silent_count += silent;
    if (silent)
        plan_name(p->silent, n->hostname ? n->hostname : n->id);
    return n->needs ? plan_windows(p, n, e) : OK;
}

static enum err one_node(struct plan *p, const json_t *row, struct error *e)
{
    struct plan_node    n = {.id = arg_text(row, "id"), .hostname = arg_text(row, "hostname"), .facts = json_object_get(row, "facts")};
    struct plan_branch *b = NULL;
    enum err            code = OK;

    n.seen = json_object();
    for (size_t i = 0; i < p->deployment_count && !code; i++) {
        if (!json_object_get(p->deployments[i].members, n.id))
            continue;
        b = b ? b : branch_of(p, arg_text(row, "branch") ? arg_text(row, "branch") : "");
        code = node_needs(p, &p->deployments[i], &n, b, e);
    }
    if (!code && b)
        code = count_node(p, row, &n, b, e);
    json_decref(n.seen);
    return code;
}

static enum err all_nodes(struct plan *p, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(p->a->ledger, LEDGER_PLAN_NODES, &rows, e, "");

    json_array_foreach(rows, i, row)
        code = code ? code : one_node(p, row, e);
    json_decref(rows);
    return code;
}

/* --- the answer --- */

static int64_t bytes_of(struct plan *p, struct plan_branch *b)
{
    json_t     *held = NULL, *row, *size;
    const char *hex;
    size_t      i;
    int64_t     sum = 0;

    if (!*b->name)
        return b->alone;
    if (!rows_all(p->a->ledger, LEDGER_PLAN_BRANCH_HELD, &held, NULL, "s", b->name))
        json_array_foreach(held, i, row)
            json_object_del(b->files, arg_text(row, "sha256"));
    json_decref(held);
    json_object_foreach(b->files, hex, size)
        sum += json_integer_value(size);
    return sum;
}

static json_t *branch_json(struct plan *p, struct plan_branch *b)
{
    int64_t bytes = bytes_of(p, b), wan = rows_number(p->a->ledger, LEDGER_PLAN_WAN, "s", b->name);
    int64_t from = b->available > p->a->now ? b->available : p->a->now;
    int64_t arrives = wan ? from + (bytes * 8 + wan * 1000 - 1) / (wan * 1000) : 0;
    char    time[TIME_SIZE];
    json_t *o = json_pack("{s:s,s:I,s:I,s:I,s:I}", "name", *b->name ? b->name : "-", "nodes", (json_int_t)b->nodes, "bytes", (json_int_t)bytes,
                          "wan_kbit", (json_int_t)wan, "late", (json_int_t)(wan && bytes && b->deadline && arrives > b->deadline ? arrives - b->deadline : 0));

    json_object_set_new(o, "arrives", wan && bytes ? json_string(time_print(arrives, time)) : json_null());
    json_object_set_new(o, "deadline", b->deadline ? json_string(time_print(b->deadline, time)) : json_null());
    return o;
}

static json_t *updates_without_content(const struct plan *p)
{
    json_t *set = json_object();
    size_t  n;

    for (size_t i = 0; i < p->deployment_count; i++)
        for (size_t k = 0; k < p->deployments[i].update_count; k++)
            if (p->deployments[i].updates[k].unknown)
                json_object_set_new(set, p->deployments[i].updates[k].id, json_true());
    n = json_object_size(set);
    json_decref(set);
    return json_integer((json_int_t)n);
}

static json_t *plan_json(struct plan *p, const json_t *names)
{
    json_t *branches = json_array();

    for (size_t i = 0; i < p->branch_count; i++)
        json_array_append_new(branches, branch_json(p, &p->branches[i]));
    return json_pack("{s:O,s:I,s:I,s:I,s:o,s:{s:O,s:O},s:O,s:{s:I,s:O},s:o,s:I}", "deployments", names, "nodes", (json_int_t)p->nodes, "needing",
                     (json_int_t)p->needing, "unknown", (json_int_t)p->unknown, "branches", branches, "windows", "missed", p->missed, "none",
                     p->no_window, "conflicts", p->conflicts, "silent", "count", (json_int_t)p->silent_count, "nodes", p->silent,
                     "content_unknown", updates_without_content(p), "changes", (json_int_t)p->changes);
}

static void plan_end(struct plan *p)
{
    for (size_t i = 0; i < p->deployment_count; i++)
        deployment_end(&p->deployments[i]);
    for (size_t i = 0; i < p->branch_count; i++) {
        free(p->branches[i].name);
        json_decref(p->branches[i].files);
    }
    plan_rules_end(p);
    json_decref(p->missed);
    json_decref(p->no_window);
    json_decref(p->silent);
    json_decref(p->conflicts);
    free(p->deployments);
    free(p->branches);
}

enum err plan_of(struct author *a, const json_t *names, json_t **out, struct error *e)
{
    struct plan p = {.a = a, .missed = json_array(), .no_window = json_array(), .silent = json_array(), .conflicts = json_array()};
    size_t      n = json_array_size(names);
    enum err    code = site_zone(a, &p.zone, e);

    p.deployments = must_alloc((n + 1) * sizeof *p.deployments);
    for (size_t i = 0; i < n && !code; i++)
        code = load_deployment(a, json_string_value(json_array_get(names, i)), p.zone, &p.deployments[p.deployment_count++], e);
    code = code ? code : plan_rules(&p, e);
    code = code ? code : all_nodes(&p, e);
    code = code ? code : plan_conflicts(&p, e);
    if (!code)
        *out = plan_json(&p, names);
    plan_end(&p);
    zone_close(p.zone);
    return code;
}
