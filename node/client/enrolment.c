#include "node/client/enrolment.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"
#include "policy/trust/certificate.h"

#define ROOT_LIMIT (64u << 10)

enum err enrolment_open(const char *body, size_t length, const uint8_t key[32], char **text, size_t *size, struct error *e)
{
    struct reader r;
    uint8_t      *bytes, mac[crypto_auth_BYTES];
    json_t       *outer;
    size_t        n = 0;
    enum err      code = json_read(body, length, ENROLMENT_LIMIT, &outer, e);

    if (code)
        return code;
    reader_init(&r, outer, "enrolment", e);
    bytes = reader_base64(&r, "answer", ENROLMENT_LIMIT, &n);
    if (!r.verdict && !hex_decode(reader_text(&r, "mac", 64), mac, sizeof mac))
        reader_fail(&r, "mac", "64 hexadecimal digits are expected");
    code = r.verdict;
    if (!code && crypto_auth_verify(mac, bytes, n, key))
        code = fail(e, ERR_VERIFY, "the answer to the enrolment was not made with the token's secret: whoever answers is not the site that made it");
    if (!code) {
        *text = must_alloc(n + 1);
        memcpy(*text, bytes, n);
        *size = n;
    }
    free(bytes);
    json_decref(outer);
    return code;
}

static bool one_pin(const char *text, size_t n)
{
    char     base64[45];
    uint8_t *hash = NULL;
    size_t   size = 0;

    if (n != strlen("sha256//") + 44 || strncmp(text, "sha256//", 8))
        return false;
    memcpy(base64, text + 8, 44);
    base64[44] = 0;
    hash = base64_decode(base64, 32, &size);
    free(hash);
    return hash && size == 32;
}

bool enrolment_pin_ok(const char *text)
{
    size_t n = strcspn(text, ";");

    return one_pin(text, n) && (!text[n] || one_pin(text + n + 1, strlen(text + n + 1)));
}

static void members(struct reader *r, struct enrolment *out)
{
    uint8_t seal[32];

    out->site_id = reader_copy(r, "site_id", 64);
    out->site = reader_copy(r, "site", 64);
    out->seal = reader_copy(r, "seal_key", 64);
    out->ca = reader_copy(r, "ca", CERTIFICATE_LIMIT);
    out->certificate = reader_copy(r, "certificate", CERTIFICATE_LIMIT);
    out->site_pin = reader_copy_or_null(r, "site_pin", 200);
    out->root = reader_base64(r, "root", ROOT_LIMIT, &out->root_size);
    if (!r->verdict && !hex_decode(out->seal, seal, sizeof seal))
        reader_fail(r, "seal_key", "64 hexadecimal digits are expected");
    if (!r->verdict && out->site_pin && !enrolment_pin_ok(out->site_pin))
        reader_fail(r, "site_pin", "sha256// and the base64 of a SHA-256 are expected");
}

static enum err fits(const struct enrolment *n, const char *node_id, const struct enrolment_asked *asked, struct error *e)
{
    struct sha256      root = hash_bytes(n->root, n->root_size);
    struct certificate c;
    enum err           code;

    if (!sha256_same(&root, &asked->root))
        return fail(e, ERR_VERIFY, "the site's root is not the one the token names: this is not the site that made the token");
    if (asked->secure && !n->site_pin)
        return fail(e, ERR_VERIFY, "the site does not say which key it has (site_pin): over https it has to");
    code = certificate_check(n->certificate, n->ca, asked->now, &c, e);
    if (!code && (strcmp(node_id, asked->node_id) || strcmp(c.subject, asked->node_id) || memcmp(c.public, asked->public, 32)))
        code = fail(e, ERR_VERIFY, "the site's certificate is for another node or another key than this one's");
    return code;
}

enum err enrolment_read(const char *text, size_t size, const struct enrolment_asked *asked, struct enrolment *out, struct error *e)
{
    struct enrolment n = {0};
    struct reader    r;
    json_t          *inner;
    enum err         code = json_read(text, size, ENROLMENT_LIMIT, &inner, e);

    if (code)
        return code;
    reader_init(&r, inner, "enrolment", e);
    members(&r, &n);
    const char *node_id = reader_text(&r, "node_id", 64);
    code = r.verdict ? r.verdict : fits(&n, node_id, asked, e);
    json_decref(inner);
    if (code)
        enrolment_end(&n);
    else
        *out = n;
    return code;
}

void enrolment_end(struct enrolment *n)
{
    free(n->site_id);
    free(n->site);
    free(n->seal);
    free(n->ca);
    free(n->certificate);
    free(n->site_pin);
    free(n->root);
    *n = (struct enrolment){0};
}
