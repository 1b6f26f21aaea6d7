/* Debian version order (Policy 5.6.12): -1, 0, 1. Agrees with dpkg --compare-versions. */
#ifndef FERRY_POLICY_CATALOG_VERSION_H
#define FERRY_POLICY_CATALOG_VERSION_H
#include <stdbool.h>
int  version_compare(const char *a, const char *b);
/* relation: "<<" "<=" "=" ">=" ">>" */
bool version_satisfies(const char *version, const char *relation, const char *wanted);
#endif
