#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* FIPS 180-4 examples. */
#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void known_digests(void **state)
{
    char          hex[SHA256_HEX];
    struct sha256 d = hash_bytes("abc", 3);
    struct hash  *h = hash_new();

    (void)state;
    assert_string_equal(sha256_hex(&d, hex), ABC);
    d = hash_bytes(NULL, 0);
    assert_string_equal(sha256_hex(&d, hex), EMPTY);
    hash_add(h, "a", 1);
    hash_add(h, NULL, 0);
    hash_add(h, "bc", 2);
    d = hash_free(h);
    assert_string_equal(sha256_hex(&d, hex), ABC);
    d = hash_free(NULL);
    assert_true(sha256_is_zero(&d));
}

static void files(void **state)
{
    char          path[] = "/tmp/ferry-hash-XXXXXX";
    char         *big = must_alloc(1000000);
    int           fd = mkstemp(path);
    struct sha256 d, want = hash_bytes(big, 1000000);
    uint64_t      size;
    struct error  e;

    (void)state;
    assert_int_equal(write(fd, big, 1000000), 1000000);
    close(fd);
    assert_int_equal(hash_file(path, &d, &size, NULL), OK);
    assert_true(sha256_same(&d, &want));
    assert_int_equal(size, 1000000);
    assert_int_equal(hash_file(path, &d, NULL, NULL), OK);
    unlink(path);
    assert_int_equal(hash_file(path, &d, &size, &e), ERR_NOT_FOUND);
    assert_int_equal(hash_file("/tmp", &d, &size, &e), ERR_IO);
    free(big);
}

static void names(void **state)
{
    struct sha256 a, b = hash_bytes("abc", 3);

    (void)state;
    assert_true(sha256_read(ABC, &a));
    assert_true(sha256_same(&a, &b));
    assert_false(sha256_is_zero(&a));
    assert_false(sha256_read("BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", &b));
    assert_false(sha256_read(ABC "0", &b));
    assert_false(sha256_read("ba78", &b));
    assert_true(sha256_same(&a, &b));           /* what is refused changes nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_digests), cmocka_unit_test(files), cmocka_unit_test(names)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
