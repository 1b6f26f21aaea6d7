#include "policy/trust/digest.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"

static const struct {
    const char *name;
    const EVP_MD *(*kind)(void);
} kinds[] = {{"sha256", EVP_sha256}, {"sha512", EVP_sha512}};

static bool one_matches(const json_t *stated, const EVP_MD *kind, const void *bytes, size_t length)
{
    const char   *hex = json_string_value(stated);
    unsigned char wanted[EVP_MAX_MD_SIZE], real[EVP_MAX_MD_SIZE];
    unsigned      size = 0;

    return hex && EVP_Digest(length ? bytes : "", length, real, &size, kind, NULL) == 1 && hex_decode(hex, wanted, size) &&
           !memcmp(wanted, real, size);
}

bool digest_matches(const json_t *hashes, const void *bytes, size_t length)
{
    size_t known = 0;

    for (size_t i = 0; i < COUNT(kinds); i++) {
        const json_t *stated = json_object_get(hashes, kinds[i].name);
        if (stated && !one_matches(stated, kinds[i].kind(), bytes, length))
            return false;
        known += stated != NULL;
    }
    return known > 0;
}

const char *digest_name(const json_t *hashes)
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const char *hex = json_string_value(json_object_get(hashes, kinds[i].name));
        if (hex && *hex && strspn(hex, "0123456789abcdef") == strlen(hex))      /* it becomes part of a URL */
            return hex;
    }
    return NULL;
}
