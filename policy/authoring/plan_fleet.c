/* The fleet's own side of a plan: maintenance windows, and other deployments that are already there. */
#include "policy/authoring/plan_fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/settings.h"
#include "policy/document/window.h"

#define WINDOWS 1000 /* of one node */

const struct plan_update *plan_update_of(const struct plan_deployment *d, const char *id)
{
    for (size_t i = 0; i < d->update_count; i++)
        if (!strcmp(d->updates[i].id, id))
            return &d->updates[i];
    return NULL;
}

static void earlier(int64_t *mine, int64_t t)
{
    if (t && (!*mine || t < *mine))
        *mine = t;
}

void plan_times(struct plan_node *n, const struct plan_deployment *d)
{
    earlier(&n->available, d->available);
    earlier(&n->deadline, d->deadline);
    n->outside = n->outside || d->terms.install_outside;
}

void plan_branch_times(struct plan_branch *b, const struct plan_deployment *d)
{
    earlier(&b->available, d->available);
    earlier(&b->deadline, d->deadline);
}

void plan_name(json_t *list, const char *name)
{
    if (json_array_size(list) < PLAN_SHOWN)
        json_array_append_new(list, json_string(name));
}

enum err plan_members(struct author *a, const struct collection *c, json_t **out, struct error *e)
{
    json_t  *list = NULL, *m;
    size_t   i;
    enum err code = collection_members(a, c, &list, e);

    *out = code ? NULL : json_object();
    json_array_foreach(list, i, m)
        json_object_set(*out, arg_text(m, "id"), json_object_get(m, "hostname"));
    json_decref(list);
    return code;
}

/* --- windows --- */

enum err plan_rules(struct plan *p, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(p->a->ledger, LEDGER_COLLECTIONS, &rows, e, "");

    p->rules = must_alloc((json_array_size(rows) + 1) * sizeof *p->rules);
    json_array_foreach(rows, i, row) {
        struct collection *c = NULL;
        if (code || !collection_holds(json_object_get(row, "json")))
            continue;
        code = collection_whole(p->a->ledger, arg_text(row, "name"), &c, e);
        if (!code)
            p->rules[p->rule_count++] = c;
    }
    json_decref(rows);
    return code;
}

void plan_rules_end(struct plan *p)
{
    for (size_t i = 0; i < p->rule_count; i++)
        collection_free(p->rules[i]);
    free(p->rules);
}

struct openings {
    const struct window *list[WINDOWS];
    size_t               count;
    bool                 both;
};

/* Of all collections that have the node, as the node puts them together itself. */
static void openings_of(const struct plan *p, const struct plan_node *n, struct openings *out)
{
    const json_t  **layers = must_alloc((p->rule_count + 1) * sizeof *layers);
    int64_t        *priorities = must_alloc((p->rule_count + 1) * sizeof *priorities);
    struct settings settings;
    size_t          layer_count = 0;

    out->count = 0;
    for (size_t i = 0; i < p->rule_count; i++) {
        const struct collection *c = p->rules[i];
        if (!collection_has(c, n->id, n->facts, p->a->now, NULL))
            continue;
        for (size_t k = 0; k < c->window_count && out->count < WINDOWS; k++)
            out->list[out->count++] = &c->windows[k];
        if (c->settings) {
            layers[layer_count] = c->settings;
            priorities[layer_count++] = c->settings_priority;
        }
    }
    settings_merge(layers, priorities, layer_count, &settings);
    out->both = settings.windows_union;
    free(layers);
    free(priorities);
}

/* The first window it fits in opens when the deadline has passed, or there is none. */
enum err plan_windows(struct plan *p, const struct plan_node *n, struct error *e)
{
    struct openings all;
    struct opening  first;
    struct zone    *zone = NULL;
    const char     *name = n->hostname ? n->hostname : n->id, *zone_name = arg_text(n->facts, "timezone");
    int64_t         from = n->available > p->a->now ? n->available : p->a->now;
    char            opens[TIME_SIZE];

    (void)e;
    if (!n->deadline || n->outside)
        return OK;
    openings_of(p, n, &all);
    if (!all.count)
        return OK;
    if (!zone_name || zone_open(zone_name, &zone, NULL))
        site_zone(p->a, &zone, NULL);           /* named no zone, or one nobody here knows: taken to be in the site's */
    if (!windows_next(all.list, all.count, all.both, zone, from, n->max_run_s + WINDOW_RESTART, &first))
        plan_name(p->no_window, name);
    else if (first.begin > n->deadline && json_array_size(p->missed) < PLAN_SHOWN)
        json_array_append_new(p->missed, json_pack("{s:s,s:s,s:I}", "node", name, "opens", time_print(first.begin, opens), "late",
                                                   (json_int_t)(first.begin - n->deadline)));
    zone_close(zone);
    return OK;
}

/* --- other deployments --- */

static bool among(const struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->deployment_count; i++)
        if (!strcmp(p->deployments[i].name, name))
            return true;
    return false;
}

static int64_t shared_nodes(const struct plan_deployment *d, const json_t *others)
{
    const char *id;
    json_t     *name;
    int64_t     n = 0;

    json_object_foreach((json_t *)(uintptr_t)others, id, name)
        n += json_object_get(d->members, id) != NULL;
    return n;
}

/* NULL: it is no conflict. Caller frees. */
static char *conflict_of(const struct plan_deployment *d, const json_t *other, const struct zone *zone)
{
    const char  *halted = arg_text(other, "halted");
    int64_t      deadline = arg_number(other, "deadline", 0);
    char         time[TIME_SIZE];
    struct terms t;

    if (!arg_number(other, "enabled", 0))
        return must_copy("it is disabled; this one installs the updates all the same");
    if (halted)
        return must_print("it is halted (%s); this one installs the updates all the same", halted);
    if (terms_stored(json_object_get(other, "terms"), &t, NULL) || !deadline)
        return NULL;
    deadline = t.local_time ? zone_of_wall(zone, deadline) : deadline;
    if (d->deadline && deadline >= d->deadline)
        return NULL;
    return must_print("its deadline %s is earlier and decides", time_print(deadline, time));
}

static enum err conflict(struct plan *p, const struct plan_deployment *d, const json_t *other, struct error *e)
{
    int64_t            updates = rows_number(p->a->ledger, LEDGER_PLAN_SHARED, "ss", arg_text(d->row, "group"), arg_text(other, "group")), nodes;
    char              *why = updates ? conflict_of(d, other, p->zone) : NULL;
    struct collection *c = NULL;
    json_t            *members = NULL;
    enum err           code = why ? collection_whole(p->a->ledger, arg_text(other, "collection"), &c, e) : OK;

    if (!code && why)
        code = plan_members(p->a, c, &members, e);
    nodes = shared_nodes(d, members);
    if (!code && nodes)
        json_array_append_new(p->conflicts, json_pack("{s:s,s:s,s:I,s:I,s:s}", "deployment", arg_text(other, "name"), "with", d->name, "updates",
                                                      (json_int_t)updates, "nodes", (json_int_t)nodes, "why", why));
    json_decref(members);
    collection_free(c);
    free(why);
    return code;
}

enum err plan_conflicts(struct plan *p, struct error *e)
{
    json_t  *rows = NULL, *row;
    size_t   i;
    enum err code = rows_all(p->a->ledger, LEDGER_DEPLOYMENTS_LIVE, &rows, e, "");

    json_array_foreach(rows, i, row)
        for (size_t k = 0; k < p->deployment_count && !code; k++)
            if (!among(p, arg_text(row, "name")))
                code = conflict(p, &p->deployments[k], row, e);
    json_decref(rows);
    return code;
}
