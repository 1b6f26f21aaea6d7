#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void text_grows(void **state)
{
    struct text t = {0};
    char       *s;

    (void)state;
    for (int i = 0; i < 1000; i++)
        text_add(&t, "%d,", i % 10);
    assert_int_equal(t.length, 2000);
    text_put(&t, "\0x", 2);
    assert_int_equal(t.length, 2002);
    assert_int_equal(t.data[2002], 0);
    s = text_take(&t);
    assert_memory_equal(s, "0,1,2,3,", 8);
    assert_null(t.data);
    free(s);
    s = text_take(&t);
    assert_string_equal(s, "");
    free(s);
    text_put(&t, "", 0);
    assert_string_equal(t.data, "");
    text_end(&t);
    text_end(&t);
}

static void copies_and_prints(void **state)
{
    char *a = must_copy("x"), *b = must_print("%s-%d", a, 5);

    (void)state;
    assert_null(must_copy(NULL));
    assert_string_equal(b, "x-5");
    text_free(&a);
    text_free(&a);
    text_free(&b);
}

static void hexadecimal(void **state)
{
    uint8_t bytes[3] = {0x00, 0xab, 0xff}, back[3];
    char    hex[7];

    (void)state;
    hex_encode(bytes, 3, hex);
    assert_string_equal(hex, "00abff");
    assert_true(hex_decode(hex, back, 3));
    assert_memory_equal(back, bytes, 3);
    assert_false(hex_decode("00abf", back, 3));
    assert_false(hex_decode("00abff0", back, 3));
    assert_false(hex_decode("00ABFF", back, 3));
    assert_false(hex_decode("", back, 3));
    assert_true(hex_decode("", back, 0));
}

/* RFC 4648 section 10. */
static void base64(void **state)
{
    static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const coded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    static const char *const bad[] = {"Zg", "Zg=", "Zg===", "Z", "Zm9v\n", "Zm 9", "Zh==", "Zm9*", "=", "Zg==Zg==", "Zm9\206"};
    size_t                   size;

    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++) {
        char    *out = base64_encode(plain[i], strlen(plain[i]));
        uint8_t *back = base64_decode(coded[i], 6, &size);

        assert_string_equal(out, coded[i]);
        assert_non_null(back);
        assert_int_equal(size, strlen(plain[i]));
        assert_memory_equal(back, plain[i], size);
        free(out);
        free(back);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (base64_decode(bad[i], 100, &size))
            fail_msg("'%s' was accepted", bad[i]);
    assert_null(base64_decode("Zm9vYmFy", 5, &size));
}

static void times(void **state)
{
    static const char *const bad[] = {"",
                                      "2026-11-23",
                                      "2026-11-23T21:00:00",
                                      "2026-11-23 21:00:00Z",
                                      "2026-02-29T00:00:00Z",
                                      "2026-13-01T00:00:00Z",
                                      "2026-11-23T24:00:00Z",
                                      "2026-11-23T21:60:00Z",
                                      "2026-11-23T21:00:60Z",
                                      "2026-11-23T21:00:00Zx",
                                      "2026-11-23T21:00:00.5Z",
                                      "+026-11-23T21:00:00Z",
                                      "2026-11-00T21:00:00Z"};
    char    out[TIME_SIZE];
    int64_t t;

    (void)state;
    assert_string_equal(time_print(1795467600, out), "2026-11-23T21:00:00Z");
    assert_string_equal(time_print(0, out), "-");
    assert_string_equal(time_print(INT64_MAX, out), "-");
    assert_int_equal(time_read("0026-11-23T21:00:00Z", &t, NULL), OK);
    assert_string_equal(time_print(t, out), "0026-11-23T21:00:00Z");
    assert_int_equal(time_read("2026-11-23T21:00:00Z", &t, NULL), OK);
    assert_int_equal(t, 1795467600);
    assert_int_equal(time_read("2028-02-29T00:00:00Z", &t, NULL), OK);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (time_read(bad[i], &t, NULL) != ERR_USAGE)
            fail_msg("'%s' was accepted", bad[i]);
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t     seconds;
    } good[] = {{"90", 90}, {"90s", 90}, {"15m", 900}, {"15min", 900}, {"2h", 7200}, {"7d", 604800}, {"2w", 1209600}, {"0", 0}};
    static const char *const bad[] = {"", "h", "-5m", "5x", "1.5h", "5 m", "99999999999999999999", "9223372036854775807w", " 5"};
    int64_t                  t;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(duration_read(good[i].text, &t, NULL), OK);
        assert_int_equal(t, good[i].seconds);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (duration_read(bad[i], &t, NULL) != ERR_USAGE)
            fail_msg("'%s' was accepted", bad[i]);
}

static void moments(void **state)
{
    static const char *const bad[] = {
        "", "then", "+", "+x", "tomorrow", "2026-11-24", "2026-11-24 22", "2026-02-30 10:00", "+9223372036854775807s", "+520000w"};
    int64_t                  t;
    struct error             e;

    (void)state;
    assert_int_equal(moment_read("now", 1000, &t, NULL), OK);
    assert_int_equal(t, 1000);
    assert_int_equal(moment_read("+2h", 1000, &t, NULL), OK);
    assert_int_equal(t, 8200);
    assert_int_equal(moment_read("2026-11-23 21:00", 0, &t, NULL), OK);
    assert_int_equal(t, 1795467600);
    assert_int_equal(moment_read("2026-11-23T21:00:00Z", 0, &t, NULL), OK);
    assert_int_equal(t, 1795467600);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (moment_read(bad[i], 1000, &t, &e) != ERR_USAGE)
            fail_msg("'%s' was accepted", bad[i]);
}

static void sizes(void **state)
{
    static const struct {
        uint64_t    bytes;
        const char *text;
    } cases[] = {{0, "0 B"},           {1023, "1023 B"},        {1024, "1.0 KiB"},       {1536, "1.5 KiB"},
                 {1048575, "1.0 MiB"}, {64u << 20, "64.0 MiB"}, {UINT64_MAX, "16.0 EiB"}};
    char out[16];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(size_print(cases[i].bytes, out), cases[i].text);
}

static void the_nearest_word(void **state)
{
    static const char *const words[] = {"cache-max", "site", "site-url", "listen", NULL, "peer"};
    char                     giant[500];

    (void)state;
    assert_string_equal(nearest("cahce-max", words, COUNT(words)), "cache-max");
    assert_string_equal(nearest("sit", words, COUNT(words)), "site");
    assert_string_equal(nearest("peers", words, COUNT(words)), "peer");
    assert_null(nearest("colour", words, COUNT(words)));
    assert_null(nearest("", words, COUNT(words)));
    memset(giant, 'a', sizeof giant - 1);
    giant[sizeof giant - 1] = '\0';
    assert_null(nearest(giant, words, COUNT(words)));
    assert_null(nearest("x", NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows), cmocka_unit_test(copies_and_prints), cmocka_unit_test(hexadecimal),
        cmocka_unit_test(base64),     cmocka_unit_test(times),             cmocka_unit_test(durations),
        cmocka_unit_test(moments),    cmocka_unit_test(sizes),             cmocka_unit_test(the_nearest_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
