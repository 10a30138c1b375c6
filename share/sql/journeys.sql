-- SPDX-License-Identifier: Apache-2.0
-- Carts, orders, funnels and objectives over all hosts, from the rows that their agents wrote (SQLite 3.38 or
-- later). Read after visits.sql, whose table `fact` and views it uses.
--
-- A fact may come more than once and in any order: of a parcours.event_id the highest revision counts, as a whole
-- row. Keys that rows of type alias join are one visitor's. Amounts are decimals as text; sums are made of whole
-- numbers in millionths of the currency's unit, so they are exact, and money of different currencies is never added up.
--
--	sqlite3 shop.db < share/sql/visits.sql
--	sqlite3 shop.db < share/sql/journeys.sql
--	sqlite3 shop.db "SELECT * FROM cart_left"

-- ---- facts ----

-- The latest word on each fact.
DROP VIEW IF EXISTS event_now;
CREATE VIEW event_now AS
SELECT row, row ->> '$.event_name' AS name, row ->> '$."parcours.event_id"' AS event_id,
       row ->> '$."parcours.site"' AS site, row ->> '$."parcours.key"' AS key, row ->> '$."session.id"' AS session_id,
       row ->> '$.time_unix_nano' AS time_ns, max(CAST(row ->> '$.revision' AS INTEGER)) AS revision
FROM fact WHERE row ->> '$.type' = 'event' GROUP BY row ->> '$."parcours.event_id"';

DROP VIEW IF EXISTS page_now;
CREATE VIEW page_now AS
SELECT row, row ->> '$."parcours.event_id"' AS event_id, row ->> '$."parcours.site"' AS site,
       row ->> '$."parcours.key"' AS key, row ->> '$."session.id"' AS session_id,
       row ->> '$.start_time_unix_nano' AS time_ns, row ->> '$."url.path"' AS path,
       max(CAST(row ->> '$.revision' AS INTEGER)) AS revision
FROM fact WHERE row ->> '$.type' = 'page_view' GROUP BY row ->> '$."parcours.event_id"';

DROP VIEW IF EXISTS definition_now;
CREATE VIEW definition_now AS
SELECT * FROM (
	SELECT row, row ->> '$.kind' AS kind, row ->> '$.name' AS name, row ->> '$."parcours.site"' AS site,
	       row ->> '$.removed' AS removed, max(CAST(row ->> '$.revision' AS INTEGER)) AS revision
	FROM fact WHERE row ->> '$.type' = 'definition' GROUP BY row ->> '$."parcours.event_id"')
WHERE removed IS NULL;

-- A decimal → millionths of its unit, exactly; NULL where it is none or has more than six decimals that are not 0.
-- 1234.5 → 1234500000.
DROP VIEW IF EXISTS amount_micro;
CREATE VIEW amount_micro AS
SELECT text, CASE WHEN rtrim(substr(decimals, 7), '0') <> '' THEN NULL
	ELSE sign * (CAST(whole AS INTEGER) * 1000000 + CAST(substr(decimals || '000000', 1, 6) AS INTEGER)) END AS micro
FROM (
	SELECT text, CASE WHEN text LIKE '-%' THEN -1 ELSE 1 END AS sign,
	       CASE WHEN instr(text, '.') THEN substr(ltrim(text, '-'), 1, instr(ltrim(text, '-'), '.') - 1)
	            ELSE ltrim(text, '-') END AS whole,
	       CASE WHEN instr(text, '.') THEN substr(text, instr(text, '.') + 1) ELSE '' END AS decimals
	FROM (SELECT DISTINCT row ->> '$.value' AS text FROM fact
	      WHERE row ->> '$.type' = 'event' AND row ->> '$.value' IS NOT NULL
	      UNION
	      SELECT DISTINCT row ->> '$."parcours.cart".value' FROM fact
	      WHERE row ->> '$.type' = 'event' AND row ->> '$."parcours.cart".value' IS NOT NULL));

-- ---- visitors and visits ----

-- As in visits.sql, of every key that any fact has: an agent may be stopped before its visits are over.
DROP VIEW IF EXISTS fact_visitor;
CREATE VIEW fact_visitor AS
WITH RECURSIVE link AS MATERIALIZED (SELECT * FROM key_link),
known AS (SELECT DISTINCT row ->> '$."parcours.site"' AS site, row ->> '$."parcours.key"' AS key FROM fact
          WHERE row ->> '$.type' IN ('session', 'page_view', 'event') AND row ->> '$."parcours.key"' IS NOT NULL),
reach (site, key, other) AS (
	SELECT site, key, key FROM known
	UNION
	SELECT r.site, r.key, l.other FROM reach r JOIN link l ON l.site = r.site AND l.key = r.other
)
SELECT site, key, min(other) AS visitor FROM reach GROUP BY site, key;

-- Every sign of life of a visitor, on any host: visits with their first and last request, pages, events, carts.
DROP VIEW IF EXISTS sign_of_life;
CREATE VIEW sign_of_life AS
SELECT v.site, v.visitor, s.from_ns, s.to_ns FROM (
	SELECT site, key, start_ns AS from_ns, end_ns AS to_ns FROM visit_part
	UNION ALL SELECT site, key, time_ns, time_ns FROM page_now
	UNION ALL SELECT site, key, time_ns, time_ns FROM event_now
	UNION ALL SELECT site, key, row ->> '$.last_activity_unix_nano', row ->> '$.last_activity_unix_nano'
	          FROM event_now WHERE row ->> '$.last_activity_unix_nano' IS NOT NULL
) s JOIN fact_visitor v ON v.site = s.site AND v.key = s.key;

-- Visits of all hosts together: signs of life with no pause of more than 30 minutes.
DROP VIEW IF EXISTS stay;
CREATE VIEW stay AS
WITH ordered AS (
	SELECT *, max(to_ns) OVER (PARTITION BY site, visitor ORDER BY from_ns, to_ns
	                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_ns
	FROM sign_of_life
), numbered AS (
	SELECT *, sum(before_ns IS NULL OR from_ns - before_ns > 1800000000000)
	          OVER (PARTITION BY site, visitor ORDER BY from_ns, to_ns) AS number
	FROM ordered
)
SELECT site, visitor, number, min(from_ns) AS start_ns, max(to_ns) AS end_ns
FROM numbered GROUP BY site, visitor, number;

-- Up to when the facts tell: the latest time that any host spoke of.
DROP VIEW IF EXISTS told_until;
CREATE VIEW told_until AS
SELECT max(max(coalesce(row ->> '$.time_unix_nano', 0), coalesce(row ->> '$.end_time_unix_nano', 0),
               coalesce(row ->> '$.start_time_unix_nano', 0))) AS time_ns FROM fact;

-- A person, and neither staff nor a test: of a row with a segment.
DROP VIEW IF EXISTS human_event;
CREATE VIEW human_event AS
SELECT * FROM event_now WHERE row ->> '$."user_agent.synthetic.type"' IS NULL
AND coalesce(row ->> '$."parcours.customer.class"', '') NOT IN ('staff', 'test');

DROP VIEW IF EXISTS human_page;
CREATE VIEW human_page AS
SELECT * FROM page_now WHERE row ->> '$."user_agent.synthetic.type"' IS NULL
AND coalesce(row ->> '$."parcours.customer.class"', '') NOT IN ('staff', 'test');

-- ---- orders ----

DROP VIEW IF EXISTS order_now;
CREATE VIEW order_now AS
SELECT e.site, e.event_id, e.time_ns, v.visitor, e.session_id, e.row ->> '$.transaction_id' AS transaction_id,
       e.row ->> '$.currency' AS currency, e.row ->> '$.value' AS value, m.micro AS value_micro,
       e.row ->> '$.payment_status' AS payment_status,
       e.row ->> '$."user_agent.synthetic.type"' IS NULL
       AND coalesce(e.row ->> '$."parcours.customer.class"', '') NOT IN ('staff', 'test') AS human
FROM event_now e
LEFT JOIN fact_visitor v ON v.site = e.site AND v.key = e.key
LEFT JOIN amount_micro m ON m.text = e.row ->> '$.value'
WHERE e.name = 'purchase';

-- By currency; orders of which no value or currency was seen are counted, and are in no sum.
DROP VIEW IF EXISTS revenue;
CREATE VIEW revenue AS
SELECT site, currency, human, count(*) AS orders, count(*) - count(value_micro) AS unvalued,
       sum(value_micro) AS value_micro
FROM (SELECT site, CASE WHEN value_micro IS NOT NULL THEN currency END AS currency, human,
             CASE WHEN currency IS NOT NULL THEN value_micro END AS value_micro FROM order_now)
GROUP BY site, currency, human;

-- ---- carts ----

-- What was told of carts. A cart is known by its id; before that was seen, and where there is none, by the visit and
-- when it was opened there.
DROP VIEW IF EXISTS cart_event;
CREATE VIEW cart_event AS
SELECT *, coalesce(max(row ->> '$."parcours.cart".id')
                   OVER (PARTITION BY site, session_id, row ->> '$.opened_unix_nano'),
                   session_id || ' ' || (row ->> '$.opened_unix_nano')) AS cart
FROM event_now WHERE name IN ('parcours.cart', 'parcours.cart_abandoned');

-- The latest state of each cart, whoever told it. An order or an emptied cart is a state too.
DROP VIEW IF EXISTS cart_now;
CREATE VIEW cart_now AS
SELECT site, visitor, session_id, cart, step, condition, last_activity_ns, opened_ns, currency, value, value_micro,
       quantity, items, recovered, human, row
FROM (
	SELECT c.*, row_number() OVER (PARTITION BY c.site, c.cart ORDER BY c.last_activity_ns DESC, c.state DESC) AS nth
	FROM (
		SELECT e.site, v.visitor, e.session_id,
		       e.cart,
		       e.row ->> '$.step' AS step, e.row ->> '$.condition' AS condition,
		       e.name = 'parcours.cart' AS state,
		       e.row ->> '$.last_activity_unix_nano' AS last_activity_ns,
		       e.row ->> '$.opened_unix_nano' AS opened_ns,
		       e.row ->> '$."parcours.cart".currency' AS currency, e.row ->> '$."parcours.cart".value' AS value,
		       m.micro AS value_micro, e.row ->> '$."parcours.cart".quantity' AS quantity,
		       e.row -> '$."parcours.cart".items' AS items, e.row ->> '$.recovered' AS recovered,
		       e.row ->> '$."user_agent.synthetic.type"' IS NULL
		       AND coalesce(e.row ->> '$."parcours.customer.class"', '') NOT IN ('staff', 'test') AS human, e.row
		FROM cart_event e
		LEFT JOIN fact_visitor v ON v.site = e.site AND v.key = e.key
		LEFT JOIN amount_micro m ON m.text = e.row ->> '$."parcours.cart".value'
	) c
) WHERE nth = 1;

-- When the visit was last seen alive on any host, from the cart's last activity on.
DROP VIEW IF EXISTS cart_alive;
CREATE VIEW cart_alive AS
SELECT c.site, c.cart, max(c.last_activity_ns, coalesce(max(s.end_ns), 0)) AS alive_ns
FROM cart_now c
LEFT JOIN stay s ON s.site = c.site AND s.visitor = c.visitor
                AND c.last_activity_ns BETWEEN s.start_ns AND s.end_ns
GROUP BY c.site, c.cart;

-- Abandoned over all hosts: not ordered, not emptied, and 30 minutes without a request of the visit on any host. An
-- order of the same visitor since it was opened, told by another host, is its order.
DROP VIEW IF EXISTS cart_left;
CREATE VIEW cart_left AS
SELECT c.site, c.visitor, c.session_id, c.cart, c.step, a.alive_ns AS left_ns, c.currency, c.value, c.value_micro,
       c.quantity, c.items, c.human, e.row -> '$.preceded' AS preceded, e.row ->> '$.end_reason' AS end_reason
FROM cart_now c
JOIN cart_alive a ON a.site = c.site AND a.cart = c.cart
LEFT JOIN (SELECT site, cart, row, max(row ->> '$.last_activity_unix_nano') FROM cart_event
           WHERE name = 'parcours.cart_abandoned' GROUP BY site, cart) e ON e.site = c.site AND e.cart = c.cart
WHERE c.condition IN ('open', 'abandoned')
  AND (SELECT time_ns FROM told_until) - a.alive_ns >= 1800000000000
  AND NOT EXISTS (SELECT 1 FROM order_now o WHERE o.site = c.site AND o.visitor = c.visitor
                  AND o.time_ns BETWEEN c.opened_ns AND a.alive_ns);

-- Where they left, and what was at stake.
DROP VIEW IF EXISTS abandonment;
CREATE VIEW abandonment AS
SELECT site, step, currency, count(*) AS carts, sum(value_micro) AS value_micro
FROM cart_left WHERE human GROUP BY site, step, currency;

-- ---- funnels ----

-- Steps of a funnel, numbered from 0.
DROP VIEW IF EXISTS funnel_definition;
CREATE VIEW funnel_definition AS
SELECT d.name AS journey, d.site, CAST(s.key AS INTEGER) AS number, s.value ->> '$.name' AS step,
       s.value ->> '$.event' AS event, s.value -> '$.pages' AS pages
FROM definition_now d, json_each(d.row, '$.steps') s WHERE d.kind = 'funnel';

-- Each time that a visit over all hosts reached a step by itself, whatever came before.
DROP VIEW IF EXISTS step_reached;
CREATE VIEW step_reached AS
WITH seen AS (
	SELECT f.journey, f.number, f.step, e.site, e.key, e.time_ns
	FROM funnel_definition f JOIN human_event e ON e.name = f.event AND (f.site IS NULL OR f.site = e.site)
	UNION
	SELECT f.journey, f.number, f.step, p.site, p.key, p.time_ns
	FROM funnel_definition f, json_each(f.pages) g
	JOIN human_page p ON p.path GLOB g.value AND (f.site IS NULL OR f.site = p.site)
)
SELECT n.journey, n.number, n.step, n.site, v.visitor, s.number AS visit, n.time_ns
FROM seen n
JOIN fact_visitor v ON v.site = n.site AND v.key = n.key
JOIN stay s ON s.site = n.site AND s.visitor = v.visitor AND n.time_ns BETWEEN s.start_ns AND s.end_ns;

-- The first time that a visit was at a step after it had been at each step before, in this order.
DROP VIEW IF EXISTS visit_step;
CREATE VIEW visit_step AS
WITH RECURSIVE reached AS MATERIALIZED (SELECT * FROM step_reached),
at (journey, number, site, visitor, visit, time_ns) AS (
	SELECT journey, 0, site, visitor, visit, min(time_ns) FROM reached WHERE number = 0
	GROUP BY journey, site, visitor, visit
	UNION ALL
	SELECT a.journey, a.number + 1, a.site, a.visitor, a.visit,
	       (SELECT min(r.time_ns) FROM reached r WHERE r.journey = a.journey AND r.number = a.number + 1
	        AND r.site = a.site AND r.visitor = a.visitor AND r.visit = a.visit AND r.time_ns >= a.time_ns)
	FROM at a WHERE a.time_ns IS NOT NULL
	AND EXISTS (SELECT 1 FROM funnel_definition f WHERE f.journey = a.journey AND f.number = a.number + 1)
)
SELECT * FROM at WHERE time_ns IS NOT NULL;

-- How many visits of human customers came so far, and the share of those who began.
DROP VIEW IF EXISTS funnel_step;
CREATE VIEW funnel_step AS
SELECT f.journey, s.site, f.number, f.step, count(v.visit) AS visits,
       count(v.visit) * 1.0 / max(1, (SELECT count(*) FROM visit_step b
                                      WHERE b.journey = f.journey AND b.number = 0 AND b.site = s.site)) AS conversion
FROM funnel_definition f
JOIN (SELECT DISTINCT journey, site FROM visit_step) s ON s.journey = f.journey AND (f.site IS NULL OR f.site = s.site)
LEFT JOIN visit_step v ON v.journey = f.journey AND v.number = f.number AND v.site = s.site
GROUP BY f.journey, s.site, f.number, f.step;

-- ---- objectives ----

DROP VIEW IF EXISTS objective_definition;
CREATE VIEW objective_definition AS
SELECT name, site, row ->> '$.journey' AS journey, row ->> '$.step' AS step, row -> '$.pages' AS pages,
       row ->> '$."parcours.device"' AS device, row ->> '$."geo.country.iso_code"' AS country,
       row ->> '$."parcours.touchpoint"' AS touchpoint, row ->> '$."parcours.customer.class"' AS class,
       row ->> '$."parcours.visitor"' AS visitor, row ->> '$."parcours.channel"' AS channel,
       row ->> '$.under_ns' AS under_ns, row ->> '$.share_ppm' AS share_ppm
FROM definition_now WHERE kind = 'objective';

-- What each page view says of each objective: 1 met, 0 missed; those that say nothing are not here.
DROP VIEW IF EXISTS objective_page;
CREATE VIEW objective_page AS
SELECT o.name, p.site, p.event_id, p.time_ns,
       CASE WHEN p.row ->> '$.outcome' IN ('error', 'server_reset', 'timed_out') THEN 0
            WHEN coalesce(p.row ->> '$.lived_ns', p.row ->> '$.lived_to_proxy_ns') > o.under_ns THEN 0
            WHEN p.row ->> '$.outcome' = 'complete' THEN 1 END AS met
FROM objective_definition o
JOIN human_page p ON (o.site IS NULL OR o.site = p.site)
WHERE EXISTS (SELECT 1 FROM json_each(o.pages) g WHERE p.path GLOB g.value)
  AND (o.device IS NULL OR o.device = p.row ->> '$."parcours.device"')
  AND (o.country IS NULL OR o.country = p.row ->> '$."geo.country.iso_code"')
  AND (o.touchpoint IS NULL OR o.touchpoint = p.row ->> '$."parcours.touchpoint"')
  AND (o.class IS NULL OR o.class = p.row ->> '$."parcours.customer.class"')
  AND (o.visitor IS NULL OR o.visitor = p.row ->> '$."parcours.visitor"')
  AND (o.channel IS NULL OR o.channel = p.row ->> '$."parcours.channel"')
  AND (p.row ->> '$.outcome' IN ('error', 'server_reset', 'timed_out')
       OR coalesce(p.row ->> '$.lived_ns', p.row ->> '$.lived_to_proxy_ns') > o.under_ns
       OR (coalesce(p.row ->> '$.lived_ns', p.row ->> '$.lived_to_proxy_ns') IS NOT NULL
           AND p.row ->> '$.outcome' = 'complete'));

DROP VIEW IF EXISTS objective_result;
CREATE VIEW objective_result AS
SELECT o.name, r.site, o.journey, o.step, o.under_ns, o.share_ppm, count(*) AS pages, sum(r.met) AS good,
       sum(r.met) * 1000000 >= count(*) * o.share_ppm AS kept
FROM objective_page r JOIN objective_definition o ON o.name = r.name AND (o.site IS NULL OR o.site = r.site)
GROUP BY o.name, r.site, o.site;
