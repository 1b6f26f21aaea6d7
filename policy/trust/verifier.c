#include "policy/trust/verifier.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/trust/target.h"

#define ROOT_STEPS 32

/* In the order of the specification, 5.3 to 5.6. */
enum step { STEP_ROOT, STEP_TIMESTAMP, STEP_SNAPSHOT, STEP_TARGETS, STEP_DELEGATED, STEP_END, STEP_FAILED };

struct verifier {
    struct verifier_store   store;
    int64_t                 now;
    enum step               step;
    int                     root_steps;
    bool                    same_timestamp;     /* as the stored one */
    bool                    asked;              /* for anything behind the timestamp */
    struct role             root, timestamp, snapshot, targets;
    struct delegation       delegations[DELEGATIONS];
    struct role             delegated[DELEGATIONS];
    size_t                  delegation_count, at;
    struct verifier_target *list;
    size_t                  count;
    struct error            error;
};

static enum err check_fresh(const struct verifier *v, const struct role *r, const char *name, struct error *e)
{
    char text[TIME_SIZE];

    if (r->expires <= v->now)
        return fail(e, ERR_VERIFY, "%s has expired at %s; the policy in force stays, nothing new is accepted", name,
                    time_print(r->expires, text));
    return OK;
}

static enum err stored_bytes(struct verifier *v, const char *name, char **bytes, size_t *length, struct error *e)
{
    enum err code = v->store.get(v->store.ctx, name, bytes, length, e);

    return code || *bytes ? code : fail(e, ERR_NOT_FOUND, "%s is not stored", name);
}

/* A role out of the store, verified again with who may sign it now. ERR_NOT_FOUND when absent. */
static enum err load(struct verifier *v, const char *name, const char *type, const struct signer *s, struct role *out, struct error *e)
{
    char    *bytes = NULL;
    size_t   length = 0;
    enum err code = stored_bytes(v, name, &bytes, &length, e);

    code = code ? code : role_read(bytes, length, role_limit(name), type, out, e);
    free(bytes);
    if (!code && (code = role_verify(out, s, name, e)))
        role_end(out);
    return code;
}

static enum err load_top(struct verifier *v, const char *name, struct role *out, struct error *e)
{
    struct signer s;
    enum err      code = root_signer(&v->root, name, &s, e);

    return code ? code : load(v, name, name, &s, out, e);
}

/* --- 5.3 root --- */

enum err verifier_new(const struct verifier_store *store, int64_t now, struct verifier **out, struct error *e)
{
    struct verifier *v = must_alloc(sizeof *v);
    char            *bytes = NULL;
    size_t           length = 0;
    enum err         code;

    v->store = *store;
    v->now = now;
    code = stored_bytes(v, "root", &bytes, &length, e);
    code = code ? code : root_read(bytes, length, &v->root, e);
    free(bytes);
    if (code)
        verifier_free(v);
    else
        *out = v;
    return code;
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

/* No newer root: the one we have must not have expired. Only the last one counts, the steps on the way may be old (5.3.10). */
static enum err root_settled(struct verifier *v)
{
    enum err code = check_fresh(v, &v->root, "root", &v->error);

    if (!code)
        v->step = STEP_TIMESTAMP;
    return code;
}

static bool signers_differ(const struct role *a, const struct role *b, const char *role)
{
    struct signer x, y;

    return root_signer(a, role, &x, NULL) || root_signer(b, role, &y, NULL) || memcmp(&x, &y, sizeof x) != 0;
}

/* 5.3.11: recovery from a fast-forward. Before the new root is stored: a crash between the two repeats this, and never keeps the old ones.
 */
static enum err forget_replaced(struct verifier *v, const struct role *next)
{
    enum err code;

    if (!signers_differ(&v->root, next, "timestamp") && !signers_differ(&v->root, next, "snapshot"))
        return OK;
    code = v->store.drop(v->store.ctx, "timestamp", &v->error);
    return code ? code : v->store.drop(v->store.ctx, "snapshot", &v->error);
}

static enum err give_root(struct verifier *v, const char *bytes, size_t length)
{
    struct role next;
    enum err    code = root_read(bytes, length, &next, &v->error);

    if (code)
        return code;
    if (next.version != v->root.version + 1)
        code = fail(&v->error, ERR_VERIFY, "root %lld follows root %lld: it has to go up by exactly one", (long long)next.version,
                    (long long)v->root.version);
    code = code ? code : root_check(&next, &v->root, "root", &v->error);
    code = code ? code : forget_replaced(v, &next);
    code = code ? code : v->store.put(v->store.ctx, "root", bytes, length, &v->error);
    if (code) {
        role_end(&next);
        return code;
    }
    role_end(&v->root);
    v->root = next;
    return ++v->root_steps < ROOT_STEPS ? OK : root_settled(v);     /* the next refresh goes on from here */
}

/* --- 5.4 timestamp --- */

static enum err check_after(const struct role *next, const struct role *old, struct error *e)
{
    if (next->version < old->version)
        return fail(e, ERR_VERIFY, "timestamp %lld after %lld: rolled back", (long long)next->version, (long long)old->version);
    if (announced_version(next, "snapshot") < announced_version(old, "snapshot"))
        return fail(e, ERR_VERIFY, "the timestamp announces an older snapshot: rolled back");
    return OK;
}

static enum err give_timestamp(struct verifier *v, const char *bytes, size_t length)
{
    struct role next, old = {0};
    enum err    code = role_read(bytes, length, role_limit("timestamp"), "timestamp", &next, &v->error);

    if (code)
        return code;
    code = root_check(&next, &v->root, "timestamp", &v->error);
    if (!code && !load_top(v, "timestamp", &old, NULL)) {
        code = check_after(&next, &old, &v->error);
        if (next.version == old.version) {      /* 5.4.3: the one we had counts, whatever else the new one says */
            struct role same = old;
            old = next;
            next = same;
            v->same_timestamp = true;
        }
    }
    role_end(&old);
    code = code ? code : check_fresh(v, &next, "timestamp", &v->error);
    if (!code && !v->same_timestamp)
        code = v->store.put(v->store.ctx, "timestamp", bytes, length, &v->error);
    if (code) {
        role_end(&next);
        return code;
    }
    role_end(&v->timestamp);
    v->timestamp = next;
    v->step = STEP_SNAPSHOT;
    return OK;
}

/* --- 5.5 snapshot, 5.6 targets and delegated roles: one shape, announced by the file before --- */

struct awaited {
    const char        *name, *type;
    const struct role *announcer;
    struct signer      signer;
    struct role       *into;
    int64_t            version;
};

static enum err awaited_now(struct verifier *v, struct awaited *a, struct error *e)
{
    enum err code = OK;

    *a = (struct awaited){.name = "snapshot", .type = "snapshot", .announcer = &v->timestamp, .into = &v->snapshot};
    if (v->step == STEP_TARGETS)
        *a = (struct awaited){.name = "targets", .type = "targets", .announcer = &v->snapshot, .into = &v->targets};
    if (v->step == STEP_DELEGATED)
        *a = (struct awaited){.name = v->delegations[v->at].name, .type = "targets", .announcer = &v->snapshot,
                              .signer = v->delegations[v->at].signer, .into = &v->delegated[v->at]};
    else
        code = root_signer(&v->root, a->name, &a->signer, e);
    a->version = announced_version(a->announcer, a->name);
    if (!code && a->version < 1)
        code = fail(e, ERR_VERIFY, "%s is nowhere announced with a version", a->name);
    return code;
}

static enum err not_rolled_back(const struct role *old, const struct role *next, struct error *e)
{
    const char *name;
    json_t     *meta;

    json_object_foreach(json_object_get(old->body, "meta"), name, meta) {
        const json_t *now = json_object_get(json_object_get(next->body, "meta"), name);
        if (!now)
            return fail(e, ERR_VERIFY, "%.80s vanished from the snapshot", name);
        if (json_integer_value(json_object_get(now, "version")) < json_integer_value(json_object_get(meta, "version")))
            return fail(e, ERR_VERIFY, "%.80s was rolled back by the snapshot", name);
    }
    return OK;
}

/* What only this kind of role has to fulfil. */
static enum err check_kind(struct verifier *v, const struct role *r, struct error *e)
{
    struct role        old = {0};
    struct delegation *scratch;
    size_t             count;
    enum err           code = OK;

    if (v->step == STEP_DELEGATED)
        return targets_read(v->delegations, v->at, r->body, NULL, &count, e);
    if (v->step == STEP_TARGETS) {
        scratch = must_alloc(DELEGATIONS * sizeof *scratch);
        code = delegations_read(r->body, scratch, &count, e);
        free(scratch);
    } else if (!load_top(v, "snapshot", &old, NULL)) {
        code = not_rolled_back(&old, r, e);
        role_end(&old);
    }
    return code;
}

static enum err check_awaited(struct verifier *v, const struct awaited *a, const char *bytes, size_t length, struct role *out,
                              struct error *e)
{
    struct role r;
    enum err    code = announced_check(a->announcer, a->name, bytes, length, e);

    code = code ? code : role_read(bytes, length, role_limit(a->name), a->type, &r, e);
    if (code)
        return code;
    code = role_verify(&r, &a->signer, a->name, e);
    if (!code && r.version != a->version)
        code = fail(e, ERR_VERIFY, "%s %lld, %lld was announced", a->name, (long long)r.version, (long long)a->version);
    code = code ? code : check_fresh(v, &r, a->name, e);
    code = code ? code : check_kind(v, &r, e);
    if (code)
        role_end(&r);
    else
        *out = r;
    return code;
}

static void accept(struct verifier *v, const struct awaited *a, const struct role *r)
{
    role_end(a->into);
    *a->into = *r;
    if (v->step == STEP_DELEGATED) {
        v->at++;
        return;
    }
    if (v->step == STEP_TARGETS) {
        drop_delegated(v);
        delegations_read(r->body, v->delegations, &v->delegation_count, NULL);      /* check_kind has read it already */
    }
    v->step++;
}

/* What is stored, whole and as announced needs no request; what is not is simply fetched again. */
static bool stored_already(struct verifier *v, const struct awaited *a)
{
    char       *bytes = NULL;
    size_t      length = 0;
    struct role r;
    bool        good = !stored_bytes(v, a->name, &bytes, &length, NULL) && !check_awaited(v, a, bytes, length, &r, NULL);

    free(bytes);
    if (good)
        accept(v, a, &r);
    return good;
}

static enum err give_awaited(struct verifier *v, const char *bytes, size_t length)
{
    struct awaited a;
    struct role    r;
    enum err       code = awaited_now(v, &a, &v->error);

    code = code ? code : check_awaited(v, &a, bytes, length, &r, &v->error);
    if (code)
        return code;
    code = v->store.put(v->store.ctx, a.name, bytes, length, &v->error);
    if (code)
        role_end(&r);
    else
        accept(v, &a, &r);
    return code;
}

static enum err list_targets(struct verifier *v, struct error *e)
{
    struct verifier_target *list;
    enum err                code = targets_list(v->delegations, v->delegated, v->delegation_count, &list, &v->count, e);

    if (!code) {
        free(v->list);
        v->list = list;
    }
    return code;
}

/* After a refresh that failed half way the stored roles are of different ages: each is what was last verified for its name, and stays in
 * force. */
enum err verifier_recall(struct verifier *v, struct error *e)
{
    struct role targets;
    enum err    code = load_top(v, "targets", &targets, e);

    if (code)
        return code;
    code = delegations_read(targets.body, v->delegations, &v->delegation_count, e);
    drop_delegated(v);
    role_end(&v->timestamp);
    role_end(&v->targets);
    v->targets = targets;
    if (load_top(v, "timestamp", &v->timestamp, NULL))
        role_end(&v->timestamp);
    for (size_t i = 0; i < v->delegation_count; i++)
        if (load(v, v->delegations[i].name, "targets", &v->delegations[i].signer, &v->delegated[i], NULL))
            role_end(&v->delegated[i]);
    return code ? code : list_targets(v, e);
}

/* --- the machine --- */

static enum verifier_verdict want(struct verifier_want *out, int64_t version, const char *role)
{
    if (version)
        snprintf(out->path, sizeof out->path, "%" PRId64 ".%s.json", version, role);
    else
        snprintf(out->path, sizeof out->path, "%s.json", role);
    out->limit = role_limit(role);
    return VERIFIER_WANT;
}

static enum verifier_verdict failed(struct verifier *v)
{
    v->step = STEP_FAILED;
    return VERIFIER_FAILED;
}

static enum verifier_verdict next_awaited(struct verifier *v, struct verifier_want *out)
{
    struct awaited a;

    while (v->step != STEP_DELEGATED || v->at < v->delegation_count) {
        if (awaited_now(v, &a, &v->error))
            return failed(v);
        if (stored_already(v, &a))
            continue;
        v->asked = true;
        return want(out, a.version, a.name);
    }
    if (list_targets(v, &v->error))
        return failed(v);
    v->step = STEP_END;
    return verifier_next(v, out);
}

enum verifier_verdict verifier_next(struct verifier *v, struct verifier_want *out)
{
    switch (v->step) {
    case STEP_ROOT:      return want(out, v->root.version + 1, "root");
    case STEP_TIMESTAMP: return want(out, 0, "timestamp");
    case STEP_SNAPSHOT: case STEP_TARGETS: case STEP_DELEGATED: return next_awaited(v, out);
    case STEP_END:       return v->same_timestamp && !v->asked ? VERIFIER_UNCHANGED : VERIFIER_DONE;
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
    case STEP_SNAPSHOT: case STEP_TARGETS: case STEP_DELEGATED: code = give_awaited(v, bytes, length); break;
    case STEP_END: case STEP_FAILED: break;
    }
    if (code)
        failed(v);
}

void verifier_absent(struct verifier *v)
{
    if (v->step == STEP_ROOT && !root_settled(v))
        return;
    if (v->step != STEP_ROOT && v->step != STEP_FAILED)
        fail(&v->error, ERR_AGAIN, "a file that was announced is not there; the site may be publishing, try again");
    failed(v);
}

const struct error *verifier_error(const struct verifier *v)
{
    return &v->error;
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
