/* Keys and roots of a site, as `ferry site key` and `ferry site root` ask for them: of a running site, or on the files of one that is not. */
#ifndef FERRY_NODE_SITE_SITE_KEYS_H
#define FERRY_NODE_SITE_SITE_KEYS_H

#include <jansson.h>

#include "base/error.h"

struct repository;

/* what, args → out:
 *   "list"                          → {"items": [{"role", "keyid", "where", "expires", "waiting"}]}
 *   "rotate"  {"role", "key", "old"} → {"message", "todo", "file"}; key: PEM, or for root a public key; todo and file only when holders have to
 *                                     sign
 *   "renew"                         → the same root for another year
 *   "accept"  {"todo"}              → {"message"} */
enum err site_keys(struct repository *, const char *what, const json_t *args, json_t **out, struct error *);
/* Opens what is left of the site in dir; ERR_CONDITION when a ferryd runs it. */
enum err site_keys_apart(const char *dir, const char *what, const json_t *args, json_t **out, struct error *);

#endif
