/* A node and an https site: enrolment, certificates, and whose key is believed. */
#include "tests/unit/identity_lab.h"

/* --- enrolment --- */

static void it_is_enrolled_and_goes_on(void **state)
{
    struct client *c;

    (void)state;
    unenrolled();
    c = t.l->client;
    WAIT(polled, NULL);
    assert_int_equal(t.enrolments, 1);
    assert_int_equal(t.certificates, 0);
    assert_int_equal(t.bare, 0);
    assert_true(t.admitted > 3);
    assert_true(stored("site.pin", t.pin) && stored("site.ca", t.ca_pem) && stored("certificate", c->identity.certificate));
    assert_string_equal(c->identity.read.subject, c->node_id);
    json_t *o = node_json();
    assert_non_null(strstr(json_string_value(json_object_get(json_object_get(o, "certificate"), "text")), "good until"));
    json_decref(o);
    /* … and so it is after a restart. */
    lab_stop(t.l);
    lab_start(t.l);
    WAIT(polled, NULL);
    assert_int_equal(t.enrolments + t.certificates, 1);
    assert_int_equal(t.bare, 0);
}

static void words_without_the_secret_change_nothing(void **state)
{
    (void)state;
    t.mood = WRONG_MAC;
    unenrolled();
    WAIT(wrong_says, "token's secret");
    assert_false(t.l->client->enrolled);
    assert_true(stored("site.id", NULL) && stored("certificate", NULL) && stored("site.pin", NULL) && stored("site.ca", NULL));
    assert_int_equal(t.admitted, 0);
    t.mood = GOOD;
    t.l->client->next_poll = 0;
    WAIT(polled, NULL);
}

static void it_waits_for_an_administrator(void **state)
{
    int64_t wait;
    json_t *o;

    (void)state;
    t.mood = PENDING;
    unenrolled();
    WAIT(wrong_says, "has to approve");
    for (int i = 0; i < 6; i++) {               /* 30 s, doubled, five minutes at most */
        wait = t.l->client->next_poll - clock_ms();
        assert_in_range(wait, (30000 << i > 300000 ? 300000 : 30000 << i) - 5000, 300000);
        t.l->client->next_poll = 0;
        while (t.enrolments < i + 2 || t.l->client->polling)
            uv_run(&t.l->net.loop, UV_RUN_ONCE);
    }
    assert_false(t.l->client->enrolled);
    o = node_json();
    assert_string_equal(json_string_value(json_object_get(o, "pending")), "an administrator? has to approve");
    json_decref(o);
    t.mood = GOOD;
    t.l->client->next_poll = 0;
    WAIT(polled, NULL);
    assert_string_equal(t.l->client->pending, "");
}

/* --- certificates --- */

static void one_from_before_certificates_gets_one_at_once(void **state)
{
    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    assert_int_equal(t.certificates, 1);
    assert_int_equal(t.enrolments, 0);
    assert_true(stored("site.ca", t.ca_pem));
}

static void it_is_renewed_at_half_its_life(void **state)
{
    int64_t before;

    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    before = t.l->client->identity.read.not_after;
    lab_move(t.l, CERTIFICATE_LIFE / 2 - CERTIFICATE_EARLY);
    lab_run(t.l, 500);
    assert_int_equal(t.certificates, 1);
    lab_move(t.l, CERTIFICATE_EARLY);
    WAIT(asked_again, "2");
    WAIT(idle, NULL);
    assert_true(t.l->client->identity.read.not_after > before + CERTIFICATE_LIFE / 2 - 3600);
    assert_int_equal(t.stale, 0);
    client_reload(t.l->client);
    lab_run(t.l, 500);
    assert_int_equal(t.certificates, 2);
    assert_string_equal(t.l->client->poll_error, "");
}

/* Switched off for longer than it held: it is asked for with the old one, and everything goes on. */
static void one_that_ran_out_is_renewed_all_the_same(void **state)
{
    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    WAIT(idle, NULL);
    lab_stop(t.l);
    lab_move(t.l, CERTIFICATE_LIFE + 60);
    lab_start(t.l);
    WAIT(asked_again, "2");
    WAIT(polled, NULL);
    assert_true(t.stale > 0);
    assert_true(t.l->client->identity.read.not_after > lab_now(t.l));
}

static size_t alerts(const char *event)
{
    size_t  i, n = 0;
    json_t *m;

    json_array_foreach(t.l->messages, i, m)
        n += json_is_string(json_object_get(m, "event")) && !strcmp(json_string_value(json_object_get(m, "event")), event);
    return n;
}

static bool alerted(struct client_lab *l, const char *which)
{
    (void)l;
    return alerts(which) > 0;
}

static void a_refusal_is_told_once_and_is_not_the_end(void **state)
{
    json_t *o;

    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    t.mood = REFUSES;
    lab_move(t.l, CERTIFICATE_LIFE / 2 + 60);
    WAIT(alerted, "certificate.refused");
    for (int i = 3; i < 6; i++) {
        char n[16];

        snprintf(n, sizeof n, "%d", i);
        t.l->client->identity.again_at = 0;
        WAIT(asked_again, n);
        WAIT(idle, NULL);
    }
    lab_run(t.l, 600);
    assert_int_equal(alerts("certificate.refused"), 1);
    assert_non_null(strstr(client_status_line(t.l->client), "till-1 is retired"));
    o = node_json();
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "certificate"), "problem")), "till-1 is retired");
    json_decref(o);
    assert_true(t.l->client->identity.again_at - clock_ms() > 10000);       /* it has learned to wait */
    t.mood = GOOD;
    client_reload(t.l->client);                 /* ferry poll */
    lab_run(t.l, 600);
    assert_string_equal(t.l->client->identity.why, "");
}

static void an_outage_is_no_refusal(void **state)
{
    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    t.mood = BROKEN;
    lab_move(t.l, CERTIFICATE_LIFE / 2 + 60);
    WAIT(asked_again, "2");
    lab_run(t.l, 600);
    assert_int_equal(alerts("certificate.refused"), 0);
    assert_string_equal(t.l->client->poll_error, "");
}

static void a_certificate_for_another_is_not_taken(void **state)
{
    AUTO(text_free) char *before = NULL;

    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    before = must_copy(t.l->client->identity.certificate);
    t.mood = ANOTHERS;
    lab_move(t.l, CERTIFICATE_LIFE / 2 + 60);
    WAIT(wrong_says, "another key");
    assert_true(stored("certificate", before));
    assert_string_equal(t.l->client->identity.certificate, before);
}

/* --- whose key --- */

static void publish(const char *member, const char *value)
{
    json_t *fleet = json_incref(json_object_get(t.l->documents, "policy/fleet/fleet.json"));

    json_object_set_new(fleet, member, json_string(value));
    lab_put(t.l, "policy/fleet/fleet.json", fleet);
    lab_publish(t.l);
}

static bool pinned(struct client_lab *l, const char *which)
{
    return l->client->identity.site_pin && !strcmp(l->client->identity.site_pin, which);
}

/* The key is changed as the site does it: both are pinned for a while, then the new one is used. */
static void the_policy_says_which_key_is_next(void **state)
{
    AUTO(text_free) char *both = must_print("%s;%s", t.pin, t.wrong);

    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    WAIT(idle, NULL);
    publish("site_pin", both);
    client_reload(t.l->client);
    WAIT(pinned, both);
    assert_true(stored("site.pin", both));
    lab_stop(t.l);
    lab_start(t.l);
    WAIT(polled, NULL);
    assert_string_equal(t.l->client->poll_error, "");
    publish("site_pin", t.wrong);               /* the site went on with the old key: it is not spoken to any more */
    client_reload(t.l->client);
    WAIT(pinned, t.wrong);
    client_reload(t.l->client);
    WAIT(wrong_says, "pinned public key");
}

static void change_ca(void)
{
    free(t.ca_pem);
    t.ca = t.stranger;
    assert_int_equal(certificate_make_ca(&t.ca, "hq", lab_now(t.l), &t.ca_pem, NULL), OK);
}

/* Its certificate is worth nothing any more, so not even the policy that says so can be fetched: it asks for another, and goes on. */
static void another_ca_of_the_site_is_found_out(void **state)
{
    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    WAIT(idle, NULL);
    change_ca();
    publish("ca", t.ca_pem);
    client_reload(t.l->client);
    WAIT(asked_again, "2");
    lab_run(t.l, 600);
    assert_string_equal(t.l->client->poll_error, "");
    assert_int_equal(t.certificates, 2);
    assert_true(stored("site.ca", t.ca_pem));
    assert_string_equal(t.l->client->fleet->ca, t.ca_pem);
}

/* The policy came first: a new certificate is due at once. */
static void another_ca_in_the_policy_makes_a_new_certificate_due(void **state)
{
    struct error e;
    char        *fresh;

    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    WAIT(idle, NULL);
    t.mood = BROKEN;
    assert_int_equal(certificate_make_ca(&t.stranger, "hq", lab_now(t.l), &fresh, &e), OK);
    publish("ca", fresh);
    free(fresh);
    client_reload(t.l->client);
    WAIT(asked_again, "2");
    change_ca();
    t.mood = GOOD;
    client_reload(t.l->client);
    WAIT(asked_again, "3");
    WAIT(idle, NULL);
    assert_true(stored("site.ca", t.ca_pem));
    assert_string_equal(t.l->client->identity.why, "");
}

static void a_wrong_key_stops_everything_and_says_why(void **state)
{
    (void)state;
    enrolled(t.wrong);
    WAIT(wrong_says, "pinned public key");
    lab_run(t.l, 500);
    assert_int_equal(t.certificates + t.admitted + t.bare, 0);
    assert_null(t.l->client->fleet);
    assert_non_null(strstr(t.l->client->identity.why, "pinned public key"));
}

static void https_without_a_known_key_is_refused(void **state)
{
    (void)state;
    enrolled(NULL);
    WAIT(wrong_says, "which key the site has");
    lab_run(t.l, 500);
    assert_int_equal(t.certificates + t.admitted + t.bare, 0);
}

/* Laboratories: nothing is pinned, but a CA that the node knows already is not replaced by whoever sits in between. */
static void over_http_the_known_ca_stays(void **state)
{
    struct route_set      sets[] = {{identity_routes, COUNT(identity_routes), NULL}, {lab_routes, COUNT(lab_routes), t.l}};
    AUTO(text_free) char *known = NULL;
    char                  url[64];

    (void)state;
    assert_int_equal(server_open_sets(&t.l->net.loop, "127.0.0.1:0", sets, 2, &t.second, NULL), OK);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server_port(t.second));
    t.l->config.site = url;
    enrolled(NULL);
    WAIT(polled, NULL);
    known = must_copy(t.ca_pem);
    change_ca();
    lab_move(t.l, CERTIFICATE_LIFE / 2 + 60);
    WAIT(wrong_says, "another CA");
    assert_true(stored("site.ca", known));
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(it_is_enrolled_and_goes_on),
        T(words_without_the_secret_change_nothing),
        T(it_waits_for_an_administrator),
        T(one_from_before_certificates_gets_one_at_once),
        T(it_is_renewed_at_half_its_life),
        T(one_that_ran_out_is_renewed_all_the_same),
        T(a_refusal_is_told_once_and_is_not_the_end),
        T(an_outage_is_no_refusal),
        T(a_certificate_for_another_is_not_taken),
        T(the_policy_says_which_key_is_next),
        T(another_ca_of_the_site_is_found_out),
        T(another_ca_in_the_policy_makes_a_new_certificate_due),
        T(a_wrong_key_stops_everything_and_says_why),
        T(https_without_a_known_key_is_refused),
        T(over_http_the_known_ca_stays),
    };

    return lab_main(argc, argv, tests);
}
