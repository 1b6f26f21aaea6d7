#include "policy/document/collection.h"
#include "tests/unit/paper.h"

#define NOW 1795467600

#define WINDOWS                                                                                                                            \
    "{'name':'Sunday night','when':'sunday 01:00','duration_s':10800},"                                                                    \
    "{'name':'patch day','when':'second tuesday +1d 02:00','duration_s':14400,'utc':true,'updates_only':true}"
#define SETTINGS "{'priority':12,'values':{'grace_s':3600,'enabled':false,'installers':'none','restart_forced':false}}"
#define TURNS    "{'turns':'percent','limit':25,'member_s':3600}"

/* Every member that a collection can have. */
#define COLLECTION                                                                                                                         \
    "{'type':'collection','seq':4,'audience':'site-1','name':'tills','rule':'hostname ~ till-*','nodes':['" HEX_A "','" HEX_B "'],"        \
    "'include':[{'name':'spare','nodes':['" HEX_C "']},{'name':'old','rule':'os.version < 11'}],"                                          \
    "'exclude':[{'name':'lab','rule':'boundary.group = lab','include':[{'name':'bench','nodes':['" HEX_B "']}]}],"                         \
    "'limit':{'name':'debian','rule':'os.id = debian'},'windows':[" WINDOWS "],'settings':" SETTINGS ",'orchestration':" TURNS "}"

static enum err read_collection(const json_t *j, struct error *e)
{
    struct collection *c = NULL;
    enum err code = collection_from_json(j, &c, e);

    collection_free(c);
    return code;
}

static struct collection *collection(json_t *j)
{
    struct collection *c;
    struct error e;

    if (collection_from_json(j, &c, &e))
        fail_msg("%s", e.text);
    json_decref(j);
    return c;
}

static void written_and_read(void **state)
{
    json_t *j = paper(COLLECTION), *again;
    struct collection *c = collection(json_incref(j));

    (void)state;
    assert_int_equal(c->seq, 4);
    assert_int_equal(c->include_count, 2);
    assert_string_equal(c->exclude[0]->include[0]->name, "bench");
    assert_string_equal(c->limit->rule, "os.id = debian");
    assert_int_equal(c->window_count, 2);
    assert_string_equal(c->windows[1].name, "patch day");
    assert_true(c->windows[1].utc && c->windows[1].updates_only && !c->windows[0].utc && c->windows[0].duration_s == 10800);
    assert_int_equal(c->settings_priority, 12);
    assert_int_equal(json_integer_value(json_object_get(c->settings, "grace_s")), 3600);
    assert_true(c->orchestration.turns == TURNS_PERCENT && c->orchestration.limit == 25 && c->orchestration.member_s == 3600);
    again = collection_to_json(c);
    assert_true(json_equal(j, again));
    collection_free(c);
    collection_free(NULL);
    json_decref(j);
    json_decref(again);
}

static void without_rules_for_members(void **state)
{
    json_t *j = paper("{'type':'collection','seq':4,'audience':'site-1','name':'tills'}"), *again;
    struct collection *c = collection(json_incref(j));

    (void)state;
    assert_true(!c->windows && !c->window_count && !c->settings && c->orchestration.turns == TURNS_NONE);
    again = collection_to_json(c);
    assert_true(json_equal(j, again));
    collection_free(c);
    json_decref(j);
    json_decref(again);
}

static void in_turns(void **state)
{
    static const struct {
        const char *turns;
        enum turns kind;
        int64_t limit; /* 0: refused */
    } table[] = {
        {"{'turns':'count','limit':1,'member_s':1}", TURNS_COUNT, 1},
        {"{'turns':'count','limit':100000,'member_s':604800}", TURNS_COUNT, 100000},
        {"{'turns':'percent','limit':100,'member_s':60}", TURNS_PERCENT, 100},
        {"{'turns':'sequence','limit':1,'member_s':60}", TURNS_SEQUENCE, 1},
        {"{'turns':'sequence','member_s':60}", TURNS_SEQUENCE, 1},
        {"{'turns':'sequence','limit':2,'member_s':60}", TURNS_NONE, 0},
        {"{'turns':'percent','limit':101,'member_s':60}", TURNS_NONE, 0},
        {"{'turns':'count','limit':0,'member_s':60}", TURNS_NONE, 0},
        {"{'turns':'count','member_s':60}", TURNS_NONE, 0},
        {"{'turns':'count','limit':1}", TURNS_NONE, 0},
        {"{'turns':'none','limit':1,'member_s':60}", TURNS_NONE, 0},
        {"{'turns':'count','limit':1,'member_s':604801}", TURNS_NONE, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        json_t *j = paper(COLLECTION);
        struct collection *c;

        paper_set(j, "orchestration", table[i].turns);
        if (table[i].limit) {
            c = collection(j);
            assert_true(c->orchestration.turns == table[i].kind && c->orchestration.limit == table[i].limit);
            collection_free(c);
        } else {
            paper_expect(j, read_collection, "collection.orchestration.");
            json_decref(j);
        }
    }
}

static void anything_else(void **state)
{
    json_t *j = paper(COLLECTION);

    (void)state;
    assert_true(paper_torture(j, j, "collection", read_collection) > 60);
    json_decref(j);
}

static void refused(void **state)
{
    static const struct refusal table[] = {
        {"type", "'deployment'", "collection.type: \"collection\" was expected"},
        {"seq", "0", "collection.seq"},
        {"name", "'Tills'", "collection.name: \"Tills\" is not a name"},
        {"rule", "'hostname ~'", "collection.rule: column 11: expected a value"},
        {"nodes", "'x'", "collection.nodes: a list"},
        {"nodes", "['x',1]", "collection.nodes[1]: a text"},
        {"include[1].rule", "'memory.mib > many'", "collection.include[1].rule: column 14: expected a whole number"},
        {"include[1].name", "'..'", "collection.include[1].name"},
        {"include[1].seq", "1", "collection.include[1].seq: is not known"},
        {"exclude[0].include[0].name", NULL, "collection.exclude[0].include[0].name: is missing"},
        {"limit", "[]", "collection.limit: an object was expected"},
        {"limit.rule", "'('", "collection.limit.rule: column 2"},
        {"windows[1].when", "'second tuesday 26:00'", "collection.windows[1].when: column 16: \"26:00\" is not understood"},
        {"windows[1].name", "'Sunday night'", "collection.windows: the name \"Sunday night\" twice"},
        {"windows", "[" WINDOWS ",{'when':'daily'}]", "collection.windows[2].name: is missing"},
        {"windows[0].duration_s", "60", "collection.windows[0].duration_s: a whole number from 300"},
        {"settings.priority", "0", "collection.settings.priority: a whole number from 1 to 10000"},
        {"settings.priority", NULL, "collection.settings.priority: is missing"},
        {"settings.values", NULL, "collection.settings.values: is missing"},
        {"settings.values.poll_s", "-1", "collection.settings.values.poll_s: a whole number"},
        {"settings.values.pol_s", "1", "collection.settings.values.pol_s: is not known; did you mean \"poll_s\"?"},
        {"orchestration.turns", "'random'", "collection.orchestration.turns: count, percent or sequence was expected"},
        /* what holds for members is said by the outermost alone */
        {"include[0].windows", "[" WINDOWS "]", "collection.include[0].windows: belongs to the outermost collection alone"},
        {"exclude[0].include[0].settings", SETTINGS, "collection.exclude[0].include[0].settings: belongs to the outermost"},
        {"limit.orchestration", TURNS, "collection.limit.orchestration: belongs to the outermost"},
    };

    (void)state;
    paper_refuse(COLLECTION, read_collection, table, COUNT(table));
}

/* A sequence is that of the nodes named; without them there is none. */
static void a_sequence_of_nobody(void **state)
{
    json_t *j = paper(COLLECTION);

    (void)state;
    paper_set(j, "orchestration.turns", "'sequence'");
    paper_set(j, "orchestration.limit", "1");
    assert_int_equal(read_collection(j, NULL), OK);
    json_object_del(j, "nodes");
    paper_expect(j, read_collection, "collection.orchestration.turns: a sequence is that of the collection's direct members");
    json_decref(j);
}

static void too_much(void **state)
{
    json_t *j, *inner, *list;

    (void)state;
    for (int levels = COLLECTION_DEPTH; levels <= COLLECTION_DEPTH + 1; levels++) {
        j = inner = paper(COLLECTION);
        json_object_del(j, "exclude");
        for (int i = 0; i < levels; i++) {
            json_object_set_new(inner, "include", paper("[{'name':'deeper'}]"));
            inner = json_array_get(json_object_get(inner, "include"), 0);
        }
        if (levels == COLLECTION_DEPTH)
            assert_int_equal(read_collection(j, NULL), OK);
        else
            paper_expect(j, read_collection, "included deeper than 8");
        json_decref(j);
    }
    j = paper(COLLECTION);
    list = json_object_get(j, "include");
    while (json_array_size(list) < 65)
        json_array_append_new(list, paper("{'name':'more'}"));
    paper_expect(j, read_collection, "collection.include: a list of at most 64");
    json_decref(j);
    j = paper(COLLECTION);
    list = json_object_get(j, "windows");
    for (int i = 2; i < 100; i++) {
        char *name = must_print("n%d", i);
        json_array_append_new(list, json_pack("{s:s,s:s,s:i}", "name", name, "when", "daily", "duration_s", 300));
        free(name);
    }
    assert_int_equal(read_collection(j, NULL), OK);
    json_array_append_new(list, json_pack("{s:s,s:s,s:i}", "name", "n100", "when", "daily", "duration_s", 300));
    paper_expect(j, read_collection, "collection.windows: a list of at most 100");
    json_decref(j);
    j = paper(COLLECTION);
    list = json_object_get(j, "nodes");
    while (json_array_size(list) < 100001)
        json_array_append_new(list, json_string("n"));
    paper_expect(j, read_collection, "collection.nodes: a list of at most 100000");
    json_decref(j);
}

static void who_is_in(void **state)
{
    static const struct {
        const char *node, *facts;
        bool in;
        const char *why;
    } table[] = {
        {"n", "{'hostname':'till-3','os.id':'debian'}", true, "rule: hostname ~ till-*"},
        {"n", "{'hostname':'TILL-3','os.id':'Debian'}", true, "rule:"},
        {"n", "{'hostname':'desk-3','os.id':'debian'}", false, "neither rule, direct members nor includes of tills name it"},
        {"n", "{'hostname':'till-3','os.id':'fedora'}", false, "not in the limiting collection debian"},
        {"n", "{'hostname':'till-3'}", false, "not in the limiting collection debian"},
        {"n", "{'hostname':'till-3','os.id':'debian','boundary.group':'lab'}", false, "excluded by collection lab"},
        {HEX_A, "{'hostname':'desk','os.id':'debian'}", true, "a direct member of tills"},
        {HEX_A, "{'hostname':'desk','os.id':'debian','boundary.group':'lab'}", false, "excluded by collection lab"},
        {HEX_A, "{'hostname':'desk'}", false, "not in the limiting collection"},
        {HEX_B, "{'hostname':'till-1','os.id':'debian'}", false, "excluded by collection lab"},
        {HEX_C, "{'hostname':'desk','os.id':'debian'}", true, "included by collection spare"},
        {"n", "{'hostname':'desk','os.id':'debian','os.version':'9'}", true, "included by collection old"},
        {"n", "{'hostname':'desk','os.id':'debian','os.version':'12'}", false, "neither"},
        {"n", "{}", false, "not in the limiting collection"},
    };
    struct collection *c = collection(paper(COLLECTION));

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        json_t *facts = paper(table[i].facts);
        char why[200] = "";

        if (collection_has(c, table[i].node, facts, NOW, why) != table[i].in || strncmp(why, table[i].why, strlen(table[i].why)))
            fail_msg("%s %s: %s", table[i].node, table[i].facts, why);
        assert_int_equal(collection_has(c, table[i].node, facts, NOW, NULL), table[i].in);
        json_decref(facts);
    }
    collection_free(c);
}

static bool rule_holds(const char *rule, const char *facts)
{
    json_t *j = paper("{'type':'collection','seq':1,'audience':'s','name':'c'}"), *f = paper(facts);
    struct collection *c;
    bool in;

    json_object_set_new(j, "rule", json_string(rule));
    c = collection(j);
    in = collection_has(c, "n", f, NOW, NULL);
    collection_free(c);
    json_decref(f);
    return in;
}

static void facts_of_every_kind(void **state)
{
    (void)state;
    assert_true(rule_holds("memory.mib >= 2048", "{'memory.mib':2048}"));
    assert_false(rule_holds("memory.mib >= 2049", "{'memory.mib':2048}"));
    assert_true(rule_holds("disks = 3", "{'disks':3}"));
    assert_true(rule_holds("disks > 2 and disks < 10", "{'disks':3}"));
    assert_true(rule_holds("virtual = true", "{'virtual':true}"));
    assert_true(rule_holds("virtual = false", "{'virtual':false}"));
    assert_true(rule_holds("role = site", "{'role':['client','site']}"));
    assert_false(rule_holds("role = dp", "{'role':['client','site']}"));
    assert_false(rule_holds("role != site", "{'role':['client','site']}"));
    assert_true(rule_holds("role != site", "{'role':[]}"));
    assert_false(rule_holds("hostname = \"\"", "{'hostname':null}"));
    assert_false(rule_holds("hostname = \"\"", "{'hostname':{'a':1}}"));
    assert_true(rule_holds("hostname = \"\"", "{'hostname':''}"));
    assert_true(rule_holds("HostName = a", "{'hostname':'a'}"));
    assert_false(rule_holds("node.id != \"\"", "{'node.id':''}"));
    assert_true(rule_holds("node.id != \"\"", "{'node.id':'n'}"));
}

/* Nothing named: nobody is in it. */
static void an_empty_one(void **state)
{
    struct collection *c = collection(paper("{'type':'collection','seq':1,'audience':'s','name':'nobody'}"));
    json_t *facts = paper("{'hostname':'a'}");

    (void)state;
    assert_false(collection_has(c, "n", facts, NOW, NULL));
    json_decref(facts);
    collection_free(c);
}

static void a_long_rule_fits_its_reason(void **state)
{
    char rule[1000] = "hostname = ";
    json_t *j = paper("{'type':'collection','seq':1,'audience':'s','name':'c'}"), *facts = json_object();
    struct collection *c;
    char why[200];

    (void)state;
    memset(rule + 11, 'x', 900);
    json_object_set_new(j, "rule", json_string(rule));
    json_object_set_new(facts, "hostname", json_string(rule + 11));
    c = collection(j);
    assert_true(collection_has(c, "n", facts, NOW, why));
    assert_true(strlen(why) < sizeof why);
    collection_free(c);
    json_decref(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(without_rules_for_members),
        cmocka_unit_test(in_turns),
        cmocka_unit_test(a_sequence_of_nobody),
        cmocka_unit_test(anything_else),
        cmocka_unit_test(refused),
        cmocka_unit_test(too_much),
        cmocka_unit_test(who_is_in),
        cmocka_unit_test(facts_of_every_kind),
        cmocka_unit_test(an_empty_one),
        cmocka_unit_test(a_long_rule_fits_its_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
