/* Certificates over known keys: what is made is accepted, until it runs out, and only under the CA that signed it. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/trust/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* last: it takes the name fail */

#define NOW 1795000000

static struct {
    struct key ca, other, node;
    char      *ca_pem, *other_pem, *pem;
} t;

static int setup(void **state)
{
    struct error e;

    (void)state;
    assert_int_equal(key_generate(&t.ca), OK);
    assert_int_equal(key_generate(&t.other), OK);
    assert_int_equal(key_generate(&t.node), OK);
    assert_int_equal(certificate_make_ca(&t.ca, "hq-1", NOW, &t.ca_pem, &e), OK);
    assert_int_equal(certificate_make_ca(&t.other, "hq-1", NOW, &t.other_pem, &e), OK);    /* the same name, another key */
    assert_int_equal(certificate_make(&t.ca, "hq-1", "n123", t.node.public, NOW, CERTIFICATE_LIFE, &t.pem, &e), OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(t.ca_pem);
    free(t.other_pem);
    free(t.pem);
    return 0;
}

static void it_says_who_and_until_when(void **state)
{
    struct certificate c;
    struct error       e;

    (void)state;
    assert_int_equal(certificate_check(t.pem, t.ca_pem, NOW, &c, &e), OK);
    assert_string_equal(c.subject, "n123");
    assert_memory_equal(c.public, t.node.public, 32);
    assert_int_equal(c.not_before, NOW - CERTIFICATE_EARLY);
    assert_int_equal(c.not_after, NOW + CERTIFICATE_LIFE);
    assert_false(c.ca);
    assert_int_equal(certificate_check(t.ca_pem, t.ca_pem, NOW, &c, &e), OK);
    assert_true(c.ca);
}

static void time_decides(void **state)
{
    static const struct { int64_t at; enum err code; const char *part; } cases[] = {
        {NOW - CERTIFICATE_EARLY - 1, ERR_VERIFY, "clock"},
        {NOW - CERTIFICATE_EARLY, OK, ""},
        {NOW + CERTIFICATE_LIFE - 1, OK, ""},
        {NOW + CERTIFICATE_LIFE, ERR_VERIFY, "ran out"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct certificate c;
        struct error       e = {0};

        assert_int_equal(certificate_check(t.pem, t.ca_pem, cases[i].at, &c, &e), cases[i].code);
        assert_non_null(strstr(e.text, cases[i].part));
    }
}

static void another_ca_of_the_same_name_is_refused(void **state)
{
    struct certificate c;
    struct error       e;

    (void)state;
    assert_int_equal(certificate_check(t.pem, t.other_pem, NOW, &c, &e), ERR_VERIFY);
    assert_non_null(strstr(e.text, "not signed"));
    assert_int_equal(certificate_check(t.pem, NULL, NOW, &c, &e), OK);
}

/* A node's certificate makes nobody else's. */
static void a_leaf_signs_nothing(void **state)
{
    struct certificate c;
    struct error       e;
    char              *forged;

    (void)state;
    assert_int_equal(certificate_make(&t.node, "n123", "n666", t.other.public, NOW, CERTIFICATE_LIFE, &forged, &e), OK);
    assert_int_equal(certificate_check(forged, t.pem, NOW, &c, &e), ERR_VERIFY);
    assert_int_equal(certificate_check(forged, t.ca_pem, NOW, &c, &e), ERR_VERIFY);
    free(forged);
}

static void an_altered_one_is_refused(void **state)
{
    (void)state;
    for (size_t i = 30; i < strlen(t.pem) - 30; i += 7) {
        char              *copy = must_copy(t.pem);
        struct certificate c;

        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        if (strcmp(copy, t.pem))
            assert_int_equal(certificate_check(copy, t.ca_pem, NOW, &c, NULL), ERR_VERIFY);
        free(copy);
    }
}

static void what_is_no_certificate_is_refused(void **state)
{
    AUTO(text_free) char *two = must_print("%s%s", t.pem, t.ca_pem), *long_one = must_alloc(CERTIFICATE_LIMIT + 2);
    const char           *bad[] = {"", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", two, long_one, NULL};

    (void)state;
    memset(long_one, 'A', CERTIFICATE_LIMIT + 1);
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct certificate c;

        assert_int_equal(certificate_read(bad[i], &c, NULL), ERR_VERIFY);
    }
}

static void a_new_one_is_due_at_half_its_life(void **state)
{
    struct certificate c = {.not_before = 1000, .not_after = 3000};

    (void)state;
    assert_false(certificate_due(&c, 1999));
    assert_true(certificate_due(&c, 2000));
}

/* The oracle is the openssl program: what curl would compute. */
static void the_pin_is_what_curl_wants(void **state)
{
    char  pin[CERTIFICATE_PIN], line[100] = "", command[200], path[] = "/tmp/ferry-pin-XXXXXX";
    int   fd = mkstemp(path);
    FILE *f;

    (void)state;
    assert_true(fd >= 0 && write(fd, t.pem, strlen(t.pem)) == (ssize_t)strlen(t.pem));
    close(fd);
    snprintf(command, sizeof command, "openssl x509 -in %s -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64",
             path);
    f = popen(command, "r");
    assert_non_null(fgets(line, sizeof line, f));
    pclose(f);
    unlink(path);
    line[strcspn(line, "\n")] = 0;
    certificate_pin(t.node.public, pin);
    assert_string_equal(pin + strlen("sha256//"), line);
}

/* Of a server that is not ours, with a key of another kind and a chain behind it; the oracle is openssl again. */
static void any_server_has_a_pin(void **state)
{
    static const char *const kinds[] = {"rsa:2048", "ed25519", "ec -pkeyopt ec_paramgen_curve:P-256"};
    char                     dir[] = "/tmp/ferry-pins-XXXXXX", pin[CERTIFICATE_PIN], *pem, line[100];

    (void)state;
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < COUNT(kinds); i++) {
        AUTO(text_free) char *make = must_print("cd %s && openssl req -x509 -newkey %s -noenc -days 30 -subj /CN=dp -keyout k -out c 2>/dev/null &&"
                                                " openssl x509 -in c -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256"
                                                " -binary | base64 >pin",
                                                dir, kinds[i]),
                             *c = must_print("%s/c", dir), *told = must_print("%s/pin", dir), *chain = NULL, *text = NULL;
        size_t length;
        assert_int_equal(system(make), 0);
        assert_int_equal(file_read(c, 9999, &pem, &length, NULL), OK);
        assert_int_equal(file_read(told, 99, &text, &length, NULL), OK);
        snprintf(line, sizeof line, "sha256//%.*s", (int)strcspn(text, "\n"), text);
        chain = must_print("subject=CN = dp\n%s%s", pem, t.ca_pem);
        free(pem);
        assert_int_equal(certificate_pin_of(chain, pin, NULL), OK);
        assert_string_equal(pin, line);
    }
    assert_int_equal(certificate_pin_of("", pin, NULL), ERR_VERIFY);
    assert_int_equal(certificate_pin_of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", pin, NULL), ERR_VERIFY);
    assert_int_equal(file_remove(dir, NULL), OK);
}

/* What TLS is handed is the key that was meant, and key.c's own reader takes it. */
static void the_key_comes_back_from_its_text(void **state)
{
    AUTO(text_free) char *pem = certificate_key_pem(&t.node);
    struct key            k;

    (void)state;
    assert_int_equal(key_from_pem(pem, &k, NULL), OK);
    assert_memory_equal(k.seed, t.node.seed, 32);
    assert_memory_equal(k.public, t.node.public, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_who_and_until_when),
        cmocka_unit_test(time_decides),
        cmocka_unit_test(another_ca_of_the_same_name_is_refused),
        cmocka_unit_test(a_leaf_signs_nothing),
        cmocka_unit_test(an_altered_one_is_refused),
        cmocka_unit_test(what_is_no_certificate_is_refused),
        cmocka_unit_test(a_new_one_is_due_at_half_its_life),
        cmocka_unit_test(the_pin_is_what_curl_wants),
        cmocka_unit_test(any_server_has_a_pin),
        cmocka_unit_test(the_key_comes_back_from_its_text),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
