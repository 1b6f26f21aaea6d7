#include "policy/document/fleet.h"
#include "tests/unit/paper.h"

#define FLEET                                                                                                                              \
    "{'type':'fleet','seq':3,'audience':'site-1','site':'hq','site_url':'http://hq:8440','seal_key':'" HEX_A "','poll_s':3600,"            \
    "'rescan_s':604800,'default_group':'hq','site_pin':'sha256//x=','ca':'PEM',"                                                           \
    "'revoked':[{'node':'n1','address':'10.1.0.7','until':'2026-11-27T20:00:00Z'},{'node':'n2','until':'2026-11-28T20:00:00Z'}],"          \
    "'dps':[{'name':'dp-1','url':'https://10.1.0.2:8441','pin':'sha256//y='},{'name':'dp-2','url':'http://dp2'}],"                         \
    "'groups':[{'name':'hq','cidrs':['10.0.0.0/8','2001:db8::/32'],'dps':['dp-2'],'neighbours':[]},"                                       \
    "{'name':'north','cidrs':['10.1.0.0/16','10.2.3.4','2001:db8:1::/48'],'dps':['dp-1','dp-2'],'neighbours':[{'group':'hq','minutes':"    \
    "120},{'group':'south','minutes':-1}]},{'name':'south','cidrs':['10.1.128.0/17','10.1.0.0/16'],'neighbours':[]}]}"
#define SCAN                                                                                                                               \
    "{'type':'scan','seq':1,'audience':'site-1','archives':[" ARCHIVE                                                                      \
    "],'contents':[" CONTENT(HEX_B) "," CONTENT(HEX_C) "],"                                                                                \
                                                       "'updates':[" UPDATE_COMMAND "]}"
#define HOLDING "{'type':'dp','seq':1,'audience':'site-1','dp':'dp-1','contents':[" CONTENT(HEX_A) "]}"

static enum err read_fleet(const json_t *j, struct error *e)
{
    struct fleet *f = NULL;
    enum err code = fleet_from_json(j, &f, e);

    fleet_free(f);
    return code;
}

static enum err read_scan(const json_t *j, struct error *e)
{
    struct scan *s = NULL;
    enum err code = scan_from_json(j, &s, e);

    scan_free(s);
    return code;
}

static enum err read_holding(const json_t *j, struct error *e)
{
    struct holding *h = NULL;
    enum err code = holding_from_json(j, &h, e);

    holding_free(h);
    return code;
}

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

static void written_and_read(void **state)
{
    json_t *j = paper(FLEET), *again;
    struct fleet *f = fleet(FLEET);
    struct scan *s;
    struct holding *h;

    (void)state;
    again = fleet_to_json(f);
    assert_true(json_equal(j, again));
    fleet_free(f);
    json_decref(j);
    json_decref(again);
    j = paper(SCAN);
    assert_int_equal(scan_from_json(j, &s, NULL), OK);
    again = scan_to_json(s);
    assert_true(json_equal(j, again));
    scan_free(s);
    json_decref(j);
    json_decref(again);
    j = paper(HOLDING);
    assert_int_equal(holding_from_json(j, &h, NULL), OK);
    again = holding_to_json(h);
    assert_true(json_equal(j, again));
    holding_free(h);
    json_decref(j);
    json_decref(again);
    fleet_free(NULL);
    scan_free(NULL);
    holding_free(NULL);
}

static void anything_else(void **state)
{
    json_t *f = paper(FLEET), *s = paper(SCAN), *h = paper(HOLDING);

    (void)state;
    assert_true(paper_torture(f, f, "fleet", read_fleet) > 40);
    assert_true(paper_torture(s, s, "scan", read_scan) > 60);
    assert_true(paper_torture(h, h, "dp", read_holding) > 10);
    json_decref(f);
    json_decref(s);
    json_decref(h);
}

static void refused(void **state)
{
    static const struct refusal fleets[] = {
        {"type", "'scan'", "fleet.type: \"fleet\" was expected"},
        {"seq", "0", "fleet.seq"},
        {"audience", NULL, "fleet.audience: is missing"},
        {"seal_key", "'abcd'", "fleet.seal_key: 64 hexadecimal digits"},
        {"poll_s", "0", "fleet.poll_s: a whole number from 1 to 604800"},
        {"poll_s", "604801", "fleet.poll_s"},
        {"rescan_s", "59", "fleet.rescan_s"},
        {"dps", NULL, "fleet.dps: is missing"},
        {"dps[1].url", NULL, "fleet.dps[1].url: is missing"},
        {"groups[1].cidrs", "['10.1.0.0/16','10.1.0.0/33']", "fleet.groups[1].cidrs: \"10.1.0.0/33\" is no address with a prefix such as"},
        {"groups[1].neighbours[0].minutes", "-2", "fleet.groups[1].neighbours[0].minutes"},
        {"groups[1].neighbours[0].minutes", "10081", "fleet.groups[1].neighbours[0].minutes"},
        {"groups[1].name", NULL, "fleet.groups[1].name: is missing"},
    };
    static const struct refusal scans[] = {
        {"type", "'fleet'", "scan.type"},
        {"updates[0].detect.type", "'x'", "scan.updates[0].detect.type"},
        {"archives[0].indexes[1].size", "-1", "scan.archives[0].indexes[1].size"},
        {"contents[1].sha256", NULL, "scan.contents[1].sha256: is missing"},
    };
    static const struct refusal holdings[] = {
        {"type", "'holding'", "dp.type"},
        {"dp", NULL, "dp.dp: is missing"},
        {"contents[0].size", "-1", "dp.contents[0].size"},
    };

    (void)state;
    paper_refuse(FLEET, read_fleet, fleets, COUNT(fleets));
    paper_refuse(SCAN, read_scan, scans, COUNT(scans));
    paper_refuse(HOLDING, read_holding, holdings, COUNT(holdings));
}

static void cidrs(void **state)
{
    static const char *const good[] = {"10.1.0.0/16",   "10.1.2.3", "0.0.0.0/0", "10.1.2.3/32",
                                       "2001:db8::/32", "::/0",     "::1",       "fe80::1/128"};
    static const char *const bad[] = {"",
                                      "10.1.0.0/",
                                      "10.1.0.0/33",
                                      "10.1.0.0/ 8",
                                      "10.1.0.0/+8",
                                      "10.1.0.0/-1",
                                      "10.1.0.0/8x",
                                      "10.1.0/8",
                                      "::/129",
                                      "2001:db8/32",
                                      "10.1.0.0/8/8",
                                      "localhost",
                                      "10.01.0.0/8",
                                      "/8",
                                      "10.1.0.0 /8",
                                      "10.1.0.0/-18446744073709551600",
                                      "10.1.0.0/18446744073709551632",
                                      "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/32"};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        if (!cidr_ok(good[i]))
            fail_msg("%s was refused", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (cidr_ok(bad[i]))
            fail_msg("%s was accepted", bad[i]);
}

static void groups(void **state)
{
    static const struct {
        const char *address, *group;
    } table[] = {
        {"10.9.9.9", "hq"},      {"10.1.0.1", "north"},      {"10.1.127.255", "north"}, {"10.1.128.0", "south"},
        {"10.2.3.4", "north"},   {"10.2.3.5", "hq"},         {"11.0.0.1", NULL},        {"9.255.255.255", NULL},
        {"2001:db8:2::1", "hq"}, {"2001:db8:1::1", "north"}, {"2001:db9::1", NULL},     {"", NULL},
        {"10.1.0.1:80", NULL},   {"not an address", NULL},   {"10.1.0.0/16", NULL},
    };
    struct fleet *f = fleet(FLEET);

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct boundary_group *g = fleet_group_of(f, table[i].address);

        if ((g ? strcmp(g->name, table[i].group ? table[i].group : "") : table[i].group != NULL))
            fail_msg("%s is in %s", table[i].address, g ? g->name : "none");
    }
    assert_string_equal(fleet_group(f, "south")->name, "south");
    assert_null(fleet_group(f, "west"));
    assert_string_equal(fleet_dp(f, "dp-2")->url, "http://dp2");
    assert_null(fleet_dp(f, "dp-3"));
    fleet_free(f);
}

static void every_address(void **state)
{
    struct fleet *f = fleet("{'type':'fleet','seq':3,'audience':'s','site':'hq','site_url':'u','seal_key':'" HEX_A "','poll_s':1,"
                            "'rescan_s':60,'dps':[],'groups':[{'name':'all','cidrs':['0.0.0.0/0']}]}");

    (void)state;
    assert_non_null(fleet_group_of(f, "255.255.255.255"));
    assert_null(fleet_group_of(f, "::1"));
    assert_null(f->default_group);
    fleet_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read), cmocka_unit_test(anything_else), cmocka_unit_test(refused), cmocka_unit_test(cidrs),
        cmocka_unit_test(groups),           cmocka_unit_test(every_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
