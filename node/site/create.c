#include "node/site/create.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"
#include "node/site/publish_now.h"
#include "node/site/site_identity.h"
#include "policy/authoring/author.h"
#include "policy/document/json.h"

/* 16 letters and digits nobody else has. */
static void make_id(char out[17])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

    for (int i = 0; i < 16; i++)
        out[i] = alphabet[randombytes_uniform(32)];
    out[16] = 0;
}

static enum err make_seal(const char *dir, uint8_t public[32], struct error *e)
{
    uint8_t  secret[32];
    char     hex[66], *path = must_print("%s/keys/seal.key", dir);
    enum err code;

    crypto_box_keypair(public, secret);
    hex_encode(secret, 32, hex);
    strcat(hex, "\n");
    code = file_write(path, hex, 65, 0600, e);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(hex, sizeof hex);
    free(path);
    return code;
}

/* /etc/timezone, else where /etc/localtime leads to: ../usr/share/zoneinfo/Europe/Berlin. Caller frees. */
static char *zone_here(void)
{
    char   *text = NULL, to[512];
    size_t  length;
    ssize_t n = readlink("/etc/localtime", to, sizeof to - 1);

    if (!file_read("/etc/timezone", 4096, &text, &length, NULL)) {
        text[strcspn(text, " \t\r\n")] = 0;
        if (*text)
            return text;
        free(text);
    }
    to[n > 0 ? n : 0] = 0;
    text = strstr(to, "zoneinfo/");
    return must_copy(text ? text + strlen("zoneinfo/") : "UTC");
}

/* A zone this machine names and nobody knows is no reason not to make a site. */
static enum err set_zone(struct ledger *l, struct error *e)
{
    char    *name = zone_here();
    enum err code = author_set_timezone(l, name, NULL) ? author_set_timezone(l, "UTC", e) : OK;

    free(name);
    return code;
}

static enum err first_publish(const char *dir, const char *url, const struct site_identity *identity, struct error *e)
{
    char              *path = must_print("%s/ledger.db", dir), *content = must_print("%s/content", dir);
    struct ledger     *l = NULL;
    struct repository *r = NULL;
    enum err           code = ledger_open(path, &l, e);
    struct author      a = {.ledger = l, .now = clock_now(), .who = "site init", .content_dir = content};

    code = code ? code : set_zone(l, e);
    code = code ? code : site_identity_tell(identity, l, e);
    if (!code && *url)
        code = author_set_url(l, url, e);
    code = code ? code : repository_open(dir, &r, e);
    code = code ? code : publish_now(&a, r, e);
    repository_close(r);
    ledger_close(l);
    free(path);
    free(content);
    return code;
}

/* Everything in a directory beside the final one, which appears by one rename. */
static enum err build(const char *dir, const char *name, const char *url, struct error *e)
{
    char                *offline = must_print("%s/offline", dir), *ledger = must_print("%s/ledger.db", dir),
                        *content = must_print("%s/content", dir), id[17];
    uint8_t              seal[32];
    struct site_identity identity = {0};
    enum err             code = file_make_dirs(dir, 0700, e);

    make_id(id);
    code = code ? code : file_make_dirs(content, 0755, e);
    code = code ? code : repository_create(dir, offline, id, clock_now(), e);
    code = code ? code : make_seal(dir, seal, e);
    code = code ? code : site_identity_open(&identity, dir, id, clock_now(), e);
    code = code ? code : ledger_create(ledger, name, id, seal, e);
    code = code ? code : first_publish(dir, url, &identity, e);
    site_identity_end(&identity);
    free(offline);
    free(ledger);
    free(content);
    return code;
}

static json_t *advice(const char *dir, const char *name)
{
    char *text = must_print("site %s is made in %s.\n"
                            "The root keys lie in %s/offline: root-1.key, root-2.key and root-3.key. Any two of them can replace every "
                            "other key of this site.\n"
                            "Carry each to a different safe place (a USB stick in a safe, not this machine), then delete the directory.\n"
                            "Next: a ferryd with `role = site` and `site-state = %s`, then `ferry catalog add`.",
                            name, dir, dir, dir);
    json_t  *out = json_pack("{s:s,s:s,s:s+}", "message", text, "name", name, "offline_keys", dir, "/offline");

    free(text);
    return out;
}

enum err site_create(const char *dir, const char *name, const char *url, json_t **out, struct error *e)
{
    char    *made = must_print("%s.being-made", dir), *ledger = must_print("%s/ledger.db", dir);
    enum err code = OK;

    if (sodium_init() < 0)
        code = fail(e, ERR_FAILED, "libsodium cannot start");
    else if (!name_ok(name))
        code = fail(e, ERR_USAGE, "\"%s\" is not a name for a site: lower-case letters, digits, \"-\" and \".\" are accepted", name);
    else if (file_exists(ledger))
        code = fail(e, ERR_EXISTS, "a site exists already in %s; it was left as it is", dir);
    else if (file_exists(dir) && rmdir(dir))
        code = fail(e, ERR_EXISTS, "%s exists and is not empty; name another directory with --state", dir);
    if (!code) {
        code = file_remove(made, e);
        code = code ? code : build(made, name, url, e);
        code = code ? code : file_move(made, dir, e);
        if (code)
            file_remove(made, NULL);
    }
    if (!code)
        *out = advice(dir, name);
    free(ledger);
    free(made);
    return code;
}
