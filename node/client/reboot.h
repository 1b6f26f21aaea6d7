/* The restart that completes installations: which updates want it, when it comes (policy/decide/restart.h), and that it has happened (the boot
 * id is another). Durable: pending, the boot it was wanted in, the countdown's beginning. Inside node/client. */
#ifndef FERRY_NODE_CLIENT_REBOOT_H
#define FERRY_NODE_CLIENT_REBOOT_H

#include "policy/decide/restart.h"

struct client;
struct child;
struct remote;
struct job;

struct reboot {
    struct restart_decision decision;
    int64_t                 begun;              /* the countdown; 0: not yet */
    char                    boot[80];           /* the boot in which the first of them was wanted, "" none is */
    bool                    asked;              /* `ferry restart` */
    bool                    said;               /* the site has heard of a restart before */
    struct child           *child;              /* the restart command runs */
    struct remote          *remote;             /* … at the privileged installer's */
    int64_t                 again_at;           /* seconds: not before then, after it failed */
    char                    problem[300];
};
void reboot_recall(struct client *);
/* An installation wants one; called before its row says so. */
void reboot_want(struct client *);
/* Whether the machine has restarted meanwhile: what waited for that is settled. */
void reboot_look(struct client *);
/* Decides, and restarts when it is time. True: the orchestration lock is needed for it. */
bool reboot_run(struct client *);
bool reboot_pending(const struct client *);
bool reboot_by_hand(const struct client *);    /* nothing here can restart the machine of this root */
void reboot_stop(struct client *);             /* at the end of the client */
void reboot_settle(struct client *, int64_t now);       /* the clock was set back to now: nothing began later */

#endif
