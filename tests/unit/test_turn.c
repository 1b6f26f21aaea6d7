/* The orchestration lock, against a site that grants, refuses and keeps silent. */
#include "tests/unit/client_lab.h"

static void answer(struct client_lab *l, const char *text)
{
    json_decref(l->turn_answer);
    l->turn_answer = text ? paper(text) : NULL;
}

/* Until a moment in seconds, as text. */
static void grant(struct client_lab *l, int64_t seconds)
{
    char time[TIME_SIZE];

    json_decref(l->turn_answer);
    l->turn_answer = json_pack("{s:b,s:s}", "granted", 1, "until", time_print(lab_now(l) + seconds, time));
}

static void take_turns(struct client_lab *l)
{
    lab_set(l, "policy/all/collection.json", "orchestration", "{'turns':'count','limit':1,'member_s':3600}");
}

static bool has_asked(struct client_lab *l, const char *ops)
{
    struct text   all AUTO(text_end) = {0};
    size_t        i;
    json_t       *op;

    json_array_foreach(l->turns, i, op) text_add(&all, "%s ", json_string_value(op));
    return all.length && !strcmp(all.data, ops);
}

static void expect_asked(struct client_lab *l, const char *ops)
{
    char *text;

    if (lab_until(l, has_asked, ops, 10000))
        return;
    text = json_dumps(l->turns, 0);
    fail_msg("expected %s, it asked %s", ops, text);
}

static void taken_kept_and_given_back(void **state)
{
    struct client_lab *l = *state;

    take_turns(l);
    grant(l, 3600);
    lab_deploy(l, "jq", -10, "", "sleep");
    lab_start(l);
    lab_expect(l, "jq installed");
    expect_asked(l, "take give ");
    assert_false(turn_held(l->client));
    lab_run(l, 500);
    assert_int_equal(json_array_size(l->turns), 2);
}

static void seconds_are_understood_too(void **state)
{
    struct client_lab *l = *state;

    take_turns(l);
    l->turn_answer = json_pack("{s:b,s:I}", "granted", 1, "until", (json_int_t)lab_now(l) + 60);
    lab_deploy(l, "jq", -10, "", NULL);
    lab_start(l);
    lab_expect(l, "jq installed");
}

static void nothing_is_installed_without_it(void **state)
{
    struct client_lab *l = *state;

    take_turns(l);
    answer(l, "{'granted':false,'why':'till-2 has the turn until 22:30','again_s':1}");
    lab_deploy(l, "jq", -10, "", NULL);
    lab_start(l);
    lab_expect(l, "jq waiting-turn");
    lab_run(l, 1500);
    assert_string_equal(lab_job(l, "jq")->row.state, "waiting-turn");
    assert_string_equal(lab_text(l, "jq"),
                        "is due; other members of its orchestration group have their turn: till-2 has the turn until 22:30");
    assert_string_equal(lab_order(l), "");
    assert_true(json_array_size(l->turns) >= 2 && json_array_size(l->turns) <= 3);
    grant(l, 600);
    lab_expect(l, "jq installed");
}

static void a_site_that_cannot_be_asked_grants_nothing(void **state)
{
    struct client_lab *l = *state;

    take_turns(l);
    lab_deploy(l, "jq", -10, "", NULL);
    lab_start(l);
    lab_expect(l, "jq waiting-turn");
    lab_run(l, 1500);
    assert_int_equal(json_array_size(l->turns), 1);
    assert_non_null(strstr(lab_text(l, "jq"), "the site cannot be asked"));
    assert_true(l->client->turn.again_at - clock_ms() > 50000);
}

/* Time moves past its end while nothing has begun: another may have it now. */
static void a_lock_runs_out(void **state)
{
    struct client_lab *l = *state;

    take_turns(l);
    grant(l, 3600);
    lab_deploy(l, "jq", -10, "", "restart");
    lab_start(l);
    lab_expect(l, "jq restart-pending");
    assert_true(turn_held(l->client));
    answer(l, "{'granted':false,'why':'no','again_s':60}");
    lab_move(l, 3700);
    lab_run(l, 500);
    assert_false(turn_held(l->client));
}

static void kept_while_a_restart_counts_down_and_asked_for_before_it(void **state)
{
    struct client_lab *l = *state;
    AUTO(text_free) char *flag = must_print("%s/restarted", l->dir);

    lab_boot(l, "one");
    l->config.restart_command = must_print("touch %s", flag);
    take_turns(l);
    grant(l, 86400);
    lab_deploy(l, "jq", -10, "", "restart");
    lab_start(l);
    lab_expect(l, "jq restart-pending");
    expect_asked(l, "take ");
    answer(l, "{'granted':false,'why':'no','again_s':1}");
    l->client->turn.until = 1;                  /* lost */
    lab_move(l, 91 * 60);
    lab_run(l, 2500);
    assert_false(file_exists(flag));
    grant(l, 600);
    assert_true(lab_until(l, lab_is_there, flag, 5000));
    lab_boot(l, "two");
    lab_expect(l, "jq installed");
    assert_true(lab_until(l, lab_turn_given, NULL, 5000));
}

static void the_lock_survives_the_end_of_the_process(void **state)
{
    struct client_lab *l = *state;

    take_turns(l);
    grant(l, 86400);
    lab_deploy(l, "jq", -10, "", "restart");
    lab_start(l);
    lab_expect(l, "jq restart-pending");
    lab_stop(l);
    json_array_clear(l->turns);
    lab_start(l);
    assert_true(turn_held(l->client));
    lab_expect(l, "jq restart-pending");
    expect_asked(l, "keep ");
}

/* The user does not wait for others, and definitions do not either. */
static void who_does_not_need_a_turn(void **state)
{
    struct client_lab *l = *state;
    json_t            *u = lab_update("definitions", NULL);

    take_turns(l);
    answer(l, "{'granted':false,'why':'no'}");
    lab_deploy(l, "jq", 3600, "", NULL);
    paper_set(u, "classification", "'definition'");
    lab_put(l, "policy/all/defs.json", lab_deployment("defs", "all", lab_now(l) - 60, lab_now(l) - 10, "", json_pack("[o]", u)));
    lab_publish(l);
    lab_start(l);
    lab_expect(l, "definitions installed");
    lab_says(l, "/api/v1/node/install", json_pack("{s:s}", "update", "jq"), 200);
    lab_expect(l, "jq installed");
    assert_int_equal(json_array_size(l->turns), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(taken_kept_and_given_back),
        LAB_TEST(seconds_are_understood_too),
        LAB_TEST(nothing_is_installed_without_it),
        LAB_TEST(a_site_that_cannot_be_asked_grants_nothing),
        LAB_TEST(a_lock_runs_out),
        LAB_TEST(kept_while_a_restart_counts_down_and_asked_for_before_it),
        LAB_TEST(the_lock_survives_the_end_of_the_process),
        LAB_TEST(who_does_not_need_a_turn),
    };

    return lab_main(argc, argv, tests);
}
