# SPDX-License-Identifier: Apache-2.0
"""Visitors with a real Chromium (tests/browser/visitors.js), and whether the agent told them apart.

Each visitor has a User-Agent of his own, so a row says whose request it was, whatever the agent thinks:
with `--privacy none` rows carry it. What a visitor did is what Chromium reports of his main frames; the
script of a visitor only says what he is to do.
"""
import base64
import collections
import json
import os
import sys
import urllib.parse

from . import process, schema
from .agent import Agent
from .servers import program
from .suite import Skip, check, equal

sys.path.insert(0, os.path.join(process.TOP, "tests", "collector"))
from fake import Fake  # noqa: E402

DRIVER = os.path.join(process.TOP, "tests", "browser", "visitors.js")
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%d.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS %d_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%d.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36 Edg/%d.0.0.0",
)
# Left, or a download; X-Frame-Options; pictures of other sites.
EXPECTED = ("net::ERR_ABORTED", "net::ERR_BLOCKED_BY_RESPONSE", "net::ERR_NAME_NOT_RESOLVED")
HOST = "shop.test"  # a name that is not trustworthy to a browser: no Sec-Fetch-*, no client hints


def agent(number):
    text = AGENTS[number % len(AGENTS)]
    version = 100 + number
    return text.replace("%d", str(version))


class Visitor:
    """`steps` and `shown`: as visitors.js reads them."""

    def __init__(self, name, steps, agent=None, locale=None, shown=None):
        self.name, self.steps, self.agent, self.locale, self.shown = name, steps, agent, locale, shown
        self.views, self.did = [], {}

    def __repr__(self):
        return self.name


def step(do, **more):
    return dict(more, do=do)


def go(url, **more):
    return step("goto", url=url, **more)


def click(on, **more):
    return step("click", on=on, **more)


def visit(visitors, at_once=4, seconds=240, address="127.0.0.1", within=(), names=()):
    """Sends them all to HOST, and to hosts of other `names`, at that address; afterwards each knows what Chromium
    says he did. `within` stands before the command of the browser."""
    if not os.path.exists(os.path.join(os.path.dirname(DRIVER), "node_modules", "playwright-core")):
        raise Skip("playwright-core is not installed (tools/setup check)")
    for number, v in enumerate(visitors):
        v.agent = agent(number) if v.agent is None else v.agent
    place = process.folder("browser")
    scenario, result, log = (os.path.join(place, n) for n in ("scenario", "result", "log"))
    process.write(scenario, json.dumps({
        "executable": program("chromium"), "hosts": dict.fromkeys((HOST, "*." + HOST, *names), address), "atOnce": at_once,
        "visitors": [{"name": v.name, "agent": v.agent, "locale": v.locale, "mobile": "Mobile" in v.agent,
                      "shown": v.shown, "steps": v.steps} for v in visitors]}))
    child = process.start([*within, program("node"), DRIVER, scenario, result], log=log, cwd=place,
                          env=dict(os.environ, HOME=place, TMPDIR=place))
    try:
        code = child.wait(seconds)
    except Exception:
        code = "no end within %d s" % seconds
    process.stop(child)
    check(code == 0, "the browser: %s: %s" % (code, process.read(log)[-800:]))
    with open(result) as f:
        told = json.load(f)["visitors"]
    for v in visitors:
        v.did = told[v.name]
        v.agent = v.did["agent"]
        v.views = [view for view in v.did["views"] if not view["cached"]]
        lost = [f for f in v.did["failed"] if f["why"] not in EXPECTED]
        check(not lost, "%s: requests that failed in the browser: %s" % (v, lost[:4]))
    return visitors


def path(url):
    rest = url.split("://", 1)[-1]
    return "/" + rest.partition("/")[2].partition("?")[0].partition("#")[0]


def last_facts(rows):
    """Rows of type session and alias, the highest revision of each."""
    found = [r for r in rows if r["type"] in ("session", "alias", "page_view")]
    schema.validate_shapes(found)
    last = {}
    for row in found:
        key = row["parcours.event_id"]
        if key not in last or row["revision"] > last[key]["revision"]:
            last[key] = row
    return list(last.values())


def told_apart(visitors, agent, host, bot=(), programs=lambda row: False):
    """One visit a visitor, of the site that is called `host`, with all his requests and exactly his page views.
    Visitors with the same agent are compared as a group. Rows of `programs` are the application's own: they
    must be no person's. Returns {name: row of his visit}."""
    rows = agent.rows("server")
    inner = [r for r in rows if not r.get("parcours.edge")]
    rows = [r for r in rows if r.get("parcours.edge")]
    facts = last_facts(agent.all_rows())
    visits = {r["session.id"]: r for r in facts if r["type"] == "session"}
    for r in [r for r in rows if programs(r)]:
        visit = visits.pop(r.get("session.id"), {"user_agent.synthetic.type": "bot"})
        check("user_agent.synthetic.type" in visit, "a program's visit that looks like a person's: %s" % r)
        rows.remove(r)
    equal({r.get("parcours.site") for r in [*rows, *visits.values()]}, {host}, "sites")
    groups, of, problems, found = collections.defaultdict(list), collections.defaultdict(list), [], {}
    for v in visitors:
        groups[v.agent].append(v)
    for r in rows:
        of[r.get("user_agent.original")].append(r)
    strange = [r.get("user_agent.original") for who, them in of.items() if who not in groups for r in them]
    check(not strange, "requests of nobody: %s" % strange[:4])
    for who, them in groups.items():
        ids = {r.get("session.id") for r in of[who]}
        if len(ids) != len(them) or None in ids:
            problems.append("%s: %d visits: %s" % (them, len(ids), seen(of[who])))
            continue
        ordered = sorted(ids, key=lambda i: visits[i]["page_views"])
        for i, v in zip(ordered, sorted(them, key=lambda v: len(v.views))):
            found[v.name] = visits[i]
            problems += of_visitor(v, visits[i], [r for r in of[who] if r["session.id"] == i], v.name in bot)
            problems += of_pages(v, [r for r in facts if r["type"] == "page_view" and r["session.id"] == i])
    check(not problems, "; ".join(problems[:6]))
    equal(len(visits), len(visitors), "visits")
    equal({r["session.id"] for r in found.values()}, set(visits), "visits that are somebody's")
    equal(sum(r["page_views"] for r in visits.values()), sum(len(v.views) for v in visitors), "page views in all")
    his = {r["session.id"]: v.agent for v in visitors for r in [found[v.name]]}
    for r in inner:
        check(r.get("session.id") is None or his[r["session.id"]] == r["user_agent.original"], "an inner hop of somebody else: %s" % r)
    return found


def logged(server):
    """Requests in the access log; a connection that was opened ahead and not used leaves a line without a method."""
    return sum(line.split(" ")[0].isalpha() for line in process.read(server.log).splitlines())


def all_seen(agent, server, before=0):
    """Of every request that the server has in its log, since it had so many, there is a row."""
    equal(sum(bool(r.get("parcours.edge")) for r in agent.rows("server")), logged(server) - before, "requests in the log")


def of_visitor(v, visit, rows, robot):
    """What is wrong with his visit."""
    if visit["page_views"] != len(v.views):
        yield "%s: %d page views, not %d: %s of %s" % (
            v, visit["page_views"], len(v.views), [path(w["url"]) for w in v.views], seen(rows))
    if visit["transactions"] != len(rows):
        yield "%s: %d transactions, not %d" % (v, visit["transactions"], len(rows))
    if visit.get("user_agent.synthetic.type") != ("bot" if robot else None):
        yield "%s: robot: %s" % (v, visit.get("user_agent.synthetic.type"))
    if visit.get("parcours.session.shared") and visit["basis"] != "address":  # by looks alone others may be in it
        yield "%s: flagged as shared, and known by %s" % (v, visit["basis"])


def of_pages(v, rows):
    """Where the rows of his page views are not what he saw, one by one."""
    rows = sorted(rows, key=lambda r: r["start_time_unix_nano"])
    told = [(r["url.path"], r.get("redirects", 0), r["outcome"]) for r in rows]
    true = [(path(w["url"]), len(w["redirects"]), "error" if w["status"] in (404, 410) or w["status"] >= 500 else "complete")
            for w in v.views]
    if told != true:
        yield "%s: pages %s, not %s" % (v, told, true)


def seen(rows):
    """What the agent saw of a visitor, for a message."""
    return ["%s %s %s%s" % (r.get("http.request.method"), r.get("url.path"), r.get("http.response.status_code", "-"),
                            "" if r.get("session.id") else " (no visit)") for r in rows]


def keys_apart(visitors, visits, agent):
    """Keys and their aliases: each visitor a group of his own. Returns {name: [reason of each alias]}."""
    owner, reasons = {visits[v.name]["parcours.key"]: v.name for v in visitors}, collections.defaultdict(list)
    equal(len(owner), len(visitors), "keys")
    for row in (r for r in last_facts(agent.all_rows()) if r["type"] == "alias"):
        name = owner.get(row["parcours.key"])
        check(name, "an alias of nobody's key: %s" % row)
        other = owner.setdefault(row["parcours.key.new"], name)
        equal(other, name, "whose the other key of an alias is")
        reasons[name].append(row["reason"])
    return reasons


def discreet(visitors, agent, collector, secrets):
    """An agent that tells nothing personal still tells visits and pages apart; and no secret, nor a value
    that browsers keep, stands in anything that it wrote or sent."""
    visits = [r for r in last_facts(agent.all_rows()) if r["type"] == "session" and "user_agent.synthetic.type" not in r]
    equal(sorted(r["page_views"] for r in visits), sorted(len(v.views) for v in visitors), "page views of the visits")
    sent = {word for v in visitors for kept in v.did["kept"] for word in (kept, *inside(kept))
            if len(word) > 5 and not word.isdigit()}  # wp-settings-time is a time
    check(sent, "nobody was given a cookie")
    sent |= set(secrets)
    files = [agent.path, agent.log, agent.stdout]
    files += [os.path.join(base, f) for base, _, names in os.walk(agent.state) for f in names]
    told = {os.path.basename(f): open(f, "rb").read() for f in files}
    told["OTLP"] = b"".join(r.body for r in collector.seen)
    for what in (agent.path, agent.stdout):
        check(told[os.path.basename(what)], "nothing in " + what)
    check(b"session.end" in told["OTLP"], "no event of a session came to the collector")
    found = [(word, what) for word in sent for spelling in spellings(word) for what, content in told.items()
             if spelling in content]
    check(not found, "secrets in outputs: %s" % found[:4])
    return "%d visits, %d secrets" % (len(visits), len(sent))


def inside(value):
    """The strings of a JSON object in base64."""
    if not value.startswith("eyJ"):
        return ()
    return [v for v in json.loads(base64.b64decode(value + "==")).values() if isinstance(v, str)]


def spellings(word):
    """As it is, percent-encoded, and decoded: a value may travel as either."""
    return {word.encode(), urllib.parse.quote(word, safe="").encode(), urllib.parse.unquote(word).encode()}


def in_turn(found):
    """Each host with one of the capture sources, each source with one of the hosts."""
    return [(host, found[i % len(found)]) for i, host in enumerate(("127.0.0.1", HOST))]


def private_agent(ports, source, mode, *more):
    """Every output it has: NDJSON, console, its log and state, all spans, metrics and events. `more`: options."""
    collector = Fake()
    agent = Agent(*[a for p in ports for a in ("--port", p)], "--console", "--otlp-endpoint", collector.endpoint, *more, source=source,
                  privacy=mode, env={"OTEL_TRACES_SAMPLER": "always_on", "OTEL_METRIC_EXPORT_INTERVAL": "1000"})
    return agent, collector
