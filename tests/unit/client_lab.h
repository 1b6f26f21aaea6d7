/* For tests of a whole client: a real one, with real store, scanner, installer and control socket, and a site made of signed static files over
 * HTTP that takes in its status. Time begins friday 2026-11-27 21:00 in Berlin and is moved with lab_move(). Runs from the project's top. */
#ifndef FERRY_TESTS_UNIT_CLIENT_LAB_H
#define FERRY_TESTS_UNIT_CLIENT_LAB_H

#include <sodium.h>
#include <sys/stat.h>
#include <time.h>

#include "dht/swarm.h"
#include "node/base/clock.h"
#include "node/base/envelope.h"
#include "node/base/log.h"
#include "node/client/core.h"
#include "policy/trust/repository.h"

#include "tests/unit/net.h"
#include "tests/unit/paper.h"

#define T0      1795809600                      /* 2026-11-27 20:00 UTC, 21:00 in Berlin */
#define SITE_ID "lab-site"

struct client_lab {
    struct net         net;                     /* its server is the site's; content for distribution points: URL/content/HEX */
    struct config      config;
    struct client     *client;
    struct server     *control;
    struct repository *repository;
    json_t            *documents, *messages, *turns, *turn_answer;
    uint8_t            seal_public[32], seal_secret[32];
    char               dir[64], root[96], socket[96], clock[96], listen[32], seal[65];
    int64_t            offset, seq;
    size_t             polls, questions, contents;      /* asked for: timestamps, anything of the policy, content */
    bool               mute;                    /* the site cannot be reached */
    int64_t            delay_ms;                /* it answers, but late */
};

/* --- time --- */

static inline void lab_clock(struct client_lab *l)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)l->offset);
    assert_int_equal(file_write(l->clock, text, strlen(text), 0600, NULL), OK);
}

static inline int64_t lab_now(const struct client_lab *l)
{
    return (int64_t)time(NULL) + l->offset;
}

/* The site signs again, so that its policy does not run out on the way. */
static inline void lab_move(struct client_lab *l, int64_t seconds)
{
    int64_t next;

    l->offset += seconds;
    assert_int_equal(repository_refresh(l->repository, lab_now(l), &next, NULL), OK);
    lab_clock(l);
}

#include "tests/unit/client_site.h"

/* --- documents of tests --- */

/* A command that writes its name into ROOT/order and makes what detection looks for; then its words: "restart", "sleep". */
static inline json_t *lab_update(const char *name, const char *word)
{
    struct sha256 h = hash_bytes(name, strlen(name));
    char          hex[SHA256_HEX];
    json_t       *u = paper("{'catalog':'command','version':'1','description':'','classification':'update','severity':'unspecified','urgency':'',"
                            "'product':'','vendor':'','files':[],'detect':{'type':'file'},'install':{'type':'command','program':'/bin/install.sh',"
                            "'max_run_s':60}}"),
           *install = json_object_get(u, "install");

    json_object_set_new(u, "id", json_sprintf("command:%s:1", name));
    json_object_set_new(u, "name", json_string(name));
    json_object_set_new(u, "title", json_string(name));
    json_object_set_new(json_object_get(u, "detect"), "path", json_sprintf("/done/%s", name));
    json_object_set_new(json_object_get(u, "detect"), "sha256", json_string(sha256_hex(&h, hex)));
    json_object_set_new(install, "args", json_pack("[s,s,s]", "{root}", name, word ? word : "plain"));
    return u;
}

/* terms: more members, with ' for "; "" none. deadline 0: available only. updates are taken. */
static inline json_t *lab_deployment(const char *id, const char *collection, int64_t available, int64_t deadline, const char *terms, json_t *updates)
{
    AUTO(text_free) char *text = must_print("{'type':'deployment','enabled':true,'withdrawn':false,'randomize_s':0%s%s,'contents':[],'archives':[]}",
                                            *terms ? "," : "", terms);
    json_t *d = paper(text);

    json_object_set_new(d, "id", json_string(id));
    json_object_set_new(d, "name", json_string(id));
    json_object_set_new(d, "collection", json_string(collection));
    json_object_set_new(d, "purpose", json_string(deadline ? "required" : "available"));
    put_time(d, "available", available);
    put_time(d, "deadline", deadline);
    json_object_set_new(d, "updates", updates);
    return d;
}

/* Deploys one update to everybody, due in so many seconds, and publishes. */
static inline void lab_deploy(struct client_lab *l, const char *name, int64_t due_in, const char *terms, const char *word)
{
    AUTO(text_free) char *target = must_print("policy/all/d-%s.json", name), *id = must_print("d-%s", name);

    lab_put(l, target, lab_deployment(id, "all", lab_now(l) - 60, lab_now(l) + due_in, terms, json_pack("[o]", lab_update(name, word))));
    lab_publish(l);
}

static inline void lab_set(struct client_lab *l, const char *target, const char *path, const char *value)
{
    json_t *d = json_incref(json_object_get(l->documents, target));

    paper_set(d, path, value);
    lab_put(l, target, d);
    lab_publish(l);
}

/* --- the node --- */

static inline void lab_root(struct client_lab *l)
{
    static const char script[] = "#!/bin/sh\necho \"$2\" >> \"$1/order\"\nmkdir -p \"$1/done\"\ncase $3 in\nsleep) sleep 1 ;;\nfail) exit 1 ;;\n"
                                 "restart) date +%N > \"$1/run/reboot-required\" ;;\nlate) date +%N > \"$1/run/reboot-required\"; exit 0 ;;\nesac\n"
                                 "printf %s \"$2\" > \"$1/done/$2\"\n";
    static const char *const dirs[] = {"bin", "run", "etc", "var/lib/dpkg/updates", "var/lib/dpkg/info"};
    AUTO(text_free) char *program = must_print("%s/bin/install.sh", l->root), *status = must_print("%s/var/lib/dpkg/status", l->root);

    for (size_t i = 0; i < COUNT(dirs); i++) {
        AUTO(text_free) char *dir = must_print("%s/%s", l->root, dirs[i]);
        assert_int_equal(file_make_dirs(dir, 0755, NULL), OK);
    }
    assert_int_equal(file_write(program, script, sizeof script - 1, 0755, NULL), OK);
    assert_int_equal(file_write(status, "", 0, 0644, NULL), OK);
}

/* As if it had been enrolled. */
static inline void lab_enrol(struct client_lab *l)
{
    AUTO(text_free) char *path = must_print("%s/state/store.db", l->dir), *root = must_print("%s/site/policy/metadata/1.root.json", l->dir);
    struct store *store;
    char         *bytes;
    size_t        length;

    assert_int_equal(file_make_dirs(l->config.state_dir, 0700, NULL), OK);
    assert_int_equal(store_open(path, &store, NULL), OK);
    assert_int_equal(file_read(root, 65536, &bytes, &length, NULL), OK);
    assert_int_equal(store_blob_put(store, "role", "root", bytes, length, NULL), OK);
    assert_int_equal(store_set(store, "site.id", SITE_ID, NULL), OK);
    assert_int_equal(store_set(store, "site.name", "lab", NULL), OK);
    assert_int_equal(store_set(store, "site.seal", l->seal, NULL), OK);
    store_close(store);
    free(bytes);
}

static inline void lab_start(struct client_lab *l)
{
    struct error          e = {0};
    struct client_options options = {.loop = &l->net.loop, .config = &l->config, .web = l->net.web, .install = true};
    AUTO(text_free) char *address = must_print("unix:%s", l->socket);

    if (client_open(&options, &l->client, &e) != OK || server_open(&l->net.loop, address, client_routes, client_route_count, l->client, &l->control, &e) != OK)
        fail_msg("%s", e.text);
}

static inline void lab_gone(void *ctx)
{
    *(bool *)ctx = true;
}

static inline void lab_stop(struct client_lab *l)
{
    bool control = false, client = false;

    server_close(l->control, lab_gone, &control);
    while (!control)
        uv_run(&l->net.loop, UV_RUN_ONCE);
    client_close(l->client, lab_gone, &client);
    while (!client)
        uv_run(&l->net.loop, UV_RUN_ONCE);
    l->client = NULL;
}

static inline int lab_open(void **state)
{
    static int         port;
    struct client_lab *l = must_alloc(sizeof *l);

    port = port ? port + 1 : 22000 + getpid() % 20000;
    assert_true(sodium_init() >= 0);
    log_open(getenv("FERRY_TEST_LOG") ? LOG_TELL : LOG_FATAL, "test", NULL);
    net_open(&l->net);
    snprintf(l->dir, sizeof l->dir, "%s", l->net.dir);
    snprintf(l->root, sizeof l->root, "%s/root", l->dir);
    snprintf(l->socket, sizeof l->socket, "%s/ctl", l->dir);
    snprintf(l->clock, sizeof l->clock, "%s/clock", l->dir);
    snprintf(l->listen, sizeof l->listen, "127.9.0.1:%d", port);
    l->offset = T0 - (int64_t)time(NULL);
    lab_clock(l);
    setenv("FERRY_CLOCK_FILE", l->clock, 1);
    usleep(60000);                              /* the offset of the test before has to be forgotten */
    net_serve(&l->net, lab_routes, COUNT(lab_routes), l);
    lab_site(l);
    lab_root(l);
    l->config = (struct config){.root = l->root,
                                .unprivileged_root = geteuid() != 0,
                                .state_dir = must_print("%s/state", l->dir),
                                .site = l->net.url,
                                .listen = l->listen,
                                .wan_requests = 4,
                                .cache_max = 1 << 30,
                                .timezone = must_copy("Europe/Berlin"),
                                .boot_id = must_print("%s/boot", l->dir),
                                .poll = 0};
    lab_enrol(l);
    *state = l;
    return 0;
}

static inline int lab_close(void **state)
{
    struct client_lab *l = *state;

    if (l->client)
        lab_stop(l);
    repository_close(l->repository);
    json_decref(l->documents);
    json_decref(l->messages);
    json_decref(l->turns);
    json_decref(l->turn_answer);
    free(l->config.state_dir);
    free(l->config.timezone);
    free(l->config.boot_id);
    free(l->config.restart_command);
    free(l->config.notify_command);
    net_close(&l->net);
    unsetenv("FERRY_CLOCK_FILE");
    free(l);
    return 0;
}

/* --- what happens --- */

static inline void lab_on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static inline bool lab_until(struct client_lab *l, bool (*what)(struct client_lab *, const char *), const char *which, int64_t ms)
{
    uv_timer_t tick;
    bool       good = false;

    uv_timer_init(&l->net.loop, &tick);
    uv_timer_start(&tick, lab_on_tick, 10, 10);
    for (int64_t end = clock_ms() + ms; !good && clock_ms() < end; good = what(l, which))
        uv_run(&l->net.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&l->net.loop, UV_RUN_NOWAIT);
    return good;
}

static inline bool lab_never(struct client_lab *l, const char *which)
{
    (void)l;
    (void)which;
    return false;
}

static inline void lab_run(struct client_lab *l, int64_t ms)
{
    lab_until(l, lab_never, NULL, ms);
}

static inline struct job *lab_job(struct client_lab *l, const char *name)
{
    for (struct job *j = l->client->jobs; j; j = j->next)
        if (j->update && !strcmp(j->update->name, name))
            return j;
    return NULL;
}

/* which: "NAME reason-word" */
static inline bool lab_has_reason(struct client_lab *l, const char *which)
{
    char        name[64];
    const char *word = strchr(which, ' ') + 1;
    struct job *j;

    snprintf(name, sizeof name, "%.*s", (int)(word - which - 1), which);
    j = lab_job(l, name);
    return j && l->client->result && !j->running && !strcmp(reason_word(j->decision.reason), word) && !strcmp(j->row.reason, word);
}

static inline void lab_expect(struct client_lab *l, const char *which)
{
    char        name[64];
    struct job *j;

    if (lab_until(l, lab_has_reason, which, 15000))
        return;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(which, " "), which);
    j = lab_job(l, name);
    fail_msg("expected %s; it is %s (%s, %s), poll: %s", which, j ? reason_word(j->decision.reason) : "not there", j ? j->row.state : "",
             j ? j->row.detail : "", l->client->poll_error);
}

/* What the root's order file says, blanks for line ends. "" when nothing was installed. */
static inline const char *lab_order(struct client_lab *l)
{
    static char out[400];
    AUTO(text_free) char *path = must_print("%s/order", l->root);
    char  *text = NULL;
    size_t length;

    out[0] = '\0';
    if (!file_read(path, sizeof out - 1, &text, &length, NULL))
        snprintf(out, sizeof out, "%s", text);
    for (char *p = out; *p; p++)
        *p = *p == '\n' ? ' ' : *p;
    free(text);
    return out;
}

static inline bool lab_is_there(struct client_lab *l, const char *path)
{
    (void)l;
    return file_exists(path);
}

static inline bool lab_turn_given(struct client_lab *l, const char *which)
{
    const char *last = json_string_value(json_array_get(l->turns, json_array_size(l->turns) - 1));

    (void)which;
    return last && !strcmp(last, "give") && !turn_held(l->client);
}

static inline void lab_boot(struct client_lab *l, const char *id)
{
    assert_int_equal(file_write(l->config.boot_id, id, strlen(id), 0600, NULL), OK);
}

#include "tests/unit/client_talk.h"

#define LAB_TEST(name) cmocka_unit_test_setup_teardown(name, lab_open, lab_close)

/* PROGRAM PATTERN runs those whose names match. */
#define lab_main(argc, argv, tests)                                                                                                        \
    ((void)((argc) > 1 ? (cmocka_set_test_filter((argv)[1]), 0) : 0), alarm(150), cmocka_run_group_tests(tests, NULL, NULL))

#endif
