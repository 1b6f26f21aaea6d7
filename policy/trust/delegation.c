#include "policy/trust/delegation.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"

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

/* Names become URL paths and names in the store: plain words between single slashes, none beginning with a dot. */
static bool target_name_ok(const char *name)
{
    static const char words[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
    size_t            n = strlen(name);

    if (n >= sizeof ((struct verifier_target *)0)->name || strspn(name, words) == n)
        return false;                           /* too long, or no directory */
    for (const char *p = name;; p++) {
        size_t word = strspn(p, words);

        if (!word || *p == '.')
            return false;
        p += word;
        if (*p != '/')
            return !*p;
    }
}

static enum err target_read(const struct delegation *d, const char *name, const json_t *value, struct verifier_target *t, struct error *e)
{
    const char   *hex = json_string_value(json_object_get(json_object_get(value, "hashes"), "sha256")), *base = strrchr(name, '/');
    const json_t *length = json_object_get(value, "length"), *seq = json_object_get(json_object_get(value, "custom"), "seq");
    char          digits[SHA256_HEX];

    if (!target_name_ok(name))
        return fail(e, ERR_VERIFY, "%s: \"%.100s\" is no name for a target", d->name, name);
    if (!hex || !sha256_read(hex, &t->sha256) || !json_is_integer(length) || json_integer_value(length) < 0)
        return fail(e, ERR_VERIFY, "%s: target %s lacks its sha256 or length", d->name, name);
    if (!json_is_integer(seq) || json_integer_value(seq) < 0)
        return fail(e, ERR_VERIFY, "%s: target %s lacks custom.seq", d->name, name);
    snprintf(t->name, sizeof t->name, "%s", name);
    snprintf(t->role, sizeof t->role, "%s", d->name);
    t->length = (uint64_t)json_integer_value(length);
    t->seq = json_integer_value(seq);
    snprintf(t->url_path, sizeof t->url_path, "%.*s/%s.%s", (int)(base - name), name, sha256_hex(&t->sha256, digits), base + 1);
    return OK;
}

static bool owns(const struct delegation *all, size_t at, const char *target)
{
    for (size_t i = 0; i < at; i++)
        if (delegation_allows(&all[i], target))
            return false;
    return delegation_allows(&all[at], target);
}

enum err delegation_targets(const struct delegation *all, size_t at, const json_t *body, struct verifier_target *out, size_t *count, struct error *e)
{
    struct verifier_target scratch;
    const char            *name;
    json_t                *value;
    size_t                 n = 0;
    enum err               code = OK;

    if (!json_is_object(json_object_get(body, "targets")))
        return fail(e, ERR_VERIFY, "%s: targets were expected", all[at].name);
    json_object_foreach(json_object_get(body, "targets"), name, value) {
        if (!owns(all, at, name))
            continue;
        code = target_read(&all[at], name, value, out ? &out[n] : &scratch, e);
        if (code)
            return code;
        n++;
    }
    *count = n;
    return OK;
}
