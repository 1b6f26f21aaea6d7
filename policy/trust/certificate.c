#include "policy/trust/certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define CA_LIFE (20LL * 365 * 86400)

static EVP_PKEY *private_of(const struct key *k)
{
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, k->seed, 32);
}

static bool name_set(X509_NAME *name, const char *common, const char *organisation)
{
    return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)organisation, -1, -1, 0) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common, -1, -1, 0);
}

/* What libtorrent looks for in a neighbour's certificate: the torrent's name or this, in the last common name. Where there is an alternative name
 * it would do as well, but libtorrent up to 2.0.13 does not free those: 106 bytes of memory for every handshake. */
static bool star_add(X509_NAME *name)
{
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"*", -1, -1, 0);
}

static bool extension_add(X509 *x, int nid, const char *value)
{
    X509V3_CTX      context;
    X509_EXTENSION *extension;
    bool            good;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    good = extension && X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
    return good;
}

/* 63 random bits: no counter to keep, none to guess. */
static bool serial_set(X509 *x)
{
    uint64_t serial;

    return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 && ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), (serial >> 1) | 1);
}

struct wish {
    const char *site_id, *subject;
    int64_t     now, life_s;
    bool        ca;
};

static bool extensions_add(X509 *x, const struct wish *w)
{
    if (w->ca)
        return extension_add(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               extension_add(x, NID_key_usage, "critical,keyCertSign,cRLSign") && extension_add(x, NID_subject_key_identifier, "hash");
    return extension_add(x, NID_basic_constraints, "critical,CA:FALSE") && extension_add(x, NID_key_usage, "critical,digitalSignature") &&
           extension_add(x, NID_ext_key_usage, "clientAuth,serverAuth");
}

static bool fill(X509 *x, EVP_PKEY *holder, EVP_PKEY *signer, const struct wish *w)
{
    return X509_set_version(x, X509_VERSION_3) && serial_set(x) && ASN1_TIME_set(X509_getm_notBefore(x), w->now - CERTIFICATE_EARLY) &&
           ASN1_TIME_set(X509_getm_notAfter(x), w->now + w->life_s) && name_set(X509_get_issuer_name(x), w->site_id, "Ferry") &&
           name_set(X509_get_subject_name(x), w->subject, "Ferry") && (w->ca || star_add(X509_get_subject_name(x))) &&
           X509_set_pubkey(x, holder) && extensions_add(x, w) && X509_sign(x, signer, NULL);
}

static char *pem_of(X509 *x)
{
    BIO  *bio = BIO_new(BIO_s_mem());
    char *data, *out = NULL;

    if (bio && PEM_write_bio_X509(bio, x)) {
        long n = BIO_get_mem_data(bio, &data);
        out = must_print("%.*s", (int)n, data);
    }
    BIO_free(bio);
    return out;
}

static enum err make(EVP_PKEY *holder, const struct key *ca, const struct wish *w, char **pem, struct error *e)
{
    EVP_PKEY *signer = private_of(ca);
    X509     *x = X509_new();
    char     *text = signer && x && holder && fill(x, holder, signer, w) ? pem_of(x) : NULL;

    X509_free(x);
    EVP_PKEY_free(signer);
    if (!text)
        return fail(e, ERR_FAILED, "libcrypto cannot make a certificate for %.80s", w->subject);
    *pem = text;
    return OK;
}

enum err certificate_make_ca(const struct key *ca, const char *site_id, int64_t now, char **pem, struct error *e)
{
    struct wish w = {.site_id = site_id, .subject = site_id, .now = now, .life_s = CA_LIFE, .ca = true};
    EVP_PKEY   *holder = private_of(ca);
    enum err    code = make(holder, ca, &w, pem, e);

    EVP_PKEY_free(holder);
    return code;
}

enum err certificate_make(const struct key *ca, const char *site_id, const char *subject, const uint8_t public[32], int64_t now, int64_t life_s,
                          char **pem, struct error *e)
{
    struct wish w = {.site_id = site_id, .subject = subject, .now = now, .life_s = life_s};
    EVP_PKEY   *holder = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, 32);
    enum err    code = make(holder, ca, &w, pem, e);

    EVP_PKEY_free(holder);
    return code;
}

/* --- reading --- */

/* NULL when there is not exactly one, or it is too long to be one. */
static X509 *parse(const char *pem)
{
    size_t n = pem ? strnlen(pem, CERTIFICATE_LIMIT + 1) : 0;
    BIO   *bio = n && n <= CERTIFICATE_LIMIT ? BIO_new_mem_buf(pem, (int)n) : NULL;
    X509  *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL, *more = x ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    if (more) {
        X509_free(x);
        x = NULL;
    }
    X509_free(more);
    BIO_free(bio);
    return x;
}

static bool time_of(const ASN1_TIME *t, int64_t *out)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int        days, seconds;
    bool       good = epoch && ASN1_TIME_diff(&days, &seconds, epoch, t);

    ASN1_TIME_free(epoch);
    if (good)
        *out = (int64_t)days * 86400 + seconds;
    return good;
}

static bool members_of(X509 *x, struct certificate *out)
{
    EVP_PKEY *key = X509_get0_pubkey(x);
    size_t    n = 32;

    memset(out, 0, sizeof *out);
    out->ca = X509_check_ca(x) == 1;
    return key && EVP_PKEY_base_id(key) == EVP_PKEY_ED25519 && EVP_PKEY_get_raw_public_key(key, out->public, &n) && n == 32 &&
           X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, out->subject, sizeof out->subject) > 0 &&
           time_of(X509_get0_notBefore(x), &out->not_before) && time_of(X509_get0_notAfter(x), &out->not_after);
}

enum err certificate_read(const char *pem, struct certificate *out, struct error *e)
{
    X509 *x = parse(pem);
    bool  good = x && members_of(x, out);

    X509_free(x);
    return good ? OK : fail(e, ERR_VERIFY, "not one X.509 certificate over an ed25519 key, which is what was expected");
}

static bool signed_by(const char *pem, const char *ca_pem)
{
    X509 *x = parse(pem), *ca = parse(ca_pem);
    bool  good = x && ca && X509_check_ca(ca) == 1 && X509_check_issued(ca, x) == X509_V_OK && X509_verify(x, X509_get0_pubkey(ca)) == 1;

    X509_free(x);
    X509_free(ca);
    return good;
}

enum err certificate_check(const char *pem, const char *ca_pem, int64_t now, struct certificate *out, struct error *e)
{
    struct certificate c;
    char               time[TIME_SIZE];
    enum err           code = certificate_read(pem, &c, e);

    if (code)
        return code;
    if (ca_pem && !signed_by(pem, ca_pem))
        return fail(e, ERR_VERIFY, "the certificate of %.80s was not signed by this site's CA", c.subject);
    if (now < c.not_before)
        return fail(e, ERR_VERIFY, "the certificate of %.80s holds from %s on: is this machine's clock right?", c.subject,
                    time_print(c.not_before, time));
    if (now >= c.not_after)
        return fail(e, ERR_VERIFY, "the certificate of %.80s ran out at %s", c.subject, time_print(c.not_after, time));
    *out = c;
    return OK;
}

enum err certificate_check_der(const uint8_t *der, size_t size, const char *ca_pem, int64_t now, struct certificate *out, struct error *e)
{
    const unsigned char  *at = der;
    X509                 *x = size && size <= CERTIFICATE_LIMIT ? d2i_X509(NULL, &at, (long)size) : NULL;
    AUTO(text_free) char *pem = x && at == der + size ? pem_of(x) : NULL;

    X509_free(x);
    return certificate_check(pem ? pem : "", ca_pem, now, out, e);
}

bool certificate_due(const struct certificate *c, int64_t now)
{
    return now >= c->not_before + (c->not_after - c->not_before) / 2;
}

char *certificate_pin(const uint8_t public[32], char out[CERTIFICATE_PIN])
{
    /* SubjectPublicKeyInfo of an ed25519 key (RFC 8410 section 4). */
    static const uint8_t head[12] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    uint8_t              der[sizeof head + 32];
    struct sha256        h;
    char                *text;

    memcpy(der, head, sizeof head);
    memcpy(der + sizeof head, public, 32);
    h = hash_bytes(der, sizeof der);
    text = base64_encode(h.b, SHA256_SIZE);
    snprintf(out, CERTIFICATE_PIN, "sha256//%s", text);
    free(text);
    return out;
}
