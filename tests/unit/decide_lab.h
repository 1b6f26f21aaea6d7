/* For tests of decisions: a machine that has everything, needs the update and may install it. Each case changes what it says. */
#ifndef FERRY_TESTS_UNIT_DECIDE_LAB_H
#define FERRY_TESTS_UNIT_DECIDE_LAB_H

#include "policy/decide/node.h"
#include "tests/unit/paper.h"

#define HOUR 3600
#define DAY  86400
#define T0   1795996800 /* available: monday 2026-11-30 00:00 UTC */
#define T1   (T0 + 36 * HOUR) /* deadline: tuesday 12:00 */

struct scene {
    struct update u;
    struct deployment d;
    struct situation s;
    struct node_rules r;
    struct window windows[4];
    const struct window *list[4];
};

static void scene_set(struct scene *c)
{
    static char id[] = "october", collection[] = "tills", update[] = "command:x:1";

    *c = (struct scene){0};
    c->u = (struct update){.id = update, .classification = CLASS_SECURITY, .install.max_run_s = 3300};
    c->d = (struct deployment){.id = id, .collection = collection, .enabled = true, .available = T0, .deadline = T1};
    c->s = (struct situation){.deployment = &c->d,
                              .update = &c->u,
                              .member = true,
                              .state = STATE_REQUIRED,
                              .content_complete = true,
                              .content_here = true,
                              .asked = true};
    c->r = (struct node_rules){.node_id = "node-1", .windows = c->list};
    c->r.settings = (struct settings){.enabled = true, .randomize = true, .restart_forced = true, .metered = METERED_BLOCK};
}

__attribute__((unused)) static void opens(struct scene *c, const char *when, int64_t duration)
{
    struct window *w = &c->windows[c->r.window_count];
    struct error e;

    if (schedule_parse(when, &w->when, &e))
        fail_msg("%s", e.text);
    w->duration_s = duration;
    c->list[c->r.window_count++] = w;
}

__attribute__((unused)) static void works(struct scene *c, const char *hours)
{
    struct error e;

    if (business_parse(hours, &c->r.business, &e))
        fail_msg("%s", e.text);
}

#endif
