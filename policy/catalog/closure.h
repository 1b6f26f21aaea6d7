/* Which binary packages have to travel so that an update installs: the update's own binaries that somebody has installed, and whatever
 * their dependencies need that not everybody who requires the update has already (catalogs.md B5). Pure. */
#ifndef FERRY_POLICY_CATALOG_CLOSURE_H
#define FERRY_POLICY_CATALOG_CLOSURE_H

#include "policy/catalog/apt.h"

struct closure_item {
    const struct package     *package;
    const struct package_set *set;              /* the archive it comes from */
};
struct closure {
    struct closure_item *items;                 /* sorted by (catalog, name, arch), no duplicates */
    size_t               count;
    char **missing; /* dependencies nobody carries: "app 2.0 needs libx (>= 3)"; NULL-terminated, NULL when none */
};
/* inventories: of the nodes that require any of these updates; none known (count 0): all the updates' binaries of the architecture and
 * their
 * "=" dependencies. A dependency counts as met when every inventory that takes the depending package has it, or the closure brings it. */
enum err closure_solve(const struct update *const *updates, size_t update_count, const struct package_set *const *sets, size_t set_count,
                       const struct inventory *const *inventories, size_t inventory_count, const char *arch, struct closure *out,
                       struct error *);
void     closure_end(struct closure *);

#endif
