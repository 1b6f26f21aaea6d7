/* What the site does by itself as time passes: signs the timestamp again, downloads what deployed groups lack. */
#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/site/inside.h"

#define TICK       2000
#define PAUSE_GOOD 15000
#define PAUSE_BAD  120000

static void on_downloaded(struct site *s, enum err code)
{
    s->downloading = false;
    s->download_after = clock_ms() + (code ? PAUSE_BAD : PAUSE_GOOD);
}

/* Members of deployed groups whose files are not in the library, or that new inventories need more of. */
static void check_content(struct site *s)
{
    struct author a = site_author(s, "clockwork");
    json_t       *groups = NULL;
    bool          any = !author_deployed_groups(&a, &groups, NULL) && json_array_size(groups);

    json_decref(groups);
    s->check_content = false;
    if (!any)
        return;
    s->downloading = true;
    download_start(s, job_new(s->jobs, "deployed content"), NULL, on_downloaded);
}

static void on_tick(uv_timer_t *timer)
{
    struct site *s = timer->data;
    struct error e;

    if (clock_now() >= s->refresh_at && repository_refresh(s->repository, clock_now(), &s->refresh_at, &e)) {
        s->refresh_at = clock_now() + 60;
        log_error(LOG_WRONG, "policy.not-renewed", "signing the policy again", &e);
    }
    if (s->check_content && !s->downloading && clock_ms() >= s->download_after)
        check_content(s);
}

void clockwork_start(struct site *s)
{
    uv_timer_init(s->loop, &s->clock);
    s->clock.data = s;
    uv_timer_start(&s->clock, on_tick, TICK, TICK);
}
