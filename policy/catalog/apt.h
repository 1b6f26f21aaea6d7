/* Debian archives: InRelease and Packages → packages → updates (catalogs.md B). No files: bytes in, records out; gpgv checks InRelease
 * outside. Bounded: Packages ≤ 512 MiB unpacked, a stanza ≤ 256 KiB (bookworm's largest has 76 KB), 400,000 stanzas. */
#ifndef FERRY_POLICY_CATALOG_APT_H
#define FERRY_POLICY_CATALOG_APT_H

#include "policy/catalog/installed.h"
#include "policy/document/deployment.h"

struct release_entry {                          /* one line of InRelease's SHA256 section */
    char         *path;
    struct sha256 sha256;
    uint64_t      size;
};
struct release {
    char   *origin, *label, *suite, *codename;
    int64_t date, valid_until;                  /* 0: none */
    bool    by_hash;
    struct release_entry *entries;
    size_t  entry_count;
};
/* The clear-signed text as it came (gpgv must have accepted these very bytes). Only the part inside the signature counts. */
enum err release_read(const char *bytes, size_t length, struct release *out, struct error *);
void     release_end(struct release *);
/* COMPONENT/binary-ARCH/Packages.xz, or .gz, or plain, whichever is best; NULL when absent. */
const struct release_entry *release_packages(const struct release *, const char *component, const char *arch);
const struct release_entry *release_find(const struct release *, const char *path);    /* NULL when absent */
/* A path of an archive that may be joined to a directory: relative, no "..", printable ASCII without blanks. */
bool     apt_path_ok(const char *path);

struct package {                                /* one stanza of Packages; strings are owned by the set */
    const char   *name, *version, *arch, *source, *source_version, *filename;
    const char   *depends, *pre_depends, *provides, *priority, *section, *description;
    struct sha256 sha256;
    uint64_t      size;
    const char   *catalog;                      /* set by the caller's struct package_set */
    const char   *breaks, *urgency, *cves;      /* NULL when the stanza has none; cves: the text of its "CVE" or "X-CVE" field */
};
struct package_set {                            /* the packages of one archive snapshot, sorted by (name, version falling) */
    char           *catalog, *origin, *label, *codename, *uri;  /* malloc'd by the caller, freed by package_set_end */
    int64_t         date;
    struct package *packages;
    size_t          count;
    struct text_pool *pool;
    bool          (*keep)(void *ctx, const char *name);    /* NULL: keep all; a node keeps what it has installed */
    void           *keep_ctx;
};
/* Adds one Packages file (xz, gz or plain by its first bytes) to the set; zero the set first. */
enum err package_set_add(struct package_set *, const char *bytes, size_t length, struct error *);
void     package_set_sort(struct package_set *);
void     package_set_end(struct package_set *);
/* [first, first + n) with that name, versions falling; n = 0 when none. */
size_t   package_set_find(const struct package_set *, const char *name, size_t *first);

/* One update per (source, source version). Called once per update in order of id; the update is freed after the call. Stops when it returns
 * not OK. Security by Origin/Label/Codename (catalogs.md B2); title "openssl 3.0.17-1~deb12u3: <short description>"; origin URL =
 * uri/filename. */
typedef enum err (*apt_update_fn)(void *ctx, const struct update *, struct error *);
enum err apt_updates(const struct package_set *, apt_update_fn, void *ctx, struct error *);

/* catalogs.md B4. held (may be NULL): Required, but on hold. */
enum update_state apt_state(const struct update *, const struct inventory *, bool *held);
/* Unknown for one reason alone: dpkg was interrupted, or failed, within the update's packages, at its version or an older one. Installing
 * the update mends them. */
bool     apt_interrupted(const struct update *, const struct inventory *);
/* The update's files this inventory would take: installed at an older version. Indexes into update->files; returns how many. */
size_t apt_needed(const struct update *, const struct inventory *, size_t *out, size_t room);

#endif
