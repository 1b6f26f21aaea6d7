/* ferry group, collection: what belongs together, and who. */
#include "tools/verb.h"

static const struct flag describe_flags[] = {
    {"description", FLAG_TEXT, NULL, "TEXT", "for people"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag member_flags[] = {
    {"filter", FLAG_TEXT, NULL, "EXPRESSION", "every update it selects"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
#define GROUP_COLUMNS "name:NAME updates:UPDATES:n state:STATE deployments:DEPLOYMENTS description:DESCRIPTION:text"
const struct verb group_verbs[] = {
    {"group", "create", "NAME", describe_flags, "POST", "/api/v1/groups", NULL, NULL, "an empty group of updates",
     "ferry group create october"},
    {"group", "add", "NAME [UPDATES…]", member_flags, "POST", "/api/v1/groups/{name}/members", NULL, NULL,
     "add updates; a deployed group deploys them", "ferry group add october --filter 'classification = security and required >= 1'"},
    {"group", "remove", "NAME [UPDATES…]", member_flags, "DELETE", "/api/v1/groups/{name}/members", NULL, NULL,
     "take updates out; they are no longer deployed", NULL},
    {"group", "list", NULL, NULL, "GET", "/api/v1/groups", GROUP_COLUMNS, NULL, "groups", NULL},
    {"group", "show", "NAME", NULL, "GET", "/api/v1/groups/{name}", NULL, NULL, "a group and its updates", NULL},
    {"group", "delete", "NAME", NULL, "DELETE", "/api/v1/groups/{name}", NULL, NULL, "a group that no deployment uses", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct flag collection_flags[] = {
    {"rule", FLAG_TEXT, NULL, "EXPRESSION", "over facts: hostname ~ \"till-*\" and os.codename = bookworm"},
    {"include", FLAG_LIST, NULL, "COLLECTION", "its members too"},
    {"exclude", FLAG_LIST, NULL, "COLLECTION", "not its members, whatever else says so"},
    {"node", FLAG_LIST, "nodes", "ID", "a direct member, by id or hostname"},
    {"limit", FLAG_TEXT, NULL, "COLLECTION", "only nodes that are in this one as well"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb collection_verbs[] = {
    {"collection", "create", "NAME", collection_flags, "POST", "/api/v1/collections", NULL, NULL,
     "who: a rule, direct members, includes, excludes", "ferry collection create tills --rule 'hostname ~ \"till-*\"' --exclude lab"},
    {"collection", "preview", NULL, collection_flags, "POST", "/api/v1/collections/preview", "hostname:HOSTNAME id:ID why:WHY", NULL,
     "who a rule would select now", NULL},
    {"collection", "list", NULL, NULL, "GET", "/api/v1/collections", "name:NAME members:MEMBERS:n rule:RULE:text", NULL, "collections",
     NULL},
    {"collection", "show", "NAME", NULL, "GET", "/api/v1/collections/{name}", NULL, NULL, "a collection and its members", NULL},
    {"collection", "change", "NAME", collection_flags, "PATCH", "/api/v1/collections/{name}", NULL, NULL, "another rule, other members",
     NULL},
    {"collection", "delete", "NAME", NULL, "DELETE", "/api/v1/collections/{name}", NULL, NULL, "a collection that no deployment uses",
     NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
