/* A phase as the files of phased deployments share it. Inside policy/authoring. */
#ifndef FERRY_POLICY_AUTHORING_PHASE_ROW_H
#define FERRY_POLICY_AUTHORING_PHASE_ROW_H

#include "policy/authoring/making.h"
#include "policy/decide/phase.h"

#define PHASES_MOST 11 /* the first and ten more, as in Configuration Manager */

/* waiting ─► active ─► succeeded; active, succeeded ─► halted ─► (resumed) what it was */
#define PHASE_STATE_LIST(X) X(WAITING, "waiting") X(ACTIVE, "active") X(SUCCEEDED, "succeeded") X(HALTED, "halted")
enum phase_state {
#define X(name, word) PHASE_##name,
    PHASE_STATE_LIST(X)
#undef X
};
const char *phase_state_word(enum phase_state);

struct phase {
    int64_t          position;                  /* from 1 */
    const char      *collection;                /* borrowed from the row or the argument */
    struct gate      gate;
    int64_t          accepted;                  /* failures that somebody has resumed it with: no more than these do not halt it */
    enum phase_begin begin;
    int64_t          after_s, deadline_s;
    struct terms     terms;
    enum phase_state state;
    const char      *deployment;                /* "" while it waits */
    int64_t          began, succeeded, success_at;
};

/* What holds unless somebody says otherwise. first: nobody is waited for. */
void     phase_default(struct phase *, bool first);
enum err phase_from_row(const json_t *row, struct phase *out, struct error *);
/* "pilot,success=95%,halt=5%" over *out; collection: it has to begin with one. *kept owns the text out borrows from; caller decrefs. */
enum err phase_take(const char *spec, bool collection, struct phase *out, json_t **kept, struct error *);
/* Its collection is there, its terms are those of a phase. */
enum err phase_check(struct author *, const struct phase *, struct error *);
enum err phase_store(struct author *, enum ledger_sql put_or_change, const char *phased, const struct phase *, struct error *);
/* {"position", "collection", "success": "95 %", …} for people. */
json_t  *phase_show(const struct phase *);

/* Figures, gate and clock as JSON, so that the same sentence can be had again. */
json_t  *judged_print(const struct gate *, const struct phase_figures *, int64_t now);
enum err judged_read(const json_t *, struct gate *, struct phase_figures *, int64_t *now, struct error *);

/* ---- phase_step.c, in a transaction of the caller ---- */
struct step {
    bool             changed;
    int64_t          wake;
    struct progress *progress;                  /* opened when the first phase is judged, shared by all */
};
void     step_end(struct step *);
/* One phased deployment: judges what runs, halts, begins what may. row: of PHASEDS. */
enum err phased_advance(struct author *, const json_t *row, struct step *, struct error *);
/* The one place that changes the state of a phase; where its success stands goes with it. */
enum err phase_set(struct author *, const char *phased, struct phase *, enum phase_state, struct error *);
/* Its deployment is made: available now; it is active. log: the sentence for the history. */
enum err phase_begins_now(struct author *, const json_t *row, const struct phase *, const char *log, struct error *);
struct judged {
    struct gate            gate;                /* as it was judged with: failures that are accepted never halt */
    struct phase_figures   figures;
    struct phase_judgement verdict;
};
enum err phase_judged(struct author *, struct step *, const struct phase *, struct judged *, struct error *);
enum err phase_log(struct author *, const char *phased, int64_t position, const char *verdict, json_t *figures /* taken */, const char *why,
                   struct error *);

#endif
