/* X.509 over keys that are known already: the site's CA signs a certificate for a node's own ed25519 key (design.md section 9; RFC 5280, RFC
 * 8410). libcrypto. A certificate says who and until when; what its holder may do, policy says. The CA puts nothing into a certificate but the
 * node's id, and the "*" that libtorrent looks for. Texts are PEM, malloc'd; times seconds since 1970 UTC. Pure: time comes in. */
#ifndef FERRY_POLICY_TRUST_CERTIFICATE_H
#define FERRY_POLICY_TRUST_CERTIFICATE_H

#include "policy/trust/key.h"

#define CERTIFICATE_LIFE   (7 * 86400)          /* of a node's */
#define CERTIFICATE_EARLY  3600                 /* valid so long before it is made: clocks differ */
#define CERTIFICATE_LIMIT  4096                 /* PEM bytes; more is not even parsed */
#define CERTIFICATE_PIN    64

struct certificate {
    char    subject[80];                        /* common name: a node id, or the site's id for the CA */
    uint8_t public[32];
    int64_t not_before, not_after;
    bool    ca;
};

/* The CA's own: self-signed, twenty years, may sign leaves only. */
enum err certificate_make_ca(const struct key *ca, const char *site_id, int64_t now, char **pem, struct error *);
enum err certificate_make(const struct key *ca, const char *site_id, const char *subject, const uint8_t public[32], int64_t now, int64_t life_s,
                          char **pem, struct error *);
/* One certificate over an ed25519 key; nothing is believed of who signed it. ERR_VERIFY. */
enum err certificate_read(const char *pem, struct certificate *out, struct error *);
/* … and that CA signed it, and it holds at that time. ca_pem NULL: any signer, which is what its own holder asks. */
enum err certificate_check(const char *pem, const char *ca_pem, int64_t now, struct certificate *out, struct error *);
/* The same of DER, as TLS hands it over. */
enum err certificate_check_der(const uint8_t *der, size_t size, const char *ca_pem, int64_t now, struct certificate *out, struct error *);
/* Half of its life is over: a new one is to be asked for. */
bool     certificate_due(const struct certificate *, int64_t now);
/* What a client pins of a server's key: "sha256//" and the base64 of SHA-256 over its SubjectPublicKeyInfo, as curl writes it. */
char    *certificate_pin(const uint8_t public[32], char out[CERTIFICATE_PIN]);
/* The same of a server that is not ours: the first certificate of the text, over a key of any kind. ERR_VERIFY. */
#define CERTIFICATE_CHAIN (64u << 10)
enum err certificate_pin_of(const char *pem, char out[CERTIFICATE_PIN], struct error *);
/* The holder's private key as TLS libraries take it: PEM, PKCS#8. Never written anywhere; the caller wipes it (sodium_memzero), then frees it. */
char    *certificate_key_pem(const struct key *);

#endif
