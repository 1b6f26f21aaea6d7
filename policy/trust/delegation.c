#include "policy/trust/delegation.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define PATHS_MOST          64                  /* Ferry's profile */
#define GENERAL_DELEGATIONS 16384               /* hash bins */

/* Exact, or one star, at the end, behind a slash. */
static bool pattern_ok(const char *path)
{
    size_t n = path ? strlen(path) : 0, plain = path ? strcspn(path, "*?[\\") : 0;

    return n && *path != '/' && (plain == n || (n > 2 && plain == n - 1 && path[n - 1] == '*' && path[n - 2] == '/'));
}

static bool all_texts(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_string(json_array_get(list, i)))
            return false;
    return json_is_array(list);
}

static enum err ferry_check(const json_t *role, const char *name, struct error *e)
{
    const json_t *paths = json_object_get(role, "paths");

    if (!json_array_size(paths) || json_array_size(paths) > PATHS_MOST)
        return fail(e, ERR_VERIFY, "targets: role %s has no paths, or more than %d", name, PATHS_MOST);
    for (size_t i = 0; i < json_array_size(paths); i++)
        if (!pattern_ok(json_string_value(json_array_get(paths, i))))
            return fail(e, ERR_VERIFY, "targets: role %s: a path is neither exact nor \"prefix/*\"", name);
    if (!json_is_true(json_object_get(role, "terminating")))
        return fail(e, ERR_VERIFY, "targets: role %s is not terminating", name);
    return OK;
}

/* Everything but the keys, which are looked at when the role is. */
static enum err shape_check(enum profile p, const json_t *role, struct error *e)
{
    const json_t *paths = json_object_get(role, "paths"), *prefixes = json_object_get(role, "path_hash_prefixes");
    const json_t *terminating = json_object_get(role, "terminating");
    const char   *name = json_string_value(json_object_get(role, "name"));

    if (!name || !role_name_fits(p, name))
        return fail(e, ERR_VERIFY, "targets: \"%.70s\" is no name for a delegated role", name ? name : "");
    if (!paths == !prefixes || !all_texts(paths ? paths : prefixes) || !json_is_boolean(terminating))
        return fail(e, ERR_VERIFY, "targets: role %.80s: either paths or path_hash_prefixes were expected, and terminating", name);
    if (!all_texts(json_object_get(role, "keyids")) || json_integer_value(json_object_get(role, "threshold")) < 1)
        return fail(e, ERR_VERIFY, "targets: role %.80s: keyids and a threshold of at least 1 were expected", name);
    return strict(p) ? ferry_check(role, name, e) : OK;
}

enum err delegation_read(enum profile p, const json_t *targets, const json_t *role, struct delegation *d, struct error *e)
{
    d->role = role;
    d->name = json_string_value(json_object_get(role, "name"));
    return signer_read(p, json_object_get(json_object_get(targets, "delegations"), "keys"), role, d->name, &d->signer, e);
}

static bool bins_ok(const json_t *bins)
{
    const char   *prefix = json_string_value(json_object_get(bins, "name_prefix"));
    const json_t *bits = json_object_get(bins, "bit_length");

    return prefix && strlen(prefix) + 9 <= ROLE_NAME && json_is_integer(bits) && json_integer_value(bits) >= 1 && json_integer_value(bits) <= 32 &&
           all_texts(json_object_get(bins, "keyids")) && json_integer_value(json_object_get(bins, "threshold")) >= 1;
}

json_t *delegation_bin(const json_t *targets, const char *target)
{
    const json_t *bins = json_object_get(json_object_get(targets, "delegations"), "succinct_roles");
    int           bits = (int)json_integer_value(json_object_get(bins, "bit_length"));
    struct sha256 h = hash_bytes(target, strlen(target));
    uint32_t      number = (uint32_t)h.b[0] << 24 | (uint32_t)h.b[1] << 16 | (uint32_t)h.b[2] << 8 | h.b[3];

    if (!bins)
        return NULL;
    return json_pack("{s:o,s:O,s:O,s:b}", "name",
                     json_sprintf("%s-%0*x", json_string_value(json_object_get(bins, "name_prefix")), (bits + 3) / 4, number >> (32 - bits)),
                     "keyids", json_object_get(bins, "keyids"), "threshold", json_object_get(bins, "threshold"), "terminating", 1);
}

enum err delegations_read(enum profile p, const json_t *targets, struct delegation *out, size_t *count, struct error *e)
{
    const json_t *delegations = json_object_get(targets, "delegations"), *roles = json_object_get(delegations, "roles");
    size_t        n = json_array_size(roles), most = strict(p) ? DELEGATIONS : GENERAL_DELEGATIONS;
    const json_t *bins = strict(p) ? NULL : json_object_get(delegations, "succinct_roles");
    json_t       *names;
    enum err      code = OK;

    *count = 0;
    if (!delegations)
        return OK;
    if (bins && (roles || !bins_ok(bins)))
        return fail(e, ERR_VERIFY, "targets: its succinct hash bins are none, or stand beside roles");
    if (!json_is_object(json_object_get(delegations, "keys")) || (roles && !json_is_array(roles)) || n > most)
        return fail(e, ERR_VERIFY, "targets: keys and at most %zu delegated roles were expected", most);
    names = json_object();
    for (size_t i = 0; i < n && !code; i++) {
        const json_t *role = json_array_get(roles, i), *name = json_object_get(role, "name");

        code = shape_check(p, role, e);
        if (!code && json_object_get(names, json_string_value(name)))
            code = fail(e, ERR_VERIFY, "targets: role %.80s is delegated twice", json_string_value(name));
        if (!code)
            json_object_set_new(names, json_string_value(name), json_true());
        if (!code && out)
            code = delegation_read(p, targets, role, &out[i], e);
    }
    json_decref(names);
    if (!code)
        *count = n;
    return code;
}

/* --- which paths --- */

/* One segment's worth: a star backtracks to the shortest that fits, so the time is bounded by the product of the two lengths. */
bool pattern_matches(const char *pattern, const char *path)
{
    const char *star = NULL, *from = NULL;

    while (*path) {
        if (*pattern == '*') {
            star = ++pattern;
            from = path;
        } else if (*pattern == *path || (*pattern == '?' && *path != '/')) {
            pattern++;
            path++;
        } else if (star && *from != '/') {
            pattern = star;
            path = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static bool hash_begins(const char *target, const char *prefix)
{
    struct sha256 h = hash_bytes(target, strlen(target));
    char          hex[SHA256_HEX];

    return *prefix && !strncmp(sha256_hex(&h, hex), prefix, strlen(prefix));
}

bool delegation_allows(const json_t *role, const char *target)
{
    const json_t *paths = json_object_get(role, "paths"), *prefixes = json_object_get(role, "path_hash_prefixes");

    for (size_t i = 0; i < json_array_size(paths); i++)
        if (pattern_matches(json_string_value(json_array_get(paths, i)), target))
            return true;
    for (size_t i = 0; i < json_array_size(prefixes); i++)
        if (hash_begins(target, json_string_value(json_array_get(prefixes, i))))
            return true;
    return false;
}
