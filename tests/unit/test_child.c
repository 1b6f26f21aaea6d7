#include "node/io/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

struct came {
    bool                done;
    struct child_result result;
    char               *output, *errors;
    struct text         lines;
};

static void on_done(void *ctx, const struct child_result *r)
{
    struct came *c = ctx;

    assert_false(c->done);
    c->done = true;
    c->result = *r;
    assert_int_equal(r->output[r->output_length], 0);
    c->output = must_copy(r->output);
    c->errors = must_copy(r->errors);
}

static void on_line(void *ctx, const char *line)
{
    text_add(&((struct came *)ctx)->lines, "[%s]", line);
}

static void came_end(struct came *c)
{
    free(c->output);
    free(c->errors);
    text_end(&c->lines);
}

static struct came run(struct child_call call, const char *const *argv)
{
    uv_loop_t   loop;
    struct came c = {0};

    uv_loop_init(&loop);
    call.argv = argv;
    call.on_done = on_done;
    call.ctx = &c;
    child_start(&loop, &call);
    assert_false(c.done);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(c.done);
    assert_int_equal(uv_loop_close(&loop), 0);                  /* nothing left behind */
    return c;
}

#define SH(script) ((const char *const[]){"sh", "-c", script, NULL})

static void status_and_output(void **state)
{
    struct came c = run((struct child_call){0}, SH("echo out; echo err >&2; exit 3"));

    (void)state;
    assert_int_equal(c.result.status, 3);
    assert_int_equal(c.result.signal, 0);
    assert_int_equal(c.result.error.code, OK);
    assert_string_equal(c.output, "out\n");
    assert_string_equal(c.errors, "err\n");
    came_end(&c);
}

static void environment_and_directory_are_exact(void **state)
{
    static const char *const env[] = {"A=1", "B=two words", NULL};
    struct came              c;

    (void)state;
    setenv("SECRET", "x", 1);
    c = run((struct child_call){0}, (const char *const[]){"env", NULL});
    assert_string_equal(c.output, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nLANG=C.UTF-8\n");
    came_end(&c);
    c = run((struct child_call){.env = env}, (const char *const[]){"env", NULL});
    assert_null(strstr(c.output, "SECRET"));
    assert_null(strstr(c.output, "LANG"));
    assert_non_null(strstr(c.output, "A=1\nB=two words\n"));
    came_end(&c);
    c = run((struct child_call){.directory = "/usr"}, (const char *const[]){"pwd", NULL});
    assert_string_equal(c.output, "/usr\n");
    came_end(&c);
    c = run((struct child_call){0}, (const char *const[]){"pwd", NULL});
    assert_string_equal(c.output, "/\n");
    came_end(&c);
}

static void input_is_fed(void **state)
{
    char       *big = must_alloc(1000001);
    struct came c = run((struct child_call){.input = "a\nb", .input_length = 3, .on_line = on_line}, (const char *const[]){"cat", NULL});

    (void)state;
    assert_string_equal(c.output, "a\nb");
    assert_string_equal(c.lines.data, "[a][b]");
    came_end(&c);
    memset(big, 'x', 1000000);
    c = run((struct child_call){.input = big, .input_length = 1000000}, (const char *const[]){"wc", "-c", NULL});
    assert_string_equal(c.output, "1000000\n");
    came_end(&c);
    c = run((struct child_call){.input = big, .input_length = 1000000}, (const char *const[]){"true", NULL});
    assert_int_equal(c.result.status, 0);       /* it does not read: no SIGPIPE for us */
    came_end(&c);
    c = run((struct child_call){0}, (const char *const[]){"cat", NULL});
    assert_string_equal(c.output, "");
    came_end(&c);
    free(big);
}

static void what_cannot_be_started(void **state)
{
    struct came c = run((struct child_call){0}, (const char *const[]){"no-such-program", NULL});

    (void)state;
    assert_int_equal(c.result.status, -1);
    assert_int_equal(c.result.error.code, ERR_NOT_FOUND);
    assert_non_null(strstr(c.result.error.text, "no-such-program cannot be started"));
    came_end(&c);
    c = run((struct child_call){.input = "x", .input_length = 1}, (const char *const[]){"/etc/passwd", NULL});
    assert_int_equal(c.result.error.code, ERR_DENIED);
    came_end(&c);
}

static void a_time_out_ends_the_whole_group(void **state)
{
    struct came c = run((struct child_call){.timeout_ms = 200}, SH("sleep 300 & echo $!; wait"));

    (void)state;
    assert_true(c.result.timed_out);
    assert_int_equal(c.result.error.code, ERR_TIMEOUT);
    assert_int_equal(c.result.signal, SIGTERM);
    assert_int_equal(c.result.status, -1);
    for (int i = 0; i < 100 && !kill(atoi(c.output), 0); i++)
        usleep(10000);                          /* its orphan is reaped by init, or remains a zombie of ours: neither runs */
    came_end(&c);
}

static void on_insist(uv_timer_t *t)
{
    child_stop(t->data);
    uv_close((uv_handle_t *)t, NULL);
}

/* The second request does not wait for the grace. */
static void a_stubborn_child_is_killed(void **state)
{
    uv_loop_t         loop;
    uv_timer_t        t;
    struct came       c = {0};
    struct child_call call = {
        .argv = SH("trap '' TERM; echo ready; while :; do sleep 1; done"), .on_done = on_done, .on_line = on_line, .ctx = &c};
    struct child     *child;

    (void)state;
    uv_loop_init(&loop);
    child = child_start(&loop, &call);
    assert_true(child_pid(child) > 0);
    while (!c.lines.length)
        uv_run(&loop, UV_RUN_ONCE);
    child_stop(child);
    uv_timer_init(&loop, &t);
    t.data = child;
    uv_timer_start(&t, on_insist, 100, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(c.result.signal, SIGKILL);
    assert_false(c.result.timed_out);
    assert_int_equal(uv_loop_close(&loop), 0);
    came_end(&c);
}

static void output_is_bounded(void **state)
{
    struct came c = run((struct child_call){.output_limit = 100000}, (const char *const[]){"yes", NULL});

    (void)state;
    assert_int_equal(c.result.error.code, ERR_USAGE);
    assert_true(c.result.output_length <= 100000);
    came_end(&c);
    c = run((struct child_call){0}, SH("head -c 500000 /dev/zero | tr '\\0' x >&2; echo end >&2"));
    assert_int_equal(c.result.errors_length, 65536);
    assert_string_equal(c.errors + 65536 - 4, "end\n");
    came_end(&c);
}

/* A daemon left behind holds the pipes: the answer comes all the same. */
static void a_daemon_left_behind_does_not_hold_us(void **state)
{
    uint64_t    begin = uv_hrtime();
    struct came c = run((struct child_call){0}, SH("sleep 6 & echo done"));

    (void)state;
    assert_int_equal(c.result.status, 0);
    assert_string_equal(c.output, "done\n");
    assert_true(uv_hrtime() - begin < 4500000000u);
    came_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_and_output),
        cmocka_unit_test(environment_and_directory_are_exact),
        cmocka_unit_test(input_is_fed),
        cmocka_unit_test(what_cannot_be_started),
        cmocka_unit_test(a_time_out_ends_the_whole_group),
        cmocka_unit_test(a_stubborn_child_is_killed),
        cmocka_unit_test(output_is_bounded),
        cmocka_unit_test(a_daemon_left_behind_does_not_hold_us),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
