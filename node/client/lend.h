/* What ferryd lends the installer: bytes of the policy, descriptors of content. Inside node/client. */
#ifndef FERRY_NODE_CLIENT_LEND_H
#define FERRY_NODE_CLIENT_LEND_H

#include "node/store/cache.h"

/* Answers {"want": what, "name": name} on the socket; what is not here is answered so. */
enum err lend(int socket, struct cache *, const char *what, const char *name, struct error *);

#endif
