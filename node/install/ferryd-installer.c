/* ferryd-installer: root, and nothing but this. systemd starts one for each connection of its socket (Accept=yes) and hands it over as descriptor
 * 3; --listen does the same by itself. What is verified is serve.c's and authority.c's. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "node/base/log.h"
#include "node/install/authority.h"
#include "node/install/serve.h"
#include "node/io/packet.h"

#define STANDARD_CONFIG "/etc/ferry/ferryd.conf"
#define STANDARD_STATE  "/var/lib/ferry-installer"
#define ROOT_LIMIT      (64u << 10)
#define FIRST_FD        3                       /* sd_listen_fds(3) */
#define MOST            8                       /* connections at once, for --listen */

struct words {
    const char *config, *state, *listen, *pin;
    bool        help, version;
};

static void print_help(void)
{
    printf("ferryd-installer - installs what the site has signed, for a ferryd without privileges\n\n"
           "  ferryd-installer                    serves the one connection that systemd hands over (ferryd-installer.socket)\n"
           "  ferryd-installer --listen PATH      makes the socket itself and serves whoever connects, each in a process of its own\n"
           "  ferryd-installer --pin-root FILE    trusts FILE as the site's first root; done by the enrolment token otherwise\n\n"
           "  --config FILE    the settings of ferryd; " STANDARD_CONFIG " when not given. Root's, and nobody else may write it\n"
           "  --state DIR      what it trusts and has seen; " STANDARD_STATE " when not given\n"
           "  --version        says which Ferry this is\n"
           "  --help           says this\n\n"
           "Exit status: 0 carried out or pinned, 1 failed, 2 not understood, 7 verification failed, 8 not permitted, 75 busy.\n");
}

static enum err sort_words(int argc, char **argv, struct words *w, struct error *e)
{
    static const struct {
        const char *name;
        size_t      at;
    } table[] = {{"--config", offsetof(struct words, config)},
                 {"--state", offsetof(struct words, state)},
                 {"--listen", offsetof(struct words, listen)},
                 {"--pin-root", offsetof(struct words, pin)}};

    for (int i = 1; i < argc; i++) {
        size_t k = 0;

        while (k < COUNT(table) && strcmp(argv[i], table[k].name))
            k++;
        w->help = w->help || !strcmp(argv[i], "--help") || !strcmp(argv[i], "-h");
        w->version = w->version || !strcmp(argv[i], "--version");
        if (k < COUNT(table) && i + 1 < argc)
            *(const char **)(void *)((char *)w + table[k].at) = argv[++i];
        else if (!w->help && !w->version)
            return fail(e, ERR_USAGE, "'%.80s' is not understood, or misses its value; --help tells what is", argv[i]);
    }
    return OK;
}

/* --- settings --- */

/* The directory too: whoever may write it could put another file there. */
static enum err check_owner(const char *path, struct error *e)
{
    struct stat st;

    if (stat(path, &st))
        return fail_errno(e, "%s cannot be looked at", path);
    if ((st.st_uid && st.st_uid != geteuid()) || (st.st_mode & 022))
        return fail(e, ERR_DENIED, "%s can be written by others than root: what it says is not believed", path);
    return OK;
}

static enum err read_config(const char *path, struct config *out, struct error *e)
{
    AUTO(text_free) char *whole = realpath(path, NULL), *dir = must_copy(whole);
    enum err              code = whole ? check_owner(whole, e) : fail_errno(e, "%s cannot be opened", path);

    if (!code) {
        char *slash = strrchr(dir, '/');

        slash[slash == dir] = '\0';
        code = check_owner(dir, e);
    }
    return code ? code : config_load(out, whole, 0, NULL, e);
}

/* --- connections --- */

static enum err pin_root(const char *state, const char *file, struct error *e)
{
    AUTO(text_free) char *bytes = NULL;
    struct desk           d;
    size_t                length = 0;
    enum err              code = file_read(file, ROOT_LIMIT, &bytes, &length, e);

    if (code || (code = desk_open(&d, state, e)))
        return code;
    code = authority_pin(d.store, bytes, length, e);
    desk_close(&d);
    return code;
}

/* Is there a connection, and is it one of ours? */
static enum err handed_over(struct error *e)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    int         type = 0;
    socklen_t   size = sizeof type;

    if (!pid || strtol(pid, NULL, 10) != getpid() || !count || strcmp(count, "1"))
        return fail(e, ERR_USAGE, "no connection was handed over: systemd's socket does, or --listen PATH makes one");
    if (getsockopt(FIRST_FD, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_SEQPACKET)
        return fail(e, ERR_USAGE, "what was handed over is no connection of packets (ListenSequentialPacket=, Accept=yes)");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    return OK;
}

static void serve_apart(int fd, const struct words *w, const struct config *config)
{
    struct error e;
    pid_t        pid = fork();

    if (pid)
        return;
    _exit(err_exit(serve(fd, config, w->state, &e)));
}

static enum err listen_here(const struct words *w, const struct config *config, struct error *e)
{
    int      all = -1, running = 0;
    enum err code = packet_listen(w->listen, 0660, &all, e);

    while (!code) {
        AUTO(fd_end) int fd = accept4(all, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            continue;
        while (running && waitpid(-1, NULL, running >= MOST ? 0 : WNOHANG) > 0)
            running--;
        running++;
        serve_apart(fd, w, config);
    }
    return code;
}

static enum err run(const struct words *w, struct error *e)
{
    struct config config;
    enum err      code;

    if (w->pin)
        return pin_root(w->state, w->pin, e);
    if (!w->listen && (code = handed_over(e)))
        return code;
    code = read_config(w->config, &config, e);
    if (code && !w->listen)
        refuse(FIRST_FD, e);                    /* so that the node hears of it as well */
    if (code)
        return code;
    code = w->listen ? listen_here(w, &config, e) : serve(FIRST_FD, &config, w->state, e);
    config_end(&config);
    return code;
}

int main(int argc, char **argv)
{
    struct words w = {.config = STANDARD_CONFIG, .state = STANDARD_STATE};
    struct error e = {0};
    enum err     code = sort_words(argc, argv, &w, &e);
    char         name[256] = "";

    umask(022);                                 /* of what dpkg and programs make; what is secret here is made 0600 and lies in 0700 */
    signal(SIGPIPE, SIG_IGN);
    gethostname(name, sizeof name - 1);
    log_open(LOG_TELL, "ferryd-installer", name);
    if (!code && w.help)
        print_help();
    else if (!code && w.version)
        printf("ferryd-installer %s\n", FERRY_VERSION);
    else if (!code)
        code = run(&w, &e);
    if (code)
        fprintf(stderr, "ferryd-installer: %s\n", e.text);
    return code ? err_exit(code) : EXIT_SUCCESS;
}
