/* What the commands of phased deployments share. Inside policy/authoring. */
#ifndef FERRY_POLICY_AUTHORING_PHASED_ROW_H
#define FERRY_POLICY_AUTHORING_PHASED_ROW_H

#include "policy/authoring/noun.h"

/* args' "name". Caller decrefs. */
enum err phased_there(struct author *, const json_t *args, json_t **row, struct error *);
/* No other phase (but the one at that position) has this collection. */
enum err phase_new_here(struct author *, const char *phased, const char *collection, int64_t but, struct error *);

#endif
