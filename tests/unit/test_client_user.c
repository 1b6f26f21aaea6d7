/* What the user may choose, within the limits of deployments and client settings; and what the user reads. */
#include "tests/unit/client_lab.h"

#define INSTALL  "/api/v1/node/install"
#define POSTPONE "/api/v1/node/postpone"
#define HOURS    "/api/v1/node/hours"

static json_t *of(const char *update)
{
    return json_pack("{s:s}", "update", update);
}

static void now_at_a_time_and_after_hours(void **state)
{
    struct client_lab *l = *state;

    lab_set(l, "policy/all/collection.json", "windows", "[{'name':'nights','when':'daily 23:00','duration_s':7200}]");
    lab_deploy(l, "now", 86400, "", NULL);
    lab_deploy(l, "then", 86400, "", NULL);
    lab_deploy(l, "later", 4 * 86400, "", NULL);
    lab_start(l);
    lab_expect(l, "now deadline-ahead");
    assert_string_equal(lab_says(l, INSTALL, of("now"), 200), "now 1 will be installed now");
    lab_expect(l, "now installed");             /* windows do not hold for what the user asks for */
    assert_string_equal(lab_says(l, INSTALL, json_pack("{s:s,s:s}", "update", "then", "at", "22:00"), 200),
                        "then 1 will be installed as you asked, fri 27 nov 22:00 CET");
    assert_string_equal(lab_says(l, INSTALL, json_pack("{s:s,s:b}", "update", "later", "after_hours", 1), 409),
                        "no business hours are set; `ferry hours 'mon-fri 08:00-18:00'` sets them");
    lab_says(l, HOURS, json_pack("{s:s}", "hours", "fri 08:00-22:30"), 200);
    assert_string_equal(lab_says(l, INSTALL, json_pack("{s:s,s:b}", "update", "later", "after_hours", 1), 200),
                        "later 1 will be installed as you asked, fri 27 nov 22:30 CET");
    assert_string_equal(lab_says(l, INSTALL "?dry_run=1", json_pack("{s:s,s:s}", "update", "then", "at", "second tuesday 20:00"), 200),
                        "then 1 will be installed when it is due, sat 28 nov 21:00 CET, which is before tue 8 dec 20:00 CET; it waits for the "
                        "next maintenance window, sat 28 nov 23:00 CET, nights 23:00-01:00");
    lab_expect(l, "then scheduled");
    lab_stop(l);
    lab_start(l);
    lab_expect(l, "then scheduled");
    lab_move(l, 3600);
    lab_expect(l, "then installed");
    lab_expect(l, "later scheduled");
    lab_move(l, 1800);
    lab_expect(l, "later installed");
}

static void what_cannot_be_installed_by_hand(void **state)
{
    struct client_lab *l = *state;

    lab_deploy(l, "halted", 86400, "'halted':'tills failed'", NULL);
    lab_deploy(l, "done", -10, "", NULL);
    lab_deploy(l, "early", 86400, "", NULL);
    lab_set(l, "policy/all/d-early.json", "available", "'2026-11-28T06:00:00Z'");
    lab_start(l);
    lab_expect(l, "done installed");
    assert_string_equal(lab_says(l, INSTALL, of("halted"), 409), "command:halted:1: the deployment is halted: tills failed");
    assert_string_equal(lab_says(l, INSTALL, of("done"), 409), "command:done:1: it is installed");
    assert_string_equal(lab_says(l, INSTALL, of("early"), 409), "command:early:1: its available time has not come: sat 28 nov 07:00 CET");
    assert_string_equal(lab_says(l, INSTALL, of("dome"), 404), "no deployment gives this node \"dome\"; did you mean \"done\"?");
    assert_non_null(strstr(lab_says(l, INSTALL, json_pack("{s:s,s:s}", "update", "early", "when", "22:00"), 422), "when: is not known"));
    assert_non_null(strstr(lab_says(l, INSTALL, json_pack("{s:s,s:s}", "update", "early", "at", "soon"), 409), "available time"));
}

static void who_may_install(void **state)
{
    struct client_lab *l = *state;

    lab_set(l, "policy/all/collection.json", "settings", "{'priority':10,'values':{'installers':'administrators'}}");
    lab_deploy(l, "jq", 86400, "", NULL);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    lab_says(l, INSTALL, of("jq"), 200);        /* the daemon's own user is one */
    lab_expect(l, "jq installed");
    lab_deploy(l, "tar", 86400, "", NULL);
    lab_set(l, "policy/all/collection.json", "settings", "{'priority':10,'values':{'installers':'none'}}");
    client_reload(l->client);
    lab_expect(l, "tar deadline-ahead");
    assert_string_equal(lab_says(l, INSTALL, of("tar"), 403),
                        "client settings let nobody install by hand here; it is installed as its deployment says");
    lab_expect(l, "tar deadline-ahead");
}

/* The server on TCP does not know who asks: nobody's administrator. */
static void a_stranger_is_no_administrator(void **state)
{
    struct client_lab *l = *state;
    struct server     *open;
    struct came        c;
    bool               gone = false;

    lab_set(l, "policy/all/collection.json", "settings", "{'priority':10,'values':{'installers':'administrators'}}");
    lab_deploy(l, "jq", 86400, "", NULL);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    assert_int_equal(server_open(&l->net.loop, "127.0.0.1:0", client_routes, client_route_count, l->client, &open, NULL), OK);
    AUTO(text_free) char *url = must_print("http://127.0.0.1:%d" INSTALL, server_port(open));
    c = net_ask(&l->net, (struct web_call){.method = "POST", .body = "{\"update\":\"jq\"}", .body_length = 15}, url);
    assert_int_equal(c.status, 403);
    assert_non_null(strstr(c.body, "only administrators"));
    free(c.body);
    server_close(open, lab_gone, &gone);
    while (!gone)
        uv_run(&l->net.loop, UV_RUN_ONCE);
}

static void postponed_within_limits(void **state)
{
    struct client_lab *l = *state;

    lab_deploy(l, "jq", 7200, "", NULL);
    lab_deploy(l, "soft", 3600, "'soft_deadline':true", NULL);
    lab_deploy(l, "over", -10, "", "fail");
    lab_deploy(l, "free", 86400, "", NULL);
    lab_set(l, "policy/all/d-free.json", "purpose", "'available'");
    lab_set(l, "policy/all/d-free.json", "deadline", NULL);
    lab_start(l);
    lab_expect(l, "over retry-later");
    assert_string_equal(lab_says(l, POSTPONE, json_pack("{s:s,s:s}", "update", "jq", "until", "23:30"), 409),
                        "command:jq:1 cannot be postponed until fri 27 nov 23:30 CET; the latest its deployment allows is fri 27 nov 23:00 CET");
    assert_non_null(strstr(lab_says(l, POSTPONE, of("over"), 409), "cannot be postponed any more: its deadline, fri 27 nov 20:59 CET, has passed"));
    assert_non_null(strstr(lab_says(l, POSTPONE, of("free"), 409), "only installed when you ask"));
    assert_string_equal(lab_says(l, POSTPONE, json_pack("{s:s,s:s}", "update", "soft", "until", "tomorrow 06:00"), 200),
                        "soft 1 is postponed and will be installed sat 28 nov 06:00 CET");
    lab_move(l, 3700);
    lab_expect(l, "soft postponed");
    lab_stop(l);
    lab_start(l);
    lab_expect(l, "soft postponed");
    lab_move(l, 8 * 3600 + 100);
    lab_expect(l, "soft installed");
}

/* Only shown, not done. */
static void a_dry_run_changes_nothing(void **state)
{
    struct client_lab *l = *state;

    lab_deploy(l, "jq", 7200, "", NULL);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    assert_string_equal(lab_says(l, INSTALL "?dry_run=1", of("jq"), 200), "jq 1 will be installed now");
    lab_says(l, HOURS "?dry_run=1", json_pack("{s:s}", "hours", "fri 08:00-22:30"), 200);
    lab_run(l, 500);
    lab_expect(l, "jq deadline-ahead");
    assert_int_equal(l->client->rules.business.weekdays, 0);
    assert_string_equal(lab_order(l), "");
}

static void business_hours(void **state)
{
    struct client_lab *l = *state;

    lab_set(l, "policy/all/collection.json", "settings", "{'priority':10,'values':{'outside_hours':true}}");
    lab_start(l);
    assert_string_equal(lab_says(l, HOURS, NULL, 200), "no business hours are set: every hour is free for updates");
    assert_string_equal(lab_says(l, HOURS, json_pack("{s:s}", "hours", "mon-fri 08:00-22:00"), 200),
                        "mon-fri 08:00-22:00 (Europe/Berlin); free for updates again fri 27 nov 22:00 CET");
    assert_non_null(strstr(lab_says(l, HOURS, json_pack("{s:s}", "hours", "mon-sun 00:00-23:00"), 400), "less than four hours"));
    lab_deploy(l, "jq", 7 * 86400, "", NULL);
    client_reload(l->client);
    lab_expect(l, "jq deadline-ahead");
    assert_string_equal(lab_text(l, "jq"),
                        "will be installed in your free hours, fri 27 nov 22:00 CET, at the latest at the deadline, fri 4 dec 21:00 CET");
    lab_stop(l);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    lab_move(l, 3600);
    lab_expect(l, "jq installed");              /* remembered, and honoured */
    assert_string_equal(lab_says(l, HOURS, json_pack("{s:s}", "hours", "none"), 200),
                        "no business hours are set: every hour is free for updates");
}

static void why_names_every_gate_in_order(void **state)
{
    struct client_lab *l = *state;
    long               status;
    json_t            *why, *reasons;
    static const char *const codes[] = {"not-yet-available", "deadline-ahead", "waiting-window"};
    static const char *const whens[] = {"fri 27 nov 21:10 CET", "fri 27 nov 22:00 CET", "fri 27 nov 23:00 CET"};

    lab_set(l, "policy/all/collection.json", "windows", "[{'name':'nights','when':'daily 23:00','duration_s':7200}]");
    lab_deploy(l, "jq", 3600, "", NULL);
    lab_set(l, "policy/all/d-jq.json", "available", "'2026-11-27T20:10:00Z'");
    lab_start(l);
    lab_expect(l, "jq not-yet-available");
    why = lab_api(l, "GET", "/api/v1/node/why/jq", NULL, &status);
    assert_int_equal(status, 200);
    reasons = json_object_get(why, "reasons");
    assert_int_equal(json_array_size(reasons), 3);
    for (size_t i = 0; i < COUNT(codes); i++) {
        const json_t *r = json_array_get(reasons, i);
        assert_string_equal(json_string_value(json_object_get(r, "code")), codes[i]);
        assert_string_equal(json_string_value(json_object_get(r, "when")), whens[i]);
        assert_string_equal(json_string_value(json_object_get(r, "document")), "policy/all/d-jq.json");
    }
    assert_string_equal(json_string_value(json_object_get(json_array_get(reasons, 0), "clock")), "2026-11-27T20:10:00Z");
    assert_string_equal(json_string_value(json_object_get(json_array_get(reasons, 2), "text")),
                        "outside the maintenance windows: fri 27 nov 23:00 CET, nights 23:00-01:00");
    json_decref(why);
}

static const char *text_of(json_t *node, const char *member)
{
    return json_string_value(json_object_get(json_object_get(node, member), "text"));
}

static void status_tells_what_comes_next(void **state)
{
    struct client_lab *l = *state;
    long               status;
    json_t            *node;

    lab_set(l, "policy/all/collection.json", "windows", "[{'name':'nights','when':'daily 23:00','duration_s':7200}]");
    lab_deploy(l, "jq", 2 * 3600 + 60, "", NULL);
    lab_deploy(l, "later", 86400, "", NULL);
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    node = lab_api(l, "GET", "/api/v1/node", NULL, &status);
    assert_string_equal(json_string_value(json_object_get(node, "timezone")), "Europe/Berlin");
    assert_string_equal(text_of(node, "next_window"), "fri 27 nov 23:00 CET to sat 28 nov 01:00 CET (nights 23:00-01:00)");
    assert_string_equal(text_of(node, "next_installation"),
                        "jq 1 will be installed at the deadline, fri 27 nov 23:01 CET, in the window nights 23:00-01:00");
    assert_string_equal(text_of(node, "restart"), "no restart is pending");
    assert_non_null(strstr(text_of(node, "policy"), "taken fri 27 nov 21:00 CET; signed until sun 29 nov 21:00 CET"));
    json_decref(node);
    lab_move(l, 2 * 3600 + 30);
    lab_run(l, 200);
    node = lab_api(l, "GET", "/api/v1/node", NULL, &status);
    assert_string_equal(text_of(node, "next_window"), "open until sat 28 nov 01:00 CET (nights 23:00-01:00)");
    json_decref(node);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(now_at_a_time_and_after_hours),
        LAB_TEST(what_cannot_be_installed_by_hand),
        LAB_TEST(who_may_install),
        LAB_TEST(a_stranger_is_no_administrator),
        LAB_TEST(postponed_within_limits),
        LAB_TEST(a_dry_run_changes_nothing),
        LAB_TEST(business_hours),
        LAB_TEST(why_names_every_gate_in_order),
        LAB_TEST(status_tells_what_comes_next),
    };

    return lab_main(argc, argv, tests);
}
