/* Control data of Debian (deb822(5)): stanzas of "Name: value" lines, from a stream of bytes. Pure.
 * Refused with the line's number: a line without a colon, a field twice in a stanza, a byte 0, a stanza over the limit or with over 256
 * fields. */
#ifndef FERRY_POLICY_CATALOG_DEB822_H
#define FERRY_POLICY_CATALOG_DEB822_H

#include <stddef.h>

#include "base/error.h"

/* Blank-trimmed; continuation lines are kept as they are: "first line\n second line". */
struct deb822_field {
    const char *name, *value;
    size_t      name_length;
};
struct deb822_stanza {
    const struct deb822_field *fields;
    size_t                     count;
    size_t                     line;            /* where it begins, from 1: for error texts */
};
/* NULL when absent. Names are compared without regard to case. */
const char *deb822_get(const struct deb822_stanza *, const char *name);

/* Called once per stanza; its texts are gone afterwards. Stops when it returns not OK. */
typedef enum err (*deb822_fn)(void *ctx, const struct deb822_stanza *, struct error *);

struct deb822;
struct deb822 *deb822_new(size_t stanza_limit, deb822_fn, void *ctx);
void           deb822_free(struct deb822 *);
enum err       deb822_feed(struct deb822 *, const char *bytes, size_t length, struct error *);
enum err       deb822_finish(struct deb822 *, struct error *);      /* the last stanza needs no blank line behind it */

#endif
