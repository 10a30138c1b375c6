# SPDX-License-Identifier: Apache-2.0
"""Visits to the sample shop, made in this process without a socket: its own handler answers, so every octet is the
shop's, and equal at every run. Of each exchange is kept what was asked and answered, and the cart as the shop's
database had it then, which is the truth that events are judged by.
"""
import collections
import decimal
import io
import os
import random
import re
import secrets
import sys
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "shop"))
import shop as sample  # noqa: E402: lies elsewhere
from catalogue import PRODUCTS  # noqa: E402

HOST, PROVIDER = "shop.example", "pay.example"
CARDS = {"paid": "4242424242424242", "refused": "4000000000000002"}
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SHELF = 3003  # sold out
GOODS = [p for p in PRODUCTS if p.stock > 8]


class Exchange:
    """What was asked and answered, without codings and framing; `cart`: as it stood afterwards, or None."""

    def __init__(self, number, method, path, fields, body, browser):
        self.number, self.method, self.path, self.fields, self.body, self.browser = number, method, path, fields, body, browser
        self.status, self.line, self.answer_fields, self.answer, self.cart = None, b"", [], b"", None

    def answered(self, octets):
        head, _, body = octets.partition(b"\r\n\r\n")
        self.line, *rest = head.split(b"\r\n")
        self.status = int(self.line.split()[1])
        fields = [tuple(f.decode("latin-1").split(": ", 1)) for f in rest]
        if ("Transfer-Encoding", "chunked") in fields:
            body = dechunked(body)
        self.answer_fields = [(n, v) for n, v in fields if n not in ("Transfer-Encoding", "Content-Length")]
        self.answer = body

    def field(self, name):
        return next((v for n, v in self.answer_fields if n == name), None)


def dechunked(octets):
    out, at = b"", 0
    while True:
        end = octets.index(b"\r\n", at)
        size = int(octets[at:end], 16)
        if not size:
            return out
        out += octets[end + 2:end + 2 + size]
        at = end + 4 + size


class Socket:
    """What the handler takes for its connection."""

    def __init__(self, asked):
        self.asked, self.said = asked, b""

    def makefile(self, *_, **__):
        return io.BytesIO(self.asked)

    def sendall(self, octets):
        self.said += bytes(octets)

    def settimeout(self, *_):
        pass

    setsockopt = settimeout


class Handler(sample.Handler):
    def date_time_string(self, timestamp=None):
        return "Thu, 01 Jan 2026 00:00:00 GMT"


class Shop(sample.Shop):
    """Its provider answers at once, and pays when it is told to."""

    def __init__(self, style, charset, tax):
        super().__init__(sample.options_of(["--port", "1", "--style", style, "--charset", charset, "--tax", tax, "--cookies", "cart"]))
        self.provider, self.payments = "http://" + PROVIDER, {}

    def call(self, method, path, body=None):
        if method == "POST":
            payment = dict(body, id="pay_%d" % len(self.payments), status="open")
            self.payments[payment["id"]] = payment
            return 201, payment
        return 200, self.payments[path.rsplit("/", 1)[1]]


class Visit:
    """One customer, who does what `kind` says by forms or by script. `states`: carts after each exchange."""

    def __init__(self, shop, kind, way, seed):
        self.shop, self.kind, self.way, self.random = shop, kind, way, random.Random("%s %s %s" % (kind, way, seed))
        self.name = "%s by %s, %s" % (kind, way, shop.look.currency)
        self.jar, self.exchanges, self.placed, self.changes = {}, [], {}, collections.Counter()
        self.page = None
        getattr(self, kind)()
        self.learn_orders()

    # ---- a browser ----

    def send(self, method, path, body=b"", kind=None, navigation=True, browser=True):
        fields = [("Host", HOST)]
        if browser:
            fields += [("User-Agent", AGENT), ("Accept", "text/html,*/*;q=0.8" if navigation else "application/json"),
                       ("Accept-Language", "de")]
            if self.page:
                fields.append(("Referer", "http://%s%s" % (HOST, self.page)))
            if self.jar:
                fields.append(("Cookie", "; ".join("%s=%s" % pair for pair in sorted(self.jar.items()))))
        else:
            fields.append(("User-Agent", "parcours-provider/1"))
        if kind:
            fields.append(("Content-Type", kind))
        e = Exchange(len(self.exchanges), method, path, fields, body, browser)
        length = [("Content-Length", str(len(body)))] if body else []
        head = "%s %s HTTP/1.1\r\n%s\r\n" % (method, path, "".join("%s: %s\r\n" % f for f in fields + length))
        socket = Socket(head.encode() + body)
        server = type("Server", (), {"shop": self.shop})()
        Handler(socket, ("127.0.0.1", 1), server)
        e.answered(socket.said)
        for name, value in e.answer_fields:
            if name == "Set-Cookie":
                pair = value.split(";")[0].split("=", 1)
                self.jar[pair[0]] = pair[1]
        self.exchanges.append(e)
        e.cart = self.cart_now()
        return e

    def cart_now(self):
        cart = self.shop.store.cart(self.jar.get("cart"))
        if cart is None:
            return None
        return (cart.id, self.of(cart.value), cart.quantity, {str(p.id): (n, self.of(price)) for p, n, price in cart.lines})

    def of(self, minor):
        return decimal.Decimal(minor).scaleb(-self.shop.look.digits)

    def go(self, path, form=None):
        """A navigation with its redirects; the last exchange."""
        if form is None:
            e = self.send("GET", path)
        else:
            e = self.send("POST", path, urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded")
        while e.status in (302, 303):
            path = e.field("Location")
            if path.startswith("http://" + PROVIDER):
                return e
            e = self.send("GET", path)
        self.page = path
        return e

    def call(self, method, path, value=None):
        body = b"" if value is None else sample.json.dumps(value).encode()
        return self.send(method, path, body, "application/json" if body else None, navigation=False)

    # ---- acts ----

    def change(self, product, pieces, act):
        """+pieces, put to pieces, or out of it."""
        before = (self.cart_now() or (None, 0, 0, {}))[3].get(str(product), (0,))[0]
        if self.way == "forms":
            path = {"add": "/cart/add", "put": "/cart/update", "out": "/cart/remove"}[act]
            e = self.go(path, {"product": product, **({} if act == "out" else {"quantity": pieces})})
        elif act == "add":
            e = self.call("POST", "/api/cart/items", {"product": product, "quantity": pieces})
        else:
            path = "/api/cart/items/%d" % product
            e = self.call("DELETE", path) if act == "out" else self.call("PATCH", path, {"quantity": pieces})
        after = (self.cart_now() or (None, 0, 0, {}))[3].get(str(product), (0,))[0]
        self.changes[str(product), after > before] += abs(after - before)
        return e

    def see(self, product):
        self.go("/product/" + product.slug)

    def look_around(self):
        self.go("/")
        self.go("/category/kitchen")
        self.go("/search?q=tent")

    def coupon(self, code):
        return self.go("/cart/coupon", {"code": code}) if self.way == "forms" else self.call("POST", "/api/cart/coupon", {"code": code})

    def fill(self, count=2):
        chosen = self.random.sample(GOODS, count)
        self.see(chosen[0])
        for product in chosen:
            assert self.change(product.id, self.random.randint(1, 3), "add").status == 200
        return chosen

    def step(self, step, **fields):
        if self.way == "forms":
            return self.go("/checkout/" + step, fields)
        return self.call("POST", "/api/checkout/" + step, fields)

    def check_out(self, until="shipping"):
        if self.way == "forms":
            self.go("/checkout")
        else:
            self.call("GET", "/api/checkout")
        for step, fields in (("contact", {"email": "visitor@example.org"}), ("address", {"name": "A", "street": "S 1", "city": "F"}),
                             ("shipping", {"method": "express"})):
            assert self.step(step, **fields).status == 200
            if step == until:
                return

    def pay(self, card="paid"):
        e = self.step("payment", card=CARDS[card], method="card", cart=self.cart_now()[0])
        assert e.status == (402 if card == "refused" else 200 if self.way == "forms" else 201), e.status
        return e

    def leave_to_pay(self):
        e = self.step("payment", method="elsewhere", cart=self.cart_now()[0])
        place = e.field("Location") or sample.json.loads(e.answer)["redirect"]
        return self.shop.payments[place.rsplit("/", 1)[1]]

    def notify(self, payment, status="paid"):
        payment["status"] = status
        digits = payment["digits"]
        form = {"payment": payment["id"], "cart": payment["cart"], "status": status, "currency": payment["currency"],
                "amount": "%.*f" % (digits, decimal.Decimal(payment["amount"]).scaleb(-digits))}
        self.send("POST", "/payment/notify", urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded", browser=False)

    # ---- kinds of visits ----

    def orders(self):
        self.look_around()
        first, second = self.fill()
        assert self.change(SHELF, 1, "add").status == 409
        self.change(first.id, 4, "put")
        self.change(second.id, 0, "out")
        self.coupon("SPRING10")
        self.check_out()
        self.pay("refused")
        self.pay()
        number = self.shop.store.one("SELECT number FROM placed ORDER BY at DESC, id DESC")["number"]
        self.go("/order/" + number)  # a reload
        self.fill(1)

    def away(self):
        self.fill(2)
        self.check_out()
        payment = self.leave_to_pay()
        self.notify(payment)
        self.go("/payment/return/" + payment["id"])

    def never_returns(self):
        first, _ = self.fill(2)
        self.change(first.id, 5, "put")
        self.check_out()
        self.notify(self.leave_to_pay())

    def refused_away(self):
        self.fill(1)
        self.check_out()
        payment = self.leave_to_pay()
        self.notify(payment, "refused")
        self.go("/payment/return/" + payment["id"])

    def leaves(self):
        first, second, _ = self.fill(3)
        self.check_out("address")
        self.change(second.id, 1, "put")
        self.change(first.id, 0, "out")
        self.see(first)

    def empties(self):
        for product in self.fill(2):
            self.change(product.id, 0, "out")
        self.fill(1)

    def short(self):
        """The fewest exchanges to an order."""
        self.fill(2)
        self.check_out()
        self.pay()

    # ---- the truth ----

    def learn_orders(self):
        carts = {e.cart[0] for e in self.exchanges if e.cart}
        for o in self.shop.store.all("SELECT * FROM placed"):
            if o["cart"] not in carts:
                continue
            items = {str(line["product"]): (line["quantity"], self.of(line["price"]))
                     for line in self.shop.store.all("SELECT * FROM line WHERE cart = ?", o["cart"])}
            self.placed[o["number"]] = {
                "value": self.of(o["total"]), "tax": self.of(o["tax"]), "shipping": self.of(o["delivery"]),
                "discount": self.of(o["discount"]), "currency": self.shop.look.currency, "payment_status": o["payment_status"],
                "parcours.order.id": str(o["id"]), "items": items, "cart": o["cart"],
                "parcours.items_value": self.of(o["goods"] - o["discount"])}


# Style, charset, tax; the kinds that are visited there.
SHOPS = [
    ("plain", "utf-8", "incl", ["orders", "away", "never_returns", "refused_away", "leaves", "empties", "short"]),
    ("euro", "windows-1252", "incl", ["orders", "leaves", "short"]),
    ("front", "utf-8", "excl", ["orders", "empties", "short"]),
    ("yen", "utf-8", "incl", ["orders", "never_returns", "short"]),
]


def visits(seed):
    """{style: [Visit]}: by forms and by script."""
    token = random.Random("tokens %s" % seed)
    secrets.token_hex = lambda n=32: token.randbytes(n).hex()
    return {style: [Visit(Shop(style, charset, tax), kind, way, seed) for kind in kinds for way in ("forms", "script")]
            for style, charset, tax, kinds in SHOPS}


def recipe_for(style, text):
    """The recipe, with the decimal sign of that shop."""
    asked = 'amounts: { decimal: "." }'
    if asked not in text:
        raise ValueError("the recipe does not say how amounts are written")
    return re.sub(re.escape(asked), asked.replace(".", sample.STYLES[style].decimal), text)
