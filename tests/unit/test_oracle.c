/* The site's answer against apt's own, on this machine: for every installed package the highest version over all required updates of all
 * its archives is what `apt-get -s dist-upgrade` would install. Left out on both sides: packages on hold, and names that would be new. Says
 * 77 (skipped) when the machine has no archive lists. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/catalog/apt.h"
#include "policy/catalog/version.h"

#include <cmocka.h> /* last: its fail() is a macro */

struct wish {                                   /* package:arch → version */
    char *key, *version;
};
struct wishes {
    struct inventory inventory;
    struct wish     *items;
    size_t           count, indexes, updates, required;
};

static char *output_of(const char *command, size_t *length)
{
    struct text t = {0};
    FILE       *f = popen(command, "r");
    char        block[65536];
    size_t      n;

    assert_non_null(f);
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        text_put(&t, block, n);
    pclose(f);
    if (length)
        *length = t.length;
    return text_take(&t);
}

static void wish(struct wishes *w, const char *package, const char *arch, const char *version)
{
    char *key = must_print("%s:%s", package, arch);

    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->items[i].key, key) == 0) {
            if (version_compare(version, w->items[i].version) > 0) {
                free(w->items[i].version);
                w->items[i].version = must_copy(version);
            }
            free(key);
            return;
        }
    w->items = must_grow(w->items, w->count + 1, sizeof(*w->items));
    w->items[w->count++] = (struct wish){key, must_copy(version)};
}

static enum err on_update(void *ctx, const struct update *u, struct error *e)
{
    struct wishes *w = ctx;
    size_t         needed[512], n;

    (void)e;
    w->updates++;
    if (apt_state(u, &w->inventory, NULL) != STATE_REQUIRED)
        return OK;
    w->required++;
    n = apt_needed(u, &w->inventory, needed, 512);
    for (size_t i = 0; i < n; i++) {
        const struct update_file *f = &u->files[needed[i]];
        const struct installed   *p = inventory_find(&w->inventory, f->package, f->arch);

        if (p->want != 'h')
            wish(w, f->package, p->arch, f->version);
    }
    return OK;
}

static void add_index(struct wishes *w, const char *file)
{
    struct package_set set = {.catalog = must_print("i%zu", w->indexes)};
    struct error       e = {0};
    size_t             length;
    char *command = must_print("/usr/lib/apt/apt-helper cat-file '%s' 2>/dev/null", file), *bytes = output_of(command, &length);

    if (package_set_add(&set, bytes, length, &e) != OK)
        fail_msg("%s: %s", file, e.text);
    free(bytes);
    free(command);
    package_set_sort(&set);
    assert_int_equal(apt_updates(&set, on_update, w, &e), OK);
    w->indexes += set.count > 0;
    package_set_end(&set);
}

/* "Inst PACKAGE [OLD] (NEW ARCHIVES [ARCH]) …"; without [OLD] it is a new name. */
static size_t read_plan(struct wishes *plan, char *text)
{
    char  *save = NULL;
    size_t news = 0;

    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *name = line + 5, *open = strchr(line, '('), *arch = open ? strchr(open, '[') : NULL, *old = strchr(line, '[');

        if (strncmp(line, "Inst ", 5) != 0 || !arch)
            continue;
        if (!old || old > open) {
            news++;
            continue;
        }
        name[strcspn(name, " :")] = '\0';
        open[1 + strcspn(open + 1, " ")] = '\0';
        arch[strcspn(arch, "]")] = '\0';
        wish(plan, name, arch + 1, open + 1);
    }
    return news;
}

static const char *wished(const struct wishes *w, const char *key)
{
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->items[i].key, key) == 0)
            return w->items[i].version;
    return "-";
}

static size_t differences(const struct wishes *a, const struct wishes *b, const char *what)
{
    size_t n = 0;

    for (size_t i = 0; i < a->count; i++) {
        const char *other = wished(b, a->items[i].key);

        if (strcmp(other, a->items[i].version) != 0) {
            print_message("%s: %s %s against %s\n", what, a->items[i].key, a->items[i].version, other);
            n++;
        }
    }
    return n;
}

static void end(struct wishes *w)
{
    for (size_t i = 0; i < w->count; i++) {
        free(w->items[i].key);
        free(w->items[i].version);
    }
    free(w->items);
    inventory_end(&w->inventory);
}

static bool lists_are_there(struct wishes *ours)
{
    char *files = output_of("apt-get indextargets --format '$(FILENAME)' 'Created-By: Packages' 2>/dev/null", NULL), *save = NULL;

    for (char *file = strtok_r(files, "\n", &save); file; file = strtok_r(NULL, "\n", &save))
        add_index(ours, file);
    free(files);
    return ours->indexes > 0;
}

static void equals_dist_upgrade(void **state)
{
    struct wishes ours = {0}, apt = {0};
    struct error  e = {0};
    size_t        length, news;
    char         *text = output_of("dpkg-query -W -f '" INVENTORY_FORMAT "'", &length);

    (void)state;
    if (inventory_read(text, length, &ours.inventory, &e) != OK)
        fail_msg("%s", e.text);
    free(text);
    assert_true(lists_are_there(&ours));
    text = output_of("LC_ALL=C.UTF-8 apt-get -s -o APT::Get::Always-Include-Phased-Updates=true dist-upgrade 2>/dev/null", NULL);
    news = read_plan(&apt, text);
    free(text);
    print_message("%zu indexes, %zu installed, %zu updates, %zu required; upgraded: ours %zu, apt's %zu (and %zu new names)\n",
                  ours.indexes, ours.inventory.count, ours.updates, ours.required, ours.count, apt.count, news);
    assert_int_equal(differences(&ours, &apt, "ours against apt's") + differences(&apt, &ours, "apt's against ours"), 0);
    end(&ours);
    end(&apt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_dist_upgrade)};
    char *there = output_of("ls /var/lib/apt/lists/*_Packages* 2>/dev/null", NULL);
    bool  none = !*there;

    free(there);
    if (none) {
        puts("no archive lists on this machine (apt-get update)");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
