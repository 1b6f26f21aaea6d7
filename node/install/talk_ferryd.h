/* The installer's side of the conversation (order.h): what is asked of ferryd, what it is told. Blocks, each packet for as long as the socket's
 * patience. */
#ifndef FERRY_NODE_INSTALL_TALK_FERRYD_H
#define FERRY_NODE_INSTALL_TALK_FERRYD_H

#include "node/client/install.h"
#include "node/install/order.h"

/* *fd: -1 when ferryd has it not. ERR_USAGE: it answered something else. ERR_NOT_FOUND: it has gone. */
enum err ask_ferryd(int socket, const char *what, const char *name, int *fd, struct error *);
enum err ask_ferryd_bytes(int socket, const char *what, const char *name, size_t limit, char **bytes, size_t *length, struct error *);
enum err hear_order(int socket, struct order *out, struct error *);
void     tell_step(int socket, const char *step);
void     tell_verdict(int socket, const struct install_result *);

#endif
