/* Real installations into real dpkg roots. Run by root, everything but the last test runs as nobody: the unprivileged way is the one under
 * test. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "node/client/install.h"
#include "node/client/plan.h"
#include "lab.h"

struct outcome {
    struct install_result result;
    struct text           steps;
    bool                  done;
    struct lab           *lab;
    void                (*meanwhile)(struct outcome *);    /* every 50 ms while it runs */
    struct install_run   *run;
    uv_timer_t            timer;
    bool                  plan_only;
    size_t                wanted_count;
    struct sha256         wanted[8];
};

static void on_step(void *ctx, const char *step)
{
    text_add(&((struct outcome *)ctx)->steps, "%s ", step);
}

static void on_done(void *ctx, const struct install_result *result)
{
    struct outcome *o = ctx;

    assert_false(o->done);
    o->done = true;
    o->result = *result;
    for (o->wanted_count = 0; o->wanted_count < result->wanted_count; o->wanted_count++)
        o->wanted[o->wanted_count] = result->wanted[o->wanted_count];
    uv_close((uv_handle_t *)&o->timer, NULL);
}

static void on_timer(uv_timer_t *timer)
{
    struct outcome *o = timer->data;

    if (o->meanwhile)
        o->meanwhile(o);
}

static void run(struct lab *l, const struct update *u, void (*meanwhile)(struct outcome *), struct outcome *o)
{
    char               *work = must_print("%s/state/jobs/one", l->dir);
    struct install_call call = {
        .deployment = &l->deployment, .update = u, .work_dir = work, .on_step = on_step, .on_done = on_done, .ctx = o};

    call.plan_only = o->plan_only;
    memset(o, 0, sizeof(*o));
    o->lab = l;
    o->meanwhile = meanwhile;
    uv_timer_init(&l->loop, &o->timer);
    o->timer.data = o;
    uv_timer_start(&o->timer, on_timer, 50, 50);
    o->run = install_start(&l->loop, &l->config, l->cache, &call);
    assert_false(o->done);
    uv_run(&l->loop, UV_RUN_DEFAULT);
    assert_true(o->done);
    free(work);
    text_end(&o->steps);
}

static void expect(const struct outcome *o, enum install_outcome outcome, bool touched, const char *says)
{
    if (o->result.outcome != outcome || o->result.touched != touched || !strstr(o->result.detail, says))
        fail_msg("%s (code %d, %s): %s", install_outcome_word(o->result.outcome), o->result.code,
                 o->result.touched ? "touched" : "not touched", o->result.detail);
}

static bool work_is_gone(struct lab *l)
{
    char *path = must_print("%s/state/jobs/one", l->dir);
    bool  gone = !file_exists(path);

    free(path);
    return gone;
}

static void installs_with_its_dependency(void **state)
{
    struct lab     l;
    struct outcome o = {0};
    char          *policy;

    (void)state;
    lab_open(&l, "");
    run(&l, lab_update(&l, "ferry-app"), NULL, &o);
    expect(&o, INSTALL_OK, true, "2 packages");
    assert_string_equal(lab_status(&l, "ferry-app"), "ii 2.0");
    assert_string_equal(lab_status(&l, "ferry-lib"), "ii 2.0");
    assert_string_equal(lab_status(&l, "ferry-data"), "ii 1.0");
    assert_true(work_is_gone(&l));
    policy = must_print("%s/usr/sbin/policy-rc.d", l.root);
    assert_false(file_exists(policy));
    free(policy);
    run(&l, lab_update(&l, "ferry-app"), NULL, &o);
    expect(&o, INSTALL_OK, false, "nothing");
    run(&l, lab_update(&l, "ferry-tool"), NULL, &o);
    expect(&o, INSTALL_OK, true, "");
    assert_string_equal(lab_status(&l, "ferry-tool"), "ii 2.0");
    lab_close(&l);
}

/* The archive goes on: 3.0 takes 2.0's place. The deployment carries both snapshots, as one does whose group has an update that has left its
 * catalog: 2.0 is still installed from the old one, with the library that is tied to it, and 3.0 from the new one. */
static void two_snapshots_of_one_archive(void **state)
{
    struct lab     l;
    struct outcome o = {0};
    struct archive both[2];

    (void)state;
    lab_open(&l, "");
    both[0] = l.archive;
    l.archive = (struct archive){0};
    package_set_end(&l.set);
    shell("tests/fixtures/make-archive.sh --release %s ferry-app 3.0", l.arc);
    lab_archive(&l);
    lab_packages(&l);
    both[1] = l.archive;
    l.deployment.archives = both;
    l.deployment.archive_count = 2;
    assert_string_equal(l.deployment.updates[3]->version, "3.0");
    run(&l, lab_update(&l, "ferry-app"), NULL, &o);
    assert_string_equal(lab_status(&l, "ferry-app"), "ii 2.0");
    run(&l, l.deployment.updates[3], NULL, &o);
    expect(&o, INSTALL_OK, true, "2 packages");
    assert_string_equal(lab_status(&l, "ferry-app"), "ii 3.0");
    assert_string_equal(lab_status(&l, "ferry-lib"), "ii 3.0");
    run(&l, lab_update(&l, "ferry-data"), NULL, &o);            /* in both, the same file */
    expect(&o, INSTALL_OK, true, "1 packages");
    archive_end(&both[0]);
    lab_close(&l);
}

static void alter(struct lab *l, const struct sha256 *h)
{
    char path[256];

    cache_path(l->cache, h, path, sizeof(path));
    shell("chmod u+w %s && printf '\\377' | dd of=%s bs=1 seek=300 conv=notrunc status=none", path, path);
    assert_int_equal(cache_keep(l->cache, h, NULL), OK);    /* as if nobody had noticed */
}

static void one_byte_altered_is_refused(void **state)
{
    struct lab     l;
    struct outcome o = {0};
    struct update *u;

    (void)state;
    lab_open(&l, "");
    u = lab_update(&l, "ferry-app");
    alter(&l, &u->files[0].sha256);
    run(&l, u, NULL, &o);
    expect(&o, INSTALL_REFUSED, false, "altered");
    assert_string_equal(lab_status(&l, "ferry-app"), "ii 1.0");
    alter(&l, &l.archive.indexes[1].sha256);
    run(&l, lab_update(&l, "ferry-data"), NULL, &o);
    expect(&o, INSTALL_REFUSED, false, "Packages.xz");
    assert_string_equal(lab_status(&l, "ferry-data"), "ii 1.0");
    lab_close(&l);
}

static void wrong_keyring_is_refused(void **state)
{
    struct lab     l, other;
    struct outcome o = {0};
    uint8_t       *keyring;
    size_t         size;

    (void)state;
    lab_open(&l, "");
    lab_open(&other, "ferry-lib");
    keyring = l.archive.keyring;
    size = l.archive.keyring_size;
    l.archive.keyring = other.archive.keyring;
    l.archive.keyring_size = other.archive.keyring_size;
    run(&l, lab_update(&l, "ferry-app"), NULL, &o);
    expect(&o, INSTALL_REFUSED, false, "");
    assert_string_equal(lab_status(&l, "ferry-app"), "ii 1.0");
    l.archive.keyring = keyring;
    l.archive.keyring_size = size;
    lab_close(&other);
    lab_close(&l);
}

static void a_dependency_that_is_not_deployed_is_named(void **state)
{
    struct lab     l;
    struct outcome o = {0};
    struct sha256  lib;
    uint64_t       size;
    char          *deb;

    (void)state;
    lab_open(&l, "");
    deb = must_print("%s/pool/main/f/ferry-app/ferry-lib_2.0_amd64.deb", l.arc);
    assert_int_equal(hash_file(deb, &lib, &size, NULL), OK);
    cache_forget(l.cache, &lib);
    run(&l, lab_update(&l, "ferry-app"), NULL, &o);
    expect(&o, INSTALL_RETRY, false, "ferry-lib 2.0");
    assert_int_equal(o.wanted_count, 1);
    assert_true(sha256_same(&o.wanted[0], &lib));
    o.plan_only = true;
    run(&l, lab_update(&l, "ferry-app"), NULL, &o);
    expect(&o, INSTALL_OK, false, "2 packages");
    assert_int_equal(o.wanted_count, 2);
    for (size_t i = 0, kept = 0, n = l.deployment.content_count; i < n; i++)
        if (sha256_same(&l.deployment.contents[i].sha256, &lib))
            l.deployment.content_count--;
        else
            l.deployment.contents[kept++] = l.deployment.contents[i];
    run(&l, lab_update(&l, "ferry-app"), NULL, &o);
    expect(&o, INSTALL_CLOSURE, false, "ferry-lib 2.0");
    assert_string_equal(lab_status(&l, "ferry-lib"), "ii 1.0");
    free(deb);
    lab_close(&l);
}

/* Processes that have the text in their command line; returns how many were sent the signal. */
static int signal_those(const char *text, int number)
{
    DIR           *proc = opendir("/proc");
    struct dirent *entry;
    int            found = 0;

    while ((entry = readdir(proc))) {
        char    path[300], line[4096];
        int     fd;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
        fd = isdigit((unsigned char)entry->d_name[0]) ? open(path, O_RDONLY) : -1;
        n = fd >= 0 ? read(fd, line, sizeof(line) - 1) : 0;
        if (fd >= 0)
            close(fd);
        for (ssize_t i = 0; i < n; i++)
            if (!line[i])
                line[i] = ' ';
        line[n > 0 ? n : 0] = '\0';
        if (strstr(line, text) && atoi(entry->d_name) != getpid()) {
            kill(atoi(entry->d_name), number);
            found++;
        }
    }
    closedir(proc);
    return found;
}

static void sleeps(struct lab *l, const char *seconds)
{
    shell("echo %s >%s/etc/ferry-tool-sleep", seconds, l->root);
}

/* dpkg dies in the postinst, the postinst with it. */
static void kill_dpkg(struct outcome *o)
{
    char *dpkg = must_print("dpkg --root=%s", o->lab->root);

    if (signal_those("sleep 31", 0)) {
        signal_those(dpkg, SIGKILL);
        signal_those("sleep 31", SIGKILL);
    }
    free(dpkg);
}

static void a_killed_dpkg_is_repaired_next_time(void **state)
{
    struct lab     l;
    struct outcome o = {0};

    (void)state;
    lab_open(&l, "");
    sleeps(&l, "31");
    run(&l, lab_update(&l, "ferry-tool"), kill_dpkg, &o);
    expect(&o, INSTALL_FAILED, true, "");
    assert_string_not_equal(lab_status(&l, "ferry-tool"), "ii 2.0");
    sleeps(&l, "0");
    run(&l, lab_update(&l, "ferry-tool"), NULL, &o);
    expect(&o, INSTALL_OK, true, "");
    assert_string_equal(lab_status(&l, "ferry-tool"), "ii 2.0");
    lab_close(&l);
}

static void too_long_is_stopped(void **state)
{
    struct lab     l;
    struct outcome o = {0};
    struct update *u;

    (void)state;
    lab_open(&l, "");
    sleeps(&l, "32");
    u = lab_update(&l, "ferry-tool");
    u->install.max_run_s = 1;
    run(&l, u, NULL, &o);
    expect(&o, INSTALL_TIMEOUT, true, "1 s");
    signal_those("sleep 32", SIGKILL);
    lab_close(&l);
}

static void stop_when_inside(struct outcome *o)
{
    if (signal_those("sleep 6", 0))
        install_stop(o->run);
}

static void inside_dpkg_it_goes_on_alone(void **state)
{
    struct lab     l;
    struct outcome o = {0};

    (void)state;
    lab_open(&l, "");
    sleeps(&l, "6");
    run(&l, lab_update(&l, "ferry-tool"), stop_when_inside, &o);
    expect(&o, INSTALL_RETRY, true, "alone");
    run(&l, lab_update(&l, "ferry-tool"), NULL, &o);            /* as a node that starts again meanwhile */
    expect(&o, INSTALL_RETRY, false, "lock");
    for (int i = 0; i < 100 && strcmp(lab_status(&l, "ferry-tool"), "ii 2.0") != 0; i++)
        usleep(100000);
    assert_string_equal(lab_status(&l, "ferry-tool"), "ii 2.0");
    usleep(300000);
    lab_close(&l);
}

static void stop_at_once(struct outcome *o)
{
    install_stop(o->run);
}

static void stopped_before_anything_was_touched(void **state)
{
    struct lab     l;
    struct outcome o = {0};

    (void)state;
    lab_open(&l, "");
    run(&l, lab_update(&l, "ferry-app"), stop_at_once, &o);
    expect(&o, INSTALL_RETRY, false, "stopped");
    assert_string_equal(lab_status(&l, "ferry-app"), "ii 1.0");
    assert_true(work_is_gone(&l));
    lab_close(&l);
}

static struct update *command(struct lab *l, const char *script)
{
    struct update *u = must_alloc(sizeof(*u));
    char          *path = must_print("%s/setup.sh", l->dir);
    uint64_t       size;

    assert_int_equal(file_write(path, script, strlen(script), 0644, NULL), OK);
    u->id = must_copy("command:setup:1");
    u->files = must_alloc(sizeof(*u->files));
    u->file_count = 1;
    u->files[0].sha256 = lab_put(l, path, &size);
    u->files[0].size = size;
    u->files[0].name = must_copy("setup.sh");
    u->install.type = INSTALL_COMMAND;
    u->install.program = must_copy("setup.sh");
    u->install.args = words_copy((char *[]){(char[]){"{root}"}, (char[]){"--from={content}/x"}, NULL});
    u->install.codes = must_alloc(3 * sizeof(*u->install.codes));
    u->install.code_count = 3;
    u->install.codes[0] = (struct return_code){10, RETURN_RESTART};
    u->install.codes[1] = (struct return_code){11, RETURN_RETRY};
    u->install.codes[2] = (struct return_code){12, RETURN_SUCCESS};
    u->install.max_run_s = 300;
    free(path);
    return u;
}

static void commands_and_their_codes(void **state)
{
    static const struct { const char *script; enum install_outcome outcome; int code; const char *says;
    } cases[] = {
        {"#!/bin/sh\necho \"$1 $2\" >\"$1/said\"; [ \"$PWD/x\" = \"${2#--from=}\" ] && [ \"$HOME/content\" = \"$PWD\" ]\n", INSTALL_OK, 0,
         "status 0"},
        {"#!/bin/sh\nexit 10\n", INSTALL_RESTART, 10, ""},
        {"#!/bin/sh\nexit 11\n", INSTALL_RETRY, 11, ""},
        {"#!/bin/sh\nexit 12\n", INSTALL_OK, 12, ""},
        {"#!/bin/sh\necho no room >&2; exit 13\n", INSTALL_FAILED, 13, "no room"},
        {"#!/bin/sh\nkill -9 $$\n", INSTALL_FAILED, -1, "signal 9"},
        {"#!/nowhere\n", INSTALL_FAILED, -1, "cannot be started"},
    };
    struct lab l;

    (void)state;
    lab_open(&l, "");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct update *u = command(&l, cases[i].script);
        struct outcome o = {0};

        run(&l, u, NULL, &o);
        expect(&o, cases[i].outcome, true, cases[i].says);
        assert_int_equal(o.result.code, cases[i].code);
        assert_true(work_is_gone(&l));
        update_free(u);
    }
    lab_close(&l);
}

static void reads_plans(void **state)
{
    struct plan p;

    (void)state;
    assert_int_equal(
        plan_read("NOTE: x\nInst a:i386 [1.0] (2:1~b O:1/s, P:2 [i386]) [c:amd64 ]\nConf a (1)\nInst n (3 O:x [all])\nRemv z [1]\n", &p,
                  NULL),
        OK);
    assert_int_equal(p.count, 2);
    assert_string_equal(p.items[0].name, "a");
    assert_string_equal(p.items[0].version, "2:1~b");
    assert_string_equal(p.items[0].arch, "i386");
    assert_false(p.items[0].fresh);
    assert_true(p.items[1].fresh);
    assert_string_equal(p.items[1].arch, "all");
    assert_string_equal(p.removes, "z");
    assert_true(plan_names(&p, "n"));
    plan_end(&p);
    assert_int_equal(plan_read("Inst what\n", &p, NULL), ERR_VERIFY);
    assert_int_equal(plan_verdict("E: Could not get lock /x", INSTALL_FAILED), INSTALL_RETRY);
    assert_int_equal(plan_verdict("hm", INSTALL_FAILED), INSTALL_FAILED);
}

/* The root has a group the host lacks, and dpkg has to give a file to it: names are the root's, not the host's. */
static void as_root_in_a_root(void **state)
{
    struct lab     l;
    struct outcome o = {0};
    struct stat    st;
    char          *app;

    (void)state;
    if (geteuid() != 0 || system("unshare --mount --propagation private true 2>/dev/null") != 0)
        skip();
    lab_open(&l, "ferry-lib ferry-app ferry-data");
    shell("cd %s && printf 'root:x:0:0::/:/bin/sh\\n' >etc/passwd && printf 'root:x:0:\\nferry-test:x:4242:\\n' >etc/group && "
          "echo root ferry-test 2755 /usr/bin/ferry-app >var/lib/dpkg/statoverride", l.root);
    run(&l, lab_update(&l, "ferry-app"), NULL, &o);
    expect(&o, INSTALL_OK, true, "");
    assert_string_equal(lab_status(&l, "ferry-app"), "ii 2.0");
    app = must_print("%s/usr/bin/ferry-app", l.root);
    assert_int_equal(stat(app, &st), 0);
    assert_int_equal(st.st_gid, 4242);
    free(app);
    lab_close(&l);
}

static int as_nobody(const struct CMUnitTest *tests, size_t count)
{
    pid_t pid = fork();
    int   status;

    if (pid == 0) {
        if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
            _exit(99);
        exit(_cmocka_run_group_tests("unprivileged", tests, count, NULL, NULL));
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plans),
        cmocka_unit_test(installs_with_its_dependency),
        cmocka_unit_test(two_snapshots_of_one_archive),
        cmocka_unit_test(one_byte_altered_is_refused),
        cmocka_unit_test(wrong_keyring_is_refused),
        cmocka_unit_test(a_dependency_that_is_not_deployed_is_named),
        cmocka_unit_test(a_killed_dpkg_is_repaired_next_time),
        cmocka_unit_test(too_long_is_stopped),
        cmocka_unit_test(inside_dpkg_it_goes_on_alone),
        cmocka_unit_test(stopped_before_anything_was_touched),
        cmocka_unit_test(commands_and_their_codes),
    };
    const struct CMUnitTest privileged[] = {cmocka_unit_test(as_root_in_a_root)};

    if (geteuid() != 0)
        return cmocka_run_group_tests(tests, NULL, NULL);
    return as_nobody(tests, COUNT(tests)) + cmocka_run_group_tests(privileged, NULL, NULL);
}
