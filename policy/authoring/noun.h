/* The commands of each noun, gathered by author_command.c's table, and what they share. Inside policy/authoring. */
#ifndef FERRY_POLICY_AUTHORING_NOUN_H
#define FERRY_POLICY_AUTHORING_NOUN_H

#include "policy/authoring/author.h"
#include "policy/authoring/progress.h"
#include "policy/authoring/rows.h"
#include "policy/decide/node.h"
#include "policy/document/terms.h"
#include "policy/document/zone.h"

#define NOUN(name) enum err name(struct author *, const json_t *args, json_t **out, struct error *)
NOUN(site_show); NOUN(site_set);
NOUN(catalog_add); NOUN(catalog_list); NOUN(catalog_remove);
NOUN(update_list); NOUN(update_show); NOUN(update_add); NOUN(update_set);
NOUN(search_save); NOUN(search_list); NOUN(search_show); NOUN(search_delete); NOUN(search_run);
NOUN(group_create); NOUN(group_change); NOUN(group_list); NOUN(group_show); NOUN(group_add); NOUN(group_remove); NOUN(group_delete);
NOUN(collection_create);
NOUN(collection_list);
NOUN(collection_show);
NOUN(collection_preview);
NOUN(collection_change);
NOUN(collection_delete);
NOUN(window_add); NOUN(window_list); NOUN(window_remove); NOUN(window_next);
NOUN(settings_set); NOUN(settings_clear); NOUN(settings_show); NOUN(orchestration_set); NOUN(orchestration_clear);
NOUN(deployment_create); NOUN(deployment_list); NOUN(deployment_show); NOUN(deployment_change); NOUN(deployment_delete);
NOUN(deployment_halt); NOUN(deployment_resume); NOUN(deployment_nodes); NOUN(deployment_retry);
NOUN(template_save); NOUN(template_list); NOUN(template_show); NOUN(template_delete);
NOUN(dp_add); NOUN(dp_list); NOUN(dp_remove); NOUN(boundary_add); NOUN(boundary_list); NOUN(boundary_remove);
NOUN(boundary_link); NOUN(boundary_unlink);
NOUN(content_list); NOUN(content_distribute); NOUN(content_status);
NOUN(node_token); NOUN(node_list); NOUN(node_show); NOUN(node_retire);
NOUN(status_show); NOUN(why_show); NOUN(audit_list);
NOUN(rule_create); NOUN(rule_list); NOUN(rule_show); NOUN(rule_change); NOUN(rule_delete); NOUN(rule_preview); NOUN(rule_history);
NOUN(rule_run);
NOUN(rule_deployment_add); NOUN(rule_deployment_list); NOUN(rule_deployment_change); NOUN(rule_deployment_remove);
NOUN(phased_create); NOUN(phased_list); NOUN(phased_status); NOUN(phased_suspend); NOUN(phased_resume); NOUN(phased_next);
NOUN(phased_delete); NOUN(phased_history);
NOUN(phase_add); NOUN(phase_change); NOUN(phase_remove); NOUN(phase_move);
NOUN(deploy_run);
NOUN(alert_list); NOUN(alert_acknowledge); NOUN(alert_postpone); NOUN(alert_program);
NOUN(orchestration_list); NOUN(orchestration_reset);
#undef NOUN

const char *arg_text(const json_t *args, const char *name);                /* NULL when absent or empty */
int64_t     arg_number(const json_t *args, const char *name, int64_t or_else);
enum err    arg_name(const json_t *args, const char *name, const char *what, const char **out, struct error *);   /* required and name_ok */
json_t     *listing(json_t *items /* taken */);                            /* {"items", "total"} */
json_t     *message(const char *format, ...) __attribute__((format(printf, 1, 2)));

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
/* Filters over updates (find.c). A property's sql is over table upd; lists are text with a blank before and behind each word. SQL for a
 * WHERE clause and its parameters; NULL filter: everything. */
extern const struct vocabulary update_vocabulary;
enum err find_where(const char *filter, int64_t now, char **where, json_t **parameters, struct error *);
/* "filter", "search" (a saved one) and "text" (words of title and numbers) of args, together: what all of them select. */
bool     find_asked(const json_t *args);
enum err find_asked_where(struct author *, const json_t *args, char **where, json_t **parameters, struct error *);
enum err find_count(struct author *, const char *filter, int64_t *count, struct error *);
/* The same, and {"updates": ["id or name", …]} besides → array of update ids. */
enum err find_updates(struct author *, const json_t *args, json_t **ids, struct error *);

/* A collection as it is stored (author_collection.c): what args' member names, caller decrefs; and put back, checked with all others. */
enum err collection_stored(struct author *, const json_t *args, const char *member, const char **name, json_t **stored, struct error *);
enum err collection_store(struct author *, const char *name, const json_t *stored, int64_t *members, struct error *);
/* It is published even without deployments: it has windows, settings or orchestration. */
bool     collection_holds(const json_t *stored);
/* The site's rule for superseded updates (tidy.c), as it was typed; caller frees. */
char    *supersedence_text(struct ledger *);
enum err supersedence_set(struct ledger *, const char *text, struct error *);
/* The collection with everything it includes, for evaluation and publishing. ERR_NOT_FOUND. */
enum err collection_whole(struct ledger *, const char *name, struct collection **out, struct error *);
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
/* Nodes of a collection: array of {"id","hostname","why"}. */
enum err collection_members(struct author *, const struct collection *, json_t **out, struct error *);
enum err node_resolve(struct ledger *, const char *name, char **id, struct error *);
/* Its row, new or replaced (import.c). released: kept when the row knows one already. */
enum err update_put(struct author *, const struct update *, int64_t released, struct error *);
enum err update_resolve(struct ledger *, const char *name, char **id, struct error *);

/* Contents as documents carry them: rows of {"sha256","size","origin","info_hash"}, torrents from the library. */
enum err contents_of(struct author *, const json_t *rows, struct content **out, size_t *count, struct error *);
/* What a distribution point has to hold, as rows for contents_of. */
enum err holding_rows(struct author *, const char *dp, json_t **out, struct error *);
enum err deployment_document(struct author *, const json_t *row, struct deployment **out, struct error *);

#endif
