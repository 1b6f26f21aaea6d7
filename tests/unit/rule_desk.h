/* For tests of rules: the desk with a catalog, a node that needs curl, two distribution points and the rule weekly. */
#ifndef FERRY_TESTS_UNIT_RULE_DESK_H
#define FERRY_TESTS_UNIT_RULE_DESK_H

#include "tests/unit/desk.h"

#include "policy/authoring/rollout.h"

#define DAY     86400
#define CURL    "apt:debian:curl:8.1"
#define OPENSSL "apt:debian:openssl:3.0.2"

static char node[NODE_ID_SIZE];

/* A catalog, a node that needs curl, a rule that selects curl and openssl. */
static inline int rule_desk_open(void **state)
{
    struct desk *d;

    desk_open(state);
    d = *state;
    desk_catalog(d);
    desk_node(d, "till-1", node);
    desk_status(d, node, "[{'serial':1,'topic':'scan','scan':{'states':{'" CURL "':['required',0]}}}]");
    say(d, "dp.add", "{'name':'dp-1','url':'http://dp-1.example.org'}");
    say(d, "dp.add", "{'name':'dp-2','url':'http://dp-2.example.org'}");
    say(d, "rule.create", "{'name':'weekly','filter':'name in (curl, openssl)','schedule':'sunday 02:00','to':['dp-1']}");
    say(d, "rule.deployment.add",
        "{'name':'weekly','deployment':'pilot','collection':'all','available':'+1h','deadline':'+3d','randomize':'30m'}");
    return 0;
}

/* One run, with its content. *out as finish gives it; the code of whatever failed, after assembly_failed. */
static inline enum err run(struct desk *d, const char *rule, enum rule_trigger trigger, int64_t nominal, json_t **out)
{
    struct assembly *as = NULL;
    struct error     e;
    enum err         code = assembly_rule(&d->a, rule, trigger, nominal, &as, &d->e);

    *out = NULL;
    if (!code && as->count) {
        desk_download(d, as->staging);
        code = assembly_finish(&d->a, as, out, &d->e);
    }
    if (code && as)
        assert_int_equal(assembly_failed(&d->a, as, &d->e, &e), OK);
    assembly_free(as);
    return code;
}

static inline void good(struct desk *d, const char *rule, enum rule_trigger trigger, int64_t nominal)
{
    json_t *out;

    if (run(d, rule, trigger, nominal, &out))
        fail_msg("%s", d->e.text);
    json_decref(out);
}

static inline json_t *deployment(struct desk *d, const char *name)
{
    AUTO(text_free) char *args = must_print("{'name':'%s'}", name);

    return ask(d, "deployment.show", args);
}

static inline void text_is(const json_t *o, const char *member, const char *value)
{
    const char *got = json_string_value(json_object_get(o, member));

    if (!got || strcmp(got, value))
        fail_msg("%s: \"%s\"; expected \"%s\"", member, got ? got : "", value);
}

/* Groups, deployments, assignments and members as one text: what a failed run must not change. */
static inline char *standing(struct desk *d)
{
    static const char *const tables[] = {"grp", "member", "grp_content", "grp_wanted", "deployment", "dp_group"};
    struct text              text = {0};

    for (size_t i = 0; i < COUNT(tables); i++) {
        AUTO(text_free) char *sql = must_print("SELECT * FROM %s ORDER BY 1, 2", tables[i]), *dump = NULL;
        json_t               *rows = NULL;
        assert_int_equal(rows_found(d->a.ledger, sql, NULL, &rows, &d->e), OK);
        dump = json_dumps(rows, JSON_SORT_KEYS);
        text_add(&text, "%s %s\n", tables[i], dump);
        json_decref(rows);
    }
    return text_take(&text);
}

static inline size_t alerts(struct desk *d, const char *event, const char *severity)
{
    json_t *out = ask(d, "alert.list", "{}"), *row;
    size_t  i, n = 0;

    json_array_foreach(json_object_get(out, "items"), i, row)
        n += !strcmp(json_string_value(json_object_get(row, "event")), event) &&
             !strcmp(json_string_value(json_object_get(row, "severity")), severity);
    json_decref(out);
    return n;
}

#endif
