#include "policy/decide/source.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LINKS           256                     /* as many as policy/document/fleet.c reads */
#define DEFAULT_MINUTES 120                     /* of the implicit link to the site's default group */

struct listing {
    struct source *out;
    size_t         room, count;
};

const char *source_kind_name(enum source_kind k)
{
    static const char *const names[] = {"dp", "neighbour", "default", "origin"};
    return names[k];
}

static bool listed(const struct listing *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->out[i].name, name))
            return true;
    return false;
}

static void add_group(struct listing *l, const struct fleet *f, const struct boundary_group *g, const struct content *c,
                      enum source_kind kind, int64_t after)
{
    static const char *const groups[] = {"the node's group", "neighbour group", "the site's default group"};
    char                     hex[SHA256_HEX];

    for (char **name = g->dps; name && *name; name++) {
        const struct dp *dp = fleet_dp(f, *name);
        struct source   *s = &l->out[l->count];

        if (!dp || l->count == l->room || listed(l, dp->name))
            continue;
        s->kind = kind;
        s->name = dp->name;
        s->pin = dp->pin;
        s->after = after;
        snprintf(s->url, sizeof s->url, "%s/content/%s", dp->url, sha256_hex(&c->sha256, hex));
        if (after)
            snprintf(s->why, sizeof s->why, "of %s %.40s, after %lld min", groups[kind], g->name, (long long)after / 60);
        else
            snprintf(s->why, sizeof s->why, "of %s %.60s", groups[kind], g->name);
        l->count++;
    }
}

unsigned sources_allowed(const struct terms *t)
{
    return (t->neighbour_fallback ? SOURCES_NEIGHBOURS : 0U) | (t->default_group_fallback ? SOURCES_DEFAULT : 0U) |
           (t->origin_fallback ? SOURCES_ORIGIN : 0U);
}

/* Into rising order of minutes; of the same minutes the first named comes first. */
static size_t link_put(struct neighbour *links, size_t count, char *group, int64_t minutes)
{
    size_t at = count;

    for (; at && links[at - 1].minutes > minutes; at--)
        links[at] = links[at - 1];
    links[at] = (struct neighbour){group, minutes};
    return count + 1;
}

/* The groups behind the node's own, soonest first. A link that the policy names to the default group, even "never", replaces the implicit
 * one: configmgr-semantics.md 1.11. By whichever link, the default group is allowed as such. */
static void add_links(struct listing *l, const struct fleet *f, const struct boundary_group *group, const struct boundary_group *standard,
                      const struct content *c, unsigned allowed)
{
    struct neighbour links[LINKS + 1];
    size_t           count = 0;
    bool             named = !standard;

    for (size_t i = 0; i < group->neighbour_count && count < LINKS; i++) {
        const struct neighbour *n = &group->neighbours[i];

        named = named || !strcmp(n->group, standard->name);
        if (n->minutes >= 0 && fleet_group(f, n->group))
            count = link_put(links, count, n->group, n->minutes);
    }
    if (!named)
        count = link_put(links, count, standard->name, DEFAULT_MINUTES);
    for (size_t i = 0; i < count; i++) {
        const struct boundary_group *g = fleet_group(f, links[i].group);
        enum source_kind             kind = g == standard ? SOURCE_DEFAULT : SOURCE_NEIGHBOUR;

        if (allowed & (kind == SOURCE_DEFAULT ? SOURCES_DEFAULT : SOURCES_NEIGHBOURS))
            add_group(l, f, g, c, kind, links[i].minutes * 60);
    }
}

static void add_origin(struct listing *l, const struct content *c, bool outside)
{
    struct source *s = &l->out[l->count];

    if (l->count == l->room || !c->origin || strlen(c->origin) >= sizeof s->url)
        return;
    s->kind = SOURCE_ORIGIN;
    s->name = "origin";
    s->pin = NULL;
    s->after = 0;
    snprintf(s->url, sizeof s->url, "%s", c->origin);
    snprintf(s->why, sizeof s->why, outside ? "the node is outside every boundary" : "the deployment allows it");
    l->count++;
}

size_t source_order(const struct fleet *f, const struct boundary_group *group, const struct content *c, unsigned allowed,
                    struct source *out, size_t room)
{
    struct listing               l = {out, room, 0};
    const struct boundary_group *standard = f && f->default_group ? fleet_group(f, f->default_group) : NULL;
    bool                         straight = !group && !(standard && (allowed & SOURCES_DEFAULT));

    if (f && group) {
        add_group(&l, f, group, c, SOURCE_DP, 0);
        add_links(&l, f, group, standard, c, allowed);
    } else if (!group && !straight) {
        add_group(&l, f, standard, c, SOURCE_DEFAULT, 0);
    }
    if (straight || (allowed & SOURCES_ORIGIN))
        add_origin(&l, c, !group);
    return l.count;
}
