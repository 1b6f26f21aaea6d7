/* TLS between web.c and server.c: whose key is pinned is believed, whose certificate the CA signed is let in, and nobody else. */
#include "tests/unit/net.h"

#include "node/base/clock.h"
#include "policy/trust/certificate.h"

static struct {
    struct net net;
    struct key ca, server, node, stranger;
    char      *ca_pem, *stranger_ca, pin[CERTIFICATE_PIN], wrong_pin[CERTIFICATE_PIN];
    char      *server_key, *server_pem;
    int        asked;                           /* how often a handler was reached */
    char       who[SERVER_IDENTITY];
} t;

static void on_secret(void *ctx, struct exchange *x)
{
    (void)ctx;
    t.asked++;
    snprintf(t.who, sizeof t.who, "%s", exchange_identity(x));
    answer_bytes(x, 200, "text/plain", "secret", 6);
}

static void on_file(void *ctx, struct exchange *x)
{
    AUTO(text_free) char *path = must_print("%s/file", t.net.dir);

    (void)ctx;
    t.asked++;
    answer_file(x, path, "application/octet-stream");
}

static void on_enrol(void *ctx, struct exchange *x)
{
    (void)ctx;
    t.asked++;
    answer_json(x, 200, json_object());
}

static const struct route routes[] = {
    {"GET", "/secret", 0, on_secret, "for members"},
    {"GET", "/file", 0, on_file, "for members"},
    {"POST", "/enrol", 100, on_enrol, "for everybody"},
};

static enum err admit(void *ctx, const struct route *route, const uint8_t *der, size_t size, char identity[SERVER_IDENTITY], struct error *e)
{
    struct certificate c;
    enum err           code;

    (void)ctx;
    if (route && route->handle == on_enrol)
        return OK;
    if (!der)
        return (fail)(e, ERR_DENIED, "a certificate of this site is wanted");
    code = certificate_check_der(der, size, t.ca_pem, clock_now(), &c, e);
    if (!code)
        snprintf(identity, SERVER_IDENTITY, "%s", c.subject);
    return code ? ERR_DENIED : OK;
}

static int setup(void **state)
{
    struct route_set  set = {routes, COUNT(routes), NULL};
    struct error      e;
    int64_t           now = clock_now();

    (void)state;
    memset(&t, 0, sizeof t);
    net_open(&t.net);
    key_generate(&t.ca);
    key_generate(&t.server);
    key_generate(&t.node);
    key_generate(&t.stranger);
    assert_int_equal(certificate_make_ca(&t.ca, "hq", now, &t.ca_pem, &e), OK);
    assert_int_equal(certificate_make_ca(&t.stranger, "hq", now, &t.stranger_ca, &e), OK);
    assert_int_equal(certificate_make(&t.server, "hq", "site", t.server.public, now, CERTIFICATE_LIFE, &t.server_pem, &e), OK);
    certificate_pin(t.server.public, t.pin);
    certificate_pin(t.stranger.public, t.wrong_pin);
    t.server_key = certificate_key_pem(&t.server);
    struct server_tls tls = {.key = t.server_key, .certificate = t.server_pem, .trust = t.ca_pem, .admit = admit};
    if (server_open_tls(&t.net.loop, "127.0.0.1:0", &set, 1, &tls, &t.net.server, &e))
        fail_msg("%s", e.text);
    snprintf(t.net.url, sizeof t.net.url, "https://127.0.0.1:%d", server_port(t.net.server));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_close(&t.net);
    free(t.ca_pem);
    free(t.stranger_ca);
    free(t.server_key);
    free(t.server_pem);
    return 0;
}

/* The web becomes the holder of key, with a certificate signed by ca that was made at now - age. */
static void become(const struct key *key, const struct key *ca, int64_t age, int64_t life)
{
    AUTO(text_free) char *private = certificate_key_pem(key), *pem = NULL;

    assert_int_equal(certificate_make(ca, "hq", "n-7", key->public, clock_now() - age, life, &pem, NULL), OK);
    web_identity(t.net.web, private, pem);
}

struct look {
    pthread_t   thread;
    const char *address;
    char        line[200];
    bool        done;
};

static void *look_run(void *ctx)
{
    struct look          *l = ctx;
    AUTO(text_free) char *command = must_print("openssl s_client -connect %s </dev/null 2>/dev/null | openssl x509 -noout -subject", l->address);
    FILE                 *f = popen(command, "r");

    if (!fgets(l->line, sizeof l->line, f))
        l->line[0] = 0;
    pclose(f);
    __atomic_store_n(&l->done, true, __ATOMIC_SEQ_CST);
    return NULL;
}

/* The subject of the certificate that a newcomer is shown; the openssl program is the witness. */
static char *peer_subject(const char *address)
{
    struct look l = {.address = address};

    pthread_create(&l.thread, NULL, look_run, &l);
    while (!__atomic_load_n(&l.done, __ATOMIC_SEQ_CST)) {
        uv_run(&t.net.loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    pthread_join(l.thread, NULL);
    return must_copy(l.line);
}

static struct came ask(const char *pin, const char *path)
{
    return net_ask(&t.net, (struct web_call){.pin = pin, .timeout_ms = 5000}, path);
}

static void expect(const char *pin, const char *path, enum err code, int asked)
{
    int         before = t.asked;
    struct came c = ask(pin, path);

    if (c.code != code || t.asked != before + asked)
        fail_msg("%s: %s (%ld), handler reached %d times: %s", path, err_name(c.code), c.status, t.asked - before, c.error.text);
    free(c.body);
}

static void a_member_is_let_in_and_named(void **state)
{
    (void)state;
    become(&t.node, &t.ca, 0, CERTIFICATE_LIFE);
    expect(t.pin, "/secret", OK, 1);
    assert_string_equal(t.who, "n-7");
    expect(t.pin, "/nothing", ERR_NOT_FOUND, 0);
}

static void without_a_certificate_nothing_is_told(void **state)
{
    static const char *const paths[] = {"/secret", "/file", "/nothing"};

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++)
        expect(t.pin, paths[i], ERR_DENIED, 0);
    become(&t.node, &t.ca, 0, CERTIFICATE_LIFE);
    web_identity(t.net.web, NULL, NULL);
    expect(t.pin, "/secret", ERR_DENIED, 0);
}

static void foreign_and_stale_certificates_are_refused(void **state)
{
    (void)state;
    become(&t.stranger, &t.stranger, 0, CERTIFICATE_LIFE);
    expect(t.pin, "/secret", ERR_DENIED, 0);
    become(&t.node, &t.ca, 2 * CERTIFICATE_LIFE, CERTIFICATE_LIFE);
    expect(t.pin, "/secret", ERR_DENIED, 0);
    become(&t.node, &t.ca, -CERTIFICATE_LIFE, CERTIFICATE_LIFE);
    expect(t.pin, "/secret", ERR_DENIED, 0);
}

/* A right certificate is worth nothing without its key. */
static void a_stolen_certificate_is_no_use(void **state)
{
    AUTO(text_free) char *private = certificate_key_pem(&t.stranger), *pem = NULL;
    int                   before = t.asked;

    (void)state;
    assert_int_equal(certificate_make(&t.ca, "hq", "n-7", t.node.public, clock_now(), CERTIFICATE_LIFE, &pem, NULL), OK);
    web_identity(t.net.web, private, pem);
    struct came c = ask(t.pin, "/secret");
    assert_int_not_equal(c.code, OK);
    assert_int_equal(t.asked, before);
    free(c.body);
}

static void a_server_whose_key_is_another_is_not_spoken_to(void **state)
{
    (void)state;
    become(&t.node, &t.ca, 0, CERTIFICATE_LIFE);
    expect(t.wrong_pin, "/secret", ERR_VERIFY, 0);
    expect(NULL, "/secret", ERR_VERIFY, 0);     /* by the system's CAs: unknown there */
}

/* A new certificate over the same key: who is connected stays, whoever comes is shown it; what does not belong together is refused. */
static void a_certificate_is_renewed_while_it_serves(void **state)
{
    AUTO(text_free) char *pem = NULL, *shown = NULL, *first = NULL, *other = certificate_key_pem(&t.stranger);
    const char           *address = t.net.url + strlen("https://");
    struct error          e;

    (void)state;
    become(&t.node, &t.ca, 0, CERTIFICATE_LIFE);
    assert_int_equal(certificate_make(&t.server, "hq", "renewed", t.server.public, clock_now(), CERTIFICATE_LIFE, &pem, NULL), OK);
    first = peer_subject(address);
    expect(t.pin, "/secret", OK, 1);
    assert_int_equal(server_renew(t.net.server, other, pem, &e), ERR_VERIFY);
    assert_int_equal(server_renew(t.net.server, t.server_key, "x", &e), ERR_VERIFY);
    assert_int_equal(server_renew(t.net.server, t.server_key, pem, &e), OK);
    expect(t.pin, "/secret", OK, 1);            /* over the connection that is kept */
    shown = peer_subject(address);
    assert_non_null(strstr(first, "site"));
    assert_non_null(strstr(shown, "renewed"));
    become(&t.node, &t.ca, 60, CERTIFICATE_LIFE);
    expect(t.pin, "/secret", OK, 1);            /* … and over a new one */
}

static void enrolment_is_open(void **state)
{
    struct came c;

    (void)state;
    c = net_ask(&t.net, (struct web_call){.method = "POST", .unverified = true, .body = "x", .body_length = 1}, "/enrol");
    assert_int_equal(c.code, OK);
    free(c.body);
    c = net_ask(&t.net, (struct web_call){.unverified = true}, "/secret");
    assert_int_equal(c.code, ERR_DENIED);
    free(c.body);
}

static void files_and_ranges_come_through(void **state)
{
    AUTO(text_free) char *path = must_print("%s/file", t.net.dir);
    size_t                size = 3 << 20;
    AUTO(text_free) char *bytes = must_alloc(size);
    struct came           c;

    (void)state;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + (i * 31 >> 3) % 26);
    assert_int_equal(file_write(path, bytes, size, 0644, NULL), OK);
    become(&t.node, &t.ca, 0, CERTIFICATE_LIFE);
    c = net_ask(&t.net, (struct web_call){.pin = t.pin}, "/file");
    assert_int_equal(c.length, size);
    assert_memory_equal(c.body, bytes, 1000);
    free(c.body);
    c = net_ask(&t.net, (struct web_call){.pin = t.pin, .range_first = 1000000, .range_length = 500000}, "/file");
    assert_int_equal(c.code, OK);
    assert_memory_equal(c.body, bytes + 1000000, 1000);
    free(c.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_member_is_let_in_and_named, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_certificate_nothing_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(foreign_and_stale_certificates_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stolen_certificate_is_no_use, setup, teardown),
        cmocka_unit_test_setup_teardown(a_server_whose_key_is_another_is_not_spoken_to, setup, teardown),
        cmocka_unit_test_setup_teardown(a_certificate_is_renewed_while_it_serves, setup, teardown),
        cmocka_unit_test_setup_teardown(enrolment_is_open, setup, teardown),
        cmocka_unit_test_setup_teardown(files_and_ranges_come_through, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
