/* Publishing: every file under its own version first, timestamp.json last. A crash anywhere leaves the old policy whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/trust/repository_inside.h"
#include "policy/trust/shelf.h"
#include "policy/trust/target.h"

/* What lives longer than it may was signed by a clock that was ahead. Left alone it would be good for years, and so would be every copy. */
static bool too_long(const json_t *body, int64_t life, int64_t now)
{
    return body_expires(body) > now + life;
}

static bool half_over(const json_t *body, int64_t life, int64_t now)
{
    return body_expires(body) <= now + life / 2 || too_long(body, life, now);
}

struct change {
    json_t *meta;                               /* the next snapshot's "meta" */
    json_t *old_meta;                           /* of the one in force; NULL */
    int64_t now;
    bool    changed;
};

/* What a role says, without not_after, which only repeats until when this version is good. */
static json_t *lines_of(const json_t *body)
{
    json_t     *lines = json_deep_copy(json_object_get(body, "targets")), *line;
    const char *name;

    json_object_foreach(lines, name, line)
        json_object_del(json_object_get(line, "custom"), "not_after");
    return lines ? lines : json_object();
}

static void keep_line(struct change *c, const char *role)
{
    AUTO(text_free) char *plain = must_print("%s.json", role);

    json_object_set(c->meta, plain, json_object_get(c->old_meta, plain));
}

/* key NULL: signed by the role's online key, or keys while one replaces the other. */
static enum err put_signed(struct repository *r, const char *file, const char *role, const json_t *body, const struct key *key,
                           json_t **announce, struct error *e)
{
    struct key keys[2] = {0};
    size_t     count = 0;
    enum err   code;

    for (enum online i = TIMESTAMP; i < ONLINE && !key; i++)
        if (!strcmp(role, online_names[i]))
            count = signing_keys(r, i, keys);
    code = !key && !count ? fail(e, ERR_CONDITION, "the key of %s is not here; nothing can be signed with it", role)
                          : shelf_put(r->dir, file, role, body, key ? key : keys, key ? 1 : count, announce, e);
    key_end(&keys[0]);
    key_end(&keys[1]);
    return code;
}

static enum err put_next(struct repository *r, const char *role, const json_t *body, const struct key *key, struct change *c,
                         struct error *e)
{
    AUTO(text_free) char *plain = must_print("%s.json", role);
    AUTO(text_free) char *file = must_print("%lld.%s", (long long)body_version(body), plain);
    json_t               *announce = NULL;
    enum err              code = put_signed(r, file, role, body, key, &announce, e);

    c->changed = true;
    if (!code)
        json_object_set_new(c->meta, plain, announce);
    return code;
}

/* Made when the role is new; also when it was lost: targets.json says the new one, and the role is signed again. */
static enum err delegate_key(const struct repository *r, const char *role, struct key *out, struct error *e)
{
    AUTO(text_free) char *name = must_print("delegate-%s", role);
    AUTO(text_free) char *path = key_path(r, name);

    return file_exists(path) ? key_load(path, out, e) : key_make(path, out, e);
}

static bool is_delegated_to(const json_t *targets, const char *role, const char *id)
{
    const json_t *roles = json_object_get(json_object_get(targets, "delegations"), "roles");

    for (size_t i = 0; i < json_array_size(roles); i++) {
        const json_t *one = json_array_get(roles, i);
        if (!strcmp(json_string_value(json_object_get(one, "name")), role))
            return !strcmp(json_string_value(json_array_get(json_object_get(one, "keyids"), 0)), id);
    }
    return false;
}

/* The next version of a role when its content or its key differs or half its life is over; and its delegation either way. */
static enum err put_delegated(struct repository *r, const char *role, const json_t *lines, json_t *delegations, struct change *c,
                              struct error *e)
{
    const json_t         *old = json_object_get(r->roles, role);
    AUTO(text_free) char *paths = must_print("policy/%s/*", role);
    json_t               *was = lines_of(old), *next = NULL, *line;
    char                  id[SHA256_HEX];
    const char           *name;
    struct key            key = {0};
    enum err              code = delegate_key(r, role, &key, e);

    key_id(key.public, id);
    json_object_set_new(json_object_get(delegations, "keys"), id, key_to_json(key.public));
    json_array_append_new(json_object_get(delegations, "roles"), json_pack("{s:s,s:[s],s:[s],s:b,s:i}", "name", role, "keyids", id, "paths",
                                                                           paths, "terminating", 1, "threshold", 1));
    if (!code && old && json_equal(lines, was) && !half_over(old, LIFE_TARGETS, c->now) && is_delegated_to(r->targets, role, id)) {
        keep_line(c, role);
    } else if (!code) {
        next = body_head("targets", body_version(old) + 1, c->now + LIFE_TARGETS);
        json_object_set_new(next, "targets", json_deep_copy(lines));
        json_object_foreach(json_object_get(next, "targets"), name, line)
            json_object_set(json_object_get(line, "custom"), "not_after", json_object_get(next, "expires"));
        code = put_next(r, role, next, &key, c, e);
    }
    key_end(&key);
    json_decref(next);
    json_decref(was);
    return code;
}

static enum err put_targets(struct repository *r, json_t *delegations, struct change *c, struct error *e)
{
    json_t  *next;
    enum err code;

    if (r->targets && !r->unsigned_by[TARGETS] && json_equal(delegations, json_object_get(r->targets, "delegations")) &&
        !half_over(r->targets, LIFE_TARGETS, c->now)) {
        keep_line(c, "targets");
        return OK;
    }
    next = body_head("targets", body_version(r->targets) + 1, c->now + LIFE_TARGETS);
    json_object_set_new(next, "targets", json_object());
    json_object_set(next, "delegations", delegations);
    code = put_next(r, "targets", next, NULL, c, e);
    json_decref(next);
    return code;
}

static enum err put_timestamp(struct repository *r, json_t *announce, int64_t now, struct error *e)
{
    json_t  *next = body_head("timestamp", body_version(r->timestamp) + 1, now + LIFE_TIMESTAMP);
    enum err code;

    json_object_set_new(next, "meta", json_pack("{s:O}", "snapshot.json", announce));
    code = put_signed(r, "timestamp.json", "timestamp", next, NULL, NULL, e);
    json_decref(next);
    return code;
}

static enum err put_snapshot(struct repository *r, const struct change *c, struct error *e)
{
    json_t               *next = body_head("snapshot", body_version(r->snapshot) + 1, c->now + LIFE_SNAPSHOT), *announce = NULL;
    AUTO(text_free) char *file = must_print("%lld.snapshot.json", (long long)body_version(next));
    enum err              code;

    json_object_set(next, "meta", c->meta);
    code = put_signed(r, file, "snapshot", next, NULL, &announce, e);
    code = code ? code : put_timestamp(r, announce, c->now, e);
    json_decref(announce);
    json_decref(next);
    return code;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Those with documents, then those that once had some as long as there is room: an empty role costs a node a request once, and needs no new
 * key later. What finds no room keeps its line in the snapshot (nodes refuse a snapshot that forgets one), but nobody asks for it. Sorted
 * by name. */
static size_t choose(const json_t *roles, const char *out[DELEGATIONS])
{
    size_t      n = 0;
    const char *role;
    json_t     *lines;

    for (int empty = 0; empty < 2; empty++)
        json_object_foreach((json_t *)roles, role, lines)
            if (n < DELEGATIONS && (json_object_size(lines) == 0) == empty)
                out[n++] = role;
    qsort(out, n, sizeof *out, by_text);
    return n;
}

/* roles: {"tills": {"policy/tills/october.json": line}}, all of them. */
static enum err put_changes(struct repository *r, const json_t *roles, int64_t now, bool *changed, struct error *e)
{
    struct change c = {json_object(), json_object_get(r->snapshot, "meta"), now, false};
    const char   *chosen[DELEGATIONS], *role;
    size_t        count = choose(roles, chosen);
    json_t       *delegations = json_pack("{s:{},s:[]}", "keys", "roles"), *body;
    enum err      code = OK;

    json_object_foreach(r->roles, role, body)
        keep_line(&c, role);
    for (size_t i = 0; i < count && !code; i++)
        code = put_delegated(r, chosen[i], json_object_get(roles, chosen[i]), delegations, &c, e);
    code = code ? code : put_targets(r, delegations, &c, e);
    *changed = c.changed || r->unsigned_by[SNAPSHOT] || half_over(r->snapshot, LIFE_SNAPSHOT, now);
    if (!code && *changed)
        code = put_snapshot(r, &c, e);
    json_decref(delegations);
    json_decref(c.meta);
    return code;
}

/* Signs what changed and what is half over; in force is afterwards, whatever happened, what the disk says. */
static enum err publish(struct repository *r, json_t *roles, int64_t now, int64_t timestamp_left, bool *changed, struct error *e)
{
    const char *role;
    json_t     *body;
    enum err    code, again;

    json_object_foreach(r->roles, role, body)
        if (!json_object_get(roles, role))
            json_object_set_new(roles, role, json_object());
    code = put_changes(r, roles, now, changed, e);
    if (!code && !*changed && (r->unsigned_by[TIMESTAMP] || body_expires(r->timestamp) <= now + timestamp_left ||
                              too_long(r->timestamp, LIFE_TIMESTAMP, now))) {
        code = put_timestamp(r, json_object_get(json_object_get(r->timestamp, "meta"), "snapshot.json"), now, e);
        *changed = true;
    }
    if (!code && !*changed)
        return OK;
    again = load_in_force(r, code ? NULL : e);
    if (!code && !again)
        shelf_sweep(r->dir, r->snapshot);
    return code ? code : again;
}

static enum err put_documents(struct repository *r, const struct publication *list, size_t count, json_t *roles, struct error *e)
{
    enum err code = OK;

    if (count > TARGETS_MOST)
        return fail(e, ERR_CONDITION, "%zu documents, at most %d fit one policy", count, TARGETS_MOST);
    for (size_t i = 0; i < count && !code; i++) {
        char    role[VERIFIER_ROLE + 1];
        json_t *line = NULL, *lines;

        code = shelf_put_target(r->dir, list[i].name, list[i].body, role, &line, e);
        if (code)
            break;
        if (!json_object_get(roles, role))
            json_object_set_new(roles, role, json_object());
        lines = json_object_get(roles, role);
        if (json_object_get(lines, list[i].name))
            code = fail(e, ERR_USAGE, "%s is to be published twice", list[i].name);
        json_object_set_new(lines, list[i].name, line);
    }
    if (!code && json_object_size(roles) > DELEGATIONS)
        code = fail(e, ERR_CONDITION, "%zu collections with documents, at most %d fit one policy", json_object_size(roles), DELEGATIONS);
    return code;
}

enum err repository_publish(struct repository *r, const struct publication *list, size_t count, int64_t now, bool *changed, struct error *e)
{
    json_t  *roles = json_object();
    bool     any = false;
    enum err code = put_documents(r, list, count, roles, e);

    code = code ? code : publish(r, roles, now, LIFE_TIMESTAMP / 2, &any, e);
    json_decref(roles);
    if (changed)
        *changed = any;
    return code;
}

static enum err publish_same(struct repository *r, int64_t now, int64_t timestamp_left, struct error *e)
{
    json_t     *roles = json_object(), *body;
    const char *role;
    bool        changed;
    enum err    code;

    json_object_foreach(r->roles, role, body)
        json_object_set_new(roles, role, lines_of(body));
    code = publish(r, roles, now, timestamp_left, &changed, e);
    json_decref(roles);
    return code;
}

enum err publish_again(struct repository *r, int64_t now, struct error *e)
{
    return publish_same(r, now, 0, e);
}

enum err repository_refresh(struct repository *r, int64_t now, int64_t *next, struct error *e)
{
    enum err code = publish_same(r, now, LIFE_TIMESTAMP - TIMESTAMP_AGE, e);

    *next = body_expires(r->timestamp) - LIFE_TIMESTAMP + TIMESTAMP_AGE;
    if (*next <= now)
        *next = now + HOUR;
    return code;
}
