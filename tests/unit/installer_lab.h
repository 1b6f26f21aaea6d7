/* For tests of the privileged installer: lab.h's archive and root, a site that has signed its deployment, an installer process at the other end of
 * a socket, and a ferryd that is the test itself: it lends what is asked for, honestly or not. */
#ifndef FERRY_TESTS_UNIT_INSTALLER_LAB_H
#define FERRY_TESTS_UNIT_INSTALLER_LAB_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "node/base/clock.h"
#include "node/base/log.h"
#include "node/base/token.h"
#include "node/client/install.h"
#include "node/install/authority.h"
#include "node/install/serve.h"
#include "node/io/packet.h"
#include "policy/trust/repository.h"

#include "tests/unit/lab.h"

#define TARGET "policy/all/october.json"
#define ORDER  "{\"request\":\"install\",\"target\":\"" TARGET "\",\"update\":\"%s\"}"

struct act;
struct said {                                   /* what the installer told */
    char   outcome[32], detail[500], steps[100];
    bool   touched;
    size_t lacks, asked;
};
struct installer_lab {
    struct lab         lab;
    struct repository *repository;
    json_t            *document;
    char               site[96], state[96], token[100];
    int64_t            seq;
    int                socket;                  /* ours */
    pid_t              pid;
    const struct act  *act;
};

/* How the lender lies. Each may be NULL. */
struct act {
    const char *name;
    void      (*before)(struct installer_lab *);        /* before the installer starts */
    const char *order;                          /* instead of the honest one; '%s': the update's id */
    /* May change what is given for "metadata 2.tills.json": bytes (malloc'd, replaced) or, for content, the descriptor. */
    void      (*give)(struct installer_lab *, const char *what, const char *name, char **bytes, size_t *length, int *fd);
    const char *outcome, *says;
};

/* --- the site --- */

static void lab_sign(struct installer_lab *l)
{
    struct publication p = {TARGET, l->document};
    struct error       e = {0};

    json_object_set_new(l->document, "seq", json_integer(++l->seq));
    if (repository_publish(l->repository, &p, 1, clock_now(), NULL, &e) != OK)
        fail_msg("%s", e.text);
}

static void lab_change(struct installer_lab *l, const char *member, json_t *value)
{
    json_object_set_new(l->document, member, value);
    lab_sign(l);
}

static void lab_document(struct installer_lab *l)
{
    struct deployment *d = &l->lab.deployment;

    for (size_t i = 0; i < d->content_count; i++) {
        d->contents[i].torrent = (uint8_t *)must_copy("t");
        d->contents[i].torrent_size = 1;
    }
    d->audience = must_copy("hq");
    d->id = must_copy("october");
    d->name = must_copy("October");
    d->collection = must_copy("all");
    d->enabled = true;
    d->available = clock_now() - 60;
    d->deadline = clock_now();
    l->document = deployment_to_json(d);
    for (size_t i = 0; i < d->content_count; i++)
        free(d->contents[i].torrent);
    free(d->audience);
    free(d->id);
    free(d->name);
    free(d->collection);
}

static void lab_token(struct installer_lab *l)
{
    uint8_t               raw[TOKEN_SIZE] = {0};
    struct sha256         h;
    AUTO(text_free) char *text = NULL;

    assert_int_equal(repository_root_hash(l->repository, &h, NULL), OK);
    memcpy(raw + TOKEN_ROOT, h.b, sizeof h.b);
    text = base64_encode(raw, sizeof raw);
    for (char *c = text; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    text[strcspn(text, "=")] = '\0';
    snprintf(l->token, sizeof l->token, "ferry-%s", text);
    l->lab.config.enrol_token = l->token;
}

static void installer_lab_open(struct installer_lab *l)
{
    AUTO(text_free) char *offline = NULL;
    struct error          e = {0};

    memset(l, 0, sizeof *l);
    l->socket = -1;
    log_open(LOG_FATAL, "test", NULL);
    lab_open(&l->lab, "ferry-lib ferry-app ferry-data");
    snprintf(l->site, sizeof l->site, "%s/site", l->lab.dir);
    snprintf(l->state, sizeof l->state, "%s/installer", l->lab.dir);
    offline = must_print("%s/offline", l->lab.dir);
    if (repository_create(l->site, offline, "hq", clock_now(), &e) != OK || repository_open(l->site, &l->repository, &e) != OK)
        fail_msg("%s", e.text);
    lab_document(l);
    lab_token(l);
    lab_sign(l);
}

static void installer_lab_close(struct installer_lab *l)
{
    repository_close(l->repository);
    json_decref(l->document);
    lab_close(&l->lab);
}

/* --- the installer's process --- */

static void installer_start(struct installer_lab *l)
{
    int          pair[2];
    struct error e = {0};

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    l->pid = fork();
    if (!l->pid) {
        close(pair[0]);
        serve(pair[1], &l->lab.config, l->state, &e);
        _exit(0);
    }
    close(pair[1]);
    l->socket = pair[0];
    packet_patience(l->socket, 60);
}

static int installer_end(struct installer_lab *l)
{
    int status;

    fd_end(&l->socket);
    assert_int_equal(waitpid(l->pid, &status, 0), l->pid);
    return status;
}

/* --- ferryd --- */

static void read_whole(const char *path, char **bytes, size_t *length)
{
    *bytes = NULL;
    if (file_exists(path))
        lab_read(path, bytes, length);
}

/* The newest of its bodies. */
static void read_target(const struct installer_lab *l, const char *name, char **bytes, size_t *length)
{
    AUTO(text_free) char *command = must_print("ls -t %s/policy/targets/policy/all/*.%s 2>/dev/null | head -1", l->site, strrchr(name, '/') + 1);
    char                  path[300] = "";
    FILE                 *f = popen(command, "r");

    if (fgets(path, sizeof path, f))
        path[strcspn(path, "\n")] = '\0';
    pclose(f);
    read_whole(path, bytes, length);
}

static void lend_it(struct installer_lab *l, const char *what, const char *name)
{
    AUTO(text_free) char *bytes = NULL, *path = must_print("%s/policy/metadata/%s", l->site, name);
    AUTO(fd_end) int      fd = -1;
    struct sha256         h;
    char                  file[300];
    size_t                length = 0;
    json_t               *answer;

    if (!strcmp(what, "metadata"))
        read_whole(path, &bytes, &length);
    else if (!strcmp(what, "target"))
        read_target(l, name, &bytes, &length);
    else if (sha256_read(name, &h)) {
        cache_path(l->lab.cache, &h, file, sizeof file);
        fd = open(file, O_RDONLY | O_CLOEXEC);
    }
    if (l->act && l->act->give)
        l->act->give(l, what, name, &bytes, &length, &fd);
    answer = json_pack("{s:b}", "give", bytes || fd >= 0);
    if (bytes)
        packet_send_bytes(l->socket, answer, bytes, length, NULL);
    else
        packet_send(l->socket, answer, fd, NULL);
    json_decref(answer);
}

/* One packet; false when it was the last. */
static bool hear(struct installer_lab *l, struct said *s)
{
    json_t     *j = NULL;
    const char *want, *step;
    bool        last;

    if (packet_take(l->socket, &j, NULL, NULL) != OK)
        return false;
    want = json_string_value(json_object_get(j, "want"));
    step = json_string_value(json_object_get(j, "step"));
    last = json_object_get(j, "outcome") != NULL;
    s->asked += want != NULL;
    s->lacks += json_object_get(j, "lack") != NULL;
    if (want)
        lend_it(l, want, json_string_value(json_object_get(j, "name")));
    if (step)
        snprintf(s->steps + strlen(s->steps), sizeof s->steps - strlen(s->steps), "%s ", step);
    if (last) {
        snprintf(s->outcome, sizeof s->outcome, "%s", json_string_value(json_object_get(j, "outcome")));
        snprintf(s->detail, sizeof s->detail, "%s", json_string_value(json_object_get(j, "detail")));
        s->touched = json_is_true(json_object_get(j, "touched"));
    }
    json_decref(j);
    return !last;
}

static void say_raw(struct installer_lab *l, const char *text)
{
    assert_true(send(l->socket, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

static void say_order(struct installer_lab *l, const char *order, const char *update)
{
    AUTO(text_free) char *text = must_copy(order);
    char                 *at = strstr(text, "%s");

    if (at) {
        AUTO(text_free) char *with = must_print("%.*s%s%s", (int)(at - text), text, lab_update(&l->lab, update)->id, at + 2);
        say_raw(l, with);
    } else {
        say_raw(l, text);
    }
}

/* A whole request; what the installer said. */
static struct said ask(struct installer_lab *l, const char *order, const char *update)
{
    struct said s = {0};

    installer_start(l);
    say_order(l, order, update);
    while (hear(l, &s))
        ;
    installer_end(l);
    return s;
}

#endif
