#include <stdlib.h>

#include "base/text.h"
#include "policy/trust/announced.h"
#include "policy/trust/verifier_inside.h"

/* A timestamp that has expired once stays expired: a clock that is set back does not make it good again. The site signs another within hours,
 * so a clock that was ahead by mistake costs no more than those. */
enum err check_fresh(struct verifier *v, const struct role *r, const char *name, struct error *e)
{
    char text[TIME_SIZE];
    bool timestamp = v->step == STEP_TIMESTAMP;

    v->expired = r->expires <= v->now || (timestamp && r->version <= v->stale);
    v->expired_timestamp = v->expired && timestamp ? r->version : 0;
    if (v->expired)
        return fail(e, ERR_VERIFY, "%s has expired at %s; the policy in force stays, nothing new is accepted", name,
                    time_print(r->expires, text));
    return OK;
}

enum err stored_bytes(const struct verifier *v, const char *name, char **bytes, size_t *length, struct error *e)
{
    enum err code = v->store.get(v->store.ctx, name, bytes, length, e);

    return code || *bytes ? code : fail(e, ERR_NOT_FOUND, "%s is not stored", name);
}

enum err stored_role(const struct verifier *v, const char *name, const char *type, const struct signer *s, struct role *out, struct error *e)
{
    char    *bytes = NULL;
    size_t   length = 0;
    enum err code = stored_bytes(v, name, &bytes, &length, e);

    code = code ? code : role_read(bytes, length, role_limit(v->profile, name), type, out, e);
    free(bytes);
    if (!code && (code = role_verify(out, s, name, e)))
        role_end(out);
    return code;
}

enum err stored_top(const struct verifier *v, const char *name, struct role *out, struct error *e)
{
    struct signer s;
    enum err      code = root_signer(v->profile, &v->root, name, &s, e);

    return code ? code : stored_role(v, name, name, &s, out, e);
}

/* Ferry's profile: targets.json has no targets of its own and names who signs each collection. */
enum err check_targets(const struct verifier *v, const struct role *r, struct error *e)
{
    const json_t      *own = json_object_get(r->body, "targets");
    struct delegation *scratch = strict(v->profile) ? must_alloc(DELEGATIONS * sizeof *scratch) : NULL;
    size_t             count;
    enum err           code;

    if (!json_is_object(own))
        code = fail(e, ERR_VERIFY, "targets: a list of targets was expected, empty or not");
    else if (strict(v->profile) && json_object_size(own))
        code = fail(e, ERR_VERIFY, "targets: it has targets of its own; only collections speak for targets");
    else
        code = delegations_read(v->profile, r->body, scratch, &count, e);
    free(scratch);
    return code;
}

static enum err check_snapshot(const struct verifier *v, const struct role *r, struct error *e)
{
    struct role old;
    enum err    code = announced_read(v->profile, r, false, e);

    if (code || stored_top(v, "snapshot", &old, NULL))
        return code;
    code = announced_after(r, &old, e);
    role_end(&old);
    return code;
}

/* What only this kind of role has to fulfil. */
static enum err check_kind(const struct verifier *v, const struct role *r, struct error *e)
{
    size_t count;

    if (v->step == STEP_SNAPSHOT)
        return check_snapshot(v, r, e);
    if (v->step == STEP_DELEGATED && json_array_size(json_object_get(json_object_get(r->body, "delegations"), "roles")))
        return fail(e, ERR_VERIFY, "%s: it delegates further; collections speak for themselves", v->delegations[v->at].name);
    if (v->step == STEP_DELEGATED)
        return targets_read(v->delegations, v->at, r->body, NULL, &count, e);
    return check_targets(v, r, e);
}

enum err check_awaited(struct verifier *v, const struct awaited *a, const char *bytes, size_t length, struct role *out,
                              struct error *e)
{
    struct role r;
    enum err    code = announced_check(a->announcer, a->name, bytes, length, e);

    code = code ? code : role_read(bytes, length, role_limit(v->profile, a->name), a->type, &r, e);
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

