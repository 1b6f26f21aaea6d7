/* The configuration file: base/text.c's numbers and times, node/base/option.c, node/config.c, node/io/address.c. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "node/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char          path[40];
    int           fd = memfd_create("config", MFD_CLOEXEC);
    struct config c;
    struct error  e;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!config_load(&c, path, 0, NULL, &e))
        config_end(&c);
    close(fd);
    return 0;
}
