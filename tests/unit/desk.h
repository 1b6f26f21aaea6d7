/* For tests of policy/authoring: a site's ledger with a small catalog below a directory in /tmp, and commands called by name as
 * node/site/api.c calls them. Arguments are JSON with ' for ". */
#ifndef FERRY_TESTS_UNIT_DESK_H
#define FERRY_TESTS_UNIT_DESK_H

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"

#include <cmocka.h> /* last: its fail() is a macro */

#define DESK_NOW  1800000000
#define DESK_SITE "abcdefghijklmnop"

struct desk {
    char dir[64], ledger_path[96], content[96], keyring[96];
    struct author a;
    struct error e;
    char inrelease[SHA256_HEX]; /* of the last import: what a scan that names no catalogs was made with */
};

static inline int desk_open(void **state)
{
    struct desk *d = must_alloc(sizeof *d);
    uint8_t seal[32] = {7};

    strcpy(d->dir, "/tmp/ferry-desk-XXXXXX");
    assert_true(sodium_init() >= 0);
    assert_non_null(mkdtemp(d->dir));
    snprintf(d->ledger_path, sizeof d->ledger_path, "%s/ledger.db", d->dir);
    snprintf(d->content, sizeof d->content, "%s/content", d->dir);
    snprintf(d->keyring, sizeof d->keyring, "%s/keyring.gpg", d->dir);
    assert_int_equal(mkdir(d->content, 0700), 0);
    assert_int_equal(file_write(d->keyring, "keys", 4, 0600, NULL), OK);
    assert_int_equal(ledger_create(d->ledger_path, "hq", DESK_SITE, seal, &d->e), OK);
    d->a = (struct author){.now = DESK_NOW, .who = "uid 0 (root)", .content_dir = d->content};
    assert_int_equal(ledger_open(d->ledger_path, &d->a.ledger, &d->e), OK);
    *state = d;
    return 0;
}

static inline int desk_close(void **state)
{
    struct desk *d = *state;

    ledger_close(d->a.ledger);
    assert_int_equal(file_remove(d->dir, NULL), OK);
    free(d);
    return 0;
}

static inline json_t *quoted(const char *text)
{
    char *copy = must_copy(text);
    json_t *json;

    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json = json_loads(copy, 0, NULL);
    if (!json)
        fail_msg("no JSON: %s", text);
    free(copy);
    return json;
}

static inline enum err desk_run(struct desk *d, const char *name, const char *args_text, json_t **out)
{
    json_t *args = quoted(args_text);
    enum err code = ERR_FAILED;
    bool found = false;

    *out = NULL;
    memset(&d->e, 0, sizeof d->e);
    for (size_t i = 0; i < author_command_count; i++)
        if (!strcmp(author_commands[i].name, name)) {
            found = true;
            code = author_run(&author_commands[i], &d->a, args, out, &d->e);
        }
    assert_true(found);
    json_decref(args);
    return code;
}

/* Its answer; caller decrefs. */
static inline json_t *ask(struct desk *d, const char *name, const char *args)
{
    json_t *out;

    if (desk_run(d, name, args, &out) != OK)
        fail_msg("%s %s: %s", name, args, d->e.text);
    assert_non_null(out);
    return out;
}

static inline void say(struct desk *d, const char *name, const char *args)
{
    json_decref(ask(d, name, args));
}

/* Refused with that code, and the text holds part. */
static inline void refused(struct desk *d, enum err code, const char *part, const char *name, const char *args)
{
    json_t *out;
    enum err got = desk_run(d, name, args, &out);

    json_decref(out);
    if (got != code || !strstr(d->e.text, part))
        fail_msg("%s %s: %d \"%s\"; expected %d \"%s\"", name, args, got, d->e.text, code, part);
}

static inline int64_t count_in(struct desk *d, const char *table)
{
    AUTO(text_free) char *sql = must_print("SELECT count(*) AS n FROM %s", table);
    json_t *rows = NULL;
    int64_t n;

    assert_int_equal(rows_found(d->a.ledger, sql, NULL, &rows, &d->e), OK);
    n = json_integer_value(json_object_get(json_array_get(rows, 0), "n"));
    json_decref(rows);
    return n;
}

static inline int64_t number_in(const json_t *object, const char *name)
{
    assert_true(json_is_integer(json_object_get(object, name)));
    return json_integer_value(json_object_get(object, name));
}

/* The row of an array of objects with that member; fails when there is none. */
static inline json_t *row_with(const json_t *rows, const char *member, const char *value)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *text = json_string_value(json_object_get(json_array_get(rows, i), member));
        if (text && !strcmp(text, value))
            return json_array_get(rows, i);
    }
    fail_msg("no row with %s %s", member, value);
    return NULL;
}

/* --- a catalog --- */

#define STANZA(name, source, version, depends)                                                                                             \
    "Package: " name "\nSource: " source "\nVersion: " version "\nArchitecture: amd64\n" depends "Filename: pool/" name "_" version        \
    "_amd64.deb\nSize: 1000\nSHA256: "

/* Stanzas without their hash, which is made from the stanza: NULL-terminated. */
static const char *const desk_packages[] = {
    STANZA("libssl3", "openssl", "3.0.2", ""),
    STANZA("openssl", "openssl", "3.0.2", "Depends: libssl3 (= 3.0.2)\n"),
    STANZA("curl", "curl", "8.1", ""),
    STANZA("bash", "bash", "5.3", ""),
    NULL,
};

static inline void desk_content(struct desk *d, const struct sha256 *h, uint64_t size, const char *name)
{
    char hex[SHA256_HEX];
    struct sha256 info = hash_bytes(h, sizeof *h);
    char *torrent = must_print("%s/%s.torrent", d->content, sha256_hex(h, hex));

    assert_int_equal(file_write(torrent, hex, 20, 0600, NULL), OK);
    assert_int_equal(content_arrived(&d->a, h, size, name, NULL, &info, &d->e), OK);
    free(torrent);
}

static inline char *desk_index(const char *const *stanzas)
{
    struct text text = {0};
    char hex[SHA256_HEX];

    for (; *stanzas; stanzas++) {
        struct sha256 h = hash_bytes(*stanzas, strlen(*stanzas));
        text_add(&text, "%s%s\n\n", *stanzas, sha256_hex(&h, hex));
    }
    return text_take(&text);
}

/* Reads the stanzas in as the catalog's newest state, dated date. */
static inline enum err desk_import(struct desk *d, const char *catalog, const char *const *stanzas, int64_t date, struct catalog_counts *n)
{
    char *bytes = desk_index(stanzas), hex[SHA256_HEX], *path;
    struct sha256 h = hash_bytes(bytes, strlen(bytes));
    struct package_set set = {.catalog = must_copy(catalog),
                              .uri = must_copy("http://deb.example.org/debian"),
                              .origin = must_copy("Debian"),
                              .label = must_copy("Debian-Security"),
                              .codename = must_copy("bookworm-security"),
                              .date = date};
    struct release release = {.date = date};
    struct archive archive = {.name = must_copy(catalog),
                              .uri = must_copy("http://deb.example.org/debian"),
                              .suite = must_copy("bookworm-security"),
                              .components = words_copy((char *[]){(char[]){"main"}, NULL}),
                              .arch = must_copy("amd64"),
                              .keyring = must_alloc(4),
                              .keyring_size = 4};
    enum err code;

    archive.indexes = must_alloc(sizeof *archive.indexes);
    archive.indexes[archive.index_count++] = (struct archive_index){must_copy("main/binary-amd64/Packages"), h, strlen(bytes)};
    path = must_print("%s/%s", d->content, sha256_hex(&h, hex));
    memcpy(d->inrelease, hex, sizeof d->inrelease);
    assert_int_equal(file_write(path, bytes, strlen(bytes), 0600, NULL), OK);
    desk_content(d, &h, strlen(bytes), "main/binary-amd64/Packages");
    assert_int_equal(package_set_add(&set, bytes, strlen(bytes), &d->e), OK);
    package_set_sort(&set);
    code = catalog_import(&d->a, catalog, &set, &archive, &release, n, &d->e);
    package_set_end(&set);
    archive_end(&archive);
    free(path);
    free(bytes);
    return code;
}

/* Catalog debian with openssl, curl and bash: "apt:debian:openssl:3.0.2" … */
static inline struct catalog_counts desk_catalog(struct desk *d)
{
    struct catalog_counts n = {0};
    char *args = must_print(
        "{'name':'debian','type':'apt','uri':'http://deb.example.org/debian','suite':'bookworm-security','keyring':'%s'}", d->keyring);

    say(d, "catalog.add", args);
    if (desk_import(d, "debian", desk_packages, DESK_NOW - 86400, &n) != OK)
        fail_msg("%s", d->e.text);
    free(args);
    return n;
}

/* Everything the group wants arrives in the library. How many files it wanted. */
static inline size_t desk_download(struct desk *d, const char *group)
{
    struct wanted_file *files = NULL;
    size_t count = 0;
    char **missing = NULL;

    if (content_wanted(&d->a, group, &files, &count, &missing, &d->e) != OK)
        fail_msg("%s", d->e.text);
    assert_null(missing);
    for (size_t i = 0; i < count; i++)
        if (!files[i].here)
            desk_content(d, &files[i].sha256, files[i].size, files[i].name);
    if (content_group_done(&d->a, group, &d->e) != OK)
        fail_msg("%s", d->e.text);
    wanted_free(files, count);
    return count;
}

/* --- nodes --- */

static inline void desk_node(struct desk *d, const char *hostname, char id[NODE_ID_SIZE])
{
    uint8_t public[32] = {0};
    json_t *token = ask(d, "node.token", "{}");

    snprintf((char *)public, sizeof public, "%s", hostname);
    if (node_enrol(&d->a, json_string_value(json_object_get(token, "token_id")), public, hostname, "10.1.0.7", id, &d->e) != OK)
        fail_msg("%s", d->e.text);
    json_decref(token);
}

/* A batch of status; the highest serial held afterwards. */
static inline int64_t desk_status(struct desk *d, const char *node, const char *messages_text)
{
    json_t *messages = quoted(messages_text), *m, *scan;
    int64_t held = -1;
    size_t i;

    json_array_foreach(messages, i, m)
        if ((scan = json_object_get(m, "scan")) && !json_object_get(scan, "catalogs"))
            json_object_set_new(scan, "catalogs", json_pack("{s:s}", "debian", d->inrelease));
    if (compliance_ingest(&d->a, node, messages, &held, &d->e) != OK)
        fail_msg("%s", d->e.text);
    json_decref(messages);
    return held;
}

/* --- what would be published --- */

/* A document's body, NULL when it is not among them. Caller decrefs. */
static inline json_t *published(struct desk *d, const char *name)
{
    struct publication_list list;
    json_t *body = NULL;

    if (author_publications(&d->a, &list, &d->e) != OK)
        fail_msg("%s", d->e.text);
    for (size_t i = 0; i < list.count; i++)
        if (!strcmp(list.items[i].name, name)) {
            assert_null(body);
            body = json_incref((json_t *)(uintptr_t)list.items[i].body);
        }
    author_publications_free(&list);
    return body;
}

#endif
