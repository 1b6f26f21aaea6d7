#include "policy/trust/shelf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/document/json.h"
#include "policy/trust/canonical.h"
#include "policy/trust/role.h"

#define KEPT_VERSIONS 3
#define FILE_MOST     (4u << 20)

json_t *body_head(const char *type, int64_t version, int64_t expires)
{
    char text[TIME_SIZE];

    return json_pack("{s:s,s:s,s:I,s:s}", "_type", type, "spec_version", "1.0.31", "version", (json_int_t)version, "expires",
                     time_print(expires, text));
}

int64_t body_version(const json_t *body)
{
    return body ? json_integer_value(json_object_get(body, "version")) : 0;
}

int64_t body_expires(const json_t *body)
{
    const char *text = json_string_value(json_object_get(body, "expires"));
    int64_t     seconds = 0;

    if (text)
        time_read(text, &seconds, NULL);
    return seconds;
}

static json_t *signatures_of(const char *bytes, size_t length, const struct key *keys, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        uint8_t raw[KEY_SIGNATURE];
        char    id[SHA256_HEX], hex[2 * KEY_SIGNATURE + 1];

        key_sign(&keys[i], bytes, length, raw);
        key_id(keys[i].public, id);
        hex_encode(raw, sizeof raw, hex);
        json_array_append_new(list, json_pack("{s:s,s:s}", "keyid", id, "sig", hex));
    }
    return list;
}

enum err shelf_put(const char *dir, const char *file, const char *role, const json_t *body, const struct key *keys, size_t count,
                   json_t **announce, struct error *e)
{
    AUTO(text_free) char *path = must_print("%s/policy/metadata/%s", dir, file), *bytes = NULL, *whole = NULL;
    char                  hex[SHA256_HEX];
    size_t                length;
    json_t               *envelope;
    struct sha256         h;
    enum err              code = canonical_print(body, &bytes, &length, e);

    if (code)
        return code;
    envelope = json_pack("{s:o,s:O}", "signatures", signatures_of(bytes, length, keys, count), "signed", body);
    code = canonical_print(envelope, &whole, &length, e);
    json_decref(envelope);
    if (!code && length > role_limit(PROFILE_FERRY, role))
        code =
            fail(e, ERR_CONDITION, "%s: %zu bytes of signed policy, nodes accept at most %zu; split the collection or withdraw deployments",
                 role, length, role_limit(PROFILE_FERRY, role));
    code = code ? code : file_write(path, whole, length, 0644, e);
    if (code || !announce)
        return code;
    h = hash_bytes(whole, length);
    *announce = json_pack("{s:O,s:I,s:{s:s}}", "version", json_object_get(body, "version"), "length", (json_int_t)length, "hashes",
                          "sha256", sha256_hex(&h, hex));
    return OK;
}

enum err shelf_get(const char *dir, const char *file, json_t **body, struct error *e)
{
    AUTO(text_free) char *path = must_print("%s/policy/metadata/%s", dir, file), *bytes = NULL;
    size_t                length;
    json_t               *envelope = NULL;
    enum err              code = file_read(path, FILE_MOST, &bytes, &length, e);

    code = code ? code : json_read(bytes, length, FILE_MOST, &envelope, e);
    if (code)
        return code;
    *body = json_incref(json_object_get(envelope, "signed"));
    json_decref(envelope);
    return *body ? OK : fail(e, ERR_VERIFY, "%s: not a signed file", path);
}

static bool is_signed_by(const json_t *signatures, const struct key *k, const char *bytes, size_t length)
{
    char id[SHA256_HEX];

    key_id(k->public, id);
    for (size_t i = 0; i < json_array_size(signatures); i++) {
        const json_t *one = json_array_get(signatures, i);
        const char   *hex = json_string_value(json_object_get(one, "sig")), *by = json_string_value(json_object_get(one, "keyid"));
        uint8_t       raw[KEY_SIGNATURE];

        if (hex && by && !strcmp(by, id) && hex_decode(hex, raw, sizeof raw) && key_verify(k->public, bytes, length, raw))
            return true;
    }
    return false;
}

bool shelf_signed(const char *dir, const char *file, const struct key *keys, size_t count)
{
    AUTO(text_free) char *path = must_print("%s/policy/metadata/%s", dir, file), *bytes = NULL, *body = NULL;
    size_t                length;
    json_t               *envelope = NULL;
    bool                  all = !file_read(path, FILE_MOST, &bytes, &length, NULL) && !json_read(bytes, length, FILE_MOST, &envelope, NULL) &&
               !canonical_print(json_object_get(envelope, "signed"), &body, &length, NULL);

    for (size_t i = 0; i < count && all; i++)
        all = is_signed_by(json_object_get(envelope, "signatures"), &keys[i], body, length);
    json_decref(envelope);
    return all;
}

/* --- target bodies --- */

/* "policy/tills/october.json" → role "tills", and where the name begins. */
static const char *split(const char *name, char role[65])
{
    const char *begin = name + 7, *end;

    if (strncmp(name, "policy/", 7) || !(end = strchr(begin, '/')) || end - begin > 64)
        return NULL;
    snprintf(role, 65, "%.*s", (int)(end - begin), begin);
    return role_name_ok(role) && name_ok(end + 1) ? end + 1 : NULL;
}

/* What nodes read with a JSON library: as canonical as JSON allows. A certificate has lines, and so may a description; canonical form leaves a
 * line feed as it is, which is no JSON. Only the hash of these bytes is signed. Fractions are refused all the same. */
static enum err document_print(const json_t *body, char **out, size_t *length, struct error *e)
{
    AUTO(text_free) char *canonical = NULL;
    size_t                n;
    enum err              code = canonical_print(body, &canonical, &n, e);

    if (code)
        return code;
    *out = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
    if (!*out)
        return fail(e, ERR_VERIFY, "a document that is no JSON cannot be published");
    *length = strlen(*out);
    return OK;
}

enum err shelf_put_target(const char *dir, const char *name, const json_t *body, char role[65], json_t **line, struct error *e)
{
    AUTO(text_free) char *bytes = NULL, *folder = NULL, *path = NULL;
    const char           *file = split(name, role);
    json_t               *seq = json_object_get(body, "seq"), *audience = json_object_get(body, "audience");
    char                  hex[SHA256_HEX];
    size_t                length = 0;
    struct sha256         h;
    enum err              code;

    if (!file)
        return fail(e, ERR_USAGE, "\"%s\" is no name for a document; policy/COLLECTION/NAME.json was expected", name);
    if (!json_is_integer(seq) || json_integer_value(seq) < 0 || !json_is_string(audience))
        return fail(e, ERR_USAGE, "%s: a document says its seq (a number) and its audience (the site's id); this one does not", name);
    code = document_print(body, &bytes, &length, e);
    if (code)
        return code;
    h = hash_bytes(bytes, length);
    sha256_hex(&h, hex);
    folder = must_print("%s/policy/targets/policy/%s", dir, role);
    path = must_print("%s/%s.%s", folder, hex, file);
    if (!file_exists(path))
        code = file_make_dirs(folder, 0755, e);
    if (!code && !file_exists(path))
        code = file_write(path, bytes, length, 0644, e);
    if (!code)
        *line = json_pack("{s:I,s:{s:s},s:{s:O,s:O}}", "length", (json_int_t)length, "hashes", "sha256", hex, "custom", "seq", seq,
                          "audience", audience);
    return code;
}

/* --- sweeping --- */

static void each_name(const char *folder, void (*each)(void *ctx, const char *folder, const char *name), void *ctx)
{
    DIR           *d = opendir(folder);
    struct dirent *entry;

    while (d && (entry = readdir(d)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            each(ctx, folder, entry->d_name);
    if (d)
        closedir(d);
}

static void drop(const char *folder, const char *name)
{
    AUTO(text_free) char *path = must_print("%s/%s", folder, name);

    unlink(path);
}

struct sweep {
    const char   *dir;
    const json_t *snapshot;
    json_t       *needed;                       /* {"ROLE": {"HASH.NAME": true}} of the versions that stay */
};

static void need_targets(struct sweep *s, const char *file, const char *role)
{
    json_t     *body = NULL, *line, *set = json_object_get(s->needed, role);
    const char *name;

    if (!set)
        json_object_set_new(s->needed, role, set = json_object());
    if (shelf_get(s->dir, file, &body, NULL)) {
        json_object_set_new(s->needed, role, json_null());      /* cannot be read: nothing of this role is touched */
        return;
    }
    json_object_foreach(json_object_get(body, "targets"), name, line) {
        const char *hex = json_string_value(json_object_get(json_object_get(line, "hashes"), "sha256")), *slash = strrchr(name, '/');
        AUTO(text_free) char *stored = must_print("%s.%s", hex ? hex : "", slash ? slash + 1 : name);

        json_object_set_new(set, stored, json_true());
    }
    json_decref(body);
}

/* "12.tills.json" */
static void on_metadata(void *ctx, const char *folder, const char *name)
{
    struct sweep         *s = ctx;
    AUTO(text_free) char *role = NULL;
    char                 *dot;
    long long             version = strtoll(name, &dot, 10), current;
    bool                  snapshot = !strcmp(dot, ".snapshot.json");
    const json_t         *line = json_object_get(json_object_get(s->snapshot, "meta"), *dot ? dot + 1 : "");

    if (*name == '.')
        drop(folder, name);
    if (dot == name || *dot != '.' || strlen(dot) < 7 || !strcmp(dot, ".root.json"))
        return;
    role = must_print("%.*s", (int)strlen(dot) - 6, dot + 1);
    current = json_integer_value(json_object_get(snapshot ? s->snapshot : line, "version"));
    if (version < current - KEPT_VERSIONS)
        drop(folder, name);
    else if (role_name_ok(role))
        need_targets(s, name, role);
}

static void on_target(void *ctx, const char *folder, const char *name)
{
    const json_t *set = ctx;

    if (json_is_object(set) && !json_object_get(set, name))
        drop(folder, name);
}

void shelf_sweep(const char *dir, const json_t *snapshot)
{
    AUTO(text_free) char *metadata = must_print("%s/policy/metadata", dir);
    struct sweep          s = {dir, snapshot, json_object()};
    const char           *role;
    json_t               *set;

    each_name(metadata, on_metadata, &s);
    json_object_foreach(s.needed, role, set) {
        AUTO(text_free) char *folder = must_print("%s/policy/targets/policy/%s", dir, role);

        each_name(folder, on_target, set);
    }
    json_decref(s.needed);
}
