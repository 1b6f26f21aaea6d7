#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "dht/swarm.h"

#include <cmocka.h> /* last: it takes the name fail */

struct made {
    char           dir[32], path[64];
    struct sha256  name, info_hash;
    uint8_t       *torrent;
    size_t         size;
};

static void content_write(struct made *m, size_t length)
{
    uint8_t *bytes = must_alloc(length + 1);
    struct error e = {0};
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    strcpy(m->dir, "/tmp/ferry-torrent-XXXXXX");
    assert_non_null(mkdtemp(m->dir));
    snprintf(m->path, sizeof m->path, "%s/any-name", m->dir);
    m->name = hash_bytes(bytes, length);
    assert_int_equal(file_write(m->path, bytes, length, 0600, &e), OK);
    free(bytes);
}

static void made_end(struct made *m)
{
    struct error e = {0};
    free(m->torrent);
    assert_int_equal(file_remove(m->dir, &e), OK);
}

/* Not certificates to anybody but a reader of PEM: what they say is of no concern here. */
#define CA    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#define OTHER "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n"

static struct made make_with(size_t length, const char *ca_pem)
{
    struct made m = {0};
    struct error e = {0};
    content_write(&m, length);
    enum err code = swarm_torrent_make(m.path, &m.name, ca_pem, &m.torrent, &m.size, &m.info_hash, &e);
    if (code != OK)
        print_message("%s\n", e.text);
    assert_int_equal(code, OK);
    return m;
}

static struct made make(size_t length)
{
    return make_with(length, NULL);
}

static void every_size_makes_a_torrent_that_is_accepted(void **state)
{
    (void)state;
    static const struct {
        size_t   size;
        uint32_t piece;
    } cases[] = {{1, 16384},     {16384, 16384},   {16385, 32768},           {50000, 65536},    {65536, 65536},
                 {65537, 65536}, {1000000, 65536}, {(16 << 20) + 5, 131072}, {48 << 20, 262144}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct made m = make(cases[i].size);
        struct error e = {0};
        uint32_t piece = 0;
        assert_int_equal(swarm_torrent_check(m.torrent, m.size, &m.name, cases[i].size, &m.info_hash, NULL, &piece, &e), OK);
        assert_int_equal(piece, cases[i].piece);
        made_end(&m);
    }
}

static void it_is_a_pure_function_of_content_and_ca(void **state)
{
    (void)state;
    static const char *const cas[] = {NULL, CA, OTHER};
    struct sha256 seen[COUNT(cas)];
    for (size_t i = 0; i < COUNT(cas); i++) {
        struct made a = make_with(300000, cas[i]), b = make_with(300000, cas[i]);
        assert_string_not_equal(a.path, b.path);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.torrent, b.torrent, a.size);
        seen[i] = a.info_hash;
        for (size_t k = 0; k < i; k++)
            assert_false(sha256_same(&seen[i], &seen[k]));  /* it is within what the info-hash covers */
        made_end(&a);
        made_end(&b);
    }
}

static void its_ca_has_to_be_the_fleets(void **state)
{
    (void)state;
    static const char *const cas[] = {NULL, CA, OTHER, CA "\n", ""};
    for (size_t made = 0; made < 3; made++) {
        struct made m = make_with(300000, cas[made]);
        struct error e = {0};
        for (size_t wanted = 0; wanted < COUNT(cas); wanted++) {
            bool none = made == 0 && wanted == 4;           /* "" is no CA either */
            assert_int_equal(swarm_torrent_check(m.torrent, m.size, &m.name, 300000, &m.info_hash, cas[wanted], NULL, &e),
                             made == wanted || none ? OK : ERR_VERIFY);
            if (made != wanted && !none)
                assert_non_null(strstr(e.text, "CA"));
        }
        made_end(&m);
    }
}

static void what_is_no_ca_makes_no_torrent(void **state)
{
    (void)state;
    struct made m = {0};
    struct error e = {0};
    char large[4200] = "-----BEGIN CERTIFICATE-----\n";
    memset(large + strlen(large), 'A', sizeof large - 1 - strlen(large));
    const char *const bad[] = {"", "garbage", "-----BEGIN PRIVATE KEY-----\nMIIB", large};
    content_write(&m, 1000);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(swarm_torrent_make(m.path, &m.name, bad[i], &m.torrent, &m.size, &m.info_hash, &e), ERR_USAGE);
    made_end(&m);
}

/* As the word stands in the info dictionary: empty, a number, no PEM, too long. libtorrent would take the first two for no CA at all. */
static void garbage_for_a_ca_is_refused(void **state)
{
    (void)state;
    struct made m = make_with(300000, CA);
    struct error e = {0};
    char whole[100], large[5000];
    snprintf(whole, sizeof whole, "8:ssl-cert%zu:" CA, strlen(CA));
    snprintf(large, sizeof large, "8:ssl-cert4828:-----BEGIN CERTIFICATE-----\n%04800d", 0);
    const char *const bad[] = {"8:ssl-cert0:", "8:ssl-certi1e", "8:ssl-certde", "8:ssl-cert4:MIIB", large};
    uint8_t *at = memmem(m.torrent, m.size, whole, strlen(whole)), *more = must_alloc(m.size + sizeof large);
    assert_non_null(at);
    size_t before = (size_t)(at - m.torrent), behind = m.size - before - strlen(whole);
    for (size_t i = 0; i < COUNT(bad); i++) {
        size_t n = strlen(bad[i]);
        memcpy(more, m.torrent, before);
        memcpy(more + before, bad[i], n);
        memcpy(more + before + n, at + strlen(whole), behind);
        assert_int_equal(swarm_torrent_check(more, before + n + behind, &m.name, 300000, &m.info_hash, CA, NULL, &e), ERR_VERIFY);
        assert_non_null(strstr(e.text, "ssl-cert"));
        assert_int_equal(swarm_torrent_check(more, before + n + behind, &m.name, 300000, &m.info_hash, NULL, NULL, &e), ERR_VERIFY);
    }
    free(more);
    made_end(&m);
}

static void content_of_another_name_is_refused(void **state)
{
    (void)state;
    struct made m = {0};
    struct error e = {0};
    content_write(&m, 1000);
    m.name.b[0] ^= 1;
    assert_int_equal(swarm_torrent_make(m.path, &m.name, NULL, &m.torrent, &m.size, &m.info_hash, &e), ERR_VERIFY);
    assert_non_null(strstr(e.text, "is not the content it is named for"));
    assert_int_equal(swarm_torrent_make("/nonexistent", &m.name, NULL, &m.torrent, &m.size, &m.info_hash, &e), ERR_NOT_FOUND);
    made_end(&m);
}

static void empty_content_is_refused(void **state)
{
    (void)state;
    struct made m = {0};
    struct error e = {0};
    content_write(&m, 0);
    assert_int_equal(swarm_torrent_make(m.path, &m.name, NULL, &m.torrent, &m.size, &m.info_hash, &e), ERR_USAGE);
    made_end(&m);
}

static void what_was_not_signed_is_refused(void **state)
{
    (void)state;
    struct made m = make(300000), other = make(300001);
    struct error e = {0};
    assert_int_equal(swarm_torrent_check(m.torrent, m.size, &other.name, 300000, &m.info_hash, NULL, NULL, &e), ERR_VERIFY);
    assert_int_equal(swarm_torrent_check(m.torrent, m.size, &m.name, 300001, &m.info_hash, NULL, NULL, &e), ERR_VERIFY);
    assert_int_equal(swarm_torrent_check(m.torrent, m.size, &m.name, 300000, &other.info_hash, NULL, NULL, &e), ERR_VERIFY);
    assert_non_null(strstr(e.text, "info-hash"));
    made_end(&m);
    made_end(&other);
}

static void a_torrent_altered_anywhere_is_refused(void **state)
{
    (void)state;
    struct made m = make_with(300000, CA);
    struct error e = {0};
    for (size_t i = 0; i < m.size; i++) {
        m.torrent[i] ^= 1;
        assert_int_equal(swarm_torrent_check(m.torrent, m.size, &m.name, 300000, &m.info_hash, CA, NULL, &e), ERR_VERIFY);
        m.torrent[i] ^= 1;
    }
    for (size_t cut = 0; cut < m.size; cut += 3)
        assert_int_equal(swarm_torrent_check(m.torrent, cut, &m.name, 300000, &m.info_hash, CA, NULL, &e), ERR_VERIFY);
    made_end(&m);
}

/* Foreign bytes with something more than content in them. */
static void a_torrent_with_trackers_is_refused(void **state)
{
    (void)state;
    struct made m = make(300000);
    struct error e = {0};
    const char add[] = "d8:announce21:http://127.0.0.1:1/an";
    size_t size = m.size + sizeof add - 2;
    uint8_t *more = must_alloc(size);
    memcpy(more, add, sizeof add - 1);
    memcpy(more + sizeof add - 1, m.torrent + 1, m.size - 1);
    assert_int_equal(swarm_torrent_check(more, size, &m.name, 300000, &m.info_hash, NULL, NULL, &e), ERR_VERIFY);
    assert_non_null(strstr(e.text, "trackers"));
    free(more);
    made_end(&m);
}

/* Takes "from" up to the byte before "to" out. */
static size_t without(uint8_t *bytes, size_t size, const char *from, const char *to)
{
    uint8_t *a = memmem(bytes, size, from, strlen(from));
    assert_non_null(a);
    uint8_t *b = memmem(a, size - (size_t)(a - bytes), to, strlen(to));
    assert_non_null(b);
    memmove(a, b, size - (size_t)(b - bytes));
    return size - (size_t)(b - a);
}

/* In a torrent of v2 alone a neighbour could make libtorrent write outside its memory (dht/metadata.cpp). */
static void a_torrent_without_v1_hashes_is_refused(void **state)
{
    (void)state;
    struct made m = make(300000);
    struct error e = {0};
    m.size = without(m.torrent, m.size, "6:lengthi300000e12:meta", "12:meta version");
    m.size = without(m.torrent, m.size, "6:pieces", "e12:piece layers");
    assert_int_equal(swarm_torrent_check(m.torrent, m.size, &m.name, 300000, &m.info_hash, NULL, NULL, &e), ERR_VERIFY);
    assert_non_null(strstr(e.text, "hybrid"));
    made_end(&m);
}

static void more_than_a_mebibyte_is_not_even_parsed(void **state)
{
    (void)state;
    struct made m = make(1000);
    struct error e = {0};
    uint8_t *large = must_alloc((1 << 20) + 1);
    memcpy(large, m.torrent, m.size);
    assert_int_equal(swarm_torrent_check(large, (1 << 20) + 1, &m.name, 1000, &m.info_hash, NULL, NULL, &e), ERR_VERIFY);
    assert_non_null(strstr(e.text, "1 MiB is accepted"));
    free(large);
    made_end(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_makes_a_torrent_that_is_accepted),
        cmocka_unit_test(it_is_a_pure_function_of_content_and_ca),
        cmocka_unit_test(its_ca_has_to_be_the_fleets),
        cmocka_unit_test(what_is_no_ca_makes_no_torrent),
        cmocka_unit_test(garbage_for_a_ca_is_refused),
        cmocka_unit_test(content_of_another_name_is_refused),
        cmocka_unit_test(empty_content_is_refused),
        cmocka_unit_test(what_was_not_signed_is_refused),
        cmocka_unit_test(a_torrent_altered_anywhere_is_refused),
        cmocka_unit_test(a_torrent_with_trackers_is_refused),
        cmocka_unit_test(a_torrent_without_v1_hashes_is_refused),
        cmocka_unit_test(more_than_a_mebibyte_is_not_even_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
