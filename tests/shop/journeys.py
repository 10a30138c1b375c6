#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Scripted journeys of customers, with a seed: what a test compares the agent with, beside the shop's database.

Every kind comes in turn, by forms and by script in turn, each as another person with an address, an agent and a
jar of its own. Each visit writes one JSON object a line to --record: who, kind, way, customer (human, robot,
staff), requests, views (products), searches, carts and orders (names it was shown), log_ins, sign_ups, last
(nanoseconds since 1970 at which its last request began and ended). With --gap some come again after so many
seconds, which is another line with the same `who`; the first then says at which `step` it left the cart.

    journeys.py --port 8080 --provider-port 9000 [--count 200] [--seed 1] [--pace 0.05] [--at-once 16]
                [--charset utf-8] [--site shop.example] [--gap 0] [--kinds a,b] [--record FILE]
"""
import argparse
import concurrent.futures
import json
import random
import sys
import threading
import time

from catalogue import PRODUCTS
from customer import WAYS, Browser, Record

HUMAN = ["Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0" % (v, v) for v in range(100, 160)]
ROBOT = "examplebot/%d.1 (+http://bot.example/)"
GOODS = [p for p in PRODUCTS if p.stock > 8]  # enough of each for all that the scripts ask for
SHELF, BIKE = 3003, 4001  # sold out; four left


class Journey:
    """One person. Each method that KINDS names is what he does; `way` fills carts."""

    def __init__(self, options, who, kind, way):
        customer = "robot" if kind.startswith("robot") else "staff" if kind in ("office", "staff_orders") else "human"
        self.options, self.random = options, random.Random("%d %d" % (options.seed, who))
        self.record = Record(who, kind, way, customer)
        place = {"human": "127.1.%d.%d", "robot": "127.8.%d.%d", "staff": "127.9.%d.%d"}[customer]
        agent = ROBOT % who if customer == "robot" else HUMAN[who % len(HUMAN)]
        self.browser = Browser(options, self.record, place % (who // 200, who % 200 + 1), agent, options.charset)
        if customer == "staff":
            self.browser.jar["role"] = "staff"
        self.way = WAYS[way](self.browser)
        self.visits = [self.record]

    def run(self):
        getattr(self, self.record.kind)()
        self.browser.close()
        return [visit.told() for visit in self.visits]

    # ---- parts of journeys ----

    def look(self, pages=2):
        self.browser.go("/")
        for product in self.random.sample(GOODS, pages):
            self.browser.see(product.slug)

    def fill(self, products=None):
        """Looks around and puts some things into the cart; which."""
        self.look(self.random.randint(1, 2))
        chosen = self.random.sample(GOODS, products or self.random.randint(1, 3))
        for product in chosen:
            if self.random.random() < 0.4:
                self.browser.see(product.slug)
            self.expect(self.way.add(product.id, self.random.randint(1, 3)), 200)
        return chosen

    def check_out(self, until="shipping"):
        for step in ("begin", "contact", "address"):
            self.expect(getattr(self.way, step)(), 200)
            if step == until:
                return
        self.expect(self.way.shipping(self.random.choice(["standard", "express", "pickup"])), 200)

    def expect(self, status, *wanted):
        if status not in wanted:
            raise AssertionError("%s: the shop answered %s, not %s" % (self.record.kind, status, wanted))

    def order(self):
        self.expect(self.way.pay(), 200, 201)

    # ---- without a cart ----

    def browse(self):
        self.look(3)
        self.browser.go("/category/kitchen")
        self.browser.go("/product/" + self.random.choice(GOODS).slug)
        self.browser.go("/product/sold-last-year")

    def searches(self):
        self.browser.go("/")
        for words in ("tent", "cast iron pan", "no such thing"):
            self.browser.search(words)
        self.browser.see("tent-two")
        self.browser.see("tent-two")  # a reload counts

    # ---- carts that are left ----

    def left_at_cart(self):
        self.fill()

    def left_at_checkout(self):
        self.fill()
        self.check_out("begin")

    def left_at_contact(self):
        self.fill()
        self.check_out("contact")

    def left_at_address(self):
        self.fill()
        self.check_out("address")

    def left_at_shipping(self):
        self.fill()
        self.check_out()

    def left_at_payment(self):
        """Sent to the provider's page, and never seen again."""
        self.fill()
        self.check_out()
        self.way.leave_to_pay()

    def left_and_looks(self):
        """Goes back to the goods after a step: that does not lower it."""
        self.fill()
        self.check_out("address")
        self.look(2)

    def emptied(self):
        for product in self.fill():
            self.way.remove(product.id)

    def emptied_and_anew(self):
        self.emptied()
        self.fill(1)

    # ---- changes ----

    def changes(self):
        first, second, third = self.fill(3)
        self.way.put(first.id, 5)
        self.way.put(second.id, 1)
        self.way.remove(third.id)
        self.way.add(first.id, 2)
        self.way.cart()
        if self.random.random() < 0.5:
            self.check_out()
            self.order()

    def coupon(self):
        self.fill(2)
        self.expect(self.way.coupon(self.random.choice(["SPRING10", "FIVE", "FREESHIP"])), 200)
        if self.random.random() < 0.7:
            self.check_out()
            self.order()

    def coupon_refused(self):
        self.look(1)
        self.way.add(3004)  # costs too little
        self.expect(self.way.coupon("OVER100"), 422)
        self.expect(self.way.coupon("GIVEMEALL"), 422)
        self.check_out("contact")

    def refused_stock(self):
        self.look(1)
        self.expect(self.way.add(SHELF), 409)
        self.expect(self.way.add(BIKE, 5), 409)
        self.expect(self.way.add(BIKE, 2), 200)
        self.expect(self.way.put(BIKE, 9), 409)

    def double_add(self):
        """Two clicks are two pieces: so says the shop."""
        product = self.random.choice(GOODS)
        self.fill(1)
        self.way.at_once(lambda way: way.add(product.id))
        self.way.cart()

    # ---- orders ----

    def orders(self):
        self.fill()
        self.check_out()
        self.order()

    def invoice(self):
        self.fill()
        self.check_out()
        self.expect(self.way.pay(method="invoice"), 200, 201)

    def refused_then_paid(self):
        self.fill()
        self.check_out()
        for _ in range(self.random.randint(1, 2)):
            self.expect(self.way.pay("refused"), 402)
        self.order()

    def refused_and_left(self):
        self.fill()
        self.check_out()
        self.expect(self.way.pay("refused"), 402)

    def double_click(self):
        self.fill()
        self.check_out()
        self.way.at_once(lambda way: way.pay())
        self.browser.think()

    def reload(self):
        """The confirmation again and again, the last time another day from a mark."""
        self.orders()
        for _ in range(3):
            self.browser.go("/order/" + self.record.orders[-1])
        self.browser.call("GET", "/api/orders/" + self.record.orders[-1])

    def back_button(self):
        self.fill()
        self.check_out()
        self.browser.go("/checkout/address")
        self.way.address()
        self.way.shipping("express")
        self.order()
        self.browser.go("/checkout/payment")  # leads to the empty cart
        self.way.pay()  # the form once more: the same order
        self.browser.go("/cart")

    def two_tabs(self):
        self.fill(1)
        other = type(self.way)(self.browser.tab())
        one, two = self.random.sample(GOODS, 2)
        threads = [threading.Thread(target=way.add, args=(product.id, 1)) for way, product in ((self.way, one), (other, two))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        other.begin()
        self.way.cart()
        other.contact()
        other.browser.close()
        self.check_out()
        if self.random.random() < 0.5:
            self.order()

    def second_cart(self):
        self.orders()
        self.fill(1)
        self.check_out("contact")

    def second_order(self):
        self.orders()
        self.orders()

    # ---- the provider's page ----

    def away(self, card, notify, returns=True):
        place = self.browser.at_provider(self.way.leave_to_pay(), card, notify)
        if returns:
            self.way.back_from(place)

    def away_and_back(self):
        self.fill()
        self.check_out()
        self.away("paid", "before")

    def away_and_told_later(self):
        self.fill()
        self.check_out()
        self.away("paid", "after")
        time.sleep(0.5)

    def away_not_told(self):
        self.fill()
        self.check_out()
        self.away("paid", "none")

    def away_never_back(self):
        """Only the provider tells."""
        self.fill()
        self.check_out()
        self.away("paid", "before", returns=False)

    def away_refused_then_card(self):
        self.fill()
        self.check_out()
        self.away("refused", "before")
        self.order()

    def away_refused_and_left(self):
        self.fill()
        self.check_out()
        self.away("refused", "none")

    # ---- who they are ----

    def mail(self):
        return "member.%d@example.org" % self.record.who

    def member(self):
        """Signs up with a full cart, orders, looks at his orders: none of those is one."""
        self.fill()
        self.browser.sign_up(self.mail())
        self.way.cart()
        self.check_out()
        self.order()
        self.browser.go("/account/orders")
        self.browser.go("/account/orders/" + self.record.orders[-1])
        self.browser.go("/account/orders/" + self.record.orders[-1])

    def member_comes_in(self):
        self.browser.go("/account")
        self.browser.sign_up(self.mail())
        self.browser.go("/account/logout")
        self.fill()
        self.expect(self.browser.log_in(self.mail(), "wrong"), 401)
        self.expect(self.browser.log_in(self.mail()), 200)
        self.way.cart()
        self.check_out("address")

    def office(self):
        """Looks through what others ordered."""
        _, text = self.browser.go("/office/orders")
        for number in sorted({w for w in text.split('"') if w.startswith("/office/orders/")})[:5]:
            self.browser.go(number)
        self.browser.send("GET", "/office/export.csv")

    def staff_orders(self):
        self.orders()

    def robot(self):
        for path in ("/", "/category/kitchen", "/product/moka-pot", "/product/tea-kettle"):
            self.browser.page = None
            self.browser.go(path)

    def robot_orders(self):
        self.orders()

    # ---- who comes again (--gap) ----

    def again(self, step):
        self.record.step = step
        self.visits.append(Record(self.record.who, self.record.kind, self.record.way, self.record.customer))
        self.record = self.browser.record = self.visits[-1]
        self.browser.close()
        time.sleep(self.options.gap)
        self.way.cart()

    def comes_again_and_orders(self):
        self.fill()
        self.check_out("address")
        self.again("address")
        self.check_out()
        self.order()

    def comes_again_and_leaves(self):
        self.fill()
        self.again("cart")
        self.way.add(2001)


AGAIN = ["comes_again_and_orders", "comes_again_and_leaves"]
KINDS = [name for name, value in vars(Journey).items() if callable(value) and not name.startswith("_") and name not in
         ("run", "look", "fill", "check_out", "expect", "order", "away", "mail", "again", *AGAIN)]
# Ways that a script of that kind has no other: pages only.
FORMS_ONLY = ("browse", "searches", "office", "robot")


class Options:
    """What all journeys share; a random of each thread for the pauses, which are no part of the script."""

    def __init__(self, parsed):
        self.__dict__.update(vars(parsed))
        self.local = threading.local()

    def random(self):
        if not hasattr(self.local, "it"):
            self.local.it = random.Random()
        return self.local.it


def plan(count, seed, gap, only=None):
    """[(who, kind, way)]: each kind by each way in turn, in an order that the seed gives."""
    kinds = only or KINDS + (AGAIN if gap else [])
    both = [(kind, way) for kind in kinds for way in WAYS if way == "forms" or kind not in FORMS_ONLY]
    mixed = []
    rng = random.Random(seed)
    while len(mixed) < count:
        rng.shuffle(both)
        mixed += both
    return [(who, *pair) for who, pair in enumerate(mixed[:count])]


def travel(options, out):
    """All journeys; how many failed."""
    failed = 0
    lock = threading.Lock()

    def one(who, kind, way):
        told = Journey(options, who, kind, way).run()
        with lock:
            for visit in told:
                print(json.dumps(visit), file=out, flush=True)

    with concurrent.futures.ThreadPoolExecutor(options.at_once) as pool:
        work = {pool.submit(one, *who): who for who in plan(options.count, options.seed, options.gap, options.kinds)}
        for done in concurrent.futures.as_completed(work):
            if done.exception():
                failed += 1
                print("journeys: %s: %r" % (work[done], done.exception()), file=sys.stderr, flush=True)
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--provider-port", type=int, required=True)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pace", type=float, default=0.05)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--charset", default="utf-8")
    parser.add_argument("--site", default="shop.example")
    parser.add_argument("--gap", type=float, default=0)
    parser.add_argument("--kinds", type=lambda text: text.split(","))
    parser.add_argument("--record")
    options = Options(parser.parse_args())
    out = open(options.record, "w") if options.record else sys.stdout
    sys.exit(1 if travel(options, out) else 0)


if __name__ == "__main__":
    main()
