/* An update as the catalog knows it and as a deployment carries it: what it is, its files, how it is detected and
 * installed. For Debian: one source package and version in one archive; its files are the binary packages.
 * Semantics: catalogs.md B and C ("common record"). Sizes in bytes, times in seconds since 1970 UTC, 0 = unknown. */
#ifndef FERRY_POLICY_DOCUMENT_UPDATE_H
#define FERRY_POLICY_DOCUMENT_UPDATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

#define CLASS_LIST(X) X(CRITICAL, "critical") X(DEFINITION, "definition") X(FEATURE_PACK, "feature-pack") X(SECURITY, "security") \
    X(SERVICE_PACK, "service-pack") X(TOOL, "tool") X(ROLLUP, "rollup") X(UPDATE, "update") X(UPGRADE, "upgrade") X(DRIVER, "driver")
#define SEVERITY_LIST(X)                                                                                                                   \
    X(UNSPECIFIED, "unspecified") X(NONE, "none") X(LOW, "low") X(MODERATE, "moderate") X(IMPORTANT, "important") X(CRITICAL, "critical")
/* Compliance of one update on one node; numbers are Configuration Manager's topic 500. */
#define STATE_LIST(X) X(UNKNOWN, "unknown") X(NOT_REQUIRED, "not-required") X(REQUIRED, "required") X(INSTALLED, "installed")

enum update_class {
#define X(name, text) CLASS_##name,
    CLASS_LIST(X)
#undef X
    CLASS_COUNT
};
enum severity {
#define X(name, text) SEVERITY_##name,
    SEVERITY_LIST(X)
#undef X
    SEVERITY_COUNT
};
enum update_state {
#define X(name, text) STATE_##name,
    STATE_LIST(X)
#undef X
    STATE_COUNT
};

const char *class_name(enum update_class);
const char *severity_name(enum severity);
const char *state_name(enum update_state);
bool        class_by_name(const char *, enum update_class *out);
bool        severity_by_name(const char *, enum severity *out);
bool        state_by_name(const char *, enum update_state *out);

#define SIZE_MOST (1LL << 46)                   /* of one file: all the files of the largest document add up without overflow */

struct update_file {
    struct sha256 sha256;
    uint64_t      size;
    char         *name;                         /* apt: the archive's Filename ("pool/…/x_1_amd64.deb"); command: a base name  */
    char         *origin;                       /* absolute URL at the vendor; NULL when there is none                         */
    char         *package, *version, *arch;     /* apt only: the binary package; NULL otherwise                                */
};

enum detect_type  { DETECT_DPKG, DETECT_PROGRAM, DETECT_FILE };
enum install_type { INSTALL_APT, INSTALL_COMMAND };
enum return_meaning { RETURN_SUCCESS, RETURN_RESTART, RETURN_RETRY, RETURN_FAILURE };

struct return_code {
    uint32_t            code;                   /* compared unsigned */
    enum return_meaning meaning;
};

/* DETECT_DPKG: by the files' packages. DETECT_PROGRAM: program exits 0 = installed, 1 = required, 2 = not required, else unknown.
 * DETECT_FILE: path (below the managed root) exists with this SHA-256 = installed, otherwise required. */
struct detect {
    enum detect_type type;
    char            *program;                   /* a name in the update's files, or an absolute path below the root */
    char           **args;                      /* NULL-terminated, NULL when none */
    char            *path;
    struct sha256    sha256;
};

struct install {
    enum install_type   type;
    char               *program;                /* command: as above */
    char              **args;                   /* "{root}" and "{content}" are replaced by the managed root and the content's directory */
    struct return_code *codes;                  /* command: the table; a code not in it is a failure; 0 = success unless listed */
    size_t              code_count;
    int64_t             max_run_s;              /* 1 … 599940; asked to stop then, killed 30 s later */
    bool                exclusive;
};

struct update {
    char *id; /* "apt:CATALOG:SOURCE:VERSION", "command:NAME:VERSION": stable, ≤ 255, the same on site and node */
    char             *catalog;                  /* the catalog's (archive's) name */
    char             *name;                     /* source package, article id, command's name */
    char             *version;
    char             *title, *description;
    enum update_class classification;
    enum severity     severity;
    char             *urgency;                  /* Debian's, "" when not carried */
    char             *product;                  /* "Debian bookworm" */
    char             *vendor;                   /* "Debian" (Origin) */
    char            **cves;                     /* NULL-terminated; NULL when none; at most 64 */
    char            **articles, **bulletins, **languages;           /* the vendor's numbers; such as "de"; likewise, at most 16 each */
    int64_t           released;
    struct update_file *files;
    size_t            file_count;
    struct detect     detect;
    struct install    install;
    char             *applies;                  /* expression over facts, NULL = everywhere */
};

void     update_free(struct update *);          /* NULL is fine; frees the struct too */
void     update_end(struct update *);           /* members only */
enum err update_from_json(const json_t *, const char *path, struct update **out, struct error *);
json_t  *update_to_json(const struct update *); /* caller decrefs; canonical: equal updates give equal JSON */
uint64_t update_size(const struct update *);    /* of all its files */
char   **words_copy(char *const *words);        /* NULL-terminated lists; NULL stays NULL */
void     words_free(char **words);

#endif
