/* "127.0.0.1:8440", "[::1]:80", "unix:/run/ferry/ferryd.sock": reading and listening. Never a host name: nothing is asked of a name server.
 */
#ifndef FERRY_NODE_IO_ADDRESS_H
#define FERRY_NODE_IO_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/error.h"

#define ADDRESS_SIZE 64

/* "IP:PORT". */
enum err address_read(const char *text, struct sockaddr_storage *out, socklen_t *size, struct error *);
/* "IP" alone. */
bool     address_is_ip(const char *text);
/* The IP without brackets and port; returns out. */
char    *address_host(const struct sockaddr *, char out[ADDRESS_SIZE]);

/* A listening socket, close-on-exec and non-blocking. A Unix socket (0660) left behind by a process that is gone is replaced; one that
 * answers is not (ERR_AGAIN). *path: the socket file to remove at the end, or NULL; caller frees. */
enum err address_listen(const char *text, int *fd, char **path, struct error *);

#endif
