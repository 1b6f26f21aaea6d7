/* What rules, phased deployments and plans share: distances in time, deployments made and refreshed. Inside policy/authoring. */
#ifndef FERRY_POLICY_AUTHORING_MAKING_H
#define FERRY_POLICY_AUTHORING_MAKING_H

#include "policy/authoring/noun.h"

/* "+3d", "36h", "0": seconds. flag: for the message. */
enum err offset_read(const char *text, const char *flag, int64_t *out, struct error *);
char    *offset_print(int64_t seconds, char out[24]);              /* "+3d"; returns out */
/* A moment as the terms want it written: with local_time the site's wall clock as if it were UTC. */
int64_t  making_moment(const struct terms *, const struct zone *, int64_t t);

struct making {
    const char         *name, *group, *collection, *made_by;
    const struct terms *terms;
    int64_t             available, deadline;
    bool                enabled;
};
/* A new deployment; the name taken: NAME-2 … made: its name, caller frees. What nodes would not read is refused. */
enum err making_new(struct author *, const struct making *, char **made, struct error *);
/* The one of that name and maker with the new terms and times; another collection or purpose: a new one, and the old one is withdrawn. */
enum err making_again(struct author *, const struct making *, char **made, struct error *);
/* group on these distribution points; dps ["none"]: nowhere; empty: on every one there is. to: their number. */
enum err making_assign(struct author *, const char *group, const json_t *dps, size_t *to, struct error *);
/* They are all there. dps NULL: fine. */
enum err making_dps_known(struct author *, const json_t *dps, struct error *);
/* Refused while a rule or a phased deployment needs it, although no deployment does yet. */
enum err making_group_unused(struct author *, const char *group, struct error *);
enum err making_collection_unused(struct author *, const char *collection, struct error *);
enum err making_dp_unused(struct author *, const char *dp, struct error *);
/* The first of NAME, NAME-2, NAME-3 … that has answers 0 for. Caller frees. */
char    *making_name(struct author *, enum ledger_sql has, const char *name);

/* What the fleet would do (author_plan.c). deployments: names in the ledger as it stands, which is the proposal while it is a dry run. */
enum err plan_of(struct author *, const json_t *deployments, json_t **out, struct error *);

#endif
