/* For tests of node/site: a real site in /tmp, its control API on loopback, and a web server for files below DIR/www. Runs from the
 * project's top. */
#ifndef FERRY_TESTS_UNIT_SITE_LAB_H
#define FERRY_TESTS_UNIT_SITE_LAB_H

#include <dirent.h>
#include <jansson.h>
#include <sys/stat.h>

#include "node/site/create.h"
#include "node/site/inside.h"
#include "node/site/library.h"
#include "policy/authoring/noun.h"
#include "policy/document/json.h"

#include "tests/unit/net.h"

struct site_lab {
    struct net     net;                         /* its server is the vendor's: URL/www/PATH */
    struct config  config;
    char           dir[96], www[96], api[64];
    struct site   *site;
    struct server *control;
    size_t         asked;                       /* of the vendor */
};

static inline void site_lab_on_www(void *ctx, struct exchange *x)
{
    struct site_lab *l = ctx;
    AUTO(text_free) char *path = must_print("%s/%s", l->www, exchange_part(x, "path"));

    l->asked++;
    answer_file(x, path, "application/octet-stream");
}

static const struct route site_lab_www[] = {{"GET", "/www/{path...}", 0, site_lab_on_www, "the vendor's files"}};

/* site_open as ferryd does it, and the control API. */
static inline void site_lab_start(struct site_lab *l)
{
    struct error        e = {0};
    size_t              count;
    const struct route *routes;

    if (site_open(&l->net.loop, &l->config, l->net.web, &l->site, &e) != OK)
        fail_msg("%s", e.text);
    routes = site_routes(l->site, &count);
    assert_int_equal(server_open(&l->net.loop, "127.0.0.1:0", routes, count, l->site, &l->control, &e), OK);
    snprintf(l->api, sizeof l->api, "http://127.0.0.1:%d/api/v1/", server_port(l->control));
}

static inline void site_lab_open(struct site_lab *l)
{
    static char  listen[] = "127.0.0.1:0";
    struct error e = {0};
    json_t      *out = NULL;

    memset(l, 0, sizeof *l);
    net_open(&l->net);
    snprintf(l->dir, sizeof l->dir, "%s/site", l->net.dir);
    snprintf(l->www, sizeof l->www, "%s/www", l->net.dir);
    assert_int_equal(mkdir(l->www, 0700), 0);
    net_serve(&l->net, site_lab_www, COUNT(site_lab_www), l);
    if (site_create(l->dir, "hq", "", &out, &e) != OK)
        fail_msg("%s", e.text);
    json_decref(out);
    l->config.site_state = l->dir;
    l->config.site_listen = listen;
    site_lab_start(l);
}

static inline void site_lab_gone(void *ctx)
{
    *(bool *)ctx = true;
}

static inline void site_lab_stop(struct site_lab *l)
{
    bool control = false, site = false;

    server_close(l->control, site_lab_gone, &control);
    site_close(l->site, site_lab_gone, &site);
    while (!control || !site)
        uv_run(&l->net.loop, UV_RUN_ONCE);
}

static inline void site_lab_close(struct site_lab *l)
{
    site_lab_stop(l);
    net_close(&l->net);
}

/* One request of the control API; the answer's JSON (caller decrefs) and its status. */
static inline json_t *api(struct site_lab *l, const char *method, const char *path, const json_t *body, long *status)
{
    AUTO(text_free) char *url = must_print("%s%s", l->api, path), *text = body ? json_dumps(body, 0) : NULL;
    struct came c = net_ask(&l->net, (struct web_call){.method = method, .body = text, .body_length = text ? strlen(text) : 0}, url);
    json_t               *json = json_loadb(c.body ? c.body : "", strlen(c.body ? c.body : ""), 0, NULL);

    *status = c.status;
    free(c.body);
    return json;
}

/* --- what nodes ask --- */

/* path: of the public listener, whose key is pinned; as whoever the lab's web is. Caller frees came.body. */
static inline struct came site_lab_ask(struct site_lab *l, struct web_call call, const char *path)
{
    AUTO(text_free) char *url = must_print("https://127.0.0.1:%d%s", server_port(l->site->public), path);

    call.pin = l->site->identity.pin;
    return net_ask(&l->net, call, url);
}

static inline char *site_lab_pem(struct site_lab *l, const struct key *k)
{
    AUTO(text_free) char *path = must_print("%s/node.key", l->net.dir);
    char                 *text = NULL;
    size_t                length;

    unlink(path);
    assert_int_equal(key_save(path, k, NULL), OK);
    assert_int_equal(file_read(path, 1000, &text, &length, NULL), OK);
    return text;
}

/* The lab's web shows this certificate from now on. */
static inline void site_lab_become(struct site_lab *l, const struct key *k, const char *certificate)
{
    AUTO(text_free) char *pem = site_lab_pem(l, k);

    web_identity(l->net.web, pem, certificate);
}

/* A new node, enrolled past the network; the lab's web is that node then. */
static inline void site_lab_node(struct site_lab *l, const char *hostname, struct key *k, char id[NODE_ID_SIZE])
{
    struct author         a = site_author(l->site, "test");
    AUTO(text_free) char *pem = NULL;
    json_t               *token = NULL;
    struct error          e = {0};

    assert_int_equal(key_generate(k), OK);
    assert_int_equal(node_token(&a, NULL, &token, &e), OK);
    assert_int_equal(node_enrol(&a, json_string_value(json_object_get(token, "token_id")), k->public, hostname, "10.0.0.1", id, &e), OK);
    json_decref(token);
    assert_int_equal(certificate_make(&l->site->identity.ca, l->site->id, id, k->public, a.now, CERTIFICATE_LIFE, &pem, &e), OK);
    site_lab_become(l, k, pem);
}

/* What has to work. body is taken. */
static inline json_t *must(struct site_lab *l, const char *method, const char *path, json_t *body)
{
    long    status;
    json_t *out = api(l, method, path, body, &status);

    json_decref(body);
    if (status / 100 != 2)
        fail_msg("%s %s: %ld", method, path, status);
    assert_non_null(out);
    return out;
}

/* Waits for the end of long work; caller decrefs. started is taken. */
static inline json_t *job_end(struct site_lab *l, json_t *started)
{
    AUTO(text_free) char *where = must_print("jobs/%s", json_string_value(json_object_get(started, "job")));
    json_t               *now;

    json_decref(started);
    for (;;) {
        now = must(l, "GET", where, NULL);
        if (strcmp(json_string_value(json_object_get(now, "state")), "running"))
            return now;
        json_decref(now);
        usleep(2000);
    }
}

/* Starts long work and waits for its end; caller decrefs. */
static inline json_t *job(struct site_lab *l, const char *path, json_t *body)
{
    return job_end(l, must(l, "POST", path, body));
}

static inline void job_done(struct site_lab *l, const char *path, json_t *body)
{
    json_t *end = job(l, path, body);
    char   *text = json_dumps(end, 0);

    if (strcmp(json_string_value(json_object_get(end, "state")), "done"))
        fail_msg("%s: %s", path, text);
    free(text);
    json_decref(end);
}

/* Failed with that code, and the text holds part. */
static inline void job_refused(struct site_lab *l, const char *path, json_t *body, const char *code, const char *part)
{
    json_t     *end = job(l, path, body), *error = json_object_get(end, "error");
    const char *text = json_string_value(json_object_get(error, "text")), *got = json_string_value(json_object_get(error, "code"));

    if (!text || strcmp(got, code) || !strstr(text, part))
        fail_msg("%s: %s \"%s\"; expected %s \"%s\"", path, got ? got : "", text ? text : "done", code, part);
    json_decref(end);
}

/* Files of the library, and that none of them is half made: every name is a SHA-256, its torrent beside it. */
static inline size_t library_count(struct site_lab *l)
{
    DIR           *d = opendir(l->site->content_dir);
    struct dirent *entry;
    size_t         contents = 0, torrents = 0;

    assert_non_null(d);
    while ((entry = readdir(d))) {
        size_t n = strspn(entry->d_name, "0123456789abcdef");
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (n != 64 || (entry->d_name[n] && strcmp(entry->d_name + n, ".torrent")))
            fail_msg("in the library: %s", entry->d_name);
        contents += !entry->d_name[n];
        torrents += entry->d_name[n] == '.';
    }
    closedir(d);
    assert_int_equal(contents, torrents);
    return contents;
}

#endif
