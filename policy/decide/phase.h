/* Whether a phase may begin, must wait, or the whole thing must halt (design.md 8.8, 8.10; configmgr-semantics.md 1.8; peers.md 1.1). Pure and
 * replayable: the same figures give the same verdict and the same sentence. */
#ifndef FERRY_POLICY_DECIDE_PHASE_H
#define FERRY_POLICY_DECIDE_PHASE_H

#include <stdbool.h>
#include <stdint.h>

struct gate {                                   /* judges one phase that is running */
    int64_t success_percent;                    /* 0 … 100 of the nodes in its collection; 95 */
    int64_t success_count;                      /* when > 0: so many nodes instead */
    int64_t halt_percent;                       /* failed more than this of those that have ended halts; 100: never */
    int64_t sample;                             /* nodes that must have ended well or badly before halt_percent is looked at; 1 */
    int64_t silence_s;                          /* a node that has said nothing for so long since the phase began counts as failed; 0: never */
    int64_t soak_s;                             /* success must have held for so long */
    int64_t progress_s;                         /* without success after so long: alert; 0: never */
};
struct phase_figures {                          /* of one phase's deployment */
    int64_t nodes;                              /* in its collection now */
    int64_t compliant, failed, in_progress, unknown; /* add up to nodes; a silent node is in failed as well as counted in silent */
    int64_t silent;
    int64_t began;                              /* when its deployment was made */
    int64_t succeeded;                          /* since when success has held without a break; 0: it does not */
};
enum phase_verdict { PHASE_HOLD, PHASE_SUCCESS /* reached and soaked */, PHASE_ALERT, PHASE_HALT };
struct phase_judgement {
    enum phase_verdict verdict;
    bool               reached;                 /* the criterion holds now (the soak may still run) */
    int64_t            wake;                    /* ask again then; 0: when a figure changes */
    char               why[240];                /* "18 of 20 nodes compliant (90 %), 95 % wanted; 1 of the 19 that have ended failed (5.3 %), halt above
                                                 * 10 %" */
};
struct phase_judgement phase_judge(const struct gate *, const struct phase_figures *, int64_t now);

enum phase_begin { BEGIN_AFTER, BEGIN_BY_HAND };
/* When the next phase begins, given when its predecessor's success was complete (0: not yet) and its own condition: the moment, or 0: not by
 * itself. */
int64_t phase_begins(enum phase_begin, int64_t after_s, int64_t success_at);
const char *phase_verdict_word(enum phase_verdict);

#endif
