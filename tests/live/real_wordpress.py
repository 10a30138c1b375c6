#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Visits to WordPress, unchanged: visitors without any cookie, login and logout with the user's name in clear
in the cookie, comments, the administrator's pages, frames.

WordPress calls itself now and then (wp-cron.php): such a visit is a program's, nobody's in the record.
"""
from lib import people, wordpress
from lib.agent import Agent, sources
from lib.people import Visitor, click, go, step
from lib.suite import Suite, check, equal

CUSTOMERS = list(wordpress.CUSTOMERS.items())
WRITER, MAIL, TEXT = "Kunigunde Leserin", "kunigunde@leserin.example", "Das+ist+schön & gut"


class Walks:
    def __init__(self, port, host):
        self.base = "http://%s:%d/" % (host, port)

    def at(self, path="", **more):
        return go(self.base + path, **more)

    def sign_in(self, name, password, remember=False):
        fields = [step("fill", on="#user_login", text=name), step("fill", on="#user_pass", text=password)]
        return fields + ([step("press", on="#rememberme")] if remember else []) + [click("#wp-submit")]

    def reader(self):
        """Nothing but address, agent and language tells who this is."""
        return [self.at(), click("text=Product 3"), step("back"), click("text=Product 4"), self.at("?s=nice"), self.at("?p=1"),
                self.at("nowhere/"), self.at("framed/"), self.at("feed/"), step("reload"), self.at("category/uncategorized/")]

    def customer(self, number=0, remember=False):
        """Comes, signs in (with a wrong word first), looks around, signs out, goes on."""
        name, password = CUSTOMERS[number]
        return [self.at(), self.at("product-1/"), self.at("wp-login.php"), *self.sign_in(name, "wrong"),
                *self.sign_in(name, password, remember), self.at("product-2/"), self.at("wp-admin/profile.php"), self.at(),
                step("follow", on="#wp-admin-bar-logout a"), self.at("product-1/"), self.at("wp-admin/"), *self.sign_in(name, password), self.at("product-5/")]

    def commentator(self):
        """Leaves name and address, which come back as cookies."""
        form = [step("fill", on="#comment", text=TEXT), step("fill", on="#author", text=WRITER),
                step("fill", on="#email", text=MAIL), step("press", on="#wp-comment-cookies-consent"), click("#submit")]
        return [self.at("product-2/"), *form, self.at("product-3/"), step("fill", on="#comment", text=TEXT + "!"), click("#submit"), self.at()]

    def administrator(self):
        return [self.at("wp-admin/"), *self.sign_in(wordpress.ADMIN, wordpress.PASSWORD), self.at("wp-admin/edit.php"),
                self.at("wp-admin/post-new.php"), self.at("wp-admin/options-general.php"), click("#submit"),
                self.at("wp-admin/edit-comments.php"), self.at()]

    def tabs(self):
        return [self.at(), step("open", on="a[href*=product-1]", **{"as": "b"}), step("open", on="a[href*=product-2]", **{"as": "c"}),
                step("reload", tab="b"), click(".wp-block-site-title a", tab="c"), step("close", tab="b"), self.at("product-6/")]

    def extras(self):
        return [self.at("product-1/"), step("download", on="text=list"), step("download", on="text=list"),
                step("run", code="fetch('/wp-json/wp/v2/posts').then((r) => r.json())"),
                step("prefetch", url="/product-2/"), self.at("product-2/"), self.at("product-3/", frames=["/product-4/embed/"]),
                step("run", code="new Promise((done) => { const i = new Image(); i.onload = i.onerror = done; i.src = '/favicon.ico'; })"),
                self.at("wp-admin"), self.at("wp-login.php?action=lostpassword"), self.at("product-6")]

    def visitors(self):
        people = [Visitor(name, getattr(self, name)()) for name in ("reader", "customer", "commentator", "administrator", "tabs", "extras")]
        return people + [Visitor("remembered", self.customer(1, True)), Visitor("german", self.reader(), locale="de-DE")]


def calls_itself(row):
    return row.get("user_agent.original", "").startswith("WordPress/")


def everybody(source, host):
    agent, before = Agent("--port", site.port, source=source), people.logged(site)
    visitors = people.visit(Walks(site.port, host).visitors())
    agent.stop()
    visits = people.told_apart(visitors, agent, host, programs=calls_itself)
    people.all_seen(agent, site, before)
    reasons = people.keys_apart(visitors, visits, agent)
    for name in ("customer", "remembered"):
        check("rotation" in reasons[name], "aliases of %s, who logs in and out: %s" % (name, reasons[name]))
    return "%d visits, %d page views" % (len(visits), sum(len(v.views) for v in visitors))


def twins(source):
    """Two who are alike in everything are one visit, known by how they look, and flagged."""
    agent = Agent("--port", site.port, source=source)
    walks = Walks(site.port, "127.0.0.1")
    visitors = people.visit([Visitor(name, walks.reader()[:5], agent=people.agent(7)) for name in ("one", "other")])
    agent.stop()
    visits = [r for r in people.last_facts(agent.all_rows()) if r["type"] == "session" and not r.get("user_agent.synthetic.type")]
    equal([(r["basis"], r.get("parcours.session.shared"), r["page_views"]) for r in visits],
          [("address", True, sum(len(v.views) for v in visitors))], "visits of two twins")
    return ""


def discreet(source, mode):
    agent, collector = people.private_agent([site.port], source, mode)
    walks = Walks(site.port, people.HOST)
    visitors = people.visit([Visitor("customer", walks.customer()), Visitor("commentator", walks.commentator()),
                             Visitor("administrator", walks.administrator())])
    agent.stop()
    secrets = [word for pair in [*CUSTOMERS[:1], (wordpress.ADMIN, wordpress.PASSWORD), (WRITER, MAIL)] for word in pair]
    return people.discreet(visitors, agent, collector, [*secrets, TEXT, "wrong"])


suite = Suite(timed=True)  # without Sec-Fetch-* a frame is told by when it comes
site = wordpress.WordPress().start()
found = sources()
for host, each in people.in_turn(found):
    suite.run("everybody on %s %s" % (host, each), everybody, each, host)
suite.run("twins %s" % found[0], twins, found[0])
for privacy in ("audience", "customer"):
    suite.run("%s %s" % (privacy, found[-1]), discreet, found[-1], privacy)
suite.done()
