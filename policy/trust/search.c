#include "policy/trust/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/trust/digest.h"

struct visit {
    const json_t *delegator;
    json_t       *role;                         /* its line there; counted */
};

struct search {
    char         *target;
    struct visit *todo;                         /* the next one last */
    size_t        count;
    json_t       *visited;                      /* {"role": true} */
    const json_t *line;
};

static void push(struct search *s, const json_t *delegator, json_t *role)
{
    s->todo = must_grow(s->todo, s->count + 1, sizeof *s->todo);
    s->todo[s->count++] = (struct visit){delegator, json_incref(role)};
}

static void drop_below(struct search *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_decref(s->todo[i].role);
    if (count)                                  /* nothing was ever allocated, perhaps */
        memmove(s->todo, s->todo + count, (s->count - count) * sizeof *s->todo);
    s->count -= count;
}

/* Those of body that match go on top, the first uppermost; a terminating one throws away all that would have come after it. */
static void push_matching(struct search *s, const json_t *body)
{
    json_t *roles = json_object_get(json_object_get(body, "delegations"), "roles"), *role, *bin = delegation_bin(body, s->target);
    size_t  begin = s->count, i;
    bool    last = bin != NULL;

    if (bin)
        push(s, body, bin);
    json_decref(bin);
    json_array_foreach(roles, i, role) {
        if (last || !delegation_allows(role, s->target))
            continue;
        push(s, body, role);
        last = json_is_true(json_object_get(role, "terminating"));
    }
    if (last) {
        drop_below(s, begin);
        begin = 0;
    }
    for (size_t low = begin, high = s->count; low + 1 < high; low++) {
        struct visit swap = s->todo[low];
        s->todo[low] = s->todo[--high];
        s->todo[high] = swap;
    }
}

static void look_into(struct search *s, const json_t *body)
{
    s->line = json_object_get(json_object_get(body, "targets"), s->target);
    if (s->line)
        drop_below(s, s->count);
    else
        push_matching(s, body);
}

struct search *search_new(const char *target, const json_t *targets)
{
    struct search *s = must_alloc(sizeof *s);

    s->target = must_copy(target);
    s->visited = json_object();
    look_into(s, targets);
    return s;
}

void search_free(struct search *s)
{
    if (!s)
        return;
    json_decref(s->visited);
    drop_below(s, s->count);
    free(s->todo);
    free(s->target);
    free(s);
}

static bool was_visited(const struct search *s, const struct visit *v)
{
    return json_object_get(s->visited, json_string_value(json_object_get(v->role, "name"))) != NULL;
}

enum err search_next(struct search *s, const json_t **delegator, const json_t **role, struct error *e)
{
    *delegator = NULL;
    while (s->count && was_visited(s, &s->todo[s->count - 1]))
        json_decref(s->todo[--s->count].role);
    if (!s->count)
        return OK;
    if (json_object_size(s->visited) == SEARCH_ROLES)
        return fail(e, ERR_VERIFY, "%.200s: not found in %d roles; more are not looked into", s->target, SEARCH_ROLES);
    *delegator = s->todo[s->count - 1].delegator;
    *role = s->todo[s->count - 1].role;
    return OK;
}

void search_into(struct search *s, const char *role, const json_t *body)
{
    json_object_set_new(s->visited, role, json_true());
    look_into(s, body);
}

const json_t *search_line(const struct search *s)
{
    return s->line;
}

const char *search_target(const struct search *s)
{
    return s->target;
}

enum err search_path(const struct search *s, bool consistent, char **out, uint64_t *length, struct error *e)
{
    const json_t         *size = json_object_get(s->line, "length");
    const char           *hash = digest_name(json_object_get(s->line, "hashes")), *slash = strrchr(s->target, '/');
    const char           *name = slash ? slash + 1 : s->target;
    AUTO(text_free) char *plain = NULL;

    if (!hash || !json_is_integer(size) || json_integer_value(size) < 0)
        return fail(e, ERR_VERIFY, "%.200s: it is signed without a length, or without a hash of a kind that is known here", s->target);
    plain = must_print("%.*s%s%s%s", (int)(name - s->target), s->target, consistent ? hash : "", consistent ? "." : "", name);
    *out = percent_encode(plain, true);
    *length = (uint64_t)json_integer_value(size);
    return OK;
}
