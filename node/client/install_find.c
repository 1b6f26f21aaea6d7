/* The plan's packages → files of the deployment: by the Packages indexes, whose hashes are the deployment's. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/client/install_run.h"

static bool in_plan(void *ctx, const char *name)
{
    return plan_names(ctx, name);
}

static void add(struct install_run *run, const struct plan_item *item, const struct package *p, size_t archive)
{
    struct found f = {.name = must_copy(item->name), .version = must_copy(item->version), .known = p != NULL};

    if (p) {
        char *AUTO(text_free) mirror = apt_world_mirror(run, archive);

        f.to = must_print("%s/%s", mirror, p->filename);
        f.sha256 = p->sha256;
        f.size = p->size;
    }
    run->found = must_grow(run->found, run->found_count + 1, sizeof(*run->found));
    run->found[run->found_count++] = f;
}

static const struct package *look_up(const struct package_set *set, const struct plan_item *item)
{
    size_t first, n = package_set_find(set, item->name, &first);

    for (size_t i = first; i < first + n; i++) {
        const struct package *p = &set->packages[i];

        if (strcmp(p->version, item->version) == 0 && strcmp(p->arch, item->arch) == 0)
            return p;
    }
    return NULL;
}

/* Two archives may name the same version: apt takes it from either, so it has to lie in both. */
enum err install_find(struct install_run *run, struct error *e)
{
    bool    *seen = must_alloc(run->plan.count);
    enum err r = OK;

    for (size_t a = 0; a < run->snapshot_count && r == OK; a++) {
        struct package_set set = {0};

        r = snapshot_packages(&run->snapshots[a], in_plan, &run->plan, &set, e);
        for (size_t i = 0; i < run->plan.count && r == OK; i++) {
            const struct package *p = look_up(&set, &run->plan.items[i]);

            if (p)
                add(run, &run->plan.items[i], p, a);
            seen[i] = seen[i] || p;
        }
        package_set_end(&set);
    }
    for (size_t i = 0; i < run->plan.count && r == OK; i++)
        if (!seen[i])
            add(run, &run->plan.items[i], NULL, 0);
    free(seen);
    return r;
}

void install_found_end(struct install_run *run)
{
    for (size_t i = 0; i < run->found_count; i++) {
        free(run->found[i].name);
        free(run->found[i].version);
        free(run->found[i].to);
    }
    free(run->found);
    run->found = NULL;
    run->found_count = 0;
}
