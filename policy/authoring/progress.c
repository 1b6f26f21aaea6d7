#include "policy/authoring/progress.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/authoring/noun.h"

/* Sets of nodes: bit i is the i-th of progress.nodes. */
typedef uint64_t *set;

/* What the nodes said of one update. */
struct column {
    set failed, unknown, waiting;               /* waiting: required, or installed but for a restart */
};

struct progress {
    struct author *a;
    json_t        *nodes, *places;              /* rows; {id: place} */
    size_t         count, words;
    json_t        *generations;                 /* {catalog: [generation of the node's last scan, by place]} */
    json_t        *column_at, *member_at;       /* {update: index of columns}, {collection: index of members} */
    struct column *columns;
    size_t         column_count;
    set           *members;
    size_t         member_count;
    enum standing *standings;
};

static const char *const standings[] = {
#define X(name, word) word,
    STANDING_LIST(X)
#undef X
};

const char *standing_word(enum standing s)
{
    return standings[s];
}

bool standing_by_word(const char *word, enum standing *out)
{
    for (size_t i = STANDING_COMPLIANT; i < STANDING_COUNT; i++)
        if (!strcmp(standings[i], word)) {
            *out = (enum standing)i;
            return true;
        }
    return false;
}

static set set_new(const struct progress *p)
{
    return must_alloc((p->words + 1) * sizeof(uint64_t));
}

static bool set_has(const uint64_t *s, size_t i)
{
    return s[i / 64] >> (i % 64) & 1;
}

static void set_put(set s, size_t i)
{
    s[i / 64] |= (uint64_t)1 << (i % 64);
}

static void set_add(const struct progress *p, set to, const uint64_t *more)
{
    for (size_t w = 0; w < p->words; w++)
        to[w] |= more[w];
}

/* The node of a row, if it is one of ours: retired ones may still have rows. */
static bool place_of(const struct progress *p, const json_t *row, size_t *out)
{
    const char   *id = arg_text(row, "node");
    const json_t *place = id ? json_object_get(p->places, id) : NULL;

    *out = (size_t)json_integer_value(place);
    return place != NULL;
}

/* --- reading --- */

struct taker {
    const struct progress *p;
    set                    one, other;
    const char            *word;                /* rows that say this go into one, the rest into other */
    const char            *member;
};

static void take_row(void *ctx, const json_t *row)
{
    struct taker *t = ctx;
    const char   *word = t->word ? arg_text(row, t->member) : NULL;
    size_t        place;

    if (place_of(t->p, row, &place))
        set_put(!t->word || (word && !strcmp(word, t->word)) ? t->one : t->other, place);
}

static void take_generation(void *ctx, const json_t *row)
{
    struct progress *p = ctx;
    const char      *catalog = arg_text(row, "name");
    json_t          *list = json_object_get(p->generations, catalog);
    size_t           place;

    if (!place_of(p, row, &place))
        return;
    if (!list) {
        list = json_array();
        for (size_t i = 0; i < p->count; i++)
            json_array_append_new(list, json_integer(-1));
        json_object_set_new(p->generations, catalog, list);
    }
    json_array_set(list, place, json_object_get(row, "generation"));
}

enum err progress_open(struct author *a, struct progress **out, struct error *e)
{
    struct progress *p = must_alloc(sizeof *p);
    json_t          *node;
    size_t           i;
    enum err         code = rows_all(a->ledger, LEDGER_NODE_FACTS, &p->nodes, e, "");

    p->a = a;
    p->places = json_object();
    p->generations = json_object();
    p->column_at = json_object();
    p->member_at = json_object();
    p->count = json_array_size(p->nodes);
    p->words = (p->count + 63) / 64;
    p->standings = must_alloc((p->count + 1) * sizeof *p->standings);
    json_array_foreach(p->nodes, i, node)
        json_object_set_new(p->places, arg_text(node, "id"), json_integer((json_int_t)i));
    code = code ? code : rows_each(a->ledger, LEDGER_SCANNED_CATALOGS, take_generation, p, e, "");
    if (code)
        progress_close(p);
    else
        *out = p;
    return code;
}

void progress_close(struct progress *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->column_count; i++) {
        free(p->columns[i].failed);
        free(p->columns[i].unknown);
        free(p->columns[i].waiting);
    }
    for (size_t i = 0; i < p->member_count; i++)
        free(p->members[i]);
    free(p->columns);
    free(p->members);
    free(p->standings);
    json_decref(p->nodes);
    json_decref(p->places);
    json_decref(p->generations);
    json_decref(p->column_at);
    json_decref(p->member_at);
    free(p);
}

const json_t *progress_nodes(const struct progress *p)
{
    return p->nodes;
}

/* --- one update --- */

/* Who could not have known of it at the last scan, and said nothing of it either: not "not required", unknown. See KNOWN in ledger_sql.h. */
static enum err add_ignorant(struct progress *p, const json_t *update, set unknown, struct error *e)
{
    const json_t *generations = json_object_get(p->generations, arg_text(update, "catalog"));
    int64_t       added = arg_number(update, "added", 0);
    struct taker  known = {.p = p, .one = set_new(p)};
    bool          all = true;
    enum err      code;

    for (size_t i = 0; i < p->count; i++) {
        const json_t *generation = json_array_get(generations, i);
        if (generation && json_integer_value(generation) >= 0 && json_integer_value(generation) >= added)
            set_put(known.one, i);
        else
            all = false;
    }
    code = all ? OK : rows_each(p->a->ledger, LEDGER_SCANNED_WITH, take_row, &known, e, "s", arg_text(update, "update_id"));
    if (!code && !all)
        code = rows_each(p->a->ledger, LEDGER_UPDATE_SPOKEN, take_row, &known, e, "s", arg_text(update, "update_id"));
    for (size_t i = 0; i < p->count && !all; i++)
        if (!set_has(known.one, i))
            set_put(unknown, i);
    free(known.one);
    return code;
}

static enum err column_read(struct progress *p, const json_t *update, struct column *c, struct error *e)
{
    struct ledger *l = p->a->ledger;
    const char    *id = arg_text(update, "update_id");
    struct taker   states = {p, set_new(p), set_new(p), "required", "state"};
    struct taker   troubles = {p, set_new(p), set_new(p), "restart-pending", "enforcement"};
    enum err       code = rows_each(l, LEDGER_UPDATE_OPEN, take_row, &states, e, "s", id);

    code = code ? code : rows_each(l, LEDGER_UPDATE_TROUBLES, take_row, &troubles, e, "s", id);
    code = code ? code : add_ignorant(p, update, states.other, e);
    for (size_t w = 0; w < p->words; w++)
        troubles.other[w] &= states.one[w] | states.other[w];       /* failed, and then installed by hand: installed */
    set_add(p, states.one, troubles.one);
    free(troubles.one);
    *c = (struct column){.failed = troubles.other, .unknown = states.other, .waiting = states.one};
    return code;
}

static enum err column_of(struct progress *p, const json_t *update, const struct column **out, struct error *e)
{
    const char   *id = arg_text(update, "update_id");
    const json_t *at = json_object_get(p->column_at, id);
    enum err      code = OK;

    if (!at) {
        p->columns = must_grow(p->columns, p->column_count + 1, sizeof *p->columns);
        code = column_read(p, update, &p->columns[p->column_count++], e);
        json_object_set_new(p->column_at, id, json_integer((json_int_t)p->column_count - 1));
        at = json_object_get(p->column_at, id);
    }
    *out = &p->columns[json_integer_value(at)];
    return code;
}

/* --- one deployment --- */

static enum err members_of(struct progress *p, const char *name, const uint64_t **out, struct error *e)
{
    const json_t      *at = json_object_get(p->member_at, name);
    struct collection *c = NULL;
    json_t            *node;
    size_t             i;
    enum err           code = OK;

    if (at) {
        *out = p->members[json_integer_value(at)];
        return OK;
    }
    code = collection_whole(p->a->ledger, name, &c, e);
    if (code)
        return code;
    p->members = must_grow(p->members, p->member_count + 1, sizeof *p->members);
    p->members[p->member_count] = set_new(p);
    json_array_foreach(p->nodes, i, node)
        if (collection_has(c, arg_text(node, "id"), json_object_get(node, "facts"), p->a->now, NULL))
            set_put(p->members[p->member_count], i);
    json_object_set_new(p->member_at, name, json_integer((json_int_t)p->member_count));
    *out = p->members[p->member_count++];
    collection_free(c);
    return OK;
}

static bool silent(const json_t *node, const struct tally *t)
{
    int64_t last = arg_number(node, "last_contact", 0);

    return t->silent_before && (last > t->since ? last : t->since) < t->silent_before;
}

static enum standing judge(const struct progress *p, size_t i, const struct column *worst, const struct tally *t)
{
    const json_t *node = json_array_get(p->nodes, i);
    enum standing s = set_has(worst->waiting, i) ? STANDING_PROGRESS : STANDING_COMPLIANT;

    if (set_has(worst->failed, i))
        return STANDING_FAILED;
    if (set_has(worst->unknown, i) || !arg_number(node, "scanned", 0))
        s = STANDING_UNKNOWN;
    return s != STANDING_COMPLIANT && silent(node, t) ? STANDING_SILENT : s;
}

static void count(struct tally *t, enum standing s)
{
    int64_t *counts[STANDING_COUNT] = {
        [STANDING_COMPLIANT] = &t->compliant, [STANDING_PROGRESS] = &t->in_progress, [STANDING_UNKNOWN] = &t->unknown,
        [STANDING_FAILED] = &t->failed,       [STANDING_SILENT] = &t->silent,
    };

    ++*counts[s];
    t->total++;
}

enum err progress_of(struct progress *p, const json_t *row, struct tally *t, const enum standing **out, struct error *e)
{
    struct column   worst = {set_new(p), set_new(p), set_new(p)};
    const uint64_t *members = NULL;
    json_t         *updates = NULL, *update;
    size_t          i;
    enum err        code = members_of(p, arg_text(row, "collection"), &members, e);

    code = code ? code : rows_all(p->a->ledger, LEDGER_GROUP_JUDGED, &updates, e, "s", arg_text(row, "group"));
    json_array_foreach(updates, i, update) {
        const struct column *c = NULL;
        code = code ? code : column_of(p, update, &c, e);
        if (code)
            break;
        set_add(p, worst.failed, c->failed);
        set_add(p, worst.unknown, c->unknown);
        set_add(p, worst.waiting, c->waiting);
    }
    for (i = 0; i < p->count && !code; i++) {
        p->standings[i] = set_has(members, i) ? judge(p, i, &worst, t) : STANDING_NONE;
        if (p->standings[i] != STANDING_NONE)
            count(t, p->standings[i]);
    }
    if (out)
        *out = p->standings;
    json_decref(updates);
    free(worst.failed);
    free(worst.unknown);
    free(worst.waiting);
    return code;
}

enum err tally_deployment(struct author *a, const json_t *row, struct tally *t, struct error *e)
{
    struct progress *p;
    enum err         code = progress_open(a, &p, e);

    if (code)
        return code;
    code = progress_of(p, row, t, NULL, e);
    progress_close(p);
    return code;
}

void tally_print(const struct tally *t, json_t *row)
{
    json_object_set_new(row, "compliant", json_integer(t->compliant));
    json_object_set_new(row, "in_progress", json_integer(t->in_progress));
    json_object_set_new(row, "failed", json_integer(t->failed));
    json_object_set_new(row, "unknown", json_integer(t->unknown));
    json_object_set_new(row, "total", json_integer(t->total));
}
