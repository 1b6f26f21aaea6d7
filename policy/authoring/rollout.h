/* What happens by itself at the site, for node/site to call: runs of rules and `ferry deploy`, phases, alerts, turns. Each call is one
 * transaction or none; time is author->now. */
#ifndef FERRY_POLICY_AUTHORING_ROLLOUT_H
#define FERRY_POLICY_AUTHORING_ROLLOUT_H

#include "policy/authoring/author.h"
#include "policy/decide/rule.h"

/* ---- a run: of a rule, or of `ferry deploy` (assembly.c) ----
 *   assembly_rule or assembly_deploy      selected, checked as a whole, and staged under a name nobody can type
 *   … the caller downloads assembly->staging …
 *   assembly_finish                       group, assignments, deployments and the record, in one transaction; publish afterwards
 * When anything fails between, assembly_failed: nothing that stood before has changed, and the run is recorded. */
struct assembly {
    char   *rule;                               /* NULL: `ferry deploy` */
    int64_t run;                                /* the record's id */
    char   *staging;
    int64_t nominal;                            /* what the times of a rule's deployments are relative to */
    size_t  count;                              /* updates; 0: there is nothing to do, the run is over and recorded */
    json_t *args;                               /* of `ferry deploy`, by themselves enough to make it */
};
/* *out also when it fails after the run was recorded: then assembly_failed is still to be called. */
enum err assembly_rule(struct author *, const char *rule, enum rule_trigger, int64_t nominal, struct assembly **out, struct error *);
enum err assembly_deploy(struct author *, const json_t *args, struct assembly **out, struct error *);
/* out: {"message", "group", "updates", "deployments"} */
enum err assembly_finish(struct author *, struct assembly *, json_t **out, struct error *);
enum err assembly_failed(struct author *, struct assembly *, const struct error *why, struct error *);
void     assembly_free(struct assembly *);
/* At the start: runs that a site which was killed left open have failed; their staging is forgotten. */
enum err assembly_sweep(struct author *, struct error *);

/* The rule that is due, if any (*rule NULL: none), and when to ask again (0: when something happens). Caller frees. */
enum err rules_due(struct author *, char **rule, struct rule_due *due, struct error *);
/* A sync brought something new: rules that wait for it are due. */
enum err rules_synced(struct author *, struct error *);

/* ---- phases (phase_step.c) ---- */
/* Judges what runs, halts, begins what may begin. changed: publish. wake: when to ask again; 0: when status comes in. */
enum err phased_step(struct author *, bool *changed, int64_t *wake, struct error *);

/* ---- alerts (author_alert.c) ---- */
#define ALERT_WARNING  "warning"
#define ALERT_CRITICAL "critical"
/* Something happened: one open alert per event, subject and node; again: its count rises. node "" for the site's own. */
enum err alert_raise(struct author *, const char *event, const char *subject, const char *severity, const char *node, const char *detail,
                     struct error *);
enum err alert_close(struct author *, const char *event, const char *subject, const char *node, struct error *);
/* A condition of the site's own: holds: raised once and kept up to date; does not: closed. */
enum err alert_while(struct author *, bool holds, const char *event, const char *subject, const char *severity, const char *detail,
                     struct error *);
/* Compliance behind deadlines, room on distribution points, postponed alerts whose time has come. */
enum err alerts_evaluate(struct author *, struct error *);
/* The oldest alert the program has not been told of, as JSON for it, and the program; NULL: none. Marks it told. Caller decrefs, frees. */
enum err alert_to_tell(struct author *, json_t **out, char **program, struct error *);

/* ---- turns (author_turn.c) ---- */
/* body: {"op": "take" | "give" | "keep", "number": rises} as the node signed it. out: {"granted", "until", "why", "again_s"}. */
enum err turn_new(struct author *, const char *node_id, const json_t *body, struct error *);      /* before it: no copy of an older one */
enum err turn_ask(struct author *, const char *node_id, const json_t *body, json_t **out, struct error *);

/* ---- catalogs (author_sync.c) ---- */
/* "daily 04:00"; "none". ERR_USAGE. */
enum err author_set_sync(struct author *, const char *text, struct error *);
/* The schedule (setting "sync") wants them read now; that is noted, so that it is said once. */
enum err sync_due(struct author *, bool *out, struct error *);
/* How the sync of one went: the catalog's row and the alert sync-failed. text NULL: well. */
enum err catalog_went(struct author *, const char *catalog, const char *text, struct error *);

#endif
