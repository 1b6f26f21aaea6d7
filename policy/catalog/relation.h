/* Relationship fields of Debian packages (Policy 7.1): "a (>= 1) | b:any, c (= 2)". Pure; a clause is what stands between commas. */
#ifndef FERRY_POLICY_CATALOG_RELATION_H
#define FERRY_POLICY_CATALOG_RELATION_H

#include <stdbool.h>
#include <stddef.h>

struct relation {
    char name[129], arch[33];                   /* arch: "" none, "any", "amd64" … */
    char relation[3], version[129];             /* "" when there is none */
};
struct clause {
    const char *text;                           /* blank-trimmed, borrowed */
    size_t      length;
};
/* Takes the next clause off *at (NULL: none); false at the end. */
bool clause_next(const char **at, struct clause *out);
/* Takes the next alternative off the clause; false at its end. One that is not understood is skipped. */
bool relation_next(struct clause *, struct relation *out);
/* A Provides field against a wanted relation: a versioned wish is only met by a versioned "provides (= v)". */
bool relation_provided(const char *provides, const struct relation *wanted);

#endif
