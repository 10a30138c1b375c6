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

-- The latest word on each fact; of hosts that tell the same with one revision (an order that is shown again), the first.
DROP VIEW IF EXISTS event_now;
CREATE VIEW event_now AS
SELECT row, name, event_id, site, key, session_id, time_ns, revision FROM (
	SELECT row, row ->> '$.event_name' AS name, row ->> '$."parcours.event_id"' AS event_id,
	       row ->> '$."parcours.site"' AS site, row ->> '$."parcours.key"' AS key, row ->> '$."session.id"' AS session_id,
	       row ->> '$.time_unix_nano' AS time_ns, CAST(row ->> '$.revision' AS INTEGER) AS revision,
	       row_number() OVER (PARTITION BY row ->> '$."parcours.event_id"'
	                          ORDER BY CAST(row ->> '$.revision' AS INTEGER) DESC, row ->> '$.time_unix_nano', row) AS nth
	FROM fact WHERE row ->> '$.type' = 'event')
WHERE nth = 1;

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

-- Visits of all hosts together: signs of life with no pause of more than 30 minutes (view pause).
DROP VIEW IF EXISTS stay;
CREATE VIEW stay AS
WITH ordered AS (
	SELECT *, max(to_ns) OVER (PARTITION BY site, visitor ORDER BY from_ns, to_ns
	                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_ns
	FROM sign_of_life
), numbered AS (
	SELECT *, sum(before_ns IS NULL OR from_ns - before_ns > (SELECT ns FROM pause))
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

-- ---- which cart ----

-- What is told that is of a cart. Behind a balancer a host sees every second request of a visit: the change of a cart and
-- not the page that shows it, a step and not the cart, an order and not its checkout. So each fact says when it was so
-- (at_ns; of the content of a cart that is its revision), and the next view finds its cart.
DROP VIEW IF EXISTS cart_fact;
CREATE VIEW cart_fact AS
SELECT e.event_id, e.site, v.visitor, e.session_id, e.name, e.revision, e.time_ns, e.row,
       e.row ->> '$.condition' AS condition, e.row ->> '$.opened_unix_nano' AS opened_ns,
       CASE WHEN e.name IN ('parcours.cart', 'parcours.cart_abandoned', 'purchase', 'parcours.payment_notice')
            THEN e.row ->> '$."parcours.cart".id' END AS id,
       CASE WHEN e.name NOT IN ('parcours.cart', 'parcours.cart_abandoned') THEN e.time_ns
            WHEN e.row ->> '$.recovered' OR e.row ->> '$.condition' = 'ordered' THEN e.row ->> '$.opened_unix_nano'
            ELSE max(e.revision, coalesce(e.row ->> '$.opened_unix_nano', 0)) END AS at_ns,
       s.number AS step, CASE e.row ->> '$.step' WHEN 'checkout' THEN 2 WHEN 'contact' THEN 3 WHEN 'address' THEN 4
                         WHEN 'shipping' THEN 5 WHEN 'payment' THEN 6 ELSE 1 END AS step_said
FROM event_now e
LEFT JOIN fact_visitor v ON v.site = e.site AND v.key = e.key
LEFT JOIN (SELECT 'begin_checkout' AS name, 2 AS number UNION ALL SELECT 'parcours.add_contact_info', 3
           UNION ALL SELECT 'parcours.add_address_info', 4 UNION ALL SELECT 'add_shipping_info', 5
           UNION ALL SELECT 'add_payment_info', 6) s ON s.name = e.name
WHERE s.number IS NOT NULL OR e.name IN ('parcours.cart', 'parcours.cart_abandoned', 'purchase', 'parcours.payment_notice',
                                         'parcours.cart_refused', 'parcours.payment_error');

-- Carts by the shop's ids, in the order in which a visitor opened them. Of every word, since an earlier one may be of a
-- host that saw it opened.
DROP VIEW IF EXISTS cart_opening;
CREATE VIEW cart_opening AS
WITH whose AS MATERIALIZED (SELECT * FROM fact_visitor),
word AS MATERIALIZED (
	SELECT row ->> '$."parcours.site"' AS site, row ->> '$."parcours.key"' AS key, row ->> '$."parcours.cart".id' AS id,
	       min(row ->> '$.opened_unix_nano') AS opened_ns, min(CAST(row ->> '$.revision' AS INTEGER)) AS known_ns
	FROM fact WHERE row ->> '$.type' = 'event' AND row ->> '$.event_name' IN ('parcours.cart', 'parcours.cart_abandoned')
	GROUP BY 1, 2, 3
)
SELECT site, visitor, id, opened_ns, row_number() OVER (PARTITION BY site, visitor ORDER BY opened_ns, known_ns, id) AS nth
FROM (
	SELECT f.site, v.visitor, f.id, min(f.known_ns) AS known_ns,
	       min(min(f.opened_ns)) OVER (PARTITION BY f.site, f.id) AS opened_ns
	FROM word f JOIN whose v ON v.site = f.site AND v.key = f.key
	WHERE f.id IS NOT NULL AND f.opened_ns IS NOT NULL
	GROUP BY f.site, v.visitor, f.id);

-- Each fact with its cart: by the shop's id; else the one that the visitor had opened last by then (or opened within the
-- visit after it). Of a shop that shows no ids, a cart is what a visit has until the next order or empty cart.
DROP VIEW IF EXISTS cart_placed;
CREATE VIEW cart_placed AS
WITH told AS MATERIALIZED (SELECT * FROM cart_fact),
opening AS MATERIALIZED (SELECT * FROM cart_opening),
line AS (
	SELECT site, visitor, opened_ns AS at_ns, 0 AS kind, NULL AS event_id, 0 AS closes FROM opening
	UNION ALL SELECT site, visitor, start_ns, 1, NULL, 0 FROM stay
	UNION ALL SELECT site, visitor, at_ns, 2, event_id, name = 'purchase' OR (condition = 'emptied') IS 1 FROM told
), counted AS (
	SELECT *, sum(kind = 0) OVER so_far AS openings, sum(kind = 1) OVER so_far AS visit,
	       sum(closes) OVER so_far - closes AS closed
	FROM line WINDOW so_far AS (PARTITION BY site, visitor ORDER BY at_ns, kind, event_id
	                            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT t.*, coalesce(t.id, o.id, t.visitor || ' ' || c.visit || ' ' || c.closed) AS cart
FROM told t
JOIN counted c ON c.event_id = t.event_id
LEFT JOIN opening o ON o.site = c.site AND o.visitor = c.visitor AND o.nth = max(c.openings, 1)
                   AND o.opened_ns - t.at_ns <= (SELECT ns FROM pause);

-- ---- orders ----

-- A notice of payment that came to a host that knew nothing of the cart is the order of the cart that another host knows,
-- unless somebody saw that order.
DROP VIEW IF EXISTS order_now;
CREATE VIEW order_now AS
WITH told AS MATERIALIZED (SELECT * FROM cart_placed),
whose AS MATERIALIZED (
	SELECT site, cart, visitor, session_id, row, max(revision) FROM told
	WHERE name IN ('parcours.cart', 'parcours.cart_abandoned') AND visitor IS NOT NULL GROUP BY site, cart
), found AS (
	SELECT site, event_id, time_ns, visitor, session_id, cart, row, row AS who FROM told WHERE name = 'purchase'
	UNION ALL
	SELECT n.site, min(n.event_id), n.time_ns, w.visitor, w.session_id, n.cart, n.row, w.row
	FROM told n JOIN whose w ON w.site = n.site AND w.cart = n.cart
	WHERE n.name = 'parcours.payment_notice' AND NOT EXISTS (
		SELECT 1 FROM told p WHERE p.name = 'purchase' AND p.site = n.site
		AND (p.cart = n.cart OR p.row ->> '$.transaction_id' = n.row ->> '$.transaction_id'))
	GROUP BY n.site, n.cart
)
SELECT f.site, f.event_id, f.time_ns, coalesce(f.visitor, w.visitor) AS visitor, coalesce(f.session_id, w.session_id) AS session_id,
       f.cart, f.row ->> '$.transaction_id' AS transaction_id, f.row ->> '$.currency' AS currency,
       f.row ->> '$.value' AS value, m.micro AS value_micro, f.row ->> '$.payment_status' AS payment_status,
       f.who ->> '$."user_agent.synthetic.type"' IS NULL
       AND coalesce(f.who ->> '$."parcours.customer.class"', '') NOT IN ('staff', 'test') AS human
FROM found f
LEFT JOIN whose w ON w.site = f.site AND w.cart = f.cart
LEFT JOIN amount_micro m ON m.text = f.row ->> '$.value';

-- By currency; orders of which no value or currency was seen are counted, and are in no sum.
DROP VIEW IF EXISTS revenue;
CREATE VIEW revenue AS
SELECT site, currency, human, count(*) AS orders, count(*) - count(value_micro) AS unvalued,
       sum(value_micro) AS value_micro
FROM (SELECT site, CASE WHEN value_micro IS NOT NULL THEN currency END AS currency, human,
             CASE WHEN currency IS NOT NULL THEN value_micro END AS value_micro FROM order_now)
GROUP BY site, currency, human;

-- ---- carts ----

-- What a cart holds is what the host knows that was shown it last; its step is the furthest that any host saw completed.
-- A cart that is shown with something in it after it was ordered is the next one under the same id.
DROP VIEW IF EXISTS cart_now;
CREATE VIEW cart_now AS
WITH told AS MATERIALIZED (SELECT * FROM cart_placed),
bought AS MATERIALIZED (SELECT site, cart, max(time_ns) AS ordered_ns FROM order_now GROUP BY site, cart),
-- when it was seen last with something in it, and without: of every word, since a later one of another host may only say
-- that something was asked for
word AS MATERIALIZED (
	SELECT row ->> '$."parcours.event_id"' AS event_id,
	       max(CASE WHEN row ->> '$.condition' IN ('open', 'abandoned')
	                AND coalesce(row ->> '$."parcours.cart".quantity', row ->> '$."parcours.cart".value',
	                             row ->> '$."parcours.cart".items') IS NOT NULL THEN CAST(row ->> '$.revision' AS INTEGER) END) AS shown_ns,
	       max(CASE WHEN row ->> '$.condition' = 'emptied' THEN CAST(row ->> '$.revision' AS INTEGER) END) AS emptied_ns
	FROM fact WHERE row ->> '$.type' = 'event' AND row ->> '$.event_name' IN ('parcours.cart', 'parcours.cart_abandoned')
	GROUP BY 1
), seen AS MATERIALIZED (
	SELECT t.site, t.cart, max(w.shown_ns) AS shown_ns, max(w.emptied_ns) AS emptied_ns
	FROM told t JOIN word w ON w.event_id = t.event_id GROUP BY t.site, t.cart
), latest AS (
	SELECT t.*, t.row ->> '$.last_activity_unix_nano' AS activity_ns,
	       row_number() OVER (PARTITION BY t.site, t.cart ORDER BY t.revision DESC, t.name, t.event_id) AS nth
	FROM told t WHERE t.name IN ('parcours.cart', 'parcours.cart_abandoned')
), content AS (
	SELECT l.*, b.ordered_ns,
	       CASE WHEN l.condition = 'ordered' OR coalesce(s.shown_ns, 0) < b.ordered_ns THEN 'ordered'
	            WHEN s.emptied_ns > coalesce(s.shown_ns, 0) THEN 'emptied' ELSE l.condition END AS now
	FROM latest l
	LEFT JOIN seen s ON s.site = l.site AND s.cart = l.cart
	LEFT JOIN bought b ON b.site = l.site AND b.cart = l.cart
	WHERE l.nth = 1
), stepped AS MATERIALIZED (SELECT DISTINCT site, visitor FROM told WHERE step IS NOT NULL
), life AS MATERIALIZED (
	-- A host takes the steps of a cart for those of one before it whose order it did not see: only where nobody told
	-- steps, or of a cart that was left with them, its word counts.
	SELECT c.site, c.cart, max(max(coalesce(t.step, 1), CASE WHEN s.visitor IS NULL OR c.row ->> '$.recovered'
	       THEN t.step_said ELSE 1 END)) AS step,
	       max(t.row ->> '$.last_activity_unix_nano') AS activity_ns
	FROM content c
	JOIN told t ON t.site = c.site AND t.cart = c.cart
	           AND (c.now = 'ordered' OR c.ordered_ns IS NULL OR max(t.at_ns, t.revision) > c.ordered_ns)
	LEFT JOIN stepped s ON s.site = c.site AND s.visitor = c.visitor
	GROUP BY c.site, c.cart
), begun AS MATERIALIZED (
	-- the latest word may be of a host that the visitor came to later, and that saw it only then
	SELECT c.site, c.cart, min(w.row ->> '$.opened_unix_nano') AS opened_ns
	FROM content c
	JOIN (SELECT DISTINCT site, cart, event_id FROM told) t ON t.site = c.site AND t.cart = c.cart
	JOIN fact w ON w.row ->> '$."parcours.event_id"' = t.event_id
	           AND w.row ->> '$.event_name' IN ('parcours.cart', 'parcours.cart_abandoned')
	WHERE c.now = 'ordered' OR c.ordered_ns IS NULL OR CAST(w.row ->> '$.revision' AS INTEGER) > c.ordered_ns
	GROUP BY c.site, c.cart
)
SELECT c.site, c.visitor, c.session_id, c.cart,
       CASE WHEN c.now = 'ordered' THEN 'order' ELSE
            json_extract('["cart","checkout","contact","address","shipping","payment"]', '$[' || (l.step - 1) || ']') END AS step,
       c.now AS condition, l.activity_ns AS last_activity_ns, b.opened_ns,
       c.row ->> '$."parcours.cart".currency' AS currency, c.row ->> '$."parcours.cart".value' AS value,
       m.micro AS value_micro, c.row ->> '$."parcours.cart".quantity' AS quantity,
       c.row -> '$."parcours.cart".items' AS items, c.row ->> '$.recovered' AS recovered,
       c.row ->> '$."user_agent.synthetic.type"' IS NULL
       AND coalesce(c.row ->> '$."parcours.customer.class"', '') NOT IN ('staff', 'test') AS human, c.row
FROM content c
JOIN life l ON l.site = c.site AND l.cart = c.cart
JOIN begun b ON b.site = c.site AND b.cart = c.cart
LEFT JOIN amount_micro m ON m.text = c.row ->> '$."parcours.cart".value'
WHERE b.opened_ns IS NOT NULL;

-- When the visit was last seen alive on any host, from the cart's last activity on.
DROP VIEW IF EXISTS cart_alive;
CREATE VIEW cart_alive AS
WITH visits AS MATERIALIZED (SELECT * FROM stay)
SELECT c.*, max(c.last_activity_ns, coalesce(max(s.end_ns), 0)) AS alive_ns
FROM cart_now c
LEFT JOIN visits s ON s.site = c.site AND s.visitor = c.visitor
                AND c.last_activity_ns BETWEEN s.start_ns AND s.end_ns
GROUP BY c.site, c.cart;

-- What went wrong before: what each host that the visit came to had seen, and every refusal, whoever saw it.
DROP VIEW IF EXISTS cart_trouble;
CREATE VIEW cart_trouble AS
WITH told AS MATERIALIZED (SELECT * FROM cart_placed),
word AS (
	SELECT row, row ->> '$."parcours.event_id"' AS event_id, row ->> '$.last_activity_unix_nano' AS time_ns,
	       row_number() OVER (PARTITION BY row ->> '$."parcours.event_id"', row ->> '$."session.id"'
	                          ORDER BY CAST(row ->> '$.revision' AS INTEGER) DESC) AS nth
	FROM fact WHERE row ->> '$.type' = 'event' AND row ->> '$.event_name' = 'parcours.cart_abandoned'
), trouble AS (
	SELECT t.site, t.cart, w.time_ns, w.row -> '$.preceded' AS preceded FROM word w JOIN told t ON t.event_id = w.event_id
	WHERE w.nth = 1 AND w.row -> '$.preceded' IS NOT NULL
	UNION ALL
	SELECT t.site, t.cart, t.time_ns, json_patch('{}', json_object(
		CASE t.name WHEN 'parcours.cart_refused' THEN 'cart_refused' ELSE 'payment_refused' END, json('true'),
		'reason', t.row ->> '$.reason'))
	FROM told t
	JOIN (SELECT site, cart, min(opened_ns) AS opened_ns FROM told GROUP BY site, cart) o
	  ON o.site = t.site AND o.cart = t.cart AND t.time_ns >= o.opened_ns
	WHERE t.name IN ('parcours.cart_refused', 'parcours.payment_error')
)
SELECT site, cart, json_group_object(key, json(value)) AS preceded FROM (
	SELECT t.site, t.cart, j.key, json_quote(j.value) AS value, row_number() OVER (
		PARTITION BY t.site, t.cart, j.key ORDER BY t.time_ns DESC, j.value) AS nth, j.type
	FROM trouble t, json_each(t.preceded) j)
WHERE nth = 1 GROUP BY site, cart;

-- Abandoned over all hosts: not ordered, not emptied, and 30 minutes without a request of the visit on any host.
DROP VIEW IF EXISTS cart_left;
CREATE VIEW cart_left AS
WITH trouble AS MATERIALIZED (SELECT * FROM cart_trouble),
ended AS MATERIALIZED (
	SELECT site, cart, row ->> '$.end_reason' AS end_reason, max(row ->> '$.last_activity_unix_nano') FROM cart_placed
	WHERE name = 'parcours.cart_abandoned' GROUP BY site, cart
)
SELECT c.site, c.visitor, c.session_id, c.cart, c.step, c.alive_ns AS left_ns, c.currency, c.value, c.value_micro,
       c.quantity, c.items, c.human, t.preceded, e.end_reason
FROM cart_alive c
LEFT JOIN trouble t ON t.site = c.site AND t.cart = c.cart
LEFT JOIN ended e ON e.site = c.site AND e.cart = c.cart
WHERE c.condition IN ('open', 'abandoned')
  AND (SELECT time_ns FROM told_until) - c.alive_ns >= (SELECT ns FROM pause);

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

-- Each time that a visit over all hosts reached a step by itself, whatever came before. Something is put into a cart also
-- when it is opened, though no host saw both who asked for it and what came of it.
DROP VIEW IF EXISTS step_reached;
CREATE VIEW step_reached AS
WITH whose AS MATERIALIZED (SELECT * FROM fact_visitor),
visits AS MATERIALIZED (SELECT * FROM stay),
seen AS MATERIALIZED (
	SELECT f.journey, f.number, f.step, e.site, v.visitor, e.time_ns
	FROM funnel_definition f JOIN human_event e ON e.name = f.event AND (f.site IS NULL OR f.site = e.site)
	JOIN whose v ON v.site = e.site AND v.key = e.key
	WHERE e.name <> 'purchase' AND e.row ->> '$.again' IS NULL
	UNION
	SELECT f.journey, f.number, f.step, p.site, v.visitor, p.time_ns
	FROM funnel_definition f, json_each(f.pages) g
	JOIN human_page p ON p.path GLOB g.value AND (f.site IS NULL OR f.site = p.site)
	JOIN whose v ON v.site = p.site AND v.key = p.key
	UNION
	SELECT f.journey, f.number, f.step, c.site, c.visitor, c.opened_ns
	FROM funnel_definition f JOIN cart_now c ON f.event = 'add_to_cart' AND c.human AND (f.site IS NULL OR f.site = c.site)
	UNION
	-- the word of a payment provider may come when the visit is over
	SELECT f.journey, f.number, f.step, o.site, o.visitor, max(min(v.end_ns, o.time_ns))
	FROM funnel_definition f
	JOIN order_now o ON f.event = 'purchase' AND o.human AND (f.site IS NULL OR f.site = o.site)
	JOIN visits v ON v.site = o.site AND v.visitor = o.visitor AND v.start_ns <= o.time_ns
	GROUP BY f.journey, f.number, f.step, o.site, o.event_id
)
SELECT n.journey, n.number, n.step, n.site, n.visitor, s.number AS visit, n.time_ns
FROM seen n
JOIN visits s ON s.site = n.site AND s.visitor = n.visitor AND n.time_ns BETWEEN s.start_ns AND s.end_ns;

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
WITH come AS MATERIALIZED (SELECT * FROM visit_step),
begun AS MATERIALIZED (SELECT journey, site, count(*) AS visits FROM come WHERE number = 0 GROUP BY journey, site)
SELECT f.journey, b.site, f.number, f.step, count(v.visit) AS visits, count(v.visit) * 1.0 / b.visits AS conversion
FROM funnel_definition f
JOIN begun b ON b.journey = f.journey AND (f.site IS NULL OR f.site = b.site)
LEFT JOIN come v ON v.journey = f.journey AND v.number = f.number AND v.site = b.site
GROUP BY f.journey, b.site, f.number, f.step;

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
