#include "policy/decide/phase.h"
#include "tests/unit/paper.h"

#define HOUR 3600
#define DAY  86400
#define T0   1795996800 /* its deployment was made */

/* compliant, failed, in progress, unknown, of which silent */
static struct phase_figures figures(int64_t compliant, int64_t failed, int64_t in_progress, int64_t unknown)
{
    return (struct phase_figures){.nodes = compliant + failed + in_progress + unknown,
                                  .compliant = compliant,
                                  .failed = failed,
                                  .in_progress = in_progress,
                                  .unknown = unknown,
                                  .began = T0};
}

static void expect(const char *what, const struct gate *g, const struct phase_figures *f, int64_t now, enum phase_verdict verdict,
                   int64_t wake, const char *why)
{
    struct phase_judgement j = phase_judge(g, f, now);

    if (j.verdict != verdict || j.wake != wake || (why && strcmp(j.why, why)))
        fail_msg("%s at T0%+lld: %s, wake T0%+lld, %s", what, (long long)(now - T0), phase_verdict_word(j.verdict), (long long)(j.wake - T0),
                 j.why);
    assert_true(j.verdict != PHASE_SUCCESS || j.reached);
    assert_true(j.verdict != PHASE_ALERT || !j.reached);
}

#define CASE(now, change, verdict, wake, why)                                                                                              \
    do {                                                                                                                                   \
        struct gate g = {.success_percent = 95, .halt_percent = 100, .sample = 1};                                                         \
        struct phase_figures f;                                                                                                            \
                                                                                                                                           \
        change;                                                                                                                            \
        expect(#change, &g, &f, now, PHASE_##verdict, wake, why);                                                                          \
    } while (0)

/* Over the nodes of the collection: unknown counts against it, in progress too. */
static void success(void **state)
{
    (void)state;
    CASE(T0, f = figures(20, 0, 0, 0), SUCCESS, 0, "20 of 20 nodes compliant (100 %), 95 % wanted");
    CASE(T0, f = figures(19, 0, 0, 1), SUCCESS, 0, "19 of 20 nodes compliant (95 %), 95 % wanted");
    CASE(T0, f = figures(19, 1, 0, 0), SUCCESS, 0, "19 of 20 nodes compliant (95 %), 95 % wanted; 1 failed");
    CASE(T0, f = figures(18, 0, 0, 2), HOLD, 0, "18 of 20 nodes compliant (90 %), 95 % wanted");
    CASE(T0, f = figures(18, 0, 2, 0), HOLD, 0, "18 of 20 nodes compliant (90 %), 95 % wanted");
    CASE(T0, f = figures(94999, 0, 5001, 0), HOLD, 0, "94999 of 100000 nodes compliant (94.9 %), 95 % wanted");
    CASE(T0, f = figures(2, 0, 1, 0), HOLD, 0, "2 of 3 nodes compliant (66.6 %), 95 % wanted");
    CASE(T0, (f = figures(2, 0, 1, 0), g.success_percent = 66), SUCCESS, 0, NULL);
    CASE(T0, (f = figures(2, 0, 1, 0), g.success_percent = 67), HOLD, 0, NULL);
    CASE(T0, (f = figures(0, 0, 1, 0), g.success_percent = 0), SUCCESS, 0, NULL);
    CASE(T0, (f = figures(5, 0, 15, 0), g.success_count = 5), SUCCESS, 0, "5 of 20 nodes compliant, 5 wanted");
    CASE(T0, (f = figures(4, 0, 16, 0), g.success_count = 5), HOLD, 0, "4 of 20 nodes compliant, 5 wanted");
    CASE(T0, (f = figures(3, 0, 0, 0), g.success_count = 5), HOLD, 0,
         "3 of 3 nodes compliant, 5 wanted; all have ended, and it does not go on by itself");
}

/* Of no nodes nothing is true. */
static void nobody(void **state)
{
    (void)state;
    CASE(T0 + 9 * DAY, f = figures(0, 0, 0, 0), HOLD, 0, "there are no nodes in its collection");
    CASE(T0 + 9 * DAY, (f = figures(0, 0, 0, 0), g.success_percent = 0), HOLD, 0, "there are no nodes in its collection");
    CASE(T0 + 9 * DAY, (f = figures(0, 0, 0, 0), f.succeeded = T0), HOLD, 0, NULL);
    CASE(T0 + 9 * DAY, (f = figures(0, 0, 0, 0), g.halt_percent = 0, g.sample = 0), HOLD, 0, NULL);
    CASE(T0, (f = figures(0, 0, 0, 0), g.progress_s = DAY), HOLD, T0 + DAY, NULL);
    CASE(T0 + DAY, (f = figures(0, 0, 0, 0), g.progress_s = DAY), ALERT, 0,
         "there are no nodes in its collection; its success is overdue");
}

/* hawkBit's trap: a group that has ended below its threshold goes on to the next. */
static void the_end_is_not_success(void **state)
{
    (void)state;
    CASE(T0 + 99 * DAY, (f = figures(12, 8, 0, 0), g.halt_percent = 50), HOLD, 0,
         "12 of 20 nodes compliant (60 %), 95 % wanted; 8 of the 20 that have ended failed (40 %), halt above 50 %; all have ended, and it "
         "does not go on by itself");
    CASE(T0 + 99 * DAY, f = figures(0, 20, 0, 0), HOLD, 0,
         "0 of 20 nodes compliant (0 %), 95 % wanted; 20 failed; all have ended, and it does not go on by itself");
}

/* Strictly above, over those that have ended, not before the sample is there. */
static void halting(void **state)
{
    (void)state;
    CASE(T0, (f = figures(19, 1, 0, 0), g.halt_percent = 5), SUCCESS, 0,
         "19 of 20 nodes compliant (95 %), 95 % wanted; 1 of the 20 that have ended failed (5 %), halt above 5 %");
    CASE(T0, (f = figures(18, 1, 1, 0), g.halt_percent = 5), HALT, 0,
         "18 of 20 nodes compliant (90 %), 95 % wanted; 1 of the 19 that have ended failed (5.3 %), halt above 5 %");
    CASE(T0, (f = figures(18, 2, 0, 0), g.halt_percent = 5, g.success_percent = 90), HALT, 0, NULL);
    CASE(T0, (f = figures(18, 2, 0, 0), g.halt_percent = 5, g.success_percent = 90, f.succeeded = T0 - DAY), HALT, 0, NULL);
    CASE(T0, (f = figures(0, 20, 980, 0), g.halt_percent = 10, g.sample = 20), HALT, 0, NULL);
    CASE(T0, (f = figures(0, 19, 981, 0), g.halt_percent = 10, g.sample = 20), HOLD, 0,
         "0 of 1000 nodes compliant (0 %), 95 % wanted; 19 failed, judged when 20 have ended");
    CASE(T0, (f = figures(17, 3, 980, 0), g.halt_percent = 10, g.sample = 20), HALT, 0, NULL);
    CASE(T0, (f = figures(18, 2, 980, 0), g.halt_percent = 10, g.sample = 20), HOLD, 0, NULL);
    CASE(T0, (f = figures(0, 1, 9, 0), g.halt_percent = 0), HALT, 0,
         "0 of 10 nodes compliant (0 %), 95 % wanted; 1 of the 1 that have ended failed (100 %), halt above 0 %");
    CASE(T0, (f = figures(0, 0, 10, 0), g.halt_percent = 0, g.sample = 0), HOLD, 0, NULL);
    CASE(T0, (f = figures(0, 20, 0, 0), g.halt_percent = 100), HOLD, 0, NULL);
    CASE(T0, (f = figures(94950, 5050, 0, 0), g.halt_percent = 5), HALT, 0,
         "94950 of 100000 nodes compliant (94.9 %), 95 % wanted; 5050 of the 100000 that have ended failed (5.1 %), halt above 5 %");
}

/* Who says nothing is counted as failed when the time is over; the clock alone brings that about. */
static void silence(void **state)
{
    (void)state;
    CASE(T0 + HOUR, (f = figures(10, 0, 5, 5), g.silence_s = DAY), HOLD, T0 + DAY, NULL);
    CASE(T0 + HOUR, (f = figures(10, 0, 10, 0), g.silence_s = DAY), HOLD, 0, NULL);
    CASE(T0 + DAY, (f = figures(10, 0, 5, 5), g.silence_s = DAY), HOLD, 0, NULL);
    CASE(T0 + DAY, (f = figures(10, 5, 5, 0), f.silent = 4, g.silence_s = DAY, g.halt_percent = 20, g.sample = 10), HALT, 0,
         "10 of 20 nodes compliant (50 %), 95 % wanted; 5 of the 15 that have ended failed, 4 of them silent (33.4 %), halt above 20 %");
    CASE(T0 + DAY, (f = figures(0, 20, 0, 0), f.silent = 20, g.silence_s = DAY, g.halt_percent = 50, g.sample = 10), HALT, 0, NULL);
}

static void the_soak(void **state)
{
    (void)state;
    CASE(T0, (f = figures(20, 0, 0, 0), g.soak_s = DAY), HOLD, T0 + DAY,
         "20 of 20 nodes compliant (100 %), 95 % wanted; it has to stay so for a while");
    CASE(T0 + HOUR, (f = figures(20, 0, 0, 0), g.soak_s = DAY, f.succeeded = T0), HOLD, T0 + DAY, NULL);
    CASE(T0 + DAY, (f = figures(20, 0, 0, 0), g.soak_s = DAY, f.succeeded = T0), SUCCESS, 0, NULL);
    /* it broke, and was put right a moment ago: from the beginning */
    CASE(T0 + DAY, (f = figures(18, 0, 2, 0), g.soak_s = DAY, f.succeeded = T0), HOLD, 0, NULL);
    CASE(T0 + 2 * DAY, (f = figures(20, 0, 0, 0), g.soak_s = DAY), HOLD, T0 + 3 * DAY, NULL);
    CASE(T0 + HOUR, (f = figures(20, 0, 0, 0), g.soak_s = DAY, f.succeeded = T0, g.progress_s = HOUR), HOLD, T0 + DAY, NULL);
    CASE(T0 + HOUR, (f = figures(19, 0, 0, 1), g.soak_s = DAY, f.succeeded = T0, g.silence_s = 2 * HOUR), HOLD, T0 + 2 * HOUR, NULL);
}

static void progress(void **state)
{
    (void)state;
    CASE(T0, (f = figures(10, 0, 10, 0), g.progress_s = DAY), HOLD, T0 + DAY, NULL);
    CASE(T0 + DAY, (f = figures(10, 0, 10, 0), g.progress_s = DAY), ALERT, 0,
         "10 of 20 nodes compliant (50 %), 95 % wanted; its success is overdue");
    CASE(T0 + DAY, (f = figures(20, 0, 0, 0), g.progress_s = DAY), SUCCESS, 0, NULL);
    CASE(T0 + DAY, (f = figures(0, 20, 0, 0), g.progress_s = DAY, g.halt_percent = 5), HALT, 0, NULL);
    CASE(T0 + HOUR, (f = figures(10, 0, 0, 10), g.progress_s = DAY, g.silence_s = 2 * DAY), HOLD, T0 + DAY, NULL);
    CASE(T0 + HOUR, (f = figures(10, 0, 0, 10), g.progress_s = 2 * DAY, g.silence_s = DAY), HOLD, T0 + DAY, NULL);
}

/* The longest sentence is cut, never more. */
static void giants(void **state)
{
    int64_t n = 900000000000000;
    struct gate g = {.success_percent = 95, .halt_percent = 5, .sample = 1};
    struct phase_figures f = {.nodes = 3 * n, .compliant = n, .failed = 2 * n, .silent = n};
    struct phase_judgement j = phase_judge(&g, &f, T0);

    (void)state;
    assert_int_equal(j.verdict, PHASE_HALT);
    assert_true(strlen(j.why) < sizeof j.why);
}

static void the_next(void **state)
{
    (void)state;
    assert_int_equal(phase_begins(BEGIN_AFTER, DAY, T0), T0 + DAY);
    assert_int_equal(phase_begins(BEGIN_AFTER, 0, T0), T0);
    assert_int_equal(phase_begins(BEGIN_AFTER, DAY, 0), 0);
    assert_int_equal(phase_begins(BEGIN_BY_HAND, DAY, T0), 0);
    assert_int_equal(phase_begins(BEGIN_BY_HAND, 0, 0), 0);
    assert_string_equal(phase_verdict_word(PHASE_HOLD), "hold");
    assert_string_equal(phase_verdict_word(PHASE_HALT), "halt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(success), cmocka_unit_test(nobody),   cmocka_unit_test(the_end_is_not_success),
        cmocka_unit_test(halting), cmocka_unit_test(silence),  cmocka_unit_test(the_soak),
        cmocka_unit_test(progress), cmocka_unit_test(giants),  cmocka_unit_test(the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
