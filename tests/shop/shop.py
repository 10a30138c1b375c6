#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A small shop: the subject that the demo and tests watch. Standard library only.

Pages (home, category, product, search, cart, checkout in four steps, order, account, office), a JSON interface
to the same cart (api.py), style sheet, script and pictures, redirects after forms, 304 for what has not
changed, chunked pages, and now and then a slow or failing page (--slow, --fail: per mille). A search takes
--search milliseconds, a payment --bank, and of one product (--broken SLUG) the picture is missing. Pages of the weight of real ones
stand below /showroom; they take --think milliseconds, give or take a half, to be made.

The truth for tests is the database (store.py; --database FILE, otherwise in memory); --orders FILE gets a JSON
object a line as well. How the shop looks: --style (catalogue.py), --charset, --tax incl|excl, --gzip, --chunks.
A guest gets his cookie with the first page, or (--cookies cart) with the first thing he puts into his cart.
With --provider URL (as customers reach it) and --provider-port one may pay at provider.py.

    shop.py --port 8000 [--style plain|front|euro|dotted|whole|yen] [--database FILE] [...]
"""
import argparse
import http.client
import http.server
import json
import random
import sys
import time
import traceback
import urllib.parse

import pages
import showroom
from account import Accounts
from catalogue import BY_ID, BY_SLUG, CATEGORIES, CHARSETS, PRODUCTS, STYLES, Look
from store import Store


class ShopStore(Store):
    """A store that says each order to a file too."""

    def __init__(self, look, path, out):
        super().__init__(look, path)
        self.out = open(out, "a") if out else None

    def place(self, cart, state):
        order = super().place(cart, state)
        if self.out:
            print(json.dumps({"order": order["number"], "cart": cart.id, "currency": self.look.currency,
                              "total": order["total"], "lines": {p.id: n for p, n, _ in cart.lines}}), file=self.out, flush=True)
        return order

    def lines_of(self, order):
        return [(BY_ID[line["product"]], line["quantity"], line["price"])
                for line in self.all("SELECT * FROM line WHERE cart = ? ORDER BY place", order["cart"])]


class Shop:
    """What all threads share."""

    def __init__(self, options):
        self.slow, self.fail, self.think = options.slow, options.fail, options.think
        self.search, self.bank, self.broken, self.cookies = options.search, options.bank, options.broken, options.cookies
        self.gzip, self.chunks = options.gzip, options.chunks
        self.random = random.Random(options.seed)
        self.look = Look(options.style, options.charset, options.tax)
        self.store = ShopStore(self.look, options.database or ":memory:", options.orders)
        self.provider, self.provider_port = options.provider, options.provider_port

    def chance(self, per_mille):
        with self.store.lock:
            return self.random.randrange(1000) < per_mille

    # ---- the provider's own interface ----

    def call(self, method, path, body=None):
        """(status, object) of the provider's answer; None: it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.provider_port, timeout=10)
        try:
            connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()

    def payment_page(self, cart):
        """Where the customer may pay, on the provider's host; None: he cannot."""
        if not self.provider:
            return None
        answer = self.call("POST", "/payments", {"cart": cart.id, "amount": cart.totals.total, "currency": self.look.currency,
                                                 "digits": self.look.digits})
        if answer is None or answer[0] != 201:
            return None
        self.store.sent_away(cart, answer[1]["id"])
        return self.provider + "/pay/" + answer[1]["id"]

    def state_of_payment(self, name):
        answer = self.call("GET", "/payments/" + urllib.parse.quote(name, "")) if self.provider else None
        return answer[1]["status"] if answer and answer[0] == 200 else None


class Handler(Accounts):
    def route(self):
        self.read_request()
        if self.shop.chance(self.shop.slow):
            time.sleep(0.4 + self.shop.random.random())
        first = self.part[0] if self.part else "home"
        if first not in ("static", "images", "health") and self.shop.chance(self.shop.fail):
            return self.answer(500, pages.page(self.look, "Sorry", "<p>Something broke. Please try again.</p>"))
        changes = self.command in ("POST", "PATCH", "DELETE")
        action = getattr(self, "%s_%s" % ("post" if changes else "get", first.replace(".", "_")), None)
        if action is None:
            return self.not_found("There is no such page.")
        return action()

    do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = route

    def not_found(self, text):
        return self.answer(404, pages.page(self.look, "Not found", "<p>%s</p>" % text))

    def get_home(self):
        if self.shop.cookies == "first":
            self.need_cookie()
        self.chunked(pages.home(self.look))

    def get_category(self):
        name = self.at(1)
        if name not in CATEGORIES:
            return self.not_found("No such category.")
        return self.answer(200, pages.listing(self.look, name.title(), [p for p in PRODUCTS if p.category == name]))

    def get_product(self):
        product = BY_SLUG.get(self.at(1))
        if product is None:
            return self.not_found("No such product.")
        return self.answer(200, pages.product(self.look, product))

    def get_showroom(self):
        with self.shop.store.lock:
            pause = self.shop.think * self.shop.random.uniform(0.5, 1.5)
        time.sleep(pause / 1000)
        kind, name = self.at(1), self.at(2)
        if kind == "moved":
            return self.redirect("/showroom")
        if kind == "category" and name in CATEGORIES:
            return self.answer(200, showroom.category(name))
        if kind == "product" and name in BY_SLUG:
            return self.answer(200, showroom.product(name))
        if kind:
            return self.not_found("No such page.")
        return self.answer(200, showroom.home())

    def get_search(self):
        time.sleep(self.shop.search / 1000)
        word = self.query.get("q", "").lower()
        return self.answer(200, pages.listing(self.look, "Search", [p for p in PRODUCTS if word in p.name.lower()]))

    # ---- what pages pull in ----

    def get_static(self):
        if self.at(1) in pages.STATIC:
            return self.fixed(*pages.STATIC[self.at(1)])
        return self.answer(404, b"", "text/plain")

    def get_images(self):
        slug = self.at(1).rsplit(".", 1)[0]
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


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A visitor who leaves in the middle is no error of the shop."""
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()


def options_of(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--slow", type=int, default=0)
    parser.add_argument("--fail", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders")
    parser.add_argument("--database")
    parser.add_argument("--think", type=int, default=0)
    parser.add_argument("--search", type=int, default=0)
    parser.add_argument("--bank", type=int, default=0)
    parser.add_argument("--broken")
    parser.add_argument("--style", choices=STYLES, default="plain")
    parser.add_argument("--charset", choices=CHARSETS, default="utf-8")
    parser.add_argument("--tax", choices=("incl", "excl"), default="incl")
    parser.add_argument("--cookies", choices=("first", "cart"), default="first")
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--chunks", action="store_true")
    parser.add_argument("--provider")
    parser.add_argument("--provider-port", type=int)
    return parser.parse_args(arguments)


def main():
    options = options_of()
    server = Server(("127.0.0.1", options.port), Handler)
    server.shop = Shop(options)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
