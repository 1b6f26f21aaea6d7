/* The door of a distribution point: a table of who may ask and what for, over real TLS. */
#include "node/base/clock.h"
#include "node/dp/door.h"
#include "policy/trust/certificate.h"
#include "tests/unit/net.h"

static struct {
    struct net   net;
    struct door *door;
    struct key   ca, own, node, stranger;
    char        *ca_pem, *own_key, *own_pem, listen[32], pin[CERTIFICATE_PIN];
} t;

static int begin(void **state)
{
    AUTO(text_free) char *path = NULL;
    int64_t               now = clock_now();

    (void)state;
    memset(&t, 0, sizeof t);
    net_open(&t.net);
    key_generate(&t.ca);
    key_generate(&t.own);
    key_generate(&t.node);
    key_generate(&t.stranger);
    t.own_key = certificate_key_pem(&t.own);
    certificate_pin(t.own.public, t.pin);
    assert_int_equal(certificate_make_ca(&t.ca, "hq", now, &t.ca_pem, NULL), OK);
    assert_int_equal(certificate_make(&t.ca, "hq", "n-dp", t.own.public, now, CERTIFICATE_LIFE, &t.own_pem, NULL), OK);
    path = must_print("%s/abc", t.net.dir);
    assert_int_equal(file_write(path, "content", 7, 0644, NULL), OK);
    snprintf(t.listen, sizeof t.listen, "127.0.0.1:%d", net_free_port());
    t.door = door_new(&t.net.loop, t.listen, t.net.dir);
    return 0;
}

static int end(void **state)
{
    (void)state;
    door_close(t.door, NULL, NULL);
    net_close(&t.net);
    free(t.ca_pem);
    free(t.own_key);
    free(t.own_pem);
    return 0;
}

/* Whoever asks is this from now on; age: of the certificate, seconds; its life is a week. */
static void become(const struct key *key, const struct key *ca, const char *subject, int64_t age)
{
    AUTO(text_free) char *private = certificate_key_pem(key), *pem = NULL;

    assert_int_equal(certificate_make(ca, "hq", subject, key->public, clock_now() - age, CERTIFICATE_LIFE, &pem, NULL), OK);
    web_identity(t.net.web, private, pem);
}

enum shown { NONE, GOOD, FOREIGN, EXPIRED, EARLY, REVOKED, STOLEN };

static void show(enum shown s)
{
    AUTO(text_free) char *private = certificate_key_pem(&t.stranger), *pem = NULL;

    switch (s) {
    case NONE:    web_identity(t.net.web, NULL, NULL); return;
    case GOOD:    become(&t.node, &t.ca, "n-7", 0); return;
    case FOREIGN: become(&t.node, &t.stranger, "n-7", 0); return;
    case EXPIRED: become(&t.node, &t.ca, "n-7", CERTIFICATE_LIFE + 1); return;
    case EARLY:   become(&t.node, &t.ca, "n-7", -2 * CERTIFICATE_EARLY); return;
    case REVOKED: become(&t.node, &t.ca, "n-6", 0); return;
    case STOLEN:                                /* a right certificate over another's key */
        assert_int_equal(certificate_make(&t.ca, "hq", "n-7", t.node.public, clock_now(), CERTIFICATE_LIFE, &pem, NULL), OK);
        web_identity(t.net.web, private, pem);
    }
}

static struct came ask(const char *path)
{
    AUTO(text_free) char *url = must_print("https://%s%s", t.listen, path);

    return net_ask(&t.net, (struct web_call){.pin = t.pin, .timeout_ms = 5000}, url);
}

/* status 0: not even a connection. */
static void expect(const char *what, const char *path, long status, const char *says)
{
    struct came c = ask(path);

    if (c.status != status || !strstr(c.body ? c.body : "", says))
        fail_msg("%s: %s gave %ld %s %s", what, path, c.status, c.body, c.error.text);
    free(c.body);
}

static void who_is_let_in(void **state)
{
    static char node[] = "n-6";
    struct revoked revoked = {.node = node};
    struct fleet   fleet = {.revoked = &revoked, .revoked_count = 1};
    static const struct {
        const char *what;
        enum shown  shown;
        long        content, health, nothing;
        const char *says;
    } cases[] = {
        {"none", NONE, 403, 200, 403, "none was shown"},
        {"another CA's", FOREIGN, 403, 200, 403, "not signed by this site's CA"},
        {"expired", EXPIRED, 403, 200, 403, "ran out"},
        {"not yet", EARLY, 403, 200, 403, "holds from"},
        {"revoked", REVOKED, 403, 200, 403, "revoked"},
        {"good", GOOD, 200, 200, 404, "content"},
        {"without its key", STOLEN, 0, 0, 0, ""},
    };

    (void)state;
    door_identity(t.door, t.own_key, t.own_pem, t.ca_pem);
    door_fleet(t.door, &fleet);
    for (size_t i = 0; i < COUNT(cases); i++) {
        show(cases[i].shown);
        expect(cases[i].what, "/content/abc", cases[i].content, cases[i].says);
        expect(cases[i].what, "/healthz", cases[i].health, "");
        expect(cases[i].what, "/elsewhere", cases[i].nothing, "");
    }
}

/* The CA is changed, the certificate renewed, a node revoked: each holds from the next request on, and nobody has to come again. */
static void what_changes_holds_at_once(void **state)
{
    static char           node[] = "n-7";
    struct revoked        revoked = {.node = node};
    struct fleet          one = {.revoked = &revoked, .revoked_count = 1}, none = {0};
    AUTO(text_free) char *pem = NULL, *ca = NULL;

    (void)state;
    door_identity(t.door, t.own_key, t.own_pem, t.ca_pem);
    show(GOOD);
    expect("at first", "/content/abc", 200, "content");
    door_fleet(t.door, &one);
    expect("revoked", "/content/abc", 403, "revoked");
    door_fleet(t.door, &none);
    assert_int_equal(certificate_make(&t.ca, "hq", "n-dp", t.own.public, clock_now(), 2 * CERTIFICATE_LIFE, &pem, NULL), OK);
    door_identity(t.door, t.own_key, pem, t.ca_pem);
    expect("renewed", "/content/abc", 200, "content");
    assert_int_equal(certificate_make_ca(&t.stranger, "hq", clock_now(), &ca, NULL), OK);
    door_identity(t.door, t.own_key, pem, ca);
    expect("another CA", "/content/abc", 403, "not signed");
    show(FOREIGN);
    expect("of the other CA", "/content/abc", 200, "content");
}

/* A port that somebody else has: it says so, and opens when it is free. */
static void a_taken_port_is_tried_again(void **state)
{
    struct server *other;
    bool           closed = false;

    (void)state;
    assert_non_null(strstr(door_problem(t.door), "certificate"));
    assert_int_equal(server_open(&t.net.loop, t.listen, NULL, 0, NULL, &other, NULL), OK);
    door_identity(t.door, t.own_key, t.own_pem, t.ca_pem);
    assert_non_null(strstr(door_problem(t.door), "listen"));
    server_close(other, net_closed, &closed);
    while (!closed)
        uv_run(&t.net.loop, UV_RUN_ONCE);
    for (int64_t until = clock_ms() + 10000; *door_problem(t.door) && clock_ms() < until; usleep(50000))
        door_step(t.door);
    assert_string_equal(door_problem(t.door), "");
    show(GOOD);
    expect("open", "/content/abc", 200, "content");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_is_let_in, begin, end),
        cmocka_unit_test_setup_teardown(what_changes_holds_at_once, begin, end),
        cmocka_unit_test_setup_teardown(a_taken_port_is_tried_again, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
