/* Client settings: what holds for a node whatever is deployed (configmgr-semantics.md 1.10). A collection may carry some of them with a
 * priority; a node merges those of its collections, the lowest number strongest, over the defaults. One table. */
#ifndef FERRY_POLICY_DOCUMENT_SETTINGS_H
#define FERRY_POLICY_DOCUMENT_SETTINGS_H

#include "policy/document/member.h"

enum metered { METERED_ALLOW, METERED_LIMIT /* policy, status, user requests, required content after its deadline */, METERED_BLOCK };
enum installers { INSTALLERS_ALL, INSTALLERS_ADMINISTRATORS, INSTALLERS_NONE };

struct settings {
    int64_t poll_s;                             /* 0: as the fleet says */
    int64_t rescan_s;                           /* re-evaluation; 0: as the fleet says. At least a day in production, a second in tests */
    int64_t grace_s;                            /* soft deadlines: at most 120 h */
    bool    randomize;                          /* false: deadlines are not spread on these machines */
    int64_t batch_s;                            /* at a deadline, what is due within this is installed with it; 0: off */
    bool    windows_union;                      /* "all" windows count for updates although there are windows for updates only */
    bool    enabled;                            /* false: nothing is installed by Ferry here */
    bool    outside_hours;                      /* required updates are installed in the user's free hours before the deadline */
    int64_t installers;                         /* who may `ferry install` */
    int64_t metered;
    int64_t restart_countdown_s;                /* after the deadline, until the machine restarts */
    int64_t restart_final_s;                    /* the last part of it, which cannot be dismissed */
    int64_t restart_remind_s;                   /* between reminders */
    bool    restart_forced;                     /* false: the user is reminded, never restarted */
    int64_t remind_days_s, remind_day_s, remind_hour_s; /* reminders more than a day, less than a day, less than an hour before a deadline */
};

extern const struct member settings_table[];
extern const size_t        settings_count;

#define SETTINGS_PRIORITY_MOST 10000
/* One layer: the members somebody set, as a JSON object in the documents' form. Checks, takes nothing. */
enum err settings_check(const json_t *layer, const char *path, struct error *);
/* layers[i] has priorities[i]; a member of the lowest priority wins, ties go to the first. */
void     settings_merge(const json_t *const *layers, const int64_t *priorities, size_t count, struct settings *out);

#endif
