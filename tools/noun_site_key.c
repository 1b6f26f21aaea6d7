/* ferry site key, ferry site root: asked of the running site, or with --state done on the files of one that is not running (a site whose keys
 * are lost does not start). `key generate` and `root sign` need no site: they are for the machines where root keys live. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "node/site/site_keys.h"
#include "policy/document/json.h"
#include "policy/trust/todo.h"
#include "tools/verb.h"

#define STATE_FLAG {"state", FLAG_TEXT, NULL, "DIR", "work on the files of a site that is not running"}
#define OUT_FLAG   {"out", FLAG_TEXT, NULL, "FILE", "where the root that waits for signatures goes; root-N.todo.json unless given"}
#define END        {NULL, FLAG_BOOL, NULL, NULL, NULL}

static const char *text_of(const struct invocation *in, const char *name)
{
    return json_string_value(json_object_get(in->args, name));
}

/* The answer of the site, wherever it comes from; --state and --out are not its business. */
static enum err ask(struct invocation *in, const char *what, json_t **out, struct error *e)
{
    json_t     *args = json_copy(in->args);
    const char *state = text_of(in, "state");
    enum err    code;

    json_object_del(args, "state");
    json_object_del(args, "out");
    if (state && in->dry_run && strcmp(what, "list"))
        code = fail(e, ERR_USAGE, "keys are not tried out: --dry-run does not go with this command; nothing was changed");
    else
        code = state ? site_keys_apart(state, what, args, out, e) : verb_ask_at(in, in->verb->method, in->verb->path, args, out, e);
    json_decref(args);
    return code;
}

static enum err save_todo(struct invocation *in, json_t *answer, struct error *e)
{
    const json_t         *todo = json_object_get(answer, "todo");
    const char           *path = text_of(in, "out") ? text_of(in, "out") : json_string_value(json_object_get(answer, "file"));
    AUTO(text_free) char *text = todo ? json_dumps(todo, JSON_INDENT(1)) : NULL;
    enum err              code = todo ? file_write(path, text, strlen(text), 0644, e) : OK;

    if (!todo || code)
        return code;
    json_object_set_new(answer, "file", json_string(path));
    json_object_set_new(answer, "message", json_sprintf("%s\nFILE is %s.", json_string_value(json_object_get(answer, "message")), path));
    json_object_del(answer, "todo");
    return OK;
}

static enum err run_keys(struct invocation *in, const char *what, struct error *e)
{
    json_t  *answer = NULL;
    enum err code = ask(in, what, &answer, e);

    code = code ? code : save_todo(in, answer, e);
    if (!code)
        verb_show(in, answer);
    json_decref(answer);
    return code;
}

static enum err run_list(struct invocation *in, struct error *e)
{
    return run_keys(in, "list", e);
}

static enum err run_renew(struct invocation *in, struct error *e)
{
    return run_keys(in, "renew", e);
}

/* The file's text takes its name's place: what the site gets is the key, not a path of ours. */
static enum err key_text(struct invocation *in, struct error *e)
{
    const char           *path = text_of(in, "key");
    AUTO(text_free) char *text = NULL;
    size_t                length;
    struct key            k;
    enum err              code = path ? file_read(path, 4096, &text, &length, e) : OK;

    if (!path || code)
        return code;
    if (strncmp(text, "{", 1) && (code = key_load(path, &k, e)))
        return code;
    key_end(&k);
    json_object_set_new(in->args, "key", json_string(text));
    memset(text, 0, length);
    return OK;
}

static enum err run_rotate(struct invocation *in, struct error *e)
{
    enum err code = key_text(in, e);

    return code ? code : run_keys(in, "rotate", e);
}

static enum err run_import(struct invocation *in, struct error *e)
{
    const char *role = text_of(in, "role");

    if (!text_of(in, "key"))
        return fail(e, ERR_USAGE, "--key is missing: the file of the private key");
    if (role && !strcmp(role, "root"))
        return fail(e, ERR_USAGE, "a root key's private half stays where it is; `ferry site key rotate --role root --key NEW.pub` takes its public one");
    return run_rotate(in, e);
}

static enum err read_todo(const char *path, json_t **out, struct error *e)
{
    AUTO(text_free) char *text = NULL;
    size_t                length;
    struct error          why = {0};
    enum err              code = file_read(path, TODO_MOST, &text, &length, e);

    if (!code && (code = json_read(text, length, TODO_MOST, out, &why)))
        return fail(e, code, "%s is no prepared root (`ferry site root renew` and `ferry site key rotate` make those): %s", path, why.text);
    return code;
}

static enum err run_accept(struct invocation *in, struct error *e)
{
    json_t  *todo = NULL;
    enum err code = read_todo(text_of(in, "todo"), &todo, e);

    if (code)
        return code;
    json_object_set_new(in->args, "todo", todo);
    return run_keys(in, "accept", e);
}

/* --- without a site --- */

static enum err run_generate(struct invocation *in, struct error *e)
{
    const char           *path = text_of(in, "out");
    AUTO(text_free) char *public = must_print("%s.pub", path ? path : ""), *text = NULL;
    struct key            k = {0};
    char                  id[SHA256_HEX];
    json_t               *json, *answer;
    enum err              code;

    if (!path)
        return fail(e, ERR_USAGE, "--out is missing: where the new key goes; its public half goes beside it, with .pub behind the name");
    if (in->dry_run)
        return fail(e, ERR_USAGE, "keys are not tried out: --dry-run does not go with this command; nothing was changed");
    code = key_generate(&k) ? fail(e, ERR_FAILED, "libsodium cannot start") : key_save(path, &k, e);
    json = key_to_json(k.public);
    text = json_dumps(json, JSON_INDENT(1));
    code = code ? code : file_write(public, text, strlen(text), 0644, e);
    key_id(k.public, id);
    if (!code) {
        answer = json_pack("{s:s,s:s,s:s,s:o}", "keyid", id, "key", path, "public", public, "message",
                           json_sprintf("key %.12s… is made: %s stays here, %s is for everybody", id, path, public));
        verb_show(in, answer);
        json_decref(answer);
    }
    json_decref(json);
    key_end(&k);
    return code;
}

static json_t *signed_answer(const struct todo_state *s, const char *changes, const char *path)
{
    return json_pack("{s:I,s:{s:I,s:I},s:{s:I,s:I},s:b,s:o}", "root", (json_int_t)s->version, "old", "have", (json_int_t)s->old_have, "need",
                     (json_int_t)s->old_need, "new", "have", (json_int_t)s->new_have, "need", (json_int_t)s->new_need, "ready", s->ready, "message",
                     json_sprintf("root %lld changes\n%s\nSigned by %lld of %lld of the root in force, and by %lld of %lld of the new one.\n%s",
                                  (long long)s->version, changes, (long long)s->old_have, (long long)s->old_need, (long long)s->new_have,
                                  (long long)s->new_need, s->ready ? "It is complete: `ferry site root accept FILE` at the site." : path));
}

static enum err run_sign(struct invocation *in, struct error *e)
{
    const char           *path = text_of(in, "todo"), *key = text_of(in, "key");
    AUTO(text_free) char *text = NULL, *changes = NULL, *onward = must_print("Hand %s to the next holder.", path);
    json_t               *todo = NULL, *answer;
    struct todo_state     state;
    struct role           previous, next;
    struct key            k = {0};
    enum err              code = key ? OK : fail(e, ERR_USAGE, "--key is missing: the file of a root key");

    code = code ? code : read_todo(path, &todo, e);
    code = code ? code : key_load(key, &k, e);
    code = code ? code : todo_sign(todo, &k, &state, e);
    key_end(&k);
    code = code ? code : todo_read(todo, &previous, &next, &state, e);
    if (!code) {
        changes = todo_changes(&previous, &next);
        role_end(&previous);
        role_end(&next);
        text = json_dumps(todo, JSON_INDENT(1));
        code = in->dry_run ? OK : file_write(path, text, strlen(text), 0644, e);
    }
    if (!code) {
        answer = signed_answer(&state, changes, onward);
        verb_show(in, answer);
        json_decref(answer);
    }
    json_decref(todo);
    return code;
}

static const struct flag list_flags[] = {STATE_FLAG, END};
static const struct flag generate_flags[] = {{"out", FLAG_TEXT, NULL, "FILE", "where the private half goes; FILE.pub is the public one"}, END};
static const struct flag rotate_flags[] = {
    {"role", FLAG_TEXT, NULL, "ROLE", "timestamp, snapshot, targets, delegate-COLLECTION, online (all of these), or root"},
    {"old", FLAG_TEXT, NULL, "ID", "for root: the key that leaves, or how its id begins"},
    {"key", FLAG_TEXT, NULL, "FILE", "for root: the public key that comes; else a private key made elsewhere"},
    OUT_FLAG, STATE_FLAG, END,
};
static const struct flag import_flags[] = {
    {"role", FLAG_TEXT, NULL, "ROLE", "timestamp, snapshot, targets or delegate-COLLECTION"},
    {"key", FLAG_TEXT, NULL, "FILE", "the private key: PEM, ed25519, readable by nobody else"},
    OUT_FLAG, STATE_FLAG, END,
};
static const struct flag sign_flags[] = {{"key", FLAG_TEXT, NULL, "FILE", "the root key to sign with"}, END};
static const struct flag renew_flags[] = {OUT_FLAG, STATE_FLAG, END};

const struct verb site_key_verbs[] = {
    {"site", "key list", NULL, list_flags, "GET", "/api/v1/site/keys", "role:ROLE keyid:KEY where:WHERE expires:EXPIRES waiting:WAITING",
     run_list, "the site's keys: role, id, where the private half lies, until when the role is signed", NULL},
    {"site", "key generate", NULL, generate_flags, NULL, NULL, NULL, run_generate, "make a key, on any machine",
     "ferry site key generate --out root-4.key"},
    {"site", "key rotate", NULL, rotate_flags, "POST", "/api/v1/site/keys/rotate", NULL, run_rotate,
     "replace a key: a collection's at once, any other by a new root", "ferry site key rotate --role timestamp"},
    {"site", "key import", NULL, import_flags, "POST", "/api/v1/site/keys/rotate", NULL, run_import, "replace a key by one that was made elsewhere",
     "ferry site key import --role timestamp --key timestamp.key"},
    {"site", "root renew", NULL, renew_flags, "POST", "/api/v1/site/root/renew", NULL, run_renew, "prepare the same root for another year",
     "ferry site root renew"},
    {"site", "root sign", "TODO", sign_flags, NULL, NULL, NULL, run_sign, "sign a prepared root with a root key, on any machine",
     "ferry site root sign --key /media/stick/root-1.key root-2.todo.json"},
    {"site", "root accept", "TODO", list_flags, "POST", "/api/v1/site/root/accept", NULL, run_accept,
     "publish a prepared root that enough holders have signed", "ferry site root accept root-2.todo.json"},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
