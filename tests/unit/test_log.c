#include "node/base/log.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* What the log wrote to stderr while say() ran. journal: as under systemd. Caller frees. */
static char *heard(void (*say)(void), bool journal)
{
    char        path[] = "/tmp/ferry-log-XXXXXX", stream[64], *text;
    int         file = mkstemp(path), saved = dup(STDERR_FILENO);
    struct stat st;

    fflush(stderr);
    dup2(file, STDERR_FILENO);
    fstat(file, &st);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", journal ? stream : "1:1", 1);
    log_open(LOG_TELL, "ferryd", "till-1");
    say();
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(file);
    assert_int_equal(file_read(path, 100000, &text, NULL, NULL), OK);
    unlink(path);
    return text;
}

static void say_hostile(void)
{
    log_say(LOG_WARN, "content.refused", "bad\nbytes \x1b[31m", "FERRY_SOURCE", "dp\xff-1", "FERRY_ABSENT", NULL, "FERRY_PIECE", "7", NULL);
}

static void say_little(void)
{
    log_say(LOG_TRACE, "too.much", "nobody asked for this", NULL);
}

static void say_error(void)
{
    struct error e;

    (fail)(&e, ERR_VERIFY, "the seal is broken");
    log_error(LOG_WRONG, "status.refused", "a status message was refused", &e);
}

static void json_lines(void **state)
{
    char       *text = heard(say_hostile, false);
    json_t     *line = json_loads(text, 0, NULL);
    const char *time;
    int64_t     t;

    (void)state;
    assert_non_null(line);
    assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);    /* one line, whatever was in it */
    assert_string_equal(json_string_value(json_object_get(line, "MESSAGE")), "bad\nbytes \x1b[31m");
    assert_string_equal(json_string_value(json_object_get(line, "FERRY_EVENT")), "content.refused");
    assert_string_equal(json_string_value(json_object_get(line, "FERRY_NODE")), "till-1");
    assert_string_equal(json_string_value(json_object_get(line, "FERRY_SOURCE")), "dp?-1");
    assert_string_equal(json_string_value(json_object_get(line, "FERRY_PIECE")), "7");
    assert_null(json_object_get(line, "FERRY_ABSENT"));
    assert_int_equal(json_integer_value(json_object_get(line, "PRIORITY")), 4);
    time = json_string_value(json_object_get(line, "time"));
    assert_non_null(time);
    assert_int_equal(time_read(time, &t, NULL), OK);
    json_decref(line);
    free(text);
}

static void journal_lines(void **state)
{
    char *text = heard(say_hostile, true);

    (void)state;
    assert_string_equal(text, "<4>bad?bytes ?[31m [content.refused FERRY_SOURCE=dp\xff-1 FERRY_PIECE=7]\n");
    free(text);
}

static void levels_and_errors(void **state)
{
    char          *text = heard(say_little, false);
    enum log_level level;

    (void)state;
    assert_string_equal(text, "");
    free(text);
    text = heard(say_error, true);
    assert_string_equal(text, "<3>a status message was refused: the seal is broken [status.refused FERRY_REASON=verify]\n");
    free(text);
    assert_true(log_level_read("debug", &level));
    assert_int_equal(level, LOG_TRACE);
    assert_false(log_level_read("loud", &level));
}

static void the_clock_can_be_shifted(void **state)
{
    int64_t now, ms;

    (void)state;
    unsetenv("FERRY_CLOCK_OFFSET");
    now = clock_now();
    setenv("FERRY_CLOCK_OFFSET", "-86400", 1);
    assert_in_range(now - clock_now(), 86399, 86400);
    unsetenv("FERRY_CLOCK_OFFSET");
    ms = clock_ms();
    usleep(5000);
    assert_true(clock_ms() - ms >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_lines),
        cmocka_unit_test(journal_lines),
        cmocka_unit_test(levels_and_errors),
        cmocka_unit_test(the_clock_can_be_shifted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
