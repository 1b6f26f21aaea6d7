#include "policy/decide/source.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

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
    char hex[SHA256_HEX];

    for (char **name = g->dps; name && *name; name++) {
        const struct dp *dp = fleet_dp(f, *name);
        struct source   *s = &l->out[l->count];

        if (!dp || l->count == l->room || listed(l, dp->name))
            continue;
        s->kind = kind;
        s->name = dp->name;
        s->after = after;
        snprintf(s->url, sizeof s->url, "%s/content/%s", dp->url, sha256_hex(&c->sha256, hex));
        if (kind == SOURCE_NEIGHBOUR)
            snprintf(s->why, sizeof s->why, "of neighbour group %.40s, after %lld min", g->name, (long long)after / 60);
        else
            snprintf(s->why, sizeof s->why, "of %s %.60s", kind == SOURCE_DP ? "the node's group" : "the site's default group", g->name);
        l->count++;
    }
}

static void add_origin(struct listing *l, const struct content *c, bool outside)
{
    struct source *s = &l->out[l->count];

    if (l->count == l->room || !c->origin || strlen(c->origin) >= sizeof s->url)
        return;
    s->kind = SOURCE_ORIGIN;
    s->name = "origin";
    s->after = 0;
    snprintf(s->url, sizeof s->url, "%s", c->origin);
    snprintf(s->why, sizeof s->why, outside ? "the node is outside every boundary" : "the deployment allows it");
    l->count++;
}

size_t source_order(const struct fleet *f, const struct boundary_group *group, const struct content *c, bool origin_fallback,
                    struct source *out, size_t room)
{
    struct listing               l = {out, room, 0};
    const struct boundary_group *standard = f && f->default_group ? fleet_group(f, f->default_group) : NULL;

    if (f && group) {
        add_group(&l, f, group, c, SOURCE_DP, 0);
        for (size_t i = 0; i < group->neighbour_count; i++) {
            const struct boundary_group *n = fleet_group(f, group->neighbours[i].group);
            if (n && group->neighbours[i].minutes >= 0)
                add_group(&l, f, n, c, SOURCE_NEIGHBOUR, group->neighbours[i].minutes * 60);
        }
    }
    if (f && standard)
        add_group(&l, f, standard, c, SOURCE_DEFAULT, group ? 120 * 60 : 0);
    if (origin_fallback || (!group && !standard))
        add_origin(&l, c, !group);
    return l.count;
}
