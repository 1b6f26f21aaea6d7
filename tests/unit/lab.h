/* For tests that need a real archive, a real dpkg root and a real cache: made with tests/fixtures below a directory in /tmp, gone
 * afterwards. Tests run from the project's top. */
#ifndef FERRY_TESTS_UNIT_LAB_H
#define FERRY_TESTS_UNIT_LAB_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/file.h"
#include "base/text.h"
#include "node/store/cache.h"
#include "policy/catalog/apt.h"
#include "policy/document/fleet.h"

#include <cmocka.h> /* last: its fail() is a macro */

struct lab {
    char               dir[64], arc[96], root[96];
    uv_loop_t          loop;
    struct config      config;
    struct store      *store;
    struct cache      *cache;
    struct archive     archive;
    struct package_set set;
    struct deployment  deployment;              /* everything of the archive */
};

__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...)
{
    char    command[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    if (system(command) != 0)
        fail_msg("%s", command);
}

static void lab_read(const char *path, char **bytes, size_t *length)
{
    struct error e = {0};

    if (file_read(path, 64u << 20, bytes, length, &e) != OK)
        fail_msg("%s", e.text);
}

static int by_hash(const void *a, const void *b)
{
    return memcmp(&((const struct content *)a)->sha256, &((const struct content *)b)->sha256, SHA256_SIZE);
}

/* Contents are sorted and each is there once. */
static void lab_deploy(struct deployment *d, const struct sha256 *h, uint64_t size)
{
    if (deployment_content(d, h))
        return;
    d->contents = must_grow(d->contents, d->content_count + 1, sizeof(*d->contents));
    d->contents[d->content_count++] = (struct content){.sha256 = *h, .size = size};
    qsort(d->contents, d->content_count, sizeof(*d->contents), by_hash);
}

/* A file into the cache, as if it had been fetched, and into the deployment's contents. */
static struct sha256 lab_put(struct lab *l, const char *path, uint64_t *size)
{
    struct sha256 h;
    struct error  e = {0};
    char          to[256];

    assert_int_equal(hash_file(path, &h, size, &e), OK);
    cache_path(l->cache, &h, to, sizeof(to));
    shell("cp '%s' '%s'", path, to);
    if (cache_keep(l->cache, &h, &e) != OK)
        fail_msg("%s", e.text);
    lab_deploy(&l->deployment, &h, *size);
    return h;
}

static void lab_index(struct lab *l, const char *path)
{
    char          *file = must_print("%s/dists/demo/%s", l->arc, path);
    uint64_t       size = 0;
    struct sha256  h = lab_put(l, file, &size);
    struct archive *a = &l->archive;

    a->indexes = must_grow(a->indexes, a->index_count + 1, sizeof(*a->indexes));
    a->indexes[a->index_count++] = (struct archive_index){must_copy(path), h, size};
    free(file);
}

static enum err lab_on_update(void *ctx, const struct update *u, struct error *e)
{
    struct deployment *d = ctx;
    json_t            *j = update_to_json(u);

    d->updates = must_grow(d->updates, d->update_count + 1, sizeof(struct update *));
    if (update_from_json(j, "update", &d->updates[d->update_count], e) != OK)
        fail_msg("%s", e->text);
    d->update_count++;
    json_decref(j);
    return OK;
}

static void lab_archive(struct lab *l)
{
    struct archive *a = &l->archive;
    char           *bytes, *path = must_print("%s/demo.gpg", l->arc);
    size_t          length;
    struct error    e = {0};

    *a = (struct archive){.name = must_copy("demo"),
                          .uri = must_print("file:%s", l->arc),
                          .suite = must_copy("demo"),
                          .arch = must_copy("amd64"),
                          .components = words_copy((char *[]){(char[]){"main"}, NULL})};
    lab_read(path, &bytes, &a->keyring_size);
    a->keyring = (uint8_t *)bytes;
    lab_index(l, "InRelease");
    lab_index(l, "main/binary-amd64/Packages.xz");
    free(path);
    path = must_print("%s/dists/demo/main/binary-amd64/Packages", l->arc);
    lab_read(path, &bytes, &length);
    l->set.catalog = must_copy("demo");
    assert_int_equal(package_set_add(&l->set, bytes, length, &e), OK);
    package_set_sort(&l->set);
    assert_int_equal(apt_updates(&l->set, lab_on_update, &l->deployment, &e), OK);
    free(bytes);
    free(path);
    l->deployment.archives = a;
    l->deployment.archive_count = 1;
}

static void lab_packages(struct lab *l)
{
    for (size_t i = 0; i < l->set.count; i++) {
        uint64_t size;
        char    *deb = must_print("%s/%s", l->arc, l->set.packages[i].filename);

        lab_put(l, deb, &size);
        free(deb);
    }
}

/* packages: for make-root.sh, "" for all. */
static void lab_open(struct lab *l, const char *packages)
{
    struct error e = {0};
    char        *path;

    memset(l, 0, sizeof(*l));
    snprintf(l->dir, sizeof(l->dir), "/tmp/ferry-lab-XXXXXX");
    assert_non_null(mkdtemp(l->dir));
    snprintf(l->arc, sizeof(l->arc), "%s/arc", l->dir);
    snprintf(l->root, sizeof(l->root), "%s/root", l->dir);
    shell("tests/fixtures/make-archive.sh %s 1 && tests/fixtures/make-root.sh %s %s %s && mkdir %s/state", l->arc, l->root, l->arc,
          packages, l->dir);
    l->config.root = l->root;
    l->config.unprivileged_root = geteuid() != 0;
    l->config.state_dir = must_print("%s/state", l->dir);
    path = must_print("%s/state/store.db", l->dir);
    if (store_open(path, &l->store, &e) != OK || cache_open(l->config.state_dir, l->store, &l->cache, &e) != OK)
        fail_msg("%s", e.text);
    free(path);
    uv_loop_init(&l->loop);
    lab_archive(l);
    lab_packages(l);
}

static void lab_close(struct lab *l)
{
    uv_run(&l->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&l->loop), 0);
    cache_close(l->cache);
    store_close(l->store);
    for (size_t i = 0; i < l->deployment.update_count; i++)
        update_free(l->deployment.updates[i]);
    free(l->deployment.updates);
    free(l->deployment.contents);
    archive_end(&l->archive);
    package_set_end(&l->set);
    free(l->config.state_dir);
    shell("rm -rf %s", l->dir);
}

__attribute__((unused)) static struct update *lab_update(struct lab *l, const char *name)
{
    for (size_t i = 0; i < l->deployment.update_count; i++)
        if (strcmp(l->deployment.updates[i]->name, name) == 0)
            return l->deployment.updates[i];
    fail_msg("no update %s", name);
    return NULL;
}

/* "ii 2.0" */
__attribute__((unused)) static const char *lab_status(struct lab *l, const char *package)
{
    static char out[64];
    char       *command = must_print("dpkg-query --admindir=%s/var/lib/dpkg -W -f '${db:Status-Abbrev}${Version}' %s", l->root, package);
    FILE       *f = popen(command, "r");

    out[0] = '\0';
    assert_non_null(f);
    if (!fgets(out, sizeof(out), f))
        out[0] = '\0';
    pclose(f);
    free(command);
    return out;
}

#endif
