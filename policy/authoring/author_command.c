#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/making.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"

#define GET(name, path, run, about)            {name, "GET", "/api/v1/" path, run, false, false, about}
#define SAY(name, method, path, run, about)    {name, method, "/api/v1/" path, run, true, false, about}
#define POLICY(name, method, path, run, about) {name, method, "/api/v1/" path, run, true, true, about}

const struct author_command author_commands[] = {
    GET("site.show", "site", site_show, "the site and its settings"),
    POLICY("site.set", "PATCH", "site", site_set, "change a setting"),
    GET("site.ca", "site/ca", site_ca, "the certificate of the site's CA"),
    SAY("catalog.add", "POST", "catalogs", catalog_add, "name a vendor's catalog"),
    GET("catalog.list", "catalogs", catalog_list, "catalogs"),
    POLICY("catalog.remove", "DELETE", "catalogs/{name}", catalog_remove, "forget a catalog"),
    GET("update.list", "updates", update_list, "updates by filter"),
    GET("update.show", "updates/{id...}", update_show, "one update"),
    SAY("update.set", "PATCH", "updates/{id...}", update_set, "the administrator's own severity"),
    POLICY("update.add", "POST", "updates", update_add, "make a command update"),
    SAY("search.save", "POST", "searches", search_save, "a filter with a name"),
    GET("search.list", "searches", search_list, "saved searches"),
    GET("search.show", "searches/{name}", search_show, "a saved search and how many it finds"),
    GET("search.run", "searches/{name}/updates", search_run, "the updates a saved search finds"),
    SAY("search.delete", "DELETE", "searches/{name}", search_delete, "forget a saved search"),
    SAY("group.create", "POST", "groups", group_create, "a group, empty or of what a filter finds"),
    SAY("group.change", "PATCH", "groups/{name}", group_change, "its description; for reports only"),
    GET("group.list", "groups", group_list, "groups"),
    GET("group.show", "groups/{name}", group_show, "a group and its updates"),
    POLICY("group.add", "POST", "groups/{name}/members", group_add, "add updates"),
    POLICY("group.remove", "DELETE", "groups/{name}/members", group_remove, "take updates out"),
    SAY("group.delete", "DELETE", "groups/{name}", group_delete, "delete a group"),
    POLICY("collection.create", "POST", "collections", collection_create, "who"),
    GET("collection.list", "collections", collection_list, "collections"),
    GET("collection.show", "collections/{name}", collection_show, "a collection and its members"),
    {"collection.preview", "POST", "/api/v1/collections/preview", collection_preview, false, false, "who a rule would select"},
    POLICY("collection.change", "PATCH", "collections/{name}", collection_change, "another rule, other members"),
    POLICY("collection.delete", "DELETE", "collections/{name}", collection_delete, "delete a collection"),
    POLICY("window.add", "POST", "collections/{collection}/windows", window_add, "when a collection's machines may be changed"),
    GET("window.list", "windows", window_list, "maintenance windows"),
    POLICY("window.remove", "DELETE", "collections/{collection}/windows/{name}", window_remove, "a window less"),
    GET("window.next", "collections/{collection}/openings", window_next, "when its windows open next"),
    POLICY("settings.set", "PATCH", "collections/{collection}/settings", settings_set, "client settings of a collection"),
    POLICY("settings.clear", "DELETE", "collections/{collection}/settings", settings_clear, "all or some of them no longer"),
    GET("settings.show", "nodes/{node}/settings", settings_show, "what holds for a node, and from which collection"),
    POLICY("orchestration.set", "PATCH", "collections/{collection}/orchestration", orchestration_set, "its members take turns"),
    POLICY("orchestration.clear", "DELETE", "collections/{collection}/orchestration", orchestration_clear, "they no longer do"),
    POLICY("deployment.create", "POST", "deployments", deployment_create, "a group to a collection"),
    GET("deployment.list", "deployments", deployment_list, "deployments"),
    GET("deployment.show", "deployments/{name}", deployment_show, "a deployment and how far it has come"),
    POLICY("deployment.change", "PATCH", "deployments/{name}", deployment_change, "times, terms, enabled"),
    POLICY("deployment.halt", "POST", "deployments/{name}/halt", deployment_halt, "nothing that has not begun begins"),
    POLICY("deployment.resume", "POST", "deployments/{name}/resume", deployment_resume, "go on after a halt"),
    GET("deployment.nodes", "deployments/{name}/nodes", deployment_nodes, "where each node stands, and why"),
    POLICY("deployment.retry", "POST", "deployments/{name}/retry", deployment_retry, "once more, to the nodes that failed"),
    POLICY("deployment.delete", "DELETE", "deployments/{name}", deployment_delete, "withdraw it"),
    SAY("template.save", "POST", "templates", template_save, "terms of deployments with a name"),
    GET("template.list", "templates", template_list, "templates"),
    GET("template.show", "templates/{name}", template_show, "a template's terms"),
    SAY("template.delete", "DELETE", "templates/{name}", template_delete, "forget a template"),
    POLICY("dp.add", "POST", "dps", dp_add, "a distribution point"),
    GET("dp.list", "dps", dp_list, "distribution points"),
    POLICY("dp.remove", "DELETE", "dps/{name}", dp_remove, "nodes no longer use it"),
    POLICY("boundary.add", "POST", "boundaries", boundary_add, "a branch"),
    GET("boundary.list", "boundaries", boundary_list, "boundary groups"),
    POLICY("boundary.link", "POST", "boundaries/{group}/links", boundary_link, "when its nodes may use a neighbour's distribution points"),
    POLICY("boundary.unlink", "DELETE", "boundaries/{group}/links/{neighbour}", boundary_unlink, "a link less"),
    POLICY("boundary.remove", "DELETE", "boundaries/{group}", boundary_remove, "forget a boundary group"),
    GET("content.list", "contents", content_list, "the library"),
    GET("content.status", "contents/status", content_status, "what each distribution point holds"),
    POLICY("content.distribute", "POST", "groups/{name}/distribute", content_distribute, "assign a group's content to distribution points"),
    SAY("node.token", "POST", "tokens", node_token, "an enrolment token: for one machine, or for many that are approved"),
    GET("node.pending", "pending", node_pending, "machines that wait for approval"),
    SAY("node.approve", "POST", "pending/{name}/approve", node_approve, "a machine that waits becomes a node"),
    SAY("node.reject", "POST", "pending/{name}/reject", node_reject, "a machine that waits does not"),
    GET("node.list", "nodes", node_list, "enrolled machines"),
    GET("node.show", "nodes/{name}", node_show, "one machine"),
    POLICY("node.retire", "DELETE", "nodes/{name}", node_retire, "it is refused from now on, everywhere"),
    GET("status.show", "status", status_show, "deployments and branches"),
    GET("why.show", "why/{node}/{update...}", why_show, "why an update is not installed"),
    GET("audit.list", "audit", audit_list, "who changed what"),
    /* rules, phases, turns, alerts */
    SAY("rule.create", "POST", "rules", rule_create, "an automatic deployment rule"),
    GET("rule.list", "rules", rule_list, "rules"),
    GET("rule.show", "rules/{name}", rule_show, "a rule, its deployments and its last runs"),
    SAY("rule.change", "PATCH", "rules/{name}", rule_change, "another filter, schedule …; from its next run on"),
    SAY("rule.delete", "DELETE", "rules/{name}", rule_delete, "what it made stays"),
    GET("rule.preview", "rules/{name}/preview", rule_preview, "what a run would select now, and why not the rest"),
    GET("rule.history", "rules/{name}/history", rule_history, "its runs"),
    SAY("rule.run", "POST", "rules/{name}/run", rule_run, "run it now"),
    SAY("rule.deployment.add", "POST", "rules/{name}/deployments", rule_deployment_add, "to whom each run's group goes"),
    GET("rule.deployment.list", "rules/{name}/deployments", rule_deployment_list, "a rule's deployments"),
    POLICY("rule.deployment.change", "PATCH", "rules/{name}/deployments/{deployment}", rule_deployment_change, "times, terms, enabled"),
    SAY("rule.deployment.remove", "DELETE", "rules/{name}/deployments/{deployment}", rule_deployment_remove, "later runs make it no more"),
    POLICY("phased.create", "POST", "phased", phased_create, "a group to one collection after the other"),
    GET("phased.list", "phased", phased_list, "phased deployments"),
    GET("phased.status", "phased/{name}", phased_status, "its phases, how far they are, and what is waited for"),
    POLICY("phased.suspend", "POST", "phased/{name}/suspend", phased_suspend, "nothing that has not begun begins"),
    POLICY("phased.resume", "POST", "phased/{name}/resume", phased_resume, "it goes on"),
    POLICY("phased.next", "POST", "phased/{name}/next", phased_next, "begin the next phase by hand"),
    POLICY("phased.delete", "DELETE", "phased/{name}", phased_delete, "forget the phases"),
    GET("phased.history", "phased/{name}/history", phased_history, "every verdict, with its figures"),
    SAY("phased.phase.add", "POST", "phased/{name}/phases", phase_add, "one more phase"),
    SAY("phased.phase.change", "PATCH", "phased/{name}/phases/{phase}", phase_change, "a phase that waits"),
    SAY("phased.phase.remove", "DELETE", "phased/{name}/phases/{phase}", phase_remove, "a phase that waits"),
    SAY("phased.phase.move", "POST", "phased/{name}/phases/{phase}/move", phase_move, "a phase that waits"),
    SAY("deploy", "POST", "deploy", deploy_run, "select, download, distribute and deploy at once"),
    GET("alert.list", "alerts", alert_list, "what wants attention"),
    SAY("alert.acknowledge", "POST", "alerts/{id}/acknowledge", alert_acknowledge, "somebody looks after it"),
    SAY("alert.postpone", "POST", "alerts/{id}/postpone", alert_postpone, "later"),
    SAY("alert.program", "POST", "alerts/program", alert_program, "who is told of alerts"),
    GET("orchestration.list", "orchestration", orchestration_list, "whose turn it is, and who waits"),
    SAY("orchestration.reset", "POST", "orchestration/{name}/reset", orchestration_reset, "take turns back"),
};
const size_t author_command_count = COUNT(author_commands);

static enum err audit(struct author *a, const struct author_command *c, const json_t *args, struct error *e)
{
    char    *what = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);
    enum err code = rows_run(a->ledger, LEDGER_AUDIT_PUT, e, "isss", a->now, a->who, c->name, what);

    free(what);
    return code;
}

/* The proposal stands in the ledger: what would the fleet do? *out: the command's answer becomes the plan. */
static enum err planned(struct author *a, const struct author_command *c, const json_t *args, json_t **out, struct error *e)
{
    json_t  *names = json_incref(json_object_get(*out, "deployments")), *plan = NULL;
    enum err code;

    if (!names && strcmp(c->name, "deployment.create"))
        return fail(e, ERR_USAGE, "%s has no plan; deployment create, phased create, rule run and deploy have", c->name);
    names = names ? names : json_pack("[s]", arg_text(args, "name"));
    code = plan_of(a, names, &plan, e);
    if (!code) {
        json_object_set(plan, "message", json_object_get(*out, "message"));
        json_decref(*out);
        *out = plan;
    }
    json_decref(names);
    return code;
}

enum err author_run(const struct author_command *c, struct author *a, const json_t *args, json_t **out, struct error *e)
{
    enum err code;

    if (!c->changes)
        return c->run(a, args, out, e);
    code = ledger_begin(a->ledger, e);
    if (code)
        return code;
    code = c->run(a, args, out, e);
    if (!code && a->plan)
        code = planned(a, c, args, out, e);
    if (!code && a->dry_run)
        return ledger_back(a->ledger, e);
    code = code ? code : audit(a, c, args, e);
    code = ledger_end(a->ledger, code, e);
    return code;
}

const char *arg_text(const json_t *args, const char *name)
{
    const char *text = json_string_value(json_object_get(args, name));

    return text && *text ? text : NULL;
}

int64_t arg_number(const json_t *args, const char *name, int64_t or_else)
{
    const json_t *value = json_object_get(args, name);

    if (json_is_integer(value))
        return json_integer_value(value);
    return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10) : or_else;
}

enum err arg_name(const json_t *args, const char *member, const char *what, const char **out, struct error *e)
{
    const char *name = arg_text(args, member);

    if (!name)
        return fail(e, ERR_USAGE, "a name for the %s is missing", what);
    if (!name_ok(name))
        return fail(e, ERR_USAGE,
                    "\"%.80s\" is not a name for a %s: lower-case letters, digits, \"-\" and \".\" are accepted, at most 64, beginning "
                    "with a letter or digit",
                    name, what);
    *out = name;
    return OK;
}

enum err as_usage(enum err code, struct error *e)
{
    if (code != ERR_VERIFY && code != ERR_NOT_FOUND)
        return code;
    if (e)
        e->code = ERR_USAGE;
    return ERR_USAGE;
}

json_t *listing(json_t *items)
{
    return json_pack("{s:o,s:I}", "items", items, "total", (json_int_t)json_array_size(items));
}

json_t *message(const char *format, ...)
{
    char    text[1000];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return json_pack("{s:s}", "message", text);
}
