/* The packages dpkg has, as a list: from dpkg-query's output, from and to the JSON that nodes send. Pure. */
#ifndef FERRY_POLICY_CATALOG_INSTALLED_H
#define FERRY_POLICY_CATALOG_INSTALLED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* What is installed, from dpkg: the key is (package, arch). Sorted by both. */
struct installed {
    char *package, *arch, *version, *source, *source_version;
    char *provides;                             /* "" when nothing or not told */
    char  want, status;                         /* dpkg's abbreviations: 'i' 'h' 'r' … / 'i' 'U' 'F' 'H' 'c' … */
};
struct inventory {
    struct installed *items;
    size_t            count;
};
/* Output of `dpkg-query -W -f INVENTORY_FORMAT`; the last column may be absent. */
#define INVENTORY_FORMAT "${db:Status-Abbrev}\t${Package}\t${Architecture}\t${Version}\t${source:Package}\t${source:Version}\t${Provides}\n"
enum err inventory_read(const char *text, size_t length, struct inventory *out, struct error *);
void     inventory_end(struct inventory *);
/* [["ii","jq","amd64","1.6-2.1","jq","1.6-2.1"], …] what is not absent; a seventh member is what it provides. */
json_t  *inventory_to_json(const struct inventory *);
enum err inventory_from_json(const json_t *, struct inventory *out, struct error *);
/* "all" and "any" match any architecture. NULL when absent. */
const struct installed *inventory_find(const struct inventory *, const char *package, const char *arch);

bool     installed_absent(const struct installed *);            /* not installed, or only its configuration is left         */
bool     installed_broken(const struct installed *);            /* unpacked, half installed or half configured: interrupted */

#endif
