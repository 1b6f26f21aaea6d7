/* One table is the configuration file, the command line, the help and the defaults. File: "key = value" lines, # comments, repeated keys
 * for lists. Unknown keys, bad values and missing files refuse the start with file, line, reason and the nearest key. */
#ifndef FERRY_NODE_BASE_OPTION_H
#define FERRY_NODE_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum option_type {
    OPTION_TEXT,
    OPTION_PATH,                                /* made absolute */
    OPTION_LIST,                                /* char **, NULL-terminated; separated by commas or blanks, or the key repeated */
    OPTION_NUMBER,
    OPTION_BOOL,
    OPTION_DURATION,                            /* seconds */
    OPTION_SIZE,                                /* bytes */
    OPTION_WORD
};

struct option {
    const char        *name;                    /* "cache-max": key in the file and --cache-max */
    enum option_type   type;
    const char        *standard;                /* default, as text; NULL: none */
    const char        *meaning;                 /* one sentence */
    size_t             at;                      /* offset in the config struct: char *, char **, int64_t, bool */
    int64_t            low, high;               /* numbers, durations, sizes */
    const char *const *words;                   /* OPTION_WORD: accepted; NULL-terminated */
    bool               live;                    /* taken over at SIGHUP */
};

enum err option_defaults(const struct option *, size_t count, void *config, struct error *);
enum err option_file(const struct option *, size_t count, void *config, const char *path, struct error *);
/* "--name value", "--name=value", "--bool"; stops at the first word without dashes, *used = words taken. */
enum err option_words(const struct option *, size_t count, void *config, int argc, char **argv, int *used, struct error *);
/* SIGHUP: moves what is live from fresh to config; told is called for every option that differs, taken: whether it is live. */
void     option_reload(const struct option *, size_t count, void *config, void *fresh,
                       void (*told)(void *ctx, const struct option *, bool taken), void *ctx);
void     option_help(const struct option *, size_t count, void *file /* FILE* */);
void     option_end(const struct option *, size_t count, void *config);

#endif
