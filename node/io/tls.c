/* The client's certificate of one connection, for whoever judges it. GnuTLS lives here and nowhere else: libmicrohttpd's TLS is its. */
#include <gnutls/gnutls.h>

#include "node/io/exchange.h"

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
