/* Which route of a table a request means, and what its {parts} are. Pure; only the server uses it. */
#ifndef FERRY_NODE_IO_ROUTE_H
#define FERRY_NODE_IO_ROUTE_H

#include "base/text.h"
#include "node/io/server.h"

#define ROUTE_PARTS 8

struct route_part {
    const char *name;                           /* in the route's path, not terminated */
    size_t      name_length;
    char       *value;                          /* decoded, ours */
};
struct route_match {
    const struct route *route;
    void               *ctx;
    struct route_part   part[ROUTE_PARTS];
    size_t              parts;
};

/* The most specific route wins: a word before {x} before {x...}. ERR_NOT_FOUND: no such path. ERR_USAGE: the path exists, not with this
 * method; allow then holds "GET, HEAD, POST". Decoded parts never hold NUL, empty segments, "." or ".." : they are safe below a directory.
 */
enum err route_find(const struct route_set *sets, size_t count, const char *method, const char *path, struct route_match *out,
                    struct text *allow);
void     route_end(struct route_match *);

/* %XX → bytes. NULL when malformed or when it holds NUL. Caller frees. */
char    *percent_decode(const char *text, size_t length);

#endif
