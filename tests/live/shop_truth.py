#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The truth itself: the sample shop counts right, places an order once, and what the script recorded is what stands
in the database; and each comparison of lib/journeys.py finds what is wrong in rows that were made up.

No agent takes part.
"""
import concurrent.futures
import copy
import decimal
import http.client
import itertools
import json
import random
import sqlite3
import sys

from lib import journeys, process
from lib.suite import Suite, check, equal

sys.path.insert(0, journeys.SHOP)
from catalogue import BY_ID, COUPONS, DELIVERY, PRODUCTS, STYLES, Look, totals  # noqa: E402
from store import Refused, Store  # noqa: E402

IDS = {p.slug: str(p.id) for p in PRODUCTS}


# ---- the shop ----

def written():
    """Amounts as people and as programs write them."""
    for style, cents, text, plain in (
            ("plain", 123450, "1234.50 EUR", "1234.50"), ("front", 123450, "€1,234.50", "1234.50"),
            ("euro", 123450, "1\u202f234,50\u00a0€", "1234.50"), ("dotted", 1234500, "12.345,00 EUR", "12345.00"),
            ("front", -5, "-€0.05", "-0.05"), ("dotted", 5, "0,05 EUR", "0.05")):
        equal((Look(style).text(cents), Look(style).decimal(cents)), (text, plain), "%d in %s" % (cents, style))
    equal(Look("yen").text(1200), "¥1,200", "yen")
    equal(Look("whole").text(12), "12\u00a0€", "whole euros")
    equal([Look("whole").of(c) for c in (0, 1, 100, 101)], [0, 1, 1, 2], "prices in whole euros")
    equal(Look("euro", "iso-8859-1").encode("1\u202f2\u00a0€"), b"1&#8239;2\xa0&#8364;", "what ISO-8859-1 does not have")
    equal(Look("euro", "windows-1252").encode("2\u00a0€"), b"2\xa0\x80", "windows-1252")


def sums():
    """Total = goods - discount + shipping (+ tax on top), for every style, coupon and way; tax to half an amount."""
    rng, count = random.Random(1), 0
    for style, tax, code, way in itertools.product(STYLES, ("incl", "excl"), [None, *COUPONS], [None, *DELIVERY]):
        look = Look(style, tax=tax)
        lines = [(look.price(p), rng.randint(1, 5)) for p in rng.sample(PRODUCTS, rng.randint(1, 5))]
        t = totals(look, lines, code, way)
        equal(t.goods, sum(price * n for price, n in lines), "goods")
        net = t.goods - t.discount + t.delivery
        equal(t.total, net + (t.tax if tax == "excl" else 0), "total of %s" % (t,))
        exact = decimal.Decimal(net) * 20 / (120 if tax == "incl" else 100)
        check(abs(exact - t.tax) <= decimal.Decimal("0.5"), "tax %d of %s" % (t.tax, exact))
        check(0 <= t.discount <= t.goods, "discount of %s" % (t,))
        equal(t.delivery, 0 if way is None or code == "FREESHIP" else look.of(DELIVERY[way]), "shipping")
        count += 1
    equal(totals(Look(), [(1890, 1)], "SPRING10", "standard"), (1890, 189, 490, 365, 2191), "one by hand")
    equal(totals(Look(), [(1890, 5)], "OVER100").discount, 0, "a coupon for more than that")
    return "%d carts" % count


def full(store, cookie="guest"):
    store.add(cookie, BY_ID[2001], 2)
    store.add(cookie, BY_ID[3004], 1)
    store.complete(cookie, "shipping", way="express")
    return store.cart(cookie)


def refused(what, act):
    try:
        act()
    except Refused as why:
        equal(why.what, what, "what was refused")
        return
    check(False, "%s was not refused" % what)


def carts():
    store = Store(Look())
    refused("stock", lambda: store.add("a", BY_ID[3003], 1))
    refused("stock", lambda: store.add("a", BY_ID[4001], 5))
    refused("quantity", lambda: store.add("a", BY_ID[2001], 0))
    equal(store.cart("a"), None, "a cart of refusals")
    equal(len(store.all("SELECT * FROM refusal")), 3, "refusals")
    store.add("a", BY_ID[2001], 2)
    store.put("a", BY_ID[2001], 5)
    first = store.cart("a")
    equal((first.quantity, first.value, first.step), (5, 5 * 2990, "cart"), "the cart")
    refused("coupon", lambda: store.redeem("a", "NONE"))
    store.complete("a", "address", street="x")
    store.complete("a", "contact", email="x@example.org")
    equal(store.cart("a").step, "address", "the furthest step")
    refused("shipping", lambda: store.complete("a", "shipping", way="by balloon"))
    store.put("a", BY_ID[2001], 0)
    equal((store.cart("a"), store.cart_named(first.id).state), (None, "emptied"), "an emptied cart")
    store.add("a", BY_ID[2001], 1)
    check(store.cart("a").id != first.id and store.cart("a").step == "cart", "a cart after it is another one")


def once():
    """However often, by whomever and in whatever order an order is asked for: one, with the amounts of the cart."""
    store = Store(Look())
    cart = full(store)
    refused("payment", lambda: store.pay("guest", "card", "4000000000000002"))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        numbers = {o["number"] for o in pool.map(lambda _: store.pay("guest", "card", "4242", cart.id), range(24))}
    equal(len(numbers), 1, "orders of 24 clicks")
    store.add("guest", BY_ID[2001], 1)
    equal({store.pay("guest", "card", "4242", cart.id)["number"]}, numbers, "the old form with a new cart")
    equal(store.pay("stranger", "card", "4242", cart.id), None, "somebody else's cart")
    order = store.order(next(iter(numbers)))
    equal((order["total"], order["goods"], order["payment_status"]), (cart.totals.total, 7870, "paid"), "the order")
    equal([p["state"] for p in store.all("SELECT state FROM payment ORDER BY at")], ["refused", "paid"], "payments")
    away = store.cart("guest")
    store.sent_away(away, "pay_1")
    equal(store.cart("guest").step, "payment", "the step of who was sent away")
    equal(store.settled("pay_1", "open"), None, "a payment that is open")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        numbers |= {o["number"] for o in pool.map(lambda _: store.settled("pay_1", "paid"), range(24))}
    equal(len(numbers), 2, "orders after notices and returns")
    equal(store.settled("pay_1", "refused")["number"] in numbers, True, "a late refusal undoes no order")
    equal(len(store.all("SELECT * FROM placed")), 2, "orders")


def accounts():
    store = Store(Look())
    cart = full(store, "guest")
    member = store.sign_up("guest", "a@example.org", "p")
    equal(store.cart(member).id, cart.id, "the guest's cart comes along")
    equal(store.cart("guest"), None, "the old session has it no more")
    refused("sign-up", lambda: store.sign_up(None, "a@example.org", "q"))
    refused("login", lambda: store.log_in(None, "a@example.org", "q"))
    equal(store.cart(store.log_in(None, "a@example.org", "p")).id, cart.id, "it waits for the next login")
    store.pay(member, "invoice")
    orders = store.orders_of(store.account(member)["id"])
    equal([o["payment_status"] for o in orders], ["pending"], "orders of the account")


def answers():
    """By the wire: the page after a form, the answer of a script, charset, gzip and chunks."""
    world = journeys.World("--style", "euro", "--charset", "iso-8859-1", "--gzip", "--chunks")
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=10)

    def ask(method, path, body=None, **fields):
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        return answer, answer.read()

    answer, _ = ask("GET", "/")
    equal(answer.getheader("Set-Cookie"), None, "a cookie before the cart")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer, body = ask("POST", "/cart/add", "product=2001&quantity=500", **form)
    equal(answer.status, 409, "more than there are")
    answer, body = ask("POST", "/cart/add", "product=2001&quantity=2", **form)
    equal((answer.status, answer.getheader("Location"), body), (302, "/cart", b""), "the answer of a form")
    cookie = {"Cookie": answer.getheader("Set-Cookie").split(";")[0]}
    answer, body = ask("GET", "/cart", **cookie)
    equal(answer.getheader("Content-Type"), "text/html; charset=iso-8859-1", "type")
    equal((answer.getheader("Transfer-Encoding"), answer.getheader("Content-Length")), ("chunked", None), "framing")
    check(b'<b id="value">59,80\xa0&#8364;</b>' in body, "the cart: %r" % body)
    answer, body = ask("GET", "/cart", **cookie, **{"Accept-Encoding": "gzip"})
    equal((answer.getheader("Content-Encoding"), body[:2]), ("gzip", b"\x1f\x8b"), "coding")
    script = dict(cookie, **{"Content-Type": "application/json"})
    answer, body = ask("PATCH", "/api/cart/items/2001", '{"quantity": 3}', **script)
    equal((answer.status, json.loads(body)["value"]), (200, "89.70"), "the same cart by script")
    answer, body = ask("POST", "/api/checkout/payment", '{"method": "card", "card": "4000000000000002"}', **script)
    equal((answer.status, json.loads(body)["error"]), (402, "Your bank refused the payment."), "a refused card")
    answer, body = ask("POST", "/api/checkout/payment", '{"method": "card", "card": "4242424242424242"}', **script)
    number = json.loads(body)["order"]["number"]
    equal(answer.status, 201, "an order")
    for path, status in (("/order/" + number, 200), ("/account/orders/" + number, 200), ("/office/orders", 403), ("/order/A9", 404)):
        equal(ask("GET", path, **cookie)[0].status, status, path)
    answer, body = ask("GET", "/account/orders/" + number, **cookie)
    check(number.encode() not in body, "a guest is shown an order of an account")
    connection.close()
    check("Traceback" not in process.read(world.log), process.read(world.log)[-500:])


def recorded():
    """What the script says of itself is what stands in the database."""
    world = journeys.World("--style", "yen")
    truth = world.travel(120, gap=0.1, pace=0.01)
    shown = {number for v in truth.visits for number in v["orders"]}
    never_back = {v["who"] for v in truth.visits if v["kind"] == "away_never_back"}
    base = sqlite3.connect(world.database)
    for number, order in truth.orders.items():
        check(order["visit"], "order %s of nobody" % number)
        check((number in shown) != (order["visit"]["who"] in never_back), "order %s was shown or not" % number)
        equal(sum(n * price for n, price in order["items"].values()) - order["discount"] + order["shipping"], order["value"], number)
    equal(base.execute("SELECT count(*) FROM cart WHERE id NOT IN (%s)" % ",".join("?" * len(truth.whose)),
                       list(truth.whose)).fetchone(), (0,), "carts of nobody")
    kinds = {v["kind"] for v in truth.visits}
    steps = {left["step"] for left in truth.left.values()}
    equal(steps, {"cart", "checkout", "contact", "address", "shipping", "payment"}, "steps at which carts were left")
    equal(base.execute("SELECT count(*), count(DISTINCT cart), count(DISTINCT number) FROM placed").fetchone(),
          (len(truth.orders),) * 3, "orders")
    return "%d kinds, %d orders, %d carts left" % (len(kinds), len(truth.orders), len(truth.left))


# ---- the comparisons ----

def made_up():
    """A truth, and the rows of an agent that is right about it."""
    world = journeys.World()
    truth = world.travel(110, pace=0.01)
    truth.orders = {n: o for n, o in truth.orders.items() if o["visit"]}
    rows, ids = [], itertools.count()
    session = lambda visit: "%032x" % visit["who"]

    def item(product, pieces, price=None):
        return {"item_id": product, "quantity": pieces, **({} if price is None else {"price": str(price)})}

    def event(name, visit, **more):
        rows.append({"type": "event", "event_name": name, "parcours.event_id": "%032x" % next(ids), "revision": 1,
                     "session.id": session(visit), "parcours.rule": "made up", **more})

    for visit in truth.visits:
        rows.append({"type": "transaction", "kind": "server", "parcours.edge": True, "url.query": "who=%d" % visit["who"],
                     "session.id": session(visit)})
        for slug in visit["views"]:
            event("view_item", visit, items=[{"item_id": IDS[slug]}])
        for words in visit["searches"]:
            event("search", visit, search_term=words)
        for name, count in (("login", visit["log_ins"]), ("sign_up", visit["sign_ups"]),
                            ("parcours.payment_error", truth.payments_refused[visit["who"]])):
            for _ in range(count):
                event(name, visit)
    visits = {v["who"]: v for v in truth.visits}
    for (who, product), moved in truth.change.items():
        for name, pieces in zip(("add_to_cart", "remove_from_cart"), moved):
            if pieces:
                event(name, visits[who], items=[item(product, pieces)])
    for number, o in truth.orders.items():
        event("purchase", o["visit"], transaction_id=number, currency=o["currency"], payment_status=o["payment_status"],
              **{"parcours.order.id": o["order_id"], **{k: str(o[k]) for k in ("value", "tax", "shipping", "discount")}},
              items=[item(p, *line) for p, line in o["items"].items()])
    for cart, o in truth.left.items():
        event("parcours.cart_abandoned", o["visit"], step=o["step"], end_reason="timeout", value=str(o["value"]),
              last_activity_unix_nano=o["visit"]["last"][0], preceded={w + "_refused": True for w in o["refused"]},
              **{"parcours.cart": {"id": cart, "value": str(o["value"]), "currency": o["currency"], "quantity": o["quantity"],
                                   "items": [item(p, *line) for p, line in o["items"].items()]}})
    return truth, rows


def first(rows, name, **holds):
    return next(r for r in rows if r.get("event_name") == name and all(r.get(k) == v for k, v in holds.items()))


def drop(name):
    return lambda rows: rows.remove(first(rows, name))


def again(name):
    return lambda rows: rows.append(dict(first(rows, name), **{"parcours.event_id": "f" * 32}))


def put(name, key, value):
    return lambda rows: first(rows, name).update({key: value})


def in_cart(key, value):
    return lambda rows: first(rows, "parcours.cart_abandoned")["parcours.cart"].update({key: value})


def in_item(name, key, value):
    def change(rows):
        row = first(rows, name)
        row.get("parcours.cart", row)["items"][0][key] = value
    return change


def no_item(rows):
    first(rows, "purchase")["items"].pop()


LEFT = "parcours.cart_abandoned"
MISTAKES = {
    "an order that is not told": drop("purchase"),
    "an order twice": again("purchase"),
    "an order that was none": put("purchase", "transaction_id", "A999999"),
    "an order without a number": put("purchase", "transaction_id", None),
    "a cent too much": lambda rows: first(rows, "purchase").update(
        value=str(decimal.Decimal(first(rows, "purchase")["value"]) + decimal.Decimal("0.01"))),
    "no value": lambda rows: first(rows, "purchase").pop("value"),
    "another tax": put("purchase", "tax", "0.01"),
    "no shipping": lambda rows: next(r for r in rows if decimal.Decimal(r.get("shipping", "0"))).pop("shipping"),
    "another currency": put("purchase", "currency", "USD"),
    "an order as pending": lambda rows: first(rows, "purchase", payment_status="paid").update(payment_status="pending"),
    "another internal id": put("purchase", "parcours.order.id", "1"),
    "a line less": no_item,
    "pieces of an order": in_item("purchase", "quantity", 77),
    "a price in an order": in_item("purchase", "price", "0.05"),
    "an order of another visit": put("purchase", "session.id", "e" * 32),
    "a cart that is not told": drop(LEFT),
    "a cart twice": again(LEFT),
    "a cart that was not left": in_cart("id", "C000000000000"),
    "another step": put(LEFT, "step", "order"),
    "another value at stake": put(LEFT, "value", "0.01"),
    "another value of the cart": in_cart("value", "0.01"),
    "another currency of the cart": in_cart("currency", "USD"),
    "pieces of a cart in all": in_cart("quantity", 77),
    "pieces of a line": in_item(LEFT, "quantity", 77),
    "a price in a cart": in_item(LEFT, "price", "0.05"),
    "a cart of another visit": put(LEFT, "session.id", "e" * 32),
    "another reason": put(LEFT, "end_reason", "evicted"),
    "another time": put(LEFT, "last_activity_unix_nano", 1),
    "a refusal that was none": lambda rows: first(rows, LEFT, preceded={}).update(preceded={"payment_refused": True}),
    "a refusal that is not told": lambda rows: next(r for r in rows if r.get("preceded")).update(preceded={}),
    "a piece too many": in_item("add_to_cart", "quantity", 77),
    "pieces that are not told": drop("add_to_cart"),
    "a removal that was none": again("remove_from_cart"),
    "a view too many": again("view_item"),
    "a view that is not told": drop("view_item"),
    "a search for something else": put("search", "search_term", "nothing"),
    "a login that is not told": drop("login"),
    "a sign-up that is not told": drop("sign_up"),
    "a refused payment twice": again("parcours.payment_error"),
    "one revision twice": lambda rows: rows.append(dict(first(rows, "purchase"))),
}


def found():
    """Rows that are right have no difference; of each mistake one is found."""
    truth, rows = made_up()
    problems, _ = journeys.everything(truth, rows, IDS)
    equal(problems, [], "differences of rows that are right")
    for name, spoil in MISTAKES.items():
        spoiled = copy.deepcopy(rows)
        spoil(spoiled)
        check(spoiled != rows, "%s: nothing was spoiled" % name)
        problems, _ = journeys.everything(truth, spoiled, IDS)
        check(problems, "%s was not found" % name)
    return "%d mistakes" % len(MISTAKES)


suite = Suite()
suite.run("shop: amounts as they are written", written)
suite.run("shop: what a cart comes to", sums)
suite.run("shop: carts, steps and refusals", carts)
suite.run("shop: each order once", once)
suite.run("shop: accounts", accounts)
suite.run("shop: answers", answers)
suite.run("journeys: record and database agree", recorded)
suite.run("journeys: mistakes are found", found)
suite.done()
