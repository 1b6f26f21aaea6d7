/* node/client/plan.c: what apt-get says it would do, and what it complains about. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/client/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char       *text = must_alloc(size + 1), why[200];
    struct plan plan;

    memcpy(text, data, size);
    if (plan_read(text, &plan, NULL) == OK) {
        for (size_t i = 0; i < plan.count; i++)
            if (!plan_names(&plan, plan.items[i].name))
                abort();
        plan_end(&plan);
    }
    plan_verdict(text, INSTALL_FAILED);
    plan_reason(text, why, sizeof why);
    if (strlen(why) >= sizeof why)
        abort();
    free(text);
    return 0;
}
