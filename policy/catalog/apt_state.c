/* An update against what is installed (catalogs.md B4). */
#include <string.h>

#include "policy/catalog/apt.h"
#include "policy/catalog/version.h"

/* NULL when no binary of that name is there. */
static const struct installed *present(const struct inventory *inv, const struct update_file *f)
{
    const struct installed *p = f->package ? inventory_find(inv, f->package, f->arch) : NULL;

    return p && !installed_absent(p) ? p : NULL;
}

/* Broken packages are "unknown" whatever their version says: an unpacked new version does not work yet. */
enum update_state apt_state(const struct update *u, const struct inventory *inv, bool *held)
{
    enum update_state state = STATE_NOT_REQUIRED;
    bool              hold = false;

    for (size_t i = 0; i < u->file_count; i++) {
        const struct installed *p = present(inv, &u->files[i]);

        if (!p)
            continue;
        if (installed_broken(p)) {
            state = STATE_UNKNOWN;
            hold = false;
            break;
        }
        if (version_compare(p->version, u->files[i].version) < 0) {
            state = STATE_REQUIRED;
            hold = hold || p->want == 'h';
        } else if (state == STATE_NOT_REQUIRED) {
            state = STATE_INSTALLED;
        }
    }
    if (held)
        *held = hold;
    return state;
}

bool apt_interrupted(const struct update *u, const struct inventory *inv)
{
    bool interrupted = false;

    for (size_t i = 0; i < u->file_count; i++) {
        const struct installed *p = present(inv, &u->files[i]);

        if (!p || !installed_broken(p))
            continue;
        if (version_compare(p->version, u->files[i].version) > 0)
            return false;
        interrupted = true;
    }
    return interrupted;
}

static bool same_package(const struct update_file *a, const struct update_file *b)
{
    return strcmp(a->package, b->package) == 0 && strcmp(a->arch, b->arch) == 0;
}

/* One source version may carry a binary twice (rebuilt for the release: "+b1"): only its highest version is taken. */
size_t apt_needed(const struct update *u, const struct inventory *inv, size_t *out, size_t room)
{
    size_t count = 0;

    for (size_t i = 0; i < u->file_count; i++) {
        const struct update_file *f = &u->files[i];
        const struct installed   *p = present(inv, f);
        bool                      higher = false;

        if (!p || (!installed_broken(p) && version_compare(p->version, f->version) >= 0))
            continue;
        if (version_compare(p->version, f->version) > 0)
            continue;
        for (size_t k = 0; k < u->file_count && !higher; k++)
            higher = same_package(f, &u->files[k]) && version_compare(u->files[k].version, f->version) > 0;
        if (higher)
            continue;
        if (count < room)
            out[count] = i;
        count++;
    }
    return count < room ? count : room;
}
