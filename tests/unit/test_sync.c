/* Catalog sync against a real signed archive: whatever is doubtful is refused with its reason, and the old catalog stays. */
#include "tests/unit/site_archive.h"

#define INRELEASE "dists/demo/InRelease"

static struct site_lab lab;

static int make(void **state)
{
    (void)state;
    return site_archive_make(1);
}

static json_t *catalog(const char *name, const char *component)
{
    AUTO(text_free) char *uri = must_print("%s/www", lab.net.url), *keyring = must_print("%s/demo.gpg", lab.www);

    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:[s]}", "name", name, "type", "apt", "uri", uri, "suite", "demo", "keyring", keyring,
                     "components", component);
}

static int begin(void **state)
{
    (void)state;
    site_lab_open(&lab);
    site_shell("cp -a %s/. %s", site_archive, lab.www);
    json_decref(must(&lab, "POST", "catalogs", catalog("demo", "main")));
    return 0;
}

static int end(void **state)
{
    (void)state;
    site_lab_close(&lab);
    return 0;
}

/* Index and signature once more, dated days from now. */
static void sign_again(int days, const char *more)
{
    site_shell("FERRY_DATE=$(($(date +%%s) + %d * 86400)) %s tests/fixtures/make-archive.sh --sign %s", days, more, lab.www);
}

static int64_t updates(void)
{
    json_t *out = must(&lab, "GET", "updates?filter=not%20expired", NULL);
    int64_t n = json_integer_value(json_object_get(out, "total"));

    json_decref(out);
    return n;
}

static void good(void)
{
    job_done(&lab, "catalogs/sync", NULL);
    assert_int_equal(updates(), 3);
}

static void refused(const char *code, const char *part)
{
    int64_t before = updates();
    json_t *old = must(&lab, "GET", "catalogs", NULL), *now;

    job_refused(&lab, "catalogs/sync", NULL, code, part);
    job_refused(&lab, "catalogs/sync", NULL, code, "the old one stays");
    now = must(&lab, "GET", "catalogs", NULL);
    assert_true(json_equal(old, now));
    assert_int_equal(updates(), before);
    library_count(&lab);
    json_decref(old);
    json_decref(now);
}

static void test_good(void **state)
{
    size_t asked;
    json_t *end_of;

    (void)state;
    good();
    assert_int_equal(library_count(&lab), 2);
    asked = lab.asked;
    end_of = job(&lab, "catalogs/sync", NULL);
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(json_object_get(json_object_get(end_of, "result"), "catalogs"), 0), "new")), 0);
    json_decref(end_of);
    assert_int_equal(lab.asked, asked + 1);     /* InRelease only: Packages is here */
}

static void test_nothing_to_read(void **state)
{
    (void)state;
    site_shell("rm -r %s/dists", lab.www);
    refused("not-found", "catalog demo");
    site_shell("cp -a %s/dists %s", site_archive, lab.www);
    good();
    server_close(lab.net.server, NULL, NULL);
    lab.net.server = NULL;
    refused("again", "catalog demo");
}

static void test_tampered(void **state)
{
    (void)state;
    good();
    site_shell("sed -i 's/^Suite: demo/Suite: evil/' %s/" INRELEASE, lab.www);
    refused("verify", "signature");
    site_shell("cp %s/" INRELEASE " %s/dists/demo", site_archive, lab.www);
    site_shell("truncate -s 300 %s/" INRELEASE, lab.www);
    refused("verify", "signature");
    site_shell(": >%s/" INRELEASE, lab.www);
    refused("verify", "signature");
}

/* Somebody else's key, good in itself. */
static void test_other_key(void **state)
{
    char other[128];

    (void)state;
    good();
    snprintf(other, sizeof other, "%s/other", lab.net.dir);
    site_shell("tests/fixtures/make-archive.sh %s 1 && cp %s/" INRELEASE " %s/dists/demo", other, other, lab.www);
    refused("verify", "signature");
}

static void test_times(void **state)
{
    (void)state;
    good();
    sign_again(-2, "");
    refused("verify", "rolled back");
    sign_again(-1, "FERRY_VALID_DAYS=0");
    refused("verify", "valid until");
    sign_again(2, "");
    refused("verify", "in the future");
    sign_again(0, "FERRY_VALID_DAYS=7");
    good();
}

/* The signature is good, Packages is not what it names. */
static void test_packages(void **state)
{
    (void)state;
    good();
    site_shell("rm -r %s/pool/main/f/ferry-tool", lab.www);
    sign_again(0, "");
    site_shell("for f in %s/dists/demo/main/binary-amd64/by-hash/SHA256/*; do printf X | dd of=$f bs=1 seek=40 conv=notrunc status=none; done",
          lab.www);
    refused("verify", "SHA-256");
    site_shell("for f in %s/dists/demo/main/binary-amd64/by-hash/SHA256/*; do truncate -s 100 $f; done", lab.www);
    refused("verify", "SHA-256");
    site_shell("rm -r %s/dists/demo/main", lab.www);
    refused("not-found", "by-hash");
    sign_again(0, "");
    job_done(&lab, "catalogs/sync", NULL);
    assert_int_equal(updates(), 2);
}

static void test_no_component(void **state)
{
    (void)state;
    json_decref(must(&lab, "POST", "catalogs", catalog("extra", "contrib")));
    job_refused(&lab, "catalogs/sync", NULL, "verify", "no Packages of component contrib");
    job_done(&lab, "catalogs/sync", json_pack("{s:[s]}", "names", "demo"));
    assert_int_equal(updates(), 3);
    job_refused(&lab, "catalogs/sync", json_pack("{s:[s]}", "names", "dmeo"), "not-found", "did you mean");
}

/* Two administrators at once. */
static void test_at_once(void **state)
{
    json_t *first, *second;

    (void)state;
    first = must(&lab, "POST", "catalogs/sync", NULL);
    second = must(&lab, "POST", "catalogs/sync", NULL);
    assert_string_not_equal(json_string_value(json_object_get(first, "job")), json_string_value(json_object_get(second, "job")));
    json_decref(job_end(&lab, first));
    json_decref(job_end(&lab, second));
    good();
    assert_int_equal(library_count(&lab), 2);
}

/* From the catalog to what nodes are told: a group's content, its closure with it, comes once. */
static void test_download(void **state)
{
    json_t *out;

    (void)state;
    good();
    json_decref(must(&lab, "POST", "groups", json_pack("{s:s}", "name", "october")));
    json_decref(must(&lab, "POST", "groups/october/members", json_pack("{s:[s]}", "updates", "ferry-app")));
    out = job(&lab, "groups/october/download", NULL);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(out, "result"), "fetched")), 2);
    json_decref(out);
    assert_int_equal(library_count(&lab), 4);
    out = job(&lab, "groups/october/download", NULL);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(out, "result"), "fetched")), 0);
    json_decref(out);
    job_refused(&lab, "groups/octobre/download", NULL, "not-found", "did you mean \"october\"?");
    json_decref(must(&lab, "POST", "groups/october/members", json_pack("{s:[s]}", "updates", "ferry-tool")));
    site_shell("for f in %s/pool/main/f/ferry-tool/*; do printf X | dd of=$f bs=1 seek=40 conv=notrunc status=none; done", lab.www);
    job_refused(&lab, "groups/october/download", NULL, "verify", "SHA-256");
    assert_int_equal(library_count(&lab), 4);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(test_good),     T(test_nothing_to_read), T(test_tampered), T(test_other_key), T(test_times),
        T(test_packages), T(test_no_component),    T(test_at_once),  T(test_download),
    };

    if (system("command -v gpg apt-ftparchive dpkg-scanpackages gpgv >/dev/null"))
        return 77;
    return cmocka_run_group_tests(tests, make, site_archive_end);
}
