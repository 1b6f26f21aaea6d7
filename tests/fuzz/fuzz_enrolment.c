/* The answer to an enrolment: node/client/enrolment.c, both layers; policy/trust/certificate.c below it. The mac would keep everything out. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "node/client/enrolment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t   public[32] = {1};
    uint8_t                secret[32] = {0};
    struct enrolment_asked asked = {.root = hash_bytes("root", 4), .node_id = "n1", .public = public, .now = 1795809600, .secure = size % 2};
    struct enrolment       n;
    struct error           e;
    char                  *text = NULL;
    size_t                 length;

    if (!enrolment_open((const char *)data, size, secret, &text, &length, &e))
        free(text);
    if (!enrolment_read((const char *)data, size, &asked, &n, &e))
        enrolment_end(&n);
    return 0;
}
