/* Templates are bundles of terms: copied when used, told by what differs from the defaults. */
#include "tests/unit/desk.h"

static int begin(void **state)
{
    struct desk *d;

    desk_open(state);
    d = *state;
    desk_catalog(d);
    say(d, "group.create", "{'name':'g'}");
    say(d, "group.add", "{'name':'g','updates':['curl']}");
    say(d, "template.save", "{'name':'servers','suppress_restart_servers':true,'randomize':'0','alert_below':'95%','description':'mild'}");
    return 0;
}

static const char *term(const json_t *shown, const char *name)
{
    return json_string_value(json_object_get(json_object_get(shown, "terms"), name));
}

static void test_save(void **state)
{
    struct desk *d = *state;
    json_t      *out = ask(d, "template.show", "{'name':'servers'}");

    assert_string_equal(term(out, "suppress_restart_servers"), "yes");
    assert_string_equal(term(out, "randomize"), "0s");
    assert_string_equal(term(out, "alert_below"), "95");
    assert_string_equal(term(out, "metered"), "no");
    json_decref(out);
    out = ask(d, "template.list", "{}");
    assert_string_equal(json_string_value(json_object_get(row_with(json_object_get(out, "items"), "name", "servers"), "differs")),
                        "randomize 0s, suppress_restart_servers yes, alert_below 95");
    json_decref(out);
    say(d, "template.save", "{'name':'servers','metered':true}");
    out = ask(d, "template.show", "{'name':'servers'}");
    assert_string_equal(term(out, "metered"), "yes");
    assert_string_equal(term(out, "randomize"), "2h");
    assert_string_equal(json_string_value(json_object_get(out, "description")), "mild");
    json_decref(out);
}

static void test_refused(void **state)
{
    struct desk *d = *state;

    refused(d, ERR_USAGE, "--notify", "template.save", "{'name':'x','notify':'loudly'}");
    refused(d, ERR_USAGE, "--alert-below", "template.save", "{'name':'x','alert_below':'101'}");
    refused(d, ERR_USAGE, "not a name", "template.save", "{'name':'X'}");
    refused(d, ERR_NOT_FOUND, "deployment", "template.save", "{'name':'x','from':'none'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"servers\"?", "template.show", "{'name':'server'}");
    refused(d, ERR_NOT_FOUND, "did you mean \"servers\"?", "deployment.create",
            "{'name':'d','group':'g','collection':'all','template':'serversx','deadline':'+2h'}");
    assert_int_equal(count_in(d, "template"), 1);
}

/* The template's terms, the flags over them; what it becomes later is not the deployment's affair. */
static void test_used(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "deployment.create",
        "{'name':'d','group':'g','collection':'all','template':'servers','randomize':'1h','deadline':'+2h','soft_deadline':true}");
    say(d, "template.delete", "{'name':'servers'}");
    refused(d, ERR_NOT_FOUND, "template", "template.delete", "{'name':'servers'}");
    out = ask(d, "deployment.show", "{'name':'d'}");
    assert_string_equal(term(out, "suppress_restart_servers"), "yes");
    assert_string_equal(term(out, "randomize"), "1h");
    assert_string_equal(term(out, "soft_deadline"), "yes");
    assert_string_equal(term(out, "purpose"), "required");
    json_decref(out);
    say(d, "template.save", "{'name':'offer','purpose':'available','metered':true}");
    say(d, "deployment.change", "{'name':'d','template':'offer'}");
    out = ask(d, "deployment.show", "{'name':'d'}");
    assert_string_equal(term(out, "metered"), "yes");
    assert_string_equal(term(out, "purpose"), "required");      /* nodes have acted on it */
    json_decref(out);
    say(d, "deployment.change", "{'name':'d','randomize':'1h','soft_deadline':true}");
    say(d, "template.save", "{'name':'like-d','from':'d','soft_deadline':false}");
    out = ask(d, "template.show", "{'name':'like-d'}");
    assert_string_equal(term(out, "randomize"), "1h");
    assert_string_equal(term(out, "soft_deadline"), "no");
    json_decref(out);
}

/* A template says whether it is required; its purpose is as good as the flag's. */
static void test_optional(void **state)
{
    struct desk *d = *state;
    json_t      *out;

    say(d, "template.save", "{'name':'offer','purpose':'available','predownload':true}");
    say(d, "deployment.create", "{'name':'d','group':'g','collection':'all','template':'offer'}");
    out = ask(d, "deployment.show", "{'name':'d'}");
    assert_string_equal(json_string_value(json_object_get(out, "purpose")), "available");
    json_decref(out);
    refused(d, ERR_USAGE, "has no --deadline", "deployment.create",
            "{'name':'e','group':'g','collection':'all','template':'offer','deadline':'+2h'}");
    refused(d, ERR_USAGE, "--predownload", "deployment.create",
            "{'name':'e','group':'g','collection':'all','template':'offer','purpose':'required','deadline':'+2h'}");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, desk_close)
    const struct CMUnitTest tests[] = {T(test_save), T(test_refused), T(test_used), T(test_optional)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
