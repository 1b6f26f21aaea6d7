/* What a job needs of the fetcher: the deployment's indexes and the packages of its plan, or a command's files. What it needed and does not
 * need any more is nobody's, unless another job needs it too. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/log.h"
#include "node/client/core.h"

static bool among(const struct sha256 *list, size_t count, const struct sha256 *name)
{
    for (size_t i = 0; i < count; i++)
        if (sha256_same(&list[i], name))
            return true;
    return false;
}

static bool others_need(const struct client *c, const struct job *j, const struct sha256 *name)
{
    for (size_t i = 0; c->scan && i < c->scan->content_count; i++)
        if (sha256_same(&c->scan->contents[i].sha256, name))
            return true;
    for (const struct job *k = c->jobs; k; k = k->next)
        if (k != j && among(k->needed, k->needed_count, name))
            return true;
    return false;
}

static void note(struct job *j, const struct sha256 *name)
{
    j->needed = must_grow(j->needed, j->needed_count + 1, sizeof *j->needed);
    j->needed[j->needed_count++] = *name;
}

/* Asked as if the line were metered, so that it holds in the fetch layer from the moment it becomes so. */
static unsigned allowed(struct client *c, struct job *j)
{
    struct situation s = situation_of(c, j);
    bool             blocked;

    s.metered = true;
    s.content_here = false;
    blocked = decide_update(&s, &c->rules, client_now(c)).reason == REASON_METERED;
    return sources_allowed(&j->deployment->terms) | (blocked ? 0 : FETCH_METERED);
}

static bool want(struct client *c, struct job *j, const struct sha256 *name)
{
    const struct content *content = deployment_content(j->deployment, name);
    int64_t               due = decide_times(j->deployment, &c->rules).deadline;
    struct fetch_progress p;
    struct error          e;

    if (!content)
        return false;
    if (fetcher_want(c->fetcher, content, due, j->allowed, &e)) {
        log_error(LOG_WARN, "content.refused", j->row.update, &e);
        return false;
    }
    note(j, name);
    switch (fetcher_state(c->fetcher, name, &p)) {
    case FETCH_HERE: return true;
    case FETCH_NO_SOURCE: j->source_missing = true; break;
    case FETCH_FAILED: j->fetch_failed = true; break;
    default: return false;
    }
    snprintf(j->fetch_why, sizeof j->fetch_why, "%s", p.why);
    return false;
}

static bool indexes_here(struct client *c, struct job *j)
{
    bool all = true;

    for (size_t a = 0; a < j->deployment->archive_count; a++)
        for (size_t i = 0; i < j->deployment->archives[a].index_count; i++)
            all = want(c, j, &j->deployment->archives[a].indexes[i].sha256) && all;
    return all;
}

static bool planned_here(struct client *c, struct job *j)
{
    bool all = true;

    for (size_t i = 0; i < j->planned_count; i++)
        all = want(c, j, &j->planned[i]) && all;
    return all;
}

static bool files_here(struct client *c, struct job *j)
{
    bool all = true;

    for (size_t i = 0; i < j->update->file_count; i++)
        all = want(c, j, &j->update->files[i].sha256) && all;
    return all;
}

static bool all_here(struct client *c, struct job *j, bool *plan)
{
    bool indexes, planned;

    *plan = false;
    if (j->update->install.type == INSTALL_COMMAND)
        return files_here(c, j);
    indexes = indexes_here(c, j);
    planned = planned_here(c, j);
    *plan = indexes && planned && !j->planned_once;
    return indexes && planned && j->planned_once;
}

static void drop(struct client *c, struct job *j, const struct sha256 *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!among(j->needed, j->needed_count, &names[i]) && !others_need(c, j, &names[i]))
            fetcher_unwant(c->fetcher, &names[i]);
}

bool need_here(struct client *c, struct job *j, bool *plan)
{
    struct sha256 *before = j->needed;
    size_t         count = j->needed_count;
    bool           here;

    j->needed = NULL;
    j->needed_count = 0;
    j->source_missing = j->fetch_failed = false;
    j->allowed = allowed(c, j);
    here = all_here(c, j, plan);
    drop(c, j, before, count);
    free(before);
    return here;
}

void need_drop(struct client *c, struct job *j)
{
    struct sha256 *before = j->needed;
    size_t         count = j->needed_count;

    j->needed = NULL;
    j->needed_count = 0;
    if (count)
        drop(c, j, before, count);
    free(before);
}
