#include "policy/trust/ceremony.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/trust/canonical.h"
#include "policy/trust/delegation.h"
#include "policy/trust/repository_inside.h"
#include "policy/trust/shelf.h"

#define OFFLINE_MOST 16                         /* files root-N.key looked for in DIR/offline */

/* --- what keys there are --- */

static void key_row(json_t *rows, const char *role, const char *id, const char *where, int64_t expires, bool waiting)
{
    char text[TIME_SIZE];

    json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:s,s:b}", "role", role, "keyid", id, "where", where, "expires",
                                          time_print(expires, text), "waiting", waiting));
}

/* A root key that still lies where `ferry site init` made it is named, so that somebody carries it away. */
static char *root_place(const struct repository *r, const char *id)
{
    for (int i = 1; i <= OFFLINE_MOST; i++) {
        AUTO(text_free) char *path = must_print("%s/offline/root-%d.key", r->dir, i);
        struct key            k;
        char                  found[SHA256_HEX] = "";

        if (file_exists(path) && !key_load(path, &k, NULL)) {
            key_id(k.public, found);
            key_end(&k);
        }
        if (!strcmp(found, id))
            return must_print("%s (still here: carry it away)", path);
    }
    return must_copy("offline");
}

static void online_rows(const struct repository *r, json_t *rows)
{
    const json_t *bodies[ONLINE] = {r->timestamp, r->snapshot, r->targets};

    for (enum online i = TIMESTAMP; i < ONLINE; i++) {
        AUTO(text_free) char *path = key_path(r, online_names[i]), *waiting = must_print("%s.next", online_names[i]);
        AUTO(text_free) char *next = key_path(r, waiting);
        const json_t         *ids = root_keyids(&r->root, online_names[i]);
        char                  id[SHA256_HEX];

        for (size_t j = 0; j < json_array_size(ids); j++)
            key_row(rows, online_names[i], json_string_value(json_array_get(ids, j)), r->keys[i].here ? path : "lost", body_expires(bodies[i]),
                    false);
        if (!r->keys[i].waits)
            continue;
        key_id(r->keys[i].next.public, id);
        key_row(rows, online_names[i], id, next, 0, true);
    }
}

enum err repository_keys(struct repository *r, json_t **out, struct error *e)
{
    const json_t *roots = root_keyids(&r->root, "root");
    const json_t *delegated = json_object_get(json_object_get(r->targets, "delegations"), "roles");
    json_t       *rows = json_array();

    (void)e;
    for (size_t i = 0; i < json_array_size(roots); i++) {
        const char           *id = json_string_value(json_array_get(roots, i));
        AUTO(text_free) char *where = root_place(r, id);

        key_row(rows, "root", id, where, r->root.expires, false);
    }
    online_rows(r, rows);
    for (size_t i = 0; i < json_array_size(delegated); i++) {
        const json_t         *d = json_array_get(delegated, i);
        const char           *name = json_string_value(json_object_get(d, "name"));
        AUTO(text_free) char *role = must_print("delegate-%s", name), *path = key_path(r, role);

        key_row(rows, role, json_string_value(json_array_get(json_object_get(d, "keyids"), 0)), file_exists(path) ? path : "lost",
                body_expires(json_object_get(r->roles, name)), false);
    }
    *out = rows;
    return OK;
}

int64_t repository_root_expires(const struct repository *r)
{
    return r->root.expires;
}

/* --- a new root --- */

/* Keys that no role names any more leave the list: a root is at most 64 KiB, and what is gone shall not look trusted. */
static void drop_unused(json_t *body)
{
    json_t     *used = json_object(), *role, *key;
    const char *name;
    void       *next;

    json_object_foreach(json_object_get(body, "roles"), name, role)
        for (size_t i = 0; i < json_array_size(json_object_get(role, "keyids")); i++)
            json_object_set_new(used, json_string_value(json_array_get(json_object_get(role, "keyids"), i)), json_true());
    json_object_foreach_safe(json_object_get(body, "keys"), next, name, key)
        if (!json_object_get(used, name))
            json_object_del(json_object_get(body, "keys"), name);
    json_decref(used);
}

/* The root in force with the next number and another year, and every online key that waits in the place of its predecessor. */
static json_t *next_body(const struct repository *r, int64_t now)
{
    json_t *body = json_deep_copy(r->root.body);
    char    text[TIME_SIZE];

    json_object_set_new(body, "version", json_integer(r->root.version + 1));
    json_object_set_new(body, "expires", json_string(time_print(now + LIFE_ROOT, text)));
    for (enum online i = TIMESTAMP; i < ONLINE; i++)
        if (r->keys[i].waits)
            add_role(body, online_names[i], &r->keys[i].next, 1, 1);
    drop_unused(body);
    return body;
}

static enum err make_todo(struct repository *r, json_t *body, json_t **todo)
{
    *todo = todo_make(r->root.envelope, body);
    json_decref(body);
    return OK;
}

/* O_EXCL and the new name first: a key is never half there, and one that waited before is replaced whole. */
static enum err put_key(const char *path, const struct key *given, struct key *out, struct error *e)
{
    if (given) {
        *out = *given;
        return key_save(path, out, e);
    }
    return key_make(path, out, e);
}

static enum err rotate_online(struct repository *r, enum online role, const struct key *given, struct error *e)
{
    AUTO(text_free) char *waiting = must_print("%s.next", online_names[role]), *path = key_path(r, waiting);
    enum err              code = file_remove(path, e);

    code = code ? code : put_key(path, given, &r->keys[role].next, e);
    r->keys[role].waits = !code;
    return code;
}

/* The new key takes the old one's place by one rename; publishing finds that targets.json names another, and signs both files. */
static enum err rotate_delegate(struct repository *r, const char *name, const struct key *given, struct error *e)
{
    AUTO(text_free) char *role = must_print("delegate-%s", name), *waiting = must_print("delegate-%s.next", name);
    AUTO(text_free) char *path = key_path(r, role), *next = key_path(r, waiting);
    struct key            k = {0};
    enum err              code;

    if (!json_object_get(r->roles, name))
        return fail(e, ERR_NOT_FOUND, "no collection \"%.80s\" is published; `ferry site key list` names the roles", name);
    code = file_remove(next, e);
    code = code ? code : put_key(next, given, &k, e);
    code = code ? code : file_move(next, path, e);
    key_end(&k);
    return code;
}

static enum err rotate_all(struct repository *r, struct error *e)
{
    const char *name;
    json_t     *body;
    enum err    code = OK;

    for (enum online i = TIMESTAMP; i < ONLINE && !code; i++)
        code = rotate_online(r, i, NULL, e);
    json_object_foreach(r->roles, name, body)
        code = code ? code : rotate_delegate(r, name, NULL, e);
    return code;
}

static int online_role(const char *role)
{
    for (int i = 0; i < ONLINE; i++)
        if (!strcmp(role, online_names[i]))
            return i;
    return -1;
}

static bool all_here(const struct repository *r)
{
    return r->keys[TIMESTAMP].here && r->keys[SNAPSHOT].here && r->keys[TARGETS].here;
}

enum err repository_rotate(struct repository *r, const char *role, const struct key *given, int64_t now, json_t **todo, struct error *e)
{
    int      online = online_role(role);
    bool     all = !strcmp(role, "online"), delegate = !strncmp(role, "delegate-", 9);
    enum err code;

    *todo = NULL;
    if (online < 0 && !all && !delegate)
        return fail(e, ERR_USAGE, "\"%.80s\" is no role with a key here; timestamp, snapshot, targets, online or delegate-COLLECTION was expected",
                    role);
    if (all && given)
        return fail(e, ERR_USAGE, "one key cannot serve all roles; name one role, or leave the key out");
    code = all ? rotate_all(r, e) : delegate ? rotate_delegate(r, role + 9, given, e) : rotate_online(r, (enum online)online, given, e);
    if (!code && (all || delegate) && all_here(r))
        code = publish_again(r, now, e);
    return code || delegate ? code : make_todo(r, next_body(r, now), todo);
}

static enum err leave(json_t *ids, const char *old, struct error *e)
{
    size_t found = json_array_size(ids), hits = 0;

    for (size_t i = 0; i < json_array_size(ids); i++)
        if (!strncmp(json_string_value(json_array_get(ids, i)), old, strlen(old))) {
            found = i;
            hits++;
        }
    if (hits != 1)
        return fail(e, ERR_NOT_FOUND, "\"%.64s\" begins the id of %zu root keys, one was expected; `ferry site key list` shows them", old, hits);
    json_array_remove(ids, found);
    return OK;
}

static enum err come(json_t *body, json_t *ids, const uint8_t *public, struct error *e)
{
    char id[SHA256_HEX];

    key_id(public, id);
    for (size_t i = 0; i < json_array_size(ids); i++)
        if (!strcmp(json_string_value(json_array_get(ids, i)), id))
            return fail(e, ERR_EXISTS, "key %.12s… is a root key already", id);
    json_object_set_new(json_object_get(body, "keys"), id, key_to_json(public));
    json_array_append_new(ids, json_string(id));
    return OK;
}

enum err repository_renew(struct repository *r, const char *old, const uint8_t *public, int64_t now, json_t **todo, struct error *e)
{
    json_t       *body = next_body(r, now), *role = json_object_get(json_object_get(body, "roles"), "root");
    json_t       *ids = json_object_get(role, "keyids");
    enum err      code = old ? leave(ids, old, e) : OK;
    struct signer s;

    *todo = NULL;
    code = code ? code : public ? come(body, ids, public, e) : OK;
    drop_unused(body);
    code = code ? code : signer_read(PROFILE_FERRY, json_object_get(body, "keys"), role, "root", &s, e);
    if (!code)
        return make_todo(r, body, todo);
    json_decref(body);
    return code;
}

/* --- accepting it --- */

/* The root names for this role the key we have, or the one that waits. */
static enum err check_online(const struct repository *r, const struct role *next, enum online role, struct error *e)
{
    const struct online_key *k = &r->keys[role];
    const json_t            *ids = root_keyids(next, online_names[role]);
    const char              *id = json_string_value(json_array_get(ids, 0));
    char                     here[SHA256_HEX] = "", waits[SHA256_HEX] = "";

    if (k->here)
        key_id(k->key.public, here);
    if (k->waits)
        key_id(k->next.public, waits);
    if (json_array_size(ids) != 1 || (strcmp(id, here) && strcmp(id, waits)))
        return fail(e, ERR_CONDITION, "root %lld names for %s a key that is not here (%.12s…); prepare it anew with `ferry site key rotate`",
                    (long long)next->version, online_names[role], id ? id : "none");
    if (k->waits && strcmp(id, waits))
        return fail(e, ERR_CONDITION, "a newer key waits for %s; sign the todo that names it, the last one that was prepared", online_names[role]);
    return OK;
}

static enum err check_next(struct repository *r, const struct role *previous, const struct role *next, const struct todo_state *state,
                           int64_t now, struct error *e)
{
    enum err code = OK;

    if (!json_equal(previous->body, r->root.body))
        return fail(e, ERR_VERIFY, "it follows root %lld, in force is root %lld of this site", (long long)previous->version,
                    (long long)r->root.version);
    if (!state->ready)
        return fail(e, ERR_CONDITION, "%lld of %lld holders of the root in force have signed, and %lld of %lld of the new one; nothing was changed",
                    (long long)state->old_have, (long long)state->old_need, (long long)state->new_have, (long long)state->new_need);
    if (!json_equal(json_object_get(next->body, "x-ferry-site"), json_object_get(r->root.body, "x-ferry-site")))
        return fail(e, ERR_VERIFY, "it is the root of another site");
    if (next->expires <= now)
        return fail(e, ERR_VERIFY, "root %lld has expired already", (long long)next->version);
    for (enum online i = TIMESTAMP; i < ONLINE && !code; i++)
        code = check_online(r, next, i, e);
    return code;
}

static enum err put_root(const struct repository *r, const struct role *next, const char *bytes, size_t length, struct error *e)
{
    AUTO(text_free) char *path = must_print("%s/policy/metadata/%lld.root.json", r->dir, (long long)next->version);

    return file_write(path, bytes, length, 0644, e);
}

/* With the old keys at hand, nodes of both roots accept every file at every moment. When they are lost, nothing that nodes of the old root
 * would accept can be made, and the new root comes first. */
static enum err change_over(struct repository *r, const struct role *next, const char *bytes, size_t length, int64_t now, struct error *e)
{
    bool     gentle = all_here(r);
    enum err code = OK;

    if (gentle) {
        r->switching = true;
        code = load_in_force(r, e);
        code = code ? code : publish_again(r, now, e);
        r->switching = false;
    }
    code = code ? code : put_root(r, next, bytes, length, e);
    code = code ? code : load_root(r, e);
    code = code ? code : load_keys(r, false, e);
    code = code ? code : load_in_force(r, e);
    return code ? code : publish_again(r, now, e);
}

enum err repository_accept(struct repository *r, const json_t *todo, int64_t now, struct error *e)
{
    AUTO(text_free) char *bytes = NULL;
    size_t                length;
    struct role           previous, next, whole;
    struct todo_state     state;
    enum err              code = todo_read(todo, &previous, &next, &state, e);

    if (code)
        return code;
    code = check_next(r, &previous, &next, &state, now, e);
    code = code ? code : canonical_print(next.envelope, &bytes, &length, e);
    if (!code && !(code = root_read(PROFILE_FERRY, bytes, length, &whole, e))) {     /* the very bytes that will be published */
        code = root_follows(PROFILE_FERRY, &r->root, &whole, e);
        code = code ? code : change_over(r, &whole, bytes, length, now, e);
        role_end(&whole);
    }
    role_end(&previous);
    role_end(&next);
    return code;
}
