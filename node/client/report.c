/* Status messages: durable first, then on their way in sealed envelopes, until the site holds them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/envelope.h"
#include "node/base/log.h"
#include "node/client/core.h"

#define BATCH_MESSAGES 500
#define BATCH_BYTES    (256u << 10)
#define DEBOUNCE_MS    300
#define WAIT_MOST_MS   300000

void report_put(struct client *c, json_t *message)
{
    struct error e;

    if (outbox_put(c->store, client_now(c), message, NULL, &e)) {
        log_error(LOG_WRONG, "outbox.failed", "keeping a status message", &e);
        return;
    }
    if (!c->post_wait_ms && c->post_at < clock_ms())
        c->post_at = clock_ms() + DEBOUNCE_MS;
}

void report_change(struct client *c, const char *topic, json_t *body)
{
    char         *text, *before, name[64], hex[SHA256_HEX];
    struct sha256 h;

    json_object_set_new(body, "topic", json_string(topic));
    text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
    h = hash_bytes(text, strlen(text));
    snprintf(name, sizeof name, "said.%s", topic);
    before = store_get(c->store, name);
    if (!before || strcmp(before, sha256_hex(&h, hex))) {
        sha256_hex(&h, hex);
        /* The message and the mark that it was said are one. */
        if (!store_begin(c->store, NULL)) {
            report_put(c, json_incref(body));
            store_end(c->store, store_set(c->store, name, hex, NULL), NULL);
        }
    }
    free(before);
    free(text);
    json_decref(body);
}

/* How much the leading deployment wants to hear (configmgr-semantics.md 1.6 "detail level"). What is installed shows in scans anyway. */
static bool wanted(const struct job *j)
{
    bool    error = j->state == JOB_FAILED || j->state == JOB_STUCK;
    int64_t verbosity = j->deployment ? j->deployment->terms.verbosity : VERBOSITY_ALL;

    if (verbosity == VERBOSITY_ERROR)
        return error;
    return verbosity == VERBOSITY_ALL || error || j->state == JOB_INSTALLED || j->state == JOB_RESTART;
}

void report_job(struct client *c, struct job *j)
{
    const char *state = j->state == JOB_INSTALLED ? "installed" : j->state == JOB_UNNEEDED ? "not-required" : "required";

    if (!wanted(j))
        return;
    report_put(c, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:i,s:s}", "topic", "update", "subject", j->row.update, "deployment",
                            j->row.deployment, "state", state, "enforcement", job_word(j->state), "reason", j->row.reason, "code",
                            (json_int_t)j->row.code, "attempts", j->row.attempts, "detail", j->row.detail));
}

static void on_posted(void *ctx, const struct web_answer *answer)
{
    struct client *c = ctx;
    json_t        *body = answer->code ? NULL : json_loadb(answer->body, answer->length, 0, NULL);
    const json_t  *held = json_object_get(body, "held");

    c->posting = false;
    if (!c->closing && json_is_integer(held)) {
        outbox_acknowledged(c->store, json_integer_value(held), NULL);
        c->post_wait_ms = 0;
        c->post_at = outbox_waiting(c->store) ? clock_ms() + DEBOUNCE_MS : 0;
    } else if (!c->closing) {
        c->post_wait_ms = c->post_wait_ms ? c->post_wait_ms * 2 : 2000;
        if (c->post_wait_ms > WAIT_MOST_MS)
            c->post_wait_ms = WAIT_MOST_MS;
        c->post_at = clock_ms() + c->post_wait_ms;
        log_say(LOG_WARN, "status.waiting", answer->error.text, NULL);
    }
    json_decref(body);
    client_release(c);
}

void report_post(struct client *c)
{
    int64_t         first, last;
    json_t         *batch = outbox_batch(c->store, BATCH_MESSAGES, BATCH_BYTES, &first, &last);
    AUTO(text_free) char *text = NULL, *url = NULL;
    uint8_t        *sealed = NULL;
    struct error    e;
    enum err        code;
    struct web_call call = {
        .method = "POST", .content_type = "application/octet-stream", .limit = 65536, .timeout_ms = 60000, .on_done = on_posted, .ctx = c};

    c->post_at = 0;
    if (!batch)
        return;
    text = json_dumps(batch, JSON_COMPACT);
    json_decref(batch);
    code = envelope_seal(&c->key, c->seal_key, c->site_id, text, strlen(text), &sealed, &call.body_length, &e);
    code = code ? code : identity_call(c, "/api/v1/status", &call, &url, &e);
    if (code) {
        log_error(LOG_WRONG, "status.failed", "sending status", &e);
        c->post_at = clock_ms() + WAIT_MOST_MS;
    } else {
        call.body = sealed;
        c->posting = true;
        client_hold(c);
        web_start(c->options.web, &call);
    }
    free(sealed);
}
