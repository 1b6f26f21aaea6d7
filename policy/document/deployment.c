#include "policy/document/deployment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/parts.h"

#define CONTENTS 20000
#define ARCHIVES 32
#define INDEXES  64
#define TORRENT  (1u << 20)
#define KEYRING  (256u << 10)
#define HALTED   240

void content_end(struct content *c)
{
    free(c->torrent);
    free(c->origin);
    memset(c, 0, sizeof *c);
}

enum err content_from_json(const json_t *value, const char *path, struct content *out, struct error *e)
{
    struct content c = {0};
    struct reader  r;

    reader_init(&r, value, path, e);
    c.sha256 = reader_sha256(&r, "sha256");
    c.size = (uint64_t)reader_number(&r, "size", 0, SIZE_MOST);
    c.info_hash = reader_sha256(&r, "info_hash");
    c.torrent = reader_base64(&r, "torrent", TORRENT, &c.torrent_size);
    c.origin = reader_copy_or_null(&r, "origin", 4096);
    if (reader_done(&r)) {
        content_end(&c);
        return r.verdict;
    }
    *out = c;
    return OK;
}

json_t *content_to_json(const struct content *c)
{
    json_t *o = json_object();
    char   *torrent = base64_encode(c->torrent, c->torrent_size);

    put_sha256(o, "sha256", &c->sha256);
    json_object_set_new(o, "size", json_integer((json_int_t)c->size));
    put_sha256(o, "info_hash", &c->info_hash);
    put_text(o, "torrent", torrent);
    put_text(o, "origin", c->origin);
    free(torrent);
    return o;
}

void archive_end(struct archive *a)
{
    for (size_t i = 0; i < a->index_count; i++)
        free(a->indexes[i].path);
    free(a->indexes);
    free(a->name);
    free(a->uri);
    free(a->suite);
    words_free(a->components);
    free(a->arch);
    free(a->keyring);
    memset(a, 0, sizeof *a);
}

/* What becomes part of a path below dists/ and of a line for apt. */
static bool archive_word(const char *text)
{
    return *text && *text != '/' && !strstr(text, "..") &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+~:_/-")] == 0;
}

static void index_read(struct reader *parent, size_t i, const json_t *value, struct archive_index *x)
{
    struct reader r;

    reader_item(&r, parent, "indexes", i, value);
    x->path = reader_copy(&r, "path", 1024);
    x->sha256 = reader_sha256(&r, "sha256");
    x->size = (uint64_t)reader_number(&r, "size", 0, SIZE_MOST);
    if (!archive_word(x->path))
        reader_fail(&r, "path", "a relative path without \"..\" was expected");
    parent->verdict = reader_done(&r);
}

static void archive_check(struct reader *r, const struct archive *a)
{
    if (!r->verdict && !name_ok(a->name))
        reader_fail(r, "name", "\"%.64s\" is not a name", a->name);
    if (!r->verdict && a->uri[strcspn(a->uri, " \t\r\n")])
        reader_fail(r, "uri", "a URI without blanks was expected");
    if (!r->verdict && !archive_word(a->suite))
        reader_fail(r, "suite", "\"%.64s\" is not a suite such as bookworm-security", a->suite);
    if (!r->verdict && !archive_word(a->arch))
        reader_fail(r, "arch", "\"%.32s\" is not an architecture such as amd64", a->arch);
    for (char **c = a->components; c && *c && !r->verdict; c++)
        if (!archive_word(*c))
            reader_fail(r, "components", "\"%.64s\" is not a component such as main", *c);
}

enum err archive_from_json(const json_t *value, const char *path, struct archive *out, struct error *e)
{
    struct archive a = {0};
    struct reader  r;
    const json_t  *indexes;

    reader_init(&r, value, path, e);
    a.name = reader_copy(&r, "name", 64);
    a.uri = reader_copy(&r, "uri", 4096);
    a.suite = reader_copy(&r, "suite", 255);
    a.components = reader_words(&r, "components", 32, 64);
    a.arch = reader_copy(&r, "arch", 32);
    a.keyring = reader_base64(&r, "keyring", KEYRING, &a.keyring_size);
    indexes = reader_array(&r, "indexes", INDEXES);
    a.indexes = must_alloc((json_array_size(indexes) + 1) * sizeof *a.indexes);
    for (size_t i = 0; i < json_array_size(indexes) && !r.verdict; i++) {
        a.index_count = i + 1;
        index_read(&r, i, json_array_get(indexes, i), &a.indexes[i]);
    }
    archive_check(&r, &a);
    if (reader_done(&r)) {
        archive_end(&a);
        return r.verdict;
    }
    *out = a;
    return OK;
}

json_t *archive_to_json(const struct archive *a)
{
    json_t *o = json_object(), *list = json_array();
    char   *keyring = base64_encode(a->keyring, a->keyring_size);

    put_text(o, "name", a->name);
    put_text(o, "uri", a->uri);
    put_text(o, "suite", a->suite);
    put_words(o, "components", a->components);
    put_text(o, "arch", a->arch);
    put_text(o, "keyring", keyring);
    for (size_t i = 0; i < a->index_count; i++) {
        json_t *x = json_object();
        put_text(x, "path", a->indexes[i].path);
        put_sha256(x, "sha256", &a->indexes[i].sha256);
        json_object_set_new(x, "size", json_integer((json_int_t)a->indexes[i].size));
        json_array_append_new(list, x);
    }
    json_object_set_new(o, "indexes", list);
    free(keyring);
    return o;
}

enum err contents_read(struct reader *r, struct content **out, size_t *count)
{
    const json_t *list = reader_array(r, "contents", CONTENTS);
    char          path[READER_PATH];

    *out = must_alloc((json_array_size(list) + 1) * sizeof **out);
    for (size_t i = 0; i < json_array_size(list) && !r->verdict; i++) {
        r->verdict = content_from_json(json_array_get(list, i), reader_path(r, "contents", i, path), &(*out)[i], r->error);
        *count = i + !r->verdict;
    }
    return r->verdict;
}

enum err archives_read(struct reader *r, struct archive **out, size_t *count)
{
    const json_t *list = reader_array(r, "archives", ARCHIVES);
    char          path[READER_PATH];

    *out = must_alloc((json_array_size(list) + 1) * sizeof **out);
    for (size_t i = 0; i < json_array_size(list) && !r->verdict; i++) {
        r->verdict = archive_from_json(json_array_get(list, i), reader_path(r, "archives", i, path), &(*out)[i], r->error);
        *count = i + !r->verdict;
    }
    return r->verdict;
}

enum err updates_read(struct reader *r, struct update ***out, size_t *count)
{
    const json_t *list = reader_array(r, "updates", DEPLOYMENT_UPDATES);
    char          path[READER_PATH];

    *out = must_alloc((json_array_size(list) + 1) * sizeof **out);
    for (size_t i = 0; i < json_array_size(list) && !r->verdict; i++) {
        r->verdict = update_from_json(json_array_get(list, i), reader_path(r, "updates", i, path), &(*out)[i], r->error);
        *count = i + !r->verdict;
    }
    return r->verdict;
}

json_t *contents_print(const struct content *items, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, content_to_json(&items[i]));
    return list;
}

json_t *archives_print(const struct archive *items, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, archive_to_json(&items[i]));
    return list;
}

json_t *updates_print(struct update *const *items, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, update_to_json(items[i]));
    return list;
}

void contents_end(struct content *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        content_end(&items[i]);
    free(items);
}

void archives_end(struct archive *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        archive_end(&items[i]);
    free(items);
}

void updates_end(struct update **items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        update_free(items[i]);
    free(items);
}

void deployment_free(struct deployment *d)
{
    if (!d)
        return;
    updates_end(d->updates, d->update_count);
    contents_end(d->contents, d->content_count);
    archives_end(d->archives, d->archive_count);
    free(d->audience);
    free(d->id);
    free(d->name);
    free(d->collection);
    free(d->halted);
    free(d);
}

static int by_sha256(const void *a, const void *b)
{
    return memcmp(((const struct content *)a)->sha256.b, ((const struct content *)b)->sha256.b, SHA256_SIZE);
}

const struct content *content_find(const struct content *items, size_t count, const struct sha256 *h)
{
    struct content key = {.sha256 = *h};

    return count ? bsearch(&key, items, count, sizeof key, by_sha256) : NULL;
}

void contents_sort(struct content *items, size_t count)
{
    if (count)
        qsort(items, count, sizeof *items, by_sha256);
}

const struct content *deployment_content(const struct deployment *d, const struct sha256 *h)
{
    return content_find(d->contents, d->content_count, h);
}

/* What the updates and archives name has to be among the contents: a node needs nothing more than the document. */
static void check_whole(struct reader *r, const struct deployment *d)
{
    if (d->withdrawn && (d->update_count || d->content_count || d->archive_count))
        reader_fail(r, "withdrawn", "a withdrawn deployment carries no updates, contents or archives");
    for (size_t i = 1; i < d->content_count && !r->verdict; i++)
        if (by_sha256(&d->contents[i - 1], &d->contents[i]) == 0)
            reader_fail(r, "contents", "the same content twice");
    for (size_t u = 0; u < d->update_count && !r->verdict; u++)
        for (size_t f = 0; f < d->updates[u]->file_count && !r->verdict; f++)
            if (!deployment_content(d, &d->updates[u]->files[f].sha256))
                reader_fail(r, "updates", "%.100s: its file %.100s is not among the contents", d->updates[u]->id,
                            d->updates[u]->files[f].name);
    for (size_t a = 0; a < d->archive_count && !r->verdict; a++)
        for (size_t i = 0; i < d->archives[a].index_count && !r->verdict; i++)
            if (!deployment_content(d, &d->archives[a].indexes[i].sha256))
                reader_fail(r, "archives", "%.64s: its index %.100s is not among the contents", d->archives[a].name,
                            d->archives[a].indexes[i].path);
}

static void head_read(struct reader *r, struct deployment *d)
{
    if (strcmp(reader_text(r, "type", 32), "deployment"))
        reader_fail(r, "type", "\"deployment\" was expected");
    d->seq = reader_number(r, "seq", 1, INT64_MAX);
    d->audience = reader_copy(r, "audience", 64);
    d->id = reader_copy(r, "id", 64);
    d->name = reader_copy(r, "name", 256);
    d->collection = reader_copy(r, "collection", 64);
    d->enabled = reader_bool_or(r, "enabled", false);
    d->withdrawn = reader_bool_or(r, "withdrawn", false);
    d->halted = reader_copy_or_null(r, "halted", HALTED);
    members_read(r, terms_table, terms_count, &d->terms, false);
    d->available = reader_time_or(r, "available", 0);
    d->deadline = reader_time_or(r, "deadline", 0);
    if (!r->verdict && !name_ok(d->id))
        reader_fail(r, "id", "\"%.64s\" is not a name", d->id);
    if (!r->verdict && !name_ok(d->collection))
        reader_fail(r, "collection", "\"%.64s\" is not a name", d->collection);
}

static void times_check(struct reader *r, struct deployment *d)
{
    if (!r->verdict && !reader_has(r, "purpose"))
        reader_fail(r, "purpose", "is missing");
    if (d->halted && !*d->halted)
        reader_fail(r, "halted", "a reason was expected");
    if (!d->deadline && d->terms.purpose == PURPOSE_REQUIRED && !d->withdrawn)
        reader_fail(r, "deadline", "is missing; a required deployment is installed at its deadline");
    if (d->deadline && d->deadline < d->available)
        reader_fail(r, "deadline", "lies before the available time");
    if (d->terms.purpose == PURPOSE_AVAILABLE)          /* the first sites wrote one that nobody ever looked at */
        d->deadline = 0;
}

enum err deployment_from_json(const json_t *value, struct deployment **out, struct error *e)
{
    struct deployment *d = must_alloc(sizeof *d);
    struct reader      r;

    reader_init(&r, value, "deployment", e);
    head_read(&r, d);
    times_check(&r, d);
    updates_read(&r, &d->updates, &d->update_count);
    contents_read(&r, &d->contents, &d->content_count);
    archives_read(&r, &d->archives, &d->archive_count);
    contents_sort(d->contents, d->content_count);
    check_whole(&r, d);
    if (reader_done(&r)) {
        deployment_free(d);
        return r.verdict;
    }
    *out = d;
    return OK;
}

json_t *deployment_to_json(const struct deployment *d)
{
    json_t *o = json_pack("{s:s,s:I,s:s,s:s,s:s,s:s,s:b,s:b,s:s}", "type", "deployment", "seq", (json_int_t)d->seq, "audience", d->audience,
                          "id", d->id, "name", d->name, "collection", d->collection, "enabled", d->enabled, "withdrawn", d->withdrawn,
                          "purpose", d->terms.purpose == PURPOSE_REQUIRED ? "required" : "available");

    members_print(terms_table, terms_count, &d->terms, o, false);
    put_text(o, "halted", d->halted);
    put_time(o, "available", d->available);
    put_time(o, "deadline", d->deadline);
    json_object_set_new(o, "updates", updates_print(d->updates, d->update_count));
    json_object_set_new(o, "contents", contents_print(d->contents, d->content_count));
    json_object_set_new(o, "archives", archives_print(d->archives, d->archive_count));
    return o;
}
