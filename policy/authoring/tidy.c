/* What the site puts in order by itself: the supersedence rule, updates that are long over, content that nobody names. configmgr-semantics.md
 * 1.1 "Supersedence rule", "Garbage collection". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"

#define SETTING     "supersedence"
#define STANDARD    "3 months"
#define MONTHS_MOST 120
#define KEPT        (7 * 86400)                 /* an expired update */
#define ORPHAN      86400                       /* content without a name */

/* --- the rule --- */

char *supersedence_text(struct ledger *l)
{
    char *text = ledger_setting(l, SETTING);

    return text ? text : must_copy(STANDARD);
}

/* "3 months" → 3; 0: it is no such text. */
static int months_of(const char *text)
{
    char *end;
    long  n = strtol(text, &end, 10);

    if (n < 1 || n > MONTHS_MOST || end == text || (strcmp(end, " month") && strcmp(end, " months")))
        return 0;
    return (int)n;
}

enum err supersedence_set(struct ledger *l, const char *text, struct error *e)
{
    int64_t seconds;

    if (strcmp(text, "now") && strcmp(text, "never") && !months_of(text) && duration_read(text, &seconds, NULL))
        return fail(e, ERR_USAGE, "--supersedence: \"%.40s\" is not accepted; accepted are now, never, \"3 months\" and durations such as 30d",
                    text);
    return ledger_set(l, SETTING, text, e);
}

/* What was superseded up to then has expired. */
static int64_t threshold(struct ledger *l, int64_t now)
{
    char   *text = supersedence_text(l);
    int     months = months_of(text);
    int64_t seconds = 0, at = now;

    if (!strcmp(text, "never")) {
        at = -1;
    } else if (months) {
        struct civil c = zone_civil(NULL, now);
        c.month -= months;
        at = zone_time(NULL, c);
    } else if (strcmp(text, "now") && !duration_read(text, &seconds, NULL)) {
        at = now - seconds;
    }
    free(text);
    return at;
}

int64_t supersedence_reaches(struct author *a)
{
    return rows_number(a->ledger, LEDGER_TIDY_EXPIRING, "i", threshold(a->ledger, a->now));
}

/* Both ways: a rule that was made milder brings back what it had ended. */
static enum err apply_rule(struct author *a, json_t *out, struct error *e)
{
    int64_t  at = threshold(a->ledger, a->now);
    enum err code = rows_run(a->ledger, LEDGER_TIDY_EXPIRE, e, "ii", at, a->now);

    json_object_set_new(out, "expired", json_integer(ledger_changes(a->ledger)));
    code = code ? code : rows_run(a->ledger, LEDGER_TIDY_RESTORE, e, "i", at);
    json_object_set_new(out, "restored", json_integer(ledger_changes(a->ledger)));
    return code ? code : rows_run(a->ledger, LEDGER_TIDY_UNDATED, e, "i", a->now);
}

/* A retired node whose certificate has run out needs no word against it any more. */
static enum err end_revocations(struct author *a, json_t *out, struct error *e)
{
    enum err code = rows_run(a->ledger, LEDGER_TIDY_REVOKED, e, "i", a->now);

    json_object_set_new(out, "revocations", json_integer(ledger_changes(a->ledger)));
    return code;
}

/* --- updates that are over --- */

static enum err forget_updates(struct author *a, json_t *out, struct error *e)
{
    static const enum ledger_sql all[] = {LEDGER_TIDY_FORGET_MEMBERS, LEDGER_TIDY_FORGET_STATES, LEDGER_TIDY_FORGET_JOBS, LEDGER_TIDY_FORGET};
    json_t                      *rows = NULL, *row;
    size_t                       i;
    enum err                     code = rows_all(a->ledger, LEDGER_TIDY_GARBAGE, &rows, e, "i", a->now - KEPT);

    json_array_foreach(rows, i, row)
        for (size_t k = 0; k < COUNT(all) && !code; k++)
            code = rows_run(a->ledger, all[k], e, "s", arg_text(row, "id"));
    json_object_set_new(out, "forgotten", json_integer((json_int_t)json_array_size(rows)));
    json_decref(rows);
    return code;
}

/* --- content nobody names --- */

static void name_files(json_t *named, const json_t *files)
{
    json_t *file;
    size_t  i;

    json_array_foreach(files, i, file)
        if (arg_text(file, "sha256"))
            json_object_set_new(named, arg_text(file, "sha256"), json_true());
}

static void name_indexes(json_t *named, const json_t *archives)
{
    json_t *archive;
    size_t  i;

    json_array_foreach(archives, i, archive)
        name_files(named, json_object_get(archive, "indexes"));
}

/* {sha256}: indexes of catalogs in force, of archives that groups keep, files of command updates. */
static enum err names(struct author *a, json_t *named, struct error *e)
{
    json_t  *catalogs = NULL, *groups = NULL, *commands = NULL, *row;
    size_t   i;
    enum err code = rows_all(a->ledger, LEDGER_CATALOG_ARCHIVES, &catalogs, e, "");

    code = code ? code : rows_all(a->ledger, LEDGER_TIDY_ARCHIVES, &groups, e, "");
    code = code ? code : rows_all(a->ledger, LEDGER_TIDY_COMMANDS, &commands, e, "");
    json_array_foreach(catalogs, i, row)
        name_files(named, json_object_get(json_object_get(row, "archive"), "indexes"));
    json_array_foreach(groups, i, row) {
        name_indexes(named, json_object_get(row, "archives"));
        name_indexes(named, json_object_get(row, "wanted"));
    }
    json_array_foreach(commands, i, row)
        name_files(named, json_object_get(json_object_get(row, "json"), "files"));
    json_decref(catalogs);
    json_decref(groups);
    json_decref(commands);
    return code;
}

static enum err orphans(struct author *a, json_t *content, struct error *e)
{
    json_t  *named = json_object(), *rows = NULL, *row;
    size_t   i;
    enum err code = names(a, named, e);

    code = code ? code : rows_all(a->ledger, LEDGER_TIDY_CONTENTS, &rows, e, "");
    json_array_foreach(rows, i, row) {
        const char *hex = arg_text(row, "sha256");
        int64_t     since = arg_number(row, "orphaned", 0);
        bool        used = arg_number(row, "named", 0) || json_object_get(named, hex);
        if (!code && used == (since != 0))
            code = rows_run(a->ledger, LEDGER_CONTENT_ORPHAN, e, "si", hex, used ? (int64_t)0 : a->now);
        if (!used && since && a->now - since > ORPHAN)
            json_array_append_new(content, json_string(hex));
    }
    json_decref(named);
    json_decref(rows);
    return code;
}

enum err author_tidy(struct author *a, json_t **out, struct error *e)
{
    json_t  *answer = json_object(), *content = json_array();
    enum err code = ledger_begin(a->ledger, e);

    if (!code) {
        code = apply_rule(a, answer, e);
        code = code ? code : forget_updates(a, answer, e);
        code = code ? code : orphans(a, content, e);
        code = code ? code : end_revocations(a, answer, e);
        /* What has run out is gone for good: a clock that is set back finds nothing to make valid again. */
        code = code ? code : rows_run(a->ledger, LEDGER_TOKENS_SWEEP, e, "i", a->now);
        code = ledger_end(a->ledger, code, e);
    }
    json_object_set_new(answer, "content", content);
    json_object_set_new(answer, "changed", json_boolean(json_integer_value(json_object_get(answer, "expired")) ||
                                                        json_integer_value(json_object_get(answer, "restored")) ||
                                                        json_integer_value(json_object_get(answer, "revocations"))));
    if (code)
        json_decref(answer);
    else
        *out = answer;
    return code;
}

enum err author_forget_content(struct author *a, const char *sha256, struct error *e)
{
    enum err code = ledger_begin(a->ledger, e);

    code = code ? code : rows_run(a->ledger, LEDGER_CONTENT_FORGET, e, "s", sha256);
    if (!code && ledger_changes(a->ledger))
        code = rows_run(a->ledger, LEDGER_DP_FORGET, e, "s", sha256);
    return ledger_end(a->ledger, code, e);
}
