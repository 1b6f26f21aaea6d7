#include "tests/unit/decide_lab.h"

struct expected {
    enum action action;
    enum reason reason;
    int64_t clock, wake;
};

static void expect(const char *what, struct scene *c, int64_t now, struct expected x)
{
    struct decision d = decide_update(&c->s, &c->r, now), all[DECISIONS_MOST];

    if (d.action != x.action || d.reason != x.reason || d.clock != x.clock || d.wake != x.wake)
        fail_msg("%s at T0%+lld: action %d, %s, clock T0%+lld, wake T0%+lld", what, (long long)(now - T0), (int)d.action,
                 reason_word(d.reason), (long long)(d.clock - T0), (long long)(d.wake - T0));
    assert_string_equal(d.document, c->s.deployment ? "policy/tills/october.json" : "");
    assert_true(decide_all(&c->s, &c->r, now, all) >= 1);
    assert_int_equal(all[0].reason, d.reason);
}

#define SCENE(change)                                                                                                                      \
    struct scene c;                                                                                                                        \
    struct situation *s = &c.s;                                                                                                            \
    struct deployment *d = &c.d;                                                                                                           \
    struct terms *t = &d->terms;                                                                                                           \
    struct settings *g = &c.r.settings;                                                                                                    \
                                                                                                                                           \
    scene_set(&c);                                                                                                                         \
    (void)s, (void)t, (void)g;                                                                                                             \
    change

#define CASE(now, change, action, reason, clock, wake)                                                                                     \
    do {                                                                                                                                   \
        SCENE(change);                                                                                                                     \
        expect(#change, &c, now, (struct expected){ACTION_##action, REASON_##reason, clock, wake});                                        \
    } while (0)

static void without_a_deployment(void **state)
{
    (void)state;
    CASE(T0, s->deployment = NULL, NONE, NOT_DEPLOYED, 0, 0);
    CASE(T0, (s->deployment = NULL, s->state = STATE_INSTALLED), NONE, INSTALLED, 0, 0);
    CASE(T0, (s->deployment = NULL, s->state = STATE_NOT_REQUIRED), NONE, NOT_REQUIRED, 0, 0);
    CASE(T0, (s->deployment = NULL, s->state = STATE_UNKNOWN), NONE, NOT_DEPLOYED, 0, 0);
}

static void what_the_node_is(void **state)
{
    (void)state;
    CASE(T1, s->state = STATE_INSTALLED, NONE, INSTALLED, 0, 0);
    CASE(T1, (s->state = STATE_INSTALLED, s->restart_pending = true), NONE, RESTART_PENDING, 0, 0);
    CASE(T1, s->state = STATE_NOT_REQUIRED, NONE, NOT_REQUIRED, 0, 0);
    CASE(T1, s->state = STATE_UNKNOWN, NONE, STATE_UNKNOWN, 0, 0);
    CASE(T1, (s->state = STATE_UNKNOWN, s->interrupted = true), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, s->held = true, NONE, HELD, 0, 0);
    CASE(T1, s->installing = true, NONE, INSTALLING, 0, 0);
    CASE(T1, (s->installing = true, s->state = STATE_INSTALLED), NONE, INSTALLING, 0, 0);
    CASE(T1, g->enabled = false, NONE, SWITCHED_OFF, 0, 0);
    CASE(T1, (g->enabled = false, s->user_asked = true), NONE, SWITCHED_OFF, 0, 0);
    CASE(T1, (g->enabled = false, s->state = STATE_INSTALLED), NONE, INSTALLED, 0, 0);
}

static void whether_it_is_meant(void **state)
{
    (void)state;
    CASE(T1, s->member = false, NONE, NOT_MEMBER, 0, 0);
    CASE(T1, (s->member = false, s->user_asked = true), NONE, NOT_MEMBER, 0, 0);
    CASE(T1, d->enabled = false, NONE, DISABLED, 0, 0);
    CASE(T1, d->withdrawn = true, NONE, DISABLED, 0, 0);
    CASE(T1, (d->enabled = false, s->user_asked = true), NONE, DISABLED, 0, 0);
    CASE(T1, (d->enabled = false, s->state = STATE_UNKNOWN), NONE, DISABLED, 0, 0);
    CASE(T1, (d->enabled = false, s->member = false), NONE, NOT_MEMBER, 0, 0);
}

/* A halt is honoured before anything begins, whoever wants it; what runs already runs on. */
static void a_halt(void **state)
{
    (void)state;
    CASE(T0, (d->halted = d->id), NONE, HALTED, 0, 0);
    CASE(T0, (d->halted = d->id, s->content_here = false), NONE, HALTED, 0, 0);
    CASE(T1, (d->halted = d->id), NONE, HALTED, 0, 0);
    CASE(T1, (d->halted = d->id, s->user_asked = true), NONE, HALTED, 0, 0);
    CASE(T1, (d->halted = d->id, s->installing = true), NONE, INSTALLING, 0, 0);
    CASE(T1, (d->halted = d->id, s->state = STATE_INSTALLED), NONE, INSTALLED, 0, 0);
    CASE(T1, (d->halted = d->id, d->withdrawn = true), NONE, DISABLED, 0, 0);
}

static void by_the_clock(void **state)
{
    (void)state;
    CASE(T0 - 1, , NONE, NOT_YET, T0, T0);
    CASE(T0 - 1, s->user_asked = true, NONE, NOT_YET, T0, T0);
    CASE(T0 - 1, s->content_here = false, NONE, NOT_YET, T0, T0);
    CASE(T0, s->content_here = false, FETCH, DOWNLOADING, T1, 0);
    CASE(T1, s->content_here = false, FETCH, DOWNLOADING, T1, 0);
    CASE(T0, (s->content_here = false, s->source_missing = true), FETCH, NO_SOURCE, T1, 0);
    CASE(T0, (s->content_here = false, s->download_failed = true), FETCH, DOWNLOAD_FAILED, T1, 0);
    CASE(T0, (s->content_here = false, s->download_failed = s->source_missing = true), FETCH, DOWNLOAD_FAILED, T1, 0);
    CASE(T0, (s->content_here = false, s->content_complete = false), NONE, CONTENT_MISSING, 0, 0);
    CASE(T0, , NONE, DEADLINE_AHEAD, T1, T1);
    CASE(T1 - 1, , NONE, DEADLINE_AHEAD, T1, T1);
    CASE(T1, , INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1 + 1000000, , INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, d->deadline = 0, NONE, DEADLINE_AHEAD, 0, 0);
    CASE(T0, s->batched = true, INSTALL, INSTALL_NOW, T1, 0);
    CASE(T0, (s->batched = true, s->content_here = false), FETCH, DOWNLOADING, T1, 0);
}

static void when_the_user_decides(void **state)
{
    (void)state;
    CASE(T0 - 1, t->purpose = PURPOSE_AVAILABLE, NONE, NOT_YET, T0, T0);
    CASE(T0, t->purpose = PURPOSE_AVAILABLE, NONE, OFFERED, T0, 0);
    CASE(T0, (t->purpose = PURPOSE_AVAILABLE, s->content_here = false), NONE, OFFERED, T0, 0);
    CASE(T1 + 1, t->purpose = PURPOSE_AVAILABLE, NONE, OFFERED, T0, 0);
    CASE(T0, (t->purpose = PURPOSE_AVAILABLE, s->batched = true), NONE, OFFERED, T0, 0);
    CASE(T0, (t->purpose = PURPOSE_AVAILABLE, s->user_asked = true), INSTALL, INSTALL_NOW, 0, 0);
    CASE(T0, (t->purpose = PURPOSE_AVAILABLE, s->user_asked = true, s->content_here = false), FETCH, DOWNLOADING, 0, 0);
    CASE(T0, (t->purpose = PURPOSE_AVAILABLE, t->predownload = true), NONE, OFFERED, T0, 0);
    CASE(T0, (t->purpose = PURPOSE_AVAILABLE, t->predownload = true, s->content_here = false), FETCH, PREDOWNLOADING, 0, 0);
    CASE(T0, (t->purpose = PURPOSE_AVAILABLE, t->predownload = true, s->content_here = false, s->user_asked = true), FETCH, DOWNLOADING, 0,
         0);
    CASE(T0, (t->predownload = true, s->content_here = false), FETCH, DOWNLOADING, T1, 0);
    CASE(T0, s->user_asked = true, INSTALL, INSTALL_NOW, 0, 0);
    CASE(T0, (s->user_asked = true, s->content_here = false), FETCH, DOWNLOADING, T1, 0);
}

/* The user's own time; once it is due the machine's owner does not wait for it any more. */
static void when_the_user_has_chosen_a_time(void **state)
{
    (void)state;
    CASE(T0, (s->user_asked = true, s->user_at = T0 + 99), NONE, SCHEDULED, T0 + 99, T0 + 99);
    CASE(T0 + 99, (s->user_asked = true, s->user_at = T0 + 99), INSTALL, INSTALL_NOW, 0, 0);
    CASE(T0, (s->user_asked = true, s->user_at = T0 + 99, s->content_here = false), FETCH, DOWNLOADING, T1, 0);
    CASE(T0, (s->user_asked = true, s->user_at = T0 + 99, t->purpose = PURPOSE_AVAILABLE), NONE, SCHEDULED, T0 + 99, T0 + 99);
    CASE(T0, (s->user_asked = true, s->user_at = T1 + 99), NONE, SCHEDULED, T1 + 99, T1);
    CASE(T1, (s->user_asked = true, s->user_at = T1 + 99), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, (s->user_asked = true, s->user_at = T1 + 99, opens(&c, "daily 22:00", HOUR)), NONE, WAIT_WINDOW, T1 + 99, T1 + 99);
    CASE(T1, (s->user_asked = true, s->user_at = T1 + DAY, opens(&c, "daily 22:00", HOUR)), NONE, WAIT_WINDOW, T1 + 10 * HOUR,
         T1 + 10 * HOUR);
    CASE(T1, (s->user_asked = true, s->user_at = T1 + 99, c.r.orchestrated = true), TURN, WAIT_TURN, 0, T1 + 99);
}

static void free_hours(void **state)
{
    (void)state;
    CASE(T0 + 4 * HOUR, (g->outside_hours = true, works(&c, "mon-fri 05:00-20:00")), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T0 + 5 * HOUR, (g->outside_hours = true, works(&c, "mon-fri 05:00-20:00")), NONE, DEADLINE_AHEAD, T1, T0 + 20 * HOUR);
    CASE(T0 + 30 * HOUR, (g->outside_hours = true, works(&c, "mon-fri 05:00-20:00")), NONE, DEADLINE_AHEAD, T1, T1);
    CASE(T0 + 4 * HOUR, works(&c, "mon-fri 05:00-20:00"), NONE, DEADLINE_AHEAD, T1, T1);
    CASE(T0 + 4 * HOUR, g->outside_hours = true, NONE, DEADLINE_AHEAD, T1, T1);
    CASE(T0 - HOUR, (g->outside_hours = true, works(&c, "mon-fri 05:00-20:00")), NONE, NOT_YET, T0, T0);
    CASE(T0 + 4 * HOUR, (g->outside_hours = true, works(&c, "mon-fri 05:00-20:00"), opens(&c, "daily 22:00", HOUR)), NONE, WAIT_WINDOW,
         T0 + 22 * HOUR, T0 + 22 * HOUR);
}

static void grace(void **state)
{
    (void)state;
    CASE(T1, (t->soft_deadline = true, g->grace_s = DAY, works(&c, "mon-fri 05:00-20:00")), NONE, GRACE, T1 + 8 * HOUR, T1 + 8 * HOUR);
    CASE(T1 + 8 * HOUR, (t->soft_deadline = true, g->grace_s = DAY, works(&c, "mon-fri 05:00-20:00")), INSTALL, INSTALL_NOW, T1 + 8 * HOUR,
         0);
    CASE(T1, (t->soft_deadline = true, g->grace_s = HOUR, works(&c, "mon-fri 05:00-20:00")), NONE, GRACE, T1 + HOUR, T1 + HOUR);
    CASE(T1, (t->soft_deadline = true, g->grace_s = DAY), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, (t->soft_deadline = true, works(&c, "mon-fri 05:00-20:00")), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, (g->grace_s = DAY, works(&c, "mon-fri 05:00-20:00")), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, (t->soft_deadline = true, g->grace_s = DAY, works(&c, "mon-fri 05:00-20:00"), s->user_asked = true), INSTALL, INSTALL_NOW, 0,
         0);
    CASE(T1, (t->soft_deadline = true, g->grace_s = DAY, works(&c, "mon-fri 05:00-20:00"), s->batched = true), INSTALL, INSTALL_NOW,
         T1 + 8 * HOUR, 0);
}

static void postponing(void **state)
{
    (void)state;
    CASE(T0, (s->batched = true, s->postponed_until = T0 + HOUR), NONE, POSTPONED, T0 + HOUR, T0 + HOUR);
    CASE(T0 + HOUR, (s->batched = true, s->postponed_until = T0 + HOUR), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T0, (s->batched = true, s->postponed_until = T1 + HOUR), NONE, POSTPONED, T1, T1);
    CASE(T1, s->postponed_until = T1 + HOUR, INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, (s->postponed_until = T1 + 9 * HOUR, t->soft_deadline = true, g->grace_s = DAY), NONE, POSTPONED, T1 + 9 * HOUR,
         T1 + 9 * HOUR);
    CASE(T1, (s->postponed_until = T1 + 99 * HOUR, t->soft_deadline = true, g->grace_s = DAY), NONE, POSTPONED, T1 + DAY, T1 + DAY);
    CASE(T1 + DAY, (s->postponed_until = T1 + 99 * HOUR, t->soft_deadline = true, g->grace_s = DAY), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T0, (s->user_asked = true, s->postponed_until = T0 + HOUR), INSTALL, INSTALL_NOW, 0, 0);
}

/* The machine is fit from 22:00 on, for an hour: the update wants 55 minutes and 5 for a restart. */
static void windows(void **state)
{
    (void)state;
    CASE(T1, opens(&c, "daily 22:00", HOUR), NONE, WAIT_WINDOW, T1 + 10 * HOUR, T1 + 10 * HOUR);
    CASE(T1 + 10 * HOUR, opens(&c, "daily 22:00", HOUR), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1 + 10 * HOUR + 1, opens(&c, "daily 22:00", HOUR), NONE, WAIT_WINDOW, T1 + 34 * HOUR, T1 + 34 * HOUR);
    CASE(T1 + 10 * HOUR + 1, (opens(&c, "daily 22:00", HOUR), c.u.install.max_run_s--), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, opens(&c, "daily 22:00", HOUR - 1), NONE, NO_WINDOW, 0, 0);
    CASE(T1, (opens(&c, "daily 22:00", HOUR - 1), opens(&c, "daily 22:30", HOUR)), NONE, WAIT_WINDOW, T1 + 10 * HOUR, T1 + 10 * HOUR);
    CASE(T1, (opens(&c, "daily 22:00", HOUR), opens(&c, "daily 12:00", HOUR)), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, (opens(&c, "daily 22:00", HOUR), opens(&c, "daily 12:00", HOUR), c.windows[0].updates_only = true), NONE, WAIT_WINDOW,
         T1 + 10 * HOUR, T1 + 10 * HOUR);
    CASE(T1, (opens(&c, "daily 22:00", HOUR), opens(&c, "daily 12:00", HOUR), c.windows[0].updates_only = true, g->windows_union = true),
         INSTALL, INSTALL_NOW, T1, 0);
}

static void when_windows_do_not_matter(void **state)
{
    (void)state;
    CASE(T1, (opens(&c, "daily 22:00", HOUR), t->install_outside = true), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, (opens(&c, "daily 22:00", 60), t->install_outside = true), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, (opens(&c, "daily 22:00", HOUR), t->restart_outside = true), NONE, WAIT_WINDOW, T1 + 10 * HOUR, T1 + 10 * HOUR);
    CASE(T0, (opens(&c, "daily 22:00", HOUR), s->user_asked = true), INSTALL, INSTALL_NOW, 0, 0);
    CASE(T0, (opens(&c, "daily 22:00", HOUR), s->content_here = false), FETCH, DOWNLOADING, T1, 0);
    CASE(T0, (opens(&c, "daily 22:00", HOUR), s->batched = true), NONE, WAIT_WINDOW, T0 + 22 * HOUR, T0 + 22 * HOUR);
    /* only behind the deadline is it allowed outside them */
    CASE(T0, (opens(&c, "daily 22:00", HOUR), s->batched = t->install_outside = true), NONE, WAIT_WINDOW, T0 + 22 * HOUR, T0 + 22 * HOUR);
    CASE(T1 - 1, (opens(&c, "daily 22:00", HOUR), s->batched = t->install_outside = true), NONE, WAIT_WINDOW, T1, T1);
    CASE(T1 - 1, (opens(&c, "daily 22:00", 60), s->batched = t->install_outside = true), NONE, WAIT_WINDOW, T1, T1);
}

static void a_metered_line(void **state)
{
#define METERED(how) (s->metered = true, s->content_here = false, g->metered = METERED_##how)
    (void)state;
    CASE(T0, METERED(ALLOW), FETCH, DOWNLOADING, T1, 0);
    CASE(T0, METERED(LIMIT), NONE, METERED, T1, T1);
    CASE(T1, METERED(LIMIT), FETCH, DOWNLOADING, T1, 0);
    CASE(T0, (METERED(LIMIT), s->user_asked = true), FETCH, DOWNLOADING, T1, 0);
    CASE(T0, (METERED(LIMIT), t->purpose = PURPOSE_AVAILABLE), NONE, OFFERED, T0, 0);
    CASE(T0, (METERED(LIMIT), t->purpose = PURPOSE_AVAILABLE, t->predownload = true), NONE, METERED, 0, 0);
    CASE(T0, (METERED(LIMIT), t->purpose = PURPOSE_AVAILABLE, s->user_asked = true), FETCH, DOWNLOADING, 0, 0);
    CASE(T0, METERED(BLOCK), NONE, METERED, 0, 0);
    CASE(T1, METERED(BLOCK), NONE, METERED, 0, 0);
    CASE(T0, (METERED(BLOCK), s->user_asked = true), NONE, METERED, 0, 0);
    CASE(T0, (METERED(BLOCK), t->metered = true), NONE, METERED, T1, T1);
    CASE(T1, (METERED(BLOCK), t->metered = true), FETCH, DOWNLOADING, T1, 0);
    CASE(T1, (METERED(BLOCK), s->metered = false), FETCH, DOWNLOADING, T1, 0);
    CASE(T1, (METERED(BLOCK), s->content_here = true), INSTALL, INSTALL_NOW, T1, 0);
}

static void after_a_failure(void **state)
{
    (void)state;
    CASE(T1 + 299, (s->attempts = 1, s->last_attempt = T1), NONE, RETRY_LATER, T1 + 300, T1 + 300);
    CASE(T1 + 300, (s->attempts = 1, s->last_attempt = T1), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1 + 599, (s->attempts = 2, s->last_attempt = T1), NONE, RETRY_LATER, T1 + 600, T1 + 600);
    CASE(T1 + 14399, (s->attempts = 9, s->last_attempt = T1), NONE, RETRY_LATER, T1 + 14400, T1 + 14400);
    CASE(T1 + 14400, (s->attempts = 9, s->last_attempt = T1), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1 + 1000000, (s->attempts = 10, s->last_attempt = T1), NONE, GAVE_UP, T1, 0);
    CASE(T1 + 899, (s->closure_missing = true, s->last_attempt = T1), NONE, CLOSURE, T1 + 900, T1 + 900);
    CASE(T1 + 900, (s->closure_missing = true, s->last_attempt = T1), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T0, (s->closure_missing = true, s->last_attempt = T0), NONE, DEADLINE_AHEAD, T1, T1);
    CASE(T0, (s->attempts = 10, s->last_attempt = T0), NONE, DEADLINE_AHEAD, T1, T1);
    CASE(T0 + 1, (s->attempts = 1, s->last_attempt = T0, s->user_asked = true), NONE, RETRY_LATER, T0 + 300, T0 + 300);
}

static void the_last_steps(void **state)
{
    (void)state;
    CASE(T1, (s->restart_first = s->busy = true, s->asked = false), NONE, RESTART_FIRST, 0, 0);
    CASE(T0, (s->restart_first = s->user_asked = true), NONE, RESTART_FIRST, 0, 0);
    CASE(T1, (c.r.orchestrated = s->busy = true), TURN, WAIT_TURN, 0, 0);
    CASE(T1, (c.r.orchestrated = s->turn_held = true), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, (c.r.orchestrated = true, c.u.classification = CLASS_DEFINITION), INSTALL, INSTALL_NOW, T1, 0);
    CASE(T0, (c.r.orchestrated = s->user_asked = true), INSTALL, INSTALL_NOW, 0, 0);
    CASE(T1, (s->busy = true, s->asked = false), NONE, BUSY, 0, 0);
    CASE(T1, s->asked = false, ASK, ASK_FIRST, 0, 0);
    CASE(T0, (s->asked = false, s->user_asked = true), ASK, ASK_FIRST, 0, 0);
    CASE(T0, s->asked = false, NONE, DEADLINE_AHEAD, T1, T1);
}

/* "reason@hours after T0", in order. */
static void expect_all(const char *what, struct scene *c, int64_t now, const char *wanted)
{
    struct decision all[DECISIONS_MOST];
    size_t n = decide_all(&c->s, &c->r, now, all);
    struct text got = {0};

    for (size_t i = 0; i < n; i++) {
        text_add(&got, "%s%s", i ? " " : "", reason_word(all[i].reason));
        if (all[i].clock)
            text_add(&got, "@%lld", (long long)(all[i].clock - T0) / HOUR);
        assert_true(!i || all[i].action == ACTION_NONE);
    }
    if (strcmp(got.data, wanted))
        fail_msg("%s at T0%+lld: %s", what, (long long)(now - T0), got.data);
    text_end(&got);
}

#define ALL(now, change, wanted)                                                                                                           \
    do {                                                                                                                                   \
        SCENE(change);                                                                                                                     \
        expect_all(#change, &c, now, wanted);                                                                                              \
    } while (0)

/* What is behind these gates means nothing. */
static void where_the_way_ends(void **state)
{
    (void)state;
    ALL(T1, , "install-now@36");
    ALL(T0, s->installing = true, "installing");
    ALL(T0, (s->state = STATE_INSTALLED, d->halted = d->id), "installed");
    ALL(T0, (s->state = STATE_INSTALLED, s->restart_pending = true), "restart-pending");
    ALL(T0, s->state = STATE_NOT_REQUIRED, "not-required");
    ALL(T0, (s->deployment = NULL), "not-deployed");
    ALL(T0, s->member = false, "not-member");
    ALL(T0, (d->enabled = false, d->halted = d->id), "disabled");
    ALL(T0, s->state = STATE_UNKNOWN, "state-unknown");
    ALL(T0 - 1, (t->purpose = PURPOSE_AVAILABLE, opens(&c, "daily 22:00", 60)), "not-yet-available@0 offered@0");
}

/* The window of tonight is none of its: the one behind the deadline is. */
static void each_at_its_moment(void **state)
{
    (void)state;
    ALL(T0 - DAY, , "not-yet-available@0 deadline-ahead@36");
    ALL(T0 - DAY, opens(&c, "daily 22:00", HOUR), "not-yet-available@0 deadline-ahead@36 waiting-window@46");
    ALL(T0, opens(&c, "daily 22:00", HOUR), "deadline-ahead@36 waiting-window@46");
    ALL(T0, opens(&c, "daily 12:00", HOUR), "deadline-ahead@36");
    ALL(T0, opens(&c, "daily 12:00", 60), "deadline-ahead@36 no-window");
    ALL(T0, (opens(&c, "daily 21:00", HOUR), t->soft_deadline = true, g->grace_s = DAY, works(&c, "tue-wed 05:00-20:00")),
        "deadline-ahead@36 grace@44 waiting-window@45");
    ALL(T0, (s->metered = true, s->content_here = false, g->metered = METERED_LIMIT, opens(&c, "daily 22:00", HOUR)),
        "metered@36 waiting-window@46");
    ALL(T0, (s->user_asked = true, s->user_at = T0 + HOUR, opens(&c, "daily 22:00", HOUR)), "scheduled@1");
    ALL(T0, (s->user_asked = true, s->user_at = T1 + DAY, opens(&c, "daily 22:00", HOUR)), "scheduled@60 waiting-window@46");
    ALL(T0 - 1, (s->user_asked = true, s->user_at = T0 + HOUR), "not-yet-available@0 scheduled@1");
    ALL(T0, (s->batched = s->held = true, s->postponed_until = T0 + HOUR, opens(&c, "daily 22:00", HOUR)),
        "held postponed@1 waiting-window@22");
    ALL(T1, (s->attempts = 9, s->last_attempt = T1, opens(&c, "daily 13:00", HOUR)), "retry-later@40 waiting-window@61");
    ALL(T1, (s->held = true, s->attempts = 9, s->last_attempt = T1), "held retry-later@40");
    ALL(T1, (s->held = s->closure_missing = true, s->last_attempt = T1 + HOUR, opens(&c, "daily 12:00", 2 * HOUR)),
        "held closure-missing@37 waiting-window@60");
}

/* What changes by the minute is asked only where everything else is open. */
static void not_before_the_others(void **state)
{
    (void)state;
    ALL(T0, (s->content_here = false, s->busy = true), "downloading@36 deadline-ahead@36");
    ALL(T0, (s->content_here = false, s->source_missing = true), "no-source@36 deadline-ahead@36");
    ALL(T0, (s->content_here = false, s->download_failed = true), "download-failed@36 deadline-ahead@36");
    ALL(T0 - 1, s->content_here = false, "not-yet-available@0 deadline-ahead@36");
    ALL(T0 - 1, (s->content_here = false, s->source_missing = true), "not-yet-available@0 deadline-ahead@36");
    ALL(T0 - 1, (s->content_here = false, s->download_failed = true), "not-yet-available@0 deadline-ahead@36");
    ALL(T0 - 1, (s->content_here = false, s->metered = true), "not-yet-available@0 deadline-ahead@36");
    ALL(T0, (t->purpose = PURPOSE_AVAILABLE, t->predownload = true, s->content_here = false), "predownloading offered@0");
    ALL(T0 - 1, (t->purpose = PURPOSE_AVAILABLE, t->predownload = true, s->content_here = false), "not-yet-available@0 offered@0");
    ALL(T1, (s->asked = false, s->busy = s->restart_first = true), "restart-first");
    ALL(T0, (s->asked = false, s->busy = s->restart_first = c.r.orchestrated = true), "deadline-ahead@36");
    ALL(T0 - DAY, (d->halted = d->id, g->enabled = false, s->held = true, s->content_complete = false, s->attempts = 10,
                   s->last_attempt = T0 - DAY, s->busy = true, opens(&c, "daily 22:00", 60)),
        "halted switched-off held not-yet-available@0 content-missing deadline-ahead@36 gave-up@-24 no-window");
}

static void reasons(void **state)
{
    enum reason r;

    (void)state;
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        assert_true(reason_by_word(reason_word((enum reason)i), &r));
        assert_int_equal(r, i);
        assert_true(*reason_text((enum reason)i));
    }
    assert_false(reason_by_word("because", &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_deployment),
        cmocka_unit_test(what_the_node_is),
        cmocka_unit_test(whether_it_is_meant),
        cmocka_unit_test(a_halt),
        cmocka_unit_test(by_the_clock),
        cmocka_unit_test(when_the_user_decides),
        cmocka_unit_test(when_the_user_has_chosen_a_time),
        cmocka_unit_test(free_hours),
        cmocka_unit_test(grace),
        cmocka_unit_test(postponing),
        cmocka_unit_test(windows),
        cmocka_unit_test(when_windows_do_not_matter),
        cmocka_unit_test(a_metered_line),
        cmocka_unit_test(after_a_failure),
        cmocka_unit_test(the_last_steps),
        cmocka_unit_test(where_the_way_ends),
        cmocka_unit_test(each_at_its_moment),
        cmocka_unit_test(not_before_the_others),
        cmocka_unit_test(reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
