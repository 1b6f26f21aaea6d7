/* Enrolment: tokens for one machine and for many, answers that were lost, machines that wait for an administrator. */
#include "tests/unit/desk.h"

#include "policy/trust/certificate.h"

static const uint8_t key_a[32] = {1}, key_b[32] = {2};

static enum err enrol(struct desk *d, const char *token, const uint8_t key[32], const char *hostname, char id[NODE_ID_SIZE])
{
    return node_enrol(&d->a, token, key, hostname, "10.1.0.7", id, &d->e);
}

static char *token(struct desk *d, const char *args)
{
    json_t *out = ask(d, "node.token", args);
    char   *id = must_copy(json_string_value(json_object_get(out, "token_id")));

    json_decref(out);
    return id;
}

static void test_once(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *t = token(d, "{}");
    char                  id[NODE_ID_SIZE], known[NODE_ID_SIZE];
    json_t               *audit;

    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    assert_true(node_known(d->a.ledger, key_a, known));
    assert_string_equal(id, known);
    assert_int_equal(enrol(d, t, key_b, "till-2", id), ERR_DENIED);
    assert_non_null(strstr(d->e.text, "has been used"));
    assert_false(node_known(d->a.ledger, key_b, known));
    assert_int_equal(enrol(d, "0000000000000000", key_b, "till-2", id), ERR_DENIED);
    audit = ask(d, "audit.list", "{}");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(audit, "items"), 0), "command")), "node.enrol");
    json_decref(audit);
}

static void test_expired(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *t = token(d, "{'expires':'1h'}");
    uint8_t               secret[16];
    char                  id[NODE_ID_SIZE];

    d->a.now += 3600;
    assert_int_equal(enrol(d, t, key_a, "till-1", id), ERR_DENIED);
    assert_non_null(strstr(d->e.text, "expired"));
    assert_int_equal(node_token_secret(d->a.ledger, t, key_a, d->a.now, secret, &d->e), ERR_DENIED);
    refused(d, ERR_USAGE, "duration", "node.token", "{'expires':'soon'}");
}

/* Neither the audit log nor a list tells a token's secret. */
static void test_secret(void **state)
{
    struct desk *d = *state;
    json_t      *out = ask(d, "node.token", "{}"), *audit = ask(d, "audit.list", "{}");
    char        *log = json_dumps(audit, 0);
    uint8_t      secret[16], told[16];

    assert_null(strstr(log, json_string_value(json_object_get(out, "secret"))));
    assert_int_equal(node_token_secret(d->a.ledger, json_string_value(json_object_get(out, "token_id")), key_a, d->a.now, secret, &d->e), OK);
    assert_true(hex_decode(json_string_value(json_object_get(out, "secret")), told, 16));
    assert_memory_equal(secret, told, 16);
    free(log);
    json_decref(audit);
    json_decref(out);
}

/* A dry run's token opens nothing. */
static void test_dry_token(void **state)
{
    struct desk *d = *state;
    char         id[NODE_ID_SIZE];

    d->a.dry_run = true;
    AUTO(text_free) char *t = token(d, "{}");
    d->a.dry_run = false;
    assert_int_equal(enrol(d, t, key_a, "till-1", id), ERR_DENIED);
}

/* The answer was lost: the same key gets it again, even when the token has expired meanwhile; no other key does. */
static void test_lost_answer(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *t = token(d, "{}");
    char                  id[NODE_ID_SIZE], again[NODE_ID_SIZE];
    uint8_t               secret[16];
    int64_t               lines;

    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    lines = count_in(d, "audit");
    d->a.now += 90000;
    assert_int_equal(node_token_secret(d->a.ledger, t, key_a, d->a.now, secret, &d->e), OK);
    assert_int_equal(enrol(d, t, key_a, "till-1", again), OK);
    assert_string_equal(id, again);
    assert_int_equal(count_in(d, "node"), 1);
    assert_int_equal(count_in(d, "audit"), lines);
    assert_int_equal(node_token_secret(d->a.ledger, t, key_b, d->a.now, secret, &d->e), ERR_DENIED);
    assert_int_equal(enrol(d, t, key_b, "till-1", again), ERR_DENIED);
    assert_int_equal(count_in(d, "node"), 1);
}

static int64_t waiting(struct desk *d)
{
    json_t *out = ask(d, "node.pending", "{}");
    int64_t n = number_in(out, "total");

    json_decref(out);
    return n;
}

/* A token for many: each waits, once; the one that is approved becomes a node, even after the token's end. */
static void test_approval(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *t = token(d, "{'approval':true}");
    char                  id[NODE_ID_SIZE], pin[CERTIFICATE_PIN];
    const uint8_t         key_c[32] = {3};
    json_t               *out, *row;

    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    assert_string_equal(id, "");
    d->a.now += 60;
    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    assert_int_equal(enrol(d, t, key_b, "till-2", id), OK);
    assert_string_equal(id, "");
    assert_false(node_known(d->a.ledger, key_a, id));
    out = ask(d, "node.pending", "{}");
    assert_int_equal(number_in(out, "total"), 2);
    row = row_with(json_object_get(out, "items"), "hostname", "till-1");
    assert_string_equal(json_string_value(json_object_get(row, "id")), id);
    assert_string_equal(json_string_value(json_object_get(row, "address")), "10.1.0.7");
    assert_string_equal(json_string_value(json_object_get(row, "since")), "2027-01-15T08:00:00Z");
    assert_string_equal(json_string_value(json_object_get(row, "key")), certificate_pin(key_a, pin));
    json_decref(out);
    refused(d, ERR_NOT_FOUND, "did you mean \"till-1\"?", "node.approve", "{'name':'till1'}");
    say(d, "node.approve", "{'name':'till-1'}");
    assert_true(node_known(d->a.ledger, key_a, id));
    assert_int_equal(waiting(d), 1);
    refused(d, ERR_NOT_FOUND, "waits", "node.approve", "{'name':'till-1'}");
    d->a.now += 8 * 86400;
    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    assert_string_not_equal(id, "");
    assert_int_equal(enrol(d, t, key_b, "till-2", id), OK);
    assert_string_equal(id, "");
    assert_int_equal(enrol(d, t, key_c, "till-3", id), ERR_DENIED);
    assert_non_null(strstr(d->e.text, "expired"));
}

/* Rejected: not with that token; another one is another matter. Retired: on the list again. */
static void test_reject(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *t = token(d, "{'approval':true}"), *other = token(d, "{'approval':true}"), *single = token(d, "{}");
    char                  id[NODE_ID_SIZE];

    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    say(d, "node.reject", "{'name':'till-1'}");
    assert_int_equal(waiting(d), 0);
    assert_int_equal(enrol(d, t, key_a, "till-1", id), ERR_DENIED);
    assert_non_null(strstr(d->e.text, "rejected"));
    assert_int_equal(waiting(d), 0);
    assert_int_equal(enrol(d, other, key_a, "till-1", id), OK);
    assert_string_equal(id, "");
    assert_int_equal(waiting(d), 1);
    assert_int_equal(enrol(d, single, key_a, "till-1", id), OK);
    assert_string_not_equal(id, "");
    assert_int_equal(waiting(d), 0);
    say(d, "node.retire", "{'name':'till-1'}");
    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    assert_string_equal(id, "");
    assert_int_equal(waiting(d), 1);
}

/* Two machines of one name: nobody is let in by mistake. */
static void test_namesakes(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *t = token(d, "{'approval':true}"), *args = NULL;
    char                  id[NODE_ID_SIZE], known[NODE_ID_SIZE];

    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    assert_int_equal(enrol(d, t, key_b, "till-1", id), OK);
    key_node_id(key_b, id);
    refused(d, ERR_CONDITION, id, "node.approve", "{'name':'till-1'}");
    args = must_print("{'name':'%s'}", id);
    say(d, "node.approve", args);
    assert_true(node_known(d->a.ledger, key_b, known));
    assert_false(node_known(d->a.ledger, key_a, known));
}

/* Whoever holds the token fills the list up to its end and no further; who waits already is not pushed out. */
static void test_many(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *t = token(d, "{'approval':true}");
    char                  id[NODE_ID_SIZE];
    uint8_t               key[32] = {9};

    for (int i = 0; i < 1000; i++) {
        key[1] = (uint8_t)i;
        key[2] = (uint8_t)(i >> 8);
        assert_int_equal(enrol(d, t, key, "till", id), OK);
    }
    assert_int_equal(enrol(d, t, key_a, "till-1", id), ERR_AGAIN);
    assert_int_equal(enrol(d, t, key, "till", id), OK);
    assert_int_equal(waiting(d), 1000);
}

/* The audit log has every act of it. */
static void test_audit(void **state)
{
    static const char *const acts[] = {"node.retire", "node.reject", "node.approve", "node.enrol", "node.ask",
                                       "node.ask",    "node.enrol",  "node.token",   "node.token"};
    struct desk             *d = *state;
    AUTO(text_free) char    *t = token(d, "{}"), *many = token(d, "{'approval':true}");
    char                     id[NODE_ID_SIZE];
    json_t                  *out, *row;
    size_t                   i;

    d->a.who = "uid 7";
    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    assert_int_equal(enrol(d, many, key_b, "till-2", id), OK);
    assert_int_equal(enrol(d, many, key_b, "till-2", id), OK);
    assert_int_equal(enrol(d, many, (const uint8_t[32]){3}, "till-3", id), OK);
    say(d, "node.approve", "{'name':'till-2'}");
    say(d, "node.reject", "{'name':'till-3'}");
    say(d, "node.retire", "{'name':'till-1'}");
    out = ask(d, "audit.list", "{}");
    assert_int_equal(number_in(out, "total"), COUNT(acts));
    json_array_foreach(json_object_get(out, "items"), i, row)
        assert_string_equal(json_string_value(json_object_get(row, "command")), acts[i]);
    json_decref(out);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_once),     T(test_expired), T(test_secret),    T(test_dry_token), T(test_lost_answer),
        T(test_approval), T(test_reject),  T(test_namesakes), T(test_many),      T(test_audit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
