#include "node/base/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* Listens as systemd does, at a path or (leading NUL) an abstract name. */
static int listen_at(const char *name, size_t length)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int                fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    memcpy(a.sun_path, name, length);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)), 0);
    return fd;
}

static void expect(int fd, const char *text)
{
    char    heard[1000];
    ssize_t n = recv(fd, heard, sizeof heard - 1, 0);

    heard[n > 0 ? n : 0] = '\0';
    assert_string_equal(heard, text);
}

static void one_datagram(void **state)
{
    char             dir[] = "/tmp/ferry-notify-XXXXXX", path[64];
    AUTO(fd_end) int fd = -1;

    (void)state;
    unsetenv("NOTIFY_SOCKET");
    notify_say("READY=1");                      /* nobody there: nothing happens */
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    fd = listen_at(path, strlen(path));
    setenv("NOTIFY_SOCKET", path, 1);
    notify_say("READY=1\nSTATUS=%d nodes", 8);
    expect(fd, "READY=1\nSTATUS=8 nodes");
    expect(fd, "");
    setenv("NOTIFY_SOCKET", "relative", 1);
    notify_say("READY=1");
    expect(fd, "");
    assert_int_equal(file_remove(dir, NULL), OK);
}

static void abstract_names(void **state)
{
    char             name[64] = "";
    AUTO(fd_end) int fd = -1;
    char             heard[200];
    long long        us;

    (void)state;
    snprintf(name + 1, sizeof name - 1, "ferry-notify-%d", (int)getpid());
    fd = listen_at(name, 1 + strlen(name + 1));
    name[0] = '@';
    setenv("NOTIFY_SOCKET", name, 1);
    notify_reloading();
    heard[recv(fd, heard, sizeof heard - 1, 0)] = '\0';
    assert_int_equal(sscanf(heard, "RELOADING=1\nMONOTONIC_USEC=%lld", &us), 1);
    assert_true(us > 0);
    unsetenv("NOTIFY_SOCKET");
}

static void the_watchdog_is_ours_or_not(void **state)
{
    char pid[20];

    (void)state;
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "3000000", 1);
    assert_int_equal(notify_watchdog_ms(), 1500);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(notify_watchdog_ms(), 0);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_ms(), 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_datagram), cmocka_unit_test(abstract_names),
                                       cmocka_unit_test(the_watchdog_is_ours_or_not)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
