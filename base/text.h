/* Memory that cannot fail, growing text, and the few conversions everybody needs. Any thread. */
#ifndef FERRY_BASE_TEXT_H
#define FERRY_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define AUTO(end) __attribute__((cleanup(end)))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Out of memory ends the process: nothing of Ferry can go on without it, and everything durable survives. */
void *must_alloc(size_t size);                                      /* zeroed                                  */
void *must_grow(void *old, size_t count, size_t each);              /* realloc, overflow checked               */
char *must_copy(const char *text);                                  /* NULL stays NULL                         */
char *must_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void  text_free(char **text);                                       /* for AUTO(text_free) char *              */

/* Growing bytes; data is always NUL-terminated once anything was added. Zero it to begin: struct text t = {0}. */
struct text {
    char  *data;
    size_t length, room;
};
void  text_add(struct text *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void  text_put(struct text *, const void *bytes, size_t length);
char *text_take(struct text *);                                     /* caller frees; never NULL; t is empty    */
void  text_end(struct text *);                                      /* for AUTO(text_end) struct text          */

/* Hexadecimal, lower case. hex_decode wants exactly 2*size digits. */
void  hex_encode(const void *bytes, size_t size, char *out /* 2*size+1 */);
bool  hex_decode(const char *hex, void *bytes, size_t size);
/* Base64 with padding (RFC 4648 section 4). Caller frees. Decode returns NULL on bad input or more than limit bytes. */
char    *base64_encode(const void *bytes, size_t size);
uint8_t *base64_decode(const char *text, size_t limit, size_t *size);

/* RFC 3339 in UTC with seconds, as TUF wants it: "2026-11-23T21:00:00Z". Seconds since 1970. */
#define TIME_SIZE 32
char    *time_print(int64_t seconds, char out[TIME_SIZE]);          /* returns out; "-" for 0                  */
enum err time_read(const char *text, int64_t *seconds, struct error *);
/* "90", "90s", "15m", "2h", "7d", "2w" → seconds. */
enum err duration_read(const char *text, int64_t *seconds, struct error *);
/* "now", "+2h", RFC 3339, "2026-11-24 22:00" (UTC) → seconds. */
enum err moment_read(const char *text, int64_t now, int64_t *seconds, struct error *);
/* 1536 → "1.5 KiB". out needs 16 bytes. */
char    *size_print(uint64_t bytes, char out[16]);

/* The candidate nearest to word by edit distance, or NULL when none is near: for "did you mean …?". */
const char *nearest(const char *word, const char *const *candidates, size_t count);

#endif
