/* What the repository of test_attacks.c does when it lies, and some things that look like it and are not. */
#ifndef FERRY_TESTS_UNIT_ATTACK_ACTS_H
#define FERRY_TESTS_UNIT_ATTACK_ACTS_H

#include "tests/unit/trust_lab.h"

static void serve_again(struct lab *l, const char *role, const char *signers)
{
    json_object_set_new(l->signers, role, json_string(signers));
    if (!strcmp(role, "root"))
        lab_serve(l, role);
    lab_publish(l);
}

/* A root with this change, signed as it has to be, and everything behind it. */
static void rotate(struct lab *l, const char *role, const char *letters, int threshold, const char *root_signers)
{
    lab_let(l, role, letters, threshold);
    json_object_set_new(l->signers, "root", json_string(root_signers));
    if (strcmp(role, "root"))
        json_object_set_new(l->signers, role, json_string(letters));
    lab_serve(l, "root");
    lab_publish(l);
}

static void set_version(struct lab *l, const char *role, int64_t version)
{
    json_object_set_new(lab_body(l, role), "version", json_integer(version));
}

/* What was served under a name is served under another as well. */
static void serve_as(struct lab *l, const char *from, const char *to)
{
    int i = box_find(&l->served, from);

    assert_true(i >= 0);
    box_put(&l->served, to, l->served.items[i].bytes, l->served.items[i].length);
}

/* --- arbitrary software --- */

static void twice_by_one(struct lab *l)         { serve_again(l, "root", "AA"); }
static void stranger(struct lab *l)             { serve_again(l, "timestamp", "N"); }
static void another_roles_key(struct lab *l)    { serve_again(l, "snapshot", "TGL"); }
static void another_collections_key(struct lab *l) { serve_again(l, "tills", "H"); }

static void two_ids(struct lab *l, const char *second)
{
    json_t     *root = lab_body(l, "root"), *role = json_object_get(json_object_get(root, "roles"), "snapshot");
    const char *id = json_string_value(json_array_get(json_object_get(role, "keyids"), 0));

    if (second)
        json_object_set(json_object_get(root, "keys"), second, json_object_get(json_object_get(root, "keys"), id));
    json_array_append_new(json_object_get(role, "keyids"), json_string(second ? second : id));
    json_object_set_new(role, "threshold", json_integer(2));
    lab_serve(l, "root");
    lab_publish(l);
}

/* The same signature once more under the key's other name. */
static void one_key_two_ids(struct lab *l)
{
    AUTO(text_free) char *text = NULL, *again = NULL;
    int                   i;
    json_t               *file, *list, *copy;

    two_ids(l, "other");
    i = box_find(&l->served, "2.snapshot.json");
    text = must_copy(l->served.items[i].bytes);
    file = json_loads(text, 0, NULL);
    list = json_object_get(file, "signatures");
    copy = json_deep_copy(json_array_get(list, 0));
    json_object_set_new(copy, "keyid", json_string("other"));
    json_array_append_new(list, copy);
    again = json_dumps(file, 0);
    box_put(&l->served, "2.snapshot.json", again, strlen(again));
    if (l->hashes) {
        lab_announce(l, "snapshot", again, strlen(again), 2);
        lab_serve(l, "timestamp");
    }
    json_decref(file);
}

static void one_id_twice(struct lab *l) { two_ids(l, NULL); }

static void wrong_keyid(struct lab *l)
{
    json_t     *root = lab_body(l, "root"), *keys = json_object_get(root, "keys");
    char        id[SHA256_HEX];

    key_id(lab_key(l, 'N')->public, id);
    json_object_set_new(keys, id, key_to_json(lab_key(l, 'O')->public));
    json_array_append_new(json_object_get(json_object_get(json_object_get(root, "roles"), "timestamp"), "keyids"), json_string(id));
    lab_serve(l, "root");
    lab_publish(l);
}

static void altered(struct lab *l, const char *file)
{
    int   i = box_find(&l->served, file);
    char *version = i < 0 ? NULL : strstr(l->served.items[i].bytes, "1.0.31");

    assert_non_null(version);
    version[5] = '2';
}
static void altered_timestamp(struct lab *l)
{
    lab_publish(l);
    altered(l, "timestamp.json");
}
static void altered_root(struct lab *l)
{
    lab_serve(l, "root");
    altered(l, "2.root.json");
}

static void target_other(struct lab *l) { l->target[5] ^= 1; }
static void target_short(struct lab *l) { l->target[10] = 0; }
static void target_long(struct lab *l)
{
    char *longer = must_print("%s ", l->target);

    free(l->target);
    l->target = longer;
}

/* --- rollback --- */

static void older_timestamp(struct lab *l)
{
    lab_publish(l);
    assert_true(lab_take(l));
    set_version(l, "timestamp", 0);
    lab_serve(l, "timestamp");
}
static void older_snapshot(struct lab *l)
{
    lab_publish(l);
    assert_true(lab_take(l));
    set_version(l, "snapshot", 0);
    lab_serve(l, "snapshot");
    lab_serve(l, "timestamp");
}
static void older_role(struct lab *l, const char *role)
{
    lab_publish(l);
    assert_true(lab_take(l));
    set_version(l, role, 0);
    lab_publish(l);
}
static void older_targets(struct lab *l) { older_role(l, "targets"); }
static void older_tills(struct lab *l)   { older_role(l, "tills"); }
static void role_vanished(struct lab *l)
{
    json_object_del(l->bodies, "shops");
    json_object_del(json_object_get(lab_body(l, "snapshot"), "meta"), "shops.json");
    json_array_remove(json_object_get(json_object_get(lab_body(l, "targets"), "delegations"), "roles"), 1);
    lab_publish(l);
}
static void root_skips(struct lab *l)
{
    set_version(l, "root", 2);
    lab_serve(l, "root");
    serve_as(l, "3.root.json", "2.root.json");
}
static void root_again(struct lab *l) { serve_as(l, "1.root.json", "2.root.json"); }

/* --- freeze --- */

static void expires_now(struct lab *l, const char *role)
{
    json_t *body = lab_body(l, role);

    json_object_set_new(body, "expires", json_string("2027-01-15T08:00:00Z"));
    if (!strcmp(role, "root"))
        lab_serve(l, role);
    lab_publish(l);
}
static void root_expires(struct lab *l)      { expires_now(l, "root"); }
static void timestamp_expires(struct lab *l) { expires_now(l, "timestamp"); }
static void snapshot_expires(struct lab *l)  { expires_now(l, "snapshot"); }
static void targets_expire(struct lab *l)    { expires_now(l, "targets"); }
static void tills_expire(struct lab *l)      { expires_now(l, "tills"); }
static void frozen(struct lab *l)            { l->now += 86400; }
/* The timestamp is signed again and again, what it announces is left to go stale. */
static void stale(struct lab *l, const char *role)
{
    json_object_set_new(lab_body(l, role), "expires", json_string("2027-01-15T09:00:00Z"));
    lab_publish(l);
    assert_true(lab_take(l));
    l->now += 7200;
    lab_serve(l, "timestamp");
}
static void stale_snapshot(struct lab *l) { stale(l, "snapshot"); }
static void stale_targets(struct lab *l)  { stale(l, "targets"); }
static void stale_tills(struct lab *l)    { stale(l, "tills"); }
static void old_root_on_the_way(struct lab *l)
{
    expires_now(l, "root");
    json_object_set_new(lab_body(l, "root"), "expires", json_string("2028-01-01T00:00:00Z"));
    lab_serve(l, "root");
}

/* --- fast-forward --- */

static void far_ahead(struct lab *l)
{
    static const char *const roles[] = {"timestamp", "snapshot", "targets", "tills"};

    for (size_t i = 0; i < COUNT(roles); i++)
        set_version(l, roles[i], INT64_MAX - 3);
    lab_publish(l);
    assert_true(lab_take(l));
    for (size_t i = 0; i < COUNT(roles); i++)
        set_version(l, roles[i], 1);
}
static void recovered_by_timestamp(struct lab *l)
{
    far_ahead(l);
    rotate(l, "timestamp", "N", 1, "AB");
}
static void recovered_by_snapshot(struct lab *l)
{
    far_ahead(l);
    rotate(l, "snapshot", "N", 1, "AB");
}
static void not_by_targets(struct lab *l)       /* their key says nothing of the announcers' versions */
{
    far_ahead(l);
    rotate(l, "targets", "N", 1, "AB");
}
static void not_by_threshold(struct lab *l)
{
    far_ahead(l);
    lab_set(lab_body(l, "root"), "roles>timestamp>x", "1");
    rotate(l, "timestamp", "T", 1, "AB");
}
static void version_most(struct lab *l)
{
    set_version(l, "timestamp", INT64_MAX - 1);
    lab_publish(l);
}

/* --- mix and match --- */

static void announce_wrong(struct lab *l, const char *announcer, const char *path, const char *value)
{
    l->hashes = true;
    l->edit_role = announcer;
    l->edit_path = path;
    l->edit_value = value;
    lab_publish(l);
}
#define ZEROS "'0000000000000000000000000000000000000000000000000000000000000000'"
static void snapshot_hash(struct lab *l) { announce_wrong(l, "timestamp", "meta>snapshot.json>hashes>sha256", ZEROS); }
static void targets_hash(struct lab *l)  { announce_wrong(l, "snapshot", "meta>targets.json>hashes>sha256", ZEROS); }
static void tills_hash(struct lab *l)    { announce_wrong(l, "snapshot", "meta>tills.json>hashes>sha256", ZEROS); }
static void snapshot_shorter(struct lab *l)
{
    l->careless = true;
    announce_wrong(l, "timestamp", "meta>snapshot.json>length", "400");
}
static void snapshot_longer(struct lab *l) { announce_wrong(l, "timestamp", "meta>snapshot.json>length", "40000"); }
static void limit_announced(struct lab *l) { announce_wrong(l, "timestamp", "meta>snapshot.json>length", "400"); }
static void hash_of_no_kind(struct lab *l) { announce_wrong(l, "snapshot", "meta>targets.json>hashes", "{'md5': '00'}"); }
/* The old file, announced as the new one. */
static void announce_old(struct lab *l, const char *role)
{
    AUTO(text_free) char *old = must_print("1.%s.json", role), *new = must_print("2.%s.json", role);
    int                   i;

    lab_publish(l);
    serve_as(l, old, new);
    i = box_find(&l->served, old);
    lab_announce(l, role, l->served.items[i].bytes, l->served.items[i].length, 2);
    if (strcmp(role, "snapshot"))
        lab_serve(l, "snapshot");
    lab_serve(l, "timestamp");
}
static void snapshot_version(struct lab *l) { announce_old(l, "snapshot"); }
static void targets_version(struct lab *l)  { announce_old(l, "targets"); }
static void tills_version(struct lab *l)    { announce_old(l, "tills"); }
static void unannounced(struct lab *l, const char *role)
{
    AUTO(text_free) char *path = must_print("meta>%s.json", role);

    box_drop(&l->stored, "timestamp");
    box_drop(&l->stored, "snapshot");
    announce_wrong(l, "snapshot", path, NULL);
}
static void targets_unannounced(struct lab *l) { unannounced(l, "targets"); }
static void tills_unannounced(struct lab *l)   { unannounced(l, "tills"); }

/* --- endless data --- */

static void padded(struct lab *l, const char *role, size_t size)
{
    char *spaces = must_alloc(size + 1);

    memset(spaces, 'x', size);
    json_object_set_new(lab_body(l, role), "padding", json_string(spaces));
    free(spaces);
    if (!strcmp(role, "root"))
        lab_serve(l, role);
    lab_publish(l);
}
static void big_root(struct lab *l)      { padded(l, "root", strict(l->profile) ? 64u << 10 : 512u << 10); }
static void big_timestamp(struct lab *l) { padded(l, "timestamp", strict(l->profile) ? 4u << 10 : 16u << 10); }
static void big_snapshot(struct lab *l)  { padded(l, "snapshot", strict(l->profile) ? 256u << 10 : 2u << 20); }
static void big_targets(struct lab *l)   { padded(l, "targets", strict(l->profile) ? 512u << 10 : 5u << 20); }
static void big_careless(struct lab *l)
{
    l->careless = true;
    big_timestamp(l);
}
static void big_careless_root(struct lab *l)
{
    l->careless = true;
    big_root(l);
}

/* --- wrong repository, keys --- */

static void another_site(struct lab *l)
{
    struct lab *b = lab_new(l->profile);

    lab_serve(b, "root");
    lab_publish(b);
    box_end(&l->served);
    for (size_t i = 0; i < b->served.count; i++)
        if (strcmp(b->served.items[i].name, "2.root.json"))
            box_put(&l->served, b->served.items[i].name, b->served.items[i].bytes, b->served.items[i].length);
    lab_free(b);
}
static void another_sites_root(struct lab *l)
{
    struct lab *b = lab_new(l->profile);

    lab_serve(b, "root");
    box_put(&l->served, "2.root.json", b->served.items[box_find(&b->served, "2.root.json")].bytes,
            b->served.items[box_find(&b->served, "2.root.json")].length);
    lab_free(b);
}
static void body_says(struct lab *l, const char *body)
{
    free(l->target);
    l->target = must_copy(body);
    lab_target(l, "tills", LAB_TARGET, body);
    lab_publish(l);
}
static void other_audience(struct lab *l) { body_says(l, "{\"audience\":\"another-site\",\"seq\":7}"); }
static void no_audience(struct lab *l)    { body_says(l, "{\"seq\":7}"); }
static void other_seq(struct lab *l)      { body_says(l, "{\"audience\":\"" LAB_SITE "\",\"seq\":6}"); }
static void no_seq(struct lab *l)         { body_says(l, "{\"audience\":\"" LAB_SITE "\"}"); }

static void rotate_timestamp(struct lab *l)    { rotate(l, "timestamp", "N", 1, "AB"); }
static void rotate_snapshot(struct lab *l)     { rotate(l, "snapshot", "N", 1, "AB"); }
static void rotate_targets(struct lab *l)      { rotate(l, "targets", "N", 1, "AB"); }
static void rotate_root(struct lab *l)         { rotate(l, "root", "ABN", 2, "AB"); }
static void rotate_all_roots(struct lab *l)    { rotate(l, "root", "NO", 2, "ABNO"); }
static void more_timestamps(struct lab *l)     { rotate(l, "timestamp", "TNO", 2, "AB"); }
static void lost_root_key(struct lab *l)       { rotate(l, "timestamp", "N", 1, "AC"); }
static void threshold_up(struct lab *l)        { rotate(l, "root", "ABC", 3, "ABC"); }
static void not_by_the_old(struct lab *l)      { rotate(l, "root", "ANO", 2, "ANO"); }
static void not_by_the_new(struct lab *l)      { rotate(l, "root", "NO", 2, "AB"); }
static void threshold_up_unmet(struct lab *l)  { rotate(l, "root", "ABC", 3, "AB"); }
static void threshold_down_alone(struct lab *l) { rotate(l, "root", "ABC", 1, "A"); }
static void old_timestamp_key(struct lab *l)
{
    rotate(l, "timestamp", "N", 1, "AB");
    serve_again(l, "timestamp", "T");
}
/* The key that signed what is stored is no longer trusted: what it signed is not either, though it is announced unchanged. */
static void stored_by_old_key(struct lab *l)
{
    lab_let(l, "targets", "N", 1);
    lab_serve(l, "root");
}
static void stored_spoilt(struct lab *l)        /* by whoever may write on the disk: it is simply fetched again */
{
    static const char *const roles[] = {"timestamp", "snapshot", "targets", "tills"};

    for (size_t i = 0; i < COUNT(roles); i++)
        box_put(&l->stored, roles[i], "{}", 2);
}
/* Whoever may write on the disk, but not sign, puts a timestamp there that is far ahead: it counts for nothing. */
static void stored_forged(struct lab *l)
{
    size_t n;
    char  *bytes;

    set_version(l, "timestamp", 100);
    bytes = lab_sign(l, lab_body(l, "timestamp"), "N", &n);
    box_put(&l->stored, "timestamp", bytes, n);
    free(bytes);
    set_version(l, "timestamp", 1);
    lab_publish(l);
}
static void stored_root_spoilt(struct lab *l) { box_put(&l->stored, "root", "{}", 2); }
static void stored_root_unsigned(struct lab *l)
{
    size_t n;
    char  *bytes = lab_sign(l, lab_body(l, "root"), "A", &n);

    box_put(&l->stored, "root", bytes, n);
    free(bytes);
}
static void many_roots(struct lab *l)
{
    for (int i = 0; i < 40; i++)
        lab_serve(l, "root");
    assert_true(lab_take(l));
    assert_int_equal(lab_stored_version(l, "root"), 33);
    assert_true(lab_take(l));
    assert_int_equal(lab_stored_version(l, "root"), 41);
}

/* --- delegations --- */

static void unknown_key(struct lab *l)
{
    json_t *root = lab_body(l, "root");

    lab_set(root, "keys>stranger", "{'keytype':'sphincs','scheme':'s','keyval':{'public':'00'}}");
    json_array_append_new(json_object_get(json_object_get(json_object_get(root, "roles"), "snapshot"), "keyids"), json_string("stranger"));
    json_array_append_new(json_object_get(json_object_get(json_object_get(root, "roles"), "snapshot"), "keyids"), json_string("nowhere"));
    lab_serve(l, "root");
    lab_publish(l);
}
static void broken_key(struct lab *l)
{
    json_t *root = lab_body(l, "root");

    lab_set(root, "keys>broken", "{'keytype':'ed25519','scheme':'ed25519','keyval':{'public':'00'}}");
    json_array_append_new(json_object_get(json_object_get(json_object_get(root, "roles"), "snapshot"), "keyids"), json_string("broken"));
    lab_serve(l, "root");
    lab_publish(l);
}
static void claimed_before(struct lab *l, bool terminating)
{
    json_object_del(lab_body(l, "targets"), "delegations");
    lab_delegate(l, "targets", "shops", "H", "policy/tills/*", terminating);
    lab_delegate(l, "targets", "tills", "L", "policy/tills/*", true);
    lab_publish(l);
}
static void claimed_terminating(struct lab *l) { claimed_before(l, true); }
static void claimed_otherwise(struct lab *l)   { claimed_before(l, false); }
static void by_hash(struct lab *l)
{
    lab_set(lab_body(l, "targets"), "delegations>roles>0>paths", NULL);
    lab_set(lab_body(l, "targets"), "delegations>roles>0>path_hash_prefixes", "['ff', '" LAB_TARGET_HASH "']");
    lab_publish(l);
}
static void by_another_hash(struct lab *l)
{
    lab_set(lab_body(l, "targets"), "delegations>roles>0>paths", NULL);
    lab_set(lab_body(l, "targets"), "delegations>roles>0>path_hash_prefixes", "['']");
    lab_publish(l);
}
static void roles_of(struct lab *l, int count)
{
    for (int i = 2; i < count; i++) {
        AUTO(text_free) char *name = must_print("role-%d", i);
        lab_delegate(l, "targets", name, "H", "policy/more/*", true);
    }
    lab_publish(l);
}
static void too_many_roles(struct lab *l) { roles_of(l, 129); }
static void not_consistent(struct lab *l)
{
    l->consistent = false;
    lab_set(lab_body(l, "root"), "consistent_snapshot", "false");
    lab_serve(l, "root");
    lab_publish(l);
}

#endif
