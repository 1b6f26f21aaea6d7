#include "node/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

#include <cmocka.h>

static char path[] = "/tmp/ferry-clock-XXXXXX";

static void set(const char *text)
{
    assert_int_equal(file_write(path, text, strlen(text), 0600, NULL), OK);
    usleep(60000);
}

static void is_ahead(int64_t seconds)
{
    int64_t ahead = clock_now() - (int64_t)time(NULL);

    assert_true(ahead >= seconds - 1 && ahead <= seconds + 1);
}

static void a_file_moves_time(void **state)
{
    (void)state;
    is_ahead(0);
    setenv("FERRY_CLOCK_FILE", path, 1);
    set("3600");
    is_ahead(3600);
    set("-86400\n");
    is_ahead(-86400);
    setenv("FERRY_CLOCK_OFFSET", "100", 1);
    is_ahead(-86300);
    unsetenv("FERRY_CLOCK_OFFSET");
    set("");                                    /* being rewritten: time does not jump */
    is_ahead(-86400);
    set("noon");
    is_ahead(-86400);
    unlink(path);
    usleep(60000);
    is_ahead(-86400);
    unsetenv("FERRY_CLOCK_FILE");
    is_ahead(0);
}

static void the_file_is_not_read_all_the_time(void **state)
{
    int64_t begin;

    (void)state;
    setenv("FERRY_CLOCK_FILE", path, 1);
    set("10");
    is_ahead(10);
    assert_int_equal(file_write(path, "20", 2, 0600, NULL), OK);
    begin = clock_ms();
    while (clock_now() - (int64_t)time(NULL) < 15 && clock_ms() - begin < 1000)
        ;
    assert_true(clock_ms() - begin > 20 && clock_ms() - begin < 200);
    unsetenv("FERRY_CLOCK_FILE");
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_file_moves_time), cmocka_unit_test(the_file_is_not_read_all_the_time)};

    close(mkstemp(path));
    alarm(30);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
