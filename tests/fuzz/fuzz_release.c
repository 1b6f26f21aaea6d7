/* policy/catalog/release.c (and changelog.c, which reads the same kind of foreign text). */
#include <stdint.h>
#include <stdlib.h>

#include "policy/catalog/apt.h"
#include "policy/catalog/changelog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct release   r;
    struct changelog c;

    if (release_read((const char *)data, size, &r, NULL) == OK) {
        for (size_t i = 0; i < r.entry_count; i++)
            if (!apt_path_ok(r.entries[i].path))
                abort();
        release_packages(&r, "main", "amd64");
        release_end(&r);
    }
    if (changelog_read(data, size, NULL, &c, NULL) == OK)
        changelog_end(&c);
    return 0;
}
