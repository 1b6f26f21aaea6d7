#include "node/io/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/document/json.h"

#define BACKLOG 8
#define FDS     8                               /* room for more than are accepted, so that each is seen and closed */

/* --- the socket --- */

static enum err name_of(const char *path, struct sockaddr_un *out, struct error *e)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!*path || strlen(path) >= sizeof out->sun_path)
        return fail(e, ERR_USAGE, "'%.120s' cannot be a Unix socket: 1 to %zu characters are accepted", path, sizeof out->sun_path - 1);
    memcpy(out->sun_path, path, strlen(path) + 1);
    return OK;
}

enum err packet_listen(const char *path, mode_t mode, int *out, struct error *e)
{
    AUTO(fd_end) int   fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr_un name;
    struct stat        st;
    enum err           code = name_of(path, &name, e);

    if (code)
        return code;
    if (!lstat(path, &st) && S_ISSOCK(st.st_mode))
        unlink(path);
    /* Nobody can connect before listen(): the mode is right by then. */
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) || chmod(path, mode) || listen(fd, BACKLOG))
        return fail_errno(e, "cannot listen on %s", path);
    *out = fd;
    fd = -1;
    return OK;
}

enum err packet_connect(const char *path, int *out, struct error *e)
{
    AUTO(fd_end) int   fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un name;
    enum err           code = name_of(path, &name, e);

    if (code)
        return code;
    if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof name))
        return errno == EAGAIN ? fail(e, ERR_AGAIN, "%s: too many callers wait there", path) : fail_errno(e, "nobody answers on %s", path);
    *out = fd;
    fd = -1;
    return OK;
}

void packet_patience(int socket, int seconds)
{
    struct timeval t = {.tv_sec = seconds};

    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

/* --- out --- */

enum err packet_send(int socket, const json_t *message, int fd, struct error *e)
{
    AUTO(text_free) char *text = json_dumps(message, JSON_COMPACT);
    union {
        char           bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {0};
    struct iovec  part = {.iov_base = text, .iov_len = text ? strlen(text) : 0};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};

    if (!text || part.iov_len > PACKET_MOST)
        return fail(e, ERR_USAGE, "a message of %zu bytes is no packet: at most %d are", part.iov_len, PACKET_MOST);
    if (fd >= 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        *CMSG_FIRSTHDR(&m) = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof fd);
    }
    while (sendmsg(socket, &m, MSG_NOSIGNAL) < 0)
        if (errno == EPIPE || errno == ECONNRESET)
            return fail(e, ERR_NOT_FOUND, "the other side has gone");
        else if (errno == EAGAIN)
            return fail(e, ERR_AGAIN, "the other side does not take its packets");
        else if (errno != EINTR)
            return fail_errno(e, "a packet cannot be sent");
    return OK;
}

enum err packet_send_bytes(int socket, const json_t *message, const char *bytes, size_t length, struct error *e)
{
    AUTO(fd_end) int fd = memfd_create("ferry", MFD_CLOEXEC);
    size_t           sent = 0;

    if (fd < 0)
        return fail_errno(e, "an anonymous file");
    while (sent < length) {
        ssize_t n = write(fd, bytes + sent, length - sent);

        if (n < 0 && errno != EINTR)
            return fail_errno(e, "an anonymous file of %zu bytes", length);
        sent += n > 0 ? (size_t)n : 0;
    }
    return packet_send(socket, message, fd, e);
}

/* --- in --- */

/* The first descriptor; more than one is none of ours. False: refuse the packet. All that came are ours to close. */
static bool take_fds(struct msghdr *m, int *fd)
{
    int    fds[FDS];
    size_t count = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= c->cmsg_len && count < FDS; i++)
                memcpy(&fds[count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
    if (count == 1 && fd && !(m->msg_flags & MSG_CTRUNC)) {
        *fd = fds[0];
        return true;
    }
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    return count == 0 && !(m->msg_flags & MSG_CTRUNC);
}

enum err packet_read(const char *bytes, size_t length, json_t **out, struct error *e)
{
    json_t  *j = NULL;
    enum err code = json_read(bytes, length, PACKET_MOST, &j, e);

    if (!code && !json_is_object(j))
        code = fail(e, ERR_USAGE, "a packet holds one JSON object");
    if (code) {
        json_decref(j);
        return code == ERR_VERIFY ? fail(e, ERR_USAGE, "a packet that is not JSON as it should be") : code;
    }
    *out = j;
    return OK;
}

enum err packet_take(int socket, json_t **out, int *fd, struct error *e)
{
    char  bytes[PACKET_MOST + 1];
    union {
        char           bytes[CMSG_SPACE(FDS * sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct iovec  part = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t       n;
    enum err      code;

    if (fd)
        *fd = -1;
    do
        n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n == 0 || (n < 0 && errno == ECONNRESET))
        return fail(e, ERR_NOT_FOUND, "the other side has gone");
    if (n < 0)
        return errno == EAGAIN ? fail(e, ERR_AGAIN, "nothing was said") : fail_errno(e, "a packet cannot be read");
    if (!take_fds(&m, fd))
        return fail(e, ERR_USAGE, "a packet with descriptors nobody asked for");
    code = n > PACKET_MOST || (m.msg_flags & MSG_TRUNC) ? fail(e, ERR_USAGE, "a packet of more than %d bytes", PACKET_MOST)
                                                        : packet_read(bytes, (size_t)n, out, e);
    if (code && fd)
        fd_end(fd);
    return code;
}

enum err packet_bytes(int fd, size_t limit, char **out, size_t *length, struct error *e)
{
    struct stat st;
    char       *bytes;
    size_t      n = 0;
    ssize_t     got = 1;

    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        return fail(e, ERR_USAGE, "what was given is no plain file");
    if ((uint64_t)st.st_size > limit)
        return fail(e, ERR_USAGE, "%lld bytes were given, at most %zu are accepted", (long long)st.st_size, limit);
    bytes = must_alloc((size_t)st.st_size + 1);
    while (n < (size_t)st.st_size && (got > 0 || errno == EINTR)) {
        got = pread(fd, bytes + n, (size_t)st.st_size - n, (off_t)n);
        n += got > 0 ? (size_t)got : 0;
        if (!got)
            break;
    }
    if (n < (size_t)st.st_size) {
        free(bytes);
        return fail(e, ERR_IO, "what was given cannot be read to its end");
    }
    *out = bytes;
    *length = n;
    return OK;
}
