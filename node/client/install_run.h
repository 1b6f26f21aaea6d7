/* One installation, shared by install.c (begin, end, stop), install_apt.c and install_command.c (the steps between). */
#ifndef FERRY_NODE_CLIENT_INSTALL_RUN_H
#define FERRY_NODE_CLIENT_INSTALL_RUN_H

#include "base/file.h"
#include "node/client/copies.h"
#include "node/client/install.h"
#include "node/client/plan.h"
#include "node/client/remote.h"
#include "node/client/session.h"
#include "node/client/snapshot.h"
#include "node/io/child.h"

/* In story order. MAKE, FIND, LAY and SWEEP work with files on a worker thread. */
enum install_step { STEP_MAKE, STEP_LOOK, STEP_REPAIR, STEP_UPDATE, STEP_PLAN, STEP_FIND, STEP_LAY, STEP_VERIFY, STEP_INSTALL, STEP_SWEEP };

struct install_run {
    uv_loop_t            *loop;
    const struct config  *config;
    struct cache         *cache;
    struct install_call   call;
    struct install_result result;
    char                 *work, *root;          /* work_dir; the managed root, "/" or without a slash at its end */
    char                 *log;                  /* what the installer prints */
    char                **env;                  /* of everything that is run; exact, NULL-terminated */
    enum install_step     step;
    struct child         *child;                /* what runs now, NULL otherwise */
    struct session       *session;
    uv_work_t             worker;
    struct error          error;                /* the worker's */
    struct remote        *remote;               /* the privileged installer works for us */
    bool                  stopped, repaired, interrupted, lacked;
    struct file_print     flags[2];             /* what asked for a restart before, all zero when nothing did */
    struct copies         copies;
    struct sha256        *wanted_content;       /* result.wanted */
    /* apt */
    struct snapshot      *snapshots;            /* one per archive of the deployment */
    size_t                snapshot_count;
    struct plan           plan;
    char                **wanted;               /* "package:arch=version"; NULL-terminated */
    struct found         *found;                /* where the plan's packages lie; install_find.c */
    size_t                found_count;
};

/* The verdict; then the work directory goes, and on_done comes. Call it once, on the loop. */
void install_finish(struct install_run *, enum install_outcome, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Runs work on a worker thread, then after on the loop; after() is not called when the run was stopped meanwhile. */
void install_work(struct install_run *, uv_work_cb work, void (*after)(struct install_run *));
void install_step(struct install_run *, const char *word);      /* tells the caller */
/* A session in the run's log; on_done gets the run. Its environment is exact. */
void install_session(struct install_run *, const char *const *argv, const char *directory, int64_t timeout_s,
                     void (*on_done)(void *ctx, const struct session_result *));
/* The root's flag for a restart has appeared or changed since the first session began. */
bool install_asks_restart(const struct install_run *);
void install_want(struct install_run *, const struct sha256 *);  /* one more for result.wanted */
void install_left(struct install_run *); /* the session was left running: as install_finish, but its directory stays */
char *install_log_tail(const struct install_run *);             /* caller frees; "" when there is none */

void install_apt(struct install_run *);
void install_command(struct install_run *);
void install_take_packages(struct install_run *);              /* once more, after on_lack */
/* By the privileged installer (install_remote.c). */
bool install_is_remote(const struct install_run *);
void install_remote(struct install_run *);

/* apt's private world (apt_world.c): directories, APT_CONFIG, sources.list, keyrings, dists/. Worker thread. */
enum err apt_world_make(struct install_run *, struct error *);
void     apt_world_end(struct install_run *);                   /* what was put into the root goes again */
char   **apt_world_dpkg(const struct install_run *);            /* the options of every dpkg; words_free */
char    *apt_world_program(const struct install_run *);         /* the dpkg to run; caller frees */
char    *apt_world_mirror(const struct install_run *, size_t archive);

/* Where the plan's packages lie (install_find.c). Worker thread. */
struct found {
    char         *name, *version, *to;          /* to: path in the mirror */
    struct sha256 sha256;
    uint64_t      size;
    bool          known;                        /* an archive names it */
};
enum err install_find(struct install_run *, struct error *);
void     install_found_end(struct install_run *);

#endif
