/* policy/catalog/deb822.c, fed in two pieces, and relation.c on every value. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/catalog/deb822.h"
#include "policy/catalog/relation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err on_stanza(void *ctx, const struct deb822_stanza *s, struct error *e)
{
    (void)ctx;
    (void)e;
    for (size_t i = 0; i < s->count; i++) {
        const char     *value = s->fields[i].value;
        struct clause   c;
        struct relation r;

        while (clause_next(&value, &c))
            while (relation_next(&c, &r))
                relation_provided(s->fields[0].value, &r);
    }
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct deb822 *d = deb822_new(4096, on_stanza, NULL);
    size_t         cut = size ? data[0] % size : 0;

    if (deb822_feed(d, (const char *)data, cut, NULL) == OK && deb822_feed(d, (const char *)data + cut, size - cut, NULL) == OK)
        deb822_finish(d, NULL);
    deb822_free(d);
    return 0;
}
