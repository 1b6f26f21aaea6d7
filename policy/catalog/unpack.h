/* Compressed bytes in, plain bytes out, a block at a time: xz, gzip (several members too) or plain, told by the first bytes. Pure.
 * Over limit bytes of output, trailing rubbish and a missing end are refused (ERR_VERIFY). The xz decoder takes at most 128 MiB. */
#ifndef FERRY_POLICY_CATALOG_UNPACK_H
#define FERRY_POLICY_CATALOG_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum err (*unpack_fn)(void *ctx, const char *bytes, size_t length, struct error *);
enum err unpack(const void *bytes, size_t length, uint64_t limit, unpack_fn, void *ctx, struct error *);

#endif
