/* The apt type, step by step; advance() is the story. Until STEP_INSTALL nothing of the root changes, but for an interrupted dpkg that is
 * repaired. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "node/client/install_run.h"
#include "node/client/root.h"

#define APT_GET      "/usr/bin/apt-get"
#define SHORT_MS     300000                     /* reading lists, planning */
#define VERIFY_MS    1800000                    /* hashing what may be gigabytes */
#define MAX_RUN_S    3600                       /* when the update does not say */
#define WORDS        32

static void advance(struct install_run *);

static void go(struct install_run *run, enum install_step step)
{
    run->step = step;
    advance(run);
}

/* ---- running apt-get ---- */

/* words: NULL-terminated; `packages` puts the wanted ones behind them. Caller frees the array only. */
static const char **arguments(const struct install_run *run, const char *const *words, bool packages)
{
    const char **argv;
    size_t       n = 0, m = 0;

    while (words[n])
        n++;
    while (packages && run->wanted[m])
        m++;
    argv = must_alloc((n + m + 1) * sizeof(*argv));
    memcpy(argv, words, n * sizeof(*argv));
    if (m)
        memcpy(argv + n, run->wanted, m * sizeof(*argv));
    return argv;
}

static void run_child(struct install_run *run, const char *const *words, bool packages, int64_t timeout_ms,
                      void (*on_done)(void *ctx, const struct child_result *))
{
    const char **argv = arguments(run, words, packages);

    run->child = child_start(run->loop, &(struct child_call){.argv = argv, .env = (const char *const *)run->env, .directory = run->work,
                                                             .timeout_ms = timeout_ms, .on_done = on_done, .ctx = run});
    free(argv);
}

/* True when the run ends here: stopped, not started, over its time, or with a status that is not 0. */
static bool ended_badly(struct install_run *run, const struct child_result *c, const char *what, enum install_outcome otherwise)
{
    char *AUTO(text_free) words = NULL;
    char why[320];

    run->child = NULL;
    run->result.code = c->status;
    if (run->stopped) {
        install_finish(run, INSTALL_RETRY, "stopped with the node");
        return true;
    }
    if (c->error.code) {
        install_finish(run, c->timed_out ? INSTALL_RETRY : INSTALL_FAILED, "%s: %s", what, c->error.text);
        return true;
    }
    if (c->status == 0)
        return false;
    words = must_print("%s\n%s", c->output, c->errors);
    plan_reason(words, why, sizeof(why));
    install_finish(run, plan_verdict(words, otherwise), "%s: %s", what, why);
    return true;
}

/* ---- what is installed, what is wanted ---- */

static void want(struct install_run *run, const struct inventory *inv)
{
    const struct update *u = run->call.update;
    size_t              *needed = must_alloc(u->file_count * sizeof(*needed));
    size_t               n = apt_needed(u, inv, needed, u->file_count);

    words_free(run->wanted);
    run->wanted = must_alloc((n + 1) * sizeof(*run->wanted));
    for (size_t i = 0; i < n; i++) {
        const struct update_file *f = &u->files[needed[i]];
        bool                      all = strcmp(f->arch, "all") == 0;

        run->wanted[i] = must_print("%s%s%s=%s", f->package, all ? "" : ":", all ? "" : f->arch, f->version);
    }
    free(needed);
}

static bool any_broken(const struct inventory *inv)
{
    for (size_t i = 0; i < inv->count; i++)
        if (installed_broken(&inv->items[i]))
            return true;
    return false;
}

static void on_look(void *ctx, const struct child_result *c)
{
    struct install_run *run = ctx;
    struct inventory    inv;
    struct error        e = {0};
    bool                owed;

    if (ended_badly(run, c, "dpkg-query", INSTALL_FAILED))
        return;
    run->result.code = -1;
    if (inventory_read(c->output, c->output_length, &inv, &e) != OK) {
        install_finish(run, INSTALL_FAILED, "%s", e.text);
        return;
    }
    want(run, &inv);
    owed = run->call.repair_first || root_interrupted(run->root) || any_broken(&inv);
    inventory_end(&inv);
    if (owed && !run->repaired && !run->call.plan_only)
        go(run, STEP_REPAIR);
    else if (!run->wanted[0])
        install_finish(run, INSTALL_OK, "nothing of it is missing");
    else
        go(run, STEP_UPDATE);
}

static void look(struct install_run *run)
{
    char *AUTO(text_free) admin = root_join(run->root, "/var/lib/dpkg");
    char *AUTO(text_free) option = must_print("--admindir=%s", admin);

    run_child(run, (const char *const[]){"/usr/bin/dpkg-query", option, "-W", "-f", INVENTORY_FORMAT, NULL}, false, SHORT_MS, on_look);
}

/* ---- repair ---- */

/* Whether the repair helped shows in the plan; only a lock that somebody holds ends the run here. */
static void on_repaired(void *ctx, const struct session_result *s)
{
    struct install_run *run = ctx;
    char *AUTO(text_free) words = install_log_tail(run);

    run->session = NULL;
    run->repaired = true;
    run->result.code = s->status;
    if (s->left)
        install_left(run);
    else if (run->stopped)
        install_finish(run, INSTALL_RETRY, "stopped with the node after a repair");
    else if (s->timed_out)
        install_finish(run, INSTALL_TIMEOUT, "dpkg --configure -a took longer than the update may");
    else if (s->error.code)
        install_finish(run, INSTALL_FAILED, "%s", s->error.text);
    else if (s->status != 0 && plan_verdict(words, INSTALL_FAILED) == INSTALL_RETRY)
        install_finish(run, INSTALL_RETRY, "another process holds dpkg's lock");
    else
        go(run, STEP_LOOK);
}

static int64_t max_run(const struct install_run *run)
{
    return run->call.update->install.max_run_s > 0 ? run->call.update->install.max_run_s : MAX_RUN_S;
}

static void repair(struct install_run *run)
{
    char       **options = apt_world_dpkg(run);
    char *AUTO(text_free) dpkg = apt_world_program(run);
    const char  *argv[WORDS] = {dpkg};
    size_t       n = 1;

    for (size_t i = 0; options[i] && n < WORDS - 3; i++)
        argv[n++] = options[i];
    argv[n++] = "--configure";
    argv[n] = "-a";
    install_step(run, "repairing");
    install_session(run, argv, run->work, max_run(run), on_repaired);
    words_free(options);
}

/* ---- lists, plan, packages ---- */

static void on_update(void *ctx, const struct child_result *c)
{
    struct install_run *run = ctx;

    if (!ended_badly(run, c, "the archive's indexes are refused", INSTALL_REFUSED))
        go(run, STEP_PLAN);
}

/* The action words of a plan and of what is done later are the same. --fix-broken: a repair may have left something half done. */
static void install_words(const struct install_run *run, const char *how, const char *out[WORDS])
{
    size_t n = 0;

    out[n++] = APT_GET;
    out[n++] = "-q";
    out[n++] = "-y";
    if (how)
        out[n++] = how;
    out[n++] = "--no-remove";
    if (run->repaired)
        out[n++] = "--fix-broken";
    out[n++] = "install";
    out[n++] = "--only-upgrade";
    out[n] = NULL;
}

static void on_plan(void *ctx, const struct child_result *c)
{
    struct install_run *run = ctx;
    struct error        e = {0};

    if (ended_badly(run, c, "apt-get finds no way to install it", INSTALL_REFUSED))
        return;
    if (plan_read(c->output, &run->plan, &e) != OK)
        install_finish(run, INSTALL_REFUSED, "%s", e.text);
    else if (run->plan.removes)
        install_finish(run, INSTALL_REFUSED, "the plan removes %s", run->plan.removes);
    else if (run->plan.count == 0 && !run->repaired)
        install_finish(run, INSTALL_OK, "apt-get has nothing to do");
    else
        go(run, STEP_FIND);
}

static void find(uv_work_t *work)
{
    struct install_run *run = work->data;

    install_find(run, &run->error);
}

/* Every package of the plan has to be the deployment's, by its hash; whatever is not is named. */
static bool all_carried(struct install_run *run)
{
    struct text AUTO(text_end) missing = {0};

    for (size_t i = 0; i < run->found_count; i++) {
        const struct found *f = &run->found[i];

        if (!f->known || !deployment_content(run->call.deployment, &f->sha256))
            text_add(&missing, "%s%s %s", missing.length ? ", " : "", f->name, f->version);
    }
    if (missing.length)
        install_finish(run, INSTALL_CLOSURE, "the deployment does not carry %s", missing.data);
    return missing.length == 0;
}

/* Those the cache has go into the mirror; those it lacks are asked for, all at once. */
void install_take_packages(struct install_run *run)
{
    struct error e = {0};
    char         lacks[300] = "";

    copies_end(&run->copies);
    run->result.wanted_count = 0;
    for (size_t i = 0; i < run->found_count; i++) {
        const struct found *f = &run->found[i];

        if (copies_add(&run->copies, run->cache, &f->sha256, f->size, must_copy(f->to), 0600, &e) == OK)
            continue;
        if (!*lacks)
            snprintf(lacks, sizeof(lacks), "%.60s %.60s: %.150s", f->name, f->version, e.text);
        install_want(run, &f->sha256);
    }
    if (*lacks && run->call.on_lack && !run->lacked) {
        run->lacked = true;
        run->call.on_lack(run->call.ctx, run->result.wanted, run->result.wanted_count);
    } else if (*lacks) {
        install_finish(run, INSTALL_RETRY, "%s", lacks);
    } else {
        go(run, STEP_LAY);
    }
}

static void on_found(struct install_run *run)
{
    if (run->error.code) {
        install_finish(run, INSTALL_REFUSED, "%s", run->error.text);
        return;
    }
    if (!all_carried(run))
        return;
    if (!run->call.plan_only) {
        install_take_packages(run);
        return;
    }
    for (size_t i = 0; i < run->found_count; i++)
        install_want(run, &run->found[i].sha256);
    install_finish(run, INSTALL_OK, "%zu packages are needed", run->plan.count);
}

static void lay(uv_work_t *work)
{
    struct install_run *run = work->data;

    copies_make(&run->copies, &run->error);
}

static void on_laid(struct install_run *run)
{
    if (run->error.code)
        install_finish(run, run->error.code == ERR_VERIFY ? INSTALL_REFUSED : INSTALL_FAILED, "%s", run->error.text);
    else
        go(run, STEP_VERIFY);
}

static void on_verified(void *ctx, const struct child_result *c)
{
    struct install_run *run = ctx;

    if (!ended_badly(run, c, "the packages are refused", INSTALL_REFUSED))
        go(run, STEP_INSTALL);
}

/* ---- the real thing ---- */

static bool restart_wanted(const struct install_run *run)
{
    for (size_t i = 0; i < run->plan.count && root_is_host(run->root); i++)
        if (run->plan.items[i].fresh && strncmp(run->plan.items[i].name, "linux-image-", 12) == 0)
            return true;
    return install_asks_restart(run);
}

static void on_installed(void *ctx, const struct session_result *s)
{
    struct install_run *run = ctx;
    char *AUTO(text_free) words = install_log_tail(run);
    char why[320];

    run->session = NULL;
    run->result.code = s->status;
    plan_reason(words, why, sizeof(why));
    if (s->left)
        install_left(run);
    else if (s->error.code)
        install_finish(run, INSTALL_FAILED, "%s", s->error.text);
    else if (s->timed_out)
        install_finish(run, INSTALL_TIMEOUT, "apt-get took longer than %lld s and was stopped", (long long)max_run(run));
    else if (s->status == 0)
        install_finish(run, restart_wanted(run) ? INSTALL_RESTART : INSTALL_OK, "%zu packages installed", run->plan.count);
    else if (s->signal)
        install_finish(run, INSTALL_FAILED, "apt-get was ended by signal %d", s->signal);
    else if (strstr(words, "dpkg was interrupted") && !run->repaired)
        go(run, STEP_REPAIR);
    else
        install_finish(run, plan_verdict(words, INSTALL_FAILED) == INSTALL_RETRY ? INSTALL_RETRY : INSTALL_FAILED, "apt-get: %s", why);
}

static void install(struct install_run *run)
{
    const char *words[WORDS], **argv;

    install_words(run, NULL, words);
    argv = arguments(run, words, true);
    install_step(run, "installing");
    install_session(run, argv, run->work, max_run(run), on_installed);
    free(argv);
}

/* ---- the story ---- */

static void make(uv_work_t *work)
{
    struct install_run *run = work->data;

    apt_world_make(run, &run->error);
}

static void on_made(struct install_run *run)
{
    if (run->error.code)
        install_finish(run, run->error.code == ERR_VERIFY ? INSTALL_REFUSED : INSTALL_FAILED, "%s", run->error.text);
    else
        go(run, STEP_LOOK);
}

static void advance(struct install_run *run)
{
    const char *words[WORDS];

    switch (run->step) {
    case STEP_MAKE: install_work(run, make, on_made); break;
    case STEP_LOOK: look(run); break;
    case STEP_REPAIR: repair(run); break;
    case STEP_UPDATE:
        install_step(run, "checking");
        run_child(run, (const char *const[]){APT_GET, "-q", "update", NULL}, false, SHORT_MS, on_update);
        break;
    case STEP_PLAN:
        install_words(run, "-s", words);
        run_child(run, words, true, SHORT_MS, on_plan);
        break;
    case STEP_FIND: install_work(run, find, on_found); break;
    case STEP_LAY: install_work(run, lay, on_laid); break;
    case STEP_VERIFY:
        install_words(run, "-d", words);
        run_child(run, words, true, VERIFY_MS, on_verified);
        break;
    case STEP_INSTALL: install(run); break;
    case STEP_SWEEP: break;                     /* install.c's */
    }
}

/* The indexes of every archive of the deployment, dependencies may come from any. dists/ is laid in STEP_MAKE from these copies. */
static enum err take_archives(struct install_run *run, struct error *e)
{
    const struct deployment *d = run->call.deployment;
    enum err                 r = OK;

    run->snapshots = must_alloc(d->archive_count * sizeof(*run->snapshots));
    for (size_t i = 0; i < d->archive_count && r == OK; i++) {
        r = snapshot_take(run->cache, &d->archives[i], &run->snapshots[i], e);
        run->snapshot_count += r == OK;
        for (size_t k = 0; r == OK && k < run->snapshots[i].count; k++) {
            const struct snapshot_index *x = &run->snapshots[i].indexes[k];
            char *AUTO(text_free) mirror = apt_world_mirror(run, i);

            r = copies_add(&run->copies, run->cache, &x->sha256, x->size,
                           must_print("%s/dists/%s/%s", mirror, run->snapshots[i].suite, x->path), 0600, e);
        }
    }
    return r;
}

void install_apt(struct install_run *run)
{
    struct error e = {0};

    if (!run->call.plan_only && root_locked(run->root))
        install_finish(run, INSTALL_RETRY, "another process holds dpkg's lock below %s", run->root);
    else if (run->call.deployment->archive_count == 0)
        install_finish(run, INSTALL_CLOSURE, "the deployment carries no archive's indexes");
    else if (take_archives(run, &e) != OK)
        install_finish(run, e.code == ERR_NOT_FOUND ? INSTALL_RETRY : INSTALL_REFUSED, "%s", e.text);
    else
        go(run, STEP_MAKE);
}
