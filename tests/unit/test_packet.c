/* Packets between two processes that do not trust each other. */
#include "node/io/packet.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* last: its fail() is a macro */

static void pair_of(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
}

static void messages_and_descriptors_arrive(void **state)
{
    int                   pair[2], fd = -1;
    json_t               *m = json_pack("{s:s}", "want", "content"), *got = NULL;
    AUTO(text_free) char *bytes = NULL;
    size_t                length;

    (void)state;
    pair_of(pair);
    assert_int_equal(packet_take(pair[1], &got, &fd, NULL), ERR_AGAIN);
    assert_int_equal(packet_send(pair[0], m, -1, NULL), OK);
    assert_int_equal(packet_send_bytes(pair[0], m, "abc", 3, NULL), OK);
    assert_int_equal(packet_take(pair[1], &got, &fd, NULL), OK);
    assert_true(json_equal(m, got));
    assert_int_equal(fd, -1);
    json_decref(got);
    assert_int_equal(packet_take(pair[1], &got, &fd, NULL), OK);
    assert_int_equal(packet_bytes(fd, 2, &bytes, &length, NULL), ERR_USAGE);
    assert_int_equal(packet_bytes(fd, 3, &bytes, &length, NULL), OK);
    assert_int_equal(length, 3);
    assert_string_equal(bytes, "abc");
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
    close(pair[0]);
    json_decref(got);
    assert_int_equal(packet_take(pair[1], &got, &fd, NULL), ERR_NOT_FOUND);
    assert_int_equal(packet_send(pair[1], m, -1, NULL), ERR_NOT_FOUND);
    close(pair[1]);
    json_decref(m);
}

static int open_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* As many descriptors as somebody likes in one packet. */
static void send_many(int socket, size_t count)
{
    char           text[] = "{\"give\":true}", control[CMSG_SPACE(32 * sizeof(int))] = {0};
    struct iovec   part = {.iov_base = text, .iov_len = sizeof text - 1};
    struct msghdr  m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr head = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(count * sizeof(int))};

    memcpy(control, &head, sizeof head);
    memset(CMSG_DATA(CMSG_FIRSTHDR(&m)), 0, count * sizeof(int));
    assert_true(sendmsg(socket, &m, MSG_NOSIGNAL) > 0);
}

static void descriptors_nobody_wants_are_closed(void **state)
{
    int     pair[2], fd = -1, before;
    json_t *got = NULL;

    (void)state;
    pair_of(pair);
    before = open_descriptors();
    send_many(pair[0], 1);
    assert_int_equal(packet_take(pair[1], &got, NULL, NULL), ERR_USAGE);
    send_many(pair[0], 2);
    assert_int_equal(packet_take(pair[1], &got, &fd, NULL), ERR_USAGE);
    send_many(pair[0], 20);
    assert_int_equal(packet_take(pair[1], &got, &fd, NULL), ERR_USAGE);
    assert_int_equal(fd, -1);
    assert_int_equal(open_descriptors(), before);
    close(pair[0]);
    close(pair[1]);
}

static void nonsense_is_refused(void **state)
{
    static const char *const nonsense[] = {"", "{", "[]", "1", "\"x\"", "{\"a\":1,\"a\":2}", "{\"a\":1.5}", "{} x",
                                           "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"};
    AUTO(text_free) char *big = must_alloc(PACKET_MOST + 2);
    json_t               *got = NULL, *large = json_object();

    (void)state;
    for (size_t i = 0; i < COUNT(nonsense); i++)
        assert_int_equal(packet_read(nonsense[i], strlen(nonsense[i]), &got, NULL), ERR_USAGE);
    memset(big, ' ', PACKET_MOST + 1);
    assert_int_equal(packet_read(big, PACKET_MOST + 1, &got, NULL), ERR_USAGE);
    json_object_set_new(large, "text", json_string(big));
    assert_int_equal(packet_send(0, large, -1, NULL), ERR_USAGE);
    json_decref(large);
}

static void only_plain_files_have_bytes(void **state)
{
    int    pipes[2], dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char  *bytes;
    size_t length;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(packet_bytes(pipes[0], 10, &bytes, &length, NULL), ERR_USAGE);
    assert_int_equal(packet_bytes(dir, 10, &bytes, &length, NULL), ERR_USAGE);
    assert_int_equal(packet_bytes(-1, 10, &bytes, &length, NULL), ERR_USAGE);
    close(pipes[0]);
    close(pipes[1]);
    close(dir);
}

static void listens_and_connects(void **state)
{
    char        dir[] = "/tmp/ferry-packet-XXXXXX", path[64];
    int         all, ours = -1, theirs;
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/sock", dir);
    assert_int_equal(packet_connect(path, &ours, NULL), ERR_NOT_FOUND);
    for (int i = 0; i < 2; i++) {               /* the second takes the first one's place */
        assert_int_equal(packet_listen(path, 0660, &all, NULL), OK);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0660);
        assert_int_equal(packet_connect(path, &ours, NULL), OK);
        theirs = accept(all, NULL, NULL);
        assert_true(theirs >= 0);
        close(theirs);
        close(ours);
        close(all);
    }
    assert_int_equal(packet_connect("", &ours, NULL), ERR_USAGE);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_and_descriptors_arrive), cmocka_unit_test(descriptors_nobody_wants_are_closed),
        cmocka_unit_test(nonsense_is_refused),             cmocka_unit_test(only_plain_files_have_bytes),
        cmocka_unit_test(listens_and_connects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
