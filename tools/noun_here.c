/* What the user of a node types: ferry updates, install, postpone, hours, restart, poll, scan, cache. */
#include <stdio.h>

#include "base/text.h"
#include "tools/show.h"
#include "tools/verb.h"

static const struct flag install_flags[] = {
    {"at", FLAG_TEXT, NULL, "WHEN", "not before then: 22:00, \"friday 22:00\", \"tomorrow 06:00\", +2h"},
    {"after-hours", FLAG_BOOL, NULL, NULL, "when your business hours end (ferry hours)"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};
static const struct flag postpone_flags[] = {
    {"until", FLAG_TEXT, NULL, "WHEN", "as install --at; the latest the deployment allows unless given"},
    {NULL, FLAG_BOOL, NULL, NULL, NULL},
};

/* `ferry hours` shows them, `ferry hours mon-fri 08:00-18:00` sets them, quoted or not. */
static enum err run_hours(struct invocation *in, struct error *e)
{
    AUTO(text_end) struct text text = {0};
    json_t  *answer = NULL, *args, *word;
    size_t   i;
    enum err code;

    json_array_foreach(json_object_get(in->args, "hours"), i, word) text_add(&text, "%s%s", i ? " " : "", json_string_value(word));
    args = text.length ? json_pack("{s:s}", "hours", text.data) : json_object();
    code = verb_ask_at(in, text.length ? "POST" : "GET", "/api/v1/node/hours", args, &answer, e);
    if (!code)
        verb_show(in, answer);
    json_decref(args);
    json_decref(answer);
    return code;
}

const struct verb here_verbs[] = {
    {"updates", "", NULL, NULL, "GET", "/api/v1/node/updates", "name:NAME version:VERSION state:STATE text:WHAT_HAPPENS:text", NULL,
     "on a node: its updates and what will happen to them", NULL},
    {"install", "", "UPDATE", install_flags, "POST", "/api/v1/node/install", NULL, NULL,
     "on a node: install it now or at a time you choose, not at the deadline", "ferry install openssl --after-hours"},
    {"postpone", "", "UPDATE", postpone_flags, "POST", "/api/v1/node/postpone", NULL, NULL,
     "on a node: install it later, as far as its deployment allows", "ferry postpone openssl --until 'tomorrow 12:00'"},
    {"hours", "", "[HOURS…]", NULL, "POST", NULL, NULL, run_hours,
     "on a node: your business hours, outside of which updates are welcome; none takes them away", "ferry hours 'mon-fri 08:00-18:00'"},
    {"restart", "", NULL, NULL, "POST", "/api/v1/node/restart", NULL, NULL, "on a node: restart now, if an installation wants a restart", NULL},
    {"poll", "", NULL, NULL, "POST", "/api/v1/node/poll", NULL, NULL, "on a node: ask for policy now", NULL},
    {"scan", "", NULL, NULL, "POST", "/api/v1/node/scan", NULL, NULL, "on a node: look again what is installed", NULL},
    {"cache", "", NULL, NULL, "GET", "/api/v1/node/cache", "sha256:SHA-256 size:SIZE:size referenced:REFERENCED:time", NULL,
     "on a node: the content it keeps", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
