/* The commands of each noun, gathered by author_command.c's table, and what they share. Inside policy/authoring. */
#ifndef FERRY_POLICY_AUTHORING_NOUN_H
#define FERRY_POLICY_AUTHORING_NOUN_H

#include "policy/authoring/author.h"
#include "policy/authoring/deploying.h"
#include "policy/authoring/progress.h"
#include "policy/authoring/rows.h"

#define NOUN(name) enum err name(struct author *, const json_t *args, json_t **out, struct error *)
NOUN(site_show); NOUN(site_set); NOUN(site_ca);
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
NOUN(node_token); NOUN(node_list); NOUN(node_show); NOUN(node_retire); NOUN(node_pending); NOUN(node_approve); NOUN(node_reject);
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
/* What the reader of a document refused was typed: a mistake of usage. The code it has then. */
enum err    as_usage(enum err code, struct error *);
json_t     *listing(json_t *items /* taken */);                            /* {"items", "total"} */
json_t     *message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An http:// or https:// URL paths are put behind: without its last slashes. Caller frees. */
enum err    url_base(const char *url, char **out, struct error *);
/* By which key nodes know the server of a row of DPS: its node's, or what the administrator has said; "" for http://. Returns out. */
#define DP_PIN 200                              /* as nodes read it */
char       *dp_pin(const json_t *row, char out[DP_PIN]);

/* Filters over updates (find.c). SQL for a WHERE clause and its parameters; NULL filter: everything. A property's sql is over table upd; its
 * lists are text with a blank before and behind each word. */
extern const struct vocabulary update_vocabulary;
enum err find_where(const char *filter, int64_t now, char **where, json_t **parameters, struct error *);
/* "filter", "search" (a saved one) and "text" (words of title and numbers) of args, together: what all of them select. */
bool     find_asked(const json_t *args);
enum err find_asked_where(struct author *, const json_t *args, char **where, json_t **parameters, struct error *);
enum err find_count(struct author *, const char *filter, int64_t *count, struct error *);
/* The same, and {"updates": ["id or name", …]} besides → array of update ids. */
enum err find_updates(struct author *, const json_t *args, json_t **ids, struct error *);

/* The site's rule for superseded updates (tidy.c), as it was typed; caller frees. */
char    *supersedence_text(struct ledger *);
enum err supersedence_set(struct ledger *, const char *text, struct error *);
int64_t  supersedence_reaches(struct author *);                     /* how many updates the next author_tidy ends by it */
/* The collection with everything it includes, for evaluation and publishing. ERR_NOT_FOUND. */
enum err collection_whole(struct ledger *, const char *name, struct collection **out, struct error *);
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

#endif
