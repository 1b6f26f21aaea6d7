/* A whole client whose installations and restarts are carried out by a privileged installer: a real one, of another process. */
#include "client_lab.h"

#include <signal.h>
#include <sys/wait.h>

#include "node/install/authority.h"
#include "node/install/serve.h"
#include "node/io/packet.h"
#include "policy/trust/ceremony.h"

struct other {
    pid_t pid;
    char  socket[96], state[96], restarted[96];
};

/* As --listen does: a process a connection. */
static void listen_for(struct client_lab *l, struct other *o)
{
    struct config own = l->config;
    int           all;
    char          command[128];

    snprintf(command, sizeof command, "touch %s", o->restarted);
    own.restart_command = command;
    assert_int_equal(packet_listen(o->socket, 0600, &all, NULL), OK);
    o->pid = fork();
    if (o->pid) {
        close(all);
        return;
    }
    for (;;) {
        int fd = accept4(all, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0 && !fork())
            _exit((int)serve(fd, &own, o->state, &(struct error){0}));
        close(fd);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
}

static void other_open(struct client_lab *l, struct other *o)
{
    AUTO(text_free) char *root = must_print("%s/site/policy/metadata/1.root.json", l->dir), *bytes = NULL;
    struct desk           d;
    size_t                length;

    snprintf(o->socket, sizeof o->socket, "%s/installer", l->dir);
    snprintf(o->state, sizeof o->state, "%s/privileged", l->dir);
    snprintf(o->restarted, sizeof o->restarted, "%s/restarted", l->dir);
    assert_int_equal(file_read(root, 65536, &bytes, &length, NULL), OK);
    assert_int_equal(desk_open(&d, o->state, NULL), OK);
    assert_int_equal(authority_pin(d.store, bytes, length, NULL), OK);
    desk_close(&d);
    listen_for(l, o);
    l->config.installer = o->socket;
}

static void other_end(struct other *o)
{
    kill(o->pid, SIGTERM);
    waitpid(o->pid, NULL, 0);
}

static void installs_and_restarts(void **state)
{
    struct client_lab *l = *state;
    struct other       o = {0};

    other_open(l, &o);
    lab_boot(l, "one");
    l->config.restart_command = must_copy("false");             /* the installer's own counts */
    lab_deploy(l, "plain", 0, "", NULL);
    lab_deploy(l, "again", 0, "", "restart");
    lab_start(l);
    lab_expect(l, "plain installed");
    assert_non_null(strstr(lab_order(l), "plain"));
    if (!lab_until(l, lab_is_there, o.restarted, 20000)) {
        lab_move(l, 7200);                      /* the countdown */
        assert_true(lab_until(l, lab_is_there, o.restarted, 20000));
    }
    assert_string_equal(l->client->reboot.problem, "");
    other_end(&o);
}

static void new_root(struct client_lab *l)
{
    json_t           *todo = NULL;
    struct todo_state s;
    struct error      e = {0};

    assert_int_equal(repository_rotate(l->repository, "timestamp", NULL, lab_now(l), &todo, &e), OK);
    for (int i = 1; i <= 2; i++) {
        AUTO(text_free) char *path = must_print("%s/offline/root-%d.key", l->dir, i);
        struct key            key;

        assert_int_equal(key_load(path, &key, &e), OK);
        assert_int_equal(todo_sign(todo, &key, &s, &e), OK);
    }
    if (repository_accept(l->repository, todo, lab_now(l), &e) != OK)
        fail_msg("%s", e.text);
    json_decref(todo);
}

/* Two roots later: ferryd has kept each, and the installer walks from the one it pinned. */
static void new_roots_reach_it(void **state)
{
    struct client_lab *l = *state;
    struct other       o = {0};

    other_open(l, &o);
    lab_start(l);
    for (int i = 0; i < 2; i++) {
        new_root(l);
        client_reload(l->client);
        lab_run(l, 500);
    }
    lab_deploy(l, "plain", 0, "", NULL);
    client_reload(l->client);
    lab_expect(l, "plain installed");
    other_end(&o);
}

/* Nobody there: told, and tried again later like every failure; the installer that comes back is asked. */
static void an_installer_that_is_not_there(void **state)
{
    struct client_lab *l = *state;
    struct other       o = {0};

    other_open(l, &o);
    other_end(&o);
    lab_deploy(l, "plain", 0, "", NULL);
    lab_start(l);
    lab_expect(l, "plain retry-later");
    assert_non_null(strstr(lab_job(l, "plain")->row.detail, "cannot be reached"));
    assert_string_equal(lab_order(l), "");
    listen_for(l, &o);
    lab_move(l, 600);
    lab_expect(l, "plain installed");
    other_end(&o);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {LAB_TEST(installs_and_restarts), LAB_TEST(new_roots_reach_it), LAB_TEST(an_installer_that_is_not_there)};

    return lab_main(argc, argv, tests);
}
