/* The administrator's side: every noun's commands as functions from JSON to JSON over the ledger. One table (author_commands) is the
 * control API: node/site makes its routes from it, `ferry` calls them, help and the audit log read it. Pure but for SQLite: no network, no
 * clock, no child. A command that changes something runs in one transaction with its line in the audit log; with dry_run it is rolled back
 * and answers what would be. */
#ifndef FERRY_POLICY_AUTHORING_AUTHOR_H
#define FERRY_POLICY_AUTHORING_AUTHOR_H

#include <jansson.h>

#include "policy/authoring/ledger.h"
#include "policy/catalog/closure.h"
#include "policy/document/fleet.h"
#include "policy/trust/key.h"
#include "policy/trust/repository.h"

struct author {
    struct ledger *ledger;
    int64_t        now;
    const char    *who;                         /* "uid 1000 (alice)" for the audit log */
    bool           dry_run;
    bool           plan;                        /* with dry_run: the answer is what the fleet would do (author_plan.c) */
    const char    *content_dir;                 /* the library: to tell what is there */
    void         (*breathe)(void);              /* NULL, or: waits while others write, between the portions of a long import */
};

/* args: path parts, query and body merged into one object. out: taken by the caller, never NULL on OK. */
typedef enum err (*author_fn)(struct author *, const json_t *args, json_t **out, struct error *);
struct author_command {
    const char *name;                           /* "group.create" */
    const char *method, *path;                  /* "POST", "/api/v1/groups" */
    author_fn   run;
    bool        changes;                        /* audit, transaction, publish afterwards */
    bool        publishes;                      /* the policy must be published again after it */
    const char *about;
};
extern const struct author_command author_commands[];
extern const size_t                author_command_count;
/* Transaction, audit, dry run around command->run. */
enum err author_run(const struct author_command *, struct author *, const json_t *args, json_t **out, struct error *);

/* ---- what node/site calls around network work ---- */

/* "site.url": https://, its last slash gone. */
enum err author_set_url(struct ledger *, const char *url, struct error *);
/* "timezone": an IANA name. ERR_NOT_FOUND. */
enum err author_set_timezone(struct ledger *, const char *name, struct error *);

/* Catalogs (catalog.c). The archives to sync; then one import replaces what that catalog had, in one transaction
 * (a first import with breathe: in portions). */
struct catalog_row {
    char    *name, *uri, *suite, **components, *arch, *keyring_path;
    int64_t  release_date;                      /* of the InRelease in force, 0: never synced: an older one is refused (rollback) */
    char    *allow_expired;                     /* NULL */
};
enum err catalog_rows(struct ledger *, struct catalog_row **out, size_t *count, struct error *);
void     catalog_rows_free(struct catalog_row *, size_t count);
struct catalog_counts { int64_t packages, updates, fresh, superseded; };
/* archive: indexes named and hashed, keyring inside; the index files are in the library already. */
enum err catalog_import(struct author *, const char *name, const struct package_set *, const struct archive *, const struct release *,
                        struct catalog_counts *out, struct error *);

/* Content (content.c). What a group needs in the library: closure solved from the nodes' inventories. Files not in the library yet are to
 * be fetched. */
struct wanted_file {
    struct sha256 sha256;
    uint64_t      size;
    char         *name, *origin;
    bool          here;                         /* in the library with its torrent */
};
enum err content_wanted(struct author *, const char *group /* NULL: every deployed group */, struct wanted_file **out, size_t *count,
                        char ***missing, struct error *);
void     wanted_free(struct wanted_file *, size_t count);
/* It lies in content_dir/HEX (+ .torrent), verified. */
enum err content_arrived(struct author *, const struct sha256 *, uint64_t size, const char *name, const char *origin,
                         const struct sha256 *info_hash, struct error *);
enum err content_group_done(struct author *, const char *group,
                            struct error *); /* all wanted files are here: the closure is what deployments carry */
/* The groups that enabled deployments carry: rows of {"name"}. Caller decrefs. */
enum err author_deployed_groups(struct author *, json_t **out, struct error *);

/* Nodes (author_enrol.c). A token is for one machine, or it puts many on a list an administrator approves from; it expires. Whoever has used
 * one may ask with it again, with the same key: the answer may have been lost. node_id: "" while the machine waits for approval. */
enum err node_enrol(struct author *, const char *token_id, const uint8_t public[32], const char *hostname, const char *address,
                    char node_id[NODE_ID_SIZE], struct error *);
/* Of a token that is good for this key. ERR_DENIED. */
enum err node_token_secret(struct ledger *, const char *token_id, const uint8_t public[32], int64_t now, uint8_t secret[16], struct error *);
/* Enrolled with this key, and not retired. */
bool     node_known(struct ledger *, const uint8_t public[32], char node_id[NODE_ID_SIZE]);
/* It is about to get a certificate that ends then. */
enum err node_certified(struct author *, const char *node_id, int64_t until, struct error *);
/* Some distribution point runs on it. */
bool     node_serves(struct ledger *, const char *node_id);

/* Status (compliance.c). messages: the array out of an envelope of that node. One transaction, idempotent by (node, serial); *held: the
 * highest serial up to which everything is stored without a gap. */
enum err compliance_ingest(struct author *, const char *node_id, const json_t *messages, int64_t *held, struct error *);

/* Putting in order (tidy.c), once an hour is enough: the supersedence rule is applied, expired updates in no deployment are forgotten after
 * seven days, content nobody names is marked, revocations of certificates that have run out end. out: {"expired", "restored", "forgotten",
 * "revocations": counts, "changed": publish now, "content": [SHA-256 of what nobody has named for a day: delete the files HEX and
 * HEX.torrent, then author_forget_content each]}. */
enum err author_tidy(struct author *, json_t **out, struct error *);
/* One that somebody has named meanwhile stays: it will be fetched again. */
enum err author_forget_content(struct author *, const char *sha256, struct error *);

/* Publishing (publish.c): the ledger as documents. Freed with author_publications_free. */
struct publication_list { struct publication *items; size_t count; };
enum err author_publications(struct author *, struct publication_list *out, struct error *);
void     author_publications_free(struct publication_list *);

#endif
