#include "policy/trust/role.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"
#include "policy/trust/canonical.h"
#include "policy/trust/key.h"

#define SIGNATURES_MOST 64                      /* each costs a hash-table walk at least: bounded before any cryptography */
#define DELEGATED_LIMIT (512u << 10)

static const struct {
    const char *name;
    size_t      limit;
} top[] = {{"root", 64u << 10}, {"timestamp", 4u << 10}, {"snapshot", 256u << 10}, {"targets", 512u << 10}};

size_t role_limit(const char *name)
{
    for (size_t i = 0; i < COUNT(top); i++)
        if (!strcmp(top[i].name, name))
            return top[i].limit;
    return DELEGATED_LIMIT;
}

bool role_name_ok(const char *name)
{
    size_t n = strlen(name);

    if (!n || n > 64 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
        return false;
    for (size_t i = 0; i < COUNT(top); i++)
        if (!strcmp(name, top[i].name))
            return false;
    return true;
}

static bool says(const json_t *object, const char *member, const char *what)
{
    const char *found = json_string_value(json_object_get(object, member));

    return found && !strcmp(found, what);
}

static bool is_hash_of(const char *id, const json_t *key)
{
    char         *text, hex[SHA256_HEX];
    size_t        length;
    struct sha256 h;

    if (canonical_print(key, &text, &length, NULL))
        return false;
    h = hash_bytes(text, length);
    free(text);
    return !strcmp(sha256_hex(&h, hex), id);
}

/* A signer nobody knows, or of a kind we do not have, is normal while keys are being replaced: skipped. A lie about a key is refused. */
static enum err signer_add(const json_t *keys, const char *id, const char *name, struct signer *out, struct error *e)
{
    const json_t *key = json_object_get(keys, id);
    const char   *hex = json_string_value(json_object_get(json_object_get(key, "keyval"), "public"));
    uint8_t       public[32];

    if (!key || !says(key, "keytype", "ed25519") || !says(key, "scheme", "ed25519"))
        return OK;
    if (!hex || !hex_decode(hex, public, 32))
        return fail(e, ERR_VERIFY, "%s: key %.64s is not an ed25519 key", name, id);
    if (!is_hash_of(id, key))
        return fail(e, ERR_VERIFY, "%s: keyid %.64s is not the hash of its key", name, id);
    for (size_t i = 0; i < out->count; i++)
        if (!memcmp(out->keys[i], public, 32))
            return fail(e, ERR_VERIFY, "%s: one key is named twice, as %.64s", name, id);
    if (out->count == SIGNER_KEYS)
        return fail(e, ERR_VERIFY, "%s: more than the %d keys that are accepted", name, SIGNER_KEYS);
    memcpy(out->ids[out->count], id, SHA256_HEX);
    memcpy(out->keys[out->count++], public, 32);
    return OK;
}

enum err signer_read(const json_t *keys, const json_t *role, const char *name, struct signer *out, struct error *e)
{
    const json_t *ids = json_object_get(role, "keyids"), *threshold = json_object_get(role, "threshold");
    enum err      code = OK;

    memset(out, 0, sizeof *out);
    if (!json_is_object(keys) || !json_is_array(ids) || !json_is_integer(threshold))
        return fail(e, ERR_VERIFY, "%s: keys, keyids and threshold were expected", name);
    if (json_integer_value(threshold) < 1)
        return fail(e, ERR_VERIFY, "%s: a threshold of %lld; at least 1 is accepted", name, (long long)json_integer_value(threshold));
    out->threshold = json_integer_value(threshold);
    for (size_t i = 0; i < json_array_size(ids) && !code; i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        code = id ? signer_add(keys, id, name, out, e) : fail(e, ERR_VERIFY, "%s: a keyid is not a text", name);
    }
    if (!code && out->threshold > (int64_t)out->count)
        code = fail(e, ERR_VERIFY, "%s: %lld signatures are asked of %zu keys", name, (long long)out->threshold, out->count);
    return code;
}

static bool is_spec_1(const char *version)
{
    return version && !strncmp(version, "1.", 2) && isdigit((unsigned char)version[2]);
}

static enum err head_check(struct role *r, const char *type, struct error *e)
{
    const char   *found = json_string_value(json_object_get(r->body, "_type"));
    const char   *spec = json_string_value(json_object_get(r->body, "spec_version"));
    const char   *expires = json_string_value(json_object_get(r->body, "expires"));
    const json_t *version = json_object_get(r->body, "version");

    if (!found || strcmp(found, type))
        return fail(e, ERR_VERIFY, "a %s file was expected, this says \"%.40s\"", type, found ? found : "nothing");
    if (!is_spec_1(spec))
        return fail(e, ERR_VERIFY, "%s: specification version \"%.20s\" is not 1.x", type, spec ? spec : "");
    r->version = json_integer_value(version);
    if (!json_is_integer(version) || r->version < 1 || r->version == INT64_MAX)      /* the next one must be a number too */
        return fail(e, ERR_VERIFY, "%s: its version is not a number from 1 up", type);
    if (!expires || time_read(expires, &r->expires, NULL))
        return fail(e, ERR_VERIFY, "%s: its expiry is not a time like 2026-11-23T21:00:00Z", type);
    return OK;
}

enum err role_read(const char *bytes, size_t length, size_t limit, const char *type, struct role *out, struct error *e)
{
    struct role r = {0};
    enum err    code = json_read(bytes, length, limit, &r.envelope, e);

    if (code)
        return code;
    r.body = json_object_get(r.envelope, "signed");
    if (!json_is_object(r.body) || !json_is_array(json_object_get(r.envelope, "signatures")))
        code = fail(e, ERR_VERIFY, "%s: signed and signatures were expected", type);
    if (!code)
        code = head_check(&r, type, e);
    if (code)
        role_end(&r);
    else
        *out = r;
    return code;
}

void role_end(struct role *r)
{
    json_decref(r->envelope);
    memset(r, 0, sizeof *r);
}

/* Which key of the signer made this signature: its index, or -1. */
static int signed_by(const json_t *signature, const struct signer *s, const char *bytes, size_t length)
{
    const char *id = json_string_value(json_object_get(signature, "keyid")), *hex = json_string_value(json_object_get(signature, "sig"));
    uint8_t     raw[KEY_SIGNATURE];

    if (!id || !hex || !hex_decode(hex, raw, sizeof raw))
        return -1;
    for (size_t i = 0; i < s->count; i++)
        if (!strcmp(s->ids[i], id))
            return key_verify(s->keys[i], bytes, length, raw) ? (int)i : -1;
    return -1;
}

enum err role_verify(const struct role *r, const struct signer *s, const char *name, struct error *e)
{
    const json_t *signatures = json_object_get(r->envelope, "signatures");
    bool          seen[SIGNER_KEYS] = {false};
    int64_t       good = 0;
    char         *bytes;
    size_t        length;
    enum err      code;

    if (s->threshold < 1 || json_array_size(signatures) > SIGNATURES_MOST)
        return fail(e, ERR_VERIFY, "%s: more than %d signatures, or nobody may sign it", name, SIGNATURES_MOST);
    code = canonical_print(r->body, &bytes, &length, e);
    if (code)
        return code;
    for (size_t i = 0; i < json_array_size(signatures); i++) {
        int key = signed_by(json_array_get(signatures, i), s, bytes, length);
        if (key >= 0 && !seen[key]) {
            seen[key] = true;
            good++;
        }
    }
    free(bytes);
    if (good < s->threshold)
        return fail(e, ERR_VERIFY, "%s: %lld valid signatures of the %lld needed", name, (long long)good, (long long)s->threshold);
    return OK;
}

enum err root_signer(const struct role *root, const char *role, struct signer *out, struct error *e)
{
    return signer_read(json_object_get(root->body, "keys"), json_object_get(json_object_get(root->body, "roles"), role), role, out, e);
}

enum err root_check(const struct role *r, const struct role *root, const char *role, struct error *e)
{
    struct signer s;
    enum err      code = root_signer(root, role, &s, e);

    return code ? code : role_verify(r, &s, role, e);
}

enum err root_read(const char *bytes, size_t length, struct role *out, struct error *e)
{
    static const char *const roles[] = {"root", "timestamp", "snapshot", "targets"};
    struct signer            s;
    enum err                 code = role_read(bytes, length, role_limit("root"), "root", out, e);

    if (code)
        return code;
    if (!json_is_true(json_object_get(out->body, "consistent_snapshot")))
        code = fail(e, ERR_VERIFY, "root %lld: only consistent snapshots are accepted", (long long)out->version);
    for (size_t i = 0; i < COUNT(roles) && !code; i++)
        code = root_signer(out, roles[i], &s, e);
    code = code ? code : root_check(out, out, "root", e);
    if (code)
        role_end(out);
    return code;
}

static const json_t *announced(const struct role *r, const char *role)
{
    char name[80];

    snprintf(name, sizeof name, "%s.json", role);
    return json_object_get(json_object_get(r->body, "meta"), name);
}

int64_t announced_version(const struct role *r, const char *role)
{
    return json_integer_value(json_object_get(announced(r, role), "version"));
}

enum err announced_check(const struct role *r, const char *role, const char *bytes, size_t length, struct error *e)
{
    const json_t *size = json_object_get(announced(r, role), "length"), *hashes = json_object_get(announced(r, role), "hashes");
    const char   *hex = json_string_value(json_object_get(hashes, "sha256"));
    struct sha256 wanted, real = hash_bytes(bytes, length);

    if (size && (!json_is_integer(size) || json_integer_value(size) != (json_int_t)length))
        return fail(e, ERR_VERIFY, "%s: %zu bytes, %lld were announced", role, length, (long long)json_integer_value(size));
    if (hashes && (!hex || !sha256_read(hex, &wanted) || !sha256_same(&wanted, &real)))
        return fail(e, ERR_VERIFY, "%s: its hash is not what was announced", role);
    return OK;
}
