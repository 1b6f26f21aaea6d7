/* One question at a time: take, keep or give, sealed and signed as status is; the answer says whether, until when, and when to ask again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/clock.h"
#include "node/base/envelope.h"
#include "node/base/log.h"
#include "node/client/core.h"
#include "policy/document/json.h"

#define NAME         "turn.until"               /* in the store; "0" when it is not held */
#define NUMBER       "turn.number"              /* of the last question */
#define ANSWER_LIMIT 4096
#define AGAIN_S      60                         /* unless the site says otherwise */
#define AGAIN_MOST_S 3600
#define KEEP_LEAST_S 5
#define KEEP_MOST_S  300

/* Durable before it is used. */
static void hold(struct client *c, int64_t until)
{
    char text[32];

    c->turn.until = until;
    snprintf(text, sizeof text, "%lld", (long long)until);
    store_set(c->store, NAME, text, NULL);
}

void turn_recall(struct client *c)
{
    AUTO(text_free) char *text = store_get(c->store, NAME);

    c->turn.until = text ? strtoll(text, NULL, 10) : 0;
}

bool turn_held(struct client *c)
{
    return c->turn.until && client_now(c) < c->turn.until;
}

/* Seconds or RFC 3339. */
static int64_t moment(const json_t *value)
{
    int64_t t = 0;

    if (json_is_integer(value))
        return json_integer_value(value);
    if (json_is_string(value) && time_read(json_string_value(value), &t, NULL))
        return 0;
    return t;
}

static int64_t again_s(const json_t *answer)
{
    int64_t s = json_integer_value(json_object_get(answer, "again_s"));

    return s > 0 && s <= AGAIN_MOST_S ? s : AGAIN_S;
}

/* A third of what is left: two answers may be lost before the lock is. */
static int64_t keep_ms(struct client *c)
{
    int64_t s = (c->turn.until - client_now(c)) / 3;

    return 1000 * (s < KEEP_LEAST_S ? KEEP_LEAST_S : s > KEEP_MOST_S ? KEEP_MOST_S : s);
}

/* It is shown on terminals, and nobody has signed it. */
static void say_why(struct client *c, const char *why)
{
    snprintf(c->turn.why, sizeof c->turn.why, "%s", why ? why : "");
    for (char *p = c->turn.why; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
}

static void granted(struct client *c, const json_t *answer)
{
    int64_t until = moment(json_object_get(answer, "until"));

    if (!turn_held(c))
        log_say(LOG_TELL, "turn.taken", "it is this node's turn to be changed", NULL);
    hold(c, until);
    c->turn.keep_at = clock_ms() + keep_ms(c);
    c->turn.again_at = 0;
    say_why(c, NULL);
}

static void refused(struct client *c, int64_t wait_s, const char *why)
{
    if (c->turn.until)
        hold(c, 0);
    c->turn.again_at = clock_ms() + wait_s * 1000;
    say_why(c, why);
}

static void on_asked(void *ctx, const struct web_answer *answer)
{
    struct client *c = ctx;
    struct error   e = answer->error;
    json_t        *body = NULL;
    enum err       code = answer->code ? answer->code : json_read(answer->body, answer->length, ANSWER_LIMIT, &body, &e);

    c->turn.asking = false;
    if (c->closing) {
        json_decref(body);
        client_release(c);
        return;
    }
    if (code) {
        /* Nobody said that the lock is lost: what is held stays held until its time. */
        c->turn.again_at = c->turn.keep_at = clock_ms() + AGAIN_S * 1000;
        snprintf(c->turn.why, sizeof c->turn.why, "the site cannot be asked: %.150s", e.text);
    } else if (c->turn.owed) {
        c->turn.owed = false;
        say_why(c, NULL);
    } else if (json_is_true(json_object_get(body, "granted"))) {
        granted(c, body);
    } else {
        refused(c, again_s(body), json_string_value(json_object_get(body, "why")));
    }
    schedule_soon(c);
    json_decref(body);
    client_release(c);
}

/* Each question bears a higher number than all before, so that a copy of it is worth nothing. Durable before it is used; one that begins anew
 * (the store was lost) begins at the time, which nobody reaches by counting. */
static int64_t next_number(struct client *c)
{
    AUTO(text_free) char *last = store_get(c->store, NUMBER), *text = NULL;
    int64_t               number = last ? strtoll(last, NULL, 10) + 1 : 1, now = client_now(c);

    number = number > now ? number : now;
    text = must_print("%lld", (long long)number);
    store_set(c->store, NUMBER, text, NULL);
    return number;
}

static void ask(struct client *c, const char *op)
{
    AUTO(text_free) char *text = must_print("{\"op\":\"%s\",\"number\":%lld}", op, (long long)next_number(c)), *url = NULL;
    uint8_t        *sealed = NULL;
    struct error    e;
    struct web_call call = {.method = "POST",
                            .content_type = "application/octet-stream",
                            .limit = ANSWER_LIMIT,
                            .timeout_ms = 30000,
                            .on_done = on_asked,
                            .ctx = c};
    enum err        code = identity_call(c, "/api/v1/turn", &call, &url, &e);

    c->turn.again_at = c->turn.keep_at = clock_ms() + AGAIN_S * 1000;
    code = code ? code : envelope_seal(&c->key, c->seal_key, c->site_id, text, strlen(text), &sealed, &call.body_length, &e);
    if (code) {
        log_error(LOG_WRONG, "turn.failed", "asking for a turn", &e);
        say_why(c, e.text);
        return;
    }
    call.body = sealed;
    c->turn.asking = true;
    client_hold(c);
    web_start(c->options.web, &call);
    free(sealed);
}

static void give(struct client *c)
{
    if (c->turn.until) {
        log_say(LOG_TELL, "turn.given", "the turn is given back", NULL);
        hold(c, 0);
        c->turn.owed = true;
        c->turn.again_at = 0;
    }
    if (c->turn.owed && clock_ms() >= c->turn.again_at)
        ask(c, "give");
}

static void look_again(struct client *c, int64_t ms)
{
    if (ms < c->schedule_at)
        c->schedule_at = ms;
}

void turn_run(struct client *c, bool wanted, bool needed)
{
    int64_t now = clock_ms();

    if (c->turn.until && !turn_held(c))
        hold(c, 0);                             /* its time is over: the site has it back */
    if (c->turn.asking)
        return;
    if (!wanted && !needed)
        give(c);
    else if (turn_held(c) && now >= c->turn.keep_at)
        ask(c, "keep");
    else if (!turn_held(c) && wanted && now >= c->turn.again_at) {
        c->turn.owed = false;
        ask(c, "take");
    }
    if (!c->turn.asking && (wanted || needed || c->turn.owed))
        look_again(c, turn_held(c) ? c->turn.keep_at : c->turn.again_at);
}
