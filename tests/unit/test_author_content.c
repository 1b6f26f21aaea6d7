/* What has to travel for a group, when it counts as there, and what a distribution point has to hold. */
#include "tests/unit/desk.h"

static int begin(void **state)
{
    struct desk *d;

    desk_open(state);
    d = *state;
    desk_catalog(d);
    say(d, "group.create", "{'name':'g'}");
    return 0;
}

struct list {
    struct wanted_file *files;
    size_t              count;
    char              **missing;
};

static struct list wanted(struct desk *d, const char *group)
{
    struct list l = {0};

    if (content_wanted(&d->a, group, &l.files, &l.count, &l.missing, &d->e) != OK)
        fail_msg("%s", d->e.text);
    return l;
}

static void list_end(struct list *l)
{
    wanted_free(l->files, l->count);
    words_free(l->missing);
}

static bool names(const struct list *l, const char *part)
{
    for (size_t i = 0; i < l->count; i++)
        if (strstr(l->files[i].name, part))
            return true;
    return false;
}

/* Nobody has reported: every binary of the update, and the index that is here already. */
static void test_wanted(void **state)
{
    struct desk *d = *state;
    struct list  l;

    say(d, "group.add", "{'name':'g','updates':['openssl']}");
    l = wanted(d, "g");
    assert_int_equal(l.count, 3);
    assert_true(names(&l, "libssl3") && names(&l, "pool/openssl") && names(&l, "Packages"));
    for (size_t i = 0; i < l.count; i++)
        assert_int_equal(l.files[i].here, strstr(l.files[i].name, "Packages") != NULL);
    assert_non_null(strstr(l.files[0].origin, "http://deb.example.org/debian/pool/"));
    list_end(&l);
    assert_int_equal(content_wanted(&d->a, "none", &l.files, &l.count, &l.missing, &d->e), ERR_NOT_FOUND);
}

/* A node that requires it and has only one of its binaries: only that one travels. */
static void test_inventories(void **state)
{
    struct desk *d = *state;
    struct list  l;
    char         id[NODE_ID_SIZE];

    say(d, "group.add", "{'name':'g','updates':['openssl']}");
    desk_node(d, "till-1", id);
    desk_status(d, id,
                "[{'serial':1,'topic':'inventory','packages':[['ii','libssl3','amd64','3.0.1','openssl','3.0.1']]},"
                "{'serial':2,'topic':'scan','scan':{'states':{'apt:debian:openssl:3.0.2':['required',0]}}}]");
    l = wanted(d, "g");
    assert_true(names(&l, "libssl3"));
    assert_false(names(&l, "pool/openssl"));
    list_end(&l);
}

/* One node's nonsense is an alert of that node, and nobody else's trouble. */
static void test_bad_inventory(void **state)
{
    struct desk *d = *state;
    struct list  l;
    char         id[NODE_ID_SIZE];
    json_t      *alerts;

    say(d, "group.add", "{'name':'g','updates':['openssl']}");
    desk_node(d, "till-1", id);
    desk_status(d, id,
                "[{'serial':1,'topic':'inventory','packages':[['no state','libssl3',7]]},"
                "{'serial':2,'topic':'scan','scan':{'states':{'apt:debian:openssl:3.0.2':['required',0]}}}]");
    l = wanted(d, "g");
    assert_int_equal(l.count, 3);
    list_end(&l);
    alerts = ask(d, "alert.list", "{}");
    assert_string_equal(json_string_value(json_object_get(row_with(json_object_get(alerts, "items"), "node", "till-1"), "event")),
                        "message.bad");
    json_decref(alerts);
}

static void test_missing(void **state)
{
    static const char *const broken[] = {STANZA("app", "app", "2", "Depends: libnone (>= 3)\n"), NULL};
    struct desk             *d = *state;
    struct catalog_counts    n;
    struct list              l;
    char                     id[NODE_ID_SIZE];

    assert_int_equal(desk_import(d, "debian", broken, DESK_NOW, &n), OK);
    say(d, "group.add", "{'name':'g','updates':['app']}");
    desk_node(d, "till-1", id);
    desk_status(d, id,
                "[{'serial':1,'topic':'inventory','packages':[['ii','app','amd64','1']]},"
                "{'serial':2,'topic':'scan','scan':{'states':{'apt:debian:app:2':['required',0]}}}]");
    l = wanted(d, "g");
    assert_non_null(l.missing);
    assert_non_null(strstr(l.missing[0], "libnone"));
    list_end(&l);
}

static void test_done(void **state)
{
    struct desk *d = *state;
    struct list  l;
    json_t      *out;

    say(d, "group.add", "{'name':'g','updates':['openssl']}");
    l = wanted(d, "g");
    list_end(&l);
    assert_int_equal(content_group_done(&d->a, "g", &d->e), ERR_CONDITION);
    assert_int_equal(count_in(d, "grp_content"), 0);
    assert_int_equal(desk_download(d, "g"), 3);
    assert_int_equal(count_in(d, "grp_content"), 3);
    out = ask(d, "group.list", "{}");
    assert_string_equal(json_string_value(json_object_get(row_with(json_object_get(out, "items"), "name", "g"), "state")), "normal");
    json_decref(out);
    out = ask(d, "content.list", "{}");
    assert_int_equal(number_in(out, "total"), 3);
    json_decref(out);
}

/* An update that joined the group while the others were being downloaded is not called downloaded. */
static void test_joined_meanwhile(void **state)
{
    struct desk *d = *state;
    struct list  l;
    json_t      *out;

    say(d, "group.add", "{'name':'g','updates':['openssl']}");
    l = wanted(d, "g");
    for (size_t i = 0; i < l.count; i++)
        if (!l.files[i].here)
            desk_content(d, &l.files[i].sha256, l.files[i].size, l.files[i].name);
    list_end(&l);
    say(d, "group.add", "{'name':'g','updates':['curl']}");
    assert_int_equal(content_group_done(&d->a, "g", &d->e), OK);
    out = ask(d, "group.show", "{'name':'g'}");
    assert_true(json_is_true(json_object_get(row_with(json_object_get(out, "members"), "name", "openssl"), "downloaded")));
    assert_false(json_is_true(json_object_get(row_with(json_object_get(out, "members"), "name", "curl"), "downloaded")));
    json_decref(out);
}

/* The catalog is synced while the files come: what is deployed is the snapshot the closure was solved from, whole. */
static void test_synced_meanwhile(void **state)
{
    static const char *const newer[] = {STANZA("curl", "curl", "8.2", ""), STANZA("bash", "bash", "5.3", ""), NULL};
    struct desk             *d = *state;
    struct catalog_counts    n;
    struct list              l;
    struct deployment       *doc = NULL;
    json_t                  *body;

    say(d, "group.add", "{'name':'g','updates':['bash']}");
    say(d, "deployment.create", "{'name':'d','group':'g','collection':'all','purpose':'available'}");
    l = wanted(d, "g");
    for (size_t i = 0; i < l.count; i++)
        if (!l.files[i].here)
            desk_content(d, &l.files[i].sha256, l.files[i].size, l.files[i].name);
    list_end(&l);
    assert_int_equal(desk_import(d, "debian", newer, DESK_NOW, &n), OK);
    assert_int_equal(content_group_done(&d->a, "g", &d->e), OK);
    body = published(d, "policy/all/d.json");
    if (deployment_from_json(body, &doc, &d->e) != OK)
        fail_msg("%s", d->e.text);
    assert_int_equal(doc->archive_count, 1);
    assert_non_null(deployment_content(doc, &doc->archives[0].indexes[0].sha256));
    deployment_free(doc);
    json_decref(body);
}

static const char *const newer[] = {STANZA("curl", "curl", "8.2", ""), STANZA("openssl", "openssl", "3.0.2", "Depends: libssl3 (= 3.0.2)\n"),
                                    STANZA("libssl3", "libssl3", "3.0.2", ""), NULL};

static struct deployment *document(struct desk *d)
{
    json_t            *body = published(d, "policy/all/d.json");
    struct deployment *doc = NULL;

    if (deployment_from_json(body, &doc, &d->e) != OK)
        fail_msg("%s", d->e.text);
    json_decref(body);
    return doc;
}

static const char *member_state(struct desk *d, const char *id, char out[32])
{
    json_t *show = ask(d, "group.show", "{'name':'g'}");

    snprintf(out, 32, "%s", json_string_value(json_object_get(row_with(json_object_get(show, "members"), "id", id), "state")));
    json_decref(show);
    return out;
}

/* A member's version has left its catalog: the snapshot the group was downloaded from serves it beside the newer one, until it leaves. */
static void test_pinned(void **state)
{
    struct desk          *d = *state;
    struct catalog_counts n;
    struct deployment    *doc;
    struct list           l;
    char                  word[32];

    say(d, "group.add", "{'name':'g','updates':['curl']}");
    say(d, "deployment.create", "{'name':'d','group':'g','collection':'all','purpose':'available'}");
    desk_download(d, "g");
    assert_int_equal(desk_import(d, "debian", newer, DESK_NOW, &n), OK);
    assert_string_equal(member_state(d, "apt:debian:curl:8.1", word), "superseded");
    say(d, "group.add", "{'name':'g','updates':['apt:debian:curl:8.2']}");
    l = wanted(d, "g");
    assert_null(l.missing);
    assert_true(names(&l, "curl_8.1") && names(&l, "curl_8.2"));
    list_end(&l);
    assert_int_equal(desk_download(d, "g"), 4);
    doc = document(d);
    assert_int_equal(doc->archive_count, 2);
    assert_string_equal(doc->archives[0].name, doc->archives[1].name);
    assert_false(sha256_same(&doc->archives[0].indexes[0].sha256, &doc->archives[1].indexes[0].sha256));
    assert_int_equal(doc->update_count, 2);
    deployment_free(doc);
    assert_int_equal(desk_download(d, "g"), 4); /* what is pinned stays pinned */
    say(d, "group.remove", "{'name':'g','updates':['apt:debian:curl:8.1']}");
    assert_int_equal(desk_download(d, "g"), 2);
    doc = document(d);
    assert_int_equal(doc->archive_count, 1);
    assert_int_equal(doc->update_count, 1);
    deployment_free(doc);
}

/* One that nothing serves any more does not keep the others back. */
static void test_too_late(void **state)
{
    struct desk          *d = *state;
    struct catalog_counts n;
    struct deployment    *doc;
    char                  word[32];

    say(d, "group.add", "{'name':'g','updates':['curl','openssl']}");
    say(d, "deployment.create", "{'name':'d','group':'g','collection':'all','purpose':'available'}");
    assert_int_equal(desk_import(d, "debian", newer, DESK_NOW, &n), OK);
    say(d, "group.add", "{'name':'g','updates':['apt:debian:curl:8.2']}");
    desk_download(d, "g");
    doc = document(d);
    assert_int_equal(doc->archive_count, 1);
    assert_int_equal(doc->update_count, 2);
    for (size_t i = 0; i < doc->update_count; i++)
        assert_string_not_equal(doc->updates[i]->version, "8.1");
    deployment_free(doc);
    assert_string_equal(member_state(d, "apt:debian:curl:8.2", word), "normal");
    assert_string_equal(member_state(d, "apt:debian:curl:8.1", word), "superseded");
}

/* The same file for two groups is there once, and keeps the origin somebody named. */
static void test_arrived(void **state)
{
    struct desk  *d = *state;
    struct sha256 h = hash_bytes("x", 1);
    json_t       *out;

    assert_int_equal(content_arrived(&d->a, &h, 1, "x", "http://origin/x", &h, &d->e), OK);
    assert_int_equal(content_arrived(&d->a, &h, 1, "x", NULL, &h, &d->e), OK);
    out = ask(d, "content.list", "{}");
    assert_string_equal(json_string_value(json_object_get(row_with(json_object_get(out, "items"), "name", "x"), "origin")),
                        "http://origin/x");
    json_decref(out);
}

static json_t *dp_row(struct desk *d)
{
    json_t *out = ask(d, "content.status", "{}"), *row = json_incref(row_with(json_object_get(out, "items"), "dp", "dp-1"));

    json_decref(out);
    return row;
}

static void test_distribute(void **state)
{
    struct desk    *d = *state;
    struct holding *held = NULL;
    json_t         *body, *row;
    char            id[NODE_ID_SIZE], hex[SHA256_HEX], text[300];

    say(d, "group.add", "{'name':'g','updates':['openssl']}");
    desk_download(d, "g");
    desk_node(d, "dp-host", id);
    say(d, "dp.add", "{'name':'dp-1','url':'http://dp','node':'dp-host'}");
    refused(d, ERR_USAGE, "--to", "content.distribute", "{'name':'g'}");
    say(d, "content.distribute", "{'name':'g','to':['dp-1']}");
    say(d, "content.distribute", "{'name':'g','to':['dp-1']}");
    body = published(d, "policy/fleet/dp-dp-1.json");
    assert_int_equal(holding_from_json(body, &held, &d->e), OK);
    json_decref(body);
    assert_int_equal(held->content_count, 3);
    row = dp_row(d);
    assert_int_equal(number_in(row, "contents"), 3);
    assert_int_equal(number_in(row, "complete"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "state")), "in progress");
    json_decref(row);
    for (size_t i = 0; i < 3; i++) {
        sha256_hex(&held->contents[i].sha256, hex);
        snprintf(text, sizeof text, "[{'serial':%zu,'topic':'dp','dp':'dp-1','subject':'%s','event':'complete'}]", i + 1, hex);
        desk_status(d, id, text);
    }
    row = dp_row(d);
    assert_int_equal(number_in(row, "complete"), 3);
    assert_string_equal(json_string_value(json_object_get(row, "state")), "complete");
    json_decref(row);
    snprintf(text, sizeof text, "[{'serial':4,'topic':'dp','dp':'dp-1','subject':'%s','event':'failed','detail':'no space'}]", hex);
    desk_status(d, id, text);
    row = dp_row(d);
    assert_int_equal(number_in(row, "complete"), 2);
    json_decref(row);
    holding_free(held);
}

/* A node speaks for the distribution point it is, for no other. */
static void test_other_dp(void **state)
{
    struct desk *d = *state;
    char         id[NODE_ID_SIZE];

    desk_node(d, "dp-host", id);
    say(d, "dp.add", "{'name':'dp-1','url':'http://dp','node':'dp-host'}");
    desk_node(d, "till-1", id);
    desk_status(d, id, "[{'serial':1,'topic':'dp','dp':'dp-1','subject':'aa','event':'complete'}]");
    assert_int_equal(count_in(d, "dp_content"), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_wanted),  T(test_inventories),     T(test_bad_inventory), T(test_missing), T(test_done),
        T(test_arrived), T(test_joined_meanwhile), T(test_synced_meanwhile), T(test_pinned), T(test_too_late), T(test_distribute),    T(test_other_dp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
