/* One JSON object and at most one descriptor a packet, over a Unix socket that keeps packets apart (SOCK_SEQPACKET): two processes that do not
 * trust each other, neither can make the other read without end. What is larger than a packet travels as a file's descriptor. Any thread. */
#ifndef FERRY_NODE_IO_PACKET_H
#define FERRY_NODE_IO_PACKET_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define PACKET_MOST 8192                        /* bytes of JSON */

/* Whoever has the mode's rights may connect. A socket that an earlier listener left at path is replaced. */
enum err packet_listen(const char *path, mode_t mode, int *out, struct error *);
/* Without waiting: ERR_AGAIN when the other side has too many callers already. The socket never blocks. */
enum err packet_connect(const char *path, int *out, struct error *);
/* How long one packet is waited for, either way; for sockets that block. */
void     packet_patience(int socket, int seconds);

/* fd: -1 for none; it stays the caller's. */
enum err packet_send(int socket, const json_t *, int fd, struct error *);
/* The same with bytes as an anonymous file's descriptor. */
enum err packet_send_bytes(int socket, const json_t *, const char *bytes, size_t length, struct error *);
/* ERR_NOT_FOUND: the other side has gone. ERR_AGAIN: nothing is there (or patience has run out). ERR_USAGE: no packet of ours. fd: NULL when
 * none is accepted; *fd is -1 when none came, else the caller closes it. */
enum err packet_take(int socket, json_t **out, int *fd, struct error *);
/* The bytes as a packet has them: for packet_take, and for those who try it. */
enum err packet_read(const char *bytes, size_t length, json_t **out, struct error *);
/* A descriptor somebody else has given: the bytes of a plain file with at most limit of them. Caller frees. */
enum err packet_bytes(int fd, size_t limit, char **out, size_t *length, struct error *);

#endif
