/* For measurements at full size: seconds, SQL without ceremony, and a ledger with 136,000 updates (five years of Debian's point releases and
 * security in one), 1,000 nodes that have said something about 500 of them each, 50 deployments of 200. */
#ifndef FERRY_TESTS_BENCH_SITE_H
#define FERRY_TESTS_BENCH_SITE_H

#include <time.h>

#include "tests/unit/desk.h"

#define TEXT_128 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static inline double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void sql(struct desk *d, const char *text)
{
    json_t *rows = NULL;

    if (rows_found(d->a.ledger, text, NULL, &rows, &d->e))
        fail_msg("%s", d->e.text);
    json_decref(rows);
}

#define COUNTED(n) "WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM k WHERE i + 1 < " #n ") "

static inline void fill(struct desk *d)
{
    assert_int_equal(ledger_begin(d->a.ledger, &d->e), OK);
    sql(d, COUNTED(136000) "INSERT INTO upd(id, catalog, name, version, title, description, classification, severity, product, vendor, arch,"
           " urgency, cves, released, revised, size, json, expired, superseded, articles, bulletins, languages)"
           " SELECT 'apt:debian:source-' || (i / 4) || ':1.' || (i % 4), 'debian', 'source-' || (i / 4), '1.' || (i % 4),"
           " 'source-' || (i / 4) || ' 1.' || (i % 4) || ' for everybody', '" TEXT_128 "',"
           " CASE i % 3 WHEN 0 THEN 'security' ELSE 'update' END, CASE i % 7 WHEN 0 THEN 'critical' ELSE 'unspecified' END,"
           " 'Debian bookworm', 'Debian', 'amd64', '', ' CVE-2026-' || (i % 9999) || ' ', 1800000000 - i * 60, 1800000000, 100000 + i,"
           " '{\"files\":[\"" TEXT_128 TEXT_128 TEXT_128 TEXT_128 TEXT_128 TEXT_128 TEXT_128 TEXT_128 TEXT_128 TEXT_128 "\"]}', 0,"
           " i % 4 < 3, ' ', ' ', ' ' FROM k");
    sql(d, COUNTED(1000) "INSERT INTO node(id, public, hostname, address, branch, enrolled, last_contact, facts, inventory, held, retired, scanned)"
           " SELECT printf('%064d', i), printf('%064d', i), 'till-' || i, '10.1.0.7', 'north', 1, 1800000000,"
           " '{\"hostname\":\"till-' || i || '\",\"os.codename\":\"bookworm\",\"node.id\":\"x\"}', '[]', 1, 0, 1800000000 FROM k");
    sql(d, COUNTED(500000) "INSERT OR IGNORE INTO node_update SELECT printf('%064d', i / 500), 'apt:debian:source-' || (i % 500 * 60 + i / 500 % 7)"
           " || ':1.3', CASE WHEN i % 5 = 0 THEN 2 ELSE 3 END, 0 FROM k");
    sql(d, "UPDATE upd SET required = (SELECT count(*) FROM node_update n WHERE n.update_id = upd.id AND n.state = 2),"
           " installed = (SELECT count(*) FROM node_update n WHERE n.update_id = upd.id AND n.state = 3)");
    sql(d, COUNTED(50) "INSERT INTO grp(name, description, archives) SELECT 'group-' || i, '', '[]' FROM k");
    sql(d, COUNTED(10000) "INSERT INTO member(grp, update_id, downloaded) SELECT 'group-' || (i / 200), 'apt:debian:source-' || (i % 500 * 60) ||"
           " ':1.3', 1 FROM k");
    sql(d, COUNTED(50) "INSERT INTO deployment(name, grp, collection, available, deadline, enabled, withdrawn, created, terms, halted, made_by)"
           " SELECT 'd-' || i, 'group-' || i, 'all', 1, 2, 1, 0, i, '{}', '', '' FROM k");
    sql(d, COUNTED(59) "INSERT INTO collection SELECT 'c-' || i, '{\"rule\":\"hostname ~ \\\"till-' || i || '*\\\"\"}' FROM k");
    assert_int_equal(ledger_end(d->a.ledger, OK, &d->e), OK);
}

#endif
