/* The answer to an enrolment, as a table: what is altered, what is refused, and why. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/client/enrolment.h"
#include "policy/trust/certificate.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define NOW 1795809600

static struct {
    struct key ca, node, stranger;
    char      *ca_pem, *stranger_ca, id[NODE_ID_SIZE], pin[CERTIFICATE_PIN];
    uint8_t    secret[32];
} t;

static int setup(void **state)
{
    (void)state;
    key_generate(&t.ca);
    key_generate(&t.node);
    key_generate(&t.stranger);
    key_node_id(t.node.public, t.id);
    certificate_pin(t.stranger.public, t.pin);
    randombytes_buf(t.secret, 32);
    assert_int_equal(certificate_make_ca(&t.ca, "hq", NOW, &t.ca_pem, NULL), OK);
    assert_int_equal(certificate_make_ca(&t.stranger, "hq", NOW, &t.stranger_ca, NULL), OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(t.ca_pem);
    free(t.stranger_ca);
    return 0;
}

static json_t *answer(void)
{
    AUTO(text_free) char *pem = NULL, *root = base64_encode("root", 4);
    char                  seal[65];

    memset(seal, 'a', 64);
    seal[64] = 0;
    assert_int_equal(certificate_make(&t.ca, "hq", t.id, t.node.public, NOW, CERTIFICATE_LIFE, &pem, NULL), OK);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "node_id", t.id, "site_id", "s1", "site", "hq", "root", root, "seal_key", seal, "ca", t.ca_pem,
                     "certificate", pem, "site_pin", t.pin);
}

static enum err judge(const json_t *o, bool secure, struct enrolment *out, struct error *e)
{
    AUTO(text_free) char  *text = json_dumps(o, 0);
    struct enrolment_asked asked = {.root = hash_bytes("root", 4), .node_id = t.id, .public = t.node.public, .now = NOW, .secure = secure};

    return enrolment_read(text, strlen(text), &asked, out, e);
}

static void the_right_one_is_taken(void **state)
{
    struct enrolment n;
    struct error     e;
    json_t          *o = answer();

    (void)state;
    if (judge(o, true, &n, &e))
        fail_msg("%s", e.text);
    assert_string_equal(n.site_id, "s1");
    assert_string_equal(n.site, "hq");
    assert_string_equal(n.ca, t.ca_pem);
    assert_string_equal(n.site_pin, t.pin);
    assert_int_equal(n.root_size, 4);
    assert_memory_equal(n.root, "root", 4);
    enrolment_end(&n);
    json_object_del(o, "site_pin");             /* http has none */
    assert_int_equal(judge(o, false, &n, &e), OK);
    assert_null(n.site_pin);
    enrolment_end(&n);
    json_decref(o);
}

static char *made(const struct key *ca, const char *subject, const struct key *holder, int64_t at)
{
    char *pem;

    assert_int_equal(certificate_make(ca, "hq", subject, holder->public, at, CERTIFICATE_LIFE, &pem, NULL), OK);
    return pem;
}

static void what_does_not_fit_is_refused(void **state)
{
    AUTO(text_free) char *foreign = made(&t.stranger, t.id, &t.node, NOW), *other_id = made(&t.ca, "n-7", &t.node, NOW),
                         *other_key = made(&t.ca, t.id, &t.stranger, NOW), *old = made(&t.ca, t.id, &t.node, NOW - CERTIFICATE_LIFE),
                         *early = made(&t.ca, t.id, &t.node, NOW + 2 * CERTIFICATE_EARLY), *two = must_print("%s;%s", t.pin, t.pin),
                         *three = must_print("%s;%s", two, t.pin), *root = base64_encode("another", 7);
    const struct {
        const char *member, *value;             /* NULL: left out */
        const char *says;                       /* NULL: taken */
    } cases[] = {
        {"node_id", "n-7", "another node"},     {"node_id", NULL, "node_id"},
        {"site_id", NULL, "site_id"},           {"site", NULL, "site"},
        {"root", root, "root is not the one"},  {"root", "!", "root"},
        {"seal_key", "aa", "seal_key"},         {"seal_key", NULL, "seal_key"},
        {"ca", t.stranger_ca, "not signed"},    {"ca", NULL, "ca"},
        {"ca", other_id, "not signed"},         {"certificate", foreign, "not signed"},
        {"certificate", other_id, "another"},   {"certificate", other_key, "another"},
        {"certificate", old, "ran out"},        {"certificate", early, "clock"},
        {"certificate", "x", "certificate"},    {"certificate", NULL, "certificate"},
        {"site_pin", NULL, "site_pin"},         {"site_pin", "sha256//x", "site_pin"},
        {"site_pin", "/etc/passwd", "site_pin"},{"site_pin", two, NULL},
        {"site_pin", three, "site_pin"},        {"later", "than this Ferry", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t          *o = answer();
        struct enrolment n = {0};
        struct error     e = {0};
        enum err         code;

        if (cases[i].value)
            json_object_set_new(o, cases[i].member, json_string(cases[i].value));
        else
            json_object_del(o, cases[i].member);
        code = judge(o, true, &n, &e);
        if (!cases[i].says != !code || (code && !strstr(e.text, cases[i].says)) || (code && (n.site_id || n.root)))
            fail_msg("%s=%.40s: %s", cases[i].member, cases[i].value ? cases[i].value : "-", code ? e.text : "taken");
        enrolment_end(&n);
        json_decref(o);
    }
}

static void the_secret_vouches_for_the_words(void **state)
{
    static const char     words[] = "{\"site\":\"hq\"}";
    AUTO(text_free) char *base64 = base64_encode(words, strlen(words)), *body = NULL;
    uint8_t               mac[crypto_auth_BYTES];
    char                  hex[65], *text = NULL;
    size_t                size = 0;
    struct error          e;

    (void)state;
    crypto_auth(mac, (const uint8_t *)words, strlen(words), t.secret);
    for (int bit = -1; bit < 3; bit++) {        /* -1: as it was made */
        if (bit >= 0)
            mac[bit * 13] ^= 1;
        hex_encode(mac, 32, hex);
        free(body);
        body = must_print("{\"answer\":\"%s\",\"mac\":\"%s\"}", base64, hex);
        assert_int_equal(enrolment_open(body, strlen(body), t.secret, &text, &size, &e), bit < 0 ? OK : ERR_VERIFY);
        assert_int_equal(size, strlen(words));
        assert_string_equal(text, words);
        if (bit >= 0)
            assert_non_null(strstr(e.text, "token's secret"));
    }
    free(text);
}

static void what_is_no_answer_is_refused(void **state)
{
    static const char *const bodies[] = {"", "[]", "{}", "{\"answer\":\"e30=\"}", "{\"answer\":\"e30=\",\"mac\":\"00\"}", "{\"answer\":1,\"mac\":2}",
                                         "{\"answer\":\"e30=\",\"mac\":\"\"}", "not json"};

    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        char        *text = NULL;
        size_t       size;
        struct error e;

        if (!enrolment_open(bodies[i], strlen(bodies[i]), t.secret, &text, &size, &e) || text)
            fail_msg("%s was taken", bodies[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_one_is_taken),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(the_secret_vouches_for_the_words),
        cmocka_unit_test(what_is_no_answer_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
