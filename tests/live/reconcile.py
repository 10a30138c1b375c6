#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""When rings overflow, every loss is counted and the sums are exact.

The rings are far too small, the load is full, and the brain is stopped for moments so that losses are
certain. One request a connection: requests sent = complete + reported as unobserved + connections of
which no message was seen. Keep-alive: octets sent and received = octets parsed + octets in counted holes.
Never a transaction that was not sent.
"""
import os
import signal
import time

from lib import compare, load, process, servers
from lib.agent import Agent, sources
from lib.suite import Suite, check, equal

PATHS = ["/f1.bin", "/f777.bin", "/f5000.bin", "/none"]
RING = 65536


def storm(agent, run):
    """Stops the brain for moments while the load goes on."""
    brain = agent.brain()
    while run.busy():
        os.kill(brain, signal.SIGSTOP)
        time.sleep(0.03)
        os.kill(brain, signal.SIGCONT)
        time.sleep(0.07)
    return run.wait()


def overloaded(source, requests, count):
    server = servers.Nginx().start()
    pids = [a for p in process.descendants(server.child.pid) for a in ("--pid", p)]
    # The port too: the server's processes talk to each other over Unix sockets.
    agent = Agent(*pids, "--port", server.port, "--ring-size", RING, source=source)
    driver = storm(agent, load.Background(server.port, requests, 64))
    lines = server.wait_lines(count)
    equal(len(lines), count, "lines in the server's log")
    server.stop()
    agent.stop()
    stats = agent.stats()
    check(compare.figure(stats, "events.lost", "data") > 0, "no event was lost: this run proves nothing")
    compare.reconcile(stats, source)
    rows = agent.rows("server")
    truth = {m[1]: (m[0], m[1], m[2], driver.seen[m[1].rsplit("id=", 1)[1]].body) for m in lines}
    seen = set()
    for row in rows:
        at, named = compare.target(row), row.get("unobserved", [])
        if row["outcome"] == "complete":
            equal(compare.identity(row), truth.get(at), "a complete transaction")
        elif "url.path" not in named:
            check(at in truth, "invented target %s" % at)
        if "url.path" not in named:
            check(at not in seen, "double " + at)
            seen.add(at)
    return driver, rows, stats


def one_a_connection(source):
    count = 20000
    requests = [r._replace(data=r.data.replace(b"User-Agent", b"Connection: close\r\nUser-Agent", 1), close=True)
                for r in load.plan(count, PATHS, seed=8, methods=("GET",)) ]
    requests = [r._replace(data=r.data.replace(b"Connection: close\r\nConnection: close", b"Connection: close"))
                for r in requests]
    driver, rows, stats = overloaded(source, requests, count)
    complete = sum(1 for r in rows if r["outcome"] == "complete")
    unseen = compare.figure(stats, "connections.unseen")
    equal(len(rows) + unseen, count,
          "complete %d + unobserved %d + unseen %d" % (complete, len(rows) - complete, unseen))
    return "%d complete, %d unobserved, %d unseen, %d events lost" % (
        complete, len(rows) - complete, unseen, compare.figure(stats, "events.lost"))


def keep_alive(source):
    count = 40000
    requests = [r for r in load.plan(count, PATHS, seed=9, methods=("GET", "HEAD", "POST"))]
    driver, rows, stats = overloaded(source, requests, count)
    equal(compare.figure(stats, "stream.bytes", "receive"), driver.sent, "octets received")
    equal(compare.figure(stats, "stream.bytes", "transmit"), driver.received, "octets sent")
    holes = compare.figure(stats, "proto.lost.bytes")
    return "%d rows of %d, %d of %d octets in counted holes" % (len(rows), count, holes, driver.sent + driver.received)


suite = Suite()
for each in sources():
    suite.run("one request a connection, rings too small " + each, one_a_connection, each)
    suite.run("keep-alive, rings too small " + each, keep_alive, each)
suite.done()
