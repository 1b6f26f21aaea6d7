/* What the user is told, and how often: a program that writes every event it gets into a file. */
#include "tests/unit/client_lab.h"

static void hear_by(struct client_lab *l, const char *script)
{
    l->config.notify_command = must_print("%s/tell", l->dir);
    AUTO(text_free) char *text = must_print("#!/bin/sh\n%s", script);
    assert_int_equal(file_write(l->config.notify_command, text, strlen(text), 0755, NULL), OK);
}

static void hear(struct client_lab *l)
{
    /* One write: it may be ended at any moment. */
    AUTO(text_free) char *script = must_print("event=$(cat); printf '%%s\\n' \"$event\" >> %s/told\n", l->dir);

    hear_by(l, script);
}

/* All events told so far; caller decrefs. */
static json_t *told(struct client_lab *l)
{
    AUTO(text_free) char *path = must_print("%s/told", l->dir);
    char   *text = NULL;
    size_t  length;
    json_t *all = json_array();

    if (!file_read(path, 1 << 20, &text, &length, NULL))
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            json_array_append_new(all, json_loads(line, 0, NULL));
    free(text);
    return all;
}

/* "event event …", those of an update as event:NAME, of a restart as event:STATE. */
static bool has_heard(struct client_lab *l, const char *want)
{
    struct text all AUTO(text_end) = {0};
    json_t     *events = told(l), *o;
    size_t      i;

    json_array_foreach(events, i, o)
    {
        const char *name = json_string_value(json_object_get(o, json_object_get(o, "name") ? "name" : "state"));
        text_add(&all, "%s%s:%s", i ? " " : "", json_string_value(json_object_get(o, "event")), name);
    }
    json_decref(events);
    return !strcmp(all.data ? all.data : "", want);
}

static void expect_heard(struct client_lab *l, const char *want)
{
    json_t *events;

    if (lab_until(l, has_heard, want, 5000))
        return;
    events = told(l);
    fail_msg("expected %s; heard %zu events, the last %s", want, json_array_size(events),
             json_dumps(json_array_get(events, json_array_size(events) - 1), 0));
}

static void reminders_in_three_tiers(void **state)
{
    struct client_lab *l = *state;
    struct text        want AUTO(text_end) = {0};
    json_t            *events;

    hear(l);
    lab_set(l, "policy/all/collection.json", "settings",
            "{'priority':10,'values':{'remind_days_s':86400,'remind_day_s':36000,'remind_hour_s':1200}}");
    lab_deploy(l, "jq", 2 * 86400 + 600, "", NULL);
    lab_start(l);
    text_add(&want, "update-offered:jq");
    expect_heard(l, want.data);
    lab_move(l, 80000);
    lab_run(l, 600);
    expect_heard(l, want.data);                 /* not yet a day since */
    lab_move(l, 6500);
    text_add(&want, " deadline-near:jq");
    expect_heard(l, want.data);                 /* a day since the offer */
    lab_move(l, 600);
    text_add(&want, " deadline-near:jq");
    expect_heard(l, want.data);                 /* less than a day left: another tier */
    lab_move(l, 36000);
    text_add(&want, " deadline-near:jq");
    expect_heard(l, want.data);                 /* ten hours since */
    lab_move(l, 86400 - 36000 - 3500);
    text_add(&want, " deadline-near:jq");
    expect_heard(l, want.data);                 /* the last hour */
    lab_stop(l);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    lab_run(l, 600);
    expect_heard(l, want.data);                 /* remembered */
    lab_move(l, 1200);
    text_add(&want, " deadline-near:jq");
    expect_heard(l, want.data);
    events = told(l);
    assert_string_equal(json_string_value(json_object_get(json_array_get(events, 0), "text")),
                        "will be installed at the deadline, sun 29 nov 21:10 CET");
    assert_int_equal(strncmp(json_string_value(json_object_get(json_array_get(events, 0), "deadline")), "2026-11-29T20:10:", 17), 0);
    json_decref(events);
}

static void all_the_way(void **state)
{
    struct client_lab *l = *state;

    hear(l);
    lab_set(l, "policy/all/collection.json", "settings", "{'priority':10,'values':{'restart_remind_s':1800}}");
    lab_boot(l, "one\n");
    l->config.restart_command = must_copy("true");
    lab_deploy(l, "jq", 30, "", "restart");
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    lab_move(l, 30);
    lab_expect(l, "jq restart-pending");
    expect_heard(l, "update-offered:jq installing:jq restart-countdown:countdown");
    lab_move(l, 1801);
    expect_heard(l, "update-offered:jq installing:jq restart-countdown:countdown restart-countdown:countdown");
    lab_move(l, 5400 - 1801 - 800);
    expect_heard(l, "update-offered:jq installing:jq restart-countdown:countdown restart-countdown:countdown restart-countdown:final");
}

static void only_what_the_deployment_lets_through(void **state)
{
    struct client_lab *l = *state;

    hear(l);
    lab_boot(l, "one\n");
    lab_deploy(l, "quiet", -10, "'notify':'none'", "restart");
    lab_start(l);
    lab_expect(l, "quiet restart-pending");
    lab_run(l, 500);
    expect_heard(l, "");
    lab_deploy(l, "jq", -10, "'notify':'restart'", "restart");
    client_reload(l->client);
    lab_expect(l, "jq restart-pending");
    expect_heard(l, "restart-countdown:countdown");
}

static void an_offer_and_a_pending_restart(void **state)
{
    struct client_lab *l = *state;

    hear(l);
    lab_boot(l, "one\n");
    lab_deploy(l, "jq", 0, "", "restart");
    lab_set(l, "policy/all/d-jq.json", "purpose", "'available'");
    lab_start(l);
    lab_expect(l, "jq offered");
    expect_heard(l, "update-offered:jq");
    lab_says(l, "/api/v1/node/install", json_pack("{s:s}", "update", "jq"), 200);
    lab_expect(l, "jq restart-pending");
    expect_heard(l, "update-offered:jq installing:jq restart-pending:reminding");
    lab_move(l, 240 * 60 + 1);
    expect_heard(l, "update-offered:jq installing:jq restart-pending:reminding restart-pending:reminding");
}

/* One child at a time; what does not fit into the queue is dropped, the oldest first. */
static void a_slow_program(void **state)
{
    struct client_lab *l = *state;
    json_t            *updates = json_array();
    AUTO(text_free) char *script = must_print("cat >> %s/told; echo >> %s/told; while [ ! -e %s/go ]; do sleep 0.05; done\n", l->dir, l->dir, l->dir),
                         *go = must_print("%s/go", l->dir);
    json_t *events;

    hear_by(l, script);
    for (int i = 0; i < NOTIFY_WAITING + 10; i++) {
        char name[16];
        snprintf(name, sizeof name, "u%02d", i);
        json_array_append_new(updates, lab_update(name, NULL));
    }
    lab_put(l, "policy/all/many.json", lab_deployment("many", "all", lab_now(l) - 60, lab_now(l) + 7200, "", updates));
    lab_publish(l);
    lab_start(l);
    lab_expect(l, "u00 deadline-ahead");
    lab_run(l, 500);
    assert_int_equal(json_array_size(l->client->notifier.queue), NOTIFY_WAITING);
    assert_int_equal(file_write(go, "", 0, 0644, NULL), OK);
    lab_run(l, 3000);
    events = told(l);
    assert_int_equal(json_array_size(events), NOTIFY_WAITING + 1);
    json_decref(events);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(reminders_in_three_tiers),
        LAB_TEST(all_the_way),
        LAB_TEST(only_what_the_deployment_lets_through),
        LAB_TEST(an_offer_and_a_pending_restart),
        LAB_TEST(a_slow_program),
    };

    return lab_main(argc, argv, tests);
}
