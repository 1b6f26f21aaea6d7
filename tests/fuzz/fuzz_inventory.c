/* policy/catalog/inventory_list.c: dpkg-query's output, and the JSON that nodes send (what was read prints and reads back). */
#include <stdint.h>
#include <stdlib.h>

#include "policy/catalog/apt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inventory inv, again;
    json_t          *j = json_loadb((const char *)data, size, 0, NULL);

    if (inventory_read((const char *)data, size, &inv, NULL) == OK) {
        inventory_find(&inv, "jq", "amd64");
        json_decref(inventory_to_json(&inv));
        inventory_end(&inv);
    }
    if (inventory_from_json(j, &inv, NULL) == OK) {
        json_t *out = inventory_to_json(&inv);

        if (inventory_from_json(out, &again, NULL) != OK || again.count > inv.count)
            abort();
        inventory_end(&again);
        inventory_end(&inv);
        json_decref(out);
    }
    json_decref(j);
    return 0;
}
