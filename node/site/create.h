/* `ferry site init`: the site's files made whole, or not at all. */
#ifndef FERRY_NODE_SITE_CREATE_H
#define FERRY_NODE_SITE_CREATE_H

#include <jansson.h>

#include "base/error.h"

/* dir: made; ERR_EXISTS and nothing touched when a site is there. url may be "" (`ferry site set --url` later). out: {"message", …} for the
 * administrator. */
enum err site_create(const char *dir, const char *name, const char *url, json_t **out, struct error *);

#endif
