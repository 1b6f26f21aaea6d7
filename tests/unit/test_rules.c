/* What holds for a node: from the collections it is in, from its root, from its user. */
#include "tests/unit/client_lab.h"

static void put_collection(struct client_lab *l, const char *name, const char *rule, const char *members)
{
    AUTO(text_free) char *target = must_print("policy/%s/collection.json", name),
                         *text = must_print("{'type':'collection','name':'%s','rule':'%s'%s%s}", name, rule, *members ? "," : "", members);

    lab_put(l, target, paper(text));
}

static bool has_policy(struct client_lab *l, const char *which)
{
    (void)which;
    return l->client->fleet && !l->client->polling;
}

static void start(struct client_lab *l)
{
    lab_publish(l);
    lab_start(l);
    assert_true(lab_until(l, has_policy, NULL, 5000));
}

static void of_all_collections_it_is_in(void **state)
{
    struct client_lab       *l = *state;
    const struct node_rules *r;

    put_collection(l, "one", "machine.kind = server",
                   "'windows':[{'name':'a','when':'daily 01:00','duration_s':3600}],"
                   "'settings':{'priority':20,'values':{'batch_s':100,'grace_s':7200,'poll_s':600}}");
    put_collection(l, "two", "timezone = \\\"Europe/Berlin\\\"",
                   "'windows':[{'name':'b','when':'daily 02:00','duration_s':3600},{'name':'c','when':'daily 03:00','duration_s':3600}],"
                   "'settings':{'priority':10,'values':{'batch_s':200}},'orchestration':{'turns':'count','limit':1,'member_s':600}");
    put_collection(l, "other", "machine.kind = workstation",
                   "'windows':[{'name':'d','when':'daily 04:00','duration_s':3600}],'settings':{'priority':1,'values':{'batch_s':300}}");
    start(l);
    r = &l->client->rules;
    assert_int_equal(r->window_count, 3);
    assert_int_equal(r->settings.batch_s, 200);
    assert_int_equal(r->settings.grace_s, 7200);
    assert_int_equal(r->settings.restart_countdown_s, 5400);
    assert_true(r->orchestrated && r->server);
    assert_string_equal(zone_name(r->zone), "Europe/Berlin");
    assert_true(l->client->next_poll - clock_ms() < 700 * 1000);    /* poll_s of the settings, not of the fleet */
    put_collection(l, "two", "timezone = nowhere", "");
    lab_publish(l);
    client_reload(l->client);
    lab_run(l, 1000);
    assert_int_equal(r->window_count, 1);
    assert_int_equal(r->settings.batch_s, 100);
    assert_false(r->orchestrated);
}

static void none_at_all(void **state)
{
    struct client_lab *l = *state;

    start(l);
    assert_int_equal(l->client->rules.window_count, 0);
    assert_false(l->client->rules.orchestrated);
    assert_int_equal(l->client->rules.settings.batch_s, 0);
    assert_int_equal(l->client->rules.business.weekdays, 0);
}

/* They hold before the site has been reached. */
static void what_was_in_force_is_recalled(void **state)
{
    struct client_lab *l = *state;

    put_collection(l, "all", "node.id != x", "'windows':[{'name':'a','when':'daily 01:00','duration_s':3600}]");
    start(l);
    lab_stop(l);
    l->mute = true;
    lab_start(l);
    assert_int_equal(l->client->rules.window_count, 1);
}

static void put_file(struct client_lab *l, const char *path, const char *text)
{
    AUTO(text_free) char *file = must_print("%s%s", l->root, path);

    assert_int_equal(file_write(file, text, strlen(text), 0644, NULL), OK);
}

static void link_to(struct client_lab *l, const char *path, const char *to)
{
    AUTO(text_free) char *file = must_print("%s%s", l->root, path);

    unlink(file);
    assert_int_equal(symlink(to, file), 0);
}

static const char *fact(struct client_lab *l, const char *name)
{
    return json_string_value(json_object_get(l->client->facts, name));
}

static void the_zone_and_the_kind_are_found_below_the_root(void **state)
{
    struct client_lab *l = *state;
    AUTO(text_free) char *units = must_print("%s/etc/systemd/system", l->root);

    free(l->config.timezone);
    l->config.timezone = NULL;
    assert_int_equal(file_make_dirs(units, 0755, NULL), OK);
    put_file(l, "/etc/timezone", "Asia/Tokyo\n");
    start(l);
    assert_string_equal(fact(l, "timezone"), "Asia/Tokyo");
    assert_string_equal(fact(l, "machine.kind"), "server");
    lab_stop(l);
    put_file(l, "/etc/timezone", "");
    link_to(l, "/etc/localtime", "/usr/share/zoneinfo/America/New_York");
    link_to(l, "/etc/systemd/system/display-manager.service", "/lib/systemd/system/gdm.service");
    lab_start(l);
    assert_string_equal(fact(l, "timezone"), "America/New_York");
    assert_string_equal(fact(l, "machine.kind"), "workstation");
    assert_false(l->client->rules.server);
    lab_stop(l);
    put_file(l, "/etc/timezone", "Mars/Olympus");
    l->config.machine_kind = must_copy("server");
    lab_start(l);
    assert_string_equal(fact(l, "timezone"), "UTC");
    assert_string_equal(fact(l, "machine.kind"), "server");
    free(l->config.machine_kind);
}

static void the_wall_clock_of_each_node(void **state)
{
    struct client_lab *l = *state;

    lab_deploy(l, "jq", 0, "'local_time':true", NULL);
    lab_set(l, "policy/all/d-jq.json", "deadline", "'2026-11-27T23:30:00Z'");
    lab_start(l);
    lab_expect(l, "jq deadline-ahead");
    assert_string_equal(lab_text(l, "jq"), "will be installed at the deadline, fri 27 nov 23:30 CET");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(of_all_collections_it_is_in),
        LAB_TEST(none_at_all),
        LAB_TEST(what_was_in_force_is_recalled),
        LAB_TEST(the_zone_and_the_kind_are_found_below_the_root),
        LAB_TEST(the_wall_clock_of_each_node),
    };

    return lab_main(argc, argv, tests);
}
