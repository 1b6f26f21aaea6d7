/* OLPC canonical JSON: the bytes that are signed. Keys sorted bytewise, only " and \ escaped, integers only, UTF-8 raw, no white space. */
#ifndef FERRY_POLICY_TRUST_CANONICAL_H
#define FERRY_POLICY_TRUST_CANONICAL_H

#include <jansson.h>

#include "base/error.h"

/* Caller frees. Refuses reals (ERR_VERIFY). */
enum err canonical_print(const json_t *, char **out, size_t *length, struct error *);

#endif
