# SPDX-License-Identifier: Apache-2.0
"""A browser that a script steers through the shop: its connection, its jar, what it was shown; and the two ways
to the same cart: Forms (answered 302, the next page shows the cart) and Script (JSON, each answer shows it).

Each request to the shop has who=NUMBER in its query, which shop and agent do not look at: so every row of a
transaction tells whose it was.
"""
import gzip
import http.client
import json
import re
import threading
import time
import urllib.parse

PROVIDER = "pay.example"
CARDS = {"paid": "4242424242424242", "refused": "4000000000000002"}


class Record:
    """What a journey did, as it knows itself."""

    def __init__(self, who, kind, way, customer):
        self.lock = threading.Lock()
        self.who, self.kind, self.way, self.customer = who, kind, way, customer
        self.pages = []  # paths of navigations that were answered with a page, with their status
        self.requests, self.views, self.searches, self.carts, self.orders = 0, [], [], [], []
        self.log_ins, self.sign_ups, self.last = 0, 0, None
        self.step = None  # of a cart that is left now and taken up again later

    def sent(self, begin, end):
        with self.lock:
            self.requests += 1
            if self.last is None or begin >= self.last[0]:
                self.last = [begin, end]

    def saw(self, text):
        """Names of carts and orders, as they were shown to it."""
        with self.lock:
            for names, pattern in ((self.carts, r'data-cart="(C\w+)"|"id": "(C[0-9a-f]{12})"'),
                                   (self.orders, r'id="thanks".*?id="order">(A\d+)|"order": \{"number": "(A\d+)"')):
                for found in re.finditer(pattern, text, re.S):
                    name = found[1] or found[2]
                    if name not in names:
                        names.append(name)

    def told(self):
        keys = ("who", "kind", "way", "customer", "requests", "views", "searches", "carts", "orders", "log_ins", "sign_ups", "last",
                "step", "pages")
        return {key: getattr(self, key) for key in keys}


class Browser:
    def __init__(self, options, record, address, agent, charset="utf-8", jar=None):
        self.options, self.record, self.address, self.agent, self.charset = options, record, address, agent, charset
        self.jar = {} if jar is None else jar
        self.connection, self.page = None, None

    def tab(self):
        """Another one of the same browser: one jar, a connection of its own."""
        other = Browser(self.options, self.record, self.address, self.agent, self.charset, self.jar)
        other.page = self.page
        return other

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def think(self):
        time.sleep(self.options.pace * self.options.random().uniform(0.2, 1))

    def send(self, method, path, body=None, kind=None, navigation=True):
        """(status, headers, text) of one exchange with the shop; no redirect is followed."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.options.port, timeout=30,
                                                         source_address=(self.address, 0))
        fields = {"Host": self.options.site, "User-Agent": self.agent, "Accept-Language": "de", "Accept-Encoding": "gzip",
                  "Accept": "text/html,*/*;q=0.8" if navigation else "application/json"}
        if self.page:
            fields["Referer"] = "http://%s%s" % (self.options.site, self.page)
        if self.jar:
            fields["Cookie"] = "; ".join("%s=%s" % pair for pair in sorted(self.jar.items()))
        if kind:
            fields["Content-Type"] = kind
        begin = time.time_ns()
        self.connection.request(method, "%s%swho=%d" % (path, "&" if "?" in path else "?", self.record.who), body, fields)
        answer = self.connection.getresponse()
        content = answer.read()
        self.record.sent(begin, time.time_ns())
        if answer.getheader("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        for field in answer.headers.get_all("Set-Cookie") or []:
            name, value = field.split(";")[0].split("=", 1)
            if "Max-Age=0" in field:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        text = content.decode(self.charset if navigation else "utf-8", "replace")
        self.record.saw(text)
        if navigation and answer.status not in (302, 303):
            self.record.pages.append([path.split("?")[0], answer.status])
        if navigation and answer.status in (200, 304) and path.startswith("/product/"):
            self.record.views.append(path.split("/")[2].split("?")[0])
        return answer.status, answer, text

    def go(self, path, form=None):
        """A navigation with its redirects: (status, text), or ("away", address) where it leads to another host."""
        method, body, kind = "GET", None, None
        if form is not None:
            method, kind = "POST", "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(form, encoding=self.charset)
        status, answer, text = self.send(method, path, body, kind)
        while status in (302, 303):
            path = answer.getheader("Location")
            if path.startswith("http://" + PROVIDER):
                return "away", path
            path = path.split(self.options.site, 1)[1] if path.startswith("http://" + self.options.site) else path
            status, answer, text = self.send("GET", path)
        self.page = path
        self.think()
        return status, text

    def call(self, method, path, value=None):
        """A script's call: (status, object)."""
        status, _, text = self.send(method, path, None if value is None else json.dumps(value),
                                    None if value is None else "application/json", navigation=False)
        self.think()
        return status, json.loads(text)

    # ---- what is not of the cart ----

    def see(self, product):
        self.go("/product/" + product)

    def search(self, words):
        self.record.searches.append(words)
        self.go("/search?" + urllib.parse.urlencode({"q": words}))

    def log_in(self, email, password="Teekessel-9"):
        status, _ = self.go("/account/login", {"email": email, "password": password})
        self.record.log_ins += status == 200
        return status

    def sign_up(self, email):
        status, _ = self.go("/account/signup", {"email": email, "password": "Teekessel-9"})
        self.record.sign_ups += status == 200

    def at_provider(self, place, card, notify):
        """Pays on the page of the other host; where that sends back to."""
        path = urllib.parse.urlsplit(place).path
        connection = http.client.HTTPConnection("127.0.0.1", self.options.provider_port, timeout=30)
        fields = {"Host": PROVIDER, "User-Agent": self.agent}
        try:
            connection.request("GET", path, headers=fields)
            connection.getresponse().read()
            connection.request("POST", path, urllib.parse.urlencode({"card": CARDS[card], "notify": notify}),
                               dict(fields, **{"Content-Type": "application/x-www-form-urlencoded"}))
            answer = connection.getresponse()
            answer.read()
            return answer.getheader("Location")
        finally:
            connection.close()


class Way:
    """The customer's acts; `browser` does them."""

    def __init__(self, browser):
        self.browser = browser

    def at_once(self, act, times=2):
        """A double click: the same from two connections, neither waits for the other."""
        ways = [type(self)(self.browser.tab()) for _ in range(times)]
        threads = [threading.Thread(target=act, args=(way,)) for way in ways]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for way in ways:
            way.browser.close()

    def cart_name(self):
        return self.browser.record.carts[-1]

    def back_from(self, place):
        """Where the provider sends to, without host and port."""
        return self.browser.go(re.sub(r"^http://[^/]+", "", place))


class Forms(Way):
    name = "forms"

    def add(self, product, pieces=1):
        return self.browser.go("/cart/add", {"product": product, "quantity": pieces})[0]

    def put(self, product, pieces):
        return self.browser.go("/cart/update", {"product": product, "quantity": pieces})[0]

    def remove(self, product):
        return self.browser.go("/cart/remove", {"product": product})[0]

    def coupon(self, code):
        return self.browser.go("/cart/coupon", {"code": code})[0]

    def cart(self):
        return self.browser.go("/cart")[0]

    def begin(self):
        return self.browser.go("/checkout")[0]

    def contact(self):
        return self.browser.go("/checkout/contact", {"email": "visitor.%d@example.org" % self.browser.record.who})[0]

    def address(self):
        return self.browser.go("/checkout/address", {"name": "A. Visitör", "street": "Große Straße 1", "city": "Fürth"})[0]

    def shipping(self, way="standard"):
        return self.browser.go("/checkout/shipping", {"method": way})[0]

    def pay(self, card="paid", method="card"):
        return self.browser.go("/checkout/payment", {"card": CARDS[card], "method": method, "cart": self.cart_name()})[0]

    def leave_to_pay(self):
        word, place = self.browser.go("/checkout/payment", {"method": "elsewhere", "cart": self.cart_name()})
        assert word == "away", (word, place)
        return place


class Script(Way):
    name = "script"

    def add(self, product, pieces=1):
        return self.browser.call("POST", "/api/cart/items", {"product": product, "quantity": pieces})[0]

    def put(self, product, pieces):
        return self.browser.call("PATCH", "/api/cart/items/%d" % product, {"quantity": pieces})[0]

    def remove(self, product):
        return self.browser.call("DELETE", "/api/cart/items/%d" % product)[0]

    def coupon(self, code):
        return self.browser.call("POST", "/api/cart/coupon", {"code": code})[0]

    def cart(self):
        return self.browser.call("GET", "/api/cart")[0]

    def begin(self):
        return self.browser.call("GET", "/api/checkout")[0]

    def step(self, step, **fields):
        return self.browser.call("POST", "/api/checkout/" + step, fields)

    def contact(self):
        return self.step("contact", email="visitor.%d@example.org" % self.browser.record.who)[0]

    def address(self):
        return self.step("address", name="A. Visitör", street="Große Straße 1", city="Fürth")[0]

    def shipping(self, way="standard"):
        return self.step("shipping", method=way)[0]

    def pay(self, card="paid", method="card"):
        return self.step("payment", card=CARDS[card], method=method, cart=self.cart_name())[0]

    def leave_to_pay(self):
        status, answer = self.step("payment", method="elsewhere", cart=self.cart_name())
        assert status == 200 and answer["redirect"].startswith("http://" + PROVIDER), (status, answer)
        return answer["redirect"]


WAYS = {way.name: way for way in (Forms, Script)}
