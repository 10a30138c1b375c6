#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Visits to WordPress, unchanged: visitors without any cookie, login and logout with the user's name in clear
in the cookie, comments, the administrator's pages, frames; and what the recipe says of all that.

WordPress calls itself now and then (wp-cron.php): such a visit is a program's, nobody's in the record.
"""
import collections
import os
import urllib.parse

from lib import people, process, schema, wordpress
from lib.agent import Agent, sources
from lib.people import Visitor, click, go, step
from lib.suite import Suite, check, equal

CUSTOMERS = list(wordpress.CUSTOMERS.items())
RECIPE = os.path.join(process.TOP, "share", "recipes", "wordpress.yaml")
SHOWN = """document.body ? { body: document.body.className, refused: !!document.querySelector('#login_error') } : null"""
WRITER, MAIL, TEXT = "Kunigunde Leserin", "kunigunde@leserin.example", "Das+ist+schön & gut"


class Walks:
    def __init__(self, port, host):
        self.host, self.base = host, "http://%s:%d/" % (host, port)

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

    def newcomer(self, name):
        """Signs up, once more under the same name, and cannot log in yet."""
        fields = [step("fill", on="#user_login", text=name), step("fill", on="#user_email", text=name + "@example.org"), click("#wp-submit")]
        sign_up = [self.at("wp-login.php?action=register"), *fields]
        return [self.at(), *sign_up, *sign_up, self.at("wp-login.php"), *self.sign_in(name, "not known"), self.at("product-2/"),
                self.at("wp-login.php?action=lostpassword"), step("fill", on="#user_login", text="nobody.at.all"), click("#wp-submit")]

    def forgetful(self):
        """Sends the form empty; then logs in where a session had ended while somebody wrote."""
        name, password = CUSTOMERS[0]
        return [self.at("wp-login.php"), click("#wp-submit"), self.at("wp-login.php?interim-login=1"), *self.sign_in(name, "wrong again"),
                *self.sign_in(name, password), self.at("wp-admin/profile.php")]

    def searcher(self):
        # a rule tells a frame from a page only where browsers send Sec-Fetch-*
        frames = {} if self.host == people.HOST else {"frames": ["/?s=frame"]}
        return [self.at(), self.at("?s=nice"), click("text=Product 3"), step("back"), self.at("?s=no+such+thing"), self.at("?s="), self.at("?s=+"),
                self.at("search/product/"), self.at("?s=Gr%C3%BC%C3%9Fe+%26+mehr"), self.at("?s=nice&feed=rss2"),
                step("run", code="fetch('/?s=ahead').then((r) => r.text())"), self.at("category/uncategorized/"), self.at("?s=nice", **frames)]

    def says_it_twice(self):
        """A comment, the very same again, and one too soon after it."""
        form = [step("fill", on="#comment", text=TEXT), step("fill", on="#author", text=WRITER), step("fill", on="#email", text=MAIL), click("#submit")]
        again = [step("fill", on="#comment", text=TEXT + "?"), *form[1:]]
        return [self.at("product-4/"), *form, self.at("product-4/"), *form, self.at("product-5/"), *again, self.at("nowhere/")]

    def talkers(self, name):
        named = ("reader", "customer", "searcher", "forgetful", "administrator", "says_it_twice")
        return [Visitor(n, getattr(self, n)(), shown=SHOWN) for n in named] + [Visitor("newcomer", self.newcomer(name), shown=SHOWN)]

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
    agent, collector = people.private_agent([site.port], source, mode, "--rules", RECIPE)
    walks = Walks(site.port, people.HOST)
    visitors = people.visit([Visitor("customer", walks.customer()), Visitor("commentator", walks.commentator()),
                             Visitor("administrator", walks.administrator())])
    agent.stop()
    events = {r["event_name"] for r in agent.all_rows() if r["type"] == "event"}
    check({"login", "login_refused", "view_content"} <= events, "what the recipe said: %s" % events)
    secrets = [word for pair in [*CUSTOMERS[:1], (wordpress.ADMIN, wordpress.PASSWORD), (WRITER, MAIL)] for word in pair]
    return people.discreet(visitors, agent, collector, [*secrets, TEXT, "wrong"])


def contents(v, ids):
    """What he looked at, as WordPress's own pages say; `ids`: by the name in the address."""
    kinds = {"single": "post", "page": "page", "category": "category"}
    for w in v.views:
        kind = next((kinds[c] for c in (w["shown"] or {"body": ""})["body"].split() if c in kinds), None)
        if kind and w["method"] == "GET":
            yield kind, ids[kind, people.path(w["url"]).strip("/").split("/")[-1]]


def searched(v):
    for w in v.views:
        at = urllib.parse.urlsplit(w["url"])
        words = urllib.parse.parse_qs(at.query).get("s", [""])[0]
        if at.path.startswith("/search/"):
            words = at.path.split("/")[2]
        if words.strip() and "feed=" not in at.query:
            yield words


def truth_of(v, before, ids):
    """By the driver what was asked and shown, by the database what came of it."""
    want = collections.Counter(("view_content", *what) for what in contents(v, ids))
    want.update(("search", words) for words in searched(v))
    book = site.rows("SELECT what, `of` FROM book WHERE at > %d AND agent = '%s' ORDER BY at" % (before, v.agent))
    want.update((what,) for what, _ in book if what in ("login", "sign_up"))
    posts = dict(site.rows("SELECT comment_ID, comment_post_ID FROM wp_comments"))
    want.update(("comment", posts[of], of) for what, of in book if what == "comment")
    posted = [w for w in v.views if w["method"] == "POST" and not w["redirects"]]
    for w in posted:
        register = "action=register" in w["url"]
        if "wp-login.php" in w["url"] and w["shown"]["refused"] and "lostpassword" not in w["url"]:
            want["sign_up_refused" if register else "login_refused",] += 1
    refused = [w for w in posted if "wp-comments-post.php" in w["url"]]
    want["comment_refused",] += len(refused)
    # the form without a name is refused, and no attempt for WordPress
    attempts = sum(what == "login_refused" for what, _ in book)
    check(attempts <= want["login_refused",] <= attempts + (v.name == "forgetful"),
          "%s: %d logins refused by the pages, %d by WordPress" % (v, want["login_refused",], attempts))
    return +want


def taken(row):
    """What the rule took: of the site's own events the parameters, in the order of the rule."""
    own = [p["value"] for p in row.get("parameters", [])]
    return [row["search_term"]] if row["event_name"] == "search" else own if row["event_name"] != "comment_refused" else []


def said(source, host):
    """Contents, searches, logins, accounts and comments of each visitor; and no cart or order of anybody."""
    before = int(site.rows("SELECT COALESCE(MAX(at), 0) FROM book")[0][0])
    agent = Agent("--port", site.port, "--rules", RECIPE, source=source)
    visitors = people.visit(Walks(site.port, host).talkers("neu.%d" % before))
    agent.stop()
    visits = people.told_apart(visitors, agent, host, programs=calls_itself)
    rows = [r for r in agent.all_rows() if r["type"] == "event"]
    schema.validate_shapes(rows)
    ids = {(kind, name): number for number, kind, name in site.rows("SELECT ID, post_type, post_name FROM wp_posts")}
    ids.update((("category", name), number) for number, name in site.rows("SELECT term_id, slug FROM wp_terms"))
    problems, total = [], collections.Counter()
    for v in visitors:
        told = collections.Counter((r["event_name"], *taken(r)) for r in rows if r["session.id"] == visits[v.name]["session.id"])
        want = truth_of(v, before, ids)
        for what, n in want.items():
            total[what[0]] += n
        problems += ["%s: %s: told %d, truth %d" % (v, what, told[what], want[what]) for what in sorted({*told, *want}, key=str)
                     if told[what] != want[what]]
    check(not problems, "%d differences: %s" % (len(problems), "; ".join(problems[:8])))
    equal(len(rows), sum(total.values()), "events in all")
    missing = {"view_content", "search", "login", "login_refused", "sign_up", "sign_up_refused", "comment", "comment_refused"} - set(total)
    equal(missing, set(), "what nobody did")
    return ", ".join("%d %s" % (n, what) for what, n in sorted(total.items()))


suite = Suite(timed=True)  # without Sec-Fetch-* a frame is told by when it comes
site = wordpress.WordPress().start()
found = sources()
for host, each in people.in_turn(found):
    suite.run("everybody on %s %s" % (host, each), everybody, each, host)
for host, each in people.in_turn(found):
    suite.run("said on %s %s" % (host, each), said, each, host)
suite.run("twins %s" % found[0], twins, found[0])
for privacy in ("audience", "customer"):
    suite.run("%s %s" % (privacy, found[-1]), discreet, found[-1], privacy)
suite.done()
