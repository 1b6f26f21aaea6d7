/* The lists that several documents carry: contents, archives, updates. Inside policy/document, and for those who build documents. */
#ifndef FERRY_POLICY_DOCUMENT_PARTS_H
#define FERRY_POLICY_DOCUMENT_PARTS_H

#include "policy/document/deployment.h"
#include "policy/document/json.h"

/* Members "contents", "archives", "updates" of the reader's object; what was read before an error is in *out and has to be ended. */
enum err contents_read(struct reader *, struct content **out, size_t *count);
enum err archives_read(struct reader *, struct archive **out, size_t *count);
enum err updates_read(struct reader *, struct update ***out, size_t *count);
json_t  *contents_print(const struct content *, size_t count);
json_t  *archives_print(const struct archive *, size_t count);
json_t  *updates_print(struct update *const *, size_t count);
void     contents_end(struct content *, size_t count);              /* the array too */
void     archives_end(struct archive *, size_t count);
void     updates_end(struct update **, size_t count);
void     contents_sort(struct content *, size_t count);             /* by sha256, as content_find wants them */
const struct content *content_find(const struct content *, size_t count, const struct sha256 *);

#endif
