/* The administrator's program is told of alerts: once for each that opens, one after the other, the alert as JSON on its stdin. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/log.h"
#include "node/io/child.h"
#include "node/site/inside.h"

#define LIMIT_MS 30000
#define OUTPUT   (64u << 10)

static void on_told(void *ctx, const struct child_result *r)
{
    struct site *s = ctx;
    struct error e = r->error;

    s->teller = NULL;
    if (r->status && !r->error.code)
        fail(&e, ERR_FAILED, "exit status %d: %.300s", r->status, r->errors_length ? r->errors : "it said nothing on stderr");
    if (r->status && !s->closing)
        log_error(LOG_WARN, "alert.not-told", "the alert program", &e);
    if (!s->closing)
        tell_alerts(s);
    site_release(s);
}

void tell_alerts(struct site *s)
{
    struct author         a = site_author(s, "clockwork");
    json_t               *alert = NULL;
    AUTO(text_free) char *program = NULL, *text = NULL;
    struct error          e;

    if (s->teller || s->closing)
        return;
    if (alert_to_tell(&a, &alert, &program, &e))
        log_error(LOG_WARN, "alert.not-told", "the alert program", &e);
    if (!alert)
        return;
    text = json_dumps(alert, JSON_COMPACT);
    json_decref(alert);
    struct child_call call = {.argv = (const char *const[]){program, NULL},
                              .input = text,
                              .input_length = strlen(text),
                              .output_limit = OUTPUT,
                              .timeout_ms = LIMIT_MS,
                              .on_done = on_told,
                              .ctx = s};
    site_hold(s);
    s->teller = child_start(s->loop, &call);
}
