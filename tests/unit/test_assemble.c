/* Runs of rules and `ferry deploy` on a real site with a real signed archive; and everything that can go wrong in between. */
#include "tests/unit/site_archive.h"

#include <signal.h>
#include <sys/resource.h>

#include "policy/authoring/noun.h"

#define DATA_MIB 8

static struct site_lab lab;

static int make(void **state)
{
    (void)state;
    return site_archive_make(DATA_MIB);
}

static void post(const char *path, json_t *body)
{
    json_decref(must(&lab, "POST", path, body));
}

/* A synced catalog, a distribution point, and a rule for ferry-app. */
static int begin(void **state)
{
    AUTO(text_free) char *uri = NULL, *keyring = NULL;

    (void)state;
    unsetenv("FERRY_CLOCK_OFFSET");
    site_lab_open(&lab);
    site_shell("cp -a %s/. %s", site_archive, lab.www);
    uri = must_print("%s/www", lab.net.url);
    keyring = must_print("%s/demo.gpg", lab.www);
    post("catalogs", json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", "demo", "type", "apt", "uri", uri, "suite", "demo", "keyring", keyring));
    job_done(&lab, "catalogs/sync", NULL);
    post("dps", json_pack("{s:s,s:s}", "name", "dp-1", "url", "http://dp-1.example.org"));
    post("rules", json_pack("{s:s,s:s}", "name", "weekly", "filter", "name = ferry-app"));
    post("rules/weekly/deployments", json_pack("{s:s,s:s,s:s}", "deployment", "pilot", "collection", "all", "deadline", "+1d"));
    return 0;
}

static int end(void **state)
{
    (void)state;
    site_lab_close(&lab);
    return 0;
}

static json_t *items(const char *path)
{
    json_t *out = must(&lab, "GET", path, NULL), *list = json_incref(json_object_get(out, "items"));

    json_decref(out);
    return list;
}

static size_t count(const char *path)
{
    json_t *list = items(path);
    size_t  n = json_array_size(list);

    json_decref(list);
    return n;
}

/* Everything a run may change, as one text. */
static char *standing(void)
{
    static const char *const tables[] = {"grp", "member", "grp_content", "grp_wanted", "deployment", "dp_group"};
    struct text              text = {0};

    for (size_t i = 0; i < COUNT(tables); i++) {
        AUTO(text_free) char *sql = must_print("SELECT * FROM %s ORDER BY 1, 2", tables[i]), *dump = NULL;
        json_t               *rows = NULL;
        assert_int_equal(rows_found(lab.site->ledger, sql, NULL, &rows, NULL), OK);
        dump = json_dumps(rows, JSON_SORT_KEYS);
        text_add(&text, "%s %s\n", tables[i], dump);
        json_decref(rows);
    }
    return text_take(&text);
}

/* The newest run of the rule: its code. */
static void last_run(const char *code)
{
    json_t     *runs = items("rules/weekly/history");
    const char *got = json_string_value(json_object_get(json_array_get(runs, 0), "code"));

    if (!got || strcmp(got, code))
        fail_msg("the last run: %s; expected %s", got ? got : "none", code);
    json_decref(runs);
}

static bool alerted(const char *event)
{
    json_t *list = items("alerts"), *row;
    size_t  i;
    bool    there = false;

    json_array_foreach(list, i, row)
        there = there || !strcmp(json_string_value(json_object_get(row, "event")), event);
    json_decref(list);
    return there;
}

/* It fails with that code, nothing has changed, it is recorded and somebody is told. */
static void run_fails(const char *code, const char *part)
{
    AUTO(text_free) char *before = standing(), *after = NULL;

    job_refused(&lab, "rules/weekly/run", NULL, code, part);
    after = standing();
    assert_string_equal(before, after);
    last_run(code);
    assert_true(alerted("rule-failed"));
    library_count(&lab);
}

static bool published(const char *deployment)
{
    AUTO(text_free) char *path = must_print("%s/policy/targets/policy/all", lab.dir);
    DIR                  *d = opendir(path);
    struct dirent        *entry;
    bool                  there = false;

    while (d && (entry = readdir(d)))
        there = there || strstr(entry->d_name, deployment);
    if (d)
        closedir(d);
    return there;
}

static void test_run(void **state)
{
    json_t *end_of, *result, *list;

    (void)state;
    end_of = job(&lab, "rules/weekly/run", NULL);
    result = json_object_get(end_of, "result");
    assert_int_equal(json_integer_value(json_object_get(result, "updates")), 1);
    assert_true(published(json_string_value(json_array_get(json_object_get(result, "deployments"), 0))));
    json_decref(end_of);
    list = items("groups");
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "state")), "normal");
    json_decref(list);
    list = items("dps");
    assert_non_null(strstr(json_string_value(json_object_get(json_array_get(list, 0), "groups")), "weekly-"));
    json_decref(list);
    last_run("ok");
    assert_false(alerted("rule-failed"));
}

static void test_no_content(void **state)
{
    (void)state;
    job_done(&lab, "rules/weekly/run", NULL);
    json_decref(must(&lab, "PATCH", "rules/weekly", json_pack("{s:s}", "filter", "name in (ferry-app, ferry-tool)")));
    site_shell("rm -r %s/pool/main/f/ferry-tool", lab.www);
    run_fails("not-found", "ferry-tool");
    site_shell("cp -a %s/pool/main/f/ferry-tool %s/pool/main/f && for f in %s/pool/main/f/ferry-tool/*; do printf X | dd of=$f bs=1 seek=40 "
          "conv=notrunc status=none; done",
          site_archive, lab.www, lab.www);
    run_fails("verify", "SHA-256");
    site_shell("cp -a %s/pool/main/f/ferry-tool %s/pool/main/f", site_archive, lab.www);
    job_done(&lab, "rules/weekly/run", NULL);
    last_run("ok");
    assert_false(alerted("rule-failed"));
    assert_int_equal(count("groups"), 2);
}

static void test_no_network(void **state)
{
    (void)state;
    server_close(lab.net.server, NULL, NULL);
    lab.net.server = NULL;
    run_fails("again", "ferry-app");
}

/* No file may grow past 6 MiB: ferry-data is larger, the ledger is not. */
static void test_full_disk(void **state)
{
    struct rlimit old, small;

    (void)state;
    json_decref(must(&lab, "PATCH", "rules/weekly", json_pack("{s:s}", "filter", "name = ferry-data")));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 6u << 20;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    run_fails("io", "ferry-data");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    job_done(&lab, "rules/weekly/run", NULL);
    last_run("ok");
}

/* Killed while it downloads: the next start sweeps what was staged, and the run has failed. */
static void test_killed(void **state)
{
    AUTO(text_free) char *before = NULL, *after = NULL;
    struct assembly      *as = NULL;
    struct author         a;
    struct error          e;

    (void)state;
    before = standing();
    a = site_author(lab.site, "test");
    assert_int_equal(assembly_rule(&a, "weekly", RULE_BY_HAND, a.now, &as, &e), OK);
    assembly_free(as);
    after = standing();
    assert_string_not_equal(before, after);
    site_lab_stop(&lab);
    site_lab_start(&lab);
    free(after);
    after = standing();
    assert_string_equal(before, after);
    last_run("failed");
    job_done(&lab, "rules/weekly/run", NULL);
    last_run("ok");
}

/* Stopped in an orderly way in the middle: the same, without a sweep. */
static void test_stopped(void **state)
{
    AUTO(text_free) char *before = standing(), *after = NULL;

    (void)state;
    json_decref(must(&lab, "POST", "rules/weekly/run", NULL));
    site_lab_stop(&lab);
    site_lab_start(&lab);
    after = standing();
    assert_string_equal(before, after);
    last_run("again");
}

/* The same rule twice at once; and a group that is made under its feet gets out of the way. */
static void test_at_once(void **state)
{
    json_t     *first, *second, *a, *b;
    const char *code;

    (void)state;
    first = must(&lab, "POST", "rules/weekly/run", NULL);
    second = must(&lab, "POST", "rules/weekly/run", NULL);
    a = job_end(&lab, first);
    b = job_end(&lab, second);
    assert_string_equal(json_string_value(json_object_get(a, "state")), "done");
    code = json_string_value(json_object_get(json_object_get(b, "error"), "code"));
    assert_string_equal(code, "again");
    json_decref(a);
    json_decref(b);
    last_run("ok");
    assert_int_equal(count("rules/weekly/history"), 1);
}

/* Made and recorded, but the policy cannot be written: said, and tried again until it is. */
static void test_unpublished(void **state)
{
    json_t *end_of;

    (void)state;
    site_shell("mv %s/policy/targets %s/away && : >%s/policy/targets", lab.dir, lab.dir, lab.dir);
    end_of = job(&lab, "rules/weekly/run", NULL);
    assert_non_null(strstr(json_string_value(json_object_get(json_object_get(end_of, "result"), "message")), "not published yet"));
    json_decref(end_of);
    last_run("ok");
    site_shell("rm %s/policy/targets && mv %s/away %s/policy/targets", lab.dir, lab.dir, lab.dir);
    while (lab.site->unpublished)
        uv_run(&lab.net.loop, UV_RUN_ONCE);
    assert_true(published("weekly-"));
}

static void test_deploy(void **state)
{
    AUTO(text_free) char *before = standing(), *after = NULL;
    json_t               *args = json_pack("{s:s,s:s,s:s,s:s}", "name", "october", "filter", "name = ferry-tool", "collection", "all", "deadline",
                                           "+2h"),
           *plan;
    long    status;

    (void)state;
    plan = must(&lab, "POST", "deploy?plan=1", json_incref(args));
    assert_non_null(json_object_get(plan, "branches"));
    json_decref(plan);
    json_decref(must(&lab, "POST", "deploy?dry_run=1", json_incref(args)));
    json_decref(must(&lab, "POST", "rules/weekly/run?plan=1", NULL));
    json_decref(api(&lab, "POST", "groups?plan=1", args, &status));
    assert_int_equal(status, 400);
    after = standing();
    assert_string_equal(before, after);
    job_done(&lab, "deploy", json_incref(args));
    assert_true(published("october"));
    assert_int_equal(count("deployments"), 1);
    job_refused(&lab, "deploy", json_incref(args), "exists", "october");
    json_object_set_new(args, "name", json_string("november"));
    json_object_set_new(args, "collection", json_string("nobody"));
    job_refused(&lab, "deploy", args, "not-found", "nobody");
    assert_int_equal(count("groups"), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(test_run),     T(test_no_content), T(test_no_network),  T(test_full_disk), T(test_killed),
        T(test_stopped), T(test_at_once),    T(test_unpublished), T(test_deploy),
    };

    if (system("command -v gpg apt-ftparchive dpkg-scanpackages gpgv >/dev/null"))
        return 77;
    return cmocka_run_group_tests(tests, make, site_archive_end);
}
