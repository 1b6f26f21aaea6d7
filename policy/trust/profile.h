/* Which repositories a verifier takes. The specification alone is the general profile: anybody's files can be tested with it. What Ferry's
 * nodes obey is narrower (trust.md section 1), and every narrower rule is one question to strict(). */
#ifndef FERRY_POLICY_TRUST_PROFILE_H
#define FERRY_POLICY_TRUST_PROFILE_H

#include <stdbool.h>

enum profile {
    PROFILE_FERRY,                              /* zero: whoever chooses nothing gets the narrow one */
    PROFILE_GENERAL
};

static inline bool strict(enum profile p)
{
    return p == PROFILE_FERRY;
}

#endif
