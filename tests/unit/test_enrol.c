/* A machine becomes a node over the wire: the token's word on the answer, approval, answers that were lost; and the next certificate, whatever
 * became of the last. */
#include "tests/unit/site_lab.h"

#include <sodium.h>

#include "node/base/clock.h"
#include "node/base/envelope.h"

static struct site_lab lab;
static struct key      k;
static char            id[NODE_ID_SIZE];

static int begin(void **state)
{
    (void)state;
    unsetenv("FERRY_CLOCK_OFFSET");
    site_lab_open(&lab);
    assert_int_equal(key_generate(&k), OK);
    key_node_id(k.public, id);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unsetenv("FERRY_CLOCK_OFFSET");
    site_lab_close(&lab);
    return 0;
}

static void jump(int64_t seconds)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)seconds);
    setenv("FERRY_CLOCK_OFFSET", text, 1);
}

struct token {
    char    id[17];
    uint8_t secret[crypto_auth_KEYBYTES];
};

/* As a node reads it: "ferry-" and the base64 of id, secret, hash of the root. */
static struct token token_of(bool approval)
{
    json_t      *out = must(&lab, "POST", "tokens", approval ? json_pack("{s:b}", "approval", 1) : NULL);
    char        *text = must_print("%s==", json_string_value(json_object_get(out, "token")) + 6);
    struct token t = {0};
    size_t       size;
    uint8_t     *raw;

    for (char *c = text; *c; c++)
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    text[76] = 0;
    raw = base64_decode(text, 56, &size);
    assert_true(raw && size == 56);
    hex_encode(raw, 8, t.id);
    memcpy(t.secret, raw + 8, 16);
    free(raw);
    free(text);
    json_decref(out);
    return t;
}

/* {"token_id","public_key","hostname","address","mac"}; the mac over token id, key and hostname. */
static json_t *request(const struct token *t, const struct key *key, const char *hostname)
{
    struct text text = {0};
    char        public[65], mac_text[65];
    uint8_t     mac[32];

    hex_encode(key->public, 32, public);
    text_put(&text, t->id, 17);
    text_put(&text, public, 65);
    text_put(&text, hostname, strlen(hostname));
    crypto_auth(mac, (const uint8_t *)text.data, text.length, t->secret);
    hex_encode(mac, 32, mac_text);
    text_end(&text);
    return json_pack("{s:s,s:s,s:s,s:s,s:s}", "token_id", t->id, "public_key", public, "hostname", hostname, "address", "10.1.0.7", "mac", mac_text);
}

/* body is taken. Its answer into *out when wanted. */
static long post(json_t *body, json_t **out)
{
    AUTO(text_free) char *text = json_dumps(body, 0);
    struct came           c;

    web_identity(lab.net.web, NULL, NULL);
    c = site_lab_ask(&lab, (struct web_call){.method = "POST", .body = text, .body_length = strlen(text)}, "/api/v1/enrol");
    if (out)
        *out = json_loads(c.body, 0, NULL);
    free(c.body);
    json_decref(body);
    return c.status;
}

static long ask(const struct token *t, const struct key *key, json_t **out)
{
    return post(request(t, key, "till-1"), out);
}

/* What a node does first: is the answer the word of who made the token? NULL: it is not. */
static json_t *opened(const json_t *answer, const uint8_t secret[32])
{
    size_t   length = 0;
    uint8_t  mac[32], *text = base64_decode(json_string_value(json_object_get(answer, "answer")), 1u << 16, &length);
    bool     good;
    json_t  *inner = NULL;

    assert_non_null(text);
    assert_int_equal(json_object_size(answer), 2);
    assert_true(hex_decode(json_string_value(json_object_get(answer, "mac")), mac, 32));
    good = !crypto_auth_verify(mac, text, length, secret);
    if (good)
        inner = json_loadb((char *)text, length, 0, NULL);
    free(text);
    return inner;
}

static const char *text_of(const json_t *o, const char *name)
{
    assert_true(json_is_string(json_object_get(o, name)));
    return json_string_value(json_object_get(o, name));
}

static void is_welcome(const json_t *answer, const struct token *t)
{
    json_t            *inner = opened(answer, t->secret);
    struct certificate c;
    struct error       e;
    char               seal[65];

    assert_non_null(inner);
    assert_int_equal(json_object_size(inner), 8);
    hex_encode(lab.site->seal_public, 32, seal);
    assert_string_equal(text_of(inner, "node_id"), id);
    assert_string_equal(text_of(inner, "site_id"), lab.site->id);
    assert_string_equal(text_of(inner, "site"), "hq");
    assert_string_equal(text_of(inner, "seal_key"), seal);
    assert_string_equal(text_of(inner, "site_pin"), lab.site->identity.pin);
    assert_string_equal(text_of(inner, "ca"), lab.site->identity.ca_pem);
    assert_non_null(text_of(inner, "root"));
    assert_int_equal(certificate_check(text_of(inner, "certificate"), text_of(inner, "ca"), clock_now(), &c, &e), OK);
    assert_string_equal(c.subject, id);
    assert_memory_equal(c.public, k.public, 32);
    assert_in_range(c.not_after, clock_now() + CERTIFICATE_LIFE - 60, clock_now() + CERTIFICATE_LIFE);
    site_lab_become(&lab, &k, text_of(inner, "certificate"));
    json_decref(inner);
}

static void admitted(long status)
{
    struct came c = site_lab_ask(&lab, (struct web_call){.timeout_ms = 5000}, "/policy/metadata/timestamp.json");

    assert_int_equal(c.status, status);
    free(c.body);
}

static int64_t certified(void)
{
    json_t *rows = NULL;
    int64_t n;

    assert_int_equal(rows_found(lab.site->ledger, "SELECT max(certified) AS n FROM node", NULL, &rows, NULL), OK);
    n = json_integer_value(json_object_get(json_array_get(rows, 0), "n"));
    json_decref(rows);
    return n;
}

/* The answer is the site's word and nobody else's; with it the node is let in; lost, it comes again, for this key alone. */
static void test_enrol(void **state)
{
    struct token t = token_of(false), wrong = t;
    struct key   other;
    json_t      *answer;

    (void)state;
    assert_int_equal(ask(&t, &k, &answer), 200);
    wrong.secret[0] ^= 1;
    assert_null(opened(answer, wrong.secret));
    is_welcome(answer, &t);
    json_decref(answer);
    assert_in_range(certified(), clock_now() + CERTIFICATE_LIFE - 60, clock_now() + CERTIFICATE_LIFE);
    admitted(200);
    assert_int_equal(ask(&t, &k, &answer), 200);
    is_welcome(answer, &t);
    json_decref(answer);
    admitted(200);
    key_generate(&other);
    assert_int_equal(ask(&t, &other, NULL), 403);
    json_decref(must(&lab, "DELETE", "nodes/till-1", NULL));
    assert_int_equal(ask(&t, &k, NULL), 403);
}

/* Nothing without the token's secret, and nothing that it has not said. */
static void test_refused(void **state)
{
    static const char *const members[] = {"token_id", "public_key", "hostname", "mac"};
    struct token             t = token_of(false), wrong = t;
    json_t                  *body;

    (void)state;
    wrong.secret[15] ^= 0x80;
    assert_int_equal(ask(&wrong, &k, NULL), 403);
    body = request(&t, &k, "till-1");
    json_object_set_new(body, "hostname", json_string("till-2"));
    assert_int_equal(post(body, NULL), 403);
    body = request(&t, &k, "till-1");
    json_object_set_new(body, "more", json_true());
    assert_int_equal(post(body, NULL) / 100, 4);
    for (size_t i = 0; i < COUNT(members); i++) {
        body = request(&t, &k, "till-1");
        json_object_del(body, members[i]);
        assert_int_equal(post(body, NULL) / 100, 4);
        body = request(&t, &k, "till-1");
        json_object_set_new(body, members[i], json_string("zz"));
        assert_int_equal(post(body, NULL) / 100, 4);
    }
    assert_int_equal(post(json_pack("[]"), NULL) / 100, 4);
    assert_int_equal(rows_number(lab.site->ledger, LEDGER_NODE_COUNT, ""), 0);
    assert_int_equal(ask(&t, &k, NULL), 200);
}

/* An administrator's word first. */
static void test_approval(void **state)
{
    struct token t = token_of(true);
    json_t      *answer, *list;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask(&t, &k, &answer), 202);
        assert_non_null(strstr(text_of(answer, "pending"), "approve"));
        assert_int_equal(json_object_size(answer), 1);
        json_decref(answer);
    }
    list = must(&lab, "GET", "pending", NULL);
    assert_int_equal(json_integer_value(json_object_get(list, "total")), 1);
    json_decref(list);
    json_decref(must(&lab, "POST", "pending/till-1/approve", NULL));
    assert_int_equal(ask(&t, &k, &answer), 200);
    is_welcome(answer, &t);
    json_decref(answer);
    admitted(200);
}

static void test_reject(void **state)
{
    struct token t = token_of(true);

    (void)state;
    assert_int_equal(ask(&t, &k, NULL), 202);
    json_decref(must(&lab, "POST", "pending/till-1/reject", NULL));
    assert_int_equal(ask(&t, &k, NULL), 403);
    assert_int_equal(rows_number(lab.site->ledger, LEDGER_NODE_COUNT, ""), 0);
}

/* --- the next certificate --- */

static long renew(const struct key *key, const char *audience, const char *text, json_t **out)
{
    uint8_t     *sealed = NULL;
    size_t       length;
    struct error e;
    struct came  c;

    assert_int_equal(envelope_seal(key, lab.site->seal_public, audience, text, strlen(text), &sealed, &length, &e), OK);
    c = site_lab_ask(&lab, (struct web_call){.method = "POST", .body = sealed, .body_length = length}, "/api/v1/certificate");
    if (out)
        *out = json_loads(c.body, 0, NULL);
    free(c.body);
    free(sealed);
    return c.status;
}

static void renews(void)
{
    json_t            *answer;
    struct certificate c;

    assert_int_equal(renew(&k, lab.site->id, "{\"op\":\"certificate\"}", &answer), 200);
    assert_int_equal(json_object_size(answer), 2);
    assert_string_equal(text_of(answer, "ca"), lab.site->identity.ca_pem);
    assert_int_equal(certificate_check(text_of(answer, "certificate"), text_of(answer, "ca"), clock_now(), &c, NULL), OK);
    assert_string_equal(c.subject, id);
    assert_memory_equal(c.public, k.public, 32);
    assert_int_equal(certified(), c.not_after);
    site_lab_become(&lab, &k, text_of(answer, "certificate"));
    json_decref(answer);
    admitted(200);
}

/* With a good certificate, with one that has run out, with none. */
static void test_renew(void **state)
{
    (void)state;
    site_lab_node(&lab, "till-1", &k, id);
    admitted(200);
    jump(4 * 86400);
    renews();
    jump(20 * 86400);
    admitted(403);
    renews();
    web_identity(lab.net.web, NULL, NULL);
    renews();
}

/* Only who is enrolled, only here, only this request; a retired node never again. */
static void test_renew_refused(void **state)
{
    struct key other;
    int64_t    before;

    (void)state;
    site_lab_node(&lab, "till-1", &k, id);
    before = certified();
    key_generate(&other);
    assert_int_equal(renew(&other, lab.site->id, "{\"op\":\"certificate\"}", NULL), 403);
    assert_int_equal(renew(&k, "another-site", "{\"op\":\"certificate\"}", NULL), 422);
    assert_int_equal(renew(&k, lab.site->id, "{\"op\":\"take\"}", NULL), 422);
    assert_int_equal(renew(&k, lab.site->id, "{\"op\":\"certificate\",\"node\":\"x\"}", NULL), 422);
    assert_int_equal(renew(&k, lab.site->id, "[]", NULL), 422);
    json_decref(must(&lab, "DELETE", "nodes/till-1", NULL));
    assert_int_equal(renew(&k, lab.site->id, "{\"op\":\"certificate\"}", NULL), 403);
    assert_int_equal(certified(), before);
}

/* Retired: the policy that says so is published at once. */
static void test_revoked(void **state)
{
    AUTO(text_free) char *command = NULL;

    (void)state;
    site_lab_node(&lab, "till-1", &k, id);
    renews();
    json_decref(must(&lab, "DELETE", "nodes/till-1", NULL));
    command = must_print("grep -rqs '\"node\":\"%s\"' %s/policy/targets/policy/fleet", id, lab.dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {T(test_enrol), T(test_refused), T(test_approval), T(test_reject), T(test_renew), T(test_renew_refused), T(test_revoked)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
