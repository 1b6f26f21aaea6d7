/* Who may read what below a fresh site and a fresh node, made by a process whose umask forbids nothing: private keys and databases are their
 * owner's, and nothing can be written by anybody else. */
#include "client_lab.h"

#include <ftw.h>

#include "node/site/create.h"

static size_t secrets;

static bool ends(const char *path, const char *with)
{
    size_t n = strlen(path), m = strlen(with);

    return n > m && !strcmp(path + n - m, with);
}

static bool is_secret(const char *path)
{
    AUTO(text_free) char *text = NULL;
    size_t                length = 0;

    if (ends(path, ".key") || strstr(path, ".db"))
        return true;
    return !file_read(path, 1u << 20, &text, &length, NULL) && memmem(text, length, "PRIVATE KEY", 11);
}

static int look(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)at;
    if (kind == FTW_SL)
        return 0;
    if (st->st_mode & 022)
        fail_msg("%s can be written by others: %o", path, st->st_mode & 0777);
    if (kind == FTW_F && is_secret(path)) {
        secrets++;
        if (st->st_mode & 077)
            fail_msg("%s is secret: %o", path, st->st_mode & 0777);
    }
    return 0;
}

static size_t secrets_below(const char *dir)
{
    struct stat st;

    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    secrets = 0;
    assert_int_equal(nftw(dir, look, 16, FTW_PHYS), 0);
    return secrets;
}

static void a_fresh_site(void **state)
{
    char                  dir[] = "/tmp/ferry-modes-XXXXXX";
    AUTO(text_free) char *site = NULL;
    json_t               *out = NULL;

    (void)state;
    assert_true(sodium_init() >= 0);
    assert_non_null(mkdtemp(dir));
    site = must_print("%s/site", dir);
    umask(0);
    assert_int_equal(site_create(site, "hq", "https://hq.example.org:8440", &out, NULL), OK);
    json_decref(out);
    assert_true(secrets_below(site) >= 3 + 3 + 1 + 2 + 1);      /* root, the online roles, the seal, CA and TLS, the ledger */
    assert_int_equal(file_remove(dir, NULL), OK);
}

static void a_fresh_node(void **state)
{
    struct client_lab *l = *state;
    struct stat        st;

    umask(0);
    file_remove(l->config.state_dir, NULL);
    lab_enrol(l);
    lab_start(l);
    lab_run(l, 1500);
    assert_true(secrets_below(l->config.state_dir) >= 2);       /* the node's key, its store */
    assert_int_equal(stat(l->socket, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_fresh_site), LAB_TEST(a_fresh_node)};

    return lab_main(argc, argv, tests);
}
