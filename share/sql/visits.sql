-- SPDX-License-Identifier: Apache-2.0
-- Visits over all hosts, from the rows that their agents wrote (SQLite 3.38 or later).
--
-- An agent sees one host: behind a balancer each tells its part of a visit. The parts have the same key, or
-- keys that rows of type alias join; they are one visit while the pause between them is no longer than 30
-- minutes (view pause). A fact may come more than once: the highest revision of a parcours.event_id is the one that
-- counts.
--
--	sqlite3 shop.db < share/sql/visits.sql
--	sqlite3 shop.db ".mode ascii" ".separator \x1f \n" ".import /var/log/parcours.ndjson fact"
--	sqlite3 shop.db "SELECT * FROM visit"

-- One NDJSON row each, as it is.
CREATE TABLE IF NOT EXISTS fact (row TEXT NOT NULL);

-- The pause that ends a visit: another one where the agents have another session.timeout.
DROP VIEW IF EXISTS pause;
CREATE VIEW pause AS SELECT 1800000000000 AS ns;

DROP VIEW IF EXISTS visit_part;
CREATE VIEW visit_part AS
SELECT row ->> '$."session.id"' AS session_id, row ->> '$."parcours.site"' AS site,
       row ->> '$."parcours.key"' AS key, row ->> '$.start_time_unix_nano' AS start_ns,
       row ->> '$.end_time_unix_nano' AS end_ns, row ->> '$.end_reason' AS end_reason,
       row ->> '$.transactions' AS transactions, max(row ->> '$.revision') AS revision
FROM fact WHERE row ->> '$.type' = 'session' GROUP BY row ->> '$."parcours.event_id"';

-- Two keys of one visitor, in both directions.
DROP VIEW IF EXISTS key_link;
CREATE VIEW key_link AS
SELECT DISTINCT row ->> '$."parcours.site"' AS site, row ->> '$."parcours.key"' AS key,
       row ->> '$."parcours.key.new"' AS other
FROM fact WHERE row ->> '$.type' = 'alias'
UNION
SELECT row ->> '$."parcours.site"', row ->> '$."parcours.key.new"', row ->> '$."parcours.key"'
FROM fact WHERE row ->> '$.type' = 'alias';

-- A visitor is the least of all keys that are linked, however many links lie between.
DROP VIEW IF EXISTS visitor;
CREATE VIEW visitor AS
WITH RECURSIVE link AS MATERIALIZED (SELECT * FROM key_link),
reach (site, key, other) AS (
	SELECT DISTINCT site, key, key FROM visit_part
	UNION
	SELECT r.site, r.key, l.other FROM reach r JOIN link l ON l.site = r.site AND l.key = r.other
)
SELECT site, key, min(other) AS visitor FROM reach GROUP BY site, key;

-- Parts in the order of time; one begins a visit where the pause before it is longer than 30 minutes.
DROP VIEW IF EXISTS visit;
CREATE VIEW visit AS
WITH part AS (
	SELECT v.visitor, p.*,
	       max(p.end_ns) OVER (PARTITION BY p.site, v.visitor ORDER BY p.start_ns, p.end_ns
	                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_ns
	FROM visit_part p JOIN visitor v ON v.site = p.site AND v.key = p.key
), numbered AS (
	SELECT *, sum(before_ns IS NULL OR start_ns - before_ns > (SELECT ns FROM pause))
	          OVER (PARTITION BY site, visitor ORDER BY start_ns, end_ns) AS number
	FROM part
)
SELECT site, visitor, number, min(start_ns) AS start_ns, max(end_ns) AS end_ns,
       sum(transactions) AS transactions, count(*) AS parts
FROM numbered GROUP BY site, visitor, number;
