/* A plan while it is made. Inside policy/authoring. */
#ifndef FERRY_POLICY_AUTHORING_PLAN_FLEET_H
#define FERRY_POLICY_AUTHORING_PLAN_FLEET_H

#include "policy/authoring/making.h"

#define PLAN_SHOWN 1000

struct plan_file {
    struct sha256 sha256;
    uint64_t      size;
};
struct plan_update {
    char             *id;
    int64_t           max_run_s;
    struct plan_file *files;                    /* those that would travel */
    size_t            file_count;
    bool              unknown;                  /* nothing of it is downloaded: what would travel is a guess */
};
struct plan_deployment {
    const char         *name;
    json_t             *row, *members;          /* id → hostname */
    struct terms        terms;
    int64_t             available, deadline;    /* where the site is, if they are local times */
    struct collection  *collection;
    struct plan_update *updates;
    size_t              update_count;
    struct plan_file   *indexes;
    size_t              index_count;
};
struct plan_branch {
    char   *name;                               /* "": outside every boundary */
    json_t *files;                              /* hex → size, each once */
    int64_t alone;                              /* bytes if every node fetched for itself */
    int64_t nodes, available, deadline;         /* the earliest; 0: none */
};
struct plan_node {
    const char   *id, *hostname;
    const json_t *facts;
    json_t       *seen;                         /* updates counted already: two deployments may carry the same */
    size_t        needs, unknown;
    int64_t       max_run_s, available, deadline;
    bool          outside;                      /* of windows is allowed, once the deadline has passed */
};
struct plan {
    struct author          *a;
    struct zone            *zone;
    struct plan_deployment *deployments;
    size_t                  deployment_count;
    struct plan_branch     *branches;
    size_t                  branch_count;
    struct collection     **rules;          /* those that bring windows or settings */
    size_t                  rule_count;
    int64_t                 nodes, needing, unknown, changes, silent_count;
    json_t                 *missed, *no_window, *silent, *conflicts;
};

const struct plan_update *plan_update_of(const struct plan_deployment *, const char *id);
/* The earliest deadline and available time of what it needs. */
void     plan_times(struct plan_node *, const struct plan_deployment *);
void     plan_branch_times(struct plan_branch *, const struct plan_deployment *);
void     plan_name(json_t *list, const char *name);                /* the first PLAN_SHOWN of them */
/* Members of a collection: id → hostname. Caller decrefs. */
enum err plan_members(struct author *, const struct collection *, json_t **out, struct error *);
/* plan_fleet.c */
enum err plan_rules(struct plan *, struct error *);
void     plan_rules_end(struct plan *);
enum err plan_windows(struct plan *, const struct plan_node *, struct error *);
enum err plan_conflicts(struct plan *, struct error *);

#endif
