/* What holds for this node whatever the update: the windows, settings and turns of the collections it is in, its time zone, what kind of machine
 * it is, its user's business hours. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/log.h"
#include "node/client/core.h"
#include "node/client/root.h"

#define HOURS_NAME "user.hours"                 /* in the store */

/* --- the zone --- */

/* A system whose zone nobody knows keeps UTC: a window in the wrong hour is better than none, and the fact "timezone" tells. */
static void open_zone(struct client *c)
{
    char *AUTO(text_free) name = root_zone(c->options.config);
    struct error e;

    if (zone_open(name, &c->zone, &e))
        log_error(LOG_WARN, "timezone.unknown", "windows and local times go by UTC", &e);
}

/* --- business hours --- */

static void open_hours(struct client *c)
{
    char *AUTO(text_free) text = store_get(c->store, HOURS_NAME);
    struct error e;

    if (text && business_parse(text, &c->rules.business, &e))
        log_error(LOG_WARN, "hours.refused", "the business hours in the store", &e);
}

enum err rules_hours(struct client *c, const char *text, struct error *e)
{
    struct business b;
    enum err        code = business_parse(text, &b, e);

    code = code ? code : store_set(c->store, HOURS_NAME, text, e);
    if (!code)
        c->rules.business = b;
    return code;
}

/* --- the collections this node is in --- */

static void clear(struct client *c)
{
    free((void *)(uintptr_t)c->rules.windows);
    c->rules.windows = NULL;
    c->rules.window_count = 0;
    c->rules.orchestrated = false;
}

static void add_windows(struct node_rules *r, const struct collection *of)
{
    const struct window **all = (const struct window **)(uintptr_t)r->windows;

    if (!of->window_count)
        return;
    all = must_grow(all, r->window_count + of->window_count, sizeof *all);
    for (size_t i = 0; i < of->window_count; i++)
        all[r->window_count++] = &of->windows[i];
    r->windows = all;
}

void rules_make(struct client *c)
{
    const json_t **layers = must_alloc((c->collection_count + 1) * sizeof *layers);
    int64_t       *priorities = must_alloc((c->collection_count + 1) * sizeof *priorities);
    size_t         count = 0;

    clear(c);
    for (size_t i = 0; i < c->collection_count; i++) {
        const struct collection *of = c->collections[i];

        if (!collection_has(of, c->node_id, c->facts, client_now(c), NULL))
            continue;
        add_windows(&c->rules, of);
        c->rules.orchestrated = c->rules.orchestrated || of->orchestration.turns != TURNS_NONE;
        if (of->settings) {
            layers[count] = of->settings;
            priorities[count++] = of->settings_priority;
        }
    }
    settings_merge(layers, priorities, count, &c->rules.settings);
    free(layers);
    free(priorities);
}

void rules_open(struct client *c)
{
    c->rules.node_id = c->node_id;
    open_zone(c);
    open_hours(c);
    c->rules.zone = c->zone;
    c->rules.server = !strcmp(json_string_value(json_object_get(c->facts, "machine.kind")), "server");
    json_object_set_new(c->facts, "timezone", json_string(zone_name(c->zone)));
    rules_make(c);
}

void rules_end(struct client *c)
{
    clear(c);
    zone_close(c->zone);
}
