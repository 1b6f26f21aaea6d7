#include "policy/trust/role.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"
#include "policy/trust/canonical.h"
#include "policy/trust/key.h"

bool role_name_ok(const char *name)
{
    static const char *const reserved[] = {"root", "timestamp", "snapshot", "targets"};
    size_t                   n = strlen(name);

    if (!n || n > 64 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
        return false;
    for (size_t i = 0; i < COUNT(reserved); i++)
        if (!strcmp(name, reserved[i]))
            return false;
    return true;
}

static enum err signer_add(const json_t *keys, const char *id, const char *name, struct signer *out, struct error *e)
{
    const json_t *key = json_object_get(keys, id);
    const char   *hex = json_string_value(json_object_get(json_object_get(key, "keyval"), "public"));
    const char   *type = json_string_value(json_object_get(key, "keytype"));
    char          real[SHA256_HEX];
    uint8_t       public[32];

    if (!key || !type || strcmp(type, "ed25519"))
        return OK;
    if (!hex || !hex_decode(hex, public, 32))
        return fail(e, ERR_VERIFY, "%s: key %.64s is not an ed25519 key", name, id);
    key_id(public, real);
    if (strcmp(real, id))
        return fail(e, ERR_VERIFY, "%s: keyid %.64s is not the hash of its key", name, id);
    for (size_t i = 0; i < out->count; i++)
        if (!strcmp(out->ids[i], id))
            return fail(e, ERR_VERIFY, "%s: keyid %.64s is named twice", name, id);
    if (out->count == SIGNER_KEYS)
        return fail(e, ERR_VERIFY, "%s: more than %d keys", name, SIGNER_KEYS);
    memcpy(out->ids[out->count], real, sizeof real);
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
    out->threshold = json_integer_value(threshold);
    if (out->threshold < 1)
        return fail(e, ERR_VERIFY, "%s: a threshold of %lld", name, (long long)out->threshold);
    for (size_t i = 0; i < json_array_size(ids) && !code; i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        code = id ? signer_add(keys, id, name, out, e) : fail(e, ERR_VERIFY, "%s: a keyid is not a text", name);
    }
    if (!code && out->threshold > (int64_t)out->count)
        code = fail(e, ERR_VERIFY, "%s: %lld signatures are asked of %zu keys", name, (long long)out->threshold, out->count);
    return code;
}

static enum err head_check(struct role *r, const char *type, struct error *e)
{
    const char   *found = json_string_value(json_object_get(r->body, "_type"));
    const char   *spec = json_string_value(json_object_get(r->body, "spec_version"));
    const char   *expires = json_string_value(json_object_get(r->body, "expires"));
    const json_t *version = json_object_get(r->body, "version");

    if (!found || strcmp(found, type))
        return fail(e, ERR_VERIFY, "a %s file was expected, this says \"%.40s\"", type, found ? found : "nothing");
    if (!spec || strncmp(spec, "1.", 2))
        return fail(e, ERR_VERIFY, "%s: specification version \"%.20s\" is not 1.x", type, spec ? spec : "");
    if (!json_is_integer(version) || json_integer_value(version) < 1)
        return fail(e, ERR_VERIFY, "%s: its version is not a number from 1 up", type);
    r->version = json_integer_value(version);
    if (!expires || time_read(expires, &r->expires, NULL))
        return fail(e, ERR_VERIFY, "%s: its expiry is not a time", type);
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

    if (s->threshold < 1 || json_array_size(signatures) > 64)
        return fail(e, ERR_VERIFY, "%s: more than 64 signatures, or no threshold", name);
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
        return fail(e, ERR_VERIFY, "%s: %lld valid signatures of %lld needed", name, (long long)good, (long long)s->threshold);
    return OK;
}
