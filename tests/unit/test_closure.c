#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/catalog/closure.h"
#include "policy/catalog/relation.h"

#include <cmocka.h> /* last: its fail() is a macro */

#define MAX 8

/* A little world: one archive, its updates, some inventories, and the closure as "name=version …". */
struct world {
    struct package_set set;
    struct update     *updates[32];
    size_t             update_count;
    struct inventory   inventories[MAX];
    size_t             inventory_count;
    struct closure     closure;
    char              *got;
};

/* Package, version, more lines. The hash is made of name and version. */
static void package(struct text *t, const char *name, const char *version, const char *arch, const char *more)
{
    char *AUTO(text_free) key = must_print("%s %s", name, version);
    struct sha256 h = hash_bytes(key, strlen(key));
    char          hex[SHA256_HEX];

    text_add(t, "Package: %s\nVersion: %s\nArchitecture: %s\nFilename: pool/%s.deb\nSize: 1\nSHA256: %s\n%s\n", name, version, arch, name,
             sha256_hex(&h, hex), more);
}

static enum err on_update(void *ctx, const struct update *u, struct error *e)
{
    struct world  *w = ctx;
    struct update *copy = must_alloc(sizeof(*copy));

    (void)e;
    copy->id = must_copy(u->id);
    copy->catalog = must_copy(u->catalog);
    copy->install.type = INSTALL_APT;
    copy->files = must_alloc(u->file_count * sizeof(*copy->files));
    copy->file_count = u->file_count;
    for (size_t i = 0; i < u->file_count; i++) {
        copy->files[i] = (struct update_file){.sha256 = u->files[i].sha256, .size = 1, .name = must_copy(u->files[i].name)};
        copy->files[i].package = must_copy(u->files[i].package);
        copy->files[i].version = must_copy(u->files[i].version);
        copy->files[i].arch = must_copy(u->files[i].arch);
    }
    w->updates[w->update_count++] = copy;
    return OK;
}

static struct world make(struct text *packages)
{
    struct world w = {.set = {.catalog = must_copy("c")}};
    struct error e = {0};

    if (package_set_add(&w.set, packages->data, packages->length, &e) != OK)
        fail_msg("%s", e.text);
    text_end(packages);
    package_set_sort(&w.set);
    assert_int_equal(apt_updates(&w.set, on_update, &w, &e), OK);
    return w;
}

/* "jq 1.0 jq" per line: package, version, source, what it provides. */
static void installed(struct world *w, const char *const lines[][4], size_t count)
{
    struct text t = {0};

    for (size_t i = 0; i < count; i++)
        text_add(&t, "ii \t%s\tamd64\t%s\t%s\t%s\t%s\n", lines[i][0], lines[i][1], lines[i][2], lines[i][1], lines[i][3]);
    assert_int_equal(inventory_read(t.data, t.length, &w->inventories[w->inventory_count++], NULL), OK);
    text_end(&t);
}

static void solve(struct world *w, const char *id)
{
    const struct package_set *const sets[] = {&w->set};
    const struct inventory         *inventories[MAX];
    const struct update            *chosen[32];
    size_t                          n = 0;
    struct text                     t = {0};

    for (size_t i = 0; i < w->update_count; i++)
        if (strcmp(w->updates[i]->id, id) == 0)
            chosen[n++] = w->updates[i];
    assert_int_equal(n, 1);
    for (size_t i = 0; i < w->inventory_count; i++)
        inventories[i] = &w->inventories[i];
    assert_int_equal(closure_solve(chosen, n, sets, 1, inventories, w->inventory_count, "amd64", &w->closure, NULL), OK);
    text_add(&t, "%s", "");
    for (size_t i = 0; i < w->closure.count; i++)
        text_add(&t, "%s=%s ", w->closure.items[i].package->name, w->closure.items[i].package->version);
    w->got = text_take(&t);
}

static void end(struct world *w)
{
    free(w->got);
    closure_end(&w->closure);
    for (size_t i = 0; i < w->update_count; i++)
        update_free(w->updates[i]);
    for (size_t i = 0; i < w->inventory_count; i++)
        inventory_end(&w->inventories[i]);
    package_set_end(&w->set);
}

static struct world jq_world(void)
{
    struct text t = {0};

    package(&t, "jq", "2", "amd64", "Depends: libjq1 (= 2), libc6 (>= 2.34)\n");
    package(&t, "libjq1", "2", "amd64", "Source: jq\nDepends: libonig5 (>= 6.8)\n");
    package(&t, "jq-doc", "2", "all", "Source: jq\n");
    package(&t, "libonig5", "7", "amd64", "");
    package(&t, "libc6", "2.36", "amd64", "");
    return make(&t);
}

static void only_what_somebody_has(void **state)
{
    struct world w = jq_world();

    (void)state;
    installed(&w,
              (const char *const[][4]){
                  {"jq", "1", "jq", ""}, {"libjq1", "1", "jq", ""}, {"libonig5", "6.9", "x", ""}, {"libc6", "2.36", "glibc", ""}},
              4);
    solve(&w, "apt:c:jq:2");
    assert_string_equal(w.got, "jq=2 libjq1=2 ");
    assert_null(w.closure.missing);
    end(&w);
}

static void a_dependency_one_has_and_another_lacks(void **state)
{
    struct world w = jq_world();

    (void)state;
    installed(&w,
              (const char *const[][4]){
                  {"jq", "1", "jq", ""}, {"libjq1", "1", "jq", ""}, {"libonig5", "6.9", "x", ""}, {"libc6", "2.36", "glibc", ""}},
              4);
    installed(&w, (const char *const[][4]){{"jq", "1", "jq", ""}, {"libc6", "2.36", "glibc", ""}}, 2);
    installed(&w, (const char *const[][4]){{"vim", "1", "vim", ""}}, 1);
    solve(&w, "apt:c:jq:2");
    assert_string_equal(w.got, "jq=2 libjq1=2 libonig5=7 ");
    end(&w);
}

static void nobody_known_takes_all_and_what_is_pinned(void **state)
{
    struct world w = jq_world();

    (void)state;
    solve(&w, "apt:c:jq:2");
    assert_string_equal(w.got, "jq=2 jq-doc=2 libjq1=2 ");
    end(&w);
}

static void nobody_needs_it(void **state)
{
    struct world w = jq_world();

    (void)state;
    installed(&w, (const char *const[][4]){{"jq", "2", "jq", ""}}, 1);
    solve(&w, "apt:c:jq:2");
    assert_int_equal(w.closure.count, 0);
    end(&w);
}

static void a_new_package_name(void **state)
{
    struct text  t = {0};
    struct world w;

    (void)state;
    package(&t, "linux-image-amd64", "6.1.192", "amd64", "Source: linux-signed\nDepends: linux-image-6.1.0-56-amd64 (= 6.1.192)\n");
    package(&t, "linux-image-6.1.0-56-amd64", "6.1.192", "amd64",
            "Source: linux-signed\nDepends: kmod, initramfs-tools | linux-initramfs-tool\n");
    package(&t, "linux-image-6.1.0-55-amd64", "6.1.190", "amd64", "Source: linux-signed\n");
    w = make(&t);
    installed(&w, (const char *const[][4]){{"linux-image-amd64", "6.1.170", "linux-signed", ""}, {"kmod", "30", "kmod", ""},
                                           {"dracut", "59", "dracut", "linux-initramfs-tool"}}, 3);
    solve(&w, "apt:c:linux-signed:6.1.192");
    assert_string_equal(w.got, "linux-image-6.1.0-56-amd64=6.1.192 linux-image-amd64=6.1.192 ");
    assert_null(w.closure.missing);
    end(&w);
}

static struct world app_world(const char *depends)
{
    struct text t = {0};
    char       *line = must_print("Depends: %s\n", depends);

    package(&t, "app", "2", "amd64", line);
    free(line);
    package(&t, "a", "1", "amd64", "");
    package(&t, "a", "3", "amd64", "");
    package(&t, "b", "2", "amd64", "Provides: virt (= 5), plain\nDepends: a (>= 3)\n");
    package(&t, "cycle", "1", "amd64", "Depends: app\n");
    return make(&t);
}

static void relations_of_every_kind(void **state)
{
    static const struct { const char *depends, *have, *version, *provides, *got, *missing; } cases[] = {
        {"a | b", "x", "1", "", "a=3 app=2 ", NULL},
        {"b | a", "a", "3", "", "app=2 ", NULL},
        {"a (>= 2) | b", "a", "1", "", "a=3 app=2 ", NULL},
        {"a (<< 2)", "x", "1", "", "a=1 app=2 ", NULL},
        {"a (= 1)", "a", "2", "", "app=2 ", "app 2 needs a (= 1)"},
        {"a:any (>= 3)", "a", "3", "", "app=2 ", NULL},
        {"virt", "x", "1", "", "a=3 app=2 b=2 ", NULL},
        {"virt (>= 5)", "x", "1", "", "a=3 app=2 b=2 ", NULL},
        {"virt (>= 6)", "x", "1", "", "app=2 ", "app 2 needs virt (>= 6)"},
        {"virt (>= 6)", "x", "1", "virt (= 6)", "app=2 ", NULL},
        {"virt (>= 6)", "x", "1", "virt", "app=2 ", "app 2 needs virt (>= 6)"},
        {"plain", "x", "1", "other, plain", "app=2 ", NULL},
        {"cycle", "x", "1", "", "app=2 cycle=1 ", NULL},
        {"nowhere (>= 3) | neither", "x", "1", "", "app=2 ", "app 2 needs nowhere (>= 3) | neither"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct world w = app_world(cases[i].depends);

        installed(&w, (const char *const[][4]){{"app", "1", "app", ""}, {cases[i].have, cases[i].version, "s", cases[i].provides}}, 2);
        solve(&w, "apt:c:app:2");
        if (strcmp(w.got, cases[i].got) != 0 || (w.closure.missing != NULL) != (cases[i].missing != NULL))
            fail_msg("%s: got %s, missing %s", cases[i].depends, w.got, w.closure.missing ? w.closure.missing[0] : "nothing");
        if (cases[i].missing)
            assert_string_equal(w.closure.missing[0], cases[i].missing);
        end(&w);
    }
}

static void siblings_and_breaks_come_along(void **state)
{
    struct text  t = {0};
    struct world w;

    (void)state;
    package(&t, "app", "2", "amd64", "Depends: lib (>= 2)\nBreaks: old (<< 2)\n");
    package(&t, "lib", "2", "amd64", "Source: libs\n");
    package(&t, "lib-bin", "2", "amd64", "Source: libs\nDepends: lib (= 2)\n");
    package(&t, "lib-dev", "2", "amd64", "Source: libs\nDepends: lib (= 2)\n");
    package(&t, "old", "2", "amd64", "");
    w = make(&t);
    installed(
        &w,
        (const char *const[][4]){{"app", "1", "app", ""}, {"lib", "1", "libs", ""}, {"lib-bin", "1", "libs", ""}, {"old", "1", "old", ""}},
        4);
    solve(&w, "apt:c:app:2");
    assert_string_equal(w.got, "app=2 lib=2 lib-bin=2 old=2 ");
    end(&w);
}

static void parses_relations(void **state)
{
    const char     *text = " a (>=1) ,, b:any|c ( << 2~ ) , d:amd64 (=3), e (bad, f ()";
    struct clause   c;
    struct relation r;
    struct text     t = {0};

    (void)state;
    while (clause_next(&text, &c)) {
        while (relation_next(&c, &r))
            text_add(&t, "%s:%s%s%s ", r.name, r.arch, r.relation, r.version);
        text_add(&t, "; ");
    }
    assert_string_equal(t.data, "a:>=1 ; b:any c:<<2~ ; d:amd64=3 ; ; ; ");
    text_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_somebody_has),
        cmocka_unit_test(a_dependency_one_has_and_another_lacks),
        cmocka_unit_test(nobody_known_takes_all_and_what_is_pinned),
        cmocka_unit_test(nobody_needs_it),
        cmocka_unit_test(a_new_package_name),
        cmocka_unit_test(relations_of_every_kind),
        cmocka_unit_test(siblings_and_breaks_come_along),
        cmocka_unit_test(parses_relations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
