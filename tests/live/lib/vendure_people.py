# SPDX-License-Identifier: Apache-2.0
"""Scripted customers of Vendure, by its shop API, each with a storefront of its own: how operations are written, where
the session is, which currency. Each writes down what it did; what is in its cart it reads in Vendure's database after
every request that may have changed it. On SQLite all of Vendure's requests share one connection, and what is asked for
at the same time is one transaction; so customers take turns, but for what they do at once on purpose.
"""
import collections
import concurrent.futures
import decimal
import hashlib
import http.client
import json
import math
import re
import sqlite3
import threading
import time
import urllib.parse

from .suite import check

PASSWORD = "Teekesselchen-88"
ADDRESS = {"streetLine1": "Straße „3“ {a}", "countryCode": "DE", "postalCode": "10115", "city": "Berlin"}
ORDER = """__typename id code state active currencyCode couponCodes totalQuantity subTotal subTotalWithTax shippingWithTax total
 totalWithTax orderPlacedAt discounts { description amountWithTax } taxSummary { taxRate taxTotal }
 lines { id quantity unitPrice unitPriceWithTax linePriceWithTax productVariant { id name sku price product { id slug } } }"""
ERROR = "... on ErrorResult { errorCode message }"
CODE = re.compile(r'"([A-Z0-9]{16})"')
CURRENCIES = ("EUR", "USD", "JPY")
# Names of other fields where the fields' own would be: an answer that is taken at its word is wrong.
ALIASED = """kind: __typename key: id number: code state: state live: active totalWithTax: total sum: totalWithTax
 currency: currencyCode currencyCode: id codes: couponCodes pieces: totalQuantity subTotalWithTax: subTotal goods: subTotalWithTax
 way: shippingWithTax shippingWithTax: shipping orderPlacedAt: updatedAt placed: orderPlacedAt
 less: discounts { text: description amountWithTax: amount by: amountWithTax } taxes: taxSummary { rate: taxRate taxTotal: taxBase tax: taxTotal }
 lines: lines { row: id ...on OrderLine { pieces: quantity quantity: unitPrice unitPriceWithTax: linePriceWithTax one: unitPriceWithTax }
  productVariant: featuredAsset { id } what: productVariant { id: sku name: sku key: id title: name } }"""
STYLES = ("fragments", "inline", "sparse", "several", "types", "aliases", "hashed")
LINE = "SELECT productVariantId, sum(quantity) FROM order_line WHERE orderId = ? AND quantity > 0 GROUP BY 1"


class Gone(Exception):
    """The customer did not see what he was to see."""


class Storefront:
    """How one storefront writes an operation: (root field, arguments {name: (type, value)}, selection) → request."""

    def __init__(self, style):
        self.style = style

    def selection(self, order, more=""):
        """Of what answers with the order or an error."""
        error = "... on PaymentDeclinedError { paymentErrorMessage } " + ERROR if more == "payment" else ERROR
        if self.style == "types":
            error = "__typename"
        elif self.style == "aliases":
            error = "... on ErrorResult { errorCode: message message: errorCode }" if more == "payment" else \
                "... on ErrorResult { no: errorCode errorCode: message }"
        if order == "sparse":
            order = "id"
        return "{ ... on Order { %s } %s %s }" % (order, "" if more == "payment" else more, error)

    def order(self):
        return "...Detail" if self.style in ("fragments", "several", "types", "hashed") else ALIASED if self.style == "aliases" else ORDER

    def request(self, kind, field, arguments, selection):
        name = field[0].upper() + field[1:]
        fragment = " fragment Detail on Order { %s }" % ORDER if "...Detail" in selection else ""
        if self.style == "inline":
            given = ", ".join("%s: %s" % (k, literal(v)) for k, (_, v) in arguments.items())
            return {"query": "%s{%s%s %s}%s" % (kind + " " if kind == "mutation" else "", field, "(%s)" % given if given else "",
                                               selection, fragment)}
        declared = ", ".join("$%s: %s" % (k, t) for k, (t, _) in arguments.items())
        given = ", ".join("%s: $%s" % (k, k) for k in arguments)
        called = "activeOrder: " + field if self.style == "aliases" else field
        text = "%s %s%s { %s%s %s }%s" % (kind, name, "(%s)" % declared if declared else "", called,
                                          "(%s)" % given if given else "", selection, fragment)
        body = {"query": text, "variables": {k: v for k, (_, v) in arguments.items()}}
        if self.style == "several":
            body["query"] = "# { two\nquery Unused { activeCustomer { id } }\n" + text
            body = {"variables": body["variables"], "operationName": name, "query": body["query"]}
        elif self.style == "fragments":
            body["operationName"] = name
        return body


def literal(value):
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (k, literal(v)) for k, v in value.items())
    if isinstance(value, list):
        return "[%s]" % ", ".join(map(literal, value))
    return json.dumps(value, ensure_ascii=False)


class Turn:
    """A lock that is given in the order in which it was asked for: nobody waits so long that his visit ends."""

    def __init__(self):
        self.lock, self.waiting = threading.Lock(), collections.deque()

    def __enter__(self):
        mine = threading.Lock()
        with self.lock:
            self.waiting.append(mine)
            mine.acquire()
            if len(self.waiting) == 1:
                return
        mine.acquire()

    def __exit__(self, *why):
        with self.lock:
            self.waiting.popleft()
            if self.waiting:
                self.waiting[0].release()


class Customer:
    turn = Turn()

    def __init__(self, world, who, kind, style, way, currency):
        self.world, self.who, self.style, self.currency = world, who, style, currency
        self.front, self.bearer = Storefront(style), "bearer" in way
        self.port = world.port if "direct" in way else world.windows["cookie"]
        self.jar, self.token, self.code, self.lines = {}, None, None, {}
        self.base = sqlite3.connect("file:%s?mode=ro" % world.database, uri=True, timeout=30, check_same_thread=False)
        self.lock, self.kept = threading.Lock(), None
        self.visits = []
        self.comes(kind, way)

    def comes(self, kind=None, way=None):
        before = self.visits[-1] if self.visits else {"kind": kind, "way": "%s, %s, %s" % (way, self.style, self.currency)}
        self.visits.append({"who": self.who, "kind": before["kind"], "way": before["way"], "carts": [], "orders": [], "views": [],
                            "searches": [], "log_ins": 0, "sign_ups": 0, "declined": 0, "refused": collections.defaultdict(set),
                            "begun": set(), "member": False, "change": [], "left": {}, "last": None})

    @property
    def visit(self):
        return self.visits[-1]

    # ---- requests ----

    def send(self, body, get=False):
        with self.turn:
            return self.send_now(body, get)

    def send_now(self, body, get=False):
        fields = {"Host": "shop.test:%d" % self.port, "Accept": "application/json", "Origin": "http://shop.test:%d" % self.port,
                  "Content-Type": "application/json", "Accept-Encoding": "identity",
                  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0" % (self.who, self.who)}
        if self.bearer and self.token:
            fields["Authorization"] = "Bearer " + self.token
        elif self.jar:
            fields["Cookie"] = "; ".join("%s=%s" % pair for pair in self.jar.items())
        path = "/shop-api?who=%d&currencyCode=%s" % (self.who, self.currency)
        begin = time.time_ns()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        if get:
            path += "&" + urllib.parse.urlencode({k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()})
            connection.request("GET", path, headers=fields)
        else:
            connection.request("POST", path, body=json.dumps(body, ensure_ascii=self.who % 2 == 0).encode(), headers=fields)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        with self.lock:
            self.visit["last"] = (begin, time.time_ns())
            if self.bearer:
                self.token = answer.headers.get("vendure-auth-token") or self.token
            else:
                for field in answer.headers.get_all("Set-Cookie") or []:
                    name, value = field.split(";")[0].split("=", 1)
                    self.jar[name] = value
        return text

    def ask(self, kind, field, arguments=None, selection="", get=False):
        body = self.front.request(kind, field, arguments or {}, selection)
        if self.style == "hashed":
            body["extensions"] = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(body["query"].encode()).hexdigest()}}
            text = self.send({k: v for k, v in body.items() if k != "query"}, get)
        if self.style != "hashed" or "PERSISTED_QUERY_NOT_FOUND" in text:
            text = self.send(body, get)
        answer = json.loads(text)
        if answer.get("errors"):
            raise Gone("%s: %s" % (field, text[:300]))
        return text

    def change(self, field, arguments=None, more="", fails=None, sparse=False):
        """A mutation that answers with the order; afterwards the cart is what the database says."""
        order = "sparse" if sparse or self.style == "sparse" and field != "addPaymentToOrder" else self.front.order()
        text = self.ask("mutation", field, arguments, self.front.selection(order, more))
        # codes of errors have no digits, and an order's code may have none: look for what the database knows
        failed = "_ERROR" in text or 'Error"' in text
        if failed != bool(fails):
            raise Gone("%s was %s: %s" % (field, "refused" if failed else "not refused", text[:300]))
        if self.style == "sparse" and field != "addPaymentToOrder":
            text += self.look()
        self.see(text)
        if fails == "cart":
            self.visit["refused"][self.code].add("cart")
        return text

    def look(self):
        text = self.ask("query", "activeOrder", None, "{ %s }" % self.front.order(), get=self.who % 3 == 0)
        self.see(text)
        return text

    def see(self, text):
        """Which cart it is, and what came and went."""
        with self.lock:
            before = self.code
            for code in CODE.findall(text):
                if self.base.execute('SELECT 1 FROM "order" WHERE code = ? AND active', (code,)).fetchone():
                    self.code = code
            if self.code is None:
                return
            if self.code not in self.visit["carts"]:
                self.visit["carts"].append(self.code)
            (number, active), = self.base.execute('SELECT id, active FROM "order" WHERE code = ?', (self.code,)).fetchall()
            if not active:
                return
            now = {str(v): n for v, n in self.base.execute(LINE, (number,))}
            for v in set(now) | set(self.lines):
                by = now.get(v, 0) - self.lines.get(v, 0)
                if by and before in (None, self.code):  # Vendure puts two carts together at a login: nobody asked for that
                    self.visit["change"].append((v, by))
            self.lines = now

    # ---- what customers do ----

    def search(self, words):
        self.ask("query", "search", {"input": ("SearchInput!", {"term": words, "take": 10})},
                 "{ totalItems items { productVariantId productName slug } }", get=self.who % 2 == 0)
        self.visit["searches"].append(words)

    def view(self, slug):
        text = self.ask("query", "product", {"slug": ("String!", slug)},
                        "{ id name slug variants { id name sku priceWithTax currencyCode } }", get=self.who % 2 == 1)
        self.visit["views"] += [v["id"] for v in next(iter(json.loads(text)["data"].values()))["variants"]]

    def add(self, variant, pieces=1, **more):
        return self.change("addItemToOrder", {"productVariantId": ("ID!", str(variant)), "quantity": ("Int!", pieces)}, **more)

    def line(self, variant):
        rows = self.base.execute('SELECT l.id FROM order_line l JOIN "order" o ON o.id = l.orderId WHERE o.code = ? AND l.productVariantId = ?',
                                 (self.code, variant)).fetchall()
        return str(rows[0][0])

    def adjust(self, variant, pieces, **more):
        return self.change("adjustOrderLine", {"orderLineId": ("ID!", self.line(variant)), "quantity": ("Int!", pieces)}, **more)

    def remove(self, variant):
        return self.change("removeOrderLine", {"orderLineId": ("ID!", self.line(variant))})

    def coupon(self, code, **more):
        return self.change("applyCouponCode", {"couponCode": ("String!", code)}, **more)

    def uncoupon(self, code):
        self.see(self.ask("mutation", "removeCouponCode", {"couponCode": ("String!", code)}, "{ %s }" % self.front.order()))

    def begin(self):
        self.ask("query", "eligibleShippingMethods", None, "{ id name priceWithTax }")
        self.visit["begun"].add(self.code)

    def contact(self):
        self.change("setCustomerForOrder", {"input": ("CreateCustomerInput!", {
            "emailAddress": "gast.%d.%s@example.org" % (self.who, self.code.lower()), "firstName": "Ä", "lastName": "Ö"})})

    def address(self):
        self.change("setOrderShippingAddress", {"input": ("CreateAddressInput!", ADDRESS)})

    def shipping(self, way=1):
        self.change("setOrderShippingMethod", {"shippingMethodId": ("[ID!]!", [str(way)])})

    def arrange(self, state="ArrangingPayment"):
        self.change("transitionOrderToState", {"state": ("String!", state)})

    def checkout(self, way=1):
        self.begin()
        if not self.visit["member"]:
            self.contact()
        self.address()
        self.shipping(way)
        self.arrange()

    def payment(self, method, metadata):
        return {"input": ("PaymentInput!", {"method": method, "metadata": metadata})}

    def declined(self, how="shouldDecline"):
        self.change("addPaymentToOrder", self.payment("standard-payment", {how: True}), "payment", fails="payment")
        self.visit["declined"] += 1
        self.visit["refused"][self.code].add("payment")

    def pay(self, method="standard-payment", metadata=None):
        text = self.change("addPaymentToOrder", self.payment(method, metadata or {}), "payment")
        self.ordered()
        return text

    def ordered(self):
        (state,), = self.base.execute('SELECT state FROM "order" WHERE code = ?', (self.code,)).fetchall()
        if state not in ("PaymentSettled", "PaymentAuthorized"):
            raise Gone("the order is " + state)
        self.visit["orders"].append(self.code)
        self.code, self.lines = None, {}

    def sign_up(self, name):
        text = self.ask("mutation", "registerCustomerAccount", {"input": ("RegisterCustomerInput!", {
            "emailAddress": name, "password": PASSWORD, "firstName": "A", "lastName": "B"})},
            "{ __typename ... on Success { success } }" if self.style == "types" else "{ ... on Success { success } %s }" % ERROR)
        check("Success" in text or '"success":true' in text, "registered: " + text)
        self.visit["sign_ups"] += 1

    def log_in(self, name, password=PASSWORD):
        text = self.ask("mutation", "login", {"username": ("String!", name), "password": ("String!", password)},
                        "{ __typename ... on CurrentUser { id identifier } }" if self.style == "types" else
                        "{ ... on CurrentUser { id identifier } %s }" % ERROR)
        if password == PASSWORD:
            check("identifier" in text, "logged in: " + text)
            self.visit["log_ins"] += 1
            self.visit["member"] = True

    def history(self, code):
        self.ask("query", "orderByCode", {"code": ("String!", code)}, "{ %s }" % self.front.order())
        if self.visit["member"]:
            self.ask("query", "activeCustomer", None, "{ orders { items { %s } } }" % self.front.order())

    def at_once(self, bodies):
        with self.turn, concurrent.futures.ThreadPoolExecutor(len(bodies)) as pool:
            return list(pool.map(self.send_now, bodies))

    def leave(self):
        """What is in the cart now is left."""
        if self.code and self.lines:
            self.visit["left"][self.code] = cart_facts(self.base, self.code, self.visit)


# ---- Vendure's database ----

def money(minor):
    return decimal.Decimal(minor).scaleb(-2)


def rounded(x):
    """Math.round"""
    return math.floor(x + 0.5)


def gross(net, rate):
    return net + net * (rate / 100)


def rate_of(row):
    return sum(t["taxRate"] for t in json.loads(row["taxLines"]))


def discounts_of(row, pieces, placed):
    """By promotion, with tax, as Order.discounts says it of one line."""
    found = {}
    for a in json.loads(row["adjustments"]):
        by = a["amount"] / max(placed, pieces) * pieces
        by = by if row["listPriceIncludesTax"] else gross(by, rate_of(row))
        found[a["adjustmentSource"]] = found[a["adjustmentSource"]] + by if a["adjustmentSource"] in found else rounded(by)
    return found


def rows_of(base, text, *values):
    cursor = base.execute(text, values)
    names = [d[0] for d in cursor.description]
    return [dict(zip(names, row)) for row in cursor]


def items_of(base, number):
    items = {}
    for line in rows_of(base, "SELECT * FROM order_line WHERE orderId = ? AND quantity > 0", number):
        price = line["listPrice"] if line["listPriceIncludesTax"] else gross(line["listPrice"], rate_of(line))
        check(str(line["productVariantId"]) not in items, "two lines of one variant in order %d" % number)
        items[str(line["productVariantId"])] = (line["quantity"], money(rounded(price)))
    return items


def discount_of(base, number):
    found = collections.Counter()
    for line in rows_of(base, "SELECT * FROM order_line WHERE orderId = ? AND quantity > 0", number):
        found.update(discounts_of(line, line["quantity"], line["orderPlacedQuantity"]))
    for line in rows_of(base, "SELECT * FROM shipping_line WHERE orderId = ?", number):
        found.update(discounts_of(line, 1, 1))
    return -sum(found.values())


def step_of(base, o, visit):
    """The furthest that Vendure has accepted. Which pages were shown it does not know."""
    if rows_of(base, "SELECT * FROM payment WHERE orderId = ? AND state IN ('Settled', 'Authorized')", o["id"]):
        return "payment"
    if rows_of(base, "SELECT * FROM shipping_line WHERE orderId = ?", o["id"]):
        return "shipping"
    if json.loads(o["shippingAddress"]):
        return "address"
    if o["customerId"] and not visit["member"]:
        return "contact"
    return "checkout" if o["code"] in visit["begun"] else "cart"


def cart_facts(base, code, visit):
    (o,) = rows_of(base, 'SELECT * FROM "order" WHERE code = ?', code)
    items = items_of(base, o["id"])
    return {"step": step_of(base, o, visit), "value": money(o["subTotalWithTax"]), "currency": o["currencyCode"],
            "quantity": sum(n for n, _ in items.values()), "items": items, "visit": visit, "refused": visit["refused"][code]}


class Truth:
    """As lib/journeys.Truth. Orders are all that Vendure has but `before`."""

    def __init__(self, database, visits, before):
        self.visits = visits
        base = sqlite3.connect("file:%s?mode=ro" % database, uri=True, timeout=30)
        whose = {code: v for v in visits for code in v["orders"]}
        self.orders = {}
        for o in rows_of(base, 'SELECT * FROM "order" WHERE orderPlacedAt IS NOT NULL'):
            if o["code"] not in before:
                self.orders[o["code"]] = {
                    "order_id": str(o["id"]), "currency": o["currencyCode"], "value": money(o["subTotalWithTax"] + o["shippingWithTax"]),
                    "tax": money(o["subTotalWithTax"] - o["subTotal"] + o["shippingWithTax"] - o["shipping"]),
                    "shipping": money(o["shippingWithTax"]), "discount": money(discount_of(base, o["id"])),
                    "payment_status": o["state"].replace("Payment", ""), "items": items_of(base, o["id"]), "visit": whose.get(o["code"])}
        base.close()
        self.left = {code: facts for v in visits for code, facts in v["left"].items()}
        self.change = collections.defaultdict(lambda: [0, 0])
        for v in visits:
            for variant, by in v["change"]:
                self.change[v["who"], variant][by < 0] += abs(by)
        self.payments_refused = collections.Counter()
        for v in visits:
            self.payments_refused[v["who"]] += v["declined"]


def codes(database):
    base = sqlite3.connect("file:%s?mode=ro" % database, uri=True, timeout=30)
    found = {code for code, in base.execute('SELECT code FROM "order"')}
    base.close()
    return found
