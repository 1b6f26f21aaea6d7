/* What a connection to the privileged installer may begin with: node/io/packet.c, node/install/order.c. A target that is taken is a name below
 * policy/, whatever was asked. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "node/install/order.h"
#include "node/io/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t      *j = NULL;
    struct order o;

    if (packet_read((const char *)data, size, &j, NULL))
        return 0;
    if (!order_read(j, &o, NULL) && o.kind == ORDER_INSTALL)
        if (strncmp(o.target, "policy/", 7) || strstr(o.target, "..") || strstr(o.target, "//") || strspn(o.target, "/.") || strlen(o.update) > 255)
            abort();
    json_decref(j);
    return 0;
}
