/* How far deployments are, node by node. Everything the questions need is read once and kept as sets of nodes, so that the hundredth
 * deployment costs little more than the first. Inside policy/authoring. */
#ifndef FERRY_POLICY_AUTHORING_PROGRESS_H
#define FERRY_POLICY_AUTHORING_PROGRESS_H

#include "policy/authoring/author.h"

/* A node's standing in a deployment is that of its worst update: failed, unknown, in progress, compliant (installed or not required). */
#define STANDING_LIST(X) \
    X(NONE, "none") X(COMPLIANT, "compliant") X(PROGRESS, "in-progress") X(UNKNOWN, "unknown") X(FAILED, "failed") X(SILENT, "silent")

enum standing {
#define X(name, word) STANDING_##name,
    STANDING_LIST(X)
#undef X
    STANDING_COUNT
};
const char *standing_word(enum standing);
bool        standing_by_word(const char *, enum standing *out);

struct tally {
    int64_t since, silent_before;               /* in: who is neither compliant nor failed and has said nothing since the later of the two
                                                 * is silent, when that is since; 0: nobody is */
    int64_t compliant, in_progress, failed, unknown, silent;        /* nodes; these five add up to total */
    int64_t total;
};

struct progress;

enum err progress_open(struct author *, struct progress **out, struct error *);
void     progress_close(struct progress *);
/* The nodes in the order of the standings: {"id", "hostname", "facts", "last_contact", "scanned"}. Borrowed. */
const json_t *progress_nodes(const struct progress *);
/* row has "group" and "collection". standings: one for each node, NONE for those outside the collection; borrowed until the next call. */
enum err progress_of(struct progress *, const json_t *row, struct tally *, const enum standing **standings, struct error *);

/* One deployment alone. */
enum err tally_deployment(struct author *, const json_t *row, struct tally *, struct error *);
void     tally_print(const struct tally *, json_t *row);            /* its members into the row */

#endif
