#include "policy/trust/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"

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
        if (delegation_allows(all[i].role, target))
            return false;
    return delegation_allows(all[at].role, target);
}

enum err targets_read(const struct delegation *all, size_t at, const json_t *body, struct verifier_target *out, size_t *count,
                      struct error *e)
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

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct verifier_target *)a)->name, ((const struct verifier_target *)b)->name);
}

enum err targets_list(const struct delegation *all, const struct role *roles, size_t role_count, struct verifier_target **out,
                      size_t *count, struct error *e)
{
    struct verifier_target *list;
    size_t                  room = 0, n = 0, more;

    for (size_t i = 0; i < role_count; i++)
        room += json_object_size(json_object_get(roles[i].body, "targets"));
    if (room > TARGETS_MOST)
        return fail(e, ERR_VERIFY, "%zu targets, at most %d are accepted", room, TARGETS_MOST);
    list = must_alloc((room + 1) * sizeof *list);
    for (size_t i = 0; i < role_count; i++)
        if (roles[i].body && !targets_read(all, i, roles[i].body, list + n, &more, NULL))
            n += more;
    qsort(list, n, sizeof *list, by_name);
    *out = list;
    *count = n;
    return OK;
}

enum err verifier_check_target(const struct verifier_target *t, const char *audience, const char *bytes, size_t length, struct error *e)
{
    struct sha256 h = hash_bytes(bytes, length);
    json_t       *body = NULL;
    const json_t *seq;
    const char   *found;
    enum err      code;

    if (length != t->length || !sha256_same(&h, &t->sha256))
        return fail(e, ERR_VERIFY, "%s: its length or hash is not what was signed", t->name);
    code = json_read(bytes, length, length, &body, e);
    if (code)
        return code;
    found = json_string_value(json_object_get(body, "audience"));
    seq = json_object_get(body, "seq");
    if (!found || strcmp(found, audience))
        code = fail(e, ERR_VERIFY, "%s: it is for site \"%.40s\", not for %.40s", t->name, found ? found : "", audience);
    else if (!json_is_integer(seq) || json_integer_value(seq) != t->seq)
        code = fail(e, ERR_VERIFY, "%s: its seq is not the signed one", t->name);
    json_decref(body);
    return code;
}
