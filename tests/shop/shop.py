#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A small shop: the subject that the demo and later tests watch. Standard library only.

Pages (home, category, product, search, cart, checkout in three steps, order), a JSON interface, style
sheet, script and pictures, a cart that hangs on a cookie, redirects after forms, 304 for what has not
changed, chunked pages, and now and then a slow or failing page (--slow, --fail: per mille). A search takes
--search milliseconds, and of one product (--broken SLUG) the picture is missing. Orders are kept in memory and,
with --orders FILE, written one JSON object a line: the truth for tests. Pages of the weight of real ones
stand below /showroom; they take --think milliseconds, give or take a half, to be made.

    shop.py --port 8000 [--slow 30] [--fail 10] [--search 0] [--broken SLUG] [--seed 1] [--orders FILE] [--think 0]
"""
import argparse
import hashlib
import http.cookies
import http.server
import json
import random
import threading
import time
import urllib.parse
import uuid

import pages
import showroom
from catalogue import BY_ID, BY_SLUG, CATEGORIES, CURRENCY, PRODUCTS, money


class Shop:
    """The state all threads share: carts and orders."""

    def __init__(self, options):
        self.slow, self.fail, self.think = options.slow, options.fail, options.think
        self.search, self.broken = options.search, options.broken
        self.random = random.Random(options.seed)
        self.lock = threading.Lock()
        self.carts, self.orders = {}, []
        self.out = open(options.orders, "a") if options.orders else None

    def chance(self, per_mille):
        with self.lock:
            return self.random.randrange(1000) < per_mille

    def cart(self, number):
        with self.lock:
            return self.carts.setdefault(number, {"lines": {}, "address": None, "shipping": None})

    def total(self, cart):
        lines = sum(BY_ID[i].price * n for i, n in cart["lines"].items())
        return lines + {"express": 990, "standard": 490}.get(cart["shipping"], 0)

    def order(self, number, cart):
        with self.lock:
            order = {"order": "A%06d" % (100000 + len(self.orders)), "cart": number, "currency": CURRENCY,
                     "total": self.total(cart), "lines": dict(cart["lines"])}
            self.orders.append(order)
            self.carts.pop(number, None)
            if self.out:
                print(json.dumps(order), file=self.out, flush=True)
            return order


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "parcours-shop", ""
    timeout = 75
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    # ---- answers ----

    def answer(self, status, body=b"", kind="text/html; charset=utf-8", **fields):
        if isinstance(body, str):
            body = body.encode()
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        if self.new_cart:
            self.send_header("Set-Cookie", "cart=%s; Path=/; HttpOnly; SameSite=Lax" % self.new_cart)
        if status not in (204, 304):
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def chunked(self, parts):
        """A page that is written as it is made."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        if self.new_cart:
            self.send_header("Set-Cookie", "cart=%s; Path=/; HttpOnly; SameSite=Lax" % self.new_cart)
        self.end_headers()
        if self.command != "HEAD":
            for part in parts:
                data = part.encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")

    def json(self, status, value):
        self.answer(status, json.dumps(value), "application/json")

    def redirect(self, to):
        self.answer(303, Location=to)

    def fixed(self, body, kind):
        tag = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
        if self.headers.get("If-None-Match") == tag:
            return self.answer(304, ETag=tag)
        return self.answer(200, body, kind, ETag=tag, Cache_Control="max-age=60")

    # ---- the request ----

    def route(self):
        self.new_cart = None
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.part = [p for p in url.path.split("/") if p]
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode("utf-8", "replace")
        self.form = dict(urllib.parse.parse_qsl(body))
        if self.shop.chance(self.shop.slow):
            time.sleep(0.4 + self.shop.random.random())
        first = self.part[0] if self.part else "home"
        if first not in ("static", "images", "health") and self.shop.chance(self.shop.fail):
            return self.answer(500, pages.page("Sorry", "<p>Something broke. Please try again.</p>"))
        name = "%s_%s" % ("post" if self.command == "POST" else "get", first.replace(".", "_"))
        action = getattr(self, name, None)
        if action is None:
            return self.answer(404, pages.page("Not found", "<p>There is no such page.</p>"))
        return action()

    do_GET = do_HEAD = do_POST = route

    @property
    def shop(self):
        return self.server.shop

    def cart_number(self):
        jar = http.cookies.SimpleCookie(self.headers.get("Cookie", ""))
        if "cart" in jar:
            return jar["cart"].value
        self.new_cart = self.new_cart or uuid.uuid4().hex
        return self.new_cart

    def cart(self):
        return self.shop.cart(self.cart_number())

    # ---- pages ----

    def get_home(self):
        self.cart_number()
        self.chunked(pages.home())

    def get_category(self):
        name = self.part[1] if len(self.part) > 1 else ""
        if name not in CATEGORIES:
            return self.answer(404, pages.page("Not found", "<p>No such category.</p>"))
        return self.answer(200, pages.listing(name.title(), [p for p in PRODUCTS if p.category == name]))

    def get_product(self):
        product = BY_SLUG.get(self.part[1] if len(self.part) > 1 else "")
        if product is None:
            return self.answer(404, pages.page("Not found", "<p>No such product.</p>"))
        return self.answer(200, pages.product(product))

    def get_showroom(self):
        with self.shop.lock:
            pause = self.shop.think * self.shop.random.uniform(0.5, 1.5)
        time.sleep(pause / 1000)
        kind, name = (self.part[1:] + ["", ""])[:2]
        if kind == "moved":
            return self.redirect("/showroom")
        if kind == "category" and name in CATEGORIES:
            return self.answer(200, showroom.category(name))
        if kind == "product" and name in BY_SLUG:
            return self.answer(200, showroom.product(name))
        if kind:
            return self.answer(404, pages.page("Not found", "<p>No such page.</p>"))
        return self.answer(200, showroom.home())

    def get_search(self):
        time.sleep(self.shop.search / 1000)
        word = self.query.get("q", "").lower()
        return self.answer(200, pages.listing("Search", [p for p in PRODUCTS if word in p.name.lower()]))

    def get_api(self):
        if self.part[1:2] == ["products"]:
            found = BY_ID.get(int(self.part[2])) if len(self.part) > 2 and self.part[2].isdigit() else None
            if len(self.part) == 2:
                return self.json(200, [p._asdict() for p in PRODUCTS])
            return self.json(200, found._asdict()) if found else self.json(404, {"error": "unknown product"})
        if self.part[1:2] == ["cart"]:
            cart = self.cart()
            return self.json(200, {"lines": cart["lines"], "total": money(self.shop.total(cart)), "currency": CURRENCY})
        if self.part[1:2] == ["stock"]:
            return self.json(200, {p.slug: p.stock for p in PRODUCTS})
        if self.part[1:2] == ["events"]:
            return self.events()
        return self.json(404, {"error": "unknown resource"})

    def events(self):
        """An event stream that says something every half second, until the visitor leaves."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(b"data: %d\n\n" % time.monotonic_ns())
            time.sleep(0.5)

    def post_api(self):
        if self.part[1:2] == ["beacon"]:
            return self.answer(204)
        return self.json(404, {"error": "unknown resource"})

    def get_static(self):
        name = self.part[1] if len(self.part) > 1 else ""
        if name in pages.STATIC:
            return self.fixed(*pages.STATIC[name])
        return self.answer(404, b"", "text/plain")

    def get_images(self):
        slug = self.part[1].rsplit(".", 1)[0] if len(self.part) > 1 else ""
        if slug not in BY_SLUG or slug == self.shop.broken:
            return self.answer(404, b"", "text/plain")
        return self.fixed(pages.picture(BY_SLUG[slug]), "image/svg+xml")

    def get_assets(self):
        content = showroom.files().get("/".join(self.part), "")
        if not content:
            return self.answer(404, b"", "text/plain")
        kind = {"css": "text/css", "js": "text/javascript", "png": "image/png"}[self.part[-1].rsplit(".", 1)[1]]
        return self.fixed(content if isinstance(content, bytes) else content.encode(), kind)

    get_photos = get_assets

    def get_health(self):
        self.answer(200, b"ok\n", "text/plain")

    # ---- cart and checkout ----

    def get_cart(self):
        self.answer(200, pages.cart(self.cart(), self.shop.total(self.cart())))

    def post_cart(self):
        action = self.part[1] if len(self.part) > 1 else ""
        number = self.form.get("product", "")
        product = BY_ID.get(int(number)) if number.isdigit() else None
        if product is None:
            return self.answer(400, pages.page("Cart", "<p>Unknown product.</p>"))
        cart = self.cart()
        if action == "add":
            if product.stock == 0:
                return self.answer(409, pages.page("Sold out", "<p>%s is sold out.</p>" % product.name))
            quantity = self.form.get("quantity") or "1"
            if not quantity.isdigit() or not 1 <= int(quantity) <= 99:
                return self.answer(400, pages.page("Cart", "<p>How many?</p>"))
            cart["lines"][product.id] = cart["lines"].get(product.id, 0) + int(quantity)
        elif action == "remove":
            cart["lines"].pop(product.id, None)
        return self.redirect("/cart")

    def get_checkout(self):
        step = self.part[1] if len(self.part) > 1 else "address"
        if not self.cart()["lines"]:
            return self.redirect("/cart")
        if step not in ("address", "shipping", "payment"):
            return self.answer(404, pages.page("Not found", "<p>No such step.</p>"))
        return self.answer(200, pages.checkout(step, self.shop.total(self.cart())))

    def post_checkout(self):
        cart, step = self.cart(), self.part[1] if len(self.part) > 1 else ""
        if not cart["lines"]:
            return self.redirect("/cart")
        if step == "address":
            cart["address"] = self.form.get("street")
            return self.redirect("/checkout/shipping")
        if step == "shipping":
            cart["shipping"] = self.form.get("method", "standard")
            return self.redirect("/checkout/payment")
        if step == "payment":
            if self.form.get("card", "").endswith("0002"):
                return self.answer(402, pages.page("Payment refused", "<p>Your bank refused the payment.</p>"))
            return self.redirect("/order/" + self.shop.order(self.cart_number(), cart)["order"])
        return self.answer(404, pages.page("Not found", "<p>No such step.</p>"))

    def get_order(self):
        number = self.part[1] if len(self.part) > 1 else ""
        order = next((o for o in self.shop.orders if o["order"] == number), None)
        if order is None:
            return self.answer(404, pages.page("Not found", "<p>No such order.</p>"))
        return self.answer(200, pages.order(order))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A visitor who leaves in the middle is no error of the shop."""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--slow", type=int, default=0)
    parser.add_argument("--fail", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders")
    parser.add_argument("--think", type=int, default=0)
    parser.add_argument("--search", type=int, default=0)
    parser.add_argument("--broken")
    options = parser.parse_args()
    server = Server(("127.0.0.1", options.port), Handler)
    server.shop = Shop(options)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


main()
