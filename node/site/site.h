/* The site role: control API for administrators, policy and content over HTTP, enrolment, status, clockwork. Loop thread only. */
#ifndef FERRY_NODE_SITE_SITE_H
#define FERRY_NODE_SITE_SITE_H

#include <uv.h>

#include "node/config.h"
#include "node/io/server.h"
#include "node/io/web.h"

struct site;
/* Refuses when `ferry site init` has not been run there, saying so. */
enum err site_open(uv_loop_t *, const struct config *, struct web *, struct site **out, struct error *);
void     site_close(struct site *, void (*closed)(void *ctx), void *ctx);
/* Routes of the control API; made once from author_commands and the site's own; ctx of the handlers is the site. Owned by site. */
const struct route *site_routes(struct site *, size_t *count);
const char *site_status_line(struct site *);

#endif
