/* The parts of a run (rollout.h), each in a transaction of the caller. Inside policy/authoring. */
#ifndef FERRY_POLICY_AUTHORING_ASSEMBLY_H
#define FERRY_POLICY_AUTHORING_ASSEMBLY_H

#include "policy/authoring/rollout.h"

/* The staging group with these updates; and it is forgotten again. */
enum err assembly_stage(struct author *, const struct assembly *, const json_t *ids, struct error *);
enum err assembly_unstage(struct author *, const char *staging, struct error *);
/* Staging becomes what it is for. out: "message", "group", "deployments", "updates". */
enum err assembly_apply(struct author *, const struct assembly *, json_t **out, struct error *);

#endif
