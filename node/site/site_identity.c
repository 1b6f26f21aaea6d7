#include "node/site/site_identity.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define TLS_LIFE (10LL * 365 * 86400)           /* nodes pin the key and look at no date; nobody lets a ferryd run for longer */
#define KEY_MOST 4096

/* It appears whole: what a crash leaves of it bears another name and is made again. */
static enum err make_key(const char *path, struct key *k, struct error *e)
{
    AUTO(text_free) char *unfinished = must_print("%s.being-made", path);
    enum err              code = key_generate(k) ? fail(e, ERR_FAILED, "libsodium cannot start") : OK;

    if (!code)
        code = file_remove(unfinished, e);
    code = code ? code : key_save(unfinished, k, e);
    return code ? code : file_move(unfinished, path, e);
}

static enum err open_key(const char *path, struct key *k, struct error *e)
{
    return file_exists(path) ? key_load(path, k, e) : make_key(path, k, e);
}

/* A certificate without its key is a lost key. Another CA made quietly would shut every node out until it has asked again. */
static enum err key_there(const char *key, const char *pem, struct error *e)
{
    if (file_exists(key) || !file_exists(pem))
        return OK;
    return fail(e, ERR_CONDITION, "%s is lost, and %s is still there: put the key back from a backup; or delete %s, then the site makes "
                                  "another CA and nodes ask for new certificates by themselves", key, pem, pem);
}

static enum err open_ca(struct site_identity *s, const char *key, const char *pem, const char *site_id, int64_t now, struct error *e)
{
    struct certificate c;
    size_t             length;
    enum err           code = key_there(key, pem, e);

    code = code ? code : open_key(key, &s->ca, e);
    if (code)
        return code;
    if (file_exists(pem)) {
        code = file_read(pem, CERTIFICATE_LIMIT, &s->ca_pem, &length, e);
        code = code ? code : certificate_read(s->ca_pem, &c, e);
        if (!code && (!c.ca || memcmp(c.public, s->ca.public, 32)))
            code = fail(e, ERR_CONDITION, "%s is not the certificate of %s; put the one back that belongs to it, or delete it: then it is "
                                          "made again", pem, key);
        return code;
    }
    code = certificate_make_ca(&s->ca, site_id, now, &s->ca_pem, e);
    return code ? code : file_write(pem, s->ca_pem, strlen(s->ca_pem), 0644, e);
}

static enum err open_tls(struct site_identity *s, const char *path, const char *site_id, int64_t now, struct error *e)
{
    struct key k = {0};
    size_t     length;
    enum err   code = open_key(path, &k, e);

    code = code ? code : file_read(path, KEY_MOST, &s->tls_key, &length, e);
    code = code ? code : certificate_make(&k, site_id, site_id, k.public, now, TLS_LIFE, &s->tls_certificate, e);
    if (!code)
        certificate_pin(k.public, s->pin);
    key_end(&k);
    return code;
}

enum err site_identity_open(struct site_identity *s, const char *dir, const char *site_id, int64_t now, struct error *e)
{
    AUTO(text_free) char *ca = must_print("%s/keys/ca.key", dir), *tls = must_print("%s/keys/tls.key", dir), *pem = must_print("%s/ca.pem", dir);
    enum err              code = open_ca(s, ca, pem, site_id, now, e);

    return code ? code : open_tls(s, tls, site_id, now, e);
}

void site_identity_end(struct site_identity *s)
{
    key_end(&s->ca);
    if (s->tls_key)
        sodium_memzero(s->tls_key, strlen(s->tls_key));
    free(s->tls_key);
    free(s->tls_certificate);
    free(s->ca_pem);
    memset(s, 0, sizeof *s);
}

enum err site_identity_tell(const struct site_identity *s, struct ledger *l, struct error *e)
{
    enum err code = ledger_set(l, "site.ca", s->ca_pem, e);

    return code ? code : ledger_set(l, "site.pin", s->pin, e);
}
