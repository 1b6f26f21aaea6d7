/* Who the site is to nodes: the CA that signs their certificates, and the key they pin. Files of DIR:
 *   keys/ca.key, keys/tls.key   0600; made when they are missing
 *   ca.pem                      the CA's own certificate, made once with its key
 * Blocks; at init and at the start only. */
#ifndef FERRY_NODE_SITE_SITE_IDENTITY_H
#define FERRY_NODE_SITE_SITE_IDENTITY_H

#include "policy/authoring/ledger.h"
#include "policy/trust/certificate.h"

struct site_identity {
    struct key ca;
    char      *ca_pem;
    char      *tls_key, *tls_certificate;       /* PEM; the certificate is another one at each start: its key is what counts */
    char       pin[CERTIFICATE_PIN];            /* of tls_key */
};

/* Zero it first; end it also when it failed. ERR_CONDITION when ca.pem is not of ca.key. */
enum err site_identity_open(struct site_identity *, const char *dir, const char *site_id, int64_t now, struct error *);
void     site_identity_end(struct site_identity *);
/* The policy tells of it from now on: settings "site.ca", "site.pin". */
enum err site_identity_tell(const struct site_identity *, struct ledger *, struct error *);

#endif
