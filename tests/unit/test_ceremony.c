/* Keys and roots of a site: listed, replaced, lost. Whatever happens, a node that was there before goes on, and old keys end up worthless. */
#include "policy/trust/repository_inside.h"
#include "tests/unit/site_trust.h"

static const char *const names[] = {"policy/tills/october.json", "policy/shops/october.json"};

static json_t *rotated(struct place *p, const char *role)
{
    json_t *todo = NULL;

    must_be(p, repository_rotate(p->r, role, NULL, p->now, &todo, &p->e), OK);
    return todo;
}

static void row_is(struct place *p, const char *role, size_t count, const char *where)
{
    json_t *rows = NULL, *row;
    size_t  i, found = 0;

    must_be(p, repository_keys(p->r, &rows, &p->e), OK);
    json_array_foreach(rows, i, row)
        if (!strcmp(json_string_value(json_object_get(row, "role")), role)) {
            found++;
            if (!strstr(json_string_value(json_object_get(row, "where")), where))
                fail_msg("%s lies in %s", role, json_string_value(json_object_get(row, "where")));
        }
    if (found != count)
        fail_msg("%zu keys of %s, %zu were expected", found, role, count);
    json_decref(rows);
}

static void test_listed(void **state)
{
    struct place *p = *state;
    json_t       *todo;

    place_publish(p, names, 2, "x", 1);
    row_is(p, "root", 3, "still here");
    row_is(p, "timestamp", 1, "keys/timestamp.key");
    row_is(p, "delegate-tills", 1, "keys/delegate-tills.key");
    assert_int_equal(file_remove(p->offline, NULL), OK);
    row_is(p, "root", 3, "offline");
    todo = rotated(p, "snapshot");
    row_is(p, "snapshot", 2, "keys/snapshot");
    json_decref(todo);
}

/* Every online role, gently: the node never meets a file it refuses. */
static void test_rotated(void **state)
{
    static const char *const roles[] = {"timestamp", "snapshot", "targets", "online"};
    struct place            *p = *state;

    place_publish(p, names, 2, "x", 1);
    place_accepts(p);
    for (size_t i = 0; i < COUNT(roles); i++) {
        struct key old[ONLINE];
        json_t    *todo = rotated(p, roles[i]);

        for (int k = 0; k < ONLINE; k++)
            old[k] = p->r->keys[k].key;
        place_accepts(p);
        assert_int_equal(repository_accept(p->r, todo, p->now, &p->e), ERR_CONDITION);
        place_sign(p, todo, "1");
        assert_int_equal(repository_accept(p->r, todo, p->now, &p->e), ERR_CONDITION);
        place_sign(p, todo, "1");               /* once more by the same holder counts once */
        assert_int_equal(repository_accept(p->r, todo, p->now, &p->e), ERR_CONDITION);
        place_sign(p, todo, "3");
        must_be(p, repository_accept(p->r, todo, p->now, &p->e), OK);
        place_accepts(p);
        assert_int_equal(place_root(p), 2 + i);
        assert_int_equal(verifier_target_count(p->node.v), 2);
        for (int k = 0; k < ONLINE; k++)
            assert_int_equal(memcmp(&old[k], &p->r->keys[k].key, sizeof old[k]) != 0, i == 3 || (size_t)k == i);
        assert_int_equal(repository_accept(p->r, todo, p->now, &p->e), ERR_VERIFY);      /* not twice */
        json_decref(todo);
        place_publish(p, names, 2, "y", 2 + (int64_t)i);
        place_accepts(p);
        place_reopen(p);
        row_is(p, "timestamp", 1, "keys/timestamp.key");
    }
}

/* A collection's key is replaced at once and by nobody else's leave; other collections' files stay as they are. */
static void test_delegate(void **state)
{
    struct place *p = *state;
    json_t       *todo;
    int64_t       shops;

    place_publish(p, names, 2, "x", 1);
    place_accepts(p);
    shops = lab_stored_version(&p->node, "shops");
    todo = rotated(p, "delegate-tills");
    assert_null(todo);
    place_accepts(p);
    assert_int_equal(lab_stored_version(&p->node, "tills"), 2);
    assert_int_equal(lab_stored_version(&p->node, "shops"), shops);
    assert_int_equal(place_root(p), 1);
    assert_int_equal(repository_rotate(p->r, "delegate-none", NULL, p->now, &todo, &p->e), ERR_NOT_FOUND);
    assert_int_equal(repository_rotate(p->r, "root", NULL, p->now, &todo, &p->e), ERR_USAGE);
    assert_int_equal(repository_rotate(p->r, "mirrors", NULL, p->now, &todo, &p->e), ERR_USAGE);
}

/* A key made elsewhere. */
static void test_imported(void **state)
{
    struct place *p = *state;
    struct key    mine;
    json_t       *todo = NULL;

    place_publish(p, names, 2, "x", 1);
    place_accepts(p);
    assert_int_equal(key_generate(&mine), OK);
    must_be(p, repository_rotate(p->r, "timestamp", &mine, p->now, &todo, &p->e), OK);
    place_sign(p, todo, "12");
    must_be(p, repository_accept(p->r, todo, p->now, &p->e), OK);
    json_decref(todo);
    place_accepts(p);
    assert_memory_equal(&mine, &p->r->keys[TIMESTAMP].key, sizeof mine);
    assert_int_equal(repository_rotate(p->r, "online", &mine, p->now, &todo, &p->e), ERR_USAGE);
}

/* One root key lost: the other two replace it, and the new one counts from then on. */
static void test_root_key(void **state)
{
    struct place     *p = *state;
    struct key        fresh, stranger;
    struct todo_state how;
    char              lost[SHA256_HEX];
    json_t           *todo = NULL;

    place_accepts(p);
    assert_int_equal(key_generate(&fresh), OK);
    assert_int_equal(key_generate(&stranger), OK);
    snprintf(lost, sizeof lost, "%s", json_string_value(json_array_get(root_keyids(&p->r->root, "root"), 1)));
    assert_int_equal(repository_renew(p->r, "nobody", fresh.public, p->now, &todo, &p->e), ERR_NOT_FOUND);
    assert_int_equal(repository_renew(p->r, "", fresh.public, p->now, &todo, &p->e), ERR_NOT_FOUND);
    lost[12] = 0;
    must_be(p, repository_renew(p->r, lost, fresh.public, p->now, &todo, &p->e), OK);
    assert_int_equal(todo_sign(todo, &stranger, &how, &p->e), ERR_DENIED);
    must_be(p, todo_sign(todo, &fresh, &how, &p->e), OK);
    assert_int_equal(how.old_have, 0);
    assert_int_equal(how.new_have, 1);
    assert_false(how.ready);
    place_sign(p, todo, "2");                   /* the lost one turns up: it is still one of the old root's */
    assert_int_equal(repository_accept(p->r, todo, p->now, &p->e), ERR_CONDITION);
    place_sign(p, todo, "13");
    must_be(p, repository_accept(p->r, todo, p->now, &p->e), OK);
    json_decref(todo);
    place_accepts(p);
    assert_int_equal(place_root(p), 2);
    must_be(p, repository_renew(p->r, NULL, NULL, p->now + 300 * DAY_S, &todo, &p->e), OK);
    place_sign(p, todo, "1");
    must_be(p, todo_sign(todo, &fresh, &how, &p->e), OK);
    assert_true(how.ready);
    must_be(p, repository_accept(p->r, todo, p->now, &p->e), OK);
    assert_int_equal(repository_root_expires(p->r), p->now + 665LL * DAY_S);
    json_decref(todo);
    place_accepts(p);
    assert_int_equal(place_root(p), 3);
}

/* Two of three may leave only when the threshold can still be met. */
static void test_too_few(void **state)
{
    struct place *p = *state;
    json_t       *todo = NULL;
    char          first[13];

    snprintf(first, sizeof first, "%s", json_string_value(json_array_get(root_keyids(&p->r->root, "root"), 0)));
    must_be(p, repository_renew(p->r, first, NULL, p->now, &todo, &p->e), OK);
    place_sign(p, todo, "23");
    must_be(p, repository_accept(p->r, todo, p->now, &p->e), OK);
    json_decref(todo);
    snprintf(first, sizeof first, "%s", json_string_value(json_array_get(root_keyids(&p->r->root, "root"), 0)));
    assert_int_equal(repository_renew(p->r, first, NULL, p->now, &todo, &p->e), ERR_VERIFY);
    place_accepts(p);
}

static void refused(struct place *p, const char *path, const char *value, const char *says)
{
    json_t *todo = rotated(p, "timestamp");

    lab_set(todo, path, value);
    if (strncmp(path, "next>sign", 9) || !strcmp(path, "next>signed>expires") || !strcmp(path, "next>signed>x-ferry-site"))
        place_sign(p, todo, "12");
    if (repository_accept(p->r, todo, p->now, &p->e) == OK || !strstr(p->e.text, says))
        fail_msg("%s: %s", path, p->e.text);
    json_decref(todo);
}

/* A todo travels: what comes back is not trusted to be what left. */
static void test_refused(void **state)
{
    struct place *p = *state;
    json_t       *first, *second;

    place_accepts(p);
    refused(p, "next>signed>expires", "'2020-01-01T00:00:00Z'", "has expired already");
    refused(p, "next>signed>x-ferry-site", "'other'", "another site");
    refused(p, "next>signed>version", "7", "does not follow");
    refused(p, "next>signatures", "[{'keyid':'x','sig':''}]", "0 of 2");
    first = rotated(p, "timestamp");
    place_sign(p, first, "12");
    lab_set(first, "next>signed>roles>timestamp>threshold", "0");
    assert_int_equal(repository_accept(p->r, first, p->now, &p->e), ERR_CONDITION);      /* the signatures are worth nothing now */
    json_decref(first);
    first = rotated(p, "timestamp");
    second = rotated(p, "timestamp");           /* the first one's key is gone */
    place_sign(p, first, "12");
    assert_int_equal(repository_accept(p->r, first, p->now, &p->e), ERR_CONDITION);
    json_decref(first);
    first = rotated(p, "snapshot");             /* what waits goes along */
    place_sign(p, second, "12");
    assert_int_equal(repository_accept(p->r, second, p->now, &p->e), ERR_CONDITION);
    place_sign(p, first, "23");
    must_be(p, repository_accept(p->r, first, p->now, &p->e), OK);
    json_decref(first);
    json_decref(second);
    place_accepts(p);
    second = json_object();
    assert_int_equal(repository_accept(p->r, second, p->now, &p->e), ERR_USAGE);
    json_decref(second);
}

/* The todo of the crash tests; made once, so that every child accepts the same. */
static json_t *signed_todo;

static enum err accept_it(struct place *p)
{
    return repository_accept(p->r, signed_todo, p->now, &p->e);
}

static void test_crashes(void **state)
{
    struct place *p = *state;
    int           k = 0;
    bool          through = false;

    place_publish(p, names, 2, "x", 1);
    place_accepts(p);
    signed_todo = rotated(p, "online");
    place_sign(p, signed_todo, "13");
    while (!through) {
        through = place_crash(p, k++, accept_it);
        place_accepts(p);                       /* as the crash left it: old root or new */
        place_reopen(p);
        place_publish(p, names, 2, "x", 1);     /* as a site does when it starts */
        place_accepts(p);
        if (place_root(p) == 2)
            break;                              /* the rest was done at the opening; what comes now is refused as done */
    }
    assert_int_equal(place_root(p), 2);
    assert_true(k > 3);
    row_is(p, "timestamp", 1, "keys/timestamp.key");
    row_is(p, "targets", 1, "keys/targets.key");
    json_decref(signed_todo);
}

/* A crash behind the commit, at every rename behind it: the opening finishes what was begun. */
static void test_crashes_behind(void **state)
{
    struct place *p = *state;
    AUTO(text_free) char *copy = must_print("cp -a %s %s.copy", p->dir, p->dir), *back = NULL, *command = NULL;

    place_publish(p, names, 2, "x", 1);
    place_accepts(p);
    signed_todo = rotated(p, "online");
    place_sign(p, signed_todo, "13");
    repository_close(p->r);
    p->r = NULL;
    assert_int_equal(system(copy), 0);
    for (int k = 0;; k++) {
        bool through;

        command = must_print("rm -rf %s && cp -a %s.copy %s", p->dir, p->dir, p->dir);
        assert_int_equal(system(command), 0);
        text_free(&command);
        must_be(p, repository_open(p->dir, &p->r, &p->e), OK);
        through = place_crash(p, k, accept_it);
        place_reopen(p);
        place_publish(p, names, 2, "x", 1);
        place_accepts(p);
        repository_close(p->r);
        p->r = NULL;
        box_drop(&p->node.stored, "timestamp");
        box_drop(&p->node.stored, "snapshot");
        if (place_root(p) == 2) {               /* the next round begins with the old root again, as a node that has not polled yet */
            AUTO(text_free) char *path = must_print("%s.copy/policy/metadata/1.root.json", p->dir), *bytes = NULL;
            size_t                length;

            must_be(p, file_read(path, 1 << 20, &bytes, &length, &p->e), OK);
            box_put(&p->node.stored, "root", bytes, length);
        }
        if (through)
            break;
    }
    back = must_print("rm -rf %s.copy", p->dir);
    assert_int_equal(system(back), 0);
    json_decref(signed_todo);
}

static void lose(struct place *p, const char *name)
{
    AUTO(text_free) char *path = must_print("%s/keys/%s.key", p->dir, name);

    assert_int_equal(unlink(path), 0);
}

/* The online host's keys are gone, and somebody else may have them: he has taken the versions far ahead. The offline root puts it right. */
static void test_lost(void **state)
{
    struct place *p = *state;
    json_t       *todo;

    place_publish(p, names, 2, "x", 1);
    place_accepts(p);
    lose(p, "timestamp");
    lose(p, "snapshot");
    lose(p, "targets");
    lose(p, "delegate-tills");
    repository_close(p->r);
    p->r = NULL;
    assert_int_equal(repository_open(p->dir, &p->r, &p->e), ERR_NOT_FOUND);
    assert_non_null(strstr(p->e.text, "ferry-trust(7)"));
    must_be(p, repository_open_lost(p->dir, &p->r, &p->e), OK);
    row_is(p, "timestamp", 1, "lost");
    row_is(p, "delegate-tills", 1, "lost");
    todo = rotated(p, "online");
    place_accepts(p);                           /* until then the old policy stands */
    place_sign(p, todo, "23");
    must_be(p, repository_accept(p->r, todo, p->now, &p->e), OK);
    json_decref(todo);
    place_accepts(p);
    assert_int_equal(place_root(p), 2);
    assert_int_equal(verifier_target_count(p->node.v), 2);
    place_reopen(p);
    place_publish(p, names, 2, "y", 2);
    place_accepts(p);
}

static void test_stolen(void **state)
{
    struct place     *p = *state;
    struct key        stolen[ONLINE];
    struct lab        thief = {.profile = PROFILE_FERRY};
    json_t           *todo, *far;
    char             *bytes;
    size_t            length;

    (void)thief;
    place_publish(p, names, 2, "x", 1);
    place_accepts(p);
    for (int i = 0; i < ONLINE; i++)
        stolen[i] = p->r->keys[i].key;
    far = json_deep_copy(p->r->timestamp);      /* the thief's timestamp, far ahead: this node met his mirror */
    json_object_set_new(far, "version", json_integer(INT64_MAX - 5));
    json_object_set_new(json_object_get(json_object_get(far, "meta"), "snapshot.json"), "version", json_integer(INT64_MAX - 5));
    thief.keys[strlen("ABC")] = stolen[TIMESTAMP];
    bytes = lab_sign(&thief, far, "T", &length);
    box_put(&p->node.stored, "timestamp", bytes, length);
    free(bytes);
    json_decref(far);
    assert_int_equal(place_refresh(p, NULL, NULL), VERIFIER_FAILED);
    assert_non_null(strstr(p->node.e.text, "rolled back"));
    todo = rotated(p, "online");
    place_sign(p, todo, "13");
    must_be(p, repository_accept(p->r, todo, p->now, &p->e), OK);
    json_decref(todo);
    place_accepts(p);                           /* the new root drops what the thief had signed */
    assert_int_equal(verifier_target_count(p->node.v), 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, place_open, place_close)
    const struct CMUnitTest tests[] = {T(test_listed),  T(test_rotated), T(test_delegate), T(test_imported),       T(test_root_key), T(test_too_few),
                                       T(test_refused), T(test_crashes), T(test_crashes_behind), T(test_lost), T(test_stolen)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
