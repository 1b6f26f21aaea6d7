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
    refused(d, ERR_USAGE, "from 0s to 1d", "deployment.create",
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

static struct deployment *made(struct desk *d, const char *args)
{
    say(d, "deployment.create", args);
    return read_back(d, "policy/all/d.json");
}

/* Every term reaches the document but the site's own. */
static void test_terms(void **state)
{
    struct desk       *d = *state;
    struct deployment *doc = made(d, "{'name':'d','group':'october','collection':'all','purpose':'required','deadline':'+2h','gradual':'3d',"
                                     "'soft_deadline':true,'notify':'restart','install_outside':true,'suppress_restart_servers':true,"
                                     "'neighbour_fallback':false,'metered':true,'verbosity':'error','alert_below':95,'alert_after':'1d'}");
    json_t            *out, *body;

    assert_int_equal(doc->terms.gradual_s, 259200);
    assert_int_equal(doc->terms.randomize_s, 7200);
    assert_int_equal(doc->terms.notify, NOTIFY_RESTART);
    assert_int_equal(doc->terms.verbosity, VERBOSITY_ERROR);
    assert_true(doc->terms.soft_deadline && doc->terms.install_outside && !doc->terms.restart_outside && doc->terms.metered);
    assert_true(doc->terms.suppress_restart_servers && !doc->terms.suppress_restart_workstations && !doc->terms.neighbour_fallback);
    assert_int_equal(doc->terms.alert_below, 0);
    deployment_free(doc);
    body = published(d, "policy/all/d.json");
    assert_null(json_object_get(body, "alert_below"));
    json_decref(body);
    out = ask(d, "deployment.show", "{'name':'d'}");
    assert_string_equal(json_string_value(json_object_get(json_object_get(out, "terms"), "alert_below")), "95");
    assert_string_equal(json_string_value(json_object_get(out, "made_by")), "uid 0 (root)");
    json_decref(out);
    say(d, "deployment.change", "{'name':'d','metered':false,'neighbour_fallback':true}");
    doc = read_back(d, "policy/all/d.json");
    assert_true(!doc->terms.metered && doc->terms.neighbour_fallback && doc->terms.soft_deadline);
    deployment_free(doc);
    refused(d, ERR_CONDITION, "cannot be changed", "deployment.change", "{'name':'d','purpose':'available'}");
    refused(d, ERR_USAGE, "hide", "deployment.create",
            "{'name':'e','group':'october','collection':'all','purpose':'available','notify':'none'}");
    refused(d, ERR_USAGE, "--alert-below", "deployment.create",
            "{'name':'e','group':'october','collection':'all','purpose':'available','alert_below':95}");
}

/* Now is friday 2027-01-15 08:00 UTC, 09:00 in Berlin. */
static void test_times(void **state)
{
    struct desk       *d = *state;
    struct deployment *doc;
    json_t            *out;

    refused(d, ERR_USAGE, "no time zone", "site.set", "{'timezone':'Mars/Olympus'}");
    say(d, "site.set", "{'timezone':'Europe/Berlin'}");
    doc = made(d, "{'name':'d','group':'october','collection':'all','purpose':'required','deadline':'friday 22:00'}");
    assert_int_equal(doc->deadline, DESK_NOW + 13 * 3600);          /* 21:00 UTC */
    assert_int_equal(doc->available, DESK_NOW);
    deployment_free(doc);
    refused(d, ERR_USAGE, "--available and --deadline", "deployment.change", "{'name':'d','local_time':true}");
    say(d, "deployment.change", "{'name':'d','local_time':true,'available':'now','deadline':'friday 22:00'}");
    doc = read_back(d, "policy/all/d.json");
    assert_true(doc->terms.local_time);
    assert_int_equal(doc->available, DESK_NOW + 3600);              /* 09:00, as if UTC */
    assert_int_equal(doc->deadline, DESK_NOW + 14 * 3600);
    deployment_free(doc);
    out = ask(d, "deployment.list", "{}");
    assert_string_equal(json_string_value(json_object_get(row_with(json_object_get(out, "items"), "name", "d"), "deadline")),
                        "2027-01-15 22:00 of each node's clock");
    json_decref(out);
    refused(d, ERR_USAGE, "each node's own clock", "deployment.change", "{'name':'d','deadline':'2027-02-01T22:00:00Z'}");
    refused(d, ERR_USAGE, "not a moment", "deployment.change", "{'name':'d','deadline':'someday'}");
}

static void test_halt(void **state)
{
    struct desk       *d = *state;
    struct deployment *doc = made(d, "{'name':'d','group':'october','collection':'all','purpose':'required','deadline':'+2h'}");
    json_t            *rows = NULL;

    assert_null(doc->halted);
    deployment_free(doc);
    refused(d, ERR_USAGE, "--reason", "deployment.halt", "{'name':'d'}");
    refused(d, ERR_CONDITION, "not halted", "deployment.resume", "{'name':'d'}");
    say(d, "deployment.halt", "{'name':'d','reason':'tills print nothing'}");
    doc = read_back(d, "policy/all/d.json");
    assert_string_equal(doc->halted, "tills print nothing");
    assert_true(doc->enabled);
    deployment_free(doc);
    assert_int_equal(rows_found(d->a.ledger, "UPDATE deployment SET made_by = 'phased:slowly'", NULL, &rows, &d->e), OK);
    json_decref(rows);
    assert_int_equal(rows_found(d->a.ledger, "INSERT INTO phased(name, state) VALUES('slowly', 'halted')", NULL, &rows, &d->e), OK);
    json_decref(rows);
    refused(d, ERR_CONDITION, "ferry phased resume slowly", "deployment.resume", "{'name':'d'}");
    assert_int_equal(rows_found(d->a.ledger, "UPDATE phased SET state = 'running'", NULL, &rows, &d->e), OK);
    json_decref(rows);
    say(d, "deployment.resume", "{'name':'d'}");
    doc = read_back(d, "policy/all/d.json");
    assert_null(doc->halted);
    deployment_free(doc);
}

static void test_report_only(void **state)
{
    struct desk *d = *state;

    say(d, "group.create", "{'name':'yearly','report_only':true,'filter':'name = openssl'}");
    assert_int_equal(count_in(d, "member WHERE grp = 'yearly'"), 1);
    refused(d, ERR_CONDITION, "report-only", "deployment.create",
            "{'name':'d','group':'yearly','collection':'all','purpose':'available'}");
    say(d, "group.change", "{'name':'yearly','report_only':false,'description':'all of it'}");
    say(d, "deployment.create", "{'name':'d','group':'yearly','collection':'all','purpose':'available'}");
    refused(d, ERR_CONDITION, "deployed", "group.change", "{'name':'yearly','report_only':true}");
    refused(d, ERR_USAGE, "--report-only", "group.change", "{'name':'yearly'}");
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
    say(d, "site.set", "{'default_group':'north','poll':'15m','url':'https://hq.example.org'}");
    f = fleet_back(d);
    assert_string_equal(f->default_group, "north");
    assert_string_equal(f->site_url, "https://hq.example.org");
    assert_int_equal(f->poll_s, 900);
    assert_non_null(fleet_group_of(f, "10.1.2.3"));
    fleet_free(f);
    refused(d, ERR_NOT_FOUND, "did you mean \"north\"?", "boundary.remove", "{'group':'nort'}");
    say(d, "boundary.remove", "{'group':'north'}");
    f = fleet_back(d);
    assert_null(f->default_group);
    fleet_free(f);
}

/* One way, with its own time; nobody links to what is not there. */
static void test_links(void **state)
{
    struct desk  *d = *state;
    struct fleet *f;
    json_t       *out, *north;

    say(d, "boundary.add", "{'group':'north','cidrs':['10.1.0.0/16'],'wan':8000}");
    say(d, "boundary.add", "{'group':'south','cidrs':['10.2.0.0/16']}");
    refused(d, ERR_NOT_FOUND, "did you mean \"south\"?", "boundary.link", "{'group':'north','neighbour':'souht'}");
    refused(d, ERR_USAGE, "its own neighbour", "boundary.link", "{'group':'north','neighbour':'north'}");
    refused(d, ERR_USAGE, "a week", "boundary.link", "{'group':'north','neighbour':'south','after':'8d'}");
    refused(d, ERR_USAGE, "--wan", "boundary.add", "{'group':'north','cidrs':['10.1.0.0/16'],'wan':-1}");
    say(d, "boundary.link", "{'group':'north','neighbour':'south'}");
    f = fleet_back(d);
    assert_int_equal(f->groups[0].neighbour_count, 1);
    assert_string_equal(f->groups[0].neighbours[0].group, "south");
    assert_int_equal(f->groups[0].neighbours[0].minutes, 120);
    assert_int_equal(f->groups[1].neighbour_count, 0);
    fleet_free(f);
    say(d, "boundary.link", "{'group':'north','neighbour':'south','after':'never'}");
    say(d, "boundary.add", "{'group':'north','cidrs':['10.1.0.0/17']}");
    out = ask(d, "boundary.list", "{}");
    north = row_with(json_object_get(out, "items"), "group", "north");
    assert_string_equal(json_string_value(json_object_get(north, "neighbours")), "south never");
    assert_int_equal(number_in(north, "wan_kbit"), 8000);
    json_decref(out);
    f = fleet_back(d);
    assert_int_equal(f->groups[0].neighbours[0].minutes, -1);
    fleet_free(f);
    say(d, "boundary.unlink", "{'group':'north','neighbour':'south'}");
    refused(d, ERR_NOT_FOUND, "no link", "boundary.unlink", "{'group':'north','neighbour':'south'}");
    say(d, "boundary.link", "{'group':'north','neighbour':'south','after':'30m'}");
    say(d, "boundary.remove", "{'group':'south'}");
    assert_int_equal(count_in(d, "boundary_link"), 0);
}

static void test_settings(void **state)
{
    struct desk  *d = *state;
    struct fleet *f;

    refused(d, ERR_USAGE, "duration", "site.set", "{'poll':'often'}");
    refused(d, ERR_USAGE, "a week", "site.set", "{'poll':'3w'}");
    refused(d, ERR_USAGE, "http", "site.set", "{'url':'hq.example.org'}");
    refused(d, ERR_USAGE, "https://", "site.set", "{'url':'http://hq.example.org'}");
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
        T(test_create_refused), T(test_published),   T(test_added_later), T(test_disabled), T(test_tombstone),
        T(test_no_return),      T(test_terms),       T(test_times),       T(test_halt),     T(test_report_only),
        T(test_links),          T(test_dps),         T(test_boundaries),  T(test_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
