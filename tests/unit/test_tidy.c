/* The supersedence rule, updates that are over, content nobody names: what goes, what stays, and what nodes are told. */
#include "tests/unit/desk.h"

#define OLD  "apt:debian:curl:8.1"
#define NEW  "apt:debian:curl:8.2"
#define BASH "apt:debian:bash:5.3"
#define DAY  86400

static const char *const newer[] = {STANZA("curl", "curl", "8.2", ""), NULL};

/* curl 8.1 is deployed; then curl is replaced by 8.2, and bash is gone without a successor. */
static int begin(void **state)
{
    struct desk          *d;
    struct catalog_counts n;

    desk_open(state);
    d = *state;
    desk_catalog(d);
    say(d, "group.create", "{'name':'g'}");
    say(d, "group.add", "{'name':'g','updates':['curl','bash']}");
    desk_download(d, "g");
    say(d, "deployment.create", "{'name':'d','group':'g','collection':'all','purpose':'available'}");
    assert_int_equal(desk_import(d, "debian", newer, DESK_NOW, &n), OK);
    return 0;
}

static json_t *tidy(struct desk *d)
{
    json_t *out = NULL;

    if (author_tidy(&d->a, &out, &d->e) != OK)
        fail_msg("%s", d->e.text);
    return out;
}

/* The counts of one round: expired, restored, forgotten. */
static void round_is(struct desk *d, int64_t expired, int64_t restored, int64_t forgotten)
{
    json_t *out = tidy(d);

    assert_int_equal(number_in(out, "expired"), expired);
    assert_int_equal(number_in(out, "restored"), restored);
    assert_int_equal(number_in(out, "forgotten"), forgotten);
    assert_true(json_is_true(json_object_get(out, "changed")) == (expired || restored));
    json_decref(out);
}

static bool flag(struct desk *d, const char *id, const char *name)
{
    AUTO(text_free) char *args = must_print("{'id':'%s'}", id);
    json_t               *out = ask(d, "update.show", args);
    bool                  set = json_is_true(json_object_get(out, name));

    json_decref(out);
    return set;
}

/* How many updates the deployment's document carries. */
static size_t carried(struct desk *d)
{
    json_t *body = published(d, "policy/all/d.json");
    size_t  n = json_array_size(json_object_get(body, "updates"));

    json_decref(body);
    return n;
}

static void test_standard(void **state)
{
    struct desk *d = *state;

    assert_true(flag(d, OLD, "superseded") && !flag(d, OLD, "expired"));
    assert_true(flag(d, BASH, "expired") && !flag(d, BASH, "superseded"));
    assert_int_equal(carried(d), 1);
    round_is(d, 0, 0, 0);
    d->a.now = DESK_NOW + 89 * DAY;             /* 2027-04-14 */
    round_is(d, 0, 0, 1);                       /* openssl, which is gone and in no group */
    assert_int_equal(carried(d), 1);
    d->a.now = DESK_NOW + 90 * DAY;             /* 2027-04-15: three months */
    round_is(d, 1, 0, 0);
    assert_int_equal(carried(d), 0);
    round_is(d, 0, 0, 0);
}

static void test_rules(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    refused(d, ERR_USAGE, "\"3 months\"", "site.set", "{'supersedence':'soon'}");
    refused(d, ERR_USAGE, "never", "site.set", "{'supersedence':'0 months'}");
    say(d, "site.set", "{'supersedence':'never'}");
    d->a.now = DESK_NOW + 900 * DAY;
    round_is(d, 0, 0, 1);
    say(d, "site.set", "{'supersedence':'now'}");
    round_is(d, 1, 0, 0);
    say(d, "site.set", "{'supersedence':'1000d'}");
    round_is(d, 0, 1, 0);
    assert_int_equal(carried(d), 1);
    say(d, "site.set", "{'supersedence':'1 month'}");
    round_is(d, 1, 0, 0);
    out = ask(d, "site.show", "{}");
    assert_string_equal(json_string_value(json_object_get(out, "supersedence")), "1 month");
    json_decref(out);
}

/* Definitions are superseded every day; a machine that is late still gets the old one. */
static void test_definitions(void **state)
{
    struct desk *d = *state;
    json_t      *rows = NULL;

    assert_int_equal(rows_found(d->a.ledger, "UPDATE upd SET classification = 'definition'", NULL, &rows, &d->e), OK);
    json_decref(rows);
    say(d, "site.set", "{'supersedence':'now'}");
    round_is(d, 0, 0, 0);
}

/* Seven days after it expired, and only when no deployment has it. */
static void test_forgotten(void **state)
{
    struct desk *d = *state;

    d->a.now = DESK_NOW + 8 * DAY;
    round_is(d, 0, 0, 1);                       /* openssl, which is in no group */
    refused(d, ERR_NOT_FOUND, "update", "update.show", "{'id':'apt:debian:openssl:3.0.2'}");
    assert_true(flag(d, BASH, "expired"));
    say(d, "deployment.delete", "{'name':'d'}");
    round_is(d, 0, 0, 1);
    refused(d, ERR_NOT_FOUND, "update", "update.show", "{'id':'" BASH "'}");
    assert_int_equal(count_in(d, "member"), 1);
    assert_true(flag(d, OLD, "superseded"));
}

/* What a sync brings back is as it was before. */
static void test_back_again(void **state)
{
    struct desk          *d = *state;
    struct catalog_counts n;

    say(d, "site.set", "{'supersedence':'now'}");
    round_is(d, 1, 0, 0);
    assert_int_equal(desk_import(d, "debian", newer, DESK_NOW + 1, &n), OK);
    assert_true(flag(d, OLD, "expired") && flag(d, OLD, "superseded"));
    assert_int_equal(desk_import(d, "debian", desk_packages, DESK_NOW + 2, &n), OK);
    assert_false(flag(d, OLD, "expired") || flag(d, OLD, "superseded"));
    assert_false(flag(d, BASH, "expired"));
    assert_true(flag(d, NEW, "expired") && !flag(d, NEW, "superseded"));
    assert_int_equal(carried(d), 2);
}

/* An update that is still in the vendor's catalog expires by the rule, comes unchanged with every sync, and stays expired. */
static void test_still_there(void **state)
{
    static const char *const both[] = {STANZA("curl", "curl", "8.1", ""), STANZA("curl", "curl", "8.2", ""), NULL};
    struct desk             *d = *state;
    struct catalog_counts    n;

    assert_int_equal(desk_import(d, "debian", both, DESK_NOW + 1, &n), OK);
    assert_true(flag(d, OLD, "superseded"));
    say(d, "site.set", "{'supersedence':'now'}");
    round_is(d, 1, 0, 0);
    assert_int_equal(desk_import(d, "debian", both, DESK_NOW + 2, &n), OK);
    assert_true(flag(d, OLD, "expired"));
    d->a.now = DESK_NOW + 30 * DAY;
    say(d, "deployment.delete", "{'name':'d'}");
    json_decref(tidy(d));
    assert_true(flag(d, OLD, "expired"));
}

static bool listed(const json_t *list, const char *hex)
{
    size_t  i;
    json_t *item;

    json_array_foreach(list, i, item)
        if (!strcmp(json_string_value(item), hex))
            return true;
    return false;
}

/* First marked, a day later given away; what somebody names meanwhile stays. */
static void test_content(void **state)
{
    struct desk  *d = *state;
    struct sha256 lost = hash_bytes("lost", 4), command = hash_bytes("command", 7);
    char          lost_hex[SHA256_HEX], command_hex[SHA256_HEX], args[300];
    json_t       *out;

    desk_content(d, &lost, 4, "lost.deb");
    desk_content(d, &command, 7, "set.sh");
    sha256_hex(&lost, lost_hex);
    snprintf(args, sizeof args,
             "{'name':'banner','program':'set.sh','detect_program':'/bin/false','files':[{'name':'set.sh','sha256':'%s','size':7}]}",
             sha256_hex(&command, command_hex));
    say(d, "update.add", args);
    out = tidy(d);
    assert_int_equal(json_array_size(json_object_get(out, "content")), 0);
    json_decref(out);
    d->a.now += DAY;
    out = tidy(d);
    assert_int_equal(json_array_size(json_object_get(out, "content")), 0);
    json_decref(out);
    d->a.now += 1;
    out = tidy(d);
    assert_int_equal(json_array_size(json_object_get(out, "content")), 1);
    assert_true(listed(json_object_get(out, "content"), lost_hex));
    json_decref(out);
    assert_int_equal(author_forget_content(&d->a, lost_hex, &d->e), OK);
    assert_int_equal(author_forget_content(&d->a, command_hex, &d->e), OK);         /* was never marked: stays */
    out = ask(d, "content.list", "{}");
    row_with(json_object_get(out, "items"), "name", "set.sh");
    json_decref(out);
    assert_int_equal(count_in(d, "content WHERE name = 'lost.deb'"), 0);
}

/* Nothing of a group goes while it is there, the indexes it was downloaded with included; with the group everything goes. */
static void test_content_of_groups(void **state)
{
    struct desk *d = *state;
    int64_t      before = count_in(d, "content");
    json_t      *out;

    for (int i = 0; i < 3; i++) {
        json_decref(tidy(d));
        d->a.now += 2 * DAY;
    }
    assert_int_equal(count_in(d, "content WHERE orphaned > 0"), 0);
    say(d, "deployment.delete", "{'name':'d'}");
    say(d, "group.delete", "{'name':'g'}");
    json_decref(tidy(d));
    d->a.now += 2 * DAY;
    out = tidy(d);
    assert_int_equal(json_array_size(json_object_get(out, "content")), before - 1);    /* but the index in force */
    json_decref(out);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {
        T(test_standard),   T(test_rules),       T(test_definitions), T(test_forgotten),
        T(test_back_again), T(test_still_there), T(test_content),     T(test_content_of_groups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
