/* What nodes ask of the site: turns, signed and sealed. Enrolment: test_enrol.c; who may ask at all: test_admit.c; status is told end to end. */
#include "tests/unit/site_lab.h"

#include "node/base/clock.h"
#include "node/base/envelope.h"
#include "policy/trust/key.h"

static struct site_lab lab;
static struct key      node_key;
static char            node[NODE_ID_SIZE];

static int begin(void **state)
{
    (void)state;
    site_lab_open(&lab);
    site_lab_node(&lab, "till-1", &node_key, node);
    return 0;
}

static int end(void **state)
{
    (void)state;
    site_lab_close(&lab);
    return 0;
}

static struct came post(const void *body, size_t length)
{
    return site_lab_ask(&lab, (struct web_call){.method = "POST", .body = body, .body_length = length}, "/api/v1/turn");
}

/* The status of the answer, which is taken into *out when wanted. */
static long ask(const struct key *key, const char *audience, const char *text, json_t **out)
{
    uint8_t     *sealed = NULL;
    size_t       length;
    struct error e;
    struct came  c;

    assert_int_equal(envelope_seal(key, lab.site->seal_public, audience, text, strlen(text), &sealed, &length, &e), OK);
    c = post(sealed, length);
    if (out)
        *out = json_loads(c.body, 0, NULL);
    free(c.body);
    free(sealed);
    return c.status;
}

static void test_turn(void **state)
{
    json_t *out;

    (void)state;
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"take\"}", &out), 200);
    assert_true(json_is_true(json_object_get(out, "granted")));
    assert_true(json_integer_value(json_object_get(out, "until")) > clock_now());
    assert_int_equal(json_integer_value(json_object_get(out, "again_s")), 60);
    json_decref(out);
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"give\"}", NULL), 200);
}

/* A relay carries what others have signed; what a retired node has signed is refused, whoever brings it. */
static void test_relay(void **state)
{
    struct key relay;
    char       id[NODE_ID_SIZE];

    (void)state;
    site_lab_node(&lab, "relay", &relay, id);
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"take\"}", NULL), 200);
    json_decref(must(&lab, "DELETE", "nodes/till-1", NULL));
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"take\"}", NULL), 403);
    assert_int_equal(ask(&relay, lab.site->id, "{\"op\":\"take\"}", NULL), 200);
}

/* Somebody else's key, another site's envelope, nonsense, too much: refused, and nothing of it is in the ledger. */
static void test_refused(void **state)
{
    AUTO(text_free) char *long_one = must_print("{\"op\":\"take\",\"x\":\"%05000d\"}", 0);
    struct key            other;
    struct came           c;
    char                  zeros[8192] = {0};

    (void)state;
    assert_int_equal(key_generate(&other), OK);
    assert_int_equal(ask(&other, lab.site->id, "{\"op\":\"take\"}", NULL), 403);
    assert_int_equal(ask(&node_key, "another-site", "{\"op\":\"take\"}", NULL), 422);
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"seize\"}", NULL), 400);
    assert_int_equal(ask(&node_key, lab.site->id, "[1", NULL), 422);
    assert_int_equal(ask(&node_key, lab.site->id, long_one, NULL), 422);
    c = post(zeros, 100);
    assert_int_equal(c.status, 422);
    free(c.body);
    c = post(zeros, sizeof zeros);
    assert_int_equal(c.status, 413);
    free(c.body);
    json_decref(must(&lab, "DELETE", "nodes/till-1", NULL));
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"take\"}", NULL), 403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_turn, begin, end),
                                       cmocka_unit_test_setup_teardown(test_relay, begin, end),
                                       cmocka_unit_test_setup_teardown(test_refused, begin, end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
