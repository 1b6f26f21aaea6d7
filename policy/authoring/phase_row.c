/* A phase in its three forms: the administrator's "pilot,success=95%", the ledger's row, the struct. */
#include "policy/authoring/phase_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/document/json.h"

#define YEAR (365 * 86400)
#define GATE(name) offsetof(struct phase, gate.name)
#define FIGURE(name) {#name, MEMBER_NUMBER, offsetof(struct phase_figures, name), 0, 0, INT64_MAX, NULL, false, ""}

/* As they are kept, in the row and in the history. */
static const struct member gate_table[] = {
    {"success_percent", MEMBER_NUMBER, GATE(success_percent), 95, 0, 100, NULL, false, ""},
    {"success_count", MEMBER_NUMBER, GATE(success_count), 0, 0, 10000000, NULL, false, ""},
    {"halt_percent", MEMBER_NUMBER, GATE(halt_percent), 100, 0, 100, NULL, false, ""},
    {"sample", MEMBER_NUMBER, GATE(sample), 1, 1, 10000000, NULL, false, ""},
    {"silence", MEMBER_DURATION, GATE(silence_s), 0, 0, YEAR, NULL, false, ""},
    {"soak", MEMBER_DURATION, GATE(soak_s), 0, 0, YEAR, NULL, false, ""},
    {"progress", MEMBER_DURATION, GATE(progress_s), 0, 0, YEAR, NULL, false, ""},
    {"accepted", MEMBER_NUMBER, offsetof(struct phase, accepted), 0, 0, 10000000, NULL, false, ""},
};
static const struct member figures_table[] = {
    FIGURE(nodes), FIGURE(compliant), FIGURE(failed), FIGURE(in_progress), FIGURE(unknown), FIGURE(silent), FIGURE(began), FIGURE(succeeded),
};

json_t *judged_print(const struct gate *g, const struct phase_figures *f, int64_t now)
{
    json_t      *gate = json_object(), *figures = json_object();
    struct phase p = {.gate = *g};

    members_print(gate_table, COUNT(gate_table), &p, gate, true);
    members_print(figures_table, COUNT(figures_table), f, figures, true);
    return json_pack("{s:o,s:o,s:I}", "gate", gate, "figures", figures, "now", (json_int_t)now);
}

enum err judged_read(const json_t *json, struct gate *g, struct phase_figures *f, int64_t *now, struct error *e)
{
    struct reader gate, figures;
    struct phase  p;
    enum err      code;

    reader_init(&gate, json_object_get(json, "gate"), "gate", e);
    members_read(&gate, gate_table, COUNT(gate_table), &p, true);
    code = reader_done(&gate);
    *g = p.gate;
    reader_init(&figures, json_object_get(json, "figures"), "figures", e);
    members_read(&figures, figures_table, COUNT(figures_table), f, true);
    *now = arg_number(json, "now", 0);
    return code ? code : reader_done(&figures);
}

static const char *const states[] = {
#define X(name, word) word,
    PHASE_STATE_LIST(X)
#undef X
};

const char *phase_state_word(enum phase_state s)
{
    return states[s];
}

static enum phase_state state_of(const char *word)
{
    size_t i = 0;

    while (i + 1 < COUNT(states) && strcmp(states[i], word))
        i++;
    return (enum phase_state)i;
}

void phase_default(struct phase *p, bool first)
{
    *p = (struct phase){.begin = BEGIN_AFTER, .after_s = first ? 0 : 86400, .deadline_s = 7 * 86400, .state = PHASE_WAITING, .deployment = ""};
    members_default(gate_table, COUNT(gate_table), p);
    members_default(terms_table, terms_count, &p->terms);
}

enum err phase_from_row(const json_t *row, struct phase *p, struct error *e)
{
    struct reader r;
    enum err      code = terms_stored(json_object_get(row, "terms"), &p->terms, e);

    reader_init(&r, json_object_get(row, "gate"), "gate", e);
    members_read(&r, gate_table, COUNT(gate_table), p, true);
    code = code ? code : reader_done(&r);
    p->position = arg_number(row, "position", 0);
    p->collection = arg_text(row, "collection");
    p->begin = arg_text(row, "begin_by") && !strcmp(arg_text(row, "begin_by"), "hand") ? BEGIN_BY_HAND : BEGIN_AFTER;
    p->after_s = arg_number(row, "after_s", 0);
    p->deadline_s = arg_number(row, "deadline_s", 0);
    p->state = state_of(arg_text(row, "state"));
    p->deployment = arg_text(row, "deployment") ? arg_text(row, "deployment") : "";
    p->began = arg_number(row, "began", 0);
    p->succeeded = arg_number(row, "succeeded", 0);
    p->success_at = arg_number(row, "success_at", 0);
    return code;
}

enum err phase_store(struct author *a, enum ledger_sql sql, const char *phased, const struct phase *p, struct error *e)
{
    json_t  *gate = json_object();
    char    *text, *terms = terms_text(&p->terms);
    enum err code;

    members_print(gate_table, COUNT(gate_table), p, gate, true);
    text = json_dumps(gate, JSON_COMPACT);
    code = rows_run(a->ledger, sql, e, "sisssiis", phased, p->position, p->collection, text, p->begin == BEGIN_BY_HAND ? "hand" : "after",
                    p->after_s, p->deadline_s, terms);
    json_decref(gate);
    free(text);
    free(terms);
    return code;
}

json_t *phase_show(const struct phase *p)
{
    char    begin[32], deadline[24], success[24], halt[24], gradual[24], soak[24];
    json_t *o;

    snprintf(begin, sizeof begin, "manual");
    if (p->begin == BEGIN_AFTER)
        offset_print(p->after_s, begin);
    snprintf(success, sizeof success, p->gate.success_count ? "%lld" : "%lld %%",
             (long long)(p->gate.success_count ? p->gate.success_count : p->gate.success_percent));
    snprintf(halt, sizeof halt, "%lld %%", (long long)p->gate.halt_percent);
    o = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "position", (json_int_t)p->position, "collection", p->collection, "state",
                  phase_state_word(p->state), "deployment", p->deployment, "begin", begin, "success", success, "halt",
                  p->gate.halt_percent == 100 ? "never" : halt, "deadline", offset_print(p->deadline_s, deadline), "gradual",
                  p->terms.gradual_s ? offset_print(p->terms.gradual_s, gradual) : "", "soak",
                  p->gate.soak_s ? offset_print(p->gate.soak_s, soak) : "");
    if (p->accepted)
        json_object_set_new(o, "accepted", json_integer(p->accepted));
    put_time(o, "began", p->began);
    put_time(o, "success_at", p->success_at);
    return o;
}

/* --- "pilot,success=95%,halt=5%,begin=+1d" --- */

static enum err key_duration(const char *key, const char *value, int64_t high, int64_t *out, struct error *e)
{
    int64_t  seconds;
    enum err code = offset_read(value, key, &seconds, e);

    if (code)
        return fail(e, ERR_USAGE, "%s=%.40s: a duration such as 2h or 3d was expected", key, value);
    if (seconds > high)
        return fail(e, ERR_USAGE, "%s=%.40s: at most %lld days", key, value, (long long)(high / 86400));
    *out = seconds;
    return OK;
}

static enum err key_number(const char *key, const char *value, int64_t low, int64_t high, bool percent, int64_t *out, struct error *e)
{
    char     *end;
    long long n = strtoll(value, &end, 10);

    if (!*value || end == value || strcmp(end, percent ? "%" : "") || n < low || n > high)
        return fail(e, ERR_USAGE, "%s=%.40s: a %s from %lld to %lld was expected", key, value, percent ? "percentage" : "number",
                    (long long)low, (long long)high);
    *out = n;
    return OK;
}

static enum err key_success(struct phase *p, const char *value, struct error *e)
{
    if (strchr(value, '%')) {
        p->gate.success_count = 0;
        return key_number("success", value, 0, 100, true, &p->gate.success_percent, e);
    }
    return key_number("success", value, 1, 10000000, false, &p->gate.success_count, e);
}

static enum err key_begin(struct phase *p, const char *value, struct error *e)
{
    if (!strcmp(value, "manual")) {
        p->begin = BEGIN_BY_HAND;
        return OK;
    }
    p->begin = BEGIN_AFTER;
    return key_duration("begin", !strcmp(value, "now") ? "0" : value, YEAR, &p->after_s, e);
}

static enum err key_take(struct phase *p, const char *key, const char *value, struct error *e)
{
    static const char *const keys[] = {"success", "halt", "sample", "silence", "soak", "progress", "begin", "gradual", "deadline"};
    const char              *near;

    if (!strcmp(key, "success"))
        return key_success(p, value, e);
    if (!strcmp(key, "halt"))
        return key_number("halt", value, 0, 100, true, &p->gate.halt_percent, e);
    if (!strcmp(key, "sample"))
        return key_number("sample", value, 1, 10000000, false, &p->gate.sample, e);
    if (!strcmp(key, "silence"))
        return key_duration("silence", value, YEAR, &p->gate.silence_s, e);
    if (!strcmp(key, "soak"))
        return key_duration("soak", value, YEAR, &p->gate.soak_s, e);
    if (!strcmp(key, "progress"))
        return key_duration("progress", value, YEAR, &p->gate.progress_s, e);
    if (!strcmp(key, "begin"))
        return key_begin(p, value, e);
    if (!strcmp(key, "gradual"))
        return key_duration("gradual", value, 30 * 86400, &p->terms.gradual_s, e);
    if (!strcmp(key, "deadline"))
        return key_duration("deadline", !strcmp(value, "now") || !strcmp(value, "asap") ? "0" : value, YEAR, &p->deadline_s, e);
    near = nearest(key, keys, COUNT(keys));
    return fail(e, ERR_USAGE,
                "a phase has no \"%.40s\"%s%s%s; success, halt, sample, silence, soak, progress, begin, gradual and deadline are accepted", key,
                near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
}

enum err phase_take(const char *spec, bool collection, struct phase *p, json_t **kept, struct error *e)
{
    char    *copy = must_copy(spec), *save = NULL;
    size_t   n = 0;
    enum err code = OK;

    *kept = NULL;
    for (char *part = strtok_r(copy, ",", &save); part && !code; part = strtok_r(NULL, ",", &save), n++) {
        char *equals;
        part += strspn(part, " ");
        equals = strchr(part, '=');
        if (!n && collection && !equals) {
            *kept = json_string(part);
            p->collection = json_string_value(*kept);
        } else if (equals) {
            *equals = 0;
            code = key_take(p, part, equals + 1, e);
        } else {
            code = fail(e, ERR_USAGE, "\"%.60s\": KEY=VALUE was expected, such as success=95%%", part);
        }
    }
    if (!code && collection && !*kept)
        code = fail(e, ERR_USAGE, "a phase begins with its collection: pilot,success=95%%,halt=5%%");
    if (code) {
        json_decref(*kept);
        *kept = NULL;
    }
    free(copy);
    return code;
}

enum err phase_check(struct author *a, const struct phase *p, struct error *e)
{
    if (!p->collection || !rows_number(a->ledger, LEDGER_COLLECTION_HAS, "s", p->collection))
        return no_such(a->ledger, LEDGER_COLLECTION_NAMES, "collection", p->collection ? p->collection : "", e);
    if (p->terms.purpose != PURPOSE_REQUIRED)
        return fail(e, ERR_USAGE, "a phase is judged by who is compliant: its deployment is required, not optional");
    return terms_check(&p->terms, 1, 1 + p->deadline_s, e);
}
