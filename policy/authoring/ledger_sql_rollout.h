/* SQL of rules, their runs, phased deployments, alerts, plans and turns; part of ledger_sql.h's list. */
#ifndef FERRY_POLICY_AUTHORING_LEDGER_SQL_ROLLOUT_H
#define FERRY_POLICY_AUTHORING_LEDGER_SQL_ROLLOUT_H

#define LEDGER_SQL_ROLLOUT(X) \
    X(RULE_PUT, "INSERT INTO rule(name, description, filter, search, schedule, after_sync, mode, enabled, approval, dps, severity_alert," \
                " since) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)") \
    X(RULE_CHANGE, "UPDATE rule SET description = ?2, filter = ?3, search = ?4, schedule = ?5, after_sync = ?6, mode = ?7, enabled = ?8," \
                   " approval = ?9, dps = ?10, severity_alert = ?11, since = ?12 WHERE name = ?1") \
    X(RULE_HAS, "SELECT count(*) FROM rule WHERE name = ?1") \
    X(RULE_NAMES, "SELECT name FROM rule ORDER BY name") \
    X(RULES, "SELECT name, description, filter, search, schedule, after_sync AS \"after_sync!b\", mode, enabled AS \"enabled!b\"," \
             " approval AS \"approval!b\", dps AS \"dps!j\", severity_alert AS \"severity_alert!b\", since, last_nominal, last_sync_run," \
             " failures, last_failed FROM rule WHERE ?1 IS NULL OR name = ?1 ORDER BY name") \
    X(RULE_BEGUN, "UPDATE rule SET last_nominal = ?2, last_sync_run = CASE WHEN ?3 > last_sync_run THEN ?3 ELSE last_sync_run END" \
                  " WHERE name = ?1") \
    X(RULES_AHEAD, "SELECT count(*) FROM rule WHERE since > ?1 OR last_nominal > ?1 OR last_sync_run > ?1 OR last_failed > ?1") \
    X(RULES_BACK, "UPDATE rule SET since = CASE WHEN since > ?1 THEN ?1 ELSE since END, last_nominal = CASE WHEN last_nominal > ?1 THEN ?1" \
                  " ELSE last_nominal END, last_sync_run = CASE WHEN last_sync_run > ?1 THEN ?1 ELSE last_sync_run END," \
                  " last_failed = CASE WHEN last_failed > ?1 THEN ?1 ELSE last_failed END") \
    X(RULE_RAN, "SELECT count(*) FROM rule_run WHERE rule = ?1 AND nominal = ?2") \
    X(RULE_WENT_WELL, "UPDATE rule SET failures = 0, last_failed = 0 WHERE name = ?1") \
    X(RULE_WENT_WRONG, "UPDATE rule SET failures = failures + 1, last_failed = ?2 WHERE name = ?1") \
    X(RULE_DROP, "DELETE FROM rule WHERE name = ?1") \
    X(RULE_DROP_DEPLOYMENTS, "DELETE FROM rule_deployment WHERE rule = ?1") \
    X(RULE_DROP_RUNS, "DELETE FROM rule_run WHERE rule = ?1") \
    X(RULE_DEPLOYMENT_PUT, "INSERT INTO rule_deployment VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)") \
    X(RULE_DEPLOYMENT_CHANGE, "UPDATE rule_deployment SET collection = ?3, available_s = ?4, deadline_s = ?5, enabled = ?6, terms = ?7" \
                              " WHERE rule = ?1 AND name = ?2") \
    X(RULE_DEPLOYMENT_DROP, "DELETE FROM rule_deployment WHERE rule = ?1 AND name = ?2") \
    X(RULE_DEPLOYMENTS, "SELECT name, collection, available_s, deadline_s, enabled AS \"enabled!b\", terms AS \"terms!j\"" \
                        " FROM rule_deployment WHERE rule = ?1 AND (?2 IS NULL OR name = ?2) ORDER BY name") \
    X(RULE_DEPLOYMENT_NAMES, "SELECT DISTINCT name FROM rule_deployment ORDER BY name") \
    X(RUN_PUT, "INSERT INTO rule_run(rule, cause, nominal, began, ended, code, detail, grp, selected, updates)" \
               " VALUES(?1, ?2, ?3, ?4, 0, '', '', '', 0, '[]') RETURNING id") \
    X(RUN_END, "UPDATE rule_run SET ended = ?2, code = ?3, detail = ?4, grp = ?5, selected = ?6, updates = ?7 WHERE id = ?1") \
    X(RUN_OPEN, "SELECT id, rule FROM rule_run WHERE ended = 0") \
    X(RUNS, "SELECT id, cause, nominal AS \"nominal!t\", began AS \"began!t\", ended AS \"ended!t\", code, detail, grp AS \"group\"," \
            " selected AS updates FROM rule_run WHERE rule = ?1 ORDER BY id DESC LIMIT ?2") \
    X(RUN_LATEST_GROUP, "SELECT grp FROM rule_run WHERE rule = ?1 AND code = 'ok' AND selected > 0 ORDER BY id DESC LIMIT 1") \
    X(RUN_SWEEP, "DELETE FROM rule_run WHERE rule = ?1 AND ended > 0 AND id NOT IN" \
                 " (SELECT id FROM rule_run WHERE rule = ?1 ORDER BY id DESC LIMIT 1000)") \
    X(STAGING_PUT, "INSERT INTO grp(name, description, archives, made_by) VALUES(?1, '', '[]', ?2)") \
    X(STAGINGS, "SELECT name FROM grp WHERE name LIKE '~%'") \
    X(GROUP_MADE_BY, "SELECT made_by FROM grp WHERE name = ?1") \
    X(GROUP_NAMED, "UPDATE grp SET name = ?2, description = ?3 WHERE name = ?1") \
    X(GROUP_MADE, "INSERT INTO grp(name, description, archives, made_by) VALUES(?1, ?2, '[]', ?3)") \
    X(GROUP_TAKES_ARCHIVES, "UPDATE grp SET archives = (SELECT archives FROM grp WHERE name = ?2), wanted_archives =" \
                            " (SELECT wanted_archives FROM grp WHERE name = ?2) WHERE name = ?1") \
    X(MEMBERS_MOVE, "UPDATE member SET grp = ?2 WHERE grp = ?1") \
    X(WANTED_MOVE, "UPDATE grp_wanted SET grp = ?2 WHERE grp = ?1") \
    X(GROUP_CONTENT_MOVE, "UPDATE grp_content SET grp = ?2 WHERE grp = ?1") \
    X(GROUP_MEMBER_IDS, "SELECT update_id AS id FROM member WHERE grp = ?1 ORDER BY update_id") \
    X(GROUP_NOT_DOWNLOADED, "SELECT count(*) FROM member JOIN upd ON upd.id = update_id WHERE grp = ?1 AND downloaded = 0 AND expired = 0") \
    X(COLLECTION_AIMED, "SELECT 'rule ' || rule AS name FROM rule_deployment WHERE collection = ?1 UNION SELECT 'phased deployment ' || phased" \
                        " FROM phase WHERE collection = ?1 LIMIT 1") \
    X(DP_AIMED, "SELECT name FROM rule WHERE dps LIKE '%\"' || ?1 || '\"%' ORDER BY name LIMIT 1") \
    X(GROUP_DPS, "SELECT dp AS name, (SELECT node FROM dp WHERE dp.name = dp_group.dp) AS node FROM dp_group WHERE grp = ?1 ORDER BY dp") \
    X(GROUP_LACKING, "SELECT count(*) FROM grp_content g WHERE g.grp = ?1 AND NOT EXISTS (SELECT 1 FROM dp_content h WHERE h.dp = ?2" \
                     " AND h.sha256 = g.sha256 AND h.state = 'complete')") \
    X(DEPLOYMENT_MAKE, "INSERT INTO deployment(name, grp, collection, available, deadline, enabled, withdrawn, created, terms, halted," \
                       " made_by) VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, '', ?9)") \
    X(DEPLOYMENT_REFRESH, "UPDATE deployment SET grp = ?2, available = ?3, deadline = ?4, enabled = ?5, terms = ?6, withdrawn = 0," \
                          " halted = '' WHERE name = ?1") \
    X(DEPLOYMENT_RAW, "SELECT name, grp AS \"group\", collection, available, deadline, enabled, withdrawn, halted, made_by," \
                      " terms AS \"terms!j\" FROM deployment WHERE name = ?1") \
    X(DEPLOYMENT_ENABLE, "UPDATE deployment SET enabled = ?2 WHERE name = ?1 AND withdrawn = 0") \
    X(DEPLOYMENTS_MADE, "SELECT name, collection FROM deployment WHERE made_by = ?1 AND withdrawn = 0 AND (?2 IS NULL OR grp = ?2)" \
                        " ORDER BY created, name") \
    X(DEPLOYMENTS_HALT, "UPDATE deployment SET halted = ?2 WHERE made_by = ?1 AND withdrawn = 0 AND coalesce(halted, '') = ''") \
    X(DEPLOYMENTS_LIFT, "UPDATE deployment SET halted = '' WHERE made_by = ?1 AND halted = ?2") \
    X(DEPLOYMENTS_WITHDRAW, "UPDATE deployment SET withdrawn = ?2, enabled = 0 WHERE made_by = ?1 AND withdrawn = 0") \
    X(DEPLOYMENTS_LIVE, "SELECT name, grp AS \"group\", collection, available, deadline, enabled, halted, terms AS \"terms!j\"" \
                        " FROM deployment WHERE withdrawn = 0 ORDER BY created, name") \
    X(UPDATE_LIVE, "SELECT count(*) FROM upd WHERE id = ?1 AND expired = 0 AND gone = 0") \
    X(PHASED_PUT, "INSERT INTO phased(name, description, grp, state, halted, created) VALUES(?1, ?2, ?3, 'running', '', ?4)") \
    X(PHASED_HAS, "SELECT count(*) FROM phased WHERE name = ?1") \
    X(PHASED_NAMES, "SELECT name FROM phased ORDER BY name") \
    X(PHASEDS, "SELECT name, description, grp AS \"group\", state, halted, created AS \"created!t\", created AS created_s" \
               " FROM phased WHERE ?1 IS NULL OR name = ?1 ORDER BY created, name") \
    X(PHASED_OF_GROUP, "SELECT name FROM phased WHERE grp = ?1 ORDER BY name LIMIT 1") \
    X(PHASED_STATE, "UPDATE phased SET state = ?2, halted = ?3 WHERE name = ?1") \
    X(PHASED_DROP, "DELETE FROM phased WHERE name = ?1") \
    X(PHASED_DROP_PHASES, "DELETE FROM phase WHERE phased = ?1") \
    X(PHASED_DROP_LOG, "DELETE FROM phase_log WHERE phased = ?1") \
    X(PHASE_PUT, "INSERT INTO phase(phased, position, collection, gate, begin_by, after_s, deadline_s, terms, state)" \
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'waiting')") \
    X(PHASE_CHANGE, "UPDATE phase SET collection = ?3, gate = ?4, begin_by = ?5, after_s = ?6, deadline_s = ?7, terms = ?8" \
                    " WHERE phased = ?1 AND position = ?2") \
    X(PHASE_PLACE, "UPDATE phase SET position = ?3 WHERE phased = ?1 AND position = ?2") \
    X(PHASE_DROP, "DELETE FROM phase WHERE phased = ?1 AND position = ?2") \
    X(PHASES, "SELECT position, collection, gate AS \"gate!j\", begin_by, after_s, deadline_s, terms AS \"terms!j\", state, deployment," \
              " began, succeeded, success_at FROM phase WHERE phased = ?1 ORDER BY position") \
    X(PHASE_BEGAN, "UPDATE phase SET state = 'active', deployment = ?3, began = ?4 WHERE phased = ?1 AND position = ?2") \
    X(PHASE_STATE, "UPDATE phase SET state = ?3, succeeded = ?4, success_at = ?5 WHERE phased = ?1 AND position = ?2") \
    X(PHASE_LOG_PUT, "INSERT INTO phase_log(phased, position, time, verdict, figures, why) VALUES(?1, ?2, ?3, ?4, ?5, ?6)") \
    X(PHASE_LOG_LAST, "SELECT verdict FROM phase_log WHERE phased = ?1 AND position = ?2 ORDER BY id DESC LIMIT 1") \
    X(PHASE_LOG_HALT, "SELECT figures AS \"figures!j\" FROM phase_log WHERE phased = ?1 AND position = ?2 AND verdict = 'halt'" \
                      " ORDER BY id DESC LIMIT 1") \
    X(PHASE_LOG, "SELECT time AS \"time!t\", position, coalesce((SELECT collection FROM phase p WHERE p.phased = l.phased" \
                 " AND p.position = l.position), '') AS collection, verdict, why, figures AS \"figures!j\" FROM phase_log l" \
                 " WHERE phased = ?1 ORDER BY id DESC LIMIT ?2") \
    X(ALERT_NEW, "INSERT INTO alert(time, node, event, detail, severity, subject, state, until, last, count, told)" \
                 " VALUES(?5, ?3, ?1, ?6, ?4, ?2, 'open', 0, ?5, 1, 0)") \
    X(ALERT_AGAIN, "UPDATE alert SET count = count + 1, last = CASE WHEN ?5 > last THEN ?5 ELSE last END, severity = ?4, detail = ?6" \
                   " WHERE event = ?1 AND subject = ?2 AND node = ?3 AND state <> 'closed'") \
    X(ALERTS, "SELECT id, time AS \"time!t\", last AS \"last!t\", severity, event, subject, coalesce((SELECT hostname FROM node" \
              " WHERE node.id = alert.node), node) AS node, state, until AS \"until!t\", count, detail FROM alert" \
              " WHERE ?2 = 1 OR state = 'open' ORDER BY last DESC, id DESC LIMIT ?1") \
    X(ALERT_STANDING, "SELECT id, detail FROM alert WHERE event = ?1 AND subject = ?2 AND node = '' AND state <> 'closed' LIMIT 1") \
    X(ALERT_SAYS, "UPDATE alert SET last = ?2, detail = ?3 WHERE id = ?1") \
    X(ALERT_CLOSE, "UPDATE alert SET state = 'closed', last = ?4 WHERE event = ?1 AND subject = ?2 AND node = ?3 AND state <> 'closed'") \
    X(ALERT_CLOSE_PHASED, "UPDATE alert SET state = 'closed', last = ?3 WHERE event IN ('phase-halted', 'phase-late', 'phase-stuck')" \
                          " AND (subject = ?1 OR substr(subject, 1, length(?2)) = ?2) AND state <> 'closed'") \
    X(ALERT_CLOSE_INSTALLS, "UPDATE alert SET state = 'closed', last = ?2 WHERE event = 'install.failed' AND node = ?1 AND state <> 'closed'" \
                            " AND NOT EXISTS (SELECT 1 FROM node_update u WHERE u.node = ?1 AND u.update_id = alert.subject" \
                            " AND u.state IN (0, 2))") \
    X(ALERT_OPEN_SUBJECTS, "SELECT DISTINCT subject FROM alert WHERE event = ?1 AND node = '' AND state <> 'closed'") \
    X(ALERT_ONE, "SELECT id, event, subject, state FROM alert WHERE id = ?1") \
    X(ALERT_STATE, "UPDATE alert SET state = ?2, until = ?3 WHERE id = ?1") \
    X(ALERT_SLEEPERS, "SELECT count(*) FROM alert WHERE state = 'postponed' AND until <= ?1") \
    X(ALERT_WAKE, "UPDATE alert SET state = 'open', until = 0, told = 0 WHERE state = 'postponed' AND until <= ?1") \
    X(ALERT_UNTOLD, "SELECT id, time AS \"time!t\", last AS \"last!t\", event, subject, severity, node, coalesce((SELECT hostname FROM node" \
                    " WHERE node.id = alert.node), '') AS hostname, detail, count FROM alert WHERE told = 0 AND state = 'open' ORDER BY id" \
                    " LIMIT 1") \
    X(ALERT_TOLD, "UPDATE alert SET told = 1 WHERE id = ?1") \
    X(ALERTS_TOLD, "UPDATE alert SET told = 1 WHERE told = 0") \
    X(ALERTS_OLD, "SELECT count(*) FROM alert WHERE state = 'closed' AND last < ?1") \
    X(ALERTS_SWEEP, "DELETE FROM alert WHERE state = 'closed' AND last < ?1") \
    X(DP_ROOM_PUT, "UPDATE dp SET room = ?2, told = ?3 WHERE name = ?1") \
    X(DP_ROOMS, "SELECT name, room FROM dp WHERE room >= 0 ORDER BY name") \
    X(DP_MISSING, "SELECT coalesce(sum(c.size), 0) FROM content c WHERE c.sha256 IN (SELECT g.sha256 FROM dp_group d JOIN grp_content g" \
                  " ON g.grp = d.grp WHERE d.dp = ?1) AND NOT EXISTS (SELECT 1 FROM dp_content h WHERE h.dp = ?1 AND h.sha256 = c.sha256" \
                  " AND h.state = 'complete')") \
    X(CATALOG_FAILED, "UPDATE catalog SET failed = ?2, failure = ?3 WHERE name = ?1") \
    X(TURN_QUESTION, "UPDATE node SET questions = ?2 WHERE id = ?1 AND questions < ?2") \
    X(TURN_HOLDERS, "SELECT node, since, until FROM turn WHERE collection = ?1 AND until > ?2") \
    X(TURN_ONE, "SELECT since, until FROM turn WHERE collection = ?1 AND node = ?2") \
    X(TURN_PUT, "INSERT INTO turn(collection, node, since, until, asked) VALUES(?1, ?2, ?3, ?4, ?3) ON CONFLICT(collection, node)" \
                " DO UPDATE SET since = ?3, until = ?4, asked = ?3") \
    X(TURN_WAITS, "INSERT INTO turn(collection, node, since, until, asked) VALUES(?1, ?2, ?3, 0, ?3) ON CONFLICT(collection, node)" \
                  " DO UPDATE SET asked = ?3, since = CASE turn.until WHEN 0 THEN turn.since ELSE ?3 END, until = 0") \
    X(TURN_GIVE, "DELETE FROM turn WHERE node = ?1") \
    X(TURN_SWEEP, "DELETE FROM turn WHERE (until > 0 AND until <= ?1) OR (until = 0 AND asked < ?2)") \
    X(TURN_RESET, "DELETE FROM turn WHERE collection = ?1 AND (?2 IS NULL OR node = ?2)") \
    X(TURNS, "SELECT collection, coalesce((SELECT hostname FROM node WHERE node.id = turn.node), node) AS node, CASE until WHEN 0 THEN" \
             " 'waiting' ELSE 'holding' END AS state, since AS \"since!t\", until AS \"until!t\" FROM turn WHERE until > ?1 OR (until = 0 AND" \
             " asked >= ?2) ORDER BY collection, until = 0, since") \
    X(NODE_NEEDS, "SELECT DISTINCT d.collection FROM node_update u JOIN member m ON m.update_id = u.update_id JOIN upd" \
                  " ON upd.id = u.update_id AND upd.expired = 0 JOIN deployment d" \
                  " ON d.grp = m.grp AND d.enabled = 1 AND d.withdrawn = 0 AND coalesce(d.halted, '') = ''" \
                  " AND d.available <= ?2 AND d.terms NOT LIKE '%\"purpose\":\"available\"%' WHERE u.node = ?1 AND u.state = 2") \
    X(NODE_SEEN, "SELECT hostname, last_contact, facts AS \"facts!j\" FROM node WHERE id = ?1 AND retired = 0") \
    X(PLAN_NODES, "SELECT id, hostname, branch, facts AS \"facts!j\", last_contact, scanned FROM node WHERE retired = 0 ORDER BY hostname") \
    X(PLAN_STATES, "SELECT m.update_id AS id, coalesce(u.state, " KNOWN("?2") ") AS state FROM member m JOIN upd ON upd.id = m.update_id" \
                   " LEFT JOIN node_update u ON u.update_id = m.update_id AND u.node = ?2 WHERE m.grp = ?1 AND upd.expired = 0") \
    X(PLAN_CONTENTS, "SELECT g.sha256, c.size FROM grp_content g JOIN content c ON c.sha256 = g.sha256 WHERE g.grp = ?1") \
    X(PLAN_BRANCH_HELD, "SELECT DISTINCT sha256 FROM node_content c JOIN node ON node.id = c.node WHERE node.branch = ?1 AND retired = 0") \
    X(PLAN_SHARED, "SELECT count(*) FROM member a JOIN member b ON b.update_id = a.update_id WHERE a.grp = ?1 AND b.grp = ?2") \
    X(PLAN_WAN, "SELECT wan_kbit FROM boundary WHERE name = ?1")

#endif
