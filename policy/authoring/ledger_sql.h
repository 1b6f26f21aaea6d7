/* Every SQL text of the site, by name. A column's alias tells its JSON: "deadline!t" a time, "enabled!b" a boolean, "cidrs!j" JSON; plain otherwise. */
#ifndef FERRY_POLICY_AUTHORING_LEDGER_SQL_H
#define FERRY_POLICY_AUTHORING_LEDGER_SQL_H

/* What a node said nothing of: not required when its last scan could know the update, unknown otherwise (enum update_state). */
#define KNOWN(node) \
    "EXISTS (SELECT 1 FROM node_scanned s WHERE s.node = " node " AND (s.name = upd.id OR (s.name = upd.catalog" \
    " AND s.generation >= upd.added)))"

#include "policy/authoring/ledger_sql_rollout.h"

#define LEDGER_SQL(X) \
    LEDGER_SQL_ROLLOUT(X) \
    X(SETTING, "SELECT value FROM setting WHERE name = ?1") \
    X(SETTING_PUT, "INSERT INTO setting VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2") \
    X(SETTING_DROP_IF, "DELETE FROM setting WHERE name = ?1 AND value = ?2") \
    X(CATALOG_PUT, "INSERT INTO catalog(name, uri, suite, components, arch, keyring, release_date, synced)" \
                   " VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, 0)") \
    X(CATALOGS, "SELECT name, uri, suite, components AS \"components!j\", arch, keyring, release_date, synced AS \"synced!t\"," \
                " (SELECT count(*) FROM upd WHERE upd.catalog = catalog.name AND expired = 0) AS updates FROM catalog ORDER BY name") \
    X(CATALOG_ARCHIVES, "SELECT name, archive AS \"archive!j\" FROM catalog WHERE archive IS NOT NULL ORDER BY name") \
    X(CATALOG_HAS, "SELECT count(*) FROM catalog WHERE name = ?1") \
    X(CATALOG_SYNCED, "UPDATE catalog SET release_date = ?2, synced = ?3, archive = ?4 WHERE name = ?1") \
    X(CATALOG_USED, "SELECT count(*) FROM member JOIN upd ON upd.id = member.update_id WHERE upd.catalog = ?1") \
    X(CATALOG_DROP, "DELETE FROM catalog WHERE name = ?1") \
    X(CATALOG_DROP_UPDATES, "DELETE FROM upd WHERE catalog = ?1") \
    X(CATALOG_DATE, "SELECT release_date FROM catalog WHERE name = ?1") \
    X(UPDATES_CURRENT, "SELECT id FROM upd WHERE catalog = ?1 AND gone = 0") \
    X(UPDATE_GONE, "UPDATE upd SET gone = ?2 WHERE id = ?1") \
    X(UPDATE_SAME, "SELECT count(*) FROM upd WHERE id = ?1 AND json = ?2 AND gone = 0") \
    X(UPDATE_KNOWN, "SELECT count(*) FROM upd WHERE id = ?1") \
    X(UPDATE_PUT, "INSERT INTO upd(id, catalog, name, version, title, description, classification, severity, product, vendor, arch," \
                  " urgency, cves, released, revised, size, json, articles, bulletins, languages, expired, superseded) VALUES(?1, ?2, ?3," \
                  " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, 0, 0)" \
                  " ON CONFLICT(id) DO UPDATE SET title = ?5, description = ?6, classification = ?7, severity = ?8, product = ?9," \
                  " vendor = ?10, arch = ?11, urgency = ?12, cves = ?13, released = CASE upd.released WHEN 0 THEN ?14 ELSE" \
                  " upd.released END, revised = ?15, size = ?16, json = ?17, articles = ?18, bulletins = ?19, languages = ?20, gone = 0," \
                  " expired = CASE superseded WHEN 1 THEN expired ELSE 0 END") \
    X(UPDATE_VERSIONS, "SELECT id, name, product, version, superseded, superseded_by, expired, gone FROM upd" \
                       " WHERE expired = 0 OR superseded = 1 ORDER BY product, name") \
    X(UPDATE_SUPERSEDED, "UPDATE upd SET superseded = 1, superseded_by = ?2, superseded_since = CASE superseded WHEN 1 THEN" \
                         " superseded_since ELSE ?3 END WHERE id = ?1") \
    X(UPDATE_STANDS, "UPDATE upd SET superseded = 0, superseded_by = '', superseded_since = 0, expired = ?2," \
                     " expired_since = CASE ?2 WHEN 0 THEN 0 ELSE ?3 END WHERE id = ?1") \
    X(TIDY_EXPIRE, "UPDATE upd SET expired = 1, expired_since = ?2 WHERE superseded = 1 AND expired = 0 AND superseded_since <= ?1" \
                   " AND classification <> 'definition'") \
    X(TIDY_EXPIRING, "SELECT count(*) FROM upd WHERE superseded = 1 AND expired = 0 AND superseded_since <= ?1" \
                     " AND classification <> 'definition'") \
    X(TIDY_RESTORE, "UPDATE upd SET expired = 0, expired_since = 0 WHERE superseded = 1 AND expired = 1 AND superseded_since > ?1") \
    X(TIDY_UNDATED, "UPDATE upd SET expired_since = ?1 WHERE expired = 1 AND expired_since = 0") \
    X(TIDY_GARBAGE, "SELECT id FROM upd WHERE expired = 1 AND expired_since <= ?1 AND gone > 0 AND id NOT IN (SELECT update_id FROM member m" \
                    " JOIN deployment d ON d.grp = m.grp AND d.withdrawn = 0)") \
    X(TIDY_FORGET, "DELETE FROM upd WHERE id = ?1") \
    X(TIDY_FORGET_MEMBERS, "DELETE FROM member WHERE update_id = ?1") \
    X(TIDY_FORGET_STATES, "DELETE FROM node_update WHERE update_id = ?1") \
    X(TIDY_FORGET_JOBS, "DELETE FROM node_job WHERE update_id = ?1") \
    X(TIDY_CONTENTS, "SELECT sha256, orphaned, EXISTS (SELECT 1 FROM grp_content g JOIN grp ON grp.name = g.grp WHERE g.sha256 = c.sha256)" \
                     " OR EXISTS (SELECT 1 FROM grp_wanted w JOIN grp ON grp.name = w.grp WHERE w.sha256 = c.sha256) AS named" \
                     " FROM content c") \
    X(TIDY_ARCHIVES, "SELECT archives AS \"archives!j\", wanted_archives AS \"wanted!j\" FROM grp") \
    X(TIDY_COMMANDS, "SELECT json AS \"json!j\" FROM upd WHERE catalog = 'command'") \
    X(CONTENT_ORPHAN, "UPDATE content SET orphaned = ?2 WHERE sha256 = ?1") \
    X(CONTENT_FORGET, "DELETE FROM content WHERE sha256 = ?1 AND orphaned > 0 AND sha256 NOT IN (SELECT sha256 FROM grp_content)" \
                      " AND sha256 NOT IN (SELECT sha256 FROM grp_wanted)") \
    X(DP_FORGET, "DELETE FROM dp_content WHERE sha256 = ?1") \
    X(UPDATE_JSON, "SELECT json AS \"json!j\" FROM upd WHERE id = ?1") \
    X(UPDATE_RESOLVE, "SELECT id FROM upd WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC, required DESC, superseded, expired LIMIT 2") \
    X(UPDATE_SHOW, "SELECT id, catalog, name, version, title, description, classification, severity, coalesce(custom_severity, 'none')" \
                   " AS custom_severity, urgency, product, vendor, released AS \"released!t\", size, superseded AS \"superseded!b\"," \
                   " superseded_by, superseded_since AS \"superseded_since!t\", expired AS \"expired!b\", required, installed, unknown" \
                   " FROM upd WHERE id = ?1") \
    X(UPDATE_GROUPS, "SELECT grp AS name FROM member WHERE update_id = ?1 ORDER BY grp") \
    X(UPDATE_NAMES, "SELECT DISTINCT name FROM upd LIMIT 20000") \
    X(UPDATE_COUNT, "UPDATE upd SET required = (SELECT count(*) FROM node_update n WHERE n.update_id = upd.id AND n.state = 2)," \
                    " installed = (SELECT count(*) FROM node_update n WHERE n.update_id = upd.id AND n.state = 3)," \
                    " unknown = (SELECT count(*) FROM node_update n WHERE n.update_id = upd.id AND n.state = 0)" \
                    " WHERE id IN (SELECT update_id FROM node_update WHERE node = ?1)") \
    X(UPDATE_COUNT_ONE, "UPDATE upd SET required = (SELECT count(*) FROM node_update n WHERE n.update_id = ?1 AND n.state = 2)," \
                        " installed = (SELECT count(*) FROM node_update n WHERE n.update_id = ?1 AND n.state = 3)," \
                        " unknown = (SELECT count(*) FROM node_update n WHERE n.update_id = ?1 AND n.state = 0) WHERE id = ?1") \
    X(UPDATE_CUSTOM, "UPDATE upd SET custom_severity = ?2 WHERE id = ?1") \
    X(SEARCH_PUT, "INSERT INTO search VALUES(?1, ?2, ?3, ?4) ON CONFLICT(name) DO UPDATE SET filter = ?2," \
                  " description = coalesce(?3, description), changed = ?4") \
    X(SEARCH, "SELECT name, filter, coalesce(description, '') AS description, changed AS \"changed!t\" FROM search WHERE name = ?1") \
    X(SEARCHES, "SELECT name, filter, coalesce(description, '') AS description, changed AS \"changed!t\" FROM search ORDER BY name") \
    X(SEARCH_NAMES, "SELECT name FROM search ORDER BY name") \
    X(SEARCH_RULES, "SELECT name FROM rule WHERE search = ?1 ORDER BY name") \
    X(SEARCH_DROP, "DELETE FROM search WHERE name = ?1") \
    X(COMMANDS, "SELECT json AS \"json!j\" FROM upd WHERE catalog = 'command' AND expired = 0 ORDER BY id") \
    X(GROUP_PUT, "INSERT INTO grp(name, description, archives, report_only, made_by) VALUES(?1, ?2, '[]', ?3, '')") \
    X(GROUP_HAS, "SELECT count(*) FROM grp WHERE name = ?1") \
    X(GROUP_NAMES, "SELECT name FROM grp ORDER BY name") \
    X(GROUPS, "SELECT name, description, report_only AS \"report_only!b\", (SELECT count(*) FROM member WHERE grp = grp.name) AS updates," \
              " CASE WHEN EXISTS (SELECT 1 FROM member JOIN upd ON upd.id = update_id WHERE grp = grp.name" \
              " AND upd.expired = 1) THEN 'expired'" \
              " WHEN EXISTS (SELECT 1 FROM member JOIN upd ON upd.id = update_id WHERE grp = grp.name" \
              " AND upd.superseded = 1) THEN 'superseded'" \
              " WHEN EXISTS (SELECT 1 FROM member WHERE grp = grp.name AND downloaded = 0) THEN 'content missing' ELSE 'normal' END" \
              " AS state, made_by," \
              " (SELECT group_concat(name, ', ') FROM deployment d WHERE d.grp = grp.name AND withdrawn = 0) AS deployments" \
              " FROM grp WHERE CASE WHEN ?1 IS NULL THEN name NOT LIKE '~%' ELSE name = ?1 END ORDER BY name") \
    X(GROUP_MEMBERS, "SELECT upd.id, upd.name, version, title, classification, required, installed, unknown, size," \
                     " CASE WHEN expired = 1 THEN 'expired' WHEN superseded = 1 THEN 'superseded' WHEN downloaded = 0 THEN" \
                     " 'content missing' ELSE 'normal' END AS state, downloaded AS \"downloaded!b\", expired AS \"expired!b\"," \
                     " superseded AS \"superseded!b\", superseded_by FROM member JOIN upd ON upd.id = update_id WHERE grp = ?1" \
                     " ORDER BY upd.name, upd.id") \
    X(GROUP_CHANGE, "UPDATE grp SET description = ?2, report_only = ?3 WHERE name = ?1") \
    X(GROUP_UPDATES, "SELECT json AS \"json!j\" FROM member JOIN upd ON upd.id = update_id WHERE grp = ?1 AND expired = 0" \
                     " ORDER BY upd.id") \
    X(GROUP_EXPIRED, "SELECT count(*) FROM member JOIN upd ON upd.id = update_id WHERE grp = ?1 AND expired = 1") \
    X(GONE_MEMBERS, "SELECT json AS \"json!j\" FROM upd WHERE gone > 0 AND expired = 0 AND EXISTS (SELECT 1 FROM member" \
                    " WHERE update_id = upd.id)") \
    X(NODE_INVENTORY, "SELECT inventory AS \"inventory!j\", facts AS \"facts!j\" FROM node WHERE id = ?1") \
    X(GROUP_SIZE, "SELECT count(*) FROM member WHERE grp = ?1") \
    X(GROUP_DEPLOYED, "SELECT count(*) FROM deployment WHERE grp = ?1 AND withdrawn = 0") \
    X(GROUP_DROP, "DELETE FROM grp WHERE name = ?1") \
    X(GROUP_NOWHERE, "DELETE FROM dp_group WHERE grp = ?1") \
    X(GROUP_DROP_MEMBERS, "DELETE FROM member WHERE grp = ?1") \
    X(MEMBER_PUT, "INSERT INTO member(grp, update_id, downloaded) VALUES(?1, ?2, 0) ON CONFLICT DO NOTHING") \
    X(MEMBER_DROP, "DELETE FROM member WHERE grp = ?1 AND update_id = ?2") \
    X(MEMBERS_UNWANTED, "UPDATE member SET wanted = 0 WHERE grp = ?1") \
    X(MEMBER_WANTED, "UPDATE member SET wanted = 1 WHERE grp = ?1 AND update_id = ?2") \
    X(MEMBERS_DOWNLOADED, "UPDATE member SET downloaded = wanted WHERE grp = ?1") \
    X(DEPLOYED_GROUPS, "SELECT DISTINCT grp AS name FROM deployment WHERE enabled = 1 AND withdrawn = 0") \
    X(WANTED_CLEAR, "DELETE FROM grp_wanted WHERE grp = ?1") \
    X(WANTED_PUT, "INSERT INTO grp_wanted VALUES(?1, ?2) ON CONFLICT DO NOTHING") \
    X(GROUP_CONTENT_CLEAR, "DELETE FROM grp_content WHERE grp = ?1") \
    X(GROUP_CONTENT_TAKE, "INSERT INTO grp_content SELECT grp, sha256 FROM grp_wanted WHERE grp = ?1") \
    X(GROUP_CONTENTS, "SELECT c.sha256, c.size, c.origin, c.info_hash FROM grp_content g JOIN content c ON c.sha256 = g.sha256" \
                      " WHERE g.grp = ?1 ORDER BY c.sha256") \
    X(GROUP_ARCHIVES, "SELECT archives AS \"archives!j\" FROM grp WHERE name = ?1") \
    X(GROUP_ARCHIVES_WANTED, "UPDATE grp SET wanted_archives = ?2 WHERE name = ?1") \
    X(GROUP_ARCHIVES_TAKE, "UPDATE grp SET archives = wanted_archives WHERE name = ?1") \
    X(GROUP_SHORT, "SELECT count(*) FROM grp_wanted w LEFT JOIN content c ON c.sha256 = w.sha256 WHERE w.grp = ?1 AND c.sha256 IS NULL") \
    X(CONTENT_PUT, "INSERT INTO content(sha256, size, name, origin, info_hash) VALUES(?1, ?2, ?3, ?4, ?5)" \
                   " ON CONFLICT(sha256) DO UPDATE SET origin = coalesce(?4, origin)") \
    X(CONTENT_ONE, "SELECT sha256, size, origin, info_hash FROM content WHERE sha256 = ?1") \
    X(CONTENT_HAS, "SELECT count(*) FROM content WHERE sha256 = ?1") \
    X(CONTENTS, "SELECT sha256, size, name, origin FROM content ORDER BY name") \
    X(COLLECTION_PUT, "INSERT INTO collection VALUES(?1, ?2)") \
    X(COLLECTION_CHANGE, "UPDATE collection SET json = ?2 WHERE name = ?1") \
    X(COLLECTION, "SELECT json AS \"json!j\" FROM collection WHERE name = ?1") \
    X(COLLECTIONS, "SELECT name, json AS \"json!j\" FROM collection ORDER BY name") \
    X(COLLECTION_HAS, "SELECT count(*) FROM collection WHERE name = ?1") \
    X(COLLECTIONS_USED, "SELECT name, json AS \"json!j\", (SELECT count(*) FROM deployment d WHERE d.collection = collection.name) AS used" \
                        " FROM collection ORDER BY name") \
    X(COLLECTION_NAMES, "SELECT name FROM collection ORDER BY name") \
    X(COLLECTION_USED, "SELECT count(*) FROM deployment WHERE collection = ?1") \
    X(COLLECTION_DROP, "DELETE FROM collection WHERE name = ?1") \
    X(DEPLOYMENT_PUT, "INSERT INTO deployment(name, grp, collection, available, deadline, enabled, terms, made_by, created, withdrawn," \
                      " halted) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, '')") \
    X(DEPLOYMENT_HAS, "SELECT count(*) FROM deployment WHERE name = ?1") \
    X(DEPLOYMENT_NAMES, "SELECT name FROM deployment WHERE withdrawn = 0 ORDER BY name") \
    X(DEPLOYMENTS, "SELECT name, grp AS \"group\", collection, enabled AS \"enabled!b\", withdrawn AS \"withdrawn!b\", halted, made_by," \
                   " created AS \"created!t\", available AS available_s, deadline AS deadline_s, terms AS \"terms!j\" FROM deployment" \
                   " WHERE (?1 IS NULL OR name = ?1) AND (withdrawn = 0 OR ?2 = 1) ORDER BY deployment.created, name") \
    X(DEPLOYMENT_CHANGE, "UPDATE deployment SET enabled = ?2, available = ?3, deadline = ?4, terms = ?5 WHERE name = ?1") \
    X(DEPLOYMENT_WITHDRAW, "UPDATE deployment SET withdrawn = ?2, enabled = 0 WHERE name = ?1") \
    X(DEPLOYMENT_DROP, "DELETE FROM deployment WHERE name = ?1") \
    X(TEMPLATE, "SELECT name, coalesce(description, '') AS description, terms AS \"terms!j\" FROM template WHERE name = ?1") \
    X(TEMPLATE_NAMES, "SELECT name FROM template ORDER BY name") \
    X(TEMPLATES, "SELECT name, coalesce(description, '') AS description, terms AS \"terms!j\" FROM template ORDER BY name") \
    X(TEMPLATE_PUT, "INSERT INTO template VALUES(?1, ?2, ?3) ON CONFLICT(name) DO UPDATE SET terms = ?2," \
                    " description = coalesce(?3, description)") \
    X(TEMPLATE_DROP, "DELETE FROM template WHERE name = ?1") \
    X(DEPLOYMENT_HALT, "UPDATE deployment SET halted = ?2 WHERE name = ?1") \
    X(PHASED_HALTED, "SELECT count(*) FROM phased WHERE name = ?1 AND state <> 'running'") \
    X(GROUP_REPORT_ONLY, "SELECT report_only FROM grp WHERE name = ?1") \
    X(TOMBSTONE_OPEN, "SELECT count(*) FROM node_document JOIN node ON node.id = node WHERE name = ?1 AND seq < ?2 AND retired = 0") \
    X(DP_PUT, "INSERT INTO dp(name, url, node, pin) VALUES(?1, ?2, ?3, ?4)") \
    X(DP_HAS, "SELECT count(*) FROM dp WHERE name = ?1") \
    X(DP_NAMES, "SELECT name FROM dp ORDER BY name") \
    X(DPS, "SELECT name, url, node, pin, (SELECT public FROM node WHERE node.id = dp.node) AS public," \
           " (SELECT group_concat(grp, ', ') FROM dp_group WHERE dp = dp.name) AS groups FROM dp ORDER BY name") \
    X(DP_OF_NODE, "SELECT count(*) FROM dp WHERE node = ?1 AND node <> ''") \
    X(DP_DROP, "DELETE FROM dp WHERE name = ?1") \
    X(DP_GROUP_DROP, "DELETE FROM dp_group WHERE dp = ?1") \
    X(DP_GROUP_PUT, "INSERT INTO dp_group VALUES(?1, ?2) ON CONFLICT DO NOTHING") \
    X(DP_CONTENTS, "SELECT DISTINCT c.sha256, c.size, c.origin, c.info_hash FROM dp_group d JOIN grp_content g ON g.grp = d.grp" \
                   " JOIN content c ON c.sha256 = g.sha256 WHERE d.dp = ?1") \
    X(DP_HELD_PUT, "INSERT INTO dp_content VALUES(?1, ?2, ?3) ON CONFLICT(dp, sha256) DO UPDATE SET state = ?3") \
    X(DP_SPEAKER, "SELECT count(*) FROM dp WHERE name = ?1 AND (node = ?2 OR node = '')") \
    X(DP_HELD_DROP, "DELETE FROM dp_content WHERE dp = ?1") \
    X(DP_HELD, "SELECT count(*) FROM dp_content WHERE dp = ?1 AND sha256 = ?2 AND state = 'complete'") \
    X(BOUNDARY_PUT, "INSERT INTO boundary(name, cidrs, dps) VALUES(?1, ?2, ?3) ON CONFLICT(name) DO UPDATE SET cidrs = ?2, dps = ?3") \
    X(BOUNDARIES, "SELECT name AS \"group\", cidrs AS \"cidrs!j\", dps AS \"dps!j\", wan_kbit, (SELECT count(*) FROM node" \
                  " WHERE branch = boundary.name AND retired = 0) AS nodes FROM boundary ORDER BY name") \
    X(BOUNDARY_WAN, "UPDATE boundary SET wan_kbit = ?2 WHERE name = ?1") \
    X(LINKS, "SELECT neighbour AS \"group\", minutes FROM boundary_link WHERE grp = ?1 ORDER BY neighbour") \
    X(LINK_PUT, "INSERT INTO boundary_link VALUES(?1, ?2, ?3) ON CONFLICT(grp, neighbour) DO UPDATE SET minutes = ?3") \
    X(LINK_COUNT, "SELECT count(*) FROM boundary_link WHERE grp = ?1") \
    X(LINK_DROP, "DELETE FROM boundary_link WHERE grp = ?1 AND neighbour = ?2") \
    X(LINKS_DROP, "DELETE FROM boundary_link WHERE grp = ?1 OR neighbour = ?1") \
    X(BOUNDARY_HAS, "SELECT count(*) FROM boundary WHERE name = ?1") \
    X(BOUNDARY_NAMES, "SELECT name FROM boundary ORDER BY name") \
    X(BOUNDARY_DROP, "DELETE FROM boundary WHERE name = ?1") \
    X(TOKEN_PUT, "INSERT INTO token(id, secret, expires, used, approval) VALUES(?1, ?2, ?3, 0, ?4)") \
    X(TOKEN, "SELECT secret, expires, used, approval FROM token WHERE id = ?1") \
    X(TOKENS_SWEEP, "DELETE FROM token WHERE expires <= ?1") \
    X(TOKEN_USE, "UPDATE token SET used = 1 WHERE id = ?1") \
    X(ENROLMENT_PUT, "INSERT INTO enrolment VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(node) DO UPDATE SET token = ?2, hostname = ?4," \
                     " address = ?5, since = CASE enrolment.state WHEN 'waits' THEN enrolment.since ELSE ?6 END, state = ?7") \
    X(ENROLMENT, "SELECT state FROM enrolment WHERE node = ?1 AND token = ?2") \
    X(ENROLMENT_STATE, "UPDATE enrolment SET state = ?2 WHERE node = ?1") \
    X(ENROLMENT_DROP, "DELETE FROM enrolment WHERE node = ?1") \
    X(ENROLMENT_WAITS, "SELECT count(*) FROM enrolment WHERE node = ?1 AND state = 'waits'") \
    X(PENDING, "SELECT hostname, node AS id, address, since AS \"since!t\", public FROM enrolment WHERE state = 'waits'" \
               " ORDER BY enrolment.since, node") \
    X(PENDING_NAMED, "SELECT node AS id, token, public, hostname, address FROM enrolment WHERE state = 'waits' AND (node = ?1 OR hostname = ?1)" \
                     " ORDER BY enrolment.since, node") \
    X(PENDING_NAMES, "SELECT hostname AS name FROM enrolment WHERE state = 'waits'") \
    X(PENDING_COUNT, "SELECT count(*) FROM enrolment WHERE state = 'waits'") \
    X(NODE_PUT, "INSERT INTO node(id, public, hostname, address, enrolled, last_contact, facts, inventory, held, retired, scanned," \
                " branch)" \
                " VALUES(?1, ?2, ?3, ?4, ?5, ?5, '{}', '[]', 0, 0, 0, '') ON CONFLICT(id) DO UPDATE" \
                " SET hostname = ?3, address = ?4, retired = 0") \
    X(NODE_KNOWN, "SELECT count(*) FROM node WHERE id = ?1 AND public = ?2 AND retired = 0") \
    X(NODE_CERTIFIED, "UPDATE node SET certified = CASE WHEN certified > ?2 THEN certified ELSE ?2 END WHERE id = ?1") \
    X(NODES_REVOKED, "SELECT id AS node, address, facts AS \"facts!j\", certified AS until FROM node WHERE retired = 1 AND certified > ?1" \
                     " ORDER BY certified DESC, id LIMIT 10000") \
    X(ADDRESS_USED, "SELECT count(*) FROM node WHERE retired = 0 AND (address = ?1 OR CASE WHEN json_valid(facts) THEN" \
                    " json_extract(facts, '$.address') = ?1 END)") \
    X(TIDY_REVOKED, "UPDATE node SET certified = 0 WHERE retired = 1 AND certified > 0 AND certified <= ?1") \
    X(NODE_RESOLVE, "SELECT id FROM node WHERE (id = ?1 OR hostname = ?1) AND retired = 0" \
                    " ORDER BY id = ?1 DESC, last_contact DESC, enrolled DESC LIMIT 1") \
    X(NODE_NAMESAKES, "SELECT id FROM node WHERE hostname = ?1 AND retired = 0 ORDER BY last_contact") \
    X(NODE_NAMES, "SELECT hostname AS name FROM node WHERE retired = 0") \
    X(NODE_FACTS, "SELECT id, hostname, facts AS \"facts!j\", last_contact, scanned FROM node WHERE retired = 0 ORDER BY hostname") \
    X(NODE_ONE, "SELECT id, hostname, address, branch, enrolled AS \"enrolled!t\", last_contact AS \"last_contact!t\", last_contact" \
                " AS last_contact_s, scanned, held AS serial, facts AS \"facts!j\" FROM node WHERE id = ?1") \
    X(NODES, "SELECT hostname, id, branch, address, last_contact AS \"last_contact!t\", (SELECT count(*) FROM node_update u" \
             " WHERE u.node = node.id AND state = 2) AS required," \
             " (SELECT count(*) FROM node_update u WHERE u.node = node.id AND state = 3) AS installed," \
             " (SELECT count(*) FROM node_job j JOIN node_update u ON u.node = j.node AND u.update_id = j.update_id" \
             " WHERE j.node = node.id AND j.enforcement = 'failed' AND u.state IN (0, 2)) AS failed FROM node" \
             " WHERE retired = 0 ORDER BY hostname") \
    X(NODE_RETIRE, "UPDATE node SET retired = 1 WHERE id = ?1") \
    X(NODE_HELD, "SELECT held FROM node WHERE id = ?1") \
    X(NODE_HELD_PUT, "UPDATE node SET held = ?2, last_contact = ?3 WHERE id = ?1") \
    X(NODE_FACTS_PUT, "UPDATE node SET facts = ?2, branch = ?3 WHERE id = ?1") \
    X(NODE_INVENTORY_PUT, "UPDATE node SET inventory = ?2 WHERE id = ?1") \
    X(NODE_SCANNED, "UPDATE node SET scanned = ?2 WHERE id = ?1") \
    X(NODE_INVENTORIES, "SELECT DISTINCT inventory AS \"inventory!j\" FROM node JOIN node_update u ON u.node = node.id AND u.state = 2" \
                        " JOIN member m ON m.update_id = u.update_id AND m.grp = ?1 WHERE retired = 0 AND inventory <> '[]'") \
    X(NODE_COUNT, "SELECT count(*) FROM node WHERE retired = 0") \
    X(NODE_SILENT, "SELECT count(*) FROM node WHERE retired = 0 AND last_contact < ?1") \
    X(SCAN_CLEAR, "DELETE FROM node_update WHERE node = ?1") \
    X(SCAN_UNKNOWN, "UPDATE node_update SET state = 0 WHERE node = ?1") \
    X(SCAN_OLD, "UPDATE node_update SET state = 1 WHERE node = ?1") \
    X(SCAN_PUT, "INSERT INTO node_update VALUES(?1, ?2, ?3, ?4) ON CONFLICT(node, update_id) DO UPDATE SET state = ?3, held = ?4") \
    X(SCAN_SWEEP, "DELETE FROM node_update WHERE node = ?1 AND state = 1") \
    X(SCAN_STATE, "SELECT coalesce(u.state, " KNOWN("?1") ") AS state, coalesce(u.held, 0) AS held FROM upd LEFT JOIN node_update u" \
                  " ON u.update_id = upd.id AND u.node = ?1 WHERE upd.id = ?2") \
    X(SCANNED_CLEAR, "DELETE FROM node_scanned WHERE node = ?1") \
    X(SCANNED_PUT, "INSERT INTO node_scanned SELECT ?1, catalog, generation FROM catalog_generation WHERE catalog = ?2" \
                   " AND inrelease = ?3") \
    X(SCANNED_COMMAND_PUT, "INSERT INTO node_scanned VALUES(?1, ?2, 0) ON CONFLICT DO NOTHING") \
    X(GENERATION_PUT, "INSERT INTO catalog_generation VALUES(?1, ?2, 1 + coalesce((SELECT max(generation) FROM catalog_generation" \
                      " WHERE catalog = ?1), 0)) ON CONFLICT DO NOTHING") \
    X(UPDATE_ADDED, "UPDATE upd SET added = (SELECT max(generation) FROM catalog_generation g WHERE g.catalog = upd.catalog) WHERE id = ?1") \
    X(JOB_PUT, "REPLACE INTO node_job VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)") \
    X(JOBS_CLEAR, "DELETE FROM node_job WHERE node = ?1") \
    X(JOB, "SELECT deployment, state, enforcement, reason, code, attempts, detail, changed FROM node_job WHERE node = ?1" \
           " AND update_id = ?2") \
    X(NODE_UPDATES, "SELECT upd.id, upd.name, upd.version, upd.title, CASE u.state WHEN 2 THEN 'required' WHEN 3 THEN 'installed'" \
                    " WHEN 0 THEN 'unknown' ELSE 'not-required' END AS state," \
                    " coalesce(j.enforcement, '') AS enforcement, coalesce(j.reason, '') AS reason, coalesce(j.code, -1) AS code," \
                    " coalesce(j.attempts, 0) AS attempts," \
                    " coalesce(j.detail, '') AS detail, j.changed AS \"changed!t\" FROM node_update u JOIN upd" \
                    " ON upd.id = u.update_id LEFT JOIN node_job j ON j.node = u.node AND j.update_id = u.update_id" \
                    " WHERE u.node = ?1 AND (u.state <> 3 OR j.enforcement IS NOT NULL) ORDER BY upd.name") \
    X(NODE_CONTENT_PUT, "REPLACE INTO node_content VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)") \
    X(NODE_CONTENTS, "SELECT sha256, size, http, peers, cache, origin, waste FROM node_content WHERE node = ?1 ORDER BY changed") \
    X(DOCUMENTS_CLEAR, "DELETE FROM node_document WHERE node = ?1") \
    X(DOCUMENT_ACK, "INSERT INTO node_document VALUES(?1, ?2, ?3) ON CONFLICT(node, name) DO UPDATE SET seq = ?3") \
    X(NODE_DOCUMENTS, "SELECT name, seq FROM node_document WHERE node = ?1 ORDER BY name") \
    X(BRANCHES, "SELECT CASE branch WHEN '' THEN '-' ELSE branch END AS name, count(DISTINCT node.id) AS nodes," \
                " coalesce(sum(c.size), 0) AS needed, coalesce(sum(c.http), 0) AS http," \
                " coalesce(sum(c.peers), 0) AS peers, coalesce(sum(c.cache), 0) AS cache, coalesce(sum(c.origin), 0) AS origin," \
                " coalesce(sum(c.waste), 0) AS waste," \
                " coalesce(sum(c.size - c.http - c.peers - c.cache - c.origin), 0) AS error FROM node LEFT JOIN node_content c" \
                " ON c.node = node.id WHERE retired = 0 GROUP BY branch ORDER BY branch") \
    X(DEPLOYMENT_STATES, "SELECT m.update_id, coalesce(u.state, " KNOWN("?2") ") AS state, coalesce(j.enforcement, '') AS enforcement," \
                         " coalesce(j.reason, '') AS reason, coalesce(j.detail, '') AS detail, coalesce(j.changed, 0) AS changed" \
                         " FROM member m JOIN upd ON upd.id = m.update_id LEFT JOIN node_update u ON u.update_id = m.update_id" \
                         " AND u.node = ?2 LEFT JOIN node_job j ON j.update_id = m.update_id AND j.node = ?2 WHERE m.grp = ?1" \
                         " AND upd.expired = 0 ORDER BY m.update_id") \
    X(GROUP_JUDGED, "SELECT m.update_id, catalog, added FROM member m JOIN upd ON upd.id = m.update_id WHERE m.grp = ?1 AND expired = 0") \
    X(SCANNED_CATALOGS, "SELECT node, s.name, generation FROM node_scanned s JOIN catalog c ON c.name = s.name") \
    X(SCANNED_WITH, "SELECT node FROM node_scanned WHERE name = ?1") \
    X(UPDATE_OPEN, "SELECT node, CASE state WHEN 2 THEN 'required' ELSE 'unknown' END AS state FROM node_update WHERE update_id = ?1" \
                   " AND state IN (0, 2)") \
    X(UPDATE_SPOKEN, "SELECT node FROM node_update WHERE update_id = ?1") \
    /* What has failed and is held back before it may be tried again has failed all the same. */ \
    X(UPDATE_TROUBLES, "SELECT node, enforcement FROM node_job WHERE update_id = ?1 AND enforcement IN ('failed', 'download-failed'," \
                       " 'restart-pending') UNION ALL SELECT node, 'failed' FROM node_job WHERE update_id = ?1 AND enforcement IN" \
                       " ('waiting', 'waiting-window', 'waiting-turn') AND attempts > 0 AND reason IN ('halted', 'waiting-window'," \
                       " 'waiting-turn')") \
    X(DEPLOYMENTS_OF, "SELECT d.name, d.grp AS \"group\", d.collection, d.enabled AS \"enabled!b\", d.withdrawn AS \"withdrawn!b\"," \
                      " d.halted, d.made_by, d.available AS available_s, d.deadline AS deadline_s, d.terms AS \"terms!j\" FROM deployment d" \
                      " JOIN member m ON m.grp = d.grp WHERE m.update_id = ?1 AND d.withdrawn = 0 ORDER BY d.deadline, d.name") \
    X(MEMBER_DOWNLOADED, "SELECT count(*) FROM member WHERE grp = ?1 AND update_id = ?2 AND downloaded = 1") \
    X(TURN_HELD, "SELECT count(*) FROM turn WHERE node = ?1 AND until > ?2") \
    X(MESSAGE_PUT, "INSERT INTO message VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING") \
    X(MESSAGE_NEXT, "SELECT count(*) FROM message WHERE node = ?1 AND serial = ?2") \
    X(NODE_MESSAGES, "SELECT coalesce(min(serial), 0) AS first, coalesce(max(serial), 0) AS last, count(*) AS kept," \
                     " coalesce(max(serial) - min(serial) + 1 - count(*), 0) AS missing FROM message WHERE node = ?1") \
    X(MESSAGE_SWEEP, "DELETE FROM message WHERE node = ?1 AND serial <= ?2 - 1000") \
    X(AUDIT_PUT, "INSERT INTO audit(time, who, command, what) VALUES(?1, ?2, ?3, ?4)") \
    X(AUDIT, "SELECT time AS \"time!t\", who, command, what FROM audit ORDER BY id DESC LIMIT ?1") \
    X(DOCUMENT, "SELECT seq, hash FROM document WHERE name = ?1") \
    X(DOCUMENT_PUT, "INSERT INTO document VALUES(?1, ?2, ?3) ON CONFLICT(name) DO UPDATE SET seq = ?2, hash = ?3")

enum ledger_sql {
#define X(name, text) LEDGER_##name,
    LEDGER_SQL(X)
#undef X
    LEDGER_SQL_COUNT
};

#endif
