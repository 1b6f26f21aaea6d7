#include "node/io/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define BACKLOG 256

enum err address_read(const char *text, struct sockaddr_storage *out, socklen_t *size, struct error *e)
{
    const char *colon = strrchr(text, ':');
    char        host[ADDRESS_SIZE], *end = NULL;
    size_t      length = colon ? (size_t)(colon - text) : 0;
    long        port = colon && colon[1] >= '0' && colon[1] <= '9' ? strtol(colon + 1, &end, 10) : -1;
    bool        six = length > 2 && text[0] == '[' && text[length - 1] == ']';

    if (port < 0 || port > 65535 || *end || !length || length >= sizeof host)
        return fail(e, ERR_USAGE, "'%.80s' is not an address; accepted are 192.0.2.1:8440 and [2001:db8::1]:8440", text);
    snprintf(host, sizeof host, "%.*s", (int)(length - (six ? 2 : 0)), text + (six ? 1 : 0));
    memset(out, 0, sizeof *out);
    if (six) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)out;

        *a = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        *size = sizeof *a;
        if (inet_pton(AF_INET6, host, &a->sin6_addr) == 1)
            return OK;
    } else {
        struct sockaddr_in *a = (struct sockaddr_in *)out;

        *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        *size = sizeof *a;
        if (inet_pton(AF_INET, host, &a->sin_addr) == 1)
            return OK;
    }
    return fail(e, ERR_USAGE, "'%.80s' is not an address: '%s' is not an IP address (names are not looked up)", text, host);
}

bool address_is_ip(const char *text)
{
    struct in6_addr a;

    return inet_pton(AF_INET, text, &a) == 1 || inet_pton(AF_INET6, text, &a) == 1;
}

char *address_host(const struct sockaddr *a, char out[ADDRESS_SIZE])
{
    const void *ip = a->sa_family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr
                                              : (const void *)&((const struct sockaddr_in *)(const void *)a)->sin_addr;

    if (!inet_ntop(a->sa_family, ip, out, ADDRESS_SIZE))
        memcpy(out, "?", 2);
    return out;
}

static enum err listen_tcp(const char *text, int *out, struct error *e)
{
    struct sockaddr_storage address;
    socklen_t               size;
    AUTO(fd_end) int        fd = -1;
    int                     yes = 1;
    enum err                code = address_read(text, &address, &size, e);

    if (code)
        return code;
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) ||
        (address.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes)) ||
        bind(fd, (struct sockaddr *)&address, size) || listen(fd, BACKLOG))
        return fail_errno(e, "cannot listen on %s", text);
    *out = fd;
    fd = -1;
    return OK;
}

/* Whoever bound it may have died: then nobody answers, and the file may go. */
static enum err clear_stale(const char *path, const struct sockaddr_un *address, struct error *e)
{
    AUTO(fd_end) int fd = -1;
    struct stat      st;

    if (lstat(path, &st))
        return errno == ENOENT ? OK : fail_errno(e, "%s cannot be looked at", path);
    if (!S_ISSOCK(st.st_mode))
        return fail(e, ERR_EXISTS, "%s is there and is not a socket; it is left alone", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail_errno(e, "no socket");
    if (!connect(fd, (const struct sockaddr *)address, sizeof *address) || errno != ECONNREFUSED)
        return fail(e, ERR_AGAIN, "another process answers on %s: stop that one first, or use another control-socket", path);
    return unlink(path) && errno != ENOENT ? fail_errno(e, "%s cannot be removed", path) : OK;
}

static enum err listen_unix(const char *path, int *out, struct error *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO(fd_end) int   fd = -1;
    enum err           code;

    if (!*path || strlen(path) >= sizeof address.sun_path)
        return fail(e, ERR_USAGE, "'%.120s' cannot be a Unix socket: 1 to %zu characters are accepted", path, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    code = clear_stale(path, &address, e);
    if (code)
        return code;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Nobody can connect before listen(): the mode is right by then. */
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || chmod(path, 0660) || listen(fd, BACKLOG))
        return fail_errno(e, "cannot listen on %s", path);
    *out = fd;
    fd = -1;
    return OK;
}

enum err address_listen(const char *text, int *fd, char **path, struct error *e)
{
    bool     local = !strncmp(text, "unix:", 5);
    enum err code = local ? listen_unix(text + 5, fd, e) : listen_tcp(text, fd, e);

    *path = !code && local ? must_copy(text + 5) : NULL;
    return code;
}
