/* The documents of the collection "fleet", which every node obeys:
 *   policy/fleet/fleet.json     where the site is, distribution points, boundary groups, settings
 *   policy/fleet/scan.json      what to scan for: archive snapshots (as content) and command updates
 *   policy/fleet/dp-NAME.json   what one distribution point has to hold (only that node fetches it)
 * Semantics: configmgr-semantics.md 1.4, 1.11; design.md section 4. */
#ifndef FERRY_POLICY_DOCUMENT_FLEET_H
#define FERRY_POLICY_DOCUMENT_FLEET_H

#include <netinet/in.h>

#include "policy/document/deployment.h"

struct dp {
    char *name;
    char *url;                                  /* base: URL/content/HEX */
    char *pin;                                  /* of its key (certificate.h); NULL: http, which anybody on the way can read */
};
/* A retired node whose certificate has not run out yet. */
struct revoked {
    char   *node;                               /* its id */
    char   *address;                            /* where it was last; NULL when nobody knows */
    int64_t until;                              /* its last certificate's end */
};
struct neighbour {
    char   *group;
    int64_t minutes;                            /* before its DPs may be used; -1 never */
};
struct boundary_group {
    char             *name;
    char            **cidrs;                    /* "10.1.0.0/16", "2001:db8::/32"; NULL-terminated */
    char            **dps;                      /* names, in order of preference; NULL-terminated, NULL when none */
    struct neighbour *neighbours;
    size_t            neighbour_count;
};
struct fleet {
    int64_t        seq;
    char          *audience, *site;             /* id and name */
    char          *site_url;                    /* policy, status, enrolment: URL/policy/…, URL/api/v1/… */
    char          *site_pin;                    /* of the site's key, or of two while it changes: "sha256//…;sha256//…"; NULL: http */
    char          *ca;                          /* PEM: whose certificates nodes have, and every torrent carries; NULL: none */
    uint8_t        seal_key[32];                /* X25519: crypto_box_seal to the site */
    int64_t        poll_s;                      /* 3600 */
    int64_t        rescan_s;                    /* 604800 */
    struct dp     *dps;
    size_t         dp_count;
    struct revoked *revoked;
    size_t         revoked_count;
    struct boundary_group *groups;
    size_t         group_count;
    char          *default_group;               /* used by nodes outside every boundary; NULL: they use the origin */
};
struct scan {
    int64_t          seq;
    char            *audience;
    struct archive  *archives;
    size_t           archive_count;
    struct content  *contents;                  /* the archives' index files and the detection programs of commands */
    size_t           content_count;
    struct update  **updates;                   /* command updates only; the archives bring their own */
    size_t           update_count;
};
struct holding {
    int64_t         seq;
    char           *audience, *dp;
    struct content *contents;
    size_t          content_count;
};

void     fleet_free(struct fleet *);
enum err fleet_from_json(const json_t *, struct fleet **out, struct error *);
json_t  *fleet_to_json(const struct fleet *);
void     scan_free(struct scan *);
enum err scan_from_json(const json_t *, struct scan **out, struct error *);
json_t  *scan_to_json(const struct scan *);
void     holding_free(struct holding *);
enum err holding_from_json(const json_t *, struct holding **out, struct error *);
json_t  *holding_to_json(const struct holding *);

bool     cidr_ok(const char *text);              /* "10.1.0.0/16" or "2001:db8::/32" */
/* The boundary group an address (text, v4 or v6) is in: the longest prefix wins, then the first. NULL when none. */
const struct boundary_group *fleet_group_of(const struct fleet *, const char *address);
const struct boundary_group *fleet_group(const struct fleet *, const char *name);
const struct dp             *fleet_dp(const struct fleet *, const char *name);
bool                         fleet_revoked(const struct fleet *, const char *node_id);

#endif
