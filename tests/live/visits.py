#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Visits of a scripted population, against the script's own record.

500 visitors of many kinds come at once to a shop behind nginx. Each request says in its query who made
it, which the agent does not look at; so each row of a transaction tells whether it was given to the right
visit. Also: a brain that is killed and an agent that is started anew begin no visit twice, and a recording
says the same as the live agent.
"""
import collections
import concurrent.futures
import http.client
import json
import os
import random
import re
import sqlite3
import subprocess
import time

from lib import process, programs, schema, servers
from lib.agent import Agent, sources
from lib.suite import Suite, check, equal

VISITORS = 500
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0" % (v, v) for v in range(100, 140)]
KINDS = ("named", "own", "late", "url", "cookieless", "office", "tabs", "account", "robot", "poller")


class Shop:
    """nginx in front of the Python shop."""

    def __init__(self):
        self.back = process.free_port()
        child = process.start([process.PYTHON, os.path.join(process.APPS, "visits.py"), str(self.back)])
        process.wait_port(self.back, child, None)
        front = servers.Nginx()
        front.extra = """
  upstream shop { server 127.0.0.1:%d; keepalive 32; }
  server { listen 127.0.0.1:%d backlog=4096; location / { proxy_pass http://shop; proxy_http_version 1.1;
           proxy_set_header Host $host; proxy_set_header Connection ""; } }
""" % (self.back, process.free_port())
        self.front = int(re.search(r"listen 127.0.0.1:(\d+) backlog", front.extra)[1])
        front.start()


class Visitor:
    """One browser: an address, an agent, a jar. `visits` is the truth: how many, and of which requests."""

    def __init__(self, shop, number, kind, other=None):
        self.shop, self.number, self.kind = shop, number, kind
        self.fronts = [shop.front] + ([other.front] if other else [])
        self.rng = random.Random(number)
        self.address = "127.1.%d.%d" % (number // 200, number % 200 + 1)
        self.agent = AGENTS[number % len(AGENTS)]
        if kind == "office":  # twenty to an address, some with one agent
            self.address = "127.2.0.%d" % (number // 20 % 200 + 1)
        if kind == "robot":
            self.agent = "examplebot/%d" % number
        self.jar, self.made, self.pages, self.page = {}, 0, 0, None
        self.connection = None

    def send(self, path, method="GET", navigation=True, keeps=True, referer=None):
        if len(self.fronts) > 1:  # a balancer without affinity: each request goes to the next host
            self.fronts.reverse()
            self.connection = None
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.fronts[0], timeout=30,
                                                         source_address=(self.address, 0))
        headers = {"Host": "shop.example", "User-Agent": self.agent, "Accept-Language": "de",
                   "Accept": "text/html" if navigation else "*/*"}
        if referer or self.page:
            headers["Referer"] = "http://shop.example" + (referer or self.page)
        if self.jar:
            headers["Cookie"] = "theme=dark; " + "; ".join("%s=%s" % pair for pair in self.jar.items())
        self.made += 1
        self.connection.request(method, "%s?who=%d" % (path, self.number), headers=headers)
        answer = self.connection.getresponse()
        answer.read()
        self.pages += answer.status == 200 and (navigation or self.kind == "robot")
        for field in answer.headers.get_all("Set-Cookie") or []:
            name, value = field.split(";")[0].split("=", 1)
            if "Max-Age=0" in field:
                self.jar.pop(name, None)
            elif keeps:
                self.jar[name] = value
        if navigation:
            self.page = path

    def pause(self):
        time.sleep(self.rng.uniform(0.01, 0.1))

    def walk(self, base, steps, **how):
        for step in steps:
            self.send(base + "/" + step, **how)
            self.pause()

    def come(self):
        if self.kind in ("named", "own", "office"):
            self.walk("/own" if self.kind == "own" else "/named", ["", "a", "b", "basket", "c"])
        elif self.kind == "late":
            self.walk("/late", ["", "a", "basket", "b", "checkout"])
        elif self.kind == "url":
            token = "%032X" % self.rng.getrandbits(128)
            self.walk("/url", [p + ";jsessionid=" + token for p in ("", "a", "b")], keeps=False)
        elif self.kind == "cookieless":
            self.walk("/named", ["", "a", "b"], keeps=False)
        elif self.kind == "tabs":
            self.walk("/named", [""])
            other = Visitor(self.shop, self.number, self.kind)
            other.jar, other.page = self.jar, "/named/"
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda v: v.walk("/named", ["x", "y", "z"]), (self, other)))
            self.made += other.made
            self.pages += other.pages
        elif self.kind == "account":
            self.walk("/named", ["", "login", "account", "logout", "", "a"])
        elif self.kind == "robot":
            self.page = None
            for step in range(6):
                self.send("/named/%d" % step, navigation=False, keeps=False)
                self.page = None
        else:
            self.walk("/named", [""])
            for _ in range(6):
                self.send("/named/poll", navigation=False)
                time.sleep(1)


def population(shop, count=VISITORS):
    people = [Visitor(shop, n, KINDS[n % len(KINDS)]) for n in range(count)]
    with concurrent.futures.ThreadPoolExecutor(48) as pool:
        list(pool.map(Visitor.come, people))
    return people


def who(row):
    found = re.search(r"who=(\d+)", row.get("url.query", ""))
    return int(found[1]) if found else None


def compare(people, rows, facts):
    """Every request in its visitor's one visit, every visit of one visitor."""
    edge = [r for r in rows if r["kind"] == "server" and r.get("parcours.edge") and who(r) is not None]
    equal(len(edge), sum(v.made for v in people), "requests at the edge")
    visits, visitors = collections.defaultdict(set), collections.defaultdict(set)
    for row in edge:
        visits[who(row)].add(row.get("session.id"))
        visitors[row.get("session.id")].add(who(row))
    wrong = [(people[n].kind, n, len(ids)) for n, ids in visits.items() if len(ids) != 1 or None in ids]
    mixed = [[(people[n].kind, n) for n in sorted(them)] for them in visitors.values() if len(them) != 1]
    check(not wrong and not mixed, "visitors with another number of visits than 1: %s; visits of several: %s" % (wrong[:8], mixed[:8]))
    last = {}
    for row in facts:
        last[row["parcours.event_id"]] = max(last.get(row["parcours.event_id"], row), row, key=lambda r: r["revision"])
    ended = {r["session.id"]: r for r in last.values() if r["type"] == "session"}
    equal(set(ended), set(visitors), "ids in the rows of type session")
    for row in edge:
        equal(row["parcours.key"], ended[row["session.id"]]["parcours.key"], "key of a transaction and of its visit")
    for n, ids in visits.items():
        row = ended[list(ids)[0]]
        equal(row["transactions"], people[n].made, "transactions of visitor %d" % n)
        equal(row["page_views"], people[n].pages, "page views of visitor %d, %s" % (n, people[n].kind))
        equal(row.get("user_agent.synthetic.type"), "bot" if people[n].kind == "robot" else None, "robot or not: visitor %d" % n)
    inner = [r for r in rows if r["kind"] == "server" and not r.get("parcours.edge")]
    equal(len(inner), len(edge), "inner hops")
    return "%d visits, %d requests, %d aliases" % (len(ended), len(edge), sum(r["type"] == "alias" for r in last.values()))


def facts_of(path):
    with open(path) as f:
        rows = [json.loads(line) for line in f]
    found = [r for r in rows if r["type"] in ("session", "alias")]
    schema.validate_shapes(found)
    return found


def everybody(source):
    shop = Shop()
    agent = Agent("--port", shop.front, "--port", shop.back, "--ring-size", "32MiB", source=source)
    people = population(shop)
    agent.stop()
    return compare(people, agent.rows(), facts_of(agent.path))


def come_again(source):
    """Visits end after the pause, by setting; who comes again has another visit and the same key."""
    shop = Shop()
    agent = Agent("--port", shop.front, "--session-timeout", "3s", source=source)
    people = [Visitor(shop, n, "named") for n in range(20)]
    for _ in range(2):
        for v in people:
            v.walk("/named", ["", "a"])
        time.sleep(5)
    agent.stop()
    ended = facts_of(agent.path)
    equal(len(ended), 40, "visits")
    equal({r["end_reason"] for r in ended}, {"timeout"}, "reasons")
    equal(sorted(collections.Counter(r["parcours.key"] for r in ended).values()), [2] * 20, "visits of a key")
    return "40 visits of 20 keys"


def restarts(source):
    """A brain that is killed in the middle of visits, then an agent that is started anew."""
    shop = Shop()
    people = [Visitor(shop, n, KINDS[n % 3]) for n in range(40)]
    first = Agent("--port", shop.front, source=source)
    for v in people:
        v.walk("/" + v.kind, ["", "basket"])
    time.sleep(2.5)  # a checkpoint: each second while so few visits are open
    middle = {v.number: "%s?who=%d" % (v.page, v.number) for v in people}
    old = first.brain()
    first.kill(old)
    process.wait_for(lambda: "the brain is back" in first.errors(), 20, "a new brain")
    for v in people:
        v.send("/part.png", navigation=False, referer=middle[v.number])
        v.walk("/" + v.kind, ["b"])
    first.stop()
    second = Agent("--port", shop.front, source=source, state=first.state)
    for v in people:
        v.walk("/" + v.kind, ["c"])
    second.stop()
    ids = collections.defaultdict(set)
    for row in first.rows("server") + second.rows("server"):
        ids[who(row)].add(row.get("session.id"))
    equal([n for n in ids if len(ids[n]) != 1], [], "visitors with more than one visit")
    equal(second.stats().get("parcours.agent.sessions.started"), 0, "visits begun by the second agent")
    last = {r["session.id"]: r for r in facts_of(second.path) if r["type"] == "session"}
    equal({r["transactions"] for r in last.values()}, {5}, "transactions of each visit over all")
    equal({r["page_views"] for r in last.values()}, {4}, "page views of each visit over all")
    pages_through(first.rows("server") + second.rows("server"), pages_of(first.path) + pages_of(second.path), people)
    return "40 visits and 160 page views through two restarts"


def pages_of(path):
    with open(path) as f:
        return [r for r in map(json.loads, f) if r["type"] == "page_view"]


def pages_through(transactions, views, people):
    """None begins twice, none says two things under one revision, and what comes later is still its part."""
    told, last = {}, {}
    for row in views:
        name = (row["parcours.event_id"], row["revision"])
        equal(told.setdefault(name, row), row, "two rows of one revision")
        last[name[0]] = max(last.get(name[0], row), row, key=lambda r: r["revision"])
    equal(len(last), 4 * len(people), "page views")
    parts = [r for r in transactions if r["url.path"] == "/part.png"]
    equal(len(parts), len(people), "parts of the pages that were open when the brain was killed")
    for row in parts:
        of = last.get(row.get("parcours.page_id"))
        check(of and of["url.path"].endswith("/basket") and of["resources"] == 1, "the page of %s: %s" % (row, of))


def siphash13(k0, k1, data):
    """SipHash-1-3."""
    mask = (1 << 64) - 1
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

    def turn(x, n):
        return (x << n | x >> (64 - n)) & mask

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & mask
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[3]) & mask
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & mask
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & mask
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)

    words = data + bytes(7 - len(data) % 8) + bytes([len(data) & 255])
    for at in range(0, len(words), 8):
        word = int.from_bytes(words[at:at + 8], "little")
        v[3] ^= word
        rounds(1)
        v[0] ^= word
    v[2] ^= 255
    rounds(3)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def of_version(whole, version):
    """A checkpoint as another version writes it: with a true sum (src/agent/brain/checkpoint.c)."""
    offset, length = (int.from_bytes(whole[at:at + 8], "little") for at in (16, 24))
    text = version.to_bytes(4, "little") + whole[offset + 4:offset + length]
    total = 0
    for at in range(0, length, 65536):
        total = siphash13(0x706172636f757273, total, text[at:at + 65536])
    return whole[:32] + total.to_bytes(8, "little") + whole[40:offset] + text


def damaged(source):
    """A checkpoint that is cut, from elsewhere, or of another secret is told and left out."""
    shop = Shop()
    first = Agent("--port", shop.front, source=source)
    Visitor(shop, 1, "named").walk("/named", ["", "a"])
    first.stop()
    path = os.path.join(first.state, "visits")
    with open(path, "rb") as f:
        whole = f.read()
    for content, word in ((whole[:-20], "damaged"), (b"x" * 9000, "damaged"), (whole[:-20] + b"x" * 20, "damaged"),
                          (whole[:10], "damaged")):
        process.write(path, content)
        agent = Agent("--port", shop.front, source=source, state=first.state)
        agent.stop()
        check(word in agent.errors(), "said of a damaged checkpoint: " + agent.errors()[-300:])
    process.write(path, of_version(whole, 1))
    agent = Agent("--port", shop.front, source=source, state=first.state)
    agent.stop()
    check("another version" in agent.errors(), "said of an older checkpoint: " + agent.errors()[-300:])
    process.write(path, whole)
    process.write(os.path.join(first.state, "secret"), "ab" * 32 + "\n")
    agent = Agent("--port", shop.front, source=source, state=first.state)
    agent.stop()
    check("another secret of the site" in agent.errors(), "said of another secret: " + agent.errors()[-300:])
    return ""


def kept_to_itself(source):
    """Secret and checkpoint are for their owner alone; doctor tells of the secret only by what it can be known."""
    shop, prints = Shop(), []
    for text in (None, "0f" * 32, "0f" * 32):
        place = process.folder("kept")
        state = os.path.join(place, "state")
        if text:
            os.makedirs(state)
            process.write(os.path.join(state, "secret"), text + "\n")
            os.chmod(os.path.join(state, "secret"), 0o600)
            process.write(os.path.join(state, "visits"), "")
            os.chmod(os.path.join(state, "visits"), 0o666)  # as a restored backup may leave it
        agent = Agent("--port", shop.front, source=source, state=state)
        Visitor(shop, len(prints), "named").walk("/named", ["", "a"])
        agent.stop()
        modes = {name: os.stat(os.path.join(state, name)).st_mode & 0o777 for name in ("secret", "visits")}
        equal(modes, {"secret": 0o600, "visits": 0o600}, "modes")
        check(os.path.getsize(os.path.join(state, "visits")) > 1000, "no visit in the checkpoint")
        config = process.write(os.path.join(place, "config"), "state_directory: %s\n" % state)
        said = subprocess.run([process.PARCOURS, "doctor", "-c", config], capture_output=True, text=True, timeout=30).stdout
        prints.append(re.search(r"fingerprint ((?:[0-9a-f]{4}-){3}[0-9a-f]{4}) ", said)[1])
        secret = process.read(os.path.join(state, "secret")).strip()
        check(secret not in said and secret not in agent.errors() + process.read(agent.path), "the secret is told")
        check(prints[-1].replace("-", "") not in secret, "the fingerprint is a part of the secret")
    check(prints[0] != prints[1] == prints[2], "fingerprints of one secret, of another twice: %s" % prints)
    return ""


def replay_says_the_same(source):
    shop = Shop()
    place = process.folder("record")
    state, live, again, record = (os.path.join(place, n) for n in ("state", "live", "again", "record"))
    child = process.start([process.PARCOURS, "record", record, "--port", str(shop.front), "--port", str(shop.back),
                           "--capture", source, "--privacy", "none", "--state-directory", state, "--ndjson", live],
                          log=os.path.join(place, "err"))
    process.wait_for(lambda: "ready" in process.read(os.path.join(place, "err")), 20, "the recorder")
    population(shop, 60)
    equal(process.stop(child, wait=30), 0, "exit code of record")
    subprocess.run([process.PARCOURS, "replay", record, "--privacy", "none", "--state-directory", state, "--ndjson", again],
                   check=True, timeout=60, stderr=subprocess.DEVNULL)
    one, two = (sorted(json.dumps(r, sort_keys=True) for r in facts_of(p)) for p in (live, again))
    equal(len(one), len(two), "facts live and replayed")
    equal([r for r in one if r not in two], [], "facts that replay tells otherwise")
    return "%d facts" % len(one)


def two_hosts(source):
    """Two agents with one secret behind a balancer without affinity, the clock of one 2 s ahead: keys are equal,
    and SQL over both outputs gives the visits of the script."""
    shops = Shop(), Shop()
    place = process.folder("secret")
    process.write(os.path.join(place, "secret"), "0f" * 32 + "\n")
    config = process.write(os.path.join(place, "config"), "session:\n  secret_file: %s/secret\n" % place)
    clocks = {}, {"LD_PRELOAD": programs.c_library("ahead")}
    agents = [Agent("-c", config, "--port", s.front, source=source, env=env) for s, env in zip(shops, clocks)]
    people = [Visitor(shops[0], n, "named", shops[1]) for n in range(120)]
    routes = {0: ("/named", ["", "a", "b", "c", "d", "e"], True), 1: ("/own", ["", "a", "b", "c", "d", "e", "f", "g"], True),
              2: ("/named", ["", "a", "login", "b", "c", "d"], True), 3: ("/none", ["", "a", "b", "c", "d", "e"], False)}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda v: v.walk(routes[v.number % 4][0], routes[v.number % 4][1], keeps=routes[v.number % 4][2]), people))
    over = time.time_ns()
    for a in agents:
        a.stop()
    late = [max(r["start_time_unix_nano"] for r in a.rows("server")) - over for a in agents]
    check(late[0] < 0 < late[1] < 2 * 10**9, "the clocks: last requests %d and %d ms after the load" % tuple(t // 10**6 for t in late))
    base = sqlite3.connect(":memory:")
    with open(os.path.join(process.TOP, "share", "sql", "visits.sql")) as f:
        base.executescript(f.read())
    for a in agents * 2:  # delivered twice: counted once
        base.executemany("INSERT INTO fact VALUES (?)", [(json.dumps(r),) for r in a.all_rows() if r["type"] in ("session", "alias")])
    rows = [r for a in agents for r in a.rows("server")]
    visitor = dict(base.execute("SELECT key, visitor FROM visitor"))
    of = collections.defaultdict(set)
    for r in rows:
        of[who(r)].add(visitor[r["parcours.key"]])
    equal([(n, routes[n % 4][0], len(v)) for n, v in of.items() if len(v) != 1], [], "visitors with several keys after SQL")
    visits = base.execute("SELECT transactions, parts FROM visit").fetchall()
    equal(len(visits), len(people), "visits from SQL")
    equal(sorted(t for t, _ in visits), sorted(v.made for v in people), "transactions of each")
    return "%d visits in %d parts" % (len(visits), sum(p for _, p in visits))


suite = Suite()
for each in sources():
    for case in (everybody, come_again, restarts, damaged, kept_to_itself, replay_says_the_same, two_hosts):
        suite.run("%s %s" % (case.__name__.replace("_", " "), each), case, each)
suite.done()
