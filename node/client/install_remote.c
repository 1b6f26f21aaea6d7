/* An installation that the privileged installer carries out: asked, lent to, listened to. The plan was made here, without privileges; it makes its
 * own. */
#include "base/text.h"
#include "node/client/install_run.h"

#define MAX_RUN_S 3600                          /* when the update does not say */
#define MORE_S    (30 * 60 + 300)               /* copying, checking and planning; the installer's own limit comes first */

bool install_is_remote(const struct install_run *run)
{
    return run->config->installer && !run->call.plan_only;
}

static void on_step(void *ctx, const char *step)
{
    install_step(ctx, step);
}

static void on_done(void *ctx, const struct install_result *r)
{
    struct install_run *run = ctx;

    run->remote = NULL;
    run->result.code = r->code;
    run->result.touched = r->touched;
    for (size_t i = 0; i < r->wanted_count; i++)
        install_want(run, &r->wanted[i]);
    install_finish(run, r->outcome, "%s", r->detail);
}

void install_remote(struct install_run *run)
{
    const struct deployment *d = run->call.deployment;
    const struct update     *u = run->call.update;
    int64_t                  max = u->install.max_run_s > 0 ? u->install.max_run_s : MAX_RUN_S;
    json_t *request = json_pack("{s:s, s:o, s:s}", "request", "install", "target", json_sprintf("policy/%s/%s.json", d->collection, d->id), "update", u->id);

    run->remote = remote_start(run->loop, &(struct remote_call){.socket = run->config->installer, .request = request, .cache = run->cache,
                                                                .silence_s = max + MORE_S, .on_step = on_step, .on_done = on_done, .ctx = run});
}
