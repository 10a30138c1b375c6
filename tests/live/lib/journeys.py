# SPDX-License-Identifier: Apache-2.0
"""Journeys of the sample shop: the world they happen in (shop, payment provider, perhaps nginx), what really
happened (the shop's database, and the script's own record of its visits), and where the agent's events differ.

The comparisons are functions of a Truth and of rows; each gives a list of differences in words, so that they can
be tried on rows that were made up (tests/live/shop_truth.py).
"""
import collections
import decimal
import json
import os
import re
import sqlite3

from . import process, servers
from .suite import check

SHOP = os.path.join(process.TOP, "tests", "shop")
RECIPE = os.path.join(process.TOP, "share", "recipes", "sample-shop.yaml")
EARLY_NS = LATE_NS = 100_000_000  # between the clocks of the script and of the capture


# ---- the world ----

class World:
    """`asked` is the port that customers use; `how`: options of shop.py; `cache`: nginx sends what it got from files.
    With `hosts` > 1 as many shops on one database behind a balancer without affinity: each request goes to the next one
    (`shops`: their processes). `names`: of shop and payment provider, where a browser is to find both with their ports."""

    def __init__(self, *how, front=False, cache=False, hosts=1, site="shop.example", names=None):
        self.place, self.charset, self.site = process.folder("shop"), "utf-8", site
        if "--charset" in how:
            self.charset = how[how.index("--charset") + 1]
        self.database = os.path.join(self.place, "shop.sqlite")
        self.provider, self.log = process.free_port(), os.path.join(self.place, "log")
        self.pays = names[1] if names else "pay.example"
        self.shops, self.behind = [], []
        for _ in range(hosts):
            self.add_shop(how)
        self.port = self.asked = self.behind[0]
        if front or hosts > 1:
            self.asked = self.nginx(cache)
        shop = "%s:%d" % (names[0], self.asked) if names else site
        process.wait_port(self.provider, self.start("provider.py", "--port", self.provider, "--notify-port", self.asked,
                                                    "--shop", "http://" + shop), self.log)

    def add_shop(self, how):
        port = process.free_port()
        child = self.start("shop.py", "--port", port, "--cookies", "cart", "--database", self.database,
                           "--provider", "http://%s:%d" % (self.pays, self.provider), "--provider-port", self.provider, *how)
        process.wait_port(port, child, self.log)
        self.shops.append(child)
        self.behind.append(port)

    def start(self, name, *options):
        return process.start([process.PYTHON, "-B", os.path.join(SHOP, name), *map(str, options)], log=self.log)

    def nginx(self, cache):
        front, files = servers.Nginx(), process.folder("cache")
        os.chmod(files, 0o777)
        front.workers = 1  # each has a turn of its own
        front.extra = """
  proxy_cache_path %s keys_zone=pages:1m use_temp_path=off;
  upstream shop { %s keepalive 32; }
  server { listen 127.0.0.1:%d backlog=4096; location / { proxy_pass http://shop; proxy_http_version 1.1;
           proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Connection "";
           proxy_cache %s; proxy_cache_key $request_id; proxy_cache_methods GET HEAD POST; proxy_cache_valid any 1m;
           proxy_ignore_headers Set-Cookie Cache-Control Expires;
           proxy_set_header Forwarded 'for="$remote_addr:$remote_port"'; } }
""" % (files, "".join("server 127.0.0.1:%d max_fails=0; " % port for port in self.behind), process.free_port(),
       "pages" if cache else "off")
        front.start()
        return int(re.search(r"listen 127.0.0.1:(\d+) backlog", front.extra)[1])

    def ports(self):
        return [part for port in sorted({self.port, self.asked}) for part in ("--port", port)]

    def travel(self, count, seed=1, gap=0, pace=0.05, kinds=None, at_once=16):
        """Scripted customers come and go; what they recorded."""
        record = os.path.join(self.place, "record")
        command = [process.PYTHON, "-B", os.path.join(SHOP, "journeys.py"), "--port", self.asked, "--provider-port", self.provider,
                   "--count", count, "--seed", seed, "--gap", gap, "--pace", pace, "--charset", self.charset, "--site", self.site,
                   "--at-once", at_once, "--record", record]
        process.run([str(part) for part in command + (["--kinds", ",".join(kinds)] if kinds else [])], timeout=400)
        check("Traceback" not in process.read(self.log), "the shop: " + process.read(self.log)[-600:])
        return Truth(self.database, [json.loads(line) for line in process.read(record).splitlines()])


def recipe(decimal):
    """The recipe, with the decimal sign of that shop."""
    with open(RECIPE) as f:
        text = f.read()
    asked = 'amounts: { decimal: "." }'
    check(asked in text, "the recipe does not say how amounts are written")
    return text.replace(asked, asked.replace(".", decimal))


# ---- what really happened ----

def amount(text):
    return None if text is None else decimal.Decimal(str(text))


class Truth:
    """orders {number: facts}, left {cart: facts}, visits: the script's record, change {(who, product): [up, down]}.

    An item is {product: (pieces, price of one)}. Amounts are decimals, as the customer saw them.
    """

    def __init__(self, database, visits):
        self.visits = visits
        base = sqlite3.connect(database)
        base.row_factory = sqlite3.Row
        shop = base.execute("SELECT * FROM shop").fetchone()
        self.currency, self.scale = shop["currency"], shop["digits"]
        self.whose = {cart: visit for visit in visits for cart in visit["carts"]}  # the last one
        rows = collections.defaultdict(dict)
        for line in base.execute("SELECT * FROM line"):
            rows[line["cart"]][str(line["product"])] = (line["quantity"], self.of(line["price"]))
        self.orders = {o["number"]: self.order(o, rows) for o in base.execute("SELECT * FROM placed")}
        refused = collections.defaultdict(set)
        for r in base.execute("SELECT * FROM refusal WHERE cart IS NOT NULL"):
            refused[r["cart"]].add("payment" if r["what"] == "payment" else "cart")
        carts = {c["id"]: c for c in base.execute("SELECT * FROM cart")}
        self.left = {}
        for visit in visits:
            for cart in visit["carts"]:
                if carts[cart]["state"] == "open" or visit["step"]:
                    self.left[cart] = self.leaves(carts[cart], visit, rows, refused)
        self.change = collections.defaultdict(lambda: [0, 0])
        for c in base.execute("SELECT * FROM change"):
            moved = c["after"] - c["before"]
            self.change[self.whose[c["cart"]]["who"], str(c["product"])][moved < 0] += abs(moved)
        self.payments_refused = collections.Counter(
            self.whose[r["cart"]]["who"] for r in base.execute("SELECT * FROM payment WHERE state = 'refused'"))
        base.close()

    def of(self, minor):
        return decimal.Decimal(minor).scaleb(-self.scale)

    def order(self, o, rows):
        return {"order_id": str(o["id"]), "currency": self.currency, "value": self.of(o["total"]), "tax": self.of(o["tax"]),
                "shipping": self.of(o["delivery"]), "discount": self.of(o["discount"]), "payment_status": o["payment_status"],
                "items": rows[o["cart"]], "visit": self.whose.get(o["cart"])}

    def leaves(self, cart, visit, rows, refused):
        items = rows[cart["id"]]
        return {"step": visit["step"] or cart["step"], "value": self.of(cart["goods"] - cart["discount"]), "currency": self.currency,
                "quantity": sum(n for n, _ in items.values()), "items": items, "visit": visit, "refused": refused[cart["id"]]}


# ---- what the agent says ----

def by_query(row):
    """Who asked for that, by the script's own mark."""
    found = re.search(r"\bwho=(\d+)", row.get("url.query", ""))
    return int(found[1]) if found else None


class Said:
    """The agent's rows: events as they stand at the end (a higher revision replaces), and whose each visit is."""

    def __init__(self, rows, who=by_query):
        last = {}
        self.twice = []
        for row in rows:
            if row["type"] != "event":
                continue
            name = (row["event_name"], row["parcours.event_id"])
            if name in last and row["revision"] <= last[name]["revision"]:
                self.twice.append(name)
            if name not in last or row["revision"] >= last[name]["revision"]:
                last[name] = row
        self.events = list(last.values())
        self.who = collections.defaultdict(set)
        for row in rows:
            if row["type"] == "transaction" and row["kind"] == "server" and row.get("parcours.edge") and who(row) is not None:
                self.who[row.get("session.id")].add(who(row))

    def named(self, name):
        return [e for e in self.events if e["event_name"] == name]

    def whose(self, event):
        them = self.who.get(event.get("session.id"), set())
        return next(iter(them)) if len(them) == 1 else None


def items_of(rows):
    """{product: (pieces, price)}; a product that is there twice is not in the truth's form."""
    found = {}
    for item in rows or []:
        name = item.get("item_id")
        found["%s once more" % name if name in found else name] = (item.get("quantity"), amount(item.get("price")))
    return found


def differs(what, got, want, problems):
    if got != want:
        problems.append("%s: told %s, truth %s" % (what, short(got), short(want)))


def short(value):
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (k, short(v)) for k, v in value.items())
    return "(%s)" % ", ".join(map(short, value)) if isinstance(value, tuple) else str(value)


# ---- comparisons ----

def orders(truth, said):
    """Each order once, by its number; nothing else is one."""
    problems, told = [], collections.Counter()
    for e in said.named("purchase"):
        number = e.get("transaction_id")
        told[number] += 1
        order = truth.orders.get(number)
        if order is None:
            problems.append("order %s: there was none" % number)
            continue
        name = "order %s (%s)" % (number, place_of(order["visit"]))
        for key in ("value", "tax", "shipping", "discount"):
            if key in e or key == "value" or (not e.get("parcours.rule", "").startswith("word of the provider") and order[key]):
                differs(name + " " + key, amount(e.get(key)), order[key], problems)
        if "parcours.order.id" in e:
            differs(name + " order id", e["parcours.order.id"], order["order_id"], problems)
        for key in ("currency", "payment_status"):
            differs(name + " " + key, e.get(key), order[key], problems)
        differs(name + " items", items_of(e.get("items")), order["items"], problems)
        if order["visit"]:
            differs(name + " visitor", said.whose(e), order["visit"]["who"], problems)
    problems += ["order %s: told %d times" % (number, n) for number, n in told.items() if n > 1]
    problems += ["order %s (%s): not told" % (number, place_of(truth.orders[number]["visit"]))
                 for number in sorted(set(truth.orders) - set(told))]
    return problems


def place_of(visit):
    return "%s by %s, who=%d" % (visit["kind"], visit["way"], visit["who"]) if visit else "of nobody"


def abandoned(truth, said, reasons):
    """Each cart that was left, at its step, with what was in it; nothing else was left."""
    problems, told = [], set()
    for e in said.named("parcours.cart_abandoned"):
        cart = e["parcours.cart"]
        left = truth.left.get(cart.get("id"))
        if left is None:
            problems.append("cart %s, who=%s: was not left" % (cart.get("id"), said.whose(e)))
            continue
        if cart["id"] in told:
            problems.append("cart %s: told twice" % cart["id"])
        told.add(cart["id"])
        name = "cart %s (%s)" % (cart["id"], place_of(left["visit"]))
        differs(name + " step", e["step"], left["step"], problems)
        for key, got in (("value", amount(e.get("value"))), ("cart value", amount(cart.get("value")))):
            differs("%s %s" % (name, key), got, left["value"], problems)
        differs(name + " currency", cart.get("currency"), left["currency"], problems)
        differs(name + " pieces", cart.get("quantity"), left["quantity"], problems)
        differs(name + " items", items_of(cart.get("items")), left["items"], problems)
        differs(name + " visitor", said.whose(e), left["visit"]["who"], problems)
        if e["end_reason"] not in reasons:
            problems.append("%s end reason: %s" % (name, e["end_reason"]))
        begin, end = left["visit"]["last"]
        if not begin - EARLY_NS <= e["last_activity_unix_nano"] <= end + LATE_NS:
            problems.append("%s last activity: %d ms from the last request"
                            % (name, (e["last_activity_unix_nano"] - end) // 1000000))
        before = e.get("preceded", {})
        differs(name + " preceded", {w for w in ("payment", "cart") if before.get(w + "_refused")}, left["refused"], problems)
    problems += ["cart %s (%s): not told" % (cart, place_of(truth.left[cart]["visit"])) for cart in sorted(set(truth.left) - told)]
    return problems


def changes(truth, said):
    """Pieces that came into and went out of carts, by visitor and product."""
    told = collections.defaultdict(lambda: [0, 0])
    for down, name in enumerate(("add_to_cart", "remove_from_cart")):
        for e in said.named(name):
            for item in e.get("items", []):
                told[said.whose(e), item.get("item_id")][down] += item.get("quantity", 0)
    kinds = {v["who"]: v["kind"] for v in truth.visits}
    problems = []
    for who in sorted(set(told) | set(truth.change), key=str):
        got, want = told.get(who, [0, 0]), truth.change.get(who, [0, 0])
        differs("pieces in and out, who=%s (%s), product %s" % (who[0], kinds.get(who[0]), who[1]), got, want, problems)
    return problems


def others(truth, said, product_ids):
    """Views of products, searches, logins, sign-ups and refused payments, by visitor. `product_ids`: by slug."""
    want, got = collections.Counter(), collections.Counter()
    for v in truth.visits:
        want.update(("view", v["who"], product_ids[slug]) for slug in v["views"])
        want.update(("search", v["who"], words) for words in v["searches"])
        want.update({("login", v["who"]): v["log_ins"], ("sign-up", v["who"]): v["sign_ups"]})
    want.update({("payment refused", who): n for who, n in truth.payments_refused.items()})
    for e in said.named("view_item"):
        got.update(("view", said.whose(e), item.get("item_id")) for item in e["items"])
    got.update(("search", said.whose(e), e.get("search_term")) for e in said.named("search"))
    for name, event in (("login", "login"), ("sign-up", "sign_up"), ("payment refused", "parcours.payment_error")):
        got.update((name, said.whose(e)) for e in said.named(event))
    return ["%s: told %d, truth %d" % (" ".join(map(str, key)), got[key], want[key])
            for key in sorted(set(got) | set(want), key=str) if got[key] != want[key]]


def everything(truth, rows, product_ids, reasons=("timeout",), who=by_query):
    """All differences, and what was compared in a sentence."""
    said = Said(rows, who)
    problems = ["%s: one revision twice" % (name,) for name in said.twice]
    problems += orders(truth, said) + abandoned(truth, said, reasons) + changes(truth, said) + others(truth, said, product_ids)
    return problems, "%d visits, %d orders, %d carts left, %d events" % (
        len(truth.visits), len(truth.orders), len(truth.left), len(said.events))
