/* The ledger as signed files: numbers rise when, and only when, something changed, and a node's verifier accepts what was written. */
#include "policy/trust/repository.h"
#include "tests/unit/desk.h"

struct press {
    struct desk       *d;
    struct repository *r;
    char               dir[96];
};

static struct press open_press(struct desk *d)
{
    struct press p = {.d = d};
    char         offline[128];

    snprintf(p.dir, sizeof p.dir, "%s/site", d->dir);
    snprintf(offline, sizeof offline, "%s/offline", p.dir);
    assert_int_equal(file_make_dirs(p.dir, 0700, NULL), OK);
    if (repository_create(p.dir, offline, DESK_SITE, DESK_NOW, &d->e) || repository_open(p.dir, &p.r, &d->e))
        fail_msg("%s", d->e.text);
    return p;
}

static bool publish(struct press *p)
{
    struct publication_list list;
    bool                    changed = false;

    if (author_publications(&p->d->a, &list, &p->d->e) || repository_publish(p->r, list.items, list.count, p->d->a.now, &changed, &p->d->e))
        fail_msg("%s", p->d->e.text);
    author_publications_free(&list);
    return changed;
}

static bool there(const struct press *p, const char *name)
{
    char path[200];

    snprintf(path, sizeof path, "%s/policy/metadata/%s", p->dir, name);
    return file_exists(path);
}

static int64_t seq_of(struct desk *d, const char *target)
{
    json_t *body = published(d, target);
    int64_t seq = number_in(body, "seq");

    json_decref(body);
    return seq;
}

static void deploy(struct desk *d)
{
    desk_catalog(d);
    say(d, "group.create", "{'name':'g'}");
    say(d, "group.add", "{'name':'g','updates':['curl']}");
    desk_download(d, "g");
    say(d, "collection.create", "{'name':'tills','rule':'hostname = a'}");
    say(d, "deployment.create", "{'name':'d','group':'g','collection':'tills','purpose':'required','deadline':'+2h'}");
}

static void test_nothing_new(void **state)
{
    struct press p = open_press(*state);

    deploy(p.d);
    assert_true(publish(&p));
    assert_true(there(&p, "timestamp.json") && there(&p, "1.tills.json"));
    assert_false(publish(&p));
    assert_false(there(&p, "2.tills.json"));
    say(p.d, "node.token", "{}");
    assert_false(publish(&p));
    repository_close(p.r);
}

/* Only the role of the collection that changed gets a new version. */
static void test_changed(void **state)
{
    struct press p = open_press(*state);

    deploy(p.d);
    publish(&p);
    say(p.d, "deployment.change", "{'name':'d','enabled':false}");
    assert_true(publish(&p));
    assert_true(there(&p, "2.tills.json"));
    assert_false(there(&p, "2.fleet.json"));
    say(p.d, "site.set", "{'poll':'15m'}");
    assert_true(publish(&p));
    assert_true(there(&p, "2.fleet.json"));
    assert_false(there(&p, "3.tills.json"));
    repository_close(p.r);
}

static void test_seq(void **state)
{
    struct desk *d = *state;

    deploy(d);
    assert_int_equal(seq_of(d, "policy/tills/d.json"), 1);
    assert_int_equal(seq_of(d, "policy/tills/d.json"), 1);
    say(d, "deployment.change", "{'name':'d','deadline':'+3h'}");
    assert_int_equal(seq_of(d, "policy/tills/d.json"), 2);
    assert_int_equal(seq_of(d, "policy/tills/collection.json"), 1);
    say(d, "deployment.change", "{'name':'d','deadline':'+2h'}");
    assert_int_equal(seq_of(d, "policy/tills/d.json"), 3);
    say(d, "collection.change", "{'name':'tills','rule':'hostname = b'}");
    assert_int_equal(seq_of(d, "policy/tills/collection.json"), 2);
    assert_int_equal(seq_of(d, "policy/tills/d.json"), 3);
}

/* A deployment that comes back under an old name goes on where the old one ended: nodes refuse lower numbers. */
static void test_same_name_again(void **state)
{
    struct desk *d = *state;

    deploy(d);
    assert_int_equal(seq_of(d, "policy/tills/d.json"), 1);
    say(d, "deployment.delete", "{'name':'d'}");
    assert_int_equal(seq_of(d, "policy/tills/d.json"), 2);
    assert_null(published(d, "policy/tills/d.json"));
    say(d, "deployment.create", "{'name':'d','group':'g','collection':'tills','purpose':'required','deadline':'+2h'}");
    assert_int_equal(seq_of(d, "policy/tills/d.json"), 3);
}

/* A collection that includes others travels whole, and two deployments share it. */
static void test_collection(void **state)
{
    struct desk       *d = *state;
    struct collection *c = NULL;
    json_t            *body;

    deploy(d);
    say(d, "collection.create", "{'name':'more','include':['tills'],'exclude':['all']}");
    say(d, "deployment.create", "{'name':'e','group':'g','collection':'more','purpose':'available'}");
    say(d, "deployment.create", "{'name':'f','group':'g','collection':'more','purpose':'available'}");
    body = published(d, "policy/more/collection.json");
    assert_int_equal(collection_from_json(body, &c, &d->e), OK);
    assert_string_equal(c->audience, DESK_SITE);
    assert_int_equal(c->include_count, 1);
    assert_string_equal(c->include[0]->rule, "hostname = a");
    assert_int_equal(c->exclude_count, 1);
    collection_free(c);
    json_decref(body);
    assert_null(published(d, "policy/all/collection.json"));
}

static void test_scan(void **state)
{
    struct desk *d = *state;
    struct scan *s = NULL;
    json_t      *body;

    deploy(d);
    say(d, "update.add", "{'name':'banner','program':'/bin/true','detect_program':'/bin/false'}");
    body = published(d, "policy/fleet/scan.json");
    if (scan_from_json(body, &s, &d->e) != OK)
        fail_msg("%s", d->e.text);
    assert_int_equal(s->archive_count, 1);
    assert_int_equal(s->content_count, 1);
    assert_int_equal(s->update_count, 1);
    scan_free(s);
    json_decref(body);
}

/* A torrent that is gone stops the publishing with its name; the policy in force stays, and numbers are as they were. */
static void test_torrent_gone(void **state)
{
    struct press p = open_press(*state);
    struct publication_list list;
    char         command[400];

    deploy(p.d);
    publish(&p);
    say(p.d, "deployment.change", "{'name':'d','deadline':'+3h'}");
    snprintf(command, sizeof command, "mkdir %s/away && mv %s/*.torrent %s/away", p.d->dir, p.d->content, p.d->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(author_publications(&p.d->a, &list, &p.d->e), ERR_NOT_FOUND);
    assert_non_null(strstr(p.d->e.text, ".torrent"));
    assert_int_equal(list.count, 0);
    snprintf(command, sizeof command, "mv %s/away/* %s", p.d->dir, p.d->content);
    assert_int_equal(system(command), 0);
    assert_int_equal(seq_of(p.d, "policy/tills/d.json"), 2);
    assert_true(publish(&p));
    repository_close(p.r);
}

/* What holds for members is a role of its own, although nothing is deployed to them; gone, the role goes. */
static void test_windows_alone(void **state)
{
    struct press p = open_press(*state);

    say(p.d, "collection.create", "{'name':'tills','rule':'hostname = a'}");
    assert_true(publish(&p));
    assert_false(there(&p, "1.tills.json"));
    say(p.d, "window.add", "{'collection':'tills','name':'night','when':'daily 02:00','duration':'4h'}");
    assert_true(publish(&p));
    assert_true(there(&p, "1.tills.json"));
    assert_int_equal(seq_of(p.d, "policy/tills/collection.json"), 1);
    say(p.d, "settings.set", "{'collection':'tills','grace':'1h'}");
    assert_true(publish(&p));
    assert_true(there(&p, "2.tills.json"));
    assert_false(publish(&p));
    say(p.d, "settings.clear", "{'collection':'tills'}");
    say(p.d, "window.remove", "{'collection':'tills','name':'night'}");
    assert_null(published(p.d, "policy/tills/collection.json"));
    assert_true(publish(&p));
    repository_close(p.r);
}

/* A policy that is for nobody is for everybody who is told so: it is not made. */
static void test_no_site(void **state)
{
    struct desk            *d = *state;
    json_t                 *rows = NULL;
    struct publication_list list;

    assert_int_equal(rows_found(d->a.ledger, "DELETE FROM setting WHERE name = 'site.id'", NULL, &rows, &d->e), OK);
    assert_int_equal(author_publications(&d->a, &list, &d->e), ERR_IO);
    assert_non_null(strstr(d->e.text, "site's id"));
    json_decref(rows);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_nothing_new), T(test_changed), T(test_seq), T(test_same_name_again), T(test_collection), T(test_scan), T(test_torrent_gone),
        T(test_windows_alone), T(test_no_site),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
