/* Signed policy: policy/trust/role.c, trust_root.c, announced.c, delegation.c, scheme.c, canonical.c. The first byte says which role the rest is
 * taken for, and in which profile. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/document/json.h"
#include "policy/trust/announced.h"
#include "policy/trust/canonical.h"
#include "policy/trust/delegation.h"
#include "policy/trust/trust_root.h"

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
    const char  *type = types[data[0] % 4], *bytes = (const char *)data + 1;
    size_t       length = size - 1;
    enum profile p = data[0] & 4 ? PROFILE_GENERAL : PROFILE_FERRY;
    if (role_read(bytes, length, role_limit(p, type), type, &role, &e))
        return 0;
    canonical_is_stable(role.body);
    if (!strcmp(type, "root") && !root_signer(p, &role, "timestamp", &signer, &e))
        role_verify(&role, &signer, "timestamp", &e);
    if (!strcmp(type, "targets") && !delegations_read(p, role.body, strict(p) ? all : NULL, &count, &e))
        for (size_t i = 0; i < count && strict(p); i++)
            delegation_allows(all[i].role, "policy/tills/october.json");
    if (!announced_read(p, &role, !strcmp(type, "timestamp"), &e)) {
        announced_version(&role, "snapshot");
        announced_check(&role, "snapshot", bytes, length, &e);
        announced_after(&role, &role, &e);
    }
    role_end(&role);
    return 0;
}
