/* Checked reading of JSON members. A reader walks one object; every member asked for is marked; done() refuses what
 * nobody asked for. The first error sticks: later calls do nothing, and done() returns it. The error names the path:
 * "deployment.updates[3].files[0].sha256: …". Values are borrowed from the json_t, valid as long as it lives; names of members
 * have to outlive the reader. */
#ifndef FERRY_POLICY_DOCUMENT_JSON_H
#define FERRY_POLICY_DOCUMENT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

#define READER_PATH    160
#define READER_MEMBERS 48                       /* no object of ours has more */
#define READER_MADE    640                      /* bytes of names put together */

struct reader {
    const json_t *object;
    char          path[READER_PATH];
    const char   *asked[READER_MEMBERS];        /* names of the members asked for, present or not */
    size_t        asked_count;
    char          made[READER_MADE];
    size_t        made_length;
    struct error *error;
    enum err      verdict;
};

/* Bytes → JSON with limits: size, depth 32, duplicate members refused, reals refused, trailing bytes refused, NUL refused. Caller
 * json_decref's. */
enum err json_read(const char *bytes, size_t length, size_t limit, json_t **out, struct error *);

void        reader_init(struct reader *, const json_t *object, const char *path, struct error *);
void        reader_sub(struct reader *, struct reader *parent, const char *name);           /* a required object member   */
void        reader_item(struct reader *, struct reader *parent, const char *name, size_t index, const json_t *value);
char       *reader_path(const struct reader *, const char *name, size_t index, char out[READER_PATH]);  /* "PATH.name[index]"; out */
bool        reader_has(struct reader *, const char *name);                                  /* present (does not mark it) */
const char *reader_seconds(struct reader *, const char *name);                              /* NAME_s, kept in the reader */
const char *reader_text(struct reader *, const char *name, size_t limit);                   /* required; "" on error      */
const char *reader_text_or(struct reader *, const char *name, size_t limit, const char *or_else);
int64_t     reader_number(struct reader *, const char *name, int64_t low, int64_t high);    /* required                   */
int64_t     reader_number_or(struct reader *, const char *name, int64_t low, int64_t high, int64_t or_else);
bool        reader_bool_or(struct reader *, const char *name, bool or_else);
int64_t     reader_time(struct reader *, const char *name);                                 /* RFC 3339, required         */
int64_t     reader_time_or(struct reader *, const char *name, int64_t or_else);
struct sha256 reader_sha256(struct reader *, const char *name);                             /* 64 hex digits, required    */
const json_t *reader_array(struct reader *, const char *name, size_t limit);                /* required; empty on error   */
const json_t *reader_array_or(struct reader *, const char *name, size_t limit);             /* NULL when absent           */
const json_t *reader_object(struct reader *, const char *name);                             /* required                   */
enum err    reader_fail(struct reader *, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
enum err    reader_done(struct reader *);                       /* refuses unknown members; the verdict */
/* Copies of text members; NULL-terminated lists of texts (NULL when absent or empty). Caller frees. */
char       *reader_copy(struct reader *, const char *name, size_t limit);                   /* required                   */
char       *reader_copy_or_null(struct reader *, const char *name, size_t limit);
char      **reader_words(struct reader *, const char *name, size_t most, size_t limit);     /* optional                   */
uint8_t    *reader_base64(struct reader *, const char *name, size_t limit, size_t *size);   /* required                   */
/* Members written only when there is something to write. */
void        put_text(json_t *object, const char *name, const char *text);
void        put_words(json_t *object, const char *name, char *const *words);
void        put_time(json_t *object, const char *name, int64_t seconds);                    /* left out when 0            */
void        put_sha256(json_t *object, const char *name, const struct sha256 *);

/* Names that become parts of paths and URLs: [a-z0-9][a-z0-9.-]{0,63}, never "..". */
bool        name_ok(const char *name);

#endif
