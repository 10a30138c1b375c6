#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Scripted visitors of the shop: some look around, some buy, some are refused or leave their cart.

Each is a thread with its own connection, cookie and pace; the script of a visit is drawn with a seed.

    visitors.py --port 8080 [--count 4] [--seconds 60] [--pace 1.0] [--seed 1]
"""
import argparse
import http.client
import random
import re
import threading
import time
import urllib.parse

AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
]


class Visitor:
    def __init__(self, port, seed, pace, end):
        self.port, self.pace, self.end = port, pace, end
        self.random = random.Random(seed)
        self.connection = None
        self.forget()

    def forget(self):
        """The next visit is another person's."""
        self.cookie, self.tags, self.last = None, {}, None
        self.agent = self.random.choice(AGENTS)
        if self.connection:
            self.connection.close()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def fetch(self, method, path, form=None, accept="text/html"):
        fields = {"User-Agent": self.agent, "Accept": accept}
        if self.cookie:
            fields["Cookie"] = self.cookie
        if self.last:
            fields["Referer"] = "http://127.0.0.1:%d%s" % (self.port, self.last)
        if path in self.tags:
            fields["If-None-Match"] = self.tags[path]
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, fields)
        response = self.connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        if response.getheader("Set-Cookie"):
            self.cookie = response.getheader("Set-Cookie").split(";")[0]
        if response.getheader("ETag"):
            self.tags[path] = response.getheader("ETag")
        return response, text

    def page(self, path, method="GET", form=None):
        """A page with what it pulls in; redirects are followed."""
        response, text = self.fetch(method, path, form)
        while response.status in (302, 303):
            path = response.getheader("Location")
            response, text = self.fetch("GET", path)
        self.last = path
        for part in re.findall(r'(?:src|href)="(/(?:static|images)/[^"]+)"', text):
            self.fetch("GET", part, accept="image/*,*/*;q=0.8")
        if "/static/shop.js" in text:
            self.fetch("GET", "/api/cart", accept="*/*")
        self.think()
        return response.status, text

    def think(self):
        time.sleep(self.pace * self.random.uniform(0.1, 1.2))

    def browse(self):
        _, text = self.page("/")
        if self.random.random() < 0.3:
            _, text = self.page("/search?q=" + self.random.choice(["tent", "pan", "bike", "nothing"]))
        links = re.findall(r'href="(/(?:category|product)/[^"]+)"', text)
        for _ in range(self.random.randint(1, 4)):
            _, text = self.page(self.random.choice(links))
            links = re.findall(r'href="(/(?:category|product)/[^"]+)"', text) or links
        if self.random.random() < 0.1:
            self.page("/product/sold-last-year")

    def buy(self, until):
        """Fills a cart and goes as far as `until`: cart, address, shipping, refused or paid."""
        self.browse()
        for _ in range(self.random.randint(1, 3)):
            number = self.random.choice([1001, 1003, 2001, 2002, 3004, 4002, 3003])
            self.page("/cart/add", "POST", {"product": number, "quantity": self.random.randint(1, 2)})
        if until == "cart":
            return
        self.page("/checkout/address")
        self.page("/checkout/address", "POST", {"name": "A. Visitor", "street": "1 High Street", "city": "Lyon"})
        if until == "address":
            return
        self.page("/checkout/shipping", "POST", {"method": self.random.choice(["standard", "express"])})
        if until == "shipping":
            return
        card = "4000000000000002" if until == "refused" else "4242424242424242"
        self.page("/checkout/payment", "POST", {"card": card})

    def run(self):
        while time.monotonic() < self.end:
            try:
                script = self.random.choices(["browse", "cart", "address", "shipping", "refused", "paid"],
                                             [8, 3, 1, 1, 1, 4])[0]
                if script == "browse":
                    self.browse()
                else:
                    self.buy(script)
            except (OSError, http.client.HTTPException):
                time.sleep(0.2)
            self.forget()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--pace", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    o = parser.parse_args()
    end = time.monotonic() + o.seconds
    threads = [threading.Thread(target=Visitor(o.port, o.seed * 1000 + i, o.pace, end).run, daemon=True)
               for i in range(o.count)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        pass


main()
