#include "tests/unit/decide_lab.h"

static struct zone *berlin(void)
{
    struct zone *z = NULL;
    struct error e;

    if (zone_open("Europe/Berlin", &z, &e))
        fail_msg("%s", e.text);
    return z;
}

static void expect(const char *what, const struct scene *c, int64_t available, int64_t deadline, int64_t due)
{
    struct times t = decide_times(&c->d, &c->r);

    if (t.available != available || t.deadline != deadline || t.due != due)
        fail_msg("%s: available T0%+lld, deadline T0%+lld, due T0%+lld", what, (long long)(t.available - T0), (long long)(t.deadline - T0),
                 (long long)(t.due - T0));
}

#define CASE(change, available, deadline, due)                                                                                             \
    do {                                                                                                                                   \
        struct scene c;                                                                                                                    \
        struct terms *t = &c.d.terms;                                                                                                      \
        struct settings *g = &c.r.settings;                                                                                                \
                                                                                                                                           \
        scene_set(&c);                                                                                                                     \
        (void)t, (void)g;                                                                                                                  \
        change;                                                                                                                            \
        expect(#change, &c, available, deadline, due);                                                                                     \
    } while (0)

static void three_times(void **state)
{
    (void)state;
    CASE(, T0, T1, T1);
    CASE(c.d.deadline = 0, T0, 0, 0);
    CASE(t->purpose = PURPOSE_AVAILABLE, T0, 0, 0);
    CASE((t->soft_deadline = true, g->grace_s = DAY), T0, T1, T1);
    CASE((t->soft_deadline = true, works(&c, "mon-fri 05:00-20:00")), T0, T1, T1);
    CASE((g->grace_s = DAY, works(&c, "mon-fri 05:00-20:00")), T0, T1, T1);
    CASE((t->soft_deadline = true, g->grace_s = DAY, works(&c, "mon-fri 05:00-20:00")), T0, T1, T1 + 8 * HOUR);
    CASE((t->soft_deadline = true, g->grace_s = 2 * HOUR, works(&c, "mon-fri 05:00-20:00")), T0, T1, T1 + 2 * HOUR);
    CASE((t->soft_deadline = true, g->grace_s = DAY, works(&c, "mon-fri 05:00-12:00")), T0, T1, T1);
}

static void by_the_wall(void **state)
{
    struct zone *z = berlin();

    (void)state;
    CASE((t->local_time = true, c.r.zone = z), T0 - HOUR, T1 - HOUR, T1 - HOUR);
    CASE(c.r.zone = z, T0, T1, T1);
    CASE(t->local_time = true, T0, T1, T1);
    CASE((t->local_time = true, c.r.zone = z, c.d.deadline = T1 + 182 * DAY), T0 - HOUR, T1 + 182 * DAY - 2 * HOUR,
         T1 + 182 * DAY - 2 * HOUR);
    CASE((t->local_time = true, c.r.zone = z, c.d.deadline = 0), T0 - HOUR, 0, 0);
    CASE((t->soft_deadline = true, g->grace_s = DAY, c.r.zone = z, works(&c, "mon-fri 05:00-20:00")), T0, T1, T1 + 7 * HOUR);
    zone_close(z);
}

/* Nodes keep the places they have had since the first version: the deadline's share is that of "node/deployment". */
static void the_same_places_for_ever(void **state)
{
    struct sha256 h = hash_bytes("node-1/october", strlen("node-1/october"));
    uint64_t n = 0;

    (void)state;
    for (int i = 0; i < 8; i++)
        n = n << 8 | h.b[i];
    n %= 7200;
    assert_true(n > 0);
    CASE(t->randomize_s = 7199, T0, T1 + (int64_t)n, T1 + (int64_t)n);
    CASE((t->randomize_s = 7199, g->randomize = false), T0, T1, T1);
    CASE((t->randomize_s = 7199, t->purpose = PURPOSE_AVAILABLE), T0, 0, 0);
}

/* Spread over the whole time, the same on every call, different per node and per deployment. */
static void spread_evenly(void **state)
{
    int deadlines[4] = {0}, begins[4] = {0};
    struct scene c;

    (void)state;
    scene_set(&c);
    c.d.terms.randomize_s = 7199;
    c.d.terms.gradual_s = 10 * DAY - 1;
    for (int i = 0; i < 1000; i++) {
        char node[20];
        struct times t, again;

        snprintf(node, sizeof node, "node-%d", i);
        c.r.node_id = node;
        t = decide_times(&c.d, &c.r);
        again = decide_times(&c.d, &c.r);
        assert_int_equal(t.deadline, again.deadline);
        assert_in_range(t.available - T0, 0, 10 * DAY - 1);
        assert_in_range(t.deadline - t.available - (T1 - T0), 0, 7199); /* everybody has the same time to decide */
        begins[(t.available - T0) * 2 / (5 * DAY)]++;
        deadlines[(t.deadline - t.available - (T1 - T0)) / 1800]++;
    }
    for (int i = 0; i < 4; i++) {
        assert_in_range(begins[i], 180, 320);
        assert_in_range(deadlines[i], 180, 320);
    }
}

static void every_deployment_anew(void **state)
{
    struct scene c;
    struct times october, november;

    (void)state;
    scene_set(&c);
    c.d.terms.gradual_s = 10 * DAY;
    october = decide_times(&c.d, &c.r);
    c.d.id = (char[]){"november"};
    november = decide_times(&c.d, &c.r);
    assert_int_not_equal(october.available, november.available);
    c.r.settings.randomize = false; /* concerns deadlines only */
    assert_int_equal(decide_times(&c.d, &c.r).available, november.available);
    c.d.terms.purpose = PURPOSE_AVAILABLE;
    assert_int_equal(decide_times(&c.d, &c.r).available, november.available);
}

static void how_far_it_may_be_postponed(void **state)
{
    struct scene c;

    (void)state;
    scene_set(&c);
    assert_int_equal(decide_postpone(&c.d, &c.r, T0 - 1), T1);
    assert_int_equal(decide_postpone(&c.d, &c.r, T1 - 1), T1);
    assert_int_equal(decide_postpone(&c.d, &c.r, T1), 0);
    c.r.settings.grace_s = DAY;
    assert_int_equal(decide_postpone(&c.d, &c.r, T1), 0);
    c.d.terms.soft_deadline = true;
    works(&c, "mon-fri 05:00-20:00");
    assert_int_equal(decide_postpone(&c.d, &c.r, T0), T1 + DAY);
    assert_int_equal(decide_postpone(&c.d, &c.r, T1 + DAY - 1), T1 + DAY);
    assert_int_equal(decide_postpone(&c.d, &c.r, T1 + DAY), 0);
    c.r.settings.grace_s = 0;
    assert_int_equal(decide_postpone(&c.d, &c.r, T1), 0);
    c.d.terms.purpose = PURPOSE_AVAILABLE; /* nothing presses */
    assert_int_equal(decide_postpone(&c.d, &c.r, T0), 0);
}

static void retries(void **state)
{
    static const int64_t waits[] = {300, 600, 1200, 2400, 4800, 9600, 14400, 14400, 14400, -1, -1};

    (void)state;
    for (int i = 0; i < (int)COUNT(waits); i++)
        assert_int_equal(decide_retry(i + 1), waits[i]);
    assert_int_equal(decide_retry(1000000), -1);
}

static void which_leads(void **state)
{
    struct scene a, b;
#define LEADS(x, y) (decide_order(&(x).d, &(y).d, &a.r) < 0 && decide_order(&(y).d, &(x).d, &a.r) > 0)

    (void)state;
    scene_set(&a);
    scene_set(&b);
    assert_int_equal(decide_order(&a.d, &b.d, &a.r), 0);
    b.d.id = (char[]){"zulu"};
    assert_true(LEADS(a, b));
    b.d.available--;
    assert_true(LEADS(b, a));
    a.d.deadline--;
    assert_true(LEADS(a, b));
    a.d.deadline = 0; /* none at all comes last */
    assert_true(LEADS(b, a));
    b.d.terms.purpose = PURPOSE_AVAILABLE;
    b.d.available = T0 + 1;
    assert_true(LEADS(a, b));
    b.d.deadline = 1;
    assert_true(LEADS(a, b));
}

/* What is over, and then what is halted, leads nothing that goes on. */
static void which_is_in_force(void **state)
{
    struct scene a, b;

    (void)state;
    scene_set(&a);
    scene_set(&b);
    b.d.deadline++;
    assert_true(LEADS(a, b));
    a.d.halted = a.d.id;
    assert_true(LEADS(b, a));
    b.d.enabled = false;
    assert_true(LEADS(a, b));
    b.d.enabled = b.d.withdrawn = true;
    assert_true(LEADS(a, b));
    a.d.withdrawn = true;
    assert_true(LEADS(a, b));
}

/* The deadlines compared are this node's own. */
static void which_leads_here(void **state)
{
    struct scene a, b;
    struct times x, y;

    (void)state;
    scene_set(&a);
    scene_set(&b);
    b.d.id = (char[]){"zulu"};
    a.d.terms.randomize_s = b.d.terms.randomize_s = 86400;
    x = decide_times(&a.d, &a.r);
    y = decide_times(&b.d, &a.r);
    assert_int_not_equal(x.deadline, y.deadline);
    assert_true(x.deadline < y.deadline ? LEADS(a, b) : LEADS(b, a));
    a.d.terms.randomize_s = 0;
    assert_true(LEADS(a, b));
    b.d.deadline = T1 - 86400 - 1;
    assert_true(LEADS(b, a));
}

static void whose_turn(void **state)
{
    static char one[] = "a", two[] = "b";
    struct update a = {.id = one, .install.max_run_s = 600}, b = {.id = two, .install.max_run_s = 600};

    (void)state;
    assert_true(decide_turn(&a, &b) < 0 && decide_turn(&b, &a) > 0);
    assert_int_equal(decide_turn(&a, &a), 0);
    a.install.max_run_s = 601;
    assert_true(decide_turn(&a, &b) > 0 && decide_turn(&b, &a) < 0);
    b.install.exclusive = true;
    assert_true(decide_turn(&a, &b) < 0 && decide_turn(&b, &a) > 0);
    a.install.exclusive = true;
    assert_true(decide_turn(&a, &b) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_times),
        cmocka_unit_test(by_the_wall),
        cmocka_unit_test(the_same_places_for_ever),
        cmocka_unit_test(spread_evenly),
        cmocka_unit_test(every_deployment_anew),
        cmocka_unit_test(how_far_it_may_be_postponed),
        cmocka_unit_test(retries),
        cmocka_unit_test(which_leads),
        cmocka_unit_test(which_is_in_force),
        cmocka_unit_test(which_leads_here),
        cmocka_unit_test(whose_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
