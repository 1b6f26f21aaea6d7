#include "node/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "node/io/address.h"
#include "policy/document/zone.h"

static const char *const role_words[] = {"client", "distribution-point", "site", NULL};
static const char *const kind_words[] = {"server", "workstation", NULL};
static const char *const level_words[] = {"error", "warning", "notice", "info", "debug", NULL};

#define AT(member) offsetof(struct config, member)
#define DAY        ((int64_t)86400)
#define GIB        ((int64_t)1 << 30)

const struct option config_options[] = {
    {.name = "role",
     .type = OPTION_LIST,
     .at = AT(role),
     .words = role_words,
     .meaning = "What this ferryd is; several are separated by commas."},
    {.name = "state-dir",
     .type = OPTION_PATH,
     .at = AT(state_dir),
     .standard = "/var/lib/ferry",
     .meaning = "The node's durable memory: key, database, content."},
    {.name = "control-socket",
     .type = OPTION_PATH,
     .at = AT(control_socket),
     .standard = "/run/ferry/ferryd.sock",
     .meaning = "The Unix socket that ferry talks to; its owner and group may."},
    {.name = "log-level",
     .type = OPTION_WORD,
     .at = AT(log_level),
     .standard = "info",
     .words = level_words,
     .live = true,
     .meaning = "The least important messages that are logged."},

    {.name = "site-state",
     .type = OPTION_PATH,
     .at = AT(site_state),
     .standard = "/var/lib/ferry-site",
     .meaning = "Role site: what ferry site init made: keys, ledger, policy, content."},
    {.name = "site-listen",
     .type = OPTION_TEXT,
     .at = AT(site_listen),
     .meaning = "Role site: IP:PORT that serves policy, enrolment and status to the nodes."},
    {.name = "site-url", .type = OPTION_TEXT, .at = AT(site_url), .meaning = "Role site: the URL under which the nodes reach site-listen."},

    {.name = "dp-name", .type = OPTION_TEXT, .at = AT(dp_name), .meaning = "Role distribution-point: its name at the site (ferry dp add)."},
    {.name = "dp-listen", .type = OPTION_TEXT, .at = AT(dp_listen), .meaning = "Role distribution-point: IP:PORT that serves content."},
    {.name = "dp-state",
     .type = OPTION_PATH,
     .at = AT(dp_state),
     .meaning = "Role distribution-point: where content lies; state-dir/dp when not given."},

    {.name = "site", .type = OPTION_TEXT, .at = AT(site), .meaning = "URL of the site; needed until the first policy is here."},
    {.name = "enrol-token", .type = OPTION_TEXT, .at = AT(enrol_token), .meaning = "What ferry node token printed; used once."},
    {.name = "root", .type = OPTION_PATH, .at = AT(root), .standard = "/", .meaning = "The root of the system that is looked after."},
    {.name = "unprivileged-root",
     .type = OPTION_BOOL,
     .at = AT(unprivileged_root),
     .standard = "no",
     .meaning = "Installs into root without being root; for laboratories, refused for / and for uid 0."},
    {.name = "installer",
     .type = OPTION_PATH,
     .at = AT(installer),
     .meaning = "The privileged installer's socket: it installs and restarts for a ferryd without privileges; not given, ferryd does it itself."},
    {.name = "hostname", .type = OPTION_TEXT, .at = AT(hostname), .meaning = "The node's name; the machine's when not given."},
    {.name = "listen",
     .type = OPTION_TEXT,
     .at = AT(listen),
     .meaning = "IP:PORT at which neighbours fetch pieces; one address, not all of them."},
    {.name = "peer", .type = OPTION_LIST, .at = AT(peer), .meaning = "IP:PORT of neighbours; repeated or separated by commas."},
    {.name = "bind-address", .type = OPTION_TEXT, .at = AT(bind_address), .meaning = "The address requests leave from."},
    {.name = "address",
     .type = OPTION_TEXT,
     .at = AT(address),
     .meaning = "The IP that decides the boundary group; that of listen when not given."},
    {.name = "proxy",
     .type = OPTION_TEXT,
     .at = AT(proxy),
     .meaning = "HTTP proxy for every request; the environment's proxies are never used."},
    {.name = "proxy-tunnel",
     .type = OPTION_BOOL,
     .at = AT(proxy_tunnel),
     .standard = "no",
     .meaning = "Asks the proxy for a tunnel for http:// as well."},
    {.name = "poll",
     .type = OPTION_DURATION,
     .at = AT(poll),
     .standard = "0",
     .low = 0,
     .high = 7 * DAY,
     .live = true,
     .meaning = "How often policy is asked for; 0 leaves it to the policy."},
    {.name = "cache-max",
     .type = OPTION_SIZE,
     .at = AT(cache_max),
     .standard = "20GiB",
     .low = 0,
     .high = 4096 * GIB,
     .live = true,
     .meaning = "Content kept for neighbours beyond what is needed here; the oldest goes first."},
    {.name = "wan-requests",
     .type = OPTION_NUMBER,
     .at = AT(wan_requests),
     .standard = "4",
     .low = 1,
     .high = 64,
     .live = true,
     .meaning = "Requests in flight over the WAN."},
    {.name = "upload-limit",
     .type = OPTION_SIZE,
     .at = AT(upload_limit),
     .standard = "0",
     .low = 0,
     .high = 100 * GIB,
     .meaning = "Bytes per second to neighbours; 0 is no limit."},
    {.name = "connections",
     .type = OPTION_NUMBER,
     .at = AT(connections),
     .standard = "0",
     .low = 0,
     .high = 5000,
     .meaning = "Connections with neighbours; 0 leaves it to the swarm (200)."},
    {.name = "timezone",
     .type = OPTION_TEXT,
     .at = AT(timezone),
     .meaning = "The zone of windows, business hours and local times, like Europe/Berlin; the system's when not given."},
    {.name = "machine-kind",
     .type = OPTION_WORD,
     .at = AT(machine_kind),
     .words = kind_words,
     .meaning = "What deployments that suppress restarts go by; workstation where a display manager is set up, else server."},
    {.name = "metered",
     .type = OPTION_BOOL,
     .at = AT(metered),
     .standard = "no",
     .live = true,
     .meaning = "The line costs by the byte: client settings say what may use it."},
    {.name = "restart-command",
     .type = OPTION_TEXT,
     .at = AT(restart_command),
     .live = true,
     .meaning = "What restarts the machine, words separated by blanks; systemctl reboot when root is /, else nothing: by hand."},
    {.name = "boot-id",
     .type = OPTION_PATH,
     .at = AT(boot_id),
     .standard = "/proc/sys/kernel/random/boot_id",
     .meaning = "A file whose text is another after each restart of the machine."},
    {.name = "notify-command",
     .type = OPTION_PATH,
     .at = AT(notify_command),
     .live = true,
     .meaning = "A program that is given one JSON object on its standard input for everything the user should know."},
};
const size_t config_option_count = COUNT(config_options);

bool config_has_role(const struct config *c, const char *role)
{
    for (size_t i = 0; c->role && c->role[i]; i++)
        if (!strcmp(c->role[i], role))
            return true;
    return false;
}

/* --- the rules between options --- */

static enum err need(const struct config *c, const char *role, const char *name, const char *value, struct error *e)
{
    if (value || !config_has_role(c, role))
        return OK;
    return fail(e, ERR_USAGE, "%s is missing: the role %s needs it", name, role);
}

static enum err check_address(const char *name, const char *value, struct error *e)
{
    struct sockaddr_storage a;
    socklen_t               size;
    struct error            why;

    if (value && address_read(value, &a, &size, &why))
        return fail(e, ERR_USAGE, "%s: %s", name, why.text);
    return OK;
}

static enum err check_ip(const char *name, const char *value, struct error *e)
{
    return !value || address_is_ip(value) ? OK : fail(e, ERR_USAGE, "%s cannot be '%s'; an IP address is wanted", name, value);
}

static enum err check_url(const char *name, const char *value, struct error *e)
{
    if (value && strncmp(value, "http://", 7) && strncmp(value, "https://", 8))
        return fail(e, ERR_USAGE, "%s cannot be '%s'; a URL begins with http:// or https://", name, value);
    return OK;
}

/* libtorrent tells its own address to others: "every address" is none (p2p.md section 5.1). */
static enum err check_listen(const struct config *c, struct error *e)
{
    struct sockaddr_storage a;
    socklen_t               size;
    char                    host[ADDRESS_SIZE];
    enum err                code = check_address("listen", c->listen, e);

    if (code || !c->listen || address_read(c->listen, &a, &size, NULL))
        return code;
    address_host((struct sockaddr *)&a, host);
    if (!strcmp(host, "0.0.0.0") || !strcmp(host, "::"))
        return fail(e, ERR_USAGE,
                    "listen cannot be '%s': neighbours are told this address, so it must be this machine's own, not all addresses",
                    c->listen);
    return OK;
}

static enum err check_root(const struct config *c, struct error *e)
{
    if (!c->unprivileged_root)
        return OK;
    if (c->root[strspn(c->root, "/")] == '\0')
        return fail(e, ERR_DENIED,
                    "unprivileged-root needs a root other than /: without privileges nothing can be installed into this system");
    if (geteuid() == 0)
        return fail(e, ERR_DENIED,
                    "unprivileged-root is refused for uid 0: apt's checks of ownership would be off while maintainer scripts run as root");
    return OK;
}

static enum err check_zone(const struct config *c, struct error *e)
{
    struct zone *zone = NULL;
    struct error why;
    enum err     code = c->timezone ? zone_open(c->timezone, &zone, &why) : OK;

    zone_close(zone);
    return code ? fail(e, ERR_USAGE, "timezone: %s", why.text) : OK;
}

static enum err check_needs(const struct config *c, struct error *e)
{
    enum err code;

    if (!c->role || !*c->role)
        return fail(e, ERR_USAGE, "role is missing; accepted are client, distribution-point and site, or several of them");
    if ((code = need(c, "site", "site-listen", c->site_listen, e)) ||
        (code = need(c, "distribution-point", "dp-listen", c->dp_listen, e)) ||
        (code = need(c, "distribution-point", "dp-name", c->dp_name, e)))
        return code;
    return OK;
}

static enum err check(const struct config *c, struct error *e)
{
    enum err code;

    if ((code = check_needs(c, e)) || (code = check_root(c, e)) || (code = check_listen(c, e)) || (code = check_zone(c, e)) ||
        (code = check_address("site-listen", c->site_listen, e)) || (code = check_address("dp-listen", c->dp_listen, e)) ||
        (code = check_ip("bind-address", c->bind_address, e)) || (code = check_ip("address", c->address, e)) ||
        (code = check_url("site", c->site, e)) || (code = check_url("site-url", c->site_url, e)) ||
        (code = check_url("proxy", c->proxy, e)))
        return code;
    for (size_t i = 0; c->peer && c->peer[i] && !code; i++)
        code = check_address("peer", c->peer[i], e);
    return code;
}

/* What follows from the rest. */
static void complete(struct config *c)
{
    struct sockaddr_storage a;
    socklen_t               size;
    char                    host[ADDRESS_SIZE];

    if (!c->dp_state)
        c->dp_state = must_print("%s/dp", c->state_dir);
    if (!c->restart_command && c->root[strspn(c->root, "/")] == '\0')
        c->restart_command = must_copy("systemctl reboot");
    if (!c->address && c->listen && !address_read(c->listen, &a, &size, NULL))
        c->address = must_copy(address_host((struct sockaddr *)&a, host));
}

static enum err read_all(struct config *c, const char *path, int argc, char **argv, struct error *e)
{
    int      used = 0;
    enum err code = option_defaults(config_options, config_option_count, c, e);

    if (!code && path)
        code = option_file(config_options, config_option_count, c, path, e);
    if (!code)
        code = option_words(config_options, config_option_count, c, argc, argv, &used, e);
    if (!code && used < argc)
        code = fail(e, ERR_USAGE, "'%.80s' is not understood; options begin with --", argv[used]);
    return code;
}

enum err config_load(struct config *out, const char *path, int argc, char **argv, struct error *e)
{
    struct config c = {0};
    enum err      code = read_all(&c, path, argc, argv, e);

    if (!code)
        code = check(&c, e);
    if (code) {
        config_end(&c);
        return code;
    }
    complete(&c);
    *out = c;
    return OK;
}

void config_end(struct config *c)
{
    option_end(config_options, config_option_count, c);
}
