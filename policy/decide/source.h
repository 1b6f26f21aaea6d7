/* Where content may come from now, in order, and why. Peers are found by the swarm and always come first; this orders the rest.
 * design.md section 4 "Order of sources". */
#ifndef FERRY_POLICY_DECIDE_SOURCE_H
#define FERRY_POLICY_DECIDE_SOURCE_H

#include "policy/document/fleet.h"

enum source_kind { SOURCE_DP, SOURCE_NEIGHBOUR, SOURCE_DEFAULT, SOURCE_ORIGIN };

struct source {
    enum source_kind kind;
    const char      *name;                      /* DP's name or "origin"; borrowed */
    char             url[700];                  /* of the content itself */
    const char      *pin;                       /* of the DP's key; NULL for the origin and for http; borrowed */
    int64_t          after;                     /* seconds since the content was first wanted; 0 = at once */
    char             why[120];
};

/* What a deployment allows behind the DPs of the node's own group (configmgr-semantics.md 1.6 "Download"). */
enum { SOURCES_NEIGHBOURS = 1, SOURCES_DEFAULT = 2, SOURCES_ORIGIN = 4, SOURCES_ALL = 7 };
unsigned sources_allowed(const struct terms *);

/* group: the node's boundary group or NULL. Fills at most room; returns how many. A node outside every boundary goes to the default group if
 * there is one and it is allowed, else to the origin, allowed or not. The origin's `after` is 0, but it is used only when every DP before it
 * has failed or is banned. */
size_t source_order(const struct fleet *, const struct boundary_group *group, const struct content *, unsigned allowed,
                    struct source *out, size_t room);
const char *source_kind_name(enum source_kind);

#endif
