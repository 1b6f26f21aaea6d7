#include "policy/decide/rule.h"
#include "tests/unit/paper.h"

#define HOUR 3600
#define DAY  86400
#define T0   1795996800 /* monday 2026-11-30 00:00 UTC */

/* --- which updates --- */

static const struct property properties[] = {
    {"classification", PROPERTY_TEXT, NULL, "", NULL},
    {"required", PROPERTY_NUMBER, NULL, "", NULL},
    {"released", PROPERTY_TIME, NULL, "", NULL},
};
static const struct vocabulary vocabulary = {properties, COUNT(properties), false};

static bool look(void *ctx, const char *name, size_t index, struct value *out)
{
    static char security[] = "security", none[] = "";

    (void)ctx;
    if (index)
        return false;
    if (!strcmp(name, "classification"))
        *out = (struct value){VALUE_TEXT, security, 0};
    else if (!strcmp(name, "required"))
        *out = (struct value){VALUE_NUMBER, none, 3};
    else
        *out = (struct value){VALUE_TIME, none, T0 - 10 * DAY};
    return true;
}

static void judged(const char *filter, bool expired, enum rule_verdict verdict, const char *wanted)
{
    struct expression *x = NULL;
    struct error e;
    char why[200] = "untouched";

    if (expression_parse(filter, &vocabulary, &x, &e))
        fail_msg("%s", e.text);
    assert_int_equal(rule_judge(x, expired, look, NULL, T0, why), verdict);
    assert_string_equal(why, wanted);
    expression_free(x);
}

static void what_is_selected(void **state)
{
    (void)state;
    judged("classification = security", false, RULE_SELECTED, "");
    judged("classification = security and required >= 1", false, RULE_SELECTED, "");
    judged("required > 50", false, RULE_NOT_MATCHED, "required > 50 (it is 3)");
    judged("classification = security and required > 50", false, RULE_NOT_MATCHED, "required > 50 (it is 3)");
    judged("required > 50 or classification = driver", false, RULE_NOT_MATCHED, "required > 50 (it is 3)");
    judged("released < 30d", false, RULE_SELECTED, "");
    judged("released < 7d", false, RULE_NOT_MATCHED, "released < 7d (it is 2026-11-20T00:00:00Z)");
    judged("classification = security", true, RULE_EXPIRED, "expired");
    judged("required > 50", true, RULE_EXPIRED, "expired");
}

/* --- when --- */

struct scene {
    struct schedule schedule;
    struct rule_clock c;
    const struct zone *zone;
};

static void scene_set(struct scene *s, const char *when)
{
    struct error e;

    *s = (struct scene){0};
    if (when && schedule_parse(when, &s->schedule, &e))
        fail_msg("%s", e.text);
    s->c = (struct rule_clock){.enabled = true, .schedule = when ? &s->schedule : NULL, .since = T0};
}

static void expect(const char *what, struct scene *s, int64_t now, struct rule_due x)
{
    struct rule_due d = rule_due(&s->c, s->zone, now);

    if (d.run != x.run || d.trigger != x.trigger || d.nominal != x.nominal || d.wake != x.wake)
        fail_msg("%s at T0%+lld: run %d, trigger %d, nominal T0%+lld, wake T0%+lld", what, (long long)(now - T0), d.run, (int)d.trigger,
                 (long long)(d.nominal - T0), (long long)(d.wake - T0));
}

#define CASE(when, now, change, ...)                                                                                                       \
    do {                                                                                                                                   \
        struct scene s;                                                                                                                    \
        struct rule_clock *c = &s.c;                                                                                                       \
                                                                                                                                           \
        scene_set(&s, when);                                                                                                               \
        (void)c;                                                                                                                           \
        change;                                                                                                                            \
        expect(#change, &s, now, (struct rule_due)__VA_ARGS__);                                                                            \
    } while (0)
#define RUN(trigger, nominal) {true, RULE_##trigger, nominal, 0}
#define WAIT(at)              {.wake = at}

static void by_hand(void **state)
{
    (void)state;
    CASE(NULL, T0 + DAY, , WAIT(0));
    CASE(NULL, T0 + DAY, c->last_sync = T0 + HOUR, WAIT(0));
    CASE("daily 02:00", T0 + DAY, c->enabled = false, WAIT(0));
    CASE("daily 02:00", T0 + DAY, (c->enabled = false, c->failures = 1, c->last_failed = T0), WAIT(0));
    CASE(NULL, T0 + DAY, (c->enabled = false, c->after_sync = true, c->last_sync = T0 + HOUR), WAIT(0));
}

static void on_schedule(void **state)
{
    struct zone *berlin = NULL;
    struct error e;

    (void)state;
    CASE("daily 02:00", T0 + HOUR, , WAIT(T0 + 2 * HOUR));
    CASE("daily 02:00", T0 + 2 * HOUR - 1, , WAIT(T0 + 2 * HOUR));
    CASE("daily 02:00", T0 + 2 * HOUR, , RUN(ON_SCHEDULE, T0 + 2 * HOUR));
    CASE("daily 02:00", T0 + 3 * HOUR, , RUN(ON_SCHEDULE, T0 + 2 * HOUR)); /* late, and it says when it should have been */
    CASE("daily 02:00", T0 + 3 * HOUR, c->last_nominal = T0 + 2 * HOUR, WAIT(T0 + 26 * HOUR));
    CASE("daily 02:00", T0 + 10 * DAY, c->last_nominal = T0 + 2 * HOUR, RUN(ON_SCHEDULE, T0 + 9 * DAY + 2 * HOUR));
    CASE("daily 02:00", T0 + 10 * DAY, c->last_nominal = T0 + 9 * DAY + 2 * HOUR, WAIT(T0 + 10 * DAY + 2 * HOUR));
    CASE("daily 02:00", T0 + 3 * HOUR, c->since = T0 + 2 * HOUR, RUN(ON_SCHEDULE, T0 + 2 * HOUR));
    CASE("daily 02:00", T0 + 3 * HOUR, c->since = T0 + 2 * HOUR + 1, WAIT(T0 + 26 * HOUR));
    CASE("2026-11-30 02:00", T0 + 3 * HOUR, , RUN(ON_SCHEDULE, T0 + 2 * HOUR));
    CASE("2026-11-30 02:00", T0 + 3 * HOUR, c->last_nominal = T0 + 2 * HOUR, WAIT(0));
    assert_int_equal(zone_open("Europe/Berlin", &berlin, &e), OK);
    CASE("daily 02:00", T0, s.zone = berlin, WAIT(T0 + HOUR));
    zone_close(berlin);
}

static void after_a_sync(void **state)
{
    (void)state;
    CASE(NULL, T0 + 9 * HOUR, c->after_sync = true, WAIT(0));
    CASE(NULL, T0 + 9 * HOUR, (c->after_sync = true, c->last_sync = T0 + HOUR), RUN(AFTER_SYNC, T0 + 9 * HOUR));
    CASE(NULL, T0 + 9 * HOUR, (c->after_sync = true, c->last_sync = c->last_sync_run = T0 + HOUR), WAIT(0));
    CASE(NULL, T0 + 9 * HOUR, (c->after_sync = true, c->last_sync = T0 + 2, c->last_sync_run = T0 + 1), RUN(AFTER_SYNC, T0 + 9 * HOUR));
    CASE(NULL, T0 + 9 * HOUR, (c->after_sync = true, c->last_sync = T0 - 1), WAIT(0));
    CASE(NULL, T0 + 9 * HOUR, (c->after_sync = true, c->last_sync = T0), RUN(AFTER_SYNC, T0 + 9 * HOUR));
    CASE("daily 02:00", T0 + HOUR, (c->after_sync = true, c->last_sync = T0 + 60), RUN(AFTER_SYNC, T0 + HOUR));
    CASE("daily 02:00", T0 + 2 * HOUR, (c->after_sync = true, c->last_sync = T0 + 60), RUN(ON_SCHEDULE, T0 + 2 * HOUR));
}

#define FAILED(n) (c->last_nominal = T0 + 2 * HOUR, c->last_failed = T0 + 3 * HOUR, c->failures = n)

static void after_a_failure(void **state)
{
    static const int64_t waits[] = {300, 600, 1200, 2400, 4800, 9600, 14400, 14400, 14400, 14400, 14400, 14400};

    (void)state;
    for (int i = 0; i < (int)COUNT(waits); i++) {
        CASE("daily 02:00", T0 + 3 * HOUR + waits[i] - 1, FAILED(i + 1), WAIT(T0 + 3 * HOUR + waits[i]));
        CASE("daily 02:00", T0 + 3 * HOUR + waits[i], FAILED(i + 1), RUN(RETRY, T0 + 2 * HOUR));
    }
    CASE("daily 02:00", T0 + 3 * HOUR, FAILED(1000000), WAIT(T0 + 7 * HOUR));
    CASE(NULL, T0 + 3 * HOUR + 60, FAILED(1), WAIT(T0 + 3 * HOUR + 300));
    CASE(NULL, T0 + 9 * HOUR, (FAILED(1), c->last_nominal = 0), RUN(RETRY, T0 + 9 * HOUR));
}

/* What happens anew is run for itself; what failed before is forgotten. */
static void superseded(void **state)
{
    (void)state;
    CASE("daily 02:00", T0 + 26 * HOUR, FAILED(1), RUN(ON_SCHEDULE, T0 + 26 * HOUR));
    CASE("daily 04:00", T0 + 3 * HOUR, FAILED(7), WAIT(T0 + 4 * HOUR));
    CASE("daily 04:00", T0 + 4 * HOUR, FAILED(7), RUN(ON_SCHEDULE, T0 + 4 * HOUR));
    CASE("daily 02:00", T0 + 4 * HOUR, (FAILED(1), c->after_sync = true, c->last_sync = T0 + 3 * HOUR), RUN(AFTER_SYNC, T0 + 4 * HOUR));
    CASE("daily 02:00", T0 + 4 * HOUR, (FAILED(1), c->after_sync = true, c->last_sync = c->last_sync_run = T0 + 3 * HOUR),
         RUN(RETRY, T0 + 2 * HOUR));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_selected), cmocka_unit_test(by_hand),         cmocka_unit_test(on_schedule),
        cmocka_unit_test(after_a_sync),     cmocka_unit_test(after_a_failure), cmocka_unit_test(superseded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
