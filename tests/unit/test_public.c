/* What nodes ask of the site: turns, signed and sealed. Enrolment: test_enrol.c; who may ask at all: test_admit.c; status is told end to end. */
#include "tests/unit/site_lab.h"

#include "node/base/clock.h"
#include "node/base/envelope.h"
#include "policy/authoring/rows.h"
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

static long deliver(const char *path, const void *body, size_t length)
{
    AUTO(text_free) char *whole = must_print("/api/v1/%s", path);
    struct came           c = site_lab_ask(&lab, (struct web_call){.method = "POST", .body = body, .body_length = length}, whole);

    free(c.body);
    return c.status;
}

static uint8_t *sealed(const struct key *key, const char *audience, const char *text, size_t *length)
{
    uint8_t     *out = NULL;
    struct error e;

    assert_int_equal(envelope_seal(key, lab.site->seal_public, audience, text, strlen(text), &out, length, &e), OK);
    return out;
}

/* The status of the answer, which is taken into *out when wanted. %lld in text: a number that rises. */
static long ask(const struct key *key, const char *audience, const char *format, json_t **out)
{
    static int64_t number;
    const char    *at = strstr(format, "%lld");
    AUTO(text_free) char *text = at ? must_print("%.*s%lld%s", (int)(at - format), format, (long long)++number, at + 4) : must_copy(format);
    size_t       length;
    uint8_t     *box = sealed(key, audience, text, &length);
    struct came  c = post(box, length);

    if (out)
        *out = json_loads(c.body, 0, NULL);
    free(c.body);
    free(box);
    return c.status;
}

static void test_turn(void **state)
{
    json_t *out;

    (void)state;
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"take\",\"number\":%lld}", &out), 200);
    assert_true(json_is_true(json_object_get(out, "granted")));
    assert_true(json_integer_value(json_object_get(out, "until")) > clock_now());
    assert_int_equal(json_integer_value(json_object_get(out, "again_s")), 60);
    json_decref(out);
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"give\",\"number\":%lld}", NULL), 200);
}

/* A relay carries what others have signed; what a retired node has signed is refused, whoever brings it. */
static void test_relay(void **state)
{
    struct key relay;
    char       id[NODE_ID_SIZE];

    (void)state;
    site_lab_node(&lab, "relay", &relay, id);
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"take\",\"number\":%lld}", NULL), 200);
    json_decref(must(&lab, "DELETE", "nodes/till-1", NULL));
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"take\",\"number\":%lld}", NULL), 403);
    assert_int_equal(ask(&relay, lab.site->id, "{\"op\":\"take\",\"number\":%lld}", NULL), 200);
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
    assert_int_equal(ask(&other, lab.site->id, "{\"op\":\"take\",\"number\":%lld}", NULL), 403);
    assert_int_equal(ask(&node_key, "another-site", "{\"op\":\"take\",\"number\":%lld}", NULL), 422);
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"seize\",\"number\":%lld}", NULL), 400);
    assert_int_equal(ask(&node_key, lab.site->id, "[1", NULL), 422);
    assert_int_equal(ask(&node_key, lab.site->id, long_one, NULL), 422);
    c = post(zeros, 100);
    assert_int_equal(c.status, 422);
    free(c.body);
    c = post(zeros, sizeof zeros);
    assert_int_equal(c.status, 413);
    free(c.body);
    json_decref(must(&lab, "DELETE", "nodes/till-1", NULL));
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"take\",\"number\":%lld}", NULL), 403);
}

static int64_t number_of(const char *sql)
{
    json_t *rows = NULL;
    int64_t n;

    assert_int_equal(rows_found(lab.site->ledger, sql, NULL, &rows, NULL), OK);
    n = json_integer_value(json_object_iter_value(json_object_iter(json_array_get(rows, 0))));
    json_decref(rows);
    return n;
}

/* A question that somebody has copied on its way takes no turn and gives none back, also when the site has been started again. */
static void test_turn_replayed(void **state)
{
    size_t   n, m;
    uint8_t *take, *give;

    (void)state;
    json_decref(must(&lab, "PATCH", "collections/all/orchestration", json_pack("{s:i}", "count", 1)));
    take = sealed(&node_key, lab.site->id, "{\"op\":\"take\",\"number\":1000001}", &n);
    give = sealed(&node_key, lab.site->id, "{\"op\":\"give\",\"number\":1000002}", &m);
    assert_int_equal(deliver("turn", take, n), 200);
    assert_int_equal(number_of("SELECT count(*) FROM turn WHERE until > 0"), 1);
    assert_int_equal(deliver("turn", give, m), 200);
    assert_int_equal(number_of("SELECT count(*) FROM turn"), 0);
    assert_int_equal(deliver("turn", take, n), 403);
    assert_int_equal(number_of("SELECT count(*) FROM turn"), 0);
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"take\",\"number\":1000003}", NULL), 200);
    site_lab_stop(&lab);
    site_lab_start(&lab);
    assert_int_equal(deliver("turn", give, m), 403);
    assert_int_equal(number_of("SELECT count(*) FROM turn WHERE until > 0"), 1);
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"give\"}", NULL), 400);
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"give\",\"number\":-1}", NULL), 400);
    assert_int_equal(ask(&node_key, lab.site->id, "{\"op\":\"give\",\"number\":\"1000009\"}", NULL), 400);
    assert_int_equal(number_of("SELECT count(*) FROM turn WHERE until > 0"), 1);
    free(take);
    free(give);
}

/* --- status --- */

#define BATCH "[{\"serial\":%d,\"time\":1700000000,\"topic\":\"facts\",\"facts\":{\"hostname\":\"%s\"}}]"

static uint8_t *batch(const struct key *key, int serial, const char *says, size_t *n)
{
    AUTO(text_free) char *text = must_print(BATCH, serial, says);

    return sealed(key, lab.site->id, text, n);
}

static bool facts_say(const char *id, const char *word)
{
    AUTO(text_free) char *sql = must_print("SELECT count(*) FROM node WHERE id = '%s' AND facts LIKE '%%%s%%'", id, word);

    return number_of(sql) == 1;
}

static int64_t ledger_sum(void)
{
    return number_of("SELECT coalesce(sum(held), 0) + 100000 * (SELECT count(*) FROM message) FROM node");
}

/* Copies, in whatever order: what came is not taken again, and what is older changes nothing that is newer. */
static void test_status_replayed(void **state)
{
    size_t   n, m;
    uint8_t *old = batch(&node_key, 1, "old", &n), *new = batch(&node_key, 2, "new", &m);
    int64_t  sum;

    (void)state;
    assert_int_equal(deliver("status", old, n), 200);
    assert_true(facts_say(node, "old"));
    assert_int_equal(deliver("status", new, m), 200);
    assert_true(facts_say(node, "new"));
    sum = ledger_sum();
    assert_int_equal(deliver("status", old, n), 200);
    assert_int_equal(deliver("status", new, m), 200);
    assert_int_equal(deliver("status", old, n), 200);
    assert_true(facts_say(node, "new"));
    assert_int_equal(ledger_sum(), sum);
    free(old);
    free(new);
}

/* The newer batch first: the older one comes too late, and the gap is told. */
static void test_status_reordered(void **state)
{
    size_t   n, m, k;
    uint8_t *first = batch(&node_key, 1, "first", &n), *second = batch(&node_key, 2, "second", &m), *third = batch(&node_key, 3, "third", &k);

    (void)state;
    assert_int_equal(deliver("status", first, n), 200);
    assert_int_equal(deliver("status", third, k), 200);
    assert_int_equal(deliver("status", second, m), 200);
    assert_true(facts_say(node, "third"));
    assert_int_equal(number_of("SELECT count(*) FROM alert WHERE event = 'status.gap'"), 1);
    free(first);
    free(second);
    free(third);
}

/* Every byte counts, every length too; nothing of it is in the ledger. */
static void test_status_altered(void **state)
{
    size_t   n;
    uint8_t *box = batch(&node_key, 1, "altered", &n);

    (void)state;
    for (size_t i = 0; i < n; i += 7) {
        box[i] ^= 0x20;
        assert_int_equal(deliver("status", box, n), 422);
        box[i] ^= 0x20;
    }
    for (size_t cut = 1; cut < n; cut += 11)
        assert_int_equal(deliver("status", box, n - cut), 422);
    assert_int_equal(ledger_sum(), 0);
    assert_int_equal(deliver("status", box, n), 200);
    free(box);
}

/* Who signs is who speaks: another's key, another site's envelope, and a relay that opens nothing and puts its own name on it. */
static void test_status_of_others(void **state)
{
    struct author a = site_author(lab.site, "test");
    json_t       *token = must(&lab, "POST", "tokens", NULL);
    struct key    other, stranger;
    char          other_node[NODE_ID_SIZE];
    size_t        n;
    struct error  e;
    uint8_t      *box;

    (void)state;
    assert_int_equal(key_generate(&other), OK);
    assert_int_equal(key_generate(&stranger), OK);
    assert_int_equal(node_enrol(&a, json_string_value(json_object_get(token, "token_id")), other.public, "till-2", "10.0.0.2", other_node, &e), OK);
    json_decref(token);
    box = batch(&stranger, 1, "stranger", &n);
    assert_int_equal(deliver("status", box, n), 403);
    free(box);
    box = sealed(&node_key, "another-site", "[]", &n);
    assert_int_equal(deliver("status", box, n), 422);
    free(box);
    memcpy(other.public, node_key.public, sizeof other.public);    /* signed by the other, in the name of the first */
    box = batch(&other, 1, "forged", &n);
    assert_int_equal(deliver("status", box, n), 422);
    free(box);
    assert_int_equal(ledger_sum(), 0);
    box = sealed(&node_key, lab.site->id, "[{\"serial\":1,\"node\":\"other\",\"topic\":\"facts\",\"facts\":{\"hostname\":\"mine\"}}]", &n);
    assert_int_equal(deliver("status", box, n), 200);
    assert_true(facts_say(node, "mine"));
    assert_false(facts_say(other_node, "mine"));    /* what a message says of its node counts for nothing */
    free(box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_turn, begin, end),
        cmocka_unit_test_setup_teardown(test_relay, begin, end),
        cmocka_unit_test_setup_teardown(test_turn_replayed, begin, end),
        cmocka_unit_test_setup_teardown(test_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_status_replayed, begin, end),
        cmocka_unit_test_setup_teardown(test_status_reordered, begin, end),
        cmocka_unit_test_setup_teardown(test_status_altered, begin, end),
        cmocka_unit_test_setup_teardown(test_status_of_others, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
