#include "policy/decide/source.h"
#include "tests/unit/paper.h"

#define FLEET(standard, links)                                                                                                             \
    "{'type':'fleet','seq':3,'audience':'s','site':'hq','site_url':'u','seal_key':'" HEX_A "','poll_s':3600,'rescan_s':604800," standard   \
    "'dps':[{'name':'dp-n','url':'http://n'},{'name':'dp-n2','url':'http://n2'},{'name':'dp-s','url':'http://s'},"                         \
    "{'name':'dp-w','url':'http://w'},{'name':'dp-hq','url':'http://hq'}],'groups':[{'name':'north','dps':['dp-n2','dp-n','gone'],"        \
    "'neighbours':[" links "]},{'name':'south','dps':['dp-s','dp-n']},{'name':'west','dps':['dp-w','dp-s']},"                              \
    "{'name':'hq','dps':['dp-hq']}]}"
#define STANDARD "'default_group':'hq',"
#define NO_ORIGIN (SOURCES_NEIGHBOURS | SOURCES_DEFAULT)

static struct fleet *fleet(const char *text)
{
    json_t *j = paper(text);
    struct fleet *f;
    struct error e;

    if (fleet_from_json(j, &f, &e))
        fail_msg("%s", e.text);
    json_decref(j);
    return f;
}

/* "dp:dp-n2@0 neighbour:dp-s@10 origin:origin@0": kind, name and minutes. */
static void expect(const char *document, const char *group, unsigned allowed, const char *wanted)
{
    struct content c = {.origin = (char[]){"http://vendor/x.deb"}};
    struct fleet *f = fleet(document);
    struct source out[10];
    size_t n = source_order(f, group ? fleet_group(f, group) : NULL, &c, allowed, out, COUNT(out));
    struct text got = {0};

    for (size_t i = 0; i < n; i++) {
        text_add(&got, "%s%s:%s@%lld", i ? " " : "", source_kind_name(out[i].kind), out[i].name, (long long)out[i].after / 60);
        assert_true(strlen(out[i].why) > 10);
        assert_true(strlen(out[i].url) > 10);
    }
    assert_string_equal(got.data ? got.data : "", wanted);
    text_end(&got);
    fleet_free(f);
}

static void the_order(void **state)
{
    (void)state;
    expect(FLEET("", ""), "north", NO_ORIGIN, "dp:dp-n2@0 dp:dp-n@0");
    expect(FLEET("", ""), "north", SOURCES_ALL, "dp:dp-n2@0 dp:dp-n@0 origin:origin@0");
    expect(FLEET(STANDARD, ""), "north", SOURCES_ALL, "dp:dp-n2@0 dp:dp-n@0 default:dp-hq@120 origin:origin@0");
    expect(FLEET(STANDARD, ""), "hq", NO_ORIGIN, "dp:dp-hq@0");
}

/* A distribution point is known by its key; the origin by the system's CAs, and so it is never shown who asks. */
static void whose_key(void **state)
{
    struct content c = {.origin = (char[]){"https://vendor/x.deb"}};
    struct source  out[10] = {{.pin = "left over"}, {.pin = "left over"}, {.pin = "left over"}};
    struct fleet  *f = fleet("{'type':'fleet','seq':3,'audience':'s','site':'hq','site_url':'u','seal_key':'" HEX_A "','poll_s':3600,'rescan_s':604800,"
                             "'dps':[{'name':'a','url':'https://a','pin':'sha256//x'},{'name':'b','url':'http://b'}],'groups':[{'name':'g','dps':"
                             "['a','b']}]}");

    (void)state;
    assert_int_equal(source_order(f, fleet_group(f, "g"), &c, SOURCES_ALL, out, COUNT(out)), 3);
    assert_string_equal(out[0].pin, "sha256//x");
    assert_null(out[1].pin);
    assert_null(out[2].pin);
    fleet_free(f);
}

static void neighbours(void **state)
{
    (void)state;
    expect(FLEET("", "{'group':'south','minutes':10}"), "north", NO_ORIGIN, "dp:dp-n2@0 dp:dp-n@0 neighbour:dp-s@10");
    expect(FLEET("", "{'group':'south','minutes':0}"), "north", NO_ORIGIN, "dp:dp-n2@0 dp:dp-n@0 neighbour:dp-s@0");
    expect(FLEET("", "{'group':'south','minutes':-1}"), "north", NO_ORIGIN, "dp:dp-n2@0 dp:dp-n@0");
    expect(FLEET("", "{'group':'nowhere','minutes':1}"), "north", NO_ORIGIN, "dp:dp-n2@0 dp:dp-n@0");
    expect(FLEET("", "{'group':'south','minutes':120},{'group':'west','minutes':10}"), "north", NO_ORIGIN,
           "dp:dp-n2@0 dp:dp-n@0 neighbour:dp-w@10 neighbour:dp-s@10");
    expect(FLEET("", "{'group':'west','minutes':20},{'group':'south','minutes':20}"), "north", NO_ORIGIN,
           "dp:dp-n2@0 dp:dp-n@0 neighbour:dp-w@20 neighbour:dp-s@20");
    expect(FLEET(STANDARD, "{'group':'south','minutes':240}"), "north", NO_ORIGIN, "dp:dp-n2@0 dp:dp-n@0 default:dp-hq@120 neighbour:dp-s@240");
}

/* Links go one way, and only one step. */
static void links_are_direct(void **state)
{
    (void)state;
    expect(FLEET("", "{'group':'south','minutes':10}"), "south", NO_ORIGIN, "dp:dp-s@0 dp:dp-n@0");
    expect(FLEET("", "{'group':'south','minutes':10}"), "west", NO_ORIGIN, "dp:dp-w@0 dp:dp-s@0");
}

static void the_default_group(void **state)
{
    (void)state;
    expect(FLEET(STANDARD, "{'group':'hq','minutes':5}"), "north", NO_ORIGIN, "dp:dp-n2@0 dp:dp-n@0 default:dp-hq@5");
    expect(FLEET(STANDARD, "{'group':'hq','minutes':-1}"), "north", NO_ORIGIN, "dp:dp-n2@0 dp:dp-n@0");
    expect(FLEET("'default_group':'nowhere',", ""), "north", NO_ORIGIN, "dp:dp-n2@0 dp:dp-n@0");
}

static void outside_every_boundary(void **state)
{
    (void)state;
    expect(FLEET("", ""), NULL, NO_ORIGIN, "origin:origin@0");
    expect(FLEET(STANDARD, ""), NULL, NO_ORIGIN, "default:dp-hq@0");
    expect(FLEET(STANDARD, ""), NULL, SOURCES_ALL, "default:dp-hq@0 origin:origin@0");
    expect(FLEET("'default_group':'nowhere',", ""), NULL, NO_ORIGIN, "origin:origin@0");
}

static void what_is_allowed(void **state)
{
    const char *both = FLEET(STANDARD, "{'group':'south','minutes':10}"), *named = FLEET(STANDARD, "{'group':'hq','minutes':5}");
    struct terms t = {.neighbour_fallback = true};

    (void)state;
    expect(both, "north", 0, "dp:dp-n2@0 dp:dp-n@0");
    expect(both, "north", SOURCES_NEIGHBOURS, "dp:dp-n2@0 dp:dp-n@0 neighbour:dp-s@10");
    expect(both, "north", SOURCES_DEFAULT, "dp:dp-n2@0 dp:dp-n@0 default:dp-hq@120");
    expect(both, "north", SOURCES_ORIGIN, "dp:dp-n2@0 dp:dp-n@0 origin:origin@0");
    expect(both, "north", SOURCES_ALL, "dp:dp-n2@0 dp:dp-n@0 neighbour:dp-s@10 default:dp-hq@120 origin:origin@0");
    expect(named, "north", SOURCES_NEIGHBOURS, "dp:dp-n2@0 dp:dp-n@0"); /* the default group is allowed as such, by whichever link */
    expect(named, "north", SOURCES_DEFAULT, "dp:dp-n2@0 dp:dp-n@0 default:dp-hq@5");
    expect(both, "hq", 0, "dp:dp-hq@0"); /* its own group needs no leave */
    expect(both, NULL, 0, "origin:origin@0");
    expect(both, NULL, SOURCES_NEIGHBOURS, "origin:origin@0");
    expect(both, NULL, SOURCES_DEFAULT, "default:dp-hq@0");
    expect(both, NULL, SOURCES_ORIGIN, "origin:origin@0");
    assert_int_equal(sources_allowed(&t), SOURCES_NEIGHBOURS);
    t = (struct terms){.default_group_fallback = true, .origin_fallback = true};
    assert_int_equal(sources_allowed(&t), SOURCES_DEFAULT | SOURCES_ORIGIN);
}

static void what_is_said(void **state)
{
    struct fleet *f = fleet(FLEET(STANDARD, "{'group':'south','minutes':10}"));
    struct content c = {.origin = NULL};
    struct source out[10];
    char giant[800];

    (void)state;
    memset(&c.sha256, 0xaa, sizeof c.sha256);
    assert_int_equal(source_order(f, fleet_group(f, "north"), &c, SOURCES_ALL, out, COUNT(out)), 4);
    assert_string_equal(out[0].url, "http://n2/content/" HEX_A);
    assert_string_equal(out[0].why, "of the node's group north");
    assert_string_equal(out[2].why, "of neighbour group south, after 10 min");
    assert_string_equal(out[3].why, "of the site's default group hq, after 120 min");
    assert_int_equal(out[3].after, 7200);
    memset(giant, 'x', sizeof giant - 1);
    giant[sizeof giant - 1] = '\0';
    c.origin = giant;
    assert_int_equal(source_order(f, NULL, &c, SOURCES_ALL, out, COUNT(out)), 1); /* an address that would be cut short is none */
    c.origin = (char[]){"http://vendor/x"};
    assert_int_equal(source_order(f, fleet_group(f, "north"), &c, SOURCES_ALL, out, 2), 2);
    assert_int_equal(source_order(f, fleet_group(f, "north"), &c, SOURCES_ALL, out, 0), 0);
    assert_int_equal(source_order(NULL, NULL, &c, NO_ORIGIN, out, COUNT(out)), 1);
    assert_string_equal(out[0].why, "the node is outside every boundary");
    assert_string_equal(out[0].url, "http://vendor/x");
    fleet_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order),
        cmocka_unit_test(whose_key), cmocka_unit_test(neighbours),
        cmocka_unit_test(links_are_direct),
        cmocka_unit_test(the_default_group),
        cmocka_unit_test(outside_every_boundary),
        cmocka_unit_test(what_is_allowed),
        cmocka_unit_test(what_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
