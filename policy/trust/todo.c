#include "policy/trust/todo.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/trust/canonical.h"

json_t *todo_make(const json_t *previous, const json_t *body)
{
    return json_pack("{s:s,s:O,s:{s:[],s:O}}", "type", "ferry-root", "previous", previous, "next", "signatures", "signed", body);
}

static enum err count(const struct role *r, const struct role *root, int64_t *have, int64_t *need, struct error *e)
{
    struct signer s;
    enum err      code = root_signer(PROFILE_FERRY, root, "root", &s, e);

    *need = s.threshold;
    return code ? code : role_count(r, &s, "root", have, e);
}

/* Signed or not yet: root_read wants the quorum that is still being collected. */
static enum err read_next(const json_t *json, struct role *out, struct error *e)
{
    AUTO(text_free) char *bytes = NULL;
    size_t                length;
    enum err              code = canonical_print(json, &bytes, &length, e);

    return code ? code : role_read(bytes, length, role_limit(PROFILE_FERRY, "root"), "root", out, e);
}

static enum err read_both(const json_t *todo, struct role *previous, struct role *next, struct error *e)
{
    const char           *type = json_string_value(json_object_get(todo, "type"));
    AUTO(text_free) char *bytes = NULL;
    size_t                length;
    enum err              code;

    if (!type || strcmp(type, "ferry-root"))
        return fail(e, ERR_USAGE, "this is no root that waits for signatures; `ferry site key rotate` and `ferry site root renew` make one");
    code = canonical_print(json_object_get(todo, "previous") ? json_object_get(todo, "previous") : todo, &bytes, &length, e);
    code = code ? code : root_read(PROFILE_FERRY, bytes, length, previous, e);
    if (code)
        return code;
    code = json_object_get(todo, "next") ? read_next(json_object_get(todo, "next"), next, e) : fail(e, ERR_VERIFY, "there is no next root in it");
    if (!code && next->version != previous->version + 1) {
        code = fail(e, ERR_VERIFY, "root %lld does not follow root %lld", (long long)next->version, (long long)previous->version);
        role_end(next);
    }
    if (code)
        role_end(previous);
    return code;
}

enum err todo_read(const json_t *todo, struct role *previous, struct role *next, struct todo_state *out, struct error *e)
{
    enum err code = read_both(todo, previous, next, e);

    if (code)
        return code;
    out->version = next->version;
    code = count(next, previous, &out->old_have, &out->old_need, e);
    code = code ? code : count(next, next, &out->new_have, &out->new_need, e);
    out->ready = !code && out->old_have >= out->old_need && out->new_have >= out->new_need;
    if (code) {
        role_end(previous);
        role_end(next);
    }
    return code;
}

static bool may_sign(const struct role *root, const char *id)
{
    const json_t *ids = json_object_get(json_object_get(json_object_get(root->body, "roles"), "root"), "keyids");

    for (size_t i = 0; i < json_array_size(ids); i++)
        if (!strcmp(json_string_value(json_array_get(ids, i)), id))
            return true;
    return false;
}

static enum err add_signature(json_t *envelope, const struct key *k, const char *id, struct error *e)
{
    json_t               *signatures = json_object_get(envelope, "signatures");
    AUTO(text_free) char *bytes = NULL;
    uint8_t               raw[KEY_SIGNATURE];
    char                  hex[2 * KEY_SIGNATURE + 1];
    size_t                length;
    enum err              code = canonical_print(json_object_get(envelope, "signed"), &bytes, &length, e);

    if (code)
        return code;
    for (size_t i = json_array_size(signatures); i-- > 0;) {
        const char *by = json_string_value(json_object_get(json_array_get(signatures, i), "keyid"));
        if (!by || !strcmp(by, id))
            json_array_remove(signatures, i);
    }
    key_sign(k, bytes, length, raw);
    hex_encode(raw, sizeof raw, hex);
    json_array_append_new(signatures, json_pack("{s:s,s:s}", "keyid", id, "sig", hex));
    return OK;
}

enum err todo_sign(json_t *todo, const struct key *k, struct todo_state *out, struct error *e)
{
    struct role previous, next;
    char        id[SHA256_HEX];
    enum err    code = read_both(todo, &previous, &next, e);

    if (code)
        return code;
    key_id(k->public, id);
    if (!may_sign(&previous, id) && !may_sign(&next, id))
        code = fail(e, ERR_DENIED, "key %.12s… is neither one of root %lld's keys nor of root %lld's; its signature would count for nothing", id,
                    (long long)previous.version, (long long)next.version);
    role_end(&previous);
    role_end(&next);
    code = code ? code : add_signature(json_object_get(todo, "next"), k, id, e);
    code = code ? code : todo_read(todo, &previous, &next, out, e);
    if (!code) {
        role_end(&previous);
        role_end(&next);
    }
    return code;
}

/* "- 3f2a…" for what leaves, "+ 9c01…" for what comes. */
static void list_missing(struct text *out, const json_t *from, const json_t *in, const char *sign)
{
    for (size_t i = 0; i < json_array_size(from); i++) {
        const char *id = json_string_value(json_array_get(from, i));
        size_t      j = 0;

        while (j < json_array_size(in) && strcmp(id, json_string_value(json_array_get(in, j))))
            j++;
        if (j == json_array_size(in))
            text_add(out, " %s%.12s…", sign, id);
    }
}

char *todo_changes(const struct role *previous, const struct role *next)
{
    const json_t *before = json_object_get(previous->body, "roles");
    json_t       *role;
    struct text   out = {0};
    const char   *name;
    char          text[TIME_SIZE];

    json_object_foreach(json_object_get(next->body, "roles"), name, role) {
        const json_t *was = json_object_get(before, name);

        if (json_equal(was, role))
            continue;
        text_add(&out, "%s:", name);
        list_missing(&out, json_object_get(was, "keyids"), json_object_get(role, "keyids"), "-");
        list_missing(&out, json_object_get(role, "keyids"), json_object_get(was, "keyids"), "+");
        text_add(&out, ", %lld of %zu have to sign\n", (long long)json_integer_value(json_object_get(role, "threshold")),
                 json_array_size(json_object_get(role, "keyids")));
    }
    text_add(&out, "good until %s", time_print(next->expires, text));
    return text_take(&out);
}
