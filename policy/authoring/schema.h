/* The ledger's schema as migrations, in order; the database remembers how many it has seen. Never change one that has shipped: add the
 * next. Inside policy/authoring. */
#ifndef FERRY_POLICY_AUTHORING_SCHEMA_H
#define FERRY_POLICY_AUTHORING_SCHEMA_H

// clang-format off
static const char *const migrations[] = {
    "CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE catalog(name TEXT PRIMARY KEY, uri TEXT, suite TEXT, components TEXT, arch TEXT, keyring TEXT, "
    "release_date BIGINT, synced BIGINT, archive TEXT);"
    "CREATE TABLE upd(id TEXT PRIMARY KEY, catalog TEXT, name TEXT, version TEXT, title TEXT, description TEXT, classification TEXT, "
    "severity TEXT, custom_severity TEXT, product TEXT, vendor TEXT, arch TEXT, urgency TEXT, cves TEXT, released BIGINT, "
    "revised BIGINT, size BIGINT, json TEXT, expired INTEGER, superseded INTEGER, required INTEGER DEFAULT 0, "
    "installed INTEGER DEFAULT 0, unknown INTEGER DEFAULT 0);"
    "CREATE INDEX upd_name ON upd(name);"
    "CREATE INDEX upd_required ON upd(required);"
    "CREATE INDEX upd_class ON upd(classification);"
    "CREATE INDEX upd_catalog ON upd(catalog);"
    "CREATE TABLE grp(name TEXT PRIMARY KEY, description TEXT, archives TEXT);"
    "CREATE TABLE member(grp TEXT, update_id TEXT, downloaded INTEGER, PRIMARY KEY(grp, update_id));"
    "CREATE INDEX member_update ON member(update_id);"
    "CREATE TABLE grp_wanted(grp TEXT, sha256 TEXT, PRIMARY KEY(grp, sha256));"
    "CREATE TABLE grp_content(grp TEXT, sha256 TEXT, PRIMARY KEY(grp, sha256));"
    "CREATE TABLE content(sha256 TEXT PRIMARY KEY, size BIGINT, name TEXT, origin TEXT, info_hash TEXT);"
    "CREATE TABLE collection(name TEXT PRIMARY KEY, json TEXT);"
    "CREATE TABLE deployment(name TEXT PRIMARY KEY, grp TEXT, collection TEXT, purpose TEXT, available BIGINT, deadline BIGINT, "
    "randomize BIGINT, origin_fallback INTEGER, enabled INTEGER, withdrawn BIGINT, created BIGINT);"
    "CREATE TABLE dp(name TEXT PRIMARY KEY, url TEXT, node TEXT);"
    "CREATE TABLE dp_group(dp TEXT, grp TEXT, PRIMARY KEY(dp, grp));"
    "CREATE TABLE dp_content(dp TEXT, sha256 TEXT, state TEXT, PRIMARY KEY(dp, sha256));"
    "CREATE TABLE boundary(name TEXT PRIMARY KEY, cidrs TEXT, dps TEXT);"
    "CREATE TABLE token(id TEXT PRIMARY KEY, secret TEXT, expires BIGINT, used INTEGER);"
    "CREATE TABLE node(id TEXT PRIMARY KEY, public TEXT, hostname TEXT, address TEXT, branch TEXT, enrolled BIGINT, "
    "last_contact BIGINT, facts TEXT, inventory TEXT, held BIGINT, retired INTEGER, scanned BIGINT);"
    "CREATE INDEX node_hostname ON node(hostname);"
    "CREATE TABLE node_update(node TEXT, update_id TEXT, state INTEGER, held INTEGER, PRIMARY KEY(node, update_id));"
    "CREATE INDEX node_update_state ON node_update(update_id, state);"
    "CREATE TABLE node_job(node TEXT, update_id TEXT, deployment TEXT, state TEXT, enforcement TEXT, reason TEXT, code BIGINT, "
    "attempts INTEGER, detail TEXT, changed BIGINT, PRIMARY KEY(node, update_id));"
    "CREATE INDEX node_job_update ON node_job(update_id);"
    "CREATE TABLE node_content(node TEXT, sha256 TEXT, size BIGINT, http BIGINT, peers BIGINT, cache BIGINT, origin BIGINT, "
    "waste BIGINT, changed BIGINT, PRIMARY KEY(node, sha256));"
    "CREATE TABLE node_document(node TEXT, name TEXT, seq BIGINT, PRIMARY KEY(node, name));"
    "CREATE TABLE message(node TEXT, serial BIGINT, time BIGINT, body TEXT, PRIMARY KEY(node, serial));"
    "CREATE TABLE alert(id INTEGER PRIMARY KEY, time BIGINT, node TEXT, event TEXT, detail TEXT);"
    "CREATE TABLE audit(id INTEGER PRIMARY KEY, time BIGINT, who TEXT, command TEXT, what TEXT);"
    "CREATE TABLE document(name TEXT PRIMARY KEY, seq BIGINT, hash TEXT);"
    "INSERT INTO collection VALUES('all', '{\"rule\": \"node.id != \\\"\\\"\"}');",

    /* What the closure of a group was solved from: its updates and archives then. */
    "ALTER TABLE grp ADD COLUMN wanted_archives TEXT; ALTER TABLE member ADD COLUMN wanted INTEGER DEFAULT 0;",

    /* Whether a node could know of an update when it scanned: each sync that brings another index is a generation of its catalog; an update
     * remembers the first it was in, a node the one it scanned with (command updates: their own id). What a node did not know is unknown,
     * not "not required". */
    "ALTER TABLE upd ADD COLUMN added BIGINT DEFAULT 0;"
    "CREATE TABLE catalog_generation(catalog TEXT, inrelease TEXT, generation BIGINT, PRIMARY KEY(catalog, inrelease));"
    "CREATE TABLE node_scanned(node TEXT, name TEXT, generation BIGINT, PRIMARY KEY(node, name));",
};
// clang-format on

#endif
