/* The flags of everything that carries terms (policy/document/terms.h): deployments, deployments of rules, phases, templates. */
#ifndef FERRY_TOOLS_TERMS_FLAGS_H
#define FERRY_TOOLS_TERMS_FLAGS_H

#define TERMS_YES_NO(flag, no_flag, member, meaning) \
    {flag, FLAG_BOOL, member, NULL, meaning}, {no_flag, FLAG_NO, member, NULL, "not so"}

#define TERMS_FLAGS \
    {"template", FLAG_TEXT, NULL, "TEMPLATE", "a saved bundle of these settings; what is given besides goes before it"}, \
    {"required", FLAG_WORD, "purpose", "required", "installed at the deadline"}, \
    {"optional", FLAG_WORD, "purpose", "available", "offered; the user decides"}, \
    TERMS_YES_NO("local-time", "no-local-time", "local_time", "available and deadline are each node's own wall clock"), \
    {"randomize", FLAG_TEXT, NULL, "DURATION", "spread the deadline over this time; 2h unless given, 0 for none"}, \
    {"gradual", FLAG_TEXT, NULL, "DURATION", "spread available and deadline over this time, at most 30d"}, \
    TERMS_YES_NO("soft-deadline", "no-soft-deadline", "soft_deadline", "after the deadline wait for the user's free hours, at most the grace"), \
    {"notify", FLAG_TEXT, NULL, "all|restart|none", "what the user is told"}, \
    TERMS_YES_NO("install-outside", "no-install-outside", "install_outside", "after the deadline install outside maintenance windows too"), \
    TERMS_YES_NO("restart-outside", "no-restart-outside", "restart_outside", "after the deadline restart outside maintenance windows too"), \
    TERMS_YES_NO("suppress-restart-servers", "no-suppress-restart-servers", "suppress_restart_servers", "servers are not restarted"), \
    TERMS_YES_NO("suppress-restart-workstations", "no-suppress-restart-workstations", "suppress_restart_workstations", \
                 "workstations are not restarted"), \
    TERMS_YES_NO("reevaluate-after-restart", "no-reevaluate-after-restart", "reevaluate_after_restart", \
                 "after a restart install what has become applicable in the same window"), \
    TERMS_YES_NO("predownload", "no-predownload", "predownload", "optional: fetched before it is offered"), \
    TERMS_YES_NO("neighbour-fallback", "no-neighbour-fallback", "neighbour_fallback", "from distribution points of neighbour groups"), \
    TERMS_YES_NO("default-group-fallback", "no-default-group-fallback", "default_group_fallback", "from those of the site's default group"), \
    TERMS_YES_NO("origin-fallback", "no-origin-fallback", "origin_fallback", "when no distribution point answers, from the vendor"), \
    TERMS_YES_NO("metered", "no-metered", "metered", "after the deadline a metered line may be used"), \
    {"verbosity", FLAG_TEXT, NULL, "all|outcome|error", "what nodes report"}, \
    {"alert-below", FLAG_TEXT, NULL, "PERCENT", "alert when compliance is below this"}, \
    {"alert-after", FLAG_TEXT, NULL, "DURATION", "… so long after the deadline"}

#define PLAN_FLAGS \
    {"plan", FLAG_BOOL, NULL, NULL, "only tell what the fleet would do: nodes, bytes for each branch, windows, conflicts"}, \
    {"detailed-exitcode", FLAG_BOOL, NULL, NULL, "with --plan: exit 0 when there is nothing to do, 2 when there is"}

#endif
