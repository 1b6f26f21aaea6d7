/* What the site does by itself, on a real site whose wall clock jumps (FERRY_CLOCK_OFFSET). */
#include "tests/unit/site_lab.h"

#include "node/base/clock.h"
#include "policy/authoring/noun.h"

#define DAY      86400
#define PATIENCE 15 /* seconds of real time; a tick is two */

static struct site_lab lab;
static int64_t         offset;

static void jump(int64_t seconds)
{
    char text[32];

    offset += seconds;
    snprintf(text, sizeof text, "%lld", (long long)offset);
    setenv("FERRY_CLOCK_OFFSET", text, 1);
}

static int begin(void **state)
{
    (void)state;
    offset = 0;
    jump(0);
    site_lab_open(&lab);
    return 0;
}

static int end(void **state)
{
    (void)state;
    site_lab_close(&lab);
    unsetenv("FERRY_CLOCK_OFFSET");
    return 0;
}

static void on_wake(uv_timer_t *timer)
{
    (void)timer;
}

/* Runs the loop until it holds. */
static void until(bool (*holds)(void), const char *what)
{
    uv_timer_t wake;
    int64_t    last = clock_ms() + PATIENCE * 1000;

    uv_timer_init(&lab.net.loop, &wake);
    uv_timer_start(&wake, on_wake, 50, 50);
    while (!holds() && clock_ms() < last)
        uv_run(&lab.net.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&wake, NULL);
    uv_run(&lab.net.loop, UV_RUN_NOWAIT);
    if (!holds())
        fail_msg("waited for: %s", what);
}

static void post(const char *path, json_t *body)
{
    json_decref(must(&lab, "POST", path, body));
}

static int64_t number(const char *sql)
{
    json_t *rows = NULL, *value;
    int64_t n;

    assert_int_equal(rows_found(lab.site->ledger, sql, NULL, &rows, NULL), OK);
    value = json_object_iter_value(json_object_iter(json_array_get(rows, 0)));
    n = json_is_integer(value) ? json_integer_value(value) : 0;
    json_decref(rows);
    return n;
}

/* A command update whose program is a file of this test. */
static void command(const char *name)
{
    AUTO(text_free) char *path = must_print("%s/%s.sh", lab.net.dir, name);

    assert_int_equal(file_write(path, "#!/bin/sh\n", 10, 0755, NULL), OK);
    post("updates", json_pack("{s:s,s:[s],s:s,s:s,s:s}", "name", name, "files", path, "program", strrchr(path, '/') + 1, "detect_file", "/x",
                              "detect_sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

static bool ran_twice(void)
{
    return number("SELECT count(*) FROM rule_run WHERE code = 'ok'") == 2;
}

static bool ran_once(void)
{
    return number("SELECT count(*) FROM rule_run WHERE code = 'ok'") == 1;
}

static bool nothing_ahead(void)
{
    AUTO(text_free) char *sql = must_print("SELECT count(*) FROM rule WHERE last_nominal > %lld", (long long)clock_now());

    return number(sql) == 0;
}

/* A schedule, days slept through, and a clock that is set back. */
static void test_rules(void **state)
{
    (void)state;
    command("banner");
    post("rules", json_pack("{s:s,s:s,s:s}", "name", "daily", "filter", "name = banner", "schedule", "daily 02:00"));
    post("rules/daily/deployments", json_pack("{s:s,s:s,s:s}", "deployment", "all", "collection", "all", "deadline", "0"));
    assert_int_equal(number("SELECT count(*) FROM rule_run"), 0);
    jump(5 * DAY);
    until(ran_once, "the rule's first run");
    assert_int_equal(number("SELECT count(*) FROM deployment"), 1);
    assert_int_equal(number("SELECT max(nominal) % 86400 FROM rule_run"), 7200);
    jump(-3 * DAY);
    until(nothing_ahead, "a tick by the clock that was set back");
    jump(DAY);
    until(ran_twice, "a run by the clock that was set back");
}

static bool synced(void)
{
    return number("SELECT count(*) FROM rule_run WHERE cause = 'after sync' AND code = 'ok'") == 1;
}

static bool sync_alert(void)
{
    return number("SELECT count(*) FROM alert WHERE event = 'sync-failed' AND state = 'open'") == 1;
}

static bool no_sync_alert(void)
{
    return number("SELECT count(*) FROM alert WHERE event = 'sync-failed' AND state = 'open'") == 0;
}

/* Catalogs on a schedule; a failure is told and tried again; rules that wait for something new run. */
static void test_sync(void **state)
{
    AUTO(text_free) char *uri = NULL, *keyring = NULL, *make = NULL;

    (void)state;
    if (system("command -v gpg apt-ftparchive dpkg-scanpackages gpgv >/dev/null"))
        skip();
    make = must_print("FERRY_DATE=$(($(date +%%s) - 86400)) tests/fixtures/make-archive.sh %s/arc 1", lab.net.dir);
    assert_int_equal(system(make), 0);
    uri = must_print("%s/www", lab.net.url);
    keyring = must_print("%s/arc/demo.gpg", lab.net.dir);
    post("catalogs", json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", "demo", "type", "apt", "uri", uri, "suite", "demo", "keyring", keyring));
    post("rules", json_pack("{s:s,s:s,s:b}", "name", "new", "filter", "name = ferry-app", "after_sync", 1));
    json_decref(must(&lab, "PATCH", "site", json_pack("{s:s}", "sync", "every 4 hours")));
    jump(4 * 3600);
    until(sync_alert, "the alert that the sync failed");
    free(make);
    make = must_print("cp -a %s/arc/. %s", lab.net.dir, lab.www);
    assert_int_equal(system(make), 0);
    jump(1800);
    until(synced, "the sync that is tried again, and the rule behind it");
    until(no_sync_alert, "the end of the alert");
}

static bool second_phase(void)
{
    return number("SELECT count(*) FROM deployment WHERE name = 'p-all'") == 1;
}

static bool first_succeeded(void)
{
    return number("SELECT count(*) FROM phase WHERE state = 'succeeded'") == 1;
}

/* Status comes in, the phase succeeds; a day later the next begins, published. */
static void test_phases(void **state)
{
    struct author         a;
    char                  node[NODE_ID_SIZE];
    uint8_t               key[32] = {1};
    int64_t               held;
    json_t               *token, *messages;
    AUTO(text_free) char *policy = NULL;

    (void)state;
    command("banner");
    token = must(&lab, "POST", "tokens", NULL);
    a = site_author(lab.site, "test");
    assert_int_equal(node_enrol(&a, json_string_value(json_object_get(token, "token_id")), key, "till-1", "10.0.0.1", node, NULL), OK);
    json_decref(token);
    post("groups", json_pack("{s:s}", "name", "october"));
    post("groups/october/members", json_pack("{s:[s]}", "updates", "banner"));
    job_done(&lab, "groups/october/download", NULL);
    post("collections", json_pack("{s:s,s:[s]}", "name", "pilot", "nodes", "till-1"));
    post("phased", json_pack("{s:s,s:s,s:s,s:s,s:b}", "name", "p", "group", "october", "first", "pilot", "second", "all", "origin_fallback", 1));
    messages = json_pack("[{s:i,s:s,s:{s:{s:[s,i]},s:[s]}}]", "serial", 1, "topic", "scan", "scan", "states", "command:banner:1", "installed", 0,
                         "asked", "command:banner:1");
    a = site_author(lab.site, "test");
    assert_int_equal(compliance_ingest(&a, node, messages, &held, NULL), OK);
    json_decref(messages);
    lab.site->news = true;
    until(first_succeeded, "the first phase's success");
    assert_false(second_phase());
    jump(DAY);
    until(second_phase, "the second phase");
    policy = must_print("%s/policy/targets/policy/all", lab.dir);
    assert_true(file_exists(policy));
}

static bool orphaned(void)
{
    return number("SELECT count(*) FROM content WHERE orphaned > 0") == 1;
}

static bool forgotten(void)
{
    return number("SELECT count(*) FROM content") == 0;
}

/* Content that nobody names any more goes a day later, with its files. */
static void test_tidy(void **state)
{
    json_t *rows = NULL;

    (void)state;
    command("banner");
    assert_int_equal(library_count(&lab), 1);
    assert_int_equal(rows_found(lab.site->ledger, "DELETE FROM upd", NULL, &rows, NULL), OK);
    json_decref(rows);
    jump(3600);
    until(orphaned, "the mark on content that nobody names");
    assert_int_equal(library_count(&lab), 1);
    jump(DAY + 3600);
    until(forgotten, "the end of that content");
    assert_int_equal(library_count(&lab), 0);
}

static bool told(void)
{
    AUTO(text_free) char *path = must_print("%s/told", lab.net.dir);

    return file_exists(path);
}

static bool all_told(void)
{
    return number("SELECT count(*) FROM alert WHERE told = 0") == 0 && !lab.site->teller;
}

/* The program gets each alert once, as JSON; that it fails is no reason to ask it again. */
static void test_program(void **state)
{
    AUTO(text_free) char *path = must_print("%s/tell", lab.net.dir), *out = must_print("%s/told", lab.net.dir),
                         *script = must_print("#!/bin/sh\ncat >%s.tmp\nmv %s.tmp %s\nexit 3\n", out, out, out), *text = NULL;
    struct author a = site_author(lab.site, "test");
    size_t        length;
    json_t       *alert;

    (void)state;
    assert_int_equal(file_write(path, script, strlen(script), 0755, NULL), OK);
    post("alerts/program", json_pack("{s:s}", "program", path));
    assert_int_equal(alert_raise(&a, "rule-failed", "weekly", ALERT_CRITICAL, "", "no network", NULL), OK);
    until(told, "the program's file");
    assert_int_equal(file_read(out, 4096, &text, &length, NULL), OK);
    alert = json_loads(text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(alert, "event")), "rule-failed");
    assert_string_equal(json_string_value(json_object_get(alert, "severity")), "critical");
    assert_string_equal(json_string_value(json_object_get(alert, "site")), "hq");
    json_decref(alert);
    until(all_told, "the end of the program");
    /* One that never ends is ended with the site. */
    free(script);
    script = must_copy("#!/bin/sh\nsleep 600\n");
    assert_int_equal(file_write(path, script, strlen(script), 0755, NULL), OK);
    assert_int_equal(alert_raise(&a, "rule-failed", "monthly", ALERT_CRITICAL, "", "no network", NULL), OK);
    tell_alerts(lab.site);
    assert_non_null(lab.site->teller);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {T(test_rules), T(test_sync), T(test_phases), T(test_tidy), T(test_program)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
