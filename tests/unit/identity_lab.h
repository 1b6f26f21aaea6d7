/* For tests of a node and an https site. The site lets in as the real one does: policy and status go to holders of a certificate that holds,
 * enrolment and certificates to everybody who can ask for them properly. */
#ifndef FERRY_TESTS_UNIT_IDENTITY_LAB_H
#define FERRY_TESTS_UNIT_IDENTITY_LAB_H

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

static const struct route identity_routes[] = {
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
    struct route_set  sets[] = {{identity_routes, COUNT(identity_routes), NULL}, {lab_routes, COUNT(lab_routes), t.l}};
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

static json_t *node_json(void)
{
    long    status;
    json_t *o = lab_api(t.l, "GET", "/api/v1/node", NULL, &status);

    assert_int_equal(status, 200);
    return o;
}

#endif
