/* Which bytes of a file a request means, by its headers (RFC 9110 sections 13 and 14). Pure; only answer.c uses it. */
#ifndef FERRY_NODE_IO_RANGE_H
#define FERRY_NODE_IO_RANGE_H

#include <stdbool.h>
#include <stdint.h>

enum range { RANGE_WHOLE, RANGE_PART, RANGE_BEYOND };

/* "bytes=0-99" of so many bytes. One range is honoured; several, or what is not understood, mean the whole (RFC 9110 section 14.2 permits
 * that). first and length are good for RANGE_PART only. */
enum range range_read(const char *text, uint64_t size, uint64_t *first, uint64_t *length);
/* The tag, with its quotes, is among those of an If-None-Match. list NULL: there is none. */
bool       range_tag_matches(const char *list, const char *tag);

#endif
