/* What a server shows, and the client's certificate of one connection, for whoever judges it. GnuTLS lives here and nowhere else: libmicrohttpd's
 * TLS is its. */
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "node/io/exchange.h"

struct tls_pair {
    struct tls_pair *next;
    gnutls_pcert_st  certificate;
    gnutls_privkey_t key;
};

/* --- what it shows --- */

static bool belong_together(const struct tls_pair *p)
{
    unsigned char   ids[2][64];
    size_t          sizes[2] = {sizeof ids[0], sizeof ids[1]};
    gnutls_pubkey_t public = NULL;
    bool            good = !gnutls_pubkey_init(&public) && !gnutls_pubkey_import_privkey(public, p->key, 0, 0) &&
                !gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, ids[0], &sizes[0]) &&
                !gnutls_pubkey_get_key_id(p->certificate.pubkey, GNUTLS_KEYID_USE_SHA256, ids[1], &sizes[1]);

    gnutls_pubkey_deinit(public);
    return good && sizes[0] == sizes[1] && !memcmp(ids[0], ids[1], sizes[0]);
}

static gnutls_datum_t datum_of(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
}

enum err tls_pair_add(const char *key, const char *certificate, struct tls_pair **list, struct error *e)
{
    struct tls_pair *p = must_alloc(sizeof *p);
    gnutls_datum_t   key_pem = datum_of(key), certificate_pem = datum_of(certificate);
    bool             good = !gnutls_privkey_init(&p->key) && !gnutls_privkey_import_x509_raw(p->key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0) &&
                !gnutls_pcert_import_x509_raw(&p->certificate, &certificate_pem, GNUTLS_X509_FMT_PEM, 0);

    if (!good || !belong_together(p)) {
        tls_pairs_free(p);
        return fail(e, ERR_VERIFY, "the server's key and its certificate in PEM were expected, and they have to belong together");
    }
    p->next = *list;
    *list = p;
    return OK;
}

void tls_pairs_free(struct tls_pair *p)
{
    while (p) {
        struct tls_pair *next = p->next;

        gnutls_pcert_deinit(&p->certificate);
        gnutls_privkey_deinit(p->key);
        free(p);
        p = next;
    }
}

/* libmicrohttpd keeps its connection in the session, as its own callback for shared keys relies on, and our server in the connection. What is
 * handed out stays ours. */
static int on_certificate(gnutls_session_t session, const gnutls_datum_t *names, int count, const gnutls_pk_algorithm_t *algorithms,
                          int algorithm_count, gnutls_pcert_st **certificates, unsigned *certificate_count, gnutls_privkey_t *key)
{
    struct MHD_Connection          *connection = gnutls_session_get_ptr(session);
    const union MHD_ConnectionInfo *info = connection ? MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT) : NULL;
    struct tls_pair                *pair = info && info->socket_context ? server_pair(info->socket_context) : NULL;

    (void)names;
    (void)count;
    (void)algorithms;
    (void)algorithm_count;
    if (!pair)
        return -1;
    *certificates = &pair->certificate;
    *certificate_count = 1;
    *key = pair->key;
    return 0;
}

void *tls_callback(void)
{
    return (void *)(uintptr_t)on_certificate;
}

/* --- who asks --- */

/* Index 0 is the client's own; others may follow. TLS 1.3 has made it prove that it holds the key. */
static const gnutls_datum_t *leaf_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned                        count = 0;
    const gnutls_datum_t           *list;

    if (!info || !info->tls_session || gnutls_certificate_type_get(info->tls_session) != GNUTLS_CRT_X509)
        return NULL;
    list = gnutls_certificate_get_peers(info->tls_session, &count);
    return count ? list : NULL;
}

enum err tls_admit(const struct server_tls *tls, struct exchange *x, struct error *e)
{
    const gnutls_datum_t *leaf = leaf_of(x->connection);
    struct error          why = {0};
    enum err              code = tls->admit(tls->ctx, x->match.route, leaf ? leaf->data : NULL, leaf ? leaf->size : 0, x->identity, &why);

    return code ? fail(e, ERR_DENIED, "%s", why.text) : OK;
}

const char *exchange_identity(const struct exchange *x)
{
    return x->identity;
}
