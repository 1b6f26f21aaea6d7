/* ferry alert: what wants attention. */
#include "tools/verb.h"

static const struct flag list_flags[] = {
    {"all", FLAG_BOOL, NULL, NULL, "acknowledged, postponed and closed ones too"},
    {"limit", FLAG_NUMBER, NULL, "N", "at most so many; 100"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag postpone_flags[] = {
    {"until", FLAG_TEXT, NULL, "TIME", "open again then, unless it has ended: +4h, 'monday 08:00'"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
const struct verb alert_verbs[] = {
    {"alert", "list", NULL, list_flags, "GET", "/api/v1/alerts",
     "id:ID:n severity:SEVERITY event:EVENT subject:SUBJECT:text node:NODE state:STATE count:COUNT:n last:LAST:time detail:DETAIL:text", NULL,
     "what wants your attention", NULL},
    {"alert", "acknowledge", "ID", NULL, "POST", "/api/v1/alerts/{id}/acknowledge", NULL, NULL, "you look after it", NULL},
    {"alert", "postpone", "ID", postpone_flags, "POST", "/api/v1/alerts/{id}/postpone", NULL, NULL, "later", "ferry alert postpone 7 --until +4h"},
    {"alert", "program", "PROGRAM", NULL, "POST", "/api/v1/alerts/program", NULL, NULL,
     "an absolute path: run once for each alert that opens, the alert as JSON on its stdin; none: no program",
     "ferry alert program /usr/local/bin/mail-alert"},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
