#include "node/client/source_health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define WAIT_FIRST_MS 1000
#define WAIT_MOST_MS  60000
#define BAN_MS        (15 * 60 * 1000)
#define DOWN_FAILURES 2

static size_t host_length(const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    return (size_t)(host - url) + strcspn(host, "/?#");
}

struct source_health *health_of(struct health *h, const char *url, const char *name)
{
    char host[sizeof h->rows[0]->host];
    snprintf(host, sizeof host, "%.*s", (int)host_length(url), url);
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->rows[i]->host, host) == 0)
            return h->rows[i];
    struct source_health *row = must_alloc(sizeof *row);
    snprintf(row->host, sizeof row->host, "%s", host);
    snprintf(row->name, sizeof row->name, "%s", name);
    h->rows = must_grow(h->rows, h->count + 1, sizeof *h->rows);
    h->rows[h->count++] = row;
    return row;
}

bool health_usable(const struct source_health *s, int64_t now_ms)
{
    if (now_ms < s->banned_until || now_ms < s->not_before)
        return false;
    return s->failures == 0 || s->in_flight == 0;
}

bool health_down(const struct source_health *s, int64_t now_ms)
{
    return s->failures >= DOWN_FAILURES || now_ms < s->banned_until;
}

void health_good(struct source_health *s)
{
    s->failures = 0;
    s->not_before = 0;
}

void health_failed(struct source_health *s, int64_t now_ms, const char *why)
{
    snprintf(s->why, sizeof s->why, "%s", why);
    /* Requests that were under way together fail together: that is one failure. */
    if (now_ms < s->not_before)
        return;
    int64_t wait = WAIT_FIRST_MS;
    for (int i = 0; i < s->failures && wait < WAIT_MOST_MS; i++)
        wait *= 2;
    s->failures++;
    s->not_before = now_ms + (wait < WAIT_MOST_MS ? wait : WAIT_MOST_MS);
}

void health_ban(struct source_health *s, int64_t now_ms, const char *why)
{
    snprintf(s->why, sizeof s->why, "%s", why);
    s->banned_until = now_ms + BAN_MS;
}

void health_end(struct health *h)
{
    for (size_t i = 0; i < h->count; i++)
        free(h->rows[i]);
    free(h->rows);
    *h = (struct health){0};
}
