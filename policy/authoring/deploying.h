/* What deployments, templates, rules, phases and answers share: terms and times of commands, deployments as rows and as documents, what
 * collections hold for their members. Inside policy/authoring. */
#ifndef FERRY_POLICY_AUTHORING_DEPLOYING_H
#define FERRY_POLICY_AUTHORING_DEPLOYING_H

#include "policy/authoring/author.h"
#include "policy/decide/node.h"
#include "policy/document/terms.h"
#include "policy/document/zone.h"

/* Terms (author_terms.c). As the ledger keeps them, the inside ones included: from a row's "terms", and back (caller frees). */
enum err terms_stored(const json_t *stored, struct terms *out, struct error *);
char    *terms_text(const struct terms *);
/* Arguments of a command over those of its --template, if any, over what is in *out already. */
enum err terms_take(struct author *, const json_t *args, struct terms *out, struct error *);
/* available 0: now. Arguments that are absent leave what is there. Wall clock, as if UTC, when terms.local_time. */
enum err times_take(struct author *, const json_t *args, const struct terms *, int64_t *available, int64_t *deadline, struct error *);
/* Terms and times that contradict each other are refused. */
enum err terms_check(const struct terms *, int64_t available, int64_t deadline, struct error *);
/* The site's own zone (setting "timezone"); NULL is UTC. zone_close. */
enum err site_zone(struct author *, struct zone **out, struct error *);

/* Report-only groups are refused. */
enum err group_deployable(struct author *, const char *group, struct error *);
/* With this one, whose rows are in the ledger already, the policy does not have more collections than nodes read. */
enum err collections_fit(struct author *, const char *collection, struct error *);

/* The row of args' "name"; caller decrefs. */
enum err deployment_row(struct author *, const json_t *args, json_t **row, struct error *);
/* A row of LEDGER_DEPLOYMENTS becomes what people read: purpose, terms as words, times. Last: nothing else can be read from it then. */
void deployment_dress(json_t *row);
/* What a row of LEDGER_DEPLOYMENTS becomes for the nodes; the head alone is without updates, contents and archives. deployment_free. */
enum err deployment_head(struct author *, const json_t *row, struct deployment **out, struct error *);
enum err deployment_document(struct author *, const json_t *row, struct deployment **out, struct error *);

/* A collection as it is stored (author_collection.c): what args' member names, caller decrefs; and put back, checked with all others. */
enum err collection_stored(struct author *, const json_t *args, const char *member, const char **name, json_t **stored, struct error *);
enum err collection_store(struct author *, const char *name, const json_t *stored, int64_t *members, struct error *);
/* It is published even without deployments: it has windows, settings or orchestration. */
bool     collection_holds(const json_t *stored);

/* What holds for one node whatever the update (holds.c): row of LEDGER_NODE_ONE. The collections it is in that have windows, settings or
 * turns, in the order of their names. */
struct holds {
    struct node_rules     rules;
    struct zone          *zone;
    struct collection   **collections;
    size_t                count;
    const struct window **windows;
};
enum err holds_open(struct author *, const json_t *node, struct holds *out, struct error *);
void     holds_end(struct holds *);

#endif
