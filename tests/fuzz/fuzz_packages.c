/* policy/catalog/packages.c with unpack.c and pool.c, apt_update.c and closure.c on what came out. */
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"
#include "policy/catalog/closure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every update must be printable as JSON: no byte of the archive may keep a document from being made. */
static enum err on_update(void *ctx, const struct update *u, struct error *e)
{
    json_t *j = update_to_json(u);
    struct closure closure;
    const struct package_set *const sets[] = {ctx};

    (void)e;
    if (!j)
        abort();
    json_decref(j);
    if (closure_solve(&u, 1, sets, 1, NULL, 0, "amd64", &closure, NULL) == OK)
        closure_end(&closure);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct package_set set = {
        .catalog = must_copy("c"), .origin = must_copy("o"), .codename = must_copy("x-security"), .uri = must_copy("http://h/")};

    if (package_set_add(&set, (const char *)data, size, NULL) == OK && set.count < 64) {
        package_set_sort(&set);
        apt_updates(&set, on_update, &set, NULL);
    }
    package_set_end(&set);
    return 0;
}
