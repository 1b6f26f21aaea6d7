/* For tests of phased deployments: four nodes that need curl, a group with it, downloaded and distributed. */
#ifndef FERRY_TESTS_UNIT_PHASED_DESK_H
#define FERRY_TESTS_UNIT_PHASED_DESK_H

#include "tests/unit/desk.h"

#include "policy/authoring/phase_row.h"
#include "policy/authoring/rollout.h"

#define CREATE(rest) "{'name':'p','group':'october'," rest "}"
#define DAY  86400
#define CURL "apt:debian:curl:8.1"

static char nodes[4][NODE_ID_SIZE];

/* till-0 … till-3 need curl; pilots are till-0 and till-1; group october has curl, downloaded and distributed. */
static inline int phased_desk_open(void **state)
{
    struct desk *d;
    char         name[24];

    desk_open(state);
    d = *state;
    desk_catalog(d);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "till-%d", i);
        desk_node(d, name, nodes[i]);
        desk_status(d, nodes[i], "[{'serial':1,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    }
    say(d, "dp.add", "{'name':'dp-1','url':'http://dp-1.example.org'}");
    say(d, "group.create", "{'name':'october'}");
    say(d, "group.add", "{'name':'october','updates':['curl']}");
    desk_download(d, "october");
    say(d, "content.distribute", "{'name':'october','to':['dp-1']}");
    say(d, "collection.create", "{'name':'pilot','nodes':['till-0','till-1']}");
    say(d, "collection.create", "{'name':'branches','nodes':['till-2']}");
    return 0;
}

static inline void installs(struct desk *d, int i, int serial)
{
    AUTO(text_free) char *batch = must_print("[{'serial':%d,'topic':'scan','scan':{'states':{'" CURL "':['installed',0]}}}]", serial);

    desk_status(d, nodes[i], batch);
}

static inline void fails(struct desk *d, int i, int serial)
{
    AUTO(text_free) char *batch = must_print(
        "[{'serial':%d,'topic':'update','subject':'" CURL "','state':'reported','enforcement':'failed','detail':'exit 1'}]", serial);

    desk_status(d, nodes[i], batch);
}

static inline bool step(struct desk *d, int64_t *wake)
{
    bool changed = false;

    *wake = 0;
    if (phased_step(&d->a, &changed, wake, &d->e))
        fail_msg("%s", d->e.text);
    return changed;
}

static inline bool stepped(struct desk *d)
{
    int64_t wake;

    return step(d, &wake);
}

/* "waiting active …" of its phases. */
static inline void phases_are(struct desk *d, const char *name, const char *expected)
{
    AUTO(text_free) char *args = must_print("{'name':'%s'}", name);
    struct text           text AUTO(text_end) = {0};
    json_t               *out = ask(d, "phased.status", args), *p;
    size_t                i;

    json_array_foreach(json_object_get(out, "phases"), i, p)
        text_add(&text, "%s%s", i ? " " : "", json_string_value(json_object_get(p, "state")));
    if (strcmp(text.data, expected))
        fail_msg("%s: %s; expected %s", name, text.data, expected);
    json_decref(out);
}

static inline void state_is(struct desk *d, const char *name, const char *expected)
{
    json_t *out = ask(d, "phased.list", "{}");

    assert_string_equal(json_string_value(json_object_get(row_with(json_object_get(out, "items"), "name", name), "state")), expected);
    json_decref(out);
}

static inline size_t open_alerts(struct desk *d, const char *event)
{
    json_t *out = ask(d, "alert.list", "{}"), *row;
    size_t  i, n = 0;

    json_array_foreach(json_object_get(out, "items"), i, row)
        n += !strcmp(json_string_value(json_object_get(row, "event")), event);
    json_decref(out);
    return n;
}

#endif
