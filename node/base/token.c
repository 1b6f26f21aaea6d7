#include "node/base/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

bool token_read(const char *text, uint8_t out[TOKEN_SIZE])
{
    char     copy[100];
    size_t   n = 0;
    uint8_t *raw;
    bool     good;

    if (!text || strncmp(text, "ferry-", 6) || strlen(text) > 90)
        return false;
    for (const char *t = text + 6; *t; t++)
        copy[n++] = *t == '-' ? '+' : *t == '_' ? '/' : *t;
    while (n % 4)
        copy[n++] = '=';
    copy[n] = 0;
    raw = base64_decode(copy, TOKEN_SIZE, &n);
    good = raw && n == TOKEN_SIZE;
    if (good)
        memcpy(out, raw, TOKEN_SIZE);
    free(raw);
    return good;
}
