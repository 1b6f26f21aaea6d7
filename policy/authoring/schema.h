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

    /* The administrator's vocabulary: terms instead of single columns; searches, templates, rules, phases, turns; alerts that are worked on;
     * what an update replaces since when; what content nobody names any more. */
    "CREATE TABLE search(name TEXT PRIMARY KEY, filter TEXT NOT NULL, description TEXT, changed BIGINT);"
    "CREATE TABLE template(name TEXT PRIMARY KEY, terms TEXT NOT NULL, description TEXT);"
    "ALTER TABLE upd ADD COLUMN articles TEXT DEFAULT ''; ALTER TABLE upd ADD COLUMN bulletins TEXT DEFAULT '';"
    "ALTER TABLE upd ADD COLUMN languages TEXT DEFAULT ''; ALTER TABLE upd ADD COLUMN superseded_since BIGINT DEFAULT 0;"
    "ALTER TABLE upd ADD COLUMN superseded_by TEXT DEFAULT ''; ALTER TABLE upd ADD COLUMN expired_since BIGINT DEFAULT 0;"
    "ALTER TABLE grp ADD COLUMN report_only INTEGER DEFAULT 0; ALTER TABLE grp ADD COLUMN made_by TEXT DEFAULT '';"
    "ALTER TABLE deployment ADD COLUMN terms TEXT DEFAULT '{}'; ALTER TABLE deployment ADD COLUMN halted TEXT DEFAULT '';"
    "ALTER TABLE deployment ADD COLUMN made_by TEXT DEFAULT '';"
    "UPDATE deployment SET terms = '{\"purpose\":\"' || purpose || '\",\"randomize_s\":' || randomize || ',\"origin_fallback\":' ||"
    " CASE origin_fallback WHEN 0 THEN 'false' ELSE 'true' END || '}';"
    "ALTER TABLE deployment DROP COLUMN purpose; ALTER TABLE deployment DROP COLUMN randomize;"
    "ALTER TABLE deployment DROP COLUMN origin_fallback;"
    "CREATE TABLE rule(name TEXT PRIMARY KEY, description TEXT, filter TEXT, search TEXT, schedule TEXT, after_sync INTEGER, mode TEXT,"
    " enabled INTEGER, approval INTEGER, dps TEXT, severity_alert INTEGER, since BIGINT, last_nominal BIGINT DEFAULT 0,"
    " last_sync_run BIGINT DEFAULT 0, failures INTEGER DEFAULT 0, last_failed BIGINT DEFAULT 0);"
    "CREATE TABLE rule_deployment(rule TEXT, name TEXT, collection TEXT, available_s BIGINT, deadline_s BIGINT, enabled INTEGER,"
    " terms TEXT, PRIMARY KEY(rule, name));"
    "CREATE TABLE rule_run(id INTEGER PRIMARY KEY, rule TEXT, cause TEXT, nominal BIGINT, began BIGINT, ended BIGINT, code TEXT,"
    " detail TEXT, grp TEXT, selected INTEGER, updates TEXT);"
    "CREATE INDEX rule_run_rule ON rule_run(rule, id);"
    "CREATE TABLE phased(name TEXT PRIMARY KEY, description TEXT, grp TEXT, state TEXT, halted TEXT DEFAULT '', created BIGINT);"
    "CREATE TABLE phase(phased TEXT, position INTEGER, collection TEXT, gate TEXT, begin_by TEXT, after_s BIGINT, deadline_s BIGINT,"
    " terms TEXT, state TEXT, deployment TEXT DEFAULT '', began BIGINT DEFAULT 0, succeeded BIGINT DEFAULT 0,"
    " success_at BIGINT DEFAULT 0, PRIMARY KEY(phased, position));"
    "CREATE TABLE phase_log(id INTEGER PRIMARY KEY, phased TEXT, position INTEGER, time BIGINT, verdict TEXT, figures TEXT, why TEXT);"
    "CREATE INDEX phase_log_phased ON phase_log(phased, id);"
    "CREATE TABLE turn(collection TEXT, node TEXT, since BIGINT, until BIGINT, PRIMARY KEY(collection, node));"
    "ALTER TABLE alert ADD COLUMN severity TEXT DEFAULT 'warning'; ALTER TABLE alert ADD COLUMN subject TEXT DEFAULT '';"
    "ALTER TABLE alert ADD COLUMN state TEXT DEFAULT 'open'; ALTER TABLE alert ADD COLUMN until BIGINT DEFAULT 0;"
    "ALTER TABLE alert ADD COLUMN last BIGINT DEFAULT 0; ALTER TABLE alert ADD COLUMN count INTEGER DEFAULT 1;"
    "CREATE INDEX alert_open ON alert(event, subject, state);"
    "ALTER TABLE content ADD COLUMN orphaned BIGINT DEFAULT 0;"
    "ALTER TABLE boundary ADD COLUMN wan_kbit BIGINT DEFAULT 0;"
    "CREATE TABLE boundary_link(grp TEXT, neighbour TEXT, minutes BIGINT, PRIMARY KEY(grp, neighbour));"
    "ALTER TABLE dp ADD COLUMN room BIGINT DEFAULT -1; ALTER TABLE dp ADD COLUMN told BIGINT DEFAULT 0;"
    "ALTER TABLE catalog ADD COLUMN failed BIGINT DEFAULT 0; ALTER TABLE catalog ADD COLUMN failure TEXT DEFAULT '';",

    /* Since when a vendor's catalog has no longer had an update: it is superseded or expired, and that is said apart. Who says what of an
     * update is answered by the index alone. */
    "ALTER TABLE upd ADD COLUMN gone BIGINT DEFAULT 0; CREATE INDEX upd_gone ON upd(gone) WHERE gone > 0;"
    "UPDATE upd SET gone = revised, expired_since = revised WHERE expired = 1;"
    "UPDATE upd SET superseded_since = revised WHERE superseded = 1;"
    "INSERT INTO search VALUES('urgent', '(classification = security or classification = critical) and required > 50',"
    " 'what much of the fleet needs for its safety', 0) ON CONFLICT DO NOTHING;"
    "DROP INDEX node_update_state; CREATE INDEX node_update_state ON node_update(update_id, state, node);"
    "DROP INDEX node_job_update; CREATE INDEX node_job_update ON node_job(update_id, enforcement, attempts, node);"
    "CREATE INDEX node_scanned_name ON node_scanned(name);",

    /* Whether the administrator's program has been told of an alert; when a node that waits for its turn last asked. */
    "ALTER TABLE alert ADD COLUMN told INTEGER DEFAULT 1; ALTER TABLE turn ADD COLUMN asked BIGINT DEFAULT 0;",

    /* Authenticated links: by which key nodes know a distribution point without a node; when each node's latest certificate ends; which
     * machine has used which token, and who waits for an administrator (state: waits, enrolled, rejected). The site speaks TLS only. */
    "ALTER TABLE dp ADD COLUMN pin TEXT DEFAULT ''; ALTER TABLE node ADD COLUMN certified BIGINT DEFAULT 0;"
    "ALTER TABLE token ADD COLUMN approval INTEGER DEFAULT 0;"
    "CREATE TABLE enrolment(node TEXT PRIMARY KEY, token TEXT, public TEXT, hostname TEXT, address TEXT, since BIGINT, state TEXT);"
    "CREATE INDEX enrolment_state ON enrolment(state);"
    "UPDATE setting SET value = 'https://' || substr(value, 8) WHERE name = 'site.url' AND value LIKE 'http://%';",

    /* The highest number a node has put on a question about its turn: an older one is somebody's copy. */
    "ALTER TABLE node ADD COLUMN questions BIGINT DEFAULT 0;",
};
// clang-format on

#endif
