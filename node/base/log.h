/* Structured log lines. To a terminal: time, level, sentence, fields. Else to stderr: one JSON object a line with the journal's field
 * names; under systemd (JOURNAL_STREAM) "<N>" prefixes. Loop thread only (one log a process: the only file static Ferry allows itself).
 *   log_say(LOG_WARN, "content.refused", "a distribution point served altered bytes", "FERRY_SOURCE", dp, "FERRY_CONTENT", hex, NULL); */
#ifndef FERRY_NODE_BASE_LOG_H
#define FERRY_NODE_BASE_LOG_H

#include <stdbool.h>

#include "base/error.h"

enum log_level { LOG_FATAL = 2, LOG_WRONG = 3, LOG_WARN = 4, LOG_NOTE = 5, LOG_TELL = 6, LOG_TRACE = 7 };   /* syslog's numbers */

void log_open(enum log_level most, const char *who /* "ferryd" */, const char *node);
/* event: stable dotted word (FERRY_EVENT). Then pairs of field name and text (NULL text: left out), ended by NULL. */
void log_say(enum log_level, const char *event, const char *message, ...) __attribute__((sentinel));
void log_error(enum log_level, const char *event, const char *doing, const struct error *);
bool log_level_read(const char *word, enum log_level *out);                 /* "error" "warning" "notice" "info" "debug" */

#endif
