/* `ferry site init`: the site's files whole, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/site/create.h"
#include "policy/authoring/author.h"

#include <cmocka.h> /* last: its fail() is a macro */

static char dir[64], site[80];

static int begin(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/ferry-init-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(site, sizeof site, "%s/site", dir);
    return 0;
}

static int end(void **state)
{
    (void)state;
    return file_remove(dir, NULL) != OK;
}

static enum err create(const char *where, const char *name, const char *url, struct error *e)
{
    json_t  *out = NULL;
    enum err code = site_create(where, name, url, &out, e);

    assert_int_equal(code == OK, out != NULL);
    json_decref(out);
    return code;
}

static bool there(const char *name)
{
    AUTO(text_free) char *path = must_print("%s/%s", dir, name);

    return file_exists(path);
}

static mode_t mode_of(const char *name)
{
    AUTO(text_free) char *path = must_print("%s/%s", dir, name);
    struct stat           st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void test_whole(void **state)
{
    static const char *const secret[] = {"site/keys/timestamp.key", "site/keys/snapshot.key", "site/keys/targets.key", "site/keys/seal.key",
                                         "site/keys/ca.key",        "site/keys/tls.key",      "site/offline/root-1.key", "site/offline/root-2.key",
                                         "site/offline/root-3.key", "site/ledger.db"};
    AUTO(text_free) char    *path = must_print("%s/ledger.db", site), *url, *zone;
    struct ledger           *l = NULL;
    struct error             e;

    (void)state;
    assert_int_equal(create(site, "hq", "https://hq.example.org/", &e), OK);
    for (size_t i = 0; i < COUNT(secret); i++)
        assert_int_equal(mode_of(secret[i]), 0600);
    assert_true(there("site/ca.pem"));
    assert_true(there("site/policy/metadata/1.root.json") && there("site/policy/metadata/timestamp.json") && there("site/content"));
    assert_int_equal(mode_of("site"), 0700);
    assert_false(there("site.being-made"));
    assert_int_equal(ledger_open(path, &l, &e), OK);
    url = ledger_setting(l, "site.url");
    assert_string_equal(url, "https://hq.example.org");
    zone = ledger_setting(l, "timezone");
    assert_non_null(zone);
    ledger_close(l);
}

/* A second time on the same directory: refused, and not a byte is different. */
static void test_twice(void **state)
{
    AUTO(text_free)
    char *sum = must_print("cd %s && find . -type f ! -name '*-shm' ! -name '*-wal' -exec sha256sum {} + | sort >../before", site);
    AUTO(text_free)
    char *same = must_print("cd %s && find . -type f ! -name '*-shm' ! -name '*-wal' -exec sha256sum {} + | sort | cmp - ../before", site);
    struct error          e;

    (void)state;
    assert_int_equal(create(site, "hq", "", &e), OK);
    assert_int_equal(system(sum), 0);
    assert_int_equal(create(site, "other", "", &e), ERR_EXISTS);
    assert_non_null(strstr(e.text, "left as it is"));
    assert_int_equal(system(same), 0);
    assert_false(there("site.being-made"));
}

static void test_refused(void **state)
{
    AUTO(text_free) char *file = must_print("%s/file", dir), *below = must_print("%s/file/site", dir);
    struct error          e;

    (void)state;
    assert_int_equal(create(site, "Head Quarters", "", &e), ERR_USAGE);
    assert_int_equal(create(site, "", "", &e), ERR_USAGE);
    assert_int_equal(create(site, "hq", "hq.example.org", &e), ERR_USAGE);
    assert_int_equal(create(site, "hq", "http://hq.example.org", &e), ERR_USAGE);
    assert_false(there("site"));
    assert_false(there("site.being-made"));
    assert_int_equal(file_write(file, "mine", 4, 0600, NULL), OK);
    assert_int_equal(create(file, "hq", "", &e), ERR_EXISTS);
    assert_int_not_equal(create(below, "hq", "", &e), OK);
    assert_true(there("file"));
    assert_int_equal(mkdir(site, 0700), 0);
    free(below);
    below = must_print("%s/mine", site);
    assert_int_equal(file_write(below, "mine", 4, 0600, NULL), OK);
    assert_int_equal(create(site, "hq", "", &e), ERR_EXISTS);
    assert_true(there("site/mine"));
    assert_false(there("site.being-made"));
}

/* An init that was killed leaves its workshop; the next one begins anew. An empty directory is as good as none. */
static void test_after_a_kill(void **state)
{
    AUTO(text_free) char *half = must_print("%s.being-made", site), *file = must_print("%s/ledger.db", half);
    struct error          e;

    (void)state;
    assert_int_equal(mkdir(half, 0700), 0);
    assert_int_equal(file_write(file, "half", 4, 0600, NULL), OK);
    assert_int_equal(mkdir(site, 0755), 0);
    assert_int_equal(create(site, "hq", "", &e), OK);
    assert_false(there("site.being-made"));
    assert_int_equal(mode_of("site"), 0700);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {T(test_whole), T(test_twice), T(test_refused), T(test_after_a_kill)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
