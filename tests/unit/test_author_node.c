/* Enrolled machines, retired ones. Tokens and enrolment: test_author_enrol.c. */
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

/* The fleet's word against a retired node: where it was, and until its last certificate runs out; then it needs none. */
static void test_revoked(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *t = token(d, "{}"), *u = token(d, "{}"), *v = token(d, "{}");
    const int64_t         end = d->a.now + 7 * 86400;
    char                  id[NODE_ID_SIZE], never[NODE_ID_SIZE], other[NODE_ID_SIZE];
    struct fleet         *f = NULL;
    json_t               *body, *out;
    const uint8_t         key_c[32] = {3};

    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    assert_int_equal(enrol(d, u, key_b, "till-2", never), OK);
    assert_int_equal(enrol(d, v, key_c, "till-3", other), OK);
    assert_int_equal(node_certified(&d->a, id, end, &d->e), OK);
    assert_int_equal(node_certified(&d->a, other, end, &d->e), OK);
    assert_int_equal(node_certified(&d->a, id, end - 86400, &d->e), OK);     /* a clock that was set back; the later one still holds */
    desk_status(d, id, "[{'serial':1,'topic':'facts','facts':{'hostname':'till-1','address':'10.1.0.99'}}]");
    say(d, "node.retire", "{'name':'till-1'}");
    say(d, "node.retire", "{'name':'till-2'}");
    body = published(d, "policy/fleet/fleet.json");
    assert_int_equal(fleet_from_json(body, &f, &d->e), OK);
    json_decref(body);
    assert_int_equal(f->revoked_count, 1);
    assert_string_equal(f->revoked[0].node, id);
    assert_string_equal(f->revoked[0].address, "10.1.0.99");
    assert_int_equal(f->revoked[0].until, end);
    fleet_free(f);
    desk_status(d, other, "[{'serial':1,'topic':'facts','facts':{'hostname':'till-3','address':'10.1.0.99'}}]");
    body = published(d, "policy/fleet/fleet.json");
    assert_int_equal(fleet_from_json(body, &f, &d->e), OK);
    json_decref(body);
    assert_string_equal(f->revoked[0].node, id);
    assert_null(f->revoked[0].address);         /* somebody else has it now */
    fleet_free(f);
    d->a.now = end - 1;
    assert_int_equal(author_tidy(&d->a, &out, &d->e), OK);
    assert_false(json_is_true(json_object_get(out, "changed")));
    json_decref(out);
    d->a.now = end;
    assert_int_equal(author_tidy(&d->a, &out, &d->e), OK);
    assert_true(json_is_true(json_object_get(out, "changed")));
    json_decref(out);
    body = published(d, "policy/fleet/fleet.json");
    assert_null(json_object_get(body, "revoked"));
    json_decref(body);
}

/* A retired machine does not come back with the token it was enrolled with. */
static void test_used_token(void **state)
{
    struct desk          *d = *state;
    AUTO(text_free) char *t = token(d, "{}");
    char                  id[NODE_ID_SIZE];

    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    assert_int_equal(enrol(d, t, key_a, "till-1", id), OK);
    say(d, "node.retire", "{'name':'till-1'}");
    assert_int_equal(enrol(d, t, key_a, "till-1", id), ERR_DENIED);
    assert_false(node_known(d->a.ledger, key_a, id));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)
    const struct CMUnitTest tests[] = {T(test_retire), T(test_same_name), T(test_revoked), T(test_used_token), T(test_expired_for_good)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
