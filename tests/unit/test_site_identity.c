/* The site's CA and TLS key: made once, kept, told; what is lost or mixed up is said, and nothing is made over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/site/site_identity.h"

#include <cmocka.h> /* last: its fail() is a macro */

#define NOW  1800000000
#define SITE "abcdefghijklmnop"

static char         dir[64], ca_key[96], tls_key[96], ca_pem[96];
static int          renames_left = -1;          /* negative: no crash */
static struct error e;

int rename(const char *from, const char *to);
int rename(const char *from, const char *to)
{
    if (renames_left == 0)
        _exit(77);
    renames_left -= renames_left > 0;
    return (int)syscall(SYS_rename, from, to);
}

static int begin(void **state)
{
    char keys[80];

    (void)state;
    strcpy(dir, "/tmp/ferry-identity-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(keys, sizeof keys, "%s/keys", dir);
    assert_int_equal(mkdir(keys, 0700), 0);
    snprintf(ca_key, sizeof ca_key, "%s/keys/ca.key", dir);
    snprintf(tls_key, sizeof tls_key, "%s/keys/tls.key", dir);
    snprintf(ca_pem, sizeof ca_pem, "%s/ca.pem", dir);
    return 0;
}

static int end(void **state)
{
    (void)state;
    return file_remove(dir, NULL) != OK;
}

static enum err open_at(struct site_identity *s, int64_t now)
{
    memset(s, 0, sizeof *s);
    return site_identity_open(s, dir, SITE, now, &e);
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

/* The same CA and the same key at every start, years later too; of TLS certificates only the key is the same. */
static void test_kept(void **state)
{
    struct site_identity first, later;
    struct certificate   ca, tls;
    char                 pin[CERTIFICATE_PIN];

    (void)state;
    assert_int_equal(open_at(&first, NOW), OK);
    assert_int_equal(mode_of(ca_key), 0600);
    assert_int_equal(mode_of(tls_key), 0600);
    assert_int_equal(certificate_check(first.ca_pem, first.ca_pem, NOW, &ca, &e), OK);
    assert_true(ca.ca);
    assert_string_equal(ca.subject, SITE);
    assert_int_equal(open_at(&later, NOW + 3 * 365 * 86400), OK);
    assert_string_equal(first.ca_pem, later.ca_pem);
    assert_string_equal(first.pin, later.pin);
    assert_string_equal(first.tls_key, later.tls_key);
    assert_int_equal(certificate_check(later.tls_certificate, NULL, NOW + 3 * 365 * 86400, &tls, &e), OK);
    assert_string_equal(certificate_pin(tls.public, pin), later.pin);
    assert_memory_not_equal(tls.public, ca.public, 32);
    site_identity_end(&first);
    site_identity_end(&later);
}

static void refused(enum err code, const char *part)
{
    struct site_identity s;
    enum err             got = open_at(&s, NOW);

    site_identity_end(&s);
    if (got != code || !strstr(e.text, part))
        fail_msg("%d \"%s\"; expected %d \"%s\"", got, got ? e.text : "", code, part);
}

static void test_lost(void **state)
{
    struct site_identity s;

    (void)state;
    assert_int_equal(open_at(&s, NOW), OK);
    site_identity_end(&s);
    unlink(ca_key);
    refused(ERR_CONDITION, "backup");
    assert_false(file_exists(ca_key));
    assert_int_equal(key_generate(&s.ca), OK);
    assert_int_equal(key_save(ca_key, &s.ca, &e), OK);
    refused(ERR_CONDITION, "is not the certificate of");
    unlink(ca_pem);
    assert_int_equal(open_at(&s, NOW), OK);
    site_identity_end(&s);
    assert_int_equal(chmod(tls_key, 0644), 0);
    refused(ERR_DENIED, "chmod 600");
    assert_int_equal(chmod(tls_key, 0600), 0);
    assert_int_equal(file_write(ca_pem, "nonsense", 8, 0644, NULL), OK);
    refused(ERR_VERIFY, "X.509");
    assert_int_equal(file_write(tls_key, "nonsense", 8, 0600, NULL), OK);
    unlink(ca_pem);
    refused(ERR_VERIFY, "tls.key");
}

/* Killed before any of its files has its name: the next start makes what is missing, of what is there. */
static void test_crash(void **state)
{
    struct site_identity s;
    int                  status = 77, k;

    (void)state;
    for (k = 0; status; k++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (!child) {
            renames_left = k;
            _exit(open_at(&s, NOW) ? 1 : 0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        status = WEXITSTATUS(status);
        assert_true(status == 77 || status == 0);
        assert_int_equal(open_at(&s, NOW), OK);
        site_identity_end(&s);
        if (status) {
            assert_int_equal(file_remove(dir, NULL), OK);
            begin(NULL);
        }
    }
    assert_int_equal(k, 4);                     /* three files */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {T(test_kept), T(test_lost), T(test_crash)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
