/* What the privileged installer is asked besides installations: to look at new policy, so that it knows what is in force when the line is down
 * later, and to restart the machine. */
#include "base/text.h"
#include "node/base/log.h"
#include "node/client/core.h"
#include "node/client/remote.h"

#define SILENCE_S 120

static void on_told(void *ctx, const struct install_result *r)
{
    struct client *c = ctx;

    c->told = NULL;
    if (r->outcome != INSTALL_OK && r->outcome != INSTALL_RETRY)
        log_say(LOG_WARN, "installer.refused", r->detail, NULL);
    schedule_soon(c);
    client_release(c);
}

static struct remote *ask(struct client *c, const char *what, void (*on_done)(void *ctx, const struct install_result *))
{
    return remote_start(c->options.loop, &(struct remote_call){.socket = c->options.config->installer,
                                                               .request = json_pack("{s:s}", "request", what),
                                                               .cache = c->cache,
                                                               .silence_s = SILENCE_S,
                                                               .on_done = on_done,
                                                               .ctx = c});
}

void installer_tell(struct client *c)
{
    if (!c->options.config->installer || !c->options.install || c->told || c->install || c->reboot.remote || c->closing)
        return;
    client_hold(c);
    c->told = ask(c, "refresh", on_told);
}

struct remote *installer_restart(struct client *c, void (*on_done)(void *ctx, const struct install_result *))
{
    return c->options.config->installer ? ask(c, "restart", on_done) : NULL;
}
