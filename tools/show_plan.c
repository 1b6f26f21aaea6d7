/* --plan: what the fleet would do, for people and as an exit status. */
#include <stdio.h>
#include <string.h>

#include "tools/show.h"
#include "tools/verb.h"

static json_int_t number(const json_t *o, const char *member)
{
    return json_integer_value(json_object_get(o, member));
}

static void say_late(const char *who, const char *what, json_int_t seconds)
{
    static const struct { json_int_t size; const char *name;
    } units[] = {{86400, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
    size_t i = 0;

    while (seconds < units[i].size && units[i].size > 1)
        i++;
    printf("  %s: %s %.1f %s after the deadline\n", who, what, (double)seconds / (double)units[i].size, units[i].name);
}

static void show_branches(const json_t *branches)
{
    json_t *b;
    size_t  i;

    if (!json_array_size(branches))
        return;
    printf("\nOver the WAN, each content once\n");
    show_table(branches, "name:BRANCH nodes:NODES:n bytes:BYTES:size wan_kbit:KBIT/S:n arrives:ARRIVES:time deadline:DEADLINE:time");
    json_array_foreach(branches, i, b) {
        const char *name = json_string_value(json_object_get(b, "name"));
        if (number(b, "late"))
            say_late(name, "the last byte arrives", number(b, "late"));
        else if (number(b, "bytes") && !number(b, "wan_kbit") && strcmp(name, "-"))
            printf("  %s: the rate of its line is not known, so neither is the arrival; `ferry boundary add` takes --wan\n", name);
    }
}

static void show_windows(const json_t *windows)
{
    const json_t *missed = json_object_get(windows, "missed"), *none = json_object_get(windows, "none");
    json_t       *n;
    size_t        i;

    if (json_array_size(missed))
        printf("\nTheir first maintenance window that is long enough opens too late\n");
    json_array_foreach(missed, i, n)
        say_late(json_string_value(json_object_get(n, "node")), json_string_value(json_object_get(n, "opens")), number(n, "late"));
    if (json_array_size(none))
        printf("\nNo maintenance window is long enough\n");
    json_array_foreach(none, i, n)
        printf("  %s\n", json_string_value(n));
}

static void show_rest(const json_t *plan)
{
    const json_t *silent = json_object_get(plan, "silent"), *conflicts = json_object_get(plan, "conflicts");

    if (json_array_size(conflicts)) {
        printf("\nOther deployments of the same updates to the same nodes\n");
        show_table(conflicts, "deployment:DEPLOYMENT updates:UPDATES:n nodes:NODES:n why:WHY:text");
    }
    if (number(silent, "count")) {
        json_t *n;
        size_t  i;
        printf("\nSilent for three days: %lld\n", (long long)number(silent, "count"));
        json_array_foreach(json_object_get(silent, "nodes"), i, n) if (i < 10) printf("  %s\n", json_string_value(n));
    }
    if (number(plan, "content_unknown"))
        printf("\n%lld updates are not downloaded yet: their bytes are an estimate, dependencies are not in it\n",
               (long long)number(plan, "content_unknown"));
}

static void show(const json_t *plan)
{
    const char *message = json_string_value(json_object_get(plan, "message"));

    if (message)
        printf("%s\n\n", message);
    printf("%lld nodes, %lld need something, %lld cannot tell; %lld installations\n", (long long)number(plan, "nodes"),
           (long long)number(plan, "needing"), (long long)number(plan, "unknown"), (long long)number(plan, "changes"));
    show_branches(json_object_get(plan, "branches"));
    show_windows(json_object_get(plan, "windows"));
    show_rest(plan);
    printf("\nNothing was changed.\n");
}

static bool take_flag(struct invocation *in, const char *name)
{
    bool given = json_is_true(json_object_get(in->args, name));

    json_object_del(in->args, name);
    return given;
}

enum err run_planned(struct invocation *in, struct error *e)
{
    bool     detailed = take_flag(in, "detailed_exitcode");
    json_t  *answer = NULL;
    enum err code;

    in->plan = take_flag(in, "plan");
    if (detailed && !in->plan)
        return fail(e, ERR_USAGE, "--detailed-exitcode goes with --plan");
    if (!in->plan)
        return run_job(in, e);
    code = verb_ask(in, &answer, e);
    if (!code && (in->json || in->quiet))
        verb_show(in, answer);
    else if (!code)
        show(answer);
    if (!code && detailed && number(answer, "changes"))
        in->exit_status = 2;
    json_decref(answer);
    return code;
}
