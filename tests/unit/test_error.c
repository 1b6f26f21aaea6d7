#include "base/error.h"

#include <errno.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void the_text_is_written_once(void **state)
{
    struct error e = {OK, ""};

    (void)state;
    assert_int_equal((fail)(&e, ERR_VERIFY, "%s: piece %d", "x", 7), ERR_VERIFY);
    assert_int_equal(e.code, ERR_VERIFY);
    assert_string_equal(e.text, "x: piece 7");
    assert_int_equal((fail)(NULL, ERR_FULL, "nobody reads this"), ERR_FULL);
}

static void errno_becomes_a_code(void **state)
{
    static const struct {
        int      number;
        enum err code;
    } cases[] = {{ENOSPC, ERR_FULL},   {ENOENT, ERR_NOT_FOUND},  {EACCES, ERR_DENIED},
                 {EEXIST, ERR_EXISTS}, {ETIMEDOUT, ERR_TIMEOUT}, {EIO, ERR_IO}};
    struct error e;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        errno = cases[i].number;
        assert_int_equal(fail_errno(&e, "opening %s", "x"), cases[i].code);
        assert_int_equal(e.code, cases[i].code);
        assert_int_equal(strncmp(e.text, "opening x: ", 11), 0);
        assert_string_equal(e.text + 11, strerror(cases[i].number));
    }
}

/* Names travel in JSON and come back. */
static void names_are_stable(void **state)
{
    (void)state;
    assert_string_equal(err_name(ERR_NOT_FOUND), "not-found");
    assert_string_equal(err_name(ERR_VERIFY), "verify");
    for (int code = OK; code <= ERR_AGAIN; code++)
        assert_int_equal(err_by_name(err_name((enum err)code)), code);
    assert_int_equal(err_by_name("nonsense"), ERR_FAILED);
    assert_int_equal(err_exit(ERR_AGAIN), 75);
    assert_int_equal(err_exit(OK), 0);
    assert_int_equal(err_http(ERR_NOT_FOUND), 404);
    assert_int_equal(err_http(OK), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_written_once),
        cmocka_unit_test(errno_becomes_a_code),
        cmocka_unit_test(names_are_stable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
