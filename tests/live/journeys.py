#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Business events of the sample shop, by its recipe, direct and behind nginx, against what the shop itself wrote
down of its orders; rules that are reloaded, with and without errors; a cart that is open while the agent is
started anew; rules tried on a recording.
"""
import collections
import http.client
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.parse

from lib import journeys, process, schema, servers
from lib.agent import Agent, sources
from lib.suite import Suite, check, equal

RECIPE = os.path.join(process.TOP, "share", "recipes", "sample-shop.yaml")
SHOP = os.path.join(process.TOP, "tests", "shop")
sys.path.insert(0, SHOP)
from catalogue import PRODUCTS  # noqa: E402

PRODUCTS_BY_SLUG = {p.slug: str(p.id) for p in PRODUCTS}


class Shop:
    def __init__(self, front=False):
        self.port, self.truth = process.free_port(), os.path.join(process.folder("shop"), "orders")
        child = process.start([process.PYTHON, os.path.join(SHOP, "shop.py"), "--port", str(self.port), "--orders", self.truth])
        process.wait_port(self.port, child, None)
        self.asked = self.port
        if front:
            nginx = servers.Nginx()
            nginx.extra = """
  server { listen 127.0.0.1:%d; location / { proxy_pass http://127.0.0.1:%d; proxy_http_version 1.1;
           proxy_set_header Host $host; proxy_set_header Connection ""; } }
""" % (process.free_port(), self.port)
            self.asked = int(re.search(r"listen 127.0.0.1:(\d+)", nginx.extra)[1])
            nginx.start()

    def orders(self):
        with open(self.truth) as f:
            return [json.loads(line) for line in f]


class Customer:
    def __init__(self, shop, number):
        self.shop, self.number, self.jar = shop, number, {}

    def ask(self, path, form=None, follow=True):
        connection = http.client.HTTPConnection("127.0.0.1", self.shop.asked, timeout=20)
        headers = {"Host": "shop.example", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0"
                   % (100 + self.number, 100 + self.number), "Accept": "text/html",
                   "Cookie": "; ".join("%s=%s" % pair for pair in self.jar.items())}
        body = urllib.parse.urlencode(form) if form is not None else None
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST" if body is not None else "GET", path, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        for field in answer.headers.get_all("Set-Cookie") or []:
            name, value = field.split(";")[0].split("=", 1)
            self.jar[name] = value
        connection.close()
        place = answer.headers.get("Location")
        return self.ask(place) if place and follow else text


def visitors(shop, seconds=6, count=4, seed=1):
    """The scripted customers of the demo."""
    done = subprocess.run([process.PYTHON, os.path.join(SHOP, "visitors.py"), "--port", str(shop.asked), "--count", str(count),
                           "--seconds", str(seconds), "--pace", "0.1", "--seed", str(seed)], timeout=60, capture_output=True)
    check(done.returncode == 0, "the customers: %s" % done.stderr[-300:])


def events(agent):
    found = [r for r in agent.all_rows() if r["type"] in ("event", "definition")]
    schema.validate_shapes(found)
    return found


def named(rows, name):
    return [r for r in rows if r.get("event_name") == name]


def orders_equal(rows, shop):
    """By number, to the cent, each once."""
    told = collections.Counter((r.get("transaction_id"), r.get("value"), r.get("currency")) for r in named(rows, "purchase"))
    truth = collections.Counter((o["order"], "%d.%02d" % divmod(o["total"], 100), o["currency"]) for o in shop.orders())
    check(truth, "nobody ordered")
    equal(sorted((told - truth).elements()), [], "orders that were none")
    equal(sorted((truth - told).elements()), [], "orders that were not told")
    return len(truth)


def orders_of(source, front):
    shop = Shop(front)
    agent = Agent("--port", shop.port, "--port", shop.asked, "--rules", RECIPE, source=source)
    visitors(shop)
    agent.stop()
    rows = events(agent)
    count = orders_equal(rows, shop)
    by_id = collections.Counter(r["parcours.event_id"] for r in named(rows, "purchase") + named(rows, "add_to_cart"))
    equal([i for i, n in by_id.items() if n > 1], [], "event ids that were given twice")
    spans = {r["span_id"]: r for r in agent.rows("server")}
    for row in rows:
        if "span_id" in row:
            proof = spans.get(row["span_id"])
            check(proof and proof.get("parcours.edge"), "%s is not proven by an edge: %s" % (row["event_name"], row))
            equal(row.get("session.id"), proof.get("session.id"), "the visit of %s" % row["event_name"])
    left = named(rows, "parcours.cart_abandoned")
    check(left and all(r["end_reason"] == "shutdown" for r in left), "carts as they stood at the end")
    stats = agent.stats()
    equal(stats.get("parcours.agent.journey.events{parcours.event.name=purchase}"), count, "orders in the figures")
    equal(sum(stats.get("parcours.agent.carts." + n, 0) for n in ("opened", "restored")),
          sum(stats.get("parcours.agent.carts." + n, 0) for n in ("ordered", "emptied", "abandoned", "evicted", "open")),
          "carts opened and what became of them")
    base = sqlite3.connect(":memory:")
    for name in ("visits.sql", "journeys.sql"):
        with open(os.path.join(process.TOP, "share", "sql", name)) as f:
            base.executescript(f.read())
    base.executemany("INSERT INTO fact VALUES (?)", [(json.dumps(r),) for r in agent.all_rows() * 2 if r["type"] != "stats"])
    equal(base.execute("SELECT sum(orders), sum(value_micro) FROM revenue").fetchall(),
          [(count, sum(o["total"] for o in shop.orders()) * 10000)], "revenue by SQL")
    return "%d orders, %d events" % (count, len(rows))


def direct(source):
    return orders_of(source, False)


def behind_nginx(source):
    return orders_of(source, True)


def reloaded(source):
    """A bad file keeps the rules that there were, and says its line; a good one counts from then on."""
    shop, place = Shop(), process.folder("rules")
    with open(RECIPE) as f:
        recipe = f.read()
    rules = process.write(os.path.join(place, "shop.yaml"), recipe)
    config = process.write(os.path.join(place, "config"), "rules: [%s/*.yaml]\njourneys:\n  buy: {steps: [view_item, order]}\n" % place)
    agent = Agent("-c", config, "--port", shop.port, source=source)
    one = Customer(shop, 1)
    one.ask("/search?q=tent")
    process.wait_for(lambda: len(named(events(agent), "search")) == 1, 10, "the first search")
    process.write(rules, recipe + "\n  - name: broken\n    whne: {}\n")
    agent.child.send_signal(1)
    process.wait_for(lambda: "the old configuration stays" in agent.errors(), 10, "the refusal")
    line = recipe.count("\n") + 3
    check("%s:%d:" % (rules, line) in agent.errors(), "no line %d in: %s" % (line, agent.errors()))
    one.ask("/search?q=lamp")
    process.wait_for(lambda: len(named(events(agent), "search")) == 2, 10, "the second search")
    process.write(rules, recipe.replace("say: search", "say: { own: lookup }"))
    process.write(config, "rules: [%s/*.yaml]\njourneys:\n  buy: {steps: [view_item, cart, order]}\n" % place)
    agent.child.send_signal(1)
    process.wait_for(lambda: "reloaded" in agent.errors(), 10, "the reload")
    one.ask("/search?q=rope")
    agent.stop()
    rows = events(agent)
    equal([r["search_term"] for r in named(rows, "search")], ["tent", "lamp"], "searches under the first rules")
    equal([r["event_name"] for r in rows if r.get("event_name") == "lookup"], ["lookup"], "searches under the second")
    told = [(r["name"], len(r["steps"])) for r in rows if r["type"] == "definition"]
    equal(told, [("buy", 2), ("buy", 3)], "definitions")
    ids = {r["parcours.event_id"] for r in rows if r["type"] == "definition"}
    equal(len(ids), 1, "names of one definition")
    return "one refused, one taken"


def cart_through_a_restart(source):
    shop = Shop()
    state = os.path.join(process.folder("state"), "state")
    first = Agent("--port", shop.port, "--rules", RECIPE, source=source, state=state)
    one = Customer(shop, 1)
    product = str(PRODUCTS[0].id)
    one.ask("/cart/add", {"product": product, "quantity": "2"})
    first.stop()
    opened = named(events(first), "parcours.cart")[-1]
    second = Agent("--port", shop.port, "--rules", RECIPE, source=source, state=state)
    one.ask("/cart")
    second.stop()
    after = named(events(second), "parcours.cart") + named(events(second), "parcours.cart_abandoned")
    check(after, "nothing was told of the cart after the restart")
    equal({r["parcours.cart"].get("id") for r in after}, {opened["parcours.cart"].get("id")}, "the cart")
    equal({r["opened_unix_nano"] for r in after}, {opened["opened_unix_nano"]}, "when it was opened")
    equal(second.stats().get("parcours.agent.carts.restored"), 1, "carts taken up")
    equal(second.stats().get("parcours.agent.carts.opened", 0), 0, "carts opened anew")
    return "one cart through a restart"


def pieces(rows, name="add_to_cart"):
    return [(i["item_id"], i["quantity"]) for r in named(rows, name) for i in r["items"]]


def change_through_a_restart(source):
    """The shop is asked for a change under one agent, and shows it under the next."""
    shop, one, other = Shop(), str(PRODUCTS[0].id), str(PRODUCTS[1].id)
    state = os.path.join(process.folder("state"), "state")
    first = Agent("--port", shop.port, "--rules", RECIPE, source=source, state=state)
    customer = Customer(shop, 1)
    customer.ask("/cart/add", {"product": one, "quantity": "1"})
    customer.ask("/cart/add", {"product": other, "quantity": "3"}, follow=False)
    asked = time.time_ns()
    first.stop()
    equal(pieces(events(first)), [(one, 1)], "pieces that were shown before")
    second = Agent("--port", shop.port, "--rules", RECIPE, source=source, state=state)
    customer.ask("/cart")
    second.stop()
    rows = events(second)
    equal(pieces(rows), [(other, 3)], "pieces that were shown after")
    check(named(rows, "add_to_cart")[0]["time_unix_nano"] < asked, "the time is that of who asked")
    equal([a.stats().get("parcours.agent.carts.changes_unshown", 0) for a in (first, second)], [0, 0], "changes not shown")
    return "one change through a restart"


def change_and_a_kill(source):
    """The process that knows what was asked for is killed: nobody may tell it again, nor what is in the cart until it is
    shown."""
    shop, one, other = Shop(), str(PRODUCTS[0].id), str(PRODUCTS[1].id)
    agent = Agent("--port", shop.port, "--rules", RECIPE, source=source)
    customer = Customer(shop, 1)
    customer.ask("/cart/add", {"product": one, "quantity": "1"})
    customer.ask("/cart/add", {"product": other, "quantity": "3"}, follow=False)
    time.sleep(3)  # for a checkpoint that has it
    seen = len(agent.rows("server"))
    agent.kill(agent.brain())
    process.wait_for(lambda: customer.ask("/") and len(agent.rows("server")) > seen, 20, "a request that the next one sees")
    customer.ask("/cart")
    agent.stop()
    rows = events(agent)
    equal(pieces(rows), [(one, 1)], "pieces")
    cart = named(rows, "parcours.cart")[-1]["parcours.cart"]
    equal({i["item_id"]: i["quantity"] for i in cart["items"]}, {one: 1, other: 3}, "what is in the cart")
    equal(agent.stats().get("parcours.agent.carts.changes_unshown"), 1, "changes not shown")
    return "one change counted"


def bodies_behind_a_cache(source):
    """nginx sends each answer from the file that it was stored in, so no octet of a body passes its own memory: what
    its customers were shown is read where the shop wrote it. One fact each, of the edge's exchange."""
    world = journeys.World(front=True, cache=True)
    agent = Agent(*world.ports(), "--rules", RECIPE, source=source)
    truth = world.travel(40, seed=3)
    agent.stop()
    rows, stats = agent.all_rows(), agent.stats()
    said = journeys.Said(rows)
    problems = journeys.orders(truth, said) + journeys.changes(truth, said) + journeys.others(truth, said, PRODUCTS_BY_SLUG)
    check(not problems, "%d differences from the truth: %s" % (len(problems), problems[:3]))
    edges = {r["span_id"] for r in agent.rows("server") if r.get("parcours.edge")}
    equal([e for e in said.events if "span_id" in e and e["span_id"] not in edges], [], "events that no edge proves")
    holes = stats.get("parcours.agent.stream.holes{parcours.cause=sendfile}", 0)
    supplied = stats.get("parcours.agent.inner.supplied", 0)
    check(holes > 50 and supplied > 50, "%d bodies sent from files, %d taken from the shop's end" % (holes, supplied))
    equal(stats.get("parcours.agent.inner.dropped", 0), 0, "hops that found no room")
    return "%d orders, %d bodies from the inner end" % (len(truth.orders), supplied)


def order_of_two_exchanges(source):
    """The provider's notice and the landing page tell of one order, each of what it knows; once, whoever was first."""
    world = journeys.World()
    with open(RECIPE) as f:
        recipe = f.read()
    check(recipe.count("      payment_status: html i#payment\n") == 1, "how the landing page says that it is paid")
    rules = process.write(os.path.join(process.folder("rules"), "shop.yaml"),
                          recipe.replace("      payment_status: html i#payment\n", ""))  # only the provider says it
    agent = Agent(*world.ports(), "--rules", rules, source=source)
    truth = world.travel(16, kinds=["away_and_back", "away_and_told_later", "away_not_told", "away_never_back"])
    agent.stop()
    said = journeys.Said(events(agent) + agent.rows("server"))
    equal(said.twice, [], "revisions that were told twice")
    told = {e["transaction_id"]: e for e in said.named("purchase")}
    equal(sorted(told), sorted(truth.orders), "orders")
    equal(len(told), len(said.named("purchase")), "facts of them")
    for number, order in truth.orders.items():
        kind, e = order["visit"]["kind"], told[number]
        want = {"away_and_back": 2, "away_and_told_later": 2, "away_not_told": 1, "away_never_back": 1}[kind]
        equal(e["revision"], want, "revision of an order, " + kind)
        equal(e.get("payment_status"), None if kind == "away_not_told" else order["payment_status"], "state of the payment, " + kind)
        equal(journeys.amount(e["value"]), order["value"], "value, " + kind)
        equal(journeys.items_of(e["items"]), order["items"], "items, " + kind)
        equal(said.whose(e), order["visit"]["who"], "visitor, " + kind)
        if kind != "away_never_back":
            equal(e["parcours.order.id"], order["order_id"], "id of the order, " + kind)
            equal(journeys.amount(e["tax"]), order["tax"], "tax, " + kind)
    stats = agent.stats()
    equal(stats.get("parcours.agent.orders.completed"), sum(e["revision"] - 1 for e in told.values()), "orders told again")
    equal(stats.get("parcours.agent.orders.unkept", 0), 0, "orders not kept")
    return "%d orders" % len(told)


def tried_on_a_recording(source):
    shop = Shop()
    path = os.path.join(process.folder("record"), "recording")
    child = process.start([process.PARCOURS, "record", path, "--port", str(shop.port), "--capture", source,
                           "--rules", RECIPE, "--state-directory", process.folder("state")], stderr=open(path + ".log", "wb"))
    process.wait_for(lambda: "ready" in process.read(path + ".log").split(), 20, "the recorder")
    visitors(shop, seconds=3)
    process.stop(child, wait=30)
    done = subprocess.run([process.PARCOURS, "check", "--rules", RECIPE, path], capture_output=True, text=True, timeout=60)
    equal(done.returncode, 0, "exit code: " + done.stderr)
    lines = {name: int(n) for n, name in re.findall(r"^ *(\d+)  (.+?) \(", done.stdout, re.M)}
    equal(lines.get("order confirmed"), len(shop.orders()), "matches of the rule of orders:\n" + done.stdout)
    check("never matched" in done.stdout, "a rule that nobody used: " + done.stdout)
    done = subprocess.run([process.PARCOURS, "check", path], capture_output=True, text=True, timeout=60)
    equal(done.returncode, 2, "exit code without rules")
    return "%d rules" % len(lines)


suite = Suite()
for each in sources():
    for case in (direct, behind_nginx, reloaded, cart_through_a_restart, change_through_a_restart, change_and_a_kill,
                 bodies_behind_a_cache, order_of_two_exchanges, tried_on_a_recording):
        suite.run("%s %s" % (case.__name__.replace("_", " "), each), case, each)
suite.done()
