/* HTTP server: libmicrohttpd's epoll on the uv loop; TCP or a Unix socket. Loop thread only. One route table per server.
 * Bodies are collected up to the route's limit before the handler is called. Files are sent in 64 KiB blocks, ranges included (RFC 9110).
 */
#ifndef FERRY_NODE_IO_SERVER_H
#define FERRY_NODE_IO_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"

struct server;
struct exchange;                                /* one request being answered */

struct route {
    const char *method;                         /* "GET" also answers HEAD */
    const char *path; /* "/api/v1/groups/{name}/members" — {x} matches one segment; trailing "/{path...}" the rest */
    size_t      limit;                          /* of the request body; 0: none allowed (413) */
    void      (*handle)(void *ctx, struct exchange *);   /* must answer now, or keep the exchange and answer later */
    const char *about;                          /* one line, for GET /api/v1 */
};

enum err server_open(uv_loop_t *, const char *listen /* "127.0.0.1:8440", "[::1]:80", "unix:/run/ferry/ferryd.sock" (0660) */,
                     const struct route *routes, size_t count, void *ctx, struct server **out, struct error *);
/* Several tables, each with the ctx of its handlers, on one address. Tables are borrowed until closed. */
struct route_set {
    const struct route *routes;
    size_t              count;
    void               *ctx;
};
enum err server_open_sets(uv_loop_t *, const char *listen, const struct route_set *sets, size_t count, struct server **out, struct error *);

/* TLS 1.3, and who may ask. libmicrohttpd only requests a client's certificate and lets everybody in: so admit is asked once per request,
 * before any route, body or file is looked at, and nothing goes past it. der: the client's own certificate, whose key it has proved to hold;
 * NULL when it sent none; who signed it is for admit to judge. route: the one that matched, or NULL:
 * some are open to those who have none yet. */
#define SERVER_IDENTITY 80
struct server_tls {
    const char *key, *certificate;              /* PEM: the server's own */
    const char *trust;                          /* PEM: the CA whose certificates are asked for */
    enum err  (*admit)(void *ctx, const struct route *, const uint8_t *der, size_t size, char identity[SERVER_IDENTITY], struct error *);
    void       *ctx;
};
enum err server_open_tls(uv_loop_t *, const char *listen, const struct route_set *sets, size_t count, const struct server_tls *,
                         struct server **out, struct error *);
/* Whoever comes from now on is shown this certificate, over the same key; who is connected stays. ERR_VERIFY: they do not belong together. */
enum err server_renew(struct server *, const char *key, const char *certificate, struct error *);
void     server_close(struct server *, void (*closed)(void *ctx), void *ctx);
int      server_port(const struct server *);    /* the one the system chose for port 0; 0 on a Unix socket */

/* What was asked; borrowed until answered. */
const char *exchange_method(const struct exchange *);
const char *exchange_path(const struct exchange *);
const struct route *exchange_route(const struct exchange *);                /* the one that matched */
const char *exchange_part(const struct exchange *, const char *name);       /* {name}, percent-decoded; "" when none */
const char *exchange_query(const struct exchange *, const char *name);      /* ?name=, decoded; NULL when absent */
const char *exchange_header(const struct exchange *, const char *name);
const char *exchange_body(const struct exchange *, size_t *length);
const char *exchange_identity(const struct exchange *);                     /* what admit wrote; "" without TLS */
const char *exchange_peer(const struct exchange *);                         /* "127.1.0.2"; "unix" + uid: "uid 1000" on a Unix socket */
/* The client left, or the server closes, before a kept exchange was answered: from then on the exchange must not be touched. Without a gone
 * function the exchange lives until it is answered, whoever listens. */
void        exchange_on_gone(struct exchange *, void (*gone)(void *ctx), void *ctx);

/* Exactly one of these ends an exchange. */
void answer_json(struct exchange *, int status, json_t *body /* taken */);
void answer_bytes(struct exchange *, int status, const char *type, const void *bytes, size_t length /* copied */);
void answer_file(struct exchange *, const char *path, const char *type);    /* 404 when absent; ranges, ETag by size+mtime, 304 */
/* application/problem+json (RFC 9457): {"type":"ferry:verify","title":…,"detail":text,"status":…} */
void answer_error(struct exchange *, const struct error *);

uint64_t server_sent(const struct server *);    /* body bytes */

#endif
