#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two hosts behind a balancer without affinity: figures by SQL over what both agents tell equal the shops' own
databases.

Each host runs two sites (euros and yen), each site is two shops on one database, and every request goes to the next
host: so each agent sees every second request of a visit, the change of a cart and not the page that shows it, an order
and not its checkout. What both wrote is loaded once as it is, and once twice and shuffled. Nobody comes back between
the visits of one site's customers; those of the other walk strictly one request after the other.
"""
import collections
import concurrent.futures
import json
import os
import random
import sqlite3
import time

from lib import journeys, process, schema
from lib.agent import Agent, sources
from lib.suite import Suite, check, equal

PAUSE_S = 6
STEPS = ["cart", "checkout", "contact", "address", "shipping", "payment", "order"]
CONFIG = """
session:
  timeout: %ds
  secret_file: %s
  keys: ["cookie:cart"]
rules: [%s]
segment:
  classes: {"cookie:role=staff": staff}
journeys:
  buy:
    steps:
      - view_item
      - cart
      - {name: checkout, event: begin_checkout, pages: ["/checkout/*"]}
      - order
    objectives:
      - {step: checkout, under: 60s, share: 99%%}
  look:
    steps:
      - {name: product, pages: ["/product/*"]}
    objectives:
      - {step: product, under: 60s, share: 99.5%%}
"""


class Fleet:
    """Worlds of two shops each, and an agent for each host, scoped to the processes of its shops."""

    def __init__(self, kinds):
        self.worlds = [journeys.World("--style", "plain", hosts=2, site="shop.example"),
                       journeys.World("--style", "yen", hosts=2, site="yen.example")]
        place = process.folder("fleet")
        secret = process.write(os.path.join(place, "secret"), "0f" * 32 + "\n")
        config = process.write(os.path.join(place, "config"), CONFIG % (PAUSE_S, secret, journeys.RECIPE))
        self.agents = {source: [Agent("-c", config, *[part for w in self.worlds for part in ("--pid", w.shops[host].pid)],
                                      source=source) for host in range(2)] for source in kinds}

    def travel(self, counts, seed):
        """By site: what really happened. The customers of the second site come one at a time."""
        ways = [dict(gap=PAUSE_S + 2, pace=0.02, at_once=12), dict(pace=0.002, at_once=1)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            truths = pool.map(lambda w, n, how: w.travel(n, seed=seed, **how), self.worlds, counts, ways)
            return dict(zip([w.site for w in self.worlds], truths))


# ---- figures by SQL ----

def database(rows):
    base = sqlite3.connect(":memory:")
    for name in ("visits.sql", "journeys.sql"):
        with open(os.path.join(process.TOP, "share", "sql", name)) as f:
            base.executescript(f.read())
    base.executescript("DROP VIEW pause; CREATE VIEW pause AS SELECT %d000000000 AS ns" % PAUSE_S)
    base.executemany("INSERT INTO fact VALUES (?)", [(json.dumps(r),) for r in rows])
    end = max(r.get("end_time_unix_nano", r.get("time_unix_nano", 0)) for r in rows)  # asked an hour later
    base.execute("INSERT INTO fact VALUES (?)", (json.dumps({"type": "later", "time_unix_nano": end + 3600 * 10**9}),))
    for view in ("event_now", "page_now", "fact_visitor", "stay", "cart_placed", "order_now", "cart_now", "cart_left"):
        base.executescript("CREATE TEMP TABLE as_table AS SELECT * FROM main.%s; DROP VIEW %s; CREATE TABLE %s AS SELECT * "
                           "FROM temp.as_table; DROP TABLE temp.as_table" % ((view,) * 3))  # each is asked often
    return base


QUESTIONS = {
    "orders": "SELECT site, transaction_id, currency, value_micro, payment_status, human FROM order_now",
    "revenue": "SELECT site, currency, human, orders, unvalued, value_micro FROM revenue",
    "left": "SELECT site, cart, step, currency, value_micro, quantity, items, human, coalesce(preceded ->> '$.cart_refused', 0), "
            "coalesce(preceded ->> '$.payment_refused', 0) FROM cart_left",
    "abandonment": "SELECT site, step, currency, carts, value_micro FROM abandonment",
    "funnel": "SELECT journey, site, step, visits, round(conversion, 9) FROM funnel_step",
    "objectives": "SELECT name, site, pages, good, kept FROM objective_result",
    "visits": "SELECT site, count(*), sum(transactions) FROM visit GROUP BY site",
}


def figures(rows):
    base = database(rows)
    found = {}
    for name, question in QUESTIONS.items():
        begin = time.monotonic()
        found[name] = sorted(base.execute(question).fetchall(), key=repr)
        if os.environ.get("TIMES"):
            print("  %s: %.2f s" % (name, time.monotonic() - begin), flush=True)
    base.close()
    return found


def customers_only(rows):
    """Facts, without the visits of the payment provider, which calls the shops too."""
    calls = {r.get("session.id") for r in rows if r["type"] == "transaction" and r.get("url.path") == "/payment/notify"}
    return [r for r in rows if r["type"] != "transaction" and (r["type"] != "session" or r["session.id"] not in calls)]


# ---- the truth ----

def micro(amount):
    return int(amount * 10**6)


def human(visit):
    return visit is None or visit["customer"] == "human"


def furthest(truth, visit, cart):
    return visit["step"] or truth.steps[cart]


def true_figures(truths):
    """As QUESTIONS; carts without their items, which are compared apart."""
    want = collections.defaultdict(list)
    for site, truth in truths.items():
        by_currency = collections.defaultdict(list)
        for number, o in truth.orders.items():
            want["orders"].append((site, number, o["currency"], micro(o["value"]), o["payment_status"], int(human(o["visit"]))))
            by_currency[o["currency"], int(human(o["visit"]))].append(micro(o["value"]))
        want["revenue"] += [(site, currency, who, len(v), 0, sum(v)) for (currency, who), v in by_currency.items()]
        left = {c: f for c, f in truth.left.items() if f["step"] != "order" and truth.states[c] == "open"}
        stakes = collections.defaultdict(list)
        for cart, f in left.items():
            want["left"].append((site, cart, f["step"], f["currency"], micro(f["value"]), f["quantity"], f["items"],
                                 int(human(f["visit"])), int("cart" in f["refused"]), int("payment" in f["refused"])))
            if human(f["visit"]):
                stakes[f["step"], f["currency"]].append(micro(f["value"]))
        want["abandonment"] += [(site, step, currency, len(v), sum(v)) for (step, currency), v in stakes.items()]
        people = [v for v in truth.visits if human(v)]
        want["funnel"] += [("buy", site, step, n, round(n / max(1, funnel(truth, people)[0][1]), 9)) for step, n in funnel(truth, people)]
        seen = [p for v in people for p in v["pages"]]
        looked = sum(any(p.startswith("/product/") for p, _ in v["pages"]) for v in people)
        want["funnel"].append(("look", site, "product", looked, 1.0))
        for name, prefix, share in (("buy/checkout", "/checkout/", 0.99), ("look/product", "/product/", 0.995)):
            pages = [status for path, status in seen if path.startswith(prefix)]
            good = sum(status not in (404, 410) and status < 500 for status in pages)
            want["objectives"].append((name, site, len(pages), good, int(good >= share * len(pages))))
        want["visits"].append((site, len(truth.visits), sum(v["requests"] for v in truth.visits)))
    return {name: sorted(rows, key=repr) for name, rows in want.items()}


def funnel(truth, people):
    """How many of the visits came so far; the scripts look first, then fill, check out and order."""
    ordered = {o["visit"]["who"]: o["visit"] for o in truth.orders.values() if o["visit"]}
    looked = [v for v in people if v["views"]]
    filled = [v for v in looked if any(truth.changed[c] for c in v["carts"])]
    began = [v for v in filled if any(STEPS.index(furthest(truth, v, c)) >= 1 for c in v["carts"])]
    bought = [v for v in began if ordered.get(v["who"]) is v]
    return [("view_item", len(looked)), ("cart", len(filled)), ("checkout", len(began)), ("order", len(bought))]


def know_more(world, truth):
    base = sqlite3.connect(world.database)
    truth.steps = dict(base.execute("SELECT id, step FROM cart"))
    truth.states = dict(base.execute("SELECT id, state FROM cart"))
    truth.changed = collections.Counter(c for c, in base.execute("SELECT cart FROM change"))
    base.close()


# ---- comparison ----

def with_items(rows):
    """The items of a cart in the form of the truth."""
    return [row[:6] + (journeys.items_of(json.loads(row[6] or "[]")),) + row[7:] for row in rows]


def differences(got, want):
    for name in QUESTIONS:
        one, two = with_items(got[name]) if name == "left" else got[name], want[name]
        for row in one:
            if row not in two:
                yield "%s: by SQL, and not true: %s" % (name, (row,))
        for row in two:
            if row not in one:
                yield "%s: true, and not by SQL: %s" % (name, (row,))
        if len(one) != len(two):
            yield "%s: %d rows, not %d" % (name, len(one), len(two))


def tell_apart(rows, truths):
    """The figures of one source's agents, asked of facts as they are, and of facts that came twice and in any order."""
    rows = customers_only(rows)
    schema.validate_shapes([r for r in rows if r["type"] == "event"])
    twice = rows * 2
    random.Random(7).shuffle(twice)
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        once, again = pool.map(figures, (rows, twice))
    problems = list(differences(once, true_figures(truths)))
    for problem in problems[:60]:
        print("  " + problem)
    for name in QUESTIONS:
        equal(again[name], once[name], "%s of facts that came twice and in any order" % name)
    check(not problems, "%d differences from the truth, the first: %s" % (len(problems), problems and problems[0]))
    return "%d visits, %d orders, %d carts left, %d facts" % (
        sum(len(t.visits) for t in truths.values()), len(once["orders"]), len(once["left"]), len(rows))


told = {}


def customers_come():
    """Agents of each source watch the same requests."""
    fleet = Fleet(sources())
    truths = fleet.travel((96, 90), int(os.environ.get("SEED", "1")))
    for world in fleet.worlds:
        know_more(world, truths[world.site])
    time.sleep(PAUSE_S + 2)  # the last visit is over
    for source, agents in fleet.agents.items():
        for agent in agents:
            agent.stop()
        told[source] = [row for agent in agents for row in agent.all_rows() if row["type"] != "stats"], truths
        if os.environ.get("KEEP"):
            process.write(os.path.join(fleet.worlds[0].place, "rows-" + source), "\n".join(map(json.dumps, told[source][0])))
    return "%d requests" % sum(v["requests"] for t in truths.values() for v in t.visits)


suite = Suite()
suite.run("customers come", customers_come, always=True)
for each in told:
    suite.run("figures are true %s" % each, tell_apart, *told[each])
suite.done()
