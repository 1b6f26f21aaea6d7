/* Deployments, distribution points, boundaries, settings: what a command changes is what nodes will read. */
#include "tests/unit/desk.h"

static int begin(void **state)
{
    struct desk *d;

    desk_open(state);
    d = *state;
    desk_catalog(d);
    say(d, "group.create", "{'name':'october'}");
    say(d, "group.add", "{'name':'october','updates':['openssl']}");
    desk_download(d, "october");
    return 0;
}

/* The document as a node reads it. */
static struct deployment *read_back(struct desk *d, const char *target)
{
    json_t            *body = published(d, target);
    struct deployment *out = NULL;

    assert_non_null(body);
    if (deployment_from_json(body, &out, &d->e) != OK)
        fail_msg("%s", d->e.text);
    json_decref(body);
    return out;
}

static struct fleet *fleet_back(struct desk *d)
{
    json_t       *body = published(d, "policy/fleet/fleet.json");
    struct fleet *out = NULL;

    if (fleet_from_json(body, &out, &d->e) != OK)
        fail_msg("%s", d->e.text);
    json_decref(body);
    return out;
}

static void test_create_refused(void **state)
{
    struct desk *d = *state;

    refused(d, ERR_NOT_FOUND, "did you mean \"october\"?", "deployment.create", "{'name':'d','group':'octobr','collection':'all'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"all\"?", "deployment.create", "{'name':'d','group':'october','collection':'al'}");
    refused(d, ERR_USAGE, "--group", "deployment.create", "{'name':'d','collection':'all'}");
    refused(d, ERR_USAGE, "--required or --optional", "deployment.create", "{'name':'d','group':'october','collection':'all'}");
    refused(d, ERR_USAGE, "required", "deployment.create", "{'name':'d','group':'october','collection':'all','purpose':'maybe'}");
    refused(d, ERR_USAGE, "--deadline", "deployment.create", "{'name':'d','group':'october','collection':'all','purpose':'required'}");
    refused(d, ERR_USAGE, "before", "deployment.create",
            "{'name':'d','group':'october','collection':'all','purpose':'required','available':'+3h','deadline':'+2h'}");
    refused(d, ERR_USAGE, "at most a day", "deployment.create",
            "{'name':'d','group':'october','collection':'all','purpose':'required','deadline':'+2h','randomize':'25h'}");
    refused(d, ERR_USAGE, "too far", "deployment.create",
            "{'name':'d','group':'october','collection':'all','purpose':'required','deadline':'+520000w'}");
    refused(d, ERR_USAGE, "collection", "deployment.create",
            "{'name':'collection','group':'october','collection':'all','purpose':'available'}");
    assert_int_equal(count_in(d, "deployment"), 0);
}

static void test_published(void **state)
{
    struct desk       *d = *state;
    struct deployment *doc;
    json_t            *out = ask(d, "deployment.create",
                                 "{'name':'d','group':'october','collection':'all','purpose':'required','deadline':'+2h',"
                                 "'randomize':'30m','origin_fallback':true}");

    assert_non_null(strstr(json_string_value(json_object_get(out, "message")), "1 updates of group october to 0 nodes"));
    json_decref(out);
    doc = read_back(d, "policy/all/d.json");
    assert_string_equal(doc->audience, DESK_SITE);
    assert_true(doc->enabled && !doc->withdrawn && doc->terms.origin_fallback);
    assert_int_equal(doc->terms.purpose, PURPOSE_REQUIRED);
    assert_int_equal(doc->available, DESK_NOW);
    assert_int_equal(doc->deadline, DESK_NOW + 7200);
    assert_int_equal(doc->terms.randomize_s, 1800);
    assert_int_equal(doc->update_count, 1);
    assert_int_equal(doc->updates[0]->file_count, 2);
    assert_int_equal(doc->content_count, 3);
    assert_int_equal(doc->archive_count, 1);
    assert_int_equal(doc->seq, 1);
    deployment_free(doc);
    refused(d, ERR_EXISTS, "exists already", "deployment.create",
            "{'name':'d','group':'october','collection':'all','purpose':'available'}");
}

/* What is added to a deployed group travels as soon as its files are in the library, and its document's number rises. */
static void test_added_later(void **state)
{
    struct desk       *d = *state;
    struct deployment *doc;
    json_t            *out;

    say(d, "deployment.create", "{'name':'d','group':'october','collection':'all','purpose':'available'}");
    deployment_free(read_back(d, "policy/all/d.json"));
    out = ask(d, "group.add", "{'name':'october','updates':['curl']}");
    assert_non_null(strstr(json_string_value(json_object_get(out, "message")), "takes effect"));
    json_decref(out);
    doc = read_back(d, "policy/all/d.json");
    assert_int_equal(doc->update_count, 1);
    assert_int_equal(doc->seq, 1);
    deployment_free(doc);
    desk_download(d, "october");
    doc = read_back(d, "policy/all/d.json");
    assert_int_equal(doc->update_count, 2);
    assert_int_equal(doc->content_count, 4);
    assert_int_equal(doc->seq, 2);
    deployment_free(doc);
    say(d, "group.remove", "{'name':'october','updates':['openssl']}");
    doc = read_back(d, "policy/all/d.json");
    assert_int_equal(doc->update_count, 1);
    assert_string_equal(doc->updates[0]->name, "curl");
    assert_int_equal(doc->seq, 3);
    deployment_free(doc);
}

static void test_disabled(void **state)
{
    struct desk       *d = *state;
    struct deployment *doc;

    say(d, "deployment.create", "{'name':'d','group':'october','collection':'all','purpose':'required','deadline':'+2h'}");
    say(d, "deployment.change", "{'name':'d','enabled':false}");
    doc = read_back(d, "policy/all/d.json");
    assert_false(doc->enabled);
    assert_false(doc->withdrawn);
    assert_int_equal(doc->deadline, DESK_NOW + 7200);
    deployment_free(doc);
    say(d, "deployment.change", "{'name':'d','enabled':true,'deadline':'+4h'}");
    doc = read_back(d, "policy/all/d.json");
    assert_true(doc->enabled);
    assert_int_equal(doc->deadline, DESK_NOW + 14400);
    assert_int_equal(doc->available, DESK_NOW);
    deployment_free(doc);
    refused(d, ERR_USAGE, "before", "deployment.change", "{'name':'d','deadline':'2020-01-01 00:00'}");
    refused(d, ERR_NOT_FOUND, "deployment", "deployment.change", "{'name':'none','enabled':false}");
}

/* The tombstone stays until the node that held the deployment has the newer word; its collection may not go before. */
static void test_tombstone(void **state)
{
    struct desk       *d = *state;
    struct deployment *doc;
    char               id[NODE_ID_SIZE];

    desk_node(d, "till-1", id);
    say(d, "collection.create", "{'name':'tills','rule':'hostname = \\'till-1\\''}");
    say(d, "deployment.create", "{'name':'d','group':'october','collection':'tills','purpose':'required','deadline':'+2h'}");
    deployment_free(read_back(d, "policy/tills/d.json"));
    desk_status(d, id, "[{'serial':1,'topic':'acknowledge','documents':{'policy/tills/d.json':1}}]");
    say(d, "deployment.delete", "{'name':'d'}");
    for (int i = 0; i < 2; i++) {
        doc = read_back(d, "policy/tills/d.json");
        assert_true(doc->withdrawn && !doc->enabled);
        assert_int_equal(doc->update_count, 0);
        assert_int_equal(doc->content_count, 0);
        assert_int_equal(doc->seq, 2);
        deployment_free(doc);
    }
    refused(d, ERR_CONDITION, "withdrawn", "collection.delete", "{'name':'tills'}");
    refused(d, ERR_EXISTS, "withdrawn", "deployment.create",
            "{'name':'d','group':'october','collection':'all','purpose':'available'}");
    refused(d, ERR_NOT_FOUND, "deployment", "deployment.show", "{'name':'d'}");
    say(d, "group.delete", "{'name':'october'}");
    desk_status(d, id, "[{'serial':2,'topic':'acknowledge','documents':{'policy/tills/d.json':2}}]");
    json_decref(published(d, "policy/tills/d.json"));
    assert_null(published(d, "policy/tills/d.json"));
    say(d, "collection.delete", "{'name':'tills'}");
}

/* Withdrawn stays withdrawn. */
static void test_no_return(void **state)
{
    struct desk *d = *state;
    char         id[NODE_ID_SIZE];

    desk_node(d, "till-1", id);
    say(d, "deployment.create", "{'name':'d','group':'october','collection':'all','purpose':'available'}");
    deployment_free(read_back(d, "policy/all/d.json"));
    desk_status(d, id, "[{'serial':1,'topic':'acknowledge','documents':{'policy/all/d.json':1}}]");
    say(d, "deployment.delete", "{'name':'d'}");
    refused(d, ERR_NOT_FOUND, "deployment", "deployment.change", "{'name':'d','enabled':true}");
    say(d, "node.retire", "{'name':'till-1'}");
    json_decref(published(d, "policy/all/d.json"));
    assert_null(published(d, "policy/all/d.json"));
}

static void test_dps(void **state)
{
    struct desk  *d = *state;
    struct fleet *f;

    refused(d, ERR_USAGE, "http", "dp.add", "{'name':'dp-1','url':'dp.example.org'}");
    refused(d, ERR_NOT_FOUND, "node", "dp.add", "{'name':'dp-1','url':'http://dp','node':'none'}");
    say(d, "dp.add", "{'name':'dp-1','url':'http://dp.example.org/'}");
    refused(d, ERR_EXISTS, "dp-1", "dp.add", "{'name':'dp-1','url':'http://x'}");
    say(d, "boundary.add", "{'group':'north','cidrs':['10.1.0.0/16'],'dps':['dp-1']}");
    refused(d, ERR_NOT_FOUND, "did you mean \"dp-1\"?", "content.distribute", "{'name':'october','to':['dp1']}");
    say(d, "content.distribute", "{'name':'october','to':['dp-1']}");
    f = fleet_back(d);
    assert_string_equal(f->dps[0].url, "http://dp.example.org");
    assert_string_equal(f->groups[0].dps[0], "dp-1");
    fleet_free(f);
    refused(d, ERR_NOT_FOUND, "did you mean \"dp-1\"?", "dp.remove", "{'name':'dp-2'}");
    say(d, "dp.remove", "{'name':'dp-1'}");
    assert_null(published(d, "policy/fleet/dp-dp-1.json"));
    f = fleet_back(d);
    assert_int_equal(f->dp_count, 0);
    assert_null(f->groups[0].dps);
    fleet_free(f);
    assert_int_equal(count_in(d, "dp_group"), 0);
}

static void test_boundaries(void **state)
{
    struct desk  *d = *state;
    struct fleet *f;

    refused(d, ERR_USAGE, "--cidr", "boundary.add", "{'group':'north'}");
    refused(d, ERR_USAGE, "10.1.0.0/33", "boundary.add", "{'group':'north','cidrs':['10.1.0.0/33']}");
    refused(d, ERR_NOT_FOUND, "distribution point", "boundary.add", "{'group':'north','cidrs':['10.1.0.0/16'],'dps':['dp-9']}");
    say(d, "boundary.add", "{'group':'north','cidrs':['10.1.0.0/16','2001:db8::/32']}");
    say(d, "site.set", "{'default_group':'north','poll':'15m','url':'http://hq.example.org'}");
    f = fleet_back(d);
    assert_string_equal(f->default_group, "north");
    assert_string_equal(f->site_url, "http://hq.example.org");
    assert_int_equal(f->poll_s, 900);
    assert_non_null(fleet_group_of(f, "10.1.2.3"));
    fleet_free(f);
    refused(d, ERR_NOT_FOUND, "did you mean \"north\"?", "boundary.remove", "{'group':'nort'}");
    say(d, "boundary.remove", "{'group':'north'}");
    f = fleet_back(d);
    assert_null(f->default_group);
    fleet_free(f);
}

static void test_settings(void **state)
{
    struct desk  *d = *state;
    struct fleet *f;

    refused(d, ERR_USAGE, "duration", "site.set", "{'poll':'often'}");
    refused(d, ERR_USAGE, "a week", "site.set", "{'poll':'3w'}");
    refused(d, ERR_USAGE, "http", "site.set", "{'url':'hq.example.org'}");
    refused(d, ERR_NOT_FOUND, "boundary group", "site.set", "{'default_group':'none'}");
    refused(d, ERR_USAGE, "--url", "site.set", "{}");
    say(d, "site.set", "{'poll':'0'}");
    f = fleet_back(d);
    assert_int_equal(f->poll_s, 1);
    fleet_free(f);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_create_refused), T(test_published), T(test_added_later), T(test_disabled), T(test_tombstone),
        T(test_no_return),      T(test_dps),       T(test_boundaries),  T(test_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
