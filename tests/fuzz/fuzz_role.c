/* Signed policy: policy/trust/role.c, delegation.c, canonical.c. The first byte says which role the rest is taken for. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/document/json.h"
#include "policy/trust/canonical.h"
#include "policy/trust/delegation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was printed canonically prints to the same again. */
static void canonical_is_stable(const json_t *value)
{
    char        *first = NULL, *second = NULL;
    size_t       n = 0, m = 0;
    json_t      *again;
    struct error e;

    if (canonical_print(value, &first, &n, &e))
        return;
    again = json_loadb(first, n, JSON_ALLOW_NUL, NULL);
    if (again && (canonical_print(again, &second, &m, &e) || n != m || memcmp(first, second, n)))
        abort();
    json_decref(again);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"root", "timestamp", "snapshot", "targets"};
    static struct delegation all[DELEGATIONS];
    struct role              role = {0};
    struct signer            signer;
    struct error             e;
    size_t                   count = 0;

    if (size < 1)
        return 0;
    const char *type = types[data[0] % 4], *bytes = (const char *)data + 1;
    size_t      length = size - 1;
    if (!strcmp(type, "root") ? root_read(bytes, length, &role, &e) : role_read(bytes, length, role_limit(type), type, &role, &e))
        return 0;
    canonical_is_stable(role.body);
    if (!strcmp(type, "root") && !root_signer(&role, "timestamp", &signer, &e))
        role_verify(&role, &signer, "timestamp", &e);
    if (!strcmp(type, "targets") && !delegations_read(role.body, all, &count, &e))
        for (size_t i = 0; i < count; i++)
            delegation_allows(&all[i], "policy/tills/october.json");
    announced_version(&role, "snapshot");
    announced_check(&role, "snapshot", bytes, length, &e);
    role_end(&role);
    return 0;
}
