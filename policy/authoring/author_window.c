/* Maintenance windows of collections. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"

#define OPENINGS_MOST 100

static enum err zone_asked(struct author *a, const json_t *args, struct zone **out, struct error *e)
{
    const char *name = arg_text(args, "timezone");

    return name ? zone_open(name, out, e) : site_zone(a, out, e);
}

/* "2026-12-08 22:00 tuesday" */
static json_t *wall(const struct zone *zone, int64_t t)
{
    struct civil c = zone_civil(zone, t);

    return json_sprintf("%04d-%02d-%02d %02d:%02d %s", c.year, c.month, c.day, c.hour, c.minute, weekday_name(c.weekday));
}

static void put_moment(json_t *o, const char *utc, const char *local, const struct zone *zone, int64_t t)
{
    char time[TIME_SIZE];

    json_object_set_new(o, utc, json_string(t ? time_print(t, time) : ""));
    json_object_set_new(o, local, t ? wall(zone, t) : json_string(""));
}

/* The window as it is stored; refused as nodes would refuse it. */
static enum err window_asked(const json_t *args, const char *name, json_t **out, struct error *e)
{
    const char   *when = arg_text(args, "when"), *duration = arg_text(args, "duration");
    struct window w = {0};
    json_t       *json;
    int64_t       seconds = 0;
    struct error  why;
    enum err      code = OK;

    if (!when || !duration)
        return fail(e, ERR_USAGE, "--when and --duration are needed, such as --when 'second tuesday +1d 22:00' --duration 4h");
    code = duration_read(duration, &seconds, e);
    if (!code && (seconds < WINDOW_SHORTEST || seconds > WINDOW_LONGEST))
        code = fail(e, ERR_USAGE, "--duration: a window is open for 5m to 24h, not %.40s", duration);
    if (!code && schedule_parse(when, &w.when, &why))
        code = fail(e, ERR_USAGE, "--when: %.600s", why.text);
    if (code)
        return code;
    json = json_pack("{s:s,s:s,s:I,s:b,s:b}", "name", name, "when", when, "duration_s", (json_int_t)seconds, "utc",
                     json_is_true(json_object_get(args, "utc")), "updates_only", json_is_true(json_object_get(args, "updates_only")));
    code = window_from_json(json, "window", &w, e);
    json_decref(json);
    if (!code)
        *out = window_to_json(&w);
    window_end(&w);
    return as_usage(code, e);
}

static size_t window_find(const json_t *windows, const char *name)
{
    size_t  i;
    json_t *w;

    json_array_foreach(windows, i, w)
        if (!strcmp(arg_text(w, "name"), name))
            break;
    return i;
}

static json_t *added(struct author *a, const char *collection, const json_t *window, int64_t members)
{
    struct schedule when;
    struct zone    *zone = NULL;
    json_t         *out, *local = NULL;
    int64_t         next = 0;

    if (!schedule_parse(arg_text(window, "when"), &when, NULL) && !site_zone(a, &zone, NULL))
        next = schedule_next(&when, json_is_true(json_object_get(window, "utc")) ? NULL : zone, a->now);
    local = next ? wall(zone, next) : json_string("never again");
    out = message("window %s of collection %s (%lld nodes): %s, open for %lld min; next %s in %s", arg_text(window, "name"), collection,
                  (long long)members, arg_text(window, "when"), (long long)(arg_number(window, "duration_s", 0) / 60),
                  json_string_value(local), zone_name(zone));
    json_decref(local);
    put_moment(out, "next", "next_local", zone, next);
    json_object_set_new(out, "nodes", json_integer(members));
    zone_close(zone);
    return out;
}

enum err window_add(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *collection, *name = NULL;
    json_t     *stored = NULL, *window = NULL, *windows;
    int64_t     members = 0;
    enum err    code = arg_name(args, "name", "window", &name, e);

    code = code ? code : collection_stored(a, args, "collection", &collection, &stored, e);
    if (!code && !strcmp(collection, "all"))
        code = fail(e, ERR_CONDITION, "collection all has no windows: they would hold for every machine there will ever be; make a collection");
    code = code ? code : window_asked(args, name, &window, e);
    windows = code ? NULL : json_object_get(stored, "windows");
    if (!code && window_find(windows, name) < json_array_size(windows))
        code = fail(e, ERR_EXISTS, "collection %s has a window %s already", collection, name);
    if (!code && json_array_size(windows) >= WINDOWS_MOST)
        code = fail(e, ERR_CONDITION, "collection %s has %d windows already, which is the most", collection, WINDOWS_MOST);
    if (!code && !windows) {
        windows = json_array();
        json_object_set_new(stored, "windows", windows);
    }
    if (!code)
        json_array_append(windows, window);
    code = code ? code : collection_store(a, collection, stored, &members, e);
    if (!code)
        *out = added(a, collection, window, members);
    json_decref(window);
    json_decref(stored);
    return code;
}

enum err window_remove(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *collection, *name = arg_text(args, "name") ? arg_text(args, "name") : "";
    json_t     *stored = NULL, *windows;
    int64_t     members = 0;
    size_t      at;
    enum err    code = collection_stored(a, args, "collection", &collection, &stored, e);

    if (code)
        return code;
    windows = json_object_get(stored, "windows");
    at = window_find(windows, name);
    if (at == json_array_size(windows))
        code = no_such_of(windows, "window", name, e);
    json_array_remove(windows, at);
    if (!json_array_size(windows))
        json_object_del(stored, "windows");
    code = code ? code : collection_store(a, collection, stored, &members, e);
    if (!code)
        *out = message("window %s of collection %s is gone; %lld nodes", name, collection, (long long)members);
    json_decref(stored);
    return code;
}

static void list_windows(struct author *a, const struct zone *zone, const char *collection, const json_t *windows, json_t *list)
{
    size_t  i;
    json_t *w;

    json_array_foreach(windows, i, w) {
        struct schedule when;
        bool            utc = json_is_true(json_object_get(w, "utc"));
        json_t         *item = json_pack("{s:s,s:O,s:O,s:s}", "collection", collection, "name", json_object_get(w, "name"), "when",
                                         json_object_get(w, "when"), "clock", utc ? "UTC" : "each node's");
        json_object_set_new(item, "duration", json_sprintf("%lldm", (long long)(arg_number(w, "duration_s", 0) / 60)));
        json_object_set_new(item, "for", json_string(json_is_true(json_object_get(w, "updates_only")) ? "updates" : "everything"));
        put_moment(item, "next", "next_local", zone,
                   schedule_parse(arg_text(w, "when"), &when, NULL) ? 0 : schedule_next(&when, utc ? NULL : zone, a->now));
        json_array_append_new(list, item);
    }
}

enum err window_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char  *only = arg_text(args, "collection");
    struct zone *zone = NULL;
    json_t      *rows = NULL, *row, *list = json_array();
    size_t       i;
    enum err     code = zone_asked(a, args, &zone, e);

    if (!code && only && !rows_number(a->ledger, LEDGER_COLLECTION_HAS, "s", only))
        code = no_such(a->ledger, LEDGER_COLLECTION_NAMES, "collection", only, e);
    code = code ? code : rows_all(a->ledger, LEDGER_COLLECTIONS, &rows, e, "");
    json_array_foreach(rows, i, row)
        if (!only || !strcmp(arg_text(row, "name"), only))
            list_windows(a, zone, arg_text(row, "name"), json_object_get(json_object_get(row, "json"), "windows"), list);
    if (!code)
        *out = listing(json_incref(list));
    json_decref(list);
    json_decref(rows);
    zone_close(zone);
    return code;
}

/* Openings as a node of that zone sees them, windows that overlap merged. */
static json_t *openings(const struct collection *c, const struct zone *zone, int64_t now, int64_t count)
{
    const struct window **windows = must_alloc((c->window_count + 1) * sizeof *windows);
    json_t               *list = json_array();
    struct opening        o;

    for (size_t i = 0; i < c->window_count; i++)
        windows[i] = &c->windows[i];
    for (; count && c->window_count && windows_next(windows, c->window_count, false, zone, now, 1, &o); count--) {
        json_t *item = json_object();
        put_moment(item, "begin", "begin_local", zone, o.begin);
        put_moment(item, "end", "end_local", zone, o.end);
        json_object_set_new(item, "minutes", json_integer((o.end - o.begin) / 60));
        json_array_append_new(list, item);
        now = o.end;
    }
    free(windows);
    return list;
}

enum err window_next(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char        *name = arg_text(args, "collection") ? arg_text(args, "collection") : "";
    struct collection *c = NULL;
    struct zone       *zone = NULL;
    int64_t            count = arg_number(args, "count", 5);
    enum err           code = collection_whole(a->ledger, name, &c, e);

    count = count < 1 ? 1 : count > OPENINGS_MOST ? OPENINGS_MOST : count;
    code = code ? code : zone_asked(a, args, &zone, e);
    if (!code) {
        *out = listing(openings(c, zone, a->now, count));
        json_object_set_new(*out, "timezone", json_string(zone_name(zone)));
        if (!c->window_count)
            json_object_set_new(*out, "message", json_sprintf("collection %s has no windows: its members are not restricted by it", name));
    }
    zone_close(zone);
    collection_free(c);
    return code;
}
