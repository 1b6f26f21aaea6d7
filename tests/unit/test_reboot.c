/* The restart that completes an installation: counted down through closing and opening again, begun once, found to have happened. */
#include "tests/unit/client_lab.h"

static void with_command(struct client_lab *l, const char *program, const char *file)
{
    l->config.restart_command = must_print("%s %s/%s", program, l->dir, file);
    lab_boot(l, "one\n");
}

static char *flag_of(struct client_lab *l)
{
    return must_print("%s/restarted", l->dir);
}

static bool has_state(struct client_lab *l, const char *word)
{
    return !strcmp(restart_word(l->client->reboot.decision.state), word);
}

static void expect_state(struct client_lab *l, const char *word)
{
    if (!lab_until(l, has_state, word, 8000))
        fail_msg("expected %s; it is %s", word, restart_word(l->client->reboot.decision.state));
}

static bool has_told(struct client_lab *l, const char *state)
{
    size_t  i;
    json_t *m;

    json_array_foreach(l->messages, i, m)
        if (!strcmp(json_string_value(json_object_get(m, "topic")), "restart") && !strcmp(json_string_value(json_object_get(m, "state")), state))
            return true;
    return false;
}

static bool has_alert(struct client_lab *l, const char *part)
{
    size_t  i;
    json_t *m;

    json_array_foreach(l->messages, i, m)
        if (json_object_get(m, "event") && !strcmp(json_string_value(json_object_get(m, "event")), "restart.failed") &&
            strstr(json_string_value(json_object_get(m, "detail")), part))
            return true;
    return false;
}

static void the_countdown_survives_closing_and_opening_again(void **state)
{
    struct client_lab *l = *state;
    AUTO(text_free) char *flag = flag_of(l);
    int64_t begun;

    with_command(l, "touch", "restarted");
    lab_deploy(l, "jq", -10, "", "restart");
    lab_start(l);
    lab_expect(l, "jq restart-pending");
    expect_state(l, "countdown");
    assert_string_equal(lab_job(l, "jq")->row.state, "restart-pending");
    begun = l->client->reboot.begun;
    assert_true(begun >= lab_now(l) - 10);
    assert_true(lab_until(l, has_told, "countdown", 5000));
    assert_string_equal(json_string_value(json_object_get(l->client->facts, "restart.state")), "countdown");
    lab_move(l, 30 * 60);
    lab_stop(l);
    lab_start(l);
    lab_expect(l, "jq restart-pending");
    expect_state(l, "countdown");
    assert_int_equal(l->client->reboot.begun, begun);
    lab_move(l, 50 * 60);
    expect_state(l, "final");
    lab_run(l, 1000);
    assert_false(file_exists(flag));
    lab_move(l, 11 * 60);
    assert_true(lab_until(l, lab_is_there, flag, 5000));
    assert_true(lab_until(l, has_told, "now", 5000));
    lab_stop(l);                                /* the machine goes down, and comes up */
    lab_boot(l, "two\n");
    lab_start(l);
    lab_expect(l, "jq installed");
    expect_state(l, "none");
    assert_true(lab_until(l, has_told, "none", 5000));
    assert_false(reboot_pending(l->client));
    assert_int_equal(l->client->reboot.begun, 0);
    assert_string_equal(lab_order(l), "jq ");
}

static void a_command_that_fails_is_told_and_tried_again(void **state)
{
    struct client_lab *l = *state;
    AUTO(text_free) char *flag = flag_of(l);

    with_command(l, "cat", "no-such-file");
    lab_deploy(l, "jq", -10, "", "restart");
    lab_start(l);
    lab_expect(l, "jq restart-pending");
    assert_string_equal(lab_says(l, "/api/v1/node/restart", json_object(), 200), "the machine restarts now");
    assert_true(lab_until(l, has_alert, "No such file", 5000));
    lab_run(l, 500);
    expect_state(l, "now");
    free(l->config.restart_command);
    l->config.restart_command = must_print("touch %s", flag);
    lab_run(l, 1500);
    assert_false(file_exists(flag));
    lab_move(l, 601);
    assert_true(lab_until(l, lab_is_there, flag, 5000));
}

static void the_user_does_not_wait(void **state)
{
    struct client_lab *l = *state;
    AUTO(text_free) char *flag = flag_of(l);

    with_command(l, "touch", "restarted");
    lab_set(l, "policy/all/collection.json", "windows", "[{'name':'nights','when':'daily 23:00','duration_s':7200}]");
    lab_deploy(l, "jq", 86400, "", "restart");
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    assert_string_equal(lab_says(l, "/api/v1/node/restart", json_object(), 409), "no restart is pending: nothing that was installed wants one");
    lab_says(l, "/api/v1/node/install", json_pack("{s:s}", "update", "jq"), 200);
    lab_expect(l, "jq restart-pending");
    expect_state(l, "held");
    lab_says(l, "/api/v1/node/restart", json_object(), 200);
    assert_true(lab_until(l, lab_is_there, flag, 5000));
    lab_boot(l, "two\n");
    lab_expect(l, "jq installed");
}

static void another_root_is_restarted_by_hand(void **state)
{
    struct client_lab *l = *state;

    lab_boot(l, "one\n");
    lab_set(l, "policy/all/collection.json", "settings", "{'priority':10,'values':{'restart_countdown_s':0,'restart_final_s':0}}");
    lab_deploy(l, "jq", -10, "", "restart");
    lab_start(l);
    lab_expect(l, "jq restart-pending");
    expect_state(l, "now");
    assert_string_equal(lab_text(l, "jq"), "is installed; the machine restarts (the machine of this root has to be restarted by hand)");
    assert_non_null(strstr(lab_says(l, "/api/v1/node/restart", json_object(), 409), "no restart-command is set"));
    lab_boot(l, "two\n");
    schedule_soon(l->client);
    lab_expect(l, "jq installed");
}

static void a_suppressed_restart_is_left_to_the_administrator(void **state)
{
    struct client_lab *l = *state;
    AUTO(text_free) char *flag = flag_of(l);

    with_command(l, "touch", "restarted");
    lab_deploy(l, "jq", -10, "'suppress_restart_servers':true", "restart");
    lab_start(l);
    lab_expect(l, "jq restart-pending");
    expect_state(l, "suppressed");
    lab_move(l, 86400);
    lab_run(l, 1500);
    expect_state(l, "suppressed");
    assert_false(file_exists(flag));
}

/* What detection finds only after the restart is neither failed nor installed again before it. */
static void what_only_a_restart_completes(void **state)
{
    struct client_lab *l = *state;
    AUTO(text_free) char *done = must_print("%s/done/jq", l->root);

    lab_boot(l, "one\n");
    lab_deploy(l, "jq", -10, "", "late");
    lab_start(l);
    lab_expect(l, "jq restart-first");
    assert_string_equal(lab_job(l, "jq")->row.state, "restart-pending");
    lab_run(l, 500);
    assert_string_equal(lab_order(l), "jq ");
    assert_int_equal(file_write(done, "jq", 2, 0644, NULL), OK);
    lab_boot(l, "two\n");
    schedule_soon(l->client);
    lab_expect(l, "jq installed");
    assert_string_equal(lab_order(l), "jq ");
}

static void what_a_restart_did_not_complete_has_failed(void **state)
{
    struct client_lab *l = *state;

    lab_boot(l, "one\n");
    lab_deploy(l, "jq", -10, "", "late");
    lab_start(l);
    lab_expect(l, "jq restart-first");
    lab_boot(l, "two\n");
    schedule_soon(l->client);
    lab_expect(l, "jq retry-later");
    assert_int_equal(lab_job(l, "jq")->row.attempts, 1);
}

/* Exclusive ones are alone with their restart, on both sides of it. */
static void nothing_exclusive_beside_a_pending_restart(void **state)
{
    struct client_lab *l = *state;
    json_t            *u = lab_update("alone", NULL);

    lab_boot(l, "one\n");
    paper_set(u, "install.exclusive", "true");
    lab_put(l, "policy/all/alone.json", lab_deployment("alone", "all", lab_now(l) - 60, lab_now(l) - 10, "", json_pack("[o]", u)));
    lab_deploy(l, "jq", -10, "", "restart");
    lab_start(l);
    lab_expect(l, "alone restart-first");
    assert_string_equal(lab_order(l), "jq ");
    lab_boot(l, "two\n");
    schedule_soon(l->client);
    lab_expect(l, "alone installed");
}

/* No longer deployed, restarted, deployed again: the pending restart of then is over. */
static void a_withdrawn_update_is_settled_too(void **state)
{
    struct client_lab *l = *state;

    lab_boot(l, "one\n");
    lab_deploy(l, "jq", -10, "", "restart");
    lab_start(l);
    lab_expect(l, "jq restart-pending");
    lab_put(l, "policy/all/d-jq.json", NULL);
    lab_publish(l);
    client_reload(l->client);
    lab_run(l, 1000);
    assert_null(lab_job(l, "jq"));
    assert_true(reboot_pending(l->client));
    lab_stop(l);
    lab_boot(l, "two\n");
    lab_start(l);
    lab_run(l, 1000);
    assert_false(reboot_pending(l->client));
    lab_deploy(l, "jq", -10, "", "restart");
    client_reload(l->client);
    lab_expect(l, "jq installed");
}

static void a_failure_is_tried_again_after_the_restart_when_the_deployment_says_so(void **state)
{
    struct client_lab *l = *state;

    lab_boot(l, "one\n");
    lab_deploy(l, "bad", -10, "", "fail");
    lab_deploy(l, "jq", -10, "'reevaluate_after_restart':true", "restart");
    lab_start(l);
    lab_expect(l, "jq restart-pending");
    lab_expect(l, "bad retry-later");
    assert_string_equal(lab_order(l), "bad jq ");
    lab_boot(l, "two\n");
    schedule_soon(l->client);
    lab_expect(l, "jq installed");
    lab_expect(l, "bad retry-later");
    assert_string_equal(lab_order(l), "bad jq bad ");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(the_countdown_survives_closing_and_opening_again),
        LAB_TEST(a_command_that_fails_is_told_and_tried_again),
        LAB_TEST(the_user_does_not_wait),
        LAB_TEST(another_root_is_restarted_by_hand),
        LAB_TEST(a_suppressed_restart_is_left_to_the_administrator),
        LAB_TEST(what_only_a_restart_completes),
        LAB_TEST(what_a_restart_did_not_complete_has_failed),
        LAB_TEST(nothing_exclusive_beside_a_pending_restart),
        LAB_TEST(a_withdrawn_update_is_settled_too),
        LAB_TEST(a_failure_is_tried_again_after_the_restart_when_the_deployment_says_so),
    };

    return lab_main(argc, argv, tests);
}
