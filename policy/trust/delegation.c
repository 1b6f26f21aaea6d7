#include "policy/trust/delegation.h"

#include <stdio.h>
#include <string.h>


#define PATHS_MOST 64

/* Exact, or one star, at the end, behind a slash. */
static bool pattern_ok(const char *path)
{
    size_t n = path ? strlen(path) : 0, plain = path ? strcspn(path, "*?[\\") : 0;

    return n && *path != '/' && (plain == n || (n > 2 && plain == n - 1 && path[n - 1] == '*' && path[n - 2] == '/'));
}

static enum err one_read(const json_t *keys, const json_t *role, struct delegation *d, struct error *e)
{
    const char *name = json_string_value(json_object_get(role, "name"));

    if (!name || !role_name_ok(name))
        return fail(e, ERR_VERIFY, "targets: \"%.70s\" is no name for a delegated role", name ? name : "");
    snprintf(d->name, sizeof d->name, "%s", name);
    d->paths = json_object_get(role, "paths");
    if (!json_is_array(d->paths) || !json_array_size(d->paths) || json_array_size(d->paths) > PATHS_MOST)
        return fail(e, ERR_VERIFY, "targets: role %s has no paths, or more than %d", name, PATHS_MOST);
    for (size_t i = 0; i < json_array_size(d->paths); i++)
        if (!pattern_ok(json_string_value(json_array_get(d->paths, i))))
            return fail(e, ERR_VERIFY, "targets: role %s: a path is neither exact nor \"prefix/*\"", name);
    if (!json_is_true(json_object_get(role, "terminating")))
        return fail(e, ERR_VERIFY, "targets: role %s is not terminating", name);
    return signer_read(keys, role, name, &d->signer, e);
}

enum err delegations_read(const json_t *targets, struct delegation *out, size_t *count, struct error *e)
{
    const json_t *delegations = json_object_get(targets, "delegations"), *keys = json_object_get(delegations, "keys");
    const json_t *roles = json_object_get(delegations, "roles");
    enum err      code = OK;

    *count = 0;
    if (!delegations)
        return OK;
    if (!json_is_array(roles) || json_array_size(roles) > DELEGATIONS)
        return fail(e, ERR_VERIFY, "targets: at most %d delegated roles were expected", DELEGATIONS);
    for (size_t i = 0; i < json_array_size(roles) && !code; i++) {
        code = one_read(keys, json_array_get(roles, i), &out[i], e);
        for (size_t j = 0; j < i && !code; j++)
            if (!strcmp(out[i].name, out[j].name))
                code = fail(e, ERR_VERIFY, "targets: role %s is delegated twice", out[i].name);
    }
    if (!code)
        *count = json_array_size(roles);
    return code;
}

bool delegation_allows(const struct delegation *d, const char *target)
{
    for (size_t i = 0; i < json_array_size(d->paths); i++) {
        const char *path = json_string_value(json_array_get(d->paths, i));
        size_t      n = path ? strlen(path) : 0;

        if (n > 2 && !strcmp(path + n - 2, "/*") && !strncmp(path, target, n - 1) && target[n - 1] && !strchr(target + n - 1, '/'))
            return true;
        if (n && !strcmp(path, target))
            return true;
    }
    return false;
}
