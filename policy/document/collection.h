/* Who: a rule over facts, direct members, included and excluded collections, a limiting one. The body of the target
 * policy/COLLECTION/collection.json carries included definitions whole, so a node needs no other file.
 * members = (rule ∪ direct ∪ include) ∩ limiting − exclude; exclude beats include. configmgr-semantics.md 1.5. */
#ifndef FERRY_POLICY_DOCUMENT_COLLECTION_H
#define FERRY_POLICY_DOCUMENT_COLLECTION_H

#include <jansson.h>

#include "policy/document/expression.h"
#include "policy/document/settings.h"
#include "policy/document/window.h"

#define COLLECTION_DEPTH 8

/* Members of a collection that must not all be down at once take turns: before one installs what is required, it asks the site for the lock
 * (configmgr-semantics.md 1.9). */
enum turns { TURNS_NONE, TURNS_COUNT, TURNS_PERCENT, TURNS_SEQUENCE };
struct orchestration {
    enum turns turns;
    int64_t    limit;                           /* so many at once; percent of the members, at least one; SEQUENCE: one, in the order of nodes */
    int64_t    member_s;                        /* a member that holds the lock longer has lost it */
};

struct collection {
    int64_t             seq;                    /* of the outermost only */
    char               *audience;               /* of the outermost only */
    char               *name;
    char               *rule;                   /* NULL: none. "true" is not special: `all` has rule 'node.id != ""' */
    struct expression  *parsed;
    char              **nodes;                  /* node ids, NULL-terminated, NULL when none */
    struct collection **include, **exclude;
    size_t              include_count, exclude_count;
    struct collection  *limit;                  /* NULL: all nodes */
    /* of the outermost only: what holds for its members. JSON: "windows": [window.h], "settings": {"priority": 1 … 10000, "values": {…}},
     * "orchestration": {"turns": "count", "limit": 1, "member_s": 3600} */
    struct window        *windows;
    size_t                window_count;
    json_t               *settings;             /* a layer of settings.h; NULL when none */
    int64_t               settings_priority;
    struct orchestration  orchestration;
};

void     collection_free(struct collection *);
enum err collection_from_json(const json_t *, struct collection **out, struct error *);
json_t  *collection_to_json(const struct collection *);

/* facts: a JSON object, dotted names → text, integer, boolean or array of text. why (may be NULL) gets one sentence: "rule hostname ~ …",
 * "excluded by lab". */
bool     collection_has(const struct collection *, const char *node_id, const json_t *facts, int64_t now, char why[200]);

/* An expression_lookup over a facts object (the ctx). */
bool     fact_lookup(void *facts, const char *name, size_t index, struct value *out);

/* Whether an update is for a node at all: its expression over facts holds, or it has none. */
struct update;
bool     update_applies(const struct update *, const json_t *facts, int64_t now);

/* The well-known facts, for help, completion and spelling; facts beyond it are allowed. */
extern const struct vocabulary fact_vocabulary;

#endif
