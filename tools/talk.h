/* One question to ferryd over its control socket, one answer. The command line uses nothing else of a running ferryd. */
#ifndef FERRY_TOOLS_TALK_H
#define FERRY_TOOLS_TALK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

struct talk;

/* path NULL: $FERRY_SOCKET, else /run/ferry/ferryd.sock. trace: prints each call to stderr. */
enum err talk_open(const char *path, bool trace, struct talk **out, struct error *);
void     talk_close(struct talk *);
/* body may be NULL; *out is the answer's JSON (caller decrefs). A problem+json answer becomes the error. */
enum err talk_ask(struct talk *, const char *method, const char *path, const json_t *body, json_t **out, struct error *);
/* Waits without asking: milliseconds. */
void     talk_wait(struct talk *, int64_t ms);

#endif
