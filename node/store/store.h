/* The node's durable memory: one SQLite file (WAL, synchronous=FULL), every statement in store.c by name. Loop thread only.
 * Rooms: policy in force, jobs, byte ledger, outbox (outbox.h), a few named values. */
#ifndef FERRY_NODE_STORE_STORE_H
#define FERRY_NODE_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"

struct store;

enum err store_open(const char *path, struct store **out,
                    struct error *); /* makes it 0600; migrates; a broken file is moved aside, loudly */
void     store_close(struct store *);

/* Named values: "node.enrolled", "clock.vouched", "scan.last" … ; NULL when absent; caller frees. */
char    *store_get(struct store *, const char *name);
enum err store_set(struct store *, const char *name, const char *value, struct error *);

/* Blobs by kind and name: TUF roles ("role", "root"), target bodies ("target", "policy/tills/october.json"). *out NULL when absent. */
enum err store_blob(struct store *, const char *kind, const char *name, char **out, size_t *length, struct error *);
enum err store_blob_put(struct store *, const char *kind, const char *name, const char *bytes, size_t length, struct error *);
enum err store_blob_drop(struct store *, const char *kind, const char *name, struct error *);
/* Calls each with every name of that kind, in order. */
void     store_blob_names(struct store *, const char *kind, void (*each)(void *ctx, const char *name), void *ctx);

/* What happened to one update here; one row per update id. */
struct job_row {
    char    update[256], deployment[80];
    char    state[24], reason[24];
    int64_t code;                               /* last installer exit code, -1 none */
    int     attempts;
    int64_t last_attempt, changed;
    bool    user_asked;
    bool    restart_pending;
    char    detail[400];
    int64_t user_at;                            /* with user_asked: not before then; 0: at once */
    int64_t postponed_until;                    /* 0: not postponed */
    bool    batched;                            /* its deadline was near enough when another update's came */
    char    offered[80];                        /* the deployment the user was told of, "" none yet */
    int64_t reminded;                           /* when the user last heard of the deadline */
};
bool     store_job(struct store *, const char *update, struct job_row *out);
enum err store_job_put(struct store *, const struct job_row *, struct error *);
void     store_jobs(struct store *, void (*each)(void *ctx, const struct job_row *), void *ctx);

/* The byte ledger: per content, where its bytes came from. complete: size = http + peers + cache + origin, always. */
enum bytes_from { BYTES_HTTP, BYTES_PEERS, BYTES_CACHE, BYTES_ORIGIN, BYTES_KINDS };
struct byte_row {
    struct sha256 name;
    uint64_t      size, from[BYTES_KINDS], waste;
    bool          complete;
    int64_t       changed;
};
bool     store_bytes(struct store *, const struct sha256 *, struct byte_row *out);
enum err store_bytes_put(struct store *, const struct byte_row *, struct error *);
void     store_bytes_each(struct store *, void (*each)(void *ctx, const struct byte_row *), void *ctx);
/* Where a piece came from, kept while the content is partial, so that the ledger balances after kill -9. dropped with complete. */
enum err store_piece_put(struct store *, const struct sha256 *, uint32_t piece, enum bytes_from, uint32_t size, struct error *);
void store_pieces(struct store *, const struct sha256 *, void (*each)(void *ctx, uint32_t piece, enum bytes_from, uint32_t size),
                  void *ctx);

/* Several changes as one: begin, then end with the verdict so far, which commits or takes everything back. */
enum err store_begin(struct store *, struct error *);
enum err store_end(struct store *, enum err so_far, struct error *);

#endif
