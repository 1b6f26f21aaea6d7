/* The privileged installer against ferryds of every kind: real signatures, a real archive, a real root. What it refuses changes nothing. */
#include "installer_acts.h"

#include <signal.h>

static void nothing_changed(struct installer_lab *l, const char *name)
{
    AUTO(text_free) char *left = must_print("test -z \"$(ls %s/content %s/partial %s/jobs 2>/dev/null | grep -v :)\"", l->state, l->state, l->state);

    if (strcmp(lab_status(&l->lab, "ferry-app"), "ii 1.0") || strcmp(lab_status(&l->lab, "ferry-lib"), "ii 1.0"))
        fail_msg("%s: the root was changed", name);
    if (system(left))
        fail_msg("%s: something was left in %s", name, l->state);
}

static void expect(const struct said *s, const char *name, const char *outcome, const char *says)
{
    if (strcmp(s->outcome, outcome) || !strstr(s->detail, says))
        fail_msg("%s: %s, \"%s\"; expected %s, \"%s\"", name, s->outcome, s->detail, outcome, says);
}

static void a_good_plan_installs(void **state)
{
    struct installer_lab l;
    struct said          s;

    (void)state;
    installer_lab_open(&l);
    s = ask(&l, ORDER, "ferry-app");
    expect(&s, "good", "ok", "2 packages installed");
    assert_true(s.touched);
    assert_non_null(strstr(s.steps, "checking installing"));
    assert_string_equal(lab_status(&l.lab, "ferry-app"), "ii 2.0");
    assert_string_equal(lab_status(&l.lab, "ferry-lib"), "ii 2.0");
    s = ask(&l, ORDER, "ferry-app");
    expect(&s, "again", "ok", "nothing of it is missing");
    installer_lab_close(&l);
}

static void lies_are_refused(void **state)
{
    struct installer_lab l;
    struct said          s;
    json_t              *honest;

    (void)state;
    installer_lab_open(&l);
    honest = json_deep_copy(l.document);
    for (size_t i = 0; i < COUNT(acts); i++) {
        l.act = &acts[i];
        if (acts[i].before)
            acts[i].before(&l);
        s = ask(&l, acts[i].order ? acts[i].order : ORDER, "ferry-app");
        expect(&s, acts[i].name, acts[i].outcome, acts[i].says);
        assert_false(s.touched);
        nothing_changed(&l, acts[i].name);
        l.lab.config.enrol_token = l.token;
        shell("rm -rf %s", l.state);            /* each meets an installer that has seen nothing */
        json_object_update(l.document, honest);
        json_object_del(l.document, "halted");
        lab_sign(&l);
    }
    l.act = NULL;
    s = ask(&l, ORDER, "ferry-app");
    expect(&s, "and the truth", "ok", "2 packages");
    json_decref(honest);
    installer_lab_close(&l);
}

/* --- what it remembers --- */

static void copy_site(struct installer_lab *l, const char *from, const char *to)
{
    shell("rm -rf %s/%s && cp -a %s/%s %s/%s", l->lab.dir, to, l->lab.dir, from, l->lab.dir, to);
}

static void old_policy_does_not_come_back(void **state)
{
    struct installer_lab l;
    struct said          s;

    (void)state;
    installer_lab_open(&l);
    copy_site(&l, "site", "old");
    disable(&l);
    s = ask(&l, "{\"request\":\"refresh\"}", "ferry-app");
    expect(&s, "refresh", "ok", "verified");
    copy_site(&l, "old", "site");
    s = ask(&l, ORDER, "ferry-app");
    expect(&s, "rolled back", "refused", "rolled back");
    nothing_changed(&l, "rolled back");
    installer_lab_close(&l);
}

/* The site cannot be reached until its timestamp has run out: what the installer verified while it was good is in force, as on the node. What it
 * never saw is not. */
static void policy_in_force_outlives_its_timestamp(void **state)
{
    struct installer_lab l;
    struct said          s;

    (void)state;
    installer_lab_open(&l);
    setenv("FERRY_CLOCK_OFFSET", "864000", 1);
    s = ask(&l, ORDER, "ferry-app");
    expect(&s, "never seen", "refused", "expired");
    unsetenv("FERRY_CLOCK_OFFSET");
    s = ask(&l, "{\"request\":\"refresh\"}", "ferry-app");
    expect(&s, "refresh", "ok", "");
    setenv("FERRY_CLOCK_OFFSET", "864000", 1);
    s = ask(&l, ORDER, "ferry-app");
    unsetenv("FERRY_CLOCK_OFFSET");
    expect(&s, "in force", "ok", "2 packages");
    installer_lab_close(&l);
}

static void a_root_is_pinned_once(void **state)
{
    struct installer_lab  l;
    struct desk           d;
    struct error          e = {0};
    AUTO(text_free) char *path = NULL, *bytes = NULL;
    size_t                length;
    struct said           s;

    (void)state;
    installer_lab_open(&l);
    path = must_print("%s/policy/metadata/1.root.json", l.site);
    lab_read(path, &bytes, &length);
    l.lab.config.enrol_token = NULL;
    assert_int_equal(desk_open(&d, l.state, &e), OK);
    assert_int_equal(authority_pin(d.store, "{}", 2, &e), ERR_VERIFY);
    assert_int_equal(authority_pin(d.store, bytes, length, &e), OK);
    assert_int_equal(authority_pin(d.store, bytes, length, &e), ERR_EXISTS);
    desk_close(&d);
    s = ask(&l, ORDER, "ferry-app");
    expect(&s, "pinned by hand", "ok", "2 packages");
    shell("chmod 750 %s", l.state);
    s = ask(&l, ORDER, "ferry-data");
    expect(&s, "state others can read", "refused", "mode 0700");
    installer_lab_close(&l);
}

/* --- manners --- */

static void lack(struct installer_lab *l, const char *what, const char *name, char **bytes, size_t *length, int *fd)
{
    (void)bytes;
    (void)length;
    if (is_deb(l, what, name))
        fd_end(fd);
}

static void what_ferryd_lacks_is_named(void **state)
{
    static const struct act lacks = {.give = lack};
    struct installer_lab    l;
    struct said             s;

    (void)state;
    installer_lab_open(&l);
    l.act = &lacks;
    s = ask(&l, ORDER, "ferry-app");
    expect(&s, "lacks", "retry", "not in the cache");
    assert_int_equal(s.lacks, 2);
    nothing_changed(&l, "lacks");
    installer_lab_close(&l);
}

static void oversize_and_descriptors_are_refused(void **state)
{
    struct installer_lab  l;
    struct said           s = {0};
    AUTO(text_free) char *big = must_alloc(PACKET_MOST + 2);
    json_t               *order = json_pack("{s:s}", "request", "refresh");

    (void)state;
    memset(big, ' ', PACKET_MOST + 1);
    installer_lab_open(&l);
    installer_start(&l);
    say_raw(&l, big);
    while (hear(&l, &s))
        ;
    installer_end(&l);
    expect(&s, "oversize", "refused", "more than");
    installer_start(&l);
    assert_int_equal(packet_send(l.socket, order, 0, NULL), OK);
    while (hear(&l, &s))
        ;
    installer_end(&l);
    expect(&s, "descriptor", "refused", "nobody asked for");
    json_decref(order);
    installer_lab_close(&l);
}

static void one_at_a_time(void **state)
{
    struct installer_lab l, second;
    struct said          s = {0}, t = {0};

    (void)state;
    installer_lab_open(&l);
    installer_start(&l);
    say_order(&l, ORDER, "ferry-app");
    hear(&l, &s);                               /* it has begun to ask */
    second = l;
    t = ask(&second, ORDER, "ferry-data");
    expect(&t, "second", "retry", "busy");
    while (hear(&l, &s))
        ;
    installer_end(&l);
    expect(&s, "first", "ok", "2 packages");
    installer_lab_close(&l);
}

static void silence_ends(void **state)
{
    struct installer_lab l, other;
    struct said          s = {0}, t;
    int64_t              begin = clock_ms();

    (void)state;
    installer_lab_open(&l);
    installer_start(&l);
    other = l;
    t = ask(&other, ORDER, "ferry-app");        /* whoever says nothing is in nobody's way */
    expect(&t, "meanwhile", "ok", "2 packages");
    while (hear(&l, &s))
        ;
    installer_end(&l);
    expect(&s, "silence", "retry", "nothing was said");
    assert_in_range(clock_ms() - begin, 9000, 20000);
    installer_lab_close(&l);
}

static void gone_before_the_root_is_touched(void **state)
{
    struct installer_lab l;

    (void)state;
    installer_lab_open(&l);
    for (size_t asked = 1; asked < 8; asked += 3) {
        struct said s = {0};

        installer_start(&l);
        say_order(&l, ORDER, "ferry-app");
        while (s.asked < asked && hear(&l, &s))
            ;
        installer_end(&l);
        nothing_changed(&l, "gone");
    }
    installer_lab_close(&l);
}

/* Both killed at the worst of times; asked again, it is done. */
static void killed_and_asked_again(void **state)
{
    struct installer_lab l;
    struct said          s = {0};

    (void)state;
    installer_lab_open(&l);
    installer_start(&l);
    say_order(&l, ORDER, "ferry-app");
    while (!strstr(s.steps, "installing") && hear(&l, &s))
        ;
    installer_end(&l);                          /* ferryd has gone: it goes on to its end */
    assert_string_equal(lab_status(&l.lab, "ferry-app"), "ii 2.0");
    memset(&s, 0, sizeof s);
    installer_start(&l);
    say_order(&l, ORDER, "ferry-data");
    while (!strstr(s.steps, "installing") && hear(&l, &s))
        ;
    kill(l.pid, SIGKILL);
    installer_end(&l);
    for (int i = 0; i < 100 && strcmp(s.outcome, "ok"); i++) {
        usleep(100000);
        s = ask(&l, ORDER, "ferry-data");
    }
    expect(&s, "again", "ok", "");
    assert_string_equal(lab_status(&l.lab, "ferry-data"), "ii 2.0");
    installer_lab_close(&l);
}

static void it_restarts_as_configured(void **state)
{
    struct installer_lab  l;
    struct said           s;
    AUTO(text_free) char *command = NULL, *file = NULL;

    (void)state;
    installer_lab_open(&l);
    file = must_print("%s/restarted", l.lab.dir);
    command = must_print("touch %s", file);
    l.lab.config.restart_command = command;
    s = ask(&l, "{\"request\":\"restart\"}", "ferry-app");
    expect(&s, "restart", "ok", "");
    assert_true(file_exists(file));
    l.lab.config.restart_command = NULL;
    installer_lab_close(&l);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_plan_installs),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(old_policy_does_not_come_back),
        cmocka_unit_test(policy_in_force_outlives_its_timestamp),
        cmocka_unit_test(a_root_is_pinned_once),
        cmocka_unit_test(what_ferryd_lacks_is_named),
        cmocka_unit_test(oversize_and_descriptors_are_refused),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(silence_ends),
        cmocka_unit_test(gone_before_the_root_is_touched),
        cmocka_unit_test(killed_and_asked_again),
        cmocka_unit_test(it_restarts_as_configured),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    alarm(170);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
