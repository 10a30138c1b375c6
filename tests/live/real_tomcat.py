#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Visits to Tomcat's examples, unchanged: JSESSIONID as cookie and in the URL, login by form.
"""
import os

from lib import people, process, runtimes
from lib.agent import Agent, sources
from lib.people import Visitor, click, go, step
from lib.suite import Skip, Suite, check

EXAMPLES = "/usr/share/tomcat10-examples/examples"
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


suite = Suite(timed=True)  # without Sec-Fetch-* a frame is told by when it comes
found = sources()
for host in ("127.0.0.1", people.HOST):
    for each in found:
        suite.run("everybody on %s %s" % (host, each), everybody, each, host)
suite.run("robot %s" % found[0], robot, found[0])
for privacy in ("audience", "customer"):
    suite.run("%s %s" % (privacy, found[0]), discreet, found[0], privacy)
suite.done()
