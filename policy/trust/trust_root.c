#include "policy/trust/trust_root.h"

#include "base/text.h"

enum err root_signer(enum profile p, const struct role *root, const char *role, struct signer *out, struct error *e)
{
    return signer_read(p, json_object_get(root->body, "keys"), json_object_get(json_object_get(root->body, "roles"), role), role, out, e);
}

enum err root_check(enum profile p, const struct role *r, const struct role *root, const char *role, struct error *e)
{
    struct signer s;
    enum err      code = root_signer(p, root, role, &s, e);

    return code ? code : role_verify(r, &s, role, e);
}

bool root_consistent(const struct role *root)
{
    return json_is_true(json_object_get(root->body, "consistent_snapshot"));
}

enum err root_read(enum profile p, const char *bytes, size_t length, struct role *out, struct error *e)
{
    static const char *const roles[] = {"root", "timestamp", "snapshot", "targets"};
    struct signer            s;
    enum err                 code = role_read(bytes, length, role_limit(p, "root"), "root", out, e);

    if (code)
        return code;
    if (strict(p) && !root_consistent(out))
        code = fail(e, ERR_VERIFY, "root %lld: only consistent snapshots are accepted", (long long)out->version);
    for (size_t i = 0; i < COUNT(roles) && !code; i++)
        code = root_signer(p, out, roles[i], &s, e);
    code = code ? code : root_check(p, out, out, "root", e);
    if (code)
        role_end(out);
    return code;
}

enum err root_follows(enum profile p, const struct role *now, const struct role *next, struct error *e)
{
    enum err code = root_check(p, next, now, "root", e);

    if (!code && next->version != now->version + 1)
        code = fail(e, ERR_VERIFY, "root %lld follows root %lld: it has to go up by exactly one", (long long)next->version,
                    (long long)now->version);
    return code;
}

static bool all_among(const struct signer *some, const struct signer *others)
{
    for (size_t i = 0; i < some->count; i++) {
        size_t j = 0;
        while (j < others->count && !sha256_same(&some->keys[i].key.print, &others->keys[j].key.print))
            j++;
        if (j == others->count)
            return false;
    }
    return true;
}

bool root_rotates(enum profile p, const struct role *now, const struct role *next, const char *role)
{
    struct signer a, b;

    return root_signer(p, now, role, &a, NULL) || root_signer(p, next, role, &b, NULL) || !all_among(&a, &b) || !all_among(&b, &a);
}
