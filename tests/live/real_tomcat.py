#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Visits to Tomcat's examples, unchanged: JSESSIONID as cookie and in the URL, login by form; and its example cart
by the recipe, whose truth is what each page showed.
"""
import os
import random
import time

from lib import people, process, runtimes, schema
from lib.agent import Agent, sources
from lib.people import Visitor, click, go, step
from lib.suite import Skip, Suite, check, equal

EXAMPLES = "/usr/share/tomcat10-examples/examples"
RECIPE = os.path.join(process.TOP, "share", "recipes", "tomcat-examples.yaml")
USER, PASSWORD = "margarete.kunde", "Wolkenbruch-71"


class Examples(runtimes.Tomcat):
    """Debian's configuration but for the port, the folder and a user."""
    name = "examples"

    def prepare(self):
        if not os.path.isdir(EXAMPLES):
            raise Skip("tomcat10-examples is not installed (tools/setup check)")
        for name in ("conf", "logs", "temp", "work", "webapps"):
            os.makedirs(os.path.join(self.place, name))
        for name in ("web.xml", "context.xml", "catalina.properties"):
            with open(os.path.join(runtimes.TOMCAT, "etc", name)) as f:
                process.write(os.path.join(self.place, "conf", name), f.read())
        process.write(self.place + "/conf/tomcat-users.xml", """<?xml version="1.0"?>
<tomcat-users><user username="%s" password="%s" roles="role1"/></tomcat-users>""" % (USER, PASSWORD))
        process.write(self.place + "/conf/server.xml", """<?xml version="1.0"?>
<Server port="-1"><Service name="Catalina">
<Connector address="127.0.0.1" port="%d" protocol="HTTP/1.1" connectionTimeout="20000"/>
<Engine name="Catalina" defaultHost="localhost">
<Realm className="org.apache.catalina.realm.MemoryRealm"/>
<Host name="localhost" appBase="webapps" autoDeploy="false">
<Context path="/examples" docBase="%s"/>
<Valve className="org.apache.catalina.valves.AccessLogValve" directory="%s" prefix="access" suffix=".log"
 rotatable="false" buffered="false" pattern="%%m %%U%%q %%s"/>
</Host></Engine></Service></Server>""" % (self.port, EXAMPLES, self.place))


class Walks:
    """What visitors do, on a site named by its address or by a name."""

    def __init__(self, port, host):
        self.base = "http://%s:%d/examples/" % (host, port)

    def at(self, path, **more):
        return go(self.base + path, **more)

    def basket(self):
        add, remove = "input[name=submit][value=add]", "input[name=submit][value=remove]"
        return [self.at(""), self.at("jsp/"), self.at("jsp/sessions/carts.jsp"),
                step("choose", on="select[name=itemId]", text="2"), click(add),
                step("choose", on="select[name=itemId]", text="0"), click(add), step("reload"),
                step("choose", on="select[name=itemId]", text="2"), click(remove), self.at("jsp/num/numguess.jsp"),
                step("fill", on="input[name=guess]", text="50"), click("input[type=submit]"), step("back"), step("forward")]

    def forms(self):
        """A form that is posted, and posted again by a reload; another by GET."""
        page = "servlets/servlet/SessionExample"
        return [self.at("servlets/"), self.at(page), step("fill", on="form[method=POST] input[name=dataname]", text="colour"),
                step("fill", on="form[method=POST] input[name=datavalue]", text="blue"),
                click("form[method=POST] input[type=submit]"), step("reload"),
                step("fill", on="form[method=GET] input[name=dataname]", text="size"),
                step("fill", on="form[method=GET] input[name=datavalue]", text="9"),
                click("form[method=GET] input[type=submit]"), click("text=delete >> nth=0"), step("back")]

    def account(self):
        """The server gives another session id at login, and another again after logout."""
        sign_in = [step("fill", on="input[name=j_username]", text=USER), step("fill", on="input[name=j_password]", text=PASSWORD),
                   click("input[type=submit]")]
        wrong = [step("fill", on="input[name=j_username]", text=USER), step("fill", on="input[name=j_password]", text="no"),
                 click("input[type=submit]")]
        page = self.at("jsp/security/protected/index.jsp")
        return [self.at("jsp/sessions/carts.jsp"), page, *wrong, page, *sign_in, self.at("jsp/sessions/carts.jsp"), page,
                step("fill", on="input[name=role]", text="role1"), click("input[type=submit] >> nth=0"),
                click("a[href*=logoff]"), *sign_in, self.at("servlets/")]

    def without_jar(self):
        """A browser that keeps no cookie: the id travels in the URLs that the application writes."""
        forget = step("forget")
        return [self.at("servlets/servlet/SessionExample"), forget,
                step("fill", on="form[method=POST] input[name=dataname]", text="colour"),
                click("form[method=POST] input[type=submit]"), forget, click("text=delete >> nth=0"), forget,
                step("fill", on="form[method=GET] input[name=dataname]", text="size"),
                click("form[method=GET] input[type=submit]"), forget, step("reload")]

    def tabs(self):
        return [self.at("jsp/sessions/carts.jsp"), self.at("servlets/"), step("open", on="a[href*=RequestInfoExample] >> nth=0", **{"as": "b"}),
                step("open", on="a[href*=SessionExample] >> nth=0", **{"as": "c"}), step("reload", tab="b"),
                go(self.base + "jsp/dates/date.jsp", tab="c"), self.at("jsp/include/include.jsp"), step("close", tab="b"),
                step("back", tab="c")]

    def extras(self):
        """Pages that fail, frames, files, scripts' calls, pages asked for ahead."""
        return [self.at("jsp/"), self.at("nowhere"), self.at("jsp/error/err.jsp?name=infiniti"), self.at("jsp/forward/forward.jsp", frames=["/examples/jsp/dates/date.jsp"]),
                self.at("jsp/colors/colrs.jsp", frames=["/examples/jsp/num/numguess.html", "/examples/nowhere"]),
                step("prefetch", url="/examples/jsp/sessions/carts.jsp"), self.at("jsp/sessions/carts.jsp"),
                step("run", code=SAVE % "/examples/servlets/images/code.gif"), step("download", on="#save"),
                step("run", code="fetch('/examples/jsp/dates/date.jsp').then((r) => r.text())"),
                step("run", code=XHR % "/examples/servlets/servlet/RequestParamExample"),
                step("run", code=ICON % "/favicon.ico"), self.at("jsp/")]

    def ahead(self):
        """Pages that are asked for ahead and looked at later, known then by their pictures; and one that is not."""
        follow = [step("run", code=LINK % "/examples/servlets/"), click("#next")]
        return [self.at("index.html"), step("prefetch", url="/examples/servlets/"), *follow,
                step("run", code=SPECULATE % "/examples/jsp/"), step("sleep", ms=1000), step("run", code=LINK % "/examples/jsp/"),
                click("#next"), step("prefetch", url="/examples/jsp/dates/date.jsp"), self.at("jsp/include/include.jsp")]

    def visitors(self):
        twin = people.agent(40)
        return [Visitor(name, getattr(self, name)()) for name in ("basket", "forms", "account", "without_jar", "tabs", "extras", "ahead")] + [
            Visitor("twin a", self.basket()[2:], agent=twin), Visitor("twin b", self.basket()[2:8], agent=twin),
            Visitor("german", self.basket(), locale="de-DE")]


class Baskets:
    """Carts of visitors who know what they want, and of some who do not."""

    def __init__(self, port, host):
        self.page = "http://%s:%d/examples/jsp/sessions/carts.jsp" % (host, port)
        self.sessions = self.page.replace("jsp/sessions/carts.jsp", "servlets/servlet/SessionExample")
        self.elsewhere = go(self.page.replace("sessions/carts.jsp", "dates/date.jsp"))

    def ask(self, button, thing, **more):
        return [step("choose", on="select[name=itemId]", text=str(thing), **more), click(BUTTON % button, **more)]

    def add(self, *things):
        return [s for thing in things for s in self.ask("add", thing)]

    def remove(self, *things):
        return [s for thing in things for s in self.ask("remove", thing)]

    def by_address(self, query, **more):
        return [step("run", code=LINK % (self.page + query), **more), click("#next", **more)]

    def filled(self):
        return [go(self.page), *self.add(0, 4, 2, 5), self.elsewhere]

    def changed(self):
        """What is there already, and what is not there: such requests change nothing."""
        return [go(self.page), *self.add(0, 1, 1, 0), *self.remove(5, 1), *self.add(3), step("reload"), *self.remove(0)]

    def emptied(self):
        return [go(self.page), *self.remove(4), *self.add(4, 0), *self.remove(0, 4), self.elsewhere]

    def emptied_and_anew(self):
        return [go(self.page), *self.add(1), *self.remove(1), go(self.page), *self.add(1, 2), *self.remove(2, 1), *self.add(5)]

    def back_and_forth(self):
        """The form of an old page is sent; and an add is asked for again after another tab took its thing out."""
        other = [step("run", code=LINK % (self.page + "?itemId=4&submit=remove")), step("open", on="#next", **{"as": "b"})]
        return [go(self.page), *self.add(2, 3), step("back"), *self.add(4), step("back"), step("forward"), *other, step("reload")]

    def tabs(self):
        return [go(self.page), *self.add(5), step("run", code=LINK % self.page), step("open", on="#next", **{"as": "b"}),
                *self.ask("add", 4, tab="b"), *self.ask("remove", 5), *self.ask("add", 3, tab="b"), step("reload")]

    def in_the_path(self):
        """No cookie: the session's id stands in each address."""
        keep = step("run", code="document.forms[0].action = location.pathname")
        asks = [self.ask("add", 0), self.ask("add", 3), self.ask("remove", 0), self.ask("add", 5)]
        return [go(self.sessions), step("forget"), step("run", code=CARRY % self.page), click("#next"),
                *[s for ask in asks for s in (keep, *ask)], step("reload")]

    def without_a_button(self):
        return [go(self.page), *self.add(1), *self.by_address("?itemId=3"), *self.by_address("?itemId=6&submit=add"),
                *self.by_address("?itemId=1&submit=other"), *self.by_address("?itemId=x&submit=remove"), go(self.page)]

    def at_once(self):
        """The first that he asks for is to put something into the cart."""
        return [go(self.page + "?itemId=3&submit=add"), *self.add(4)]

    def at_random(self, seed):
        rng, steps = random.Random(seed), [go(self.page)]
        for _ in range(10):
            act = rng.choice(["add"] * 5 + ["remove"] * 4 + ["reload", "look", "leave"])
            steps += {"add": self.ask("add", rng.randrange(4)), "remove": self.ask("remove", rng.randrange(4)),
                      "reload": [step("reload")], "look": [go(self.page)], "leave": [self.elsewhere, go(self.page)]}[act]
        return steps

    def visitors(self, seeds):
        names = ("back_and_forth", "tabs", "in_the_path", "changed", "emptied_and_anew", "filled", "emptied", "without_a_button", "at_once")
        return [Visitor(name, getattr(self, name)(), shown=SHOWN) for name in names[:3 if seeds else None]] + [
            Visitor("at random %d" % seed, self.at_random(seed), shown=SHOWN) for seed in seeds]


BUTTON = "input[name=submit][value=%s]"
PAUSE_S = 15  # no visitor waits so long for a browser that is busy with others
SHOWN = """location.pathname.includes('carts.jsp') ? [...document.querySelectorAll('ol > li')].map((li) => li.innerText.trim()) : null"""
CARRY = """(() => { const a = document.createElement('a'); a.id = 'next'; a.text = 'next';
  a.href = '%s' + document.body.innerHTML.match(/;jsessionid=[0-9A-F]+/)[0]; document.body.append(a); })()"""
SAVE = """(() => { const a = document.createElement('a'); a.href = '%s'; a.download = 'x'; a.id = 'save'; a.text = 'x';
  document.body.append(a); })()"""
LINK = """(() => { const a = document.createElement('a'); a.href = '%s'; a.id = 'next'; a.text = 'next';
  document.body.append(a); })()"""
SPECULATE = """(() => { const s = document.createElement('script'); s.type = 'speculationrules';
  s.textContent = JSON.stringify({ prefetch: [{ urls: ['%s'], eagerness: 'immediate' }] }); document.head.append(s); })()"""
XHR = """new Promise((done) => { const x = new XMLHttpRequest(); x.open('POST', '%s'); x.onload = done;
  x.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded'); x.send('firstname=A&lastname=B'); })"""
ICON = "new Promise((done) => { const i = new Image(); i.onerror = i.onload = done; i.src = '%s'; })"


def everybody(source, host):
    server = Examples().start()
    agent = Agent("--port", server.port, source=source)
    visitors = people.visit(Walks(server.port, host).visitors())
    agent.stop()
    visits = people.told_apart(visitors, agent, host)
    people.all_seen(agent, server)
    reasons = people.keys_apart(visitors, visits, agent)
    check("rotation" in reasons["account"], "aliases of the visitor who logs in and out: %s" % reasons["account"])
    return "%d visits, %d page views" % (len(visits), sum(len(v.views) for v in visitors))


def robot(source):
    """A browser that says of itself that nobody sits before it."""
    server = Examples().start()
    agent = Agent("--port", server.port, source=source)
    walks = Walks(server.port, "127.0.0.1")
    visitors = people.visit([Visitor("headless", walks.basket(), agent=""), Visitor("person", walks.basket())])
    agent.stop()
    check("HeadlessChrome" in visitors[0].agent, "what Chromium says of itself: " + visitors[0].agent)
    people.told_apart(visitors, agent, "127.0.0.1", bot=("headless",))
    return ""


def discreet(source, mode):
    server = Examples().start()
    agent, collector = people.private_agent([server.port], source, mode)
    walks = Walks(server.port, people.HOST)
    visitors = people.visit([Visitor(name, getattr(walks, name)()) for name in ("account", "forms", "without_jar", "basket")])
    agent.stop()
    return people.discreet(visitors, agent, collector, [USER, PASSWORD])


def steps_of(states):
    """What differs from one to the next, either way."""
    pairs = list(zip(states, states[1:]))
    return [[sorted(set(y) - set(x)) for x, y in pairs if set(y) - set(x)], [sorted(set(x) - set(y)) for x, y in pairs if set(x) - set(y)]]


def names(row, cart=True):
    """The lines of a row; they have nothing but names, for the page has no more."""
    items = row["parcours.cart"].get("items", []) if cart else row["items"]
    check(all(set(i) == {"item_name"} for i in items), "items that have more than names: %s" % items)
    return sorted(i["item_name"] for i in items)


def without_again(states):
    return [s for i, s in enumerate(states) if not i or s != states[i - 1]]


def of_carts(v, rows, last, reason):
    """Where the events of a visitor differ from what he was shown. `last`: of his requests, when it began."""
    shown = [sorted(w["shown"]) for w in v.views if w["shown"] is not None and w["status"] == 200]
    told = {name: [r for r in rows if r["event_name"] == name] for name in
            ("parcours.cart", "add_to_cart", "remove_from_cart", "parcours.cart_abandoned")}
    differences = []

    def same(what, got, want):
        if got != want:
            differences.append("%s: %s: told %s, truth %s" % (v, what, got, want))

    # when it was empty once more is told in the end
    carts = without_again([names(r) for r in sorted(told["parcours.cart"], key=lambda r: r["revision"])])
    same("carts", carts, without_again(shown))
    added, removed = steps_of(shown)
    same("added", [names(r, False) for r in told["add_to_cart"]], added)
    same("removed", [names(r, False) for r in told["remove_from_cart"]], removed)
    left = told["parcours.cart_abandoned"]
    same("carts that were left", [names(r) for r in left], [shown[-1]] if shown[-1] else [])
    for r in left:
        same("how it was left", [r["step"], r["end_reason"], r["condition"]], ["cart", reason, "abandoned" if reason == "timeout" else "open"])
        same("when it was left", r["last_activity_unix_nano"], last)
    for r in rows:
        amounts = {k: r[k] for k in ("value", "currency") if k in r}
        amounts.update((k, value) for k, value in r["parcours.cart"].items() if k != "items")
        same("amounts of " + r["event_name"], amounts, {} if r["parcours.cart"].get("items") else {"quantity": 0})
    return differences


def carts(source, host, reason, seeds):
    """What each page showed is what the events say was in the cart; a cart that was left is told with its lines."""
    server = Examples().start()
    pause = ["--session-timeout", "%ds" % PAUSE_S] if reason == "timeout" else []
    agent = Agent("--port", server.port, "--rules", RECIPE, *pause, source=source)
    visitors = people.visit(Baskets(server.port, host).visitors(seeds), at_once=5)
    if reason == "timeout":
        time.sleep(PAUSE_S + 2)
    agent.stop()
    visits = people.told_apart(visitors, agent, host)
    people.all_seen(agent, server)
    rows = [r for r in agent.all_rows() if r["type"] == "event"]
    schema.validate_shapes(rows)
    last = {}
    for r in agent.rows("server"):
        last[r["session.id"]] = max(last.get(r["session.id"], 0), r["start_time_unix_nano"])
    problems = []
    for v in visitors:
        of = visits[v.name]["session.id"]
        problems += of_carts(v, [r for r in rows if r["session.id"] == of], last[of], reason)
    check(not problems, "%d differences: %s" % (len(problems), "; ".join(problems[:6])))
    equal({r["session.id"] for r in rows} - {r["session.id"] for r in visits.values()}, set(), "visits of events that are nobody's")
    left = [r for r in rows if r["event_name"] == "parcours.cart_abandoned"]
    failed = [r["preceded"].get("error_path") for r in left if r.get("preceded", {}).get("error_path")]
    equal(failed, [] if seeds else ["/examples/jsp/sessions/carts.jsp"], "errors before carts were left")
    return "%d carts left, %d changes" % (len(left), sum(r["event_name"] in ("add_to_cart", "remove_from_cart") for r in rows))


suite = Suite(timed=True)  # without Sec-Fetch-* a frame is told by when it comes
found = sources()
for host in ("127.0.0.1", people.HOST):
    for each in found:
        suite.run("everybody on %s %s" % (host, each), everybody, each, host)
suite.run("robot %s" % found[0], robot, found[0])
for privacy in ("audience", "customer"):
    suite.run("%s %s" % (privacy, found[0]), discreet, found[0], privacy)
for (host, each), reason, seeds in zip(people.in_turn(found), ("timeout", "shutdown"), ((), range(4))):
    suite.run("carts on %s until the %s %s" % (host, reason, each), carts, each, host, reason, seeds)
suite.done()
