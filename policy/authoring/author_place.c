/* Where: boundaries, the site's settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/making.h"
#include "policy/authoring/noun.h"
#include "policy/authoring/rollout.h"
#include "policy/document/json.h"

#define POLL_MOST 604800                        /* as nodes read it */

enum err url_base(const char *url, char **out, struct error *e)
{
    size_t n = url ? strlen(url) : 0;

    if (!n || n > 512 || (strncmp(url, "http://", 7) && strncmp(url, "https://", 8)) || strpbrk(url, " \t\r\n"))
        return fail(e, ERR_USAGE, "--url has to begin with http:// or https://, hold no blanks and be at most 512 bytes long");
    while (n && url[n - 1] == '/')
        n--;
    *out = must_print("%.*s", (int)n, url);
    return OK;
}

/* What listens there speaks TLS and nothing else. */
enum err author_set_url(struct ledger *l, const char *url, struct error *e)
{
    AUTO(text_free) char *base = NULL;
    enum err              code = url_base(url, &base, e);

    if (!code && strncmp(base, "https://", 8))
        code = fail(e, ERR_USAGE, "--url of a site has to begin with https://: nodes know it by its key, and it speaks nothing else");
    return code ? code : ledger_set(l, "site.url", base, e);
}

#define WAN_MOST  100000000                     /* kbit/s: 100 Gbit/s */
#define LINKS_MOST 256                          /* as nodes read it */
#define LINK_MOST 10080                         /* minutes, likewise */
#define LINK      120                           /* configmgr-semantics.md 1.11 */

enum err boundary_add(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = NULL;
    json_t     *cidrs = json_object_get(args, "cidrs"), *dps = json_object_get(args, "dps"), *item;
    int64_t     wan = arg_number(args, "wan", -1);
    size_t      i;
    char       *cidr_text, *dp_text;
    enum err    code = arg_name(args, "group", "boundary group", &name, e);

    if (!code && !json_array_size(cidrs))
        code = fail(e, ERR_USAGE, "--cidr is missing: which addresses are this branch's?");
    if (!code && json_object_get(args, "wan") && (wan < 0 || wan > WAN_MOST))
        code = fail(e, ERR_USAGE, "--wan is its line in kbit/s: a number from 1 to %d, 0 for not known", WAN_MOST);
    json_array_foreach(cidrs, i, item) if (!code && (!json_is_string(item) || !cidr_ok(json_string_value(item)))) code =
        fail(e, ERR_USAGE, "\"%s\" is no address with a prefix such as 10.1.0.0/16", json_is_string(item) ? json_string_value(item) : "");
    json_array_foreach(dps, i, item)
        if (!code && !rows_number(a->ledger, LEDGER_DP_HAS, "s", json_string_value(item) ? json_string_value(item) : ""))
            code = no_such(a->ledger, LEDGER_DP_NAMES, "distribution point", json_string_value(item) ? json_string_value(item) : "", e);
    cidr_text = json_array_size(cidrs) ? json_dumps(cidrs, JSON_COMPACT) : must_copy("[]");
    dp_text = json_array_size(dps) ? json_dumps(dps, JSON_COMPACT) : must_copy("[]");
    code = code ? code : rows_run(a->ledger, LEDGER_BOUNDARY_PUT, e, "sss", name, cidr_text, dp_text);
    if (!code && wan >= 0)
        code = rows_run(a->ledger, LEDGER_BOUNDARY_WAN, e, "si", name, wan);
    if (!code)
        *out = message("boundary group %s", name);
    free(cidr_text);
    free(dp_text);
    return code;
}

static char *links_text(const json_t *links)
{
    struct text out = {0};
    json_t     *link;
    size_t      i;

    json_array_foreach(links, i, link) {
        int64_t minutes = arg_number(link, "minutes", 0);
        text_add(&out, "%s%s ", i ? ", " : "", arg_text(link, "group"));
        text_add(&out, minutes < 0 ? "never" : "after %lldm", (long long)minutes);
    }
    return text_take(&out);
}

enum err boundary_list(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    json_t  *rows = NULL, *row, *links;
    size_t   i;
    char    *text;
    enum err code = rows_all(a->ledger, LEDGER_BOUNDARIES, &rows, e, "");

    (void)args;
    json_array_foreach(rows, i, row) {
        links = NULL;
        code = code ? code : rows_all(a->ledger, LEDGER_LINKS, &links, e, "s", arg_text(row, "group"));
        text = links_text(links);
        json_object_set_new(row, "neighbours", json_string(text));
        free(text);
        json_decref(links);
    }
    if (!code)
        *out = listing(rows);
    return code;
}

enum err boundary_remove(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *name = arg_text(args, "group");
    enum err    code;

    if (!name || !rows_number(a->ledger, LEDGER_BOUNDARY_HAS, "s", name))
        return no_such(a->ledger, LEDGER_BOUNDARY_NAMES, "boundary group", name ? name : "", e);
    code = rows_run(a->ledger, LEDGER_BOUNDARY_DROP, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_LINKS_DROP, e, "s", name);
    code = code ? code : rows_run(a->ledger, LEDGER_SETTING_DROP_IF, e, "ss", "default-group", name);
    if (!code)
        *out = message("boundary group %s is gone", name);
    return code;
}

/* --- links: one way; a node of GROUP may use NEIGHBOUR's distribution points after so long --- */

static enum err two_groups(struct author *a, const json_t *args, const char **group, const char **neighbour, struct error *e)
{
    *group = arg_text(args, "group") ? arg_text(args, "group") : "";
    *neighbour = arg_text(args, "neighbour") ? arg_text(args, "neighbour") : "";
    if (!rows_number(a->ledger, LEDGER_BOUNDARY_HAS, "s", *group))
        return no_such(a->ledger, LEDGER_BOUNDARY_NAMES, "boundary group", *group, e);
    if (!rows_number(a->ledger, LEDGER_BOUNDARY_HAS, "s", *neighbour))
        return no_such(a->ledger, LEDGER_BOUNDARY_NAMES, "boundary group", *neighbour, e);
    return strcmp(*group, *neighbour) ? OK : fail(e, ERR_USAGE, "boundary group %s cannot be its own neighbour", *group);
}

static enum err after_read(const char *text, int64_t *minutes, struct error *e)
{
    int64_t  seconds = 0;
    enum err code;

    *minutes = LINK;
    if (text && !strcmp(text, "never"))
        *minutes = -1;
    if (!text || *minutes < 0)
        return OK;
    code = duration_read(text, &seconds, e);
    *minutes = (seconds + 59) / 60;
    if (!code && *minutes > LINK_MOST)
        code = fail(e, ERR_USAGE, "--after is at most a week, or never");
    return code;
}

enum err boundary_link(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *group, *neighbour;
    int64_t     minutes;
    enum err    code = two_groups(a, args, &group, &neighbour, e);

    code = code ? code : after_read(arg_text(args, "after"), &minutes, e);
    code = code ? code : rows_run(a->ledger, LEDGER_LINK_PUT, e, "ssi", group, neighbour, minutes);
    if (!code && rows_number(a->ledger, LEDGER_LINK_COUNT, "s", group) > LINKS_MOST)
        code = fail(e, ERR_CONDITION, "boundary group %s would have more than %d neighbours", group, LINKS_MOST);
    if (code)
        return code;
    *out = minutes < 0 ? message("nodes of %s never use the distribution points of %s", group, neighbour)
                       : message("nodes of %s use the distribution points of %s after %lld min", group, neighbour, (long long)minutes);
    return OK;
}

enum err boundary_unlink(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    const char *group, *neighbour;
    enum err    code = two_groups(a, args, &group, &neighbour, e);

    code = code ? code : rows_run(a->ledger, LEDGER_LINK_DROP, e, "ss", group, neighbour);
    if (!code && !ledger_changes(a->ledger))
        code = fail(e, ERR_NOT_FOUND, "boundary group %s has no link to %s", group, neighbour);
    if (!code)
        *out = message("boundary group %s has no link to %s any more", group, neighbour);
    return code;
}

static void setting_out(struct author *a, json_t *o, const char *setting, const char *member, const char *or_else)
{
    char *value = ledger_setting(a->ledger, setting);

    json_object_set_new(o, member, json_string(value ? value : or_else));
    free(value);
}

enum err site_show(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    char *rule = supersedence_text(a->ledger);

    (void)args;
    (void)e;
    *out = json_object();
    setting_out(a, *out, "site.name", "name", "");
    setting_out(a, *out, "site.id", "id", "");
    setting_out(a, *out, "site.url", "url", "");
    setting_out(a, *out, "poll", "poll", "3600");
    setting_out(a, *out, "default-group", "default_group", "");
    setting_out(a, *out, "timezone", "timezone", "UTC");
    setting_out(a, *out, "sync", "sync", "");
    setting_out(a, *out, "alert-program", "alert_program", "");
    json_object_set_new(*out, "supersedence", json_string(rule));
    json_object_set_new(*out, "nodes", json_integer(rows_number(a->ledger, LEDGER_NODE_COUNT, "")));
    free(rule);
    return OK;
}

enum err site_ca(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    AUTO(text_free) char *pem = ledger_setting(a->ledger, "site.ca"), *pin = ledger_setting(a->ledger, "site.pin");

    (void)args;
    if (!pem || !pin)
        return fail(e, ERR_CONDITION, "this site has no CA yet: it gets one when a ferryd opens it");
    *out = json_pack("{s:s,s:s}", "ca", pem, "site_pin", pin);
    return OK;
}

static enum err set_poll(struct author *a, const char *poll, struct error *e)
{
    int64_t  seconds = 0;
    char     text[32];
    enum err code = duration_read(poll, &seconds, e);

    if (!code && seconds > POLL_MOST)
        code = fail(e, ERR_USAGE, "--poll is at most a week");
    snprintf(text, sizeof text, "%lld", (long long)(seconds < 1 ? 1 : seconds));
    return code ? code : ledger_set(a->ledger, "poll", text, e);
}

static enum err set_group(struct author *a, const char *group, struct error *e)
{
    if (!rows_number(a->ledger, LEDGER_BOUNDARY_HAS, "s", group))
        return no_such(a->ledger, LEDGER_BOUNDARY_NAMES, "boundary group", group, e);
    return ledger_set(a->ledger, "default-group", group, e);
}

static enum err set_url(struct author *a, const char *url, struct error *e)
{
    return author_set_url(a->ledger, url, e);
}

enum err author_set_timezone(struct ledger *l, const char *name, struct error *e)
{
    struct zone *zone = NULL;
    enum err     code = zone_open(name, &zone, e);

    code = code ? code : ledger_set(l, "timezone", zone_name(zone), e);
    zone_close(zone);
    return code;
}

static enum err set_timezone(struct author *a, const char *name, struct error *e)
{
    return as_usage(author_set_timezone(a->ledger, name, e), e);
}

static enum err set_supersedence(struct author *a, const char *text, struct error *e)
{
    return supersedence_set(a->ledger, text, e);
}

static enum err set_sync(struct author *a, const char *text, struct error *e)
{
    return author_set_sync(a, text, e);
}

static const struct {
    const char *member;
    enum err  (*set)(struct author *, const char *value, struct error *);
} settings[] = {
    {"url", set_url},           {"poll", set_poll},         {"default_group", set_group},
    {"timezone", set_timezone}, {"supersedence", set_supersedence}, {"sync", set_sync},
};

enum err site_set(struct author *a, const json_t *args, json_t **out, struct error *e)
{
    struct text done = {0};
    int64_t     expiring;
    enum err    code = OK;

    for (size_t i = 0; i < COUNT(settings) && !code; i++)
        if (arg_text(args, settings[i].member)) {
            code = settings[i].set(a, arg_text(args, settings[i].member), e);
            text_add(&done, "%s%s %s", done.length ? ", " : "", settings[i].member, arg_text(args, settings[i].member));
        }
    if (!code && !done.length)
        code = fail(e, ERR_USAGE, "nothing to set: --url, --poll, --default-group, --timezone, --supersedence and --sync are accepted");
    if (!code && arg_text(args, "supersedence")) {
        expiring = supersedence_reaches(a);
        text_add(&done, "; by that rule %lld superseded updates expire within the hour", (long long)expiring);
    }
    if (!code)
        *out = message("the site has %s", done.data);
    text_end(&done);
    return code;
}
