/* What, to whom, from when, until when, from where: the body of the target policy/COLLECTION/DEPLOYMENT.json.
 * It is complete: a node that holds it needs nothing more from the site to find, verify and install. Body ≤ 8 MiB.
 * Semantics: configmgr-semantics.md 1.6, design.md sections 3, 7, 8. Times in seconds since 1970 UTC. */
#ifndef FERRY_POLICY_DOCUMENT_DEPLOYMENT_H
#define FERRY_POLICY_DOCUMENT_DEPLOYMENT_H

#include "policy/document/terms.h"
#include "policy/document/update.h"

#define DEPLOYMENT_UPDATES 1000                 /* Configuration Manager's limit, kept */

/* One file as the swarm and the distribution points know it. Named by its SHA-256 everywhere: URL path content/HEX. */
struct content {
    struct sha256 sha256;
    uint64_t      size;
    struct sha256 info_hash;                    /* BitTorrent v2 (BEP 52), the full 32 bytes */
    uint8_t      *torrent;                      /* the .torrent file, piece layers included; base64 in JSON; ≤ 1 MiB */
    size_t        torrent_size;
    char         *origin;                       /* absolute URL, NULL when there is none */
};

/* One signed snapshot of one Debian archive: enough to rebuild dists/ for apt. */
struct archive_index {
    char         *path;                         /* below dists/SUITE/: "InRelease", "main/binary-amd64/Packages.xz" */
    struct sha256 sha256;                       /* is also in the document's contents */
    uint64_t      size;
};
struct archive {
    char    *name;                              /* the catalog's name */
    char    *uri;                               /* the origin */
    char    *suite;                             /* as in sources.list: "bookworm-security" */
    char   **components;                        /* NULL-terminated */
    char    *arch;                              /* "amd64" */
    uint8_t *keyring;                           /* binary OpenPGP keyring for signed-by; base64 in JSON; ≤ 256 KiB */
    size_t   keyring_size;
    struct archive_index *indexes;              /* InRelease first */
    size_t   index_count;
};

struct deployment {
    int64_t      seq;                           /* rises with every change of this document */
    char        *audience;                      /* site id: a document of another site is refused */
    char        *id;                            /* file name part, [a-z0-9-]{1,64} */
    char        *name;                          /* the administrator's */
    char        *collection;
    bool         enabled;
    bool         withdrawn;                     /* a tombstone: updates, contents and archives are empty */
    char        *halted;                        /* why nothing more of it may begin, ≤ 240; NULL when it goes on */
    struct terms terms;
    int64_t      available, deadline;           /* deadline 0 for PURPOSE_AVAILABLE; wall clock of each node when terms.local_time */
    struct update **updates;
    size_t       update_count;
    struct content *contents;                   /* files and indexes; sorted by sha256; no duplicates */
    size_t       content_count;
    struct archive *archives;
    size_t       archive_count;
};

void     deployment_free(struct deployment *);
enum err deployment_from_json(const json_t *, struct deployment **out, struct error *);    /* refuses dangling references */
json_t  *deployment_to_json(const struct deployment *);
const struct content *deployment_content(const struct deployment *, const struct sha256 *);  /* NULL when absent */

/* The same pieces for other documents (scan, dp). */
void     content_end(struct content *);
enum err content_from_json(const json_t *, const char *path, struct content *out, struct error *);
json_t  *content_to_json(const struct content *);
void     archive_end(struct archive *);
enum err archive_from_json(const json_t *, const char *path, struct archive *out, struct error *);
json_t  *archive_to_json(const struct archive *);

#endif
