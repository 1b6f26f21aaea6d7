/* What a Debian changelog tells of one version: how urgent its maintainer found it, and which vulnerabilities it names. Pure.
 * For the site, which has the .deb: usr/share/doc/PACKAGE/changelog.Debian.gz, or changelog.gz of a native package (catalogs.md B3). */
#ifndef FERRY_POLICY_CATALOG_CHANGELOG_H
#define FERRY_POLICY_CATALOG_CHANGELOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CVES 64                                 /* more are not kept: `linux` names thousands */

struct changelog {
    char   *version, *urgency;                  /* urgency in lower case */
    char  **cves;                               /* NULL-terminated, each once, in order of appearance; NULL when none */
    int64_t date;                               /* of the entry's trailer; 0: not readable */
};
/* bytes: plain, gzip or xz. version NULL: the topmost entry. ERR_NOT_FOUND when the version has no entry. */
enum err changelog_read(const void *bytes, size_t length, const char *version, struct changelog *out, struct error *);
void     changelog_end(struct changelog *);

/* Adds every CVE id of the text to a NULL-terminated list (NULL: empty), each once, at most CVES. */
void cves_collect(const char *text, size_t length, char ***list);

#endif
