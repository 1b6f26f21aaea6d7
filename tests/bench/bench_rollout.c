/* How long a rule's run, the publication of 50 deployments and a node's decisions take (bench_site.h). Prints seconds; everything lies below
 * /tmp and is removed. The run is measured without its downloads, the publication with every signature and every file synced. */
#include "policy/authoring/rollout.h"
#include "policy/decide/node.h"
#include "policy/trust/repository.h"
#include "tests/bench/bench_site.h"
#include "tests/unit/decide_lab.h"

#define UPDATES     200
#define DEPLOYMENTS 20

/* Every update of a group has one file, and a torrent of the size they have. */
static void contents(struct desk *d)
{
    static const char torrent[600] = "d4:infod4:name";

    sql(d, "UPDATE upd SET json = json_object('id', id, 'catalog', 'debian', 'name', name, 'version', version, 'title', title, 'description', '',"
           " 'classification', 'security', 'severity', 'important', 'urgency', '', 'product', product, 'vendor', vendor, 'files',"
           " json_array(json_object('sha256', printf('%064x', rowid), 'size', 100000, 'name', name || '.deb', 'package', name, 'arch', 'amd64',"
           " 'version', version)), 'detect', json_object('type', 'dpkg'), 'install', json_object('type', 'apt', 'max_run_s', 3600))"
           " WHERE id IN (SELECT update_id FROM member) OR required > 50");
    sql(d, "INSERT INTO content(sha256, size, name, origin, info_hash) SELECT printf('%064x', rowid), 100000, name, 'http://deb/x',"
           " printf('%064x', rowid) FROM upd WHERE id IN (SELECT update_id FROM member)");
    sql(d, "INSERT INTO grp_content SELECT m.grp, printf('%064x', u.rowid) FROM member m JOIN upd u ON u.id = m.update_id");
    for (size_t i = 1; i <= 136000; i++) {
        AUTO(text_free) char *path = NULL, *where = must_print("SELECT 1 FROM content WHERE sha256 = '%064zx'", i);
        json_t *rows = NULL;

        if (i % 4)
            continue;
        assert_int_equal(rows_found(d->a.ledger, where, NULL, &rows, &d->e), OK);
        path = must_print("%s/%064zx.torrent", d->content, i);
        if (json_array_size(rows))
            assert_int_equal(file_write(path, torrent, sizeof torrent, 0644, NULL), OK);
        json_decref(rows);
    }
}

static void run_rule(struct desk *d)
{
    struct assembly *as = NULL;
    double           begun;
    json_t          *out;

    say(d, "rule.create", "{'name':'tuesday','filter':'(classification = security or classification = critical) and required > 50 and not"
                          " superseded and name ~ \\\"source-1*\\\"','schedule':'second tuesday +1d 02:00'}");
    say(d, "rule.deployment.add", "{'name':'tuesday','deployment':'pilot','collection':'all','available':'+0h','deadline':'+3d'}");
    begun = seconds();
    out = ask(d, "rule.preview", "{'name':'tuesday'}");
    printf("%8.3f s  rule preview: %lld of 136,000 updates\n", seconds() - begun, (long long)json_integer_value(json_object_get(out, "count")));
    json_decref(out);
    begun = seconds();
    if (assembly_rule(&d->a, "tuesday", RULE_BY_HAND, d->a.now, &as, &d->e))
        fail_msg("%s", d->e.text);
    printf("%8.3f s  rule run: %zu updates selected, checked and staged", seconds() - begun, as->count);
    sql(d, "UPDATE member SET downloaded = 1");
    begun = seconds();
    if (assembly_finish(&d->a, as, &out, &d->e))
        fail_msg("%s", d->e.text);
    printf("; %.3f s group and deployments\n", seconds() - begun);
    json_decref(out);
    assembly_free(as);
}

static void publish(struct desk *d, struct repository *r, const char *what)
{
    struct publication_list list;
    double                  begun = seconds();

    if (author_publications(&d->a, &list, &d->e) || repository_publish(r, list.items, list.count, d->a.now, NULL, &d->e))
        fail_msg("%s", d->e.text);
    printf("%8.3f s  %s: %zu documents\n", seconds() - begun, what, list.count);
    author_publications_free(&list);
}

static void publish_all(struct desk *d)
{
    struct repository    *r;
    AUTO(text_free) char *dir = must_print("%s/site", d->dir), *offline = must_print("%s/offline", dir);

    assert_int_equal(file_make_dirs(dir, 0700, NULL), OK);
    if (repository_create(dir, offline, DESK_SITE, DESK_NOW, &d->e) || repository_open(dir, &r, &d->e))
        fail_msg("%s", d->e.text);
    publish(d, r, "publish, the first time: 50 deployments of 200 updates");
    publish(d, r, "publish, nothing new");
    say(d, "deployment.change", "{'name':'d-7','enabled':false}");
    publish(d, r, "publish, one deployment changed");
    repository_close(r);
}

/* As node/client/situation.c does: for each update the leading one of its deployments, then the decision. */
static void decide(void)
{
    static struct update     updates[UPDATES];
    static struct deployment deployments[DEPLOYMENTS];
    static char              id[] = "a-deployment", collection[] = "all";
    struct scene             c;
    size_t                   count = 0;
    double                   begun;

    scene_set(&c);
    opens(&c, "daily 23:00", 7200);
    opens(&c, "second tuesday 02:00", 14400);
    for (size_t u = 0; u < UPDATES; u++)
        updates[u] = c.u;
    for (size_t i = 0; i < DEPLOYMENTS; i++) {
        deployments[i] = c.d;
        deployments[i].id = id;
        deployments[i].collection = collection;
        deployments[i].deadline = T1 + (int64_t)(i * 7 % DEPLOYMENTS) * HOUR;
    }
    begun = seconds();
    for (size_t u = 0; u < UPDATES; u++) {
        struct decision all[DECISIONS_MOST];

        c.s.update = &updates[u];
        c.s.deployment = NULL;
        for (size_t i = 0; i < DEPLOYMENTS; i++)
            if (!c.s.deployment || decide_order(&deployments[i], c.s.deployment, &c.r) < 0)
                c.s.deployment = &deployments[i];
        count += decide_update(&c.s, &c.r, T1 - HOUR).reason == REASON_DEADLINE_AHEAD;
        count += decide_all(&c.s, &c.r, T1 - HOUR, all);
    }
    printf("%8.6f s  node: %d updates in %d deployments, decision and every reason (%zu reasons)\n", seconds() - begun, UPDATES, DEPLOYMENTS, count);
}

static void bench(void **state)
{
    struct desk *d = *state;

    decide();
    fill(d);
    contents(d);
    run_rule(d);
    publish_all(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(bench, desk_open, desk_close)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
