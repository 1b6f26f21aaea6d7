/* The whole walk of policy/trust/verifier.c, fed with the fuzzer's bytes as the successive files of a repository. Byte 0: bit 0 the profile,
 * bit 1 whether the files are signed for it (it brings the bodies, we have the keys: so it gets past the signatures), bit 2 a second refresh
 * from the same store. Then the files, each behind two bytes of length; length 0: the file is not there. */
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"
#include "policy/trust/canonical.h"
#include "policy/trust/key.h"
#include "policy/trust/verifier.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEYS  5
#define ROLES 80
#define STEPS 200
#define NOW   1800000000

struct stored {
    char   name[100], *bytes;
    size_t length;
};
struct store {
    struct stored roles[ROLES];
    size_t        count;
    int64_t       root;
};

static struct key keys[KEYS];
static char      *first_root;

static struct stored *find(struct store *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (!strcmp(s->roles[i].name, name))
            return &s->roles[i];
    return NULL;
}

static enum err on_get(void *ctx, const char *role, char **out, size_t *length, struct error *e)
{
    struct stored *r = find(ctx, role);

    (void)e;
    *out = r && r->bytes ? memcpy(must_alloc(r->length + 1), r->bytes, r->length) : NULL;
    *length = r ? r->length : 0;
    return OK;
}

static int64_t version_of(const char *bytes, size_t length)
{
    json_t *json = json_loadb(bytes, length, 0, NULL);
    int64_t version = json_integer_value(json_object_get(json_object_get(json, "signed"), "version"));

    json_decref(json);
    return version;
}

/* What is stored was verified: a root follows its predecessor by exactly one. */
static enum err on_put(void *ctx, const char *role, const char *bytes, size_t length, const char *const *drop, struct error *e)
{
    struct store  *s = ctx;
    struct stored *r = find(s, role);

    if (!r && s->count == ROLES)
        return fail(e, ERR_FULL, "enough");
    r = r ? r : &s->roles[s->count++];
    snprintf(r->name, sizeof r->name, "%s", role);
    free(r->bytes);
    r->bytes = memcpy(must_alloc(length + 1), bytes, length);
    r->length = length;
    if (!strcmp(role, "root") && version_of(bytes, length) != ++s->root)
        abort();
    for (; drop && *drop; drop++)
        if ((r = find(s, *drop))) {
            free(r->bytes);
            r->bytes = NULL;
        }
    return OK;
}

/* {"signatures": […], "signed": body}, by every key we have. */
static char *sign(const char *body, size_t length, size_t *out_length)
{
    json_t  *json = json_loadb(body, length, JSON_REJECT_DUPLICATES, NULL), *signatures = json_array(), *envelope;
    char    *bytes = NULL, *whole = NULL;
    size_t   n = 0;
    uint8_t  raw[KEY_SIGNATURE];
    char     id[SHA256_HEX], hex[2 * KEY_SIGNATURE + 1];

    if (!json || canonical_print(json, &bytes, &n, NULL)) {
        json_decref(json);
        json_decref(signatures);
        return NULL;
    }
    for (int i = 0; i < KEYS; i++) {
        key_sign(&keys[i], bytes, n, raw);
        key_id(keys[i].public, id);
        hex_encode(raw, sizeof raw, hex);
        json_array_append_new(signatures, json_pack("{s:s,s:s}", "keyid", id, "sig", hex));
    }
    envelope = json_pack("{s:o,s:o}", "signatures", signatures, "signed", json);
    whole = json_dumps(envelope, 0);
    json_decref(envelope);
    free(bytes);
    *out_length = strlen(whole);
    return whole;
}

/* Key 0 signs the root, 1 the timestamp, 2 the snapshot, 3 the targets; 4 is for delegations. */
static void make_root(void)
{
    static const char *const roles[] = {"root", "timestamp", "snapshot", "targets"};
    json_t *body = json_pack("{s:s,s:s,s:i,s:s,s:b,s:{},s:{}}", "_type", "root", "spec_version", "1.0.31", "version", 1, "expires",
                             "2030-01-01T00:00:00Z", "consistent_snapshot", 1, "keys", "roles");
    char   *text, id[SHA256_HEX];
    uint8_t secret[64];
    size_t  length;

    for (int i = 0; i < KEYS; i++) {
        memset(keys[i].seed, i + 1, sizeof keys[i].seed);
        crypto_sign_seed_keypair(keys[i].public, secret, keys[i].seed);
        if (i == 4)
            break;
        key_id(keys[i].public, id);
        json_object_set_new(json_object_get(body, "keys"), id, key_to_json(keys[i].public));
        json_object_set_new(json_object_get(body, "roles"), roles[i], json_pack("{s:[s],s:i}", "keyids", id, "threshold", 1));
    }
    text = json_dumps(body, 0);
    first_root = sign(text, strlen(text), &length);
    free(text);
    json_decref(body);
}

struct input {
    const uint8_t *at;
    size_t         left;
    bool           signing;
};

static void feed(struct verifier *v, struct input *in)
{
    size_t n = in->left < 2 ? 0 : (size_t)in->at[0] | (size_t)in->at[1] << 8, length = n;
    char  *bytes = NULL;

    in->at += in->left < 2 ? in->left : 2;
    in->left -= in->left < 2 ? in->left : 2;
    n = length = n > in->left ? in->left : n;
    if (!n) {
        verifier_absent(v);
        return;
    }
    if (in->signing)
        bytes = sign((const char *)in->at, n, &length);
    verifier_give(v, bytes ? bytes : (const char *)in->at, bytes ? length : n);
    free(bytes);
    in->at += n;
    in->left -= n;
}

static bool walk(struct verifier *v, struct input *in)
{
    struct verifier_want  want;
    enum verifier_verdict verdict;
    int                   steps = 0;

    while ((verdict = verifier_next(v, &want)) == VERIFIER_WANT) {
        if (++steps > STEPS || !strstr(want.path, ".json"))
            abort();
        feed(v, in);
    }
    return verdict != VERIFIER_FAILED;
}

static void refresh(enum profile p, struct store *s, struct input *in)
{
    struct verifier_store callbacks = {s, on_get, on_put};
    struct verifier      *v = NULL;
    uint64_t              length;
    char                 *path = NULL;
    struct error          e;

    if (verifier_new(p, &callbacks, NOW, &v, &e))
        return;
    if (walk(v, in) && !strict(p))
        for (int i = 0; i < 2; i++) {
            verifier_find(v, i ? "policy/tills/october.json" : "a");
            if (walk(v, in) && !verifier_found(v, &path, &length, &e))
                verifier_check_found(v, "x", 1, &e);
            free(path);
            path = NULL;
        }
    verifier_free(v);
    if (strict(p) && !verifier_new(p, &callbacks, NOW, &v, &e)) {
        verifier_recall(v, &e);
        verifier_free(v);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store s = {.root = 0};
    struct input in = {data + 1, size - 1, false};

    if (!first_root)
        make_root();
    if (size < 1)
        return 0;
    in.signing = data[0] & 2;
    on_put(&s, "root", first_root, strlen(first_root), NULL, NULL);
    refresh(data[0] & 1 ? PROFILE_GENERAL : PROFILE_FERRY, &s, &in);
    if (data[0] & 4)
        refresh(data[0] & 1 ? PROFILE_GENERAL : PROFILE_FERRY, &s, &in);
    for (size_t i = 0; i < s.count; i++)
        free(s.roles[i].bytes);
    return 0;
}
