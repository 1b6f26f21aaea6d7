/* Who this node is to others, and whose key it believes the site to have: the certificate that the site's CA signed for the node's own key, the
 * CA, the pin of the site's key. A new certificate is asked for at half of the old one's life, and at once when there is none that holds. All of
 * it is in the store, but the key, which is in a file of its own and here in memory. Inside node/client. */
#ifndef FERRY_NODE_CLIENT_IDENTITY_H
#define FERRY_NODE_CLIENT_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "policy/trust/certificate.h"

#define IDENTITY_WORDS (16u << 10)              /* bytes of an answer that is only read for its words */

struct client;
struct web_call;
struct web_answer;

struct identity {
    char              *key, *certificate, *ca;  /* PEM, as TLS libraries take them; certificate NULL: none yet */
    char              *site_pin;                /* NULL: not known, which is all right for http alone */
    struct certificate read;                    /* what certificate says */
    int64_t            renew_at;                /* seconds: a new one is due; 0: at once */
    bool               asking, told;            /* told: the site heard that it refuses us */
    int64_t            again_at, wait_ms;       /* monotonic ms */
    int64_t            doubt_at;                /* … before which a refused poll makes no new one due */
    char               why[200];                /* the last attempt failed, and why; "" */
};

void     identity_recall(struct client *);      /* from the store; shown to servers from now on */
void     identity_show(struct client *);         /* … to the branch too, once that is open */
void     identity_end(struct identity *);                           /* wipes the key */
void     identity_fleet(struct client *);       /* a fleet document is in force: what it says of the site's key and CA wins */
void     identity_doubt(struct client *);       /* the site let us not in: it may have another CA by now, and a new certificate is due */
void     identity_run(struct client *);         /* asks for a certificate when one is due */
/* url becomes SITE + path (caller frees), and the call pins the site's key. Refused for https while that is not known. */
enum err identity_call(const struct client *, const char *path, struct web_call *, char **url, struct error *);
/* Until when it holds and what is wrong, for people. Caller frees. */
char    *identity_text(struct client *);
bool     identity_secure(const struct client *);                    /* the site is an https one */
/* What a stranger says, fit for a terminal; and the site's own words about a refusal, else what the transport says. */
void     identity_plain(const char *text, char *out, size_t size);
void     identity_words(const struct web_answer *, char *out, size_t size);

#endif
