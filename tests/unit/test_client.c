/* Whole stories of a client: what is deployed, what time brings, what is installed. */
#include "tests/unit/client_lab.h"

static void at_the_deadline_the_site_is_asked_first(void **state)
{
    struct client_lab *l = *state;
    size_t             polls;

    lab_deploy(l, "jq", 3600, "", NULL);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    assert_string_equal(lab_text(l, "jq"), "will be installed at the deadline, fri 27 nov 22:00 CET");
    polls = l->polls;
    lab_move(l, 3600);
    lab_expect(l, "jq installed");
    assert_string_equal(lab_order(l), "jq ");
    assert_true(l->polls > polls);
}

/* Nobody moves time here: the deadline comes by itself. */
static void a_deadline_comes_by_itself(void **state)
{
    struct client_lab *l = *state;

    lab_deploy(l, "jq", 3, "", NULL);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    lab_expect(l, "jq installed");
}

static void a_halt_that_arrives_at_the_asking_is_honoured(void **state)
{
    struct client_lab *l = *state;

    lab_deploy(l, "jq", 3600, "", NULL);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    lab_set(l, "policy/all/d-jq.json", "halted", "'too many tills failed'");
    lab_move(l, 3600);
    lab_expect(l, "jq halted");
    lab_run(l, 1500);                           /* the poll behind a jump of the clock too */
    assert_string_equal(lab_order(l), "");
    assert_string_equal(lab_text(l, "jq"), "the deployment is halted: too many tills failed");
    lab_set(l, "policy/all/d-jq.json", "halted", NULL);
    client_reload(l->client);
    lab_expect(l, "jq installed");
}

static void a_site_that_cannot_be_reached_does_not_stop_it(void **state)
{
    struct client_lab *l = *state;

    lab_deploy(l, "jq", 3600, "", NULL);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    l->mute = true;
    lab_move(l, 3600);
    lab_expect(l, "jq installed");
}

/* Each of its answers comes in time, all of them together do not. */
static void a_slow_site_is_waited_for_15_seconds(void **state)
{
    struct client_lab *l = *state;
    int64_t            begin, took;

    lab_deploy(l, "jq", 3600, "", NULL);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    l->delay_ms = 9000;
    lab_move(l, 3600);
    lab_expect(l, "jq asking-first");
    begin = clock_ms();
    assert_true(lab_until(l, lab_has_reason, "jq installed", 25000));
    took = clock_ms() - begin;
    assert_true(took > 13000 && took < 17500);
    lab_run(l, 4000);                           /* its late answers are nobody's */
}

/* An answer that did not come holds for one decision: the next installation asks again. */
static void each_installation_asks_a_site_that_is_away(void **state)
{
    struct client_lab *l = *state;
    size_t             before;

    lab_deploy(l, "jq", 3600, "", "sleep");
    lab_deploy(l, "tar", 3600, "", NULL);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    lab_expect(l, "tar deadline-ahead");
    l->mute = true;
    before = l->questions;
    lab_move(l, 3600);
    lab_expect(l, "jq installed");
    lab_expect(l, "tar installed");
    assert_true(l->questions >= before + 2);
}

static void a_fresh_policy_is_not_asked_for_again(void **state)
{
    struct client_lab *l = *state;
    size_t             polls;

    lab_deploy(l, "jq", -10, "", NULL);
    lab_start(l);
    lab_expect(l, "jq installed");
    polls = l->polls;
    lab_run(l, 300);
    assert_int_equal(l->polls, polls);
    assert_int_equal(polls, 1);
}

/* --- windows --- */

#define NIGHTS "[{'name':'nights','when':'daily 23:00','duration_s':7200}]"

static void it_waits_for_a_window(void **state)
{
    struct client_lab *l = *state;

    lab_set(l, "policy/all/collection.json", "windows", NIGHTS);
    lab_deploy(l, "jq", 3600, "", NULL);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    assert_string_equal(lab_text(l, "jq"), "will be installed at the deadline, fri 27 nov 22:00 CET; it waits for the next maintenance window, fri "
                                           "27 nov 23:00 CET, nights 23:00-01:00");
    lab_move(l, 3600);
    lab_expect(l, "jq waiting-window");
    assert_string_equal(lab_job(l, "jq")->row.state, "waiting-window");
    assert_string_equal(lab_text(l, "jq"), "is due; it waits for the next maintenance window, fri 27 nov 23:00 CET, nights 23:00-01:00");
    lab_run(l, 1500);
    assert_string_equal(lab_order(l), "");
    lab_move(l, 3600);
    lab_expect(l, "jq installed");
}

static void a_window_that_is_open_at_the_deadline_is_named(void **state)
{
    struct client_lab *l = *state;

    lab_set(l, "policy/all/collection.json", "windows", NIGHTS);
    lab_deploy(l, "jq", 2 * 3600 + 1800, "", NULL);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    assert_string_equal(lab_text(l, "jq"), "will be installed at the deadline, fri 27 nov 23:30 CET, in the window nights 23:00-01:00");
}

static void nobody_waits_for_windows_of_other_collections(void **state)
{
    struct client_lab *l = *state;
    json_t            *other = paper("{'type':'collection','name':'tills','rule':'hostname = nowhere'}");

    paper_set(other, "windows", NIGHTS);
    lab_put(l, "policy/tills/collection.json", other);
    lab_deploy(l, "jq", -10, "", NULL);
    lab_start(l);
    lab_expect(l, "jq installed");
}

static void outside_windows_when_the_deployment_says_so(void **state)
{
    struct client_lab *l = *state;

    lab_set(l, "policy/all/collection.json", "windows", NIGHTS);
    lab_deploy(l, "jq", -10, "'install_outside':true", NULL);
    lab_start(l);
    lab_expect(l, "jq installed");
}

/* --- several at once --- */

static void the_shortest_first_what_is_exclusive_last(void **state)
{
    struct client_lab *l = *state;
    json_t            *updates = json_array();
    static const struct { const char *name, *seconds, *exclusive; } all[] = {{"alone", "5", "true"}, {"long", "600", "false"}, {"short", "30", "false"}};

    for (size_t i = 0; i < COUNT(all); i++) {
        json_t *u = lab_update(all[i].name, NULL);
        paper_set(u, "install.max_run_s", all[i].seconds);
        paper_set(u, "install.exclusive", all[i].exclusive);
        json_array_append_new(updates, u);
    }
    lab_put(l, "policy/all/three.json", lab_deployment("three", "all", lab_now(l) - 60, lab_now(l) - 10, "", updates));
    lab_publish(l);
    lab_start(l);
    lab_expect(l, "alone installed");
    assert_string_equal(lab_order(l), "short long alone ");
}

static void what_is_due_soon_is_installed_along(void **state)
{
    struct client_lab *l = *state;

    lab_set(l, "policy/all/collection.json", "settings", "{'priority':10,'values':{'batch_s':86400}}");
    lab_deploy(l, "now", 3600, "", NULL);
    lab_deploy(l, "tomorrow", 24 * 3600 - 600, "", NULL);
    lab_deploy(l, "week", 7 * 86400, "", NULL);
    lab_start(l);
    lab_expect(l, "tomorrow deadline-ahead");
    lab_move(l, 3600);
    lab_expect(l, "now installed");
    lab_expect(l, "tomorrow installed");
    lab_expect(l, "week deadline-ahead");
    assert_string_equal(lab_order(l), "now tomorrow ");
}

static void without_the_setting_nothing_is_batched(void **state)
{
    struct client_lab *l = *state;

    lab_deploy(l, "now", -10, "", NULL);
    lab_deploy(l, "tomorrow", 86400, "", NULL);
    lab_start(l);
    lab_expect(l, "now installed");
    lab_expect(l, "tomorrow deadline-ahead");
}

/* The one in force leads, whatever its deadline. */
static void a_halted_deployment_does_not_hold_up_another(void **state)
{
    struct client_lab *l = *state;

    lab_put(l, "policy/all/b.json", lab_deployment("b", "all", lab_now(l) - 60, lab_now(l) - 5, "", json_pack("[o]", lab_update("jq", NULL))));
    lab_put(l, "policy/all/a.json",
            lab_deployment("a", "all", lab_now(l) - 60, lab_now(l) - 10, "'halted':'no'", json_pack("[o]", lab_update("jq", NULL))));
    lab_publish(l);
    lab_start(l);
    lab_expect(l, "jq installed");
    assert_string_equal(lab_job(l, "jq")->deployment->id, "b");
}

/* --- failures --- */

static bool has_tried(struct client_lab *l, const char *times)
{
    return !lab_job(l, "jq")->running && lab_job(l, "jq")->row.attempts == atoi(times) && lab_job(l, "jq")->state == JOB_FAILED;
}

static void what_was_given_up_is_tried_again_at_the_re_evaluation(void **state)
{
    struct client_lab *l = *state;
    char               times[16];

    lab_deploy(l, "jq", -10, "", "fail");
    lab_start(l);
    lab_expect(l, "jq retry-later");
    for (int i = 1; i < 10; i++) {
        lab_move(l, decide_retry(i) + 1);
        snprintf(times, sizeof times, "%d", i + 1);
        assert_true(lab_until(l, has_tried, times, 10000));
    }
    lab_expect(l, "jq gave-up");
    lab_move(l, 86400);
    lab_run(l, 1500);
    lab_expect(l, "jq gave-up");
    lab_move(l, 7 * 86400);
    lab_expect(l, "jq retry-later");
    assert_int_equal(lab_job(l, "jq")->row.attempts, 1);
}

/* --- how much is reported --- */

static size_t said(struct client_lab *l, const char *enforcement)
{
    size_t  i, n = 0;
    json_t *m;

    json_array_foreach(l->messages, i, m)
        n += json_object_get(m, "enforcement") && (!enforcement || !strcmp(json_string_value(json_object_get(m, "enforcement")), enforcement));
    return n;
}

static bool has_posted(struct client_lab *l, const char *which)
{
    (void)which;
    return !outbox_waiting(l->client->store);
}

static void the_deployment_says_how_much_is_reported(void **state)
{
    struct client_lab *l = *state;

    lab_deploy(l, "jq", -10, "'verbosity':'outcome'", NULL);
    lab_start(l);
    lab_expect(l, "jq installed");
    assert_true(lab_until(l, has_posted, NULL, 5000));
    assert_int_equal(said(l, NULL), 1);
    assert_int_equal(said(l, "installed"), 1);
    lab_deploy(l, "tar", -10, "'verbosity':'error'", NULL);
    lab_deploy(l, "sed", -10, "'verbosity':'error'", "fail");
    client_reload(l->client);
    lab_expect(l, "sed retry-later");
    lab_expect(l, "tar installed");
    assert_true(lab_until(l, has_posted, NULL, 5000));
    assert_int_equal(said(l, NULL), 2);
    assert_int_equal(said(l, "failed"), 1);
    lab_deploy(l, "awk", -10, "", NULL);
    client_reload(l->client);
    lab_expect(l, "awk installed");
    assert_true(lab_until(l, has_posted, NULL, 5000));
    assert_true(said(l, "detecting") == 1 && said(l, "installing") == 1);
}

/* --- client settings --- */

static void switched_off(void **state)
{
    struct client_lab *l = *state;

    lab_set(l, "policy/all/collection.json", "settings", "{'priority':10,'values':{'enabled':false}}");
    lab_deploy(l, "jq", -10, "", NULL);
    lab_start(l);
    lab_expect(l, "jq switched-off");
    assert_string_equal(lab_order(l), "");
    lab_set(l, "policy/all/collection.json", "settings", NULL);
    client_reload(l->client);
    lab_expect(l, "jq installed");
}

/* --- content --- */

/* An update whose one file lies on the site's distribution point. */
static void deploy_file(struct client_lab *l, const char *id, int64_t deadline, const char *terms)
{
    AUTO(text_free) char *target = must_print("policy/all/%s.json", id), *file = NULL;
    static char           bytes[40000];
    struct content        c = {.size = sizeof bytes};
    char                  hex[SHA256_HEX];
    json_t               *u = lab_update("jq", NULL), *d;

    memset(bytes, 'x', sizeof bytes);
    c.sha256 = hash_bytes(bytes, sizeof bytes);
    file = must_print("%s/content/%s", l->dir, sha256_hex(&c.sha256, hex));
    assert_int_equal(file_write(file, bytes, sizeof bytes, 0644, NULL), OK);
    assert_int_equal(swarm_torrent_make(file, &c.sha256, NULL, &c.torrent, &c.torrent_size, &c.info_hash, NULL), OK);
    json_array_append_new(json_object_get(u, "files"), json_pack("{s:s,s:I,s:s}", "sha256", hex, "size", (json_int_t)c.size, "name", "jq.bin"));
    d = lab_deployment(id, "all", lab_now(l) - 60, deadline, terms, json_pack("[o]", u));
    json_array_append_new(json_object_get(d, "contents"), content_to_json(&c));
    lab_put(l, target, d);
    free(c.torrent);
}

static void serve_content(struct client_lab *l)
{
    json_t *fleet = json_incref(json_object_get(l->documents, "policy/fleet/fleet.json"));

    json_object_set_new(fleet, "dps", json_pack("[{s:s,s:s}]", "name", "dp-1", "url", l->net.url));
    paper_set(fleet, "groups", "[{'name':'a','cidrs':['127.9.0.0/16'],'dps':['dp-1'],'neighbours':[]}]");
    lab_put(l, "policy/fleet/fleet.json", fleet);
}

static bool two_run(struct client_lab *l, const char *which)
{
    size_t running = 0;

    for (struct job *j = l->client->jobs; j; j = j->next)
        running += j->running;
    return running > 1 || (lab_job(l, "jq") && lab_job(l, "jq")->row.attempts && lab_has_reason(l, which));
}

/* One becomes ready to install in the very step in which apt-get is asked for the other's plan. */
static void a_plan_and_an_installation_do_not_run_at_once(void **state)
{
    static const char status[] = "Package: jq\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0\nMaintainer: x <x@x>\nDescription: x\n\n";
    struct client_lab *l = *state;
    AUTO(text_free) char *path = must_print("%s/var/lib/dpkg/status", l->root);
    json_t *updates, *jq;

    assert_int_equal(file_write(path, status, sizeof status - 1, 0644, NULL), OK);
    deploy_file(l, "two", lab_now(l) - 10, "");
    updates = json_object_get(json_object_get(l->documents, "policy/all/two.json"), "updates");
    jq = json_array_get(updates, 0);
    paper_set(jq, "detect", "{'type':'dpkg'}");
    paper_set(jq, "install", "{'type':'apt','max_run_s':60}");
    json_object_update_new(json_array_get(json_object_get(jq, "files"), 0), paper("{'package':'jq','arch':'amd64','version':'1'}"));
    json_array_insert_new(updates, 0, lab_update("tar", "sleep"));
    lab_publish(l);
    lab_start(l);
    assert_true(lab_until(l, two_run, "tar installed", 20000));
    assert_string_equal(lab_job(l, "tar")->row.reason, "installed");
}

static void nothing_over_a_metered_line_before_the_deadline(void **state)
{
    struct client_lab *l = *state;

    serve_content(l);
    deploy_file(l, "october", lab_now(l) + 3600, "'metered':true");
    lab_publish(l);
    l->config.metered = true;
    lab_start(l);
    lab_expect(l, "jq metered");
    lab_run(l, 2500);
    assert_int_equal(l->contents, 0);
    lab_move(l, 3600);
    lab_expect(l, "jq installed");
    assert_true(l->contents > 0);
}

static void a_line_that_becomes_metered_ends_the_download(void **state)
{
    struct client_lab *l = *state;
    struct sha256      name;
    json_t            *d;

    deploy_file(l, "october", lab_now(l) + 3600, "");       /* no distribution point yet: it keeps looking for a source */
    lab_publish(l);
    d = json_object_get(l->documents, "policy/all/october.json");
    assert_true(hex_decode(json_string_value(json_object_get(json_array_get(json_object_get(d, "contents"), 0), "sha256")), name.b, SHA256_SIZE));
    lab_start(l);
    lab_expect(l, "jq downloading");
    assert_int_not_equal(fetcher_state(l->client->fetcher, &name, NULL), FETCH_NONE);
    assert_false(lab_job(l, "jq")->allowed & FETCH_METERED);
    l->config.metered = true;
    serve_content(l);
    lab_publish(l);
    client_reload(l->client);
    lab_expect(l, "jq metered");
    assert_int_equal(fetcher_state(l->client->fetcher, &name, NULL), FETCH_NONE);
    lab_move(l, 3600);                          /* blocked lines stay blocked, whatever is due */
    lab_run(l, 3000);
    lab_expect(l, "jq metered");
    assert_int_equal(l->contents, 0);
    l->config.metered = false;
    client_reload(l->client);
    lab_expect(l, "jq installed");
}

/* Of two that only offer it, one wants it here before it is offered; that is enough. */
static void one_deployment_with_predownload_is_enough(void **state)
{
    struct client_lab *l = *state;

    serve_content(l);
    deploy_file(l, "a", 0, "");
    deploy_file(l, "b", 0, "'predownload':true");
    lab_publish(l);
    lab_start(l);
    lab_expect(l, "jq offered");
    assert_true(l->contents > 0);
    assert_string_equal(lab_job(l, "jq")->deployment->id, "a");
}

static void offered_is_not_fetched(void **state)
{
    struct client_lab *l = *state;

    serve_content(l);
    deploy_file(l, "a", 0, "");
    lab_publish(l);
    lab_start(l);
    lab_expect(l, "jq offered");
    lab_run(l, 2000);
    assert_int_equal(l->contents, 0);
    assert_string_equal(lab_text(l, "jq"), "is available: `ferry install jq` installs it");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(at_the_deadline_the_site_is_asked_first),
        LAB_TEST(a_deadline_comes_by_itself),
        LAB_TEST(a_halt_that_arrives_at_the_asking_is_honoured),
        LAB_TEST(a_site_that_cannot_be_reached_does_not_stop_it),
        LAB_TEST(a_slow_site_is_waited_for_15_seconds),
        LAB_TEST(each_installation_asks_a_site_that_is_away),
        LAB_TEST(a_fresh_policy_is_not_asked_for_again),
        LAB_TEST(it_waits_for_a_window),
        LAB_TEST(a_window_that_is_open_at_the_deadline_is_named),
        LAB_TEST(nobody_waits_for_windows_of_other_collections),
        LAB_TEST(outside_windows_when_the_deployment_says_so),
        LAB_TEST(the_shortest_first_what_is_exclusive_last),
        LAB_TEST(a_plan_and_an_installation_do_not_run_at_once),
        LAB_TEST(what_is_due_soon_is_installed_along),
        LAB_TEST(without_the_setting_nothing_is_batched),
        LAB_TEST(a_halted_deployment_does_not_hold_up_another),
        LAB_TEST(what_was_given_up_is_tried_again_at_the_re_evaluation),
        LAB_TEST(the_deployment_says_how_much_is_reported),
        LAB_TEST(switched_off),
        LAB_TEST(nothing_over_a_metered_line_before_the_deadline),
        LAB_TEST(a_line_that_becomes_metered_ends_the_download),
        LAB_TEST(one_deployment_with_predownload_is_enough),
        LAB_TEST(offered_is_not_fetched),
    };

    return lab_main(argc, argv, tests);
}
