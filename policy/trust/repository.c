#include "policy/trust/repository.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/trust/repository_inside.h"
#include "policy/trust/shelf.h"

#define ROOT_KEYS      3
#define ROOT_THRESHOLD 2

const char *const online_names[ONLINE] = {"timestamp", "snapshot", "targets"};

/* --- making one --- */

char *key_path(const struct repository *r, const char *name)
{
    return must_print("%s/keys/%s.key", r->dir, name);
}

enum err key_make(const char *path, struct key *out, struct error *e)
{
    if (key_generate(out))
        return fail(e, ERR_FAILED, "libsodium cannot start");
    return key_save(path, out, e);
}

static enum err make_keys(struct repository *r, const char *offline, struct key roots[ROOT_KEYS], struct error *e)
{
    enum err code = file_make_dirs(offline, 0700, e);

    for (int i = 0; i < ROOT_KEYS && !code; i++) {
        AUTO(text_free) char *path = must_print("%s/root-%d.key", offline, i + 1);
        code = key_make(path, &roots[i], e);
    }
    for (int i = 0; i < ONLINE && !code; i++) {
        AUTO(text_free) char *path = key_path(r, online_names[i]);
        code = key_make(path, &r->keys[i].key, e);
        r->keys[i].here = !code;
    }
    return code;
}

static enum err make_dirs(const char *dir, struct error *e)
{
    static const struct {
        const char *name;
        mode_t      mode;
    } dirs[] = {{"keys", 0700}, {"policy/metadata", 0755}, {"policy/targets", 0755}};
    enum err code = OK;

    for (size_t i = 0; i < COUNT(dirs) && !code; i++) {
        AUTO(text_free) char *path = must_print("%s/%s", dir, dirs[i].name);
        code = file_make_dirs(path, dirs[i].mode, e);
    }
    return code;
}

void add_role(json_t *body, const char *role, const struct key *keys, size_t count, int64_t threshold)
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
    json_t  *body = body_head("root", 1, now + LIFE_ROOT);
    enum err code;

    json_object_set_new(body, "consistent_snapshot", json_true());
    json_object_set_new(body, "x-ferry-site", json_string(site_id));
    json_object_set_new(body, "keys", json_object());
    json_object_set_new(body, "roles", json_object());
    add_role(body, "root", roots, ROOT_KEYS, ROOT_THRESHOLD);
    for (int i = 0; i < ONLINE; i++)
        add_role(body, online_names[i], &r->keys[i].key, 1, 1);
    code = shelf_put(r->dir, "1.root.json", "root", body, roots, ROOT_KEYS, NULL, e);
    json_decref(body);
    return code;
}

static struct repository *repository_new(const char *dir)
{
    struct repository *r = must_alloc(sizeof *r);

    r->dir = must_copy(dir);
    r->roles = json_object();
    return r;
}

static bool has_root(const char *dir)
{
    AUTO(text_free) char *first = must_print("%s/policy/metadata/1.root.json", dir);

    return file_exists(first);
}

enum err repository_create(const char *dir, const char *offline, const char *site_id, int64_t now, struct error *e)
{
    struct repository *r;
    struct key         roots[ROOT_KEYS] = {0};
    enum err           code;

    if (has_root(dir))
        return fail(e, ERR_EXISTS, "%s holds a signed policy already; it was left as it is", dir);
    r = repository_new(dir);
    code = make_dirs(dir, e);
    code = code ? code : make_keys(r, offline, roots, e);
    code = code ? code : first_root(r, roots, site_id, now, e);
    code = code ? code : load_root(r, e);
    code = code ? code : repository_publish(r, NULL, 0, now, NULL, e);
    for (int i = 0; i < ROOT_KEYS; i++)
        key_end(&roots[i]);
    repository_close(r);
    return code;
}

/* --- opening --- */

static void forget(struct repository *r)
{
    json_decref(r->timestamp);
    json_decref(r->snapshot);
    json_decref(r->targets);
    json_object_clear(r->roles);
    r->timestamp = r->snapshot = r->targets = NULL;
    memset(r->unsigned_by, 0, sizeof r->unsigned_by);
}

/* name: "tills.json" */
static enum err load_role(struct repository *r, const char *name, const json_t *meta, struct error *e)
{
    AUTO(text_free) char *file = must_print("%lld.%s", (long long)body_version(meta), name);
    AUTO(text_free) char *role = NULL;
    size_t                n = strlen(name);
    json_t               *body = NULL;
    enum err              code;

    if (n < 6)
        return fail(e, ERR_VERIFY, "the snapshot names a file \"%s\"", name);
    code = shelf_get(r->dir, file, &body, e);
    if (code)
        return code;
    role = must_print("%.*s", (int)n - 5, name);
    json_object_set_new(r->roles, role, body);
    return OK;
}

size_t signing_keys(const struct repository *r, enum online role, struct key out[2])
{
    const struct online_key *k = &r->keys[role];
    size_t                   n = 0;

    if (k->here)
        out[n++] = k->key;
    if (r->switching && k->waits)
        out[n++] = k->next;
    return n;
}

static enum err load_signed(struct repository *r, const char *file, enum online role, json_t **body, struct error *e)
{
    struct key keys[2] = {0};
    size_t     n = signing_keys(r, role, keys);
    enum err   code = shelf_get(r->dir, file, body, e);

    if (!code)
        r->unsigned_by[role] = !shelf_signed(r->dir, file, keys, n);
    key_end(&keys[0]);
    key_end(&keys[1]);
    return code;
}

enum err load_in_force(struct repository *r, struct error *e)
{
    AUTO(text_free) char *snapshot = NULL, *targets = NULL;
    const char           *name;
    json_t               *meta;
    enum err              code;

    forget(r);
    code = load_signed(r, "timestamp.json", TIMESTAMP, &r->timestamp, e);
    if (code)
        return code == ERR_NOT_FOUND ? OK : code;
    meta = json_object_get(json_object_get(r->timestamp, "meta"), "snapshot.json");
    snapshot = must_print("%lld.snapshot.json", (long long)body_version(meta));
    code = load_signed(r, snapshot, SNAPSHOT, &r->snapshot, e);
    meta = json_object_get(json_object_get(r->snapshot, "meta"), "targets.json");
    targets = must_print("%lld.targets.json", (long long)body_version(meta));
    code = code ? code : load_signed(r, targets, TARGETS, &r->targets, e);
    json_object_foreach(json_object_get(r->snapshot, "meta"), name, meta)
        if (!code && strcmp(name, "targets.json"))
            code = load_role(r, name, meta, e);
    return code;
}

/* --- roots and keys --- */

enum err load_root(struct repository *r, struct error *e)
{
    AUTO(text_free) char *path = NULL, *bytes = NULL;
    int64_t               version = r->root.version ? r->root.version : 1;
    size_t                length;
    struct role           root;
    enum err              code;

    for (;; version++) {
        AUTO(text_free) char *next = must_print("%s/policy/metadata/%lld.root.json", r->dir, (long long)version);
        if (!file_exists(next))
            break;
        text_free(&path);
        path = must_copy(next);
    }
    code = path ? file_read(path, role_limit(PROFILE_FERRY, "root"), &bytes, &length, e)
                : fail(e, ERR_NOT_FOUND, "%s holds no signed policy", r->dir);
    code = code ? code : root_read(PROFILE_FERRY, bytes, length, &root, e);
    if (code)
        return code;
    role_end(&r->root);
    r->root = root;
    return OK;
}

const json_t *root_keyids(const struct role *root, const char *role)
{
    return json_object_get(json_object_get(json_object_get(root->body, "roles"), role), "keyids");
}

static bool is_roots(const struct repository *r, enum online role, const struct key *k)
{
    const json_t *ids = root_keyids(&r->root, online_names[role]);
    char          id[SHA256_HEX];

    key_id(k->public, id);
    for (size_t i = 0; i < json_array_size(ids); i++)
        if (!strcmp(json_string_value(json_array_get(ids, i)), id))
            return true;
    return false;
}

static enum err load_one(const char *path, struct key *out, bool *here, struct error *e)
{
    *here = false;
    if (!file_exists(path))
        return OK;
    enum err code = key_load(path, out, e);
    *here = !code;
    return code;
}

enum err load_keys(struct repository *r, bool lost, struct error *e)
{
    enum err code = OK;

    for (enum online i = TIMESTAMP; i < ONLINE && !code; i++) {
        AUTO(text_free) char *waiting = must_print("%s.next", online_names[i]), *path = key_path(r, online_names[i]);
        AUTO(text_free) char *next = key_path(r, waiting);
        struct online_key    *k = &r->keys[i];

        code = load_one(path, &k->key, &k->here, e);
        code = code ? code : load_one(next, &k->next, &k->waits, e);
        if (!code && k->waits && is_roots(r, i, &k->next)) {     /* the root that names it is published: it is the key from now on */
            code = file_move(next, path, e);
            k->key = k->next;
            k->here = true;
            k->waits = false;
        }
        if (!code && !lost && !k->here)
            code = fail(e, ERR_NOT_FOUND, "%s is not there; ferry-trust(7) tells how lost keys are replaced", path);
        if (!code && !lost && !is_roots(r, i, &k->key))
            code = fail(e, ERR_VERIFY, "%s is not the key that root %lld names", path, (long long)r->root.version);
    }
    return code;
}

static enum err open_any(const char *dir, bool lost, struct repository **out, struct error *e)
{
    struct repository *r;
    enum err           code;

    if (!has_root(dir))
        return fail(e, ERR_NOT_FOUND, "%s holds no signed policy", dir);
    r = repository_new(dir);
    code = load_root(r, e);
    code = code ? code : load_keys(r, lost, e);
    code = code ? code : load_in_force(r, e);
    if (code)
        repository_close(r);
    else
        *out = r;
    return code;
}

enum err repository_open(const char *dir, struct repository **out, struct error *e)
{
    return open_any(dir, false, out, e);
}

enum err repository_open_lost(const char *dir, struct repository **out, struct error *e)
{
    return open_any(dir, true, out, e);
}

void repository_close(struct repository *r)
{
    if (!r)
        return;
    for (int i = 0; i < ONLINE; i++) {
        key_end(&r->keys[i].key);
        key_end(&r->keys[i].next);
    }
    forget(r);
    role_end(&r->root);
    json_decref(r->roles);
    free(r->dir);
    free(r);
}

enum err repository_root_hash(struct repository *r, struct sha256 *out, struct error *e)
{
    AUTO(text_free) char *path = must_print("%s/policy/metadata/1.root.json", r->dir);

    return hash_file(path, out, NULL, e);
}
