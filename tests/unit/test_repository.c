/* The site's half: what is published is what a node accepts, versions rise when something changed, and a crash leaves the old policy whole. */
#include "tests/unit/site_trust.h"

static const char *const names[] = {"policy/tills/october.json", "policy/tills/november.json", "policy/shops/october.json"};

static bool there(struct place *p, const char *below)
{
    AUTO(text_free) char *path = must_print("%s/policy/%s", p->dir, below);

    return file_exists(path);
}

static void test_made(void **state)
{
    struct place *p = *state;
    struct sha256 pinned, real;
    char          path[200];

    assert_int_equal(repository_create(p->dir, p->offline, LAB_SITE, p->now, &p->e), ERR_EXISTS);
    place_accepts(p);
    assert_int_equal(verifier_target_count(p->node.v), 0);
    must_be(p, repository_root_hash(p->r, &pinned, &p->e), OK);
    snprintf(path, sizeof path, "%s/policy/metadata/1.root.json", p->dir);
    must_be(p, hash_file(path, &real, NULL, &p->e), OK);
    assert_true(sha256_same(&pinned, &real));
    repository_close(p->r);
    assert_int_equal(repository_open("/tmp/nowhere", &p->r, &p->e), ERR_NOT_FOUND);
    p->r = NULL;
}

static void test_versions(void **state)
{
    struct place *p = *state;

    assert_true(place_publish(p, names, 3, "first", 1));
    place_accepts(p);
    assert_int_equal(verifier_target_count(p->node.v), 3);
    assert_false(place_publish(p, names, 3, "first", 1));
    assert_int_equal(place_refresh(p, NULL, NULL), VERIFIER_UNCHANGED);
    assert_true(place_publish(p, names, 3, "second", 2));
    assert_true(there(p, "metadata/2.tills.json") && there(p, "metadata/2.shops.json") && there(p, "metadata/3.snapshot.json"));
    place_accepts(p);
    assert_true(place_publish(p, names, 2, "second", 2));               /* shops has nothing left: an empty role, not a missing one */
    assert_true(there(p, "metadata/3.shops.json") && !there(p, "metadata/3.tills.json"));
    place_accepts(p);
    assert_int_equal(verifier_target_count(p->node.v), 2);
    place_reopen(p);
    assert_false(place_publish(p, names, 2, "second", 2));
}

/* A certificate in PEM, a description of two lines: what comes out is JSON, and the same text. */
static void test_lines(void **state)
{
    struct place         *p = *state;
    json_t               *body = json_pack("{s:s,s:i,s:s}", "audience", LAB_SITE, "seq", 1, "ca", "one\ntwo\t\"\\ \xc3\xa9\n"), *read;
    struct publication    one = {names[0], body};
    AUTO(text_free) char *path = NULL, *bytes = NULL;
    size_t                length;

    must_be(p, repository_publish(p->r, &one, 1, p->now, NULL, &p->e), OK);
    place_accepts(p);
    path = must_print("targets/%s", verifier_target(p->node.v, 0)->url_path);
    bytes = place_read(p, path, 4096, &length);
    assert_null(memchr(bytes, '\n', length));
    read = json_loadb(bytes, length, 0, NULL);
    assert_true(json_equal(read, body));
    json_decref(read);
    json_decref(body);
}

static void test_refused(void **state)
{
    static const char *const bad[] = {"tills/x.json", "policy/tills", "policy/root/x.json", "policy/../x.json", "policy/tills/../x",
                                      "policy/Tills/x.json", "policy/tills/a/b.json"};
    struct place      *p = *state;
    struct publication twice[2];
    json_t            *body = json_pack("{s:s,s:i}", "audience", LAB_SITE, "seq", 1), *nameless = json_object();
    bool               changed;

    for (size_t i = 0; i < COUNT(bad); i++) {
        twice[0] = (struct publication){bad[i], body};
        assert_int_equal(repository_publish(p->r, twice, 1, p->now, &changed, &p->e), ERR_USAGE);
    }
    twice[0] = twice[1] = (struct publication){names[0], body};
    assert_int_equal(repository_publish(p->r, twice, 2, p->now, &changed, &p->e), ERR_USAGE);
    twice[0].body = nameless;
    assert_int_equal(repository_publish(p->r, twice, 1, p->now, &changed, &p->e), ERR_USAGE);
    assert_false(there(p, "metadata/2.snapshot.json"));
    json_decref(body);
    json_decref(nameless);
}

/* The timestamp is signed again every six hours, the others at half their life; a year of that, and a node that looks in once a day. */
static void test_a_year(void **state)
{
    struct place *p = *state;
    int64_t       next = 0, end = p->now + 360LL * DAY_S;
    int           signed_again = 0;

    place_publish(p, names, 3, "first", 1);
    for (int day = 0; p->now < end; day++) {
        must_be(p, repository_refresh(p->r, p->now, &next, &p->e), OK);
        assert_true(next > p->now && next <= p->now + DAY_S / 4);
        signed_again++;
        if (day % 4 == 0)
            place_accepts(p);
        p->now = next;
    }
    assert_in_range(signed_again, 360 * 4, 360 * 4 + 10);
    p->now += 3 * DAY_S;                        /* the site was off for longer than a timestamp lives */
    assert_int_equal(place_refresh(p, NULL, NULL), VERIFIER_FAILED);
    must_be(p, repository_refresh(p->r, p->now, &next, &p->e), OK);
    place_accepts(p);
}

static enum err publish_more(struct place *p)
{
    place_publish(p, names, 3, "more", 2);
    return OK;
}

/* Whenever it ends: a node accepts what is there, the site opens, publishes, and a node accepts that. */
/* Signed by a clock ten years ahead: once it is right again everything is signed anew, with the lives it ought to have, and nodes take that. */
static void test_ahead(void **state)
{
    struct place *p = *state;
    int64_t       next, now = p->now, most = 0;

    assert_true(place_publish(p, names, 3, "first", 1));
    place_accepts(p);
    p->now += 3650LL * 86400;
    must_be(p, repository_refresh(p->r, p->now, &next, &p->e), OK);
    p->now = now;
    must_be(p, repository_refresh(p->r, p->now, &next, &p->e), OK);
    assert_true(next > now && next <= now + 86400);
    assert_int_equal(place_refresh(p, NULL, NULL), VERIFIER_DONE);
    most = verifier_expires(p->node.v);
    assert_true(most > now && most <= now + 2 * 86400);
    p->now = now + 91LL * 86400;                /* the delegated roles live no longer than they may either */
    assert_int_equal(place_refresh(p, NULL, NULL), VERIFIER_FAILED);
}

static void test_crashes(void **state)
{
    struct place *p = *state;
    int           k = 0;

    place_publish(p, names, 1, "first", 1);
    place_accepts(p);
    while (!place_crash(p, k++, publish_more)) {
        place_accepts(p);
        assert_int_equal(verifier_target_count(p->node.v), 1);
    }
    assert_true(k > 5);
    place_accepts(p);
    assert_int_equal(verifier_target_count(p->node.v), 3);
    place_reopen(p);
    assert_false(place_publish(p, names, 3, "more", 2));
}

/* What three snapshots need stays, older files go, roots stay for ever. */
static void test_swept(void **state)
{
    struct place *p = *state;

    for (int i = 1; i < 12; i++) {
        char what[20];
        snprintf(what, sizeof what, "edition %d", i);
        place_publish(p, names, 3, what, i);
    }
    assert_false(there(p, "metadata/2.tills.json"));
    assert_true(there(p, "metadata/11.tills.json") && there(p, "metadata/9.tills.json") && there(p, "metadata/1.root.json"));
    place_accepts(p);
}

/* What a refresh costs. */
static void test_sizes(void **state)
{
    static const int counts[] = {10, 100};
    struct place    *p = *state;
    char             texts[100][64];
    const char      *list[100];
    int              requests = 0;
    size_t           bytes = 0, length;

    for (size_t c = 0; c < COUNT(counts); c++) {
        for (int i = 0; i < counts[c]; i++) {
            snprintf(texts[i], sizeof texts[i], "policy/collection-%d/october.json", i);
            list[i] = texts[i];
        }
        place_publish(p, list, (size_t)counts[c], "first", 1);
        box_drop(&p->node.stored, "timestamp");
        box_drop(&p->node.stored, "snapshot");
        box_drop(&p->node.stored, "targets");
        for (int i = 0; i < counts[c]; i++) {
            AUTO(text_free) char *role = must_print("collection-%d", i);
            box_drop(&p->node.stored, role);
        }
        assert_int_equal(place_refresh(p, &requests, &bytes), VERIFIER_DONE);
        assert_int_equal(verifier_target_count(p->node.v), counts[c]);
        printf("a first refresh with %d collections: %d requests, %zu bytes\n", counts[c], requests, bytes);
        assert_int_equal(requests, 4 + counts[c]);
    }
    assert_int_equal(place_refresh(p, &requests, &bytes), VERIFIER_UNCHANGED);
    free(place_read(p, "metadata/timestamp.json", 4096, &length));
    printf("an idle refresh: %d requests, %zu bytes; the timestamp: %zu bytes\n", requests, bytes, length);
    assert_int_equal(requests, 2);
    assert_true(length < 1000);                 /* it fits an item of the DHT (BEP 44) */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, place_open, place_close)
    const struct CMUnitTest tests[] = {T(test_made),    T(test_versions), T(test_lines), T(test_refused), T(test_a_year),
                                       T(test_ahead),   T(test_crashes),  T(test_swept), T(test_sizes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
