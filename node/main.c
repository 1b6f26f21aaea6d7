/* ferryd: words in, exit status out. What it is told is config.c, what it does is daemon.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/text.h"
#include "node/daemon.h"

#define STANDARD_CONFIG "/etc/ferry/ferryd.conf"

/* The words that are not options of the table. */
struct words {
    const char *config;
    bool        help, version, check;
    int         argc;
    char      **argv;                           /* the rest */
};

static void print_help(void)
{
    printf("ferryd - the daemon of Ferry: client, distribution point, site\n\n"
           "  ferryd --config /etc/ferry/ferryd.conf\n"
           "  ferryd --role site --site-state /var/lib/ferry-site --site-listen 192.0.2.1:8440 --site-url https://updates.example.org:8440\n"
           "  ferryd --role client --site https://updates.example.org:8440 --enrol-token ferry-... --listen 10.1.0.7:6881 --peer "
           "10.1.0.8:6881\n\n"
           "  --config FILE    settings, one \"key = value\" a line; " STANDARD_CONFIG " when it exists\n"
           "  --check-config   says whether the settings are accepted, and ends\n"
           "  --version        says which Ferry this is\n"
           "  --help           says this\n\n"
           "Every setting below is a key of the file and an option here, where it wins. SIGHUP takes over those that are live.\n\n");
    option_help(config_options, config_option_count, stdout);
    printf("\nExit status: 0 ended as asked, 1 failed, 2 a configuration error, 3 another ferryd uses the same state, 8 not permitted.\n");
}

static enum err sort_words(int argc, char **argv, struct words *w, struct error *e)
{
    w->argv = must_alloc((size_t)argc * sizeof *w->argv);
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            w->help = true;
        else if (!strcmp(argv[i], "--version"))
            w->version = true;
        else if (!strcmp(argv[i], "--check-config"))
            w->check = true;
        else if (!strncmp(argv[i], "--config=", 9))
            w->config = argv[i] + 9;
        else if (!strcmp(argv[i], "--config") && i + 1 < argc)
            w->config = argv[++i];
        else if (!strcmp(argv[i], "--config"))
            return fail(e, ERR_USAGE, "--config needs a file");
        else
            w->argv[w->argc++] = argv[i];
    }
    if (!w->config && file_exists(STANDARD_CONFIG))
        w->config = STANDARD_CONFIG;
    return OK;
}

/* A swarm and its neighbours want more descriptors than the 1,024 that are usual. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int complain(const struct error *e, int status)
{
    fprintf(stderr, "ferryd: %s\n", e->text);
    return status;
}

static int run(const struct words *w)
{
    struct config config;
    struct error  e;
    enum err      code = config_load(&config, w->config, w->argc, w->argv, &e);

    if (code)
        return complain(&e, code == ERR_DENIED ? err_exit(code) : err_exit(ERR_USAGE));
    if (w->check)
        printf("%s: the settings are accepted\n", w->config ? w->config : "command line");
    else
        code = daemon_run(&config, w->config, w->argc, w->argv, &e);
    config_end(&config);
    return code ? complain(&e, err_exit(code)) : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct words w = {0};
    struct error e;
    int          status = EXIT_SUCCESS;

    raise_descriptors();
    if (sort_words(argc, argv, &w, &e))
        status = complain(&e, err_exit(ERR_USAGE));
    else if (w.help)
        print_help();
    else if (w.version)
        printf("ferryd %s\n", FERRY_VERSION);
    else
        status = run(&w);
    free(w.argv);
    return status;
}
