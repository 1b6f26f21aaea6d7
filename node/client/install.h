/* One update installed into the managed root, then nothing believed but detection. Nothing is touched before everything is checked:
 *   apt      a private file: mirror (dists/ from the deployment's indexes, pool/ copied from the cache), one APT_CONFIG, gpgv and hashes by
 * apt itself, `dpkg --configure -a` first when dpkg was interrupted, plan by apt-get -s compared with the deployment's content, then the
 * real thing
 *   command  the program with its arguments in its content's directory, the return-code table, the maximum run time
 * design.md section 7, experiments.md 1-2. With config's `installer` only the plan is made here: the installation is asked of the privileged
 * installer (node/install). One installation at a time. Loop thread only. */
#ifndef FERRY_NODE_CLIENT_INSTALL_H
#define FERRY_NODE_CLIENT_INSTALL_H

#include <uv.h>

#include "node/config.h"
#include "node/store/cache.h"
#include "policy/document/deployment.h"

struct install_run;

enum install_outcome {
    INSTALL_OK,                                 /* the installer is content: detect now            */
    INSTALL_RESTART,                            /* … and wants a restart                            */
    INSTALL_RETRY,                              /* lock held, busy: try again                       */
    INSTALL_CLOSURE,                            /* the plan needs what the deployment lacks: nothing was touched; detail names it */
    INSTALL_REFUSED,                            /* signature, hash, plan removes packages …: nothing was touched */
    INSTALL_FAILED,
    INSTALL_TIMEOUT
};
struct install_result {
    enum install_outcome outcome;
    int                  code;                  /* exit code of what ran last, -1 none */
    bool                 touched;               /* the root may have been changed */
    char                 detail[400];           /* the last lines that tell why */
    /* plan_only and OK: every content the installation takes on this machine (packages the closure brings included; indexes not). RETRY:
     * those of them that the deployment carries and the cache lacks; fetch them and call again. Borrowed during on_done. */
    const struct sha256 *wanted;
    size_t               wanted_count;
};
struct install_call {
    const struct deployment *deployment;        /* borrowed until on_done */
    const struct update     *update;
    const char              *work_dir;          /* N/jobs/…, made and removed here */
    bool                     repair_first;      /* dpkg was interrupted */
    bool                     plan_only;         /* needs only the indexes in the cache, touches nothing: what is to be fetched? */
    /* Packages the cache lacks: whoever brings them says install_brought, once, later. NULL: RETRY names them in wanted. */
    void                   (*on_lack)(void *ctx, const struct sha256 *wanted, size_t count);
    void                   (*on_step)(void *ctx, const char *step);    /* "repairing" "checking" "installing": for status */
    void                   (*on_done)(void *ctx, const struct install_result *);
    void                    *ctx;
};
struct install_run *install_start(uv_loop_t *, const struct config *, struct cache *,
                                  const struct install_call *); /* on_done always comes, later */
/* At shutdown: between steps at once; inside dpkg it is waited for up to 4 s, then left running in its own session. on_done still comes,
 * once. */
void install_stop(struct install_run *);
void install_brought(struct install_run *);     /* after on_lack, whether or not they came */
bool install_touched(const struct install_run *);   /* the root may have been changed: from here on it goes to its end */
const char *install_outcome_word(enum install_outcome);

#endif
