/* What the scanner and the installer share about command updates. */
#ifndef FERRY_NODE_CLIENT_DETECT_H
#define FERRY_NODE_CLIENT_DETECT_H

#include <uv.h>

#include "node/io/child.h"
#include "policy/document/update.h"

/* detect_command() with a handle: the program that runs, NULL when there is none to stop. done always comes, later. */
struct child *detect_start(uv_loop_t *, const char *root, const struct update *, const char *content_dir,
                           void (*done)(void *ctx, enum update_state, const char *detail), void *ctx);
enum update_state detect_file(const char *path, const struct sha256 *wanted, struct error *);
/* "{root}" and "{content}" replaced in each word. Caller frees with words_free. */
char **detect_words(char *const *words, const char *root, const char *content);
/* A name among the update's files (below content), or an absolute path below the root; NULL when it is neither. Caller frees. */
char  *detect_program(const struct update *, const char *program, const char *root, const char *content);

#endif
