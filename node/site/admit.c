/* Who may ask what of the public listener. Nothing goes past this function, and what it does not name is shut. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/site/inside.h"

enum openness {
    OPEN_TO_NODES,                              /* an enrolled node, by its certificate */
    OPEN_TO_DPS,                                /* … that some distribution point runs on */
    OPEN_TO_ALL,
};

/* Who enrols has no certificate yet; who was off for long has one that has run out, and proves by an envelope who it is. */
static const struct {
    const char   *method, *path;
    enum openness to;
} doors[] = {
    {"GET", "/healthz", OPEN_TO_ALL},
    {"POST", "/api/v1/enrol", OPEN_TO_ALL},
    {"POST", "/api/v1/certificate", OPEN_TO_ALL},
    {"GET", "/content/{name}", OPEN_TO_DPS},
};

static enum openness openness_of(const struct route *route)
{
    for (size_t i = 0; route && i < COUNT(doors); i++)
        if (!strcmp(doors[i].method, route->method) && !strcmp(doors[i].path, route->path))
            return doors[i].to;
    return OPEN_TO_NODES;
}

/* The certificate says a node's id and proves a key: both have to be those of one node, which the ledger knows today. */
static enum err node_of(struct site *s, const uint8_t *der, size_t size, char id[NODE_ID_SIZE], struct error *e)
{
    struct certificate c;
    enum err           code;

    if (!der)
        return fail(e, ERR_DENIED, "a certificate of this site is wanted: nodes have one, `ferry node token` makes a node");
    code = certificate_check_der(der, size, s->identity.ca_pem, clock_now(), &c, e);
    if (code)
        return code;
    if (c.ca || !node_known(s->ledger, c.public, id) || strcmp(id, c.subject))
        return fail(e, ERR_DENIED, "node %.80s is not enrolled here with this key, or retired", c.subject);
    return OK;
}

enum err site_admit(void *ctx, const struct route *route, const uint8_t *der, size_t size, char identity[SERVER_IDENTITY], struct error *e)
{
    struct site  *s = ctx;
    enum openness to = openness_of(route);
    char          id[NODE_ID_SIZE];
    enum err      code = to == OPEN_TO_ALL ? OK : node_of(s, der, size, id, e);

    if (code || to == OPEN_TO_ALL)
        return code;
    if (to == OPEN_TO_DPS && !node_serves(s->ledger, id))
        return fail(e, ERR_DENIED, "node %s is no distribution point; content comes from those", id);
    snprintf(identity, SERVER_IDENTITY, "%s", id);
    return OK;
}
