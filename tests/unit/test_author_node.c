/* Enrolment tokens, enrolled machines, retired ones. */
#include "tests/unit/desk.h"

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
    assert_int_equal(node_token_secret(d->a.ledger, t, d->a.now, secret, &d->e), ERR_DENIED);
    refused(d, ERR_USAGE, "duration", "node.token", "{'expires':'soon'}");
}

/* Putting in order takes it away: it is not good again when the clock is set back. */
static void test_expired_for_good(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *t = token(d, "{'expires':'1h'}"), *good = token(d, "{'expires':'3h'}");
    char                  id[NODE_ID_SIZE];
    json_t               *out;

    d->a.now += 3600;
    assert_int_equal(author_tidy(&d->a, &out, &d->e), OK);
    json_decref(out);
    d->a.now -= 3600;
    assert_int_equal(enrol(d, t, key_a, "till-1", id), ERR_DENIED);
    assert_int_equal(enrol(d, good, key_a, "till-1", id), OK);
}

/* Neither the audit log nor a list tells a token's secret. */
static void test_secret(void **state)
{
    struct desk *d = *state;
    json_t      *out = ask(d, "node.token", "{}"), *audit = ask(d, "audit.list", "{}");
    char        *log = json_dumps(audit, 0);
    uint8_t      secret[16], told[16];

    assert_null(strstr(log, json_string_value(json_object_get(out, "secret"))));
    assert_int_equal(node_token_secret(d->a.ledger, json_string_value(json_object_get(out, "token_id")), d->a.now, secret, &d->e), OK);
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

/* Retired: gone from lists, counts and members, its status refused; enrolled again it starts unknown. */
static void test_retire(void **state)
{
    struct desk *d = *state;
    char         id[NODE_ID_SIZE], known[NODE_ID_SIZE];
    json_t      *out;

    desk_catalog(d);
    AUTO(text_free) char *t = token(d, "{}"), *again = token(d, "{}");
    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    desk_status(
        d, id,
        "[{'serial':1,'topic':'scan','scan':{'states':{'apt:debian:curl:8.1':['required',0],'apt:debian:bash:5.3':['unknown',0]}}}]");
    refused(d, ERR_NOT_FOUND, "did you mean \"till-1\"?", "node.retire", "{'name':'till1'}");
    say(d, "node.retire", "{'name':'till-1'}");
    assert_false(node_known(d->a.ledger, key_a, known));
    refused(d, ERR_NOT_FOUND, "node", "node.show", "{'name':'till-1'}");
    out = ask(d, "update.list", "{'filter':'required > 0 or unknown > 0 or not-required < 0'}");
    assert_int_equal(number_in(out, "total"), 0);
    json_decref(out);
    assert_int_equal(enrol(d, again, key_a, "till-1", id), OK);
    out = ask(d, "node.show", "{'name':'till-1'}");
    assert_int_equal(json_array_size(json_object_get(out, "updates")), 0);
    json_decref(out);
    out = ask(d, "why.show", "{'node':'till-1','update':'curl'}");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(out, "reasons"), 0), "code")), "state-unknown");
    json_decref(out);
}

/* A machine that was installed afresh has a new key and its old name: the one that speaks is meant; to retire one of them its id is needed.
 */
static void test_same_name(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *t = token(d, "{}"), *u = token(d, "{}");
    char                  old[NODE_ID_SIZE], new[NODE_ID_SIZE], args[200];
    json_t               *out;

    assert_int_equal(enrol(d, t, key_a, "till-1", old), OK);
    d->a.now += 60;
    assert_int_equal(enrol(d, u, key_b, "till-1", new), OK);
    out = ask(d, "node.show", "{'name':'till-1'}");
    assert_string_equal(json_string_value(json_object_get(out, "id")), new);
    json_decref(out);
    refused(d, ERR_CONDITION, old, "node.retire", "{'name':'till-1'}");
    snprintf(args, sizeof args, "{'name':'%s'}", old);
    say(d, "node.retire", args);
    say(d, "node.retire", "{'name':'till-1'}");
    out = ask(d, "node.list", "{}");
    assert_int_equal(number_in(out, "total"), 0);
    json_decref(out);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)
    const struct CMUnitTest tests[] = {T(test_once), T(test_expired), T(test_expired_for_good), T(test_secret), T(test_dry_token),
                                       T(test_retire), T(test_same_name)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
