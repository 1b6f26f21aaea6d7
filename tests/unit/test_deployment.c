#include "policy/document/parts.h"
#include "tests/unit/paper.h"

static enum err read_deployment(const json_t *j, struct error *e)
{
    struct deployment *d = NULL;
    enum err code = deployment_from_json(j, &d, e);

    deployment_free(d);
    return code;
}

static struct deployment *deployment(const char *text)
{
    json_t *j = paper(text);
    struct deployment *d;
    struct error e;

    if (deployment_from_json(j, &d, &e))
        fail_msg("%s", e.text);
    json_decref(j);
    return d;
}

static void every_member(void **state)
{
    struct deployment *d = deployment(DEPLOYMENT);
    struct sha256 h = d->contents[1].sha256;

    (void)state;
    assert_int_equal(d->seq, 7);
    assert_string_equal(d->audience, "site-1");
    assert_string_equal(d->collection, "tills");
    assert_true(d->enabled && !d->withdrawn && d->terms.origin_fallback);
    assert_int_equal(d->terms.purpose, PURPOSE_REQUIRED);
    assert_int_equal(d->deadline - d->available, 86400);
    assert_string_equal(d->halted, "5 of 20 nodes failed");
    assert_int_equal(d->update_count, 2);
    assert_int_equal(d->content_count, 3);
    assert_ptr_equal(deployment_content(d, &h), &d->contents[1]);
    assert_int_equal(d->contents[1].torrent_size, 3);
    assert_memory_equal(d->contents[1].torrent, "d8:", 3);
    assert_string_equal(d->archives[0].components[1], "contrib");
    assert_memory_equal(d->archives[0].keyring, "foo", 3);
    assert_string_equal(d->archives[0].indexes[0].path, "InRelease");
    memset(&h, 0xdd, sizeof h);
    assert_null(deployment_content(d, &h));
    deployment_free(d);
    deployment_free(NULL);
}

static void every_term(void **state)
{
    struct deployment *d = deployment(DEPLOYMENT);
    struct terms *t = &d->terms, standard;

    (void)state;
    members_default(terms_table, terms_count, &standard);
    assert_true(t->local_time && t->randomize_s == 3600 && t->gradual_s == 86400 && t->soft_deadline && t->notify == NOTIFY_RESTART);
    assert_true(t->install_outside && t->restart_outside && t->suppress_restart_servers && t->suppress_restart_workstations);
    assert_true(t->reevaluate_after_restart && t->predownload && !t->neighbour_fallback && !t->default_group_fallback);
    assert_true(t->origin_fallback && t->metered && t->verbosity == VERBOSITY_OUTCOME);
    assert_true(t->alert_below == standard.alert_below && t->alert_after_s == standard.alert_after_s);
    deployment_free(d);
}

/* As the first sites wrote them: few terms, and a deadline that nobody looked at. */
static void old_documents(void **state)
{
    struct deployment *d = deployment("{'type':'deployment','seq':7,'audience':'s','id':'d','name':'d','collection':'c','enabled':true,"
                                      "'withdrawn':false,'purpose':'available','available':'2026-11-23T21:00:00Z','deadline':"
                                      "'2026-11-24T21:00:00Z','randomize_s':0,'origin_fallback':false,'updates':[],'contents':[],"
                                      "'archives':[]}");

    (void)state;
    assert_int_equal(d->terms.purpose, PURPOSE_AVAILABLE);
    assert_int_equal(d->deadline, 0);
    assert_int_equal(d->terms.randomize_s, 0);
    assert_true(d->terms.neighbour_fallback && d->terms.default_group_fallback && !d->terms.origin_fallback && !d->halted);
    deployment_free(d);
}

static void round_trip(const char *text)
{
    json_t *j = paper(text), *again;
    struct deployment *d = deployment(text);

    again = deployment_to_json(d);
    assert_true(json_equal(j, again));
    deployment_free(d);
    json_decref(again);
    json_decref(j);
}

#define TOMBSTONE                                                                                                                          \
    "{'type':'deployment','seq':8,'audience':'site-1','id':'october','name':'October','collection':'tills','enabled':false,"               \
    "'withdrawn':true,'purpose':'available','randomize_s':0,'updates':[],'contents':[],'archives':[]}"

static void written_and_read(void **state)
{
    (void)state;
    round_trip(DEPLOYMENT);
    round_trip(TOMBSTONE);
}

static void anything_else(void **state)
{
    json_t *j = paper(DEPLOYMENT);

    (void)state;
    assert_true(paper_torture(j, j, "deployment", read_deployment) > 135);
    json_decref(j);
}

static void refused(void **state)
{
    static const struct refusal table[] = {
        {"type", "'fleet'", "deployment.type: \"deployment\" was expected"},
        {"seq", "0", "deployment.seq"},
        {"seq", NULL, "deployment.seq: is missing"},
        {"audience", NULL, "deployment.audience: is missing"},
        {"id", "'../x'", "deployment.id: \"../x\" is not a name"},
        {"collection", "'Tills'", "deployment.collection: \"Tills\" is not a name"},
        {"purpose", "'mandatory'", "deployment.purpose: required or available"},
        {"purpose", NULL, "deployment.purpose: is missing"},
        {"available", "'now'", "deployment.available: 'now' is not a time"},
        {"deadline", NULL, "deployment.deadline: is missing"},
        {"deadline", "'2026-11-23T20:59:59Z'", "deployment.deadline: lies before"},
        {"randomize_s", "86401", "deployment.randomize_s"},
        {"randomize_s", "-1", "deployment.randomize_s"},
        {"gradual_s", "2592001", "deployment.gradual_s: a whole number from 0 to 2592000"},
        {"notify", "'loud'", "deployment.notify: all, restart or none was expected"},
        {"verbosity", "'much'", "deployment.verbosity: all, outcome or error"},
        {"alert_below", "95", "deployment.alert_below: is not known"}, /* the site's own */
        {"halted", "''", "deployment.halted: a reason was expected"},
        {"halted", "'" HEX_A HEX_A HEX_A HEX_A "'", "deployment.halted: a text of at most 240"},
        {"withdrawn", "true", "deployment.withdrawn: a withdrawn deployment carries no"},
        {"updates", NULL, "deployment.updates: is missing"},
        {"updates", "{}", "deployment.updates: a list"},
        {"updates[1].files[0].size", "'20'", "deployment.updates[1].files[0].size"},
        {"contents[2].torrent", "'Zg'", "deployment.contents[2].torrent: base64"},
        {"contents[2].info_hash", "'x'", "deployment.contents[2].info_hash"},
        {"contents[2].size", "70368744177665", "deployment.contents[2].size"},
        {"contents[2].sha256", "'" HEX_A "'", "deployment.contents: the same content twice"},
        {"contents", "[]", "deployment.updates: apt:demo:jq:1.6-2: its file"},
        {"updates", "[]", ""},
        {"archives[0].name", "'a b'", "deployment.archives[0].name"},
        {"archives[0].uri", "'http://a b'", "deployment.archives[0].uri"},
        {"archives[0].suite", "'../..'", "deployment.archives[0].suite"},
        {"archives[0].suite", "'a\\nb'", "deployment.archives[0].suite"},
        {"archives[0].suite", "''", "deployment.archives[0].suite"},
        {"archives[0].arch", "'amd 64'", "deployment.archives[0].arch"},
        {"archives[0].components", "['main','/etc']", "deployment.archives[0].components"},
        {"archives[0].keyring", "'!'", "deployment.archives[0].keyring"},
        {"archives[0].indexes[1].path", "'/x'", "deployment.archives[0].indexes[1].path"},
        {"archives[0].indexes[1].path", "'main/../../x'", "deployment.archives[0].indexes[1].path"},
        {"archives[0].indexes[0].sha256", "'" HEX_A "'", ""},
        {"archives[0].indexes[0].sha256", "'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd'",
         "deployment.archives: demo: its index InRelease is not among the contents"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        json_t *j = paper(DEPLOYMENT);
        struct error e;

        paper_set(j, table[i].path, table[i].value);
        if (*table[i].error)
            paper_expect(j, read_deployment, table[i].error);
        else if (read_deployment(j, &e))
            fail_msg("%s: %s", table[i].path, e.text);
        json_decref(j);
    }
}

static void repeat(json_t *list, size_t count)
{
    json_t *item = json_deep_copy(json_array_get(list, 0));

    while (json_array_size(list) < count)
        json_array_append(list, item);
    json_decref(item);
}

static void too_many(void **state)
{
    json_t *j = paper(DEPLOYMENT);

    (void)state;
    repeat(json_object_get(j, "updates"), 1000);
    assert_int_equal(read_deployment(j, NULL), OK);
    repeat(json_object_get(j, "updates"), 1001);
    paper_expect(j, read_deployment, "deployment.updates: a list of at most 1000");
    json_decref(j);
    j = paper(DEPLOYMENT);
    repeat(json_object_get(j, "contents"), 20001);
    paper_expect(j, read_deployment, "deployment.contents: a list of at most 20000");
    json_decref(j);
    j = paper(DEPLOYMENT);
    repeat(json_object_get(j, "archives"), 33);
    paper_expect(j, read_deployment, "deployment.archives: a list of at most 32");
    json_decref(j);
    j = paper(DEPLOYMENT);
    repeat(json_object_get(json_array_get(json_object_get(j, "archives"), 0), "indexes"), 65);
    paper_expect(j, read_deployment, "deployment.archives[0].indexes: a list of at most 64");
    json_decref(j);
}

static void large_torrents(void **state)
{
    json_t *j = paper(DEPLOYMENT), *content = json_array_get(json_object_get(j, "contents"), 0);
    uint8_t *bytes = must_alloc((1u << 20) + 1);

    (void)state;
    for (size_t size = 1u << 20; size <= (1u << 20) + 1; size++) {
        char *text = base64_encode(bytes, size);

        json_object_set_new(content, "torrent", json_string(text));
        if (size == 1u << 20)
            assert_int_equal(read_deployment(j, NULL), OK);
        else
            paper_expect(j, read_deployment, "deployment.contents[0].torrent: base64 of at most 1048576 bytes");
        free(text);
    }
    free(bytes);
    json_decref(j);
}

/* Whatever order they come in, they are found. */
static void contents_are_sorted(void **state)
{
    json_t *j = paper(DEPLOYMENT), *list = json_object_get(j, "contents"), *first = json_incref(json_array_get(list, 0));
    struct deployment *d;

    (void)state;
    json_array_remove(list, 0);
    json_array_append_new(list, first);
    assert_int_equal(deployment_from_json(j, &d, NULL), OK);
    for (size_t i = 0; i < d->content_count; i++)
        assert_ptr_equal(deployment_content(d, &d->contents[i].sha256), &d->contents[i]);
    assert_int_equal(d->contents[0].sha256.b[0], 0xaa);
    deployment_free(d);
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member),     cmocka_unit_test(every_term),     cmocka_unit_test(old_documents),
        cmocka_unit_test(written_and_read), cmocka_unit_test(anything_else),  cmocka_unit_test(refused),
        cmocka_unit_test(too_many),         cmocka_unit_test(large_torrents), cmocka_unit_test(contents_are_sorted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
