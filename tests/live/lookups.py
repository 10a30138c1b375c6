#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Names that are not found: one row a look-up, for real resolvers (glibc, musl, c-ares, Go, Java), against what the
clients met and what a name server of the test's own was asked. Both sources.
"""
import collections
import json
import os
import subprocess
import threading
import time

from lib import process
from lib.agent import Agent, require, sources
from lib.names import NameServer, behind
from lib.programs import c_program, java_class
from lib.reach import ask, server as reach_server, visit
from lib.runtimes import go_build
from lib.servers import program
from lib.suite import Suite, check, equal

ZONE = {"fine.test": ("ok", "127.0.0.1"), "both.test": ("ok", "127.0.0.1", "::1"), "six.test": ("ok", "::1"),
        "second.test": ("second", "127.0.0.1"), "big.test": ("tcp", "127.0.0.1"), "db.b.test": ("ok", "127.0.0.1"),
        "bad.test": ("servfail",), "no.test": ("refused",), "empty.test": ("ok",), "silent.test": ("silent",),
        "4111111111111111.test": ("servfail",)}
ERRORS = {"nx.test": "NXDOMAIN", "bad.test": "SERVFAIL", "no.test": "REFUSED", "empty.test": "NODATA",
          "silent.test": "timeout", "db": "NXDOMAIN", "gone": "NXDOMAIN", "here": "NXDOMAIN"}
GOOD = ["fine.test", "both.test", "six.test", "second.test", "big.test", "db", "here"]
NAMES = GOOD + [n for n in ERRORS if n not in GOOD]
HOSTS = "127.0.0.1 localhost here\n"


def musl_program():
    source, target = process.APPS + "/lookup.c", os.path.join(process.BUILD, "tests", "live", "lookup-musl")
    process.run([program("musl-gcc"), "-static", "-O2", "-D_GNU_SOURCE", "-o", target, source])
    return target


CLIENTS = {
    "glibc": lambda: [c_program("lookup")],
    "musl": lambda: [musl_program()],
    "c-ares": lambda: [program("node"), process.APPS + "/lookup.js", "own"],
    "Node": lambda: [program("node"), process.APPS + "/lookup.js", "system"],
    "Go": lambda: [go_build("lookup")],
    "Java": lambda: [program("java"), "-cp", java_class("Lookup"), "Lookup"],
}


class Client:
    def __init__(self, name, servers, **how):
        self.child = process.start(behind(servers, CLIENTS[name](), **how), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        self.name, self.pid, self.said = name, self.child.pid, {}

    def ask(self, name):
        self.child.stdin.write(name.encode() + b"\n")
        self.child.stdin.flush()
        self.said[name] = self.child.stdout.readline().decode().strip()
        return self.said[name]

    def ask_all(self, names):
        for name in names:
            self.ask(name)


def failures(agent):
    return [r for r in agent.all_rows() if r["type"] == "connection_failure"
            and r["parcours.connection.phase"] == "dns"]


def wait_rows(agent, count, seconds):
    end = time.monotonic() + seconds
    while len(failures(agent)) < count and time.monotonic() < end:
        time.sleep(0.1)


def figures(agent):
    return [r for r in agent.all_rows() if r["type"] == "stats"][-1]


def clients(source):
    """Each resolver asks for each name once. What it said decides whether there is a row; the zone says why."""
    server = NameServer(ZONE)
    # Node's own resolver has no hosts file and no search list.
    all_of = [Client(name, [server.address], search="a.test b.test", hosts=HOSTS) for name in CLIENTS]
    for c in all_of:
        equal(c.ask("fine.test"), "ok", c.name + " before the agent")
    agent = Agent(*(a for c in all_of for a in ("--pid", c.pid)), source=source)
    begin = time.time_ns()
    threads = [threading.Thread(target=c.ask_all, args=(NAMES,)) for c in all_of]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    end = time.time_ns()
    wanted = {(c.name, name): ERRORS[name] for c in all_of for name, said in c.said.items()
              if said == "failed" and name != "big.test"}  # what TCP would have said is not seen
    wait_rows(agent, len(wanted), 8)
    time.sleep(1)
    agent.stop()
    server.stop()
    names = {c.pid: c.name for c in all_of}
    told = failures(agent)
    equal(collections.Counter((names[r["process.pid"]], r["server.address"], r["error.type"]) for r in told),
          collections.Counter((*key, error) for key, error in wanted.items()), "rows")
    for c in all_of:
        lacks = {"c-ares": ["db", "here"], "musl": ["big.test"]}.get(c.name, [])
        equal([n for n in GOOD if c.said[n] != "ok"], [n for n in GOOD if n in lacks], c.name + " found")
    for r in told:
        check(begin <= r["start_time_unix_nano"] <= r["end_time_unix_nano"] <= end, "times: %r" % r)
        equal((r["kind"], r["network.transport"], r["network.peer.address"], r["network.peer.port"],
               "server.port" in r, "parcours.connection.id" in r),
              ("client", "udp", server.address, 53, False, False), "facts")
    slow = [r for r in told if r["error.type"] == "timeout"]
    check(all(r["end_time_unix_nano"] - r["start_time_unix_nano"] > 3e8 for r in slow), "timeouts: %r" % slow)
    last = figures(agent)
    equal(last.get("parcours.agent.lookups.failed"), len(told), "counted")
    equal(last.get("parcours.agent.lookups.unobserved", 0), 0, "unobserved")
    equal(last.get("parcours.agent.lookups.malformed", 0), 0, "malformed")
    return "%d rows of %d look-ups" % (len(told), last["parcours.agent.lookups.begun"])


def every_one(source):
    """The same name in vain, again and again, one after the other and by processes side by side: each counts."""
    server, each = NameServer(ZONE), 1500
    several = [Client("glibc", [server.address], options="timeout:5") for _ in range(4)]
    agent = Agent(*(a for c in several for a in ("--pid", c.pid)), source=source)
    threads = [threading.Thread(target=c.ask_all, args=(["nx.test" if i % 3 else "n%d.test" % i for i in range(each)],))
               for c in several]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    wait_rows(agent, 4 * each, 10)
    agent.stop()
    equal(len(server.asked), 4 * each * 2, "questions that the server saw")
    server.stop()
    told = failures(agent)
    equal(collections.Counter((r["process.pid"], r["error.type"]) for r in told),
          {(c.pid, "NXDOMAIN"): each for c in several}, "rows")
    equal(len({r["parcours.event_id"] for r in told}), len(told), "names of the facts")
    equal(figures(agent)["parcours.agent.lookups.begun"], len(told), "look-ups")


def servers(source):
    """Name servers that are not there, that refuse, and the last of them that knows."""
    gone, picky, good = "127.98.76.54", NameServer({"fine.test": ("refused",), "late.test": ("silent",)}), \
        NameServer({"fine.test": ("ok", "127.0.0.1"), "late.test": ("ok", "127.0.0.1")})
    alone = Client("glibc", [gone])
    several = Client("glibc", [gone, picky.address, good.address])
    agent = Agent("--pid", alone.pid, "--pid", several.pid, source=source)
    equal([alone.ask("fine.test"), several.ask("fine.test"), several.ask("late.test"), several.ask("nx.test")],
          ["failed", "ok", "ok", "failed"], "what the clients met")
    wait_rows(agent, 2, 5)
    time.sleep(1)
    agent.stop()
    equal(sorted((r["process.pid"], r["server.address"], r["error.type"], r["network.peer.address"])
                 for r in failures(agent)),
          sorted([(alone.pid, "fine.test", "ECONNREFUSED", gone),
                  (several.pid, "nx.test", "NXDOMAIN", picky.address)]), "rows")
    picky.stop()
    good.stop()


def ended(source):
    """curl in a hurry: it ends before anybody can have answered, or after its resolver has given up."""
    server = NameServer(ZONE)
    begin = "read go; exec curl -s -m %s http://silent.test/"
    children = [process.start(behind([server.address], ["sh", "-c", begin % seconds], options="timeout:1 attempts:1"),
                              stdin=subprocess.PIPE) for seconds in ("0.8", "20")]
    agent = Agent(*(a for c in children for a in ("--pid", c.pid)), source=source)
    for c in children:
        c.stdin.write(b"\n")
        c.stdin.flush()
    codes = [c.wait(20) for c in children]
    wait_rows(agent, 2, 5)
    agent.stop()
    equal(codes, [28, 6], "what curl said")
    equal({r["process.pid"]: r["error.type"] for r in failures(agent)},
          {children[0].pid: "abandoned", children[1].pid: "timeout"}, "rows")
    server.stop()


def forwarder(source):
    """A watched process that answers on port 53 asks for others: their look-up is theirs, and counts once."""
    server = NameServer(ZONE)
    place = "127.%d.53.53" % (os.getpid() % 254 + 1)
    child = process.start([process.PYTHON, process.APPS + "/forward.py", place, server.address], stdout=subprocess.PIPE)
    equal(child.stdout.readline(), b"ready\n", "the forwarder")
    client = Client("glibc", [place])
    agent = Agent("--pid", child.pid, "--pid", client.pid, source=source)
    for name in ("nx.test", "bad.test", "fine.test", "silent.test"):
        client.ask(name)
    wait_rows(agent, 3, 8)
    time.sleep(1)
    agent.stop()
    equal(sorted((r["process.pid"], r["server.address"]) for r in failures(agent)),
          [(client.pid, n) for n in ("bad.test", "nx.test", "silent.test")], "rows")
    server.stop()


def short(source):
    """Processes that look up one name and end, in a scope by executable: nobody has judged them by then."""
    server, lookup = NameServer(ZONE), c_program("lookup")
    agent = Agent("--exe", lookup, source=source)
    pids = []
    for name in ("nx.test", "fine.test", "bad.test", "nx.test"):
        child = process.start(behind([server.address], [lookup, name]), stdout=subprocess.PIPE)
        equal(child.wait(20), 0, "the client")
        pids.append(child.pid)
    wait_rows(agent, 3, 5)
    time.sleep(1)
    agent.stop()
    server.stop()
    equal(sorted((r["process.pid"], r["server.address"], r["error.type"]) for r in failures(agent)),
          sorted([(pids[0], "nx.test", "NXDOMAIN"), (pids[2], "bad.test", "SERVFAIL"), (pids[3], "nx.test", "NXDOMAIN")]),
          "rows")


def unwatched(source):
    """Who is out of scope is not told of, and neither is a scope by port that has not 53 in it."""
    server = NameServer(ZONE)
    inside, outside = Client("glibc", [server.address]), Client("glibc", [server.address])
    agents = [Agent("--pid", inside.pid, source=source),
              Agent("--pid", inside.pid, "--port", "80", source=source),
              Agent("--pid", inside.pid, "--port", "53", source=source)]
    for c in (inside, outside):
        equal(c.ask("nx.test"), "failed", "what the client met")
    time.sleep(2)
    for a in agents:
        a.stop()
    equal([[r["process.pid"] for r in failures(a)] for a in agents], [[inside.pid], [], [inside.pid]], "rows")
    server.stop()


def private(source):
    """A number like a card's in a name leaves as little as anywhere."""
    server = NameServer(ZONE)
    client = Client("glibc", [server.address])
    agent = Agent("--pid", client.pid, source=source, privacy="audience")
    client.ask("4111111111111111.test")
    wait_rows(agent, 1, 5)
    agent.stop()
    told = failures(agent)
    equal([r["error.type"] for r in told], ["SERVFAIL"], "rows")
    check("4111111111111111" not in process.read(agent.path), "the number left")
    check(told[0]["server.address"].endswith(".test"), "the rest of the name: %r" % told[0])
    equal(told[0]["network.peer.address"], server.address.rpartition(".")[0] + ".0", "address")
    server.stop()


def named(source):
    """An address that refuses has the name by which it was looked up; one that two names have has none."""
    zone = {"one.test": ("ok", "127.9.9.1"), "two.test": ("ok", "127.9.9.2"), "too.test": ("ok", "127.9.9.2")}
    server, closed = NameServer(zone), process.free_port()
    child = process.start(behind([server.address], [process.PYTHON, process.APPS + "/reach_client.py"]),
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    agent = Agent("--pid", child.pid, source=source)
    for name in ("one.test", "two.test", "too.test"):
        child.stdin.write(json.dumps({"host": name, "port": closed}).encode() + b"\n")
        child.stdin.flush()
        equal(child.stdout.readline(), b"ECONNREFUSED\n", "what the client met")
    time.sleep(2)
    agent.stop()
    server.stop()
    told = [r["server.address"] for r in agent.all_rows() if r["type"] == "connection_failure"]
    equal(sorted(told), ["127.9.9.2", "127.9.9.2", "one.test"], "names")


def page(source):
    """What a worker could not look up belongs to the page that it worked on, like what it could not connect to, once its
    process has shown that it serves one request at a time."""
    names = NameServer(ZONE)
    back, backend = reach_server("worker")
    workers = [reach_server("worker", name + ":443", str(backend), before=lambda command: behind(
        [names.address], command, options="timeout:1 attempts:1")) for name in ("nx.test", "silent.test")]
    agent = Agent(*(a for child, _ in workers for a in ("--pid", child.pid)), source=source)
    paths = []
    for n, (_, port) in enumerate(workers):
        visitors = [threading.Thread(target=lambda p=port: [ask(p, "/ask/%d" % i) for i in range(40)]) for _ in range(3)]
        for t in visitors:
            t.start()
        for t in visitors:
            t.join()
        mine = ["/%s/%d/%d" % ("call" if i % 3 else "quiet", n, i) for i in range((12, 5)[n])]
        equal([visit(port, p) for p in mine], [502 if "call" in p else 200 for p in mine], "answers")
        paths += mine
    failing = [p for p in paths if "call" in p]
    wait_rows(agent, len(failing), 5)
    time.sleep(2)
    agent.stop()
    told = failures(agent)
    pages = {r["parcours.page_id"]: r for r in sorted((r for r in agent.all_rows() if r["type"] == "page_view"),
                                                      key=lambda r: r["revision"])
             if not r["url.path"].startswith("/ask/")}
    equal(sorted(p["url.path"] for p in pages.values()), sorted(paths), "pages")
    equal(sorted((pages[r["parcours.page_id"]]["url.path"], r["server.address"], r["error.type"]) for r in told),
          sorted((p, "nx.test", "NXDOMAIN") if "/0/" in p else (p, "silent.test", "timeout") for p in failing),
          "pages of the failures")
    equal({p["url.path"]: p["failed_calls"] for p in pages.values()}, {p: int("call" in p) for p in paths}, "failed calls")
    process.stop(back)
    names.stop()


suite = Suite()
for each in sources():
    for body in (clients, every_one, servers, ended, forwarder, short, unwatched, private, named, page):
        require()
        suite.run("lookups %s %s" % (body.__name__, each), body, each)
suite.done()
