/* A node whose clock is wrong (node/client/vouched.c): set back it makes nothing valid that has expired, set forward it takes nothing away, and once it
 * is right again the node is as it was. */
#include "tests/unit/client_lab.h"

#define DAY  86400
#define YEAR (365 * DAY)

/* The node's clock alone; the site signs nothing. */
static void only_the_clock(struct client_lab *l, int64_t seconds)
{
    l->offset += seconds;
    lab_clock(l);
}

static bool polled(struct client_lab *l, const char *which)
{
    return !l->client->polling && l->client->poll_good_ms && !l->client->poll_error[0] && (which || true);
}

static bool refused(struct client_lab *l, const char *part)
{
    return !l->client->polling && strstr(l->client->poll_error, part);
}

static size_t said(struct client_lab *l, bool over)
{
    size_t  n = 0, i;
    json_t *m;

    json_array_foreach(l->messages, i, m)
        n += !strcmp(json_string_value(json_object_get(m, "topic")), "alert") && json_object_get(m, "event") &&
             !strcmp(json_string_value(json_object_get(m, "event")), "policy.expired") && json_is_true(json_object_get(m, "over")) == over;
    return n;
}

static bool told(struct client_lab *l, const char *which)
{
    return said(l, *which == 'o') > 0;
}

/* Asks now, and waits for the end of that. */
static void ask_again(struct client_lab *l)
{
    size_t before = l->questions;

    client_reload(l->client);
    for (int64_t end = clock_ms() + 8000; clock_ms() < end && (l->questions == before || l->client->polling);)
        uv_run(&l->net.loop, UV_RUN_ONCE);
    assert_true(l->questions > before);
}

static void begin(struct client_lab *l)
{
    lab_deploy(l, "jq", -10, "", NULL);
    lab_start(l);
    lab_expect(l, "jq installed");
    assert_true(lab_until(l, polled, NULL, 5000));
}

static void what_has_expired_stays_expired(void **state)
{
    struct client_lab *l = *state;

    begin(l);
    only_the_clock(l, 3 * DAY);
    assert_true(lab_until(l, refused, "timestamp has expired", 5000));
    assert_true(lab_until(l, told, "begun", 5000));
    only_the_clock(l, -YEAR);
    lab_run(l, 1500);
    ask_again(l);
    assert_true(refused(l, "timestamp has expired") || refused(l, "root has expired"));
    lab_stop(l);                                /* a restart does not make it forget */
    lab_start(l);
    assert_true(lab_until(l, refused, "timestamp has expired", 5000));
    assert_int_equal(said(l, false), 1);
    assert_int_equal(said(l, true), 0);
    assert_true(l->client->deployment_count == 1);      /* in force all the same */
    only_the_clock(l, YEAR);
    lab_move(l, 0);
    ask_again(l);
    assert_string_equal(l->client->poll_error, "");
    assert_true(lab_until(l, told, "over", 5000));
    assert_int_equal(said(l, false), 1);
    assert_int_equal(said(l, true), 1);
}

/* Newer than what the node has, signed and expired before its last good refresh: only the time that was vouched for tells. */
static void what_expired_before_the_last_good_refresh_is_not_new(void **state)
{
    struct client_lab *l = *state;
    int64_t            offset;

    begin(l);
    offset = l->offset;
    l->offset -= 5 * DAY;                       /* the site's clock was wrong when it signed this */
    lab_deploy(l, "tar", -10, "", NULL);
    l->offset = offset;
    only_the_clock(l, -5 * DAY);
    lab_run(l, 1500);
    ask_again(l);
    assert_true(refused(l, "has expired"));
    lab_stop(l);
    lab_start(l);
    assert_true(lab_until(l, refused, "has expired", 5000));
    assert_string_equal(lab_order(l), "jq ");
}

static void ten_years_ahead_takes_nothing_away(void **state)
{
    struct client_lab *l = *state;
    int64_t            now;

    lab_deploy(l, "later", 20 * YEAR, "", NULL);
    lab_deploy(l, "jq", -10, "", NULL);
    lab_start(l);
    lab_expect(l, "jq installed");
    lab_expect(l, "later deadline-ahead");
    assert_true(lab_until(l, polled, NULL, 5000));
    only_the_clock(l, 10 * YEAR);
    assert_true(lab_until(l, told, "begun", 5000));
    ask_again(l);
    ask_again(l);
    lab_run(l, 1500);
    assert_int_equal(said(l, false), 1);
    assert_int_equal(said(l, true), 0);
    assert_string_equal(lab_order(l), "jq ");
    assert_int_equal(l->client->deployment_count, 2);
    lab_expect(l, "jq installed");
    lab_expect(l, "later deadline-ahead");
    only_the_clock(l, -10 * YEAR);
    lab_move(l, 7 * 3600);                      /* the site has signed again meanwhile */
    ask_again(l);
    assert_string_equal(l->client->poll_error, "");
    assert_true(lab_until(l, told, "over", 5000));
    assert_int_equal(said(l, true), 1);
    now = client_now(l->client);
    assert_true(now - lab_now(l) < 60);         /* it does not live in the future */
    lab_deploy(l, "tar", 3600, "", NULL);
    ask_again(l);
    lab_expect(l, "tar deadline-ahead");
    lab_move(l, 3600);
    lab_expect(l, "tar installed");
}

/* It failed in the future: five minutes later is five minutes from now, not ten years. */
static void what_failed_ahead_of_time_is_tried_again(void **state)
{
    struct client_lab *l = *state;

    begin(l);
    lab_deploy(l, "bad", YEAR / 2, "", "fail");
    ask_again(l);
    lab_expect(l, "bad deadline-ahead");
    l->mute = true;                             /* nothing is refused: it cannot be asked */
    only_the_clock(l, YEAR);
    lab_expect(l, "bad retry-later");
    assert_int_equal(lab_job(l, "bad")->row.attempts, 1);
    only_the_clock(l, -YEAR);
    l->mute = false;
    lab_run(l, 500);
    assert_true(lab_job(l, "bad")->row.last_attempt <= lab_now(l));
    assert_true(l->client->evaluated_at <= lab_now(l));
    assert_true(l->client->scanned_at <= lab_now(l));
}

static void behind_what_was_vouched_for_time_goes_on_slowly(void **state)
{
    struct client_lab *l = *state;
    int64_t            vouched, before, begun, took;

    begin(l);
    vouched = l->client->vouched.at;
    assert_true(vouched <= lab_now(l) && vouched > lab_now(l) - 60);
    only_the_clock(l, -YEAR);
    lab_run(l, 200);
    before = client_now(l->client);
    begun = clock_ms();
    assert_true(before >= vouched);
    lab_run(l, 7000);
    took = (client_now(l->client) - before) * 2000 - (clock_ms() - begun);
    assert_true(took >= -4500 && took <= 2500); /* half a second a second; whole ones are told, and kept at a refresh */
    lab_stop(l);
    lab_start(l);
    assert_true(client_now(l->client) >= vouched);
}

/* Whatever the clock does, the site gets them in the order they happened. */
static void status_is_in_order(void **state)
{
    struct client_lab *l = *state;
    int64_t            last = 0;
    json_t            *m;
    size_t             i;

    begin(l);
    only_the_clock(l, 10 * YEAR);
    assert_true(lab_until(l, told, "begun", 5000));
    only_the_clock(l, -11 * YEAR);
    lab_run(l, 500);
    only_the_clock(l, YEAR);
    lab_deploy(l, "tar", -10, "", NULL);
    lab_move(l, 7 * 3600);
    ask_again(l);
    lab_expect(l, "tar installed");
    lab_run(l, 1000);
    json_array_foreach(l->messages, i, m) {
        int64_t serial = json_integer_value(json_object_get(m, "serial"));
        assert_true(!last || serial == last + 1);
        last = serial;
    }
    assert_true(i > 5);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(what_has_expired_stays_expired),
        LAB_TEST(what_expired_before_the_last_good_refresh_is_not_new),
        LAB_TEST(ten_years_ahead_takes_nothing_away),
        LAB_TEST(what_failed_ahead_of_time_is_tried_again),
        LAB_TEST(behind_what_was_vouched_for_time_goes_on_slowly),
        LAB_TEST(status_is_in_order),
    };

    return lab_main(argc, argv, tests);
}
