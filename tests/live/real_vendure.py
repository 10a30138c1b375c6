#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Visits to Vendure, unchanged: a page is a document of nginx, everything else a POST to /shop-api. The session is a
cookie, or a bearer token that pages keep; the API is on the shop's origin or on one of its own.

With a bearer token nothing in the request of a page tells whose it is but address, agent and language.
"""
from lib import journeys, people, process, vendure, vendure_people
from lib.agent import Agent, sources
from lib.people import Visitor, click, go, step
from lib.suite import Suite, check, equal

PASSWORD = "Teekesselchen-88"
READY = step("see", on="body[data-ready]")


def mail(name):
    return "%s.kundin@example.org" % name.replace(" ", ".")


class Walks:
    """In one window of the shop."""

    def __init__(self, base):
        self.base = base

    def at(self, path, **more):
        return [go(self.base + path, **more), READY]

    def to(self, on, **more):
        return [click(on, **more), READY]

    def add(self):
        return [step("press", on="#add"), step("see", on=".added")]

    def account(self, name, button, seen, password=PASSWORD):
        return [step("fill", on="#email", text=mail(name)), step("fill", on="#password", text=password),
                step("press", on=button), step("see", on=seen)]

    def looker(self):
        return self.at("/") + self.to("text=Teapot") + [step("back"), READY] + self.to("text=Cup") + [step("reload"), READY] + \
            self.at("/basket") + [go(self.base + "/nowhere"), go(self.base + "/product/no-such-thing")]

    def guest(self):
        """Orders without an account."""
        return self.at("/") + self.to("text=Kettle") + self.add() + self.to("#home") + self.to("text=Cup") + self.add() + \
            self.to("#basket") + [step("press", on="[id^=less] >> nth=0"), step("see", on=".changed")] + self.to("#checkout") + \
            self.to("#order") + self.to("#home")

    def member(self, name):
        """Registers, signs in with a full basket (the session changes), orders, signs out, and in again."""
        sign_in = [step("fill", on="#email", text=mail(name)), step("fill", on="#password", text=PASSWORD), click("#login"), READY,
                   step("see", on="#who")]
        return self.at("/product/saucer") + self.add() + self.to("#account") + self.account(name, "#register", ".registered") + \
            self.account(name, "#login", ".error", "wrong") + sign_in + self.to("#basket") + self.to("#checkout") + \
            self.to("#order") + self.to("#account") + self.to("#logout") + self.to("text=Teapot") + self.to("#account") + \
            sign_in + self.to("#home")

    def tabs(self):
        return self.at("/") + [step("open", on="text=Teapot", **{"as": "b"}), step("see", on="body[data-ready]", tab="b"),
                               step("press", on="#add", tab="b"), step("see", on=".added", tab="b")] + self.to("#basket") + \
            [step("reload", tab="b"), step("see", on="body[data-ready]", tab="b"), step("close", tab="b")] + self.to("#home")

    def visitors(self, window):
        them = {"looker": self.looker(), "guest": self.guest(), "tabs": self.tabs(), "member": self.member("member " + window)}
        return [Visitor("%s, %s" % (name, window), steps) for name, steps in them.items()]


def everybody(source, host):
    shop = vendure.Vendure().start()
    agent = Agent("--port", shop.port, *(a for p in shop.windows.values() for a in ("--port", p)), "--rules", vendure.RECIPE,
                  source=source)
    visitors = [v for name, port in shop.windows.items() for v in Walks("http://%s:%d" % (host, port)).visitors(name)]
    people.visit(visitors, seconds=400)
    agent.stop()
    visits = people.told_apart(visitors, agent, host)
    reasons = people.keys_apart(visitors, visits, agent)
    for name in vendure.NAMES:
        check("rotation" in reasons["member, " + name], "aliases of member, %s, who logs in and out: %s" % (name, reasons["member, " + name]))
    return "%d visits, %d page views, %d orders" % (len(visits), sum(len(v.views) for v in visitors), ordered(shop, agent))


def ordered(shop, agent):
    """Each order once, as Vendure has it: of each window a guest's and a member's."""
    orders = vendure_people.Truth(shop.database, [], set()).orders
    told = [(e["transaction_id"], {"value": e.get("value"), "currency": e.get("currency"), "items": journeys.items_of(e["items"])})
            for e in journeys.Said(agent.all_rows()).named("purchase")]
    want = [(code, {"value": "%.2f" % o["value"], "currency": o["currency"], "items": o["items"]}) for code, o in orders.items()]
    equal(sorted(told, key=lambda pair: pair[0]), sorted(want, key=lambda pair: pair[0]), "orders")
    equal(len(orders), 2 * len(vendure.NAMES), "orders of Vendure")
    return len(orders)


def discreet(source, mode):
    shop = vendure.Vendure().start()
    agent, collector = people.private_agent([shop.port, *shop.windows.values()], source, mode)
    visitors = []
    for name, port in list(shop.windows.items())[:2]:
        walks = Walks("http://%s:%d" % (people.HOST, port))
        visitors += [Visitor("guest, " + name, walks.guest()), Visitor("member, " + name, walks.member("member " + name))]
    people.visit(visitors)
    agent.stop()
    mails = [mail("member " + name) for name in vendure.NAMES[:2]]
    return people.discreet(visitors, agent, collector, [*mails, PASSWORD, "wrong", vendure.GUEST])


suite = Suite()
found = sources()
for host, each in people.in_turn(found):
    suite.run("everybody on %s %s" % (host, each), everybody, each, host)
for privacy in ("audience", "customer"):
    suite.run("%s %s" % (privacy, found[0]), discreet, found[0], privacy)
suite.done()
