/* What may be asked of the installer, and nothing else. The first packet of a connection:
 *     {"request": "install", "target": "policy/COLLECTION/DEPLOYMENT.json", "update": "apt:…"}
 *     {"request": "refresh"}        look at the policy as it is now: what is in force stays known when the line is down later
 *     {"request": "restart"}        the restart command of the configuration
 * Then the installer asks, one thing at a time, {"want": "metadata"|"target"|"content", "name": …}, and is answered {"give": true} with a
 * descriptor, or {"give": false}; it tells {"step": …}, {"lack": "HEX"} and at last {"outcome": …, "code", "touched", "detail"}. */
#ifndef FERRY_NODE_INSTALL_ORDER_H
#define FERRY_NODE_INSTALL_ORDER_H

#include <jansson.h>

#include "base/error.h"

enum order_kind { ORDER_INSTALL, ORDER_REFRESH, ORDER_RESTART };

struct order {
    enum order_kind kind;
    char            target[200], update[256];   /* "" but for an installation */
};
/* ERR_USAGE. Members nobody knows, a target that is no deployment's name: refused. */
enum err order_read(const json_t *, struct order *out, struct error *);

#endif
