/* dht/metadata.cpp: a foreign .torrent file before anything of it is believed. The seeds are torrents of zeros of two sizes, without a CA and with
 * this one, so that the name and the CA are known. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "dht/swarm.h"

#define CA "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sha256 zeros(size_t count)
{
    void *bytes = calloc(1, count);
    struct sha256 name = hash_bytes(bytes, count);
    free(bytes);
    return name;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const cas[] = {NULL, CA};
    static struct sha256 small, large;
    struct error e = {0};
    uint32_t piece = 0;
    if (sha256_is_zero(&small)) {
        small = zeros(100);
        large = zeros(200000);
    }
    for (int i = 0; i < 2; i++)
        if (swarm_torrent_check(data, size, &small, 100, &small, cas[i], &piece, &e) == OK ||
            swarm_torrent_check(data, size, &large, 200000, &large, cas[i], &piece, &e) == OK)
            abort();                            /* that info-hash belongs to no torrent */
    return 0;
}
