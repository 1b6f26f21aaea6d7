/* The site's database: SQLite (WAL, synchronous=FULL), every SQL text in ledger.c's list by name, migrations a numbered list.
 * The dialect is what SQLite and PostgreSQL share. One thread each: who works elsewhere opens it once more. */
#ifndef FERRY_POLICY_AUTHORING_LEDGER_H
#define FERRY_POLICY_AUTHORING_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct ledger;

/* Makes it. ERR_EXISTS when there is one. site_id: random, [a-z0-9]{16}. seal: the X25519 pair for status. */
enum err ledger_create(const char *path, const char *site_name, const char *site_id, const uint8_t seal_public[32], struct error *);
enum err ledger_open(const char *path, struct ledger **out, struct error *);
void     ledger_close(struct ledger *);
/* How long a write waits for another connection's (5 s) before it is refused with ERR_AGAIN. */
void     ledger_patience(struct ledger *, int ms);
/* Settings of the site by name: "site.id", "site.name", "site.url", "site.seal", "poll" … NULL when absent; caller frees. */
char    *ledger_setting(struct ledger *, const char *name);
enum err ledger_set(struct ledger *, const char *name, const char *value, struct error *);

extern const int ledger_version;                /* of a database that is up to date */

#endif
