/* Runs of rules and `ferry deploy`: authoring selects and stages, the library downloads, authoring makes it real, the policy is published.
 * Whatever fails, nothing that stood before has changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/base/log.h"
#include "node/site/inside.h"

struct run {
    struct run      *next;
    struct site     *site;
    struct job_work *job;
    char            *name, *who;
    struct assembly *assembly;
    enum err         code;
    struct error     error;
    json_t          *result;
    void           (*done)(struct site *, enum err);
};

static struct run *run_new(struct site *s, struct job_work *job, const char *name, const char *who)
{
    struct run *r = must_alloc(sizeof *r);

    site_hold(s);
    r->site = s;
    r->job = job;
    r->name = must_copy(name);
    r->who = must_copy(who);
    r->next = s->runs;
    s->runs = r;
    return r;
}

static struct author author_of(struct run *r)
{
    return site_author(r->site, r->who);
}

static void record_failure(struct run *r)
{
    struct author a = author_of(r);
    struct error  e;

    log_error(LOG_WARN, "run.failed", r->name, &r->error);
    if (r->assembly && assembly_failed(&a, r->assembly, &r->error, &e))
        log_error(LOG_WRONG, "run.not-recorded", r->name, &e);
}

static void forget(struct run *r)
{
    struct run **at = &r->site->runs;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    assembly_free(r->assembly);
    json_decref(r->result);
    free(r->name);
    free(r->who);
    free(r);
}

/* The one way out. */
static void end(struct run *r)
{
    struct site *s = r->site;
    void       (*done)(struct site *, enum err) = r->done;
    enum err     code = r->code;

    if (code)
        job_failed(r->job, &r->error);
    else
        job_finish(r->job, json_incref(r->result));
    forget(r);
    if (done)
        done(s, code);
    site_release(s);
}

static void fail_run(struct run *r)
{
    record_failure(r);
    end(r);
}

/* The run is made and recorded; the policy that tells of it is published again and again until it is. */
static void publish(struct run *r)
{
    struct error e;

    r->site->news = true;
    if (!site_publish(r->site, &e))
        return;
    log_error(LOG_WRONG, "policy.not-published", r->name, &e);
    r->site->unpublished = true;
    json_object_set_new(r->result, "message",
                        json_sprintf("%s. It is not published yet, which is tried again: %s",
                                     json_string_value(json_object_get(r->result, "message")), e.text));
}

static void on_content(void *ctx, enum err code, const struct error *e)
{
    struct run   *r = ctx;
    struct author a = author_of(r);

    r->code = code;
    if (code)
        r->error = *e;
    else if (r->site->closing)
        r->code = fail(&r->error, ERR_AGAIN, "the site is being closed");
    else
        r->code = assembly_finish(&a, r->assembly, &r->result, &r->error);
    if (r->code) {
        fail_run(r);
        return;
    }
    publish(r);
    log_say(LOG_NOTE, "run.done", json_string_value(json_object_get(r->result, "message")), "FERRY_RUN", r->name, NULL);
    end(r);
}

/* It is staged: its content is wanted. */
static void go_on(struct run *r)
{
    if (r->code) {
        fail_run(r);
    } else if (!r->assembly->count) {
        r->result = json_pack("{s:o,s:i,s:[]}", "message", json_sprintf("%s: 0 updates are selected; nothing has changed", r->name), "updates", 0,
                              "deployments");
        end(r);
    } else {
        download_part(r->site, r->job, r->assembly->staging, on_content, r);
    }
}

static bool is_running(const struct site *s, const char *name)
{
    for (const struct run *r = s->runs; r; r = r->next)
        if (!strcmp(r->name, name))
            return true;
    return false;
}

void assemble_rule(struct site *s, struct job_work *job, const char *rule, const struct rule_due *due, const char *who,
                   void (*done)(struct site *, enum err))
{
    AUTO(text_free) char *name = must_print("rule %s", rule);
    bool                  already = is_running(s, name);
    struct run           *r = run_new(s, job, name, who);
    struct author         a = author_of(r);

    r->done = done;
    job_says(job, "selecting updates");
    r->code = already ? fail(&r->error, ERR_AGAIN, "%s is running already", name)
                      : assembly_rule(&a, rule, due->trigger, due->nominal, &r->assembly, &r->error);
    go_on(r);
}

void assemble_deploy(struct site *s, struct job_work *job, const json_t *args, const char *who)
{
    const char           *given = json_string_value(json_object_get(args, "name"));
    AUTO(text_free) char *name = must_print("deploy %s", given ? given : "");
    bool                  already = is_running(s, name);
    struct run           *r = run_new(s, job, name, who);
    struct author         a = author_of(r);

    job_says(job, "selecting updates");
    r->code = already ? fail(&r->error, ERR_AGAIN, "%s is running already", name) : assembly_deploy(&a, args, &r->assembly, &r->error);
    go_on(r);
}
