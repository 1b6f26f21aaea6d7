/* Status as it comes over the line: node/base/envelope.c, then the messages' JSON. Half of the inputs are the line's bytes; the others are what
 * an enrolled node with its good key has packed: those pass the seal and the signature. */
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/envelope.h"
#include "policy/document/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char audience[] = "hq";
static uint8_t seal_public[32], seal_secret[32];
static struct key node;

static void keys_make(void)
{
    static const uint8_t seed[32] = {1};

    if (sodium_init() < 0)
        abort();
    crypto_box_seed_keypair(seal_public, seal_secret, seed);
    memcpy(node.seed, seed, 32);
    uint8_t secret[64];
    crypto_sign_seed_keypair(node.public, secret, seed);
}

/* Packed bytes as a node would sign and seal them. Caller frees. */
static uint8_t *sealed(const uint8_t *packed, size_t size, size_t *out)
{
    size_t   head = 32 + KEY_SIGNATURE, n = sizeof audience;
    uint8_t *plain = malloc(head + size + 1), *text = malloc(n + size), *box = malloc(head + size + crypto_box_SEALBYTES);

    memcpy(plain, node.public, 32);
    memcpy(plain + head, packed, size);
    memcpy(text, audience, n);
    memcpy(text + n, packed, size);
    key_sign(&node, text, n + size, plain + 32);
    crypto_box_seal(box, plain, head + size, seal_public);
    *out = head + size + crypto_box_SEALBYTES;
    free(plain);
    free(text);
    return box;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool  ready;
    uint8_t      who[32], *box = NULL;
    const uint8_t *bytes;
    char        *json = NULL;
    size_t       length = 0;
    json_t      *messages = NULL;
    struct error e;

    if (!ready)
        keys_make();
    ready = true;
    if (size < 2)
        return 0;
    bytes = data + 1;
    size--;
    if (data[0] & 1)
        bytes = box = sealed(bytes, size, &size);
    if (!envelope_open(seal_public, seal_secret, audience, bytes, size, who, &json, &length, &e)) {
        if (memcmp(who, node.public, 32))
            abort();                            /* signed by nobody we know */
        json_read(json, length, ENVELOPE_UNPACKED, &messages, &e);
        json_decref(messages);
    }
    free(json);
    free(box);
    return 0;
}
