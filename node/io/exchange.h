/* One request between server.c (which receives it) and answer.c (which answers it). Nobody else includes this. Loop thread only. */
#ifndef FERRY_NODE_IO_EXCHANGE_H
#define FERRY_NODE_IO_EXCHANGE_H

#include <microhttpd.h>

#include "base/text.h"
#include "node/io/address.h"
#include "node/io/route.h"
#include "node/io/server.h"

/* Life: routed → body collected → handled → answered, or kept (suspended) → answered or gone → completed. */
struct exchange {
    struct server         *server;              /* NULL once the connection is no more: an answer then goes nowhere */
    struct MHD_Connection *connection;
    struct exchange       *next, *previous;
    struct route_match     match;
    char                  *method, *path;
    char                   peer[ADDRESS_SIZE], identity[SERVER_IDENTITY];
    char                  *allow;               /* for 405 */
    struct text            body;
    size_t                 dropped;             /* body bytes beyond what is accepted */
    struct error           refused;             /* why no handler will be called */
    struct query          *queries;             /* decoded values that were asked for */
    struct MHD_Response   *response;
    unsigned               status;
    bool                   too_long, handled, kept, left;
    void                 (*gone)(void *ctx);
    void                  *gone_ctx;
    struct watch_client   *watch;               /* of a kept exchange somebody wants to hear about */
};

struct query {
    struct query *next;
    char         *name, *value;
};

/* The response is in the exchange: it is sent when the handler returns, or now if it was kept. */
void exchange_answered(struct exchange *);
void server_count(struct server *, size_t body_bytes);
void exchange_free(struct exchange *);

/* tls.c: asks admit about this connection. ERR_DENIED. */
enum err tls_admit(const struct server_tls *, struct exchange *, struct error *);
/* What a server shows: its key and a certificate over it. The newest comes first; libmicrohttpd asks tls_callback() at each handshake. */
struct tls_pair;
enum err tls_pair_add(const char *key, const char *certificate, struct tls_pair **list, struct error *);
void     tls_pairs_free(struct tls_pair *);
void    *tls_callback(void);                    /* for MHD_OPTION_HTTPS_CERT_CALLBACK; the connection's context has to be the server */
struct tls_pair *server_pair(const struct server *);                /* server.c */

#endif
