/* The site's answer to an enrolment, over a connection that nobody has vouched for: the token's secret vouches for the words, the token's hash
 * for the root, the root from then on for everything. Pure: time comes in. Inside node/client. */
#ifndef FERRY_NODE_CLIENT_ENROLMENT_H
#define FERRY_NODE_CLIENT_ENROLMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

#define ENROLMENT_LIMIT (256u << 10)            /* bytes of the answer */

struct enrolment_asked {                        /* what the answer has to fit */
    struct sha256  root;                        /* as the token names it */
    const char    *node_id;
    const uint8_t *public;                      /* the node's, 32 bytes */
    int64_t        now;
    bool           secure;                      /* over https: then the site has a key to pin */
};
struct enrolment {
    char    *site_id, *site, *seal, *ca, *certificate;
    char    *site_pin;                          /* NULL: http */
    uint8_t *root;
    size_t   root_size;
};

/* {"answer":base64,"mac":hex} → the text whose mac is right; malloc'd, NUL-terminated. ERR_VERIFY else. */
enum err enrolment_open(const char *body, size_t length, const uint8_t key[32], char **text, size_t *size, struct error *);
/* … and what it says, when every word of it fits. */
enum err enrolment_read(const char *text, size_t size, const struct enrolment_asked *, struct enrolment *out, struct error *);
void     enrolment_end(struct enrolment *);
/* "sha256//…", or two of them with a semicolon between: what a client may pin. */
bool     enrolment_pin_ok(const char *);

#endif
