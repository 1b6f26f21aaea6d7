#include "policy/document/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DAY       86400
#define AHEAD     (400 * DAY)
#define BEHIND    (8 * DAY)                     /* an opening that holds already is followed back so far */
#define SLOT      WINDOW_SHORTEST
#define SLOTS     (DAY / SLOT)
/* Occurrences that one search looks at, ten milliseconds of them: 400 days of 375 daily windows. Who has more of them that fit nowhere is told
 * so after fewer days. */
#define WORK_MOST 150000

void window_end(struct window *w)
{
    free(w->name);
    memset(w, 0, sizeof *w);
}

static bool printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return false;
    return true;
}

enum err window_from_json(const json_t *value, const char *path, struct window *out, struct error *e)
{
    struct window w = {0};
    struct reader r;
    struct error  why;
    const char   *when;

    reader_init(&r, value, path, e);
    w.name = reader_copy(&r, "name", 64);
    when = reader_text(&r, "when", 200);
    w.duration_s = reader_number(&r, "duration_s", WINDOW_SHORTEST, WINDOW_LONGEST);
    w.utc = reader_bool_or(&r, "utc", false);
    w.updates_only = reader_bool_or(&r, "updates_only", false);
    if (!r.verdict && (!*w.name || !printable(w.name)))
        reader_fail(&r, "name", "a name without control characters was expected");
    if (!r.verdict && schedule_parse(when, &w.when, &why))
        reader_fail(&r, "when", "%.360s", why.text);
    if (reader_done(&r)) {
        window_end(&w);
        return r.verdict;
    }
    *out = w;
    return OK;
}

json_t *window_to_json(const struct window *w)
{
    json_t *o = json_object();
    char   *when = schedule_print(&w->when);

    put_text(o, "name", w->name);
    put_text(o, "when", when);
    json_object_set_new(o, "duration_s", json_integer(w->duration_s));
    if (w->utc)
        json_object_set_new(o, "utc", json_true());
    if (w->updates_only)
        json_object_set_new(o, "updates_only", json_true());
    free(when);
    return o;
}

/* --- the search: day by day, all occurrences of a day in slots as long as the shortest window. Two that begin in one slot overlap, so a slot
 * holds one opening, and the slots are in order without sorting. --- */

struct source {
    const struct window *window;
    const struct zone   *zone;
    int64_t              next;                  /* its next occurrence that is in no slot yet; 0: none */
};
struct search {
    struct source  *sources;
    size_t          count, work;
    struct opening  slots[SLOTS];               /* end 0: nothing begins here */
    struct opening  run;                        /* merged so far; end 0: none */
    int64_t         now, need;
};

static bool counts(const struct window *w, bool only)
{
    return w->updates_only || !only;
}

static void sources_gather(struct search *s, const struct window *const *list, size_t count, bool both, const struct zone *zone)
{
    bool only = false;

    for (size_t i = 0; i < count && !both; i++)
        only = only || list[i]->updates_only;
    s->sources = must_alloc(count * sizeof *s->sources);
    for (size_t i = 0; i < count; i++)
        if (counts(list[i], only)) {
            struct source *source = &s->sources[s->count++];
            source->window = list[i];
            source->zone = list[i]->utc ? NULL : zone;
            source->next = schedule_next(&list[i]->when, source->zone, s->now - BEHIND);
        }
}

static void slots_fill(struct search *s, int64_t day)
{
    memset(s->slots, 0, sizeof s->slots);
    for (size_t i = 0; i < s->count; i++) {
        struct source *source = &s->sources[i];
        while (source->next && source->next < day + DAY) {
            struct opening *slot = &s->slots[(source->next - day) / SLOT];
            int64_t         end = source->next + source->window->duration_s;
            slot->begin = slot->end && slot->begin < source->next ? slot->begin : source->next;
            slot->end = slot->end > end ? slot->end : end;
            source->next = schedule_next(&source->window->when, source->zone, source->next);
            s->work++;
        }
    }
}

static bool fits(const struct search *s)
{
    int64_t from = s->run.begin > s->now ? s->run.begin : s->now;

    return s->run.end > from && s->run.end - from >= s->need;
}

/* True: the run is complete, and long enough. */
static bool slots_merge(struct search *s, int64_t day)
{
    for (size_t i = 0; i < SLOTS; i++) {
        const struct opening *slot = &s->slots[i];
        if (!slot->end)
            continue;
        if (slot->begin > s->run.end) {
            if (fits(s))
                return true;
            s->run = *slot;
        } else if (slot->end > s->run.end) {
            s->run.end = slot->end;
        }
    }
    return s->run.end < day + DAY && fits(s);
}

bool windows_next(const struct window *const *list, size_t count, bool both, const struct zone *zone, int64_t now, int64_t need,
                  struct opening *out)
{
    struct search *s = must_alloc(sizeof *s);
    bool           found = false;

    s->now = now;
    s->need = need;
    sources_gather(s, list, count, both, zone);
    for (int64_t day = now - BEHIND; day < now + AHEAD && !found && s->work < WORK_MOST; day += DAY) {
        slots_fill(s, day);
        found = slots_merge(s, day);
    }
    found = found || fits(s);
    if (found)
        *out = s->run;
    free(s->sources);
    free(s);
    return found;
}
