#include "policy/decide/node.h"
#include "tests/unit/paper.h"

#define T0 1795467600   /* available */
#define T1 (T0 + 86400) /* deadline */

/* A node that has everything and needs the update; each case changes what it says. */
struct scene {
    struct deployment d;
    struct situation s;
};

static const struct node_rules rules = {.node_id = "node-1"};

static int64_t deadline_of(const struct deployment *d, const char *node_id)
{
    struct node_rules of = {.node_id = node_id};

    return decide_times(d, &of).deadline;
}

static void scene_set(struct scene *c)
{
    static const struct update nothing;
    static char id[] = "october", collection[] = "tills";

    c->d = (struct deployment){
        .id = id, .collection = collection, .enabled = true, .terms.purpose = PURPOSE_REQUIRED, .available = T0, .deadline = T1};
    c->s = (struct situation){.update = &nothing, .member = true, .state = STATE_REQUIRED, .content_complete = true, .content_here = true};
}

struct expected {
    enum action action;
    enum reason reason;
    int64_t clock, wake;
};

static void expect(const char *what, struct scene *c, int64_t now, struct expected x)
{
    struct decision d = decide_update(&c->s, &rules, now);

    if (d.action != x.action || d.reason != x.reason || d.clock != x.clock || d.wake != x.wake)
        fail_msg("%s at T0%+lld: action %d, %s, clock T0%+lld, wake T0%+lld", what, (long long)(now - T0), (int)d.action,
                 reason_word(d.reason), (long long)(d.clock - T0), (long long)(d.wake - T0));
    assert_string_equal(d.document, c->s.deployment ? "policy/tills/october.json" : "");
}

#define CASE(now, change, action, reason, clock, wake)                                                                                     \
    do {                                                                                                                                   \
        struct scene c;                                                                                                                    \
        struct situation *s = &c.s;                                                                                                        \
        struct deployment *d = &c.d;                                                                                                       \
                                                                                                                                           \
        scene_set(&c);                                                                                                                     \
        s->deployment = d;                                                                                                                 \
        change;                                                                                                                            \
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
    CASE(T1, s->held = true, NONE, HELD, 0, 0);
    CASE(T1, s->installing = true, NONE, INSTALLING, 0, 0);
    CASE(T1, (s->installing = true, s->state = STATE_INSTALLED), NONE, INSTALLING, 0, 0);
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

static void by_the_clock(void **state)
{
    (void)state;
    CASE(T0 - 1, , NONE, NOT_YET, T0, T0);
    CASE(T0 - 1, s->user_asked = true, NONE, NOT_YET, T0, T0);
    CASE(T0 - 1, s->content_here = false, NONE, NOT_YET, T0, T0);
    CASE(T0, s->content_here = false, FETCH, DOWNLOADING, T1, 0);
    CASE(T1, s->content_here = false, FETCH, DOWNLOADING, T1, 0);
    CASE(T0, (s->content_here = false, s->source_missing = true), FETCH, NO_SOURCE, T1, 0);
    CASE(T0, (s->content_here = false, s->content_complete = false), NONE, CONTENT_MISSING, 0, 0);
    CASE(T0, , NONE, DEADLINE_AHEAD, T1, T1);
    CASE(T1 - 1, , NONE, DEADLINE_AHEAD, T1, T1);
    CASE(T1, , INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1 + 1000000, , INSTALL, INSTALL_NOW, T1, 0);
    CASE(T1, s->busy = true, NONE, BUSY, 0, 0);
    CASE(T0, s->user_asked = true, INSTALL, INSTALL_NOW, 0, 0);
    CASE(T0, (s->user_asked = true, s->content_here = false), FETCH, DOWNLOADING, T1, 0);
}

static void when_the_user_decides(void **state)
{
    (void)state;
    CASE(T0 - 1, (d->terms.purpose = PURPOSE_AVAILABLE, d->deadline = 0), NONE, NOT_YET, T0, T0);
    CASE(T0, (d->terms.purpose = PURPOSE_AVAILABLE, d->deadline = 0), NONE, OFFERED, T0, 0);
    CASE(T0, (d->terms.purpose = PURPOSE_AVAILABLE, d->deadline = 0, s->content_here = false), NONE, OFFERED, T0, 0);
    CASE(T1 + 1, d->terms.purpose = PURPOSE_AVAILABLE, NONE, OFFERED, T0, 0);
    CASE(T0, (d->terms.purpose = PURPOSE_AVAILABLE, d->deadline = 0, s->user_asked = true), INSTALL, INSTALL_NOW, 0, 0);
    CASE(T0, (d->terms.purpose = PURPOSE_AVAILABLE, d->deadline = 0, s->user_asked = true, s->content_here = false), FETCH, DOWNLOADING, 0, 0);
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
}

static void retries(void **state)
{
    static const int64_t waits[] = {300, 600, 1200, 2400, 4800, 9600, 14400, 14400, 14400, -1, -1};

    (void)state;
    for (int i = 0; i < (int)COUNT(waits); i++)
        assert_int_equal(decide_retry(i + 1), waits[i]);
    assert_int_equal(decide_retry(1000000), -1);
}

/* Spread over the whole time, the same on every call, different per node and per deployment. */
static void deadlines_are_spread(void **state)
{
    struct scene c;
    int quarter[4] = {0};
    int64_t first;

    (void)state;
    scene_set(&c);
    assert_int_equal(deadline_of(&c.d, "node-1"), T1);
    c.d.terms.randomize_s = 7199;
    first = deadline_of(&c.d, "node-1");
    assert_int_equal(deadline_of(&c.d, "node-1"), first);
    for (int i = 0; i < 1000; i++) {
        char node[20];
        int64_t at;

        snprintf(node, sizeof node, "node-%d", i);
        at = deadline_of(&c.d, node) - T1;
        assert_in_range(at, 0, 7199);
        quarter[at / 1800]++;
    }
    for (int i = 0; i < 4; i++)
        assert_in_range(quarter[i], 180, 320);
    c.s.deployment = &c.d;
    expect("before its own deadline", &c, first - 1, (struct expected){ACTION_NONE, REASON_DEADLINE_AHEAD, first, first});
    expect("at its own deadline", &c, first, (struct expected){ACTION_INSTALL, REASON_INSTALL_NOW, first, 0});
    c.d.id = (char[]){"november"};
    assert_int_not_equal(deadline_of(&c.d, "node-1"), first);
    c.d.deadline = 0;
    assert_int_equal(deadline_of(&c.d, "node-1"), 0);
}

static void which_leads(void **state)
{
    struct scene a, b;

    (void)state;
    scene_set(&a);
    scene_set(&b);
    assert_int_equal(decide_order(&a.d, &b.d, &rules), 0);
    b.d.id = (char[]){"zulu"};
    assert_true(decide_order(&a.d, &b.d, &rules) < 0 && decide_order(&b.d, &a.d, &rules) > 0);
    b.d.available--;
    assert_true(decide_order(&a.d, &b.d, &rules) > 0);
    a.d.deadline--;
    assert_true(decide_order(&a.d, &b.d, &rules) < 0);
    a.d.deadline = 0; /* none at all comes last */
    assert_true(decide_order(&a.d, &b.d, &rules) > 0);
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
        cmocka_unit_test(by_the_clock),
        cmocka_unit_test(when_the_user_decides),
        cmocka_unit_test(after_a_failure),
        cmocka_unit_test(retries),
        cmocka_unit_test(deadlines_are_spread),
        cmocka_unit_test(which_leads),
        cmocka_unit_test(reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
