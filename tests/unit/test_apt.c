#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/text.h"
#include "policy/catalog/apt.h"
#include "policy/catalog/changelog.h"

#include <cmocka.h> /* last: its fail() is a macro */

#define H(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define HEAD "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
#define TAIL "-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"
#define BODY                                                                                                                               \
    "Origin: Debian\nLabel: Debian-Security\nSuite: oldstable-security\nCodename: bookworm-security\nDate: Sat, 21 Nov 2026 00:53:02 "     \
    "UTC\n"                                                                                                                                \
    "Valid-Until: Sat, 28 Nov 2026 00:53:02 UTC\nAcquire-By-Hash: yes\nMD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 0 main/x\nSHA256:\n " H( \
        "b") " 12 main/binary-amd64/Packages.gz\n " H("a") "   99 main/binary-amd64/Packages.xz\n " H("c") " 200 "                         \
                                                                                                           "main/binary-amd64/Packages\n"

static void reads_a_release(void **state)
{
    struct release r;
    struct error   e = {0};
    const char     text[] = HEAD BODY "- -Note: escaped\n" TAIL;

    (void)state;
    assert_int_equal(release_read(text, sizeof(text) - 1, &r, &e), ERR_VERIFY);     /* "-Note" is no field's name */
    assert_int_equal(release_read(HEAD BODY TAIL, sizeof(HEAD BODY TAIL) - 1, &r, &e), OK);
    assert_string_equal(r.codename, "bookworm-security");
    assert_int_equal(r.date, 1795222382);
    assert_int_equal(r.valid_until - r.date, 7 * 86400);
    assert_true(r.by_hash);
    assert_int_equal(r.entry_count, 3);
    assert_string_equal(release_packages(&r, "main", "amd64")->path, "main/binary-amd64/Packages.xz");
    assert_int_equal(release_packages(&r, "updates/main", "amd64")->size, 99);
    assert_null(release_packages(&r, "main", "arm64"));
    release_end(&r);
}

static void refuses_what_is_outside_the_signature(void **state)
{
    static const struct { const char *text, *says; } cases[] = {
        {BODY, "begin"},
        {"Origin: Evil\n" HEAD BODY TAIL, "begin"},
        {HEAD BODY, "no signature"},
        {HEAD BODY TAIL "Origin: Evil\n", "behind"},
        {HEAD BODY TAIL HEAD BODY TAIL, "behind"},
        {HEAD BODY "-----BEGIN PGP SIGNATURE-----\n", "no end"},
        {HEAD BODY "-----BEGIN PGP MESSAGE-----\n" TAIL, "dash"},
        {"-----BEGIN PGP SIGNED MESSAGE-----\nNotDashEscaped: yes\n\n" BODY TAIL, "header"},
        {HEAD BODY "\nOrigin: second\n" TAIL, "second stanza"},
        {HEAD "Origin: Debian\n" TAIL, "Date"},
        {HEAD "Date: tomorrow\n" TAIL, "Date"},
        {HEAD "Date: Sat, 21 Nov 2026 00:53:02 UTC\nMD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 0 x\n" TAIL, "SHA256"},
        {HEAD "Date: Sat, 21 Nov 2026 00:53:02 UTC\nSHA256:\n " H("a") " 1 ../../etc/passwd\n" TAIL, "path"},
        {HEAD "Date: Sat, 21 Nov 2026 00:53:02 UTC\nSHA256:\n " H("a") " 1 x\n " H("b") " 1 x\n" TAIL, "twice"},
        {HEAD "Date: Sat, 21 Nov 2026 00:53:02 UTC\nSHA256:\n abc 1 x\n" TAIL, "hash size path"},
        {HEAD "Date: Sat, 21 Nov 2026 00:53:02 UTC\nSHA256:\n " H("a") " -1 x\n" TAIL, "size"},
        {HEAD TAIL, "nothing"},
        {"", "begin"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct release r;
        struct error   e = {0};

        assert_int_equal(release_read(cases[i].text, strlen(cases[i].text), &r, &e), ERR_VERIFY);
        if (!strstr(e.text, cases[i].says))
            fail_msg("case %zu says \"%s\"", i, e.text);
    }
}

#define STANZA(name, source, version, arch, hash, more)                                                                                    \
    "Package: " name "\n" source "Version: " version "\nArchitecture: " arch "\nFilename: pool/" name "_" version "_" arch                 \
    ".deb\nSize: 10\nSHA256: " hash "\n" more "\n"
#define PACKAGES                                                                                                                           \
    STANZA("jq", "", "1.6-2.1+deb12u1", "amd64", H("a"),                                                                                   \
           "Depends: libjq1 (= 1.6-2.1+deb12u1), libc6\nDescription: lightweight JSON\n processor\n .\n more\nUrgency: high\n")            \
    STANZA("libjq1", "Source: jq\n", "1.6-2.1+deb12u1", "amd64", H("b"),                                                                   \
           "Description: library fixes CVE-2026-0001\nCVE: CVE-2026-0002, CVE-2026-0001 CVE-x\n")                                          \
    STANZA("libjq1", "Source: jq\n", "1.6-2", "amd64", H("c"), "")                                                                         \
    STANZA("jq-doc", "Source: jq (1.6-2.1+deb12u1)\n", "1.6-2.1+deb12u1+b1", "all", H("d"), "")                                            \
    STANZA("jq-a", "", "1", "amd64", H("e"), "")

static void load(struct package_set *set, const char *bytes, size_t length)
{
    struct error e = {0};

    memset(set, 0, sizeof(*set));
    set->catalog = must_copy("sec");
    set->origin = must_copy("Debian");
    set->label = must_copy("Debian-Security");
    set->codename = must_copy("bookworm-security");
    set->uri = must_copy("http://a.example/debian");
    if (package_set_add(set, bytes, length, &e) != OK)
        fail_msg("%s", e.text);
    package_set_sort(set);
}

static void check_set(const struct package_set *set)
{
    size_t first;

    assert_int_equal(set->count, 5);
    assert_int_equal(package_set_find(set, "libjq1", &first), 2);
    assert_string_equal(set->packages[first].version, "1.6-2.1+deb12u1");
    assert_string_equal(set->packages[first].source, "jq");
    assert_string_equal(set->packages[first].catalog, "sec");
    assert_int_equal(package_set_find(set, "jq-doc", &first), 1);
    assert_string_equal(set->packages[first].source_version, "1.6-2.1+deb12u1");
    assert_int_equal(package_set_find(set, "none", &first), 0);
}

static void reads_plain_xz_and_gz(void **state)
{
    struct package_set set;
    uint8_t            packed[8192];
    size_t             n = 0;
    uLongf             m = sizeof(packed);
    z_stream           z = {0};

    (void)state;
    load(&set, PACKAGES, sizeof(PACKAGES) - 1);
    check_set(&set);
    package_set_end(&set);
    assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, (const uint8_t *)PACKAGES, sizeof(PACKAGES) - 1, packed, &n,
                                             sizeof(packed)), LZMA_OK);
    load(&set, (char *)packed, n);
    check_set(&set);
    for (size_t cut = 1; cut < n; cut += 97) {
        struct package_set bad = {0};

        assert_int_not_equal(package_set_add(&bad, (char *)packed, n - cut, NULL), OK);
        package_set_end(&bad);
    }
    package_set_end(&set);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)PACKAGES;
    z.avail_in = sizeof(PACKAGES) - 1;
    z.next_out = packed;
    z.avail_out = (uInt)m;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    n = z.total_out;
    deflateEnd(&z);
    load(&set, (char *)packed, n);
    check_set(&set);
    package_set_end(&set);
    packed[n / 2] ^= 1;
    memset(&set, 0, sizeof(set));
    assert_int_equal(package_set_add(&set, (char *)packed, n, NULL), ERR_VERIFY);
    package_set_end(&set);
}

static void refuses_bad_stanzas(void **state)
{
    static const struct { const char *text, *says; } cases[] = {
        {STANZA("x", "", "1", "amd64", H("a"), "") "Package: y\n", "Version"},
        {STANZA("x", "", "1", "amd64", "abc", ""), "SHA256"},
        {STANZA("-x", "", "1", "amd64", H("a"), ""), "package name"},
        {STANZA("x", "", "1 2", "amd64", H("a"), ""), "package name"},
        {STANZA("x/../../y", "", "1", "amd64", H("a"), ""), "package name"},
        {STANZA("x", "Source: a b (c\n", "1", "amd64", H("a"), "Size: 1\n"), "twice"},
        {STANZA("x", "Source: ../y\n", "1", "amd64", H("a"), ""), "Source"},
        {"Package: x\nVersion: 1\nArchitecture: all\nFilename: /etc/x\nSize: 1\nSHA256: " H("a") "\n", "path"},
        {"Package: x\nVersion: 1\nArchitecture: all\nFilename: x\nSize: many\nSHA256: " H("a") "\n", "Size"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct package_set set = {0};
        struct error       e = {0};

        assert_int_equal(package_set_add(&set, cases[i].text, strlen(cases[i].text), &e), ERR_VERIFY);
        if (!strstr(e.text, cases[i].says))
            fail_msg("case %zu says \"%s\"", i, e.text);
        assert_int_equal(set.count, 0);
        package_set_end(&set);
    }
}

static bool only_jq(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "jq") == 0;
}

static void keeps_only_what_is_asked_for(void **state)
{
    struct package_set set = {.keep = only_jq};

    (void)state;
    assert_int_equal(package_set_add(&set, PACKAGES, sizeof(PACKAGES) - 1, NULL), OK);
    assert_int_equal(set.count, 1);
    package_set_end(&set);
}

struct seen {
    struct text ids;
    size_t      calls;
};

static enum err on_update(void *ctx, const struct update *u, struct error *e)
{
    struct seen *seen = ctx;

    (void)e;
    text_add(&seen->ids, "%s/%zu ", u->id, u->file_count);
    if (seen->calls++ != 2)
        return OK;
    assert_string_equal(u->title, "jq 1.6-2.1+deb12u1: lightweight JSON");
    assert_string_equal(u->description, "processor\n\nmore");
    assert_string_equal(u->product, "Debian bookworm");
    assert_string_equal(u->vendor, "Debian");
    assert_string_equal(u->urgency, "high");
    assert_int_equal(u->classification, CLASS_SECURITY);
    assert_string_equal(u->cves[0], "CVE-2026-0002");
    assert_string_equal(u->cves[1], "CVE-2026-0001");
    assert_null(u->cves[2]);
    assert_string_equal(u->files[0].package, "jq");
    assert_string_equal(u->files[0].origin, "http://a.example/debian/pool/jq_1.6-2.1+deb12u1_amd64.deb");
    return OK;
}

static void one_update_per_source_and_version_in_order_of_id(void **state)
{
    struct package_set set;
    struct seen        seen = {0};
    struct error       e = {0};

    (void)state;
    load(&set, PACKAGES, sizeof(PACKAGES) - 1);
    assert_int_equal(apt_updates(&set, on_update, &seen, &e), OK);
    assert_string_equal(seen.ids.data, "apt:sec:jq-a:1/1 apt:sec:jq:1.6-2/1 apt:sec:jq:1.6-2.1+deb12u1/3 ");
    text_end(&seen.ids);
    free(set.catalog);
    set.catalog = must_alloc(260);
    memset(set.catalog, 'c', 250);
    assert_int_equal(apt_updates(&set, on_update, &seen, &e), ERR_VERIFY);
    package_set_end(&set);
}

static enum err class_is(void *ctx, const struct update *u, struct error *e)
{
    (void)e;
    *(enum update_class *)ctx = u->classification;
    return OK;
}

static void classifies_by_archive(void **state)
{
    static const struct { const char *origin, *label, *codename; enum update_class class; } cases[] = {
        {"Debian", "Debian-Security", "bookworm-security", CLASS_SECURITY}, {"Debian", "Debian", "bookworm", CLASS_UPDATE},
        {"Acme", "Acme-Security", "acme", CLASS_SECURITY},                   {"Debian", "Debian", "bookworm-updates", CLASS_UPDATE},
        {"X", "X", "trixie-security", CLASS_SECURITY},                       {"X", "Security of X", "trixie", CLASS_UPDATE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct package_set set = {
            .origin = must_copy(cases[i].origin), .label = must_copy(cases[i].label), .codename = must_copy(cases[i].codename)};
        enum update_class  class = CLASS_COUNT;

        assert_int_equal(package_set_add(&set, PACKAGES, sizeof(PACKAGES) - 1, NULL), OK);
        assert_int_equal(apt_updates(&set, class_is, &class, NULL), OK);
        assert_int_equal(class, cases[i].class);
        package_set_end(&set);
    }
}

static void reads_changelogs(void **state)
{
    static const char text[] = "jq (2) bookworm; urgency=HIGH, binary-only=yes\n\n  * CVE-2026-1111 and CVE-2026-1111, CVE-2026-22222\n\n"
                               " -- A <a@b>  Mon, 02 Nov 2026 10:00:00 +0100\n\njq (1) unstable; urgency=low\n\n  * CVE-2020-0001\n\n"
                               " -- A <a@b>  Mon, 02 Nov 2020 10:00:00 +0000\n";
    struct changelog c;
    struct error     e = {0};

    (void)state;
    assert_int_equal(changelog_read(text, sizeof(text) - 1, NULL, &c, &e), OK);
    assert_string_equal(c.version, "2");
    assert_string_equal(c.urgency, "high");
    assert_string_equal(c.cves[1], "CVE-2026-22222");
    assert_null(c.cves[2]);
    assert_int_equal(c.date, 1793610000);
    changelog_end(&c);
    assert_int_equal(changelog_read(text, sizeof(text) - 1, "1", &c, &e), OK);
    assert_string_equal(c.cves[0], "CVE-2020-0001");
    changelog_end(&c);
    assert_int_equal(changelog_read(text, sizeof(text) - 1, "3", &c, &e), ERR_NOT_FOUND);
    assert_int_equal(changelog_read("", 0, NULL, &c, &e), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_release),
        cmocka_unit_test(refuses_what_is_outside_the_signature),
        cmocka_unit_test(reads_plain_xz_and_gz),
        cmocka_unit_test(refuses_bad_stanzas),
        cmocka_unit_test(keeps_only_what_is_asked_for),
        cmocka_unit_test(one_update_per_source_and_version_in_order_of_id),
        cmocka_unit_test(classifies_by_archive),
        cmocka_unit_test(reads_changelogs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
