#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""When rings overflow, every loss is counted and the sums are exact, as a real OpenTelemetry Collector
received them: its spans and the agent's figures there, never the agent's own file.

The rings are far too small, the load is full, and the brain is stopped for moments so that losses are
certain. One request a connection: requests sent = complete + reported as unobserved + connections of
which no message was seen. Keep-alive: octets sent and received = octets parsed + octets in counted holes.
Never a transaction that was not sent.
"""
import os
import signal
import sys
import time

from lib import compare, load, process, servers
from lib.agent import Agent, sources
from lib.suite import Suite, check, equal

sys.path.insert(0, os.path.join(process.TOP, "tests", "collector"))
process.run([process.PYTHON, os.path.join(process.TOP, "tests", "collector", "prepare.py")], timeout=900)

from collector import Collector  # noqa: E402

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


def as_row(span):
    """A span under the names of an NDJSON row."""
    row = {name.removeprefix("parcours.") if name in ("parcours.outcome", "parcours.unobserved") else name: value
           for name, value in span.attributes.items()}
    return dict(row, kind={2: "server", 3: "client"}[span.span["kind"]])


def received(collector):
    """What the collector has of a run that is over: spans as rows, the last points as a stats row. The
    agent's end sent all; the collector's file follows within its flush interval."""
    path, size = os.path.join(collector.folder, "out.json"), -1
    while os.path.getsize(path) != size:
        size = os.path.getsize(path)
        time.sleep(1)
    stats = {}
    for p in collector.metrics_seen():
        if p.metric["name"].startswith(compare.PREFIX):
            label = "".join("{%s=%s}" % pair for pair in p.attributes.items())
            stats[p.metric["name"] + label] = int(p.point["asInt"])
    return stats, [as_row(s) for s in collector.spans()]


def connections(port):
    """Sockets of this port that still move something: neither listening nor in TIME_WAIT."""
    rows = [line.split() for line in process.read("/proc/net/tcp").splitlines()[1:]]
    return [r for r in rows if int(r[1].rsplit(":", 1)[1], 16) == port and r[3] not in ("0A", "06")]


def overloaded(source, requests, count):
    collector, server = Collector(), servers.Nginx().start()
    pids = [a for p in process.descendants(server.child.pid) for a in ("--pid", p)]
    # The port too: the server's processes talk to each other over Unix sockets.
    agent = Agent(*pids, "--port", server.port, "--ring-size", RING, "--otlp-endpoint", collector.endpoint,
                  source=source, ndjson=False, env={"OTEL_METRIC_EXPORT_INTERVAL": "1000"})
    driver = storm(agent, load.Background(server.port, requests, 64))
    lines = server.wait_lines(count)
    equal(len(lines), count, "lines in the server's log")
    # It answers before it has read all of a body it does not want, and reads on: what it never reads
    # because it is ended is in nobody's sum.
    process.wait_for(lambda: not connections(server.port), 15, "the server to read what it was sent")
    server.stop()
    agent.stop()
    stats, rows = received(collector)
    collector.stop()
    check(compare.figure(stats, "events.lost", "data") > 0, "no event was lost: this run proves nothing")
    compare.reconcile(stats, source)
    equal(compare.figure(stats, "transactions.closed"), len(rows) + compare.figure(stats, "spans.dropped"),
          "transactions closed, and spans received or counted as dropped")
    equal(compare.figure(stats, "transactions.closed", "complete"),
          sum(1 for r in rows if r["outcome"] == "complete"), "complete ones in metrics and in spans")
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
    unobserved = compare.figure(stats, "transactions.unobserved")
    cut = compare.figure(stats, "transactions.closed") - complete - unobserved
    unseen = compare.figure(stats, "connections.unseen")
    equal(cut, 0, "cut ones, of which the server knows nothing")
    equal(complete + unobserved + unseen, count,
          "complete %d + unobserved %d + unseen %d" % (complete, unobserved, unseen))
    return "%d complete, %d unobserved, %d unseen, %d events lost, %d spans" % (
        complete, unobserved, unseen, compare.figure(stats, "events.lost"), len(rows))


def keep_alive(source):
    count = 40000
    requests = [r for r in load.plan(count, PATHS, seed=9, methods=("GET", "HEAD", "POST"))]
    driver, rows, stats = overloaded(source, requests, count)
    for way, octets in (("receive", driver.sent), ("transmit", driver.received)):
        parsed = sum(compare.figure(stats, "proto.%s.bytes" % part, way) for part in ("message", "tunnel", "preface"))
        lost = compare.figure(stats, "proto.lost.bytes", way)
        equal(parsed + lost, octets, "octets, %s: %d parsed + %d in counted holes" % (way, parsed, lost))
    lost = compare.figure(stats, "proto.lost.bytes")
    equal(sum(compare.labels(stats, "proto.loss.bytes").values()), lost, "the same by cause")
    return "%d spans of %d, %d of %d octets in counted holes" % (len(rows), count, lost, driver.sent + driver.received)


suite = Suite()
for each in sources():
    suite.run("one request a connection, rings too small " + each, one_a_connection, each)
    suite.run("keep-alive, rings too small " + each, keep_alive, each)
suite.done()
