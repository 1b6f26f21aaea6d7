#include "policy/trust/role.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"
#include "policy/trust/canonical.h"

#define SIGNATURES_MOST 64                      /* each costs a hash-table walk at least: bounded before any cryptography */
#define FERRY_NAME      64

static const struct {
    const char *name;
    size_t      ferry, general;
} top[] = {
    {"root", 64u << 10, 512u << 10},
    {"timestamp", 4u << 10, 16u << 10},
    {"snapshot", 256u << 10, 2u << 20},
    {"targets", 512u << 10, 5u << 20},          /* and delegated roles: the last row */
};

size_t role_limit(enum profile p, const char *name)
{
    size_t i = 0;

    while (i < COUNT(top) - 1 && strcmp(top[i].name, name))
        i++;
    return strict(p) ? top[i].ferry : top[i].general;
}

static bool is_top(const char *name)
{
    for (size_t i = 0; i < COUNT(top); i++)
        if (!strcmp(name, top[i].name))
            return true;
    return false;
}

bool role_name_ok(const char *name)
{
    size_t n = strlen(name);

    return n && n <= FERRY_NAME && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && !is_top(name);
}

bool role_name_fits(enum profile p, const char *name)
{
    size_t n = strlen(name);

    return strict(p) ? role_name_ok(name) : n && n <= ROLE_NAME && !is_top(name);
}

char *percent_encode(const char *text, bool slashes)
{
    struct text out = {0};

    for (; *text; text++)
        if (isalnum((unsigned char)*text) || strchr("-._~", *text) || (slashes && *text == '/'))
            text_put(&out, text, 1);
        else
            text_add(&out, "%%%02X", (unsigned char)*text);
    return text_take(&out);
}

void role_file(const char *name, int64_t version, char out[ROLE_FILE])
{
    AUTO(text_free) char *plain = percent_encode(name, false);

    if (version)
        snprintf(out, ROLE_FILE, "%" PRId64 ".%s.json", version, plain);
    else
        snprintf(out, ROLE_FILE, "%s.json", plain);
}

/* --- who may sign --- */

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

static bool is_known(const struct signer *s, const struct sha256 *print)
{
    for (size_t i = 0; i < s->count; i++)
        if (sha256_same(&s->keys[i].key.print, print))
            return true;
    return false;
}

/* A signer nobody knows, or of a kind we do not have, is normal while keys are being replaced: skipped. A lie about a key is refused where
 * keyids are promised to be hashes, and worth nothing elsewhere. */
static enum err signer_add(enum profile p, const json_t *keys, const char *id, const char *name, struct signer *out, struct error *e)
{
    const json_t       *json = json_object_get(keys, id);
    struct public_key   key;
    enum public_verdict verdict = json ? public_read(p, json, &key) : PUBLIC_UNKNOWN;
    bool                twice;

    if (verdict == PUBLIC_UNKNOWN || (verdict == PUBLIC_BROKEN && !strict(p)))
        return OK;
    if (verdict == PUBLIC_BROKEN)
        return fail(e, ERR_VERIFY, "%s: key %.64s is not an ed25519 key", name, id);
    if (strict(p) && !is_hash_of(id, json))
        return fail(e, ERR_VERIFY, "%s: keyid %.64s is not the hash of its key", name, id);
    twice = is_known(out, &key.print);
    if (twice && strict(p))
        return fail(e, ERR_VERIFY, "%s: one key is named twice, as %.64s", name, id);
    if (out->count == SIGNER_KEYS)
        return fail(e, ERR_VERIFY, "%s: more than the %d keys that are accepted", name, SIGNER_KEYS);
    out->keys[out->count].id = id;
    out->keys[out->count++].key = key;
    out->distinct += !twice;
    return OK;
}

enum err signer_read(enum profile p, const json_t *keys, const json_t *role, const char *name, struct signer *out, struct error *e)
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
        code = id ? signer_add(p, keys, id, name, out, e) : fail(e, ERR_VERIFY, "%s: a keyid is not a text", name);
    }
    if (!code && strict(p) && out->threshold > (int64_t)out->distinct)
        code = fail(e, ERR_VERIFY, "%s: %lld signatures are asked of %zu keys", name, (long long)out->threshold, out->distinct);
    return code;
}

/* --- one file --- */

/* "1.0.31"; also "1.0", as early writers had it. */
static bool is_spec_1(const char *version)
{
    return version && !strncmp(version, "1.", 2) && isdigit((unsigned char)version[2]);
}

/* The specification has whole seconds; some writers add a fraction (JavaScript's own clock does), which is cut off. */
static bool expiry_read(const char *text, int64_t *out)
{
    char        whole[TIME_SIZE];
    const char *dot = text ? strchr(text, '.') : NULL;
    size_t      digits = dot && dot - text == (ptrdiff_t)strlen("2026-11-23T21:00:00") ? strspn(dot + 1, "0123456789") : 0;

    if (!text || strlen(text) >= sizeof whole)
        return false;
    snprintf(whole, sizeof whole, "%s", text);
    if (digits)
        snprintf(whole, sizeof whole, "%.*s%s", (int)(dot - text), text, dot + 1 + digits);
    return !time_read(whole, out, NULL);
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
    if (!expiry_read(expires, &r->expires))
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

    for (size_t i = 0; id && hex && i < s->count; i++)
        if (!strcmp(s->keys[i].id, id))
            return public_verify(&s->keys[i].key, bytes, length, hex) ? (int)i : -1;
    return -1;
}

/* Marks the key as having signed, under whichever id; false when it had already. */
static bool first_time(const struct signer *s, bool *seen, size_t key)
{
    for (size_t i = 0; i < s->count; i++)
        if (seen[i] && sha256_same(&s->keys[i].key.print, &s->keys[key].key.print))
            return false;
    seen[key] = true;
    return true;
}

enum err role_count(const struct role *r, const struct signer *s, const char *name, int64_t *good, struct error *e)
{
    const json_t *signatures = json_object_get(r->envelope, "signatures");
    bool          seen[SIGNER_KEYS] = {false};
    char         *bytes;
    size_t        length;
    enum err      code;

    *good = 0;
    if (s->threshold < 1 || json_array_size(signatures) > SIGNATURES_MOST)
        return fail(e, ERR_VERIFY, "%s: more than %d signatures, or nobody may sign it", name, SIGNATURES_MOST);
    code = canonical_print(r->body, &bytes, &length, e);
    if (code)
        return code;
    for (size_t i = 0; i < json_array_size(signatures); i++) {
        int key = signed_by(json_array_get(signatures, i), s, bytes, length);
        *good += key >= 0 && first_time(s, seen, (size_t)key);
    }
    free(bytes);
    return OK;
}

enum err role_verify(const struct role *r, const struct signer *s, const char *name, struct error *e)
{
    int64_t  good;
    enum err code = role_count(r, s, name, &good, e);

    if (!code && good < s->threshold)
        code = fail(e, ERR_VERIFY, "%s: %lld valid signatures of the %lld needed", name, (long long)good, (long long)s->threshold);
    return code;
}
