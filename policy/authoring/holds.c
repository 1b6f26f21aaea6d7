/* What holds for one node whatever the update, as the node itself makes it from the collections it is in. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"

static enum err add(struct author *a, const json_t *row, const json_t *node, struct holds *h, struct error *e)
{
    struct collection *c = NULL;
    enum err           code;

    if (!collection_holds(json_object_get(row, "json")))
        return OK;
    code = collection_whole(a->ledger, arg_text(row, "name"), &c, e);
    if (code || !collection_has(c, arg_text(node, "id"), json_object_get(node, "facts"), a->now, NULL)) {
        collection_free(c);
        return code;
    }
    h->collections = must_grow(h->collections, h->count + 1, sizeof *h->collections);
    h->collections[h->count++] = c;
    return OK;
}

static void merge(struct holds *h)
{
    const json_t **layers = must_alloc((h->count + 1) * sizeof *layers);
    int64_t       *priorities = must_alloc((h->count + 1) * sizeof *priorities);
    size_t         count = 0;

    for (size_t i = 0; i < h->count; i++) {
        const struct collection *c = h->collections[i];
        if (c->window_count)
            h->windows = must_grow(h->windows, h->rules.window_count + c->window_count, sizeof *h->windows);
        for (size_t w = 0; w < c->window_count; w++)
            h->windows[h->rules.window_count++] = &c->windows[w];
        h->rules.orchestrated = h->rules.orchestrated || c->orchestration.turns != TURNS_NONE;
        if (c->settings) {
            layers[count] = c->settings;
            priorities[count++] = c->settings_priority;
        }
    }
    h->rules.windows = h->windows;
    settings_merge(layers, priorities, count, &h->rules.settings);
    free(layers);
    free(priorities);
}

/* A node that has named no zone, or one nobody here knows, is taken to be in the site's. */
enum err holds_open(struct author *a, const json_t *node, struct holds *h, struct error *e)
{
    const json_t *facts = json_object_get(node, "facts");
    const char   *zone = arg_text(facts, "timezone"), *kind = arg_text(facts, "machine.kind");
    json_t       *rows = NULL, *row;
    size_t        i;
    enum err      code = rows_all(a->ledger, LEDGER_COLLECTIONS, &rows, e, "");

    memset(h, 0, sizeof *h);
    json_array_foreach(rows, i, row)
        code = code ? code : add(a, row, node, h, e);
    json_decref(rows);
    if (!zone || zone_open(zone, &h->zone, NULL))
        code = code ? code : site_zone(a, &h->zone, e);
    h->rules.node_id = arg_text(node, "id");
    h->rules.zone = h->zone;
    h->rules.server = kind && !strcmp(kind, "server");
    merge(h);
    if (code)
        holds_end(h);
    return code;
}

void holds_end(struct holds *h)
{
    for (size_t i = 0; i < h->count; i++)
        collection_free(h->collections[i]);
    free(h->collections);
    free(h->windows);
    zone_close(h->zone);
    memset(h, 0, sizeof *h);
}
