/* For tests of a site with a vendor: a signed archive, made once for all tests of a program; every test works on a copy below lab.www. */
#ifndef FERRY_TESTS_UNIT_SITE_ARCHIVE_H
#define FERRY_TESTS_UNIT_SITE_ARCHIVE_H

#include "tests/unit/site_lab.h"

static char site_archive[64];

__attribute__((format(printf, 1, 2))) static inline void site_shell(const char *format, ...)
{
    char    command[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    if (system(command))
        fail_msg("%s", command);
}

/* Dated yesterday; its biggest package has so many mebibytes. */
static inline int site_archive_make(int data_mib)
{
    strcpy(site_archive, "/tmp/ferry-arc-XXXXXX");
    assert_non_null(mkdtemp(site_archive));
    site_shell("FERRY_DATE=$(($(date +%%s) - 86400)) tests/fixtures/make-archive.sh %s %d", site_archive, data_mib);
    return 0;
}

static inline int site_archive_end(void **state)
{
    (void)state;
    return file_remove(site_archive, NULL) != OK;
}

#endif
