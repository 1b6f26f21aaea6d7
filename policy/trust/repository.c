#include "policy/trust/repository.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/document/json.h"
#include "policy/trust/canonical.h"
#include "policy/trust/delegation.h"
#include "policy/trust/key.h"

#define DAY            86400
#define LIFE_ROOT      (365 * DAY)
#define LIFE_TIMESTAMP (2 * DAY)
#define LIFE_SNAPSHOT  (7 * DAY)
#define LIFE_TARGETS   (90 * DAY)
#define ROOT_KEYS      3
#define ROOT_THRESHOLD 2
#define KEPT_VERSIONS  3
#define FILE_LIMIT     (4u << 20)

struct repository {
    char       *dir;
    struct key  timestamp, snapshot, targets;
    json_t     *timestamp_body, *snapshot_body, *targets_body;     /* in force; NULL before the first publish */
    json_t     *roles;                                              /* {"tills": body of V.tills.json} */
};

static char *path_of(const struct repository *r, const char *sub, const char *name, const char *suffix)
{
    return must_print("%s/%s/%s%s", r->dir, sub, name, suffix);
}

static json_t *head(const char *type, int64_t version, int64_t expires)
{
    char text[TIME_SIZE];

    return json_pack("{s:s,s:s,s:I,s:s}", "_type", type, "spec_version", "1.0.31", "version", (json_int_t)version, "expires", time_print(expires, text));
}

static int64_t version_of(const json_t *body)
{
    return body ? json_integer_value(json_object_get(body, "version")) : 0;
}

static int64_t expires_of(const json_t *body)
{
    int64_t seconds = 0;

    if (body)
        time_read(json_string_value(json_object_get(body, "expires")), &seconds, NULL);
    return seconds;
}

/* Signs body (borrowed) with the keys and puts the file; the bytes' hash and length go out for whoever announces it. */
static enum err put_signed(const struct repository *r, const json_t *body, const struct key *keys, size_t count, const char *file, json_t **meta, struct error *e)
{
    char   *bytes, *whole, *path;
    size_t  length;
    json_t *envelope, *signatures = json_array();
    enum err code = canonical_print(body, &bytes, &length, e);

    for (size_t i = 0; i < count && !code; i++) {
        uint8_t raw[KEY_SIGNATURE];
        char    id[SHA256_HEX], hex[2 * KEY_SIGNATURE + 1];
        key_sign(&keys[i], bytes, length, raw);
        key_id(keys[i].public, id);
        hex_encode(raw, sizeof raw, hex);
        json_array_append_new(signatures, json_pack("{s:s,s:s}", "keyid", id, "sig", hex));
    }
    envelope = json_pack("{s:o,s:O}", "signatures", signatures, "signed", body);
    if (!code) {
        free(bytes);
        code = canonical_print(envelope, &whole, &length, e);
    }
    json_decref(envelope);
    if (code)
        return code;
    path = path_of(r, "policy/metadata", file, "");
    code = file_write(path, whole, length, 0644, e);
    if (!code && meta) {
        struct sha256 h = hash_bytes(whole, length);
        char          hex[SHA256_HEX];
        *meta = json_pack("{s:I,s:I,s:{s:s}}", "version", (json_int_t)version_of(body), "length", (json_int_t)length, "hashes", "sha256", sha256_hex(&h, hex));
    }
    free(path);
    free(whole);
    return code;
}

static enum err read_body(const struct repository *r, const char *file, json_t **out, struct error *e)
{
    char    *path = path_of(r, "policy/metadata", file, ""), *bytes = NULL;
    size_t   length;
    json_t  *envelope = NULL;
    enum err code = file_read(path, FILE_LIMIT, &bytes, &length, e);

    code = code ? code : json_read(bytes, length, FILE_LIMIT, &envelope, e);
    if (!code)
        *out = json_incref(json_object_get(envelope, "signed"));
    if (!code && !*out)
        code = fail(e, ERR_VERIFY, "%s: not a signed file", path);
    json_decref(envelope);
    free(bytes);
    free(path);
    return code;
}

static enum err root_keys_make(const char *offline, struct key keys[ROOT_KEYS], struct error *e)
{
    enum err code = file_make_dirs(offline, 0700, e);

    for (int i = 0; i < ROOT_KEYS && !code; i++) {
        char *path = must_print("%s/root-%d.key", offline, i + 1);
        key_generate(&keys[i]);
        code = key_save(path, &keys[i], e);
        free(path);
    }
    return code;
}

static enum err online_key_make(const struct repository *r, const char *name, struct key *out, struct error *e)
{
    char    *path = path_of(r, "keys", name, ".key");
    enum err code = file_exists(path) ? key_load(path, out, e) : ERR_NOT_FOUND;

    if (code == ERR_NOT_FOUND) {
        key_generate(out);
        code = key_save(path, out, e);
    }
    free(path);
    return code;
}

static void root_role(json_t *body, const char *role, const struct key *keys, size_t count, int64_t threshold)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < count; i++) {
        char id[SHA256_HEX];
        key_id(keys[i].public, id);
        json_object_set_new(json_object_get(body, "keys"), id, key_to_json(keys[i].public));
        json_array_append_new(ids, json_string(id));
    }
    json_object_set_new(json_object_get(body, "roles"), role, json_pack("{s:o,s:I}", "keyids", ids, "threshold", (json_int_t)threshold));
}

static enum err first_root(struct repository *r, const struct key roots[ROOT_KEYS], const char *site_id, int64_t now, struct error *e)
{
    json_t  *body = head("root", 1, now + LIFE_ROOT);
    enum err code;

    json_object_set_new(body, "consistent_snapshot", json_true());
    json_object_set_new(body, "x-ferry-site", json_string(site_id));
    json_object_set_new(body, "keys", json_object());
    json_object_set_new(body, "roles", json_object());
    root_role(body, "root", roots, ROOT_KEYS, ROOT_THRESHOLD);
    root_role(body, "timestamp", &r->timestamp, 1, 1);
    root_role(body, "snapshot", &r->snapshot, 1, 1);
    root_role(body, "targets", &r->targets, 1, 1);
    code = put_signed(r, body, roots, ROOT_KEYS, "1.root.json", NULL, e);
    json_decref(body);
    return code;
}

static enum err online_keys(struct repository *r, struct error *e)
{
    enum err code = online_key_make(r, "timestamp", &r->timestamp, e);

    code = code ? code : online_key_make(r, "snapshot", &r->snapshot, e);
    return code ? code : online_key_make(r, "targets", &r->targets, e);
}

static enum err dirs_make(const struct repository *r, struct error *e)
{
    static const struct { const char *name; mode_t mode; } dirs[] = {{"keys", 0700}, {"policy/metadata", 0755}, {"policy/targets", 0755}};
    enum err code = OK;

    for (size_t i = 0; i < COUNT(dirs) && !code; i++) {
        char *path = must_print("%s/%s", r->dir, dirs[i].name);
        code = file_make_dirs(path, dirs[i].mode, e);
        free(path);
    }
    return code;
}

enum err repository_create(const char *dir, const char *offline, const char *site_id, int64_t now, struct error *e)
{
    struct repository *r = must_alloc(sizeof *r);
    struct key         roots[ROOT_KEYS];
    char              *first = must_print("%s/policy/metadata/1.root.json", dir);
    enum err           code = file_exists(first) ? fail(e, ERR_EXISTS, "%s holds a signed policy already", dir) : OK;

    r->dir = must_copy(dir);
    r->roles = json_object();
    code = code ? code : dirs_make(r, e);
    code = code ? code : root_keys_make(offline, roots, e);
    code = code ? code : online_keys(r, e);
    code = code ? code : first_root(r, roots, site_id, now, e);
    code = code ? code : repository_publish(r, NULL, 0, now, NULL, e);
    for (int i = 0; i < ROOT_KEYS; i++)
        key_end(&roots[i]);
    repository_close(r);
    free(first);
    return code;
}

/* What timestamp.json names is in force; whatever else lies there was never announced. */
static enum err load_in_force(struct repository *r, struct error *e)
{
    char        file[128];
    const char *name;
    json_t     *meta;
    enum err    code = read_body(r, "timestamp.json", &r->timestamp_body, e);

    if (code == ERR_NOT_FOUND)
        return OK;
    if (code)
        return code;
    snprintf(file, sizeof file, "%lld.snapshot.json",
             (long long)version_of(json_object_get(json_object_get(r->timestamp_body, "meta"), "snapshot.json")));
    code = read_body(r, file, &r->snapshot_body, e);
    if (code)
        return code;
    json_object_foreach(json_object_get(r->snapshot_body, "meta"), name, meta) {
        json_t *body = NULL;
        snprintf(file, sizeof file, "%lld.%s", (long long)version_of(meta), name);
        if ((code = read_body(r, file, &body, e)))
            return code;
        if (!strcmp(name, "targets.json")) {
            r->targets_body = body;
        } else {
            snprintf(file, sizeof file, "%.*s", (int)strlen(name) - 5, name);
            json_object_set_new(r->roles, file, body);
        }
    }
    return OK;
}

enum err repository_open(const char *dir, struct repository **out, struct error *e)
{
    struct repository *r = must_alloc(sizeof *r);
    char              *first = must_print("%s/policy/metadata/1.root.json", dir);
    enum err           code = file_exists(first) ? OK : fail(e, ERR_NOT_FOUND, "%s holds no signed policy", dir);

    r->dir = must_copy(dir);
    r->roles = json_object();
    code = code ? code : online_keys(r, e);
    code = code ? code : load_in_force(r, e);
    free(first);
    if (code)
        repository_close(r);
    else
        *out = r;
    return code;
}

void repository_close(struct repository *r)
{
    if (!r)
        return;
    key_end(&r->timestamp);
    key_end(&r->snapshot);
    key_end(&r->targets);
    json_decref(r->timestamp_body);
    json_decref(r->snapshot_body);
    json_decref(r->targets_body);
    json_decref(r->roles);
    free(r->dir);
    free(r);
}

/* --- publishing --- */

/* "policy/tills/october.json" → role "tills". */
static bool role_of(const char *name, char out[65])
{
    const char *begin = name + 7, *end;

    if (strncmp(name, "policy/", 7) || !(end = strchr(begin, '/')) || end - begin > 64)
        return false;
    snprintf(out, 65, "%.*s", (int)(end - begin), begin);
    return role_name_ok(out) && end[1] && !strchr(end + 1, '/');
}

/* Writes the body under its consistent name unless it is there, and notes it among its role's targets. */
static enum err put_target(const struct repository *r, const struct publication *p, json_t *roles, struct error *e)
{
    char          role[65], hex[SHA256_HEX], *bytes, *dir, *path;
    size_t        length;
    struct sha256 h;
    enum err      code;

    if (!role_of(p->name, role))
        return fail(e, ERR_USAGE, "\"%s\" is no name for a document: policy/COLLECTION/NAME.json was expected", p->name);
    code = canonical_print(p->body, &bytes, &length, e);
    if (code)
        return code;
    h = hash_bytes(bytes, length);
    sha256_hex(&h, hex);
    dir = must_print("%s/policy/targets/policy/%s", r->dir, role);
    path = must_print("%s/%s.%s", dir, hex, strrchr(p->name, '/') + 1);
    code = file_make_dirs(dir, 0755, e);
    if (!code && !file_exists(path))
        code = file_write(path, bytes, length, 0644, e);
    if (!json_object_get(roles, role))
        json_object_set_new(roles, role, json_object());
    json_object_set_new(json_object_get(roles, role), p->name,
                        json_pack("{s:I,s:{s:s},s:{s:O,s:O}}", "length", (json_int_t)length, "hashes", "sha256", hex, "custom", "seq",
                                  json_object_get(p->body, "seq"), "audience", json_object_get(p->body, "audience")));
    free(path);
    free(dir);
    free(bytes);
    return code;
}

struct change {
    json_t *meta;                               /* the next snapshot's "meta" */
    json_t *old_meta;                           /* of the one in force; NULL */
    bool    changed;
};

/* The next version of a role when its content differs or half its life is over; its line in the snapshot either way. */
static enum err put_role(struct repository *r, const char *name, json_t *next, json_t *old, const char *part, const struct key *key, int64_t now, struct change *c, struct error *e)
{
    char     file[160], plain[100];
    json_t  *meta = NULL;
    enum err code;

    snprintf(plain, sizeof plain, "%s.json", name);
    if (old && json_equal(json_object_get(next, part), json_object_get(old, part)) && expires_of(old) > now + LIFE_TARGETS / 2) {
        json_object_set(c->meta, plain, json_object_get(c->old_meta, plain));
        return OK;
    }
    snprintf(file, sizeof file, "%lld.%s", (long long)version_of(next), plain);
    code = put_signed(r, next, key, 1, file, &meta, e);
    if (!code)
        json_object_set_new(c->meta, plain, meta);
    c->changed = true;
    return code;
}

static enum err put_delegated(struct repository *r, const char *role, json_t *targets, json_t *next_roles, int64_t now, struct change *c, struct error *e)
{
    char       name[100];
    struct key key;
    json_t    *old = json_object_get(r->roles, role), *next = head("targets", version_of(old) + 1, now + LIFE_TARGETS);
    bool       before = c->changed;
    enum err   code;

    snprintf(name, sizeof name, "delegate-%s", role);
    json_object_set(next, "targets", targets);
    code = online_key_make(r, name, &key, e);
    c->changed = false;
    code = code ? code : put_role(r, role, next, old, "targets", &key, now, c, e);
    json_object_set(next_roles, role, c->changed ? next : old);
    c->changed = c->changed || before;
    key_end(&key);
    json_decref(next);
    return code;
}

static enum err put_targets(struct repository *r, const json_t *roles, json_t **next_targets, int64_t now, struct change *c, struct error *e)
{
    json_t     *next = head("targets", version_of(r->targets_body) + 1, now + LIFE_TARGETS), *keys = json_object(), *list = json_array();
    const char *role;
    json_t     *ignored;
    bool        before = c->changed;
    enum err    code = OK;

    json_object_foreach((json_t *)roles, role, ignored) {
        char       name[100], id[SHA256_HEX], paths[100];
        struct key key;
        snprintf(name, sizeof name, "delegate-%s", role);
        snprintf(paths, sizeof paths, "policy/%s/*", role);
        code = code ? code : online_key_make(r, name, &key, e);
        if (code)
            break;
        key_id(key.public, id);
        json_object_set_new(keys, id, key_to_json(key.public));
        json_array_append_new(list, json_pack("{s:s,s:[s],s:[s],s:b,s:i}", "name", role, "keyids", id, "paths", paths, "terminating", 1, "threshold", 1));
        key_end(&key);
    }
    json_object_set_new(next, "targets", json_object());
    json_object_set_new(next, "delegations", json_pack("{s:o,s:o}", "keys", keys, "roles", list));
    c->changed = false;
    code = code ? code : put_role(r, "targets", next, r->targets_body, "delegations", &r->targets, now, c, e);
    *next_targets = json_incref(c->changed ? next : r->targets_body);
    c->changed = c->changed || before;
    json_decref(next);
    return code;
}

static enum err put_timestamp(struct repository *r, const json_t *meta, int64_t now, struct error *e)
{
    json_t  *next = head("timestamp", version_of(r->timestamp_body) + 1, now + LIFE_TIMESTAMP);
    enum err code;

    json_object_set_new(next, "meta", json_pack("{s:O}", "snapshot.json", meta));
    code = put_signed(r, next, &r->timestamp, 1, "timestamp.json", NULL, e);
    if (!code) {
        json_decref(r->timestamp_body);
        r->timestamp_body = json_incref(next);
    }
    json_decref(next);
    return code;
}

static enum err put_snapshot(struct repository *r, json_t *meta, int64_t now, struct error *e)
{
    json_t  *next = head("snapshot", version_of(r->snapshot_body) + 1, now + LIFE_SNAPSHOT), *line = NULL;
    char     file[64];
    enum err code;

    json_object_set(next, "meta", meta);
    snprintf(file, sizeof file, "%lld.snapshot.json", (long long)version_of(next));
    code = put_signed(r, next, &r->snapshot, 1, file, &line, e);
    code = code ? code : put_timestamp(r, line, now, e);
    if (!code) {
        json_decref(r->snapshot_body);
        r->snapshot_body = json_incref(next);
    }
    json_decref(line);
    json_decref(next);
    return code;
}

/* Versions that nobody can ask for any more; roots stay for ever. Best effort. */
static void sweep(const struct repository *r)
{
    char          *dir = must_print("%s/policy/metadata", r->dir);
    DIR           *d = opendir(dir);
    struct dirent *entry;

    while (d && (entry = readdir(d))) {
        char     *dot;
        long long version = strtoll(entry->d_name, &dot, 10), current;
        if (dot == entry->d_name || *dot != '.' || !strcmp(dot, ".root.json"))
            continue;
        current = !strcmp(dot, ".snapshot.json") ? version_of(r->snapshot_body) : version_of(json_object_get(json_object_get(r->snapshot_body, "meta"), dot + 1));
        if (version < current - KEPT_VERSIONS) {
            char *path = must_print("%s/%s", dir, entry->d_name);
            unlink(path);
            free(path);
        }
    }
    if (d)
        closedir(d);
    free(dir);
}

static enum err publish_roles(struct repository *r, json_t *roles, int64_t now, bool *changed, struct error *e)
{
    struct change c = {json_object(), json_object_get(r->snapshot_body, "meta"), false};
    json_t       *next_roles = json_object(), *next_targets = NULL, *targets;
    const char   *role;
    enum err      code = OK;

    json_object_foreach(r->roles, role, targets)
        if (!json_object_get(roles, role))
            json_object_set_new(roles, role, json_object());
    json_object_foreach(roles, role, targets)
        if (!code)
            code = put_delegated(r, role, targets, next_roles, now, &c, e);
    code = code ? code : put_targets(r, roles, &next_targets, now, &c, e);
    if (!code && (c.changed || expires_of(r->snapshot_body) < now + LIFE_SNAPSHOT / 2)) {
        code = put_snapshot(r, c.meta, now, e);
        *changed = true;
    }
    if (!code) {
        json_decref(r->targets_body);
        json_decref(r->roles);
        r->targets_body = json_incref(next_targets);
        r->roles = json_incref(next_roles);
        sweep(r);
    }
    json_decref(next_targets);
    json_decref(next_roles);
    json_decref(c.meta);
    return code;
}

enum err repository_publish(struct repository *r, const struct publication *list, size_t count, int64_t now, bool *changed, struct error *e)
{
    json_t  *roles = json_object();
    bool     any = false;
    enum err code = OK;

    for (size_t i = 0; i < count && !code; i++)
        code = put_target(r, &list[i], roles, e);
    if (!code && json_object_size(roles) > DELEGATIONS)
        code = fail(e, ERR_CONDITION, "%zu collections with deployments, at most %d fit one policy", json_object_size(roles), DELEGATIONS);
    code = code ? code : publish_roles(r, roles, now, &any, e);
    json_decref(roles);
    if (changed)
        *changed = any;
    return code;
}

enum err repository_refresh(struct repository *r, int64_t now, int64_t *next, struct error *e)
{
    enum err code = OK;

    if (expires_of(r->snapshot_body) < now + LIFE_SNAPSHOT / 2) {
        json_t *meta = json_incref(json_object_get(r->snapshot_body, "meta"));
        code = put_snapshot(r, meta, now, e);
        json_decref(meta);
    } else if (expires_of(r->timestamp_body) < now + LIFE_TIMESTAMP - 6 * 3600) {
        json_t *meta = json_incref(json_object_get(json_object_get(r->timestamp_body, "meta"), "snapshot.json"));
        code = put_timestamp(r, meta, now, e);
        json_decref(meta);
    }
    *next = now + 3600;
    return code;
}

enum err repository_root_hash(struct repository *r, struct sha256 *out, struct error *e)
{
    char    *path = path_of(r, "policy/metadata", "1.root.json", "");
    enum err code = hash_file(path, out, NULL, e);

    free(path);
    return code;
}
