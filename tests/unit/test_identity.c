/* A node and an https site: enrolment, certificates, and whose key is believed. The site lets in as the real one does: policy and status go to
 * holders of a certificate that holds, enrolment and certificates to everybody who can ask for them properly. */
#include "tests/unit/client_lab.h"

enum mood { GOOD, PENDING, WRONG_MAC, REFUSES, ANOTHERS, BROKEN };

static struct {
    struct client_lab *l;
    struct server *server, *second;
    struct key     ca, own, stranger;
    char          *ca_pem, *own_key, *own_pem, pin[CERTIFICATE_PIN], wrong[CERTIFICATE_PIN], url[64], state[128], *token;
    uint8_t        secret[32];
    enum mood      mood;
    int            enrolments, certificates, admitted, bare, stale;     /* asked; by certificate, without, with one that does not hold */
} t;

/* --- the site --- */

static char *certificate_for(const uint8_t public[32], int64_t life)
{
    char id[NODE_ID_SIZE], *pem;

    key_node_id(public, id);
    assert_int_equal(certificate_make(&t.ca, "hq", id, t.mood == ANOTHERS ? t.stranger.public : public, lab_now(t.l), life, &pem, NULL), OK);
    return pem;
}

static void answer_enrolled(struct exchange *x, const uint8_t public[32])
{
    AUTO(text_free) char *pem = certificate_for(public, CERTIFICATE_LIFE), *path = must_print("%s/site/policy/metadata/1.root.json", t.l->dir),
                         *root = NULL, *root64 = NULL, *text = NULL, *text64 = NULL;
    char    id[NODE_ID_SIZE], hex[65];
    uint8_t mac[crypto_auth_BYTES];
    size_t  length;
    json_t *o;

    assert_int_equal(file_read(path, 65536, &root, &length, NULL), OK);
    root64 = base64_encode(root, length);
    key_node_id(public, id);
    o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "node_id", id, "site_id", SITE_ID, "site", "lab", "root", root64, "seal_key", t.l->seal, "ca",
                  t.ca_pem, "certificate", pem, "site_pin", t.pin);
    text = json_dumps(o, 0);
    text64 = base64_encode(text, strlen(text));
    crypto_auth(mac, (const uint8_t *)text, strlen(text), t.secret);
    mac[0] ^= t.mood == WRONG_MAC;
    hex_encode(mac, 32, hex);
    answer_json(x, 200, json_pack("{s:s,s:s}", "answer", text64, "mac", hex));
    json_decref(o);
}

static void on_enrol(void *ctx, struct exchange *x)
{
    size_t  length;
    const char *bytes = exchange_body(x, &length);
    json_t *asked = json_loadb(bytes, length, 0, NULL);
    uint8_t public[32];

    (void)ctx;
    t.enrolments++;
    assert_true(hex_decode(json_string_value(json_object_get(asked, "public_key")), public, 32));
    if (t.mood == PENDING)
        answer_json(x, 202, json_pack("{s:s}", "pending", "an administrator\n has to approve"));
    else
        answer_enrolled(x, public);
    json_decref(asked);
}

static void on_certificate(void *ctx, struct exchange *x)
{
    struct error e;
    uint8_t      node[32];
    size_t       size, length;
    const char  *bytes = exchange_body(x, &size);
    char        *text = NULL;

    (void)ctx;
    t.certificates++;
    if (envelope_open(t.l->seal_public, t.l->seal_secret, SITE_ID, (const uint8_t *)bytes, size, node, &text, &length, &e))
        fail_msg("%s", e.text);
    assert_string_equal(text, "{\"op\":\"certificate\"}");
    free(text);
    if (t.mood == REFUSES) {
        answer_error(x, &(struct error){ERR_DENIED, "till-1 is retired"});
    } else if (t.mood == BROKEN) {
        answer_error(x, &(struct error){ERR_AGAIN, "later"});
    } else {
        AUTO(text_free) char *pem = certificate_for(node, CERTIFICATE_LIFE);
        answer_json(x, 200, json_pack("{s:s,s:s}", "certificate", pem, "ca", t.ca_pem));
    }
}

static const struct route routes[] = {
    {"POST", "/api/v1/enrol", 65536, on_enrol, "enrolment"},
    {"POST", "/api/v1/certificate", 65536, on_certificate, "a new certificate"},
};

static enum err admit(void *ctx, const struct route *route, const uint8_t *der, size_t size, char identity[SERVER_IDENTITY], struct error *e)
{
    struct certificate c;
    enum err           code;

    (void)ctx;
    if (der && certificate_check_der(der, size, t.ca_pem, clock_now(), &c, NULL))
        t.stale++;
    if (route && (route->handle == on_enrol || route->handle == on_certificate))
        return OK;
    t.bare += !der;
    code = der ? certificate_check_der(der, size, t.ca_pem, clock_now(), &c, e) : (fail)(e, ERR_DENIED, "a certificate is wanted");
    t.admitted += !code;
    if (!code)
        snprintf(identity, SERVER_IDENTITY, "%s", c.subject);
    return code;
}

/* The token, and a node that has never been anywhere. */
static void make_token(void)
{
    AUTO(text_free) char *path = must_print("%s/site/policy/metadata/1.root.json", t.l->dir), *root = NULL, *base64 = NULL;
    uint8_t       token[56];
    size_t        length;
    struct sha256 h;

    assert_int_equal(file_read(path, 65536, &root, &length, NULL), OK);
    h = hash_bytes(root, length);
    randombytes_buf(token, 24);
    memcpy(token + 24, h.b, 32);
    memset(t.secret, 0, 32);
    memcpy(t.secret, token + 8, 16);
    base64 = base64_encode(token, sizeof token);
    t.token = must_print("ferry-%s", base64);
    for (char *p = t.token; *p; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    t.token[strcspn(t.token, "=")] = 0;
}

static int begin(void **state)
{
    struct error e;

    memset(&t, 0, sizeof t);
    lab_open(state);
    t.l = *state;
    key_generate(&t.ca);
    key_generate(&t.own);
    key_generate(&t.stranger);
    assert_int_equal(certificate_make_ca(&t.ca, "hq", lab_now(t.l), &t.ca_pem, NULL), OK);
    assert_int_equal(certificate_make(&t.own, "hq", "site", t.own.public, lab_now(t.l), CERTIFICATE_LIFE, &t.own_pem, NULL), OK);
    t.own_key = certificate_key_pem(&t.own);
    certificate_pin(t.own.public, t.pin);
    certificate_pin(t.stranger.public, t.wrong);
    struct route_set  sets[] = {{routes, COUNT(routes), NULL}, {lab_routes, COUNT(lab_routes), t.l}};
    struct server_tls tls = {.key = t.own_key, .certificate = t.own_pem, .trust = t.ca_pem, .admit = admit};
    if (server_open_tls(&t.l->net.loop, "127.0.0.1:0", sets, 2, &tls, &t.server, &e))
        fail_msg("%s", e.text);
    snprintf(t.url, sizeof t.url, "https://127.0.0.1:%d", server_port(t.server));
    t.l->config.site = t.url;
    lab_publish(t.l);
    make_token();
    return 0;
}

static int end(void **state)
{
    server_close(t.server, NULL, NULL);
    if (t.second)
        server_close(t.second, NULL, NULL);
    if (t.l->client)
        lab_stop(t.l);
    free(t.ca_pem);
    free(t.own_key);
    free(t.own_pem);
    free(t.token);
    return lab_close(state);
}

/* --- the node --- */

static void unenrolled(void)
{
    free(t.l->config.state_dir);
    t.l->config.state_dir = must_print("%s/fresh", t.l->dir);
    t.l->config.enrol_token = t.token;
    lab_start(t.l);
}

/* As lab_enrol() left it, but the site's key is known; NULL: not even that. */
static void enrolled(const char *pin)
{
    AUTO(text_free) char *path = must_print("%s/state/store.db", t.l->dir);
    struct store *store;

    if (pin) {
        assert_int_equal(store_open(path, &store, NULL), OK);
        assert_int_equal(store_set(store, "site.pin", pin, NULL), OK);
        store_close(store);
    }
    lab_start(t.l);
}

static bool polled(struct client_lab *l, const char *which)
{
    (void)which;
    return l->client->enrolled && l->client->last_poll && l->client->identity.certificate;
}

static bool wrong_says(struct client_lab *l, const char *which)
{
    return strstr(l->client->poll_error, which) || strstr(l->client->identity.why, which);
}

static bool asked_again(struct client_lab *l, const char *which)
{
    (void)l;
    return t.certificates >= atoi(which);
}

static bool idle(struct client_lab *l, const char *which)
{
    (void)which;
    return !l->client->polling && !l->client->posting && !l->client->identity.asking;
}

static bool stored(const char *name, const char *value)
{
    AUTO(text_free) char *text = store_get(t.l->client->store, name);

    return value ? text && !strcmp(text, value) : !text;
}

#define WAIT(what, which) assert_true(lab_until(t.l, what, which, 15000))

static size_t alerts(const char *event)
{
    size_t  i, n = 0;
    json_t *m;

    json_array_foreach(t.l->messages, i, m)
        n += json_is_string(json_object_get(m, "event")) && !strcmp(json_string_value(json_object_get(m, "event")), event);
    return n;
}

static json_t *node_json(void)
{
    long    status;
    json_t *o = lab_api(t.l, "GET", "/api/v1/node", NULL, &status);

    assert_int_equal(status, 200);
    return o;
}

/* --- enrolment --- */

static void it_is_enrolled_and_goes_on(void **state)
{
    struct client *c;

    (void)state;
    unenrolled();
    c = t.l->client;
    WAIT(polled, NULL);
    assert_int_equal(t.enrolments, 1);
    assert_int_equal(t.certificates, 0);
    assert_int_equal(t.bare, 0);
    assert_true(t.admitted > 3);
    assert_true(stored("site.pin", t.pin) && stored("site.ca", t.ca_pem) && stored("certificate", c->identity.certificate));
    assert_string_equal(c->identity.read.subject, c->node_id);
    json_t *o = node_json();
    assert_non_null(strstr(json_string_value(json_object_get(json_object_get(o, "certificate"), "text")), "good until"));
    json_decref(o);
    /* … and so it is after a restart. */
    lab_stop(t.l);
    lab_start(t.l);
    WAIT(polled, NULL);
    assert_int_equal(t.enrolments + t.certificates, 1);
    assert_int_equal(t.bare, 0);
}

static void words_without_the_secret_change_nothing(void **state)
{
    (void)state;
    t.mood = WRONG_MAC;
    unenrolled();
    WAIT(wrong_says, "token's secret");
    assert_false(t.l->client->enrolled);
    assert_true(stored("site.id", NULL) && stored("certificate", NULL) && stored("site.pin", NULL) && stored("site.ca", NULL));
    assert_int_equal(t.admitted, 0);
    t.mood = GOOD;
    t.l->client->next_poll = 0;
    WAIT(polled, NULL);
}

static void it_waits_for_an_administrator(void **state)
{
    int64_t wait;
    json_t *o;

    (void)state;
    t.mood = PENDING;
    unenrolled();
    WAIT(wrong_says, "has to approve");
    for (int i = 0; i < 6; i++) {               /* 30 s, doubled, five minutes at most */
        wait = t.l->client->next_poll - clock_ms();
        assert_in_range(wait, (30000 << i > 300000 ? 300000 : 30000 << i) - 5000, 300000);
        t.l->client->next_poll = 0;
        while (t.enrolments < i + 2 || t.l->client->polling)
            uv_run(&t.l->net.loop, UV_RUN_ONCE);
    }
    assert_false(t.l->client->enrolled);
    o = node_json();
    assert_string_equal(json_string_value(json_object_get(o, "pending")), "an administrator? has to approve");
    json_decref(o);
    t.mood = GOOD;
    t.l->client->next_poll = 0;
    WAIT(polled, NULL);
    assert_string_equal(t.l->client->pending, "");
}

/* --- certificates --- */

static void one_from_before_certificates_gets_one_at_once(void **state)
{
    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    assert_int_equal(t.certificates, 1);
    assert_int_equal(t.enrolments, 0);
    assert_true(stored("site.ca", t.ca_pem));
}

static void it_is_renewed_at_half_its_life(void **state)
{
    int64_t before;

    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    before = t.l->client->identity.read.not_after;
    lab_move(t.l, CERTIFICATE_LIFE / 2 - CERTIFICATE_EARLY);
    lab_run(t.l, 500);
    assert_int_equal(t.certificates, 1);
    lab_move(t.l, CERTIFICATE_EARLY);
    WAIT(asked_again, "2");
    WAIT(idle, NULL);
    assert_true(t.l->client->identity.read.not_after > before + CERTIFICATE_LIFE / 2 - 3600);
    assert_int_equal(t.stale, 0);
    client_reload(t.l->client);
    lab_run(t.l, 500);
    assert_int_equal(t.certificates, 2);
    assert_string_equal(t.l->client->poll_error, "");
}

/* Switched off for longer than it held: it is asked for with the old one, and everything goes on. */
static void one_that_ran_out_is_renewed_all_the_same(void **state)
{
    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    WAIT(idle, NULL);
    lab_stop(t.l);
    lab_move(t.l, CERTIFICATE_LIFE + 60);
    lab_start(t.l);
    WAIT(asked_again, "2");
    WAIT(polled, NULL);
    assert_true(t.stale > 0);
    assert_true(t.l->client->identity.read.not_after > lab_now(t.l));
}

static bool alerted(struct client_lab *l, const char *which)
{
    (void)l;
    return alerts(which) > 0;
}

static void a_refusal_is_told_once_and_is_not_the_end(void **state)
{
    json_t *o;

    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    t.mood = REFUSES;
    lab_move(t.l, CERTIFICATE_LIFE / 2 + 60);
    WAIT(alerted, "certificate.refused");
    for (int i = 3; i < 6; i++) {
        char n[8];

        snprintf(n, sizeof n, "%d", i);
        t.l->client->identity.again_at = 0;
        WAIT(asked_again, n);
        WAIT(idle, NULL);
    }
    lab_run(t.l, 600);
    assert_int_equal(alerts("certificate.refused"), 1);
    assert_non_null(strstr(client_status_line(t.l->client), "till-1 is retired"));
    o = node_json();
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "certificate"), "problem")), "till-1 is retired");
    json_decref(o);
    assert_true(t.l->client->identity.again_at - clock_ms() > 10000);       /* it has learned to wait */
    t.mood = GOOD;
    client_reload(t.l->client);                 /* ferry poll */
    lab_run(t.l, 600);
    assert_string_equal(t.l->client->identity.why, "");
}

static void an_outage_is_no_refusal(void **state)
{
    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    t.mood = BROKEN;
    lab_move(t.l, CERTIFICATE_LIFE / 2 + 60);
    WAIT(asked_again, "2");
    lab_run(t.l, 600);
    assert_int_equal(alerts("certificate.refused"), 0);
    assert_string_equal(t.l->client->poll_error, "");
}

static void a_certificate_for_another_is_not_taken(void **state)
{
    AUTO(text_free) char *before = NULL;

    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    before = must_copy(t.l->client->identity.certificate);
    t.mood = ANOTHERS;
    lab_move(t.l, CERTIFICATE_LIFE / 2 + 60);
    WAIT(wrong_says, "another key");
    assert_true(stored("certificate", before));
    assert_string_equal(t.l->client->identity.certificate, before);
}

/* --- whose key --- */

static void publish(const char *member, const char *value)
{
    json_t *fleet = json_incref(json_object_get(t.l->documents, "policy/fleet/fleet.json"));

    json_object_set_new(fleet, member, json_string(value));
    lab_put(t.l, "policy/fleet/fleet.json", fleet);
    lab_publish(t.l);
}

static bool pinned(struct client_lab *l, const char *which)
{
    return l->client->identity.site_pin && !strcmp(l->client->identity.site_pin, which);
}

/* The key is changed as the site does it: both are pinned for a while, then the new one is used. */
static void the_policy_says_which_key_is_next(void **state)
{
    AUTO(text_free) char *both = must_print("%s;%s", t.pin, t.wrong);

    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    WAIT(idle, NULL);
    publish("site_pin", both);
    client_reload(t.l->client);
    WAIT(pinned, both);
    assert_true(stored("site.pin", both));
    lab_stop(t.l);
    lab_start(t.l);
    WAIT(polled, NULL);
    assert_string_equal(t.l->client->poll_error, "");
    publish("site_pin", t.wrong);               /* the site went on with the old key: it is not spoken to any more */
    client_reload(t.l->client);
    WAIT(pinned, t.wrong);
    client_reload(t.l->client);
    WAIT(wrong_says, "pinned public key");
}

static void change_ca(void)
{
    free(t.ca_pem);
    t.ca = t.stranger;
    assert_int_equal(certificate_make_ca(&t.ca, "hq", lab_now(t.l), &t.ca_pem, NULL), OK);
}

/* Its certificate is worth nothing any more, so not even the policy that says so can be fetched: it asks for another, and goes on. */
static void another_ca_of_the_site_is_found_out(void **state)
{
    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    WAIT(idle, NULL);
    change_ca();
    publish("ca", t.ca_pem);
    client_reload(t.l->client);
    WAIT(asked_again, "2");
    lab_run(t.l, 600);
    assert_string_equal(t.l->client->poll_error, "");
    assert_int_equal(t.certificates, 2);
    assert_true(stored("site.ca", t.ca_pem));
    assert_string_equal(t.l->client->fleet->ca, t.ca_pem);
}

/* The policy came first: a new certificate is due at once. */
static void another_ca_in_the_policy_makes_a_new_certificate_due(void **state)
{
    struct error e;
    char        *fresh;

    (void)state;
    enrolled(t.pin);
    WAIT(polled, NULL);
    WAIT(idle, NULL);
    t.mood = BROKEN;
    assert_int_equal(certificate_make_ca(&t.stranger, "hq", lab_now(t.l), &fresh, &e), OK);
    publish("ca", fresh);
    free(fresh);
    client_reload(t.l->client);
    WAIT(asked_again, "2");
    change_ca();
    t.mood = GOOD;
    client_reload(t.l->client);
    WAIT(asked_again, "3");
    WAIT(idle, NULL);
    assert_true(stored("site.ca", t.ca_pem));
    assert_string_equal(t.l->client->identity.why, "");
}

static void a_wrong_key_stops_everything_and_says_why(void **state)
{
    (void)state;
    enrolled(t.wrong);
    WAIT(wrong_says, "pinned public key");
    lab_run(t.l, 500);
    assert_int_equal(t.certificates + t.admitted + t.bare, 0);
    assert_null(t.l->client->fleet);
    assert_non_null(strstr(t.l->client->identity.why, "pinned public key"));
}

static void https_without_a_known_key_is_refused(void **state)
{
    (void)state;
    enrolled(NULL);
    WAIT(wrong_says, "which key the site has");
    lab_run(t.l, 500);
    assert_int_equal(t.certificates + t.admitted + t.bare, 0);
}

/* Laboratories: nothing is pinned, but a CA that the node knows already is not replaced by whoever sits in between. */
static void over_http_the_known_ca_stays(void **state)
{
    struct route_set      sets[] = {{routes, COUNT(routes), NULL}, {lab_routes, COUNT(lab_routes), t.l}};
    AUTO(text_free) char *known = NULL;
    char                  url[64];

    (void)state;
    assert_int_equal(server_open_sets(&t.l->net.loop, "127.0.0.1:0", sets, 2, &t.second, NULL), OK);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", server_port(t.second));
    t.l->config.site = url;
    enrolled(NULL);
    WAIT(polled, NULL);
    known = must_copy(t.ca_pem);
    change_ca();
    lab_move(t.l, CERTIFICATE_LIFE / 2 + 60);
    WAIT(wrong_says, "another CA");
    assert_true(stored("site.ca", known));
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(it_is_enrolled_and_goes_on),
        T(words_without_the_secret_change_nothing),
        T(it_waits_for_an_administrator),
        T(one_from_before_certificates_gets_one_at_once),
        T(it_is_renewed_at_half_its_life),
        T(one_that_ran_out_is_renewed_all_the_same),
        T(a_refusal_is_told_once_and_is_not_the_end),
        T(an_outage_is_no_refusal),
        T(a_certificate_for_another_is_not_taken),
        T(the_policy_says_which_key_is_next),
        T(another_ca_of_the_site_is_found_out),
        T(another_ca_in_the_policy_makes_a_new_certificate_due),
        T(a_wrong_key_stops_everything_and_says_why),
        T(https_without_a_known_key_is_refused),
        T(over_http_the_known_ca_stays),
    };

    return lab_main(argc, argv, tests);
}
