/* The one gate of the site's public listener: certificates, routes → let in as whom, or refused. And that nothing goes past it. */
#include "tests/unit/site_lab.h"

#include "node/base/clock.h"

#define DAY 86400

enum who { NOBODY, TILL, DP, RETIRED, UNKNOWN, FOREIGN, STALE, EARLY, WRONG_SUBJECT, OTHERS_KEY, THE_CA, NONSENSE, WHO_COUNT };
static const char *const names[] = {"nobody",  "till",  "dp",    "retired",       "unknown",    "foreign",
                                    "stale",   "early", "wrong subject", "another's key", "the CA", "nonsense"};

static struct site_lab lab;
static struct key      till, dp, retired, stranger;
static char            till_id[NODE_ID_SIZE], dp_id[NODE_ID_SIZE], retired_id[NODE_ID_SIZE];
static char           *certificates[WHO_COUNT]; /* PEM */

static char *certificate(const struct key *ca, const char *subject, const struct key *k, int64_t age)
{
    char *pem = NULL;

    assert_int_equal(certificate_make(ca, lab.site->id, subject, k->public, clock_now() - age, CERTIFICATE_LIFE, &pem, NULL), OK);
    return pem;
}

static int begin(void **state)
{
    const struct key *ca;
    char              unknown_id[NODE_ID_SIZE];

    (void)state;
    site_lab_open(&lab);
    ca = &lab.site->identity.ca;
    site_lab_node(&lab, "retired", &retired, retired_id);
    site_lab_node(&lab, "dp-host", &dp, dp_id);
    site_lab_node(&lab, "till-1", &till, till_id);
    json_decref(must(&lab, "POST", "dps", json_pack("{s:s,s:s,s:s}", "name", "dp-1", "url", "https://dp-1.example.org", "node", "dp-host")));
    json_decref(must(&lab, "DELETE", "nodes/retired", NULL));
    key_generate(&stranger);
    key_node_id(stranger.public, unknown_id);
    certificates[TILL] = certificate(ca, till_id, &till, 0);
    certificates[DP] = certificate(ca, dp_id, &dp, 0);
    certificates[RETIRED] = certificate(ca, retired_id, &retired, 0);
    certificates[UNKNOWN] = certificate(ca, unknown_id, &stranger, 0);
    certificates[FOREIGN] = certificate(&stranger, till_id, &till, 0);
    certificates[STALE] = certificate(ca, till_id, &till, CERTIFICATE_LIFE + 1);
    certificates[EARLY] = certificate(ca, till_id, &till, -DAY);
    certificates[WRONG_SUBJECT] = certificate(ca, dp_id, &till, 0);
    certificates[OTHERS_KEY] = certificate(ca, till_id, &stranger, 0);
    certificates[THE_CA] = must_copy(lab.site->identity.ca_pem);
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHO_COUNT; i++)
        text_free(&certificates[i]);
    site_lab_close(&lab);
    return 0;
}

static const struct route *route_of(const char *path)
{
    for (size_t i = 0; path && i < public_route_count; i++)
        if (!strcmp(public_routes[i].path, path))
            return &public_routes[i];
    assert_null(path);
    return NULL;
}

/* What stands between the lines of a PEM. Caller frees. */
static uint8_t *der_of(const char *pem, size_t *size)
{
    struct text text = {0};
    uint8_t    *der;
    const char *line = strchr(pem, '\n') + 1;

    for (; *line != '-'; line += strcspn(line, "\n") + 1)
        text_put(&text, line, strcspn(line, "\n"));
    der = base64_decode(text.data, CERTIFICATE_LIMIT, size);
    assert_non_null(der);
    text_end(&text);
    return der;
}

static enum err admit(enum who who, const char *path, char identity[SERVER_IDENTITY], struct error *e)
{
    size_t   size = 0;
    uint8_t *der = certificates[who] ? der_of(certificates[who], &size) : NULL;
    enum err code;

    *identity = 0;
    code = who == NONSENSE ? site_admit(lab.site, route_of(path), (const uint8_t *)"nonsense", 8, identity, e)
                           : site_admit(lab.site, route_of(path), der, size, identity, e);
    free(der);
    return code;
}

#define POLICY      "/policy/{path...}"
#define CONTENT     "/content/{name}"
#define HEALTH      "/healthz"
#define ENROL       "/api/v1/enrol"
#define CERTIFICATE "/api/v1/certificate"
#define STATUS      "/api/v1/status"
#define TURN        "/api/v1/turn"

/* By certificate: who is let in to what is for nodes, and to what is for distribution points. */
static void test_certificates(void **state)
{
    static const struct {
        enum who who;
        bool     node, dp;
        const char *says;
    } cases[] = {
        {NOBODY, false, false, "a certificate of this site is wanted"},
        {TILL, true, false, "no distribution point"},
        {DP, true, true, NULL},
        {RETIRED, false, false, "retired"},
        {UNKNOWN, false, false, "not enrolled here"},
        {FOREIGN, false, false, "not signed by this site's CA"},
        {STALE, false, false, "ran out"},
        {EARLY, false, false, "holds from"},
        {WRONG_SUBJECT, false, false, "with this key"},
        {OTHERS_KEY, false, false, "with this key"},
        {THE_CA, false, false, "not enrolled here"},
        {NONSENSE, false, false, "not one X.509 certificate"},
    };
    static const char *const for_nodes[] = {POLICY, STATUS, TURN, NULL};
    char                     identity[SERVER_IDENTITY];
    struct error             e;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *id = cases[i].who == DP ? dp_id : till_id;
        for (size_t k = 0; k < COUNT(for_nodes); k++) {
            bool in = admit(cases[i].who, for_nodes[k], identity, &e) == OK;
            if (in != cases[i].node || strcmp(identity, in ? id : "") || (!in && !strstr(e.text, cases[i].says)))
                fail_msg("%s at %s: %s as \"%s\": %s", names[cases[i].who], for_nodes[k] ? for_nodes[k] : "nowhere", in ? "let in" : "refused", identity,
                         in ? "" : e.text);
        }
        bool in = admit(cases[i].who, CONTENT, identity, &e) == OK;
        if (in != cases[i].dp || strcmp(identity, in ? id : "") || (!in && !strstr(e.text, cases[i].says)))
            fail_msg("%s at content: %s: %s", names[cases[i].who], in ? "let in" : "refused", in ? "" : e.text);
    }
}

/* Open to everybody are these, as nobody, and no other of the table. */
static void test_open(void **state)
{
    static const char *const open[] = {HEALTH, ENROL, CERTIFICATE};
    char                     identity[SERVER_IDENTITY];
    struct error             e;
    size_t                   found = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(open); i++)
        for (int who = NOBODY; who < WHO_COUNT; who++) {
            assert_int_equal(admit((enum who)who, open[i], identity, &e), OK);
            assert_string_equal(identity, "");
        }
    for (size_t i = 0; i < public_route_count; i++)
        found += admit(NOBODY, public_routes[i].path, identity, &e) == OK;
    assert_int_equal(found, COUNT(open));
}

static void expect(enum who who, const struct key *k, const char *path, long status)
{
    struct came c;

    if (certificates[who])
        site_lab_become(&lab, k, certificates[who]);
    else
        web_identity(lab.net.web, NULL, NULL);
    c = site_lab_ask(&lab, (struct web_call){.timeout_ms = 5000}, path);
    if (c.status != status)
        fail_msg("%s %s: %ld, %ld was expected: %s", names[who], path, c.status, status, c.error.text);
    free(c.body);
}

/* Over the wire, by every way to a file; and without TLS there is nothing at all. */
static void test_wire(void **state)
{
    AUTO(text_free) char *plain = must_print("http://127.0.0.1:%d/healthz", server_port(lab.site->public)),
                         *file = must_print("%s/content/aa", lab.dir);
    struct came           c;

    (void)state;
    assert_int_equal(file_write(file, "x", 1, 0644, NULL), OK);
    expect(NOBODY, NULL, "/healthz", 200);
    expect(NOBODY, NULL, "/policy/metadata/timestamp.json", 403);
    expect(NOBODY, NULL, "/content/aa", 403);
    expect(NOBODY, NULL, "/nothing", 403);
    expect(TILL, &till, "/policy/metadata/timestamp.json", 200);
    expect(TILL, &till, "/content/aa", 403);
    expect(TILL, &till, "/nothing", 404);
    expect(DP, &dp, "/content/aa", 200);
    expect(RETIRED, &retired, "/policy/metadata/timestamp.json", 403);
    expect(STALE, &till, "/policy/metadata/timestamp.json", 403);
    expect(STALE, &till, "/healthz", 200);
    c = net_ask(&lab.net, (struct web_call){.timeout_ms = 5000}, plain);
    assert_int_not_equal(c.code, OK);
    assert_int_equal(c.status, 0);
    free(c.body);
}

/* A node that is retired is refused at its next request, certificate or not. */
static void test_retired_at_once(void **state)
{
    (void)state;
    expect(TILL, &till, "/policy/metadata/timestamp.json", 200);
    json_decref(must(&lab, "DELETE", "nodes/till-1", NULL));
    expect(TILL, &till, "/policy/metadata/timestamp.json", 403);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {T(test_certificates), T(test_open), T(test_wire), T(test_retired_at_once)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
