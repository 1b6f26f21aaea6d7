/* ferry collection, window, settings, orchestration: who, and what holds for them whatever is deployed. */
#include "tools/verb.h"

#define MEMBER_FLAGS \
    {"rule", FLAG_TEXT, NULL, "EXPRESSION", "over facts: hostname ~ \"till-*\" and os.codename = bookworm"}, \
    {"include", FLAG_LIST, NULL, "COLLECTION", "its members too"}, \
    {"exclude", FLAG_LIST, NULL, "COLLECTION", "not its members, whatever else says so"}, \
    {"node", FLAG_LIST, "nodes", "ID", "a direct member, by id or hostname"}, \
    {"limit", FLAG_TEXT, NULL, "COLLECTION", "only nodes that are in this one as well"}

static const struct flag collection_flags[] = {
    MEMBER_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag change_flags[] = {
    MEMBER_FLAGS,
    {"no-rule", FLAG_NO, "rule", NULL, "no rule any more"},
    {"no-include", FLAG_NO, "include", NULL, "includes nothing any more"},
    {"no-exclude", FLAG_NO, "exclude", NULL, "excludes nothing any more"},
    {"no-node", FLAG_NO, "nodes", NULL, "no direct members any more"},
    {"no-limit", FLAG_NO, "limit", NULL, "no limiting collection any more"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
#define COLLECTION_COLUMNS \
    "name:NAME members:MEMBERS:n windows:WINDOWS:n settings:SETTINGS orchestration:TURNS rule:RULE:text"
const struct verb collection_verbs[] = {
    {"collection", "create", "NAME", collection_flags, "POST", "/api/v1/collections", NULL, NULL,
     "who: a rule, direct members, includes, excludes", "ferry collection create tills --rule 'hostname ~ \"till-*\"' --exclude lab"},
    {"collection", "preview", NULL, collection_flags, "POST", "/api/v1/collections/preview", "hostname:HOSTNAME id:ID why:WHY", NULL,
     "who a rule would select now", NULL},
    {"collection", "list", NULL, NULL, "GET", "/api/v1/collections", COLLECTION_COLUMNS, NULL, "collections", NULL},
    {"collection", "show", "NAME", NULL, "GET", "/api/v1/collections/{name}", NULL, NULL, "a collection and its members", NULL},
    {"collection", "change", "NAME", change_flags, "PATCH", "/api/v1/collections/{name}", NULL, NULL,
     "another rule, other members; what is not given stays", NULL},
    {"collection", "delete", "NAME", NULL, "DELETE", "/api/v1/collections/{name}", NULL, NULL, "a collection that no deployment uses",
     NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct flag window_flags[] = {
    {"when", FLAG_TEXT, NULL, "SCHEDULE", "daily 02:00, saturday, sunday 22:00, second tuesday +1d 22:00, monthly last 02:00 …"},
    {"duration", FLAG_TEXT, NULL, "DURATION", "how long it is open: 5m to 24h"},
    {"utc", FLAG_BOOL, NULL, NULL, "by UTC; else by each node's own clock"},
    {"updates-only", FLAG_BOOL, NULL, NULL, "for updates alone; where there is such a one, the others do not count for updates"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag windows_flags[] = {
    {"collection", FLAG_TEXT, NULL, "COLLECTION", "of this one only"},
    {"timezone", FLAG_TEXT, NULL, "ZONE", "of the node: Europe/Berlin; the site's unless given"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag next_flags[] = {
    {"count", FLAG_NUMBER, NULL, "N", "so many; 5 unless given"},
    {"timezone", FLAG_TEXT, NULL, "ZONE", "of the node: Europe/Berlin; the site's unless given"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb window_verbs[] = {
    {"window", "add", "COLLECTION NAME", window_flags, "POST", "/api/v1/collections/{collection}/windows", NULL, NULL,
     "when the machines of a collection may be changed", "ferry window add tills patchday --when 'second tuesday +1d 22:00' --duration 4h"},
    {"window", "list", NULL, windows_flags, "GET", "/api/v1/windows",
     "collection:COLLECTION name:NAME when:WHEN duration:OPEN clock:CLOCK for:FOR next:NEXT:time next_local:NEXT_LOCAL:text", NULL,
     "maintenance windows and when they open next", NULL},
    {"window", "remove", "COLLECTION NAME", NULL, "DELETE", "/api/v1/collections/{collection}/windows/{name}", NULL, NULL, "a window less",
     NULL},
    {"window", "next", "COLLECTION", next_flags, "GET", "/api/v1/collections/{collection}/openings",
     "begin:BEGIN:time end:END:time begin_local:BEGIN_LOCAL:text end_local:END_LOCAL:text minutes:MINUTES:n", NULL,
     "when its windows open next, overlapping ones as one", "ferry window next tills --count 3 --timezone Europe/Berlin"},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct flag settings_flags[] = {
    {"priority", FLAG_NUMBER, NULL, "N", "1 is the strongest; of several collections of a node the lowest number wins. 100 unless given"},
    SETTINGS_FLAGS,
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb settings_verbs[] = {
    {"settings", "set", "COLLECTION", settings_flags, "PATCH", "/api/v1/collections/{collection}/settings", NULL, NULL,
     "what holds for its members whatever is deployed; what is not given stays",
     "ferry settings set laptops --priority 10 --grace 24h --restart-countdown 30m"},
    {"settings", "clear", "COLLECTION [SETTINGS…]", NULL, "DELETE", "/api/v1/collections/{collection}/settings", NULL, NULL,
     "all of them, or those named, no longer", "ferry settings clear laptops grace"},
    {"settings", "show", "NODE", NULL, "GET", "/api/v1/nodes/{node}/settings",
     "name:SETTING value:VALUE collection:COLLECTION priority:PRIORITY:n meaning:MEANING:text", NULL,
     "what holds for a node, and the collection each comes from", "ferry settings show till-3"},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct flag turns_flags[] = {
    {"count", FLAG_NUMBER, NULL, "N", "so many members at once"},
    {"percent", FLAG_NUMBER, NULL, "N", "so many percent of them, one at least"},
    {"sequence", FLAG_LIST, NULL, "NODE", "one after the other, in this order: its direct members"},
    {"member-timeout", FLAG_TEXT, NULL, "DURATION", "a member that holds its turn longer has lost it; 2h unless given"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb orchestration_verbs[] = {
    {"orchestration", "set", "COLLECTION", turns_flags, "PATCH", "/api/v1/collections/{collection}/orchestration", NULL, NULL,
     "its members must not all be down at once: they take turns", "ferry orchestration set databases --count 1"},
    {"orchestration", "clear", "COLLECTION", NULL, "DELETE", "/api/v1/collections/{collection}/orchestration", NULL, NULL,
     "they take no turns any more", NULL},
    {"orchestration", "list", NULL, NULL, "GET", "/api/v1/orchestration",
     "collection:COLLECTION node:NODE state:STATE since:SINCE:time until:UNTIL:time", NULL, "whose turn it is, and who waits since when", NULL},
    {"orchestration", "reset", "NAME [NODE]", NULL, "POST", "/api/v1/orchestration/{name}/reset", NULL, NULL,
     "take turns of a collection back, all or one node's", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
