/* For tests of policy/trust: a TUF repository in memory that its test signs, and a client of it. Keys have letters: A B C root (two of them
 * have to sign), T timestamp, S snapshot, G targets, L the role tills, H the role shops, N and O nobody's yet. */
#ifndef FERRY_TESTS_UNIT_TRUST_LAB_H
#define FERRY_TESTS_UNIT_TRUST_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/trust/canonical.h"
#include "policy/trust/key.h"
#include "policy/trust/role.h"
#include "policy/trust/verifier.h"

#include <cmocka.h> /* last: its fail() is a macro */

#define LAB_NOW     1800000000                  /* 2027-01-15T08:00:00Z */
#define LAB_SITE    "abcdefghijklmnop"
#define LAB_TARGET  "policy/tills/october.json"
#define LAB_TARGET_HASH "719b40"               /* the first digits of sha256(LAB_TARGET) */
#define LAB_LETTERS "ABCTSGLHNO"

/* Bytes by name, in order of arrival. */
struct box {
    struct {
        char   name[300];
        char  *bytes;
        size_t length;
    } items[256];
    size_t count;
};

struct lab {
    enum profile     profile;
    int64_t          now;
    struct key       keys[sizeof LAB_LETTERS];
    json_t          *bodies;                    /* {"root": …}: what is signed next */
    json_t          *signers;                   /* {"root": "AB"}: by whom */
    bool             hashes, consistent;        /* lengths and hashes are announced; names have versions */
    const char      *edit_role, *edit_path, *edit_value;    /* applied just before that role is signed */
    struct box       served, stored;
    char            *target;                    /* the bytes of LAB_TARGET as a mirror serves them */
    char             asked[2048];               /* "2.root.json timestamp.json " */
    bool             careless;                  /* the fetcher does not stop at the limit */
    int              puts_left;                 /* then the disk is full; negative: never */
    int64_t          stale;                     /* timestamps up to it have expired once */
    struct verifier *v;
    struct error     e;
};

/* --- boxes --- */

static inline int box_find(const struct box *b, const char *name)
{
    for (size_t i = 0; i < b->count; i++)
        if (!strcmp(b->items[i].name, name))
            return (int)i;
    return -1;
}

static inline void box_put(struct box *b, const char *name, const char *bytes, size_t length)
{
    int i = box_find(b, name);

    if (i < 0) {
        i = (int)b->count++;
        assert_true(b->count <= COUNT(b->items));
        snprintf(b->items[i].name, sizeof b->items[i].name, "%s", name);
    }
    char *copy = must_alloc(length + 1);
    memcpy(copy, bytes, length);
    free(b->items[i].bytes);
    b->items[i].bytes = copy;
    b->items[i].length = length;
}

static inline void box_drop(struct box *b, const char *name)
{
    int i = box_find(b, name);

    if (i < 0)
        return;
    free(b->items[i].bytes);
    b->items[i] = b->items[--b->count];
    b->items[b->count].bytes = NULL;
}

static inline void box_end(struct box *b)
{
    while (b->count)
        box_drop(b, b->items[0].name);
}

/* --- signing --- */

static inline json_t *lab_json(const char *quoted)
{
    AUTO(text_free) char *text = must_copy(quoted);
    json_t *json;

    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json = json_loads(text, JSON_DECODE_ANY, NULL);
    if (!json)
        fail_msg("no JSON: %s", quoted);
    return json;
}

static inline const struct key *lab_key(const struct lab *l, char letter)
{
    assert_non_null(strchr(LAB_LETTERS, letter));
    return &l->keys[strchr(LAB_LETTERS, letter) - LAB_LETTERS];
}

static inline json_t *lab_body(const struct lab *l, const char *role)
{
    json_t *body = json_object_get(l->bodies, role);

    assert_non_null(body);
    return body;
}

/* Step by step through "a>b>0"; value NULL deletes. */
static inline void lab_set(json_t *at, const char *path, const char *value)
{
    char step[200];
    size_t n;

    for (;; path += n + 1) {
        n = strcspn(path, ">");
        snprintf(step, sizeof step, "%.*s", (int)n, path);
        if (!path[n])
            break;
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(step)) : json_object_get(at, step);
        if (!at)
            fail_msg("nothing at %s", path);
    }
    if (!value)
        json_object_del(at, step);
    else if (json_is_array(at))
        json_array_set_new(at, (size_t)atoi(step), lab_json(value));
    else
        json_object_set_new(at, step, lab_json(value));
}

static inline json_t *lab_keyids(const struct lab *l, json_t *keys, const char *letters)
{
    json_t *ids = json_array();
    char id[SHA256_HEX];

    for (; *letters; letters++) {
        key_id(lab_key(l, *letters)->public, id);
        json_object_set_new(keys, id, key_to_json(lab_key(l, *letters)->public));
        json_array_append_new(ids, json_string(id));
    }
    return ids;
}

/* The root names these for role. */
static inline void lab_let(struct lab *l, const char *role, const char *letters, int threshold)
{
    json_t *root = lab_body(l, "root");
    json_t *ids = lab_keyids(l, json_object_get(root, "keys"), letters);

    json_object_set_new(json_object_get(root, "roles"), role, json_pack("{s:o,s:i}", "keyids", ids, "threshold", threshold));
}

/* delegator's body names this one for role; terminating as Ferry's have to be. */
static inline void lab_delegate(struct lab *l, const char *delegator, const char *role, const char *letters, const char *path, bool terminating)
{
    json_t *body = lab_body(l, delegator), *delegations = json_object_get(body, "delegations"), *ids;

    if (!delegations) {
        delegations = json_pack("{s:{},s:[]}", "keys", "roles");
        json_object_set_new(body, "delegations", delegations);
    }
    ids = lab_keyids(l, json_object_get(delegations, "keys"), letters);
    json_array_append_new(json_object_get(delegations, "roles"), json_pack("{s:s,s:o,s:i,s:[s],s:b}", "name", role, "keyids", ids,
                                                                           "threshold", 1, "paths", path, "terminating", terminating));
}

static inline json_t *lab_head(const char *type)
{
    char text[TIME_SIZE];

    return json_pack("{s:s,s:s,s:i,s:s}", "_type", type, "spec_version", "1.0.31", "version", 0, "expires",
                     time_print(LAB_NOW + (strcmp(type, "timestamp") ? 30 : 1) * 86400, text));
}

static inline void lab_role(struct lab *l, const char *role, const char *letters)
{
    bool top = !strcmp(role, "root") || !strcmp(role, "timestamp") || !strcmp(role, "snapshot");
    json_t *body = lab_head(top ? role : "targets");

    if (!top)
        json_object_set_new(body, "targets", json_object());
    json_object_set_new(l->bodies, role, body);
    json_object_set_new(l->signers, role, json_string(letters));
}

/* The signed file. Caller frees. */
static inline char *lab_sign(struct lab *l, const json_t *body, const char *letters, size_t *length)
{
    AUTO(text_free) char *bytes = NULL;
    json_t *signatures = json_array(), *envelope;
    uint8_t raw[KEY_SIGNATURE];
    char id[SHA256_HEX], hex[2 * KEY_SIGNATURE + 1], *whole;
    size_t n;

    assert_int_equal(canonical_print(body, &bytes, &n, &l->e), OK);
    for (; *letters; letters++) {
        key_sign(lab_key(l, *letters), bytes, n, raw);
        key_id(lab_key(l, *letters)->public, id);
        hex_encode(raw, sizeof raw, hex);
        json_array_append_new(signatures, json_pack("{s:s,s:s}", "keyid", id, "sig", hex));
    }
    envelope = json_pack("{s:o,s:O}", "signatures", signatures, "signed", body);
    whole = json_dumps(envelope, JSON_INDENT(1));
    json_decref(envelope);
    *length = strlen(whole);
    return whole;
}

static inline void lab_announce(struct lab *l, const char *role, const char *bytes, size_t length, int64_t version)
{
    AUTO(text_free) char *file = must_print("%s.json", role);
    const char *announcer = !strcmp(role, "snapshot") ? "timestamp" : "snapshot";
    struct sha256 h = hash_bytes(bytes, length);
    char hex[SHA256_HEX];
    json_t *line = json_pack("{s:I}", "version", (json_int_t)version);

    if (!strcmp(role, "root") || !strcmp(role, "timestamp")) {
        json_decref(line);
        return;
    }
    if (l->hashes) {
        json_object_set_new(line, "length", json_integer((json_int_t)length));
        json_object_set_new(line, "hashes", json_pack("{s:s}", "sha256", sha256_hex(&h, hex)));
    }
    json_object_set_new(json_object_get(lab_body(l, announcer), "meta"), file, line);
}

/* The file a role is served under. */
static inline void lab_file(const struct lab *l, const char *role, char out[ROLE_FILE])
{
    int64_t version = json_integer_value(json_object_get(lab_body(l, role), "version"));

    role_file(role, strcmp(role, "timestamp") && (l->consistent || !strcmp(role, "root")) ? version : 0, out);
}

/* Signs and serves the next version of a role, and announces it. */
static inline void lab_serve(struct lab *l, const char *role)
{
    json_t *body = lab_body(l, role);
    int64_t version = json_integer_value(json_object_get(body, "version")) + 1;
    char file[ROLE_FILE], *bytes;
    size_t length;

    json_object_set_new(body, "version", json_integer(version));
    lab_file(l, role, file);
    if (l->edit_role && !strcmp(l->edit_role, role))
        lab_set(body, l->edit_path, l->edit_value);
    bytes = lab_sign(l, body, json_string_value(json_object_get(l->signers, role)), &length);
    box_put(&l->served, file, bytes, length);
    lab_announce(l, role, bytes, length, version);
    free(bytes);
}

/* Everything but the root. */
static inline void lab_publish(struct lab *l)
{
    const char *role;
    json_t *body;

    json_object_foreach(l->bodies, role, body)
        if (strcmp(role, "root") && strcmp(role, "timestamp") && strcmp(role, "snapshot") && strcmp(role, "targets"))
            lab_serve(l, role);
    lab_serve(l, "targets");
    lab_serve(l, "snapshot");
    lab_serve(l, "timestamp");
}

static inline void lab_target(struct lab *l, const char *role, const char *name, const char *bytes)
{
    struct sha256 h = hash_bytes(bytes, strlen(bytes));
    char hex[SHA256_HEX];

    json_object_set_new(json_object_get(lab_body(l, role), "targets"), name,
                        json_pack("{s:i,s:{s:s},s:{s:i}}", "length", (int)strlen(bytes), "hashes", "sha256", sha256_hex(&h, hex), "custom",
                                  "seq", 7));
}

/* --- opening --- */

static inline struct lab *lab_new(enum profile profile)
{
    static const char *const roles[][2] = {{"root", "AB"},    {"timestamp", "T"}, {"snapshot", "S"},
                                           {"targets", "G"}, {"tills", "L"},     {"shops", "H"}};
    struct lab *l = must_alloc(sizeof *l);

    *l = (struct lab){.profile = profile, .now = LAB_NOW, .bodies = json_object(), .signers = json_object(), .hashes = strict(profile),
                      .consistent = true, .puts_left = -1};
    for (size_t i = 0; i < sizeof LAB_LETTERS - 1; i++)
        assert_int_equal(key_generate(&l->keys[i]), OK);
    for (size_t i = 0; i < COUNT(roles); i++)
        lab_role(l, roles[i][0], roles[i][1]);
    json_object_update_new(lab_body(l, "root"), json_pack("{s:b,s:{},s:{}}", "consistent_snapshot", 1, "keys", "roles"));
    json_object_set_new(lab_body(l, "timestamp"), "meta", json_object());
    json_object_set_new(lab_body(l, "snapshot"), "meta", json_object());
    lab_let(l, "root", "ABC", 2);
    lab_let(l, "timestamp", "T", 1);
    lab_let(l, "snapshot", "S", 1);
    lab_let(l, "targets", "G", 1);
    lab_delegate(l, "targets", "tills", "L", "policy/tills/*", true);
    lab_delegate(l, "targets", "shops", "H", "policy/shops/*", true);
    l->target = must_copy("{\"audience\":\"" LAB_SITE "\",\"seq\":7}");
    lab_target(l, "tills", LAB_TARGET, l->target);
    lab_serve(l, "root");
    lab_publish(l);
    box_put(&l->stored, "root", l->served.items[0].bytes, l->served.items[0].length);
    return l;
}

static inline void lab_free(struct lab *l)
{
    verifier_free(l->v);
    json_decref(l->bodies);
    json_decref(l->signers);
    box_end(&l->served);
    box_end(&l->stored);
    free(l->target);
    free(l);
}

/* --- the client --- */

static inline enum err lab_get(void *ctx, const char *role, char **out, size_t *length, struct error *e)
{
    struct lab *l = ctx;
    int i = box_find(&l->stored, role);

    (void)e;
    *out = NULL;
    if (i < 0)
        return OK;
    *length = l->stored.items[i].length;
    *out = must_alloc(*length + 1);
    memcpy(*out, l->stored.items[i].bytes, *length);
    return OK;
}

static inline enum err lab_put(void *ctx, const char *role, const char *bytes, size_t length, const char *const *drop, struct error *e)
{
    struct lab *l = ctx;

    if (!l->puts_left)
        return (fail)(e, ERR_FULL, "the lab's disk is full");
    l->puts_left -= l->puts_left > 0;
    box_put(&l->stored, role, bytes, length);
    for (; drop && *drop; drop++)
        box_drop(&l->stored, *drop);
    return OK;
}

/* Until the verifier wants nothing more. */
static inline enum verifier_verdict lab_walk(struct lab *l)
{
    enum verifier_verdict verdict;
    struct verifier_want want;

    while ((verdict = verifier_next(l->v, &want)) == VERIFIER_WANT) {
        int i = box_find(&l->served, want.path);

        snprintf(l->asked + strlen(l->asked), sizeof l->asked - strlen(l->asked), "%s ", want.path);
        if (i < 0) {
            verifier_absent(l->v);
        } else if (l->served.items[i].length > want.limit && !l->careless) {
            (fail)(&l->e, ERR_VERIFY, "more than the limit");
            return VERIFIER_FAILED;
        } else {
            verifier_give(l->v, l->served.items[i].bytes, l->served.items[i].length);
        }
    }
    if (verdict == VERIFIER_FAILED)
        l->e = *verifier_error(l->v);
    return verdict;
}

static inline enum verifier_verdict lab_refresh(struct lab *l)
{
    struct verifier_store store = {l, lab_get, lab_put};

    verifier_free(l->v);
    l->v = NULL;
    *l->asked = 0;
    memset(&l->e, 0, sizeof l->e);
    if (verifier_new(l->profile, &store, l->now, &l->v, &l->e))
        return VERIFIER_FAILED;
    verifier_stale(l->v, l->stale);
    return lab_walk(l);
}

/* The search of the general profile; true when found. */
static inline bool lab_find(struct lab *l, const char *name)
{
    uint64_t length;
    AUTO(text_free) char *path = NULL;

    verifier_find(l->v, name);
    if (lab_walk(l) == VERIFIER_FAILED)
        return false;
    return !verifier_found(l->v, &path, &length, &l->e);
}

static inline const struct verifier_target *lab_listed(const struct lab *l, const char *name)
{
    for (size_t i = 0; i < verifier_target_count(l->v); i++)
        if (!strcmp(verifier_target(l->v, i)->name, name))
            return verifier_target(l->v, i);
    return NULL;
}

/* A whole refresh and LAB_TARGET: true, or the reason in l->e. */
static inline bool lab_take(struct lab *l)
{
    const struct verifier_target *t;

    if (lab_refresh(l) == VERIFIER_FAILED)
        return false;
    if (!strict(l->profile))
        return lab_find(l, LAB_TARGET) && !verifier_check_found(l->v, l->target, strlen(l->target), &l->e);
    t = lab_listed(l, LAB_TARGET);
    if (!t)
        (fail)(&l->e, ERR_NOT_FOUND, "the target is not listed");
    return t && !verifier_check_target(t, LAB_SITE, l->target, strlen(l->target), &l->e);
}

static inline int64_t lab_stored_version(const struct lab *l, const char *role)
{
    int i = box_find(&l->stored, role);
    json_t *file = i < 0 ? NULL : json_loadb(l->stored.items[i].bytes, l->stored.items[i].length, 0, NULL);
    int64_t version = json_integer_value(json_object_get(json_object_get(file, "signed"), "version"));

    json_decref(file);
    return version;
}

#endif
