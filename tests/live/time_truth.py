#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Times against a server that writes down its own: the error of the duration is under 100 µs at p99,
never negative; the time to first byte is right, or absent where one call blocked, never wrong.

Runs alone on the machine (timed suite).
"""
import os
import socket
import time

from lib import load, process, programs
from lib.agent import Agent, sources
from lib.compare import target
from lib.suite import Suite, check

P99_NS = 100_000
BIAS_NS = 6_000  # median of one shape: a wrong end of a call shows here long before it shows at p99


class Truth:
    """The truth server; its log maps a target to (read, before first write, after it, last)."""

    def __init__(self):
        self.port = process.free_port()
        self.log = os.path.join(process.folder("truth"), "log")
        # A processor of its own: a client or an agent that takes its place between the end of a call
        # and its look at the clock would be an error of the truth, not of the agent.
        self.all = os.sched_getaffinity(0)
        rest = self.all - {min(self.all)} or self.all
        os.sched_setaffinity(0, {min(self.all)})
        self.child = process.start([programs.c_program("truth"), str(self.port), self.log])
        os.sched_setaffinity(0, rest)
        process.wait_port(self.port, self.child)

    def leave(self):
        os.sched_setaffinity(0, self.all)

    def times(self, count):
        process.wait_for(lambda: process.read(self.log).count("\n") >= count, 10, "%d lines of truth" % count)
        found = {}
        for line in process.read(self.log).splitlines():
            part = line.split()
            found[part[0]] = tuple(int(n) for n in part[1:])
        return found


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p))]


def by_target(agent, kind="server"):
    rows = {target(r): r for r in agent.rows(kind)}
    return rows


def durations(source):
    """2,000 requests of different shapes, two at a time, so that only the agent's error is seen."""
    truth = Truth()
    agent = Agent("--port", truth.port, source=source)
    shapes = ["/t/0/100/1", "/t/300/5000/1", "/t/2000/20000/3", "/t/0/60000/2", "/t/100/0/1"]
    requests = load.plan(2000, shapes, seed=7, methods=("GET",))
    load.drive(truth.port, requests, concurrency=2)
    want = truth.times(len(requests))
    agent.stop()
    truth.leave()
    rows = by_target(agent)
    check(len(rows) == len(want), "%d of %d seen" % (len(rows), len(want)))
    error, first_error, signed = [], [], {}
    for name, (read, before, first, last) in want.items():
        row = rows[name]
        check("duration_ns" in row and row["duration_ns"] >= 0, "no duration or negative: %s" % row)
        error.append(abs(row["duration_ns"] - (last - read)))
        signed.setdefault(name.split("?")[0], []).append(row["duration_ns"] - (last - read))
        if "time_to_first_byte_ns" in row:
            low, high = before - read, first - read
            got = row["time_to_first_byte_ns"]
            first_error.append(max(0, low - got, got - high))
    p50, p99 = percentile(error, 0.5), percentile(error, 0.99)
    first99 = percentile(first_error, 0.99)
    check(p99 < P99_NS, "duration error p50 %d ns, p99 %d ns, worst %d ns" % (p50, p99, max(error)))
    check(len(first_error) == len(want), "time to first byte absent on %d" % (len(want) - len(first_error)))
    check(set(signed) == set(shapes), "shapes: %s" % sorted(signed))
    bias = {shape: percentile(errors, 0.5) for shape, errors in signed.items()}
    check(max(map(abs, bias.values())) < BIAS_NS, "median error of each shape, ns: %s" % bias)
    check(first99 < P99_NS, "first byte error p99 %d ns, worst %d ns" % (first99, max(first_error)))
    return "duration error p50 %.1f µs p99 %.1f µs, by shape %s, first byte p99 %.1f µs" % (
        p50 / 1e3, p99 / 1e3, " ".join("%+.1f" % (bias[s] / 1e3) for s in shapes), first99 / 1e3)


def slow_reader(source):
    """6 MB in one blocking write to a client that takes about 300 ms to read it."""
    truth = Truth()
    agent = Agent("--port", truth.port, source=source)
    size = 6 << 20
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.connect(("127.0.0.1", truth.port))
        s.sendall(b"GET /t/1000/%d/1?id=slow HTTP/1.1\r\nHost: a\r\n\r\n" % size)
        left = size
        while left > 0:
            left -= len(s.recv(262144))
            time.sleep(0.002)
    times = truth.times(1)
    agent.stop()
    truth.leave()
    row = by_target(agent).get("/t/1000/%d/1?id=slow" % size)
    check(row, "the transaction is missing")
    read, before, first, last = times["/t/1000/%d/1?id=slow" % size]
    check(first - before > 50_000_000, "the write did not block: %d ns" % (first - before))
    check(row["http.response.body.size"] == size, "size %s" % row.get("http.response.body.size"))
    error = abs(row["duration_ns"] - (last - read))
    check(error < 1_000_000, "duration error %d ns" % error)
    got = row.get("time_to_first_byte_ns")
    if got is None:
        check("time_to_first_byte_ns" in row.get("unobserved", []), "absent, but not named as unobserved")
        return "write blocked %.0f ms, first byte named as unobserved" % ((first - before) / 1e6)
    check(abs(got - (before - read)) < 1_000_000, "first byte %d ns, true %d ns" % (got, before - read))
    return "write blocked %.0f ms, first byte off by %.1f µs" % ((first - before) / 1e6, abs(got - (before - read)) / 1e3)


suite = Suite(timed=True)
for each in sources():
    suite.run("duration and first byte " + each, durations, each)
    suite.run("6 MB in one write to a slow client " + each, slow_reader, each)
suite.done()
