/* A rule as its files of authoring share it: a row of the ledger. Inside policy/authoring. */
#ifndef FERRY_POLICY_AUTHORING_RULE_ROW_H
#define FERRY_POLICY_AUTHORING_RULE_ROW_H

#include "policy/authoring/noun.h"
#include "policy/decide/rule.h"

/* args' "name". Caller decrefs *row. */
enum err rule_there(struct author *, const json_t *args, json_t **row, struct error *);
/* schedule: where its schedule is kept; as long as the clock lives. */
enum err rule_clock_of(struct author *, const json_t *row, struct schedule *, struct rule_clock *out, struct error *);
/* Ids of the updates it selects now, as an array of text; expired ones never. */
enum err rule_select(struct author *, const json_t *row, json_t **ids, struct error *);
/* Its filter, or its search's. Caller frees. */
enum err rule_filter(struct author *, const json_t *row, char **filter, struct error *);
/* The group of a rule that reuses one is its own and no phased deployment's. */
enum err rule_target_free(struct author *, const json_t *row, struct error *);
/* Its deployments, or the one of that name, with "terms" as text for people. */
enum err rule_deployments(struct author *, const char *rule, const char *name, json_t **out, struct error *);

#endif
