#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Journeys of a real Chromium through the sample shop, by its pages: every order, every cart that was left with its
step, every piece that came and went, every view, against the shop's own database. Three shops at once under one
agent: at an address, at a plain-HTTP name (where browsers send no Sec-Fetch-*), and behind nginx, packed and in
chunks, with amounts as the French write them. Visitors go back, reload what they have, click twice, open tabs, are
refused, and pay at a provider of another host.
"""
import json
import os
import re
import sys
import time
import urllib.parse

from lib import journeys, people, process, schema
from lib.agent import Agent, sources
from lib.people import Visitor, click, go, step
from lib.suite import Suite, check, equal

sys.path.insert(0, journeys.SHOP)
from catalogue import BY_SLUG, PRODUCTS  # noqa: E402

IDS = {p.slug: str(p.id) for p in PRODUCTS}
PAUSE_S = 12  # no visitor waits so long for a browser that is busy with others
PROVIDER = "pay.test"
BANK_MS = 400  # longer than what lies between two clicks
# name of the site: how the shop looks, its decimal sign, whether nginx stands before it
SHOPS = {
    "127.0.0.1": (["--style", "plain"], ".", False),
    people.HOST: (["--style", "front", "--cookies", "first"], ".", False),
    "front." + people.HOST: (["--style", "euro", "--gzip", "--chunks", "--charset", "windows-1252"], ",", True),
}
PAID, REFUSED = "4242424242424242", "4000000000000002"
SHOWN = """({ cart: document.querySelector('[data-cart]')?.dataset.cart, order: document.querySelector('#thanks #order')?.innerText })"""
PAY_AND_STAY = """fetch(location.href, { method: 'POST', redirect: 'manual',
  body: new URLSearchParams({ card: '%s', notify: 'before' }) }).then(() => 0)""" % PAID
LINK = "document.body.append(Object.assign(document.createElement('a'), { id: 'next', text: 'next', href: '%s' }))"
# The cart's id goes where the script's own calls ask for it; an order is a link in the end.
CALLS = """(async () => {
  let cart, order;
  for (const [method, path, body] of %s) {
    if (body && 'cart' in body)
      body.cart = cart;
    const answer = await fetch(path, { method, headers: { 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) });
    const said = await answer.json();
    cart = said.id || said.cart?.id || cart;
    order = said.order?.number || order;
  }
  if (order)
    document.body.append(Object.assign(document.createElement('a'), { id: 'next', text: 'your order', href: '/order/' + order }));
})()"""


class Walks:
    """What visitors do in the shop at `base`."""

    def __init__(self, base):
        self.base = base

    def at(self, path=""):
        return go(self.base + path)

    # ---- parts of journeys ----

    def add(self, slug, pieces=1, **more):
        return [step("goto", url=self.base + "product/" + slug, **more), *self.put_in(pieces, **more)]

    def put_in(self, pieces=1, **more):
        return [step("fill", on="form[action='/cart/add'] input[name=quantity]", text=str(pieces), **more),
                click("form[action='/cart/add'] button", **more)]

    def line(self, slug):
        return "tr[data-product='%d'] " % BY_SLUG[slug].id

    def change(self, slug, pieces):
        form = self.line(slug) + "form[action='/cart/update'] "
        return [step("fill", on=form + "input[name=quantity]", text=str(pieces)), click(form + "button")]

    def take_out(self, slug):
        return [click(self.line(slug) + "form[action='/cart/remove'] button")]

    def coupon(self, code):
        return [step("fill", on="input[name=code]", text=code), click("form[action='/cart/coupon'] button")]

    def fields(self, **texts):
        return [*[step("fill", on="#checkout input[name=%s]" % name, text=text) for name, text in texts.items()], click("#checkout button")]

    def contact(self):
        return self.fields(email="visitor@example.org")

    def address(self):
        return self.fields(name="A. Visitör", street="Große Straße 1", city="Fürth")

    def ship(self, way="standard"):
        return [step("press", on="#checkout input[value=%s]" % way), click("#checkout button")]

    def check_out(self):
        return [click("a[href='/checkout']"), *self.contact(), *self.address(), *self.ship()]

    def card(self, number=PAID, **more):
        return [step("press", on="#checkout input[value=card]", **more), step("fill", on="#checkout input[name=card]", text=number, **more)]

    def pay(self, number=PAID, **more):
        return [*self.card(number, **more), click("#checkout button", **more)]

    def go_away_to_pay(self):
        return [step("press", on="#checkout input[value=elsewhere]"), click("#checkout button")]

    def pay_there(self, number=PAID):
        return [step("fill", on="input[name=card]", text=number), click("button")]

    # ---- without an order ----

    def browses(self):
        return [self.at(), click("a[href='/category/kitchen']"), click(".grid a[href='/product/moka-pot']"), step("reload"),
                click(".grid a >> nth=0"), step("back"), self.at("product/sold-last-year"), self.at("search?q=tent"), self.at("product/tent-two")]

    def left_at_cart(self):
        return [self.at(), *self.add("moka-pot", 2), *self.add("plant-pot"), *self.change("moka-pot", 5), *self.take_out("plant-pot"),
                *self.change("moka-pot", 3), *self.coupon("SPRING10"), self.at("category/home")]

    def left_at_contact(self):
        """Goes back to the goods after that: it lowers nothing."""
        return [*self.add("tea-kettle", 3), click("a[href='/checkout']"), *self.contact(), step("back"), step("back"), self.at("product/moka-pot"),
                self.at("cart")]

    def left_at_shipping(self):
        return [*self.add("rain-cape"), *self.check_out(), self.at("product/bike-lock"), *self.put_in(2)]

    def left_at_payment(self):
        """Sees the provider's page, and that is the last of him."""
        return [*self.add("desk-lamp", 2), *self.check_out(), *self.go_away_to_pay()]

    def emptied(self):
        return [*self.add("chef-knife"), *self.add("plant-pot", 2), *self.take_out("chef-knife"), *self.take_out("plant-pot"), self.at()]

    def refused_stock(self):
        return [*self.add("oak-shelf"), *self.add("city-bike", 5), *self.add("city-bike", 2), *self.change("city-bike", 9)]

    def double_add(self):
        """Two clicks at once are as many pieces as the shop says, mostly one: the browser sends the form once."""
        return [*self.add("moka-pot"), self.at("product/head-torch"), step("twice", on="form[action='/cart/add'] button", ms=0), self.at("cart")]

    def two_tabs(self):
        other = {"tab": "b"}
        return [*self.add("moka-pot"), step("open", on="a[href='/product/moka-pot']", **{"as": "b"}), *self.put_in(2, **other),
                step("reload"), *self.change("moka-pot", 1), step("reload", **other), *self.add("plant-pot", 4, **other),
                click("a[href='/checkout']", **other), step("reload")]

    # ---- orders ----

    def orders_and_reloads(self):
        return [self.at(), *self.add("trail-backpack"), *self.add("moka-pot", 2), *self.check_out(), *self.pay(), step("reload"),
                step("back"), step("forward"), step("reload"), self.at()]

    def back_button(self):
        """From the last form to the one before it and on again; and the order once more from a tab that has the form still."""
        other = {"tab": "b"}
        return [*self.add("wool-blanket"), *self.check_out(), step("back"), step("back"), *self.address(), *self.ship("express"),
                step("run", code=LINK % "/checkout/payment"), step("open", on="#next", **{"as": "b"}), *self.pay(), step("back"),
                *self.pay(**other), self.at("cart")]

    def double_click(self):
        """The bank takes its time, and the second click is a second order for all that the browser knows."""
        return [*self.add("cast-iron-pan"), *self.add("plant-pot", 2), *self.check_out(), *self.card(), step("twice", on="#checkout button", ms=150),
                step("reload")]

    def refused_then_paid(self):
        """A reload of the refusal sends the form again."""
        return [*self.add("bike-lock", 2), *self.coupon("NONSUCH"), *self.check_out(), *self.pay(REFUSED), step("reload"), *self.pay(), self.at("account/orders")]

    def away_and_back(self):
        return [*self.add("down-jacket"), *self.check_out(), *self.go_away_to_pay(), *self.pay_there(), step("reload")]

    def away_and_told_later(self):
        """The provider's word comes after the visitor."""
        return [*self.add("wool-blanket"), *self.check_out(), *self.go_away_to_pay(),
                step("run", code="document.querySelector('input[name=notify]').value = 'after'"), *self.pay_there(), self.at(), step("reload")]

    def away_and_never_back(self):
        """He paid, and his browser did not follow back: only the provider's word tells."""
        return [*self.add("rain-cape", 2), *self.check_out(), *self.go_away_to_pay(), step("run", code=PAY_AND_STAY)]

    def away_refused_then_card(self):
        return [*self.add("camp-stove", 2), *self.check_out(), *self.go_away_to_pay(), *self.pay_there(REFUSED), *self.pay()]

    def member(self):
        """Signs up with a full cart, orders, looks at that again in the account; then the next cart."""
        return [*self.add("tea-kettle"), self.at("account"), *self.say_who("signup"), self.at("cart"), *self.check_out(), *self.pay(), self.at("account"),
                click("a[href='/account/orders']"), click("tr.past a"), step("reload"), self.at("account/logout"), self.at("account"),
                *self.say_who("login", "wrong"), *self.say_who("login"), *self.add("plant-pot")]

    def say_who(self, act, password="Teekessel-9"):
        form = "form[action='/account/%s'] " % act
        return [step("fill", on=form + "input[name=email]", text="member@example.org"), step("fill", on=form + "input[name=password]", text=password),
                click(form + "button")]

    def by_script(self):
        """The same shop as a page that is a script, which shows the order in the end."""
        first, second = BY_SLUG["moka-pot"].id, BY_SLUG["chef-knife"].id
        fill = [["POST", "/api/cart/items", {"product": first, "quantity": 2}], ["POST", "/api/cart/items", {"product": second}],
                ["PATCH", "/api/cart/items/%d" % first, {"quantity": 4}], ["DELETE", "/api/cart/items/%d" % second, None]]
        order = [["GET", "/api/checkout", None], ["POST", "/api/checkout/contact", {"email": "a@example.org"}],
                 ["POST", "/api/checkout/address", {"street": "Große Straße 1"}], ["POST", "/api/checkout/shipping", {"method": "pickup"}],
                 ["POST", "/api/checkout/payment", {"method": "card", "card": REFUSED, "cart": None}],
                 ["POST", "/api/checkout/payment", {"method": "card", "card": PAID, "cart": None}]]
        return [self.at("product/moka-pot"), step("run", code=CALLS % json.dumps(fill)), self.at("cart"),
                step("run", code=CALLS % json.dumps(order)), click("#next"), step("reload")]


# Those with the most ways to go wrong first: they come twice.
KINDS = ("member", "back_button", "orders_and_reloads", "away_refused_then_card", "refused_then_paid", "double_click", "two_tabs", "left_at_shipping",
         "left_at_contact", "away_and_back", "away_and_told_later", "away_and_never_back", "left_at_payment", "left_at_cart", "by_script", "browses", "emptied", "refused_stock", "double_add")


# ---- what a visitor did, as his browser saw it ----

def record(who, v, kind, world):
    """In the form of tests/shop/journeys.py."""
    at_shop = [w for w in v.did["views"] if urllib.parse.urlsplit(w["url"]).port == world.asked]
    asked = [w for w in at_shop if not w["cached"]]
    sent = [people.path(r["url"]) for w in asked for r in w["redirects"] if r["method"] == "POST"]
    once = lambda key: list(dict.fromkeys(w["shown"][key] for w in at_shop if w["shown"].get(key)))
    last = max(w["begin"] for w in asked), max(t for host, t in v.did["last"].items() if host.endswith(":%d" % world.asked))
    return {"who": who, "kind": kind, "way": "browser", "customer": "human", "requests": None, "carts": once("cart"), "orders": once("order"),
            "views": [people.path(w["url"]).split("/")[2] for w in asked if people.path(w["url"]).startswith("/product/") and w["status"] == 200],
            "searches": [urllib.parse.parse_qs(w["url"].partition("?")[2])["q"][0] for w in asked if people.path(w["url"]) == "/search"],
            "log_ins": sent.count("/account/login"), "sign_ups": sent.count("/account/signup"),
            "last": [int(t * 1e6) for t in last], "step": None}


def worlds():
    return {site: journeys.World(*how, "--bank", BANK_MS, front=front, names=(site, PROVIDER)) for site, (how, _, front) in SHOPS.items()}


def rules():
    """The recipe once for each site, with its decimal sign."""
    place, files = process.folder("rules"), []
    for site, (_, decimal, _) in SHOPS.items():
        text = re.sub(r"(?m)^(  - name: .*)$", r"\1 at " + site, journeys.recipe(decimal))  # each rule has a name of its own
        files += ["--rules", process.write(os.path.join(place, site), 'site: "%s"\n%s' % (site, text))]
    return files


def browser(source, turn, reason, kinds):
    shops = worlds()
    agent = Agent(*[part for world in shops.values() for part in world.ports()], *rules(), *(["--session-timeout", "%ds" % PAUSE_S] if reason == "timeout" else []),
                  source=source)
    visitors, of = [], {site: [] for site in shops}
    for who, kind in enumerate(kinds):
        site = list(shops)[(who + turn) % len(shops)]
        walks = Walks("http://%s:%d/" % (site, shops[site].asked))
        visitors.append(Visitor("%s at %s" % (kind, site), getattr(walks, kind)(), shown=SHOWN))
        of[site].append((who, visitors[-1], kind))
    people.visit(visitors, at_once=9, names=(PROVIDER,))
    if reason == "timeout":
        time.sleep(PAUSE_S + 2)
    agent.stop()
    rows = agent.all_rows()
    schema.validate_shapes([r for r in rows if r["type"] == "event"])
    numbers = {v.agent: who for who, v in enumerate(visitors)}
    problems, orders, left = [], 0, 0
    for site, world in shops.items():
        check("Traceback" not in process.read(world.log), "the shop: " + process.read(world.log)[-600:])
        truth = journeys.Truth(world.database, [record(who, v, kind, world) for who, v, kind in of[site]])
        found, _ = journeys.everything(truth, [r for r in rows if r.get("parcours.site") == site], IDS, (reason,),
                                       who=lambda row: numbers.get(row.get("user_agent.original")))
        problems += ["%s: %s" % (site, problem) for problem in found]
        orders, left = orders + len(truth.orders), left + len(truth.left)
    for problem in problems[:40]:
        print("  " + problem)
    check(not problems, "%d differences from the truth, the first: %s" % (len(problems), problems and problems[0]))
    equal({r.get("parcours.site") for r in rows if r["type"] == "event"}, set(shops), "sites of events")
    visits = {(numbers[r["user_agent.original"]], r.get("session.id")) for r in agent.rows("server")
              if r.get("parcours.edge") and r.get("user_agent.original") in numbers}
    equal(sorted(who for who, _ in visits), list(range(len(visitors))), "whose each visit is")
    for kind, path, times in (("double_click", "/checkout/payment", 2), ("back_button", "/checkout/payment", 2)):
        sent = [r for r in agent.rows("server") if r.get("http.request.method") == "POST" and r.get("url.path") == path and r.get("parcours.edge")
                and numbers.get(r.get("user_agent.original")) == kinds.index(kind)]
        equal(len(sent), times, "forms that were sent by %s" % kind)
    return "%d visitors, %d orders, %d carts left" % (len(visitors), orders, left)


suite = Suite(timed=True)  # without Sec-Fetch-* a frame is told by when it comes
for turn, (each, reason, kinds) in enumerate(zip(sources(), ("timeout", "shutdown"), (KINDS, KINDS[:10]))):
    suite.run("three shops until the %s %s" % (reason, each), browser, each, turn, reason, kinds)
suite.done()
