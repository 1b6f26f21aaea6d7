#include "base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static char dir[64];

static int enter(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/ferry-file-XXXXXX");
    return mkdtemp(dir) ? chdir(dir) : -1;
}

static int leave(void **state)
{
    (void)state;
    return chdir("/") || file_remove(dir, NULL);
}

static int entries(const char *path)
{
    struct dirent *d;
    DIR           *open = opendir(path);
    int            n = -2;

    while ((d = readdir(open)))
        n++;
    closedir(open);
    return n;
}

static void expect(const char *path, const char *content)
{
    char  *text;
    size_t n;

    assert_int_equal(file_read(path, 100, &text, &n, NULL), OK);
    assert_int_equal(n, strlen(content));
    assert_string_equal(text, content);
    free(text);
}

static void written_and_read(void **state)
{
    struct stat  st;
    struct error e;
    char        *text;
    size_t       n;

    (void)state;
    assert_int_equal(file_write("a", "hello", 5, 0640, NULL), OK);
    expect("a", "hello");
    assert_int_equal(stat("a", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(file_write("a", "", 0, 0600, NULL), OK);
    expect("a", "");
    assert_int_equal(file_read("a", 0, &text, NULL, NULL), OK);
    free(text);
    assert_int_equal(file_write("a", "hello", 5, 0600, NULL), OK);
    assert_int_equal(file_read("a", 4, &text, &n, &e), ERR_USAGE);
    assert_int_equal(file_read("none", 4, &text, &n, &e), ERR_NOT_FOUND);
    assert_int_equal(file_read(".", 4, &text, &n, &e), ERR_IO);
    assert_int_equal(entries("."), 1);
}

static void a_failed_write_leaves_nothing(void **state)
{
    struct error e;

    (void)state;
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(mkdir("d/taken", 0700), 0);
    assert_int_not_equal(file_write("d/taken", "x", 1, 0600, &e), OK);  /* a directory cannot be replaced */
    assert_int_equal(entries("d"), 1);
    assert_int_equal(file_write("nowhere/x", "x", 1, 0600, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "nowhere/x"));
}

static void directories(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(file_make_dirs("x/y/z", 0700, NULL), OK);
    assert_int_equal(stat("x/y/z", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(file_make_dirs("x/y/z/", 0700, NULL), OK);
    assert_int_equal(file_make_dirs("/", 0700, NULL), OK);
    assert_int_equal(file_make_dirs("", 0700, NULL), ERR_USAGE);
    assert_int_equal(file_write("x/file", "", 0, 0600, NULL), OK);
    assert_int_equal(file_make_dirs("x/file", 0700, NULL), ERR_EXISTS);
    assert_int_not_equal(file_make_dirs("x/file/y", 0700, NULL), OK);
}

static void copied_and_moved(void **state)
{
    (void)state;
    assert_int_equal(file_write("a", "hello", 5, 0600, NULL), OK);
    assert_int_equal(file_copy("a", "b", 0644, NULL), OK);
    expect("b", "hello");
    expect("a", "hello");
    assert_int_equal(file_copy("none", "c", 0644, NULL), ERR_NOT_FOUND);
    assert_false(file_exists("c"));
    assert_int_equal(file_make_dirs("sub", 0700, NULL), OK);
    assert_int_equal(file_move("b", "sub/c", NULL), OK);
    expect("sub/c", "hello");
    assert_false(file_exists("b"));
    assert_int_equal(file_move("none", "x", NULL), ERR_NOT_FOUND);
}

static void removal_never_follows_links(void **state)
{
    (void)state;
    assert_int_equal(file_make_dirs("keep", 0700, NULL), OK);
    assert_int_equal(file_write("keep/me", "x", 1, 0600, NULL), OK);
    assert_int_equal(file_make_dirs("gone/deep/er", 0700, NULL), OK);
    assert_int_equal(file_write("gone/deep/file", "x", 1, 0600, NULL), OK);
    assert_int_equal(symlink("../../keep", "gone/deep/link"), 0);
    assert_int_equal(symlink("keep", "link"), 0);
    assert_int_equal(file_remove("gone", NULL), OK);
    assert_false(file_exists("gone"));
    assert_int_equal(file_remove("link", NULL), OK);
    expect("keep/me", "x");
    assert_int_equal(file_remove("gone", NULL), OK);
}

static void one_lock(void **state)
{
    int          fd = -1, second = -1, status;
    struct error e;
    pid_t        child;

    (void)state;
    assert_int_equal(file_lock("lock", &fd, NULL), OK);
    assert_int_equal(file_lock("lock", &second, &e), ERR_AGAIN);
    assert_non_null(strstr(e.text, "pid "));
    child = fork();
    if (!child)
        _exit(file_lock("lock", &second, NULL) == ERR_AGAIN ? 7 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 7);
    fd_end(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(file_lock("lock", &second, NULL), OK);
    fd_end(&second);
}

static void prints(void **state)
{
    struct file_print a, b;

    (void)state;
    assert_int_equal(file_write("a", "hello", 5, 0600, NULL), OK);
    assert_int_equal(file_print_of("a", &a, NULL), OK);
    assert_int_equal(file_print_of("a", &b, NULL), OK);
    assert_true(file_print_same(&a, &b));
    assert_int_equal(a.size, 5);
    usleep(20000);                              /* the kernel's clock ticks */
    assert_int_equal(file_write("a", "hellO", 5, 0600, NULL), OK);
    assert_int_equal(file_print_of("a", &b, NULL), OK);
    assert_false(file_print_same(&a, &b));
    assert_int_equal(file_print_of("none", &b, NULL), ERR_NOT_FOUND);
    assert_true(file_room(".") > 0);
    assert_true(file_room("none") == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written_and_read, enter, leave),
        cmocka_unit_test_setup_teardown(a_failed_write_leaves_nothing, enter, leave),
        cmocka_unit_test_setup_teardown(directories, enter, leave),
        cmocka_unit_test_setup_teardown(copied_and_moved, enter, leave),
        cmocka_unit_test_setup_teardown(removal_never_follows_links, enter, leave),
        cmocka_unit_test_setup_teardown(one_lock, enter, leave),
        cmocka_unit_test_setup_teardown(prints, enter, leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
