/* What is installed in the managed root, and which updates it requires: the real dpkg database, the catalogs' indexes as content, and the
 * detection programs of command updates. Runs dpkg-query as a child; parsing and classifying tens of thousands of stanzas runs on uv's
 * thread pool. catalogs.md B4, D. Loop thread only. */
#ifndef FERRY_NODE_CLIENT_INVENTORY_H
#define FERRY_NODE_CLIENT_INVENTORY_H

#include <uv.h>

#include "node/config.h"
#include "node/store/cache.h"
#include "policy/catalog/apt.h"
#include "policy/document/fleet.h"

struct scanner;

struct scan_state {                             /* one update that is not simply not-required */
    char             *id;
    enum update_state state;
    bool              held;
};
struct scan_result {
    enum err          code;                     /* not OK: dpkg could not be read …; error tells; states are then unknown */
    struct error      error;                    /* code OK and a text here: an archive was left out, and why */
    struct inventory  inventory;
    bool              interrupted;              /* dpkg was interrupted: `dpkg --configure -a` is owed */
    struct scan_state *states;                  /* sorted by id */
    size_t            count;
    json_t           *catalogs;                 /* {"NAME": "<sha256 of the InRelease scanned>"}; only those whose indexes were here */
    char            **asked;                    /* ids of the command updates that were detected; NULL-terminated, NULL when none */
    char             *root;                     /* what was scanned */
    json_t           *facts;                    /* of that time; NULL: every update applies */
};

enum err scanner_open(uv_loop_t *, const struct config *, struct cache *, struct scanner **out, struct error *);
/* What updates' "applies" is asked of; borrowed until the scanner is closed, read when a scan begins. */
void     scanner_facts(struct scanner *, const json_t *facts);
void     scanner_close(struct scanner *, void (*closed)(void *ctx), void *ctx);
/* One scan at a time; a second call while one runs is ERR_AGAIN. scan may be NULL (inventory only) and is borrowed during the call only;
 * its archives whose indexes are not whole in the cache are left out. The result is the callee's: done takes ownership of what it wants by
 * scan_result_free later. done always comes, also when the scanner is closed meanwhile. */
enum err scanner_run(struct scanner *, const struct scan *, void (*done)(void *ctx, struct scan_result *), void *ctx, struct error *);
void     scan_result_free(struct scan_result *);

/* State of one update of a deployment against an inventory (result may be NULL: unknown); commands are answered from the last scan or, for
 * DETECT_FILE, at once. */
enum update_state inventory_state(const struct scan_result *, const struct update *, bool *held);

/* The state is unknown because an installation was interrupted that this update's would mend (apt.h). */
bool     inventory_interrupted(const struct scan_result *, const struct update *);

/* Detection of a command update: STATE_* or STATE_UNKNOWN with a reason in detail. content_dir: where its files lie. */
void detect_command(uv_loop_t *, const struct config *, const struct update *, const char *content_dir,
                    void (*done)(void *ctx, enum update_state, const char *detail), void *ctx);

/* Facts of this machine: hostname, os.*, machine.kind, arch, kernel, memory.mib (from the managed root where it has them, else from the host).
 * Caller decrefs. */
json_t *facts_read(const struct config *);

#endif
