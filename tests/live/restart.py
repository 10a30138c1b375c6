#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The agent and each of its processes killed and restarted under load.

No request of the application may be disturbed, no transaction invented or doubled, and after a restart
everything is seen again.
"""
import os
import signal
import time

from lib import compare, load, process, servers
from lib.agent import Agent, sources
from lib.suite import Suite, check, equal

COUNT = 60000
PATHS = ["/f777.bin", "/f5000.bin", "/none"]


def no_phantom(rows, truth, what):
    """Complete rows are true and single; others say nothing that was not so."""
    want = {t[1]: t for t in truth}
    seen = set()
    for row in rows:
        at, named = compare.target(row), row.get("unobserved", [])
        if row["outcome"] == "complete":
            check(compare.identity(row) == want.get(at), "%s: row %s, truth %s" % (what, compare.identity(row), want.get(at)))
        else:
            check("url.path" in named or at in want, "%s: invented %s" % (what, at))
        if "url.path" not in named:
            check(at not in seen, "%s: double %s" % (what, at))
            seen.add(at)
    return seen


def begin(source):
    server = servers.Nginx().start()
    requests = load.plan(COUNT, PATHS, seed=5, methods=("GET", "HEAD"))
    agent = Agent("--port", server.port, source=source)
    run = load.Background(server.port, requests)
    time.sleep(0.7)
    check(run.busy(), "the load was over before anything was killed")
    return server, agent, run


def finish(server, run):
    driver = run.wait()
    lines = server.wait_lines(COUNT)
    equal(len(lines), COUNT, "requests in the server's log: none may be disturbed")
    return lines, driver


def tail_seen(server, agent, lines):
    """After the storm: 500 more requests, every one a transaction."""
    more = load.plan(500, PATHS, seed=6, methods=("GET",), prefix="late")
    load.drive(server.port, more, concurrency=4)
    lines[:] = server.wait_lines(COUNT + 500)
    agent.stop()
    rows = agent.rows("server")
    late = [r for r in rows if "id=late" in compare.target(r)]
    compare.exact(late, [l for l in lines if "id=late" in l[1]], "after the restart")
    return rows


def brain_dies(source):
    server, agent, run = begin(source)
    for _ in range(3):
        old = agent.brain()
        agent.kill(old)
        process.wait_for(lambda: [p for p in agent.pids() if p not in (agent.pid, old)], 10, "a new brain")
        time.sleep(0.4)
    lines, _ = finish(server, run)
    rows = tail_seen(server, agent, lines)
    seen = no_phantom(rows, lines, "brain killed three times")
    check(agent.torn <= 3, "%d torn lines" % agent.torn)
    submitted, read = (compare.labels(agent.stats(), "events." + name) for name in ("submitted", "read"))
    for kind, count in submitted.items():
        # one that was taken but not counted yet, each time; never one that was read twice
        check(count - 3 <= read.get(kind, 0) <= count, "%s events submitted %d, read %d" % (kind, count, read.get(kind, 0)))
    return "%d of %d seen" % (len(seen), len(lines))


def warden_dies(source):
    server, agent, run = begin(source)
    pids = agent.pids()
    agent.kill(agent.pid)
    process.wait_for(lambda: not any(os.path.exists("/proc/%d" % p) and "Z" not in state(p) for p in pids), 10,
                     "the brain's end after its warden's: %s" % agent.errors()[-300:])
    check("warden" in agent.errors(), "nothing was said about the warden's end: %s" % agent.errors()[-300:])
    lines, _ = finish(server, run)
    no_phantom(agent.rows("server"), lines, "warden killed")


def state(pid):
    text = process.read("/proc/%d/stat" % pid)
    return text.rsplit(")", 1)[1].split()[0] if text else "gone"


def all_restarted(source):
    """A second agent joins connections that are busy."""
    server, agent, run = begin(source)
    for pid in agent.pids():
        agent.kill(pid)
    time.sleep(0.3)
    second = Agent("--port", server.port, source=source)
    lines, _ = finish(server, run)
    rows = tail_seen(server, second, lines)
    no_phantom(rows, lines, "second agent")
    no_phantom(agent.rows("server"), lines, "first agent")
    joined = [r for r in rows if "joined" in r.get("parcours.flags", ())]
    check(joined, "no transaction on a connection that was open before")
    return "%d and %d rows" % (len(agent.rows("server")), len(rows))


def reload(source):
    """SIGHUP under load loses nothing."""
    server, agent, run = begin(source)
    for _ in range(3):
        os.kill(agent.pid, signal.SIGHUP)
        time.sleep(0.2)
    lines, driver = finish(server, run)
    agent.stop()
    compare.exact(agent.rows("server"), [(m, t, s, driver.seen[t.rsplit("id=", 1)[1]].body) for m, t, s, _ in lines], "reload")
    compare.nothing_lost(agent.stats(), "reload")


suite = Suite()
for each in sources():
    suite.run("brain killed under load " + each, brain_dies, each)
    suite.run("warden killed under load " + each, warden_dies, each)
    suite.run("agent killed and started again under load " + each, all_restarted, each)
    suite.run("reloaded under load " + each, reload, each)
suite.done()
