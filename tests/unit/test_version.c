#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "policy/catalog/version.h"

#include <cmocka.h> /* last: its fail() is a macro */

static void orders_as_policy_says(void **state)
{
    static const struct { const char *a, *b; int order;
    } cases[] = {
        {"1.0", "1.0", 0},          {"1.0", "1.0-0", 0},
        {"0:1.0", "1.0", 0},        {"1.0-1", "1.0", 1},
        {"1:0.1", "9.9", 1},        {"1.0~rc1", "1.0", -1},
        {"1.0~~", "1.0~", -1},      {"1.0~~a", "1.0~", -1},
        {"1.2", "1.10", -1},        {"1.02", "1.2", 0},
        {"1.0a", "1.0+", -1},       {"1.0", "1.0a", -1},
        {"1.0-1+b1", "1.0-1", 1},   {"1.0-1~deb12u1", "1.0-1", -1},
        {"6.1.0-56", "6.1.0-9", 1}, {"2024a-0+deb12u1", "2024b-0+deb12u1", -1},
        {"1-2-3", "1-2-4", -1},     {"99999999999999999999999999", "100000000000000000000000000", -1},
        {"1.0-1", "1.0-1.1", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(version_compare(cases[i].a, cases[i].b), cases[i].order);
        assert_int_equal(version_compare(cases[i].b, cases[i].a), -cases[i].order);
    }
}

static void relations(void **state)
{
    (void)state;
    assert_true(version_satisfies("2.0", ">=", "2.0"));
    assert_true(version_satisfies("2.0", "<=", "2.0"));
    assert_true(version_satisfies("2.0", "=", "2.0-0"));
    assert_false(version_satisfies("2.0", ">>", "2.0"));
    assert_false(version_satisfies("2.0", "<<", "2.0"));
    assert_true(version_satisfies("2.0", "<<", "2.0.1"));
    assert_false(version_satisfies("2.0", "=", "2.0.1"));
}

static bool dpkg_says(const char *a, const char *relation, const char *b)
{
    pid_t pid = fork();
    int   status;

    if (pid == 0) {
        execlp("dpkg", "dpkg", "--compare-versions", a, relation, b, (char *)NULL);
        _exit(99);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_in_range(WEXITSTATUS(status), 0, 1);
    return WEXITSTATUS(status) == 0;
}

static void make(char *out, size_t room, unsigned *seed)
{
    static const char *const bits[] = {"0", "1", "10", "09", ".", "~", "+", "a", "Z", "-", "rc", "deb12u"};
    size_t n = 0, parts = 1 + (unsigned)rand_r(seed) % 6;

    n = (size_t)snprintf(out, room, "%s%d", rand_r(seed) % 4 ? "" : "1:", rand_r(seed) % 3);
    while (parts--)
        n += (size_t)snprintf(out + n, room - n, "%s", bits[(size_t)rand_r(seed) % COUNT(bits)]);
    snprintf(out + n, room - n, "1");
}

static void agrees_with_dpkg(void **state)
{
    unsigned seed = 7;

    (void)state;
    if (access("/usr/bin/dpkg", X_OK) != 0)
        skip();
    for (int i = 0; i < 150; i++) {
        char a[80], b[80];
        int  order;

        make(a, sizeof(a), &seed);
        make(b, sizeof(b), &seed);
        order = version_compare(a, b);
        if (!dpkg_says(a, order < 0 ? "lt" : order > 0 ? "gt" : "eq", b))
            fail_msg("%s against %s: we say %d, dpkg does not", a, b, order);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_as_policy_says),
        cmocka_unit_test(relations),
        cmocka_unit_test(agrees_with_dpkg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
