/* One scan: dpkg-query → (worker) inventory and archives → detection of commands, one after the other → result. */
#include "node/client/inventory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/clock.h"
#include "node/client/copies.h"
#include "node/client/detect.h"
#include "node/client/root.h"
#include "node/client/snapshot.h"
#include "node/io/child.h"
#include "policy/document/collection.h"

#define QUERY_MS     120000
#define OUTPUT_LIMIT (64u << 20)                /* 200,000 packages */

struct scanner {
    uv_loop_t           *loop;
    const struct config *config;
    struct cache        *cache;
    const json_t        *facts;
    struct run          *run;                   /* NULL: idle */
    void               (*closed)(void *ctx);    /* set: closing */
    void                *closed_ctx;
    uv_work_t            farewell;
};
struct run {
    struct scanner     *scanner;
    void              (*done)(void *ctx, struct scan_result *);
    void               *ctx;
    struct scan_result *result;
    struct child       *child;                  /* dpkg-query, then one detection program after the other */
    uv_work_t           work;
    char               *output;                 /* dpkg-query's */
    size_t              output_length;
    struct snapshot    *snapshots;
    size_t              snapshot_count;
    struct update     **commands;
    size_t              command_count, at;      /* at: the one being detected */
    struct copies       copies;                 /* its program */
    char               *detect_dir;
    size_t              asked_count;
};

static void detect_next(struct run *);

enum err scanner_open(uv_loop_t *loop, const struct config *config, struct cache *cache, struct scanner **out, struct error *e)
{
    char *AUTO(text_free) root = root_join(config->root, "/");

    if (access(root, R_OK | X_OK) != 0)
        return fail_errno(e, "the managed root %s cannot be read", root);
    *out = must_alloc(sizeof(**out));
    (*out)->loop = loop;
    (*out)->config = config;
    (*out)->cache = cache;
    return OK;
}

static void nothing(uv_work_t *work)
{
    (void)work;
}

static void on_farewell(uv_work_t *work, int status)
{
    struct scanner *s = work->data;
    void          (*closed)(void *) = s->closed;
    void           *ctx = s->closed_ctx;

    (void)status;
    free(s);
    if (closed)
        closed(ctx);
}

static void say_farewell(struct scanner *s)
{
    s->farewell.data = s;
    uv_queue_work(s->loop, &s->farewell, nothing, on_farewell);
}

static void closed_silently(void *ctx)
{
    (void)ctx;
}

void scanner_facts(struct scanner *s, const json_t *facts)
{
    s->facts = facts;
}

void scanner_close(struct scanner *s, void (*closed)(void *ctx), void *ctx)
{
    if (!s)
        return;
    s->closed = closed ? closed : closed_silently;
    s->closed_ctx = ctx;
    if (!s->run)
        say_farewell(s);
    else if (s->run->child)
        child_stop(s->run->child);
}

void scan_result_free(struct scan_result *r)
{
    if (!r)
        return;
    inventory_end(&r->inventory);
    for (size_t i = 0; i < r->count; i++)
        free(r->states[i].id);
    free(r->states);
    json_decref(r->catalogs);
    words_free(r->asked);
    json_decref(r->facts);
    free(r->root);
    free(r);
}

static void run_free(struct run *run)
{
    for (size_t i = 0; i < run->snapshot_count; i++)
        snapshot_end(&run->snapshots[i]);
    for (size_t i = 0; i < run->command_count; i++)
        update_free(run->commands[i]);
    copies_end(&run->copies);
    free(run->snapshots);
    free(run->commands);
    free(run->output);
    free(run->detect_dir);
    free(run);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct scan_state *)a)->id, ((const struct scan_state *)b)->id);
}

static void finish(struct run *run)
{
    struct scanner     *s = run->scanner;
    struct scan_result *result = run->result;
    bool                closing = s->closed != NULL;

    if (result->count)
        qsort(result->states, result->count, sizeof(*result->states), by_id);
    s->run = NULL;
    run->done(run->ctx, result);                /* also when it was cut short; may close the scanner, or start the next scan */
    if (closing)
        say_farewell(s);
    run_free(run);
}

/* ---- on the worker thread ---- */

static void add_state(struct scan_result *r, const char *id, enum update_state state, bool held)
{
    if (state == STATE_NOT_REQUIRED)
        return;
    if (r->count == 0 || (r->count >= 64 && (r->count & (r->count - 1)) == 0))
        r->states = must_grow(r->states, r->count ? r->count * 2 : 64, sizeof(*r->states));
    r->states[r->count++] = (struct scan_state){must_copy(id), state, held};
}

static bool is_installed(void *ctx, const char *name)
{
    return inventory_find(ctx, name, "any") != NULL;
}

static enum err on_update(void *ctx, const struct update *u, struct error *e)
{
    struct scan_result *r = ctx;
    bool                held = false;
    enum update_state   state = apt_state(u, &r->inventory, &held);

    (void)e;
    add_state(r, u->id, state, held);
    return OK;
}

/* Only what is installed is kept of an index: a node needs no more than a few MB for 63,000 packages. */
static void scan_archive(struct scan_result *r, const struct snapshot *s)
{
    struct package_set set;
    char               hex[SHA256_HEX];
    size_t             before = r->count;

    if (snapshot_packages(s, is_installed, &r->inventory, &set, &r->error) != OK)
        return;
    if (apt_updates(&set, on_update, r, &r->error) == OK) {
        json_object_set_new(r->catalogs, s->name, json_string(sha256_hex(&s->indexes[0].sha256, hex)));
    } else {
        while (r->count > before)
            free(r->states[--r->count].id);
    }
    package_set_end(&set);
}

static void classify(uv_work_t *work)
{
    struct run         *run = work->data;
    struct scan_result *r = run->result;

    r->code = inventory_read(run->output, run->output_length, &r->inventory, &r->error);
    if (r->code != OK)
        return;
    r->interrupted = root_interrupted(r->root);
    for (size_t i = 0; i < r->inventory.count; i++)
        r->interrupted = r->interrupted || installed_broken(&r->inventory.items[i]);
    for (size_t i = 0; i < run->snapshot_count; i++)
        scan_archive(r, &run->snapshots[i]);
}

static void lay_program(uv_work_t *work)
{
    struct run  *run = work->data;
    struct error e = {0};

    file_remove(run->detect_dir, NULL);
    if (copies_make(&run->copies, &e) != OK)
        copies_end(&run->copies);
}

/* ---- on the loop ---- */

static void note(struct run *run, enum update_state state, const char *detail)
{
    struct scan_result *r = run->result;
    const char         *id = run->commands[run->at]->id;

    if (*detail && !*r->error.text)
        snprintf(r->error.text, sizeof(r->error.text), "%s: %s", id, detail);
    add_state(r, id, state, false);
    r->asked = must_grow(r->asked, run->asked_count + 2, sizeof(*r->asked));
    r->asked[run->asked_count++] = must_copy(id);
    r->asked[run->asked_count] = NULL;
    run->at++;
}

static void on_detected(void *ctx, enum update_state state, const char *detail)
{
    struct run *run = ctx;

    run->child = NULL;
    note(run, state, detail);
    detect_next(run);
}

static void on_laid(uv_work_t *work, int status)
{
    struct run *run = work->data;

    (void)status;
    run->child = detect_start(run->scanner->loop, run->scanner->config->root, run->commands[run->at], run->detect_dir, on_detected, run);
}

static void on_swept(uv_work_t *work, int status)
{
    (void)status;
    finish(work->data);
}

static void sweep(uv_work_t *work)
{
    struct run *run = work->data;

    file_remove(run->detect_dir, NULL);
}

static bool applies(const struct scan_result *r, const struct update *u)
{
    return !r->facts || update_applies(u, r->facts, clock_now());
}

/* The program and what it brings along have to be in the cache; a command whose files are not there yet is unknown. */
static void detect_next(struct run *run)
{
    struct scanner *s = run->scanner;

    for (; run->at < run->command_count && !s->closed;) {
        const struct update *u = run->commands[run->at];
        struct error         e = {0};

        copies_end(&run->copies);
        if (!applies(run->result, u)) {
            note(run, STATE_NOT_REQUIRED, "");
            continue;
        }
        if (u->detect.type != DETECT_PROGRAM) {
            run->child = detect_start(s->loop, s->config->root, u, run->detect_dir, on_detected, run);
            return;
        }
        if (copies_add_files(&run->copies, s->cache, u, run->detect_dir, u->detect.program, &e) == OK) {
            uv_queue_work(s->loop, &run->work, lay_program, on_laid);
            return;
        }
        note(run, STATE_UNKNOWN, e.text);
    }
    if (run->command_count)
        uv_queue_work(s->loop, &run->work, sweep, on_swept);
    else
        finish(run);
}

static void on_classified(uv_work_t *work, int status)
{
    struct run *run = work->data;

    (void)status;
    if (run->result->code == OK)
        detect_next(run);
    else
        finish(run);
}

static void on_query(void *ctx, const struct child_result *child)
{
    struct run         *run = ctx;
    struct scan_result *r = run->result;

    run->child = NULL;
    if (child->error.code || child->status != 0) {
        r->code = fail(&r->error, ERR_FAILED, "the dpkg database below %s cannot be read: %.400s", r->root,
                       child->error.code ? child->error.text : child->errors);
        finish(run);
        return;
    }
    run->output = must_alloc(child->output_length + 1);
    memcpy(run->output, child->output, child->output_length);
    run->output_length = child->output_length;
    uv_queue_work(run->scanner->loop, &run->work, classify, on_classified);
}

static void take_archives(struct run *run, const struct scan *scan)
{
    run->snapshots = must_alloc(scan->archive_count * sizeof(*run->snapshots));
    for (size_t i = 0; i < scan->archive_count; i++)
        if (snapshot_take(run->scanner->cache, &scan->archives[i], &run->snapshots[run->snapshot_count], NULL) == OK)
            run->snapshot_count++;
}

/* The document may go while the scan runs: a copy by way of its JSON. */
static enum err take_commands(struct run *run, const struct scan *scan, struct error *e)
{
    enum err r = OK;

    run->commands = must_alloc(scan->update_count * sizeof(*run->commands));
    for (size_t i = 0; i < scan->update_count && r == OK; i++) {
        json_t *j = update_to_json(scan->updates[i]);

        r = update_from_json(j, "scan.updates", &run->commands[run->command_count], e);
        if (r == OK)
            run->command_count++;
        json_decref(j);
    }
    return r;
}

static void query(struct run *run)
{
    char *AUTO(text_free) admin = root_join(run->scanner->config->root, "/var/lib/dpkg");
    char *AUTO(text_free) option = must_print("--admindir=%s", admin);
    const char *argv[] = {"/usr/bin/dpkg-query", option, "-W", "-f", INVENTORY_FORMAT, NULL};
    const char *env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/nonexistent", NULL};

    run->child =
        child_start(run->scanner->loop,
                    &(struct child_call){
                        .argv = argv, .env = env, .output_limit = OUTPUT_LIMIT, .timeout_ms = QUERY_MS, .on_done = on_query, .ctx = run});
}

/* dpkg-query takes a database that is not there for an empty one; a node that believed it would call everything "not required". */
enum err scanner_run(struct scanner *s, const struct scan *scan, void (*done)(void *ctx, struct scan_result *), void *ctx, struct error *e)
{
    char *AUTO(text_free) status = root_join(s->config->root, "/var/lib/dpkg/status");
    struct run *run;
    enum err    r = OK;

    if (s->run || s->closed)
        return fail(e, ERR_AGAIN, "a scan is running");
    run = must_alloc(sizeof(*run));
    run->scanner = s;
    run->done = done;
    run->ctx = ctx;
    run->work.data = run;
    run->detect_dir = must_print("%s/jobs/detect", s->config->state_dir ? s->config->state_dir : "/var/lib/ferry");
    run->result = must_alloc(sizeof(*run->result));
    run->result->root = root_join(s->config->root, "/");
    run->result->catalogs = json_object();
    run->result->facts = json_deep_copy(s->facts);
    if (scan) {
        take_archives(run, scan);
        r = take_commands(run, scan, e);
    }
    if (r != OK) {
        scan_result_free(run->result);
        run_free(run);
        return r;
    }
    s->run = run;
    if (access(status, R_OK) == 0) {
        query(run);
        return OK;
    }
    run->result->code = fail_errno(&run->result->error, "the dpkg database %s cannot be read", status);
    uv_queue_work(s->loop, &run->work, nothing, on_classified);
    return OK;
}

enum update_state inventory_state(const struct scan_result *r, const struct update *u, bool *held)
{
    struct scan_state key = {.id = u->id}, *found;

    if (held)
        *held = false;
    if (!r || r->code != OK)
        return STATE_UNKNOWN;
    if (!applies(r, u))
        return STATE_NOT_REQUIRED;
    if (u->detect.type == DETECT_DPKG)
        return apt_state(u, &r->inventory, held);
    if (u->detect.type == DETECT_FILE && root_path_ok(u->detect.path)) {
        char *AUTO(text_free) path = root_join(r->root, u->detect.path);

        return detect_file(path, &u->detect.sha256, NULL);
    }
    found = r->count ? bsearch(&key, r->states, r->count, sizeof(key), by_id) : NULL;
    if (found)
        return found->state;
    for (size_t i = 0; r->asked && r->asked[i]; i++)
        if (strcmp(r->asked[i], u->id) == 0)
            return STATE_NOT_REQUIRED;
    return STATE_UNKNOWN;
}

bool inventory_interrupted(const struct scan_result *r, const struct update *u)
{
    return r && r->code == OK && u->detect.type == DETECT_DPKG && applies(r, u) && apt_interrupted(u, &r->inventory);
}
