/* What was asked. Receiving it is in server.c, answering it in answer.c. */
#include "node/io/exchange.h"

#include <stdlib.h>
#include <string.h>

const char *exchange_method(const struct exchange *x)
{
    return x->method;
}

const struct route *exchange_route(const struct exchange *x)
{
    return x->match.route;
}

const char *exchange_path(const struct exchange *x)
{
    return x->path;
}

const char *exchange_part(const struct exchange *x, const char *name)
{
    for (size_t i = 0; i < x->match.parts; i++)
        if (strlen(name) == x->match.part[i].name_length && !memcmp(name, x->match.part[i].name, x->match.part[i].name_length))
            return x->match.part[i].value;
    return "";
}

const char *exchange_query(const struct exchange *x, const char *name)
{
    struct exchange *mine = (struct exchange *)(uintptr_t)x;    /* remembers the decoded value, nothing else */
    const char      *raw;
    struct query    *q;

    for (q = x->queries; q; q = q->next)
        if (!strcmp(q->name, name))
            return q->value;
    raw = x->connection ? MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, name) : NULL;
    if (!raw)
        return NULL;
    q = must_alloc(sizeof *q);
    q->name = must_copy(name);
    q->value = percent_decode(raw, strlen(raw));
    if (!q->value)
        q->value = must_copy("");
    q->next = mine->queries;
    mine->queries = q;
    return q->value;
}

const char *exchange_header(const struct exchange *x, const char *name)
{
    return x->connection ? MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name) : NULL;
}

const char *exchange_body(const struct exchange *x, size_t *length)
{
    if (length)
        *length = x->body.length;
    return x->body.data ? x->body.data : "";
}

const char *exchange_peer(const struct exchange *x)
{
    return x->peer;
}

void exchange_free(struct exchange *x)
{
    if (x->response)
        MHD_destroy_response(x->response);
    for (struct query *q = x->queries, *next; q; q = next) {
        next = q->next;
        free(q->name);
        free(q->value);
        free(q);
    }
    route_end(&x->match);
    text_end(&x->body);
    free(x->method);
    free(x->path);
    free(x->allow);
    free(x);
}
