/* Distribution points: by which key nodes know the server. */
#include "tests/unit/desk.h"

#include "policy/trust/certificate.h"

#define PIN       "sha256//q4zH7tMwMa5dl2ZLUFfJVSlpzzuMJLzFvzt0sDLSVkU="
#define OTHER_PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static struct fleet *fleet_of(struct desk *d)
{
    json_t       *body = published(d, "policy/fleet/fleet.json");
    struct fleet *f = NULL;

    if (fleet_from_json(body, &f, &d->e) != OK)
        fail_msg("%s", d->e.text);
    json_decref(body);
    return f;
}

static void test_known_by(void **state)
{
    static const struct {
        const char *args, *pin, *says;          /* pin NULL: none; "node": the node's key */
    } good[] = {
        {"'url':'https://a','node':'dp-host'", "node", "https://a/content/"},
        {"'url':'https://a/','pin':'" PIN "'", PIN, "https://a/content/"},
        {"'url':'https://a','pin':'" PIN ";" OTHER_PIN "'", PIN ";" OTHER_PIN, ""},
        {"'url':'https://a','pin':'" PIN ";" OTHER_PIN ";" PIN "'", PIN ";" OTHER_PIN ";" PIN, ""},
        {"'url':'https://a','node':'dp-host','pin':'" PIN "'", PIN, ""},
        {"'url':'http://a'", NULL, "anybody on the way can read"},
        {"'url':'http://a','node':'dp-host'", NULL, "anybody on the way can read"},
    };
    struct desk  *d = *state;
    struct fleet *f;
    uint8_t       public[32] = "dp-host";
    char          id[NODE_ID_SIZE], pin[CERTIFICATE_PIN];

    desk_node(d, "dp-host", id);
    certificate_pin(public, pin);
    for (size_t i = 0; i < COUNT(good); i++) {
        AUTO(text_free) char *args = must_print("{'name':'dp-1',%s}", good[i].args);
        json_t               *out = ask(d, "dp.add", args), *row;
        const char           *wanted = good[i].pin && !strcmp(good[i].pin, "node") ? pin : good[i].pin;

        assert_non_null(strstr(json_string_value(json_object_get(out, "message")), good[i].says));
        json_decref(out);
        f = fleet_of(d);
        if (!wanted)
            assert_null(f->dps[0].pin);
        else
            assert_string_equal(f->dps[0].pin, wanted);
        fleet_free(f);
        out = ask(d, "dp.list", "{}");
        row = json_array_get(json_object_get(out, "items"), 0);
        assert_string_equal(json_string_value(json_object_get(row, "pin")), wanted ? wanted : "");
        assert_null(json_object_get(row, "public"));
        json_decref(out);
        say(d, "dp.remove", "{'name':'dp-1'}");
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *args, *part;
    } bad[] = {
        {"'url':'https://a'", "--pin"},
        {"'url':'http://a','pin':'" PIN "'", "https://"},
        {"'url':'https://a','pin':'q4zH7tMwMa5dl2ZLUFfJVSlpzzuMJLzFvzt0sDLSVkU='", "ferry dp pin"},
        {"'url':'https://a','pin':'sha256//'", "ferry dp pin"},
        {"'url':'https://a','pin':'sha256//q4zH7tMwMa5dl2ZLUFfJVSlpzzuMJLzFvzt0sDLSVk=='", "ferry dp pin"},
        {"'url':'https://a','pin':'sha256//q4zH7tMwMa5dl2ZLUFfJVSlpzzuMJLzFvzt0sDL SVk='", "ferry dp pin"},
        {"'url':'https://a','pin':'" PIN ";'", "ferry dp pin"},
        {"'url':'https://a','pin':';" PIN "'", "ferry dp pin"},
        {"'url':'https://a','pin':'" PIN ";" PIN ";" PIN ";" PIN "'", "ferry dp pin"},
    };
    struct desk *d = *state;
    char         id[NODE_ID_SIZE];

    desk_node(d, "dp-host", id);
    for (size_t i = 0; i < COUNT(bad); i++) {
        AUTO(text_free) char *args = must_print("{'name':'dp-1',%s}", bad[i].args);
        refused(d, ERR_USAGE, bad[i].part, "dp.add", args);
    }
    assert_int_equal(count_in(d, "dp"), 0);
}

/* Nodes learn from the policy how the site is known, and whose certificates hold. */
static void test_site(void **state)
{
    struct desk  *d = *state;
    struct fleet *f = fleet_of(d);
    json_t       *out;

    assert_true(!f->site_pin && !f->ca && !f->revoked_count);
    fleet_free(f);
    refused(d, ERR_CONDITION, "no CA yet", "site.ca", "{}");
    assert_int_equal(ledger_set(d->a.ledger, "site.pin", PIN, &d->e), OK);
    assert_int_equal(ledger_set(d->a.ledger, "site.ca", "a certificate", &d->e), OK);
    f = fleet_of(d);
    assert_string_equal(f->site_pin, PIN);
    assert_string_equal(f->ca, "a certificate");
    fleet_free(f);
    out = ask(d, "site.ca", "{}");
    assert_string_equal(json_string_value(json_object_get(out, "ca")), "a certificate");
    assert_string_equal(json_string_value(json_object_get(out, "site_pin")), PIN);
    json_decref(out);
}

static void test_serves(void **state)
{
    struct desk *d = *state;
    char         id[NODE_ID_SIZE], other[NODE_ID_SIZE];

    desk_node(d, "dp-host", id);
    desk_node(d, "till-1", other);
    say(d, "dp.add", "{'name':'dp-1','url':'https://a','node':'dp-host'}");
    say(d, "dp.add", "{'name':'cdn','url':'http://b'}");
    assert_true(node_serves(d->a.ledger, id));
    assert_false(node_serves(d->a.ledger, other));
    assert_false(node_serves(d->a.ledger, ""));
    say(d, "dp.remove", "{'name':'dp-1'}");
    assert_false(node_serves(d->a.ledger, id));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)
    const struct CMUnitTest tests[] = {T(test_known_by), T(test_refused), T(test_site), T(test_serves)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
