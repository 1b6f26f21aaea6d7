#include "policy/decide/restart.h"
#include "tests/unit/decide_lab.h"

/* A workstation that installed one update past its deadline: an hour of countdown, its last quarter final. */
struct machine {
    struct scene one, two;
    struct restart_cause causes[3];
    struct restart_situation s;
};

static void machine_set(struct machine *m)
{
    *m = (struct machine){0};
    scene_set(&m->one);
    scene_set(&m->two);
    m->one.r.settings.restart_countdown_s = HOUR;
    m->one.r.settings.restart_final_s = HOUR / 4;
    m->causes[0].deployment = &m->one.d;
    m->causes[1].deployment = &m->two.d;
    m->s = (struct restart_situation){.causes = m->causes, .cause_count = 1};
}

static void expect(const char *what, struct machine *m, int64_t now, enum restart_state state, int64_t at, int64_t wake, bool begin)
{
    struct restart_decision d = decide_restart(&m->s, &m->one.r, now);

    if (d.state != state || d.at != at || d.wake != wake || d.begin_countdown != begin)
        fail_msg("%s at T1%+lld: %s, at T1%+lld, wake T1%+lld, begin %d", what, (long long)(now - T1), restart_word(d.state),
                 (long long)(d.at - T1), (long long)(d.wake - T1), d.begin_countdown);
}

#define CASE(now, change, state, at, wake, begin)                                                                                          \
    do {                                                                                                                                   \
        struct machine m;                                                                                                                  \
        struct restart_situation *s = &m.s;                                                                                                \
        struct terms *t = &m.one.d.terms, *t2 = &m.two.d.terms;                                                                            \
        struct settings *g = &m.one.r.settings;                                                                                            \
                                                                                                                                           \
        machine_set(&m);                                                                                                                   \
        (void)s, (void)t, (void)t2, (void)g;                                                                                               \
        change;                                                                                                                            \
        expect(#change, &m, now, RESTART_##state, at, wake, begin);                                                                        \
    } while (0)

static void nothing_is_pending(void **state)
{
    (void)state;
    CASE(T1, s->cause_count = 0, NONE, 0, 0, false);
    CASE(T1, (s->cause_count = 0, s->user_asked = true), NONE, 0, 0, false);
}

static void held_until_the_deadline(void **state)
{
    (void)state;
    CASE(T0, , HELD, T1 + HOUR, T1, false);
    CASE(T1 - 1, , HELD, T1 + HOUR, T1, false);
    CASE(T0, g->restart_forced = false, HELD, 0, T1, false);
    CASE(T0, opens(&m.one, "daily 22:00", HOUR), HELD, T1 + 10 * HOUR, T1, false);
    CASE(T0, opens(&m.one, "daily 22:00", 60), HELD, 0, T1, false);
    CASE(T1, (t->soft_deadline = true, g->grace_s = DAY, works(&m.one, "mon-fri 05:00-20:00")), HELD, T1 + 9 * HOUR, T1 + 8 * HOUR, false);
    CASE(T1, m.causes[0].deployment = NULL, COUNTDOWN, T1 + HOUR, T1 + 45 * 60, true);
    CASE(T0, m.causes[0].deployment = NULL, COUNTDOWN, T0 + HOUR, T0 + 45 * 60, true);
}

static void the_countdown(void **state)
{
    (void)state;
    CASE(T1, , COUNTDOWN, T1 + HOUR, T1 + 45 * 60, true);
    CASE(T1, s->countdown_begun = T1, COUNTDOWN, T1 + HOUR, T1 + 45 * 60, false);
    CASE(T1 + 60, s->countdown_begun = T1, COUNTDOWN, T1 + HOUR, T1 + 45 * 60, false);
    CASE(T1 + 45 * 60 - 1, s->countdown_begun = T1, COUNTDOWN, T1 + HOUR, T1 + 45 * 60, false);
    CASE(T1 + 45 * 60, s->countdown_begun = T1, FINAL, T1 + HOUR, T1 + HOUR, false);
    CASE(T1 + HOUR - 1, s->countdown_begun = T1, FINAL, T1 + HOUR, T1 + HOUR, false);
    CASE(T1 + HOUR, s->countdown_begun = T1, NOW, T1 + HOUR, 0, false);
    CASE(T1 + 9 * DAY, s->countdown_begun = T1, NOW, T1 + 9 * DAY, 0, false); /* it ended while the machine slept */
    CASE(T1, s->countdown_begun = T1 + DAY, COUNTDOWN, T1 + HOUR, T1 + 45 * 60, true); /* the clock was put back */
    CASE(T1, g->restart_countdown_s = 600, FINAL, T1 + 600, T1 + 600, true);
    CASE(T1, g->restart_countdown_s = 0, NOW, T1, 0, true);
}

static void never_in_the_middle_of_an_installation(void **state)
{
    (void)state;
    CASE(T1 + HOUR, (s->countdown_begun = T1, s->installing = true), FINAL, 0, 0, false);
    CASE(T1 + 60, (s->countdown_begun = T1, s->installing = true), COUNTDOWN, T1 + HOUR, T1 + 45 * 60, false);
    CASE(T0, (s->user_asked = true, s->installing = true), FINAL, 0, 0, false);
}

static void the_user_asks(void **state)
{
    (void)state;
    CASE(T0, s->user_asked = true, NOW, T0, 0, false);
    CASE(T0, (s->user_asked = true, t->suppress_restart_workstations = true), NOW, T0, 0, false);
    CASE(T0, (s->user_asked = true, g->restart_forced = false), NOW, T0, 0, false);
    CASE(T0, (s->user_asked = true, opens(&m.one, "daily 22:00", HOUR)), NOW, T0, 0, false);
}

static void only_reminded(void **state)
{
    (void)state;
    CASE(T1, g->restart_forced = false, REMINDING, 0, 0, false);
    CASE(T1 + 99 * DAY, (g->restart_forced = false, s->countdown_begun = T1), REMINDING, 0, 0, false);
    CASE(T1, (g->restart_forced = false, opens(&m.one, "daily 22:00", HOUR)), REMINDING, 0, 0, false);
    CASE(T1, t->purpose = PURPOSE_AVAILABLE, REMINDING, 0, 0, false);
    CASE(T1 + 99 * DAY, t->purpose = PURPOSE_AVAILABLE, REMINDING, 0, 0, false);
}

static void suppressed(void **state)
{
    (void)state;
    CASE(T1, t->suppress_restart_workstations = true, SUPPRESSED, 0, 0, false);
    CASE(T1, t->suppress_restart_servers = true, COUNTDOWN, T1 + HOUR, T1 + 45 * 60, true);
    CASE(T1, (t->suppress_restart_servers = true, m.one.r.server = true), SUPPRESSED, 0, 0, false);
    CASE(T1, (t->suppress_restart_workstations = true, m.one.r.server = true), COUNTDOWN, T1 + HOUR, T1 + 45 * 60, true);
    CASE(T0, t->suppress_restart_workstations = true, SUPPRESSED, 0, 0, false);
    CASE(T1, (t->suppress_restart_workstations = true, s->cause_count = 2), COUNTDOWN, T1 + HOUR, T1 + 45 * 60, true);
    CASE(T1, (t->suppress_restart_workstations = t2->suppress_restart_workstations = true, s->cause_count = 2), SUPPRESSED, 0, 0, false);
    CASE(T1, (t->suppress_restart_workstations = true, m.causes[1].deployment = NULL, s->cause_count = 2), COUNTDOWN, T1 + HOUR,
         T1 + 45 * 60, true);
}

/* 22:00 to 23:00 is T1 + 10 to 11 hours; five minutes of it have to be left. */
static void windows(void **state)
{
    (void)state;
    CASE(T1, opens(&m.one, "daily 22:00", HOUR), WINDOW, T1 + 10 * HOUR, T1 + 9 * HOUR + 45 * 60, true);
    CASE(T1 + 5 * HOUR, (opens(&m.one, "daily 22:00", HOUR), s->countdown_begun = T1), WINDOW, T1 + 10 * HOUR, T1 + 9 * HOUR + 45 * 60,
         false);
    CASE(T1 + 9 * HOUR + 45 * 60, (opens(&m.one, "daily 22:00", HOUR), s->countdown_begun = T1), FINAL, T1 + 10 * HOUR, T1 + 10 * HOUR,
         false);
    CASE(T1 + 10 * HOUR, (opens(&m.one, "daily 22:00", HOUR), s->countdown_begun = T1), NOW, T1 + 10 * HOUR, 0, false);
    CASE(T1 + 9 * HOUR + 30 * 60, opens(&m.one, "daily 22:00", HOUR), COUNTDOWN, T1 + 10 * HOUR + 30 * 60, T1 + 10 * HOUR + 15 * 60, true);
    CASE(T1 + 10 * HOUR, opens(&m.one, "daily 22:00", HOUR), WINDOW, T1 + 34 * HOUR, T1 + 33 * HOUR + 45 * 60, true);
    CASE(T1 + 9 * HOUR + 55 * 60, opens(&m.one, "daily 22:00", HOUR), COUNTDOWN, T1 + 10 * HOUR + 55 * 60, T1 + 10 * HOUR + 40 * 60, true);
    CASE(T1 + 9 * HOUR + 55 * 60 + 1, opens(&m.one, "daily 22:00", HOUR), WINDOW, T1 + 34 * HOUR, T1 + 33 * HOUR + 45 * 60, true);
    CASE(T1 + 10 * HOUR + 55 * 60, (opens(&m.one, "daily 22:00", HOUR), s->countdown_begun = T1), NOW, T1 + 10 * HOUR + 55 * 60, 0, false);
    CASE(T1 + 10 * HOUR + 56 * 60, (opens(&m.one, "daily 22:00", HOUR), s->countdown_begun = T1), WINDOW, T1 + 34 * HOUR,
         T1 + 33 * HOUR + 45 * 60, false); /* slept through it */
    CASE(T1, opens(&m.one, "daily 22:00", 60), WINDOW, 0, 0, true);
}

static void outside_windows(void **state)
{
    (void)state;
    CASE(T1, (opens(&m.one, "daily 22:00", HOUR), t->restart_outside = true), COUNTDOWN, T1 + HOUR, T1 + 45 * 60, true);
    CASE(T1 + HOUR, (opens(&m.one, "daily 22:00", 60), t->restart_outside = true, s->countdown_begun = T1), NOW, T1 + HOUR, 0, false);
    CASE(T1, (opens(&m.one, "daily 22:00", HOUR), t->install_outside = true), WINDOW, T1 + 10 * HOUR, T1 + 9 * HOUR + 45 * 60, true);
    CASE(T1, (opens(&m.one, "daily 22:00", HOUR), m.causes[0].deployment = NULL), WINDOW, T1 + 10 * HOUR, T1 + 9 * HOUR + 45 * 60, true);
}

/* One past its deadline is enough, and one that may outside windows, from its own deadline on. */
static void several_causes(void **state)
{
    (void)state;
    CASE(T1, (s->cause_count = 2, m.one.d.deadline = T1 + DAY), COUNTDOWN, T1 + HOUR, T1 + 45 * 60, true);
    CASE(T0, (s->cause_count = 2, m.one.d.deadline = T1 + DAY), HELD, T1 + HOUR, T1, false);
    CASE(T1, (s->cause_count = 2, t->purpose = PURPOSE_AVAILABLE), COUNTDOWN, T1 + HOUR, T1 + 45 * 60, true);
    CASE(T0, (s->cause_count = 2, t->purpose = PURPOSE_AVAILABLE), HELD, T1 + HOUR, T1, false);
    CASE(T1, (s->cause_count = 2, opens(&m.one, "daily 22:00", HOUR), t2->restart_outside = true), COUNTDOWN, T1 + HOUR, T1 + 45 * 60,
         true);
    CASE(T1, (s->cause_count = 2, opens(&m.one, "daily 22:00", HOUR), t2->restart_outside = true, m.two.d.deadline = T1 + 2 * HOUR), WINDOW,
         T1 + 2 * HOUR, T1 + 105 * 60, true);
    CASE(T1, (s->cause_count = 2, opens(&m.one, "daily 22:00", HOUR), t2->restart_outside = true, m.two.d.deadline = T1 + DAY), WINDOW,
         T1 + 10 * HOUR, T1 + 9 * HOUR + 45 * 60, true);
    CASE(T1, (s->cause_count = 2, opens(&m.one, "daily 22:00", HOUR), t2->restart_outside = true, t2->purpose = PURPOSE_AVAILABLE), WINDOW,
         T1 + 10 * HOUR, T1 + 9 * HOUR + 45 * 60, true);
}

static void words(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RESTART_COUNT; i++) {
        assert_true(*restart_word((enum restart_state)i));
        assert_true(*restart_text((enum restart_state)i));
    }
    assert_string_equal(restart_word(RESTART_FINAL), "final");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_pending), cmocka_unit_test(held_until_the_deadline),
        cmocka_unit_test(the_countdown),      cmocka_unit_test(never_in_the_middle_of_an_installation),
        cmocka_unit_test(the_user_asks),      cmocka_unit_test(only_reminded),
        cmocka_unit_test(suppressed),         cmocka_unit_test(windows),
        cmocka_unit_test(outside_windows),    cmocka_unit_test(several_causes),
        cmocka_unit_test(words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
