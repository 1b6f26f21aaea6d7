/* What people see: tables, progress bars, colour only on a terminal (NO_COLOR honoured). */
#ifndef FERRY_TOOLS_SHOW_H
#define FERRY_TOOLS_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* columns: "member:TITLE member.sub:TITLE:size …" — kinds: size, time, list, percent; default text. */
void show_table(const json_t *items, const char *columns);
void show_members(const json_t *object, int indent);
bool show_on_terminal(int fd);
/* One line redrawn in place on a terminal; in a pipe one line whenever the step changes. total 0: unknown. */
void show_progress(const char *what, const char *step, int64_t done, int64_t total, bool bytes);
void show_progress_end(void);
/* state words in their colour: installed green, failed red, … ; returns text borrowed from a static ring of 8. */
const char *show_state(const char *word);

#endif
