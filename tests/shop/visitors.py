#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Scripted visitors of the shop: some look around, some buy, some are refused (and try again), are sent away to
pay, take something out again, or leave their cart at whichever step.

Each is a thread that makes one visit after the other, each as another person: with an address, a browser, a
language, a way by which he came and cookies of his own, and with the fields that a browser sends. What a visit
does is drawn with a seed; the first of all is a tour that meets a slow page, one with a part that is missing,
and one that is not there. Now and then it is a crawler.

    visitors.py --port 8080 [--count 4] [--seconds 60] [--pace 1.0] [--seed 1]
"""
import argparse
import http.client
import itertools
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
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Safari/605.1.15",
]
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
LANGUAGES = ["en-GB,en;q=0.9", "fr-FR,fr;q=0.9,en;q=0.7", "de-DE,de;q=0.9"]
# How they come: the page before, and what the link had in its query.
WAYS = [(None, ""), ("https://www.google.com/", ""), ("https://www.instagram.com/", ""),
        ("https://outdoor.example/best-tents", ""),
        (None, "?utm_source=newsletter&utm_medium=email&utm_campaign=spring")]
# What browsers say a request is for, by the end of its path.
FETCHED = {"css": ("style", "text/css,*/*;q=0.1"), "js": ("script", "*/*"), "svg": ("image", "image/*,*/*;q=0.8")}
people = itertools.count(1)


class Visitor:
    def __init__(self, port, seed, pace, end):
        self.port, self.pace, self.end = port, pace, end
        self.random = random.Random(seed)
        self.connection = None
        self.forget()

    def forget(self):
        """The next visit is another person's."""
        person = next(people)
        self.cookie, self.tags = None, {}
        self.agent = self.random.choice(AGENTS)
        self.language = self.random.choice(LANGUAGES)
        self.last, self.query = self.random.choice(WAYS)
        if self.connection:
            self.connection.close()
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=30,
            source_address=("127.1.%d.%d" % (person // 250 % 250, person % 250 + 1), 0))

    def fetch(self, method, path, form=None, dest="document", accept="text/html,*/*;q=0.8"):
        fields = {"User-Agent": self.agent, "Accept": accept}
        if self.agent != CRAWLER:
            fields.update({"Accept-Language": self.language, "Sec-Fetch-Dest": dest,
                           "Sec-Fetch-Mode": "navigate" if dest == "document" else "no-cors",
                           "Sec-Fetch-Site": "same-origin"})
        if self.cookie:
            fields["Cookie"] = self.cookie
        if self.last:
            fields["Referer"] = self.last
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
            if path.startswith("http"):  # to another host, which is not the shop's
                return response.status, path
            response, text = self.fetch("GET", path)
        self.last = "http://127.0.0.1:%d%s" % (self.port, path)
        for part in re.findall(r'(?:src|href)="(/(?:static|images)/[^"]+)"', text):
            dest, accept = FETCHED[part.rsplit(".", 1)[1]]
            self.fetch("GET", part, dest=dest, accept=accept)
        if "/static/shop.js" in text:
            self.fetch("GET", "/api/cart", dest="empty", accept="*/*")
        self.think()
        return response.status, text

    def think(self):
        time.sleep(self.pace * self.random.uniform(0.1, 1.2))

    def tour(self):
        self.page("/" + self.query)
        self.page("/search?q=tent")
        self.page("/product/oak-shelf")
        self.page("/product/sold-last-year")
        self.page("/category/outdoor")

    def crawl(self):
        """A crawler: no cookie, nothing that a page pulls in."""
        self.agent, self.last = CRAWLER, None
        for path in ("/", "/category/kitchen", "/product/moka-pot"):
            self.fetch("GET", path, accept="text/html")
            self.think()

    def browse(self):
        _, text = self.page("/" + self.query)
        if self.random.random() < 0.3:
            _, text = self.page("/search?q=" + self.random.choice(["tent", "pan", "bike", "nothing"]))
        links = re.findall(r'href="(/(?:category|product)/[^"]+)"', text)
        for _ in range(self.random.randint(1, 4)):
            _, text = self.page(self.random.choice(links))
            links = re.findall(r'href="(/(?:category|product)/[^"]+)"', text) or links
        if self.random.random() < 0.1:
            self.page("/product/sold-last-year")

    def fill(self):
        """Puts some things into the cart, and perhaps one of them back."""
        self.browse()
        chosen = self.random.sample([1001, 1003, 2001, 2002, 3004, 4002, 3003], self.random.randint(1, 3))
        for number in chosen:
            self.page("/cart/add", "POST", {"product": number, "quantity": self.random.randint(1, 2)})
        if len(chosen) > 1 and self.random.random() < 0.3:
            self.page("/cart/remove", "POST", {"product": chosen[0]})
        if self.random.random() < 0.3:
            self.page("/cart/coupon", "POST", {"code": self.random.choice(["SPRING10", "SPRING99"])})

    def buy(self, until):
        """Fills a cart and goes as far as `until`."""
        self.fill()
        if until == "cart":
            return
        self.page("/checkout")
        self.page("/checkout/contact", "POST", {"email": "visitor@example.org"})
        self.page("/checkout/address", "POST", {"name": "A. Visitor", "street": "1 High Street", "city": "Lyon"})
        if until == "address":
            return
        self.page("/checkout/shipping", "POST", {"method": self.random.choice(["standard", "express"])})
        if until == "shipping":
            return
        if until in ("away", "away_and_back"):
            return self.pay_elsewhere(until == "away_and_back")
        if until in ("refused", "retried"):
            self.page("/checkout/payment", "POST", {"card": "4000000000000002"})
        if until != "refused":
            self.page("/checkout/payment", "POST", {"card": "4242424242424242"})

    def pay_elsewhere(self, pays):
        """On the provider's page; who does not pay there has left his cart there."""
        status, place = self.page("/checkout/payment", "POST", {"method": "elsewhere"})
        if status != 302 or not pays:
            return
        place = urllib.parse.urlsplit(place)
        provider = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
        provider.request("POST", place.path, "card=4242424242424242&notify=none", {"User-Agent": self.agent})
        answer = provider.getresponse()
        answer.read()
        provider.close()
        self.page(urllib.parse.urlsplit(answer.getheader("Location")).path)

    def run(self, script=None):
        while time.monotonic() < self.end:
            try:
                script = script or self.random.choices(
                    ["browse", "crawl", "cart", "address", "shipping", "refused", "retried", "away", "away_and_back", "paid"],
                    [8, 1, 3, 1, 1, 1, 1, 1, 1, 3])[0]
                if script in ("browse", "crawl", "tour"):
                    getattr(self, script)()
                else:
                    self.buy(script)
            except (OSError, http.client.HTTPException):
                time.sleep(0.2)
            script = None
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
    threads = [threading.Thread(target=Visitor(o.port, o.seed * 1000 + i, o.pace, end).run,
                                args=() if i else ("tour",), daemon=True) for i in range(o.count)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        pass


main()
