/* The signed bytes are OLPC canonical JSON, whatever a JSON library's own dumper would write. */
#include "policy/trust/canonical.h"
#include "tests/unit/trust_lab.h"

static void printed(const char *json, const char *wanted)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    char   *text = NULL;
    size_t  length = 0;

    assert_non_null(value);
    assert_int_equal(canonical_print(value, &text, &length, NULL), OK);
    assert_string_equal(text, wanted);
    assert_int_equal(length, strlen(wanted));
    free(text);
    json_decref(value);
}

static void test_printed(void **state)
{
    (void)state;
    printed("{}", "{}");
    printed("[ ]", "[]");
    printed("{\"b\": 1, \"a\": [true, false, null, -7], \"A\": {}}", "{\"A\":{},\"a\":[true,false,null,-7],\"b\":1}");
    printed("\"a\\\"b\\\\c\"", "\"a\\\"b\\\\c\"");
    printed("\"line\\nfeed\\ttab\\u0001\"", "\"line\nfeed\ttab\x01\"");
    printed("\"\\u00e9 \\u2028 \\/\"", "\"\xc3\xa9 \xe2\x80\xa8 /\"");
    printed("9223372036854775807", "9223372036854775807");
    printed("-9223372036854775808", "-9223372036854775808");
    /* bytewise: U+FF5E sorts behind the surrogates in UTF-16, and before U+1F600 in UTF-8 */
    printed("{\"\\uff5e\": 1, \"\\ud83d\\ude00\": 2, \"z\": 3, \"a\": 4, \"\": 5, \"aa\": 6}",
            "{\"\":5,\"a\":4,\"aa\":6,\"z\":3,\"\xef\xbd\x9e\":1,\"\xf0\x9f\x98\x80\":2}");
}

static void test_no_reals(void **state)
{
    json_t      *value = json_pack("{s:[f]}", "a", 1.5);
    char        *text = NULL;
    size_t       length;
    struct error e;

    (void)state;
    assert_int_equal(canonical_print(value, &text, &length, &e), ERR_VERIFY);
    assert_null(text);
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_printed), cmocka_unit_test(test_no_reals)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
