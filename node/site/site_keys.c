#include "node/site/site_keys.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"
#include "policy/document/json.h"
#include "policy/trust/ceremony.h"

#define KEY_MOST 4096

static const char *text_in(const json_t *args, const char *name)
{
    return json_string_value(json_object_get(args, name));
}

/* A root key comes by its public half; who hands in the private one is not refused, but only half of it is used. */
static enum err public_of(const char *text, uint8_t public[32], struct error *e)
{
    struct public_key known;
    struct key        k;
    json_t           *json = NULL;
    enum err          code = OK;

    if (!key_from_pem(text, &k, NULL)) {
        memcpy(public, k.public, 32);
        key_end(&k);
        return OK;
    }
    if (json_read(text, strlen(text), KEY_MOST, &json, NULL) || public_read(PROFILE_FERRY, json, &known) != PUBLIC_GOOD)
        code = fail(e, ERR_USAGE, "not the public half of an ed25519 key, as `ferry site key generate` writes it");
    else
        memcpy(public, known.print.b, 32);
    json_decref(json);
    return code;
}

static json_t *prepared(json_t *todo, const char *done)
{
    struct todo_state state = {0};
    struct role       previous, next;
    json_t           *out;

    if (!todo)
        return json_pack("{s:s}", "message", done);
    if (!todo_read(todo, &previous, &next, &state, NULL)) {
        role_end(&previous);
        role_end(&next);
    }
    out = json_pack("{s:o,s:o,s:o}", "todo", todo, "file", json_sprintf("root-%lld.todo.json", (long long)state.version), "message",
                    json_sprintf("root %lld is prepared and not yet in force. %lld holders of root keys sign it, one after the other, each on his "
                                 "own machine: `ferry site root sign --key ROOT.key FILE`; then `ferry site root accept FILE` here.",
                                 (long long)state.version, (long long)(state.old_need > state.new_need ? state.old_need : state.new_need)));
    return out;
}

static enum err run_rotate(struct repository *r, const json_t *args, json_t **out, struct error *e)
{
    const char *role = text_in(args, "role"), *old = text_in(args, "old"), *text = text_in(args, "key");
    json_t     *todo = NULL;
    uint8_t     public[32];
    struct key  given;
    enum err    code = OK;

    if (!role)
        return fail(e, ERR_USAGE, "--role is missing: root, timestamp, snapshot, targets, online or delegate-COLLECTION");
    if (strcmp(role, "root")) {
        code = old ? fail(e, ERR_USAGE, "--old goes with --role root only; %s has one key", role) : OK;
        code = code || !text ? code : key_from_pem(text, &given, e);
        code = code ? code : repository_rotate(r, role, text ? &given : NULL, clock_now(), &todo, e);
        key_end(&given);
    } else if (!old && !text) {
        return fail(e, ERR_USAGE, "a root key is made where it stays: `ferry site key generate` there, then --old ID --key NEW.pub here");
    } else {
        code = text ? public_of(text, public, e) : OK;
        code = code ? code : repository_renew(r, old, text ? public : NULL, clock_now(), &todo, e);
    }
    if (!code)
        *out = prepared(todo, "the collection has a new key; targets.json names it, and what the old one signed is signed again");
    return code;
}

static enum err run_accept(struct repository *r, const json_t *args, json_t **out, struct error *e)
{
    enum err code = repository_accept(r, json_object_get(args, "todo"), clock_now(), e);
    char     text[TIME_SIZE];

    if (!code)
        *out = json_pack("{s:o}", "message", json_sprintf("the new root is in force until %s; everything it demands is signed and published",
                                                          time_print(repository_root_expires(r), text)));
    return code;
}

enum err site_keys(struct repository *r, const char *what, const json_t *args, json_t **out, struct error *e)
{
    json_t  *made = NULL;
    enum err code;

    if (!strcmp(what, "list")) {
        code = repository_keys(r, &made, e);
        if (!code)
            *out = json_pack("{s:o}", "items", made);
        return code;
    }
    if (!strcmp(what, "rotate"))
        return run_rotate(r, args, out, e);
    if (!strcmp(what, "accept"))
        return run_accept(r, args, out, e);
    code = repository_renew(r, NULL, NULL, clock_now(), &made, e);
    if (!code)
        *out = prepared(made, "");
    return code;
}

enum err site_keys_apart(const char *dir, const char *what, const json_t *args, json_t **out, struct error *e)
{
    AUTO(text_free) char *lock = must_print("%s/site.lock", dir), *keys = must_print("%s/keys", dir);
    AUTO(fd_end) int      fd = -1;
    struct repository    *r = NULL;
    enum err              code = file_exists(dir) ? OK : fail(e, ERR_NOT_FOUND, "%s is not there; --state names the directory of a site", dir);

    code = code ? code : file_lock(lock, &fd, e);
    if (code == ERR_AGAIN)
        code = fail(e, ERR_CONDITION, "%s: a ferryd runs this site; leave --state out to ask it, or stop it", dir);
    code = code ? code : file_make_dirs(keys, 0700, e);      /* lost with everything in it, perhaps */
    code = code ? code : repository_open_lost(dir, &r, e);
    code = code ? code : site_keys(r, what, args, out, e);
    repository_close(r);
    return code;
}
