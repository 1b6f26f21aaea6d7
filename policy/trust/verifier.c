#include "policy/trust/verifier.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"
#include "policy/trust/delegation.h"

#define ROOT_LIMIT      (64u << 10)
#define TIMESTAMP_LIMIT (4u << 10)
#define SNAPSHOT_LIMIT  (256u << 10)
#define TARGETS_LIMIT   (512u << 10)
#define ROOT_STEPS      32
#define TARGETS_MOST    20000

/* In the order of the specification, 5.3 to 5.6. */
enum step { STEP_ROOT, STEP_TIMESTAMP, STEP_SNAPSHOT, STEP_TARGETS, STEP_DELEGATED, STEP_END, STEP_UNCHANGED, STEP_FAILED };

struct verifier {
    struct verifier_store   store;
    int64_t                 now;
    enum step               step;
    int                     root_steps;
    struct role             root, timestamp, snapshot, targets;
    struct delegation       delegations[DELEGATIONS];
    struct role             delegated[DELEGATIONS];
    size_t                  delegation_count, at;
    struct verifier_target *list;
    size_t                  count;
    struct error            error;
};

static enum step failed(struct verifier *v)
{
    return v->step = STEP_FAILED;
}

static enum err signer_of(const struct verifier *v, const struct role *root, const char *role, struct signer *out, struct error *e)
{
    (void)v;
    return signer_read(json_object_get(root->body, "keys"), json_object_get(json_object_get(root->body, "roles"), role), role, out, e);
}

static enum err check_signed(const struct verifier *v, const struct role *r, const struct role *root, const char *role, struct error *e)
{
    struct signer s;
    enum err      code = signer_of(v, root, role, &s, e);

    return code ? code : role_verify(r, &s, role, e);
}

/* A role out of the store, verified again with the root in force. ERR_NOT_FOUND when absent. */
static enum err load(struct verifier *v, const char *name, const char *type, size_t limit, const struct signer *s, struct role *out, struct error *e)
{
    char    *bytes = NULL;
    size_t   length = 0;
    enum err code = v->store.get(v->store.ctx, name, &bytes, &length, e);

    if (!code && !bytes)
        return fail(e, ERR_NOT_FOUND, "%s is not stored", name);
    if (!code)
        code = role_read(bytes, length, limit, type, out, e);
    free(bytes);
    if (!code && s && (code = role_verify(out, s, name, e)))
        role_end(out);
    return code;
}

static enum err load_top(struct verifier *v, const char *name, size_t limit, struct role *out, struct error *e)
{
    struct signer s;
    enum err      code = signer_of(v, &v->root, name, &s, e);

    return code ? code : load(v, name, name, limit, &s, out, e);
}

enum err verifier_new(const struct verifier_store *store, int64_t now, struct verifier **out, struct error *e)
{
    struct verifier *v = must_alloc(sizeof *v);
    enum err         code;

    v->store = *store;
    v->now = now;
    code = load(v, "root", "root", ROOT_LIMIT, NULL, &v->root, e);
    if (!code)
        code = check_signed(v, &v->root, &v->root, "root", e);
    if (code) {
        verifier_free(v);
        return code;
    }
    *out = v;
    return OK;
}

static void drop_delegated(struct verifier *v)
{
    for (size_t i = 0; i < DELEGATIONS; i++)
        role_end(&v->delegated[i]);
}

void verifier_free(struct verifier *v)
{
    if (!v)
        return;
    role_end(&v->root);
    role_end(&v->timestamp);
    role_end(&v->snapshot);
    role_end(&v->targets);
    drop_delegated(v);
    free(v->list);
    free(v);
}

const struct error *verifier_error(const struct verifier *v)
{
    return &v->error;
}

static enum err keep(struct verifier *v, const char *name, const char *bytes, size_t length)
{
    return v->store.put(v->store.ctx, name, bytes, length, &v->error);
}

/* --- what a file announces of another: {"version", "length", "hashes": {"sha256"}} --- */

static const json_t *meta_of(const struct role *r, const char *role)
{
    char name[80];

    snprintf(name, sizeof name, "%s.json", role);
    return json_object_get(json_object_get(r->body, "meta"), name);
}

static int64_t meta_version(const struct role *r, const char *role)
{
    return json_integer_value(json_object_get(meta_of(r, role), "version"));
}

static enum err check_announced(const json_t *meta, const char *name, const char *bytes, size_t length, struct error *e)
{
    const json_t *size = json_object_get(meta, "length");
    const char   *hex = json_string_value(json_object_get(json_object_get(meta, "hashes"), "sha256"));
    struct sha256 wanted, real = hash_bytes(bytes, length);

    if (size && (!json_is_integer(size) || json_integer_value(size) != (json_int_t)length))
        return fail(e, ERR_VERIFY, "%s: %zu bytes, %lld were announced", name, length, (long long)json_integer_value(size));
    if (hex && (!sha256_read(hex, &wanted) || !sha256_same(&wanted, &real)))
        return fail(e, ERR_VERIFY, "%s: its hash is not what was announced", name);
    return OK;
}

static enum err check_fresh(const struct verifier *v, const struct role *r, const char *name, struct error *e)
{
    char text[TIME_SIZE];

    if (r->expires <= v->now)
        return fail(e, ERR_VERIFY, "%s has expired (%s)", name, time_print(r->expires, text));
    return OK;
}

/* --- 5.3 root --- */

static bool keys_differ(const struct role *a, const struct role *b, const char *role)
{
    struct signer x, y;

    if (signer_read(json_object_get(a->body, "keys"), json_object_get(json_object_get(a->body, "roles"), role), role, &x, NULL) ||
        signer_read(json_object_get(b->body, "keys"), json_object_get(json_object_get(b->body, "roles"), role), role, &y, NULL))
        return true;
    return memcmp(&x, &y, sizeof x) != 0;
}

static enum err give_root(struct verifier *v, const char *bytes, size_t length)
{
    struct role next;
    enum err    code = role_read(bytes, length, ROOT_LIMIT, "root", &next, &v->error);

    if (code)
        return code;
    if (next.version != v->root.version + 1)
        code = fail(&v->error, ERR_VERIFY, "root %lld follows root %lld: it has to go up by exactly one", (long long)next.version, (long long)v->root.version);
    if (!code)
        code = check_signed(v, &next, &v->root, "root", &v->error);
    if (!code)
        code = check_signed(v, &next, &next, "root", &v->error);
    /* 5.3.11: recovery from a fast-forward. Dropped before the new root is stored, so that a crash between cannot keep the old ones. */
    if (!code && (keys_differ(&v->root, &next, "timestamp") || keys_differ(&v->root, &next, "snapshot"))) {
        code = v->store.drop(v->store.ctx, "timestamp", &v->error);
        code = code ? code : v->store.drop(v->store.ctx, "snapshot", &v->error);
    }
    if (!code)
        code = keep(v, "root", bytes, length);
    if (code) {
        role_end(&next);
        return code;
    }
    role_end(&v->root);
    v->root = next;
    if (++v->root_steps >= ROOT_STEPS)
        return fail(&v->error, ERR_VERIFY, "more than %d new roots in one refresh; the next refresh goes on", ROOT_STEPS);
    return OK;
}

/* --- 5.4 timestamp --- */

static bool recall_all(struct verifier *v);

static enum err give_timestamp(struct verifier *v, const char *bytes, size_t length)
{
    struct role next, old = {0};
    enum err    code = role_read(bytes, length, TIMESTAMP_LIMIT, "timestamp", &next, &v->error);
    bool        had;

    if (code)
        return code;
    code = check_signed(v, &next, &v->root, "timestamp", &v->error);
    had = !code && !load_top(v, "timestamp", TIMESTAMP_LIMIT, &old, NULL);
    if (had && next.version < old.version)
        code = fail(&v->error, ERR_VERIFY, "timestamp %lld after %lld: rolled back", (long long)next.version, (long long)old.version);
    if (had && !code && meta_version(&next, "snapshot") < meta_version(&old, "snapshot"))
        code = fail(&v->error, ERR_VERIFY, "the timestamp announces an older snapshot: rolled back");
    if (!code && meta_version(&next, "snapshot") < 1)
        code = fail(&v->error, ERR_VERIFY, "the timestamp announces no snapshot");
    if (!code)
        code = check_fresh(v, &next, "timestamp", &v->error);
    if (!code && !(had && next.version == old.version))
        code = keep(v, "timestamp", bytes, length);
    if (code) {
        role_end(&next);
        role_end(&old);
        return code;
    }
    v->step = STEP_SNAPSHOT;
    role_end(&v->timestamp);
    v->timestamp = next;
    if (had && next.version == old.version && recall_all(v))
        v->step = STEP_UNCHANGED;
    role_end(&old);
    return OK;
}

/* --- 5.5 snapshot --- */

static enum err not_rolled_back(const struct role *old, const struct role *next, struct error *e)
{
    const char *name;
    json_t     *meta;

    json_object_foreach(json_object_get(old->body, "meta"), name, meta) {
        const json_t *now = json_object_get(json_object_get(next->body, "meta"), name);
        if (!now)
            return fail(e, ERR_VERIFY, "%s vanished from the snapshot", name);
        if (json_integer_value(json_object_get(now, "version")) < json_integer_value(json_object_get(meta, "version")))
            return fail(e, ERR_VERIFY, "%s was rolled back by the snapshot", name);
    }
    return OK;
}

static enum err give_snapshot(struct verifier *v, const char *bytes, size_t length)
{
    struct role next, old = {0};
    enum err    code = check_announced(meta_of(&v->timestamp, "snapshot"), "snapshot", bytes, length, &v->error);

    code = code ? code : role_read(bytes, length, SNAPSHOT_LIMIT, "snapshot", &next, &v->error);
    if (code)
        return code;
    code = check_signed(v, &next, &v->root, "snapshot", &v->error);
    if (!code && next.version != meta_version(&v->timestamp, "snapshot"))
        code = fail(&v->error, ERR_VERIFY, "snapshot %lld, %lld was announced", (long long)next.version, (long long)meta_version(&v->timestamp, "snapshot"));
    if (!code && !load_top(v, "snapshot", SNAPSHOT_LIMIT, &old, NULL))
        code = not_rolled_back(&old, &next, &v->error);
    role_end(&old);
    code = code ? code : check_fresh(v, &next, "snapshot", &v->error);
    code = code ? code : keep(v, "snapshot", bytes, length);
    if (code) {
        role_end(&next);
        return code;
    }
    role_end(&v->snapshot);
    v->snapshot = next;
    v->step = STEP_TARGETS;
    return OK;
}

/* --- 5.6 targets and delegated roles --- */

static enum err check_targets(struct verifier *v, const char *name, const struct signer *s, const struct role *r, struct error *e)
{
    enum err code = role_verify(r, s, name, e);

    if (!code && r->version != meta_version(&v->snapshot, name))
        code = fail(e, ERR_VERIFY, "%s %lld, the snapshot says %lld", name, (long long)r->version, (long long)meta_version(&v->snapshot, name));
    return code ? code : check_fresh(v, r, name, e);
}

static enum err give_targets(struct verifier *v, const char *bytes, size_t length)
{
    struct role   next;
    struct signer s;
    enum err      code = check_announced(meta_of(&v->snapshot, "targets"), "targets", bytes, length, &v->error);

    code = code ? code : role_read(bytes, length, TARGETS_LIMIT, "targets", &next, &v->error);
    if (code)
        return code;
    code = signer_of(v, &v->root, "targets", &s, &v->error);
    code = code ? code : check_targets(v, "targets", &s, &next, &v->error);
    code = code ? code : delegations_read(next.body, v->delegations, &v->delegation_count, &v->error);
    code = code ? code : keep(v, "targets", bytes, length);
    if (code) {
        role_end(&next);
        return code;
    }
    role_end(&v->targets);
    v->targets = next;
    v->at = 0;
    v->step = STEP_DELEGATED;
    return OK;
}

static enum err give_delegated(struct verifier *v, const char *bytes, size_t length)
{
    const struct delegation *d = &v->delegations[v->at];
    struct role              next;
    enum err                 code = check_announced(meta_of(&v->snapshot, d->name), d->name, bytes, length, &v->error);

    code = code ? code : role_read(bytes, length, TARGETS_LIMIT, "targets", &next, &v->error);
    if (code)
        return code;
    code = check_targets(v, d->name, &d->signer, &next, &v->error);
    code = code ? code : keep(v, d->name, bytes, length);
    if (code) {
        role_end(&next);
        return code;
    }
    role_end(&v->delegated[v->at]);
    v->delegated[v->at++] = next;
    return OK;
}

/* --- the list of targets --- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct verifier_target *)a)->name, ((const struct verifier_target *)b)->name);
}

static enum err target_read(const struct delegation *d, const char *name, const json_t *value, struct verifier_target *t, struct error *e)
{
    const char *hex = json_string_value(json_object_get(json_object_get(value, "hashes"), "sha256")), *slash = strrchr(name, '/');
    const json_t *length = json_object_get(value, "length"), *seq = json_object_get(json_object_get(value, "custom"), "seq");
    char        text[SHA256_HEX];

    if (!delegation_allows(d, name) || strstr(name, "..") || *name == '/' || strlen(name) >= sizeof t->name)
        return fail(e, ERR_VERIFY, "%s: \"%.100s\" is not among the paths delegated to it", d->name, name);
    if (!hex || !sha256_read(hex, &t->sha256) || !json_is_integer(length) || json_integer_value(length) < 0 || !json_is_integer(seq))
        return fail(e, ERR_VERIFY, "%s: target %.100s lacks hash, length or seq", d->name, name);
    snprintf(t->name, sizeof t->name, "%s", name);
    snprintf(t->role, sizeof t->role, "%s", d->name);
    t->length = (uint64_t)json_integer_value(length);
    t->seq = json_integer_value(seq);
    snprintf(t->url_path, sizeof t->url_path, "%.*s/%s.%s", (int)(slash ? slash - name : 0), name, sha256_hex(&t->sha256, text), slash ? slash + 1 : name);
    return OK;
}

static enum err list_targets(struct verifier *v, struct error *e)
{
    size_t   room = 0;
    enum err code = OK;

    v->count = 0;
    for (size_t i = 0; i < v->delegation_count; i++)
        room += json_object_size(json_object_get(v->delegated[i].body, "targets"));
    if (room > TARGETS_MOST)
        return fail(e, ERR_VERIFY, "%zu targets, at most %d are accepted", room, TARGETS_MOST);
    free(v->list);
    v->list = must_alloc((room + 1) * sizeof *v->list);
    for (size_t i = 0; i < v->delegation_count && !code; i++) {
        const char *name;
        json_t     *value;
        json_object_foreach(json_object_get(v->delegated[i].body, "targets"), name, value)
            if (!code && !(code = target_read(&v->delegations[i], name, value, &v->list[v->count], e)))
                v->count++;
    }
    qsort(v->list, v->count, sizeof *v->list, by_name);
    return code;
}

/* Everything behind the timestamp out of the store; what has expired stays in force, and is told by verifier_expires. */
static enum err recall_chain(struct verifier *v, struct error *e)
{
    struct signer s;
    enum err      code;

    role_end(&v->snapshot);
    role_end(&v->targets);
    drop_delegated(v);
    code = load_top(v, "snapshot", SNAPSHOT_LIMIT, &v->snapshot, e);
    if (!code && v->snapshot.version != meta_version(&v->timestamp, "snapshot"))
        code = fail(e, ERR_NOT_FOUND, "the stored snapshot is not the timestamp's");
    code = code ? code : load_top(v, "targets", TARGETS_LIMIT, &v->targets, e);
    if (!code && v->targets.version != meta_version(&v->snapshot, "targets"))
        code = fail(e, ERR_NOT_FOUND, "the stored targets are not the snapshot's");
    code = code ? code : delegations_read(v->targets.body, v->delegations, &v->delegation_count, e);
    for (size_t i = 0; i < v->delegation_count && !code; i++) {
        s = v->delegations[i].signer;
        code = load(v, v->delegations[i].name, "targets", TARGETS_LIMIT, &s, &v->delegated[i], e);
        if (!code && v->delegated[i].version != meta_version(&v->snapshot, v->delegations[i].name))
            code = fail(e, ERR_NOT_FOUND, "the stored role %s is not the snapshot's", v->delegations[i].name);
    }
    return code ? code : list_targets(v, e);
}

/* An unchanged timestamp needs nothing more only when all behind it is stored, whole and not expired. */
static bool recall_all(struct verifier *v)
{
    bool good = !recall_chain(v, NULL) && v->snapshot.expires > v->now && v->targets.expires > v->now;

    for (size_t i = 0; good && i < v->delegation_count; i++)
        good = v->delegated[i].expires > v->now;
    return good;
}

enum err verifier_recall(struct verifier *v, struct error *e)
{
    enum err code;

    role_end(&v->timestamp);
    code = load_top(v, "timestamp", TIMESTAMP_LIMIT, &v->timestamp, e);
    return code ? code : recall_chain(v, e);
}

/* --- the machine --- */

static enum verifier_verdict want(struct verifier_want *out, size_t limit, int64_t version, const char *role)
{
    if (version)
        snprintf(out->path, sizeof out->path, "%" PRId64 ".%s.json", version, role);
    else
        snprintf(out->path, sizeof out->path, "%s.json", role);
    out->limit = limit;
    return VERIFIER_WANT;
}

/* A delegated role whose stored file is the announced version and good needs no request. */
static bool stored_already(struct verifier *v)
{
    const struct delegation *d = &v->delegations[v->at];
    struct role              r;

    if (load(v, d->name, "targets", TARGETS_LIMIT, &d->signer, &r, NULL))
        return false;
    if (check_targets(v, d->name, &d->signer, &r, NULL)) {
        role_end(&r);
        return false;
    }
    role_end(&v->delegated[v->at]);
    v->delegated[v->at++] = r;
    return true;
}

enum verifier_verdict verifier_next(struct verifier *v, struct verifier_want *out)
{
    switch (v->step) {
    case STEP_ROOT:      return want(out, ROOT_LIMIT, v->root.version + 1, "root");
    case STEP_TIMESTAMP: return want(out, TIMESTAMP_LIMIT, 0, "timestamp");
    case STEP_SNAPSHOT:  return want(out, SNAPSHOT_LIMIT, meta_version(&v->timestamp, "snapshot"), "snapshot");
    case STEP_TARGETS:   return want(out, TARGETS_LIMIT, meta_version(&v->snapshot, "targets"), "targets");
    case STEP_DELEGATED:
        while (v->at < v->delegation_count && stored_already(v))
            ;
        if (v->at < v->delegation_count)
            return want(out, TARGETS_LIMIT, meta_version(&v->snapshot, v->delegations[v->at].name), v->delegations[v->at].name);
        if (list_targets(v, &v->error)) {
            failed(v);
            return VERIFIER_FAILED;
        }
        v->step = STEP_END;
        return VERIFIER_DONE;
    case STEP_END:       return VERIFIER_DONE;
    case STEP_UNCHANGED: return VERIFIER_UNCHANGED;
    case STEP_FAILED:    break;
    }
    return VERIFIER_FAILED;
}

void verifier_give(struct verifier *v, const char *bytes, size_t length)
{
    enum err code = OK;

    switch (v->step) {
    case STEP_ROOT:      code = give_root(v, bytes, length); break;
    case STEP_TIMESTAMP: code = give_timestamp(v, bytes, length); break;
    case STEP_SNAPSHOT:  code = give_snapshot(v, bytes, length); break;
    case STEP_TARGETS:   code = give_targets(v, bytes, length); break;
    case STEP_DELEGATED: code = give_delegated(v, bytes, length); break;
    case STEP_END: case STEP_UNCHANGED: case STEP_FAILED: break;
    }
    if (code)
        failed(v);
}

void verifier_absent(struct verifier *v)
{
    if (v->step == STEP_ROOT && !check_fresh(v, &v->root, "root", &v->error)) {
        v->step = STEP_TIMESTAMP;
        return;
    }
    if (v->step != STEP_ROOT)
        fail(&v->error, ERR_AGAIN, "a file that was announced is not there");
    failed(v);
}

size_t verifier_target_count(const struct verifier *v)
{
    return v->count;
}

const struct verifier_target *verifier_target(const struct verifier *v, size_t index)
{
    return index < v->count ? &v->list[index] : NULL;
}

int64_t verifier_timestamp_version(const struct verifier *v)
{
    return v->timestamp.version;
}

int64_t verifier_expires(const struct verifier *v)
{
    return v->timestamp.expires;
}

enum err verifier_check_target(const struct verifier_target *t, const char *audience, const char *bytes, size_t length, struct error *e)
{
    struct sha256 h = hash_bytes(bytes, length);
    json_t       *body = NULL;
    const char   *found;
    enum err      code;

    if (length != t->length || !sha256_same(&h, &t->sha256))
        return fail(e, ERR_VERIFY, "%s: its length or hash is not what was signed", t->name);
    code = json_read(bytes, length, length, &body, e);
    if (code)
        return code;
    found = json_string_value(json_object_get(body, "audience"));
    if (!found || strcmp(found, audience))
        code = fail(e, ERR_VERIFY, "%s: it is for site \"%.40s\", not for %s", t->name, found ? found : "", audience);
    else if (json_integer_value(json_object_get(body, "seq")) != t->seq)
        code = fail(e, ERR_VERIFY, "%s: its seq is not the signed one", t->name);
    json_decref(body);
    return code;
}
