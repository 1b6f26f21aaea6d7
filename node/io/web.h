/* HTTP client: curl's multi interface on the uv loop. Loop thread only. Every request ends in exactly one on_done, also when cancelled
 * (ERR_AGAIN, "cancelled") or when the web is closed; never from inside web_get itself. */
#ifndef FERRY_NODE_IO_WEB_H
#define FERRY_NODE_IO_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"

struct web;
struct web_request;

struct web_options {
    const char *proxy;                          /* curl's CURLOPT_PROXY, NULL: none (the environment's proxies are ignored) */
    bool        proxy_tunnel;                   /* CONNECT for http:// too */
    const char *bind_address;                   /* outgoing address: CURLOPT_INTERFACE "host!ADDR"; NULL: any */
    const char *agent;                          /* "ferryd/0.1" */
};

struct web_answer {
    /* OK: status 2xx and complete. 404, 410 → NOT_FOUND; 401, 403 → DENIED; 408, 429 and 5xx → AGAIN; other 3xx and 4xx → USAGE;
     * transport → AGAIN, IO, TIMEOUT; not what was asked for → VERIFY. */
    enum err    code;
    long        status;                         /* HTTP status, 0: none */
    const char *body;                           /* collected when on_data is NULL; NUL-terminated; borrowed */
    size_t      length;                         /* body bytes received (counted also when streamed): what the byte ledger counts */
    const char *content_type;                   /* "" when none */
    struct error error;
};

struct web_call {
    const char *method;                         /* NULL: GET */
    const char *url;
    const char *unix_socket;                    /* connect there instead of TCP; NULL */
    /* https: how the server is known. By its key ("sha256//…", policy/trust/certificate.h), whatever its certificate says: then the web's own
     * identity is shown to it; or, unverified, not at all: for enrolment, whose words protect themselves. NULL and false: by the system's CAs. */
    const char *pin;
    bool        unverified;
    const void *body;                           /* for POST, PUT; copied */
    size_t      body_length;
    const char *content_type;                   /* of body; NULL: application/json */
    uint64_t range_first, range_length; /* range_length 0: whole. A 200 instead of 206 is refused (ERR_VERIFY) unless it is the whole */
    size_t      limit;                          /* of the body; more is refused (ERR_VERIFY). 0: 64 MiB */
    int64_t     timeout_ms;                     /* whole request; 0: none, but a stall of stall_ms below 1 byte/s ends it */
    int64_t     stall_ms;                       /* 0: 30,000 */
    int64_t     connect_ms;                     /* 0: 10,000 */
    /* Streams the body; return not OK to stop (that becomes the answer's error). NULL: collected. */
    enum err  (*on_data)(void *ctx, const char *bytes, size_t length, struct error *);
    void      (*on_done)(void *ctx, const struct web_answer *);
    void       *ctx;
};

enum err web_open(uv_loop_t *, const struct web_options *, struct web **out, struct error *);
/* Who this web is to servers whose key is pinned; PEM, copied; NULL: nobody. Requests that run keep what they began with. */
void     web_identity(struct web *, const char *key, const char *certificate);
void     web_close(struct web *, void (*closed)(void *ctx), void *ctx);     /* cancels what runs; closed when every handle is */
struct web_request *web_start(struct web *, const struct web_call *);      /* never NULL; owned by web, gone after on_done */
void     web_cancel(struct web_request *);
uint64_t web_received(const struct web *);                                  /* body bytes since open */

#endif
