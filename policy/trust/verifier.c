#include "policy/trust/verifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/trust/announced.h"
#include "policy/trust/verifier_inside.h"

#define ROOT_STEPS 32

_Static_assert(VERIFIER_PATH >= ROLE_FILE, "every role's file name fits");

static void drop_delegated(struct verifier *v)
{
    for (size_t i = 0; i < v->delegated_count; i++)
        role_end(&v->delegated[i].role);
    free(v->delegated);
    free(v->delegations);
    v->delegated = NULL;
    v->delegations = NULL;
    v->delegated_count = v->delegation_count = v->at = 0;
}

struct role *add_delegated(struct verifier *v, const char *name, const struct role *r)
{
    struct loaded *l;

    v->delegated = must_grow(v->delegated, v->delegated_count + 1, sizeof *v->delegated);
    l = &v->delegated[v->delegated_count++];
    snprintf(l->name, sizeof l->name, "%s", name);
    l->role = *r;
    return &l->role;
}

static const struct role *find_delegated(const struct verifier *v, const char *name)
{
    for (size_t i = 0; i < v->delegated_count; i++)
        if (!strcmp(v->delegated[i].name, name))
            return &v->delegated[i].role;
    return NULL;
}

/* --- 5.3 root --- */

enum err verifier_new(enum profile p, const struct verifier_store *store, int64_t now, struct verifier **out, struct error *e)
{
    struct verifier *v = must_alloc(sizeof *v);
    char            *bytes = NULL;
    size_t           length = 0;
    enum err         code;

    v->profile = p;
    v->store = *store;
    v->now = now;
    code = stored_bytes(v, "root", &bytes, &length, e);
    code = code ? code : root_read(p, bytes, length, &v->root, e);
    free(bytes);
    if (code)
        verifier_free(v);
    else
        *out = v;
    return code;
}

void verifier_free(struct verifier *v)
{
    if (!v)
        return;
    search_free(v->search);
    drop_delegated(v);
    role_end(&v->root);
    role_end(&v->timestamp);
    role_end(&v->snapshot);
    role_end(&v->targets);
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

/* 5.3.11, recovery from a fast-forward: with other keys for either, whatever version the stored ones claim counts for nothing. */
static enum err put_root(struct verifier *v, const struct role *next, const char *bytes, size_t length)
{
    static const char *const announcers[] = {"timestamp", "snapshot", NULL};
    bool rotates = root_rotates(v->profile, &v->root, next, "timestamp") || root_rotates(v->profile, &v->root, next, "snapshot");

    return v->store.put(v->store.ctx, "root", bytes, length, rotates ? announcers : NULL, &v->error);
}

static enum err give_root(struct verifier *v, const char *bytes, size_t length)
{
    struct role next;
    enum err    code = root_read(v->profile, bytes, length, &next, &v->error);

    if (code)
        return code;
    code = root_follows(v->profile, &v->root, &next, &v->error);
    code = code ? code : put_root(v, &next, bytes, length);
    if (code) {
        role_end(&next);
        return code;
    }
    role_end(&v->root);
    v->root = next;
    return ++v->root_steps < ROOT_STEPS ? OK : root_settled(v);     /* the next refresh goes on from here */
}

/* --- 5.4 timestamp --- */

/* 5.4.3: with the same version, the one we had counts, whatever else the new one says. */
static enum err compare_timestamps(struct verifier *v, struct role *next)
{
    struct role old, same;
    enum err    code = OK;

    if (stored_top(v, "timestamp", &old, NULL))
        return OK;
    if (next->version == old.version) {
        same = old;
        old = *next;
        *next = same;
        v->same_timestamp = true;
    } else if (next->version < old.version) {
        code = fail(&v->error, ERR_VERIFY, "timestamp %lld after %lld: rolled back", (long long)next->version, (long long)old.version);
    } else {
        code = announced_after(next, &old, &v->error);
    }
    role_end(&old);
    return code;
}

static enum err give_timestamp(struct verifier *v, const char *bytes, size_t length)
{
    struct role next;
    enum err    code = role_read(bytes, length, role_limit(v->profile, "timestamp"), "timestamp", &next, &v->error);

    if (code)
        return code;
    code = root_check(v->profile, &next, &v->root, "timestamp", &v->error);
    code = code ? code : announced_read(v->profile, &next, true, &v->error);
    code = code ? code : compare_timestamps(v, &next);
    code = code ? code : check_fresh(v, &next, "timestamp", &v->error);
    if (!code && !v->same_timestamp)
        code = v->store.put(v->store.ctx, "timestamp", bytes, length, NULL, &v->error);
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

static enum err awaited_top(struct verifier *v, struct awaited *a, const char *name, const struct role *announcer, struct error *e)
{
    snprintf(a->name, sizeof a->name, "%s", name);
    a->type = name;
    a->announcer = announcer;
    return root_signer(v->profile, &v->root, name, &a->signer, e);
}

static void awaited_delegated(struct verifier *v, struct awaited *a, const struct delegation *d)
{
    snprintf(a->name, sizeof a->name, "%s", d->name);
    a->type = "targets";
    a->announcer = &v->snapshot;
    a->signer = d->signer;
}

/* name stays empty when nothing more is awaited. */
static enum err awaited_now(struct verifier *v, struct awaited *a, struct error *e)
{
    const json_t     *delegator = NULL, *role = NULL;
    struct delegation d;
    enum err          code = OK;

    memset(a, 0, sizeof *a);
    if (v->step == STEP_SNAPSHOT)
        code = awaited_top(v, a, "snapshot", &v->timestamp, e);
    else if (v->step == STEP_TARGETS)
        code = awaited_top(v, a, "targets", &v->snapshot, e);
    else if (v->step == STEP_DELEGATED && v->at < v->delegation_count)
        awaited_delegated(v, a, &v->delegations[v->at]);
    else if (v->step == STEP_SEARCH)
        code = search_next(v->search, &delegator, &role, e);
    if (!code && delegator && !(code = delegation_read(v->profile, delegator, role, &d, e)))
        awaited_delegated(v, a, &d);
    if (code || !*a->name)
        return code;
    a->version = announced_version(a->announcer, a->name);
    return a->version < 1 ? fail(e, ERR_VERIFY, "%s is nowhere announced with a version", a->name) : OK;
}

/* check_targets has read the delegations already. */
void accept_targets(struct verifier *v, const struct role *r)
{
    drop_delegated(v);
    role_end(&v->targets);
    v->targets = *r;
    if (!strict(v->profile))
        return;
    v->delegations = must_alloc(DELEGATIONS * sizeof *v->delegations);
    delegations_read(v->profile, r->body, v->delegations, &v->delegation_count, NULL);
}

static void accept(struct verifier *v, const struct awaited *a, const struct role *r)
{
    switch (v->step) {
    case STEP_SNAPSHOT:
        role_end(&v->snapshot);
        v->snapshot = *r;
        v->step = STEP_TARGETS;
        break;
    case STEP_TARGETS:
        accept_targets(v, r);
        v->step = strict(v->profile) ? STEP_DELEGATED : STEP_END;
        break;
    case STEP_DELEGATED:
        add_delegated(v, a->name, r);
        v->at++;
        break;
    default:
        search_into(v->search, a->name, add_delegated(v, a->name, r)->body);
    }
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
    code = v->store.put(v->store.ctx, a.name, bytes, length, NULL, &v->error);
    if (code)
        role_end(&r);
    else
        accept(v, &a, &r);
    return code;
}

/* --- the machine --- */

static enum verifier_verdict want(struct verifier_want *out, const char *role, int64_t version, size_t limit)
{
    role_file(role, version, out->path);
    out->limit = limit;
    return VERIFIER_WANT;
}

static enum verifier_verdict failed(struct verifier *v)
{
    v->step = STEP_FAILED;
    return VERIFIER_FAILED;
}

/* A role of the search that an earlier target, or another delegator, has brought already: no request, but this delegator's own keys. */
static enum err loaded_already(struct verifier *v, const struct awaited *a, bool *known)
{
    const struct role *r = v->step == STEP_SEARCH ? find_delegated(v, a->name) : NULL;
    enum err           code = r ? role_verify(r, &a->signer, a->name, &v->error) : OK;

    *known = r != NULL;
    if (r && !code)
        search_into(v->search, a->name, r->body);
    return code;
}

static enum verifier_verdict next_awaited(struct verifier *v, struct verifier_want *out)
{
    struct awaited a;
    bool           known = false;

    do {
        if (awaited_now(v, &a, &v->error) || (*a.name && loaded_already(v, &a, &known)))
            return failed(v);
    } while (*a.name && (known || stored_already(v, &a)) && v->step != STEP_END);
    if (*a.name && v->step != STEP_END) {
        v->asked = true;
        return want(out, a.name, root_consistent(&v->root) ? a.version : 0, announced_limit(v->profile, a.announcer, a.name));
    }
    if (v->step == STEP_DELEGATED && list_targets(v, &v->error))
        return failed(v);
    v->step = STEP_END;
    return verifier_next(v, out);
}

enum verifier_verdict verifier_next(struct verifier *v, struct verifier_want *out)
{
    switch (v->step) {
    case STEP_ROOT:      return want(out, "root", v->root.version + 1, role_limit(v->profile, "root"));
    case STEP_TIMESTAMP: return want(out, "timestamp", 0, role_limit(v->profile, "timestamp"));
    case STEP_SNAPSHOT: case STEP_TARGETS: case STEP_DELEGATED: case STEP_SEARCH: return next_awaited(v, out);
    case STEP_END:       return v->same_timestamp && !v->asked ? VERIFIER_UNCHANGED : VERIFIER_DONE;
    case STEP_FAILED:    break;
    }
    return VERIFIER_FAILED;
}

void verifier_give(struct verifier *v, const char *bytes, size_t length)
{
    enum err code = OK;

    v->expired = false;
    switch (v->step) {
    case STEP_ROOT:      code = give_root(v, bytes, length); break;
    case STEP_TIMESTAMP: code = give_timestamp(v, bytes, length); break;
    case STEP_SNAPSHOT: case STEP_TARGETS: case STEP_DELEGATED: case STEP_SEARCH: code = give_awaited(v, bytes, length); break;
    case STEP_END: case STEP_FAILED: break;
    }
    if (code)
        failed(v);
}

void verifier_absent(struct verifier *v)
{
    v->expired = false;
    if (v->step == STEP_ROOT && !root_settled(v))
        return;
    if (v->step != STEP_ROOT && v->step != STEP_FAILED)
        fail(&v->error, ERR_AGAIN, "a file that was announced is not there; the site may be publishing, try again");
    failed(v);
}

void verifier_find(struct verifier *v, const char *target)
{
    if (v->step != STEP_END || strict(v->profile))
        return;
    search_free(v->search);
    v->search = search_new(target, v->targets.body);
    v->step = STEP_SEARCH;
}
