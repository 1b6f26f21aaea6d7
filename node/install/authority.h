/* What the site has signed, as this program has verified it itself: root of its own, roles of its own store, its own clock.
 *
 *   trusted                          because
 *   the first root                   its SHA-256 stands in the enrolment token of a configuration only root can write, or root gave the file
 *   every later root                 the quorum of the one before signed it (TUF 5.3)
 *   what is stored here              only root can write here; versions never go back, whatever ferryd offers
 *   the clock of this machine        root sets it; never behind the highest time seen here
 *
 * Nothing of ferryd is trusted. It chooses which of the site's deployments in force is carried out, and when: whether it is meant for this machine
 * (collections go by facts that only ferryd gathers), windows and deadlines are its decisions. Whoever has taken ferryd over can install, early,
 * an update the site has released to some of its nodes, withhold news until the policy in force runs out of what is deployed, and restart the
 * machine; he cannot install anything else. When a refresh fails, what was verified before stays in force, as on the node (trust.md section 1). */
#ifndef FERRY_NODE_INSTALL_AUTHORITY_H
#define FERRY_NODE_INSTALL_AUTHORITY_H

#include "node/config.h"
#include "node/install/order.h"
#include "node/store/store.h"
#include "policy/document/deployment.h"

struct authority;

/* Bytes that ferryd has, nothing of which is believed. *bytes: NULL when it has none; malloc'd. */
struct giver {
    void    *ctx;
    enum err (*give)(void *ctx, const char *what, const char *name, size_t limit, char **bytes, size_t *length, struct error *);
};

/* By hand, as root. ERR_EXISTS when another root is trusted already: from then on only roots that follow it are. */
enum err authority_pin(struct store *, const char *bytes, size_t length, struct error *);
/* Pins the first root when none is (ERR_DENIED when the configuration's token does not vouch for it), takes what is new, and goes on with what is
 * in force. news: what was wrong with the new, "" when it was good. */
enum err authority_open(struct store *, const struct config *, const struct giver *, struct authority **out, struct error *news, struct error *);
void     authority_close(struct authority *);
/* The deployment the order names: signed, of this site, in force at this moment, and the update one of its own. ERR_NOT_FOUND: ferryd has it not.
 * ERR_VERIFY: not signed so. ERR_DENIED: withdrawn, disabled, not yet available. ERR_HALTED. */
enum err authority_deployment(struct authority *, const struct order *, const struct giver *, struct deployment **out, const struct update **update,
                              struct error *);

#endif
