/* policy/trust/certificate.c: what a peer shows as its certificate. The first byte: bit 0 PEM (else DER), bit 1 anybody's signature is taken. What
 * passes holds now and says who; and the site's CA has signed nothing here but the one certificate that is made at the start. */
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/trust/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1800000000

static char      *authority;
static struct key ca, node;

static void key_of(struct key *k, uint8_t seed)
{
    uint8_t secret[64];

    memset(k->seed, seed, sizeof k->seed);
    crypto_sign_seed_keypair(k->public, secret, k->seed);
}

/* FERRY_FUZZ_SEED names a file for the good one: a seed. */
static void begin(void)
{
    char *pem = NULL, *path = getenv("FERRY_FUZZ_SEED");

    if (sodium_init() < 0)
        abort();
    key_of(&ca, 1);
    key_of(&node, 2);
    if (certificate_make_ca(&ca, "abcdefghijklmnop", NOW, &authority, NULL) ||
        certificate_make(&ca, "abcdefghijklmnop", "node-of-the-fuzzer", node.public, NOW, CERTIFICATE_LIFE, &pem, NULL))
        abort();
    if (path) {
        FILE *f = fopen(path, "w");
        fprintf(f, "\001%s", pem);
        fclose(f);
    }
    free(pem);
}

static void passed(const struct certificate *c, bool any)
{
    char pin[CERTIFICATE_PIN];

    if (NOW < c->not_before || NOW >= c->not_after || !*c->subject || strlen(c->subject) >= sizeof c->subject)
        abort();
    if (!any && memcmp(c->public, node.public, 32) && memcmp(c->public, ca.public, 32))
        abort();                                /* a key the CA never saw */
    certificate_pin(c->public, pin);
    certificate_due(c, NOW);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct certificate c;
    char              *text;
    bool               any = size && data[0] & 2;
    const char        *trusted;

    if (!authority)
        begin();
    trusted = any ? NULL : authority;
    if (!size)
        return 0;
    text = must_alloc(size);
    memcpy(text, data + 1, size - 1);
    if (!(data[0] & 1)) {
        if (!certificate_check_der(data + 1, size - 1, trusted, NOW, &c, NULL))
            passed(&c, any);
    } else {
        certificate_read(text, &c, NULL);
        if (!certificate_check(text, trusted, NOW, &c, NULL))
            passed(&c, any);
        certificate_check(text, text, NOW, &c, NULL);       /* and as a CA */
    }
    free(text);
    return 0;
}
